//! A network that turns a picture in a style into numbers, for another one that draws with them:
//! arbitrary stylization after Ghiasi et al., Exploring the structure of a real-time, arbitrary
//! neural artistic stylization network (2017). It runs once for each picture, while the style is
//! added, and the numbers become part of the description: drawing needs the other one alone.

use std::path::Path;
use std::rc::Rc;

use super::super::files::{read_limited, read_style_picture};
use super::super::model::FILE_LIMIT;
use super::super::runtime::Runtime;
use super::super::tensor::{Channels, Scaler};
use super::super::values::Element;
use super::coding::{self, INPUTS, OF_BYTES, Range};
use super::evidence;
use super::file::OnnxFile;
use super::network::{Extra, ExtraInput, Network};
use super::onnx::{NotOnnx, Onnx};
use super::roles;
use super::roles::Beside;
use super::write::style_picture;
use super::{ImportError, Refusal, plain};
use crate::frame::{Picture, Size};

/// Folder of the network within that of the model, until its numbers are known.
pub(super) const FOLDER: &str = "features";
/// Its file there.
pub(super) const FILE: &str = "features.onnx";
/// The side of what it sees where it takes any size: that of its training.
const SIDE: u32 = 256;
const FIX: &str =
    "Give with --features the network that computes the numbers from a picture of the style";

/// Reads the file at `path`. What cannot be such a network is refused before the other one is tried.
pub(super) fn read(path: &Path) -> Result<OnnxFile, ImportError> {
    let file = OnnxFile::read(path)?;
    let roles = roles::find(&file.onnx, Beside::Nothing).map_err(|refusal| refusal.of(path))?;
    if roles
        .extras
        .iter()
        .any(|extra| extra.kind != Extra::Constant)
    {
        let why = "it takes more than a picture in the style".to_owned();
        return Err(Refusal::new(why, FIX).of(path));
    }
    Ok(file)
}

/// The network, and the pictures it is asked about.
pub(super) struct Features {
    network: Network,
    pictures: Vec<Picture>,
    /// The coding that its own first operators ask for.
    own: Option<Range>,
    /// Which input of the network that draws takes the numbers, and how many.
    input: usize,
    count: usize,
}

impl Features {
    /// Loads it and the `pictures` in the style from the model's `folder`, and feeds numbers to
    /// `drawing`, the network that draws, so that it can be tried; `None` when it takes none.
    pub(super) fn load(
        runtime: &Runtime,
        folder: &Path,
        pictures: usize,
        drawing: &mut Network,
        step: Rc<dyn Fn()>,
    ) -> Result<Option<Self>, Refusal> {
        let takes = |extra: &ExtraInput| extra.kind == Extra::Features;
        let Some(input) = drawing.extras.iter().position(takes) else {
            return Ok(None);
        };
        let unreadable = |error: super::InferenceError| {
            Refusal::new(plain(&error), "Check the file and its rights")
        };
        let place = folder.join(FOLDER);
        let bytes = read_limited(&place.join(FILE), FILE_LIMIT).map_err(unreadable)?;
        let onnx = Onnx::parse(&bytes).map_err(|NotOnnx| Refusal::not_onnx())?;
        let external = onnx.external.iter().map(|name| {
            let bytes = read_limited(&place.join(name), FILE_LIMIT).map_err(unreadable)?;
            Ok((name.clone(), bytes))
        });
        let external = external.collect::<Result<Vec<_>, Refusal>>()?;
        let roles::Roles { image, extras, .. } = roles::find(&onnx, Beside::Nothing)?;
        let own = if image.element == Element::U8 {
            Some(OF_BYTES[0])
        } else {
            evidence::head(&onnx, &image.name).and_then(|head| {
                let asked = |range: &&Range| coding::prepares(&head, **range, Channels::Rgb);
                INPUTS.iter().find(asked).copied()
            })
        };
        let size = image.size.unwrap_or(Size::new(SIDE, SIDE));
        let network = Network::load(runtime, &bytes, external, image, extras, &onnx, step)
            .map_err(|refusal| Refusal {
                why: format!("the network of --features cannot be used: {}", refusal.why),
                ..refusal
            })?;
        let pictures = (0..pictures).map(|at| {
            let picture =
                read_style_picture(&folder.join(style_picture(at))).map_err(unreadable)?;
            let mut seen = Picture::new(size);
            Scaler::default()
                .scale(&picture, &mut seen)
                .map_err(|error| Refusal::new(error.to_string(), "Give other pictures"))?;
            Ok(seen)
        });
        let mut features = Self {
            pictures: pictures.collect::<Result<_, Refusal>>()?,
            network,
            own,
            input,
            count: drawing.extras[input].values.len(),
        };
        features.settle(drawing, INPUTS[0])?;
        Ok(Some(features))
    }

    /// The numbers of each picture, and why they are so; those of the first are fed to `drawing`,
    /// which sees pictures in the range `other`.
    pub(super) fn settle(
        &mut self,
        drawing: &mut Network,
        other: Range,
    ) -> Result<(Vec<Vec<f32>>, String), Refusal> {
        let (range, why) = match self.own {
            Some(range) => (range, "its first operators or its type ask for that"),
            None => (other, "both networks were made for each other"),
        };
        let numbers = self.of(range)?;
        if let (Some(extra), Some(first)) = (drawing.extras.get_mut(self.input), numbers.first()) {
            extra.values.clone_from(first);
        }
        let reason = format!(
            "style: {} numbers a picture, for {}, computed by the network of --features, which sees them in the value range {}, because {why}",
            self.count,
            self.pictures.len(),
            range.name,
        );
        Ok((numbers, reason))
    }

    /// The numbers of each picture, fed in `range`.
    fn of(&mut self, range: Range) -> Result<Vec<Vec<f32>>, Refusal> {
        let coding = range.coding(self.network.image.layout, Channels::Rgb);
        let mut all = Vec::new();
        for picture in &self.pictures {
            let outputs = self.network.run(picture, coding).map_err(|why| {
                Refusal::new(
                    format!("the network of --features does not run: {why}"),
                    FIX,
                )
            })?;
            let fits = outputs
                .iter()
                .find(|output| output.values.len() == self.count);
            let Some(numbers) = fits else {
                let found: Vec<String> = outputs
                    .iter()
                    .take(6)
                    .map(|output| format!("\"{}\" {:?}", output.name, output.shape))
                    .collect();
                let why = format!(
                    "it draws with {} numbers, and the network of --features gives {}",
                    self.count,
                    found.join(", ")
                );
                return Err(Refusal::new(why, FIX));
            };
            if numbers.values.iter().any(|value| !value.is_finite()) {
                let why = "the network of --features gives values that are not numbers".to_owned();
                return Err(Refusal::new(
                    why,
                    "Export it again, in float32 if it is float16",
                ));
            }
            all.push(numbers.values.clone());
        }
        Ok(all)
    }
}
