//! Which faces are known, from frame to frame.

use super::detector::{Found, Glance};
use crate::frame::{Face, Point, Size};

/// A face that was likely by so much once is known. What is less likely is looked at closely before:
/// there a face is likelier yet, and what only looks like one is not.
const SURE: f32 = 0.8;
/// How often it is looked at.
const LOOKS: u32 = 3;
/// For how many looks where it should be a face is remembered.
const LIVES: u32 = 5;
/// And for how many wherever they go: some are too large or too small for any square that is looked at.
const FORGOTTEN: u32 = 45;
/// A face that moved by less than this share of its height trembles; it is moved by a part only.
const TREMBLES: f32 = 0.12;
/// That part, at least.
const CALM: f32 = 0.3;
/// After so many looks without it a face may also be followed where it is seen badly.
const STALE: u32 = 9;
/// A head, hair and all, in heights of the box that the network finds around a face, and in
/// distances from eyes to mouth.
const HEAD_OF_BOX: f32 = 1.45;
const HEAD_OF_FACE: f32 = 3.3;
/// The most that are followed.
const MOST: usize = 12;

/// Faces that are known, in pixels of the frame.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    tracks: Vec<Track>,
}

#[derive(Clone, Copy, Debug)]
struct Track {
    found: Found,
    lives: u32,
    /// Whether it was likely enough once.
    sure: bool,
    /// How often it was looked at closely without being likely enough.
    looks: u32,
    /// For how many looks, wherever they went, it was not found.
    unseen: u32,
}

impl Track {
    fn around(&self, room: f32) -> Glance {
        let side = 2.0 * self.found.size[0].max(self.found.size[1]) * room;
        let [left, top] = self.found.middle.map(|middle| middle - side / 2.0);
        Glance { left, top, side }
    }

    /// Moves to where it was found now.
    fn follow(&mut self, found: &Found) {
        let far = distance(self.found.middle, found.middle) / self.found.size[1].max(1.0);
        let share = (far / TREMBLES).clamp(CALM, 1.0);
        let mix = |old: [f32; 2], new: [f32; 2]| {
            [0, 1].map(|axis| old[axis] + (new[axis] - old[axis]) * share)
        };
        let old = self.found;
        self.found = Found {
            score: found.score.max(old.score * 0.9),
            middle: mix(old.middle, found.middle),
            size: mix(old.size, found.size),
            eyes: mix(old.eyes, found.eyes),
            nose: mix(old.nose, found.nose),
            mouth: mix(old.mouth, found.mouth),
        };
        self.lives = LIVES;
        self.unseen = 0;
        self.sure |= found.score >= SURE;
    }
}

impl Tracks {
    /// Takes what was found in a square of a frame.
    pub(super) fn update(&mut self, found: &[Found], square: Glance, frame: Size) {
        let inside = |at: f32, side: u32| at >= 0.0 && at <= side as f32;
        let in_frame = |found: &&Found| {
            inside(found.middle[0], frame.width) && inside(found.middle[1], frame.height)
        };
        let mut missing: Vec<bool> = (self.tracks.iter())
            .map(|track| square.shows(&track.found))
            .collect();
        for found in found.iter().filter(in_frame) {
            let near = self.tracks.iter().zip(&missing).enumerate();
            let near = near
                .filter(|(_, (track, _))| is_same(&track.found, found))
                .map(|(at, (track, _))| (at, distance(track.found.middle, found.middle)))
                .min_by(|a, b| a.1.total_cmp(&b.1));
            match near {
                Some((at, _)) => {
                    // The first is the likeliest. What is seen badly here, at an edge or small, tells where a
                    // face is only if it was not seen better for a while.
                    let first = std::mem::replace(&mut missing[at], false);
                    let track = &mut self.tracks[at];
                    if first || !square.shows(&track.found) && track.unseen > STALE {
                        track.follow(found);
                    } else {
                        track.lives = LIVES;
                        track.sure |= found.score >= SURE;
                    }
                }
                None => {
                    let track = Track {
                        found: *found,
                        lives: LIVES,
                        sure: found.score >= SURE,
                        looks: 0,
                        unseen: 0,
                    };
                    if self.tracks.len() < MOST {
                        missing.push(false);
                        self.tracks.push(track);
                    } else if let Some(at) = self.least_likely(found.score) {
                        (self.tracks[at], missing[at]) = (track, false);
                    }
                }
            }
        }
        for (track, missing) in self.tracks.iter_mut().zip(missing) {
            track.lives -= u32::from(missing).min(track.lives);
            track.unseen += 1;
        }
        (self.tracks).retain(|track| track.lives > 0 && track.unseen <= FORGOTTEN);
        self.drop_covered();
    }

    /// One that is not sure and less likely than this, when there is no room for more.
    fn least_likely(&self, score: f32) -> Option<usize> {
        let unsure = self.tracks.iter().enumerate();
        let unsure = unsure.filter(|(_, track)| !track.sure && track.found.score < score);
        let least = unsure.min_by(|(_, a), (_, b)| a.found.score.total_cmp(&b.found.score));
        least.map(|(at, _)| at)
    }

    /// A part of a face, or something around one, may look like another: the likelier stays.
    fn drop_covered(&mut self) {
        self.tracks
            .sort_by(|a, b| b.found.score.total_cmp(&a.found.score));
        let mut kept: Vec<Track> = Vec::with_capacity(self.tracks.len());
        for track in self.tracks.drain(..) {
            let found = &track.found;
            let is_one = |kept: &Track| covers(&kept.found, found) || covers(found, &kept.found);
            if !kept.iter().any(is_one) {
                kept.push(track);
            }
        }
        self.tracks = kept;
    }

    /// The square around all that are known, with room, and the height of the smallest; both in
    /// pixels of a frame of size `frame`.
    pub(super) fn around(&self, room: f32, frame: Size) -> Option<(Glance, f32)> {
        let known = || self.tracks.iter().filter(|track| track.sure);
        let least = known().map(|track| track.found.size[1]);
        let least = least.min_by(f32::total_cmp)?;
        let ends = [0, 1].map(|axis| {
            let low = |track: &Track| track.found.middle[axis] - track.found.size[axis];
            let high = |track: &Track| track.found.middle[axis] + track.found.size[axis];
            let from = known().map(low).fold(f32::INFINITY, f32::min);
            (from, known().map(high).fold(f32::NEG_INFINITY, f32::max))
        });
        let side = ends.map(|(from, to)| to - from);
        let longest = frame.width.max(frame.height) as f32;
        let side = (side[0].max(side[1]) * room).min(longest);
        let middle = ends.map(|(from, to)| (from + to) / 2.0);
        let square = Glance {
            left: middle[0] - side / 2.0,
            top: middle[1] - side / 2.0,
            side,
        };
        (side > 1.0).then_some((square, least))
    }

    /// The square around the one of those that are known that was not found for longest, with room.
    pub(super) fn longest_unseen(&self, room: f32) -> Option<Glance> {
        let known = self.tracks.iter().filter(|track| track.sure);
        let track = known.max_by_key(|track| track.unseen)?;
        Some(track.around(room))
    }

    /// A square around each, with room.
    pub(super) fn around_each(&self, room: f32) -> Vec<Glance> {
        let around = |track: &Track| track.around(room);
        self.tracks.iter().map(around).collect()
    }

    /// A square around one that is not known for sure, with room; each is looked at a few times, then
    /// it is nothing.
    pub(super) fn doubtful(&mut self, room: f32) -> Option<Glance> {
        let unsure = |track: &Track| !track.sure && track.looks >= LOOKS;
        self.tracks.retain(|track| !unsure(track));
        let track = self.tracks.iter_mut().find(|track| !track.sure)?;
        track.looks += 1;
        Some(track.around(room))
    }

    /// The faces, as shares of a frame of size `frame`, from left to right.
    pub(super) fn faces(&self, frame: Size) -> Vec<Face> {
        let sides = [frame.width, frame.height].map(|side| side.max(1) as f32);
        let point = |[x, y]: [f32; 2]| Point {
            x: x / sides[0],
            y: y / sides[1],
        };
        let known = self.tracks.iter().filter(|track| track.sure);
        let mut faces: Vec<Face> = known
            .map(|Track { found, .. }| {
                let by_box = found.size[1] * HEAD_OF_BOX;
                let by_face = distance(found.eyes, found.mouth) * HEAD_OF_FACE;
                let between = [0, 1].map(|axis| (found.eyes[axis] * 2.0 + found.nose[axis]) / 3.0);
                Face {
                    centre: point(between),
                    height: (by_box + by_face) / 2.0 / sides[1],
                    mouth: point(found.mouth),
                    speaking: false,
                }
            })
            .collect();
        faces.sort_by(|a, b| a.centre.x.total_cmp(&b.centre.x));
        faces
    }
}

/// Whether two may be the same face, which moved.
fn is_same(a: &Found, b: &Found) -> bool {
    let scale = a.size[1] / b.size[1].max(1.0);
    let near = a.size[1].max(b.size[1]) * 0.8;
    (0.5..=2.0).contains(&scale) && distance(a.middle, b.middle) < near
}

/// Whether the middle of one lies in the box of another.
fn covers(a: &Found, b: &Found) -> bool {
    (0..2).all(|axis| (a.middle[axis] - b.middle[axis]).abs() * 2.0 < a.size[axis])
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size::new(1280, 720);
    const ALL: Glance = Glance {
        left: 250.0,
        top: -50.0,
        side: 760.0,
    };

    fn found(x: f32, y: f32, score: f32) -> Found {
        Found {
            score,
            middle: [x, y],
            size: [100.0; 2],
            eyes: [x, y - 20.0],
            nose: [x, y],
            mouth: [x, y + 22.0],
        }
    }

    #[test]
    fn a_face_is_followed_calmly_and_remembered_a_while() {
        let mut tracks = Tracks::default();
        tracks.update(&[found(600.0, 300.0, 0.9)], ALL, FRAME);
        let first = tracks.faces(FRAME)[0];
        assert!((first.mouth.y - 322.0 / 720.0).abs() < 1e-3);
        assert!((0.17..0.22).contains(&first.height), "{first:?}");
        // It trembles.
        tracks.update(&[found(603.0, 300.0, 0.9)], ALL, FRAME);
        let moved = (tracks.faces(FRAME)[0].centre.x - first.centre.x) * 1280.0;
        assert!(moved > 0.5 && moved < 1.5, "{moved}");
        // It walks.
        tracks.update(&[found(660.0, 300.0, 0.9)], ALL, FRAME);
        assert!((tracks.faces(FRAME)[0].centre.x - 660.0 / 1280.0).abs() < 1e-3);
        // Another part is looked at, then it is not found.
        let left = Glance {
            left: 0.0,
            top: 0.0,
            side: 300.0,
        };
        for _ in 0..20 {
            tracks.update(&[], left, FRAME);
        }
        for _ in 1..LIVES {
            tracks.update(&[], ALL, FRAME);
        }
        assert_eq!(tracks.faces(FRAME).len(), 1);
        tracks.update(&[], ALL, FRAME);
        assert!(tracks.faces(FRAME).is_empty());
    }

    #[test]
    fn what_may_be_no_face_is_looked_at_closely() {
        let mut tracks = Tracks::default();
        tracks.update(&[found(300.0, 300.0, 0.6)], ALL, FRAME);
        for _ in 0..LOOKS {
            assert!(tracks.faces(FRAME).is_empty() && tracks.around(1.5, FRAME).is_none());
            let square = tracks.doubtful(1.5).unwrap();
            assert!((square.side - 300.0).abs() < 1.0 && square.shows(&found(300.0, 300.0, 0.6)));
            tracks.update(&[found(300.0, 300.0, 0.6)], square, FRAME);
        }
        assert_eq!(tracks.doubtful(1.5), None);
        tracks.update(&[found(300.0, 300.0, 0.6)], ALL, FRAME);
        tracks.update(&[found(300.0, 300.0, 0.9)], ALL, FRAME);
        assert_eq!(tracks.faces(FRAME).len(), 1);
        // Known once, it may turn away.
        tracks.update(&[found(300.0, 300.0, 0.6)], ALL, FRAME);
        assert_eq!(tracks.faces(FRAME).len(), 1);
        assert_eq!(tracks.doubtful(1.5), None);
    }

    #[test]
    fn neighbours_stay_apart() {
        let mut tracks = Tracks::default();
        let pair = [found(700.0, 300.0, 0.9), found(580.0, 300.0, 0.8)];
        for _ in 0..9 {
            tracks.update(&pair, ALL, FRAME);
        }
        let faces = tracks.faces(FRAME);
        assert_eq!(faces.len(), 2);
        assert!(faces[0].centre.x < faces[1].centre.x);
        let (square, least) = tracks.around(1.5, FRAME).unwrap();
        assert!((square.side - 480.0).abs() < 1.0 && (least - 100.0).abs() < 1.0);
        assert!(pair.iter().all(|found| square.shows(found)));
    }
}
