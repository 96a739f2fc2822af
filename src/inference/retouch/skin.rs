//! The skin keeps its own tone, whatever a style does to it.
//!
//! The first moment of Reinhard's colour transfer (Reinhard, Ashikhmin, Gooch and Shirley, "Color
//! transfer between images", 2001) in CIELAB, from the camera's skin to the drawing's, with means
//! taken around each place instead of over the whole picture: two people keep two tones, and the
//! drawing keeps its own light and shade. Skin is what lies in the matte and has the chroma of
//! skin, which is nearly the same for all tones (Chai and Ngan, "Face segmentation using
//! skin-color map", 1999).

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
/// Darker than the first L* is ink and stays; from the second on, skin is moved altogether.
const INK: [f32; 2] = [12.0, 35.0];

/// What is known of a block.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// How much of it is skin, 0..1.
    skin: f32,
    /// From the drawing's L*, a*, b* to the camera's, times `skin`.
    shift: [f32; 3],
}

/// Keeps skin tones; its memory is allocated with the first picture of a size.
#[derive(Default)]
pub(super) struct Skin {
    cells: Vec<Cell>,
    between: Vec<Cell>,
    once: Vec<Cell>,
    around: Vec<Cell>,
}

impl Skin {
    /// Moves the skin in `drawing`, whose blocks are `drawn`, to the tone it has in `input`.
    pub fn keep(&mut self, input: &Blocks, drawn: &Blocks, drawing: &mut Picture, amount: f32) {
        let (columns, rows) = (input.columns(), input.rows());
        self.cells.clear();
        self.cells.extend(
            input
                .colours()
                .iter()
                .zip(drawn.colours())
                .map(|(input, drawn)| Cell::of(*input, *drawn)),
        );
        let skin: f32 = self.cells.iter().map(|cell| cell.skin).sum();
        if skin < LEAST * self.cells.len() as f32 {
            return;
        }
        let reach = ((AROUND * rows as f32) as usize).max(2);
        let Self {
            cells,
            between,
            once,
            around,
        } = self;
        // Twice a box is nearly a Gaussian.
        average(cells, columns, reach, between, once);
        average(once, columns, reach, between, around);
        // The skin itself with soft edges, one block wide.
        average(cells, columns, 1, between, once);

        let width = drawing.width() as usize;
        let pixels = drawing.rgba_mut().as_chunks_mut::<4>().0;
        for (at, far) in around.iter().enumerate() {
            let (column, row) = (at % columns, at / columns);
            let skin = Corners::of(once, columns, rows, column, row);
            if skin.none() || far.skin <= 0.0 {
                continue;
            }
            let shift = far.shift.map(|sum| sum / far.skin * amount);
            for y in row * SIDE..(row + 1) * SIDE {
                let start = y * width + column * SIDE;
                let end = (start + SIDE).min((y + 1) * width);
                let Some(line) = pixels.get_mut(start..end) else {
                    continue;
                };
                for (x, pixel) in line.iter_mut().enumerate() {
                    move_tone(pixel, shift, skin.at(x, y % SIDE));
                }
            }
        }
    }
}

impl Cell {
    fn of(input: [u8; 4], drawn: [u8; 4]) -> Self {
        let skin = likeness(input) * f32::from(drawn[3]) / 255.0;
        if skin < 0.02 {
            return Self::default();
        }
        let (own, drawn) = (lab(input), lab(drawn));
        Self {
            skin,
            shift: [own.l - drawn.l, own.a - drawn.a, own.b - drawn.b].map(|shift| shift * skin),
        }
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

fn lab(rgba: [u8; 4]) -> Lab {
    let [red, green, blue, _] = rgba;
    Lab::from_color(Srgb::new(red, green, blue).into_linear::<f32>())
}

/// Moves a pixel's L*, a*, b* by a share of `shift`.
fn move_tone(pixel: &mut [u8; 4], shift: [f32; 3], share: f32) {
    if share <= 0.004 {
        return;
    }
    let mut tone = lab(*pixel);
    let lit = ((tone.l - INK[0]) / (INK[1] - INK[0])).clamp(0.0, 1.0);
    let share = share * lit;
    tone.l += shift[0] * share;
    tone.a += shift[1] * share;
    tone.b += shift[2] * share;
    let linear: LinSrgb = tone.into_color();
    let moved: Srgb<u8> = Srgb::from_linear(linear);
    *pixel = [moved.red, moved.green, moved.blue, pixel[3]];
}

/// The skin at a block's centre and at its neighbours', to go smoothly from one to the next.
struct Corners([[f32; 3]; 3]);

impl Corners {
    fn of(cells: &[Cell], columns: usize, rows: usize, column: usize, row: usize) -> Self {
        let near = |at: usize, step: usize, count: usize| {
            (at + step).saturating_sub(1).min(count.saturating_sub(1))
        };
        Self(std::array::from_fn(|down| {
            std::array::from_fn(|right| {
                let (x, y) = (near(column, right, columns), near(row, down, rows));
                cells.get(y * columns + x).map_or(0.0, |cell| cell.skin)
            })
        }))
    }

    fn none(&self) -> bool {
        self.0.as_flattened().iter().all(|skin| *skin <= 0.004)
    }

    /// At pixel `x`, `y` of the block.
    fn at(&self, x: usize, y: usize) -> f32 {
        // The first of two neighbours and the share of the second.
        let place = |at: usize| {
            let from_centre = (at as f32 + 0.5) / SIDE as f32 - 0.5;
            if from_centre < 0.0 {
                (0, from_centre + 1.0)
            } else {
                (1, from_centre)
            }
        };
        let ((left, right_share), (top, bottom_share)) = (place(x), place(y));
        let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
        let row = |row: usize| mix(self.0[row][left], self.0[row][left + 1], right_share);
        mix(row(top), row(top + 1), bottom_share)
    }
}

/// Means of the cells up to `reach` columns and rows away.
fn average(
    cells: &[Cell],
    columns: usize,
    reach: usize,
    between: &mut Vec<Cell>,
    out: &mut Vec<Cell>,
) {
    let rows = cells.len() / columns.max(1);
    between.resize(cells.len(), Cell::default());
    out.resize(cells.len(), Cell::default());
    for row in 0..rows {
        slide(cells, between, row * columns, 1, columns, reach);
    }
    for column in 0..columns {
        slide(between, out, column, columns, rows, reach);
    }
}

/// Means along one line of `count` cells, `step` apart, by a running sum.
fn slide(from: &[Cell], to: &mut [Cell], start: usize, step: usize, count: usize, reach: usize) {
    let at = |index: usize| from.get(start + index * step).copied().unwrap_or_default();
    let mut sum = Cell::default();
    let add = |sum: &mut Cell, cell: Cell, sign: f32| {
        sum.skin += sign * cell.skin;
        for (sum, value) in sum.shift.iter_mut().zip(cell.shift) {
            *sum += sign * value;
        }
    };
    (0..reach.min(count)).for_each(|index| add(&mut sum, at(index), 1.0));
    let share = 1.0 / (2 * reach + 1) as f32;
    for index in 0..count {
        if index + reach < count {
            add(&mut sum, at(index + reach), 1.0);
        }
        if index > reach {
            add(&mut sum, at(index - reach - 1), -1.0);
        }
        if let Some(target) = to.get_mut(start + index * step) {
            *target = Cell {
                // Rests of floating-point sums are no skin.
                skin: (sum.skin * share).max(0.0),
                shift: sum.shift.map(|value| value * share),
            };
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
