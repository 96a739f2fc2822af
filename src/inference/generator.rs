//! The network, loaded for one size of picture.
//!
//! Drawing has three steps on a [`Slot`], which holds all memory a picture needs: prepare (pixels
//! to tensors), run, finish (tensors to pixels). Each frame has its own slot, so that the steps of
//! different frames overlap.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ort::memory::Allocator;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{IoBinding, Session};
use ort::value::{Tensor, TensorElementType, ValueType};
use parking_lot::Mutex;

use super::error::{InferenceError, contract, why};
use super::model::{Model, Port};
use super::runtime::Runtime;
use super::segmenter::Segmenter;
use super::style_map::{StyleMap, cells};
use super::tensor::{self, Layout, Scaler};
use crate::frame::{Picture, Size};

/// A model, loaded to draw pictures of one size.
pub struct Generator {
    model: Arc<Model>,
    size: Size,
    threads: usize,
    file_bytes: u64,
    /// Locked for each run: a session does one at a time.
    session: Mutex<Session>,
    /// For models without a matte.
    segmenter: Option<Mutex<Segmenter>>,
    /// Of [`stylize`](Self::stylize).
    own: Mutex<Option<Slot>>,
}

/// The memory of one picture on its way through the network.
pub struct Slot {
    image: Tensor<f32>,
    style: Option<Tensor<f32>>,
    picture: Tensor<f32>,
    matte: Option<Tensor<f32>>,
    binding: IoBinding,
    scaler: Scaler,
    /// The input at the generator's size.
    input: Picture,
    /// Of the drawing in the final picture, for models that know no strength.
    strength: f32,
}

impl Slot {
    /// What was prepared, at the generator's size.
    pub fn input(&self) -> &Picture {
        &self.input
    }
}

impl Generator {
    /// Loads `model` for pictures of `size` on `threads` CPU threads and draws a grey picture once,
    /// to see that its outputs are what its description says.
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
        let multiple = model.size_multiple();
        let fits =
            |side: u32| (1..=Size::MAX_SIDE).contains(&side) && side.is_multiple_of(multiple);
        if !fits(size.width) || !fits(size.height) {
            return Err(InferenceError::Size {
                size,
                multiple,
                path: model.path().to_owned(),
            });
        }
        let threads = threads.max(1);
        let onnx = model.onnx()?;
        let session = load(runtime, &onnx, threads).map_err(|error| InferenceError::Broken {
            why: why(&error),
            path: model.path().to_owned(),
        })?;
        let segmenter = match model.matte() {
            Some(_) => None,
            None => Some(Mutex::new(Segmenter::open(runtime)?)),
        };
        let mut generator = Self {
            segmenter,
            model: Arc::clone(model),
            size,
            threads,
            file_bytes: onnx.len() as u64,
            session: Mutex::new(session),
            own: Mutex::new(None),
        };
        generator.check()?;
        Ok(generator)
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Size of its pictures.
    pub fn size(&self) -> Size {
        self.size
    }

    /// CPU threads of a run.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// About how many bytes it takes with a few slots: twice its file, and what networks of this
    /// kind keep for each pixel of a picture.
    pub fn memory(&self) -> u64 {
        const BYTES_PER_PIXEL: u64 = 600;
        2 * self.file_bytes + self.size.area() as u64 * BYTES_PER_PIXEL
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
        let expected = (self.model.channels(), cells(&self.model, self.size));
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
        let Slot {
            image,
            style,
            scaler,
            input,
            strength,
            ..
        } = slot;
        if picture.size() == self.size {
            input.copy_from(picture);
        } else {
            input.reshape(self.size);
            scaler
                .scale(picture, input)
                .map_err(|why| self.run_failed(why))?;
        }
        let (_, values) = image
            .try_extract_tensor_mut::<f32>()
            .map_err(|error| self.failed(&error))?;
        tensor::encode(input.rgba(), values, self.model.image().coding);
        *strength = map.weights().iter().take(1).sum();
        if let Some(style) = style {
            let (_, weights) = style
                .try_extract_tensor_mut::<f32>()
                .map_err(|error| self.failed(&error))?;
            weights.copy_from_slice(map.weights());
        }
        Ok(())
    }

    /// Runs the network on what was prepared. Takes nearly all the time of a drawing.
    ///
    /// # Errors
    /// When ONNX Runtime fails, for want of memory for one.
    pub fn run(&self, slot: &mut Slot) -> Result<(), InferenceError> {
        self.session
            .lock()
            .run_binding(&slot.binding)
            .map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// Writes the drawing to `styled`, at the generator's size: RGB is the drawing, alpha the
    /// matte, which another network finds when the model has none.
    ///
    /// # Errors
    /// When the network's values are not numbers; `styled` then holds no picture.
    pub fn finish(&self, slot: &Slot, styled: &mut Picture) -> Result<(), InferenceError> {
        styled.reshape(self.size);
        let (_, picture) = slot
            .picture
            .try_extract_tensor::<f32>()
            .map_err(|error| self.failed(&error))?;
        let matte = match &slot.matte {
            Some(matte) => {
                let (_, values) = matte
                    .try_extract_tensor::<f32>()
                    .map_err(|error| self.failed(&error))?;
                Some(values)
            }
            None => None,
        };
        tensor::decode(
            picture,
            matte,
            self.model.picture().coding,
            styled.rgba_mut(),
        )
        .map_err(|tensor::NotFinite| InferenceError::NotANumber {
            path: self.model.path().to_owned(),
        })?;
        if slot.style.is_none() && slot.strength < 1.0 {
            tensor::mix(styled.rgba_mut(), slot.input.rgba(), slot.strength);
        }
        match &self.segmenter {
            Some(segmenter) => segmenter.lock().cut_out(&slot.input, styled),
            None => Ok(()),
        }
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
            .and_then(|()| self.finish(&slot, styled));
        *self.own.get_mut() = Some(slot);
        result
    }

    fn allocate(&self) -> ort::Result<Slot> {
        let allocator = Allocator::default();
        let zeros = |shape: [i64; 4]| -> ort::Result<Tensor<f32>> {
            let mut tensor = Tensor::<f32>::new(&allocator, shape)?;
            tensor.try_extract_tensor_mut::<f32>()?.1.fill(0.0);
            Ok(tensor)
        };
        let model = &self.model;
        let image = zeros(shape(model.image(), self.size))?;
        let style = model
            .style()
            .map(|_| zeros(self.style_shape()))
            .transpose()?;
        let mut picture = zeros(shape(model.picture(), self.size))?;
        let mut matte = model
            .matte()
            .map(|_| zeros(matte_shape(self.size)))
            .transpose()?;

        let mut binding = self.session.lock().create_binding()?;
        binding.bind_input(&model.image().name, &image)?;
        if let (Some(port), Some(style)) = (model.style(), &style) {
            binding.bind_input(&port.name, style)?;
        }
        binding.bind_output(&model.picture().name, &mut picture)?;
        if let (Some(name), Some(matte)) = (model.matte(), &mut matte) {
            binding.bind_output(name, matte)?;
        }
        Ok(Slot {
            image,
            style,
            picture,
            matte,
            binding,
            scaler: Scaler::default(),
            input: Picture::default(),
            strength: 1.0,
        })
    }

    fn style_shape(&self) -> [i64; 4] {
        let cells = cells(&self.model, self.size);
        [
            1,
            self.model.channels() as i64,
            i64::from(cells.height),
            i64::from(cells.width),
        ]
    }

    /// Compares names, types and shapes with the description, and what comes out of one run.
    fn check(&mut self) -> Result<(), InferenceError> {
        let Self {
            model,
            size,
            session,
            ..
        } = &*self;
        let (size, path) = (*size, model.path());
        let session = &mut *session.lock();

        let mut inputs = vec![(model.image().name.as_str(), shape(model.image(), size))];
        if let Some(style) = model.style() {
            inputs.push((style.name.as_str(), self.style_shape()));
        }
        for (name, shape) in &inputs {
            let found = session.inputs().iter().find(|input| input.name() == *name);
            let found =
                found.ok_or_else(|| contract(path, format!("it has no input \"{name}\"")))?;
            check_input(found.dtype(), shape)
                .map_err(|why| contract(path, format!("input \"{name}\" {why}")))?;
        }
        if let Some(other) = session
            .inputs()
            .iter()
            .find(|input| inputs.iter().all(|(name, _)| *name != input.name()))
        {
            return Err(contract(
                path,
                format!("it needs an input \"{}\"", other.name()),
            ));
        }
        let mut outputs = vec![(model.picture().name.as_str(), shape(model.picture(), size))];
        if let Some(matte) = model.matte() {
            outputs.push((matte, matte_shape(size)));
        }
        for (name, _) in &outputs {
            if session
                .outputs()
                .iter()
                .all(|output| output.name() != *name)
            {
                return Err(contract(path, format!("it has no output \"{name}\"")));
            }
        }

        let failed = |error: ort::Error| InferenceError::Broken {
            why: why(&error),
            path: path.to_owned(),
        };
        let grey = |shape: &[i64; 4], value: f32| -> ort::Result<Tensor<f32>> {
            let count = shape.iter().product::<i64>() as usize;
            Tensor::from_array((*shape, vec![value; count]))
        };
        let [black, white] = model.image().coding.range;
        let mut values = Vec::new();
        for (at, (name, shape)) in inputs.iter().enumerate() {
            let value = if at == 0 { (black + white) / 2.0 } else { 0.0 };
            values.push((*name, grey(shape, value).map_err(failed)?));
        }
        let found = session.run(values).map_err(failed)?;
        for (name, shape) in &outputs {
            let value = found
                .get(name)
                .ok_or_else(|| contract(path, format!("it has no output \"{name}\"")))?;
            let Ok((found, numbers)) = value.try_extract_tensor::<f32>() else {
                let why = format!("output \"{name}\" is not a float32 tensor");
                return Err(contract(path, why));
            };
            if **found != *shape {
                let why = format!(
                    "output \"{name}\" has the shape {:?}, not {shape:?}",
                    &**found
                );
                return Err(contract(path, why));
            }
            if !numbers.iter().all(|number| number.is_finite()) {
                return Err(InferenceError::NotANumber {
                    path: path.to_owned(),
                });
            }
        }
        Ok(())
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

/// Runs the network alone, again and again on the same input, for `time`: what a program could
/// reach at most at this size with these threads. Inferences a second.
///
/// # Errors
/// As [`Generator::open`] and [`Generator::run`].
pub fn bare_loop(
    runtime: &Runtime,
    model: &Arc<Model>,
    size: Size,
    threads: usize,
    time: Duration,
) -> Result<f64, InferenceError> {
    let generator = Generator::open(runtime, model, size, threads)?;
    let mut slot = generator.slot()?;
    let map = StyleMap::uniform(model, size, 0, 1.0)?;
    generator.prepare(&Picture::new(size), &map, &mut slot)?;
    generator.run(&mut slot)?;
    let (started, mut runs) = (Instant::now(), 0);
    while runs == 0 || started.elapsed() < time {
        generator.run(&mut slot)?;
        runs += 1;
    }
    Ok(f64::from(runs) / started.elapsed().as_secs_f64().max(1e-9))
}

/// A session for `onnx` that shares the CPU with the other stages.
pub(super) fn load(runtime: &Runtime, onnx: &[u8], threads: usize) -> ort::Result<Session> {
    Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_parallel_execution(false)?
        .with_inter_threads(1)?
        .with_intra_threads(threads)?
        // Waiting threads sleep: spinning ones take the cores from the compositor.
        .with_intra_op_spinning(false)?
        .commit_from_memory(onnx)
}

fn shape(port: &Port, size: Size) -> [i64; 4] {
    let (width, height) = (i64::from(size.width), i64::from(size.height));
    match port.coding.layout {
        Layout::Planes => [1, 3, height, width],
        Layout::Pixels => [1, height, width, 3],
    }
}

fn matte_shape(size: Size) -> [i64; 4] {
    [1, 1, i64::from(size.height), i64::from(size.width)]
}

/// Whether an input takes float32 values of `shape`; says why not.
fn check_input(found: &ValueType, shape: &[i64; 4]) -> Result<(), String> {
    let ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape: found,
        ..
    } = found
    else {
        return Err("is not a float32 tensor".to_owned());
    };
    // Free sides are negative.
    let fits = found.len() == 4
        && found
            .iter()
            .zip(shape)
            .all(|(found, side)| *found < 0 || found == side);
    if fits {
        Ok(())
    } else {
        Err(format!("takes the shape {:?}, not {shape:?}", &**found))
    }
}
