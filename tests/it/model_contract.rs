//! What the shipped model promises beyond its inputs and outputs: strength and blends lie between
//! what they mix, two halves of a style map give two clean halves, a still picture stays still.
//! Never golden pixels of the network: only what must hold for every training of it.

use std::sync::Arc;

use panelcam::frame::{Picture, Size};
use panelcam::inference::{Generator, Model, StyleMap};
use panelcam::status::Precision;

use crate::inference::runtime;

const SIZE: Size = Size::new(384, 288);
/// The drawing may change by at most this share of what noise changes in the picture.
const CALM: f64 = 0.4;
/// Two pixels aside, the drawing may be another by so much, of 255, on average.
const MOVES: f64 = 3.0;
/// What 8 bits may change of a drawing on average, of 255.
const EIGHT_BIT: f64 = 1.5;

/// Something like a person before a wall: soft shading, a round head with eyes and a mouth.
fn portrait() -> Picture {
    let mut picture = Picture::new(SIZE);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = ((at % 384) as f32, (at / 384) as f32);
        let round = |cx: f32, cy: f32, rx: f32, ry: f32| {
            ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
        };
        let shade = 1.0 - 0.25 * x / 384.0;
        let colour = if round(165.0, 125.0, 8.0, 5.0) || round(219.0, 125.0, 8.0, 5.0) {
            [40.0, 28.0, 24.0]
        } else if round(192.0, 180.0, 24.0, 6.0) {
            [150.0, 70.0, 66.0]
        } else if round(192.0, 150.0, 62.0, 82.0) && y > 88.0 {
            [205.0, 160.0, 134.0]
        } else if round(192.0, 130.0, 82.0, 92.0) {
            [58.0, 42.0, 36.0]
        } else if round(192.0, 330.0, 150.0, 110.0) {
            [46.0, 84.0, 140.0]
        } else {
            [188.0 - 0.2 * y, 192.0 - 0.2 * y, 186.0]
        };
        for (value, c) in pixel.iter_mut().zip(colour) {
            *value = (c * shade) as u8;
        }
        pixel[3] = 255;
    }
    picture
}

/// The picture as a webcam's next frame: noise of sigma 2.5/255, the same for the same `seed`.
fn noisy(picture: &Picture, seed: u64) -> Picture {
    let mut state = seed;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut out = picture.clone();
    for pixel in out.rgba_mut().chunks_exact_mut(4) {
        for value in &mut pixel[..3] {
            // The sum of twelve uniform values: a bell curve of sigma 1.
            let noise: f32 = (0..12).map(|_| uniform()).sum();
            *value = (f32::from(*value) + 2.5 * noise).clamp(0.0, 255.0) as u8;
        }
    }
    out
}

/// Mean difference over the colours of the columns from `left` up to `right`.
fn apart(a: &Picture, b: &Picture, left: u32, right: u32) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (at, (a, b)) in a
        .rgba()
        .chunks_exact(4)
        .zip(b.rgba().chunks_exact(4))
        .enumerate()
    {
        if (left..right).contains(&(at as u32 % SIZE.width)) {
            for (a, b) in a[..3].iter().zip(&b[..3]) {
                sum += f64::from(a.abs_diff(*b));
                count += 1.0;
            }
        }
    }
    sum / count
}

fn between(a: &Picture, b: &Picture) -> f64 {
    apart(a, b, 0, SIZE.width)
}

/// The drawing where `weight(channel, column of cells)` is the style map.
fn draw(
    generator: &mut Generator,
    picture: &Picture,
    weight: impl Fn(usize, u32) -> f32,
) -> Picture {
    let cells = Size::new(SIZE.width / 16, SIZE.height / 16);
    let channels = generator.model().channels();
    let weights = (0..channels)
        .flat_map(|channel| (0..cells.area() as u32).map(move |cell| (channel, cell % cells.width)))
        .map(|(channel, column)| weight(channel, column))
        .collect();
    let map = StyleMap::new(channels, cells, weights).unwrap();
    let mut styled = Picture::default();
    generator.stylize(picture, &map, &mut styled).unwrap();
    styled
}

/// The shipped model in full and, where this processor is quick at that, in 8 bits.
fn open() -> Vec<Generator> {
    let Some(runtime) = runtime() else {
        return Vec::new();
    };
    let model = Model::builtin().unwrap();
    let open = |model| Generator::open(&runtime, &Arc::new(model), SIZE, 1).unwrap();
    let (full, best) = (open(model.in_full()), open(model));
    assert_eq!(full.precision(), Precision::Full);
    let best = Some(best).filter(|best| best.precision() != Precision::Full);
    std::iter::once(full).chain(best).collect()
}

#[test]
fn strength_leads_from_the_picture_to_the_drawing() {
    for mut generator in open() {
        strength_leads(&mut generator);
    }
}

fn strength_leads(generator: &mut Generator) {
    let picture = portrait();
    for style in 0..generator.model().channels() {
        let mut steps = [0.0, 0.3, 0.6, 1.0].map(|strength| {
            let drawing = draw(generator, &picture, |channel, _| {
                if channel == style { strength } else { 0.0 }
            });
            between(&drawing, &picture)
        });
        assert!(steps[0] <= 1.0, "style {style}: {steps:?}");
        steps[0] = 0.0;
        assert!(
            steps.windows(2).all(|pair| pair[1] > pair[0]),
            "style {style}: {steps:?}"
        );
    }
}

#[test]
fn a_blend_lies_between_its_two_styles() {
    for mut generator in open() {
        blend_lies_between(&mut generator);
    }
}

fn blend_lies_between(generator: &mut Generator) {
    let picture = portrait();
    let channels = generator.model().channels();
    for (one, other) in (0..channels).map(|one| (one, (one + 3) % channels)) {
        let whole = |channel: usize, wanted: usize| f32::from(u8::from(channel == wanted));
        let a = draw(generator, &picture, |channel, _| whole(channel, one));
        let b = draw(generator, &picture, |channel, _| whole(channel, other));
        let blend = draw(generator, &picture, |channel, _| {
            0.5 * (whole(channel, one) + whole(channel, other))
        });
        let (to_a, to_b, all) = (between(&blend, &a), between(&blend, &b), between(&a, &b));
        assert!(
            to_a < all && to_b < all,
            "{one} and {other}: {to_a:.1}, {to_b:.1} of {all:.1}"
        );
    }
}

#[test]
fn two_halves_of_a_style_map_are_two_clean_halves() {
    for mut generator in open() {
        two_halves_are_clean(&mut generator);
    }
}

fn two_halves_are_clean(generator: &mut Generator) {
    let picture = portrait();
    let channels = generator.model().channels();
    let half = SIZE.width / 2;
    for (left, right) in (0..channels).map(|one| (one, (one + 1) % channels)) {
        let whole = |channel: usize, wanted: usize| f32::from(u8::from(channel == wanted));
        let a = draw(generator, &picture, |channel, _| whole(channel, left));
        let b = draw(generator, &picture, |channel, _| whole(channel, right));
        let both = draw(generator, &picture, |channel, column| {
            whole(channel, if column * 16 < half { left } else { right })
        });
        // A cell beside the edge may mix; from there on each half is its own style.
        let seen = [
            apart(&both, &a, 0, half - 32),
            apart(&both, &b, 0, half - 32),
            apart(&both, &b, half + 32, SIZE.width),
            apart(&both, &a, half + 32, SIZE.width),
        ];
        assert!(
            seen[0] < 0.35 * seen[1] && seen[2] < 0.35 * seen[3],
            "{left} and {right}: {seen:.1?}"
        );
    }
}

/// What is printed in dots is drawn in plain tones: dots of the network's own would stay on its grid
/// while the picture moves, and be as coarse as its pixels.
#[test]
fn a_drawing_moves_with_its_picture() {
    for mut generator in open() {
        drawing_moves(&mut generator);
    }
}

fn drawing_moves(generator: &mut Generator) {
    let picture = portrait();
    let aside = |picture: &Picture| {
        let mut moved = picture.clone();
        for (to, from) in (moved.rgba_mut().chunks_exact_mut(4 * SIZE.width as usize))
            .zip(picture.rgba().chunks_exact(4 * SIZE.width as usize))
        {
            to[8..].copy_from_slice(&from[..from.len() - 8]);
        }
        moved
    };
    let moved = aside(&picture);
    let styles = generator.model().styles().to_vec();
    for style in &styles {
        let mut of = |picture: &Picture| {
            draw(generator, picture, |at, _| {
                if at == style.channel { 1.0 } else { 0.0 }
            })
        };
        let (still, follows) = (of(&picture), of(&moved));
        assert_eq!(still.finish, style.finish, "{}", style.id);
        let far = apart(&aside(&still), &follows, 16, SIZE.width - 16);
        assert!(far < MOVES, "{}: {far}", style.id);
    }
    let printed = styles
        .iter()
        .filter(|style| style.finish.halftone.strength > 0);
    let printed: Vec<&str> = printed.map(|style| style.id.as_str()).collect();
    assert_eq!(printed, ["manga", "pop"]);
}

#[test]
fn noise_on_a_still_picture_does_not_shake_the_drawing() {
    for mut generator in open() {
        noise_does_not_shake(&mut generator);
    }
}

fn noise_does_not_shake(generator: &mut Generator) {
    let picture = portrait();
    let (before, after) = (noisy(&picture, 1), noisy(&picture, 2));
    for style in 0..generator.model().channels() {
        let mut drawn = |picture: &Picture| {
            draw(generator, picture, |channel, _| {
                f32::from(u8::from(channel == style))
            })
        };
        let ratio = between(&drawn(&before), &drawn(&after)) / between(&before, &after);
        assert!(ratio < CALM, "style {style}: {ratio:.2}");
    }
}

/// Whoever goes from one machine to another must not see it.
#[test]
fn eight_bits_draw_what_all_bits_draw() {
    let mut generators = open();
    let [full, eight_bit] = &mut generators[..] else {
        return;
    };
    let picture = portrait();
    for style in 0..full.model().channels() {
        for strength in [1.0, 0.4] {
            let weight = |channel: usize, _| if channel == style { strength } else { 0.0 };
            let drawings = [
                draw(full, &picture, weight),
                draw(eight_bit, &picture, weight),
            ];
            let change = between(&drawings[0], &drawings[1]);
            assert!(
                change < EIGHT_BIT * f64::from(strength),
                "style {style}: {change:.2}"
            );
            let matte = |picture: &Picture| -> Vec<u8> {
                picture.rgba().iter().skip(3).step_by(4).copied().collect()
            };
            let (a, b) = (matte(&drawings[0]), matte(&drawings[1]));
            let far = a
                .iter()
                .zip(&b)
                .filter(|(a, b)| a.abs_diff(**b) > 32)
                .count();
            assert!(
                far * 1000 < a.len(),
                "style {style}: {far} pixels of the matte"
            );
        }
    }
}
