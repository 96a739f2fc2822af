//! Drawings that are smaller than their frames, and get the frame's edges.

use std::sync::Arc;
use std::time::Instant;

use panelcam::compositor::{Compositor, Gpu, Hand, Scene, enlarged};
use panelcam::frame::{Area, CloseUp, CloseUps, Frame, Picture, Size, Stamp, Styled};
use panelcam::panels::Page;

use crate::compositor::{SCENE, gpu, page};

pub const FRAME: Size = Size::new(320, 180);
/// How many times smaller drawings are.
const TIMES: u32 = 4;

pub fn picture(size: Size, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Picture {
    let mut picture = Picture::new(size);
    for (at, bytes) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let at = at as u32;
        bytes.copy_from_slice(&pixel(at % size.width, at / size.width));
    }
    picture
}

/// Every pixel is the mean of what it covers.
fn shrunk(frame: &Picture) -> Picture {
    let size = Size::new(frame.width() / TIMES, frame.height() / TIMES);
    picture(size, |x, y| {
        std::array::from_fn(|channel| {
            let all = (0..TIMES * TIMES).map(|at| {
                let (dx, dy) = (at % TIMES, at / TIMES);
                let pixel = frame.pixel(x * TIMES + dx, y * TIMES + dy).unwrap();
                u32::from(pixel[channel])
            });
            ((all.sum::<u32>() + TIMES * TIMES / 2) / (TIMES * TIMES)) as u8
        })
    })
}

/// `frame` and what `draw` makes of each pixel of its shrunk copy.
pub fn drawn(frame: Picture, strength: f32, draw: impl Fn([u8; 4], u32, u32) -> [u8; 4]) -> Styled {
    let small = shrunk(&frame);
    let drawing = picture(small.size(), |x, y| draw(small.pixel(x, y).unwrap(), x, y));
    let stamp = Stamp {
        sequence: 0,
        captured: Instant::now(),
    };
    let frame = Arc::new(Frame {
        stamp,
        picture: frame.into(),
    });
    let mut styled = Styled::new(frame, Arc::new(drawing.into()));
    styled.shrunk = Some(Arc::new(small.into()));
    styled.strength = strength;
    styled
}

fn noise(x: u32, y: u32, seed: u32) -> u32 {
    let mut value = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed;
    for _ in 0..3 {
        value ^= value >> 15;
        value = value.wrapping_mul(0x2c1b_3c6d);
    }
    value >> 16
}

/// Discs and bars of many colours, with noise of up to `noisy` of 255.
pub fn scenery(seed: u32, noisy: u32) -> Picture {
    picture(FRAME, |x, y| {
        let far = (x as f32 - 150.0).hypot(y as f32 - 90.0);
        let mut colour = match () {
            () if far < 50.0 => [224, 172, 140],
            () if far < 54.0 => [20, 16, 30],
            () if x / 23 % 2 == y / 31 % 2 => [40, 90, 160],
            () => [180, 200, 90],
        };
        for (channel, value) in colour.iter_mut().enumerate() {
            let more = noise(x, y, seed + channel as u32) % (2 * noisy + 1);
            *value = (*value + more).saturating_sub(noisy).min(255);
        }
        let [r, g, b] = colour.map(|value| value as u8);
        [r, g, b, 255]
    })
}

/// What a generator might do: fewer colours, more contrast, people in the disc.
pub fn cartoon([r, g, b, _]: [u8; 4], x: u32, y: u32) -> [u8; 4] {
    let flat = |value: u8| ((f32::from(value) - 100.0) * 1.4 + 110.0).clamp(0.0, 255.0) as u8;
    let far = (x as f32 - 37.0).hypot(y as f32 - 22.0);
    let matte = ((13.0 - far) / 2.0).clamp(0.0, 1.0);
    [flat(r), flat(g), flat(b), (matte * 255.0) as u8]
}

fn program(gpu: &Arc<Gpu>, hand: Hand, page: &Page, scene: &Scene, styled: &Styled) -> Picture {
    let mut compositor = Compositor::by(Arc::clone(gpu), hand).unwrap();
    compositor.set_page(page, page.size()).unwrap();
    compositor.upload_drawing(styled).unwrap();
    let texture = compositor.render(scene).unwrap();
    let mut picture = Picture::default();
    compositor.read(&texture, &mut picture).unwrap();
    picture
}

/// The same drawing, shown as it is.
fn soft(styled: &Styled) -> Styled {
    Styled::new(Arc::clone(&styled.frame), Arc::clone(&styled.picture))
}

fn furthest(a: &Picture, b: &Picture) -> u8 {
    assert_eq!(a.size(), b.size());
    let pairs = a.rgba().iter().zip(b.rgba());
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

const HANDS: [Hand; 2] = [Hand::Device, Hand::Memory];

/// Two faces, one in the disc, drawn again in stripes.
pub fn close_ups() -> CloseUps {
    let size = Size::new(64, 64);
    let picture = picture(size, |x, y| {
        let fade = |at: u32| (at % 32).min(31 - at % 32).min(6) * 255 / 6;
        let alpha = if y < 32 { fade(x) * fade(y) / 255 } else { 0 };
        [
            x as u8 * 4,
            if y / 3 % 2 == 0 { 250 } else { 10 },
            90,
            alpha as u8,
        ]
    });
    let part = |left: f32, corner: [f32; 2]| CloseUp {
        of: Area {
            corner,
            size: [0.15, 0.15 * 320.0 / 180.0],
        },
        at: Area {
            corner: [left, 0.0],
            size: [0.5, 0.5],
        },
    };
    CloseUps {
        picture: Arc::new(picture.into()),
        parts: vec![part(0.0, [0.4, 0.35]), part(0.5, [0.7, 0.1])],
    }
}

#[test]
fn a_close_up_is_laid_where_its_face_is() {
    let Some(gpu) = gpu() else { return };
    let mut styled = drawn(scenery(3, 0), 1.0, cartoon);
    let without = program(&gpu, Hand::Memory, &Page::plain(FRAME), &SCENE, &styled);
    styled.close_ups = Some(close_ups());
    let with = program(&gpu, Hand::Memory, &Page::plain(FRAME), &SCENE, &styled);
    assert_eq!(enlarged(&styled).unwrap().rgba().len(), with.rgba().len());
    // The middle of the first, in the frame, is at 152, 87.
    let close_up = |x: u32, y: u32| {
        let [r, g, b, _] = with.pixel(x, y).unwrap();
        let red = (x as f32 + 0.5 - 128.0) / 48.0 * 32.0 * 4.0 - 2.0;
        (f32::from(r) - red).abs() < 4.0 && !(20..240).contains(&g) && b == 90
    };
    assert!((140..164).any(|x| close_up(x, 87)) && (76..98).any(|y| close_up(152, y)));
    for y in 0..FRAME.height {
        for x in 0..FRAME.width {
            let inside = (128..176).contains(&x) && (63..111).contains(&y)
                || (224..272).contains(&x) && (18..66).contains(&y);
            let same = with.pixel(x, y) == without.pixel(x, y);
            assert!(inside || same, "{x}, {y}");
        }
    }
}

#[test]
fn both_hands_sharpen_alike() {
    let Some(gpu) = gpu() else { return };
    let pages = [
        Page::plain(FRAME),
        Page::plain(Size::new(270, 338)),
        // In panels that are smaller than the drawing, of a slanted shape, and with people.
        page(
            r##"<rect width="300" height="200" fill="#7a7"/>
               <rect id="live-small" x="4" y="4" width="40" height="30"/>
               <path id="live-slant" d="M50 10h200l-30 120h-170z"/>
               <rect id="person-1" x="120" y="60" width="170" height="130"/>"##,
        ),
    ];
    let plain = [1.0, 0.4].map(|strength| drawn(scenery(1, 5), strength, cartoon));
    let mut close = plain[0].clone();
    close.close_ups = Some(close_ups());
    for styled in plain.into_iter().chain([close]) {
        let strength = styled.strength;
        for page in &pages {
            for mirror in [false, true] {
                let scene = Scene { mirror, ..SCENE };
                let [device, memory] = HANDS.map(|hand| program(&gpu, hand, page, &scene, &styled));
                let far = furthest(&device, &memory);
                assert!(
                    far <= 4,
                    "{strength}, {}, mirror {mirror}: {far}",
                    page.id()
                );
            }
        }
    }
}

/// An edge that is as steep in the frame as can be is that in the program too, by the steps of the
/// drawing.
#[test]
fn edges_get_steeper_and_have_no_rims() {
    let Some(gpu) = gpu() else { return };
    // Not on the border of the drawing's pixels.
    let frame = picture(FRAME, |x, _| {
        if x < 161 {
            [60, 70, 80, 255]
        } else {
            [180, 170, 160, 255]
        }
    });
    let styled = drawn(frame, 1.0, |[r, ..], _, _| {
        if r < 120 {
            [40, 30, 90, 0]
        } else {
            [230, 210, 190, 0]
        }
    });
    let page = Page::plain(FRAME);
    for hand in HANDS {
        let [sharp, soft] = [styled.clone(), soft(&styled)]
            .map(|styled| program(&gpu, hand, &page, &SCENE, &styled));
        let steepest = |picture: &Picture| {
            let row = picture
                .rgba()
                .chunks_exact(FRAME.width as usize * 4)
                .nth(90)
                .unwrap();
            let reds: Vec<u8> = row.chunks_exact(4).map(|pixel| pixel[0]).collect();
            reds.windows(2)
                .map(|pair| pair[0].abs_diff(pair[1]))
                .max()
                .unwrap()
        };
        let (with, without) = (steepest(&sharp), steepest(&soft));
        assert!(with >= 2 * without, "{hand:?}: {with}, {without} before");
        // Far from the edge nothing is changed.
        for x in [10, 100, 150, 172, 300] {
            assert_eq!(sharp.pixel(x, 90), soft.pixel(x, 90), "{hand:?} at {x}");
        }
    }
}

#[test]
fn noise_stays_out_of_flat_parts_and_grows_nowhere() {
    let Some(gpu) = gpu() else { return };
    let noisy = |seed| {
        let frame = scenery(seed, 8);
        // Flat colours: of the noise the generator has left nothing.
        let clean = shrunk(&scenery(0, 0));
        drawn(frame, 1.0, |_, x, y| {
            cartoon(clean.pixel(x, y).unwrap(), x, y)
        })
    };
    let styled = [noisy(1), noisy(2)];
    let page = Page::plain(FRAME);
    let differences = |a: &Picture, b: &Picture| -> Vec<u8> {
        let pairs = a.rgba().iter().zip(b.rgba());
        pairs.map(|(a, b)| a.abs_diff(*b)).collect()
    };
    for hand in HANDS {
        let [first, second] = [0, 1].map(|at| program(&gpu, hand, &page, &SCENE, &styled[at]));
        let changes = differences(&first, &second);
        let frames = differences(&styled[0].frame.picture, &styled[1].frame.picture);
        let mean = |values: &[u8]| {
            values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
        };
        let (program, camera) = (mean(&changes), mean(&frames));
        // The scenery has an edge every few pixels.
        assert!(
            program < camera * 0.35,
            "{hand:?}: {program}, {camera} in the camera's picture"
        );
        let still = changes.iter().filter(|change| **change == 0).count();
        assert!(
            still * 5 > changes.len() * 2,
            "{hand:?}: {still} of {}",
            changes.len()
        );
    }
}

#[test]
fn without_strength_the_program_is_the_frame() {
    let Some(gpu) = gpu() else { return };
    let styled = drawn(scenery(3, 20), 0.0, |pixel, _, _| pixel);
    for hand in HANDS {
        let program = program(&gpu, hand, &Page::plain(FRAME), &SCENE, &styled);
        let far = furthest(&program, &styled.frame.picture);
        assert!(far <= 2, "{hand:?}: {far}");
    }
    assert!(furthest(&enlarged(&styled).unwrap(), &styled.frame.picture) <= 2);
}

#[test]
fn a_shot_is_as_sharp_as_the_program() {
    let Some(gpu) = gpu() else { return };
    let styled = drawn(scenery(4, 3), 1.0, cartoon);
    let large = enlarged(&styled).unwrap();
    let program = program(&gpu, Hand::Memory, &Page::plain(FRAME), &SCENE, &styled);
    let pixels = large
        .rgba()
        .chunks_exact(4)
        .zip(program.rgba().chunks_exact(4));
    let wrong = pixels.filter(|(a, b)| a[..3] != b[..3]).count();
    assert_eq!(wrong, 0);
    // The matte is as large, and smooth.
    let mattes: Vec<u8> = large.rgba().chunks_exact(4).map(|pixel| pixel[3]).collect();
    assert!(mattes.contains(&255) && mattes.contains(&0));
    assert!(enlarged(&soft(&styled)).is_none());
}
