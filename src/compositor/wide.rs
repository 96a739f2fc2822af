//! Rows of a picture as a tile sees them: stretched to its width and mixed from two rows of the
//! picture.
//!
//! A program is often larger than a picture on it. So a row of the picture is stretched once and
//! serves several rows of the program. All loops run over flat numbers and nothing grows in them,
//! so that the compiler makes SIMD of them.

use std::ops::Range;

use crate::frame::Picture;

use super::guide::luma;

/// A place between two rows or columns: the one before it, and the share of the next, 0..256.
pub(super) type Between = (u32, u32);

/// Where a program's row or column lies in a picture with `side` of them; `origin` and `step` are a
/// `Uv`'s.
#[inline]
pub(super) fn place(origin: f32, step: f32, at: u32, side: u32) -> Between {
    let at = (origin + step * (at as f32 + 0.5)) * side as f32 - 0.5;
    let at = at.clamp(0.0, side.saturating_sub(1) as f32);
    let fixed = (at * 256.0).round() as u32;
    (fixed >> 8, fixed & 255)
}

/// `share` of 256 of `b`, the rest of `a`.
#[inline]
fn mixed_byte(a: u8, b: u8, share: u16) -> u8 {
    ((u16::from(a) * (256 - share) + u16::from(b) * share + 128) >> 8) as u8
}

/// Two neighbouring rows, stretched: even ones, odd ones.
#[derive(Default)]
struct Stretched<T> {
    rows: [(Option<u32>, Vec<T>); 2],
}

impl<T> Stretched<T> {
    fn forget(&mut self) {
        for (number, _) in &mut self.rows {
            *number = None;
        }
    }

    /// The rows around a place in a picture of so many; `stretch` makes one that is not there.
    fn around(
        &mut self,
        (upper, share): Between,
        height: u32,
        mut stretch: impl FnMut(u32, &mut Vec<T>),
    ) -> [&[T]; 2] {
        let lower = (upper + u32::from(share > 0)).min(height.saturating_sub(1));
        for wanted in [upper, lower] {
            let (number, row) = &mut self.rows[(wanted & 1) as usize];
            if *number != Some(wanted) {
                *number = Some(wanted);
                stretch(wanted, row);
            }
        }
        [upper, lower].map(|number| &self.rows[(number & 1) as usize].1[..])
    }
}

/// Rows of pixels.
#[derive(Default)]
pub(super) struct Pixels {
    /// The left of the two columns between which each pixel lies.
    left: Vec<usize>,
    /// The share of the right one, 0..256, once a channel.
    share: Vec<[u16; 4]>,
    /// The picture's pixels in them.
    pairs: [Vec<[u8; 4]>; 2],
    stretched: Stretched<[u8; 4]>,
    row: Vec<[u8; 4]>,
}

impl Pixels {
    /// Before the rows of a tile that begins at column `left` and is `width` wide, of a picture
    /// with so many columns.
    pub fn begin(&mut self, origin: f32, step: f32, (left, width): (u32, u32), side: u32) {
        self.left.clear();
        self.share.clear();
        for x in left..left + width {
            let (at, share) = place(origin, step, x, side);
            self.left.push(at as usize);
            self.share.push([share as u16; 4]);
        }
        self.stretched.forget();
    }

    /// The columns between which pixel `x` of the tile lies: the left one.
    pub fn column(&self, x: usize) -> usize {
        self.left.get(x).copied().unwrap_or_default()
    }

    /// Before other parts of rows than the last time.
    pub fn forget(&mut self) {
        self.stretched.forget();
    }

    /// The pixels at a height of the picture; what is outside of `parts` is not defined.
    pub fn at(&mut self, picture: &Picture, height: Between, parts: &[Range<usize>]) -> &[[u8; 4]] {
        let Self {
            left,
            share,
            pairs,
            stretched,
            row,
        } = self;
        let pixels = picture.rgba().as_chunks::<4>().0;
        let width = picture.width() as usize;
        let [above, below] = stretched.around(height, picture.height(), |number, to| {
            let start = number as usize * width;
            let source = pixels.get(start..start + width).unwrap_or_default();
            to.resize(left.len(), [0; 4]);
            for part in parts {
                if let (Some(columns), Some(share), Some(to)) = (
                    left.get(part.clone()),
                    share.get(part.clone()),
                    to.get_mut(part.clone()),
                ) {
                    stretch(source, columns, share, pairs, to);
                }
            }
        });
        if height.1 == 0 {
            return above;
        }
        let share = height.1 as u16;
        row.resize(above.len(), [0; 4]);
        for part in parts {
            let (Some(above), Some(below), Some(row)) = (
                above.get(part.clone()),
                below.get(part.clone()),
                row.get_mut(part.clone()),
            ) else {
                continue;
            };
            let pairs = above.as_flattened().iter().zip(below.as_flattened());
            for (byte, (a, b)) in row.as_flattened_mut().iter_mut().zip(pairs) {
                *byte = mixed_byte(*a, *b, share);
            }
        }
        row
    }
}

/// A row of a picture as some columns see it.
fn stretch(
    source: &[[u8; 4]],
    columns: &[usize],
    share: &[[u16; 4]],
    [left, right]: &mut [Vec<[u8; 4]>; 2],
    wide: &mut [[u8; 4]],
) {
    for side in [&mut *left, &mut *right] {
        side.resize(columns.len(), [0; 4]);
    }
    let last = source.last().copied().unwrap_or_default();
    for (at, (left, right)) in columns.iter().zip(left.iter_mut().zip(right.iter_mut())) {
        // The right neighbour of the last column is itself.
        (*left, *right) = match source.get(*at..) {
            Some([left, right, ..]) => (*left, *right),
            _ => (last, last),
        };
    }
    let shares = share.as_flattened().iter();
    let pairs = left.as_flattened().iter().zip(right.as_flattened());
    for ((byte, (a, b)), share) in wide.as_flattened_mut().iter_mut().zip(pairs).zip(shares) {
        *byte = mixed_byte(*a, *b, *share);
    }
}

/// Brightness, 128 for each step of a byte: 0..32640.
pub(super) type Bright = i16;

/// The product of two, the upper half of it: one instruction for eight of them.
#[inline]
pub(super) fn upper_half(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
}

/// Rows of a picture's brightness.
#[derive(Default)]
pub(super) struct Brightness {
    /// The left of the two columns between which each pixel lies.
    left: Vec<usize>,
    /// The share of the right one, 0..32767.
    share: Vec<Bright>,
    /// The picture's brightness in them.
    pairs: [Vec<Bright>; 2],
    /// Of a part of a row of the picture.
    narrow: Vec<Bright>,
    stretched: Stretched<Bright>,
    row: Vec<Bright>,
}

impl Brightness {
    /// As [`Pixels::begin`].
    pub fn begin(&mut self, origin: f32, step: f32, (left, width): (u32, u32), side: u32) {
        self.left.clear();
        self.share.clear();
        for x in left..left + width {
            let (at, share) = place(origin, step, x, side);
            self.left.push(at as usize);
            self.share.push((share << 7) as Bright);
        }
        self.stretched.forget();
    }

    /// As [`Pixels::forget`].
    pub fn forget(&mut self) {
        self.stretched.forget();
    }

    /// The brightness at a height of the picture; what is outside of `parts` is not defined.
    pub fn at(&mut self, picture: &Picture, height: Between, parts: &[Range<usize>]) -> &[Bright] {
        let Self {
            left,
            share,
            pairs,
            narrow,
            stretched,
            row,
        } = self;
        let pixels = picture.rgba().as_chunks::<4>().0;
        let width = picture.width() as usize;
        let [above, below] = stretched.around(height, picture.height(), |number, wide| {
            let start = number as usize * width;
            let source = pixels.get(start..start + width).unwrap_or_default();
            wide.resize(left.len(), 0);
            for part in parts {
                if let (Some(columns), Some(share), Some(wide)) = (
                    left.get(part.clone()),
                    share.get(part.clone()),
                    wide.get_mut(part.clone()),
                ) {
                    brighten(source, (columns, share), narrow, pairs, wide);
                }
            }
        });
        if height.1 == 0 {
            return above;
        }
        let share = (height.1 << 7) as i16;
        row.resize(above.len(), 0);
        for part in parts {
            if let (Some(above), Some(below), Some(row)) = (
                above.get(part.clone()),
                below.get(part.clone()),
                row.get_mut(part.clone()),
            ) {
                for (mix, (a, b)) in row.iter_mut().zip(above.iter().zip(below)) {
                    *mix = between(*a, *b, share);
                }
            }
        }
        row
    }
}

/// The brightness of a row of a picture as some columns see it.
fn brighten(
    source: &[[u8; 4]],
    (columns, share): (&[usize], &[Bright]),
    narrow: &mut Vec<Bright>,
    [left, right]: &mut [Vec<Bright>; 2],
    wide: &mut [Bright],
) {
    // Mirrored, they run the other way.
    let ends = [columns.first(), columns.last()].map(|end| end.copied().unwrap_or_default());
    let (first, last) = (ends[0].min(ends[1]), ends[0].max(ends[1]) + 1);
    let last = last.min(source.len().saturating_sub(1));
    let seen = source.get(first..=last).unwrap_or_default();
    // The right neighbour of the last column is itself.
    narrow.resize(seen.len() + 1, 0);
    for (bright, pixel) in narrow.iter_mut().zip(seen.iter().chain(seen.last())) {
        *bright = (luma(pixel) >> 1) as Bright;
    }
    for side in [&mut *left, &mut *right] {
        side.resize(columns.len(), 0);
    }
    for (at, (left, right)) in columns.iter().zip(left.iter_mut().zip(right.iter_mut())) {
        if let Some([one, two, ..]) = narrow.get(at - first..) {
            (*left, *right) = (*one, *two);
        }
    }
    let pairs = left.iter().zip(right.iter());
    for ((wide, (left, right)), share) in wide.iter_mut().zip(pairs).zip(share) {
        *wide = between(*left, *right, *share);
    }
}

/// `share` of 32768 of `b`, the rest of `a`.
#[inline]
fn between(a: Bright, b: Bright, share: Bright) -> Bright {
    a + 2 * upper_half(b - a, share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    /// Both kinds of rows are what the plain formula gives, mirrored or not.
    #[test]
    fn rows_are_smooth_between_pixels() {
        let size = Size::new(9, 5);
        let pixels = (0..45u32).flat_map(|at| [at * 83 % 256, at * 31 % 256, at * 5, 255]);
        let picture = Picture::from_rgba(size, pixels.map(|value| value as u8).collect()).unwrap();
        let (mut rows, mut bright) = (Pixels::default(), Brightness::default());
        for (origin, step) in [(0.0, 0.04), (0.3, 0.01), (1.0, -0.04), (0.2, 0.2)] {
            let tile = (2, 20);
            rows.begin(origin, step, tile, 9);
            bright.begin(origin, step, tile, 9);
            for y in 0..30 {
                let height = place(0.0, 1.0 / 30.0, y, 5);
                let parts = [0..3, 3..20];
                let rows = rows.at(&picture, height, &parts);
                let bright = bright.at(&picture, height, &parts);
                assert_eq!((rows.len(), bright.len()), (20, 20));
                for x in 0..20 {
                    let across = place(origin, step, x + 2, 9);
                    let at = |channel: usize| {
                        let value = |dx: u32, dy: u32| {
                            let (x, y) = ((across.0 + dx).min(8), (height.0 + dy).min(4));
                            f64::from(picture.pixel(x, y).unwrap()[channel])
                        };
                        let (right, down) =
                            (f64::from(across.1) / 256.0, f64::from(height.1) / 256.0);
                        let row = |dy| value(0, dy) * (1.0 - right) + value(1, dy) * right;
                        row(0) * (1.0 - down) + row(1) * down
                    };
                    let [r, g, b] = [0, 1, 2].map(at);
                    assert!((f64::from(rows[x as usize][1]) - g).abs() <= 1.0);
                    let expected = (77.0 * r + 150.0 * g + 29.0 * b) / 256.0;
                    let got = f64::from(bright[x as usize]) / 128.0;
                    assert!((got - expected).abs() < 0.1, "{got}, {expected}");
                }
            }
        }
    }
}
