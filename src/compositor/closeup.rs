//! Lays close-ups of faces over the rows of a drawing, in memory.
//!
//! The device does the same in `closer` of `shaders/page.wgsl`.

use std::ops::Range;
use std::slice::from_ref;

use multiversion::multiversion;

use crate::frame::{CloseUp, CloseUps};
use crate::panels::Uv;

use super::wide::{Pixels, place};

/// A close-up is not shown where so many of its pixels would fall on one of the program: the
/// drawing is fine enough there, and calmer.
const MOST_SHRUNK: f32 = 2.2;
/// The matte from which people have their own colours, and a close-up may be seen; 36 above that it
/// is seen whole.
const SURE: u8 = 217;

/// What lies over a drawing.
#[derive(Clone, Copy)]
pub(super) struct Overlay<'a> {
    pub close_ups: &'a CloseUps,
    /// Whether the drawing is of people alone: along their edges it has their own colours, a
    /// close-up has not.
    pub people: bool,
}

/// Where a close-up lies in a program: a point of the program's picture, times the scale, plus the
/// origin, is one of the close-ups' picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mapping {
    pub origin: [f32; 2],
    pub scale: [f32; 2],
}

impl Mapping {
    /// Where `part` of a picture `side` pixels wide lies in a program, if it is shown there.
    pub fn of(part: &CloseUp, side: u32, uv: &Uv) -> Option<Self> {
        let scale = [0, 1].map(|axis| part.at.size[axis] / part.of.size[axis].max(1e-6));
        let origin = [0, 1].map(|axis| part.at.corner[axis] - part.of.corner[axis] * scale[axis]);
        let pixels = (uv.step[0] * scale[0]).abs() * side as f32;
        (pixels <= MOST_SHRUNK).then_some(Self { origin, scale })
    }
}

/// What is used from row to row.
#[derive(Default)]
pub(super) struct Overlayer {
    parts: Vec<Part>,
    /// One for each close-up.
    rows: [Pixels; CloseUp::MOST],
    row: Vec<[u8; 4]>,
}

/// A close-up in a tile.
struct Part {
    /// Which of the close-ups.
    number: usize,
    /// Its columns, of the tile's.
    columns: Range<usize>,
    /// Its heights in the drawing.
    heights: Range<f32>,
    /// Where the program's rows lie in the close-ups.
    origin: f32,
    step: f32,
}

impl Overlayer {
    /// Before the rows of a tile that begins at column `left` and is `width` wide.
    pub fn begin(&mut self, overlay: Option<&Overlay>, uv: &Uv, (left, width): (u32, u32)) {
        self.parts.clear();
        let Some(Overlay { close_ups, .. }) = overlay else {
            return;
        };
        let side = close_ups.picture.width();
        for (number, part) in close_ups.parts.iter().enumerate().take(CloseUp::MOST) {
            let Some(Mapping { origin, scale }) = Mapping::of(part, side, uv) else {
                continue;
            };
            let edges = |axis: usize| {
                let from = part.of.corner[axis];
                from..from + part.of.size[axis]
            };
            // Mirrored, the first column is the right one.
            let column = |u: f32| (u - uv.origin[0]) / uv.step[0] - left as f32;
            let (a, b) = (column(edges(0).start), column(edges(0).end));
            let clip = |x: f32| x.clamp(0.0, width as f32) as usize;
            let columns = clip(a.min(b).ceil())..clip(a.max(b).floor());
            if columns.is_empty() {
                continue;
            }
            let span = (left + columns.start as u32, columns.len() as u32);
            let along = |axis: usize| {
                let (from, step) = (uv.origin[axis], uv.step[axis]);
                (origin[axis] + from * scale[axis], step * scale[axis])
            };
            let (across, down) = (along(0), along(1));
            if let Some(rows) = self.rows.get_mut(number) {
                rows.begin(across.0, across.1, span, side);
            }
            self.parts.push(Part {
                number,
                columns,
                heights: edges(1),
                origin: down.0,
                step: down.1,
            });
        }
    }

    /// The pixels of the program's row `y`, with close-ups over them.
    pub fn row<'a>(
        &'a mut self,
        overlay: &Overlay,
        uv: &Uv,
        y: u32,
        pixels: &'a [[u8; 4]],
    ) -> &'a [[u8; 4]] {
        let v = uv.origin[1] + uv.step[1] * (y as f32 + 0.5);
        let Self { parts, rows, row } = self;
        let picture = &overlay.close_ups.picture;
        let mut is_copied = false;
        for part in parts.iter().filter(|part| part.heights.contains(&v)) {
            let Some(rows) = rows.get_mut(part.number) else {
                continue;
            };
            if !is_copied {
                row.resize(pixels.len(), [0; 4]);
                row.copy_from_slice(pixels);
                is_copied = true;
            }
            let height = place(part.origin, part.step, y, picture.height());
            let close = rows.at(picture, height, from_ref(&(0..part.columns.len())));
            if let Some(row) = row.get_mut(part.columns.clone()) {
                if overlay.people {
                    lay_inside(row, close);
                } else {
                    lay(row, close);
                }
            }
        }
        if is_copied { row } else { pixels }
    }
}

/// Lays a close-up over a row, which keeps its alpha.
#[multiversion(targets("x86_64+avx2"))]
fn lay(row: &mut [[u8; 4]], close: &[[u8; 4]]) {
    for (pixel, close) in row.iter_mut().zip(close) {
        let share = of_256(close[3]);
        *pixel = mixed(*pixel, *close, share);
    }
}

/// The same, only where people are for sure.
#[multiversion(targets("x86_64+avx2"))]
fn lay_inside(row: &mut [[u8; 4]], close: &[[u8; 4]]) {
    for (pixel, close) in row.iter_mut().zip(close) {
        let sure = u16::from(pixel[3].saturating_sub(SURE)) * 7;
        let share = ((u32::from(of_256(close[3])) * u32::from(sure.min(256))) >> 8) as u16;
        *pixel = mixed(*pixel, *close, share);
    }
}

/// 0..255 as a share of 256.
#[inline(always)]
fn of_256(byte: u8) -> u16 {
    u16::from(byte) + (u16::from(byte) >> 7)
}

#[inline(always)]
fn mixed(pixel: [u8; 4], close: [u8; 4], share: u16) -> [u8; 4] {
    let channel = |at: usize| {
        let both = u16::from(pixel[at]) * (256 - share) + u16::from(close[at]) * share;
        ((u32::from(both) + 128) >> 8) as u8
    };
    [channel(0), channel(1), channel(2), pixel[3]]
}
