//! What a user names as the source of frames: `camera[:N]`, a path, a URL, `demo` or `pattern`.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::frame::Size;

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// The first camera; with none, the built-in demo.
    #[default]
    Auto,
    /// A camera.
    Camera(CameraChoice),
    /// A photo or a video on this machine.
    File(PathBuf),
    /// A video on a server: whatever ffmpeg opens.
    Url(String),
    /// The built-in demo: an astronaut before a camera.
    Demo,
    /// The test pattern: moving bars with a frame counter.
    Pattern,
}

/// Which camera.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CameraChoice {
    /// The first that is there.
    First,
    /// By its place in `panelcam devices`.
    Index(u32),
    /// By its device file.
    Path(PathBuf),
    /// By its name, or the beginning of it.
    Name(String),
}

/// How far pictures of a camera are turned to the right, for one that lies on its side or hangs upside
/// down.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
pub enum Turn {
    /// Not at all.
    #[default]
    #[serde(rename = "0")]
    #[value(name = "0")]
    None,
    /// A quarter: 90 degrees.
    #[serde(rename = "90")]
    #[value(name = "90")]
    Right,
    /// 180 degrees.
    #[serde(rename = "180")]
    #[value(name = "180")]
    Half,
    /// A quarter to the left: 270 degrees.
    #[serde(rename = "270")]
    #[value(name = "270")]
    Left,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Right, Self::Half, Self::Left];

    /// The size of a picture of `size` after it, and of one that has `size` after it before.
    pub const fn size(self, size: Size) -> Size {
        match self {
            Self::None | Self::Half => size,
            Self::Right | Self::Left => Size::new(size.height, size.width),
        }
    }
}

impl Source {
    /// Whether pictures come live from a lens: those may have to be turned.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Auto | Self::Camera(_) | Self::Url(_))
    }

    fn parse(text: &str) -> Self {
        match text {
            "" | "auto" => return Self::Auto,
            "camera" => return Self::Camera(CameraChoice::First),
            "demo" => return Self::Demo,
            "pattern" => return Self::Pattern,
            _ => {}
        }
        if let Some(which) = text.strip_prefix("camera:") {
            return Self::Camera(match which.parse() {
                Ok(index) => CameraChoice::Index(index),
                Err(_) if which.is_empty() => CameraChoice::First,
                Err(_) if which.starts_with('/') => CameraChoice::Path(which.into()),
                Err(_) => CameraChoice::Name(which.to_owned()),
            });
        }
        if text.starts_with("/dev/video") {
            return Self::Camera(CameraChoice::Path(text.into()));
        }
        match text.split_once("://") {
            Some(("file", path)) => Self::File(path.into()),
            Some((scheme, _)) if scheme.len() > 1 => Self::Url(text.to_owned()),
            _ => Self::File(text.into()),
        }
    }
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(text))
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Camera(CameraChoice::First) => f.write_str("camera"),
            Self::Camera(CameraChoice::Index(index)) => write!(f, "camera:{index}"),
            Self::Camera(CameraChoice::Path(path)) => write!(f, "camera:{}", path.display()),
            Self::Camera(CameraChoice::Name(name)) => write!(f, "camera:{name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
            Self::Demo => f.write_str("demo"),
            Self::Pattern => f.write_str("pattern"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        use CameraChoice as C;
        for (text, source) in [
            ("auto", Source::Auto),
            ("camera", Source::Camera(C::First)),
            ("camera:2", Source::Camera(C::Index(2))),
            (
                "camera:/dev/video4",
                Source::Camera(C::Path("/dev/video4".into())),
            ),
            (
                "camera:HD Webcam",
                Source::Camera(C::Name("HD Webcam".into())),
            ),
            ("demo", Source::Demo),
            ("pattern", Source::Pattern),
            ("clip.mp4", Source::File("clip.mp4".into())),
            ("C:\\clip.mp4", Source::File("C:\\clip.mp4".into())),
            ("rtsp://host/live", Source::Url("rtsp://host/live".into())),
        ] {
            assert_eq!(Source::parse(text), source, "{text}");
            assert_eq!(source.to_string(), text);
        }
        assert_eq!(
            Source::parse("/dev/video1"),
            Source::Camera(C::Path("/dev/video1".into()))
        );
    }
}
