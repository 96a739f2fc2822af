//! Calm between frames: what stands still settles, what moves is shown as it is.
//!
//! A recursive filter in time whose weight follows motion, as in temporal noise reduction of video
//! cameras. Motion is the change of the camera's picture in blocks of pixels; a block beside one
//! that moves counts as moving, so that nothing trails behind an edge.

use multiversion::multiversion;

use crate::frame::{Picture, Size};

use super::blocks::{Blocks, SIDE};

/// Change of a block's mean, in levels of 255, up to which it stands still in a quiet picture.
const STILL: f32 = 2.0;
/// No noise is taken for larger than this: beyond it is motion, of the whole picture for one.
const NOISIEST: f32 = 5.0;
/// A change this many times larger than a still one is motion altogether.
const MOVING: f32 = 2.5;
/// Share of the old drawing that stays where nothing moves, at full smoothing.
const KEPT: f32 = 0.8;
/// A share of one.
const ALL: i16 = i16::MAX;

/// Smooths drawings in time.
#[derive(Default)]
pub(super) struct Smoothing {
    /// The size of the last drawing; `None` when there is none to go on from.
    size: Option<Size>,
    /// Its values in 128ths of a level: in whole levels, slow changes would get stuck.
    values: Vec<i16>,
    /// Its frame's blocks.
    blocks: Vec<[u8; 4]>,
    /// How much each block changed, in levels.
    change: Vec<u8>,
    /// The most of three rows.
    largest: Vec<u8>,
    /// The new drawing's share of each block, of [`ALL`].
    shares: Vec<i16>,
    /// The shares of one row of blocks, one a byte of the drawing.
    row: Vec<i16>,
}

impl Smoothing {
    /// Brings `drawing` nearer to the last one where its frame, `input`, did not change.
    pub fn calm(&mut self, input: &Blocks, drawing: &mut Picture, amount: f32) {
        let Self {
            size,
            values,
            blocks,
            change,
            largest,
            shares,
            row,
        } = self;
        let colours = input.colours();
        if *size != Some(drawing.size()) || blocks.len() != colours.len() {
            *size = Some(drawing.size());
            values.clear();
            values.extend(drawing.rgba().iter().map(|value| i16::from(*value) << 7));
            blocks.clear();
            blocks.extend_from_slice(colours);
            return;
        }
        change.clear();
        change.extend(colours.iter().zip(blocks.iter()).map(|(new, old)| {
            let far = |at: usize| u16::from(new[at].abs_diff(old[at]));
            // As luma weighs them, and a change of hue alone counts too.
            ((far(0) + 2 * far(1) + far(2)) / 4).max(far(0).max(far(2)) / 2) as u8
        }));
        blocks.copy_from_slice(colours);
        share_out(
            change,
            input.columns(),
            input.rows(),
            amount,
            largest,
            shares,
        );

        let row_bytes = drawing.width() as usize * 4;
        let bands = drawing
            .rgba_mut()
            .chunks_mut(row_bytes * SIDE)
            .zip(values.chunks_mut(row_bytes * SIDE));
        for ((new, old), shares) in bands.zip(shares.chunks(input.columns().max(1))) {
            row.clear();
            row.extend(shares.iter().flat_map(|share| [*share; SIDE * 4]));
            for (new, old) in new.chunks_mut(row_bytes).zip(old.chunks_mut(row_bytes)) {
                settle(new, old, row);
            }
        }
    }

    /// Starts anew with the next drawing.
    pub fn forget(&mut self) {
        self.size = None;
    }
}

/// Brings a row of a drawing as near to the last one, `old`, as its shares say, and keeps the result.
#[multiversion(targets("x86_64+avx2"))]
fn settle(new: &mut [u8], old: &mut [i16], shares: &[i16]) {
    for ((new, old), share) in new.iter_mut().zip(old).zip(shares) {
        // Neither the difference nor the sum leaves 16 bits: both values are within 0..=255 * 128.
        let way = (i16::from(*new) << 7) - *old;
        *old += ((i32::from(way) * i32::from(*share) + (1 << 14)) >> 15) as i16;
        *new = ((*old + 64) >> 7) as u8;
    }
}

/// The new drawing's share of each block from how much the blocks changed.
fn share_out(
    change: &[u8],
    columns: usize,
    rows: usize,
    amount: f32,
    largest: &mut Vec<u8>,
    shares: &mut Vec<i16>,
) {
    // Half of the blocks change by less than the median: noise, as long as half of them are still.
    let mut counts = [0usize; 256];
    change
        .iter()
        .for_each(|level| counts[usize::from(*level)] += 1);
    let mut seen = 0;
    let median = counts.iter().position(|count| {
        seen += count;
        seen * 2 >= change.len()
    });
    let still = (3.0 * median.unwrap_or(0) as f32).clamp(STILL, NOISIEST);
    let ends = (still, still * MOVING);
    let of_level: [i16; 256] = std::array::from_fn(|level| {
        let motion = ((level as f32 - ends.0) / (ends.1 - ends.0)).clamp(0.0, 1.0);
        let kept = KEPT * amount * (1.0 - motion);
        (f32::from(ALL) * (1.0 - kept)).round() as i16
    });
    shares.clear();
    largest.resize(columns, 0);
    for row in 0..rows {
        let line = |row: usize| change.get(row * columns..(row + 1) * columns);
        let (above, below) = (line(row.saturating_sub(1)), line((row + 1).min(rows - 1)));
        let (Some(above), Some(own), Some(below)) = (above, line(row), below) else {
            return;
        };
        for ((largest, own), (above, below)) in
            largest.iter_mut().zip(own).zip(above.iter().zip(below))
        {
            *largest = (*own).max(*above).max(*below);
        }
        // The same to the left and to the right.
        let left = largest.iter().take(1).chain(&*largest);
        let right = largest.iter().skip(1).chain(largest.last());
        shares.extend(
            (largest.iter().zip(left.zip(right)))
                .map(|(own, (left, right))| of_level[usize::from(*own.max(left).max(right))]),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Repeatable noise: whole numbers of about a normal distribution with deviation `sigma`.
    struct Noise(u32);

    impl Noise {
        fn next(&mut self, sigma: f32) -> f32 {
            let mut sum = 0.0;
            for _ in 0..6 {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                sum += (self.0 >> 8) as f32 / (1 << 24) as f32 - 0.5;
            }
            sum * sigma * std::f32::consts::SQRT_2
        }
    }

    /// A grey picture with a brighter square at `x`, noisy.
    fn frame(x: u32, noise: &mut Noise, sigma: f32) -> Picture {
        let size = Size::new(160, 96);
        let mut picture = Picture::new(size);
        for (at, pixel) in picture
            .rgba_mut()
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .enumerate()
        {
            let (column, row) = (at as u32 % size.width, at as u32 / size.width);
            let square = (x..x + 32).contains(&column) && (32..64).contains(&row);
            let level = if square { 190.0 } else { 70.0 };
            let value = |noise: f32| (level + noise).round().clamp(0.0, 255.0) as u8;
            *pixel = [
                value(noise.next(sigma)),
                value(noise.next(sigma)),
                value(noise.next(sigma)),
                255,
            ];
        }
        picture
    }

    fn mean_change(a: &Picture, b: &Picture) -> f32 {
        let sum: u32 = a
            .rgba()
            .iter()
            .zip(b.rgba())
            .map(|(a, b)| u32::from(a.abs_diff(*b)))
            .sum();
        sum as f32 / a.rgba().len() as f32
    }

    #[test]
    fn a_still_noisy_picture_changes_less_than_half_as_much() {
        for sigma in [2.5, 6.0] {
            let (mut noise, mut smoothing, mut blocks) =
                (Noise(1), Smoothing::default(), Blocks::default());
            let (mut raw_change, mut calm_change) = (0.0, 0.0);
            let mut last: Option<(Picture, Picture)> = None;
            for number in 0..24 {
                let raw = frame(60, &mut noise, sigma);
                let mut calm = raw.clone();
                blocks.take(&raw);
                smoothing.calm(&blocks, &mut calm, 0.6);
                if let (Some((last_raw, last_calm)), true) = (&last, number > 8) {
                    raw_change += mean_change(last_raw, &raw);
                    calm_change += mean_change(last_calm, &calm);
                }
                last = Some((raw, calm));
            }
            assert!(
                calm_change < 0.5 * raw_change,
                "{sigma}: {calm_change} of {raw_change}"
            );
        }
    }

    #[test]
    fn what_moves_leaves_no_ghost() {
        let (mut noise, mut smoothing, mut blocks) =
            (Noise(2), Smoothing::default(), Blocks::default());
        for number in 0..20 {
            // Three pixels a frame, and the noise of a webcam.
            let x = 10 + 3 * number;
            let raw = frame(x, &mut noise, 2.5);
            let mut calm = raw.clone();
            blocks.take(&raw);
            smoothing.calm(&blocks, &mut calm, 1.0);
            // Where the square was and where it came to: the same as without smoothing, up to noise.
            for column in [x.saturating_sub(2), x + 1, x + 30, x + 33] {
                let (calm, raw) = (
                    calm.pixel(column, 48).unwrap(),
                    raw.pixel(column, 48).unwrap(),
                );
                assert!(
                    calm[1].abs_diff(raw[1]) <= 8,
                    "frame {number}, column {column}: {calm:?}, {raw:?}"
                );
            }
        }
    }

    #[test]
    fn after_forgetting_nothing_of_the_last_drawing_is_left() {
        let (mut noise, mut smoothing, mut blocks) =
            (Noise(3), Smoothing::default(), Blocks::default());
        let raw = frame(60, &mut noise, 0.0);
        blocks.take(&raw);
        smoothing.calm(&blocks, &mut raw.clone(), 1.0);
        smoothing.forget();
        let mut other = raw.clone();
        other
            .rgba_mut()
            .iter_mut()
            .for_each(|byte| *byte = 255 - *byte);
        let expected = other.clone();
        smoothing.calm(&blocks, &mut other, 1.0);
        assert_eq!(other, expected);
    }
}
