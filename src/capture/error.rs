//! What can go wrong with a source.

use std::io;
use std::path::PathBuf;

use crate::ffmpeg::FfmpegError;
use crate::frame::Size;

/// Why a source gives no frames. The text says what failed and what to do, the path last.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is no camera at all.
    #[error("No camera was found. Plug one in, or use the demo.")]
    NoCamera,
    /// There are cameras, but not the one asked for.
    #[error("There is no camera \"{wanted}\". Choose one of these: {present}.")]
    WrongCamera {
        /// As the user named it.
        wanted: String,
        /// Names of those that are there.
        present: String,
    },
    /// Another program uses it.
    #[error("{name} is in use by another program. Close it or choose another camera. ({path})")]
    Busy {
        /// Name of the camera.
        name: String,
        /// Its device.
        path: String,
    },
    /// This user may not open it.
    #[error(
        "This user may not use {name}. Allow it in the system's privacy settings, or on Linux join the group with `sudo usermod -aG video $USER` and log in again. ({path})"
    )]
    Denied {
        /// Name of the camera.
        name: String,
        /// Its device.
        path: String,
    },
    /// It was unplugged.
    #[error("{name} is gone. Plug it in again; it comes back by itself. ({path})")]
    Unplugged {
        /// Name of the camera.
        name: String,
        /// Its device.
        path: String,
    },
    /// It gives no frames any more, and no error either.
    #[error(
        "{name} stopped sending pictures. It is opened again; if that goes on, replug it. ({path})"
    )]
    Stalled {
        /// Name of the camera.
        name: String,
        /// Its device.
        path: String,
    },
    /// Its driver reports something else.
    #[error("{name} does not work: {reason}. Replug it or choose another camera. ({path})")]
    Camera {
        /// Name of the camera.
        name: String,
        /// What the driver said.
        reason: String,
        /// Its device.
        path: String,
    },
    /// It has no format that panelcam reads.
    #[error(
        "{name} offers no format that panelcam reads (MJPEG, YUYV, NV12, RGB). Choose another camera. ({path})"
    )]
    NoFormat {
        /// Name of the camera.
        name: String,
        /// Its device.
        path: String,
    },
    /// The format setting cannot be understood.
    #[error("A camera format is written like `MJPEG 1280x720 30`. ({text})")]
    FormatText {
        /// As written.
        text: String,
    },
    /// A file cannot be opened or read.
    #[error("The file cannot be read: {error}. ({})", path.display())]
    Read {
        /// What the system said.
        error: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("The file is empty. Choose another one. ({})", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is named like a picture and is none.
    #[error("This is not a picture, whatever its name says. Choose a png, jpg, webp, gif or bmp. ({})", path.display())]
    NotAPicture {
        /// The file.
        path: PathBuf,
    },
    /// It is a picture, but a broken one.
    #[error("The picture is damaged: {reason}. ({})", path.display())]
    Damaged {
        /// What the decoder said.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// It is larger than anything sensible.
    #[error(
        "The picture is {size}, more than panelcam takes (16384 a side, 200 million pixels). Make it smaller first. ({})", path.display()
    )]
    TooLarge {
        /// Its size.
        size: Size,
        /// The file.
        path: PathBuf,
    },
    /// A video cannot be read.
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// A video has no frame that can be decoded.
    #[error("No picture in this video can be read{said}. Choose another one. ({input})")]
    NoFrames {
        /// `: ` and ffmpeg's words, or nothing.
        said: String,
        /// The file or URL.
        input: String,
    },
    /// panelcam's own data is broken.
    #[error("The built-in demo cannot be read: {reason}. Install panelcam again.")]
    Demo {
        /// What the decoder said.
        reason: String,
    },
    /// The system gave no thread.
    #[error("A thread cannot be started: {0}. Close other programs and try again.")]
    Thread(#[from] io::Error),
}
