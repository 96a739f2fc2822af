//! Lays the edges of a frame into the lines of a smaller drawing, in memory.
//!
//! The same is `sharpened` in `shaders/page.wgsl`; what it does and why is told in
//! [`guide`](super::guide).

use crate::frame::Picture;
use crate::panels::Uv;

use super::guide::{NOISE, luma};
use super::pixel::{OPAQUE, Pixel, mixed};

/// What a drawing follows.
#[derive(Clone, Copy)]
pub(super) struct Guide<'a> {
    /// The frame.
    pub frame: &'a Picture,
    /// The frame in the drawing's size.
    pub shrunk: &'a Picture,
    /// The drawing's gains.
    pub gains: &'a Picture,
    /// The part of the picture that is the frame itself, of 256.
    pub plain: i32,
}

/// A place between pixels: the one before it, and the share of the next, 0..256.
pub(super) type Between = (u32, u32);

/// Where a row of a program lies in a drawing.
pub(super) struct Line<'a> {
    /// The first and the last column of the drawing that it shows.
    pub span: (u32, u32),
    /// Where each pixel lies, counted from the first of them.
    pub columns: &'a [Between],
    /// Between which rows of the drawing.
    pub row: Between,
    /// Between which rows of the frame.
    pub frame_row: Between,
}

/// What is used from row to row.
#[derive(Default)]
pub(super) struct Sharpener {
    /// Where the pixels of a row lie in the frame, counted from `first`.
    columns: Vec<Between>,
    /// The first and the last column of the frame that is shown.
    span: (u32, u32),
    /// A row of gains between two others.
    gains: Vec<[u8; 4]>,
    /// A row of the shrunk frame between two others, and its brightness.
    shrunk: Vec<[u8; 4]>,
    brightness: Vec<i32>,
    /// The brightness of the frame's rows that are between, each with its number.
    bright: [(Option<u32>, Vec<u16>); 2],
}

/// [`NOISE`] in the brightness of here, which goes to 65280.
const QUIET: i32 = (NOISE * 256.0) as i32;

impl Sharpener {
    /// Before the rows of a tile that begins at column `left` and is `width` wide.
    pub fn begin(&mut self, guide: &Guide, uv: &Uv, left: u32, width: u32) {
        let side = guide.frame.width();
        self.columns.clear();
        self.columns
            .extend((left..left + width).map(|x| between(uv.origin[0], uv.step[0], x, side)));
        self.span = relative(&mut self.columns, side);
        for (number, _) in &mut self.bright {
            *number = None;
        }
    }

    /// Sharpens the pixels of a row.
    pub fn row(&mut self, guide: &Guide, line: &Line, pixels: &mut [Pixel]) {
        mix_rows(guide.gains, line.span, line.row, &mut self.gains);
        let any = self
            .gains
            .iter()
            .any(|gain| has_gain(Pixel::from_le_bytes(*gain)));
        if guide.plain > 0 {
            mix_rows(guide.shrunk, line.span, line.row, &mut self.shrunk);
            self.add_frame(guide, line, pixels);
        }
        if any {
            self.add_edges(guide, line, pixels);
        }
    }

    /// Adds what the frame has beyond its shrunk copy, times the gains.
    fn add_edges(&mut self, guide: &Guide, line: &Line, pixels: &mut [Pixel]) {
        let Self {
            columns,
            span,
            gains,
            brightness,
            bright,
            ..
        } = self;
        brightness_of(guide.shrunk, line.span, line.row, brightness);
        let (upper, down) = line.frame_row;
        let [above, below] = rows_of(guide.frame, *span, upper, bright);
        let down = down as i32;
        for ((pixel, (at, right)), (frame_at, frame_right)) in
            pixels.iter_mut().zip(line.columns).zip(&*columns)
        {
            let (at, frame_at) = (*at as usize, *frame_at as usize);
            let Some([left_gain, right_gain]) = gains.get(at..at + 2) else {
                continue;
            };
            let (left_gain, right_gain) = (
                Pixel::from_le_bytes(*left_gain),
                Pixel::from_le_bytes(*right_gain),
            );
            if !has_gain(left_gain | right_gain) {
                continue;
            }
            let (Some([a, b]), Some([c, d]), Some([e, f])) = (
                above.get(frame_at..frame_at + 2),
                below.get(frame_at..frame_at + 2),
                brightness.get(at..at + 2),
            ) else {
                continue;
            };
            let share = *frame_right as i32;
            let high = lerp(i32::from(*a), i32::from(*b), share);
            let low = lerp(i32::from(*c), i32::from(*d), share);
            let more = lerp(high, low, down) - lerp(*e, *f, *right as i32);
            let edge = more - more.clamp(-QUIET, QUIET);
            if edge != 0 {
                let gain = mixed(left_gain, right_gain, *right);
                let most = (gain >> 24 << 8) as i32;
                *pixel = added(*pixel, gain, edge.clamp(-most, most));
            }
        }
    }

    /// Adds the difference between the frame and its shrunk copy, as far as the picture is plain.
    fn add_frame(&self, guide: &Guide, line: &Line, pixels: &mut [Pixel]) {
        let (upper, down) = line.frame_row;
        let [above, below] = [upper, upper + 1].map(|y| row(guide.frame, self.span, y));
        let pixel_at = |row: &[[u8; 4]], at: usize| {
            let at = row.get(at.min(row.len().saturating_sub(1)));
            at.map_or(0, |pixel| Pixel::from_le_bytes(*pixel))
        };
        for ((pixel, (at, right)), (frame_at, frame_right)) in
            pixels.iter_mut().zip(line.columns).zip(&self.columns)
        {
            let (at, frame_at) = (*at as usize, *frame_at as usize);
            let [high, low] = [above, below].map(|row| {
                let (left, right) = (pixel_at(row, frame_at), pixel_at(row, frame_at + 1));
                mixed(left, right, *frame_right)
            });
            let frame = mixed(high, low, down).to_le_bytes();
            let (left, next) = (pixel_at(&self.shrunk, at), pixel_at(&self.shrunk, at + 1));
            let shrunk = mixed(left, next, *right).to_le_bytes();
            let mut bytes = pixel.to_le_bytes();
            for ((byte, frame), shrunk) in bytes.iter_mut().zip(frame).zip(shrunk).take(3) {
                let more = (i32::from(frame) - i32::from(shrunk)) * guide.plain;
                *byte = (i32::from(*byte) + ((more + 128) >> 8)).clamp(0, 255) as u8;
            }
            *pixel = Pixel::from_le_bytes(bytes);
        }
    }
}

/// Where a program's pixel lies between those of a picture with `side` of them; `origin` and `step`
/// are a [`Uv`]'s.
#[inline]
pub(super) fn between(origin: f32, step: f32, at: u32, side: u32) -> Between {
    let at = (origin + step * (at as f32 + 0.5)) * side as f32 - 0.5;
    let at = at.clamp(0.0, side.saturating_sub(1) as f32);
    let fixed = (at * 256.0).round() as u32;
    (fixed >> 8, fixed & 255)
}

/// Counts columns from the first that is needed; mirrored, they run the other way. Returns the
/// first and the last.
pub(super) fn relative(columns: &mut [Between], side: u32) -> (u32, u32) {
    let ends = [columns.first(), columns.last()].map(|end| end.map_or(0, |end| end.0));
    let first = ends[0].min(ends[1]);
    let last = (ends[0].max(ends[1]) + 1).min(side.saturating_sub(1));
    columns.iter_mut().for_each(|column| column.0 -= first);
    (first, last)
}

/// The pixels of a row from one column to another; the last row repeats.
pub(super) fn row(picture: &Picture, (first, last): (u32, u32), y: u32) -> &[[u8; 4]] {
    let y = y.min(picture.height().saturating_sub(1)) as usize;
    let start = y * picture.width() as usize;
    let pixels = picture.rgba().as_chunks::<4>().0;
    pixels
        .get(start + first as usize..=start + last as usize)
        .unwrap_or_default()
}

/// The pixels between two rows, and the last of them once more: its right neighbour is itself.
pub(super) fn mix_rows(
    picture: &Picture,
    span: (u32, u32),
    (upper, share): Between,
    mix: &mut Vec<[u8; 4]>,
) {
    let (above, below) = (row(picture, span, upper), row(picture, span, upper + 1));
    let share = share as u16;
    if share == 0 {
        mix.clear();
        mix.extend_from_slice(above);
    } else {
        // Flat bytes and no growing, so that the compiler makes SIMD of it.
        mix.resize(above.len(), [0; 4]);
        let pairs = above.as_flattened().iter().zip(below.as_flattened());
        for (byte, (a, b)) in mix.as_flattened_mut().iter_mut().zip(pairs) {
            let sum = u16::from(*a) * (256 - share) + u16::from(*b) * share + 128;
            *byte = (sum >> 8) as u8;
        }
    }
    mix.extend(mix.last().copied());
}

/// The brightness between two rows, and the last once more.
fn brightness_of(picture: &Picture, span: (u32, u32), (upper, share): Between, mix: &mut Vec<i32>) {
    let (above, below) = (row(picture, span, upper), row(picture, span, upper + 1));
    mix.clear();
    mix.extend(
        above
            .iter()
            .zip(below)
            .map(|(a, b)| lerp(i32::from(luma(a)), i32::from(luma(b)), share as i32)),
    );
    mix.extend(mix.last().copied());
}

/// The brightness of row `upper` of a picture and of the next one. They are kept until others are
/// needed.
fn rows_of<'a>(
    picture: &Picture,
    span: (u32, u32),
    upper: u32,
    kept: &'a mut [(Option<u32>, Vec<u16>); 2],
) -> [&'a [u16]; 2] {
    let upper = upper.min(picture.height().saturating_sub(1));
    let lower = (upper + 1).min(picture.height().saturating_sub(1));
    for y in [upper, lower] {
        // Rows next to each other have places of their own.
        let (number, brightness) = &mut kept[y as usize % 2];
        if *number != Some(y) {
            *number = Some(y);
            brightness.clear();
            brightness.extend(row(picture, span, y).iter().map(luma));
            brightness.extend(brightness.last().copied());
        }
    }
    [upper, lower].map(|y| &kept[y as usize % 2].1[..])
}

#[inline]
fn has_gain(gains: Pixel) -> bool {
    gains & !OPAQUE != 0
}

#[inline]
fn lerp(a: i32, b: i32, share: i32) -> i32 {
    a + (((b - a) * share) >> 8)
}

/// A pixel with an edge, of brightness up to 65280, times the gains.
#[inline]
fn added(pixel: Pixel, gains: Pixel, edge: i32) -> Pixel {
    let mut bytes = pixel.to_le_bytes();
    for (byte, gain) in bytes.iter_mut().zip(gains.to_le_bytes()).take(3) {
        // By 85 and 256: a gain of 255 is 3.
        let more = ((i32::from(gain) * edge >> 8) * 771 + 0x8000) >> 16;
        *byte = (i32::from(*byte) + more).clamp(0, 255) as u8;
    }
    Pixel::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_added_as_often_as_the_gain_says() {
        let grey = Pixel::from_le_bytes([100, 100, 100, 77]);
        let gains = Pixel::from_le_bytes([0, 85, 255, 0]);
        for (edge, expected) in [
            (0, [100, 100, 100, 77]),
            (20 * 256, [100, 120, 160, 77]),
            (-20 * 256, [100, 80, 40, 77]),
            (200 * 256, [100, 255, 255, 77]),
            (-65280, [100, 0, 0, 77]),
        ] {
            assert_eq!(added(grey, gains, edge).to_le_bytes(), expected, "{edge}");
        }
    }

    #[test]
    fn places_are_counted_from_the_first_whichever_way_they_run() {
        for step in [0.01f32, -0.01] {
            let origin = if step > 0.0 { 0.2 } else { 0.8 };
            let mut columns: Vec<Between> =
                (0..40).map(|x| between(origin, step, x, 200)).collect();
            let (first, last) = relative(&mut columns, 200);
            assert!(first < last && last < 200);
            assert!(columns.iter().all(|(at, _)| at + first <= last));
            assert!(columns.iter().any(|(at, _)| *at == 0));
        }
    }
}
