//! Which sizes of picture a network takes: by trying.

use std::time::{Duration, Instant};

use super::super::contract::STYLE_SIDE;
use super::super::tensor::Layout;
use super::Refusal;
use super::card::Card;
use super::network::{Extra, Network, Output};
use super::probe::{base_coding, does_not_run};
use super::roles;
use crate::frame::Size;

/// Sizes that are tried, as a multiple and two odd numbers of it: a network that takes a size
/// takes all multiples of its multiple.
const SIZES: [(u32, u32, u32); 9] = [
    (1, 71, 73),
    (2, 35, 37),
    (4, 17, 19),
    (8, 9, 11),
    (16, 5, 7),
    (32, 3, 5),
    (64, 1, 3),
    (128, 1, 1),
    (256, 1, 1),
];
/// Sides of squares that are tried when none of those is drawn: some networks are declared for any
/// size, and know inside the one alone that they were exported with.
const SIDES: [u32; 11] = [64, 96, 112, 160, 192, 224, 320, 384, 448, 512, 640];
/// A run is timed so often.
const TIMED: usize = 3;
/// A first run that is shorter decides nothing: it is not repeated to be timed.
const BRIEF: Duration = Duration::from_millis(100);
/// One that is longer is repeated once: all trying has to end some time.
const LONG: Duration = Duration::from_secs(3);

/// A size that works, and what came of it.
pub(super) struct Sized {
    pub(super) size: Size,
    pub(super) multiple: u32,
    pub(super) outputs: Vec<Output>,
    /// Of one run: the first, or the shortest where that was slow.
    pub(super) time: Duration,
    pub(super) reason: String,
}

/// Finds a size that is drawn, and what sizes are drawn besides. The size of a network that turns
/// out to know one alone is written to its image input.
pub(super) fn find(
    network: &mut Network,
    card: &Card,
    layout_unknown: bool,
) -> Result<Sized, Refusal> {
    if let Some(size) = network.image.size {
        let (outputs, time) = run(network, card, size).map_err(|why| does_not_run(&why))?;
        return Ok(Sized {
            size,
            multiple: 1,
            outputs,
            time,
            reason: format!("size: {size} alone, because its input says so"),
        });
    }
    let layouts = if layout_unknown {
        vec![Layout::Planes, Layout::Pixels]
    } else {
        vec![network.image.layout]
    };
    let mut failed = Failed::default();
    for layout in &layouts {
        network.image.layout = *layout;
        if let Some(sized) = multiples(network, card, &mut failed) {
            return Ok(sized);
        }
    }
    // A style map may have other cells than were assumed.
    for extra in &mut network.extras {
        if let Extra::Map(cell) = extra.kind
            && cell > 1
        {
            extra.kind = Extra::Map(cell / 2);
            return find(network, card, layout_unknown);
        }
    }
    if let Some(name) = failed.twin {
        return Err(roles::twin(&name));
    }
    for layout in &layouts {
        network.image.layout = *layout;
        if let Some(sized) = squares(network, card, &mut failed) {
            return Ok(sized);
        }
    }
    Err(match failed {
        Failed {
            no_drawing: Some((outputs, size)),
            ..
        } => roles::no_drawing(&outputs, size),
        Failed { why, .. } => does_not_run(&why),
    })
}

/// What came of sizes that were not drawn.
#[derive(Default)]
struct Failed {
    /// What ONNX Runtime said last.
    why: String,
    /// The last that ran all the same.
    no_drawing: Option<(Vec<Output>, Size)>,
    /// The input that takes a second picture of the size of the first.
    twin: Option<String>,
}

impl Failed {
    /// Whether a square of `side` may be drawn: nothing ran, or what ran gave such squares whatever it saw.
    fn leave(&self, side: u32) -> bool {
        let side = i64::from(side);
        self.no_drawing.as_ref().is_none_or(|(outputs, _)| {
            let mut shapes = outputs.iter().map(|output| &output.shape);
            shapes.any(|shape| shape.iter().filter(|found| **found == side).count() == 2)
        })
    }
}

/// The smallest multiple whose pictures are drawn.
fn multiples(network: &mut Network, card: &Card, failed: &mut Failed) -> Option<Sized> {
    for (multiple, across, down) in SIZES {
        let size = Size::new(multiple * across, multiple * down);
        let Some((outputs, time)) = draw(network, card, size, failed) else {
            continue;
        };
        // One square tells no multiple: it may be the one size that the network knows.
        if across == down && takes_one_size(network) && !draws_wider(network, card, size) {
            failed.twin = twin(network, size);
            if failed.twin.is_some() {
                return None;
            }
            return Some(alone(network, card, size, outputs, time));
        }
        let reason = if multiple == 1 {
            format!("size: any, because it draws {size}")
        } else {
            format!("size: multiples of {multiple}, because it draws {size} and no smaller step")
        };
        return Some(Sized {
            size,
            multiple,
            outputs,
            time,
            reason,
        });
    }
    None
}

/// The one square that is drawn.
fn squares(network: &mut Network, card: &Card, failed: &mut Failed) -> Option<Sized> {
    if !takes_one_size(network) {
        return None;
    }
    for side in SIDES {
        let size = Size::new(side, side);
        if failed.leave(side)
            && let Some((outputs, time)) = draw(network, card, size, failed)
        {
            return Some(alone(network, card, size, outputs, time));
        }
    }
    None
}

/// Whether it may be fed one size alone: weights for every part of a picture need any.
fn takes_one_size(network: &Network) -> bool {
    let map = |extra: &super::network::ExtraInput| matches!(extra.kind, Extra::Map(_));
    !network.extras.iter().any(map)
}

/// The other input that takes a picture, when both were fed one of `size` and only that runs.
fn twin(network: &Network, size: Size) -> Option<String> {
    let mut extras = network.extras.iter();
    let extra = extras.find(|extra| {
        let free = extra.shape.iter().filter(|side| side.is_none()).count();
        extra.kind == Extra::StylePicture && free >= 2
    })?;
    (i64::from(size.width) == STYLE_SIDE).then(|| extra.name.clone())
}

/// A network that takes `size` alone; or takes any, gives one and seems to enlarge: then the size at
/// which a drawing is as large as its picture is meant.
fn alone(
    network: &mut Network,
    card: &Card,
    size: Size,
    outputs: Vec<Output>,
    time: Duration,
) -> Sized {
    let scale = |outputs: &[Output], size: Size| {
        let drawn = |output: &Output| Some(roles::drawn(&output.shape, size)?.scale);
        outputs.iter().filter_map(drawn).min().unwrap_or(1)
    };
    let times = scale(&outputs, size);
    let own = Size::new(size.width * times, size.height * times);
    let (size, outputs, time) = if times > 1
        && let Some((found, took)) = draw(network, card, own, &mut Failed::default())
        && scale(&found, own) == 1
    {
        (own, found, took)
    } else {
        (size, outputs, time)
    };
    network.image.size = Some(size);
    Sized {
        size,
        multiple: 1,
        outputs,
        time,
        reason: format!(
            "size: {size} alone, because it draws that and no other that was tried, though its input takes any"
        ),
    }
}

/// Whether a picture twice as wide is drawn as well.
fn draws_wider(network: &mut Network, card: &Card, size: Size) -> bool {
    let wider = Size::new(size.width * 2, size.height);
    draw(network, card, wider, &mut Failed::default()).is_some()
}

/// What comes out for a picture of `size` and after how long, when a drawing is among it.
fn draw(
    network: &mut Network,
    card: &Card,
    size: Size,
    failed: &mut Failed,
) -> Option<(Vec<Output>, Duration)> {
    match run(network, card, size) {
        Ok((outputs, time)) => {
            let mut shapes = outputs.iter().map(|output| &output.shape);
            if shapes.any(|shape| roles::drawn(shape, size).is_some()) {
                return Some((outputs, time));
            }
            failed.no_drawing = Some((outputs, size));
        }
        Err(why) => failed.why = why,
    }
    None
}

fn run(network: &mut Network, card: &Card, size: Size) -> Result<(Vec<Output>, Duration), String> {
    let picture = card.draw(size);
    let coding = base_coding(network);
    timed(|| {
        let started = Instant::now();
        let outputs = network.run(&picture, coding)?;
        Ok((outputs, started.elapsed()))
    })
}

/// What a run gives, and its time: that of the first, or the shortest where that was slow.
fn timed<T>(
    mut run: impl FnMut() -> Result<(T, Duration), String>,
) -> Result<(T, Duration), String> {
    let (result, first) = run()?;
    if first < BRIEF {
        return Ok((result, first));
    }
    let time = shortest(first, || run().ok().map(|(_, time)| time));
    Ok((result, time))
}

/// The shortest of a few runs: the first one warms up, and other programs only slow them down.
pub(super) fn shortest(first: Duration, run: impl FnMut() -> Option<Duration>) -> Duration {
    std::iter::repeat_with(run)
        .take(if first < LONG { TIMED } else { 1 })
        .flatten()
        .min()
        .unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a machine that is busy for a moment the first run says little.
    #[test]
    fn a_slow_first_run_is_not_believed() {
        // The time that is found, and how many runs were not needed.
        let time = |times: [u64; 4]| {
            let mut runs = times.map(Duration::from_millis).into_iter();
            let run = || runs.next().map(|time| ((), time)).ok_or_else(String::new);
            let ((), time) = timed(run).unwrap();
            (time.as_millis(), runs.len())
        };
        assert_eq!(time([1600, 900, 200, 1700]), (200, 0));
        assert_eq!(time([30, 1, 1, 1]), (30, 3));
        assert_eq!(time([9000, 8000, 1, 1]), (8000, 2));
    }
}
