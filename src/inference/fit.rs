//! How a picture is laid out for its network: whole, letterboxed into a fixed size, or in tiles
//! whose seams are blended.

use super::model::{Fixed, Model};
use crate::frame::{Picture, Size};

/// The most tiles of a picture.
const TILES_LIMIT: usize = 256;

/// The layout of pictures of one size for one network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fit {
    /// What is drawn.
    pub(super) drawing: Size,
    /// What the network should see of the whole picture.
    pub(super) content: Size,
    /// What the network sees at once.
    pub(super) network: Size,
    /// How many times a drawing is larger than what the network sees.
    pub(super) scale: u32,
    columns: Axis,
    rows: Axis,
}

/// Where tiles lie along one side.
#[derive(Clone, Debug, PartialEq)]
struct Axis {
    /// First pixel of the content in each tile's share; one starts before the content when the
    /// tile is larger than it.
    starts: Vec<i64>,
    /// For each pixel of each tile's drawing: its weight, which add up to 1 over the tiles.
    weights: Vec<Vec<f32>>,
}

impl Fit {
    /// For drawings of `drawing` by `model`; `None` when there would be too many tiles.
    pub(super) fn of(model: &Model, drawing: Size) -> Option<Self> {
        let scale = model.scale();
        let content = Size::new(
            (drawing.width / scale).max(1),
            (drawing.height / scale).max(1),
        );
        let (network, overlap) = match model.fixed() {
            None => (content, 0),
            Some(Fixed { size, overlap }) => (size, overlap.unwrap_or(0)),
        };
        let columns = Axis::of(content.width, network.width, overlap, scale)?;
        let rows = Axis::of(content.height, network.height, overlap, scale)?;
        (columns.starts.len() * rows.starts.len() <= TILES_LIMIT).then_some(Self {
            drawing,
            content,
            network,
            scale,
            columns,
            rows,
        })
    }

    /// Whether the network sees the picture as it is, once.
    pub(super) fn is_plain(&self) -> bool {
        self.content == self.network
    }

    /// Runs of the network for a picture.
    pub(super) fn tiles(&self) -> usize {
        self.columns.starts.len() * self.rows.starts.len()
    }

    /// What one run of the network draws.
    pub(super) fn tile_drawing(&self) -> Size {
        Size::new(
            self.network.width * self.scale,
            self.network.height * self.scale,
        )
    }

    /// Copies what tile `at` shows of `content` to `tile`. Outside the content its edge goes on:
    /// a black bar would count in a network's averages.
    pub(super) fn cut(&self, content: &Picture, at: usize, tile: &mut Picture) {
        let (left, top) = self.start(at);
        let size = content.size();
        tile.reshape(self.network);
        let (width, height) = (size.width as usize, i64::from(size.height));
        let side = self.network.width as usize;
        // Where the content lies in a row of the tile, and what of it.
        let before = usize::try_from(-left).unwrap_or(0).min(side);
        let first = usize::try_from(left)
            .unwrap_or(0)
            .min(width.saturating_sub(1));
        let count = (width - first).min(side - before);
        for (y, row) in tile.rgba_mut().chunks_exact_mut(side * 4).enumerate() {
            let line = (top + y as i64).clamp(0, height - 1) as usize;
            let Some(from) = content
                .rgba()
                .get((line * width + first) * 4..(line * width + first + count) * 4)
            else {
                continue;
            };
            let (padding, rest) = row.split_at_mut(before * 4);
            let (middle, after) = rest.split_at_mut(count * 4);
            middle.copy_from_slice(from);
            for pixel in padding.as_chunks_mut::<4>().0 {
                pixel.copy_from_slice(&from[..4]);
            }
            for pixel in after.as_chunks_mut::<4>().0 {
                pixel.copy_from_slice(&from[from.len() - 4..]);
            }
        }
    }

    /// Puts the drawing of the only tile where it belongs.
    pub(super) fn crop(&self, tile: &Picture, drawing: &mut Picture) {
        let (left, top) = self.start(0);
        let scaled = |start: i64| usize::try_from(-start).unwrap_or(0) * self.scale as usize;
        let (left, top) = (scaled(left), scaled(top));
        let side = tile.width() as usize;
        let width = drawing.width() as usize;
        for (y, row) in drawing.rgba_mut().chunks_exact_mut(width * 4).enumerate() {
            let from = ((y + top) * side + left) * 4;
            if let Some(from) = tile.rgba().get(from..from + row.len()) {
                row.copy_from_slice(from);
            }
        }
    }

    /// Adds the drawing of tile `at` to `sum`, four values a pixel of the whole drawing.
    pub(super) fn blend(&self, tile: &Picture, at: usize, sum: &mut [f32]) {
        let (left, top) = self.start(at);
        let scale = i64::from(self.scale);
        let (left, top) = (left * scale, top * scale);
        let (width, height) = (
            i64::from(self.drawing.width),
            i64::from(self.drawing.height),
        );
        let columns = &self.columns.weights[at % self.columns.starts.len()];
        let rows = &self.rows.weights[at / self.columns.starts.len()];
        let side = tile.width() as usize * 4;
        for ((y, row), vertical) in tile.rgba().chunks_exact(side).enumerate().zip(rows) {
            let line = top + y as i64;
            if !(0..height).contains(&line) || *vertical == 0.0 {
                continue;
            }
            for ((x, pixel), horizontal) in row.as_chunks::<4>().0.iter().enumerate().zip(columns) {
                let column = left + x as i64;
                let weight = vertical * horizontal;
                if !(0..width).contains(&column) || weight == 0.0 {
                    continue;
                }
                let to = ((line * width + column) * 4) as usize;
                for (sum, value) in sum[to..to + 4].iter_mut().zip(pixel) {
                    *sum += weight * f32::from(*value);
                }
            }
        }
    }

    /// First column and row of a tile, in the content.
    fn start(&self, at: usize) -> (i64, i64) {
        let columns = &self.columns.starts;
        (
            columns[at % columns.len()],
            self.rows.starts[at / columns.len()],
        )
    }
}

impl Axis {
    fn of(content: u32, tile: u32, overlap: u32, scale: u32) -> Option<Self> {
        let (length, side) = (i64::from(content), i64::from(tile));
        let overlap = i64::from(overlap).min(side / 2);
        let starts: Vec<i64> = if length <= side {
            vec![-((side - length) / 2)]
        } else {
            let count = (length - overlap).div_euclid((side - overlap).max(1))
                + i64::from((length - overlap).rem_euclid((side - overlap).max(1)) != 0);
            if !(2..=TILES_LIMIT as i64).contains(&count) {
                return None;
            }
            (0..count)
                .map(|at| at * (length - side) / (count - 1))
                .collect()
        };
        let weights = weights(&starts, length, side, i64::from(scale));
        Some(Self { starts, weights })
    }
}

/// Ramps over what neighbouring tiles share, 1 elsewhere; where more than two overlap, their share.
fn weights(starts: &[i64], length: i64, side: i64, scale: i64) -> Vec<Vec<f32>> {
    let (length, side) = (length * scale, side * scale);
    let starts: Vec<i64> = starts.iter().map(|start| start * scale).collect();
    let mut total = vec![0.0; usize::try_from(length).unwrap_or(0)];
    let place = |start: i64, pixel: usize| usize::try_from(start + pixel as i64).ok();
    let mut weights: Vec<Vec<f32>> = Vec::with_capacity(starts.len());
    for (at, start) in starts.iter().enumerate() {
        let before = at.checked_sub(1).map_or(0, |at| starts[at] + side - start);
        let after = starts.get(at + 1).map_or(0, |next| start + side - next);
        let ramp = |inward: i64, shared: i64| {
            if shared <= 0 {
                1.0
            } else {
                ((inward as f32 + 0.5) / shared as f32).min(1.0)
            }
        };
        let row: Vec<f32> = (0..side)
            .map(|pixel| ramp(pixel, before) * ramp(side - 1 - pixel, after))
            .collect();
        for (pixel, weight) in row.iter().enumerate() {
            if let Some(total) = place(*start, pixel).and_then(|place| total.get_mut(place)) {
                *total += weight;
            }
        }
        weights.push(row);
    }
    for (row, start) in weights.iter_mut().zip(&starts) {
        for (pixel, weight) in row.iter_mut().enumerate() {
            let total = place(*start, pixel).and_then(|place| total.get(place));
            *weight = total.map_or(0.0, |total| *weight / total.max(1e-6));
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(drawing: Size, network: Size, overlap: u32, scale: u32) -> Fit {
        let content = Size::new(drawing.width / scale, drawing.height / scale);
        Fit {
            drawing,
            content,
            network,
            scale,
            columns: Axis::of(content.width, network.width, overlap, scale).unwrap(),
            rows: Axis::of(content.height, network.height, overlap, scale).unwrap(),
        }
    }

    fn gradient(size: Size) -> Picture {
        let mut picture = Picture::new(size);
        let width = size.width as usize;
        for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
            pixel.copy_from_slice(&[(at % width) as u8, (at / width) as u8, 7, 255]);
        }
        picture
    }

    #[test]
    fn tiles_put_together_are_the_picture() {
        for (width, height, side, overlap) in [
            (64, 40, 32, 8),
            (100, 33, 32, 4),
            (33, 90, 24, 11),
            (20, 70, 32, 0),
        ] {
            let size = Size::new(width, height);
            let fit = fit(size, Size::new(side, side), overlap, 1);
            let picture = gradient(size);
            let mut sum = vec![0.0; size.area() * 4];
            let mut tile = Picture::default();
            for at in 0..fit.tiles() {
                fit.cut(&picture, at, &mut tile);
                fit.blend(&tile, at, &mut sum);
            }
            for (value, expected) in sum.iter().zip(picture.rgba()) {
                assert!((value - f32::from(*expected)).abs() < 0.01, "{fit:?}");
            }
        }
    }

    #[test]
    fn a_letterbox_holds_all_and_goes_on_at_the_edges() {
        let size = Size::new(30, 16);
        let fit = fit(size, Size::new(32, 32), 0, 1);
        assert_eq!((fit.tiles(), fit.is_plain()), (1, false));
        let (picture, mut tile, mut back) =
            (gradient(size), Picture::default(), Picture::new(size));
        fit.cut(&picture, 0, &mut tile);
        assert_eq!(tile.pixel(0, 0), Some([0, 0, 7, 255]));
        assert_eq!(tile.pixel(31, 31), Some([29, 15, 7, 255]));
        fit.crop(&tile, &mut back);
        assert_eq!(back, picture);
    }

    #[test]
    fn a_picture_of_too_many_tiles_is_none() {
        assert!(Axis::of(100_000, 8, 0, 1).is_none());
    }
}
