//! Runs the real program, and ffmpeg to make and look at files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A home of its own for one test, with the program run in it.
pub struct Home {
    pub folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, not started yet.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panelcam"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PANELCAM_HOME", self.path("home"))
            .env("ORT_DYLIB_PATH", runtime_library())
            .env("NODEVICE_SELECT", "1")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Runs the program with options given as one line; no word may hold a space.
    pub fn line(&self, line: &str) -> Run {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Names in this home's folder, sorted, hidden ones too.
    /// Adds the shipped network without its 8 bits, which the CPU draws with on some machines and nothing
    /// else does; the id of its first style.
    pub fn add_full_precision(&self) -> &'static str {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/toon");
        let folder = self.path("home/data/models/full");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(shipped.join("toon.onnx"), folder.join("toon.onnx")).unwrap();
        let text = std::fs::read_to_string(shipped.join("model.toml")).unwrap();
        let mut description: toml::Table = text.parse().unwrap();
        description.remove("eight_bit");
        description.insert("id".to_owned(), "full".into());
        let style: toml::Table = "id = \"clean-full\"".parse().unwrap();
        let styles = description["styles"].as_array_mut().unwrap();
        styles[0].as_table_mut().unwrap().extend(style);
        for (number, style) in styles.iter_mut().enumerate().skip(1) {
            let id = format!("full-{number}");
            style
                .as_table_mut()
                .unwrap()
                .insert("id".to_owned(), id.into());
        }
        std::fs::write(folder.join("model.toml"), description.to_string()).unwrap();
        "clean-full"
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .folder
            .path()
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != "home")
            .collect();
        names.sort();
        names
    }
}

/// What a run left.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub said: String,
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Self {
            code: status.code(),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            said: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// It must have worked.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.said);
        self
    }

    /// It must have failed with exit code 1, saying each of `words`, and not by a panic.
    #[track_caller]
    pub fn fails(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "{}\n{}", self.out, self.said);
        assert!(!self.said.contains("panicked"), "{}", self.said);
        for word in words {
            assert!(
                self.said.contains(word),
                "nothing about {word:?} in: {}",
                self.said
            );
        }
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The ONNX Runtime library the tests use.
pub fn runtime_library() -> PathBuf {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
        return path.into();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime");
    folder
        .read_dir()
        .ok()
        .and_then(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .find(|path| {
                    path.file_name()
                        .is_some_and(|name| name.to_string_lossy().contains("onnxruntime"))
                })
        })
        .unwrap_or_else(|| folder.join("missing"))
}

/// Makes a file with ffmpeg.
#[track_caller]
pub fn ffmpeg(arguments: &str, output: &Path) {
    let run = Run::of(
        Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"])
            .args(arguments.split_whitespace())
            .arg(output),
    );
    assert_eq!(run.code, Some(0), "{}", run.said);
}

/// What ffprobe says of a file, every frame counted.
#[track_caller]
pub fn ffprobe(path: &Path) -> serde_json::Value {
    Run::of(
        Command::new("ffprobe")
            .args([
                "-v",
                "error",
                "-count_frames",
                "-show_streams",
                "-show_format",
                "-of",
                "json",
            ])
            .arg(path),
    )
    .ok()
    .json()
}

/// The first stream of a kind, `video` or `audio`.
pub fn stream<'a>(probe: &'a serde_json::Value, kind: &str) -> Option<&'a serde_json::Value> {
    probe["streams"]
        .as_array()?
        .iter()
        .find(|stream| stream["codec_type"] == kind)
}

/// How many frames a clip has.
#[track_caller]
pub fn frames(path: &Path) -> u64 {
    let probe = ffprobe(path);
    stream(&probe, "video").unwrap()["nb_read_frames"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}
