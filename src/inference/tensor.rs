//! Pixels to tensor values and back.
//!
//! The loops are written so that the compiler turns them into SIMD: whole words in, no branches,
//! no saturating conversions.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::frame::Picture;

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
}

/// How a network writes colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coding {
    /// Order of values.
    pub layout: Layout,
    /// Order of channels.
    pub channels: Channels,
    /// The values of black and of white. They differ.
    pub range: [f32; 2],
}

impl Default for Coding {
    fn default() -> Self {
        Self {
            layout: Layout::Planes,
            channels: Channels::Rgb,
            range: [0.0, 1.0],
        }
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
        self.resize(from, to, FilterType::Bilinear)
    }

    /// Like [`scale`](Self::scale), to a smaller size: each pixel is the mean of those it covers.
    ///
    /// # Errors
    /// When a picture has no pixels; says why.
    pub fn average(&mut self, from: &Picture, to: &mut Picture) -> Result<(), String> {
        self.resize(from, to, FilterType::Box)
    }

    fn resize(
        &mut self,
        from: &Picture,
        to: &mut Picture,
        filter: FilterType,
    ) -> Result<(), String> {
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(filter))
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

/// Writes the colours of `rgba` (4 bytes a pixel) to `values` (3 a pixel); alpha is left out.
pub fn encode(rgba: &[u8], values: &mut [f32], coding: Coding) {
    let [black, white] = coding.range;
    let scale = (white - black) / 255.0;
    let swap = coding.channels == Channels::Bgr;
    match coding.layout {
        Layout::Planes => {
            let count = (rgba.len() / 4).min(values.len() / 3);
            let (first, rest) = values.split_at_mut(count);
            let (second, third) = rest.split_at_mut(count);
            let (red, blue) = if swap { (third, first) } else { (first, third) };
            let pixels = rgba.chunks_exact(4);
            for (((pixel, red), green), blue) in pixels.zip(red).zip(second).zip(blue) {
                let word = u32::from_le_bytes([pixel[0], pixel[1], pixel[2], pixel[3]]);
                *red = (word & 255) as i32 as f32 * scale + black;
                *green = ((word >> 8) & 255) as i32 as f32 * scale + black;
                *blue = ((word >> 16) & 255) as i32 as f32 * scale + black;
            }
        }
        Layout::Pixels => {
            for (pixel, values) in rgba.chunks_exact(4).zip(values.chunks_exact_mut(3)) {
                let [red, green, blue] = [0, 1, 2].map(|at| f32::from(pixel[at]) * scale + black);
                values.copy_from_slice(&if swap {
                    [blue, green, red]
                } else {
                    [red, green, blue]
                });
            }
        }
    }
}

/// Writes `values` (3 a pixel) and `matte` (1 a pixel, 0..1; without one everything is opaque) to
/// `rgba`. Values out of range become black or white.
///
/// # Errors
/// When a value is not finite; `rgba` then holds no picture.
pub fn decode(
    values: &[f32],
    matte: Option<&[f32]>,
    coding: Coding,
    rgba: &mut [u8],
) -> Result<(), NotFinite> {
    let [black, white] = coding.range;
    // One multiplication and one addition a value; rounding is added in `byte`.
    let (scale, shift) = (255.0 / (white - black), -255.0 * black / (white - black));
    let swap = coding.channels == Channels::Bgr;
    let count = (rgba.len() / 4).min(values.len() / 3);
    let mut wrong = 0;
    match coding.layout {
        Layout::Planes => {
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
                        let word = byte(red * scale + shift)
                            | byte(green * scale + shift) << 8
                            | byte(blue * scale + shift) << 16
                            | byte(matte * 255.0) << 24;
                        pixel.copy_from_slice(&word.to_le_bytes());
                    }
                }
                None => {
                    for (pixel, ((&red, &green), &blue)) in rgba.chunks_exact_mut(4).zip(colours) {
                        wrong |= infinite(red) | infinite(green) | infinite(blue);
                        let word = byte(red * scale + shift)
                            | byte(green * scale + shift) << 8
                            | byte(blue * scale + shift) << 16
                            | 255 << 24;
                        pixel.copy_from_slice(&word.to_le_bytes());
                    }
                }
            }
        }
        Layout::Pixels => {
            for (at, (pixel, values)) in rgba
                .chunks_exact_mut(4)
                .zip(values.chunks_exact(3))
                .enumerate()
            {
                let alpha = matte.map_or(1.0, |matte| matte.get(at).copied().unwrap_or(1.0));
                wrong |= infinite(values[0])
                    | infinite(values[1])
                    | infinite(values[2])
                    | infinite(alpha);
                let [first, second, third] = [0, 1, 2].map(|at| byte(values[at] * scale + shift));
                let (red, blue) = if swap { (third, first) } else { (first, third) };
                let word = red | second << 8 | blue << 16 | byte(alpha * 255.0) << 24;
                pixel.copy_from_slice(&word.to_le_bytes());
            }
        }
    }
    if wrong == 0 { Ok(()) } else { Err(NotFinite) }
}

/// Mixes the colours of `drawing` with those of `input`: `strength` 1 leaves the drawing, 0 gives
/// the input. Alpha stays the drawing's.
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
                        [[0.0, 1.0], [-1.0, 1.0], [0.0, 255.0], [1.0, 0.0]].map(|range| Coding {
                            layout,
                            channels,
                            range,
                        })
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
