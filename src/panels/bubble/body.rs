//! The bodies of bubbles, as panelcam draws them.

use std::f32::consts::{PI, TAU};

use super::BubbleKind;
use super::outline::{Outline, Point};
use crate::panels::lettering::Shape;

/// The superellipse that speech is drawn as.
const ROUND: f32 = 2.45;

/// The body of `kind` around `middle`, `rx` and `ry` to each side. Bodies of other seeds are
/// other drawings of the same.
pub(super) fn body(kind: BubbleKind, middle: Point, (rx, ry): (f32, f32), seed: u32) -> Outline {
    let points = match kind {
        BubbleKind::Speech | BubbleKind::Whisper => speech(rx, ry, seed),
        BubbleKind::Thought => cloud(rx, ry, seed),
        BubbleKind::Shout => burst(rx, ry, seed),
        BubbleKind::Narration => caption(rx, ry, seed),
        BubbleKind::Phone => rounded(rx, ry, ry.min(rx) * 0.42),
    };
    Outline { points }.moved(middle)
}

/// Where text goes in a body of this box.
pub(super) fn room(kind: BubbleKind, middle: Point, (rx, ry): (f32, f32)) -> Shape {
    let (across, along, exponent) = match kind {
        BubbleKind::Speech | BubbleKind::Whisper => (0.86, 0.82, ROUND),
        BubbleKind::Thought => (0.76, 0.72, 2.6),
        BubbleKind::Shout => (0.66, 0.6, 2.3),
        BubbleKind::Narration => (0.9, 0.8, 40.0),
        BubbleKind::Phone => (0.86, 0.76, 12.0),
    };
    let (width, height) = (rx * across, ry * along);
    Shape::round(
        middle.0 - width,
        middle.1 - height,
        width * 2.0,
        height * 2.0,
        exponent,
    )
}

/// A number from 0 to 1 that is always the same for the same seeds.
pub(super) fn chance(seed: u32, number: u32) -> f32 {
    let mut hash = seed.wrapping_mul(0x9e37_79b9) ^ number.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(0x2c1b_3c6d);
    hash ^= hash >> 12;
    hash = hash.wrapping_mul(0x297a_2d39);
    hash ^= hash >> 15;
    (hash >> 8) as f32 / (1u32 << 24) as f32
}

fn superellipse(rx: f32, ry: f32, exponent: f32, angle: f32) -> Point {
    let (sin, cos) = angle.sin_cos();
    let bend = |value: f32| value.signum() * value.abs().powf(2.0 / exponent);
    (rx * bend(cos), ry * bend(sin))
}

/// A round drawn in one stroke: never quite the same curve on all sides.
fn speech(rx: f32, ry: f32, seed: u32) -> Vec<Point> {
    let (p, q) = (chance(seed, 1) * TAU, chance(seed, 2) * TAU);
    (0..180)
        .map(|at| {
            let angle = at as f32 / 180.0 * TAU;
            let (x, y) = superellipse(rx, ry, ROUND, angle);
            let by = 1.0 - 0.02 + 0.012 * (2.0 * angle + p).sin() + 0.009 * (3.0 * angle + q).sin();
            (x * by, y * by)
        })
        .collect()
}

/// Puffs around a round.
fn cloud(rx: f32, ry: f32, seed: u32) -> Vec<Point> {
    let around = PI * (3.0 * (rx + ry) - ((3.0 * rx + ry) * (rx + 3.0 * ry)).sqrt());
    let count = (around / (rx.min(ry) * 0.62)).round().clamp(9.0, 22.0) as u32;
    // Puffs differ in size.
    let sizes: Vec<f32> = (0..count)
        .map(|at| 0.72 + 0.56 * chance(seed, at))
        .collect();
    let whole: f32 = sizes.iter().sum();
    // By equal steps along the round, not by equal angles.
    let fine: Vec<Point> = (0..=720)
        .map(|at| {
            superellipse(
                rx * 0.86,
                ry * 0.84,
                2.2,
                at as f32 / 720.0 * TAU - PI / 2.0,
            )
        })
        .collect();
    let mut lengths = vec![0.0];
    for pair in fine.windows(2) {
        let last = lengths.last().copied().unwrap_or(0.0);
        lengths.push(last + (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1));
    }
    let total = lengths.last().copied().unwrap_or(1.0);
    let at_length = |length: f32| {
        let index = lengths
            .partition_point(|known| *known < length)
            .min(fine.len() - 1);
        fine[index]
    };
    let mut points = Vec::with_capacity(count as usize * 14);
    let mut start = 0.0;
    for size in sizes {
        let end = start + size / whole;
        let (a, b) = (at_length(start * total), at_length(end * total));
        let middle = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
        let chord = (b.0 - a.0, b.1 - a.1);
        let half = chord.0.hypot(chord.1) / 2.0;
        // Outwards, to the left of the way around.
        let out = (
            chord.1 / (2.0 * half.max(1e-6)),
            -chord.0 / (2.0 * half.max(1e-6)),
        );
        let height = half * 0.78;
        for step in 0..14 {
            let turn = PI * (1.0 - step as f32 / 14.0);
            let (along, up) = (turn.cos() * half, turn.sin() * height);
            let unit = (
                chord.0 / (2.0 * half.max(1e-6)),
                chord.1 / (2.0 * half.max(1e-6)),
            );
            points.push((
                middle.0 + unit.0 * along + out.0 * up,
                middle.1 + unit.1 * along + out.1 * up,
            ));
        }
        start = end;
    }
    points
}

/// Spikes of uneven length with hollow sides.
fn burst(rx: f32, ry: f32, seed: u32) -> Vec<Point> {
    let count = (11.0 + 5.0 * (rx / ry.max(1e-3)).clamp(0.6, 2.2)).round() as u32;
    let turn = chance(seed, 99) * TAU;
    let angle_of = |number: f32| turn + number / count as f32 * TAU;
    let tip = |number: u32| {
        let angle =
            angle_of((number % count) as f32 + 0.5 + 0.34 * (chance(seed, number % count) - 0.5));
        let long = 0.86 + 0.14 * chance(seed, 200 + number % count);
        let (x, y) = superellipse(rx, ry, 2.6, angle);
        (x * long, y * long)
    };
    let valley = |number: u32| {
        let (x, y) = superellipse(rx, ry, 2.4, angle_of(number as f32));
        let deep = 0.71 + 0.04 * chance(seed, 400 + number % count);
        (x * deep, y * deep)
    };
    let mut points = Vec::new();
    for number in 0..count {
        let (a, b, c) = (valley(number), tip(number), valley(number + 1));
        for (from, to) in [(a, b), (b, c)] {
            // Hollow: the side bends towards the middle.
            let bend = ((from.0 + to.0) / 2.0 * 0.95, (from.1 + to.1) / 2.0 * 0.95);
            for step in 0..6 {
                let t = step as f32 / 6.0;
                let u = 1.0 - t;
                let mix = |s: f32, m: f32, e: f32| u * u * s + 2.0 * u * t * m + t * t * e;
                points.push((mix(from.0, bend.0, to.0), mix(from.1, bend.1, to.1)));
            }
        }
    }
    points
}

/// A box drawn without a ruler.
fn caption(rx: f32, ry: f32, seed: u32) -> Vec<Point> {
    let off = |number: u32| (chance(seed, number) - 0.5) * 0.05 * rx.min(ry);
    let corners = [
        (-rx + off(1), -ry + off(2)),
        (rx + off(3), -ry + off(4)),
        (rx + off(5), ry + off(6)),
        (-rx + off(7), ry + off(8)),
    ];
    (0..4)
        .flat_map(|side| {
            let (a, b) = (corners[side], corners[(side + 1) % 4]);
            (0..24).map(move |step| {
                let t = step as f32 / 24.0;
                (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
            })
        })
        .collect()
}

fn rounded(rx: f32, ry: f32, radius: f32) -> Vec<Point> {
    let corners = [
        (rx - radius, ry - radius, 0.0),
        (-rx + radius, ry - radius, 0.25),
        (-rx + radius, -ry + radius, 0.5),
        (rx - radius, -ry + radius, 0.75),
    ];
    corners
        .into_iter()
        .flat_map(|(x, y, start)| {
            (0..=16).map(move |step| {
                let angle = (start + step as f32 / 64.0) * TAU;
                (x + radius * angle.cos(), y + radius * angle.sin())
            })
        })
        .collect()
}
