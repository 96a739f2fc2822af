//! Inputs of one number: whether they say how strong a drawing is.

use super::card::Colours;
use super::network::{Extra, Network};
use super::probe::{Pick, Probe};

/// What differs from the picture by no more, on average, is nearly the picture.
const NEARLY: f32 = 0.02;
/// And the drawing differs so many times as much.
const TIMES: f32 = 4.0;
/// The least and the most of the way to the drawing that half of the strength goes.
const HALF_WAY: std::ops::Range<f32> = 0.1..0.95;

/// Tries inputs of one number with 0 and 1. One with which the network goes from the picture to the
/// drawing takes the strength; the others keep what draws most.
pub(super) fn settle(network: &mut Network, probe: &Probe, pick: &Pick) -> Vec<String> {
    let mut reasons = Vec::new();
    // A style map's sum is strength.
    let is_map = |kind: Extra| matches!(kind, Extra::Map(_));
    let mut is_free = !network.extras.iter().any(|extra| is_map(extra.kind));
    for at in 0..network.extras.len() {
        if network.extras[at].kind != Extra::Constant || network.extras[at].values != [1.0] {
            continue;
        }
        let mut draw = |value: f32| {
            network.extras[at].values = vec![value];
            probe.draw(network, pick)
        };
        let (at_zero, at_half, at_one) = (draw(0.0), draw(0.5), draw(1.0));
        let distance = |drawing: &Option<Colours>| {
            let distance = |drawing: &Colours| drawing.distance(&probe.seen);
            drawing.as_ref().map_or(0.0, distance)
        };
        let (zero, one) = (distance(&at_zero), distance(&at_one));
        let (value, other) = if zero > one * 1.15 + 0.005 {
            (0.0, 1.0)
        } else {
            (1.0, 0.0)
        };
        let (strong, weak) = if value == 0.0 {
            (&at_zero, &at_one)
        } else {
            (&at_one, &at_zero)
        };
        let from_picture = |drawing: &Option<Colours>| {
            let difference = |drawing: &Colours| drawing.difference(&probe.seen);
            drawing.as_ref().map_or(f32::MAX, difference)
        };
        let [weak, half, strong] = [weak, &at_half, strong].map(from_picture);
        let extra = &mut network.extras[at];
        extra.values = vec![value];
        let name = &extra.name;
        reasons.push(if is_free && is_strength(weak, half, strong) {
            is_free = false;
            extra.weakest = Some(other);
            format!(
                "input \"{name}\": the strength, from {other} for none to {value} for all of it, because with it the network goes from the picture to the drawing (it differs from the picture by {weak:.3} at {other}, {half:.3} at 0.5, {strong:.3} at {value})"
            )
        } else if (zero - one).abs() < 0.003 {
            format!("input \"{name}\": 1; 0 draws the same")
        } else {
            let more = zero.max(one);
            let less = zero.min(one);
            let why = if weak <= NEARLY {
                "but what lies between is no mixture"
            } else {
                "and the other is not the picture either"
            };
            format!(
                "input \"{name}\": {value}, because that changes the picture more ({more:.3} against {less:.3}), {why}; how strong a drawing is seen is mixed in afterwards"
            )
        });
    }
    reasons
}

/// Whether drawings that differ so much from the picture go from the picture to the drawing.
fn is_strength(weak: f32, half: f32, strong: f32) -> bool {
    let way = (half - weak) / (strong - weak);
    weak <= NEARLY && strong >= weak * TIMES && HALF_WAY.contains(&way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strength_goes_from_the_picture_to_the_drawing() {
        assert!(is_strength(0.001, 0.07, 0.14));
        assert!(is_strength(0.0, 0.02, 0.14), "it may be no straight line");
        for (weak, half, strong, why) in [
            (0.03, 0.07, 0.14, "another drawing at 0"),
            (0.01, 0.02, 0.03, "hardly another at 1"),
            (0.001, 0.14, 0.14, "a switch"),
            (0.001, 0.001, 0.14, "a switch"),
            (0.001, 0.3, 0.14, "something else between"),
            (0.0, 0.0, 0.0, "nothing at all"),
            (0.0, f32::MAX, 0.14, "it failed"),
            (f32::MAX, f32::MAX, f32::MAX, "it failed"),
        ] {
            assert!(!is_strength(weak, half, strong), "{why}");
        }
    }
}
