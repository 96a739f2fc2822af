//! How large the generator draws.

use std::fmt;
use std::time::Duration;

use super::closeup::close_sides;
use super::model::Model;
use crate::frame::Size;
use crate::settings::Quality;

/// The most pixels a live picture is drawn with: what four slots may take of memory.
const LIVE_AREA: usize = 2560 * 1440;
/// The share of the time between frames that a run may take in `Quality::Auto`; the rest is for
/// the other stages, and what is taken here is late on the screen.
const SHARE: f64 = 0.55;
/// `Quality::Auto` aims at no more than this many drawings a second.
pub(super) const AUTO_FPS: u32 = 30;
/// The long sides from which it chooses, besides the frame's own: a step is half as many pixels more, so
/// that no machine draws much less than it could.
const SIDES: [u32; 6] = [448, 544, 640, 768, 960, 1280];
/// A frame this much wider than its drawing has edges that the drawing lacks.
const ENLARGED: f64 = 1.1;

/// The share of the time between frames that a run and its close-ups may take.
const BOTH: f64 = 0.75;

/// What is drawn of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    /// All of it, in this size.
    pub(super) size: Size,
    /// And close-ups, in a square with so many pixels a side.
    pub(super) close: Option<u32>,
}

impl Drawn {
    /// Pixels, of both.
    pub(super) fn area(self) -> usize {
        let side = self.close.unwrap_or_default() as usize;
        self.size.area() + side * side
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.close {
            Some(side) => write!(f, "{} with close-ups in {side}x{side}", self.size),
            None => self.size.fmt(f),
        }
    }
}

impl From<Size> for Drawn {
    /// Without close-ups.
    fn from(size: Size) -> Self {
        Self { size, close: None }
    }
}

/// How fast this machine draws, and how fast it should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Budget {
    /// Time of a run for each pixel, in nanoseconds.
    pub(super) nanos_per_pixel: f64,
    /// Frames a second that the program shows.
    pub(super) fps: u32,
}

impl Budget {
    /// Whether pictures of `size` are drawn in time.
    fn allows(self, size: Size) -> bool {
        self.share(size.area()) <= SHARE
    }

    /// Whether `drawn` is drawn in time.
    fn allows_all(self, drawn: &Drawn) -> bool {
        self.allows(drawn.size) && self.share(drawn.area()) <= BOTH
    }

    /// The share of the time between frames in which so many pixels are drawn.
    fn share(self, area: usize) -> f64 {
        let interval =
            Duration::from_secs(1).as_nanos() as f64 / f64::from(self.fps.clamp(1, AUTO_FPS));
        area as f64 * self.nanos_per_pixel / interval
    }
}

/// The generator's size for frames of size `frame` at a `quality` that is not `Quality::Auto`: their
/// aspect within a few pixels, each side a multiple of `multiple`, no larger than the frame, the long
/// side about `ceiling` pixels at most.
pub(super) fn size_for(frame: Size, quality: Quality, ceiling: u32, multiple: u32) -> Size {
    let side = quality.long_side().unwrap_or(Size::MAX_SIDE);
    size_within(frame, side.min(ceiling).min(live_side(frame)), multiple)
}

/// The sizes from which `Quality::Auto` chooses for frames of size `frame`, the smallest first.
fn steps(frame: Size, multiple: u32) -> impl DoubleEndedIterator<Item = Size> {
    let most = live_side(frame);
    let sides = SIDES.into_iter().chain([most]);
    sides.map(move |side| size_within(frame, side.min(most), multiple))
}

/// What `Quality::Auto` chooses from for `model` and frames of size `frame`, and what of that `budget`
/// allows. Close-ups are worth more than a larger drawing, and can be left out where nothing can be
/// smaller.
pub(super) fn choices(
    model: &Model,
    frame: Size,
    budget: Budget,
    close_ups: bool,
) -> (Vec<Drawn>, Drawn) {
    let sizes = steps(frame, model.size_multiple()).map(|size| model.drawing_size(size));
    let mut choices: Vec<Drawn> = Vec::new();
    for size in sizes {
        let mut sides = close_sides(model, size, frame).filter(|_| close_ups);
        let best = sides.next();
        if choices.is_empty() {
            let smaller = sides.map(|side| Drawn {
                size,
                close: Some(side),
            });
            choices.push(size.into());
            choices.extend(smaller);
        }
        choices.push(Drawn { size, close: best });
    }
    choices.sort_by_key(|drawn| drawn.area());
    let allowed = choices.iter().rev().find(|drawn| budget.allows_all(drawn));
    let first = allowed.or(choices.first()).copied();
    (choices, first.unwrap_or(Size::default().into()))
}

/// The largest size with the aspect of `frame`, within a few pixels, whose long side is at most
/// about `side`, each side a multiple of `multiple`, no larger than the frame. Never smaller than
/// `multiple`.
pub fn size_within(frame: Size, side: u32, multiple: u32) -> Size {
    let multiple = multiple.max(1);
    let long = frame.width.max(frame.height).max(1);
    let scale = (f64::from(side) / f64::from(long)).min(1.0);
    let fit = |side: u32| {
        let most = side.min(Size::MAX_SIDE) / multiple;
        // The nearest; of two, the smaller.
        let nearest = (f64::from(side) * scale / f64::from(multiple) - 0.5).ceil() as u32;
        nearest.min(most).max(1) * multiple
    };
    Size::new(fit(frame.width), fit(frame.height))
}

/// Whether a drawing is so much smaller than its frame that the frame's edges sharpen it.
pub fn is_enlarged(drawing: Size, frame: Size) -> bool {
    f64::from(frame.width) > f64::from(drawing.width) * ENLARGED
}

/// The long side at which a frame has [`LIVE_AREA`] pixels.
fn live_side(frame: Size) -> u32 {
    let long = f64::from(frame.width.max(frame.height));
    let scale = (LIVE_AREA as f64 / frame.area().max(1) as f64).sqrt();
    (long * scale.min(1.0)).floor().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(nanos_per_pixel: f64, fps: u32) -> Budget {
        Budget {
            nanos_per_pixel,
            fps,
        }
    }

    #[test]
    fn sizes_keep_the_aspect_and_are_multiples() {
        for (frame, side, expected) in [
            ((854, 480), 4096, (848, 480)),
            ((1280, 720), 4096, (1280, 720)),
            ((1920, 1080), 960, (960, 544)),
            ((1280, 720), 640, (640, 352)),
            ((720, 1280), 640, (352, 640)),
            ((1, 1), 640, (16, 16)),
            ((12000, 9), 640, (640, 16)),
        ] {
            let size = size_within(Size::new(frame.0, frame.1), side, 16);
            assert_eq!(size, Size::new(expected.0, expected.1), "{frame:?}");
        }
    }

    #[test]
    fn auto_is_the_largest_step_in_time() {
        let frame = Size::new(1280, 720);
        let largest = |budget: Budget| steps(frame, 16).rfind(|size| budget.allows(*size));
        // 18.3 ms at 30 frames a second: 522,240 pixels of 960x544 take 35.1 ns each.
        assert_eq!(largest(budget(35.0, 60)), Some(Size::new(960, 544)));
        assert_eq!(largest(budget(36.0, 60)), Some(Size::new(768, 432)));
        assert_eq!(largest(budget(80.0, 60)), Some(Size::new(640, 352)));
        assert_eq!(largest(budget(60.0, 15)), Some(Size::new(960, 544)));
        assert_eq!(largest(budget(1.0, 30)), Some(frame));
        assert_eq!(largest(budget(1e9, 30)), None);
        assert_eq!(size_for(frame, Quality::Full, u32::MAX, 16), frame);
        let near = size_for(frame, Quality::Full, 960, 16);
        assert_eq!(near, Size::new(960, 544));
        let huge = size_for(Size::new(12000, 9000), Quality::Full, u32::MAX, 16);
        assert!(huge.area() <= LIVE_AREA + 16 * 4096, "{huge}");
    }

    proptest! {
        #[test]
        fn any_frame_has_a_size(
            width in 1u32..20_000, height in 1u32..20_000, side in 0u32..20_000, multiple in 1u32..65,
        ) {
            let frame = Size::new(width, height);
            let size = size_within(frame, side, multiple);
            for (side, of) in [(size.width, width), (size.height, height)] {
                prop_assert!(side > 0 && side % multiple == 0 && side <= Size::MAX_SIDE);
                prop_assert!(side <= of || side == multiple);
            }
        }
    }
}
