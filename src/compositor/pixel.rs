//! Arithmetic on pixels of eight bits a channel, premultiplied.

use multiversion::multiversion;

use crate::panels::Blend;

/// A pixel: red in the lowest byte, alpha in the highest.
pub(super) type Pixel = u32;

pub(super) const OPAQUE: Pixel = 0xff00_0000;

const EVEN: u32 = 0x00ff_00ff;

/// Every channel times `by` of 255, rounded; two channels at a time.
#[inline]
pub(super) fn times(pixel: Pixel, by: u32) -> Pixel {
    let of_255 = |channels: u32| {
        let wide = channels * by + 0x0080_0080;
        (wide + (wide >> 8 & EVEN)) >> 8 & EVEN
    };
    of_255(pixel & EVEN) | of_255(pixel >> 8 & EVEN) << 8
}

/// An alpha times another.
#[inline]
pub(super) fn scaled(alpha: u32, by: u8) -> u32 {
    times(alpha, u32::from(by)) & 255
}

/// A colour with another alpha.
#[inline]
pub(super) fn premultiplied(colour: Pixel, alpha: u32) -> Pixel {
    times(colour | OPAQUE, alpha)
}

/// A colour, straight alpha, times an alpha of 255.
#[inline]
pub(super) fn ink([r, g, b, a]: [u8; 4], alpha: u32) -> Pixel {
    premultiplied(Pixel::from_le_bytes([r, g, b, 255]), scaled(alpha, a))
}

/// `above` over `below`.
#[inline]
pub(super) fn over(below: Pixel, above: Pixel) -> Pixel {
    match above >> 24 {
        0 => below,
        255 => above,
        alpha => above + times(below, 255 - alpha),
    }
}

/// Lays a premultiplied pixel over another.
#[inline]
pub(super) fn blend(below: &mut [u8; 4], above: Pixel) {
    let pixel = match above >> 24 {
        0 => return,
        255 => above,
        alpha => above + times(Pixel::from_le_bytes(*below), 255 - alpha),
    };
    *below = pixel.to_le_bytes();
}

/// Pixels of a row that are laid together.
const TOGETHER: usize = 8;

/// Lays a row of premultiplied pixels over another: [`blend`] for each, many at a time.
#[multiversion(targets("x86_64+avx2"))]
fn blend_row(below: &mut [[u8; 4]], above: &[[u8; 4]]) {
    let (groups, rest) = above.as_chunks::<TOGETHER>();
    let (below, below_rest) = below.split_at_mut(below.len().min(groups.len() * TOGETHER));
    for (below, above) in below.as_chunks_mut::<TOGETHER>().0.iter_mut().zip(groups) {
        let above = above.as_flattened();
        if above.iter().all(|byte| *byte == 0) {
            continue;
        }
        // What is seen of each byte below.
        let seen: [u16; 4 * TOGETHER] = std::array::from_fn(|at| u16::from(255 - above[at | 3]));
        let bytes = below.as_flattened_mut().iter_mut().zip(above).zip(seen);
        for ((below, above), seen) in bytes {
            let wide = u16::from(*below) * seen + 128;
            *below = above.saturating_add(((wide + (wide >> 8)) >> 8) as u8);
        }
    }
    for (below, above) in below_rest.iter_mut().zip(rest) {
        blend(below, Pixel::from_le_bytes(*above));
    }
}

/// Lays premultiplied pixels on others in one way.
#[derive(Clone, Copy)]
pub(super) struct Mixer {
    /// `None`: over them, which is nearly always the case and worth a path of its own.
    way: Option<fn(&mut [u8; 4], Pixel)>,
}

impl Mixer {
    pub fn of(how: Blend) -> Self {
        Self {
            way: (how != Blend::Normal).then(|| way(how)),
        }
    }

    /// Lays a row on another.
    pub fn lay_row(self, below: &mut [[u8; 4]], above: &[[u8; 4]]) {
        match self.way {
            None => blend_row(below, above),
            Some(way) => {
                for (below, above) in below.iter_mut().zip(above) {
                    if *above != [0; 4] {
                        way(below, Pixel::from_le_bytes(*above));
                    }
                }
            }
        }
    }

    #[inline]
    pub fn lay(self, below: &mut [u8; 4], above: Pixel) {
        match self.way {
            None => blend(below, above),
            Some(way) => way(below, above),
        }
    }
}

fn way(how: Blend) -> fn(&mut [u8; 4], Pixel) {
    match how {
        Blend::Normal => blend,
        Blend::Multiply => |below, above| {
            if above >> 24 == 0 {
                return;
            }
            let over = above.to_le_bytes();
            let (under_rest, over_rest) = (255 - u32::from(below[3]), 255 - u32::from(over[3]));
            for (below, above) in below.iter_mut().zip(over) {
                let (b, a) = (u32::from(*below), u32::from(above));
                *below = of_255(a * under_rest + b * over_rest + a * b);
            }
        },
        Blend::Screen => |below, above| {
            for (below, above) in below.iter_mut().zip(above.to_le_bytes()) {
                let (b, a) = (u32::from(*below), u32::from(above));
                *below = of_255(255 * (a + b) - a * b);
            }
        },
        Blend::Difference => |below, above| {
            if above >> 24 == 0 {
                return;
            }
            let over = above.to_le_bytes();
            let (under_alpha, over_alpha) = (u32::from(below[3]), u32::from(over[3]));
            for (below, above) in below.iter_mut().take(3).zip(over) {
                let (b, a) = (u32::from(*below), u32::from(above));
                let smaller = (a * under_alpha).min(b * over_alpha);
                *below = of_255(255 * (a + b) - (2 * smaller).min(255 * (a + b)));
            }
            below[3] = of_255(255 * (under_alpha + over_alpha) - under_alpha * over_alpha);
        },
        Blend::Overlay => |below, above| exactly(Blend::Overlay, below, above),
        Blend::Darken => |below, above| exactly(Blend::Darken, below, above),
        Blend::Lighten => |below, above| exactly(Blend::Lighten, below, above),
        Blend::HardLight => |below, above| exactly(Blend::HardLight, below, above),
        Blend::SoftLight => |below, above| exactly(Blend::SoftLight, below, above),
        Blend::Dodge => |below, above| exactly(Blend::Dodge, below, above),
    }
}

#[inline]
fn of_255(value: u32) -> u8 {
    let wide = value + 128;
    ((wide + (wide >> 8)) >> 8) as u8
}

fn exactly(how: Blend, below: &mut [u8; 4], above: Pixel) {
    if above >> 24 == 0 {
        return;
    }
    let part = |byte: u8| f32::from(byte) / 255.0;
    let mixed = how.pixel(below.map(part), above.to_le_bytes().map(part));
    *below = mixed.map(|value| (value * 255.0 + 0.5) as u8);
}

/// A picture that waits for its turn: darker and paler. Mirrored by `waiting` in
/// `shaders/page.wgsl`.
#[inline]
pub(super) fn waiting(pixel: Pixel) -> Pixel {
    let [r, g, b, a] = pixel.to_le_bytes();
    let luma = (77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b)) >> 8;
    let paler = |byte: u8| ((u32::from(byte) + luma) / 4 + 18) as u8;
    Pixel::from_le_bytes([paler(r), paler(g), paler(b), a])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_channels_at_a_time_round_like_one() {
        for a in (0..=255u32).step_by(3) {
            for by in 0..=255 {
                let expected = (f64::from(a) * f64::from(by) / 255.0).round() as u32;
                assert_eq!(
                    times(a * 0x0101_0101, by),
                    expected * 0x0101_0101,
                    "{a} {by}"
                );
            }
        }
    }

    #[test]
    fn a_row_is_laid_as_its_pixels_are() {
        // Not a multiple of what is laid together.
        let above: Vec<[u8; 4]> = (0..=258u32)
            .map(|at| premultiplied(0x0012_80ff + at, at % 256).to_le_bytes())
            .collect();
        let below: Vec<[u8; 4]> = (0..=258u32).map(|at| [at as u8, 3, 255, 200]).collect();
        for how in [Blend::Normal, Blend::Multiply, Blend::Screen] {
            let (mut row, mut one_by_one) = (below.clone(), below.clone());
            let mixer = Mixer::of(how);
            mixer.lay_row(&mut row, &above);
            for (below, above) in one_by_one.iter_mut().zip(&above) {
                mixer.lay(below, Pixel::from_le_bytes(*above));
            }
            assert_eq!(row, one_by_one, "{how:?}");
        }
    }

    #[test]
    fn blending_keeps_within_a_byte() {
        for alpha in 0..=255u32 {
            for below in [0u8, 1, 127, 254, 255] {
                let mut pixel = [below; 4];
                blend(&mut pixel, premultiplied(0x00ff_ffff, alpha));
                let expected = f64::from(alpha) + f64::from(below) * f64::from(255 - alpha) / 255.0;
                assert!(
                    (f64::from(pixel[0]) - expected).abs() <= 1.0,
                    "{alpha} {below} {pixel:?}"
                );
            }
        }
    }

    /// Whole numbers give what the formulas give.
    #[test]
    fn every_way_of_mixing_rounds_to_its_formula() {
        for (how, name) in Blend::ALL {
            let mix = way(how);
            for under in [0u32, 100, 255] {
                for over in [0u32, 60, 255] {
                    for (b, a) in [(10, 250), (200, 40), (128, 128), (0, 255), (255, 0)] {
                        let below = times(OPAQUE | (b * 0x0001_0101), under).to_le_bytes();
                        let above = times(OPAQUE | (a * 0x0001_0101), over);
                        let part = |byte: u8| f32::from(byte) / 255.0;
                        let expected = how.pixel(below.map(part), above.to_le_bytes().map(part));
                        let mut got = below;
                        mix(&mut got, above);
                        for (got, expected) in got.iter().zip(expected) {
                            let far = (f32::from(*got) - expected * 255.0).abs();
                            assert!(far <= 1.0, "{name} {below:?} {above:x}: {far}");
                        }
                    }
                }
            }
        }
    }
}
