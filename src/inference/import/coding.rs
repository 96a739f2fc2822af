//! Which values a network reads and writes: every usual coding is tried on a test picture, and the
//! one whose drawing is most like a drawing of that picture is right.

use super::super::tensor::{Channels, Coding, Layout};
use super::card::{Colours, Likeness};
use super::evidence::{Head, Tail};

/// A way of writing colours that networks use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    /// For people and for `model.toml`.
    pub(super) name: &'static str,
    /// Of red, green and blue.
    pub(super) black: [f32; 3],
    /// Of red, green and blue.
    pub(super) white: [f32; 3],
    /// How seldom it is.
    cost: f32,
}

impl Range {
    const fn even(name: &'static str, black: f32, white: f32, cost: f32) -> Self {
        Self {
            name,
            black: [black; 3],
            white: [white; 3],
            cost,
        }
    }

    /// With this range.
    pub(super) fn coding(&self, layout: Layout, channels: Channels) -> Coding {
        Coding {
            layout,
            channels,
            black: self.black,
            white: self.white,
        }
    }
}

const UNIT: Range = Range::even("[0, 1]", 0.0, 1.0, 0.0);
const SIGNED: Range = Range::even("[-1, 1]", -1.0, 1.0, -0.015);
const BYTES: Range = Range::even("[0, 255]", 0.0, 255.0, 0.0);
/// What `ImageNet`'s mean and deviation make of 0 to 1.
const IMAGENET: Range = Range {
    name: "ImageNet's mean and deviation",
    black: [-2.117_904, -2.035_714, -1.804_444],
    white: [2.248_908, 2.428_571, 2.64],
    cost: 0.1,
};
/// What `ImageNet`'s mean makes of 0 to 255.
const MEAN: Range = Range {
    name: "[0, 255] less ImageNet's mean",
    black: [-123.68, -116.779, -103.939],
    white: [131.32, 138.221, 151.061],
    cost: 0.05,
};

/// Ranges of inputs, in the order they are tried.
pub(super) const INPUTS: [Range; 5] = [UNIT, SIGNED, BYTES, IMAGENET, MEAN];
/// Ranges of outputs.
const OUTPUTS: [Range; 3] = [UNIT, SIGNED, BYTES];
/// Of 8-bit tensors.
pub(super) const OF_BYTES: [Range; 1] = [BYTES];

/// How much a coding must be better than RGB for another order of channels to be believed.
const ORDER_COST: f32 = 0.2;
/// And for an output whose order is not that of the input.
const MIXED_ORDER_COST: f32 = 0.05;
/// What an output in the range of its input is worth: nearly all networks are so.
const SAME_RANGE: f32 = 0.1;
/// What the network's own first operators are worth.
const HEAD_WORTH: f32 = 0.4;
/// What it is worth that the network turns just this range into 8 bits.
const FED_WORTH: f32 = 0.4;
/// A range that shares less of its length with what is turned into 8 bits is not meant.
const FED_SHARED: f32 = 0.55;
/// Below these, the output has nothing to do with the picture.
const LEAST_LIGHT: f32 = 0.2;
const LEAST_EDGES: f32 = 0.1;

/// What a network was found to read and write.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) input: Range,
    pub(super) input_order: Channels,
    /// May be one of no name: [`Range::name`] is empty then.
    pub(super) output: Range,
    pub(super) output_order: Channels,
    pub(super) likeness: Likeness,
    pub(super) score: f32,
}

/// What was drawn from the test picture in one input coding.
pub(super) struct Trial {
    pub(super) input: Range,
    pub(super) order: Channels,
    /// Whether the network turns just this range into 8 bits.
    pub(super) fed: bool,
    /// The raw values, in the output's order of channels; of a grey network, thrice the same.
    pub(super) values: Colours,
}

/// All readings of `trial`, given what the graph says.
pub(super) fn readings(
    trial: &Trial,
    picture: &Colours,
    head: Option<&Head>,
    tail: Option<&Tail>,
    bytes: bool,
) -> Vec<Found> {
    let own;
    let outputs: &[Range] = match tail {
        _ if bytes => &OF_BYTES,
        Some(tail) => match canonical(tail.range) {
            Some(range) => {
                own = [range];
                &own
            }
            None => &OUTPUTS,
        },
        None => &OUTPUTS,
    };
    let orders: &[Channels] = match trial.order {
        Channels::Grey => &[Channels::Rgb],
        _ => &[Channels::Rgb, Channels::Bgr],
    };
    let (least, most) = extent(&trial.values);
    let mut found = Vec::new();
    for output in outputs {
        let (black, white) = (output.black[0], output.white[0]);
        // Nothing of it is used, or hardly anything fits into it.
        let width = white - black;
        let unlikely = most - least < 0.04 * width || most - least > 12.0 * width;
        if unlikely && outputs.len() > 1 {
            continue;
        }
        for order in orders {
            let mut colours = trial.values.clone();
            for value in &mut colours.values {
                if *order == Channels::Bgr {
                    value.swap(0, 2);
                }
                let ends = output.black.iter().zip(&output.white);
                for (value, (black, white)) in value.iter_mut().zip(ends) {
                    *value = (*value - black) / (white - black);
                }
            }
            let outside = |value: &f32| *value < -0.02 || *value > 1.02;
            let clipped = colours
                .values
                .iter()
                .flatten()
                .filter(|value| outside(value))
                .count() as f32
                / (colours.values.len() * 3).max(1) as f32;
            for value in colours.values.iter_mut().flatten() {
                *value = value.clamp(0.0, 1.0);
            }
            let likeness = Likeness::of(&colours, picture);
            let mut score = worth(&likeness, clipped);
            if trial.input.name == output.name || (trial.input == MEAN && *output == BYTES) {
                score += SAME_RANGE;
            }
            if trial.order == Channels::Bgr && trial.input != MEAN {
                score -= ORDER_COST;
            }
            if trial.order != *order && trial.order != Channels::Grey {
                score -= MIXED_ORDER_COST;
            }
            score -= trial.input.cost;
            if head.is_some_and(|head| prepares(head, trial.input, trial.order)) {
                score += HEAD_WORTH;
            }
            if trial.fed {
                score += FED_WORTH;
            }
            found.push(Found {
                input: trial.input,
                input_order: trial.order,
                output: *output,
                output_order: if trial.order == Channels::Grey {
                    Channels::Rgb
                } else {
                    *order
                },
                likeness,
                score,
            });
        }
    }
    found
}

/// Which of the usual ranges a network means that turns `range` into 8 bits. It was made of a few
/// pictures, and those need not have all values.
pub(super) fn fed(range: [f32; 2]) -> Option<Range> {
    let shared = |usual: &Range| {
        let least = usual.black.into_iter().fold(f32::MAX, f32::min);
        let most = usual.white.into_iter().fold(f32::MIN, f32::max);
        let both = most.min(range[1]) - least.max(range[0]);
        both / (most.max(range[1]) - least.min(range[0]))
    };
    let likeliest = INPUTS
        .into_iter()
        .max_by(|a, b| shared(a).total_cmp(&shared(b)))?;
    (shared(&likeliest) > FED_SHARED).then_some(likeliest)
}

/// Between which values nearly all are.
fn extent(colours: &Colours) -> (f32, f32) {
    let mut values: Vec<f32> = colours.values.iter().flatten().copied().collect();
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mut at = |share: f32| {
        let place = ((values.len() - 1) as f32 * share) as usize;
        *values.select_nth_unstable_by(place, f32::total_cmp).1
    };
    (at(0.01), at(0.99))
}

/// Whether a drawing has anything to do with its picture.
pub(super) fn is_a_drawing(likeness: &Likeness) -> bool {
    likeness.light.abs() >= LEAST_LIGHT || likeness.edges >= LEAST_EDGES
}

/// How good a drawing is. Likeness beyond a point counts no more: a style changes its picture.
fn worth(likeness: &Likeness, clipped: f32) -> f32 {
    let Likeness {
        light,
        edges,
        tints,
        contrast,
        lift,
        distance,
        ..
    } = *likeness;
    // A negative turns tints around as well.
    let tints = if light < 0.0 { -tints } else { tints };
    edges.min(0.9) + 0.5 * light.min(0.95) + 0.3 * tints
        - 0.5 * clipped
        - 0.25 * distance
        - 0.5 * (lift.abs() - 0.15).max(0.0)
        - 0.5 * (0.7 - contrast).max(0.0)
        - 0.5 * (contrast - 1.2).max(0.0)
}

/// The usual range that `range` means: what lies a little beyond is overshoot. Itself when there
/// is none but it is a sound one.
fn canonical(range: [f32; 2]) -> Option<Range> {
    let [black, white] = range;
    if !(black.is_finite() && white.is_finite() && white - black > 1e-3) {
        return None;
    }
    let near = |usual: &&Range| {
        let slack = 0.2 * (usual.white[0] - usual.black[0]);
        (black - usual.black[0]).abs() < slack && (white - usual.white[0]).abs() < slack
    };
    Some(
        OUTPUTS
            .iter()
            .find(near)
            .copied()
            .unwrap_or(Range::even("", black, white, 0.0)),
    )
}

/// Whether the network's first operators turn `input` into something usual: then it was made for
/// that input.
pub(super) fn prepares(head: &Head, input: Range, order: Channels) -> bool {
    let at = |channel: usize| match order {
        Channels::Bgr => 2 - channel,
        _ => channel,
    };
    let ends: Vec<[f32; 2]> = (0..3)
        .map(|channel| {
            let value =
                |end: [f32; 3]| end[at(channel)] * head.scale[channel] + head.shift[channel];
            [value(input.black), value(input.white)]
        })
        .collect();
    let is = |black: [f32; 3], white: [f32; 3]| {
        (0..3).all(|channel| {
            let slack = 0.03 * (white[channel] - black[channel]).abs();
            (ends[channel][0] - black[at(channel)]).abs() < slack
                && (ends[channel][1] - white[at(channel)]).abs() < slack
        })
    };
    let usual = [UNIT, SIGNED, BYTES, IMAGENET, MEAN];
    usual.iter().any(|range| is(range.black, range.white))
        || is([-0.5; 3], [0.5; 3])
        || is([-0.485, -0.456, -0.406], [0.515, 0.544, 0.594])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_operators_tell_range_and_order() {
        let head = |scale: f32, shift: [f32; 3]| Head {
            scale: [scale; 3],
            shift,
        };
        let halves = head(1.0 / 127.5, [-1.0; 3]);
        assert!(prepares(&halves, BYTES, Channels::Rgb));
        assert!(!prepares(&halves, UNIT, Channels::Rgb));
        assert!(!prepares(&halves, SIGNED, Channels::Rgb));
        let blue_first = head(1.0, [-103.939, -116.779, -123.68]);
        assert!(prepares(&blue_first, BYTES, Channels::Bgr));
        assert!(!prepares(&blue_first, BYTES, Channels::Rgb));
    }

    #[test]
    fn a_range_in_8_bits_is_one_of_the_usual() {
        assert_eq!(fed([0.0, 255.0]), Some(BYTES));
        // One photo without white.
        assert_eq!(fed([0.0, 201.0]), Some(BYTES));
        assert_eq!(fed([-0.98, 0.9]), Some(SIGNED));
        assert_eq!(fed([0.0, 0.93]), Some(UNIT));
        assert_eq!(fed([-2.0, 2.5]), Some(IMAGENET));
        assert_eq!(fed([0.0, 30.0]), None);
    }

    #[test]
    fn overshoot_is_no_range_of_its_own() {
        assert_eq!(canonical([-22.5, 277.5]), Some(BYTES));
        assert_eq!(canonical([-1.0, 1.0]), Some(SIGNED));
        let half = canonical([-0.5, 0.5]).unwrap();
        assert_eq!((half.black[0], half.white[2], half.name), (-0.5, 0.5, ""));
        assert_eq!(canonical([0.0, f32::INFINITY]), None);
    }
}
