//! The file `model.toml`, as it is written.

use std::path::{Component, Path};

use serde::Deserialize;

use super::error::InferenceError;
use super::model::{Port, StyleName};
use super::tensor::{Channels, Coding, Layout};
use crate::frame::{Halftone, Size};

/// The most styles a model may have.
const STYLES_LIMIT: usize = 256;

/// The most files of weights beside an ONNX file.
const EXTERNAL_LIMIT: usize = 64;
/// The most inputs with a constant value, and values in one.
const INPUTS_LIMIT: usize = 16;
/// The most values of an input that chooses a style.
const VALUES_LIMIT: usize = 65_536;
/// The most times a network's picture may be larger than what it sees.
const SCALE_LIMIT: u32 = 8;

/// The file `model.toml`. Keys that are not here are for people and other programs.
#[derive(Deserialize)]
pub(super) struct Description {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) file: String,
    pub(super) sha256: String,
    /// The same network in 8 bits.
    pub(super) eight_bit: Option<NetworkDescription>,
    #[serde(default)]
    pub(super) licence: String,
    #[serde(default = "one")]
    pub(super) size_multiple: u32,
    /// Width and height of a network that knows one size alone.
    pub(super) size: Option<[u32; 2]>,
    #[serde(default)]
    pub(super) fit: FitName,
    /// Pixels that neighbouring tiles share.
    #[serde(default)]
    pub(super) overlap: u32,
    /// How many times the picture is larger than the image.
    #[serde(default = "one")]
    pub(super) scale: u32,
    #[serde(default)]
    pub(super) external: Vec<ExternalDescription>,
    pub(super) image: PortDescription,
    pub(super) style: Option<StyleDescription>,
    pub(super) people: Option<PeopleDescription>,
    #[serde(default)]
    pub(super) inputs: Vec<InputDescription>,
    pub(super) picture: PortDescription,
    pub(super) matte: Option<MatteDescription>,
    /// Whether faces that are small in a picture are drawn again, larger: for networks that draw a
    /// face alike at any size.
    #[serde(default)]
    pub(super) close_ups: bool,
    /// Whether its edges are those of a pen, and become crisp where a drawing is enlarged.
    #[serde(default)]
    pub(super) crisp: bool,
    /// How high a face may be in a picture, from the hair to the chin, for the network to draw it: what
    /// is larger than all it has learned from is hardly redrawn.
    pub(super) largest_face: Option<u32>,
    #[serde(default)]
    pub(super) styles: Vec<ModelStyleDescription>,
}

/// How a network of one size draws pictures of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FitName {
    /// The whole picture at once, as large as it fits.
    #[default]
    Letterbox,
    /// Piece by piece, the seams blended.
    Tiles,
}

/// Another ONNX file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NetworkDescription {
    pub(super) file: String,
    pub(super) sha256: String,
}

/// A file of weights beside the ONNX file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExternalDescription {
    pub(super) file: String,
    pub(super) sha256: String,
}

#[derive(Deserialize)]
pub(super) struct PortDescription {
    pub(super) name: String,
    /// Absent: that of the image.
    pub(super) layout: Option<LayoutName>,
    pub(super) range: Option<RangeDescription>,
    pub(super) channels: Option<ChannelsName>,
    /// What the network calls its width and height where any will do: with those known, it is planned
    /// better.
    pub(super) sides: Option<[String; 2]>,
}

/// The values of black and white: for all channels, or for red, green and blue.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "toml::Value")]
pub(super) enum RangeDescription {
    All([f32; 2]),
    Each([[f32; 2]; 3]),
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
    Grey,
}

#[derive(Deserialize)]
pub(super) struct StyleDescription {
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: StyleKindName,
    /// Of a map alone.
    pub(super) cell: Option<u32>,
    /// Absent: one more than the highest channel of a style.
    pub(super) channels: Option<usize>,
    /// Of a map: as of the image.
    pub(super) sides: Option<[String; 2]>,
}

/// An input that says where people are.
#[derive(Deserialize)]
pub(super) struct PeopleDescription {
    pub(super) name: String,
    pub(super) cell: u32,
}

/// What the input that chooses styles takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StyleKindName {
    /// Weights for every style in every cell of the picture.
    #[default]
    Map,
    /// A weight for every style.
    Weights,
    /// The number of a style.
    Index,
    /// Numbers that each style has under `values`.
    Values,
    /// A picture that each style has under `picture`.
    Picture,
}

/// An input that is the same for every picture, or how strong the drawing is.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct InputDescription {
    pub(super) name: String,
    /// One number for all of it, or all of them.
    pub(super) value: Option<Numbers>,
    /// Instead of those, one number for all of it: at strength 0, where the network leaves the picture
    /// as it is, and at strength 1.
    pub(super) strength: Option<[f32; 2]>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Numbers {
    One(f32),
    All(Vec<f32>),
}

#[derive(Deserialize)]
pub(super) struct MatteDescription {
    pub(super) name: String,
    /// Whether it knows the people's edges better than where people are: the segmenter says that.
    #[serde(default)]
    pub(super) only_edges: bool,
}

#[derive(Deserialize)]
pub(super) struct ModelStyleDescription {
    pub(super) id: String,
    #[serde(default)]
    pub(super) channel: usize,
    #[serde(default)]
    pub(super) name: StyleName,
    /// What `kind = "values"` feeds.
    pub(super) values: Option<Vec<f32>>,
    /// What `kind = "picture"` feeds: a PNG below the model's folder.
    pub(super) picture: Option<String>,
    /// How its middle tones are printed.
    pub(super) halftone: Option<HalftoneDescription>,
}

/// Dots of ink on paper: the program prints them, the network draws plain tones.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct HalftoneDescription {
    /// Red, green, blue, 0..1.
    pub(super) ink: [f32; 3],
    /// How much of a tone's darkness the dots bear, 0..1.
    pub(super) cover: f32,
}

impl HalftoneDescription {
    fn is_sound(&self) -> bool {
        let mut values = self.ink.iter().chain([&self.cover]);
        values.all(|value| (0.0..=1.0).contains(value))
    }

    /// For pictures in the style alone.
    pub(super) fn read(self) -> Halftone {
        let byte = |value: f32| (value * 255.0).round() as u8;
        Halftone {
            strength: 255,
            cover: byte(self.cover),
            ink: self.ink.map(byte),
        }
    }
}

fn one() -> u32 {
    1
}

impl Description {
    /// The files it names, below its folder: the network, its weights and pictures; thumbnails may be
    /// missing.
    pub(super) fn files(&self) -> Vec<String> {
        let eight_bit = self.eight_bit.as_ref().map(|network| &network.file);
        let own = std::iter::once(&self.file).chain(eight_bit).cloned();
        let external = self.external.iter().map(|external| external.file.clone());
        let styles = self.styles.iter();
        let pictures = styles.clone().filter_map(|style| style.picture.clone());
        let thumbnails = styles.map(|style| thumbnail(&style.id));
        let mut files: Vec<String> = own
            .chain(external)
            .chain(pictures)
            .chain(thumbnails)
            .collect();
        files.sort();
        files.dedup();
        files
    }
}

/// The file of a style's thumbnail.
pub(super) fn thumbnail(style: &str) -> String {
    format!("thumbnails/{style}.png")
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
        if !is_name(&self.file) {
            return Some(format!("file \"{}\" is not a file's name alone", self.file));
        }
        if !is_sha256(&self.sha256) {
            return Some("sha256 is not 64 hexadecimal digits".to_owned());
        }
        if let Some(network) = &self.eight_bit
            && (!is_name(&network.file) || !is_sha256(&network.sha256))
        {
            return Some(format!(
                "\"{}\" under [eight_bit] is not a file's name alone with a sha256",
                network.file
            ));
        }
        if self.external.len() > EXTERNAL_LIMIT {
            return Some(format!(
                "it has more than {EXTERNAL_LIMIT} files of weights"
            ));
        }
        for external in &self.external {
            if !is_below(&external.file) || !is_sha256(&external.sha256) {
                return Some(format!(
                    "\"{}\" under [[external]] is not a file below its folder with a sha256",
                    external.file
                ));
            }
        }
        if !(1..=1024).contains(&self.size_multiple) {
            return Some("size_multiple is not from 1 to 1024".to_owned());
        }
        if !(1..=SCALE_LIMIT).contains(&self.scale) {
            return Some(format!("scale is not from 1 to {SCALE_LIMIT}"));
        }
        if let Some([width, height]) = self.size {
            let sides = 8..=Size::MAX_SIDE / self.scale;
            if !sides.contains(&width) || !sides.contains(&height) {
                return Some(format!("size is not two sides from 8 to {}", sides.end()));
            }
            if self.fit == FitName::Tiles && self.overlap >= width.min(height) / 2 {
                return Some("overlap is not smaller than half a side".to_owned());
            }
        } else if self.fit == FitName::Tiles {
            return Some("fit is \"tiles\" without a size".to_owned());
        }
        if let Some(people) = &self.people {
            if people.cell == 0 || !self.size_multiple.is_multiple_of(people.cell) {
                return Some("cell under [people] does not divide size_multiple".to_owned());
            }
            if self.size.is_some() {
                return Some("[people] is for networks of any size alone".to_owned());
            }
        }
        for (section, port) in [("image", &self.image), ("picture", &self.picture)] {
            if port.range.is_some_and(|range| !range.is_sound()) {
                return Some(format!(
                    "range under [{section}] is not two different numbers"
                ));
            }
        }
        if self.inputs.len() > INPUTS_LIMIT {
            return Some(format!("it has more than {INPUTS_LIMIT} [[inputs]]"));
        }
        for input in &self.inputs {
            if let Some(why) = self.input_fault(input) {
                return Some(why);
            }
        }
        if let Some(why) = self
            .style
            .as_ref()
            .and_then(|style| self.style_fault(style))
        {
            return Some(why);
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
            if style.halftone.is_some_and(|dots| !dots.is_sound()) {
                return Some(format!(
                    "halftone of style \"{}\" has a number that is not from 0 to 1",
                    style.id
                ));
            }
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

impl Description {
    /// What is wrong with one of the other inputs.
    fn input_fault(&self, input: &InputDescription) -> Option<String> {
        let InputDescription {
            name,
            value,
            strength,
        } = input;
        let mut styles = self.style.iter();
        let why = match (value, strength) {
            (Some(numbers), None) if numbers.is_sound() => return None,
            (Some(_), None) => format!("value of input \"{name}\" is no number"),
            (None, Some(ends)) if !ends.iter().all(|end| end.is_finite()) => {
                format!("strength of input \"{name}\" is not two numbers")
            }
            (None, Some(_)) if styles.any(|style| style.kind == StyleKindName::Map) => {
                format!("input \"{name}\" takes the strength, and so does the style map")
            }
            (None, Some(_)) => return None,
            _ => format!("input \"{name}\" has not one of value and strength"),
        };
        Some(why)
    }

    /// What is wrong with the input that chooses styles.
    fn style_fault(&self, style: &StyleDescription) -> Option<String> {
        if style.kind == StyleKindName::Map {
            if self.size.is_some() || self.scale != 1 {
                return Some("a style map needs a network of any size".to_owned());
            }
            if !style
                .cell
                .is_some_and(|cell| cell > 0 && self.size_multiple.is_multiple_of(cell))
            {
                return Some("cell under [style] does not divide size_multiple".to_owned());
            }
        }
        if style
            .channels
            .is_some_and(|channels| !(1..=STYLES_LIMIT).contains(&channels))
        {
            return Some(format!(
                "channels under [style] is not from 1 to {STYLES_LIMIT}"
            ));
        }
        let each = |has: &dyn Fn(&ModelStyleDescription) -> bool, key: &str| {
            let lacking = self.styles.iter().find(|style| !has(style))?;
            Some(format!("style \"{}\" has no {key}", lacking.id))
        };
        match style.kind {
            StyleKindName::Map | StyleKindName::Weights | StyleKindName::Index => None,
            StyleKindName::Values => each(
                &|style| {
                    style.values.as_ref().is_some_and(|values| {
                        (1..=VALUES_LIMIT).contains(&values.len())
                            && values.iter().all(|value| value.is_finite())
                    })
                },
                "values",
            ),
            StyleKindName::Picture => each(
                &|style| style.picture.as_deref().is_some_and(is_below),
                "picture below its folder",
            ),
        }
    }
}

impl TryFrom<toml::Value> for RangeDescription {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        if let Ok(range) = value.clone().try_into() {
            return Ok(Self::All(range));
        }
        match value.try_into() {
            Ok(ranges) => Ok(Self::Each(ranges)),
            Err(error) => Err(format!(
                "range is not [black, white], or three of those for red, green, blue: {error}"
            )),
        }
    }
}

impl RangeDescription {
    /// For red, green and blue.
    fn each(self) -> [[f32; 2]; 3] {
        match self {
            Self::All(range) => [range; 3],
            Self::Each(ranges) => ranges,
        }
    }

    fn is_sound(self) -> bool {
        self.each().iter().all(|[black, white]| {
            black.is_finite() && white.is_finite() && (white - black).abs() > 1e-3
        })
    }
}

impl Numbers {
    fn is_sound(&self) -> bool {
        match self {
            Self::One(value) => value.is_finite(),
            Self::All(values) => {
                (1..=VALUES_LIMIT).contains(&values.len())
                    && values.iter().all(|value| value.is_finite())
            }
        }
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
                Some(ChannelsName::Grey) => Channels::Grey,
                None => base.channels,
            },
            black: self
                .range
                .map_or(base.black, |range| range.each().map(|[black, _]| black)),
            white: self
                .range
                .map_or(base.white, |range| range.each().map(|[_, white]| white)),
        };
        Port {
            name: self.name,
            coding,
            sides: self.sides,
        }
    }
}

/// Whether `text` is an id: 1 to 64 lower-case letters, digits, `-` and `_`.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_'))
}

/// Whether `text` is a file's name alone.
fn is_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    )
}

/// Whether `text` names a file below the folder it is taken from.
pub(super) fn is_below(text: &str) -> bool {
    let path = Path::new(text);
    !text.is_empty()
        && text.len() <= 512
        && path
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}
