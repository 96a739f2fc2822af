//! Cameras, through nokhwa with a loop and decoding of our own.
//!
//! A `supervisor` thread keeps the camera running; a `reader` thread has it open.

mod decode;
mod device;
mod format;
mod interrupt;
mod reader;
mod splice;
mod supervisor;

pub use decode::{DecodeError, Decoder, FourCc};
pub use device::{Device, devices};
pub use format::Format;

pub(super) use device::find;
pub(super) use supervisor::{Plan, Wanted, supervise};
