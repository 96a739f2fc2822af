//! The built-in demo: an astronaut before a camera, made from one still.
//!
//! The still moves as if the camera were held, has a sensor's noise, and its light and white
//! balance drift. It is made to be cheap, because it runs beside the generator when panelcam is
//! measured: the still is scaled once for a size; a frame is one pass of averages and sums of
//! bytes, which the compiler turns into instructions that do sixteen at a time.

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
/// Bytes of noise; rows start at places in it that differ.
const NOISE: usize = 1 << 16;
/// What the noise is around, and how far it reaches.
const NOISE_MIDDLE: u8 = 8;

/// Draws the demo at one size.
pub struct Demo {
    size: Size,
    /// The still at the frame's scale, a margin larger than the frame.
    scene: Picture,
    /// How far the view can move in the scene, in pixels.
    room: [f64; 2],
    noise: Vec<u8>,
    /// What the light takes from each byte of a row.
    dimmed: Vec<u8>,
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
            dimmed: vec![0; row_bytes],
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
            dimmed,
        } = self;
        picture.reshape(*size);
        let time = (sequence % 108_000) as f64 / 30.0;
        let (x, x_part) = place(room[0], sway(time, 7.3, 1.9));
        let (y, y_part) = place(room[1], sway(time, 9.1, 2.3));
        let light = light(time);
        for pixel in dimmed.chunks_exact_mut(4) {
            pixel.copy_from_slice(&light);
        }
        let draw_row = ROW_DRAWERS[y_part][x_part];
        let scene_stride = scene.width() as usize * 4;
        let row_bytes = size.width as usize * 4;
        let mut dice = Dice(sequence);
        for (line, out) in picture.rgba_mut().chunks_exact_mut(row_bytes).enumerate() {
            let start = (y + line) * scene_stride + x * 4;
            let upper = &scene.rgba()[start..start + row_bytes + 4];
            let lower = &scene.rgba()[start + scene_stride..start + scene_stride + row_bytes + 4];
            let offset = dice.roll() as usize % (NOISE / 4) * 4;
            draw_row(
                out,
                upper,
                lower,
                dimmed,
                &noise[offset..offset + row_bytes],
            );
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

/// Whole pixels and quarters of the position `share` within `room` pixels.
fn place(room: f64, share: f64) -> (usize, usize) {
    let quarters = (room * share * 4.0).clamp(0.0, room * 4.0) as usize;
    (quarters / 4, quarters % 4)
}

/// What is taken from red, green, blue and alpha: exposure and white balance
/// that drift, and the middle of the noise that is added afterwards.
fn light(time: f64) -> [u8; 4] {
    let turn = std::f64::consts::TAU * time;
    let exposure = 8.0 + 6.0 * (turn / 11.0).sin();
    let warmth = 3.0 * (turn / 17.0).sin();
    let taken = |value: f64| NOISE_MIDDLE + value.round().clamp(0.0, 30.0) as u8;
    [
        taken(exposure - warmth),
        taken(exposure),
        taken(exposure + warmth),
        NOISE_MIDDLE,
    ]
}

/// Draws one row: what comes out, the scene's two rows from their first column on, with one
/// column more than comes out, what the light takes, the noise.
type DrawRow = fn(&mut [u8], &[u8], &[u8], &[u8], &[u8]);

/// By the quarters of a pixel downwards, then to the right.
const ROW_DRAWERS: [[DrawRow; 4]; 4] = [
    [row::<0, 0>, row::<0, 1>, row::<0, 2>, row::<0, 3>],
    [row::<1, 0>, row::<1, 1>, row::<1, 2>, row::<1, 3>],
    [row::<2, 0>, row::<2, 1>, row::<2, 2>, row::<2, 3>],
    [row::<3, 0>, row::<3, 1>, row::<3, 2>, row::<3, 3>],
];

fn row<const DOWN: u8, const RIGHT: u8>(
    out: &mut [u8],
    upper: &[u8],
    lower: &[u8],
    dimmed: &[u8],
    noise: &[u8],
) {
    // All of one length, known before the loop: no check is left inside it.
    let length = out.len();
    let (upper, upper_right) = (&upper[..length], &upper[4..4 + length]);
    let (lower, lower_right) = (&lower[..length], &lower[4..4 + length]);
    let (dimmed, noise) = (&dimmed[..length], &noise[..length]);
    for at in 0..length {
        let left = blend::<DOWN>(upper[at], lower[at]);
        let right = blend::<DOWN>(upper_right[at], lower_right[at]);
        // Taking first leaves room above white, so that alpha stays 255.
        out[at] = blend::<RIGHT>(left, right)
            .saturating_sub(dimmed[at])
            .saturating_add(noise[at]);
    }
}

/// `a` and `b` with `QUARTERS` quarters of `b`, by averages: they are one instruction.
fn blend<const QUARTERS: u8>(a: u8, b: u8) -> u8 {
    let average = |a: u8, b: u8| ((u16::from(a) + u16::from(b) + 1) >> 1) as u8;
    match QUARTERS {
        0 => a,
        1 => average(a, average(a, b)),
        2 => average(a, b),
        _ => average(average(a, b), b),
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
