//! The test pattern: colour bars, a moving bar, and the frame's number for people and for tests.

use crate::frame::{Picture, Size};

/// Colours of the bars, left to right: those of television, at 75 %.
const BARS: [[u8; 3]; 8] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
    [16, 16, 16],
];
/// Cells of the strip that a test reads: one white, 24 bits of the number, 6 of a check, one black.
const CELLS: u32 = 32;
const NUMBER_BITS: u32 = 24;
const CHECK_BITS: u32 = 6;
/// Digits, 3 x 5 dots, a row an octal digit, top row first.
const DIGITS: [u16; 10] = [
    0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71222, 0o75757, 0o75717,
];
const SHOWN_DIGITS: u32 = 6;
/// Frames that the moving bar takes from one side to the other.
const SWEEP: u64 = 120;

/// Draws the test pattern at one size.
pub struct Pattern {
    still: Picture,
}

impl Pattern {
    /// A pattern of `size`.
    pub fn new(size: Size) -> Self {
        let mut still = Picture::new(size);
        let Layout { bars, ramp, .. } = Layout::of(size);
        let width = size.width.max(1);
        for y in 0..size.height {
            for x in 0..size.width {
                let color = if y < bars {
                    BARS[(x * 8 / width).min(7) as usize]
                } else if y < ramp {
                    [(x * 255 / width) as u8; 3]
                } else {
                    [0; 3]
                };
                put(&mut still, x, y, color);
            }
        }
        Self { still }
    }

    /// Draws frame number `sequence`. The same number gives the same picture.
    pub fn draw(&mut self, sequence: u64, picture: &mut Picture) {
        picture.copy_from(&self.still);
        let size = picture.size();
        let layout = Layout::of(size);

        let bar = (size.width / 32).max(1);
        let way = size.width.saturating_sub(bar);
        let left = (u64::from(way) * (sequence % SWEEP) / (SWEEP - 1)) as u32;
        fill(picture, left, 0, bar, layout.bars, [255; 3]);

        let dot = (layout.bars / 12)
            .min(size.width / (4 * SHOWN_DIGITS + 2))
            .max(1);
        let wide = (4 * SHOWN_DIGITS + 1) * dot;
        let (x, y) = (size.width.saturating_sub(wide) / 2, layout.bars / 3);
        fill(picture, x, y, wide, 7 * dot, [0; 3]);
        for place in 0..SHOWN_DIGITS {
            let digit = sequence / 10_u64.pow(SHOWN_DIGITS - 1 - place) % 10;
            let dots = DIGITS[digit as usize];
            for bit in 0..15_u32 {
                if dots >> (14 - bit) & 1 == 1 {
                    let (column, row) = (bit % 3, bit / 3);
                    let (x, y) = (x + (4 * place + 1 + column) * dot, y + (1 + row) * dot);
                    fill(picture, x, y, dot, dot, [255; 3]);
                }
            }
        }

        let word = word_of(sequence);
        for cell in 0..CELLS {
            let (left, right) = cell_span(cell, size.width);
            let color = [if word >> (CELLS - 1 - cell) & 1 == 1 {
                255
            } else {
                0
            }; 3];
            fill(
                picture,
                left,
                layout.ramp,
                right.saturating_sub(left),
                size.height.saturating_sub(layout.ramp),
                color,
            );
        }
    }
}

/// The number of the pattern's frame shown in `picture`, modulo 2^24, at whatever size it was
/// scaled to; `None` when it is no pattern, or too small or too damaged to tell.
pub fn sequence_in(picture: &Picture) -> Option<u64> {
    let size = picture.size();
    let y = (Layout::of(size).ramp + size.height) / 2;
    let mut word = 0_u32;
    for cell in 0..CELLS {
        let (left, right) = cell_span(cell, size.width);
        let [_, green, ..] = picture.pixel((left + right) / 2, y)?;
        word = word << 1 | u32::from(green > 127);
    }
    let number = u64::from(word << 1 >> (CELLS - NUMBER_BITS));
    (word == word_of(number)).then_some(number)
}

fn word_of(sequence: u64) -> u32 {
    let number = (sequence & ((1 << NUMBER_BITS) - 1)) as u32;
    // Differs from 0 for number 0, so that a black or white strip is not taken for a number.
    let check =
        (number ^ number >> 6 ^ number >> 12 ^ number >> 18 ^ 0b01_0110) & ((1 << CHECK_BITS) - 1);
    1 << (CELLS - 1) | number << (CHECK_BITS + 1) | check << 1
}

fn cell_span(cell: u32, width: u32) -> (u32, u32) {
    (cell * width / CELLS, (cell + 1) * width / CELLS)
}

/// Rows at which the parts end.
struct Layout {
    bars: u32,
    ramp: u32,
}

impl Layout {
    fn of(size: Size) -> Self {
        Self {
            bars: size.height * 3 / 4,
            ramp: size.height * 7 / 8,
        }
    }
}

fn fill(picture: &mut Picture, x: u32, y: u32, width: u32, height: u32, color: [u8; 3]) {
    let Size {
        width: w,
        height: h,
    } = picture.size();
    let (right, bottom) = ((x + width).min(w), (y + height).min(h));
    if x >= right {
        return;
    }
    let [r, g, b] = color;
    for row in y..bottom {
        let start = (row as usize * w as usize + x as usize) * 4;
        let end = start + (right - x) as usize * 4;
        for pixel in picture.rgba_mut()[start..end].chunks_exact_mut(4) {
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
    }
}

fn put(picture: &mut Picture, x: u32, y: u32, color: [u8; 3]) {
    fill(picture, x, y, 1, 1, color);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_back_at_every_size() {
        let mut picture = Picture::default();
        for size in [Size::new(64, 16), Size::new(641, 361), Size::new(480, 854)] {
            let mut pattern = Pattern::new(size);
            for sequence in [0, 1, 77, 123_456, (1 << 24) - 1] {
                pattern.draw(sequence, &mut picture);
                assert_eq!(sequence_in(&picture), Some(sequence), "{size}");
                assert!(picture.rgba().chunks_exact(4).all(|pixel| pixel[3] == 255));
            }
        }
    }

    #[test]
    fn other_pictures_have_no_number() {
        let mut picture = Picture::new(Size::new(640, 360));
        assert_eq!(sequence_in(&picture), None);
        picture.rgba_mut().fill(255);
        assert_eq!(sequence_in(&picture), None);
    }

    #[test]
    fn the_smallest_sizes_are_drawn() {
        for size in [Size::new(1, 1), Size::new(3, 100), Size::new(100, 3)] {
            let mut picture = Picture::default();
            Pattern::new(size).draw(5, &mut picture);
            assert_eq!(picture.size(), size);
        }
    }
}
