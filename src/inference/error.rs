//! What can go wrong between a model's file and a drawing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::said::cause;
use crate::frame::Size;

/// Why the generator cannot draw.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// No library of ONNX Runtime at any of its places.
    #[error(
        "ONNX Runtime was not found. Run `scripts/setup.sh runtime`, or set ORT_DYLIB_PATH to its library. (looked in {looked})"
    )]
    RuntimeMissing {
        /// The places, for people.
        looked: String,
    },
    /// A file that is not a library, not ONNX Runtime, or for another machine.
    #[error("This is not a library of ONNX Runtime: {why}. Run `scripts/setup.sh runtime`. ({})", .path.display())]
    RuntimeUnusable {
        /// What the system says.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// An ONNX Runtime from before this program.
    #[error(
        "ONNX Runtime {version} is too old, panelcam needs 1.{needed} or newer. Run `scripts/setup.sh runtime`. ({})", .path.display()
    )]
    RuntimeTooOld {
        /// Its version.
        version: String,
        /// The oldest minor version that works.
        needed: u32,
        /// The file.
        path: PathBuf,
    },
    /// The library is right and refuses to start.
    #[error("ONNX Runtime does not start: {why}. Run `scripts/setup.sh runtime`. ({})", .path.display())]
    RuntimeBroken {
        /// What it says.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The library that a provider brings along is right and refuses to start.
    #[error("The ONNX Runtime of {provider} does not start: {why}. Start panelcam again: it is not used then. ({})", .path.display())]
    BetterBroken {
        /// The provider's name.
        provider: &'static str,
        /// What it says.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// A file of a model that cannot be read.
    #[error("The model cannot be read: {why}. Check the file and its rights. ({})", .path.display())]
    Unreadable {
        /// What the system says.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// A `model.toml` that does not describe a generator.
    #[error("The description of the model is wrong: {why}. Correct it. ({})", .path.display())]
    Description {
        /// What is wrong.
        why: String,
        /// The description.
        path: PathBuf,
    },
    /// The ONNX file is not the one that `model.toml` describes.
    #[error(
        "The model's file was changed or damaged: its sha256 is {found}, not {expected}. Get the file again. ({})", .path.display()
    )]
    Hash {
        /// As `model.toml` has it.
        expected: String,
        /// Of the file.
        found: String,
        /// The file.
        path: PathBuf,
    },
    /// ONNX Runtime refuses the ONNX file.
    #[error("The model does not load: {why}. Get the file again. ({})", .path.display())]
    Broken {
        /// What ONNX Runtime says.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// The network's inputs or outputs are not what `model.toml` says, or not what a generator has.
    #[error("The model does not do what its description says: {why}. Correct model.toml. ({})", .path.display())]
    Contract {
        /// The difference.
        why: String,
        /// The ONNX file.
        path: PathBuf,
    },
    /// The network computes values that are not numbers.
    #[error("The model draws values that are not numbers. Choose another style. ({})", .path.display())]
    NotANumber {
        /// The ONNX file.
        path: PathBuf,
    },
    /// A size that the model cannot draw.
    #[error(
        "The model cannot draw pictures of {size}: each side must be a multiple of {multiple} up to {}. ({})", Size::MAX_SIDE, .path.display()
    )]
    Size {
        /// What was asked for.
        size: Size,
        /// What each side must be a multiple of.
        multiple: u32,
        /// The ONNX file.
        path: PathBuf,
    },
    /// Weights that must not reach the network.
    #[error("The style map is wrong: {why}.")]
    StyleMap {
        /// What is wrong.
        why: String,
    },
    /// A run that failed.
    #[error("The model failed while drawing: {why}. Choose a smaller quality or another style. ({})", .path.display())]
    Run {
        /// What ONNX Runtime says.
        why: String,
        /// The ONNX file.
        path: PathBuf,
    },
    /// A run that was ended.
    #[error("The model drew one picture for {seconds} s without an end. Choose a smaller quality or another style. ({})", .path.display())]
    TooLong {
        /// How long.
        seconds: u64,
        /// The ONNX file.
        path: PathBuf,
    },
    /// A run that was ended and goes on all the same.
    #[error("{provider} has been drawing one picture for {seconds} s and cannot be ended: it was left behind, and holds its memory until panelcam is started again. ({})", .path.display())]
    Hangs {
        /// What runs it.
        provider: &'static str,
        /// How long.
        seconds: u64,
        /// The ONNX file.
        path: PathBuf,
    },
    /// There is no style at all.
    #[error("There is no style to draw with. Install panelcam again.")]
    NoStyle,
    /// The system gives no thread.
    #[error("The generator's threads cannot be started: {0}. Close other programs.")]
    Thread(#[from] std::io::Error),
}

/// Why, as ONNX Runtime has it, without the full stop that our own sentence adds.
pub(super) fn why(error: &ort::Error) -> String {
    cause(error.message())
}

/// An input or output that cannot be used, with `path` of the model.
pub(super) fn contract(path: &Path, why: impl Into<String>) -> InferenceError {
    InferenceError::Contract {
        why: why.into(),
        path: path.to_owned(),
    }
}

/// A run of the model at `path` that was ended after `time`.
pub(super) fn too_long(path: &Path, time: Duration) -> InferenceError {
    InferenceError::TooLong {
        seconds: time.as_secs(),
        path: path.to_owned(),
    }
}
