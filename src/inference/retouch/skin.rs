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
use super::part;

/// Chroma of skin, Cb and Cr, and how soft its limits are, in levels.
const CB: [f32; 2] = [77.0, 127.0];
const CR: [f32; 2] = [133.0, 173.0];
const SOFT: f32 = 5.0;
/// Less skin than this share of the picture is none.
const LEAST: f32 = 0.002;
/// Means are taken over about this share of the picture's height around each place.
const AROUND: f32 = 0.12;
/// That many places away: means over a part of the picture need no finer ones.
const REACH: usize = 3;
/// Darker than the first level is ink and stays; from the second on, skin is moved altogether. L* of
/// 12 and 35.
const INK: [f32; 2] = [31.0, 83.0];
/// A share of one.
const ALL: f32 = 32_768.0;
/// How much more of its step a pixel takes for each level that it is lighter than ink, of [`ALL`].
const STEEP: i32 = (ALL / (INK[1] - INK[0])) as i32;
/// The share, of [`ALL`], that each pixel of a block has of the block's own step; the rest is that of
/// the block it lies nearest to.
const NEAR: [i16; SIDE] = [20_480, 28_672, 28_672, 20_480];
/// Blocks whose pixels are moved together.
const TOGETHER: usize = 4;
/// Bytes of the pixels of one row of them.
const BYTES: usize = 4 * SIDE * TOGETHER;

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

/// What pixels are moved by: red, green, blue, and alpha, which is not. Of a place in levels.
type Step = [f32; 4];

/// The same of a block, in whole parts of a level.
type Parts = [i16; 4];
/// Parts of a level: what keeps twice the largest step within 16 bits.
const PARTS: f32 = 128.0;

/// Keeps skin tones; its memory is allocated with the first picture of a size.
#[derive(Default)]
pub(super) struct Skin {
    /// How much of each block is skin, 0..1, and the same with soft edges.
    skin: Vec<f32>,
    between: Vec<f32>,
    soft: Vec<f32>,
    /// Blocks a side of a place.
    place: usize,
    /// Of each place, and around it.
    tones: Vec<Tone>,
    sums: Vec<Tone>,
    around: Vec<Tone>,
    /// Of each place, of those between two rows of them, and of each block as far as it is skin.
    wide: Vec<Step>,
    mixed: Vec<Step>,
    steps: Vec<Parts>,
    /// The steps of one row of pixels, a block each, with one more on the left and on the right.
    row: Vec<Parts>,
}

impl Skin {
    /// Moves the skin in `drawing`, whose blocks are `drawn`, to the tone it has in `input`.
    pub fn keep(&mut self, input: &Blocks, drawn: &Blocks, drawing: &mut Picture, amount: f32) {
        let (columns, rows) = (input.columns(), input.rows());
        self.skin.resize(columns * rows, 0.0);
        likenesses(input.colours(), drawn.colours(), &mut self.skin);
        let skin: f32 = self.skin.iter().sum();
        if skin <= LEAST * self.skin.len() as f32 {
            return;
        }
        self.place = ((AROUND * rows as f32 / REACH as f32).round() as usize).max(1);
        self.look_around(input, drawn);
        self.wide.clear();
        self.wide
            .extend(self.around.iter().map(|tone| tone.step(amount)));
        // Soft edges, one block wide.
        widen(&self.skin, columns, &mut self.between, &mut self.soft);
        self.step_blocks(columns);
        self.apply(drawing, columns, rows);
    }

    /// Finds the tones, and their sums around each place.
    fn look_around(&mut self, input: &Blocks, drawn: &Blocks) {
        let (columns, rows) = (input.columns(), input.rows());
        let (across, down) = (columns.div_ceil(self.place), rows.div_ceil(self.place));
        self.tones.clear();
        self.tones.resize(across * down, Tone::default());
        let blocks = input
            .colours()
            .chunks(columns)
            .zip(drawn.colours().chunks(columns));
        for (row, ((input, drawn), skin)) in blocks.zip(self.skin.chunks(columns)).enumerate() {
            let first = row / self.place * across;
            let tones = self.tones[first..first + across].iter_mut();
            let blocks = input.chunks(self.place).zip(drawn.chunks(self.place));
            for (tone, ((input, drawn), skin)) in tones.zip(blocks.zip(skin.chunks(self.place))) {
                for ((input, drawn), skin) in input.iter().zip(drawn).zip(skin) {
                    if *skin > 0.0 {
                        let colour =
                            |rgba: &[u8; 4]| [0, 1, 2].map(|at| f32::from(rgba[at]) * skin);
                        let (own, drawn) = (colour(input), colour(drawn));
                        tone.add(&Tone {
                            skin: *skin,
                            own,
                            drawn,
                        });
                    }
                }
            }
        }
        // Twice a box is nearly a Gaussian.
        add_up(&self.tones, across, &mut self.sums, &mut self.around);
        self.tones.copy_from_slice(&self.around);
        add_up(&self.tones, across, &mut self.sums, &mut self.around);
    }

    /// Finds the step of each block, between those of the places around it, as far as it is skin.
    fn step_blocks(&mut self, columns: usize) {
        let across = columns.div_ceil(self.place);
        let down = self.wide.len() / across;
        self.steps.clear();
        for (row, soft) in self.soft.chunks_exact(columns).enumerate() {
            let (upper, lower, share) = places(row, self.place, down);
            let line = |row: usize| &self.wide[row * across..(row + 1) * across];
            self.mixed.clear();
            self.mixed
                .extend((line(upper).iter().zip(line(lower))).map(|(a, b)| mix(a, b, share)));
            self.steps
                .extend(soft.iter().enumerate().map(|(column, soft)| {
                    if *soft <= 0.004 {
                        return Parts::default();
                    }
                    let (left, right, share) = places(column, self.place, across);
                    mix(&self.mixed[left], &self.mixed[right], share)
                        .map(|step| (step * soft * PARTS) as i16)
                }));
        }
    }

    /// Moves each pixel by the steps of the blocks around it.
    fn apply(&mut self, drawing: &mut Picture, columns: usize, rows: usize) {
        let width = drawing.width() as usize;
        self.row.clear();
        self.row
            .resize(columns.next_multiple_of(TOGETHER) + 2, Parts::default());
        for (y, pixels) in drawing.rgba_mut().chunks_exact_mut(width * 4).enumerate() {
            let own = y / SIDE;
            let beside = if y % SIDE < SIDE / 2 {
                own.saturating_sub(1)
            } else {
                (own + 1).min(rows - 1)
            };
            let line = |row: usize| self.steps[row * columns..(row + 1) * columns].as_flattened();
            let share = NEAR[y % SIDE];
            let row = self.row[1..=columns].as_flattened_mut();
            // Shares are of half of what a part is of: 128ths of a level become 64ths.
            let blocks = line(own).iter().zip(line(beside));
            for (step, (own, beside)) in row.iter_mut().zip(blocks) {
                *step = part(*own, share) + part(*beside, i16::MAX - share);
            }
            self.row[0] = self.row[1];
            let last = self.row[columns];
            self.row[columns + 1..].fill(last);
            move_row(pixels, &self.row);
        }
    }
}

/// Moves a row's pixels by their blocks' steps, which are in 64ths of a level, from one block to the
/// next smoothly.
#[multiversion(targets("x86_64+avx2"))]
fn move_row(pixels: &mut [u8], steps: &[Parts]) {
    for (lot, pixels) in pixels.chunks_mut(BYTES).enumerate() {
        let Some(near) = steps[lot * TOGETHER..].first_chunk() else {
            return;
        };
        if *near == [Parts::default(); TOGETHER + 2] {
            continue;
        }
        if let Some(pixels) = pixels.first_chunk_mut() {
            move_lot(pixels, near);
        } else {
            let mut whole = [0; BYTES];
            whole[..pixels.len()].copy_from_slice(pixels);
            move_lot(&mut whole, near);
            pixels.copy_from_slice(&whole[..pixels.len()]);
        }
    }
}

/// Moves the pixels of [`TOGETHER`] blocks; `steps` has one more at both ends.
#[inline(always)]
fn move_lot(pixels: &mut [u8; BYTES], steps: &[Parts; TOGETHER + 2]) {
    // How much of its step each pixel takes, of ALL, once for each of its bytes.
    let words: [u32; BYTES / 4] = bytemuck::cast(*pixels);
    let mut lit = [0u32; BYTES / 4];
    for (lit, word) in lit.iter_mut().zip(words) {
        let word = u32::from_le(word);
        let (red, green, blue) = (word & 255, (word >> 8) & 255, (word >> 16) & 255);
        let light = (77 * red + 150 * green + 29 * blue) as i32 - (INK[0] * 256.0) as i32;
        let share = (light * STEEP) >> 8;
        *lit = share.clamp(0, i32::from(i16::MAX)) as u32;
    }
    let twice = lit.map(|lit| u64::from(lit | lit << 16));
    let lit: [i16; BYTES] = bytemuck::cast(twice.map(|lit| lit | lit << 32));
    for block in 0..TOGETHER {
        let [left, own, right] = [0, 1, 2].map(|at| steps[block + at]);
        let own: [i16; 4 * SIDE] = bytemuck::cast([own; SIDE]);
        let beside: [i16; 4 * SIDE] = bytemuck::cast([left, left, right, right]);
        let first = 4 * SIDE * block;
        for at in 0..4 * SIDE {
            let near = NEAR[at / 4];
            let step = part(own[at], near) + part(beside[at], i16::MAX - near);
            // In 16ths of a level, as half of what was a 32nd.
            let step = part(step, lit[first + at]);
            let moved = (i16::from(pixels[first + at]) << 4) + step + 8;
            pixels[first + at] = (moved >> 4).clamp(0, 255) as u8;
        }
    }
}

/// How much the blocks of the person, as `drawn`'s alpha says, have the colour of skin.
#[multiversion(targets("x86_64+avx2"))]
fn likenesses(input: &[[u8; 4]], drawn: &[[u8; 4]], skin: &mut [f32]) {
    for ((skin, input), drawn) in skin.iter_mut().zip(input).zip(drawn) {
        let alpha = u32::from_le_bytes(*drawn) >> 24;
        let like = likeness(*input) * (alpha as i32 as f32 / 255.0);
        *skin = if like < 0.02 { 0.0 } else { like };
    }
}

/// How much a colour is one of skin, 0..1.
#[inline(always)]
fn likeness(rgba: [u8; 4]) -> f32 {
    let word = u32::from_le_bytes(rgba);
    let [red, green, blue] = [0, 8, 16].map(|bits| ((word >> bits) & 255) as i32 as f32);
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
        let step = |at: usize| moved[at] * 255.0 - self.drawn[at] / self.skin;
        [step(0), step(1), step(2), 0.0]
    }
}

/// The two places between whose centres a block lies, out of `count` of `place` blocks, and the
/// second's share.
fn places(block: usize, place: usize, count: usize) -> (usize, usize, f32) {
    let last = count - 1;
    let at = ((block as f32 + 0.5) / place as f32 - 0.5).clamp(0.0, last as f32);
    let first = at as usize;
    (first, (first + 1).min(last), at - first as f32)
}

fn mix(a: &Step, b: &Step, share: f32) -> Step {
    std::array::from_fn(|at| a[at] + (b[at] - a[at]) * share)
}

/// Sums of the tones up to [`REACH`] columns and rows away.
fn add_up(tones: &[Tone], columns: usize, between: &mut Vec<Tone>, out: &mut Vec<Tone>) {
    let rows = tones.len() / columns;
    between.resize(tones.len(), Tone::default());
    out.resize(tones.len(), Tone::default());
    let around = |at: usize, count: usize| at.saturating_sub(REACH)..(at + REACH + 1).min(count);
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
