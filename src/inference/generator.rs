//! The network, loaded for one size of picture.
//!
//! Drawing has three steps on a [`Slot`], which holds all memory a picture needs: prepare (pixels
//! to tensors), run, finish (tensors to pixels). Each frame has its own slot, so that the steps of
//! different frames overlap. A network that knows one size alone may draw a picture in tiles: then
//! a slot has a pass for each.

mod memory;
mod session;
mod styling;

use std::sync::Arc;
use std::time::Duration;

use ort::session::{IoBinding, Session};
use parking_lot::Mutex;

use super::arena;
use super::contract::{self, Shaped, Tensors};
use super::error::{InferenceError, too_long, why};
use super::fit::Fit;
use super::limit::{Limit, NoResult, PATIENT};
use super::model::Model;
use super::own_styles::own_styles;
use super::precision::precision;
use super::provider::Trial;
use super::runtime::Runtime;
use super::segmenter::{CoarseMatte, Segmenter};
use super::style_map::{StyleMap, cells};
use super::tensor::{self, Coding, Scaler};
use super::values::Values;
use crate::frame::{Area, Finish, Picture, Size};
use crate::settings::Provider;
use crate::status::Precision;

/// A model, loaded to draw pictures of one size.
pub struct Generator {
    model: Arc<Model>,
    fit: Fit,
    threads: usize,
    provider: Provider,
    precision: Precision,
    /// The most bytes that a run takes, where that is counted.
    peak: Option<u64>,
    tensors: Tensors,
    /// What each style of a model whose styles are pictures or numbers feeds.
    styles: Vec<Vec<f32>>,
    /// Locked for each run: a session does one at a time.
    session: Mutex<Session>,
    limit: Limit,
    /// Until the first picture is drawn.
    trial: Mutex<Option<Trial>>,
    /// For models that do not find people, or not well.
    segmenter: Option<Mutex<Segmenter>>,
    /// Of [`stylize`](Self::stylize).
    own: Mutex<Option<Slot>>,
}

/// The memory of one picture on its way through the network.
pub struct Slot {
    passes: Vec<Pass>,
    style: Option<Values>,
    /// The people that the segmenter found, and what the network is told of them.
    people: CoarseMatte,
    cells: Option<Values>,
    scaler: Scaler,
    /// The picture as the network sees it, when that is another size.
    content: Picture,
    /// The picture at the drawing's size.
    input: Picture,
    /// One tile of it, or of its drawing.
    tile: Picture,
    /// Tiles put together: four values a pixel.
    sum: Vec<f32>,
    /// Which style the style input holds, of those that are pictures or numbers.
    styled: Option<usize>,
    /// Of the drawing in the final picture, unless a style map says that.
    strength: f32,
    /// Of the drawing, where it is shown.
    finish: Finish,
}

impl Slot {
    /// What was prepared, at the drawing's size.
    pub fn input(&self) -> &Picture {
        &self.input
    }

    /// Where in it people are, where a segmenter has looked.
    pub fn people(&self) -> &CoarseMatte {
        &self.people
    }
}

/// One run of the network.
struct Pass {
    image: Values,
    picture: Values,
    matte: Option<Values>,
    binding: IoBinding,
    constants: Vec<Values>,
}

impl Generator {
    /// Loads `model` for pictures of `size` on `threads` CPU threads and draws a grey picture once,
    /// to see that its outputs are what its description says. A network that knows one size alone
    /// may draw another: see [`Model::drawing_size`] and [`size`](Self::size).
    ///
    /// # Errors
    /// When the file cannot be read, ONNX Runtime refuses it, its inputs or outputs are others
    /// than described, or it cannot draw this size.
    pub fn open(
        runtime: &Runtime,
        model: &Arc<Model>,
        size: Size,
        threads: usize,
    ) -> Result<Self, InferenceError> {
        Self::open_on(runtime, model, size, threads, Provider::Cpu)
    }

    /// The same, run by `provider`; never by another without a word.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the provider is not there or refuses the network.
    pub fn open_on(
        runtime: &Runtime,
        model: &Arc<Model>,
        size: Size,
        threads: usize,
        provider: Provider,
    ) -> Result<Self, InferenceError> {
        Self::open_within(runtime, model, size, threads, provider, PATIENT)
    }

    /// The same; its first run is ended after about `patience`.
    ///
    /// # Errors
    /// As [`open_on`](Self::open_on), and when the run was ended.
    pub(super) fn open_within(
        runtime: &Runtime,
        model: &Arc<Model>,
        size: Size,
        threads: usize,
        provider: Provider,
        patience: Duration,
    ) -> Result<Self, InferenceError> {
        let segmenter = model
            .segmented()
            .map(|edges| Segmenter::open(runtime, edges).map(Mutex::new))
            .transpose()?;
        Ok(Self {
            segmenter,
            ..Self::open_bare(runtime, model, size, threads, provider, patience)?
        })
    }

    /// The same; of the people its drawings have what the network itself knows.
    ///
    /// # Errors
    /// As [`open_within`](Self::open_within).
    pub(super) fn open_bare(
        runtime: &Runtime,
        model: &Arc<Model>,
        size: Size,
        threads: usize,
        provider: Provider,
        patience: Duration,
    ) -> Result<Self, InferenceError> {
        let multiple = model.size_multiple();
        let fits =
            |side: u32| (1..=Size::MAX_SIDE).contains(&side) && side.is_multiple_of(multiple);
        let wrong_size = || InferenceError::Size {
            size,
            multiple,
            path: model.path().to_owned(),
        };
        let drawing = model.drawing_size(size);
        if !fits(drawing.width) || !fits(drawing.height) {
            return Err(wrong_size());
        }
        let fit = Fit::of(model, drawing).ok_or_else(wrong_size)?;
        let threads = threads.max(1);
        let trial = Trial::begin(runtime, model, provider);
        let precision = precision(model, provider);
        let onnx = model.onnx(precision)?;
        let mut session =
            session::load(runtime, model, &onnx, &fit, threads, provider)?.map_err(|error| {
                InferenceError::Broken {
                    why: why(&error),
                    path: model.path().to_owned(),
                }
            })?;
        let limit = Limit::new().map_err(|error| InferenceError::Run {
            why: why(&error),
            path: model.path().to_owned(),
        })?;
        let tensors = contract::examine(&mut session, model, &fit, &limit, patience)?;
        let styles = own_styles(model, tensors.style.as_ref())?;
        let peak = arena::peak(&session);
        Ok(Self {
            model: Arc::clone(model),
            fit,
            threads,
            provider,
            precision,
            peak,
            tensors,
            styles,
            segmenter: None,
            session: Mutex::new(session),
            limit,
            trial: Mutex::new(trial),
            own: Mutex::new(None),
        })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Size of its drawings.
    pub fn size(&self) -> Size {
        self.fit.drawing
    }

    /// Runs of the network for a drawing: one, or the number of its tiles.
    pub fn passes(&self) -> usize {
        self.fit.tiles()
    }

    /// What runs it.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// How exactly it calculates.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// CPU threads of a run.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Memory for one more picture.
    ///
    /// # Errors
    /// When there is not enough.
    pub fn slot(&self) -> Result<Slot, InferenceError> {
        self.allocate().map_err(|error| self.failed(&error))
    }

    /// Writes `picture`, all of it whatever its size, and `map` into `slot`.
    ///
    /// # Errors
    /// When `map` is for another model or size.
    pub fn prepare(
        &self,
        picture: &Picture,
        map: &StyleMap,
        slot: &mut Slot,
    ) -> Result<(), InferenceError> {
        let expected = (self.model.channels(), cells(&self.model, self.size()));
        if (map.channels(), map.cells()) != expected {
            return Err(InferenceError::StyleMap {
                why: format!(
                    "it has {} styles for {} cells, not {} for {}",
                    map.channels(),
                    map.cells(),
                    expected.0,
                    expected.1
                ),
            });
        }
        self.prepare_style(map, slot)
            .map_err(|error| self.failed(&error))?;
        let Slot {
            passes,
            scaler,
            content,
            input,
            tile,
            people,
            cells,
            ..
        } = slot;
        let mut scale = |to: &mut Picture, size: Size| {
            to.reshape(size);
            scaler
                .scale(picture, to)
                .map_err(|why| self.run_failed(why))
        };
        if picture.size() == self.size() {
            input.copy_from(picture);
        } else {
            scale(input, self.size())?;
        }
        if let Some(segmenter) = &self.segmenter {
            segmenter.lock().look(input, people)?;
        }
        if let (Some(port), Some(cells)) = (self.model.people(), cells) {
            let size = port.cells(self.fit.network);
            cells
                .write(|shares| people.tell(Area::ALL, ([0, 0], size), size.width, shares))
                .map_err(|error| self.failed(&error))?;
        }
        let seen: &Picture = if self.fit.content == self.size() {
            input
        } else if picture.size() == self.fit.content {
            picture
        } else {
            scale(content, self.fit.content)?;
            content
        };
        let coding = self.model.image().coding;
        if self.fit.is_plain() {
            for pass in passes {
                self.encode(seen, pass, coding)?;
            }
        } else {
            for (at, pass) in passes.iter_mut().enumerate() {
                self.fit.cut(seen, at, tile);
                self.encode(tile, pass, coding)?;
            }
        }
        Ok(())
    }

    /// Tells the network where in what was prepared people are, for a picture that was put together from
    /// parts of another; `fill` gets how many cells there are, and their shares.
    pub(super) fn tell_people(
        &self,
        slot: &mut Slot,
        fill: impl FnOnce(Size, &mut [f32]),
    ) -> Result<(), InferenceError> {
        if let (Some(port), Some(cells)) = (self.model.people(), &mut slot.cells) {
            let size = port.cells(self.fit.network);
            cells
                .write(|shares| fill(size, shares))
                .map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// Runs the network on what was prepared. Takes nearly all the time of a drawing.
    ///
    /// # Errors
    /// When ONNX Runtime fails, for want of memory for one.
    pub fn run(&self, slot: &mut Slot) -> Result<(), InferenceError> {
        self.run_within(slot, PATIENT)
    }

    /// The same; each pass is ended after about `patience`.
    ///
    /// # Errors
    /// As [`run`](Self::run), and when a pass was ended.
    pub(super) fn run_within(
        &self,
        slot: &mut Slot,
        patience: Duration,
    ) -> Result<(), InferenceError> {
        let none = |none| match none {
            NoResult::TooLong => too_long(self.model.path(), patience),
            NoResult::Failed(error) => self.failed(&error),
        };
        if self.provider != Provider::Cpu {
            (self.limit)
                .within(patience, |_| self.hand_over(slot))
                .map_err(none)?;
        }
        for pass in &slot.passes {
            let mut session = self.session.lock();
            let run = |options| {
                let outputs = session.run_binding_with_options(&pass.binding, options)?;
                drop(outputs);
                Ok(())
            };
            self.limit.within(patience, run).map_err(none)?;
        }
        *self.trial.lock() = None;
        Ok(())
    }

    /// Whether the run that is under way was ended and goes on all the same.
    pub(super) fn hangs(&self) -> bool {
        self.limit.hangs()
    }

    /// Writes the drawing to `styled`, at the generator's size: RGB is the drawing, alpha the
    /// matte, which another network finds when the model has none of its own, or an unsure one.
    ///
    /// # Errors
    /// When the network's values are not numbers; `styled` then holds no picture.
    pub fn finish(&self, slot: &mut Slot, styled: &mut Picture) -> Result<(), InferenceError> {
        styled.reshape(self.size());
        let Slot {
            passes,
            input,
            tile,
            sum,
            strength,
            finish,
            people,
            ..
        } = slot;
        if let ([pass], true) = (&mut passes[..], self.fit.is_plain()) {
            self.decode(pass, styled)?;
        } else if let [pass] = &mut passes[..] {
            tile.reshape(self.fit.tile_drawing());
            self.decode(pass, tile)?;
            self.fit.crop(tile, styled);
        } else {
            sum.resize(self.size().area() * 4, 0.0);
            sum.fill(0.0);
            for (at, pass) in passes.iter_mut().enumerate() {
                tile.reshape(self.fit.tile_drawing());
                self.decode(pass, tile)?;
                self.fit.blend(tile, at, sum);
            }
            for (byte, sum) in styled.rgba_mut().iter_mut().zip(sum) {
                *byte = (*sum + 0.5) as u8;
            }
        }
        let share = self.share_seen(*strength);
        if share < 1.0 {
            tensor::mix(styled.rgba_mut(), input.rgba(), share);
        }
        if let Some(segmenter) = &self.segmenter {
            segmenter.lock().cut_out(people, styled);
        }
        styled.finish = *finish;
        Ok(())
    }

    /// All three steps, for those who keep every frame.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), [`run`](Self::run) and [`finish`](Self::finish).
    pub fn stylize(
        &mut self,
        picture: &Picture,
        map: &StyleMap,
        styled: &mut Picture,
    ) -> Result<(), InferenceError> {
        let mut slot = match self.own.get_mut().take() {
            Some(slot) => slot,
            None => self.slot()?,
        };
        let result = self
            .prepare(picture, map, &mut slot)
            .and_then(|()| self.run(&mut slot))
            .and_then(|()| self.finish(&mut slot, styled));
        *self.own.get_mut() = Some(slot);
        result
    }

    /// Gives a provider with its own memory what was prepared: it copies an input when it is bound.
    fn hand_over(&self, slot: &mut Slot) -> ort::Result<()> {
        #[cfg(test)]
        super::provider::stand_in::run()?;
        let Slot {
            passes,
            style,
            cells,
            ..
        } = slot;
        for pass in passes {
            pass.image
                .bind_input(&mut pass.binding, &self.model.image().name)?;
            if let (Some(port), Some(style)) = (self.model.style(), &*style) {
                style.bind_input(&mut pass.binding, &port.name)?;
            }
            if let (Some(port), Some(cells)) = (self.model.people(), &*cells) {
                cells.bind_input(&mut pass.binding, &port.name)?;
            }
            for (constant, values) in self.model.constants().iter().zip(&pass.constants) {
                values.bind_input(&mut pass.binding, &constant.name)?;
            }
        }
        Ok(())
    }

    fn encode(
        &self,
        picture: &Picture,
        pass: &mut Pass,
        coding: Coding,
    ) -> Result<(), InferenceError> {
        pass.image
            .write(|values| tensor::encode(picture.rgba(), values, coding))
            .map_err(|error| self.failed(&error))
    }

    fn decode(&self, pass: &mut Pass, drawing: &mut Picture) -> Result<(), InferenceError> {
        let Pass { picture, matte, .. } = pass;
        let picture = picture.read().map_err(|error| self.failed(&error))?;
        let matte = match matte {
            Some(matte) => Some(matte.read().map_err(|error| self.failed(&error))?),
            None => None,
        };
        let coding = self.model.picture().coding;
        tensor::decode(picture, matte, coding, drawing.rgba_mut()).map_err(|tensor::NotFinite| {
            InferenceError::NotANumber {
                path: self.model.path().to_owned(),
            }
        })
    }

    fn allocate(&self) -> ort::Result<Slot> {
        let model = &self.model;
        let zeros = |shaped: &Shaped| Values::zeros(shaped.element, &shaped.shape);
        let style = self.tensors.style.as_ref().map(zeros).transpose()?;
        let cells = (self.tensors.people.as_ref())
            .map(contract::unknown)
            .transpose()?;
        let mut passes = Vec::with_capacity(self.fit.tiles());
        for _ in 0..self.fit.tiles() {
            let image = zeros(&self.tensors.image)?;
            let mut picture = zeros(&self.tensors.picture)?;
            let mut matte = self.tensors.matte.as_ref().map(zeros).transpose()?;
            let constants = contract::constants(model, &self.tensors.constants)?;
            let mut binding = self.session.lock().create_binding()?;
            image.bind_input(&mut binding, &model.image().name)?;
            if let (Some(port), Some(style)) = (model.style(), &style) {
                style.bind_input(&mut binding, &port.name)?;
            }
            if let (Some(port), Some(cells)) = (model.people(), &cells) {
                cells.bind_input(&mut binding, &port.name)?;
            }
            for (constant, values) in model.constants().iter().zip(&constants) {
                values.bind_input(&mut binding, &constant.name)?;
            }
            picture.bind_output(&mut binding, &model.picture().name)?;
            if let (Some(name), Some(matte)) = (model.matte(), &mut matte) {
                matte.bind_output(&mut binding, name)?;
            }
            passes.push(Pass {
                image,
                picture,
                matte,
                binding,
                constants,
            });
        }
        Ok(Slot {
            passes,
            style,
            people: CoarseMatte::default(),
            cells,
            scaler: Scaler::default(),
            content: Picture::default(),
            input: Picture::default(),
            tile: Picture::default(),
            sum: Vec::new(),
            styled: None,
            strength: 1.0,
            finish: Finish::default(),
        })
    }

    fn failed(&self, error: &ort::Error) -> InferenceError {
        self.run_failed(why(error))
    }

    fn run_failed(&self, why: String) -> InferenceError {
        InferenceError::Run {
            why,
            path: self.model.path().to_owned(),
        }
    }
}
