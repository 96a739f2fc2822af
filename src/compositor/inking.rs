//! Lays drawings of effects in memory.

use crate::frame::{Picture, Size};
use crate::panels::{Blend, Region};

use super::brush::{Brush, each_row};
use super::fx::{Drawn, Laid, Mix, Stand};
use super::pixel::{Pixel, mixer, times};
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
    fn between(&self, at: i32, corner: i32, side: u32) -> Between {
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
        std::array::from_fn(|ink| {
            let [a, b, c, d] = corners.map(|pair| u32::from(pair[ink]));
            let upper = a * (256 - across) + b * across;
            let lower = c * (256 - across) + d * across;
            ((upper * (256 - down) + lower * down + (1 << 15)) >> 16) as u8
        })
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
            pairs: inks.as_chunks::<2>().0,
            size: laid.size,
            pixel: laid.pixel as i32,
            corner: laid.corner,
        };
        let [first, second] = stand.look.inks.map(shades);
        let (mix, darkness) = match stand.look.mix {
            Mix::Inks(blend) => (mixer(blend), None),
            Mix::Tone(tone) => {
                let darkness: [f32; 256] = std::array::from_fn(|luminance| {
                    tone.darkness(luminance as f32 / 255.0, stand.look.strength)
                });
                (mixer(Blend::Normal), Some(darkness))
            }
        };
        let sharpness = stand.sharpness();
        let mut columns: Vec<Between> = Vec::new();
        let mut of_columns = (0, 0);
        each_row(program, &tiles.mixed, |(left, y), row| {
            if of_columns != (left, row.len()) {
                of_columns = (left, row.len());
                columns.clear();
                columns.extend(
                    (left..left + row.len() as u32)
                        .map(|x| sampler.between(x as i32, sampler.corner.0, sampler.size.width)),
                );
            }
            let Some(shape) = shape_row(region, left, y, row.len()) else {
                return;
            };
            let down = sampler.between(y as i32, sampler.corner.1, sampler.size.height);
            for ((below, column), covered) in row.iter_mut().zip(&columns).zip(shape) {
                if covered == 0 {
                    continue;
                }
                let [one, two] = sampler.pair(*column, down);
                let above = if let Some(darkness) = &darkness {
                    let [r, g, b, alpha] = below.map(u32::from);
                    let luminance = (77 * r + 150 * g + 29 * b) / 256 + 255 - alpha;
                    let dark = darkness[luminance.min(255) as usize];
                    if dark < 0.004 {
                        continue;
                    }
                    let ink = (f32::from(one) / 255.0 + dark - 1.0) * sharpness + 0.5;
                    first[(ink.clamp(0.0, 1.0) * 255.0 + 0.5) as usize]
                } else {
                    if one == 0 && two == 0 {
                        continue;
                    }
                    first[usize::from(one)] + second[usize::from(two.min(255 - one))]
                };
                let above = if covered == 255 {
                    above
                } else {
                    times(above, u32::from(covered))
                };
                mix(below, above);
            }
        });
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

/// How much the shape covers of each pixel of a row; `None` where it is not at all.
fn shape_row(
    region: &Region,
    left: u32,
    y: u32,
    width: usize,
) -> Option<impl Iterator<Item = u8> + '_> {
    let y = y as i32 - region.rect.y;
    if y < 0 || y >= region.rect.height as i32 {
        return None;
    }
    let start = y as usize * region.rect.width as usize;
    let row = region
        .alpha
        .get(start..start + region.rect.width as usize)?;
    let skip = left as i32 - region.rect.x;
    Some((skip..skip + width as i32).map(move |at| {
        usize::try_from(at)
            .ok()
            .and_then(|at| row.get(at).copied())
            .unwrap_or_default()
    }))
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
    }
}
