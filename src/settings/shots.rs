//! How shots are taken and strips are saved.

use serde::{Deserialize, Serialize};

/// How shots are taken and strips are saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShotSettings {
    /// Seconds that are counted down before a shot, 0 to 10.
    pub countdown: u32,
    /// Whether the next shot is counted down as soon as one is taken.
    pub goes_on: bool,
    /// The kind of picture a strip becomes.
    pub file: StripFile,
    /// Whether a strip is also saved for paper, at 300 dots an inch.
    pub print: bool,
    /// Whether a strip is also saved as a clip in which every panel plays its second.
    pub clip: StripClip,
    /// Whether a strip is also saved as a vertical scroll, in slices.
    pub scroll: bool,
}

impl Default for ShotSettings {
    fn default() -> Self {
        Self {
            countdown: 3,
            goes_on: true,
            file: StripFile::Png,
            print: false,
            clip: StripClip::None,
            scroll: false,
        }
    }
}

/// A kind of picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StripFile {
    /// Lossless.
    #[default]
    Png,
    /// What every print shop takes.
    Jpg,
    /// Small.
    Webp,
}

impl StripFile {
    /// The files' extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpg => "jpg",
            Self::Webp => "webp",
        }
    }
}

/// A kind of clip, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StripClip {
    /// No clip.
    #[default]
    None,
    /// An animated GIF.
    Gif,
    /// An MP4.
    Mp4,
}

impl StripClip {
    /// The file's extension.
    pub fn extension(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gif => Some("gif"),
            Self::Mp4 => Some("mp4"),
        }
    }
}
