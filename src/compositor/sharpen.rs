//! Lays the edges of a frame into the rows of a smaller drawing, in memory.
//!
//! The same is `sharpened` in `shaders/page.wgsl`; what it does and why is told in
//! [`guide`](super::guide).

use crate::frame::Picture;
use crate::panels::Uv;

use super::guide::NOISE;
use super::wide::{Bright, Brightness, Pixels, place, upper_half};

/// What a drawing follows.
#[derive(Clone, Copy)]
pub(super) struct Guide<'a> {
    /// The frame.
    pub frame: &'a Picture,
    /// The frame in the drawing's size.
    pub shrunk: &'a Picture,
    /// The drawing's gains.
    pub gains: &'a Picture,
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
}

/// [`NOISE`] as brightness.
const QUIET: Bright = (NOISE * 128.0) as Bright;

impl Sharpener {
    /// Before the rows of a tile that begins at column `left` and is `width` wide.
    pub fn begin(&mut self, guide: &Guide, uv: &Uv, span: (u32, u32)) {
        let (origin, step) = (uv.origin[0], uv.step[0]);
        let (frame, drawing) = (guide.frame.width(), guide.gains.width());
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
        let (in_drawing, in_frame) = (place(guide.gains.height()), place(guide.frame.height()));
        let gains = self.gains.at(guide.gains, in_drawing);
        let has_edges = gains.iter().any(|[r, g, b, _]| r | g | b != 0);
        if !has_edges && guide.plain <= 0.0 {
            return pixels;
        }
        self.row.resize(pixels.len(), [0; 4]);
        if guide.plain > 0.0 {
            let (frame, shrunk) = (
                self.frame.at(guide.frame, in_frame),
                self.shrunk.at(guide.shrunk, in_drawing),
            );
            // Both are opaque, so that the matte stays.
            let share = (guide.plain * 256.0).round() as i16;
            let pairs = frame.as_flattened().iter().zip(shrunk.as_flattened());
            let row = self.row.as_flattened_mut().iter_mut();
            for ((to, from), (frame, shrunk)) in row.zip(pixels.as_flattened()).zip(pairs) {
                let more = i16::from(*frame) - i16::from(*shrunk);
                let more = ((i32::from(more) * i32::from(share) + 128) >> 8) as i16;
                *to = (i16::from(*from) + more).clamp(0, 255) as u8;
            }
        } else {
            self.row.copy_from_slice(pixels);
        }
        if has_edges {
            let (frame, shrunk) = (
                self.frame_bright.at(guide.frame, in_frame),
                self.shrunk_bright.at(guide.shrunk, in_drawing),
            );
            self.edges.resize(pixels.len(), [0; 4]);
            find(&mut self.edges, frame, shrunk, gains);
            add(&mut self.row, &self.edges, gains);
        }
        &self.row
    }
}

/// What the frame has beyond its shrunk copy, without noise and sparks.
fn find(edges: &mut [[Bright; 4]], frame: &[Bright], shrunk: &[Bright], gains: &[[u8; 4]]) {
    let pairs = frame.iter().zip(shrunk);
    for ((edge, gain), (frame, shrunk)) in edges.iter_mut().zip(gains).zip(pairs) {
        let more = frame - shrunk;
        let most = Bright::from(gain[3]) << 7;
        let loud = more - more.min(QUIET).max(-QUIET);
        let loud = loud.min(most).max(-most);
        *edge = [loud, loud, loud, 0];
    }
}

/// Adds edges times gains.
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
