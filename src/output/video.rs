//! Clips, written through an ffmpeg process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempPath;

use super::{Existing, OutputError};
use crate::ffmpeg::{self, FfmpegError, Process};
use crate::frame::{Picture, Size};

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
    /// `None` once it has ended. Declared before `file`: the child ends, then its file goes.
    process: Option<Process>,
    file: TempPath,
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
        let format =
            VideoFormat::of(path).ok_or_else(|| OutputError::Extension { path: path.into() })?;
        existing.check(path)?;
        let mut command = ffmpeg::command("ffmpeg")?;
        let file = tempfile::Builder::new()
            .prefix(".panelcam-")
            .tempfile_in(super::folder_of(path))
            .map_err(|source| OutputError::Write {
                source,
                path: path.into(),
            })?
            .into_temp_path();

        command.args([
            "-y",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgba",
            "-s",
            &size.to_string(),
            "-r",
            rate,
            "-i",
            "pipe:0",
        ]);
        if let (Some(sound), true) = (sound, format != VideoFormat::Gif) {
            command.args(ffmpeg::Input::File(sound.path.clone()).arguments());
            command.args([
                "-map",
                "0:v",
                "-map",
                "1:a?",
                "-c:a",
                format.sound_encoder(&sound.codec),
            ]);
        }
        command.arg("-vf").arg(filters(format, transparent));
        command
            .args(encoder_options(format, transparent))
            .arg(&file);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let process = Process::spawn(command, path.display())?;
        Ok(Self {
            process: Some(process),
            file,
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
            let why = format!(
                "a picture of {} came into a clip of {}",
                program.size(),
                self.size
            );
            return Err(OutputError::Encoder {
                why,
                path: self.path.clone(),
            });
        }
        let pipe = self
            .process
            .as_mut()
            .and_then(|process| process.stdin.as_mut());
        match pipe.map(|pipe| pipe.write_all(program.rgba())) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.give_up(&error.to_string())),
            None => Err(self.give_up("it has ended")),
        }
    }

    /// Ends the clip and gives it its name.
    ///
    /// # Errors
    /// When ffmpeg fails, the disk is full, or the file came into being meanwhile.
    pub fn finish(mut self) -> Result<(), OutputError> {
        if let Some(process) = self.process.take() {
            process
                .finish()
                .map_err(|error| self.encoder_error(error))?;
        }
        super::publish(self.file, &self.path, self.existing)
    }

    /// A broken pipe says nothing: what ffmpeg said when it ended does.
    fn give_up(&mut self, pipe: &str) -> OutputError {
        match self.process.take().map(Process::finish) {
            Some(Err(error)) => self.encoder_error(error),
            _ => OutputError::Encoder {
                why: pipe.to_owned(),
                path: self.path.clone(),
            },
        }
    }

    fn encoder_error(&self, error: FfmpegError) -> OutputError {
        match error {
            FfmpegError::Failed { said, .. } => OutputError::Encoder {
                why: said.trim_end_matches('.').to_owned(),
                path: self.path.clone(),
            },
            error => error.into(),
        }
    }
}

impl VideoFormat {
    /// Copies the sound where the file may hold it as it is.
    fn sound_encoder(self, codec: &str) -> &'static str {
        match (self, codec) {
            (Self::Mp4, "aac" | "mp3" | "ac3" | "eac3" | "alac")
            | (Self::Webm, "opus" | "vorbis") => "copy",
            (Self::Webm, _) => "libopus",
            (Self::Mp4 | Self::Gif, _) => "aac",
        }
    }
}

/// From premultiplied RGBA to what the encoder takes.
fn filters(format: VideoFormat, transparent: bool) -> &'static str {
    match (format, transparent) {
        // 4:2:0 needs even sides, and players take an untagged clip's colours by its size.
        (VideoFormat::Mp4, _) | (VideoFormat::Webm, false) => {
            "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
        }
        (VideoFormat::Webm, true) => {
            "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,unpremultiply=inplace=1,scale=out_color_matrix=bt709:out_range=tv,format=yuva420p"
        }
        (VideoFormat::Gif, _) => {
            "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=bayer:bayer_scale=4"
        }
    }
}

/// Quick settings that keep ink lines clean: the encoder shares the processor with the generator.
fn encoder_options(format: VideoFormat, transparent: bool) -> Vec<&'static str> {
    const BT709: [&str; 6] = [
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
    ];
    let mut options = match format {
        VideoFormat::Mp4 => vec![
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "18",
            "-movflags",
            "+faststart",
        ],
        VideoFormat::Webm => vec![
            "-c:v",
            "libvpx-vp9",
            "-deadline",
            "realtime",
            "-cpu-used",
            "6",
            "-row-mt",
            "1",
            "-crf",
            "24",
            "-b:v",
            "0",
        ],
        VideoFormat::Gif => return vec!["-f", "gif"],
    };
    options.extend(BT709);
    match format {
        // Alternate reference frames and alpha exclude each other.
        VideoFormat::Webm if transparent => options.extend(["-auto-alt-ref", "0", "-f", "webm"]),
        VideoFormat::Webm => options.extend(["-f", "webm"]),
        _ => options.extend(["-f", "mp4"]),
    }
    options
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
        let mut writer =
            VideoWriter::create(&path, SIZE, "30000/1001", None, false, Existing::Refuse).unwrap();
        for level in 0..10 {
            writer.write(&picture(level * 20)).unwrap();
        }
        assert!(!path.exists(), "the file has its name before it is whole");
        writer.finish().unwrap();
        assert!(path.metadata().unwrap().len() > 500);

        let other = folder.path().join("b.webm");
        let mut writer =
            VideoWriter::create(&other, SIZE, "30", None, true, Existing::Refuse).unwrap();
        writer.write(&picture(0)).unwrap();
        drop(writer);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = VideoWriter::create(
            &folder.path().join("a.gif"),
            SIZE,
            "5",
            None,
            false,
            Existing::Refuse,
        )
        .unwrap();
        let error = writer.write(&Picture::new(Size::new(8, 8))).unwrap_err();
        assert!(error.to_string().contains("8x8"), "{error}");
    }

    #[test]
    fn what_ffmpeg_says_is_passed_on() {
        let folder = tempfile::tempdir().unwrap();
        let sound = Sound {
            path: folder.path().join("missing.wav"),
            codec: "pcm_s16le".to_owned(),
        };
        let path = folder.path().join("a.mp4");
        let mut writer =
            VideoWriter::create(&path, SIZE, "30", Some(&sound), false, Existing::Refuse).unwrap();
        let mut result = Ok(());
        for _ in 0..200 {
            result = writer.write(&picture(0));
            if result.is_err() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let error = result.unwrap_err().to_string();
        assert!(
            error.contains("missing.wav") && error.ends_with("a.mp4)"),
            "{error}"
        );
    }
}
