//! Cameras.

mod decode;

pub use decode::{DecodeError, Decoder, FourCc};
