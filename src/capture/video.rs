//! Videos, from a file or a server, decoded by ffmpeg in a process of its own.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{ChildStdout, Stdio};

use super::CaptureError;
use crate::ffmpeg::{self, FfmpegError, Input, Killer, Process, VideoInfo};
use crate::frame::{Picture, Size};
use crate::source::Source;

/// What [`VideoReader::read`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The next frame is in the picture.
    Frame,
    /// There are no more frames.
    End,
}

/// Reads every frame of a video once, in order.
pub struct VideoReader {
    input: Input,
    info: VideoInfo,
    size: Size,
    stdout: Option<ChildStdout>,
    /// `None` once the end is reached.
    process: Option<Process>,
    frames: u64,
}

impl VideoReader {
    /// Opens a path or URL. With `fit`, frames are scaled down to the smallest size that still
    /// covers it and keeps the video's aspect; they are never scaled up.
    ///
    /// # Errors
    /// When ffmpeg is missing, or the source cannot be read or holds no video.
    pub fn open(source: &str, fit: Option<Size>) -> Result<Self, CaptureError> {
        let input = match Source::from(source.to_owned()) {
            Source::Url(url) => Input::Url(url),
            Source::File(path) => Input::File(path),
            // A file may be called `demo` or `camera`.
            _ => Input::File(PathBuf::from(source)),
        };
        let info = probe(&input, |_| {})?;
        Self::start(input, info, fit)
    }

    /// Decodes from the start a video that is known already.
    pub(super) fn start(
        input: Input,
        info: VideoInfo,
        fit: Option<Size>,
    ) -> Result<Self, CaptureError> {
        let size = fit.map_or(info.size, |fit| covering(info.size, fit));
        // Untagged video is in BT.601 if small and BT.709 if large; ffmpeg takes all for BT.601.
        let matrix =
            info.matrix
                .as_deref()
                .unwrap_or(if info.size.height.min(info.size.width) >= 720 {
                    "bt709"
                } else {
                    "bt601"
                });
        // Always scaled to one size, even when it is the video's own: a stream that changes its
        // size midway would shift every row of the frames after it.
        let filter = format!(
            "scale={}:{}:flags=bilinear+accurate_rnd:in_color_matrix={matrix},format=rgba",
            size.width, size.height
        );
        let mut command = ffmpeg::command("ffmpeg")?;
        command
            .args(input.arguments())
            .args(["-map", "0:V:0", "-an", "-sn", "-dn", "-vf", &filter])
            .args(ffmpeg::every_frame_once())
            .args(["-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"])
            .stdout(Stdio::piped());
        let mut process = Process::spawn(command, &input)?;
        Ok(Self {
            input,
            info,
            size,
            stdout: process.stdout.take(),
            process: Some(process),
            frames: 0,
        })
    }

    /// What the video holds.
    pub fn info(&self) -> &VideoInfo {
        &self.info
    }

    /// Size of the frames that [`read`](Self::read) gives.
    pub fn size(&self) -> Size {
        self.size
    }

    /// A handle that ends a [`read`](Self::read) that waits on another thread.
    pub(super) fn killer(&self) -> Option<Killer> {
        self.process.as_ref().map(Process::killer)
    }

    /// Reads the next frame into `picture`. After the end it keeps answering [`Read::End`].
    ///
    /// # Errors
    /// When ffmpeg gave up, or nothing in the video could be decoded. The frames read before are
    /// good; a video that is cut off ends early without an error, as players show it.
    pub fn read(&mut self, picture: &mut Picture) -> Result<Read, CaptureError> {
        let Some(stdout) = &mut self.stdout else {
            return Ok(Read::End);
        };
        picture.reshape(self.size);
        match stdout.read_exact(picture.rgba_mut()) {
            Ok(()) => {
                self.frames += 1;
                Ok(Read::Frame)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.finish(),
            Err(error) => {
                self.stdout = None;
                self.process = None;
                Err(FfmpegError::Failed {
                    said: error.to_string(),
                    input: self.input.to_string(),
                }
                .into())
            }
        }
    }

    fn finish(&mut self) -> Result<Read, CaptureError> {
        self.stdout = None;
        let said = match self.process.take() {
            Some(process) => process.finish()?,
            None => None,
        };
        if self.frames == 0 {
            return Err(CaptureError::NoFrames {
                said: said.map_or_else(String::new, |said| format!(": {said}")),
                input: self.input.to_string(),
            });
        }
        if let Some(said) = said {
            tracing::warn!(
                "The video has errors after {} frames: {said}. ({})",
                self.frames,
                self.input
            );
        }
        Ok(Read::End)
    }
}

/// Asks what a video holds, with the plain errors of a file that is missing or empty.
pub(super) fn probe(
    input: &Input,
    started: impl FnOnce(Killer),
) -> Result<VideoInfo, CaptureError> {
    if let Input::File(path) = input {
        let about = std::fs::metadata(path).map_err(|error| CaptureError::Read {
            error,
            path: path.clone(),
        })?;
        if about.is_file() && about.len() == 0 {
            return Err(CaptureError::Empty { path: path.clone() });
        }
    }
    Ok(ffmpeg::probe_killable(input, started)?)
}

/// The smallest size with the aspect of `size` that covers `fit`, never larger than `size`.
pub(super) fn covering(size: Size, fit: Size) -> Size {
    let scale = (f64::from(fit.width) / f64::from(size.width))
        .max(f64::from(fit.height) / f64::from(size.height));
    if scale >= 1.0 {
        return size;
    }
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    Size::new(side(size.width), side(size.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_size_that_covers() {
        let full_hd = Size::new(1920, 1080);
        assert_eq!(covering(full_hd, Size::new(854, 480)), Size::new(854, 480));
        assert_eq!(covering(full_hd, Size::new(640, 640)), Size::new(1138, 640));
        assert_eq!(covering(full_hd, Size::new(4000, 10)), full_hd);
        assert_eq!(
            covering(Size::new(7, 9000), Size::new(1, 1)),
            Size::new(1, 1286)
        );
    }
}
