//! How large a drawing may be for the faces in it to be drawn.
//!
//! A network has learned to draw faces up to some size; one that fills more pixels it sees in pieces, and
//! hardly redraws it. So the nearest face keeps the drawing small, and the frame's edges sharpen it.
//! Another size is seen when it comes, and is loaded first: it is chosen from few, and not in haste.
//! Nothing here reads a clock.

use std::cmp::Ordering;
use std::time::Duration;

use crate::frame::{Face, Size};
use crate::settings::Quality;

/// How much higher than it should be a face may be before the drawing gets smaller, and how much lower
/// it must be before it gets larger.
const ZONE: f32 = 1.1;
/// For how long a face must be too near …
const NEAR: Duration = Duration::from_secs(1);
/// … and for how long far enough, or gone.
const FAR: Duration = Duration::from_secs(6);

/// Follows the nearest face of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceiling {
    side: u32,
    /// Since when a smaller or a larger one would be right.
    other: Option<(Ordering, Duration)>,
}

impl Default for Ceiling {
    fn default() -> Self {
        Self {
            side: u32::MAX,
            other: None,
        }
    }
}

impl Ceiling {
    /// The most pixels that the drawing's long side should have, after a look at the `faces` in a frame
    /// of size `frame`; for a network that draws faces of up to `largest` pixels.
    pub(super) fn follow(
        &mut self,
        faces: &[Face],
        frame: Size,
        largest: Option<u32>,
        now: Duration,
    ) -> u32 {
        let allowed = largest.map_or(f32::INFINITY, |largest| side_for(faces, frame, largest));
        let right = if shown(self.side, frame) > allowed * ZONE {
            step(allowed * ZONE, frame)
        } else {
            step(allowed / ZONE, frame).max(self.side)
        };
        let change = right.cmp(&self.side);
        let patience = match change {
            Ordering::Less => NEAR,
            Ordering::Greater => FAR,
            Ordering::Equal => {
                self.other = None;
                return self.side;
            }
        };
        let since = match self.other {
            Some((known, since)) if known == change => since,
            _ => now,
        };
        self.other = Some((change, since));
        if now.saturating_sub(since) >= patience {
            (self.side, self.other) = (right, None);
        }
        self.side
    }
}

/// The long side of a drawing in which the nearest of the `faces` in a frame of size `frame` is `largest`
/// pixels high; infinite without faces.
pub fn side_for(faces: &[Face], frame: Size, largest: u32) -> f32 {
    let nearest = faces.iter().map(|face| face.height).fold(0.0, f32::max);
    let long = frame.width.max(frame.height) as f32 / frame.height.max(1) as f32;
    largest as f32 * long / nearest.max(0.0)
}

/// The largest step of quality, as a long side, that is shown with at most `allowed` pixels; the smallest
/// if none is.
fn step(allowed: f32, frame: Size) -> u32 {
    let sides = Quality::STEPS.map(|quality| quality.long_side().unwrap_or(u32::MAX));
    let fits = |side: &u32| shown(*side, frame) <= allowed;
    sides.into_iter().rev().find(fits).unwrap_or(sides[0])
}

/// The long side of what is drawn: no larger than the frame.
fn shown(side: u32, frame: Size) -> f32 {
    side.min(frame.width.max(frame.height)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Point;

    const FRAME: Size = Size::new(1920, 1080);
    const LARGEST: Option<u32> = Some(440);

    fn face(height: f32) -> Face {
        Face {
            centre: Point { x: 0.5, y: 0.5 },
            height,
            mouth: Point { x: 0.5, y: 0.6 },
            speaking: false,
        }
    }

    /// What is drawn after `seconds` of a face so high.
    fn after(ceiling: &mut Ceiling, faces: &[Face], now: &mut Duration, seconds: f64) -> u32 {
        let end = *now + Duration::from_secs_f64(seconds);
        while *now < end {
            *now += Duration::from_millis(33);
            ceiling.follow(faces, FRAME, LARGEST, *now);
        }
        ceiling.side
    }

    #[test]
    fn a_near_face_makes_drawings_smaller_and_a_far_one_larger_in_its_time() {
        let (mut ceiling, mut now) = (Ceiling::default(), Duration::ZERO);
        assert_eq!(after(&mut ceiling, &[face(0.4)], &mut now, 20.0), u32::MAX);
        // 702 pixels of 1080; a moment is no reason.
        assert_eq!(after(&mut ceiling, &[face(0.65)], &mut now, 0.9), u32::MAX);
        assert_eq!(after(&mut ceiling, &[face(0.65)], &mut now, 0.2), 960);
        // Who stands behind somebody near changes nothing.
        let both = [face(0.65), face(0.1)];
        assert_eq!(after(&mut ceiling, &both, &mut now, 20.0), 960);
        assert_eq!(
            after(&mut ceiling, &[], &mut now, 5.9),
            960,
            "she turns away"
        );
        assert_eq!(after(&mut ceiling, &[face(0.2)], &mut now, 0.2), u32::MAX);
        // All of the frame, from nearer than anybody stands.
        assert_eq!(after(&mut ceiling, &[face(1.4)], &mut now, 2.0), 448);
    }

    #[test]
    fn a_face_at_the_limit_does_not_change_the_size_to_and_fro() {
        let (mut ceiling, mut now) = (Ceiling::default(), Duration::ZERO);
        let limit = 440.0 / 1080.0;
        let mut changes = 0;
        let mut before = ceiling.side;
        for second in 0..600 {
            let height = limit * [0.92, 1.0, 1.08][second % 3];
            let side = after(&mut ceiling, &[face(height)], &mut now, 1.0);
            changes += u32::from(side != before);
            before = side;
        }
        assert_eq!(changes, 0);
        // It was too near once: it must be clearly farther.
        after(&mut ceiling, &[face(limit * 1.3)], &mut now, 2.0);
        assert_eq!(
            after(&mut ceiling, &[face(limit * 0.95)], &mut now, 60.0),
            960
        );
    }

    #[test]
    fn networks_that_draw_any_face_and_small_frames_are_left_alone() {
        let mut ceiling = Ceiling::default();
        for second in 0..20 {
            let now = Duration::from_secs(second);
            let near = [face(0.9)];
            assert_eq!(ceiling.follow(&near, FRAME, None, now), u32::MAX);
            let frame = Size::new(640, 360);
            assert_eq!(ceiling.follow(&near, frame, LARGEST, now), u32::MAX);
        }
        // Upright, its long side is its height.
        let upright = side_for(&[face(0.5)], Size::new(1080, 1920), 440);
        assert_eq!(upright, 880.0);
    }
}
