//! Rows of a picture as a tile sees them: stretched to its width and mixed from two rows of the
//! picture.
//!
//! A program is often larger than a picture on it. So a row of the picture is stretched once and
//! serves several rows of the program. All loops run over flat numbers and nothing grows in them,
//! so that the compiler makes SIMD of them.

use std::ops::Range;

use multiversion::multiversion;

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
    // Not `round`: that is a call where the processor need not have an instruction for it.
    let fixed = (at * 256.0 + 0.5) as u32;
    (fixed >> 8, fixed & 255)
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
pub(super) type Pixels = Rows<[u8; 4]>;

/// Rows of a picture's brightness.
pub(super) type Brightness = Rows<Bright>;

/// Brightness, 128 for each step of a byte: 0..32640.
pub(super) type Bright = i16;

/// What of a pixel is looked at.
pub(super) trait Value: Copy + Default {
    /// The share of the right one of two.
    type Share: Copy;

    /// `of_256` as a share.
    fn share(of_256: u16) -> Self::Share;

    /// Those of a row's pixels; `kept` is for those that are not there as they are.
    fn of<'a>(pixels: &'a [[u8; 4]], kept: &'a mut Vec<Self>) -> &'a [Self];

    /// Mixes two rows, each with its own share of the right one.
    fn across(row: &mut [Self], left: &[Self], right: &[Self], shares: &[Self::Share]);

    /// Mixes two rows, all with one share, of 256, of the lower one.
    fn down(row: &mut [Self], above: &[Self], below: &[Self], share: u16);
}

/// Rows of a picture.
#[derive(Default)]
pub(super) struct Rows<V: Value> {
    /// The left of the two columns between which each pixel lies.
    left: Vec<u32>,
    share: Vec<V::Share>,
    /// Of a part of a row of the picture, where they are not its pixels.
    narrow: Vec<V>,
    /// Those in the two columns.
    pairs: [Vec<V>; 2],
    stretched: Stretched<V>,
    row: Vec<V>,
}

impl<V: Value> Rows<V> {
    /// Before the rows of a tile that begins at column `left` and is `width` wide, of a picture
    /// with so many columns.
    pub fn begin(&mut self, origin: f32, step: f32, (left, width): (u32, u32), side: u32) {
        self.left.clear();
        self.share.clear();
        for x in left..left + width {
            let (at, share) = place(origin, step, x, side);
            self.left.push(at);
            self.share.push(V::share(share as u16));
        }
        self.stretched.forget();
    }

    /// The columns between which pixel `x` of the tile lies: the left one.
    pub fn column(&self, x: usize) -> usize {
        self.left.get(x).copied().unwrap_or_default() as usize
    }

    /// Before other parts of rows than the last time.
    pub fn forget(&mut self) {
        self.stretched.forget();
    }

    /// The row at a height of the picture; what is outside of `parts` is not defined.
    pub fn at(&mut self, picture: &Picture, height: Between, parts: &[Range<usize>]) -> &[V] {
        let Self {
            left,
            share,
            narrow,
            pairs,
            stretched,
            row,
        } = self;
        let pixels = picture.rgba().as_chunks::<4>().0;
        let width = picture.width() as usize;
        let [above, below] = stretched.around(height, picture.height(), |number, wide| {
            let start = number as usize * width;
            let source = pixels.get(start..start + width).unwrap_or_default();
            wide.resize(left.len(), V::default());
            for part in parts {
                if let (Some(left), Some(share), Some(wide)) = (
                    left.get(part.clone()),
                    share.get(part.clone()),
                    wide.get_mut(part.clone()),
                ) {
                    find(source, left, narrow, pairs);
                    V::across(wide, &pairs[0], &pairs[1], share);
                }
            }
        });
        if height.1 == 0 {
            return above;
        }
        row.resize(above.len(), V::default());
        for part in parts {
            if let (Some(above), Some(below), Some(row)) = (
                above.get(part.clone()),
                below.get(part.clone()),
                row.get_mut(part.clone()),
            ) {
                V::down(row, above, below, height.1 as u16);
            }
        }
        row
    }
}

/// Finds what of a row of a picture lies in the given columns, and in those right of them.
fn find<V: Value>(
    source: &[[u8; 4]],
    columns: &[u32],
    narrow: &mut Vec<V>,
    [left, right]: &mut [Vec<V>; 2],
) {
    // Mirrored, they run the other way.
    let ends = [columns.first(), columns.last()].map(|end| end.copied().unwrap_or_default());
    let (first, last) = (ends[0].min(ends[1]), ends[0].max(ends[1]) as usize + 1);
    let last = last.min(source.len().saturating_sub(1));
    let seen = source.get(first as usize..=last).unwrap_or_default();
    let seen = V::of(seen, narrow);
    let Some(last) = seen.len().checked_sub(1) else {
        return;
    };
    for side in [&mut *left, &mut *right] {
        side.resize(columns.len(), V::default());
    }
    for (column, (left, right)) in columns.iter().zip(left.iter_mut().zip(right.iter_mut())) {
        // The right neighbour of the last column is itself. `last` is the last of `seen`: neither index
        // leaves it, and the compiler, which sees that, leaves its own look out.
        let at = (column.wrapping_sub(first) as usize).min(last);
        (*left, *right) = (seen[at], seen[(at + 1).min(last)]);
    }
}

impl Value for [u8; 4] {
    /// Of 256, once a channel.
    type Share = [u16; 4];

    fn share(of_256: u16) -> [u16; 4] {
        [of_256; 4]
    }

    fn of<'a>(pixels: &'a [[u8; 4]], _: &'a mut Vec<Self>) -> &'a [Self] {
        pixels
    }

    fn across(row: &mut [Self], left: &[Self], right: &[Self], shares: &[[u16; 4]]) {
        mix_bytes(
            row.as_flattened_mut(),
            left.as_flattened(),
            right.as_flattened(),
            shares.as_flattened(),
        );
    }

    fn down(row: &mut [Self], above: &[Self], below: &[Self], share: u16) {
        mix_bytes_evenly(
            row.as_flattened_mut(),
            above.as_flattened(),
            below.as_flattened(),
            share,
        );
    }
}

/// Mixes bytes, each with its own share of `b`.
#[multiversion(targets("x86_64+avx2"))]
fn mix_bytes(row: &mut [u8], a: &[u8], b: &[u8], shares: &[u16]) {
    for (byte, ((a, b), share)) in row.iter_mut().zip(a.iter().zip(b).zip(shares)) {
        *byte = mixed_byte(*a, *b, *share);
    }
}

/// Mixes bytes, all with one share of `b`.
#[multiversion(targets("x86_64+avx2"))]
fn mix_bytes_evenly(row: &mut [u8], a: &[u8], b: &[u8], share: u16) {
    for (byte, (a, b)) in row.iter_mut().zip(a.iter().zip(b)) {
        *byte = mixed_byte(*a, *b, share);
    }
}

/// `share` of 256 of `b`, the rest of `a`.
#[inline(always)]
fn mixed_byte(a: u8, b: u8, share: u16) -> u8 {
    ((u16::from(a) * (256 - share) + u16::from(b) * share + 128) >> 8) as u8
}

impl Value for Bright {
    /// Of 32768.
    type Share = Self;

    fn share(of_256: u16) -> Self {
        (of_256 << 7) as Self
    }

    fn of<'a>(pixels: &'a [[u8; 4]], kept: &'a mut Vec<Self>) -> &'a [Self] {
        kept.resize(pixels.len(), 0);
        brightness(kept, pixels);
        kept
    }

    fn across(row: &mut [Self], left: &[Self], right: &[Self], shares: &[Self]) {
        mix_bright(row, left, right, shares);
    }

    fn down(row: &mut [Self], above: &[Self], below: &[Self], share: u16) {
        mix_bright_evenly(row, above, below, Self::share(share));
    }
}

/// How bright pixels are.
#[multiversion(targets("x86_64+avx2"))]
fn brightness(row: &mut [Bright], pixels: &[[u8; 4]]) {
    for (value, pixel) in row.iter_mut().zip(pixels) {
        *value = (luma(pixel) >> 1) as Bright;
    }
}

/// Mixes brightness, each with its own share of `b`.
#[multiversion(targets("x86_64+avx2"))]
fn mix_bright(row: &mut [Bright], a: &[Bright], b: &[Bright], shares: &[Bright]) {
    for (value, ((a, b), share)) in row.iter_mut().zip(a.iter().zip(b).zip(shares)) {
        *value = mixed_bright(*a, *b, *share);
    }
}

/// Mixes brightness, all with one share of `b`.
#[multiversion(targets("x86_64+avx2"))]
fn mix_bright_evenly(row: &mut [Bright], a: &[Bright], b: &[Bright], share: Bright) {
    for (value, (a, b)) in row.iter_mut().zip(a.iter().zip(b)) {
        *value = mixed_bright(*a, *b, share);
    }
}

/// `share` of 32768 of `b`, the rest of `a`.
#[inline(always)]
fn mixed_bright(a: Bright, b: Bright, share: Bright) -> Bright {
    a + 2 * upper_half(b - a, share)
}

/// The product of two, the upper half of it: one instruction for eight of them.
#[inline(always)]
pub(super) fn upper_half(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 16) as i16
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
