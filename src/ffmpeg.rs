//! The ffmpeg and ffprobe programs: finding them, asking what a video holds, running them.
//!
//! They run as child processes that are always ended and waited for: no zombie, no orphan.
//! What they say on standard error is kept, bounded, so that an error can say it in one line.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;

use crate::frame::Size;
use crate::worker::Worker;

/// How to install both programs on this system.
#[cfg(target_os = "linux")]
pub const INSTALL: &str = "sudo apt install ffmpeg";
/// How to install both programs on this system.
#[cfg(target_os = "macos")]
pub const INSTALL: &str = "brew install ffmpeg";
/// How to install both programs on this system.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub const INSTALL: &str = "winget install ffmpeg";

/// How long a file may take to be probed.
const PROBE_FILE: Duration = Duration::from_secs(20);
/// How long a server may take to answer and be probed.
const PROBE_URL: Duration = Duration::from_secs(15);
/// How much of standard error is kept: the last bytes.
const KEPT_STDERR: usize = 8 * 1024;
/// The longest answer of ffprobe that is read.
const MAX_ANSWER: u64 = 4 << 20;

/// Why ffmpeg or ffprobe could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum FfmpegError {
    /// The program is not on this machine.
    #[error(
        "{program} was not found, and videos need it. Install it with `{INSTALL}` and try again."
    )]
    Missing {
        /// `ffmpeg` or `ffprobe`.
        program: &'static str,
    },
    /// The program is there and does not start.
    #[error("ffmpeg cannot be started: {error}. ({})", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It ended with an error.
    #[error("ffmpeg says: {said}. ({input})")]
    Failed {
        /// Its own last words, one line.
        said: String,
        /// The file or URL.
        input: String,
    },
    /// It gave no answer in time and was ended.
    #[error("The video gave no answer within {} seconds. Check that it can be reached. ({input})", limit.as_secs())]
    TimedOut {
        /// How long it had.
        limit: Duration,
        /// The file or URL.
        input: String,
    },
    /// There is no moving picture in it.
    #[error("There is no video in this file, only {holds}. Choose another one. ({input})")]
    NoVideo {
        /// What is in it.
        holds: &'static str,
        /// The file or URL.
        input: String,
    },
    /// ffprobe's answer makes no sense.
    #[error("The video's size or rate cannot be used: {why}. Convert it to mp4 first. ({input})")]
    Unusable {
        /// What is wrong with it.
        why: String,
        /// The file or URL.
        input: String,
    },
}

/// Where `program`, `ffmpeg` or `ffprobe`, is: beside panelcam's executable or on the `PATH`. A
/// folder named by `PANELCAM_FFMPEG_DIR` is the only place when it is set.
///
/// # Errors
/// [`FfmpegError::Missing`] with the command that installs it.
pub fn find(program: &'static str) -> Result<PathBuf, FfmpegError> {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let folders: Vec<PathBuf> = match std::env::var_os("PANELCAM_FFMPEG_DIR") {
        Some(folder) => vec![folder.into()],
        None => {
            let beside = std::env::current_exe()
                .ok()
                .and_then(|path| path.parent().map(Path::to_owned));
            let path = std::env::var_os("PATH").unwrap_or_default();
            beside
                .into_iter()
                .chain(std::env::split_paths(&path))
                .collect()
        }
    };
    folders
        .into_iter()
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
        .ok_or(FfmpegError::Missing { program })
}

/// A command that runs `program`, `ffmpeg` or `ffprobe`, quietly, with nothing on standard input.
///
/// # Errors
/// [`FfmpegError::Missing`].
pub fn command(program: &'static str) -> Result<Command, FfmpegError> {
    let mut command = Command::new(find(program)?);
    command.args(["-hide_banner", "-loglevel", "error"]);
    if program == "ffmpeg" {
        command.arg("-nostdin");
    }
    command.stdin(Stdio::null());
    Ok(command)
}

/// The arguments that make ffmpeg write every decoded frame exactly once, whatever its time:
/// `-fps_mode passthrough`, or what versions before 5.1 call it.
pub fn every_frame_once() -> [&'static str; 2] {
    static KNOWS_FPS_MODE: OnceLock<bool> = OnceLock::new();
    let modern = *KNOWS_FPS_MODE.get_or_init(|| {
        let Ok(mut command) = command("ffmpeg") else {
            return true;
        };
        let answer = command.arg("-version").stderr(Stdio::null()).output();
        // Builds from the development tree have no number ("N-112…"): they are new.
        answer
            .ok()
            .and_then(|answer| version_of(&String::from_utf8_lossy(&answer.stdout)))
            .is_none_or(|version| version >= (5, 1))
    });
    if modern {
        ["-fps_mode", "passthrough"]
    } else {
        ["-vsync", "passthrough"]
    }
}

fn version_of(banner: &str) -> Option<(u32, u32)> {
    let number = banner.strip_prefix("ffmpeg version ")?;
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    Some((
        parts.next()?.parse().ok()?,
        parts.next().and_then(|part| part.parse().ok()).unwrap_or(0),
    ))
}

/// What a video is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file on this machine. Whatever it says inside, nothing is fetched from a network.
    File(PathBuf),
    /// A video on a server. Whatever it says inside, no file of this machine is read.
    Url(String),
}

impl Input {
    /// The arguments that open it, `-i` included.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        match self {
            Self::File(path) => {
                arguments.extend(["-protocol_whitelist", "file,crypto,data"].map(Into::into));
                // The prefix keeps a name that looks like an option or a protocol a name.
                let mut named = OsString::from("file:");
                named.push(path);
                arguments.extend([OsString::from("-i"), named]);
            }
            Self::Url(url) => {
                let network = "http,https,httpproxy,tcp,tls,udp,rtp,rtsp,rtsps,srtp,rtmp,rtmps,\
                               rtmpt,srt,hls,crypto,data";
                arguments.extend(["-protocol_whitelist", network].map(Into::into));
                let scheme = url.split(':').next().unwrap_or_default();
                match scheme {
                    "http" | "https" => arguments
                        .extend(["-rw_timeout", "10000000", "-fflags", "nobuffer"].map(Into::into)),
                    "rtsp" | "rtsps" => arguments
                        .extend(["-rtsp_transport", "tcp", "-fflags", "nobuffer"].map(Into::into)),
                    _ => {}
                }
                arguments.extend(["-i".into(), OsString::from(url)]);
            }
        }
        arguments
    }
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&without_password(url)),
        }
    }
}

/// A URL fit for a log: what stands before the `@` is left out.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let host_end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// A number of frames in a number of seconds, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rational {
    /// Frames.
    pub numerator: u32,
    /// Seconds; never 0.
    pub denominator: u32,
}

impl Rational {
    /// As a number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    fn parse(text: &str, separator: char) -> Option<Self> {
        let (numerator, denominator) = text.split_once(separator)?;
        let rational = Self {
            numerator: numerator.parse().ok()?,
            denominator: denominator.parse().ok()?,
        };
        (rational.numerator > 0 && rational.denominator > 0).then_some(rational)
    }
}

impl std::fmt::Display for Rational {
    /// As ffmpeg writes and reads it: `30000/1001`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// What a video holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoInfo {
    /// Size as shown: turned as the file says, pixels made square.
    pub size: Size,
    /// Average frames a second.
    pub rate: Rational,
    /// How many frames, when the file says so.
    pub frames: Option<u64>,
    /// How long, when it is known; a live stream has none.
    pub duration: Option<Duration>,
    /// Codec of the sound, like `aac`; `None`: there is none.
    pub audio_codec: Option<String>,
    /// Codec of the picture, like `h264`.
    pub codec: String,
    /// The colour matrix its YUV is in, as ffmpeg's scaler names it; `None`: not said.
    pub(crate) matrix: Option<String>,
}

/// Asks ffprobe what `input` holds.
///
/// # Errors
/// When ffprobe is missing, takes too long, cannot read the input, or finds no video in it.
pub fn probe(input: &Input) -> Result<VideoInfo, FfmpegError> {
    let limit = match input {
        Input::File(_) => PROBE_FILE,
        Input::Url(_) => PROBE_URL,
    };
    let mut command = command("ffprobe")?;
    command
        .args(["-print_format", "json", "-show_entries"])
        .arg(
            "format=duration:stream=codec_type,codec_name,width,height,avg_frame_rate,\
             r_frame_rate,nb_frames,duration,sample_aspect_ratio,color_space:\
             stream_disposition=attached_pic:stream_side_data=rotation:stream_tags=rotate",
        )
        .args(input.arguments());
    let answer = answer_within(command, limit, input)?;
    let found: Found = serde_json::from_slice(&answer).map_err(|error| FfmpegError::Unusable {
        why: format!("ffprobe's answer cannot be read, {error}"),
        input: input.to_string(),
    })?;
    found.into_info(input)
}

/// Runs `command` and gives what it wrote to standard output.
fn answer_within(
    mut command: Command,
    limit: Duration,
    input: &Input,
) -> Result<Vec<u8>, FfmpegError> {
    command.stdout(Stdio::piped());
    let mut process = Process::spawn(command, input)?;
    let killer = process.killer();
    let deadline = Instant::now() + limit;
    let watch = Worker::spawn("ffprobe watch", move |stop| {
        while !stop.asked() && Instant::now() < deadline {
            stop.sleep(deadline.saturating_duration_since(Instant::now()));
        }
        if !stop.asked() {
            killer.kill();
        }
    });
    let mut answer = Vec::new();
    let read = process
        .stdout
        .take()
        .map(|stdout| stdout.take(MAX_ANSWER).read_to_end(&mut answer));
    let late = Instant::now() >= deadline;
    drop(watch);
    if late {
        return Err(FfmpegError::TimedOut {
            limit,
            input: input.to_string(),
        });
    }
    process.finish()?;
    match read {
        Some(Ok(_)) => Ok(answer),
        _ => Err(FfmpegError::Failed {
            said: "its answer could not be read".to_owned(),
            input: input.to_string(),
        }),
    }
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    streams: Vec<FoundStream>,
    #[serde(default)]
    format: FoundFormat,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundFormat {
    duration: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundStream {
    codec_type: String,
    codec_name: String,
    width: u32,
    height: u32,
    avg_frame_rate: String,
    r_frame_rate: String,
    nb_frames: Option<String>,
    duration: Option<String>,
    sample_aspect_ratio: Option<String>,
    color_space: Option<String>,
    disposition: FoundDisposition,
    side_data_list: Vec<FoundSideData>,
    tags: FoundTags,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundDisposition {
    attached_pic: u8,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundSideData {
    rotation: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FoundTags {
    rotate: Option<String>,
}

impl Found {
    fn into_info(self, input: &Input) -> Result<VideoInfo, FfmpegError> {
        let sound = self
            .streams
            .iter()
            .find(|stream| stream.codec_type == "audio");
        // A cover picture in a sound file is no video.
        let video = self
            .streams
            .iter()
            .find(|stream| stream.codec_type == "video" && stream.disposition.attached_pic == 0);
        let Some(video) = video else {
            return Err(FfmpegError::NoVideo {
                holds: if sound.is_some() {
                    "sound"
                } else {
                    "other data"
                },
                input: input.to_string(),
            });
        };
        let unusable = |why: String| FfmpegError::Unusable {
            why,
            input: input.to_string(),
        };
        let size = video
            .shown_size()
            .ok_or_else(|| unusable(format!("its picture is {}x{}", video.width, video.height)))?;
        let rate = [&video.avg_frame_rate, &video.r_frame_rate]
            .into_iter()
            .filter_map(|text| Rational::parse(text, '/'))
            .find(|rate| (0.01..=1000.0).contains(&rate.as_f64()))
            .unwrap_or(Rational {
                numerator: 25,
                denominator: 1,
            });
        let duration = [&video.duration, &self.format.duration]
            .into_iter()
            .flatten()
            .filter_map(|text| text.parse::<f64>().ok())
            .find(|seconds| seconds.is_finite() && (0.0..1e9).contains(seconds))
            .map(Duration::from_secs_f64);
        let matrix = match video.color_space.as_deref() {
            Some("bt709") => Some("bt709".to_owned()),
            Some("smpte170m" | "bt470bg") => Some("bt601".to_owned()),
            Some("bt2020nc" | "bt2020c") => Some("bt2020".to_owned()),
            _ => None,
        };
        Ok(VideoInfo {
            size,
            rate,
            frames: video
                .nb_frames
                .as_deref()
                .and_then(|text| text.parse().ok())
                .filter(|frames| *frames > 0),
            duration,
            audio_codec: sound.map(|stream| stream.codec_name.clone()),
            codec: video.codec_name.clone(),
            matrix,
        })
    }
}

impl FoundStream {
    /// The picture's size once pixels are square and the picture is turned upright.
    fn shown_size(&self) -> Option<Size> {
        let sides = 1..=Size::MAX_SIDE;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return None;
        }
        let pixel = self
            .sample_aspect_ratio
            .as_deref()
            .and_then(|text| Rational::parse(text, ':'))
            .map_or(1.0, Rational::as_f64);
        let wide = (f64::from(self.width) * pixel).round();
        let size = if (1.0..=f64::from(Size::MAX_SIDE)).contains(&wide) {
            Size::new(wide as u32, self.height)
        } else {
            Size::new(self.width, self.height)
        };
        let turned = self
            .side_data_list
            .iter()
            .find_map(|data| data.rotation)
            .or_else(|| self.tags.rotate.as_deref()?.parse().ok())
            .unwrap_or(0.0);
        let quarter_turns = (turned / 90.0).round() as i64;
        Some(if quarter_turns % 2 == 0 {
            size
        } else {
            Size::new(size.height, size.width)
        })
    }
}

/// A running ffmpeg or ffprobe. Dropping it ends the child and waits for it.
pub struct Process {
    /// Its standard input, when the command pipes it.
    pub stdin: Option<ChildStdin>,
    /// Its standard output, when the command pipes it.
    pub stdout: Option<ChildStdout>,
    child: Arc<Mutex<Child>>,
    words: Arc<Mutex<Vec<u8>>>,
    listener: Option<Worker>,
    input: String,
}

/// Ends a [`Process`] from another thread, so that a read of its output returns.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    /// Ends the child at once. Harmless when it has ended already.
    pub fn kill(&self) {
        // The only error is that it has ended already.
        let _ = self.0.lock().kill();
    }
}

impl Process {
    /// Starts `command`; what it says on standard error is kept. `about` is the file or URL that
    /// errors name.
    ///
    /// # Errors
    /// [`FfmpegError::Start`].
    pub fn spawn(mut command: Command, about: impl ToString) -> Result<Self, FfmpegError> {
        let program = PathBuf::from(command.get_program());
        let started = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| FfmpegError::Start {
                path: program,
                error,
            });
        let mut child = started?;
        let words = Arc::new(Mutex::new(Vec::new()));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let heard = Arc::clone(&words);
        let listener = child
            .stderr
            .take()
            .and_then(|stderr| Worker::spawn("ffmpeg words", move |_| listen(stderr, &heard)).ok());
        Ok(Self {
            stdin,
            stdout,
            child: Arc::new(Mutex::new(child)),
            words,
            listener,
            input: about.to_string(),
        })
    }

    /// A handle that ends this child from another thread.
    pub fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.child))
    }

    /// What it complained about so far: its last line without ffmpeg's own prefixes.
    pub fn said(&self) -> Option<String> {
        last_words(&self.words.lock(), &self.input)
    }

    /// Closes its input, waits until it has ended and gives what it complained about.
    ///
    /// # Errors
    /// [`FfmpegError::Failed`] with its own words when it ended with an error.
    pub fn finish(mut self) -> Result<Option<String>, FfmpegError> {
        self.stdin = None;
        self.stdout = None;
        let status = self.wait();
        if let Some(listener) = self.listener.take() {
            listener.join();
        }
        match status {
            Ok(status) if status.success() => Ok(self.said()),
            Ok(status) => Err(FfmpegError::Failed {
                said: self
                    .said()
                    .unwrap_or_else(|| format!("it ended with {status}")),
                input: self.input.clone(),
            }),
            Err(error) => Err(FfmpegError::Failed {
                said: error.to_string(),
                input: self.input.clone(),
            }),
        }
    }

    /// Waits without holding the lock, so that a [`Killer`] still gets through.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child.lock().try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        self.stdout = None;
        let mut child = self.child.lock();
        // Both fail only when the child has been waited for already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Keeps the last bytes of `stderr` until its end.
fn listen(mut stderr: ChildStderr, words: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut chunk) {
        let mut words = words.lock();
        words.extend_from_slice(&chunk[..count]);
        let surplus = words.len().saturating_sub(KEPT_STDERR);
        words.drain(..surplus);
    }
}

/// The last line, without `[demuxer @ 0x…]` in front and without the input's own name.
fn last_words(words: &[u8], input: &str) -> Option<String> {
    let text = String::from_utf8_lossy(words);
    let mut line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    while let Some((_, rest)) = line
        .strip_prefix('[')
        .and_then(|inner| inner.split_once("] "))
    {
        line = rest;
    }
    let line = line
        .replace(&format!("file:{input}"), "")
        .replace(input, "");
    let line = line.trim_start_matches(": ").trim_end_matches(['.', ' ']);
    (!line.is_empty()).then(|| line.chars().take(300).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info_of(json: &str) -> Result<VideoInfo, FfmpegError> {
        let found: Found = serde_json::from_str(json).unwrap();
        found.into_info(&Input::File("clip.mp4".into()))
    }

    #[test]
    fn a_phone_video_is_turned_upright() {
        let info = info_of(
            r#"{"streams":[{"codec_type":"video","codec_name":"hevc","width":1920,"height":1080,
                "avg_frame_rate":"30000/1001","nb_frames":"90","duration":"3.003",
                "side_data_list":[{"rotation":-90}]},{"codec_type":"audio","codec_name":"aac"}]}"#,
        )
        .unwrap();
        assert_eq!(info.size, Size::new(1080, 1920));
        assert_eq!((info.rate.numerator, info.rate.denominator), (30000, 1001));
        assert_eq!(info.frames, Some(90));
        assert_eq!(info.audio_codec.as_deref(), Some("aac"));
        assert_eq!(info.codec, "hevc");
    }

    #[test]
    fn pixels_are_made_square() {
        let info = info_of(
            r#"{"streams":[{"codec_type":"video","width":720,"height":576,
                "avg_frame_rate":"25/1","sample_aspect_ratio":"64:45"}]}"#,
        )
        .unwrap();
        assert_eq!(info.size, Size::new(1024, 576));
    }

    #[test]
    fn sound_and_cover_pictures_are_no_video() {
        let sound = r#"{"streams":[{"codec_type":"audio"},
            {"codec_type":"video","width":10,"height":10,"disposition":{"attached_pic":1}}]}"#;
        assert!(matches!(
            info_of(sound),
            Err(FfmpegError::NoVideo { holds: "sound", .. })
        ));
        assert!(matches!(
            info_of(r#"{"streams":[{"codec_type":"video","width":0,"height":10}]}"#),
            Err(FfmpegError::Unusable { .. })
        ));
        assert!(matches!(info_of("{}"), Err(FfmpegError::NoVideo { .. })));
    }

    #[test]
    fn last_words_are_one_short_line() {
        let words = b"[mov,mp4 @ 0x55] moov atom not found\nfile:/a/b.mp4: Invalid data found.\n\n";
        assert_eq!(
            last_words(words, "/a/b.mp4").as_deref(),
            Some("Invalid data found")
        );
        assert_eq!(last_words(b" \n", "x"), None);
        assert_eq!(
            last_words(b"[a @ 0x1] [b @ 0x2] bad", "x").as_deref(),
            Some("bad")
        );
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(
            version_of("ffmpeg version 5.1.9-0+deb12u1 Copy"),
            Some((5, 1))
        );
        assert_eq!(version_of("ffmpeg version 4.4.2"), Some((4, 4)));
        assert_eq!(version_of("ffmpeg version 7 Copyright"), Some((7, 0)));
        assert_eq!(version_of("ffmpeg version N-112-gabc"), None);
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = Input::Url("rtsp://user:pass@cam.local/live?x=a@b".to_owned());
        assert_eq!(url.to_string(), "rtsp://cam.local/live?x=a@b");
        let plain = Input::Url("http://host/a@b.mp4".to_owned());
        assert_eq!(plain.to_string(), "http://host/a@b.mp4");
    }
}
