//! Ink lines over a drawing, for models that draw none.
//!
//! The extended difference of Gaussians of Winnemöller, Kyprianidis and Olsen ("`XDoG`: An `eXtended`
//! difference-of-Gaussians compendium including advanced image stylization", 2012), on the
//! lightness of the camera's picture.

use crate::frame::Picture;

/// Deviation of the narrow Gaussian in pixels of a picture 512 pixels long.
const SIGMA: f32 = 0.9;
/// How much wider the other is.
const WIDER: f32 = 1.6;
/// Its weight: less than 1 leaves a little of the lightness itself.
const WEIGHT: f32 = 0.985;
/// Differences below this are ink.
const THRESHOLD: f32 = 0.002;
/// How hard the step from paper to ink is.
const HARD: f32 = 60.0;
/// The ink, RGB.
const INK: [f32; 3] = [26.0, 18.0, 22.0];

/// Draws lines; keeps its planes from picture to picture.
#[derive(Default)]
pub(super) struct Lines {
    lightness: Vec<f32>,
    narrow: Vec<f32>,
    wide: Vec<f32>,
    between: Vec<f32>,
}

impl Lines {
    /// Draws the lines of `input` over `drawing`.
    pub fn draw(&mut self, input: &Picture, drawing: &mut Picture, amount: f32) {
        let (width, height) = (input.width() as usize, input.height() as usize);
        self.lightness.clear();
        self.lightness
            .extend(input.rgba().as_chunks::<4>().0.iter().map(|pixel| {
                let [red, green, blue, _] = pixel.map(f32::from);
                (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0
            }));
        // Lines are as heavy in a large picture as in a small one, nearly.
        let sigma = SIGMA * (0.75 + 0.25 * width.max(height) as f32 / 512.0);
        let (light, between) = (&self.lightness, &mut self.between);
        blur(light, width, sigma, between, &mut self.narrow);
        blur(light, width, sigma * WIDER, between, &mut self.wide);
        let planes = self.narrow.iter().zip(&self.wide);
        let pixels = drawing.rgba_mut().as_chunks_mut::<4>().0;
        for (pixel, (narrow, wide)) in pixels.iter_mut().zip(planes) {
            let difference = narrow - WEIGHT * wide - THRESHOLD;
            if difference < 0.0 {
                // Nearly a hyperbolic tangent.
                let steep = -HARD * difference;
                let ink = amount * (steep / (0.4 + steep)).min(1.0);
                for (value, ink_value) in pixel.iter_mut().zip(INK) {
                    let old = f32::from(*value);
                    *value = (old + ink * (ink_value - old).min(0.0)) as u8;
                }
            }
        }
    }
}

/// Blurs a plane by a Gaussian, first along its rows, then along its columns.
fn blur(plane: &[f32], width: usize, sigma: f32, between: &mut Vec<f32>, out: &mut Vec<f32>) {
    let reach = (2.5 * sigma).ceil() as usize;
    let mut weights = [0.0f32; 32];
    let reach = reach.min(weights.len() - 1);
    for (at, weight) in weights.iter_mut().enumerate().take(reach + 1) {
        *weight = (-((at * at) as f32) / (2.0 * sigma * sigma)).exp();
    }
    let sum = weights[0] + 2.0 * weights[1..=reach].iter().sum::<f32>();
    weights.iter_mut().for_each(|weight| *weight /= sum);

    between.resize(plane.len(), 0.0);
    out.resize(plane.len(), 0.0);
    let height = plane.len() / width.max(1);
    let rows = plane
        .chunks_exact(width)
        .zip(between.chunks_exact_mut(width));
    for (row, blurred) in rows {
        row.iter()
            .zip(blurred.iter_mut())
            .for_each(|(value, sum)| *sum = value * weights[0]);
        for (step, weight) in weights.iter().enumerate().take(reach + 1).skip(1) {
            let (first, last) = (row[0], row[width - 1]);
            // The neighbours `step` to the left and to the right; the edge goes on beyond itself.
            let left = std::iter::repeat_n(&first, step.min(width)).chain(row);
            let right = row.iter().skip(step).chain(std::iter::repeat(&last));
            for (sum, (left, right)) in blurred.iter_mut().zip(left.zip(right)) {
                *sum += (left + right) * weight;
            }
        }
    }
    for y in 0..height {
        let row = |y: usize| &between[y * width..(y + 1) * width];
        let target = &mut out[y * width..(y + 1) * width];
        row(y)
            .iter()
            .zip(target.iter_mut())
            .for_each(|(value, sum)| *sum = value * weights[0]);
        for (step, weight) in weights.iter().enumerate().take(reach + 1).skip(1) {
            let (above, below) = (row(y.saturating_sub(step)), row((y + step).min(height - 1)));
            for (sum, (above, below)) in target.iter_mut().zip(above.iter().zip(below)) {
                *sum += (above + below) * weight;
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
        let (mut between, mut out) = (Vec::new(), Vec::new());
        blur(&[0.5; 35], 7, 1.5, &mut between, &mut out);
        assert!(
            out.iter().all(|value| (value - 0.5).abs() < 1e-5),
            "{out:?}"
        );
        let mut spot = [0.0; 15 * 15];
        spot[7 * 15 + 7] = 1.0;
        blur(&spot, 15, 1.5, &mut between, &mut out);
        assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!((out[7 * 15 + 4] - out[4 * 15 + 7]).abs() < 1e-6);
        // A picture narrower than the kernel.
        blur(&[1.0, 0.0, 1.0], 1, 3.0, &mut between, &mut out);
        assert_eq!(out.len(), 3);
    }
}
