//! A generator on disk: an ONNX file and the `model.toml` beside it that says how to feed it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::description::{
    Description, ExternalDescription, FitName, InputDescription, Numbers, StyleKindName,
};
use super::error::InferenceError;
use super::files::{PICTURE_LIMIT, compare, read_limited, read_style_picture, sha256};
use super::matte::Edges;
use super::tensor::Coding;
use crate::frame::{Finish, Halftone, Picture, Size};
use crate::status::Precision;

/// Name of the description in a model's folder.
pub(super) const DESCRIPTION: &str = "model.toml";
/// The largest description that is read, in bytes.
pub(super) const DESCRIPTION_LIMIT: u64 = 256 * 1024;
/// The largest ONNX file that is read, in bytes; with its files of weights, in all.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024 * 1024;

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models/toon");

/// A generator: what its `model.toml` says, checked.
#[derive(Clone, Debug)]
pub struct Model {
    files: Vec<String>,
    id: String,
    name: String,
    licence: String,
    network: Network,
    eight_bit: Option<Network>,
    size_multiple: u32,
    fixed: Option<Fixed>,
    scale: u32,
    image: Port,
    style: Option<StylePort>,
    people: Option<PeoplePort>,
    constants: Vec<Constant>,
    picture: Port,
    matte: Option<String>,
    only_edges: bool,
    close_ups: bool,
    largest_face: Option<u32>,
    external: Vec<ExternalDescription>,
    styles: Vec<ModelStyle>,
    /// The sha256 of its description.
    described: String,
}

/// A style as its model names it.
#[derive(Clone, Debug)]
pub struct ModelStyle {
    /// Unique among all styles: lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// For people.
    pub name: StyleName,
    /// Which channel of the style map it is.
    pub channel: usize,
    /// A small PNG, when the model has one.
    pub thumbnail: Option<Arc<[u8]>>,
    /// How its drawings are finished where they are shown.
    pub finish: Finish,
    /// Of a model whose styles are numbers or pictures.
    pub(super) input: StyleInput,
}

/// What a style feeds to the input that chooses styles.
#[derive(Clone, Debug)]
pub(super) enum StyleInput {
    /// Its channel alone.
    Channel,
    /// These numbers.
    Values(Arc<[f32]>),
    /// This picture.
    Picture(Arc<Picture>),
}

/// A network that knows one size alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    /// What it sees.
    pub(super) size: Size,
    /// Pixels that neighbouring tiles share; `None` when a picture is drawn at once.
    pub(super) overlap: Option<u32>,
}

/// An input that is the same for every picture, or takes the strength.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) name: String,
    /// One for all of it, or all of them; at full strength.
    pub(super) values: Vec<f32>,
    /// What it is fed at strength 0, if it takes the strength: the network then leaves the picture as
    /// it is.
    pub(super) weakest: Option<f32>,
}

/// A style's name in the languages of the control panel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StyleName {
    /// English.
    #[serde(default)]
    pub en: String,
    /// Korean.
    #[serde(default)]
    pub ko: String,
}

/// An input or output that holds a picture.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) coding: Coding,
    /// What the network calls its width and height where any will do.
    pub(super) sides: Option<[String; 2]>,
}

/// The input that chooses styles.
#[derive(Clone, Debug)]
pub(super) struct StylePort {
    pub(super) name: String,
    pub(super) kind: StyleKind,
    /// Channels of the map.
    pub(super) channels: usize,
    /// What the network calls the map's width and height.
    pub(super) sides: Option<[String; 2]>,
}

/// The input that says where people are: the share of each cell that they take, one half where nobody
/// knows.
#[derive(Clone, Debug)]
pub(super) struct PeoplePort {
    pub(super) name: String,
    /// Side in pixels of the square that one share is of.
    pub(super) cell: u32,
}

impl PeoplePort {
    /// Columns and rows for pictures of `size`.
    pub(super) fn cells(&self, size: Size) -> Size {
        Size::new(size.width / self.cell, size.height / self.cell)
    }
}

/// What the input that chooses styles takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StyleKind {
    /// Weights for each style, in squares of this many pixels.
    Map {
        /// Side in pixels of the square that one weight governs.
        cell: u32,
    },
    /// A weight for each style.
    Weights,
    /// The number of a style.
    Index,
    /// The numbers or the picture of a style.
    Own,
}

/// An ONNX file.
#[derive(Clone, Debug)]
struct Network {
    /// In lower-case hexadecimal.
    sha256: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Builtin(&'static [u8]),
    File(PathBuf),
}

impl Network {
    fn new(sha256: &str, content: Content) -> Self {
        Self {
            sha256: sha256.to_ascii_lowercase(),
            content,
        }
    }

    /// Its bytes, after a look at their hash.
    fn onnx(&self) -> Result<Cow<'static, [u8]>, InferenceError> {
        match &self.content {
            // A test has compared the hash.
            Content::Builtin(bytes) => Ok((*bytes).into()),
            Content::File(path) => {
                let bytes = read_limited(path, FILE_LIMIT)?;
                compare(&bytes, &self.sha256, path)?;
                Ok(bytes.into())
            }
        }
    }
}

impl Model {
    /// The model that is part of the program.
    ///
    /// # Errors
    /// When the program was built from a wrong `models/toon`; tests see to it that it was not.
    pub fn builtin() -> Result<Self, InferenceError> {
        let path = Path::new("models/toon");
        let file = |name: &str| BUILTIN.get_file(name).map(include_dir::File::contents);
        let text = file(DESCRIPTION).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let description = Description::parse(text.unwrap_or_default(), &path.join(DESCRIPTION))?;
        let network = |name: &str, sha256: &str| match file(name) {
            Some(onnx) => Ok(Network::new(sha256, Content::Builtin(onnx))),
            None => Err(InferenceError::Unreadable {
                why: "it is not in the program".to_owned(),
                path: path.join(name),
            }),
        };
        let thumbnail = |name: &str| file(name).map(Arc::from);
        let none = |_: &str| None;
        Self::assemble(description, network, thumbnail, none)
    }

    /// The model in `folder`. Its ONNX file is read once to compare its hash.
    ///
    /// # Errors
    /// When a file is missing or too large, the description is wrong, or the hash is another.
    pub fn read(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join(DESCRIPTION);
        let bytes = read_limited(&path, DESCRIPTION_LIMIT)?;
        let text = String::from_utf8(bytes).map_err(|error| InferenceError::Description {
            why: error.to_string(),
            path: path.clone(),
        })?;
        let description = Description::parse(&text, &path)?;
        let network = |name: &str, sha256: &str| {
            let network = Network::new(sha256, Content::File(folder.join(name)));
            network.onnx()?;
            Ok(network)
        };
        let thumbnail = |name: &str| {
            let path = folder.join(name);
            let found = path.is_file().then(|| read_limited(&path, PICTURE_LIMIT));
            found?
                .map(Arc::from)
                .inspect_err(|error| tracing::warn!("{error}"))
                .ok()
        };
        let mut pictures = Vec::new();
        for name in description
            .styles
            .iter()
            .filter_map(|style| style.picture.as_ref())
        {
            let path = folder.join(name);
            pictures.push((name.clone(), read_style_picture(&path)?));
        }
        let picture = |name: &str| {
            let (_, picture) = pictures.iter().find(|(known, _)| known == name)?;
            Some(Arc::clone(picture))
        };
        let mut model = Self::assemble(description, network, thumbnail, picture)?;
        model.described = sha256(text.as_bytes());
        Ok(model)
    }

    /// The size that is drawn for a picture of `asked`: `asked` itself, or, of a network of one
    /// size that draws all at once, the largest of the same shape that it can draw.
    pub fn drawing_size(&self, asked: Size) -> Size {
        let Some(Fixed { size, overlap }) = self.fixed else {
            return asked;
        };
        let most = Size::new(size.width * self.scale, size.height * self.scale);
        let fits = asked.width <= most.width && asked.height <= most.height;
        if overlap.is_some() && !fits {
            return asked;
        }
        let share = |most: u32, side: u32| f64::from(most) / f64::from(side.max(1));
        let scale = share(most.width, asked.width).min(share(most.height, asked.height));
        let side = |side: u32, most: u32| {
            let units = (f64::from(side) * scale / f64::from(self.scale)).round() as u32;
            (units.max(1) * self.scale).min(most)
        };
        Size::new(
            side(asked.width, most.width),
            side(asked.height, most.height),
        )
    }

    /// Unique among all models.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The licence of the weights, as its description names it.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// Of the ONNX file, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.network.sha256
    }

    /// Of the file that is used for `precision`.
    pub(super) fn sha256_of(&self, precision: Precision) -> &str {
        &self.network(precision).sha256
    }

    /// Whether it comes in 8 bits as well.
    pub(super) fn has_eight_bit(&self) -> bool {
        self.eight_bit.is_some()
    }

    /// The same without its 8 bits: drawn exactly wherever it is drawn.
    #[must_use]
    pub fn in_full(&self) -> Self {
        Self {
            eight_bit: None,
            ..self.clone()
        }
    }

    /// What both sides of a generator's picture must be a multiple of.
    pub fn size_multiple(&self) -> u32 {
        match self.fixed {
            Some(_) => self.scale,
            None => self.size_multiple * self.scale,
        }
    }

    /// Its styles, in its order; at least one.
    pub fn styles(&self) -> &[ModelStyle] {
        &self.styles
    }

    /// Whether it is part of the program.
    pub fn is_builtin(&self) -> bool {
        matches!(self.network.content, Content::Builtin(_))
    }

    /// The ONNX file; of the built-in model, its name alone.
    pub fn path(&self) -> &Path {
        match &self.network.content {
            Content::Builtin(_) => Path::new("models/toon/toon.onnx"),
            Content::File(path) => path,
        }
    }

    /// Bytes of the network that is used for `precision`, and of its weights.
    pub(super) fn bytes(&self, precision: Precision) -> u64 {
        let folder = self.path().parent().unwrap_or(Path::new(""));
        let network = match &self.network(precision).content {
            Content::Builtin(bytes) => return bytes.len() as u64,
            Content::File(path) => path.clone(),
        };
        let external = self
            .external
            .iter()
            .map(|external| folder.join(&external.file));
        std::iter::once(network)
            .chain(external)
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|data| data.len())
            .sum()
    }

    /// The files its description names, below its folder; thumbnails may be missing.
    pub(super) fn files(&self) -> &[String] {
        &self.files
    }

    /// Whether `other` is the same file with the same description.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.sha256(), &self.described, self.path())
            == (other.sha256(), &other.described, other.path())
    }

    /// Channels of its style map: 1 for a model with one style and no choice.
    pub fn channels(&self) -> usize {
        self.style.as_ref().map_or(1, |style| style.channels)
    }

    /// Of a network that knows one size alone.
    pub(super) fn fixed(&self) -> Option<Fixed> {
        self.fixed
    }

    /// How many times its picture is larger than what it sees.
    pub(super) fn scale(&self) -> u32 {
        self.scale
    }

    pub(super) fn constants(&self) -> &[Constant] {
        &self.constants
    }

    pub(super) fn image(&self) -> &Port {
        &self.image
    }

    pub(super) fn style(&self) -> Option<&StylePort> {
        self.style.as_ref()
    }

    pub(super) fn people(&self) -> Option<&PeoplePort> {
        self.people.as_ref()
    }

    pub(super) fn picture(&self) -> &Port {
        &self.picture
    }

    pub(super) fn matte(&self) -> Option<&str> {
        self.matte.as_deref()
    }

    /// Whether faces that are small in its drawings are drawn again, larger.
    pub(super) fn draws_close_ups(&self) -> bool {
        self.close_ups && self.fixed.is_none()
    }

    /// How high a face is drawn well, from the hair to the chin, in pixels; `None`: any.
    pub fn largest_face(&self) -> Option<u32> {
        self.largest_face
    }

    /// Whose edges people have; `None` when the network alone finds the people.
    pub(super) fn segmented(&self) -> Option<Edges> {
        match &self.matte {
            None => Some(Edges::Segmenter),
            Some(_) if self.only_edges => Some(Edges::Model),
            Some(_) => None,
        }
    }

    /// What `description` says, with its defaults; `network`, `thumbnail` and `picture` read a file of
    /// the model's folder.
    fn assemble(
        description: Description,
        network: impl Fn(&str, &str) -> Result<Network, InferenceError>,
        thumbnail: impl Fn(&str) -> Option<Arc<[u8]>>,
        picture_of: impl Fn(&str) -> Option<Arc<Picture>>,
    ) -> Result<Self, InferenceError> {
        let files = description.files();
        let eight_bit = (description.eight_bit.as_ref())
            .map(|other| network(&other.file, &other.sha256))
            .transpose()?;
        let network = network(&description.file, &description.sha256)?;
        let image = description.image.port(Coding::default());
        // A network writes as it reads, unless it says otherwise.
        let picture = description.picture.port(image.coding);
        let channels = description
            .styles
            .iter()
            .map(|style| style.channel + 1)
            .max()
            .unwrap_or(1);
        let styles = description.styles.into_iter().map(|style| {
            let thumbnail = thumbnail(&super::description::thumbnail(&style.id));
            let mut name = style.name;
            // A name is never empty on screen.
            if name.en.trim().is_empty() {
                name.en.clone_from(&style.id);
            }
            if name.ko.trim().is_empty() {
                name.ko.clone_from(&name.en);
            }
            ModelStyle {
                id: style.id,
                name,
                channel: style.channel,
                thumbnail,
                finish: Finish {
                    crisp: if description.crisp { 255 } else { 0 },
                    halftone: (style.halftone).map_or_else(Halftone::default, |dots| dots.read()),
                },
                input: match (style.values, style.picture) {
                    (Some(values), _) => StyleInput::Values(values.into()),
                    (None, Some(name)) => {
                        picture_of(&name).map_or(StyleInput::Channel, StyleInput::Picture)
                    }
                    (None, None) => StyleInput::Channel,
                },
            }
        });
        Ok(Self {
            files,
            styles: styles.collect(),
            id: description.id,
            name: description.name,
            licence: if description.licence.is_empty() {
                "unknown".to_owned()
            } else {
                description.licence
            },
            network,
            eight_bit,
            size_multiple: description.size_multiple,
            fixed: description.size.map(|[width, height]| Fixed {
                size: Size::new(width, height),
                overlap: (description.fit == FitName::Tiles).then_some(description.overlap),
            }),
            scale: description.scale,
            external: description.external,
            image,
            style: description.style.map(|style| StylePort {
                name: style.name,
                kind: match style.kind {
                    StyleKindName::Map => StyleKind::Map {
                        cell: style.cell.unwrap_or(1),
                    },
                    StyleKindName::Weights => StyleKind::Weights,
                    StyleKindName::Index => StyleKind::Index,
                    StyleKindName::Values | StyleKindName::Picture => StyleKind::Own,
                },
                sides: style.sides,
                channels: style.channels.unwrap_or(channels),
            }),
            people: description.people.map(|people| PeoplePort {
                name: people.name,
                cell: people.cell,
            }),
            constants: description.inputs.into_iter().map(Constant::from).collect(),
            picture,
            only_edges: description
                .matte
                .as_ref()
                .is_some_and(|matte| matte.only_edges),
            matte: description.matte.map(|matte| matte.name),
            close_ups: description.close_ups,
            largest_face: description.largest_face,
            described: String::new(),
        })
    }

    /// The ONNX file's bytes, after a look at their hash.
    pub(super) fn onnx(&self, precision: Precision) -> Result<Cow<'static, [u8]>, InferenceError> {
        self.network(precision).onnx()
    }

    fn network(&self, precision: Precision) -> &Network {
        match (precision, &self.eight_bit) {
            (Precision::EightBit, Some(network)) => network,
            _ => &self.network,
        }
    }

    /// The files of weights beside the ONNX file, by the names it calls them, after a look at
    /// their hashes.
    pub(super) fn external(&self) -> Result<Vec<(String, Vec<u8>)>, InferenceError> {
        let folder = self.path().parent().unwrap_or(Path::new(""));
        let mut room = FILE_LIMIT;
        let mut files = Vec::new();
        for ExternalDescription { file, sha256 } in &self.external {
            let path = folder.join(file);
            let bytes = read_limited(&path, room)?;
            compare(&bytes, sha256, &path)?;
            room -= bytes.len() as u64;
            files.push((file.clone(), bytes));
        }
        Ok(files)
    }
}

impl From<InputDescription> for Constant {
    fn from(input: InputDescription) -> Self {
        let values = match (input.strength, input.value) {
            (Some([_, full]), _) => vec![full],
            (None, Some(Numbers::One(value))) => vec![value],
            (None, Some(Numbers::All(values))) => values,
            // A description without either is refused.
            (None, None) => Vec::new(),
        };
        Self {
            name: input.name,
            values,
            weakest: input.strength.map(|[weakest, _]| weakest),
        }
    }
}

#[cfg(test)]
mod tests;
