//! Where a bubble is: it follows its face calmly, stays on its panel, off faces and off other words.

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

/// What a bubble keeps off.
#[derive(Clone, Copy, Debug)]
pub struct Company<'a> {
    /// The faces in its panel, and whether each speaks.
    pub faces: &'a [(FaceAt, bool)],
    /// Other words and bubbles, in page units.
    pub words: &'a [Rect],
}

impl Follow {
    /// Most of the way to a new place takes this long.
    const SETTLE_SECS: f32 = 0.45;
    /// A face may move this share of its height before the bubble follows.
    const DEAD_ZONE: f32 = 0.16;

    /// How far from home the bubble of `face` is at `time`, which never runs backwards.
    pub fn at(
        &mut self,
        bounds: &Bounds,
        face: Option<FaceAt>,
        company: &Company<'_>,
        time: Duration,
    ) -> Point {
        let faces = company.faces.iter().flat_map(|(face, _)| barred(face));
        let words = company.words.iter().filter_map(|words| {
            // What the artist drew over it may stay there.
            (!bounds.home.touches(words)).then_some((*words, WORDS))
        });
        let goal = self.state.map(|state| state.goal);
        let wanted = match face {
            Some(face) => {
                let free = (
                    face.middle.0 - bounds.usual.0,
                    face.middle.1 - bounds.usual.1,
                );
                clear(bounds, free, goal, faces.clone().chain(words))
            }
            // Nobody there: where it was.
            None => goal.unwrap_or_default(),
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
        // A quick face pushes the bubble ahead of it. Over other words it may fly; but where it had to
        // stay on a face it is not sent away, onto words.
        let goal = moved(&bounds.home, state.goal);
        if faces.clone().any(|(face, _)| share_of(&goal, &face) > 0.0) {
            return held(bounds, state.offset);
        }
        clear(bounds, state.offset, None, faces)
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

/// How near a bubble comes to the edge of its space, of its shorter side, unless it was drawn nearer.
const GAP: f32 = 0.014;

/// Moved back into the space. Where there is no room, the upper left corner stays in it.
pub(super) fn held(bounds: &Bounds, offset: Point) -> Point {
    let Bounds { home, space, .. } = bounds;
    let gap = GAP * space.width.min(space.height);
    let axis = |offset: f32, at: f32, long: f32, from: f32, room: f32| {
        let before = (at - from).clamp(0.0, gap);
        let after = (from + room - at - long).clamp(0.0, gap);
        let (least, most) = (from + before - at, from + room - after - at - long);
        offset.min(most).max(least).min(most.max(least))
    };
    (
        axis(offset.0, home.x, home.width, space.x, space.width),
        axis(offset.1, home.y, home.height, space.y, space.height),
    )
}

/// How badly words may not be covered: as eyes and mouth.
const WORDS: f32 = 4.0;

/// What of a face may not be covered, and how badly: all of it, eyes and mouth most.
fn barred(face: &FaceAt) -> [(Rect, f32); 2] {
    let about = |half_width: f32, up: f32, down: f32| Rect {
        x: face.middle.0 - half_width * face.height,
        y: face.middle.1 - up * face.height,
        width: 2.0 * half_width * face.height,
        height: (up + down) * face.height,
    };
    [
        (about(0.42, 0.56, 0.56), 1.0),
        (about(0.3, 0.18, 0.36), WORDS),
    ]
}

/// The place nearest to `wanted` that stays in the space and off what is `barred`, a rectangle and
/// how badly it may not be covered. Where there is no such place, the one that covers least. Of
/// places as good, the one near `goal`: a bubble does not jump to and fro.
fn clear(
    bounds: &Bounds,
    wanted: Point,
    goal: Option<Point>,
    barred: impl Iterator<Item = (Rect, f32)>,
) -> Point {
    let home = bounds.home;
    let barred: Vec<(Rect, f32)> = barred.take(32).collect();
    // A best place touches an edge of something, or is where it was wanted.
    let (mut across, mut down) = (vec![wanted.0], vec![wanted.1]);
    across.extend(goal.map(|goal| goal.0));
    down.extend(goal.map(|goal| goal.1));
    for (rect, _) in &barred {
        across.extend([rect.x - home.x - home.width, rect.x + rect.width - home.x]);
        down.extend([rect.y - home.y - home.height, rect.y + rect.height - home.y]);
    }
    let far = |a: Point, b: Point| (a.0 - b.0).hypot(a.1 - b.1);
    let badness = bounds.space.width.hypot(bounds.space.height);
    let cost = |at: Point| {
        let to = moved(&home, at);
        let covered: f32 = barred
            .iter()
            .map(|(rect, weight)| weight * share_of(&to, rect))
            .sum();
        far(at, wanted) + goal.map_or(0.0, |goal| 0.4 * far(at, goal)) + covered * badness
    };
    let places = across
        .iter()
        .flat_map(|x| down.iter().map(|y| held(bounds, (*x, *y))));
    places
        .map(|at| (cost(at), at))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(wanted, |(_, at)| at)
}

fn moved(rect: &Rect, by: Point) -> Rect {
    Rect {
        x: rect.x + by.0,
        y: rect.y + by.1,
        ..*rect
    }
}

/// How much of the smaller of two rectangles the other covers; a little is already much.
fn share_of(a: &Rect, b: &Rect) -> f32 {
    let along = |a: f32, a_long: f32, b: f32, b_long: f32| (a + a_long).min(b + b_long) - a.max(b);
    let width = along(a.x, a.width, b.x, b.width);
    let height = along(a.y, a.height, b.y, b.height);
    // Rounding is no touch.
    if width < 0.01 || height < 0.01 {
        return 0.0;
    }
    let smaller = (a.width * a.height).min(b.width * b.height).max(1e-3);
    0.3 + width * height / smaller
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

    /// Where a bubble is with this face alone.
    fn alone(follow: &mut Follow, bounds: &Bounds, face: Option<FaceAt>, ms: u64) -> Point {
        let faces: Vec<_> = face.map(|face| (face, true)).into_iter().collect();
        let company = Company {
            faces: &faces,
            words: &[],
        };
        follow.at(bounds, face, &company, Duration::from_millis(ms))
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
        let start = alone(&mut follow, &bounds, face(300.0, 300.0), 0);
        assert_eq!(start, (0.0, 0.0));
        let trembling = alone(&mut follow, &bounds, face(305.0, 303.0), 33);
        assert_eq!(trembling, (0.0, 0.0));
        let soon = alone(&mut follow, &bounds, face(200.0, 320.0), 66);
        assert!(soon.0 < 0.0 && soon.0 > -30.0, "{soon:?}");
        let late = alone(&mut follow, &bounds, face(200.0, 320.0), 4000);
        assert!(
            (late.0 + 100.0).abs() < 1.0 && (late.1 - 20.0).abs() < 1.0,
            "{late:?}"
        );
        let gone = alone(&mut follow, &bounds, None, 9000);
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
            let at = alone(&mut follow, &bounds, Some(face), u64::from(step) * 25);
            assert!(!covers(&bounds, at, face), "{step} {at:?} {face:?}");
            let (x, y) = (500.0 + at.0, 50.0 + at.1);
            assert!(
                (-0.6..=800.6).contains(&x) && (-0.6..=480.6).contains(&y),
                "{step} {at:?}"
            );
        }
    }

    #[test]
    fn it_keeps_off_captions_and_the_other_faces() {
        let bounds = bounds();
        let caption = Rect {
            x: 300.0,
            y: 90.0,
            width: 150.0,
            height: 60.0,
        };
        let (own, other) = (face(150.0, 310.0).unwrap(), face(420.0, 250.0).unwrap());
        let company = Company {
            faces: &[(own, true), (other, false)],
            words: &[caption],
        };
        let at = Follow::default().at(&bounds, Some(own), &company, Duration::ZERO);
        let to = Rect {
            x: bounds.home.x + at.0,
            y: bounds.home.y + at.1,
            ..bounds.home
        };
        for face in [own, other] {
            assert!(!covers(&bounds, at, face), "{at:?}");
        }
        assert!(share_of(&to, &caption) == 0.0, "{to:?}");
        // Drawn over a caption, it may stay there.
        let over = Rect {
            x: 520.0,
            ..caption
        };
        let company = Company {
            faces: &[],
            words: &[over],
        };
        let at = Follow::default().at(&bounds, face(300.0, 300.0), &company, Duration::ZERO);
        assert_eq!(at, (0.0, 0.0));
    }

    #[test]
    fn a_face_that_fills_the_panel_keeps_its_eyes_and_mouth() {
        let bounds = bounds();
        let face = FaceAt {
            middle: (480.0, 300.0),
            mouth: (480.0, 400.0),
            height: 560.0,
        };
        let at = alone(&mut Follow::default(), &bounds, Some(face), 0);
        let to = Rect {
            x: bounds.home.x + at.0,
            y: bounds.home.y + at.1,
            ..bounds.home
        };
        let [_, (core, _)] = barred(&face);
        assert!(share_of(&to, &core) == 0.0, "{to:?} {core:?}");
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

    /// A face so large that the bubble has to stay on it, and words below: it is not sent onto them.
    #[test]
    fn where_it_has_to_stay_on_a_face_it_is_not_sent_onto_words() {
        let bounds = bounds();
        let large = FaceAt {
            middle: (450.0, 250.0),
            mouth: (450.0, 330.0),
            height: 520.0,
        };
        let words = [
            Rect {
                x: 0.0,
                y: 480.0,
                width: 1000.0,
                height: 120.0,
            },
            Rect {
                x: 0.0,
                y: 0.0,
                width: 200.0,
                height: 480.0,
            },
            Rect {
                x: 800.0,
                y: 0.0,
                width: 200.0,
                height: 480.0,
            },
        ];
        let mut follow = Follow::default();
        let company = Company {
            faces: &[(large, false)],
            words: &words,
        };
        for ms in [0, 40, 4000] {
            let at = follow.at(&bounds, Some(large), &company, Duration::from_millis(ms));
            let stands = moved(&bounds.home, at);
            assert!(
                words.iter().all(|words| share_of(&stands, words) == 0.0),
                "{ms}: {stands:?}"
            );
        }
    }
}
