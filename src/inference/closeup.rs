//! Draws faces that are small in a drawing a second time, from more of the frame's pixels.
//!
//! A webtoon is about faces, and a generator that must keep up draws a frame at a third of its size:
//! of a face a few steps away, eyes and mouth are then two pixels high. Up to four faces are cut
//! out of the frame, laid side by side into one small square, and drawn by the same network; the
//! compositor lays them over the drawing. That costs about a third more and shows them at two to
//! three times the size, which the whole picture would pay for with four to nine times the work.
//!
//! [`Framing`] decides what is cut out.

mod framing;

use std::sync::Arc;
use std::time::Duration;

use super::error::InferenceError;
use super::generator::{Generator, Slot};
use super::limit::PATIENT;
use super::model::Model;
use super::retouch::Retouch;
use super::runtime::Runtime;
use super::segmenter::CoarseMatte;
use super::style_map::StyleMap;
use super::tensor::Scaler;
use crate::frame::{CloseUp, CloseUps, Face, Picture, Pool, Pooled, Size};
use crate::settings::{Provider, RetouchSettings, Transition};

pub use framing::{Framed, Framing};

/// The square's share of the drawing's pixels, and so of its time.
const SHARE: f64 = 0.32;
/// The square's sides are multiples of this many pixels, and of those that a model needs: two faces
/// a row are multiples of 16 each.
const STEP: u32 = 32;
/// The smallest square that has room for a face.
const LEAST_SIDE: u32 = 128;
/// The largest: what a photograph of a group needs.
const MOST_SIDE: u32 = 1024;
/// A frame at least this many times as wide as its drawing has something to show.
const WORTH_IT: f64 = 1.4;
/// The part of a side, at either end, over which a close-up fades into the drawing.
const FADE: f32 = 0.18;

/// Draws close-ups for drawings of one size.
pub struct Closer {
    generator: Generator,
}

/// Memory for the close-ups of one frame.
pub struct CloseSlot {
    slot: Slot,
    map: Option<(usize, f32, StyleMap)>,
    scaler: Scaler,
    /// The faces, side by side.
    square: Picture,
    face: Picture,
    framed: Vec<Framed>,
    strength: f32,
}

/// Draws the close-ups of one frame after another, waiting for each.
pub struct CloseStudio {
    closer: Closer,
    slot: CloseSlot,
    framing: Framing,
    retouch: CloseRetouch,
    pool: Pool<Picture>,
    look: (usize, f32),
}

/// How close-ups follow faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// From frame to frame, coming and going softly.
    Clip,
    /// A picture that stands alone.
    Still,
}

/// Retouches close-ups, in the order of their frames.
#[derive(Default)]
pub struct CloseRetouch {
    retouch: Retouch,
    /// What the last ones showed, and where.
    last: Vec<CloseUp>,
}

/// The sides that the square may have for drawings of size `drawing`, of frames of size `frame`, the
/// best first; none when close-ups by `model` would show no more than the drawing.
pub fn close_sides(model: &Model, drawing: Size, frame: Size) -> impl Iterator<Item = u32> {
    let ratio = f64::from(frame.width) / f64::from(drawing.width.max(1));
    let worth_it = model.draws_close_ups() && ratio >= WORTH_IT;
    let unit = STEP * model.size_multiple() / gcd(STEP, model.size_multiple());
    let best = (drawing.area() as f64 * SHARE).sqrt() / f64::from(unit);
    let best = (best.round() as u32).min(MOST_SIDE / unit);
    let sides = (1..=best).rev().map(move |count| count * unit);
    sides.filter(move |side| worth_it && *side >= LEAST_SIDE)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

impl Closer {
    /// Loads `model` for squares of `side`.
    ///
    /// # Errors
    /// As [`Generator::open_on`].
    pub fn open(
        runtime: &Runtime,
        model: &Arc<Model>,
        side: u32,
        threads: usize,
        provider: Provider,
    ) -> Result<Self, InferenceError> {
        Self::open_within(runtime, model, side, threads, provider, PATIENT)
    }

    /// The same; its first run is ended after about `patience`.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the run was ended.
    pub(super) fn open_within(
        runtime: &Runtime,
        model: &Arc<Model>,
        side: u32,
        threads: usize,
        provider: Provider,
        patience: Duration,
    ) -> Result<Self, InferenceError> {
        let size = Size::new(side, side);
        let generator = Generator::open_bare(runtime, model, size, threads, provider, patience)?;
        Ok(Self { generator })
    }

    /// Pixels a side of its square.
    pub fn side(&self) -> u32 {
        self.generator.size().width
    }

    /// About how many bytes it takes with so many slots.
    pub(super) fn memory(&self, slots: usize) -> u64 {
        self.generator.memory(slots)
    }

    /// Memory for the close-ups of one more frame.
    ///
    /// # Errors
    /// When there is not enough.
    pub(super) fn slot(&self) -> Result<CloseSlot, InferenceError> {
        Ok(CloseSlot {
            slot: self.generator.slot()?,
            map: None,
            scaler: Scaler::default(),
            square: Picture::new(self.generator.size()),
            face: Picture::default(),
            framed: Vec::new(),
            strength: 1.0,
        })
    }

    /// Cuts `framed` out of `frame`, where `people` are, to be drawn in the style of a channel.
    ///
    /// # Errors
    /// When the model has no such channel, or a framed shows nothing of the frame.
    pub(super) fn prepare(
        &self,
        (frame, people): (&Picture, &CoarseMatte),
        all: &[Framed],
        (channel, strength): (usize, f32),
        slot: &mut CloseSlot,
    ) -> Result<(), InferenceError> {
        slot.framed.clear();
        // The more of the frame shows through, the more a close-up lacks of its fineness.
        slot.strength = (2.0 * strength - 1.0).clamp(0.0, 1.0);
        if all.is_empty() || slot.strength <= 0.0 {
            return Ok(());
        }
        let CloseSlot {
            slot: inner,
            map,
            scaler,
            square,
            face,
            ..
        } = slot;
        let model = self.generator.model();
        let map = match map {
            Some((of, at, map)) if (*of, *at) == (channel, strength) => map,
            _ => {
                let made = StyleMap::uniform(model, self.generator.size(), channel, strength)?;
                &mut map.insert((channel, strength, made)).2
            }
        };
        for framed in all {
            let whole = self.side();
            let [left, top] = framed.close_up.at.corner.map(|at| pixels(at, whole));
            let side = pixels(framed.close_up.at.size[0], whole);
            face.reshape(Size::new(side, side));
            scaler
                .scale_part(frame, framed.close_up.of, face)
                .map_err(|why| InferenceError::Run {
                    why,
                    path: model.path().to_owned(),
                })?;
            face.paste_into(square, left, top);
        }
        // Places without a face show the last one again: what is measured over all of the square, its
        // noise for one, is then that of faces.
        for [left, top] in empty(all, self.side()) {
            face.paste_into(square, left, top);
        }
        self.generator.prepare(square, map, inner)?;
        self.generator.tell_people(inner, |cells, shares| {
            for framed in all {
                let CloseUp { of, at } = framed.close_up;
                let [left, top] = at.corner.map(|at| pixels(at, cells.width));
                let side = pixels(at.size[0], cells.width);
                let place = ([left, top], Size::new(side, side));
                people.tell(of, place, cells.width, shares);
            }
        })?;
        slot.framed.extend_from_slice(all);
        Ok(())
    }

    /// Draws what was prepared, if anything was.
    ///
    /// # Errors
    /// As [`Generator::run`].
    pub(super) fn run(
        &self,
        slot: &mut CloseSlot,
        patience: Duration,
    ) -> Result<(), InferenceError> {
        if slot.framed.is_empty() {
            return Ok(());
        }
        self.generator.run_within(&mut slot.slot, patience)
    }

    /// Whether the run that is under way was ended and goes on all the same.
    pub(super) fn hangs(&self) -> bool {
        self.generator.hangs()
    }

    /// The close-ups, drawn into `picture`; `None` when there are none.
    ///
    /// # Errors
    /// As [`Generator::finish`].
    pub(super) fn finish(
        &self,
        slot: &mut CloseSlot,
        mut picture: Pooled<Picture>,
        time: Duration,
        retouch: &mut CloseRetouch,
        settings: &RetouchSettings,
    ) -> Result<Option<CloseUps>, InferenceError> {
        if slot.framed.is_empty() {
            retouch.last.clear();
            return Ok(None);
        }
        self.generator.finish(&mut slot.slot, &mut picture)?;
        retouch.apply(slot, &mut picture, time, settings);
        weigh(&mut picture, &slot.framed, slot.strength);
        Ok(Some(CloseUps {
            picture: Arc::new(picture),
            parts: slot.framed.iter().map(|framed| framed.close_up).collect(),
        }))
    }
}

impl CloseSlot {
    /// Whether close-ups were prepared.
    pub(super) fn is_prepared(&self) -> bool {
        !self.framed.is_empty()
    }
}

impl CloseStudio {
    /// Draws in the style of a channel, with a strength.
    ///
    /// # Errors
    /// When there is not enough memory.
    pub fn new(closer: Closer, look: (usize, f32)) -> Result<Self, InferenceError> {
        Ok(Self {
            slot: closer.slot()?,
            closer,
            framing: Framing::default(),
            retouch: CloseRetouch::default(),
            pool: Pool::new(),
            look,
        })
    }

    /// Pixels a side of its square.
    pub fn side(&self) -> u32 {
        self.closer.side()
    }

    /// The next frame is of another source.
    pub fn forget(&mut self) {
        (self.framing, self.retouch) = (Framing::default(), CloseRetouch::default());
    }

    /// The close-ups of the faces of `frame`, where `people` are, whose drawing has the size `drawing`.
    ///
    /// # Errors
    /// As [`Closer`] does each of the steps.
    pub fn draw(
        &mut self,
        (frame, people): (&Picture, &CoarseMatte),
        faces: &[Face],
        drawing: Size,
        following: Following,
        time: Duration,
        settings: &RetouchSettings,
    ) -> Result<Option<CloseUps>, InferenceError> {
        let Self {
            closer,
            slot,
            framing,
            retouch,
            pool,
            look,
        } = self;
        let side = closer.side();
        let framed = match following {
            Following::Clip => framing.follow(faces, frame.size(), drawing, side),
            Following::Still => framing.at_once(faces, frame.size(), drawing, side),
        };
        closer.prepare((frame, people), framed, *look, slot)?;
        closer.run(slot, PATIENT)?;
        closer.finish(slot, pool.take(), time, retouch, settings)
    }
}

impl CloseRetouch {
    /// The next ones look another way.
    pub fn forget(&mut self) {
        self.retouch.forget();
    }

    fn apply(
        &mut self,
        slot: &CloseSlot,
        picture: &mut Picture,
        time: Duration,
        settings: &RetouchSettings,
    ) {
        let shown = || slot.framed.iter().map(|framed| framed.close_up);
        if !self.last.iter().copied().eq(shown()) {
            // Other parts of the frame, or elsewhere: nothing of the last ones belongs there.
            self.retouch.forget();
            self.last.clear();
            self.last.extend(shown());
        }
        let settings = RetouchSettings {
            transition: Transition::Cut,
            ..*settings
        };
        self.retouch
            .apply(slot.slot.input(), picture, time, &settings);
    }
}

/// The upper left corners of those places of a square that have no face.
fn empty(all: &[Framed], side: u32) -> impl Iterator<Item = [u32; 2]> {
    let tile = all
        .first()
        .map_or(side, |framed| pixels(framed.close_up.at.size[0], side));
    let columns = side / tile.max(1);
    let corners = (0..columns * columns).map(move |at| [at % columns * tile, at / columns * tile]);
    let taken = move |corner: &[u32; 2]| {
        let at = |framed: &Framed| framed.close_up.at.corner.map(|at| pixels(at, side));
        all.iter().any(|framed| at(framed) == *corner)
    };
    corners.filter(move |corner| !taken(corner))
}

/// A share of a side, in pixels.
fn pixels(share: f32, side: u32) -> u32 {
    (share * side as f32).round() as u32
}

/// Writes into the alpha of `picture` how much of it is laid over the drawing: nothing along the
/// edges of each close-up, so that no seam is seen.
fn weigh(picture: &mut Picture, all: &[Framed], strength: f32) {
    let whole = picture.width();
    let rows = picture
        .rgba_mut()
        .chunks_exact_mut((whole as usize * 4).max(1));
    let mut ramp = Vec::new();
    for (y, row) in rows.enumerate() {
        let row = row.as_chunks_mut::<4>().0;
        row.iter_mut().for_each(|pixel| pixel[3] = 0);
        for framed in all {
            let [left, top] = framed
                .close_up
                .at
                .corner
                .map(|at| pixels(at, whole) as usize);
            let side = pixels(framed.close_up.at.size[0], whole) as usize;
            if ramp.len() != side {
                ramp.clear();
                ramp.extend((0..side).map(|at| weight(at, side)));
            }
            let Some(down) = y.checked_sub(top).and_then(|y| ramp.get(y)) else {
                continue;
            };
            let down = down * framed.share * strength * 255.0;
            for (pixel, across) in row.iter_mut().skip(left).zip(&ramp) {
                pixel[3] = (across * down + 0.5) as u8;
            }
        }
    }
}

/// How much of pixel `at` of `side` is seen: 0 at either end, smoothly 1 further in.
fn weight(at: usize, side: usize) -> f32 {
    let from_end = at.min(side - 1 - at) as f32 / (side as f32 * FADE).max(1.0);
    let t = from_end.min(1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Area;

    #[test]
    fn close_ups_fade_into_the_drawing() {
        let at = |left: f32, top: f32| Area {
            corner: [left, top],
            size: [0.5, 0.5],
        };
        let framed = |at, share| Framed {
            close_up: CloseUp {
                of: Area::default(),
                at,
            },
            share,
        };
        let mut picture = Picture::new(Size::new(128, 128));
        picture.rgba_mut().fill(9);
        weigh(
            &mut picture,
            &[framed(at(0.5, 0.0), 1.0), framed(at(0.0, 0.5), 0.5)],
            1.0,
        );
        let alpha = |x, y| picture.pixel(x, y).unwrap()[3];
        assert_eq!((alpha(96, 32), alpha(32, 96)), (255, 128));
        assert_eq!((alpha(32, 32), alpha(96, 96)), (0, 0), "nobody is there");
        for edge in 64..128 {
            assert_eq!((alpha(edge, 0), alpha(64, edge - 64)), (0, 0));
            assert_eq!((alpha(127, edge - 64), alpha(edge, 63)), (0, 0));
        }
        for x in 65..96 {
            assert!(alpha(x, 32) >= alpha(x - 1, 32) && alpha(x, 32) - alpha(x - 1, 32) < 40);
        }
        assert_eq!(picture.pixel(96, 32).unwrap()[..3], [9; 3]);
    }
}
