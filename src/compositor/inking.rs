//! Lays drawings of effects in memory.

use multiversion::multiversion;

use crate::frame::Size;
use crate::panels::{Blend, Region};

use super::brush::{Brush, Canvas, part_of};
use super::fx::{Drawn, Inks, Laid, Mix, Stand, Tone};
use super::pixel::{Mixer, Pixel, blend, times};
use super::tiles::Tiles;

/// A drawing as the pixels of a program see it.
struct Sampler<'a> {
    pairs: &'a [[u8; 2]],
    size: Size,
    pixel: i32,
    corner: (i32, i32),
}

/// Where a program pixel lies between two of a drawing: the first, the second, and the share of the
/// second of 256.
type Between = (usize, usize, u32);

/// What is used from row to row.
#[derive(Default)]
pub(super) struct Inked {
    /// Two rows of a coarse drawing as one, 256 times too large.
    down: Vec<[u16; 2]>,
    row: Vec<[u8; 2]>,
    /// What is laid.
    above: Vec<[u8; 4]>,
}

impl Sampler<'_> {
    fn between(&self, at: i32, corner: i32, side: u32) -> Between {
        if self.pixel == 1 {
            let at = (at - corner).clamp(0, side.max(1) as i32 - 1) as usize;
            return (at, at, 0);
        }
        let last = i64::from(side.max(1)) - 1;
        let from = i64::from(at) - i64::from(corner);
        // In halves of program pixels, so that the middles are whole numbers.
        let (twice, step) = (
            2 * from + 1 - i64::from(self.pixel),
            2 * i64::from(self.pixel),
        );
        let first = twice.div_euclid(step);
        let share = (twice.rem_euclid(step) * 256 / step) as u32;
        let place = |at: i64| at.clamp(0, last) as usize;
        (place(first), place(first + 1), share)
    }

    /// [`between`](Self::between) for a program column and those after it, without a division each.
    fn along(&self, x: i32) -> impl Iterator<Item = Between> {
        let last = self.size.width.max(1) as i32 - 1;
        let step = 2 * self.pixel;
        let twice = 2 * (x - self.corner.0) + 1 - self.pixel;
        let (mut first, mut rest) = (twice.div_euclid(step), twice.rem_euclid(step));
        let unit = (1 << 16) / step;
        std::iter::repeat_with(move || {
            let place = |at: i32| at.clamp(0, last) as usize;
            let between = (place(first), place(first + 1), ((rest * unit) >> 8) as u32);
            rest += 2;
            if rest >= step {
                rest -= step;
                first += 1;
            }
            between
        })
    }

    /// What `width` pixels from column `x` of a program's row see, at a height of the drawing.
    fn row<'a>(
        &'a self,
        x: i32,
        (upper, lower, share): Between,
        width: usize,
        inked: &'a mut Inked,
    ) -> &'a [[u8; 2]] {
        let columns = self.size.width as usize;
        let line = |y: usize| {
            let line = self.pairs.get(y * columns..(y + 1) * columns);
            line.unwrap_or_default()
        };
        let left = x - self.corner.0;
        if self.pixel == 1
            && let Ok(from) = usize::try_from(left)
            && let Some(row) = line(upper).get(from..from + width)
        {
            return row;
        }
        let Inked { down, row, .. } = inked;
        let side = |x| self.between(x, self.corner.0, self.size.width);
        let (first, last) = (side(x).0, side(x + width as i32 - 1).1);
        let part = |y: usize| line(y).get(first..=last).unwrap_or_default();
        let share = share as u16;
        down.clear();
        down.extend(part(upper).iter().zip(part(lower)).map(|(above, below)| {
            [0, 1].map(|ink| u16::from(above[ink]) * (256 - share) + u16::from(below[ink]) * share)
        }));
        row.clear();
        row.extend(self.along(x).take(width).map(|(left, right, share)| {
            let at = |column: usize| down.get(column - first).copied().unwrap_or_default();
            let (left, right) = (at(left), at(right));
            [0, 1].map(|ink| {
                let both = u32::from(left[ink]) * (256 - share) + u32::from(right[ink]) * share;
                ((both + (1 << 15)) >> 16) as u8
            })
        }));
        row
    }
}

impl Brush {
    /// Lays a drawing of an effect into its shape. The same is in `fs_effect` and `fs_tone` of
    /// `shaders/page.wgsl`.
    pub fn effect(
        &mut self,
        canvas: &mut Canvas,
        region: &Region,
        stand: &Stand,
        laid: &Laid,
        tiles: &Tiles,
    ) {
        let Drawn::Memory(inks) = &*laid.drawn else {
            return;
        };
        let sampler = Sampler {
            pairs: inks.pairs.as_chunks::<2>().0,
            size: laid.size,
            pixel: laid.pixel as i32,
            corner: laid.corner,
        };
        let inked = &mut self.inked;
        match stand.look.mix {
            Mix::Inks(blend) => {
                lay_inks(
                    canvas,
                    region,
                    laid.inks,
                    (inks, &sampler),
                    inked,
                    blend,
                    tiles,
                );
            }
            Mix::Tone(tone) => {
                let tone = (tone, laid.strength);
                lay_tone(canvas, region, stand, &sampler, inked, tone, tiles);
            }
        }
    }
}

/// Lays a drawing in its inks; only where there are any.
fn lay_inks(
    canvas: &mut Canvas,
    region: &Region,
    colours: [[u8; 4]; 2],
    (inks, sampler): (&Inks, &Sampler),
    inked: &mut Inked,
    blend: Blend,
    tiles: &Tiles,
) {
    let colours = colours.map(Ink::new);
    let mixer = Mixer::of(blend);
    let pixel = sampler.pixel;
    let mut above = std::mem::take(&mut inked.above);
    canvas.each_row(&tiles.mixed, |at, row| {
        let (skip, shape) = shape_of(region, at, row.len());
        let (left, y) = (at.0 as i32 + skip as i32, at.1 as i32);
        let Some(row) = row.get_mut(skip..skip + shape.len()) else {
            return;
        };
        let down = sampler.between(y, sampler.corner.1, sampler.size.height);
        for (start, end) in inks.runs(down.0) {
            // Coarse drawings reach half a pixel further.
            let reach = if pixel == 1 { 0 } else { pixel };
            let at = |column: u16, reach: i32| {
                let x = sampler.corner.0 + i32::from(column) * pixel + reach - left;
                x.clamp(0, shape.len() as i32) as usize
            };
            let (start, end) = (at(*start, -reach), at(*end, reach));
            if start >= end {
                continue;
            }
            let pairs = sampler.row(left + start as i32, down, end - start, inked);
            above.resize(pairs.len(), [0; 4]);
            ink_row(&mut above, pairs, &shape[start..end], &colours);
            mixer.lay_row(&mut row[start..end], &above);
        }
    });
    inked.above = above;
}

/// Pixels that are inked together.
const TOGETHER: usize = 8;

/// An ink, once a pixel.
struct Ink {
    /// Opaque.
    colour: [u16; 4 * TOGETHER],
    alpha: u16,
}

impl Ink {
    fn new([r, g, b, a]: [u8; 4]) -> Self {
        let opaque = [r, g, b, 255];
        Self {
            colour: std::array::from_fn(|at| u16::from(opaque[at % 4])),
            alpha: u16::from(a),
        }
    }

    /// Premultiplied; rounded down as in [`shades`].
    #[inline(always)]
    fn shade(&self, at: usize, strength: u8) -> u16 {
        let part = |whole: u16| (whole + 1 + (whole >> 8)) >> 8;
        part(self.colour[at] * part(u16::from(strength) * self.alpha))
    }
}

/// Pairs of strengths in their inks, as far as their pixels are covered; premultiplied.
#[multiversion(targets("x86_64+avx2"))]
fn ink_row(above: &mut [[u8; 4]], pairs: &[[u8; 2]], covered: &[u8], inks: &[Ink; 2]) {
    let several = |pairs: &[[u8; 2]; TOGETHER], covered: &[u8; TOGETHER]| -> [[u8; 4]; TOGETHER] {
        // Once a channel.
        let spread = |value: u8| (u32::from(value) * 0x0101_0101).to_le_bytes();
        let first: [[u8; 4]; TOGETHER] = std::array::from_fn(|at| spread(pairs[at][0]));
        let second: [[u8; 4]; TOGETHER] = std::array::from_fn(|at| spread(pairs[at][1]));
        let covered: [[u8; 4]; TOGETHER] = std::array::from_fn(|at| spread(covered[at]));
        let mut out = [[0; 4]; TOGETHER];
        for (at, out) in out.as_flattened_mut().iter_mut().enumerate() {
            let (one, two) = (first.as_flattened()[at], second.as_flattened()[at]);
            let ink = inks[0].shade(at, one) + inks[1].shade(at, two.min(255 - one));
            let wide = ink * u16::from(covered.as_flattened()[at]) + 128;
            *out = ((wide + (wide >> 8)) >> 8) as u8;
        }
        out
    };
    let (groups, rest) = above.as_chunks_mut::<TOGETHER>();
    let (pairs, pairs_rest) = pairs.as_chunks::<TOGETHER>();
    let (shapes, shapes_rest) = covered.as_chunks::<TOGETHER>();
    for (group, (pairs, covered)) in groups.iter_mut().zip(pairs.iter().zip(shapes)) {
        *group = several(pairs, covered);
    }
    let (mut pairs, mut covered) = ([[0; 2]; TOGETHER], [0; TOGETHER]);
    for (at, (pair, shape)) in pairs_rest.iter().zip(shapes_rest).enumerate() {
        (pairs[at], covered[at]) = (*pair, *shape);
    }
    for (pixel, inked) in rest.iter_mut().zip(several(&pairs, &covered)) {
        *pixel = inked;
    }
}

/// Lays ink where the picture is darker than the pattern says.
fn lay_tone(
    canvas: &mut Canvas,
    region: &Region,
    stand: &Stand,
    sampler: &Sampler,
    inked: &mut Inked,
    (tone, strength): (Tone, f32),
    tiles: &Tiles,
) {
    let ink = shades(stand.look.inks[0]);
    let darkness: [u8; 256] = std::array::from_fn(|luminance| {
        let dark = tone.darkness(luminance as f32 / 255.0, strength);
        (dark * 255.0).round() as u8
    });
    // With eight bits of fraction.
    let sharpness = (stand.sharpness() * 256.0) as i32;
    canvas.each_row(&tiles.mixed, |at, row| {
        let (skip, shape) = shape_of(region, at, row.len());
        let (left, y) = (at.0 as i32 + skip as i32, at.1 as i32);
        let Some(row) = row.get_mut(skip..skip + shape.len()) else {
            return;
        };
        let down = sampler.between(y, sampler.corner.1, sampler.size.height);
        let pairs = sampler.row(left, down, shape.len(), inked);
        for ((below, [pattern, _]), covered) in row.iter_mut().zip(pairs).zip(shape) {
            let [r, g, b, alpha] = *below;
            let (r, g, b) = (u32::from(r), u32::from(g), u32::from(b));
            // What is transparent counts as paper.
            let luminance = ((77 * r + 150 * g + 29 * b) >> 8) + 255 - u32::from(alpha);
            let dark = darkness[luminance.min(255) as usize];
            if dark == 0 || *covered == 0 {
                continue;
            }
            let above = i32::from(*pattern) + i32::from(dark) - 255;
            let strength = ((above * sharpness) >> 8) + 128;
            if strength > 0 {
                let above = ink[strength.min(255) as usize];
                blend(below, times(above, u32::from(*covered)));
            }
        }
    });
}

/// What a row of a tile shows of a region's shape: how many pixels to skip, and how far those that
/// follow are covered.
fn shape_of(region: &Region, at: (u32, u32), width: usize) -> (usize, &[u8]) {
    let (skip, found) = part_of(region.rect, at, width);
    (skip, region.alpha.get(found).unwrap_or_default())
}

/// An ink in every strength, premultiplied; rounded down, so that two of them add up to one at most.
fn shades([r, g, b, a]: [u8; 4]) -> [Pixel; 256] {
    std::array::from_fn(|strength| {
        let strength = strength as u32 * u32::from(a) / 255;
        let shade = |byte: u8| (u32::from(byte) * strength / 255) as u8;
        Pixel::from_le_bytes([shade(r), shade(g), shade(b), strength as u8])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_add_up_as_their_shades_do() {
        let colours = [[10, 200, 255, 255], [250, 3, 90, 180]];
        let pairs: Vec<[u8; 2]> = (0..=258u32).map(|at| [at as u8, (3 * at) as u8]).collect();
        let covered: Vec<u8> = (0..=258u32).map(|at| (255 - 7 * at % 256) as u8).collect();
        let mut above = vec![[0; 4]; pairs.len()];
        ink_row(&mut above, &pairs, &covered, &colours.map(Ink::new));
        let [first, second] = colours.map(shades);
        for ((above, [one, two]), covered) in above.iter().zip(&pairs).zip(&covered) {
            let inks = first[usize::from(*one)] + second[usize::from((*two).min(255 - one))];
            let expected = times(inks, u32::from(*covered)).to_le_bytes();
            assert_eq!(*above, expected, "{one} {two} {covered}");
        }
    }

    #[test]
    fn coarse_drawings_are_smooth_between_their_pixels() {
        let pairs = [[0, 0], [200, 0], [0, 100], [200, 100]];
        let sampler = Sampler {
            pairs: &pairs,
            size: Size::new(2, 2),
            pixel: 2,
            corner: (10, 20),
        };
        let mut inked = Inked::default();
        let mut at = |x, y| {
            let down = sampler.between(y, 20, 2);
            // As a part of a row, whatever was asked for before.
            sampler.row(x, down, 3, &mut inked)[0]
        };
        assert_eq!(at(5, 5), [0, 0], "edges are repeated");
        assert_eq!(at(10, 20), [0, 0]);
        assert_eq!(at(11, 20), [50, 0]);
        assert_eq!(at(12, 21), [150, 25]);
        assert_eq!(at(99, 99), [200, 100]);
        for (x, across) in (3..20).zip(sampler.along(3)) {
            assert_eq!(across, sampler.between(x, 10, 2), "{x}");
        }
    }
}
