//! What is done to drawings.

use serde::{Deserialize, Serialize};

/// What is done to drawings, whatever the model. Numbers go from 0, not at all, to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetouchSettings {
    /// How much of their own tone people's skin keeps.
    pub skin_tone: f32,
    /// How calm what stands still is from frame to frame.
    pub smoothing: f32,
    /// Ink lines over the drawing.
    pub lines: f32,
    /// How one style follows another.
    pub transition: Transition,
}

/// How one style follows another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// From one frame to the next.
    #[default]
    Cut,
    /// A soft edge wanders over the picture.
    Wipe,
}

impl Default for RetouchSettings {
    fn default() -> Self {
        Self {
            skin_tone: 0.0,
            smoothing: 0.6,
            lines: 0.0,
            transition: Transition::default(),
        }
    }
}
