//! Consumers of the program. Files appear whole or not at all; each running output has a thread
//! of its own, so that a slow one never slows another.

mod picture;
mod recorder;
mod video;

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

pub use picture::{PictureFormat, save_picture, save_pictures, save_print};
pub use recorder::{Count, Output, Running, run};
pub use video::{Sound, VideoFormat, VideoWriter};

use crate::ffmpeg::FfmpegError;

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Keep it and say so.
    Refuse,
    /// Replace it, once the new file is complete.
    Overwrite,
}

impl Existing {
    /// Refuses early, before any work is done for a file that may not be written.
    ///
    /// # Errors
    /// [`OutputError::Exists`] when `path` is there and may not be replaced.
    pub fn check(self, path: &Path) -> Result<(), OutputError> {
        if self == Self::Refuse && path.exists() {
            return Err(OutputError::Exists { path: path.into() });
        }
        Ok(())
    }
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// It is there already.
    #[error("The file exists already. Use --overwrite to replace it, or name another. ({})", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// No format has this extension.
    #[error("This extension is not known. Use png, jpg, webp, mp4, webm or gif. ({})", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// The picture cannot be encoded.
    #[error("The picture cannot be encoded: {why}. ({})", path.display())]
    Encode {
        /// What the encoder said.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("The file cannot be written: {source}. Check the folder, its rights and the free space. ({})", path.display())]
    Write {
        /// What the system said.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// ffmpeg is missing or cannot be started.
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
    /// ffmpeg gave up.
    #[error("ffmpeg could not write the clip: {why}. Nothing was left behind. ({})", path.display())]
    Encoder {
        /// What ffmpeg said.
        why: String,
        /// The file.
        path: PathBuf,
    },
}

/// The folder a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Gives a finished temporary file its name.
fn publish(file: TempPath, path: &Path, existing: Existing) -> Result<(), OutputError> {
    #[cfg(unix)]
    {
        // Temporary files are private; a picture should be as readable as any other file.
        use std::os::unix::fs::PermissionsExt as _;
        if let Err(error) = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644))
        {
            tracing::debug!("The rights of a new file could not be set: {error}.");
        }
    }
    let done = match existing {
        Existing::Refuse => file.persist_noclobber(path),
        Existing::Overwrite => file.persist(path),
    };
    done.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => OutputError::Exists { path: path.into() },
        _ => OutputError::Write {
            source: error.error,
            path: path.into(),
        },
    })
}
