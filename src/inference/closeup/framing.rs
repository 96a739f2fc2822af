//! Which part of a frame each close-up shows.
//!
//! A face moves all the time, and a close-up that followed it pixel by pixel would be drawn anew,
//! a little otherwise, in every frame. So each stays where it is until the face has left its middle.

use crate::frame::{Area, CloseUp, Face, Size};

/// A close-up's side, in heights of its head: what is not faded of it has the face, also where the
/// guess of it is a little off.
const SPAN: f32 = 1.25;
/// A close-up shows so many times more than the drawing, or is none.
const GAIN: f32 = 1.15;
/// One that is shown stays one while it shows so many times more.
const STAYS: f32 = 1.05;
/// For so many frames another number of faces must be there before the square is divided otherwise.
const PATIENCE: u32 = 10;
/// How far a face may move from the middle, in sides, before its close-up follows.
const DEAD_ZONE: f32 = 0.09;
/// How much larger or smaller it may get.
const SCALE_ZONE: f32 = 1.22;
/// A new close-up is seen whole after this many frames, and one whose face is gone not at all.
const FADE_FRAMES: f32 = 6.0;

/// A close-up of a frame, to be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framed {
    /// What it shows, and where in the square.
    pub close_up: CloseUp,
    /// How much of it is seen, 0..1: it comes and goes softly.
    pub share: f32,
}

/// Follows the faces of a source from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct Framing {
    /// Close-ups a row of the square.
    columns: usize,
    /// For how many frames another number would have been better.
    otherwise: u32,
    places: [Option<Place>; CloseUp::MOST],
    frame: Size,
    framed: Vec<Framed>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    square: Square,
    share: f32,
    /// Whether its face is in the newest frame.
    seen: bool,
}

/// A square in pixels of the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Square {
    middle: [f32; 2],
    side: f32,
}

impl Square {
    /// Whether a face that asks for `other` may be shown by this one.
    fn holds(&self, other: &Self) -> bool {
        let scale = other.side / self.side;
        self.far(other) <= self.side * DEAD_ZONE && (1.0 / SCALE_ZONE..=SCALE_ZONE).contains(&scale)
    }

    /// Whether both are of one face, which may have moved.
    fn is_near(&self, other: &Self) -> bool {
        self.far(other) <= self.side * 0.4
    }

    /// How far the middles are apart, along the longer way.
    fn far(&self, other: &Self) -> f32 {
        let far = (0..2).map(|axis| (self.middle[axis] - other.middle[axis]).abs());
        far.fold(0.0, f32::max)
    }

    /// The part of a frame, all of it inside.
    fn area(&self, frame: Size) -> Area {
        let sides = [frame.width as f32, frame.height as f32];
        let side = self.side.min(sides[0]).min(sides[1]);
        let corner = |axis: usize| (self.middle[axis] - side / 2.0).clamp(0.0, sides[axis] - side);
        Area {
            corner: [corner(0) / sides[0], corner(1) / sides[1]],
            size: [side / sides[0], side / sides[1]],
        }
    }
}

impl Framing {
    /// What to draw of a frame of size `frame` with these faces, in a square of `side`, beside a
    /// drawing of size `drawing`.
    pub fn follow(&mut self, faces: &[Face], frame: Size, drawing: Size, side: u32) -> &[Framed] {
        self.framed.clear();
        if frame.area() == 0 || drawing.area() == 0 {
            return &self.framed;
        }
        if self.frame != frame {
            (self.frame, self.places) = (frame, Default::default());
        }
        let drawn = drawing.width as f32 / frame.width as f32;
        let whole = side as f32;
        // The largest alone, unless several are shown larger even in half of the square.
        let several = squares(faces, frame, whole / 2.0, drawn * GAIN).len() > 1;
        self.divide(if several { 2 } else { 1 });
        let (columns, tile) = (self.columns, whole / self.columns as f32);
        let mut wanted = squares(faces, frame, tile, drawn * STAYS);
        wanted.truncate(columns * columns);
        self.place(&wanted, tile / (drawn * GAIN));
        self.fade();
        let size = [1.0 / columns as f32; 2];
        let framed = self.places.iter().enumerate().filter_map(|(at, place)| {
            let place = place.as_ref()?;
            let corner = [at % columns, at / columns].map(|at| at as f32 / columns as f32);
            Some(Framed {
                close_up: CloseUp {
                    of: place.square.area(frame),
                    at: Area { corner, size },
                },
                share: place.share,
            })
        });
        self.framed.extend(framed);
        &self.framed
    }

    /// Whether another look at the same frame would show anything else.
    pub fn would_change(&self, faces: &[Face], frame: Size, drawing: Size, side: u32) -> bool {
        self.otherwise > 0 || self.clone().follow(faces, frame, drawing, side) != self.framed
    }

    /// Divides the square otherwise, when that is wanted for a while.
    fn divide(&mut self, columns: usize) {
        if columns == self.columns {
            self.otherwise = 0;
            return;
        }
        self.otherwise += 1;
        let is_empty = self.places.iter().all(Option::is_none);
        if is_empty || self.otherwise > PATIENCE {
            self.columns = columns;
            self.otherwise = 0;
            // Those that are seen stay so, as far as there is room for the largest.
            self.places.sort_by(|a, b| {
                let side = |place: &Option<Place>| place.map_or(0.0, |place| place.square.side);
                side(b).total_cmp(&side(a))
            });
            for place in self.places.iter_mut().skip(columns * columns) {
                *place = None;
            }
        }
    }

    /// Gives each face its place: the one it had, or a free one if its square has at most `most`
    /// pixels a side.
    fn place(&mut self, wanted: &[Square], most: f32) {
        let count = self.columns * self.columns;
        for place in self.places.iter_mut().flatten() {
            place.seen = false;
        }
        let mut waiting = Vec::with_capacity(wanted.len());
        for square in wanted {
            let known = self.places.iter_mut().flatten();
            let known = known.filter(|place| !place.seen && place.square.is_near(square));
            match known.min_by(|a, b| a.square.far(square).total_cmp(&b.square.far(square))) {
                Some(place) => {
                    place.seen = true;
                    if !place.square.holds(square) {
                        place.square = *square;
                    }
                }
                None => waiting.push(*square),
            }
        }
        for square in waiting.into_iter().filter(|square| square.side <= most) {
            let mut free = self.places.iter_mut().take(count);
            if let Some(free) = free.find(|place| place.is_none()) {
                *free = Some(Place {
                    square,
                    share: 0.0,
                    seen: true,
                });
            }
        }
    }

    fn fade(&mut self) {
        for place in &mut self.places {
            let Some(Place { share, seen, .. }) = place else {
                continue;
            };
            let step = if *seen { 1.0 } else { -1.0 } / FADE_FRAMES;
            *share = (*share + step).clamp(0.0, 1.0);
            if *share <= 0.0 {
                *place = None;
            }
        }
    }

    /// Shows at once, whole, what is to be shown: for pictures that stand alone.
    pub fn at_once(&mut self, faces: &[Face], frame: Size, drawing: Size, side: u32) -> &[Framed] {
        *self = Self::default();
        self.follow(faces, frame, drawing, side);
        self.framed.iter_mut().for_each(|framed| framed.share = 1.0);
        for place in self.places.iter_mut().flatten() {
            place.share = 1.0;
        }
        &self.framed
    }
}

/// What close-ups of `tile` pixels a side should show, the largest face first; only of faces of
/// which they have at least `dense` pixels for each of the frame.
fn squares(faces: &[Face], frame: Size, tile: f32, dense: f32) -> Vec<Square> {
    let (width, height) = (frame.width as f32, frame.height as f32);
    let square = |face: &Face| {
        // More pixels than the frame has show nothing more.
        let side = (face.height * height * SPAN).max(tile);
        let fits = side.is_finite() && side <= width.min(height);
        (fits && tile / side >= dense).then_some(Square {
            middle: [face.centre.x * width, face.centre.y * height],
            side,
        })
    };
    let mut squares: Vec<Square> = faces.iter().filter_map(square).collect();
    squares.sort_by(|a, b| b.side.total_cmp(&a.side));
    squares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::Point;

    const FRAME: Size = Size::new(1280, 720);
    const DRAWING: Size = Size::new(448, 256);
    const SIDE: u32 = 192;

    fn face(x: f32, y: f32, height: f32) -> Face {
        Face {
            centre: Point { x, y },
            height,
            mouth: Point { x, y },
            speaking: false,
        }
    }

    fn settled(framing: &mut Framing, faces: &[Face]) -> Vec<Framed> {
        for _ in 0..24 {
            framing.follow(faces, FRAME, DRAWING, SIDE);
        }
        framing.follow(faces, FRAME, DRAWING, SIDE).to_vec()
    }

    #[test]
    fn a_face_is_shown_larger_and_stays_where_it_is() {
        let mut framing = Framing::default();
        let first = settled(&mut framing, &[face(0.5, 0.4, 0.25)]);
        let [Framed { close_up, share }] = first[..] else {
            panic!("{first:?}");
        };
        assert!((share - 1.0).abs() < 1e-3);
        let side = close_up.of.size[0] * 1280.0;
        assert!((side - 0.25 * 720.0 * SPAN).abs() < 1.0, "{close_up:?}");
        assert!((side - close_up.of.size[1] * 720.0).abs() < 1.0, "square");
        assert_eq!(close_up.at.size, [1.0; 2]);
        // It trembles, then walks.
        let trembles = settled(&mut framing, &[face(0.505, 0.41, 0.26)]);
        assert_eq!(trembles, first);
        let walks = settled(&mut framing, &[face(0.54, 0.4, 0.25)]);
        assert_ne!(walks[0].close_up.of, first[0].close_up.of);
        assert!((walks[0].share - 1.0).abs() < 1e-3, "without a fade");
    }

    #[test]
    fn faces_share_the_square_and_come_and_go_softly() {
        let mut framing = Framing::default();
        let (a, b) = (face(0.3, 0.4, 0.11), face(0.7, 0.4, 0.1));
        let two = settled(&mut framing, &[a, b]);
        assert_eq!(two.len(), 2);
        assert_ne!(two[0].close_up.at, two[1].close_up.at);
        assert_eq!(two[0].close_up.at.size, [0.5; 2]);
        let mut shares = Vec::new();
        for _ in 0..5 {
            let framed = framing.follow(&[b, face(0.9, 0.4, 0.08)], FRAME, DRAWING, SIDE);
            assert_eq!(framed[1], two[1], "stays in its place");
            shares.push(framed[0].share);
        }
        assert!(
            shares.windows(2).all(|pair| pair[1] < pair[0]),
            "{shares:?}"
        );
    }

    #[test]
    fn near_faces_and_nobody_have_no_close_up() {
        let mut framing = Framing::default();
        assert_eq!(settled(&mut framing, &[]), []);
        assert_eq!(settled(&mut framing, &[face(0.5, 0.5, 0.9)]), []);
        assert_eq!(settled(&mut framing, &[face(0.5, 0.5, 0.55)]), []);
        // Two that are too near for half a square: one alone is not.
        let framed = settled(&mut framing, &[face(0.3, 0.5, 0.3), face(0.7, 0.5, 0.28)]);
        assert_eq!(framed.len(), 1);
        assert!(framed[0].close_up.of.corner[0] < 0.3);
    }

    /// What comes and goes, a hand that looks like a face for one, does not disturb those that are shown.
    #[test]
    fn a_face_for_a_moment_changes_nothing() {
        let mut framing = Framing::default();
        let (a, b) = (face(0.3, 0.4, 0.11), face(0.7, 0.4, 0.1));
        let before = settled(&mut framing, &[a]);
        for _ in 0..PATIENCE {
            let framed = framing.follow(&[a, b], FRAME, DRAWING, SIDE);
            assert_eq!(framed[0], before[0]);
        }
        assert_eq!(settled(&mut framing, &[a]), before);
        // Near and a little nearer.
        let mut framing = Framing::default();
        let limit = SIDE as f32 / (448.0 / 1280.0 * GAIN) / SPAN / 720.0;
        settled(&mut framing, &[face(0.5, 0.5, limit * 0.97)]);
        for number in 0..20 {
            let height = limit * if number % 2 == 0 { 1.03 } else { 0.97 };
            let framed = framing.follow(&[face(0.5, 0.5, height)], FRAME, DRAWING, SIDE);
            assert!(framed.len() == 1 && framed[0].share > 0.99);
        }
    }

    proptest! {
        #[test]
        fn every_close_up_lies_in_the_frame_and_in_the_square(
            faces in proptest::collection::vec((-1.0f32..2.0, -1.0f32..2.0, 0.0f32..2.0), 0..13),
            (width, height) in (1u32..5000, 1u32..5000),
            side in 1u32..1100,
        ) {
            let faces: Vec<Face> = faces.iter().map(|(x, y, h)| face(*x, *y, *h)).collect();
            let mut framing = Framing::default();
            for _ in 0..3 {
                let framed = framing.follow(&faces, Size::new(width, height), DRAWING, side);
                prop_assert!(framed.len() <= CloseUp::MOST);
                for Framed { close_up, share } in framed {
                    prop_assert!((0.0..=1.0).contains(share));
                    for area in [close_up.of, close_up.at] {
                        for axis in 0..2 {
                            prop_assert!(area.corner[axis] >= 0.0 && area.size[axis] > 0.0);
                            prop_assert!(area.corner[axis] + area.size[axis] <= 1.0001);
                        }
                    }
                }
            }
        }
    }
}
