//! Means of blocks of pixels.

use multiversion::multiversion;

use crate::frame::{Picture, Size};

/// Pixels a side of a block.
pub(super) const SIDE: usize = 4;
/// Blocks whose means are taken together.
const TOGETHER: usize = 8;
/// Bytes of one row of their pixels.
const BYTES: usize = 4 * SIDE * TOGETHER;
/// A pixel's four channels as 16-bit halves of one number, and half of what a block's sum is divided
/// by in each.
const CHANNELS: u64 = 0x00ff_00ff_00ff_00ff;
const HALF: u64 = 0x0008_0008_0008_0008;

/// A picture a quarter as wide and high: each pixel is the mean of a block.
#[derive(Default)]
pub(super) struct Blocks {
    means: Picture,
}

impl Blocks {
    /// Takes the means of `picture`, which has some pixels. Blocks that stick out of it repeat its edge.
    pub fn take(&mut self, picture: &Picture) {
        let side = |pixels: u32| pixels.div_ceil(SIDE as u32);
        let size = Size::new(side(picture.width()), side(picture.height()));
        self.means.reshape(size);
        let (width, last) = (picture.width() as usize * 4, picture.height() as usize - 1);
        let rows = self
            .means
            .rgba_mut()
            .chunks_exact_mut(size.width as usize * 4);
        for (row, means) in rows.enumerate() {
            let line = |y: usize| {
                let y = (row * SIDE + y).min(last);
                &picture.rgba()[y * width..(y + 1) * width]
            };
            average([line(0), line(1), line(2), line(3)], means);
        }
    }

    /// Blocks a row.
    pub fn columns(&self) -> usize {
        self.means.width() as usize
    }

    /// Rows of blocks.
    pub fn rows(&self) -> usize {
        self.means.height() as usize
    }

    /// The means, RGBA.
    pub fn colours(&self) -> &[[u8; 4]] {
        self.means.rgba().as_chunks().0
    }
}

/// The means of a row of blocks from its rows of pixels.
#[multiversion(targets("x86_64+avx2"))]
fn average(rows: [&[u8]; SIDE], means: &mut [u8]) {
    for (lot, means) in means.chunks_mut(4 * TOGETHER).enumerate() {
        let whole = rows.map(|row| row[lot * BYTES..].first_chunk());
        let found = if let [Some(a), Some(b), Some(c), Some(d)] = whole {
            of_lot([a, b, c, d])
        } else {
            let padded = rows.map(|row| repeat_edge(&row[lot * BYTES..]));
            of_lot([&padded[0], &padded[1], &padded[2], &padded[3]])
        };
        means.copy_from_slice(&found[..means.len()]);
    }
}

#[inline(always)]
fn of_lot(rows: [&[u8; BYTES]; SIDE]) -> [u8; 4 * TOGETHER] {
    let mut sums = [0u16; BYTES];
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += u16::from(*value);
        }
    }
    let pixels: [[u64; SIDE]; TOGETHER] = bytemuck::cast(sums);
    bytemuck::cast(pixels.map(|block| {
        let mean = ((block[0] + block[1] + block[2] + block[3] + HALF) >> 4) & CHANNELS;
        let pairs = mean | mean >> 8;
        (pairs & 0xffff | (pairs >> 16) & 0xffff_0000) as u32
    }))
}

/// The pixels that are left of a row, then the last of them again and again.
fn repeat_edge(rest: &[u8]) -> [u8; BYTES] {
    let mut padded = [0; BYTES];
    let pixels = rest.as_chunks::<4>().0;
    for (at, pixel) in padded.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        *pixel = pixels[at.min(pixels.len() - 1)];
    }
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_each_block_and_edges_repeat() {
        // Neither side is a number of whole blocks, nor the width one of lots.
        for size in [Size::new(70, 9), Size::new(1, 1), Size::new(32, 4)] {
            let mut picture = Picture::new(size);
            for (at, byte) in picture.rgba_mut().iter_mut().enumerate() {
                *byte = ((at * 7919) >> 3) as u8;
            }
            let mut blocks = Blocks::default();
            blocks.take(&picture);
            for (at, mean) in blocks.colours().iter().enumerate() {
                let (column, row) = (at % blocks.columns(), at / blocks.columns());
                for (channel, mean) in mean.iter().enumerate() {
                    let sum: u32 = (0..16)
                        .map(|pixel| {
                            let x = (4 * column + pixel % 4).min(size.width as usize - 1);
                            let y = (4 * row + pixel / 4).min(size.height as usize - 1);
                            u32::from(picture.pixel(x as u32, y as u32).unwrap()[channel])
                        })
                        .sum();
                    assert_eq!(u32::from(*mean), (sum + 8) / 16, "{column}, {row}");
                }
            }
        }
    }
}
