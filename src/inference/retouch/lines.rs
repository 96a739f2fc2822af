//! Ink lines over a drawing, for models that draw none.
//!
//! The extended difference of Gaussians of Winnemöller, Kyprianidis and Olsen ("`XDoG`: An `eXtended`
//! difference-of-Gaussians compendium including advanced image stylization", 2012), on the
//! lightness of the camera's picture.

use multiversion::multiversion;

use crate::frame::Picture;

/// Deviation of the narrow Gaussian in pixels of a picture 512 pixels long.
const SIGMA: f32 = 0.9;
/// How much wider the other is.
const WIDER: f32 = 1.6;
/// Its weight: less than 1 leaves a little of the lightness itself.
const WEIGHT: f32 = 0.985;
/// Differences below this are ink, as a share of white.
const THRESHOLD: f32 = 0.002;
/// How much darker than that is half as dark as ink can be.
const HALF: f32 = 0.4 / 60.0;
/// The ink, RGB.
const INK: [i16; 3] = [26, 18, 22];
/// Parts of a level of lightness: as many as leave room for the sum of two values in 16 bits.
const PARTS: i16 = 64;
const WHITE: f32 = 255.0 * PARTS as f32;
/// Pixels that are inked together.
const TOGETHER: usize = 16;

/// Draws lines; keeps its planes from picture to picture.
#[derive(Default)]
pub(super) struct Lines {
    /// In [`PARTS`] of a level.
    lightness: Vec<i16>,
    narrow: Blur,
    wide: Blur,
}

/// One row of a plane that is blurred by a Gaussian; what is beyond the plane is as its edge.
#[derive(Default)]
struct Blur {
    /// From the middle outwards, of 32768.
    weights: Vec<i16>,
    /// Blurred along the columns, with the edges repeated left and right.
    upright: Vec<i16>,
    row: Vec<i16>,
}

impl Lines {
    /// Draws the lines of `input` over `drawing`. Both have one size and some pixels.
    pub fn draw(&mut self, input: &Picture, drawing: &mut Picture, amount: f32) {
        let (width, height) = (input.width() as usize, input.height() as usize);
        self.lightness.resize(width * height, 0);
        lightness(input.rgba(), &mut self.lightness);
        // Lines are as heavy in a large picture as in a small one, nearly.
        let sigma = SIGMA * (0.75 + 0.25 * width.max(height) as f32 / 512.0);
        self.narrow.widen(sigma);
        self.wide.widen(sigma * WIDER);
        for (y, pixels) in drawing.rgba_mut().chunks_exact_mut(width * 4).enumerate() {
            self.narrow.take(&self.lightness, width, y);
            self.wide.take(&self.lightness, width, y);
            ink(pixels, &self.narrow.row, &self.wide.row, amount);
        }
    }
}

impl Blur {
    /// Sets the Gaussian's deviation, in pixels.
    fn widen(&mut self, sigma: f32) {
        let reach = (2.5 * sigma).ceil() as usize;
        let at = |step: usize| (-((step * step) as f32) / (2.0 * sigma * sigma)).exp();
        let sum = at(0) + 2.0 * (1..=reach).map(at).sum::<f32>();
        self.weights.clear();
        self.weights
            .extend((0..=reach).map(|step| (at(step) / sum * 32768.0).round() as i16));
    }

    /// Blurs row `y` of a plane.
    fn take(&mut self, plane: &[i16], width: usize, y: usize) {
        let reach = self.weights.len() - 1;
        let last = plane.len() / width - 1;
        let row = |y: usize| &plane[y * width..(y + 1) * width];
        self.upright.resize(width + 2 * reach, 0);
        let (left, rest) = self.upright.split_at_mut(reach);
        let (middle, right) = rest.split_at_mut(width);
        middle.fill(0);
        for (step, weight) in self.weights.iter().enumerate() {
            let (above, below) = (row(y.saturating_sub(step)), row((y + step).min(last)));
            add(middle, above, below, step, *weight);
        }
        left.fill(middle[0]);
        right.fill(middle[width - 1]);
        self.row.clear();
        self.row.resize(width, 0);
        for (step, weight) in self.weights.iter().enumerate() {
            let (left, right) = (&self.upright[reach - step..], &self.upright[reach + step..]);
            add(&mut self.row, left, right, step, *weight);
        }
    }
}

/// Adds two rows, `step` pixels from the middle, to the sum; in the middle both are one and the same.
#[multiversion(targets("x86_64+avx2"))]
fn add(sums: &mut [i16], one: &[i16], other: &[i16], step: usize, weight: i16) {
    let share = |value: i16| ((i32::from(value) * i32::from(weight) + (1 << 14)) >> 15) as i16;
    if step == 0 {
        for (sum, one) in sums.iter_mut().zip(one) {
            *sum += share(*one);
        }
    } else {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += share(one + other);
        }
    }
}

/// How light the pixels are to an eye (BT.601).
#[multiversion(targets("x86_64+avx2"))]
fn lightness(rgba: &[u8], light: &mut [i16]) {
    for (pixel, light) in rgba.as_chunks::<4>().0.iter().zip(light) {
        let [red, green, blue, _] = pixel.map(u32::from);
        *light = ((77 * red + 150 * green + 29 * blue) >> 2) as i16;
    }
}

/// Darkens a row's pixels where one blurred row is darker than the other; what is darker than ink
/// stays.
#[multiversion(targets("x86_64+avx2"))]
fn ink(pixels: &mut [u8], narrow: &[i16], wide: &[i16], amount: f32) {
    let groups = pixels.chunks_mut(4 * TOGETHER);
    let groups = groups.zip(narrow.chunks(TOGETHER).zip(wide.chunks(TOGETHER)));
    for (pixels, (narrow, wide)) in groups {
        // How much darker each pixel is than what is ink.
        let mut dark = [0.0; TOGETHER];
        for (dark, (narrow, wide)) in dark.iter_mut().zip(narrow.iter().zip(wide)) {
            *dark = WEIGHT * f32::from(*wide) + THRESHOLD * WHITE - f32::from(*narrow);
        }
        // Most of a picture has no lines.
        if dark.iter().fold(0.0f32, |most, dark| most.max(*dark)) <= 0.0 {
            continue;
        }
        // Of 128. Nearly a hyperbolic tangent.
        let inks = dark.map(|dark| {
            let dark = dark.max(0.0);
            (128.0 * amount * dark / (dark + HALF * WHITE)) as i32 as i16
        });
        for (pixel, ink) in pixels.as_chunks_mut::<4>().0.iter_mut().zip(inks) {
            for (value, ink_value) in pixel.iter_mut().zip(INK) {
                let old = i16::from(*value);
                *value = (old + (((ink_value - old).min(0) * ink) >> 7)) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    fn picture(level: impl Fn(u32, u32) -> u8) -> Picture {
        let size = Size::new(64, 48);
        let mut picture = Picture::new(size);
        for (at, pixel) in picture
            .rgba_mut()
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .enumerate()
        {
            let level = level(at as u32 % size.width, at as u32 / size.width);
            *pixel = [level, level, level, 200];
        }
        picture
    }

    #[test]
    fn a_dark_stroke_becomes_ink_and_flat_ground_stays() {
        let input = picture(|x, _| if (30..32).contains(&x) { 90 } else { 180 });
        let mut drawing = picture(|_, _| 220);
        Lines::default().draw(&input, &mut drawing, 1.0);
        let at = |x| drawing.pixel(x, 24).unwrap();
        assert!(at(30)[0] < 80, "{:?}", at(30));
        assert_eq!(at(5), [220, 220, 220, 200]);
        assert_eq!(at(63), [220, 220, 220, 200]);
    }

    #[test]
    fn a_blur_keeps_the_sum_and_the_edges() {
        let blurred = |plane: &[i16], width: usize, sigma: f32| -> Vec<i16> {
            let mut blur = Blur::default();
            blur.widen(sigma);
            (0..plane.len() / width)
                .flat_map(|y| {
                    blur.take(plane, width, y);
                    blur.row.clone()
                })
                .collect()
        };
        let flat = blurred(&[8000; 35], 7, 1.5);
        assert!(
            flat.iter().all(|value| value.abs_diff(8000) <= 8),
            "{flat:?}"
        );
        let mut spot = [0; 15 * 15];
        spot[7 * 15 + 7] = 16_000;
        let spread = blurred(&spot, 15, 1.5);
        let sum: i32 = spread.iter().map(|value| i32::from(*value)).sum();
        assert!((sum - 16_000).abs() < 160, "{sum}");
        assert_eq!(spread[7 * 15 + 4], spread[4 * 15 + 7]);
        // A picture narrower than the kernel, white: nothing leaves 16 bits.
        let white = blurred(&[255 * PARTS; 3], 1, 3.0);
        assert!(
            white.iter().all(|value| value.abs_diff(255 * PARTS) <= 16),
            "{white:?}"
        );
    }
}
