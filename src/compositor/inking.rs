//! Lays drawings of effects in memory.

use crate::frame::{Picture, Size};
use crate::panels::{Blend, Region};

use super::brush::{Brush, each_row};
use super::fx::{Drawn, Inks, Laid, Mix, Stand, Tone};
use super::pixel::{Mixer, Pixel, blend, times};
use super::tiles::Tiles;

/// Samples a drawing for the pixels of a program.
struct Sampler<'a> {
    pairs: &'a [[u8; 2]],
    size: Size,
    pixel: i32,
    corner: (i32, i32),
}

/// Where a program pixel lies between two of a drawing: the first, the second, and the share of the
/// second of 256.
type Between = (usize, usize, u32);

impl Sampler<'_> {
    #[inline]
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

    #[inline]
    fn pair(&self, (left, right, across): Between, (upper, lower, down): Between) -> [u8; 2] {
        let at = |x: usize, y: usize| {
            let pair = self.pairs.get(y * self.size.width as usize + x);
            pair.copied().unwrap_or_default()
        };
        if across == 0 && down == 0 {
            return at(left, upper);
        }
        let corners = [
            at(left, upper),
            at(right, upper),
            at(left, lower),
            at(right, lower),
        ];
        if corners == [[0; 2]; 4] {
            return [0; 2];
        }
        let ink = |ink: usize| {
            let corner = |at: usize| u32::from(corners[at][ink]);
            let upper = corner(0) * (256 - across) + corner(1) * across;
            let lower = corner(2) * (256 - across) + corner(3) * across;
            ((upper * (256 - down) + lower * down + (1 << 15)) >> 16) as u8
        };
        [ink(0), ink(1)]
    }
}

impl Brush {
    /// Lays a drawing of an effect into its shape. The same is in `fs_effect` and `fs_tone` of
    /// `shaders/page.wgsl`.
    pub fn effect(
        &mut self,
        program: &mut Picture,
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
        match stand.look.mix {
            Mix::Inks(blend) => {
                lay_inks(program, region, stand, (inks, &sampler), blend, tiles);
            }
            Mix::Tone(tone) => lay_tone(program, region, stand, (&sampler, tone), tiles),
        }
    }
}

/// Lays a drawing in its inks; only where there are any.
fn lay_inks(
    program: &mut Picture,
    region: &Region,
    stand: &Stand,
    (inks, sampler): (&Inks, &Sampler),
    blend: Blend,
    tiles: &Tiles,
) {
    let [first, second] = stand.look.inks.map(shades);
    let mixer = Mixer::of(blend);
    let pixel = sampler.pixel;
    each_row(program, &tiles.mixed, |(left, y), row| {
        let Some(shape) = ShapeRow::of(region, left, y) else {
            return;
        };
        let down = sampler.between(y as i32, sampler.corner.1, sampler.size.height);
        for (start, end) in inks.runs(down.0) {
            // Coarse drawings reach half a pixel further.
            let reach = if pixel == 1 { 0 } else { pixel };
            let at = |column: u16, reach: i32| {
                let x = sampler.corner.0 + i32::from(column) * pixel + reach - left as i32;
                x.clamp(0, row.len() as i32) as usize
            };
            let (start, end) = (at(*start, -reach), at(*end, reach));
            let x = left as i32 + start as i32;
            let along = sampler.along(x);
            for ((at, below), across) in row[start..end].iter_mut().enumerate().zip(along) {
                let covered = shape.covered(start + at);
                if covered == 0 {
                    continue;
                }
                let [one, two] = sampler.pair(across, down);
                if one == 0 && two == 0 {
                    continue;
                }
                let above = first[usize::from(one)] + second[usize::from(two.min(255 - one))];
                if covered == 255 {
                    mixer.lay(below, above);
                } else {
                    mixer.lay(below, times(above, u32::from(covered)));
                }
            }
        }
    });
}

/// Lays ink where the picture is darker than the pattern says.
fn lay_tone(
    program: &mut Picture,
    region: &Region,
    stand: &Stand,
    (sampler, tone): (&Sampler, Tone),
    tiles: &Tiles,
) {
    let ink = shades(stand.look.inks[0]);
    let darkness: [u8; 256] = std::array::from_fn(|luminance| {
        let dark = tone.darkness(luminance as f32 / 255.0, stand.look.strength);
        (dark * 255.0).round() as u8
    });
    // With eight bits of fraction.
    let sharpness = (stand.sharpness() * 256.0) as i32;
    each_row(program, &tiles.mixed, |(left, y), row| {
        let Some(shape) = ShapeRow::of(region, left, y) else {
            return;
        };
        let down = sampler.between(y as i32, sampler.corner.1, sampler.size.height);
        let along = sampler.along(left as i32);
        for ((at, below), across) in row.iter_mut().enumerate().zip(along) {
            let [r, g, b, alpha] = *below;
            let (r, g, b) = (u32::from(r), u32::from(g), u32::from(b));
            // What is transparent counts as paper.
            let luminance = ((77 * r + 150 * g + 29 * b) >> 8) + 255 - u32::from(alpha);
            let dark = darkness[luminance.min(255) as usize];
            let covered = shape.covered(at);
            if dark == 0 || covered == 0 {
                continue;
            }
            let [pattern, _] = sampler.pair(across, down);
            let above = i32::from(pattern) + i32::from(dark) - 255;
            let strength = ((above * sharpness) >> 8) + 128;
            if strength > 0 {
                let above = ink[strength.min(255) as usize];
                blend(below, times(above, u32::from(covered)));
            }
        }
    });
}

/// A row of a region's shape, from a program column on.
struct ShapeRow<'a> {
    row: &'a [u8],
    skip: i32,
}

impl<'a> ShapeRow<'a> {
    /// `None` where the shape is not at all.
    fn of(region: &'a Region, left: u32, y: u32) -> Option<Self> {
        let y = y as i32 - region.rect.y;
        if y < 0 || y >= region.rect.height as i32 {
            return None;
        }
        let start = y as usize * region.rect.width as usize;
        let row = region
            .alpha
            .get(start..start + region.rect.width as usize)?;
        let skip = left as i32 - region.rect.x;
        Some(Self { row, skip })
    }

    #[inline]
    fn covered(&self, at: usize) -> u8 {
        let at = at as i32 + self.skip;
        usize::try_from(at)
            .ok()
            .and_then(|at| self.row.get(at).copied())
            .unwrap_or_default()
    }
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
    fn coarse_drawings_are_smooth_between_their_pixels() {
        let pairs = [[0, 0], [200, 0], [0, 100], [200, 100]];
        let sampler = Sampler {
            pairs: &pairs,
            size: Size::new(2, 2),
            pixel: 2,
            corner: (10, 20),
        };
        let at = |x, y| sampler.pair(sampler.between(x, 10, 2), sampler.between(y, 20, 2));
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
