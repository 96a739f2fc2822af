//! Whether a network is what its description says: names, types and shapes of its inputs, and what
//! one run gives.

use std::path::Path;
use std::time::Duration;

use ort::session::{Session, SessionInputValue};
use ort::value::ValueType;

use super::error::{InferenceError, contract, too_long, why};
use super::fit::Fit;
use super::limit::{Limit, NoResult};
use super::model::{Model, Port, StyleInput, StyleKind};
use super::style_map::cells;
use super::tensor::Layout;
use super::values::{Element, Values, extract};
use crate::frame::Size;

/// The most values of an input whose size is free.
const INPUT_LIMIT: i64 = 1 << 26;
/// The side of a style's picture where the network takes any.
pub(super) const STYLE_SIDE: i64 = 256;

/// A tensor that a network takes or gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shaped {
    pub(super) element: Element,
    pub(super) shape: Vec<i64>,
}

/// All tensors of a network, for pictures of one size.
#[derive(Clone, Debug)]
pub(super) struct Tensors {
    pub(super) image: Shaped,
    pub(super) style: Option<Shaped>,
    pub(super) people: Option<Shaped>,
    /// In the order of the model's constants.
    pub(super) constants: Vec<Shaped>,
    pub(super) picture: Shaped,
    pub(super) matte: Option<Shaped>,
}

/// Compares `session` with the description of `model`, runs it once on a grey picture, for
/// `patience` at most, and tells its tensors.
pub(super) fn examine(
    session: &mut Session,
    model: &Model,
    fit: &Fit,
    limit: &Limit,
    patience: Duration,
) -> Result<Tensors, InferenceError> {
    let path = model.path();
    let image = input(session, &model.image().name, path)?;
    if !image.element.holds_pictures() {
        return Err(contract(
            path,
            format!("input \"{}\" takes no pictures", model.image().name),
        ));
    }
    let rank = image.shape.len();
    let image = Shaped {
        shape: fitted(
            &image.shape,
            &shape(model.image(), fit.network, rank),
            &model.image().name,
            path,
        )?,
        ..image
    };
    let style = match model.style() {
        None => None,
        Some(port) => {
            let found = input(session, &port.name, path)?;
            let shape = style_shape(model, fit, &found.shape);
            let shape = fitted(&found.shape, &shape, &port.name, path)?;
            Some(Shaped { shape, ..found })
        }
    };
    let people = match model.people() {
        None => None,
        Some(port) => {
            let found = input(session, &port.name, path)?;
            let cells = port.cells(fit.network);
            let shape = [1, 1, i64::from(cells.height), i64::from(cells.width)];
            let shape = fitted(&found.shape, &shape, &port.name, path)?;
            Some(Shaped { shape, ..found })
        }
    };
    let mut constants = Vec::new();
    for constant in model.constants() {
        let found = input(session, &constant.name, path)?;
        let shape = constant_shape(&found.shape, constant.values.len());
        let count = shape.iter().product::<i64>();
        if count > INPUT_LIMIT
            || !(constant.values.len() == 1 || constant.values.len() as i64 == count)
        {
            let why = format!(
                "input \"{}\" takes {count} numbers, not {}",
                constant.name,
                constant.values.len()
            );
            return Err(contract(path, why));
        }
        constants.push(Shaped { shape, ..found });
    }
    let known = |name: &str| {
        name == model.image().name
            || model.style().is_some_and(|style| style.name == name)
            || model.people().is_some_and(|people| people.name == name)
            || model
                .constants()
                .iter()
                .any(|constant| constant.name == name)
    };
    if let Some(other) = session.inputs().iter().find(|input| !known(input.name())) {
        return Err(contract(
            path,
            format!("it needs an input \"{}\"", other.name()),
        ));
    }
    let tensors = Tensors {
        // As the run shows them.
        picture: image.clone(),
        matte: None,
        image,
        style,
        people,
        constants,
    };
    let (picture, matte) = try_out(session, model, fit, &tensors, limit, patience)?;
    Ok(Tensors {
        picture,
        matte,
        ..tensors
    })
}

/// Writes the model's constants to their tensors.
pub(super) fn constants(model: &Model, shapes: &[Shaped]) -> ort::Result<Vec<Values>> {
    let pairs = model.constants().iter().zip(shapes);
    pairs
        .map(|(constant, shaped)| {
            let mut values = Values::zeros(shaped.element, &shaped.shape)?;
            values.write(|numbers| match constant.values[..] {
                [value] => numbers.fill(value),
                _ => numbers.copy_from_slice(&constant.values),
            })?;
            Ok(values)
        })
        .collect()
}

/// Says that nobody knows where people are.
pub(super) fn unknown(people: &Shaped) -> ort::Result<Values> {
    let mut values = Values::zeros(people.element, &people.shape)?;
    values.write(|numbers| numbers.fill(0.5))?;
    Ok(values)
}

/// Runs the network once; gives what its picture and matte are.
fn try_out(
    session: &mut Session,
    model: &Model,
    fit: &Fit,
    tensors: &Tensors,
    limit: &Limit,
    patience: Duration,
) -> Result<(Shaped, Option<Shaped>), InferenceError> {
    let Tensors {
        image,
        style,
        people,
        constants: shapes,
        ..
    } = tensors;
    let path = model.path();
    let failed = |error: ort::Error| InferenceError::Broken {
        why: why(&error),
        path: path.to_owned(),
    };
    for name in [Some(model.picture().name.as_str()), model.matte()]
        .into_iter()
        .flatten()
    {
        if session.outputs().iter().all(|output| output.name() != name) {
            return Err(contract(path, format!("it has no output \"{name}\"")));
        }
    }
    let coding = model.image().coding;
    let grey = (coding.black[0] + coding.white[0]) / 2.0;
    let mut values = Values::zeros(image.element, &image.shape).map_err(failed)?;
    values.write(|numbers| numbers.fill(grey)).map_err(failed)?;
    let style = match (style, model.style()) {
        (Some(shaped), Some(port)) => {
            let mut values = Values::zeros(shaped.element, &shaped.shape).map_err(failed)?;
            if port.kind == StyleKind::Weights {
                // Without any style such a network divides by nothing, or draws nothing.
                values
                    .write(|numbers| numbers.iter_mut().take(1).for_each(|first| *first = 1.0))
                    .map_err(failed)?;
            }
            Some((port.name.as_str(), values))
        }
        _ => None,
    };
    let people = match (people, model.people()) {
        (Some(shaped), Some(port)) => Some((port.name.as_str(), unknown(shaped).map_err(failed)?)),
        _ => None,
    };
    let constants = constants(model, shapes).map_err(failed)?;
    let mut inputs: Vec<(&str, SessionInputValue<'_>)> =
        vec![(model.image().name.as_str(), values.input())];
    inputs.extend(style.as_ref().map(|(name, values)| (*name, values.input())));
    inputs.extend(
        people
            .as_ref()
            .map(|(name, values)| (*name, values.input())),
    );
    let names = model
        .constants()
        .iter()
        .map(|constant| constant.name.as_str());
    inputs.extend(names.zip(constants.iter().map(Values::input)));
    let run = |options| session.run_with_options(inputs, options);
    let found = limit.within(patience, run).map_err(|none| match none {
        NoResult::TooLong => too_long(path, patience),
        NoResult::Failed(error) => failed(error),
    })?;

    let output = |name: &str, expected: &[Vec<i64>]| -> Result<Shaped, InferenceError> {
        let value = found
            .get(name)
            .ok_or_else(|| contract(path, format!("it has no output \"{name}\"")))?;
        let element = element_of(value.dtype()).filter(|element| element.holds_pictures());
        let (Some(element), Some((shape, numbers))) = (element, extract(value)) else {
            let why = format!("output \"{name}\" is no picture of float32, float16 or uint8");
            return Err(contract(path, why));
        };
        if !expected.iter().any(|sides| same_sides(&shape, sides)) {
            let why = format!(
                "output \"{name}\" has the shape {shape:?}, not {:?}",
                expected[0]
            );
            return Err(contract(path, why));
        }
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err(InferenceError::NotANumber {
                path: path.to_owned(),
            });
        }
        Ok(Shaped { element, shape })
    };
    let size = fit.tile_drawing();
    let port = model.picture();
    let mut shapes = vec![shape(port, size, 4)];
    if port.coding.channels.count() == 3 {
        // How opaque the drawing is comes after its colours, and is left out when it is read.
        shapes.push(picture_shape(port.coding.layout, 4, size, 4));
    }
    let picture = output(&port.name, &shapes)?;
    let matte = model
        .matte()
        .map(|name| {
            let sides = vec![i64::from(size.height), i64::from(size.width)];
            output(name, &[sides])
        })
        .transpose()?;
    Ok((picture, matte))
}

/// An input's type and the shape the network declares; free sides are negative.
fn input(session: &Session, name: &str, path: &Path) -> Result<Shaped, InferenceError> {
    let found = session.inputs().iter().find(|input| input.name() == name);
    let found = found.ok_or_else(|| contract(path, format!("it has no input \"{name}\"")))?;
    match (element_of(found.dtype()), found.dtype()) {
        (Some(element), ValueType::Tensor { shape, .. }) => Ok(Shaped {
            element,
            shape: shape.to_vec(),
        }),
        _ => {
            let why = format!("input \"{name}\" is not a tensor of numbers");
            Err(contract(path, why))
        }
    }
}

pub(super) fn element_of(kind: &ValueType) -> Option<Element> {
    match kind {
        ValueType::Tensor { ty, .. } => Element::of(*ty),
        _ => None,
    }
}

/// The shape of a port's picture, in three or four sides.
fn shape(port: &Port, size: Size, rank: usize) -> Vec<i64> {
    let channels = port.coding.channels.count() as i64;
    picture_shape(port.coding.layout, channels, size, rank)
}

fn picture_shape(layout: Layout, channels: i64, size: Size, rank: usize) -> Vec<i64> {
    let (width, height) = (i64::from(size.width), i64::from(size.height));
    let sides = match layout {
        Layout::Planes => [channels, height, width],
        Layout::Pixels => [height, width, channels],
    };
    let mut shape = vec![1; usize::from(rank != 3)];
    shape.extend(sides);
    shape
}

/// `wanted`, when `found` takes it.
fn fitted(
    found: &[i64],
    wanted: &[i64],
    name: &str,
    path: &Path,
) -> Result<Vec<i64>, InferenceError> {
    let fits = found.is_empty() && wanted.len() != 1
        || found.len() == wanted.len()
            && found
                .iter()
                .zip(wanted)
                .all(|(found, side)| *found < 0 || found == side);
    if fits {
        return Ok(wanted.to_vec());
    }
    let why = format!("input \"{name}\" takes the shape {found:?}, not {wanted:?}");
    Err(contract(path, why))
}

/// Sides of 1 aside: whether they are the same.
fn same_sides(found: &[i64], expected: &[i64]) -> bool {
    let sides =
        |shape: &[i64]| -> Vec<i64> { shape.iter().copied().filter(|side| *side != 1).collect() };
    sides(found) == sides(expected)
}

fn style_shape(model: &Model, fit: &Fit, found: &[i64]) -> Vec<i64> {
    let channels = model.channels() as i64;
    match model.style().map(|style| style.kind) {
        Some(StyleKind::Map { .. }) => {
            let cells = cells(model, fit.drawing);
            vec![1, channels, i64::from(cells.height), i64::from(cells.width)]
        }
        Some(StyleKind::Weights) => constant_shape(found, model.channels()),
        Some(StyleKind::Index) | None => constant_shape(found, 1),
        Some(StyleKind::Own) => match model.styles().first().map(|style| &style.input) {
            Some(StyleInput::Values(values)) => constant_shape(found, values.len()),
            _ => {
                // Free sides of a picture.
                let planes = model.image().coding.layout == Layout::Planes;
                let rank = found.len();
                found
                    .iter()
                    .enumerate()
                    .map(|(at, side)| match (*side >= 0, rank - at, planes) {
                        (true, ..) => *side,
                        (_, 4, _) => 1,
                        (_, 3, true) | (_, 1, false) => 3,
                        _ => STYLE_SIDE,
                    })
                    .collect()
            }
        },
    }
}

/// The shape `found` for `count` values: of its free sides, the last takes them.
fn constant_shape(found: &[i64], count: usize) -> Vec<i64> {
    let known: i64 = found.iter().filter(|side| **side > 0).product();
    let mut left = (count as i64 / known.max(1)).max(1);
    let mut shape = found.to_vec();
    for side in shape.iter_mut().rev().filter(|side| **side < 0) {
        *side = left;
        left = 1;
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_sides_take_what_is_left() {
        assert_eq!(constant_shape(&[26], 26), [26]);
        assert_eq!(constant_shape(&[-1, -1], 26), [1, 26]);
        assert_eq!(constant_shape(&[1, -1, 1, 1], 1), [1, 1, 1, 1]);
        assert_eq!(constant_shape(&[], 1), [0_i64; 0]);
        assert!(same_sides(&[1, 1, 8, 6], &[8, 6]) && same_sides(&[8, 6, 1], &[8, 6]));
        assert!(!same_sides(&[6, 8], &[8, 6]));
    }
}
