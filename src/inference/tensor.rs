//! Pixels to tensor values and back.
//!
//! The loops are written so that the compiler turns them into SIMD: whole words in, no branches,
//! no saturating conversions.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use multiversion::multiversion;

use crate::frame::{Area, Picture};

/// Order of values in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A plane a channel.
    #[default]
    Planes,
    /// The channels of a pixel together.
    Pixels,
}

/// Order of the channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
    /// One channel: how light a pixel is.
    Grey,
}

impl Channels {
    /// Values of a pixel.
    pub fn count(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Grey => 1,
        }
    }
}

/// How a network writes colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coding {
    /// Order of values.
    pub layout: Layout,
    /// Order of channels.
    pub channels: Channels,
    /// The values of no red, green and blue; a grey network has the first.
    pub black: [f32; 3],
    /// The values of full red, green and blue. They differ from those of black.
    pub white: [f32; 3],
}

impl Coding {
    /// With the same values of black and white, `range`, in all channels.
    pub const fn new(layout: Layout, channels: Channels, range: [f32; 2]) -> Self {
        Self {
            layout,
            channels,
            black: [range[0]; 3],
            white: [range[1]; 3],
        }
    }
}

impl Default for Coding {
    fn default() -> Self {
        Self::new(Layout::Planes, Channels::Rgb, [0.0, 1.0])
    }
}

/// A value that is not a number, or infinite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite;

/// Scales pictures; keeps its buffers from one to the next.
#[derive(Default)]
pub struct Scaler {
    resizer: Resizer,
}

impl Scaler {
    /// Scales all of `from` to the size of `to`, smoothly, whatever the aspects are.
    ///
    /// # Errors
    /// When a picture has no pixels; says why.
    pub fn scale(&mut self, from: &Picture, to: &mut Picture) -> Result<(), String> {
        let all = Area {
            corner: [0.0; 2],
            size: [1.0; 2],
        };
        self.scale_part(from, all, to)
    }

    /// The same with a part of `from`.
    ///
    /// # Errors
    /// When a picture has no pixels or the part is not in it; says why.
    pub fn scale_part(
        &mut self,
        from: &Picture,
        part: Area,
        to: &mut Picture,
    ) -> Result<(), String> {
        let sides = [from.width(), from.height()].map(f64::from);
        let corner = [0, 1].map(|axis| f64::from(part.corner[axis]) * sides[axis]);
        // Shares are rounded, and the part must lie inside.
        let size = [0, 1]
            .map(|axis| (f64::from(part.size[axis]) * sides[axis]).min(sides[axis] - corner[axis]));
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(corner[0], corner[1], size[0], size[1])
            .use_alpha(false);
        let (source, target) = (from.size(), to.size());
        let source = ImageRef::new(source.width, source.height, from.rgba(), PixelType::U8x4)
            .map_err(|error| error.to_string())?;
        let mut target =
            Image::from_slice_u8(target.width, target.height, to.rgba_mut(), PixelType::U8x4)
                .map_err(|error| error.to_string())?;
        self.resizer
            .resize(&source, &mut target, &options)
            .map_err(|error| error.to_string())
    }
}

/// Writes the colours of `rgba` (4 bytes a pixel) to `values` (3 a pixel, 1 of a grey network);
/// alpha is left out.
#[multiversion(targets("x86_64+avx2"))]
pub fn encode(rgba: &[u8], values: &mut [f32], coding: Coding) {
    let Coding {
        layout,
        channels,
        black,
        white,
    } = coding;
    let scale: [f32; 3] = std::array::from_fn(|at| (white[at] - black[at]) / 255.0);
    let swap = channels == Channels::Bgr;
    match (channels, layout) {
        (Channels::Grey, _) => {
            for (pixel, value) in rgba.chunks_exact(4).zip(values) {
                let light: f32 = (0..3).map(|at| f32::from(pixel[at]) * LIGHT[at]).sum();
                *value = light * scale[0] + black[0];
            }
        }
        (_, Layout::Planes) => {
            let count = (rgba.len() / 4).min(values.len() / 3);
            let (first, rest) = values.split_at_mut(count);
            let (second, third) = rest.split_at_mut(count);
            let (red, blue) = if swap { (third, first) } else { (first, third) };
            let pixels = rgba.chunks_exact(4);
            for (((pixel, red), green), blue) in pixels.zip(red).zip(second).zip(blue) {
                let word = u32::from_le_bytes([pixel[0], pixel[1], pixel[2], pixel[3]]);
                *red = (word & 255) as i32 as f32 * scale[0] + black[0];
                *green = ((word >> 8) & 255) as i32 as f32 * scale[1] + black[1];
                *blue = ((word >> 16) & 255) as i32 as f32 * scale[2] + black[2];
            }
        }
        (_, Layout::Pixels) => {
            for (pixel, values) in rgba.chunks_exact(4).zip(values.chunks_exact_mut(3)) {
                let [red, green, blue] =
                    [0, 1, 2].map(|at| f32::from(pixel[at]) * scale[at] + black[at]);
                values.copy_from_slice(&if swap {
                    [blue, green, red]
                } else {
                    [red, green, blue]
                });
            }
        }
    }
}

/// How light red, green and blue are to an eye (BT.601).
const LIGHT: [f32; 3] = [0.299, 0.587, 0.114];

/// Writes `values` (3 a pixel, or 4 of which the last is left out; 1 of a grey network) and `matte` (1 a pixel, 0..1; without one
/// everything is opaque) to `rgba`. Values out of range become black or white.
///
/// # Errors
/// When a value is not finite; `rgba` then holds no picture.
#[multiversion(targets("x86_64+avx2"))]
pub fn decode(
    values: &[f32],
    matte: Option<&[f32]>,
    coding: Coding,
    rgba: &mut [u8],
) -> Result<(), NotFinite> {
    let Coding {
        layout,
        channels,
        black,
        white,
    } = coding;
    // One multiplication and one addition a value; rounding is added in `byte`.
    let scale: [f32; 3] = std::array::from_fn(|at| 255.0 / (white[at] - black[at]));
    let shift: [f32; 3] = std::array::from_fn(|at| -black[at] * scale[at]);
    let swap = channels == Channels::Bgr;
    let mut wrong = 0;
    match (channels, layout) {
        (Channels::Grey, _) => {
            for (at, (pixel, &value)) in rgba.chunks_exact_mut(4).zip(values).enumerate() {
                let alpha = matte.map_or(1.0, |matte| matte.get(at).copied().unwrap_or(1.0));
                wrong |= infinite(value) | infinite(alpha);
                let light = byte(value * scale[0] + shift[0]);
                let word = (light * 0x01_0101) | (byte(alpha * 255.0) << 24);
                pixel.copy_from_slice(&word.to_le_bytes());
            }
        }
        (_, Layout::Planes) => {
            let count = (rgba.len() / 4).min(values.len() / 3);
            let (first, rest) = values.split_at(count);
            let (second, third) = rest.split_at(count);
            let (red, blue) = if swap { (third, first) } else { (first, third) };
            let colours = red.iter().zip(second).zip(&blue[..count]);
            match matte {
                Some(matte) => {
                    for ((pixel, ((&red, &green), &blue)), &matte) in
                        rgba.chunks_exact_mut(4).zip(colours).zip(matte)
                    {
                        wrong |= infinite(red) | infinite(green) | infinite(blue) | infinite(matte);
                        let word = byte(red * scale[0] + shift[0])
                            | byte(green * scale[1] + shift[1]) << 8
                            | byte(blue * scale[2] + shift[2]) << 16
                            | byte(matte * 255.0) << 24;
                        pixel.copy_from_slice(&word.to_le_bytes());
                    }
                }
                None => {
                    for (pixel, ((&red, &green), &blue)) in rgba.chunks_exact_mut(4).zip(colours) {
                        wrong |= infinite(red) | infinite(green) | infinite(blue);
                        let word = byte(red * scale[0] + shift[0])
                            | byte(green * scale[1] + shift[1]) << 8
                            | byte(blue * scale[2] + shift[2]) << 16
                            | 255 << 24;
                        pixel.copy_from_slice(&word.to_le_bytes());
                    }
                }
            }
        }
        (_, Layout::Pixels) => {
            wrong = if values.len() >= rgba.len() {
                decode_pixels::<4>(values, matte, swap, (scale, shift), rgba)
            } else {
                decode_pixels::<3>(values, matte, swap, (scale, shift), rgba)
            };
        }
    }
    if wrong == 0 { Ok(()) } else { Err(NotFinite) }
}

/// Of `N` values a pixel, the first three are colours; gives whether one is not finite.
#[inline(always)]
fn decode_pixels<const N: usize>(
    values: &[f32],
    matte: Option<&[f32]>,
    swap: bool,
    (scale, shift): ([f32; 3], [f32; 3]),
    rgba: &mut [u8],
) -> u32 {
    let mut wrong = 0;
    let pixels = rgba.chunks_exact_mut(4).zip(values.chunks_exact(N));
    for (at, (pixel, values)) in pixels.enumerate() {
        let alpha = matte.map_or(1.0, |matte| matte.get(at).copied().unwrap_or(1.0));
        wrong |= infinite(values[0]) | infinite(values[1]) | infinite(values[2]) | infinite(alpha);
        let (red, blue) = if swap {
            (values[2], values[0])
        } else {
            (values[0], values[2])
        };
        let word = byte(red * scale[0] + shift[0])
            | byte(values[1] * scale[1] + shift[1]) << 8
            | byte(blue * scale[2] + shift[2]) << 16
            | byte(alpha * 255.0) << 24;
        pixel.copy_from_slice(&word.to_le_bytes());
    }
    wrong
}

/// Mixes the colours of `drawing` with those of `input`: `strength` 1 leaves the drawing, 0 gives
/// the input. Alpha stays the drawing's.
#[multiversion(targets("x86_64+avx2"))]
pub fn mix(drawing: &mut [u8], input: &[u8], strength: f32) {
    let share = (strength.clamp(0.0, 1.0) * 256.0).round() as u32;
    for (drawn, input) in drawing.chunks_exact_mut(4).zip(input.chunks_exact(4)) {
        for (drawn, &input) in drawn[..3].iter_mut().zip(&input[..3]) {
            *drawn =
                ((u32::from(*drawn) * share + u32::from(input) * (256 - share) + 128) >> 8) as u8;
        }
    }
}

/// The nearest whole number to `value`, kept in 0..=255.
#[inline(always)]
fn byte(value: f32) -> u32 {
    // In a float of this size the lowest bits are the whole number: no conversion is needed.
    const WHOLE: f32 = 8_388_608.0;
    let value = if value > 0.0 { value } else { 0.0 };
    let value = if value < 255.0 { value } else { 255.0 };
    (value + WHOLE).to_bits() & 255
}

/// 1 for infinities and for what is not a number, else 0.
#[inline(always)]
fn infinite(value: f32) -> u32 {
    const EXPONENT: u32 = 0x7f80_0000;
    u32::from(value.to_bits() & EXPONENT == EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_codings() -> impl Iterator<Item = Coding> {
        [Layout::Planes, Layout::Pixels]
            .into_iter()
            .flat_map(|layout| {
                [Channels::Rgb, Channels::Bgr]
                    .into_iter()
                    .flat_map(move |channels| {
                        [[0.0, 1.0], [-1.0, 1.0], [0.0, 255.0], [1.0, 0.0]]
                            .map(|range| Coding::new(layout, channels, range))
                            .into_iter()
                            // ImageNet's mean and deviation.
                            .chain([Coding {
                                layout,
                                channels,
                                black: [-2.118, -2.036, -1.804],
                                white: [2.249, 2.429, 2.640],
                            }])
                    })
            })
    }

    #[test]
    fn every_byte_survives_every_coding() {
        let rgba: Vec<u8> = (0..=255u8)
            .flat_map(|value| [value, 255 - value, value / 2, 255])
            .collect();
        for coding in all_codings() {
            let mut values = vec![0.0; 256 * 3];
            encode(&rgba, &mut values, coding);
            let mut back = vec![0; rgba.len()];
            assert_eq!(decode(&values, None, coding, &mut back), Ok(()));
            assert_eq!(back, rgba, "{coding:?}");
        }
    }

    #[test]
    fn a_grey_network_sees_and_draws_light() {
        let coding = Coding::new(Layout::Planes, Channels::Grey, [-1.0, 1.0]);
        let mut values = [9.0; 2];
        encode(&[255, 255, 255, 255, 0, 255, 0, 255], &mut values, coding);
        assert!((values[0] - 1.0).abs() < 1e-6 && (values[1] - 0.174).abs() < 1e-5);
        let mut rgba = [0; 8];
        decode(&[0.2, -1.0], Some(&[1.0, 0.0]), coding, &mut rgba).unwrap();
        assert_eq!(rgba, [153, 153, 153, 255, 0, 0, 0, 0]);
        assert_eq!(decode(&[f32::NAN], None, coding, &mut rgba), Err(NotFinite));
    }

    #[test]
    fn planes_are_red_green_blue_and_the_matte_is_alpha() {
        let mut values = [9.0; 6];
        encode(
            &[255, 0, 51, 255, 0, 255, 102, 255],
            &mut values,
            Coding::default(),
        );
        let expected = [1.0, 0.0, 0.0, 1.0, 0.2, 0.4];
        assert!(
            values
                .iter()
                .zip(expected)
                .all(|(value, expected)| (value - expected).abs() < 1e-6)
        );
        let mut rgba = [0; 8];
        decode(&values, Some(&[0.5, 1.0]), Coding::default(), &mut rgba).unwrap();
        assert_eq!(rgba, [255, 0, 51, 128, 0, 255, 102, 255]);
    }

    #[test]
    fn values_out_of_range_are_black_or_white_and_no_number_is_an_error() {
        let mut rgba = [0; 4];
        decode(&[-7.0, 1e30, 0.5], None, Coding::default(), &mut rgba).unwrap();
        assert_eq!(rgba, [0, 255, 128, 255]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for coding in all_codings() {
                let values = [0.0, bad, 0.0];
                assert_eq!(decode(&values, None, coding, &mut rgba), Err(NotFinite));
                assert_eq!(
                    decode(&[0.0; 3], Some(&[bad]), coding, &mut rgba),
                    Err(NotFinite)
                );
            }
        }
    }

    #[test]
    fn mixing_is_exact_at_both_ends() {
        let (drawing, input) = ([200, 100, 0, 7], [0, 50, 255, 255]);
        for (strength, expected) in [
            (1.0, [200, 100, 0, 7]),
            (0.0, [0, 50, 255, 7]),
            (0.5, [100, 75, 128, 7]),
        ] {
            let mut mixed = drawing;
            mix(&mut mixed, &input, strength);
            assert_eq!(mixed, expected);
        }
    }
}
