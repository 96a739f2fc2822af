//! A network that is being got to know: run with any size and coding.

use std::rc::Rc;

use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::TensorElementType;

use super::super::contract::STYLE_SIDE;
use super::super::error::why;
use super::super::provider::on_cpu;
use super::super::runtime::Runtime;
use super::super::tensor::{self, Coding, Layout};
use super::super::tuning::cores;
use super::super::values::{Element, Values, extract};
use super::Refusal;
use super::onnx::{Onnx, Side};
use crate::frame::{Picture, Size};

/// The most values of an output that is looked at.
const OUTPUT_LIMIT: usize = 1 << 27;

/// A network in ONNX Runtime.
pub(super) struct Network {
    session: Session,
    /// Called after each run.
    step: Rc<dyn Fn()>,
    pub(super) image: ImageInput,
    pub(super) extras: Vec<ExtraInput>,
}

/// The input that takes the picture.
#[derive(Clone, Debug)]
pub(super) struct ImageInput {
    pub(super) name: String,
    pub(super) element: Element,
    pub(super) layout: Layout,
    /// Sides of its shape: 3 or 4.
    pub(super) rank: usize,
    /// 1 or 3.
    pub(super) channels: usize,
    /// Width and height, where they are fixed.
    pub(super) size: Option<Size>,
}

/// Another input.
#[derive(Clone, Debug)]
pub(super) struct ExtraInput {
    pub(super) name: String,
    pub(super) element: Element,
    pub(super) kind: Extra,
    /// Free sides are `None`.
    pub(super) shape: Vec<Option<i64>>,
    /// What is fed: one value for all of it, or all of them; at full strength.
    pub(super) values: Vec<f32>,
    /// What is fed at strength 0, where it takes the strength.
    pub(super) weakest: Option<f32>,
}

/// What an input is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    /// Always the same.
    Constant,
    /// A weight a style.
    Weights,
    /// The number of a style.
    Index,
    /// A picture in the style.
    StylePicture,
    /// Numbers that another network computes from a picture in the style.
    Features,
    /// Weights for every square of this many pixels.
    Map(u32),
}

/// A tensor that came out.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) shape: Vec<i64>,
    pub(super) values: Vec<f32>,
    pub(super) bytes: bool,
}

impl Network {
    /// Loads the network.
    pub(super) fn load(
        runtime: &Runtime,
        bytes: &[u8],
        external: Vec<(String, Vec<u8>)>,
        image: ImageInput,
        extras: Vec<ExtraInput>,
        onnx: &Onnx,
        step: Rc<dyn Fn()>,
    ) -> Result<Self, Refusal> {
        let load = || -> ort::Result<Session> {
            let builder = Session::builder(runtime.environment())?
                .with_optimization_level(GraphOptimizationLevel::All)?
                .with_parallel_execution(false)?
                .with_inter_threads(1)?
                .with_intra_threads(cores().min(4))?
                .with_intra_op_spinning(false)?;
            let mut builder = on_cpu(builder, runtime)?;
            for (name, bytes) in external {
                builder = builder.with_external_initializer_file_in_memory(name, bytes.into())?;
            }
            builder.commit_from_memory(bytes)
        };
        let session = load().map_err(|error| unsupported(&error, runtime, onnx))?;
        step();
        Ok(Self {
            session,
            step,
            image,
            extras,
        })
    }

    /// Runs on `picture`, whose size is taken as it is. `Err` is what ONNX Runtime says.
    pub(super) fn run(&mut self, picture: &Picture, coding: Coding) -> Result<Vec<Output>, String> {
        let result = self.try_run(picture, coding);
        (self.step)();
        result.map_err(|error| why(&error))
    }

    fn try_run(&mut self, picture: &Picture, coding: Coding) -> ort::Result<Vec<Output>> {
        let size = picture.size();
        let shape = self.image.shape(size);
        let mut image = Values::zeros(self.image.element, &shape)?;
        image.write(|values| tensor::encode(picture.rgba(), values, coding))?;
        let mut extras = Vec::new();
        for extra in &self.extras {
            let mut values =
                Values::zeros(extra.element, &extra.shape_for(size, self.image.layout))?;
            values.write(|numbers| match extra.values[..] {
                [value] => numbers.fill(value),
                _ => numbers
                    .iter_mut()
                    .zip(&extra.values)
                    .for_each(|(to, from)| *to = *from),
            })?;
            extras.push(values);
        }
        let mut inputs: Vec<(&str, SessionInputValue<'_>)> =
            vec![(self.image.name.as_str(), image.input())];
        let names = self.extras.iter().map(|extra| extra.name.as_str());
        inputs.extend(names.zip(extras.iter().map(Values::input)));
        let found = self.session.run(inputs)?;
        let mut outputs = Vec::new();
        for (name, value) in found.iter() {
            let shape = match value.dtype() {
                ort::value::ValueType::Tensor { shape, .. } => shape.to_vec(),
                _ => continue,
            };
            let count = shape.iter().product::<i64>();
            if !(0..=OUTPUT_LIMIT as i64).contains(&count) {
                continue;
            }
            let bytes = matches!(
                value.dtype(),
                ort::value::ValueType::Tensor {
                    ty: TensorElementType::Uint8,
                    ..
                }
            );
            let values = extract(&value).map_or_else(Vec::new, |(_, values)| values);
            outputs.push(Output {
                name: name.to_owned(),
                shape,
                values,
                bytes,
            });
        }
        Ok(outputs)
    }
}

impl ImageInput {
    pub(super) fn shape(&self, size: Size) -> Vec<i64> {
        let (width, height) = (i64::from(size.width), i64::from(size.height));
        let channels = self.channels as i64;
        let sides = match self.layout {
            Layout::Planes => [channels, height, width],
            Layout::Pixels => [height, width, channels],
        };
        let mut shape = vec![1; usize::from(self.rank != 3)];
        shape.extend(sides);
        shape
    }
}

impl ExtraInput {
    /// Its shape for pictures of `size` in `layout`.
    fn shape_for(&self, size: Size, layout: Layout) -> Vec<i64> {
        let count = self.values.len() as i64;
        let free = self.shape.iter().filter(|side| side.is_none()).count();
        let known: i64 = self.shape.iter().flatten().product();
        let mut left = free;
        self.shape
            .iter()
            .enumerate()
            .map(|(at, side)| {
                let Some(side) = side else {
                    left -= 1;
                    return match (self.kind, self.shape.len() - at) {
                        (Extra::Map(cell), 1) => i64::from((size.width / cell).max(1)),
                        (Extra::Map(cell), 2) => i64::from((size.height / cell).max(1)),
                        (Extra::StylePicture, 4) => 1,
                        (Extra::StylePicture, 3) if layout == Layout::Planes => 3,
                        (Extra::StylePicture, 1) if layout == Layout::Pixels => 3,
                        (Extra::StylePicture, _) => STYLE_SIDE,
                        // The last free side takes the values.
                        _ if left == 0 => (count / known.max(1)).max(1),
                        _ => 1,
                    };
                };
                *side
            })
            .collect()
    }
}

/// Sides of a shape; free ones are `None`.
pub(super) fn sides(shape: &[Side]) -> Vec<Option<i64>> {
    shape
        .iter()
        .map(|side| match side {
            Side::Fixed(length) => Some(*length),
            Side::Free(_) => None,
        })
        .collect()
}

/// What ONNX Runtime says when it refuses a network, in words that name what it does not know.
fn unsupported(error: &ort::Error, runtime: &Runtime, onnx: &Onnx) -> Refusal {
    let text = why(error);
    let version = runtime.version();
    let after = |marker: &str| {
        let (_, rest) = text.split_once(marker)?;
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | ':' | '_'))
            .collect();
        (!name.is_empty()).then_some(name)
    };
    let operator = after("No Op registered for")
        .or_else(|| after("Could not find an implementation for"))
        .or_else(|| {
            let (before, _) = text.split_once("(-1) is not a registered function/op")?;
            before.rsplit([' ', '\n']).next().map(str::to_owned)
        })
        .or_else(|| {
            let (before, _) = text.split_once(" is not a registered function/op")?;
            let name = before.rsplit([' ', '\n']).next()?;
            Some(name.split('(').next().unwrap_or(name).to_owned())
        })
        // It names the domain alone.
        .or_else(|| foreign(onnx).filter(|_| text.contains("No opset import")));
    if let Some(operator) = operator {
        return Refusal::new(
            format!("it uses the operator {operator}, which ONNX Runtime {version} does not know"),
            "Export it with standard operators alone",
        );
    }
    if let Some(refusal) = out_of_memory(&text) {
        return refusal;
    }
    if text.contains("opset")
        || text.contains("under development")
        || text.contains("ir_version")
        || text.contains("IR version")
    {
        let opset = onnx.opsets.get("").copied().unwrap_or_default();
        return Refusal::new(
            format!(
                "it is written for operator set {opset}, which ONNX Runtime {version} does not know ({text})"
            ),
            "Export it for operator set 17",
        );
    }
    Refusal::new(
        format!("ONNX Runtime {version} cannot load it: {text}"),
        "Get the file again, or export it once more",
    )
}

/// Says so when that is why ONNX Runtime failed.
pub(super) fn out_of_memory(why: &str) -> Option<Refusal> {
    let text = why.to_lowercase();
    let signs = [
        "allocate memory",
        "bad_alloc",
        "bad allocation",
        "out of memory",
    ];
    signs.iter().any(|sign| text.contains(sign)).then(|| {
        Refusal::new(
            format!("it takes more memory than there is for it: {why}"),
            "Take a smaller network",
        )
    })
}

/// The first operator of a domain whose version the file does not say.
fn foreign(onnx: &Onnx) -> Option<String> {
    let mut kinds = onnx.kinds.keys();
    let unsaid = |kind: &&String| {
        let domain = kind.rsplit_once(':').map(|(domain, _)| domain);
        domain.is_some_and(|domain| !onnx.opsets.contains_key(domain))
    };
    kinds.find(unsaid).cloned()
}
