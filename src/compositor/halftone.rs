//! Prints the middle tones of a drawing in dots, at the program's size: a network's own dots would
//! be as coarse as its pixels and would be enlarged with them.
//!
//! A clustered-dot screen at 45 degrees (Ulichney: Digital Halftoning, 1987): a pixel is ink where
//! the screen's threshold is below the share that ink shall cover, and paper elsewhere. The paper
//! is lighter than the drawing by as much as the dots make it darker, so that a tone seen from afar
//! is what was drawn. Along strong edges nothing is printed: a pen's line stays a line.
//!
//! The device does the same in `printed` of `shaders/page.wgsl`.

use multiversion::multiversion;

use crate::frame::{Halftone, Size};

use super::guide::luma;
use super::wide::upper_half;

/// Brightness, of 255, below which nothing is printed, and from which all is.
const DARK: [f32; 2] = [26.0, 51.0];
/// Up to which all is printed, and above which nothing is.
const LIGHT: [f32; 2] = [163.0, 194.0];
/// The most that ink covers, 0..1; more would be ink with pinholes.
const MOST_COVER: f32 = 0.875;
/// By how much brightness may differ among neighbours, of 255, and from where on it is an edge. Low:
/// around eyes, nose and mouth, on dark skin most of all, dots would hide what is drawn.
const EDGE: [u8; 2] = [24, 60];

/// How wide and high the screen repeats itself in a program, in pixels; even. It has two dots in that.
pub(super) fn side(program: Size) -> u32 {
    (program.width.min(program.height) / 180 * 2).clamp(6, 64)
}

/// How hard the edges of dots are: they are one pixel wide.
pub(super) fn sharpness(side: u32) -> f32 {
    side as f32 / 2.6
}

/// The screen's threshold at a pixel, 0..1, evenly distributed. A quarter of a pixel aside, so that no
/// two pixels of a dot are alike.
fn threshold(side: u32, x: u32, y: u32) -> f32 {
    let wave = |at: u32| ((at as f32 + 0.25) * std::f32::consts::TAU / side as f32).cos();
    let height = wave(x) * wave(y);
    // The distribution of a product of two cosines, within 0.003.
    let (t, root) = (height.abs(), height.abs().sqrt());
    let share = 0.1307 * root + 1.9082 * t - 1.5045 * t * root + 0.4657 * t * t;
    0.5 - 0.5 * share.min(1.0).copysign(height)
}

/// Steps of the screen's thresholds.
const STEPS: usize = 128;

/// How far a pixel goes from the ink's colour, or towards it, of 256: -256 is ink.
type Push = i16;

/// Prints rows of a program; keeps its memory.
#[derive(Default)]
pub(super) struct Printer {
    row: Vec<[u8; 4]>,
    bright: Vec<u8>,
    pushes: Vec<[Push; 4]>,
    /// The ink, once a pixel: flat numbers for the compiler to take several at a time.
    inks: Vec<[i16; 4]>,
    /// What the tables are for.
    made_for: Option<(Halftone, u32)>,
    /// The screen's thresholds in steps, row by row, repeated until they are as wide as any tile.
    screen: Vec<Vec<u8>>,
    /// Of each brightness, for each threshold, where the drawing is flat.
    table: Vec<[Push; STEPS]>,
}

impl Printer {
    /// Before the rows of a tile of a program of `size`.
    pub fn begin(&mut self, halftone: Halftone, size: Size) {
        let side = side(size);
        let width = (size.width + side) as usize;
        if self.made_for != Some((halftone, side)) {
            self.made_for = Some((halftone, side));
            self.inks.clear();
            self.screen.clear();
            self.screen.resize(side as usize, Vec::new());
            self.table.clear();
            self.table
                .extend((0..=255).map(|bright| pushes_of(&halftone, side, bright)));
        }
        if self.screen.first().is_some_and(|row| row.len() < width) {
            for (row, y) in self.screen.iter_mut().zip(0..) {
                let step = |x: u32| (threshold(side, x, y) * STEPS as f32) as u8;
                row.clear();
                row.extend((0..side).map(step).cycle().take(width));
            }
        }
    }

    /// The pixels of the program's row `y` from column `left` on, printed. `relief` is that of the
    /// drawing at the same places.
    pub fn row<'a>(
        &'a mut self,
        (left, y): (u32, u32),
        pixels: &'a [[u8; 4]],
        relief: &[[u8; 4]],
    ) -> &'a [[u8; 4]] {
        let width = pixels.len();
        let side = self.screen.len().max(1);
        let screen = self.screen.get(y as usize % side);
        let screen = screen.and_then(|row| row.get(left as usize % side..)?.get(..width));
        let (Some((halftone, _)), Some(screen), Ok(table)) = (
            self.made_for,
            screen,
            <&[_; 256]>::try_from(&self.table[..]),
        ) else {
            return pixels;
        };
        self.bright.resize(width, 0);
        self.pushes.resize(width, [0; 4]);
        self.row.resize(width, [0; 4]);
        bright(&mut self.bright, pixels);
        look_up(&mut self.pushes, table, &self.bright, screen, relief);
        let [r, g, b] = halftone.ink.map(i16::from);
        self.inks.resize(width.max(self.inks.len()), [r, g, b, 0]);
        push(&mut self.row, pixels, &self.pushes, &self.inks);
        &self.row
    }
}

/// What is done to a brightness for each threshold. Paper, of which ink covers a share `c`, has the
/// drawn colour `d` when it is itself (d - c ink) / (1 - c). Where there is no ink that is d taken
/// away from the ink's colour 1 / (1 - c) times as far.
fn pushes_of(halftone: &Halftone, side: u32, bright: u8) -> [Push; STEPS] {
    let rise = |value: f32, [from, to]: [f32; 2]| ((value - from) / (to - from)).clamp(0.0, 1.0);
    let share = |byte: u8| f32::from(byte) / 255.0;
    let value = f32::from(bright);
    let amount = share(halftone.strength) * rise(value, DARK) * (1.0 - rise(value, LIGHT));
    let cover = ((1.0 - share(bright)) * share(halftone.cover)).min(MOST_COVER);
    std::array::from_fn(|step| {
        let threshold = (step as f32 + 0.5) / STEPS as f32;
        let on = ((cover - threshold) * sharpness(side) + 0.5).clamp(0.0, 1.0);
        let far = (1.0 - on) / (1.0 - cover);
        (amount * (far - 1.0) * 256.0).round() as Push
    })
}

/// How bright pixels are.
#[multiversion(targets("x86_64+avx2"))]
fn bright(bright: &mut [u8], pixels: &[[u8; 4]]) {
    for (value, pixel) in bright.iter_mut().zip(pixels) {
        *value = (luma(pixel) >> 8) as u8;
    }
}

/// What is done to a row's pixels; less where the drawing is not flat.
fn look_up(
    pushes: &mut [[Push; 4]],
    table: &[[Push; STEPS]; 256],
    bright: &[u8],
    screen: &[u8],
    relief: &[[u8; 4]],
) {
    let (from, to) = (u32::from(EDGE[0]), u32::from(EDGE[1]));
    let pixels = bright.iter().zip(screen).zip(relief);
    for (pushes, ((bright, step), [_, _, least, most])) in pushes.iter_mut().zip(pixels) {
        let push = table[usize::from(*bright)][usize::from(*step) % STEPS];
        let edge = u32::from(most.saturating_sub(*least)).clamp(from, to);
        let flat = (to - edge) * 256 / (to - from);
        let push = (i32::from(push) * flat as i32) >> 8;
        *pushes = [push as Push, push as Push, push as Push, 0];
    }
}

/// Pushes pixels away from the ink's colour, or to it.
#[multiversion(targets("x86_64+avx2"))]
fn push(row: &mut [[u8; 4]], pixels: &[[u8; 4]], pushes: &[[Push; 4]], inks: &[[i16; 4]]) {
    let pairs = pushes.as_flattened().iter().zip(inks.as_flattened());
    let pixels = pixels.as_flattened().iter().zip(pairs);
    for (out, (drawn, (push, ink))) in row.as_flattened_mut().iter_mut().zip(pixels) {
        let drawn = i16::from(*drawn);
        // A colour is at most 255 from the ink, a push at most 7 * 256: neither leaves 16 bits.
        let more = upper_half((drawn - ink) << 4, *push << 4);
        *out = (drawn + more).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compositor::relief::Relief;
    use crate::frame::Picture;

    const BLACK: Halftone = Halftone {
        strength: 255,
        cover: 255,
        ink: [0; 3],
    };

    /// What is printed of a picture of one colour, at its size.
    fn printed(colour: [u8; 4], halftone: Halftone) -> Vec<[u8; 4]> {
        let size = Size::new(360, 360);
        let mut picture = Picture::from_rgba(size, colour.repeat(size.area())).unwrap();
        picture.finish.halftone = halftone;
        print(&picture)
    }

    fn print(picture: &Picture) -> Vec<[u8; 4]> {
        let (mut relief, mut printer) = (Relief::default(), Printer::default());
        relief.take(picture, &[]);
        printer.begin(picture.finish.halftone, picture.size());
        let rows = |picture: &Picture| {
            let pixels = picture.rgba().as_chunks::<4>().0;
            let rows = pixels.chunks(picture.width() as usize);
            rows.map(<[[u8; 4]]>::to_vec).collect::<Vec<_>>()
        };
        let rows = rows(picture)
            .into_iter()
            .zip(rows(&relief.picture))
            .zip(0..);
        rows.flat_map(|((row, relief), y)| printer.row((0, y), &row, &relief).to_vec())
            .collect()
    }

    #[test]
    fn a_tone_is_as_bright_in_dots_as_it_was() {
        for bright in [60u8, 90, 128, 160] {
            let pixels = printed([bright, bright, bright, 77], BLACK);
            let mean =
                pixels.iter().map(|pixel| f32::from(pixel[0])).sum::<f32>() / pixels.len() as f32;
            assert!((mean - f32::from(bright)).abs() < 4.0, "{bright}: {mean}");
            let least = pixels.iter().map(|pixel| pixel[0]).min();
            let most = pixels.iter().map(|pixel| pixel[0]).max();
            assert!(
                least < Some(10) && most > Some(240),
                "{bright}: {least:?} {most:?}"
            );
            assert!(pixels.iter().all(|pixel| pixel[3] == 77), "the matte stays");
        }
    }

    #[test]
    fn paper_keeps_the_colour_where_ink_covers_less() {
        let halftone = Halftone {
            cover: 128,
            ink: [15, 13, 46],
            ..BLACK
        };
        let pixels = printed([60, 120, 180, 255], halftone);
        let mean = |channel: usize| {
            let sum: f32 = pixels.iter().map(|pixel| f32::from(pixel[channel])).sum();
            sum / pixels.len() as f32
        };
        for (channel, drawn) in [(0, 60.0), (1, 120.0), (2, 180.0)] {
            assert!(
                (mean(channel) - drawn).abs() < 4.0,
                "{channel}: {}",
                mean(channel)
            );
        }
    }

    #[test]
    fn paper_ink_and_the_edges_of_lines_are_not_printed() {
        for bright in [0, 20, 200, 255] {
            let pixels = printed([bright, bright, bright, 255], BLACK);
            assert!(pixels.iter().all(|pixel| pixel[0] == bright), "{bright}");
        }
        // A soft line, black on white, three pixels wide.
        let size = Size::new(360, 360);
        let tone = |at: usize| match at % 360 {
            180 => 0,
            179 | 181 => 128,
            _ => 255,
        };
        let pixels = (0..size.area()).flat_map(|at| [tone(at), tone(at), tone(at), 255]);
        let mut line = Picture::from_rgba(size, pixels.collect()).unwrap();
        line.finish.halftone = BLACK;
        let expected = line.rgba().as_chunks::<4>().0.to_vec();
        assert!(print(&line) == expected, "the line is dotted");
    }

    #[test]
    fn thresholds_are_evenly_distributed() {
        for side in [6, 8, 12, 20] {
            let all = (0..side).flat_map(|y| (0..side).map(move |x| threshold(side, x, y)));
            let mut all: Vec<f32> = all.collect();
            all.sort_by(f32::total_cmp);
            for (at, threshold) in all.iter().enumerate() {
                let even = (at as f32 + 0.5) / all.len() as f32;
                assert!(
                    (threshold - even).abs() < 0.09,
                    "{side}: {threshold} for {even}"
                );
            }
        }
    }
}
