//! People cut out of a drawing, so that they can stand on anything.
//!
//! Along a matte's soft edge a picture shows the background through the people. Laid on another
//! background that is a halo. So the colour of the people alone is estimated there: the colours
//! around a pixel weighed by how surely they belong to the people, which is one step of blurring
//! foreground estimation (Forte: Approximate Fast Foreground Colour Estimation, ICIP 2021), done
//! only where the matte is neither 0 nor 1.

use std::time::Duration;

use crate::frame::{Picture, Size};
use crate::panels::matte_curve;

/// People alone.
#[derive(Default)]
pub(super) struct Cutout {
    /// RGB: the people's own colours; alpha: the matte.
    pub picture: Picture,
    /// How far from the people; empty when nothing is drawn around them.
    pub around: Around,
    /// Where anybody, or anything drawn around them, can be in each band of rows.
    pub bands: Vec<Band>,
    /// Whether the upper edge of the picture cuts off a head.
    pub cut: bool,
    colours: Colours,
}

/// Columns of a picture, a share of its width: the first, and the one after the last.
pub(super) type Band = (f32, f32);

/// How many bands a picture is looked at in.
const BANDS: usize = 48;

/// How far from the nearest person each point is.
#[derive(Default)]
pub(super) struct Around {
    /// Columns and rows; fewer than the picture's.
    pub size: Size,
    /// 255 in people, 0 at [`Around::REACH`] pixels of this plane and beyond.
    pub near: Vec<u8>,
    scratch: Vec<u16>,
}

/// The matte where colours are estimated. Above, its curve ends at 1 ([`matte_curve`]); below,
/// nothing is seen of a pixel, not even between it and its neighbours.
const UNSURE: std::ops::RangeInclusive<u8> = 8..=216;

impl Cutout {
    /// Cuts the people out of a drawing with its matte. `around`: whether something is drawn around
    /// them.
    pub fn make(&mut self, drawing: &Picture, around: bool) {
        self.picture.copy_from(drawing);
        own_colours(drawing, &mut self.colours, &mut self.picture);
        self.cut = cuts(drawing, self.cut);
        if around {
            self.around.measure(drawing);
        } else {
            self.around.clear();
        }
        if around {
            let near = |pixel: &u8| *pixel > 0;
            bands(&self.around.near, self.around.size, near, &mut self.bands);
        } else {
            let pixels = self.picture.rgba().as_chunks::<4>().0;
            // Below a quarter the matte's curve is 0.
            let somebody = |pixel: &[u8; 4]| pixel[3] > 60;
            bands(pixels, self.picture.size(), somebody, &mut self.bands);
        }
    }

    /// The columns in which anybody can be between two heights of the picture, all from 0 to 1;
    /// `None` when nobody is.
    pub fn columns(&self, from: f32, to: f32) -> Option<Band> {
        let (from, to) = (from.min(to), from.max(to));
        let place = |at: f32| ((at * BANDS as f32).max(0.0) as usize).min(BANDS - 1);
        // Pixels between two rows show both.
        let (first, last) = (place(from - 0.01), place(to + 0.01));
        let bands = self.bands.get(first..=last).unwrap_or_default();
        let whole = bands.iter().fold((1.0f32, 0.0f32), |(left, right), band| {
            (left.min(band.0), right.max(band.1))
        });
        (whole.1 > whole.0).then_some(whole)
    }
}

/// Looks for what is wanted in bands of rows.
fn bands<T>(pixels: &[T], size: Size, wanted: impl Fn(&T) -> bool, found: &mut Vec<Band>) {
    found.clear();
    found.resize(BANDS, (1.0, 0.0));
    let (width, height) = (size.width as usize, size.height as usize);
    for (y, row) in pixels.chunks_exact(width.max(1)).enumerate() {
        let Some(first) = row.iter().position(&wanted) else {
            continue;
        };
        let last = row.iter().rposition(&wanted).unwrap_or(first);
        // A pixel more at either side: it is mixed with its neighbours.
        let (left, right) = (first as f32 - 1.0, last as f32 + 2.0);
        let (left, right) = (left / width as f32, right / width as f32);
        // A row may lie in two bands.
        let (from, to) = (y * BANDS / height, ((y + 1) * BANDS - 1) / height);
        for band in found.iter_mut().take(to + 1).skip(from) {
            *band = (band.0.min(left), band.1.max(right));
        }
    }
}

/// Colours of people and of what is behind them, at large: summed in cells of a coarse grid.
#[derive(Default)]
struct Colours {
    columns: usize,
    rows: usize,
    /// Sums of a cell.
    cells: Vec<[Sums; 2]>,
    /// Sums of a cell and the eight around it.
    around: Vec<[Sums; 2]>,
}

/// Red, green and blue, each times how sure it is, and the sum of that.
type Sums = [f32; 4];

/// Samples along a cell's side.
const CELL: usize = 3;

impl Colours {
    /// Looks at every `step`th pixel of every `step`th row.
    fn measure(&mut self, drawing: &Picture, step: usize) {
        let width = drawing.width() as usize;
        let side = CELL * step;
        self.columns = width.div_ceil(side);
        self.rows = (drawing.height() as usize).div_ceil(side);
        self.cells.clear();
        self.cells
            .resize(self.columns * self.rows, [Sums::default(); 2]);
        let pixels = drawing.rgba().as_chunks::<4>().0;
        for (y, row) in pixels.chunks_exact(width.max(1)).enumerate().step_by(step) {
            let cells = &mut self.cells[y / side * self.columns..][..self.columns];
            for (cell, run) in cells.iter_mut().zip(row.chunks(side)) {
                for pixel in run.iter().step_by(step) {
                    let [red, green, blue, matte] = *pixel;
                    let colour = [red.into(), green.into(), blue.into(), 1.0];
                    let share = f32::from(matte) / 255.0;
                    // Squared twice: what is half sure counts a sixteenth.
                    let sure = |share: f32| (share * share) * (share * share);
                    if matte > 0 {
                        add(&mut cell[0], &colour, sure(share));
                    }
                    if matte < 255 {
                        add(&mut cell[1], &colour, sure(1.0 - share));
                    }
                }
            }
        }
        self.spread();
    }

    /// Sums each cell with those around it.
    fn spread(&mut self) {
        let Self { columns, rows, .. } = *self;
        let near = |at: usize, count: usize| at.saturating_sub(1)..(at + 2).min(count);
        self.around.clear();
        for y in 0..rows {
            for x in 0..columns {
                let mut sums = [Sums::default(); 2];
                for near_y in near(y, rows) {
                    for near_x in near(x, columns) {
                        let cell = &self.cells[near_y * columns + near_x];
                        add(&mut sums[0], &cell[0], 1.0);
                        add(&mut sums[1], &cell[1], 1.0);
                    }
                }
                self.around.push(sums);
            }
        }
    }

    /// The people's colour around a point, and that of what is behind them; the point is in cells.
    /// `None` where nothing around is sure to be people.
    fn at(&self, x: f32, y: f32) -> Option<[[f32; 3]; 2]> {
        let x = (x - 0.5).clamp(0.0, (self.columns - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.rows - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let right = (left + 1).min(self.columns - 1);
        let bottom = (top + 1).min(self.rows - 1);
        let mut sums = [Sums::default(); 2];
        for (cell, share) in [
            ((left, top), (1.0 - fx) * (1.0 - fy)),
            ((right, top), fx * (1.0 - fy)),
            ((left, bottom), (1.0 - fx) * fy),
            ((right, bottom), fx * fy),
        ] {
            let cell = &self.around[cell.1 * self.columns + cell.0];
            add(&mut sums[0], &cell[0], share);
            add(&mut sums[1], &cell[1], share);
        }
        let colour = |[red, green, blue, weight]: Sums| {
            (weight > 0.06).then(|| [red / weight, green / weight, blue / weight])
        };
        let people = colour(sums[0])?;
        Some([people, colour(sums[1]).unwrap_or(people)])
    }
}

#[inline]
fn add(to: &mut Sums, sums: &Sums, times: f32) {
    to[0] += sums[0] * times;
    to[1] += sums[1] * times;
    to[2] += sums[2] * times;
    to[3] += sums[3] * times;
}

/// Replaces the colours along the matte's edge by the people's own.
fn own_colours(drawing: &Picture, colours: &mut Colours, people: &mut Picture) {
    let width = drawing.width() as usize;
    // The soft edge grows with the picture.
    let step = (width / 240).clamp(1, 6);
    colours.measure(drawing, step);
    let cells = 1.0 / (CELL * step) as f32;
    let rows = people.rgba_mut().as_chunks_mut::<4>().0;
    for (y, row) in rows.chunks_exact_mut(width.max(1)).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            if !UNSURE.contains(&pixel[3]) {
                continue;
            }
            let place = |at: usize| (at as f32 + 0.5) * cells;
            let Some([people, behind]) = colours.at(place(x), place(y)) else {
                continue;
            };
            let matte = f32::from(pixel[3]) / 255.0;
            // What of the pixel neither of both explains belongs to the people, as far as the
            // pixel does.
            let own = |at: usize| {
                let rest = f32::from(pixel[at]) - people[at] * matte - behind[at] * (1.0 - matte);
                (people[at] + rest * matte + 0.5) as u8
            };
            *pixel = [own(0), own(1), own(2), pixel[3]];
        }
    }
}

/// Whether the upper edge cuts off a head, and not just a lock of hair. Between the two it is what it
/// was: a head half in and half out of its panel is a ghost.
fn cuts(drawing: &Picture, did: bool) -> bool {
    let (width, height) = (drawing.width() as usize, drawing.height() as usize);
    let row = height / 120;
    let pixels = drawing.rgba().as_chunks::<4>().0;
    let row = pixels
        .get(row * width..(row + 1) * width)
        .unwrap_or_default();
    let touching = row.iter().filter(|pixel| pixel[3] > 127).count();
    let share = touching as f32 / width.max(1) as f32;
    share > if did { 0.012 } else { 0.03 }
}

/// People go back into their panel when the camera cuts off their heads, and come out again later: a
/// head at the very edge must not flicker in and out.
#[derive(Default)]
pub(super) struct Retreat {
    /// How far they are in, 0..1.
    share: f32,
    /// When a head was last cut off, and when this was last asked.
    cut: Option<Duration>,
    before: Option<Duration>,
}

impl Retreat {
    /// They go in and come out in about this time.
    const SETTLES_SECS: f32 = 0.15;
    /// They stay in for so long after the last cut.
    const STAYS: Duration = Duration::from_millis(1500);

    /// How far they are in at `time`, when heads are `cut` off or not.
    pub fn follow(&mut self, cut: bool, time: Duration) -> f32 {
        if cut {
            self.cut = Some(time);
        }
        let stays = |cut: Duration| time.abs_diff(cut) < Self::STAYS;
        let goal = f32::from(u8::from(self.cut.is_some_and(stays)));
        let passed = self.before.map(|before| time.abs_diff(before));
        let passed = passed.map_or(f32::INFINITY, |passed| passed.as_secs_f32());
        self.share += (goal - self.share) * (1.0 - (-passed / Self::SETTLES_SECS).exp());
        self.before = Some(time);
        self.share
    }
}

impl Around {
    /// The longest distance that is measured, in pixels of the plane.
    pub const REACH: f32 = 85.0;
    /// Distances are counted in fifths of a pixel: 1, √2 and √5 are near 5, 7 and 11 of them
    /// (Borgefors: Distance transformations in digital images, 1986).
    const FIFTHS: [(i32, i32, u16); 8] = [
        (-1, 0, 5),
        (0, -1, 5),
        (-1, -1, 7),
        (1, -1, 7),
        (-2, -1, 11),
        (2, -1, 11),
        (-1, -2, 11),
        (1, -2, 11),
    ];

    fn clear(&mut self) {
        self.size = Size::default();
        self.near.clear();
    }

    /// Measures how far from the people each point of a drawing is.
    fn measure(&mut self, drawing: &Picture) {
        let by = if drawing.width().min(drawing.height()) > 240 {
            2
        } else {
            1
        };
        let size = Size::new(
            (drawing.width() / by).max(1),
            (drawing.height() / by).max(1),
        );
        self.size = size;
        let (width, height) = (size.width as usize, size.height as usize);
        // Two pixels of nothing around, so that every neighbour exists.
        let stride = width + 4;
        self.scratch.clear();
        self.scratch.resize(stride * (height + 4), u16::MAX / 2);
        let pixels = drawing.rgba().as_chunks::<4>().0;
        let (by, whole) = (by as usize, drawing.width() as usize);
        for y in 0..height {
            for x in 0..width {
                let Some(pixel) = pixels.get(y * by * whole + x * by) else {
                    continue;
                };
                let alpha = (matte_curve(f32::from(pixel[3]) / 255.0) * 255.0) as u16;
                if alpha > 24 {
                    // A pixel that is a third people is a sixth of a pixel away.
                    self.scratch[(y + 2) * stride + x + 2] = 128u16.saturating_sub(alpha) / 51;
                }
            }
        }
        self.sweep(stride, height);
        self.near.clear();
        self.near.reserve(width * height);
        for y in 0..height {
            let start = (y + 2) * stride + 2;
            self.near.extend(
                self.scratch[start..start + width]
                    .iter()
                    .map(|fifths| 255 - (u32::from(*fifths) * 3 / 5).min(255) as u8),
            );
        }
    }

    /// Hands the distance on from neighbour to neighbour: downwards, then upwards.
    fn sweep(&mut self, stride: usize, height: usize) {
        let offsets = Self::FIFTHS.map(|(x, y, far)| ((-x + -y * stride as i32) as usize, far));
        // The margin is left alone: through it a person at one side would reach the other.
        let row = |y: usize| (y + 2) * stride + 2..(y + 3) * stride - 2;
        for at in (0..height).flat_map(row) {
            let mut least = self.scratch[at];
            for (back, far) in offsets {
                least = least.min(self.scratch[at - back] + far);
            }
            self.scratch[at] = least;
        }
        for at in (0..height).rev().flat_map(|y| row(y).rev()) {
            let mut least = self.scratch[at];
            for (ahead, far) in offsets {
                least = least.min(self.scratch[at + ahead] + far);
            }
            self.scratch[at] = least;
        }
    }

    /// How near people are at a point, 0..1, smooth between pixels. 0 where nothing was measured.
    pub fn at(&self, u: f32, v: f32) -> f32 {
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        if width == 0 || height == 0 {
            return 0.0;
        }
        let x = (u * width as f32 - 0.5).clamp(0.0, (width - 1) as f32);
        let y = (v * height as f32 - 0.5).clamp(0.0, (height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let right = (left + 1).min(width as usize - 1);
        let bottom = (top + 1).min(height as usize - 1);
        let near = |x: usize, y: usize| {
            let byte = self.near.get(y * width as usize + x);
            f32::from(byte.copied().unwrap_or_default())
        };
        let upper = near(left, top) * (1.0 - fx) + near(right, top) * fx;
        let lower = near(left, bottom) * (1.0 - fx) + near(right, bottom) * fx;
        (upper * (1.0 - fy) + lower * fy) / 255.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A red person on green: a soft disc.
    fn disc(size: u32, radius: f32) -> Picture {
        let mut picture = Picture::new(Size::new(size, size));
        for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
            let middle = size as f32 / 2.0;
            let (x, y) = (at as u32 % size, at as u32 / size);
            let far = (x as f32 + 0.5 - middle).hypot(y as f32 + 0.5 - middle);
            let alpha = ((radius - far) / 4.0 + 0.5).clamp(0.0, 1.0);
            pixel[0] = (alpha * 255.0) as u8;
            pixel[1] = ((1.0 - alpha) * 255.0) as u8;
            pixel[3] = (alpha * 255.0) as u8;
        }
        picture
    }

    #[test]
    fn no_background_shines_through_the_edge() {
        let drawing = disc(120, 40.0);
        let mut cutout = Cutout::default();
        cutout.make(&drawing, false);
        let mut looked_at = 0;
        for (own, drawn) in cutout
            .picture
            .rgba()
            .chunks_exact(4)
            .zip(drawing.rgba().chunks_exact(4))
        {
            assert_eq!(own[3], drawn[3], "the matte stays");
            if (100..220).contains(&drawn[3]) {
                looked_at += 1;
                assert!(own[1] < 50, "{own:?} of {drawn:?}");
            }
        }
        assert!(looked_at > 100);
        assert!(cutout.around.near.is_empty());
    }

    #[test]
    fn distances_are_right_within_a_few_percent() {
        let mut cutout = Cutout::default();
        cutout.make(&disc(200, 40.0), true);
        let around = &cutout.around;
        for angle in 0..24 {
            let (sin, cos) = (angle as f32 * 0.2618).sin_cos();
            for far in [5.0f32, 20.0, 50.0] {
                let (x, y) = (100.0 + cos * (40.0 + far), 100.0 + sin * (40.0 + far));
                let got = (1.0 - around.at(x / 200.0, y / 200.0)) * Around::REACH;
                assert!(
                    (got - far).abs() < 1.0 + far * 0.04,
                    "{angle}: {got} of {far}"
                );
            }
        }
    }

    #[test]
    fn somebody_is_only_in_some_columns() {
        let mut cutout = Cutout::default();
        cutout.make(&disc(200, 40.0), false);
        let (left, right) = cutout.columns(0.4, 0.6).unwrap();
        assert!(
            (left - 0.3).abs() < 0.03 && (right - 0.7).abs() < 0.03,
            "{left} {right}"
        );
        assert_eq!(cutout.columns(0.0, 0.2), None);
        assert_eq!(cutout.columns(0.95, 2.0), None);
        cutout.make(&disc(200, 40.0), true);
        assert!(cutout.columns(0.1, 0.15).is_some(), "what is around them");
    }

    #[test]
    fn people_go_in_at_once_and_come_out_late() {
        let mut retreat = Retreat::default();
        let at = Duration::from_millis;
        assert!(retreat.follow(false, at(0)) < 0.01);
        retreat.follow(true, at(33));
        // In and out of the edge, a few times a second.
        for frame in 2..60 {
            let share = retreat.follow(frame % 20 == 0, at(33 * frame));
            assert!(frame < 30 || share > 0.98, "frame {frame}: {share}");
        }
        assert!(retreat.follow(false, at(33 * 40 - 1) + Retreat::STAYS) > 0.98);
        assert!(retreat.follow(false, at(10_000)) < 0.01);
    }

    #[test]
    fn a_cut_head_is_noticed() {
        let mut cutout = Cutout::default();
        cutout.make(&disc(120, 40.0), false);
        assert!(!cutout.cut);
        // A lock of hair: as before.
        let touching = disc(240, 117.53);
        cutout.make(&touching, false);
        assert!(!cutout.cut);
        cutout.make(&disc(120, 70.0), false);
        assert!(cutout.cut);
        cutout.make(&touching, false);
        assert!(cutout.cut);
        cutout.make(&Picture::new(Size::new(1, 1)), true);
        assert!(!cutout.cut);
    }
}
