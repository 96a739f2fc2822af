//! Tails: from a body towards a mouth.

use super::BubbleKind;
use super::outline::{Outline, Point};

/// How long a tail is at least where it has room, of half its width, and where it has none.
const SHORT: f32 = 1.5;
const SHORTEST: f32 = 0.7;
/// How near to the mouth it may come to be as long, of how far its tip else stays.
const NEAREST: f32 = 0.5;

/// Where a tail goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Aim {
    /// The mouth.
    pub mouth: Point,
    /// How far from the mouth the tip stays, beside it and above or below.
    pub clear: (f32, f32),
    /// Half of the tail's width where it leaves the body.
    pub half: f32,
    /// The longest it may be.
    pub longest: f32,
}

/// A body with its tail: the outline, and circles beside it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tailed {
    pub outline: Outline,
    /// Middle and radius.
    pub puffs: Vec<(Point, f32)>,
}

/// Gives a body its tail.
pub(super) fn tailed(body: &Outline, kind: BubbleKind, aim: Option<Aim>) -> Tailed {
    let bare = || Tailed {
        outline: body.clone(),
        puffs: Vec::new(),
    };
    let Some(aim) = aim else { return bare() };
    let middle = body.middle();
    if kind == BubbleKind::Phone {
        return Tailed {
            outline: hooked(body, aim),
            puffs: Vec::new(),
        };
    }
    let Some((number, root, end)) = reach(body, &aim) else {
        return bare();
    };
    let way = (end.0 - root.0, end.1 - root.1);
    let distance = way.0.hypot(way.1);
    let length = distance.min(aim.longest);
    let unit = (way.0 / distance, way.1 / distance);
    let tip = (root.0 + unit.0 * length, root.1 + unit.1 * length);
    if kind == BubbleKind::Thought {
        // On a short way two, not three that touch.
        let row: &[(f32, f32)] = if length > aim.half * 4.2 {
            &[(0.3, 0.8), (0.66, 0.54), (0.93, 0.34)]
        } else {
            &[(0.48, 0.6), (0.95, 0.36)]
        };
        let puffs = row
            .iter()
            .map(|(along, size)| {
                let at = (
                    root.0 + unit.0 * length * along,
                    root.1 + unit.1 * length * along,
                );
                (at, aim.half * size)
            })
            // Only what has room.
            .filter(|(at, radius)| {
                (at.0 - root.0).hypot(at.1 - root.1) > radius * 1.25 && *radius < length
            })
            .collect();
        return Tailed {
            outline: body.clone(),
            puffs,
        };
    }
    // The tail bends as if it were swung out from above the middle.
    let side = if (aim.mouth.0 - middle.0) * (aim.mouth.1 - middle.1) >= 0.0 {
        -1.0
    } else {
        1.0
    };
    let bend = side * length * 0.13;
    let half = aim.half.min(length * 0.55);
    let outline = body.spliced(number, root, half, |first, second| {
        let mut points = Vec::with_capacity(26);
        let bent = |from: Point| {
            let middle = ((from.0 + tip.0) / 2.0, (from.1 + tip.1) / 2.0);
            // Sides hollow towards the tip.
            let inwards = ((root.0 - from.0) * 0.22, (root.1 - from.1) * 0.22);
            (
                middle.0 - unit.1 * bend + inwards.0,
                middle.1 + unit.0 * bend + inwards.1,
            )
        };
        let mut side = |from: Point, to: Point, by: Point| {
            for step in 1..=12 {
                let t = step as f32 / 12.0;
                let u = 1.0 - t;
                let mix = |a: f32, b: f32, c: f32| u * u * a + 2.0 * u * t * b + t * t * c;
                points.push((mix(from.0, by.0, to.0), mix(from.1, by.1, to.1)));
            }
        };
        side(first, tip, bent(first));
        side(tip, second, bent(second));
        points
    });
    Tailed {
        outline,
        puffs: Vec::new(),
    }
}

/// Where a tail leaves the body, on which line, and where its tip is if it is not too long; `None`
/// where it is too near for a tail.
fn reach(body: &Outline, aim: &Aim) -> Option<(usize, Point, Point)> {
    let middle = body.middle();
    let far = (middle.0 - aim.mouth.0, middle.1 - aim.mouth.1);
    // Beside the cheek on the bubble's side, so that it does not run over the eyes; of a bubble right
    // above or below, on the way to the mouth.
    let side = (far.0 / (aim.clear.0 * 1.4)).clamp(-1.0, 1.0);
    let down = (1.0 - side * side).sqrt().copysign(far.1);
    let mut found = None;
    // A high bubble that stands beside the face comes nearer.
    for step in 0..=10 {
        let share = 1.0 - (1.0 - NEAREST) * step as f32 / 10.0;
        let tip = (
            aim.mouth.0 + aim.clear.0 * side * share,
            aim.mouth.1 + aim.clear.1 * down * share,
        );
        let Some((number, root)) = body.crossing(middle, tip) else {
            continue;
        };
        let length = (tip.0 - root.0).hypot(tip.1 - root.1);
        if length > aim.half * SHORTEST && length > 1e-3 {
            found = Some((number, root, tip));
        }
        if length > aim.half * SHORT {
            break;
        }
    }
    found
}

/// A message's little hook, at the lower corner on the speaker's side.
fn hooked(body: &Outline, aim: Aim) -> Outline {
    let (a, b) = body.bounds();
    let middle = body.middle();
    let right = aim.mouth.0 > middle.0;
    let outwards = if right { 1.0 } else { -1.0 };
    let reach = (b.1 - a.1).min(b.0 - a.0) * 0.2;
    let corner = if right { b.0 } else { a.0 };
    // Beside the corner, on the straight of the lower edge.
    let x = corner - outwards * reach * 2.2;
    let Some((number, root)) = body.crossing((x, middle.1), (x, b.1 + reach)) else {
        return body.clone();
    };
    let tip = (x + outwards * reach * 0.9, b.1 + reach * 0.85);
    body.spliced(number, root, reach * 0.6, |_, _| vec![tip])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::bubble::body;

    /// Where a tail's tip is, from the body's middle; `None` without a tail.
    fn tip(radii: Point, mouth: Point) -> Option<Point> {
        let body = body::body(BubbleKind::Speech, (0.0, 0.0), radii, 1);
        let short = 2.0 * radii.0.min(radii.1);
        let aim = Aim {
            mouth,
            clear: (34.0, 46.0),
            half: short * 0.12,
            longest: short * 0.72,
        };
        let tailed = tailed(&body, BubbleKind::Speech, Some(aim));
        let far = |p: &Point| (p.0 - mouth.0).hypot(p.1 - mouth.1);
        let tip = tailed.outline.points.into_iter();
        let tip = tip.min_by(|a, b| far(a).total_cmp(&far(b)))?;
        let on_body = body
            .points
            .iter()
            .any(|p| (p.0 - tip.0).hypot(p.1 - tip.1) < 0.1);
        (!on_body).then_some(tip)
    }

    #[test]
    fn a_high_bubble_beside_a_face_has_a_tail() {
        // As far from the face as a bubble of vertical writing is kept from it.
        let mouth = (40.0 + 42.0, 30.0);
        let tip = tip((40.0, 95.0), mouth).unwrap();
        assert!(tip.0 > 44.0 && tip.0 < mouth.0 - 15.0, "{tip:?}");
    }

    #[test]
    fn a_tail_stays_off_the_mouth_and_there_is_none_in_the_face() {
        let above = tip((90.0, 40.0), (0.0, 140.0)).unwrap();
        assert!((above.1 - 94.0).abs() < 1.0, "{above:?}");
        assert_eq!(tip((90.0, 40.0), (0.0, 55.0)), None);
    }

    #[test]
    fn a_tail_from_the_side_passes_the_eyes_and_ends_beside_the_mouth() {
        let mouth = (-90.0, 95.0);
        let tip = tip((90.0, 50.0), mouth).unwrap();
        assert!(
            (tip.0 + 56.0).abs() < 1.0 && (tip.1 - 95.0).abs() < 1.0,
            "{tip:?}"
        );
    }
}
