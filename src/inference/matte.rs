//! A coarse matte is laid into a drawing: enlarged bilinearly, and mixed with the matte that is there.
//!
//! Most of a matte is sure: nobody, or the middle of somebody. Only its edges are enlarged pixel by
//! pixel.

use multiversion::multiversion;

/// The largest value of a line, one of a matte in 256ths.
const MOST: u16 = 255 << 8;
/// A share of one.
const ONE: u32 = 256;
/// Doubt that the coarse matte and the drawing's own are left with where they are surest.
const DOUBT: [f32; 2] = [0.004, 0.05];

/// Whose edges people have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edges {
    /// The coarse matte's.
    Segmenter,
    /// The drawing's own matte moves them, where the coarse one is unsure.
    Model,
}

/// Lays coarse mattes of one size into drawings.
pub(super) struct Matte {
    /// Columns and rows of the coarse matte.
    columns: usize,
    rows: usize,
    /// The result for each value of the coarse matte and each of the drawing's own, 256 a row; empty
    /// when the coarse one alone counts.
    mixed: Vec<u8>,
    /// Width of the last drawing.
    width: usize,
    /// Of each pixel of its rows how much it is beyond the middle of the coarse pixel before it, of
    /// [`ONE`].
    beyond: Vec<u8>,
    /// Of each coarse pixel the first pixel that lies beyond its middle, and the row's end.
    starts: Vec<usize>,
    /// One row of the coarse matte, between two.
    line: Vec<u16>,
}

impl Matte {
    /// For coarse mattes of this size, which have some pixels.
    pub fn new(columns: usize, rows: usize, edges: Edges) -> Self {
        Self {
            columns,
            rows,
            mixed: match edges {
                Edges::Segmenter => Vec::new(),
                Edges::Model => mixed(),
            },
            width: 0,
            beyond: Vec::new(),
            starts: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Writes `coarse`, a value 0..=255 a pixel, to the alpha of `rgba`, rows of `width` pixels.
    pub fn lay(&mut self, coarse: &[u8], rgba: &mut [u8], width: usize) {
        self.spread(width);
        let height = rgba.len() / (4 * width.max(1));
        for (y, pixels) in rgba.chunks_exact_mut(4 * width.max(1)).enumerate() {
            let (upper, beyond) = place(y, height, self.rows);
            let lower = (upper + 1).min(self.rows - 1);
            let row = |row: usize| &coarse[row * self.columns..(row + 1) * self.columns];
            self.line.clear();
            self.line
                .extend(row(upper).iter().zip(row(lower)).map(|(upper, lower)| {
                    (u32::from(*upper) * (ONE - beyond) + u32::from(*lower) * beyond) as u16
                }));
            self.lay_row(pixels);
        }
    }

    /// Prepares for rows of `width` pixels.
    fn spread(&mut self, width: usize) {
        if self.width == width {
            return;
        }
        self.width = width;
        self.starts.clear();
        self.beyond.clear();
        for x in 0..width {
            let (column, beyond) = place(x, width, self.columns);
            while self.starts.len() <= column {
                self.starts.push(x);
            }
            // Less than one.
            self.beyond.push(beyond as u8);
        }
        self.starts.resize(self.columns + 1, width);
    }

    fn lay_row(&self, pixels: &mut [u8]) {
        let pixels = pixels.as_chunks_mut::<4>().0;
        let value = |column: usize| self.line[column.min(self.columns - 1)];
        let sure = |column: usize| match (value(column), value(column + 1)) {
            (0, 0) => Some(0),
            (MOST, MOST) => Some(255),
            _ => None,
        };
        let mut column = 0;
        while column < self.columns {
            let first = column;
            let alpha = sure(column);
            column += 1;
            if let Some(alpha) = alpha {
                while column < self.columns && sure(column) == Some(alpha) {
                    column += 1;
                }
                fill(&mut pixels[self.starts[first]..self.starts[column]], alpha);
                continue;
            }
            let (left, right) = (u32::from(value(first)), u32::from(value(first + 1)));
            let range = self.starts[first]..self.starts[column];
            for (pixel, beyond) in pixels[range.clone()].iter_mut().zip(&self.beyond[range]) {
                let beyond = u32::from(*beyond);
                let people = (left * (ONE - beyond) + right * beyond + (1 << 15)) >> 16;
                let at = (people << 8) as usize | usize::from(pixel[3]);
                pixel[3] = self.mixed.get(at).copied().unwrap_or(people as u8);
            }
        }
    }
}

/// Sets the alpha of pixels; as words, for many of them at once.
#[multiversion(targets("x86_64+avx2"))]
fn fill(pixels: &mut [[u8; 4]], alpha: u8) {
    let alpha = u32::from_le_bytes([0, 0, 0, alpha]);
    for pixel in pixels {
        let colours = u32::from_le_bytes(*pixel) & 0x00ff_ffff;
        *pixel = (colours | alpha).to_le_bytes();
    }
}

/// Before which of `from` middles pixel `at` of `to` lies, and how far beyond the one before that, of
/// [`ONE`].
fn place(at: usize, to: usize, from: usize) -> (usize, u32) {
    let place = (at as f32 + 0.5) * from as f32 / to.max(1) as f32 - 0.5;
    let place = place.clamp(0.0, (from - 1) as f32);
    (place as usize, (place.fract() * ONE as f32) as u32)
}

/// What two mattes say together: each one's odds count, the drawing's own as their root, and neither is
/// ever quite sure but of nothing and everything.
fn mixed() -> Vec<u8> {
    let odds = |value: u16, doubt: f32| {
        let share = (f32::from(value) / 255.0).clamp(doubt, 1.0 - doubt);
        share / (1.0 - share)
    };
    let mix = |coarse: u16, own: u16| {
        let odds = odds(coarse, DOUBT[0]) * odds(own, DOUBT[1]).sqrt();
        (odds / (1.0 + odds) * 255.0).round() as u8
    };
    let rows = 0..256;
    rows.flat_map(|coarse| (0..256).map(move |own| mix(coarse, own)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_matte_decides_and_the_drawings_own_moves_the_edge() {
        let table = mixed();
        let mix = |coarse: usize, own: usize| table[coarse << 8 | own];
        // Sure of it: no crumbs, no holes.
        assert!(mix(0, 255) < 6 && mix(255, 0) > 249);
        // Unsure: the drawing's own has the last word, as far as it is sure.
        assert!(mix(128, 255) > 190 && mix(128, 0) < 66);
        assert_eq!(mix(128, 128), 128);
        for at in 1..256 {
            assert!(mix(at, 90) >= mix(at - 1, 90) && mix(90, at) >= mix(90, at - 1));
        }
    }

    #[test]
    fn sure_parts_are_filled_and_edges_are_bilinear() {
        // A person with a soft edge, and a spot.
        let (columns, rows) = (16, 9);
        let mut coarse = vec![0u8; columns * rows];
        for y in 2..8 {
            coarse[y * columns + 4..y * columns + 10].fill(255);
            coarse[y * columns + 3] = 90;
            coarse[y * columns + 10] = 200;
        }
        coarse[14] = 30;
        let at = |x: f32, y: f32| {
            let (x, y) = (x.clamp(0.0, 15.0), y.clamp(0.0, 8.0));
            let (left, top) = (x as usize, y as usize);
            let value = |x: usize, y: usize| f32::from(coarse[y.min(8) * columns + x.min(15)]);
            let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
            mix(
                mix(value(left, top), value(left + 1, top), x.fract()),
                mix(value(left, top + 1), value(left + 1, top + 1), x.fract()),
                y.fract(),
            )
        };
        let mut plain = Matte::new(columns, rows, Edges::Segmenter);
        // Larger, smaller, as large, no whole number of times, and the first size again.
        for (width, height) in [(80, 45), (7, 5), (16, 9), (101, 38), (80, 45)] {
            let mut rgba = vec![7u8; 4 * width * height];
            plain.lay(&coarse, &mut rgba, width);
            for (n, pixel) in rgba.as_chunks::<4>().0.iter().enumerate() {
                let x = ((n % width) as f32 + 0.5) * 16.0 / width as f32 - 0.5;
                let y = ((n / width) as f32 + 0.5) * 9.0 / height as f32 - 0.5;
                assert_eq!(pixel[..3], [7; 3]);
                let off = (f32::from(pixel[3]) - at(x, y)).abs();
                assert!(off <= 2.0, "{width} x {height}, {n}: {off}");
            }
        }
        // The drawing's own matte says that all are people.
        let mut rgba = vec![255u8; 4 * 80 * 45];
        Matte::new(columns, rows, Edges::Model).lay(&coarse, &mut rgba, 80);
        let alpha = |x: usize, y: usize| rgba[4 * (80 * y + x) + 3];
        assert_eq!((alpha(60, 40), alpha(35, 25)), (0, 255));
        // An edge of 90 is more than that.
        assert!(alpha(17, 25) > 150, "{}", alpha(17, 25));
        Matte::new(columns, rows, Edges::Model).lay(&coarse, &mut [], 0);
    }
}
