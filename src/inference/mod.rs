//! Draws frames: from a frame in a mailbox to a drawing in a mailbox.
//!
//! A [`Model`] is an ONNX file with its description, which [`import`] writes for files that come
//! without one; a [`Library`] has the styles of all models;
//! a [`Generator`] is a model loaded for one size of picture. [`start`] runs one live, with a
//! thread a step:
//!
//! ```text
//! Frame ─▶ [prepare] ─▶ mailbox ─▶ [inference] ─▶ mailbox ─▶ [finish] ─▶ Styled
//!              ▲ a generator, when one is needed that is not loaded
//!           [load]
//! ```

mod arena;
mod auto;
mod ceiling;
mod closeup;
mod contract;
mod description;
mod elf;
mod engines;
mod error;
mod faces;
mod files;
mod fit;
mod generator;
pub mod import;
mod library;
mod limit;
mod loaded;
mod loader;
mod matte;
mod model;
mod own_styles;
mod pace;
mod precision;
pub mod provider;
mod retouch;
mod runtime;
mod said;
mod segmenter;
mod sizes;
mod slow;
mod stage;
mod style_map;
pub mod tensor;
mod tuning;
mod values;

pub use ceiling::side_for;
pub use closeup::{CloseStudio, Closer, Following, close_sides};
pub use error::InferenceError;
pub use faces::Faces;
pub use generator::{Generator, Slot};
pub use library::{Library, Style};
pub use model::{Model, ModelStyle, StyleName};
pub use retouch::Retouch;
pub use runtime::{Runtime, disable_telemetry};
pub use segmenter::CoarseMatte;
pub use sizes::{is_enlarged, size_within};
pub use stage::{Inference, start};
pub use style_map::StyleMap;
pub use tuning::{Tuning, bare_loop, cores};

/// For the fuzzer: readers of files from outside that are not public otherwise.
#[cfg(fuzzing)]
pub mod fuzzing {
    use std::path::Path;

    /// Reads the bytes of an ONNX file.
    pub fn network(bytes: &[u8]) {
        super::import::read_for_fuzzing(bytes);
    }

    /// Reads a `model.toml`.
    pub fn description(text: &str) {
        let _ = super::description::Description::parse(text, Path::new("model.toml"));
    }
}
