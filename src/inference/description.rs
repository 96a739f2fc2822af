//! The file `model.toml`, as it is written.

use std::path::{Component, Path};

use serde::Deserialize;

use super::error::InferenceError;
use super::model::{Port, StyleName};
use super::tensor::{Channels, Coding, Layout};

/// The most styles a model may have.
const STYLES_LIMIT: usize = 256;

/// The file `model.toml`. Keys that are not here are for people and other programs.
#[derive(Deserialize)]
pub(super) struct Description {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) file: String,
    pub(super) sha256: String,
    #[serde(default)]
    pub(super) licence: String,
    #[serde(default = "one")]
    pub(super) size_multiple: u32,
    pub(super) image: PortDescription,
    pub(super) style: Option<StyleDescription>,
    pub(super) picture: PortDescription,
    pub(super) matte: Option<MatteDescription>,
    #[serde(default)]
    pub(super) styles: Vec<ModelStyleDescription>,
}

#[derive(Deserialize)]
pub(super) struct PortDescription {
    pub(super) name: String,
    /// Absent: that of the image.
    pub(super) layout: Option<LayoutName>,
    pub(super) range: Option<[f32; 2]>,
    pub(super) channels: Option<ChannelsName>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LayoutName {
    Nchw,
    Nhwc,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChannelsName {
    Rgb,
    Bgr,
}

#[derive(Deserialize)]
pub(super) struct StyleDescription {
    pub(super) name: String,
    pub(super) cell: u32,
    /// Absent: one more than the highest channel of a style.
    pub(super) channels: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct MatteDescription {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct ModelStyleDescription {
    pub(super) id: String,
    #[serde(default)]
    pub(super) channel: usize,
    #[serde(default)]
    pub(super) name: StyleName,
}

fn one() -> u32 {
    1
}

impl Description {
    /// Reads a description and checks it; `path` is for messages.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, InferenceError> {
        let wrong = |why: String| InferenceError::Description {
            why,
            path: path.to_owned(),
        };
        let description: Self = toml::from_str(text).map_err(|error: toml::de::Error| {
            wrong(error.message().trim().trim_end_matches('.').to_owned())
        })?;
        match description.fault() {
            Some(why) => Err(wrong(why)),
            None => Ok(description),
        }
    }

    /// The first thing that is wrong with it.
    fn fault(&self) -> Option<String> {
        if self.kind != "generator" {
            return Some(format!("its kind is \"{}\", not \"generator\"", self.kind));
        }
        if !is_id(&self.id) {
            return Some(format!(
                "its id \"{}\" is not of lower-case letters, digits, - and _",
                self.id
            ));
        }
        let mut parts = Path::new(&self.file).components();
        if !matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        ) {
            return Some(format!("file \"{}\" is not a file's name alone", self.file));
        }
        if self.sha256.len() != 64 || !self.sha256.chars().all(|c| c.is_ascii_hexdigit()) {
            return Some("sha256 is not 64 hexadecimal digits".to_owned());
        }
        if !(1..=1024).contains(&self.size_multiple) {
            return Some("size_multiple is not from 1 to 1024".to_owned());
        }
        for (section, port) in [("image", &self.image), ("picture", &self.picture)] {
            if let Some([black, white]) = port.range
                && !(black.is_finite() && white.is_finite() && (white - black).abs() > 1e-3)
            {
                return Some(format!(
                    "range under [{section}] is not two different numbers"
                ));
            }
        }
        if let Some(style) = &self.style {
            if style.cell == 0 || !self.size_multiple.is_multiple_of(style.cell) {
                return Some("cell under [style] does not divide size_multiple".to_owned());
            }
            if style
                .channels
                .is_some_and(|channels| !(1..=STYLES_LIMIT).contains(&channels))
            {
                return Some(format!(
                    "channels under [style] is not from 1 to {STYLES_LIMIT}"
                ));
            }
        }
        if self.styles.is_empty() || self.styles.len() > STYLES_LIMIT {
            return Some(format!(
                "it has {} styles, not 1 to {STYLES_LIMIT}",
                self.styles.len()
            ));
        }
        let limit = match &self.style {
            Some(style) => style.channels.unwrap_or(STYLES_LIMIT),
            None => 1,
        };
        for (at, style) in self.styles.iter().enumerate() {
            if !is_id(&style.id) {
                return Some(format!(
                    "style id \"{}\" is not of lower-case letters, digits, - and _",
                    style.id
                ));
            }
            if self.styles[..at].iter().any(|other| other.id == style.id) {
                return Some(format!("two styles are called \"{}\"", style.id));
            }
            if style.channel >= limit {
                return Some(format!(
                    "style \"{}\" has channel {} of {limit}",
                    style.id, style.channel
                ));
            }
        }
        None
    }
}

impl PortDescription {
    /// What is absent is as in `base`.
    pub(super) fn port(self, base: Coding) -> Port {
        let coding = Coding {
            layout: match self.layout {
                Some(LayoutName::Nchw) => Layout::Planes,
                Some(LayoutName::Nhwc) => Layout::Pixels,
                None => base.layout,
            },
            channels: match self.channels {
                Some(ChannelsName::Rgb) => Channels::Rgb,
                Some(ChannelsName::Bgr) => Channels::Bgr,
                None => base.channels,
            },
            range: self.range.unwrap_or(base.range),
        };
        Port {
            name: self.name,
            coding,
        }
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_'))
}
