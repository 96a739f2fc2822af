//! What the styles of a model feed to it when they are pictures or numbers.

use super::contract::Shaped;
use super::error::{InferenceError, contract};
use super::model::{Model, StyleInput, StyleKind};
use super::tensor::{self, Coding, Scaler};
use crate::frame::{Picture, Size};

/// What each style of a model whose styles are pictures or numbers feeds to an input of `shaped`.
pub(super) fn own_styles(
    model: &Model,
    shaped: Option<&Shaped>,
) -> Result<Vec<Vec<f32>>, InferenceError> {
    let (Some(port), Some(shaped)) = (model.style(), shaped) else {
        return Ok(Vec::new());
    };
    if port.kind != StyleKind::Own {
        return Ok(Vec::new());
    }
    let count = shaped.shape.iter().product::<i64>();
    let wrong = |id: &str| {
        let why = format!(
            "style \"{id}\" is not what input \"{}\" takes, {:?}",
            port.name, shaped.shape
        );
        contract(model.path(), why)
    };
    let coding = model.image().coding;
    let mut styles = vec![Vec::new(); model.channels()];
    for style in model.styles() {
        let values = match &style.input {
            StyleInput::Values(values) if values.len() as i64 == count => values.to_vec(),
            StyleInput::Picture(picture) => {
                let (Some(size), 4) = (picture_size(&shaped.shape, coding), shaped.shape.len())
                else {
                    return Err(wrong(&style.id));
                };
                let mut scaled = Picture::new(size);
                if Scaler::default().scale(picture, &mut scaled).is_err() {
                    return Err(wrong(&style.id));
                }
                let mut values = vec![0.0; size.area() * coding.channels.count()];
                tensor::encode(scaled.rgba(), &mut values, coding);
                values
            }
            _ => return Err(wrong(&style.id)),
        };
        if let Some(entry) = styles.get_mut(style.channel) {
            *entry = values;
        }
    }
    Ok(styles)
}

/// The sides of a picture in a shape of four.
fn picture_size(shape: &[i64], coding: Coding) -> Option<Size> {
    let (height, width) = match coding.layout {
        tensor::Layout::Planes => (shape.get(2)?, shape.get(3)?),
        tensor::Layout::Pixels => (shape.get(1)?, shape.get(2)?),
    };
    let side = |side: i64| {
        u32::try_from(side)
            .ok()
            .filter(|side| *side <= Size::MAX_SIDE)
    };
    Some(Size::new(side(*width)?, side(*height)?))
}
