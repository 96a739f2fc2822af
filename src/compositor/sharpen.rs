//! Lays the edges of a frame into the rows of a smaller drawing, in memory.
//!
//! The same is `sharpened` in `shaders/page.wgsl`; what it does and why is told in
//! [`guide`](super::guide).

use std::ops::Range;
use std::slice::from_ref;

use multiversion::multiversion;

use crate::frame::Picture;
use crate::panels::Uv;

use super::guide::{Gains, NOISE};
use super::wide::{Bright, Brightness, Pixels, place, upper_half};

/// What a drawing follows.
#[derive(Clone, Copy)]
pub(super) struct Guide<'a> {
    /// The frame.
    pub frame: &'a Picture,
    /// The frame in the drawing's size.
    pub shrunk: &'a Picture,
    /// The drawing's gains.
    pub gains: &'a Gains,
    /// The part of the picture that is the frame itself, 0..1.
    pub plain: f32,
}

/// What is used from row to row.
#[derive(Default)]
pub(super) struct Sharpener {
    gains: Pixels,
    frame_bright: Brightness,
    shrunk_bright: Brightness,
    /// For pictures that are the frame itself in part.
    frame: Pixels,
    shrunk: Pixels,
    /// How much brighter the frame is than its shrunk copy, once a colour; 0 for alpha.
    edges: Vec<[Bright; 4]>,
    row: Vec<[u8; 4]>,
    /// The row of the drawing that is above the program's.
    upper: Option<u32>,
    /// The parts of a program's row with gains, between that row of the drawing and the next.
    busy: Vec<Range<usize>>,
}

/// Pixels of a row that are looked at together.
const PART: usize = 32;

/// [`NOISE`] as brightness.
const QUIET: Bright = (NOISE * 128.0) as Bright;

impl Sharpener {
    /// Before the rows of a tile that begins at column `left` and is `width` wide.
    pub fn begin(&mut self, guide: &Guide, uv: &Uv, span: (u32, u32)) {
        let (origin, step) = (uv.origin[0], uv.step[0]);
        let (frame, drawing) = (guide.frame.width(), guide.gains.picture.width());
        self.upper = None;
        self.gains.begin(origin, step, span, drawing);
        self.shrunk_bright.begin(origin, step, span, drawing);
        self.frame_bright.begin(origin, step, span, frame);
        if guide.plain > 0.0 {
            self.shrunk.begin(origin, step, span, drawing);
            self.frame.begin(origin, step, span, frame);
        }
    }

    /// The pixels of the program's row `y`, sharpened.
    pub fn row<'a>(
        &'a mut self,
        guide: &Guide,
        uv: &Uv,
        y: u32,
        pixels: &'a [[u8; 4]],
    ) -> &'a [[u8; 4]] {
        let place = |height| place(uv.origin[1], uv.step[1], y, height);
        let gains = &guide.gains.picture;
        let (in_drawing, in_frame) = (place(gains.height()), place(guide.frame.height()));
        if self.upper != Some(in_drawing.0) {
            self.upper = Some(in_drawing.0);
            self.look(guide.gains, in_drawing.0, pixels.len());
        }
        if self.busy.is_empty() && guide.plain <= 0.0 {
            return pixels;
        }
        self.row.resize(pixels.len(), [0; 4]);
        self.row.copy_from_slice(pixels);
        if guide.plain > 0.0 {
            let all = 0..pixels.len();
            let (frame, shrunk) = (
                self.frame.at(guide.frame, in_frame, from_ref(&all)),
                self.shrunk.at(guide.shrunk, in_drawing, from_ref(&all)),
            );
            mix_in(&mut self.row, frame, shrunk, guide.plain);
        }
        let busy = &self.busy[..];
        let gains = self.gains.at(gains, in_drawing, busy);
        let frame = self.frame_bright.at(guide.frame, in_frame, busy);
        let shrunk = self.shrunk_bright.at(guide.shrunk, in_drawing, busy);
        for part in busy {
            let part = || part.clone();
            if let (Some(row), Some(gains), Some(frame), Some(shrunk)) = (
                self.row.get_mut(part()),
                gains.get(part()),
                frame.get(part()),
                shrunk.get(part()),
            ) {
                self.edges.resize(row.len(), [0; 4]);
                find(&mut self.edges, frame, shrunk, gains);
                add(row, &self.edges, gains);
            }
        }
        &self.row
    }

    /// Looks where a row of the drawing and the next one have gains.
    fn look(&mut self, gains: &Gains, upper: u32, width: usize) {
        self.busy.clear();
        for start in (0..width).step_by(PART) {
            let end = (start + PART).min(width);
            // Mirrored, they run the other way.
            let ends = [start, end - 1].map(|x| self.gains.column(x));
            let (first, last) = (ends[0].min(ends[1]), ends[0].max(ends[1]) + 1);
            if !gains.any(upper, first, last) && !gains.any(upper + 1, first, last) {
                continue;
            }
            match self.busy.last_mut() {
                Some(before) if before.end == start => before.end = end,
                _ => self.busy.push(start..end),
            }
        }
        self.gains.forget();
        self.frame_bright.forget();
        self.shrunk_bright.forget();
    }
}

/// Adds the difference between the frame and its shrunk copy, as far as a picture is plain. Both
/// are opaque, so that the matte stays.
#[multiversion(targets("x86_64+avx2"))]
fn mix_in(row: &mut [[u8; 4]], frame: &[[u8; 4]], shrunk: &[[u8; 4]], plain: f32) {
    let share = (plain * 256.0).round() as i16;
    let pairs = frame.as_flattened().iter().zip(shrunk.as_flattened());
    for (byte, (frame, shrunk)) in row.as_flattened_mut().iter_mut().zip(pairs) {
        let more = i16::from(*frame) - i16::from(*shrunk);
        let more = ((i32::from(more) * i32::from(share) + 128) >> 8) as i16;
        *byte = (i16::from(*byte) + more).clamp(0, 255) as u8;
    }
}

/// What the frame has beyond its shrunk copy, without noise and sparks.
#[multiversion(targets("x86_64+avx2"))]
fn find(edges: &mut [[Bright; 4]], frame: &[Bright], shrunk: &[Bright], gains: &[[u8; 4]]) {
    let pairs = frame.iter().zip(shrunk);
    for ((edge, gain), (frame, shrunk)) in edges.iter_mut().zip(gains).zip(pairs) {
        let more = frame - shrunk;
        let most = Bright::from(gain[3]) << 7;
        let loud = more - more.clamp(-QUIET, QUIET);
        let loud = loud.min(most).max(-most);
        *edge = [loud, loud, loud, 0];
    }
}

/// Adds edges times gains.
#[multiversion(targets("x86_64+avx2"))]
fn add(row: &mut [[u8; 4]], edges: &[[Bright; 4]], gains: &[[u8; 4]]) {
    let pairs = edges.as_flattened().iter().zip(gains.as_flattened());
    for (byte, (edge, gain)) in row.as_flattened_mut().iter_mut().zip(pairs) {
        // A gain of 255 is 3. The product, 2^14 times too large, is brought down in two steps: by
        // 2^16, and by 85 / 4; 10 is half a byte's step.
        let product = upper_half(i16::from(*gain) << 7, *edge);
        let more = upper_half(product + 10, 3084);
        *byte = (i16::from(*byte) + more).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_added_as_often_as_the_gain_says() {
        for (bright, expected) in [
            (0, [100, 100, 100, 77]),
            (20, [100, 120, 160, 77]),
            (-20, [100, 80, 40, 77]),
            (120, [100, 220, 255, 77]),
            (-127, [100, 0, 0, 77]),
        ] {
            let mut row = [[100, 100, 100, 77]];
            let edge = bright * 128;
            add(&mut row, &[[edge, edge, edge, 0]], &[[0, 85, 255, 60]]);
            for (got, expected) in row[0].iter().zip(expected) {
                assert!(got.abs_diff(expected) <= 1, "{row:?}, {bright}");
            }
        }
    }

    #[test]
    fn noise_is_no_edge_and_sparks_are_dimmed() {
        let mut edges = [[0; 4]; 4];
        let frame = [100, 102, 120, 250].map(|byte| byte * 128);
        find(&mut edges, &frame, &[100 * 128; 4], &[[9, 9, 9, 40]; 4]);
        let found = edges.map(|edge| f32::from(edge[0]) / 128.0);
        assert_eq!(found, [0.0, 0.0, 17.5, 40.0]);
    }
}
