//! Clips, written through an ffmpeg process.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempPath;

use super::{Existing, OutputError};
use crate::ffmpeg;
use crate::frame::{Picture, Size};
use crate::worker::Worker;

/// A kind of clip file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoFormat {
    /// H.264 and AAC; no alpha.
    Mp4,
    /// VP9 and Opus; alpha when the program is transparent somewhere.
    Webm,
    /// A palette a picture; no sound.
    Gif,
}

impl VideoFormat {
    /// By the extension of `path`; `None` when it is no clip's.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mp4" | "mov" | "m4v" => Some(Self::Mp4),
            "webm" => Some(Self::Webm),
            "gif" => Some(Self::Gif),
            _ => None,
        }
    }

    /// Whether ffmpeg may take this codec's sound over as it is.
    fn keeps_sound(self, codec: &str) -> bool {
        match self {
            Self::Mp4 => matches!(codec, "aac" | "mp3" | "ac3" | "eac3" | "alac"),
            Self::Webm => matches!(codec, "opus" | "vorbis"),
            Self::Gif => false,
        }
    }
}

/// The sound of a clip: that of another file.
#[derive(Clone, Debug)]
pub struct Sound {
    /// The file whose sound is taken.
    pub path: PathBuf,
    /// Its codec, as ffprobe names it.
    pub codec: String,
}

/// Writes pictures as a clip. Dropping it before [`finish`](Self::finish) leaves nothing behind.
pub struct VideoWriter {
    child: Child,
    stdin: Option<ChildStdin>,
    complaints: Option<Worker>,
    complaint_text: std::sync::Arc<parking_lot::Mutex<String>>,
    file: Option<TempPath>,
    path: PathBuf,
    existing: Existing,
    size: Size,
}

impl VideoWriter {
    /// Starts a clip of `size` at `rate` pictures a second, a fraction as ffmpeg writes it
    /// (`30000/1001`). `transparent` keeps alpha where the format can.
    ///
    /// # Errors
    /// When the extension is not known, the file exists and may not be replaced, its folder
    /// cannot be written, or ffmpeg is missing.
    pub fn create(
        path: &Path,
        size: Size,
        rate: &str,
        sound: Option<&Sound>,
        transparent: bool,
        existing: Existing,
    ) -> Result<Self, OutputError> {
        let format = VideoFormat::of(path).ok_or_else(|| OutputError::Extension { path: path.into() })?;
        existing.check(path)?;
        let program = ffmpeg::find("ffmpeg")?;
        let suffix = format!(".{}", path.extension().and_then(|e| e.to_str()).unwrap_or("mp4"));
        let write = |source| OutputError::Write { source, path: path.into() };
        let file = tempfile::Builder::new()
            .prefix(".panelcam-")
            .suffix(&suffix)
            .tempfile_in(super::folder_of(path))
            .map_err(write)?
            .into_temp_path();

        let mut command = Command::new(program);
        command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]);
        command.args(["-f", "rawvideo", "-pix_fmt", "rgba", "-s", &size.to_string(), "-r", rate, "-i", "pipe:0"]);
        if let (Some(sound), true) = (sound, format != VideoFormat::Gif) {
            command.args(["-protocol_whitelist", "file", "-i"]).arg(file_url(&sound.path));
            command.args(["-map", "0:v", "-map", "1:a?"]);
            command.args(["-c:a", if format.keeps_sound(&sound.codec) {
                "copy"
            } else if format == VideoFormat::Webm {
                "libopus"
            } else {
                "aac"
            }]);
        }
        command.args(encoder_options(format, transparent)).arg(&file);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(write)?;
        let stdin = child.stdin.take();
        let (complaint_text, pipe) = (std::sync::Arc::new(parking_lot::Mutex::new(String::new())), child.stderr.take());
        let text = std::sync::Arc::clone(&complaint_text);
        // Read while it runs: a full pipe would stop ffmpeg.
        let complaints = Worker::spawn("encoder-log", move |_| {
            let Some(mut pipe) = pipe else { return };
            let mut chunk = [0; 1024];
            while let Ok(read @ 1..) = pipe.read(&mut chunk) {
                let mut text = text.lock();
                if text.len() < 4096 {
                    text.push_str(&String::from_utf8_lossy(&chunk[..read]));
                }
            }
        })
        .map_err(write)?;
        Ok(Self {
            child,
            stdin,
            complaints: Some(complaints),
            complaint_text,
            file: Some(file),
            path: path.into(),
            existing,
            size,
        })
    }

    /// Appends one picture (premultiplied alpha), which must have the clip's size.
    ///
    /// # Errors
    /// When ffmpeg has given up; the message says why.
    pub fn write(&mut self, program: &Picture) -> Result<(), OutputError> {
        if program.size() != self.size {
            return Err(OutputError::Encoder {
                why: format!("a picture of {} came into a clip of {}", program.size(), self.size),
                path: self.path.clone(),
            });
        }
        let written = self.stdin.as_mut().map(|stdin| stdin.write_all(program.rgba()));
        match written {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.failure(&error)),
            None => Err(self.failure(&io::Error::other("it was closed"))),
        }
    }

    /// Ends the clip and gives it its name.
    ///
    /// # Errors
    /// When ffmpeg fails, the disk is full, or the file came into being meanwhile.
    pub fn finish(mut self) -> Result<(), OutputError> {
        drop(self.stdin.take());
        let status = self
            .child
            .wait()
            .map_err(|source| OutputError::Write { source, path: self.path.clone() })?;
        if !status.success() {
            return Err(self.failure(&io::Error::other(format!("it ended with {status}"))));
        }
        match self.file.take() {
            Some(file) => super::publish(file, &self.path, self.existing),
            None => Ok(()),
        }
    }

    /// What ffmpeg said, or `error` when it said nothing.
    fn failure(&mut self, error: &io::Error) -> OutputError {
        drop(self.stdin.take());
        // A stopped encoder says why only once it has ended.
        let _ = self.child.wait();
        drop(self.complaints.take());
        let text = self.complaint_text.lock();
        let said = text.lines().rfind(|line| !line.trim().is_empty()).map(str::trim);
        OutputError::Encoder {
            why: said.map_or_else(|| error.to_string(), |line| line.trim_end_matches('.').to_owned()),
            path: self.path.clone(),
        }
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if self.file.is_some() {
            // Not finished: the half file goes with its temporary name.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A path that ffmpeg takes for a file whatever characters are in it.
fn file_url(path: &Path) -> std::ffi::OsString {
    let mut url = std::ffi::OsString::from("file:");
    url.push(path);
    url
}

/// Quick settings that keep ink lines clean: the encoder shares the processor with the generator.
fn encoder_options(format: VideoFormat, transparent: bool) -> &'static [&'static str] {
    // 4:2:0 needs even sides.
    const EVEN: &str = "crop=trunc(iw/2)*2:trunc(ih/2)*2";
    match (format, transparent) {
        (VideoFormat::Mp4, _) => &[
            "-vf", EVEN, "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p",
            "-movflags", "+faststart", "-f", "mp4",
        ],
        (VideoFormat::Webm, false) => &[
            "-vf", EVEN, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1",
            "-crf", "24", "-b:v", "0", "-pix_fmt", "yuv420p", "-f", "webm",
        ],
        (VideoFormat::Webm, true) => &[
            "-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2,unpremultiply=inplace=1", "-c:v", "libvpx-vp9",
            "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1", "-crf", "24", "-b:v", "0",
            "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-f", "webm",
        ],
        (VideoFormat::Gif, _) => &[
            "-vf",
            "split[a][b];[a]palettegen=stats_mode=single:reserve_transparent=0[p];[b][p]paletteuse=new=1:dither=bayer:bayer_scale=4",
            "-f", "gif",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(33, 17);

    fn picture(level: u8) -> Picture {
        Picture::from_rgba(SIZE, [level, 40, 200, 255].repeat(SIZE.area())).unwrap()
    }

    #[test]
    fn clips_are_whole_and_unfinished_ones_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a clip's name.mp4");
        let mut writer = VideoWriter::create(&path, SIZE, "30000/1001", None, false, Existing::Refuse).unwrap();
        for level in 0..10 {
            writer.write(&picture(level * 20)).unwrap();
        }
        assert!(!path.exists(), "the file has its name before it is whole");
        writer.finish().unwrap();
        assert!(path.metadata().unwrap().len() > 500);

        let other = folder.path().join("b.webm");
        let mut writer = VideoWriter::create(&other, SIZE, "30", None, true, Existing::Refuse).unwrap();
        writer.write(&picture(0)).unwrap();
        drop(writer);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer =
            VideoWriter::create(&folder.path().join("a.gif"), SIZE, "5", None, false, Existing::Refuse).unwrap();
        let error = writer.write(&Picture::new(Size::new(8, 8))).unwrap_err();
        assert!(error.to_string().contains("8x8"), "{error}");
    }

    #[test]
    fn what_ffmpeg_says_is_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let sound = Sound { path: folder.path().join("missing.wav"), codec: "pcm_s16le".to_owned() };
        let path = folder.path().join("a.mp4");
        let mut writer = VideoWriter::create(&path, SIZE, "30", Some(&sound), false, Existing::Refuse).unwrap();
        let mut result = Ok(());
        for _ in 0..200 {
            result = writer.write(&picture(0));
            if result.is_err() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let error = result.unwrap_err().to_string();
        assert!(error.contains("missing.wav") && error.ends_with("a.mp4)"), "{error}");
    }
}
