//! The skin keeps its own tone, whatever a style does to it.
//!
//! The first moment of Reinhard's colour transfer (Reinhard, Ashikhmin, Gooch and Shirley, "Color
//! transfer between images", 2001) in CIELAB, from the camera's skin to the drawing's, with means
//! taken around each place instead of over the whole picture: two people keep two tones, and the
//! drawing keeps its own light and shade. The mean colour around a place is moved in CIELAB, and the
//! pixels there take the step it takes. Skin is what lies in the matte and has the chroma of
//! skin, which is nearly the same for all tones (Chai and Ngan, "Face segmentation using
//! skin-color map", 1999).

use multiversion::multiversion;
use palette::{FromColor as _, IntoColor as _, Lab, LinSrgb, Srgb};

use crate::frame::Picture;

use super::blocks::{Blocks, SIDE};

/// Chroma of skin, Cb and Cr, and how soft its limits are, in levels.
const CB: [f32; 2] = [77.0, 127.0];
const CR: [f32; 2] = [133.0, 173.0];
const SOFT: f32 = 5.0;
/// Less skin than this share of the picture is none.
const LEAST: f32 = 0.002;
/// Means are taken over about this share of the picture's height around each place.
const AROUND: f32 = 0.12;
/// Blocks a side of a place: means over a part of the picture need no finer ones.
const PLACE: usize = 4;
/// Darker than the first level is ink and stays; from the second on, skin is moved altogether. L* of
/// 12 and 35.
const INK: [f32; 2] = [31.0, 83.0];

/// The skin of a place: how much there is, and sums of its colours, red, green, blue, each times how
/// much it is skin.
#[derive(Clone, Copy, Default)]
struct Tone {
    skin: f32,
    /// In the camera's picture.
    own: [f32; 3],
    /// In the drawing.
    drawn: [f32; 3],
}

/// What pixels are moved by: red, green, blue, in levels.
type Step = [f32; 3];

/// Keeps skin tones; its memory is allocated with the first picture of a size.
#[derive(Default)]
pub(super) struct Skin {
    /// How much of each block is skin, 0..1, and the same with soft edges.
    skin: Vec<f32>,
    between: Vec<f32>,
    soft: Vec<f32>,
    /// Of each place, and around it.
    tones: Vec<Tone>,
    sums: Vec<Tone>,
    around: Vec<Tone>,
    /// Of each place, and of each block as far as it is skin.
    wide: Vec<Step>,
    steps: Vec<Step>,
    /// The steps of one row of pixels, a block each.
    row: Vec<Step>,
}

impl Skin {
    /// Moves the skin in `drawing`, whose blocks are `drawn`, to the tone it has in `input`.
    pub fn keep(&mut self, input: &Blocks, drawn: &Blocks, drawing: &mut Picture, amount: f32) {
        let (columns, rows) = (input.columns(), input.rows());
        let blocks = input.colours().iter().zip(drawn.colours());
        self.skin.clear();
        self.skin.extend(blocks.map(|(input, drawn)| {
            let skin = likeness(*input) * f32::from(drawn[3]) / 255.0;
            if skin < 0.02 { 0.0 } else { skin }
        }));
        let skin: f32 = self.skin.iter().sum();
        if skin <= LEAST * self.skin.len() as f32 {
            return;
        }
        self.look_around(input, drawn);
        self.wide.clear();
        self.wide
            .extend(self.around.iter().map(|tone| tone.step(amount)));
        // Soft edges, one block wide.
        widen(&self.skin, columns, &mut self.between, &mut self.soft);

        let across = columns.div_ceil(PLACE);
        self.steps.clear();
        self.steps.resize(columns * rows, Step::default());
        for (at, (step, soft)) in self.steps.iter_mut().zip(&self.soft).enumerate() {
            if *soft > 0.004 {
                *step = between(&self.wide, across, at % columns, at / columns);
                step.iter_mut().for_each(|value| *value *= soft);
            }
        }
        self.apply(drawing, columns, rows);
    }

    /// Finds the tones, and their sums around each place.
    fn look_around(&mut self, input: &Blocks, drawn: &Blocks) {
        let (columns, rows) = (input.columns(), input.rows());
        let (across, down) = (columns.div_ceil(PLACE), rows.div_ceil(PLACE));
        self.tones.clear();
        self.tones.resize(across * down, Tone::default());
        let blocks = input.colours().iter().zip(drawn.colours()).zip(&self.skin);
        for (at, ((input, drawn), skin)) in blocks.enumerate() {
            let place = at / columns / PLACE * across + at % columns / PLACE;
            if let (true, Some(tone)) = (*skin > 0.0, self.tones.get_mut(place)) {
                let colour = |rgba: &[u8; 4]| [0, 1, 2].map(|at| f32::from(rgba[at]) * skin);
                let (own, drawn) = (colour(input), colour(drawn));
                tone.add(&Tone {
                    skin: *skin,
                    own,
                    drawn,
                });
            }
        }
        let reach = ((AROUND * down as f32).round() as usize).max(1);
        // Twice a box is nearly a Gaussian.
        add_up(&self.tones, across, reach, &mut self.sums, &mut self.around);
        self.tones.copy_from_slice(&self.around);
        add_up(&self.tones, across, reach, &mut self.sums, &mut self.around);
    }

    /// Moves each pixel by the steps of the blocks around it.
    fn apply(&mut self, drawing: &mut Picture, columns: usize, rows: usize) {
        let width = drawing.width() as usize;
        for (y, pixels) in drawing.rgba_mut().chunks_exact_mut(width * 4).enumerate() {
            let (upper, share) = neighbour(y);
            let line = |row: usize| {
                let row = row.saturating_sub(1).min(rows - 1);
                &self.steps[row * columns..(row + 1) * columns]
            };
            let (upper, lower) = (line(y / SIDE + upper), line(y / SIDE + upper + 1));
            self.row.clear();
            self.row
                .extend(upper.iter().zip(lower).map(|(upper, lower)| {
                    std::array::from_fn(|at| upper[at] + (lower[at] - upper[at]) * share)
                }));
            move_row(pixels, &self.row);
        }
    }
}

/// The first of two neighbouring blocks between whose centres a pixel lies, 0 the one before its own
/// and 1 its own, and the second's share.
#[inline(always)]
fn neighbour(at: usize) -> (usize, f32) {
    let from_centre = ((at % SIDE) as f32 + 0.5) / SIDE as f32 - 0.5;
    if from_centre < 0.0 {
        (0, from_centre + 1.0)
    } else {
        (1, from_centre)
    }
}

/// Moves a row's pixels by their blocks' steps, from one block to the next smoothly.
#[multiversion(targets("x86_64+avx2"))]
fn move_row(pixels: &mut [u8], steps: &[Step]) {
    for (column, pixels) in pixels.chunks_mut(4 * SIDE).enumerate() {
        let near = |to: usize| steps[(column + to).saturating_sub(1).min(steps.len() - 1)];
        let around = [near(0), near(1), near(2)];
        if around == [Step::default(); 3] {
            continue;
        }
        // A block at a time, in arrays of one length: the last one of a row may be narrower.
        let mut colours = [0.0; 4 * SIDE];
        for (colour, byte) in colours.iter_mut().zip(&*pixels) {
            *colour = f32::from(*byte);
        }
        // Plain loops over flat arrays: the compiler makes SIMD of them. Alpha is not moved.
        let (mut moves, mut lit) = ([0.0; 4 * SIDE], [0.0; 4 * SIDE]);
        for x in 0..SIDE {
            let (left, share) = neighbour(x);
            let (left, right) = (&around[left], &around[left + 1]);
            for at in 0..3 {
                moves[4 * x + at] = left[at] + (right[at] - left[at]) * share;
            }
            let [red, green, blue] = [0, 1, 2].map(|at| colours[4 * x + at]);
            let light = 0.299 * red + 0.587 * green + 0.114 * blue;
            lit[4 * x..4 * x + 3].fill(((light - INK[0]) / (INK[1] - INK[0])).clamp(0.0, 1.0));
        }
        let mut moved = [0u8; 4 * SIDE];
        for at in 0..4 * SIDE {
            // In a float of this size the lowest bits are the whole number.
            let value = (colours[at] + moves[at] * lit[at]).clamp(0.0, 255.0) + 8_388_608.0;
            moved[at] = value.to_bits() as u8;
        }
        pixels.copy_from_slice(&moved[..pixels.len()]);
    }
}

/// How much a colour is one of skin, 0..1.
fn likeness(rgba: [u8; 4]) -> f32 {
    let [red, green, blue, _] = rgba.map(f32::from);
    let cb = 128.0 - 0.168_736 * red - 0.331_264 * green + 0.5 * blue;
    let cr = 128.0 + 0.5 * red - 0.418_688 * green - 0.081_312 * blue;
    let within = |value: f32, [low, high]: [f32; 2]| {
        let inside = (value - low).min(high - value);
        (inside / SOFT + 0.5).clamp(0.0, 1.0)
    };
    within(cb, CB) * within(cr, CR)
}

impl Tone {
    fn add(&mut self, other: &Self) {
        self.skin += other.skin;
        for at in 0..3 {
            self.own[at] += other.own[at];
            self.drawn[at] += other.drawn[at];
        }
    }

    /// What the drawing's mean colour changes by when its L*, a*, b* go this far to the camera's.
    fn step(&self, amount: f32) -> Step {
        if self.skin <= 0.0 {
            return Step::default();
        }
        let lab = |sums: [f32; 3]| {
            let [red, green, blue] = sums.map(|sum| sum / self.skin / 255.0);
            Lab::from_color(Srgb::new(red, green, blue).into_linear())
        };
        let (own, mut tone) = (lab(self.own), lab(self.drawn));
        tone.l += (own.l - tone.l) * amount;
        tone.a += (own.a - tone.a) * amount;
        tone.b += (own.b - tone.b) * amount;
        let linear: LinSrgb = tone.into_color();
        let moved: Srgb = Srgb::from_linear(linear);
        let moved = [moved.red, moved.green, moved.blue];
        std::array::from_fn(|at| moved[at] * 255.0 - self.drawn[at] / self.skin)
    }
}

/// The step at a block, between those of the places around it.
fn between(steps: &[Step], across: usize, column: usize, row: usize) -> Step {
    let last = [across, steps.len() / across].map(|count| count - 1);
    // The first of two places, the second, and its share.
    let place = |at: usize, last: usize| {
        let at = ((at as f32 + 0.5) / PLACE as f32 - 0.5).clamp(0.0, last as f32);
        let first = at as usize;
        (first, (first + 1).min(last), at - first as f32)
    };
    let (left, right, along) = place(column, last[0]);
    let (upper, lower, down) = place(row, last[1]);
    let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
    std::array::from_fn(|at| {
        let row = |y: usize| {
            let (left, right) = (&steps[y * across + left], &steps[y * across + right]);
            mix(left[at], right[at], along)
        };
        mix(row(upper), row(lower), down)
    })
}

/// Sums of the tones up to `reach` columns and rows away.
fn add_up(
    tones: &[Tone],
    columns: usize,
    reach: usize,
    between: &mut Vec<Tone>,
    out: &mut Vec<Tone>,
) {
    let rows = tones.len() / columns;
    between.resize(tones.len(), Tone::default());
    out.resize(tones.len(), Tone::default());
    let around = |at: usize, count: usize| at.saturating_sub(reach)..(at + reach + 1).min(count);
    for (at, sum) in between.iter_mut().enumerate() {
        *sum = Tone::default();
        let (row, column) = (at / columns, at % columns);
        around(column, columns).for_each(|x| sum.add(&tones[row * columns + x]));
    }
    for (at, sum) in out.iter_mut().enumerate() {
        *sum = Tone::default();
        let (row, column) = (at / columns, at % columns);
        around(row, rows).for_each(|y| sum.add(&between[y * columns + column]));
    }
}

/// Means of the blocks one column and one row away.
fn widen(blocks: &[f32], columns: usize, between: &mut Vec<f32>, out: &mut Vec<f32>) {
    let rows = blocks.len() / columns;
    between.resize(blocks.len(), 0.0);
    out.resize(blocks.len(), 0.0);
    for (row, sums) in between.chunks_exact_mut(columns).enumerate() {
        let line = |row: usize| &blocks[row * columns..(row + 1) * columns];
        let (above, below) = (line(row.saturating_sub(1)), line((row + 1).min(rows - 1)));
        let beside = above.iter().zip(below).zip(line(row));
        for (sum, ((above, below), own)) in sums.iter_mut().zip(beside) {
            *sum = (above + below + own) / 3.0;
        }
    }
    let lines = between
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns));
    for (line, sums) in lines {
        for (column, sum) in sums.iter_mut().enumerate() {
            let (left, right) = (column.saturating_sub(1), (column + 1).min(columns - 1));
            *sum = (line[left] + line[column] + line[right]) / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    /// A picture whose left and right halves have these colours, all of it person.
    fn halves(left: [u8; 3], right: [u8; 3]) -> Picture {
        let size = Size::new(320, 160);
        let mut picture = Picture::new(size);
        for (at, pixel) in picture
            .rgba_mut()
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .enumerate()
        {
            let [red, green, blue] = if at as u32 % size.width < 160 {
                left
            } else {
                right
            };
            *pixel = [red, green, blue, 255];
        }
        picture
    }

    fn kept(input: &Picture, drawing: &Picture, amount: f32) -> Picture {
        let (mut before, mut drawn) = (Blocks::default(), Blocks::default());
        let mut result = drawing.clone();
        before.take(input);
        drawn.take(drawing);
        Skin::default().keep(&before, &drawn, &mut result, amount);
        result
    }

    const DARK: [u8; 3] = [92, 62, 48];
    const LIGHT: [u8; 3] = [228, 186, 164];

    #[test]
    fn two_people_keep_two_tones() {
        let input = halves(DARK, LIGHT);
        // A style that whitens everybody.
        let drawing = halves([190, 160, 150], [250, 235, 228]);
        let result = kept(&input, &drawing, 1.0);
        for (x, own) in [(30, DARK), (290, LIGHT)] {
            let found = result.pixel(x, 80).unwrap();
            for channel in 0..3 {
                assert!(
                    found[channel].abs_diff(own[channel]) <= 6,
                    "{found:?}, not {own:?}"
                );
            }
        }
        // Half the slider, about half the way.
        let half = kept(&input, &drawing, 0.5).pixel(30, 80).unwrap();
        assert!((120..165).contains(&half[0]), "{half:?}");
    }

    #[test]
    fn all_tones_are_skin_and_grey_green_and_blue_are_not() {
        for skin in [DARK, LIGHT, [60, 40, 32], [141, 94, 72], [198, 150, 120]] {
            assert!(likeness([skin[0], skin[1], skin[2], 255]) > 0.8, "{skin:?}");
        }
        for other in [
            [128, 128, 128],
            [40, 140, 60],
            [30, 60, 160],
            [250, 250, 250],
            [10, 10, 10],
        ] {
            assert!(
                likeness([other[0], other[1], other[2], 255]) < 0.05,
                "{other:?}"
            );
        }
    }

    #[test]
    fn ink_and_what_is_no_person_stay() {
        let input = halves(DARK, LIGHT);
        let mut drawing = halves([190, 160, 150], [250, 235, 228]);
        let pixels = drawing.rgba_mut().as_chunks_mut::<4>().0;
        pixels[80 * 320 + 30] = [5, 4, 6, 255];
        for pixel in &mut pixels[..320 * 40] {
            pixel[3] = 0;
        }
        let before = drawing.clone();
        let result = kept(&input, &drawing, 1.0);
        assert_eq!(result.pixel(30, 80), Some([5, 4, 6, 255]));
        assert_eq!(result.pixel(290, 20), before.pixel(290, 20));
    }
}
