//! Ink lines over a drawing, for models that draw none.
//!
//! The extended difference of Gaussians of Winnemöller, Kyprianidis and Olsen ("`XDoG`: An `eXtended`
//! difference-of-Gaussians compendium including advanced image stylization", 2012), on the
//! lightness of the camera's picture.

use multiversion::multiversion;

use crate::frame::Picture;

use super::part;

/// Deviation of the narrow Gaussian in pixels of a picture 512 pixels long.
const SIGMA: f32 = 0.9;
/// How much wider the other is.
const WIDER: f32 = 1.6;
/// The ink, red first; it takes nothing from alpha.
const INK: u32 = u32::from_le_bytes([26, 18, 22, 255]);
/// Parts of a level of lightness: as many as leave room for the sum of two values in 16 bits.
const PARTS: i16 = 64;
const WHITE: f32 = 255.0 * PARTS as f32;
/// How much less than 1 the wider one weighs, of 65536: that leaves a little of the lightness itself.
const LESS: i16 = (0.015 * 65536.0) as i16;
/// Differences below this are ink.
const THRESHOLD: i16 = (0.002 * WHITE) as i16;
/// How much darker than that is half as dark as ink can be.
const HALF: f32 = 0.4 / 60.0 * WHITE;
/// Pixels that are blurred and inked together.
const TOGETHER: usize = 64;

/// Values of pixels that lie side by side.
type Lot = [i16; TOGETHER];

/// Draws lines; keeps its planes from picture to picture.
#[derive(Default)]
pub(super) struct Lines {
    lightness: Plane,
    narrow: Blur,
    wide: Blur,
}

/// Lightness, in [`PARTS`] of a level, in rows of whole lots: what is beyond the picture repeats its
/// edge.
#[derive(Default)]
struct Plane {
    /// Lots a row, and rows.
    across: usize,
    rows: usize,
    lots: Vec<Lot>,
}

/// A Gaussian, and one row blurred by it along the columns.
#[derive(Default)]
struct Blur {
    /// From the middle outwards, of 65536; the middle is taken twice, as if there were two of it.
    weights: Vec<i16>,
    /// With the edges repeated left and right.
    upright: Vec<i16>,
}

impl Lines {
    /// Draws the lines of `input` over `drawing`. Both have one size and some pixels.
    pub fn draw(&mut self, input: &Picture, drawing: &mut Picture, amount: f32) {
        let (width, height) = (input.width() as usize, input.height() as usize);
        self.lightness.take(input);
        // Lines are as heavy in a large picture as in a small one, nearly.
        let sigma = SIGMA * (0.75 + 0.25 * width.max(height) as f32 / 512.0);
        self.narrow.widen(sigma);
        self.wide.widen(sigma * WIDER);
        for (y, pixels) in drawing.rgba_mut().chunks_exact_mut(width * 4).enumerate() {
            self.narrow.take(&self.lightness, y);
            self.wide.take(&self.lightness, y);
            ink(pixels, &self.narrow, &self.wide, amount);
        }
    }
}

impl Plane {
    fn take(&mut self, picture: &Picture) {
        let width = picture.width() as usize;
        self.across = width.div_ceil(TOGETHER);
        self.rows = picture.height() as usize;
        self.lots.resize(self.across * self.rows, [0; TOGETHER]);
        let rows = picture.rgba().chunks_exact(width * 4);
        for (pixels, lots) in rows.zip(self.lots.chunks_exact_mut(self.across)) {
            let light = lots.as_flattened_mut();
            lightness(pixels, light);
            let edge = light[width - 1];
            light[width..].fill(edge);
        }
    }

    /// Row `y`, or the nearest there is.
    fn row(&self, y: usize) -> &[Lot] {
        let y = y.min(self.rows - 1);
        &self.lots[y * self.across..(y + 1) * self.across]
    }
}

impl Blur {
    /// Sets the Gaussian's deviation, in pixels.
    fn widen(&mut self, sigma: f32) {
        let reach = (2.5 * sigma).ceil() as usize;
        let at = |step: usize| (-((step * step) as f32) / (2.0 * sigma * sigma)).exp();
        let sum = at(0) + 2.0 * (1..=reach).map(at).sum::<f32>();
        self.weights.clear();
        self.weights.extend((0..=reach).map(|step| {
            let weight = at(step) / sum * if step == 0 { 32768.0 } else { 65536.0 };
            weight.round() as i16
        }));
    }

    /// How many pixels it sees to each side.
    fn reach(&self) -> usize {
        self.weights.len() - 1
    }

    /// Blurs row `y` of a plane along its columns.
    fn take(&mut self, plane: &Plane, y: usize) {
        let reach = self.reach();
        let lots = plane.row(y).len() * TOGETHER;
        self.upright.resize(lots + 2 * reach, 0);
        let (left, rest) = self.upright.split_at_mut(reach);
        let (middle, right) = rest.split_at_mut(lots);
        upright(plane, y, &self.weights, middle);
        left.fill(middle[0]);
        right.fill(middle[lots - 1]);
    }

    /// The blurred values of the pixels from `x` on.
    #[inline(always)]
    fn lot(&self, x: usize) -> Lot {
        blurred(&self.weights, |step| {
            let middle = x + self.reach();
            let from = |x: usize| *self.upright[x..].first_chunk().unwrap_or(&[0; TOGETHER]);
            (from(middle - step), from(middle + step))
        })
    }
}

/// The sum of two lots at each step from the middle, each times its weight.
#[inline(always)]
fn blurred(weights: &[i16], at: impl Fn(usize) -> (Lot, Lot)) -> Lot {
    // Each share is half a part too small.
    let mut sums = [weights.len() as i16 / 2; TOGETHER];
    for (step, weight) in weights.iter().enumerate() {
        let (one, other) = at(step);
        for lane in 0..TOGETHER {
            sums[lane] += part(one[lane] + other[lane], *weight);
        }
    }
    sums
}

/// A number of 0 to some thousands as a whole one: in a float of this size the lowest bits are.
#[inline(always)]
fn whole(value: f32) -> i16 {
    (value + 8_388_608.0).to_bits() as i16
}

#[multiversion(targets("x86_64+avx2"))]
fn upright(plane: &Plane, y: usize, weights: &[i16], out: &mut [i16]) {
    for (column, out) in out.as_chunks_mut::<TOGETHER>().0.iter_mut().enumerate() {
        *out = blurred(weights, |step| {
            let lot = |y: usize| plane.row(y)[column];
            (lot(y.saturating_sub(step)), lot(y + step))
        });
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
fn ink(pixels: &mut [u8], narrow: &Blur, wide: &Blur, amount: f32) {
    for (column, pixels) in pixels.chunks_mut(4 * TOGETHER).enumerate() {
        // How much darker each pixel is than what is ink.
        let mut dark = wide.lot(column * TOGETHER);
        for (dark, narrow) in dark.iter_mut().zip(narrow.lot(column * TOGETHER)) {
            *dark = (*dark - part(*dark, LESS) + THRESHOLD - narrow).max(0);
        }
        // Most of a picture has no lines.
        if dark.iter().fold(0, |most, dark| most.max(*dark)) == 0 {
            continue;
        }
        // Of 128. Nearly a hyperbolic tangent.
        for dark in &mut dark {
            let far = f32::from(*dark);
            *dark = whole(128.0 * amount * far / (far + HALF));
        }
        if let Ok(pixels) = <&mut [u8; 4 * TOGETHER]>::try_from(&mut *pixels) {
            darken(pixels, &dark);
        } else {
            let mut whole = [0; 4 * TOGETHER];
            whole[..pixels.len()].copy_from_slice(pixels);
            darken(&mut whole, &dark);
            pixels.copy_from_slice(&whole[..pixels.len()]);
        }
    }
}

/// Brings pixels nearer to the ink, of 128: two channels of a pixel at once, in halves of a word.
#[inline(always)]
fn darken(pixels: &mut [u8; 4 * TOGETHER], inks: &Lot) {
    const HALVES: u32 = 0x00ff_00ff;
    let mut words: [u32; TOGETHER] = bytemuck::cast(*pixels);
    for (word, ink) in words.iter_mut().zip(inks) {
        let ink = *ink as u32;
        let mix = |old: u32, new: u32| ((old * (128 - ink) + new * ink) >> 7) & HALVES;
        let pixel = u32::from_le(*word);
        let (even, odd) = (pixel & HALVES, (pixel >> 8) & HALVES);
        *word = (mix(even, INK & HALVES) | mix(odd, (INK >> 8) & HALVES) << 8).to_le();
    }
    let inked: [u8; 4 * TOGETHER] = bytemuck::cast(words);
    for (pixel, inked) in pixels.iter_mut().zip(inked) {
        *pixel = inked.min(*pixel);
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
        // Rows that are no number of whole lots, and narrower than the kernel.
        let blurred = |level: &dyn Fn(u32, u32) -> u8, size: Size, sigma: f32| -> Vec<Vec<i16>> {
            let mut picture = Picture::new(size);
            let pixels = picture.rgba_mut().as_chunks_mut::<4>().0;
            for (at, pixel) in pixels.iter_mut().enumerate() {
                *pixel = [level(at as u32 % size.width, at as u32 / size.width); 4];
            }
            let (mut plane, mut blur) = (Plane::default(), Blur::default());
            plane.take(&picture);
            blur.widen(sigma);
            let width = size.width as usize;
            (0..size.height as usize)
                .map(|y| {
                    blur.take(&plane, y);
                    (0..width.div_ceil(TOGETHER))
                        .flat_map(|lot| blur.lot(lot * TOGETHER))
                        .take(width)
                        .collect()
                })
                .collect()
        };
        let close = |value: &i16, level: i16| value.abs_diff(level * PARTS) <= 8;
        let flat = blurred(&|_, _| 125, Size::new(70, 5), 1.5);
        assert!(
            flat.iter().flatten().all(|value| close(value, 125)),
            "{flat:?}"
        );
        // All is white, in a picture narrower than the kernel too: nothing leaves 16 bits.
        let white = blurred(&|_, _| 255, Size::new(1, 3), 3.0);
        assert!(
            white.iter().flatten().all(|value| close(value, 255)),
            "{white:?}"
        );
        let spot = |x, y| if (x, y) == (66, 7) { 250 } else { 0 };
        let spread = blurred(&spot, Size::new(75, 15), 1.5);
        // Rounding lifts black by a part or two.
        let lift = spread[0][0];
        let above = |value: &i16| i32::from(*value - lift);
        let sum: i32 = spread.iter().flatten().map(above).sum();
        let middle = 250 * i32::from(PARTS);
        assert!((sum - middle).abs() < middle / 50, "{sum}");
        assert!(spread[7][63].abs_diff(spread[4][66]) <= 2, "{spread:?}");
        assert_eq!(spread[7][63], spread[7][69]);
    }
}
