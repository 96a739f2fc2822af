//! The built-in demo: an astronaut before a camera, made from one still.
//!
//! The still moves as if the camera were held, has a sensor's noise, and its light and white
//! balance drift. It is made to be cheap, because it runs beside the generator when panelcam is
//! measured: the still is scaled once for a size; a frame is one pass of integer arithmetic in
//! rows, whose weights are the same for the whole frame, so that the compiler vectorises it.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::CaptureError;
use crate::frame::{Picture, Size};

/// NASA's portrait of Eileen Collins, 512 x 512; see `assets/demo/LICENCE.md`.
const STILL: &[u8] = include_bytes!("../../assets/demo/astronaut.jpg");
/// Middle of the face in the still.
const FACE: [f64; 2] = [226.0, 110.0];
/// How far the view wanders to each side, in pixels of the still.
const WANDER: [f64; 2] = [10.0, 6.0];
/// Fractions of a pixel the view moves by: sixteenths. Larger would overflow 16 bits.
const STEPS: u16 = 16;
/// Bytes of noise; rows start at places in it that differ.
const NOISE: usize = 1 << 16;
/// What the noise is around, and the most it reaches.
const NOISE_MIDDLE: u8 = 8;

/// Draws the demo at one size.
pub struct Demo {
    size: Size,
    /// The still at the frame's scale, a margin larger than the frame.
    scene: Picture,
    /// How far the view can move in the scene, in pixels.
    room: [f64; 2],
    noise: Vec<u8>,
    /// One row blended vertically, in sixteenths.
    row: Vec<u16>,
}

impl Demo {
    /// The demo at `size`.
    ///
    /// # Errors
    /// When the still inside the program is damaged.
    pub fn new(size: Size) -> Result<Self, CaptureError> {
        let demo = |reason: String| CaptureError::Demo { reason };
        let still = turbojpeg::decompress(STILL, turbojpeg::PixelFormat::RGBA)
            .map_err(|error| demo(error.to_string()))?;
        let side = [still.width as f64, still.height as f64];
        let view = View::of(size, side);
        let scale = f64::from(size.width) / view.width;
        // One pixel more than the room, for the neighbour that blending reads.
        let room = WANDER.map(|wander| (2.0 * wander * scale).floor());
        let scene_size = Size::new(
            size.width + room[0] as u32 + 1,
            size.height + room[1] as u32 + 1,
        );
        let from = ImageRef::new(
            still.width as u32,
            still.height as u32,
            &still.pixels,
            PixelType::U8x4,
        )
        .map_err(|error| demo(error.to_string()))?;
        let mut scene = Picture::new(scene_size);
        let mut into = Image::from_slice_u8(
            scene_size.width,
            scene_size.height,
            scene.rgba_mut(),
            PixelType::U8x4,
        )
        .map_err(|error| demo(error.to_string()))?;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
            .use_alpha(false)
            .crop(
                view.left - WANDER[0],
                view.top - WANDER[1],
                (f64::from(scene_size.width) / scale).min(side[0] - view.left + WANDER[0]),
                (f64::from(scene_size.height) / scale).min(side[1] - view.top + WANDER[1]),
            );
        Resizer::new()
            .resize(&from, &mut into, &options)
            .map_err(|error| demo(error.to_string()))?;
        let row_bytes = size.width as usize * 4;
        Ok(Self {
            size,
            scene,
            room,
            noise: noise(NOISE + row_bytes),
            row: vec![0; row_bytes + 4],
        })
    }

    /// Size of the frames.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Draws frame number `sequence`, thought of as 30 a second. The same number gives the same
    /// picture.
    pub fn draw(&mut self, sequence: u64, picture: &mut Picture) {
        let Self {
            size,
            scene,
            room,
            noise,
            row,
        } = self;
        picture.reshape(*size);
        let time = (sequence % 108_000) as f64 / 30.0;
        let (x, x_part) = place(room[0], sway(time, 7.3, 1.9));
        let (y, y_part) = place(room[1], sway(time, 9.1, 2.3));
        let gain = light(time);
        let scene_stride = scene.width() as usize * 4;
        let row_bytes = size.width as usize * 4;
        let mut dice = Dice(sequence);
        for (line, out) in picture.rgba_mut().chunks_exact_mut(row_bytes).enumerate() {
            let start = (y + line) * scene_stride + x * 4;
            let upper = &scene.rgba()[start..start + row_bytes + 4];
            let lower = &scene.rgba()[start + scene_stride..start + scene_stride + row_bytes + 4];
            blend_rows(row, upper, lower, y_part);
            let offset = dice.roll() as usize % (NOISE / 4) * 4;
            finish_row(out, row, x_part, gain, &noise[offset..offset + row_bytes]);
        }
    }
}

/// The part of the still that a frame shows when the view is in its middle.
struct View {
    left: f64,
    top: f64,
    width: f64,
}

impl View {
    /// Chosen so that the face is large, in the upper middle, whatever the aspect.
    fn of(size: Size, still: [f64; 2]) -> Self {
        let aspect = f64::from(size.width) / f64::from(size.height.max(1));
        let largest = [still[0] - 4.0 * WANDER[0], still[1] - 4.0 * WANDER[1]];
        let height = (320.0 * aspect.powf(-0.45))
            .min(largest[1])
            .min(largest[0] / aspect);
        let width = height * aspect;
        let within = |value: f64, length: f64, axis: usize| {
            value.clamp(
                WANDER[axis] + 1.0,
                still[axis] - length - WANDER[axis] - 1.0,
            )
        };
        Self {
            left: within(FACE[0] - width / 2.0, width, 0),
            top: within(FACE[1] - height * 0.45, height, 1),
            width,
        }
    }
}

/// A held camera's position over time, from 0 to 1: a slow swing and a small tremble.
fn sway(time: f64, slow_secs: f64, quick_secs: f64) -> f64 {
    let turn = std::f64::consts::TAU * time;
    0.5 + 0.42 * (turn / slow_secs).sin() + 0.05 * (turn / quick_secs).sin()
}

/// Whole pixels and sixteenths of the position `share` within `room` pixels.
fn place(room: f64, share: f64) -> (usize, u16) {
    let steps = (room * share * f64::from(STEPS)).clamp(0.0, room * f64::from(STEPS)) as usize;
    (steps / STEPS as usize, (steps % STEPS as usize) as u16)
}

/// Gains of red, green, blue and alpha in 256ths: exposure and white balance that drift.
fn light(time: f64) -> [u16; 4] {
    let turn = std::f64::consts::TAU * time;
    let exposure = 0.94 + 0.035 * (turn / 11.0).sin();
    let warmth = 0.02 * (turn / 17.0).sin();
    let gain = |value: f64| (256.0 * value.min(1.0)) as u16;
    [
        gain(exposure + warmth),
        gain(exposure),
        gain(exposure - warmth),
        256,
    ]
}

fn blend_rows(row: &mut [u16], upper: &[u8], lower: &[u8], part: u16) {
    for ((out, above), below) in row.iter_mut().zip(upper).zip(lower) {
        *out = u16::from(*above) * (STEPS - part) + u16::from(*below) * part;
    }
}

/// Blends horizontally, applies the light and the noise. All values stay below 2^16.
fn finish_row(out: &mut [u8], row: &[u16], part: u16, gain: [u16; 4], noise: &[u8]) {
    // Two pixels at a time: eight lanes of 16 bits are one vector register everywhere.
    let gain: [u16; 8] = std::array::from_fn(|lane| gain[lane % 4]);
    let blend = |left: u16, right: u16, gain: u16, noise: u8| {
        let value = (left * (STEPS - part) + right * part) >> 8;
        let value = (value * gain) >> 8;
        // Subtracting first leaves room above white, so that alpha stays 255.
        (value as u8)
            .saturating_sub(NOISE_MIDDLE)
            .saturating_add(noise)
    };
    let length = out.len();
    let (left, right) = (&row[..length], &row[4..4 + length]);
    let mut outs = out.chunks_exact_mut(8);
    let mut lefts = left.chunks_exact(8);
    let mut rights = right.chunks_exact(8);
    let mut noises = noise.chunks_exact(8);
    for (((out, left), right), noise) in (&mut outs)
        .zip(&mut lefts)
        .zip(&mut rights)
        .zip(&mut noises)
    {
        for lane in 0..8 {
            out[lane] = blend(left[lane], right[lane], gain[lane], noise[lane]);
        }
    }
    for (lane, out) in outs.into_remainder().iter_mut().enumerate() {
        let (left, right) = (lefts.remainder()[lane], rights.remainder()[lane]);
        *out = blend(left, right, gain[lane], noises.remainder()[lane]);
    }
}

/// A sensor's noise: mostly brightness, some colour, none in alpha.
fn noise(length: usize) -> Vec<u8> {
    let mut dice = Dice(0x5eed);
    // The sum of four dice is close to a bell curve; this one is about -6 to 6.
    let mut bell = |width: f64| {
        let sum: u64 = (0..4).map(|_| dice.roll() % 256).sum();
        (sum as f64 - 510.0) / 510.0 * width
    };
    let mut bytes = vec![NOISE_MIDDLE; length];
    for pixel in bytes.chunks_exact_mut(4) {
        let brightness = bell(5.0);
        for channel in &mut pixel[..3] {
            let value = f64::from(NOISE_MIDDLE) + brightness + bell(3.0);
            *channel = value.round().clamp(0.0, 16.0) as u8;
        }
    }
    bytes
}

/// Numbers that look random and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ value >> 31) >> 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(size: Size, sequence: u64) -> Picture {
        let mut picture = Picture::default();
        Demo::new(size).unwrap().draw(sequence, &mut picture);
        picture
    }

    /// Mean of the absolute differences, in levels.
    fn difference(a: &Picture, b: &Picture) -> f64 {
        let sum: u64 = a
            .rgba()
            .iter()
            .zip(b.rgba())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f64 / a.rgba().len() as f64
    }

    #[test]
    fn the_same_number_is_the_same_picture_and_time_moves_it() {
        let size = Size::new(320, 180);
        assert_eq!(frame(size, 7), frame(size, 7));
        let (next, later) = (frame(size, 8), frame(size, 67));
        let (near, far) = (
            difference(&frame(size, 7), &next),
            difference(&frame(size, 7), &later),
        );
        assert!(near > 0.5 && near < 6.0, "{near}");
        assert!(far > near, "{far} {near}");
    }

    #[test]
    fn every_size_and_moment_is_drawn_and_opaque() {
        for size in [(1, 1), (2, 700), (700, 2), (333, 111), (108, 192), (7, 7)] {
            let size = Size::new(size.0, size.1);
            let mut demo = Demo::new(size).unwrap();
            let mut picture = Picture::default();
            for sequence in (0..2000).step_by(37).chain([u64::MAX]) {
                demo.draw(sequence, &mut picture);
                assert_eq!(picture.size(), size);
                assert!(picture.rgba().chunks_exact(4).all(|pixel| pixel[3] == 255));
            }
        }
    }

    /// Skin where the face should be: in the upper middle, at all times and aspects.
    #[test]
    fn the_face_stays_in_the_picture() {
        for size in [
            Size::new(320, 180),
            Size::new(180, 320),
            Size::new(200, 200),
        ] {
            let mut demo = Demo::new(size).unwrap();
            let mut picture = Picture::default();
            for sequence in (0..600).step_by(50) {
                demo.draw(sequence, &mut picture);
                let skin = picture
                    .rgba()
                    .chunks_exact(4)
                    .enumerate()
                    .filter(|(index, pixel)| {
                        let (x, y) = (*index as u32 % size.width, *index as u32 / size.width);
                        (size.width / 4..size.width * 3 / 4).contains(&x)
                            && y < size.height * 2 / 3
                            && pixel[0] > 150
                            && pixel[0] > pixel[1].saturating_add(20)
                            && pixel[1] > pixel[2]
                            && pixel[2] > 60
                    })
                    .count();
                assert!(skin * 40 > size.area(), "{size} frame {sequence}: {skin}");
            }
        }
    }
}
