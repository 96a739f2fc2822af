//! Sources of frames.

mod camera;
mod demo;
mod error;
mod pattern;
mod photo;
mod video;

pub use camera::{DecodeError, Decoder, FourCc};
pub use demo::Demo;
pub use error::CaptureError;
pub use pattern::{Pattern, sequence_in};
pub use photo::{FileKind, kind_of, read_photo};
pub use video::{Read, VideoReader};
