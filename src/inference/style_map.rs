//! Which style is drawn where, and how strongly.

use super::error::InferenceError;
use super::model::{Model, StyleKind};
use crate::frame::Size;

/// What the sum of a cell's weights may exceed 1 by, for rounding.
const SLACK: f32 = 1e-4;

/// Weights of every style for every cell of the picture: channel by channel, row by row. Each is
/// at least 0 and their sum in a cell at most 1; the sum is the strength, 0 leaves the input.
/// Nothing else reaches a network.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleMap {
    channels: usize,
    cells: Size,
    weights: Vec<f32>,
}

impl StyleMap {
    /// Takes over `weights` of `channels` x `cells.height` x `cells.width`.
    ///
    /// # Errors
    /// When there are too few or too many, one is negative or not a number, or the sum in a cell
    /// is over 1.
    pub fn new(channels: usize, cells: Size, weights: Vec<f32>) -> Result<Self, InferenceError> {
        let area = cells.area();
        if channels == 0 || area == 0 || channels.checked_mul(area) != Some(weights.len()) {
            return Err(wrong(format!(
                "{} weights are not {channels} styles for {cells} cells",
                weights.len()
            )));
        }
        if let Some(bad) = weights
            .iter()
            .find(|weight| !(weight.is_finite() && **weight >= 0.0))
        {
            return Err(wrong(format!("{bad} is not a weight")));
        }
        for cell in 0..area {
            let sum: f32 = weights[cell..].iter().step_by(area).sum();
            if sum > 1.0 + SLACK {
                return Err(wrong(format!(
                    "the weights of a cell add up to {sum}, more than 1"
                )));
            }
        }
        Ok(Self {
            channels,
            cells,
            weights,
        })
    }

    /// One style everywhere, for pictures of `size` drawn by `model`.
    ///
    /// # Errors
    /// When the model has no such channel or `strength` is not from 0 to 1.
    pub fn uniform(
        model: &Model,
        size: Size,
        channel: usize,
        strength: f32,
    ) -> Result<Self, InferenceError> {
        let channels = model.channels();
        if channel >= channels {
            return Err(wrong(format!(
                "there is no style channel {channel}, there are {channels}"
            )));
        }
        let cells = cells(model, size);
        let area = cells.area();
        let mut weights = vec![0.0; channels * area];
        weights[channel * area..(channel + 1) * area].fill(strength);
        Self::new(channels, cells, weights)
    }

    /// Number of styles.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Columns and rows of cells.
    pub fn cells(&self) -> Size {
        self.cells
    }

    /// The weights, channel by channel, row by row.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }
}

/// The cells of a style map for pictures of `size`; a single one when the model has no map.
pub(super) fn cells(model: &Model, size: Size) -> Size {
    match model.style().map(|style| style.kind) {
        Some(StyleKind::Map { cell }) => {
            Size::new((size.width / cell).max(1), (size.height / cell).max(1))
        }
        _ => Size::new(1, 1),
    }
}

fn wrong(why: String) -> InferenceError {
    InferenceError::StyleMap { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: Size = Size::new(2, 1);

    #[test]
    fn wrong_weights_are_refused() {
        for (weights, said) in [
            (vec![0.5; 3], "weights are not"),
            (vec![], "weights are not"),
            (vec![0.5, f32::NAN, 0.0, 0.0], "NaN"),
            (vec![0.5, f32::INFINITY, 0.0, 0.0], "inf"),
            (vec![0.5, -0.1, 0.0, 0.0], "-0.1"),
            (vec![0.5, 0.6, 0.5, 0.6], "add up"),
        ] {
            let error = StyleMap::new(2, CELLS, weights).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
        assert!(StyleMap::new(usize::MAX, Size::new(3, 3), vec![]).is_err());
        assert!(StyleMap::new(2, CELLS, vec![0.5, 1.0, 0.5, 0.0]).is_ok());
    }

    #[test]
    fn a_uniform_map_has_one_style_everywhere() {
        let model = Model::builtin().unwrap();
        let map = StyleMap::uniform(&model, Size::new(64, 32), 1, 0.25).unwrap();
        assert_eq!(
            (map.channels(), map.cells()),
            (model.channels(), Size::new(4, 2))
        );
        assert_eq!(map.weights().iter().sum::<f32>(), 2.0);
        assert_eq!(map.weights()[8..16], [0.25; 8]);
        assert!(StyleMap::uniform(&model, Size::new(64, 32), model.channels(), 1.0).is_err());
        for strength in [-0.1, 1.1, f32::NAN] {
            assert!(StyleMap::uniform(&model, Size::new(64, 32), 0, strength).is_err());
        }
    }
}
