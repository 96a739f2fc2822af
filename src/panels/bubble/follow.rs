//! Where a bubble is: it follows its face calmly, stays on its panel and off the face.

use std::time::Duration;

use super::outline::Point;
use crate::panels::Rect;

/// A face in page units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceAt {
    /// Its middle.
    pub middle: (f32, f32),
    /// Its mouth.
    pub mouth: (f32, f32),
    /// Its height, hair to chin.
    pub height: f32,
}

/// A bubble's movement.
#[derive(Clone, Debug, Default)]
pub(super) struct Follow {
    state: Option<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    offset: Point,
    speed: Point,
    goal: Point,
    time: Duration,
}

/// What holds a bubble in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Where it was drawn.
    pub home: Rect,
    /// Where the face would be if it were in its place.
    pub usual: Point,
    /// What it may not leave.
    pub space: Rect,
}

impl Follow {
    /// Most of the way to a new place takes this long.
    const SETTLE_SECS: f32 = 0.45;
    /// A face may move this share of its height before the bubble follows.
    const DEAD_ZONE: f32 = 0.16;

    /// How far from home the bubble is at `time`, which never runs backwards.
    pub fn at(&mut self, bounds: &Bounds, face: Option<FaceAt>, time: Duration) -> Point {
        let wanted = match face {
            Some(face) => {
                let free = (
                    face.middle.0 - bounds.usual.0,
                    face.middle.1 - bounds.usual.1,
                );
                clear(bounds, held(bounds, free), face)
            }
            // Nobody there: where it was.
            None => self.state.map_or((0.0, 0.0), |state| state.goal),
        };
        let Some(mut state) = self.state else {
            self.state = Some(State {
                offset: wanted,
                speed: (0.0, 0.0),
                goal: wanted,
                time,
            });
            return wanted;
        };
        let zone = face.map_or(0.0, |face| face.height * Self::DEAD_ZONE);
        if (wanted.0 - state.goal.0).hypot(wanted.1 - state.goal.1) > zone {
            state.goal = wanted;
        }
        let passed = time.saturating_sub(state.time).as_secs_f32().min(5.0);
        state.time = time;
        (state.offset.0, state.speed.0) =
            eased(state.offset.0, state.speed.0, state.goal.0, passed);
        (state.offset.1, state.speed.1) =
            eased(state.offset.1, state.speed.1, state.goal.1, passed);
        self.state = Some(state);
        // A quick face pushes the bubble ahead of it.
        match face {
            Some(face) => clear(bounds, held(bounds, state.offset), face),
            None => held(bounds, state.offset),
        }
    }
}

/// A critically damped spring, exact for any step (a linear system's closed solution).
fn eased(at: f32, speed: f32, goal: f32, secs: f32) -> (f32, f32) {
    let stiff = 4.0 / Follow::SETTLE_SECS;
    let off = at - goal;
    let b = speed + stiff * off;
    let fade = (-stiff * secs).exp();
    (
        goal + (off + b * secs) * fade,
        (speed - b * stiff * secs) * fade,
    )
}

/// Moved back into the space. Where there is no room, the upper left corner stays in it.
pub(super) fn held(bounds: &Bounds, offset: Point) -> Point {
    let Bounds { home, space, .. } = bounds;
    let axis = |offset: f32, at: f32, long: f32, from: f32, room: f32| {
        let most = from + room - at - long;
        offset.min(most).max(from - at).min(most.max(from - at))
    };
    (
        axis(offset.0, home.x, home.width, space.x, space.width),
        axis(offset.1, home.y, home.height, space.y, space.height),
    )
}

/// Moved off the face by the shortest way that stays in the space.
fn clear(bounds: &Bounds, offset: Point, face: FaceAt) -> Point {
    let home = bounds.home;
    let (half_width, half_height) = (face.height * 0.42, face.height * 0.56);
    let (left, top) = (home.x + offset.0, home.y + offset.1);
    // How far to go each way: left, right, up, down.
    let ways = [
        (-(left + home.width - (face.middle.0 - half_width)), 0.0),
        (face.middle.0 + half_width - left, 0.0),
        (0.0, -(top + home.height - (face.middle.1 - half_height))),
        (0.0, face.middle.1 + half_height - top),
    ];
    let overlaps = ways[0].0 < 0.0 && ways[1].0 > 0.0 && ways[2].1 < 0.0 && ways[3].1 > 0.0;
    if !overlaps {
        return offset;
    }
    let moved = |way: &Point| (offset.0 + way.0, offset.1 + way.1);
    let fits = |way: &&Point| {
        let to = moved(way);
        let back = held(bounds, to);
        (back.0 - to.0).abs() + (back.1 - to.1).abs() < 0.5
    };
    let length = |way: &Point| way.0.abs() + way.1.abs();
    match ways
        .iter()
        .filter(fits)
        .min_by(|a, b| length(a).total_cmp(&length(b)))
    {
        Some(way) => moved(way),
        // No room beside the face: as far away as there is.
        None => {
            let best = ways.iter().map(|way| held(bounds, moved(way)));
            let far = |to: &Point| {
                let (x, y) = (
                    home.x + to.0 + home.width / 2.0,
                    home.y + to.1 + home.height / 2.0,
                );
                (x - face.middle.0).hypot(y - face.middle.1)
            };
            best.max_by(|a, b| far(a).total_cmp(&far(b)))
                .unwrap_or(offset)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds() -> Bounds {
        Bounds {
            home: Rect {
                x: 500.0,
                y: 50.0,
                width: 200.0,
                height: 120.0,
            },
            usual: (300.0, 300.0),
            space: Rect {
                x: 0.0,
                y: 0.0,
                width: 1000.0,
                height: 600.0,
            },
        }
    }

    fn face(x: f32, y: f32) -> Option<FaceAt> {
        Some(FaceAt {
            middle: (x, y),
            mouth: (x, y + 30.0),
            height: 120.0,
        })
    }

    fn covers(bounds: &Bounds, at: Point, face: FaceAt) -> bool {
        let (left, top) = (bounds.home.x + at.0, bounds.home.y + at.1);
        face.middle.0 > left
            && face.middle.0 < left + bounds.home.width
            && face.middle.1 > top
            && face.middle.1 < top + bounds.home.height
    }

    #[test]
    fn it_follows_smoothly_and_rests_when_the_face_trembles() {
        let bounds = bounds();
        let mut follow = Follow::default();
        let start = follow.at(&bounds, face(300.0, 300.0), Duration::ZERO);
        assert_eq!(start, (0.0, 0.0));
        let trembling = follow.at(&bounds, face(305.0, 303.0), Duration::from_millis(33));
        assert_eq!(trembling, (0.0, 0.0));
        let soon = follow.at(&bounds, face(200.0, 320.0), Duration::from_millis(66));
        assert!(soon.0 < 0.0 && soon.0 > -30.0, "{soon:?}");
        let late = follow.at(&bounds, face(200.0, 320.0), Duration::from_secs(4));
        assert!(
            (late.0 + 100.0).abs() < 1.0 && (late.1 - 20.0).abs() < 1.0,
            "{late:?}"
        );
        let gone = follow.at(&bounds, None, Duration::from_secs(9));
        assert!((gone.0 - late.0).abs() < 1.0);
    }

    #[test]
    fn it_never_covers_the_face_and_never_leaves_the_space() {
        let bounds = bounds();
        let mut follow = Follow::default();
        for step in 0..600u32 {
            let t = step as f32 / 40.0;
            let face = FaceAt {
                middle: (
                    500.0 + 420.0 * (t * 1.3).sin(),
                    300.0 + 260.0 * (t * 0.9).cos(),
                ),
                mouth: (0.0, 0.0),
                height: 120.0,
            };
            let at = follow.at(
                &bounds,
                Some(face),
                Duration::from_millis(u64::from(step) * 25),
            );
            assert!(!covers(&bounds, at, face), "{step} {at:?} {face:?}");
            let (x, y) = (500.0 + at.0, 50.0 + at.1);
            assert!(
                x >= -0.6 && x <= 800.6 && y >= -0.6 && y <= 480.6,
                "{step} {at:?}"
            );
        }
    }

    #[test]
    fn a_step_of_any_length_ends_where_small_steps_do() {
        let (mut at, mut speed) = (0.0, 30.0);
        for _ in 0..100 {
            (at, speed) = eased(at, speed, 10.0, 0.01);
        }
        let once = eased(0.0, 30.0, 10.0, 1.0);
        assert!((at - once.0).abs() < 1e-3 && (speed - once.1).abs() < 1e-2);
    }
}
