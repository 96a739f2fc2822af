//! Where the people in a picture are.
//!
//! Most faces were found in the frame by a network. Who turns away or hides theirs is still in the
//! matte: at the upper end of each large region of it there is a head, of the size that goes with the
//! region's widths. Cover fit asks here which head to keep in view.

mod head;

use std::time::Duration;

use crate::frame::Picture;
pub use crate::frame::{Face, Point};

/// The head that panels keep in view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// The middle of its face.
    pub face: Point,
    /// Where its hair ends, from the picture's upper edge, 0..1.
    pub top: f32,
}

impl Head {
    /// Where one usually is when nobody is known to be there; how large is not known.
    pub const USUAL: Self = Self::at(Point::USUAL);

    /// That of a face.
    fn of(face: &Face) -> Self {
        Self {
            face: face.centre,
            top: face.centre.y - face.height * Face::MIDDLE,
        }
    }

    /// Its face, if it is known how large it is.
    pub fn to_face(self) -> Option<Face> {
        let height = (self.face.y - self.top) / Face::MIDDLE;
        (height > 0.0).then_some(Face {
            centre: self.face,
            height,
            mouth: self.face,
            speaking: false,
        })
    }

    /// One of which only the face is known.
    pub const fn at(face: Point) -> Self {
        Self { face, top: face.y }
    }
}

/// The most faces of a picture.
const MOST_FACES: usize = 12;

/// The faces in a drawing, from left to right: those that were `found` in its frame, as far as the
/// matte in its alpha agrees, and one for each large region of the matte in which none was found.
pub fn faces(picture: &Picture, found: &[Face]) -> Vec<Face> {
    let Some(matte) = cells(picture) else {
        return found.iter().take(MOST_FACES).copied().collect();
    };
    let found = found
        .iter()
        .filter(|face| is_in(&matte, face.centre))
        .map(|face| with_hair(&matte, face));
    let mut faces: Vec<Face> = found.take(MOST_FACES).collect();
    let shape = cell_shape(picture);
    for region in regions(matte) {
        let is_known = faces.iter().any(|face| is_in(&region.rows, face.centre));
        if !is_known && faces.len() < MOST_FACES {
            faces.extend(face_of(&region, shape));
        }
    }
    faces.sort_by(|a, b| a.centre.x.total_cmp(&b.centre.x));
    faces
}

/// Follows the most important face, calmly: a crop must not tremble with the matte.
#[derive(Clone, Debug, Default)]
pub struct Focus {
    shown: Option<(Head, Duration)>,
    goal: Option<Head>,
}

impl Focus {
    /// The crop moves most of the way to a new place in this time.
    const SETTLE_SECS: f32 = 0.5;
    /// A face may move this share of the frame before the crop follows.
    pub const DEAD_ZONE: f32 = 0.03;

    /// The head to keep in view of those in a drawing. `time` is that of the scene and never runs
    /// backwards.
    pub fn follow(&mut self, faces: &[Face], time: Duration) -> Head {
        let nearest = faces.iter().max_by(|a, b| a.height.total_cmp(&b.height));
        let found = nearest.map(Head::of);
        let far = |a: Head, b: Head| {
            let moved = (a.face.x - b.face.x).abs().max((a.face.y - b.face.y).abs());
            moved.max((a.top - b.top).abs()) > Self::DEAD_ZONE
        };
        self.goal = match (self.goal, found) {
            (Some(old), Some(new)) if !far(old, new) => Some(old),
            // Nobody there: stay, so that the crop does not swing when a matte drops out.
            (old, None) => old,
            (_, new) => new,
        };
        let goal = self.goal.unwrap_or(Head::USUAL);
        let head = match self.shown {
            None => goal,
            Some((old, then)) => {
                let passed = time.saturating_sub(then).as_secs_f32();
                let share = 1.0 - (-passed / (Self::SETTLE_SECS / 2.0)).exp();
                let between = |old: f32, goal: f32| old + (goal - old) * share;
                Head {
                    face: Point {
                        x: between(old.face.x, goal.face.x),
                        y: between(old.face.y, goal.face.y),
                    },
                    top: between(old.top, goal.top),
                }
            }
        };
        self.shown = Some((head, time));
        head
    }
}

/// Columns and rows the matte is looked at in: enough for the shape of a head, cheap every frame.
const COLUMNS: usize = 80;
const ROWS: usize = 48;
/// A region smaller than this share of the picture is no person.
const SMALLEST: f32 = 0.01;

/// What of the matte hangs together.
struct Region {
    /// The columns of each row that are its own, as bits.
    rows: [u128; ROWS],
    cells: usize,
}

/// Whether a point lies in a matte.
fn is_in(matte: &[u128; ROWS], point: Point) -> bool {
    let (column, row) = place(point);
    matte[row] >> column & 1 == 1
}

/// The cell in which a point lies.
fn place(point: Point) -> (usize, usize) {
    let at = |share: f32, count: usize| ((share * count as f32).max(0.0) as usize).min(count - 1);
    (at(point.x, COLUMNS), at(point.y, ROWS))
}

/// A face that was found, as high as its hair reaches in the matte.
fn with_hair(matte: &[u128; ROWS], face: &Face) -> Face {
    /// Higher than that is no hair but a hand.
    const MOST: f32 = 1.4;
    let (column, row) = place(face.centre);
    let above = (0..row)
        .rev()
        .take_while(|row| matte[*row] >> column & 1 == 1);
    let top = (row - above.count()) as f32 / ROWS as f32;
    let height = (face.centre.y - top) / Face::MIDDLE;
    Face {
        height: height.max(face.height).min(face.height * MOST),
        ..*face
    }
}

/// How wide a cell is for its height.
fn cell_shape(picture: &Picture) -> f32 {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    width / COLUMNS as f32 / (height / ROWS as f32).max(1e-3)
}

/// Where the matte is, coarsely: the columns of each row, as bits.
fn cells(picture: &Picture) -> Option<[u128; ROWS]> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width < COLUMNS || height < ROWS {
        return None;
    }
    let mut rows = [0; ROWS];
    for (row, bits) in rows.iter_mut().enumerate() {
        let y = (2 * row + 1) * height / (2 * ROWS);
        for column in 0..COLUMNS {
            let x = (2 * column + 1) * width / (2 * COLUMNS);
            let alpha = picture.rgba().get((y * width + x) * 4 + 3);
            if alpha.is_some_and(|alpha| *alpha > 127) {
                *bits |= 1 << column;
            }
        }
    }
    Some(rows)
}

/// How far below its top a head's mouth is. Eyes are just below its middle.
const MOUTH: f32 = 0.8;

/// The face of the person that fills a region. A cell is `shape` times as wide as it is high.
fn face_of(region: &Region, shape: f32) -> Option<Face> {
    let head = head::fitted(&region.rows, shape)?;
    let at = |share: f32| Point {
        x: head.middle / COLUMNS as f32,
        y: (head.top + head.height * share) / ROWS as f32,
    };
    Some(Face {
        // Between the eyes and the tip of the nose: what a close panel must show.
        centre: at(Face::MIDDLE),
        height: head.height / ROWS as f32,
        mouth: at(MOUTH),
        speaking: false,
    })
}

/// The 4-connected regions of the matte that are large enough for a person, the largest first.
fn regions(mut free: [u128; ROWS]) -> Vec<Region> {
    let mut regions = Vec::new();
    for row in 0..ROWS {
        while free[row] != 0 {
            let region = taken(&mut free, row);
            if region.cells as f32 >= SMALLEST * (COLUMNS * ROWS) as f32 {
                regions.push(region);
            }
        }
    }
    regions.sort_by_key(|region| std::cmp::Reverse(region.cells));
    regions
}

/// Takes the region of the first cell of a row, which is not empty.
fn taken(free: &mut [u128; ROWS], row: usize) -> Region {
    let mut rows = [0; ROWS];
    rows[row] = free[row] & free[row].wrapping_neg();
    let mut open = vec![row];
    while let Some(row) = open.pop() {
        // As far to both sides as there are cells.
        let mut own = rows[row];
        loop {
            let wider = (own | own << 1 | own >> 1) & free[row];
            if wider == own {
                break;
            }
            own = wider;
        }
        rows[row] = own;
        let beside = [row.checked_sub(1), (row + 1 < ROWS).then_some(row + 1)];
        for next in beside.into_iter().flatten() {
            let reached = own & free[next] & !rows[next];
            if reached != 0 {
                rows[next] |= reached;
                open.push(next);
            }
        }
    }
    for (free, own) in free.iter_mut().zip(&rows) {
        *free &= !own;
    }
    let cells = rows.iter().map(|own| own.count_ones() as usize).sum();
    Region { rows, cells }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    /// A matte with filled ellipses: centre, radii, all 0..1.
    fn matte(people: &[(f32, f32, f32, f32)]) -> Picture {
        let mut picture = Picture::new(Size::new(320, 180));
        for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
            let (x, y) = ((at % 320) as f32 / 320.0, (at / 320) as f32 / 180.0);
            let inside = |(cx, cy, rx, ry): &(f32, f32, f32, f32)| {
                ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
            };
            pixel[3] = if people.iter().any(inside) { 255 } else { 0 };
        }
        picture
    }

    fn guessed(picture: &Picture) -> Vec<Face> {
        faces(picture, &[])
    }

    #[test]
    fn the_largest_person_is_kept_in_view() {
        let picture = matte(&[(0.2, 0.7, 0.05, 0.2), (0.7, 0.8, 0.15, 0.6)]);
        let head = Focus::default().follow(&guessed(&picture), Duration::ZERO);
        assert!((head.face.x - 0.7).abs() < 0.05, "{head:?}");
        assert!((0.2..0.6).contains(&head.face.y), "{head:?}");
    }

    #[test]
    fn it_moves_smoothly_and_stays_when_nobody_is_there() {
        let mut focus = Focus::default();
        let start = focus.follow(&guessed(&matte(&[(0.3, 0.6, 0.15, 0.5)])), Duration::ZERO);
        let moved = matte(&[(0.7, 0.6, 0.15, 0.5)]);
        let soon = focus.follow(&guessed(&moved), Duration::from_millis(33));
        let late = focus.follow(&guessed(&moved), Duration::from_secs(5));
        assert!(
            soon.face.x > start.face.x && soon.face.x < start.face.x + 0.1,
            "{start:?} {soon:?}"
        );
        assert!((late.face.x - 0.7).abs() < 0.03, "{late:?}");
        assert_eq!(
            focus.follow(&guessed(&matte(&[])), Duration::from_secs(6)),
            late
        );
    }

    #[test]
    fn everybody_has_a_face_from_left_to_right() {
        let picture = matte(&[(0.75, 0.8, 0.15, 0.6), (0.2, 0.7, 0.1, 0.35)]);
        let found = guessed(&picture);
        assert_eq!(found.len(), 2);
        assert!((found[0].centre.x - 0.2).abs() < 0.05 && (found[1].centre.x - 0.75).abs() < 0.05);
        assert!(found[0].mouth.y > found[0].centre.y && found[1].height > found[0].height);
        assert_eq!(guessed(&matte(&[])), vec![]);
        let crowd: Vec<_> = (0..14)
            .map(|at| (0.035 + at as f32 / 14.0, 0.5, 0.024, 0.4))
            .collect();
        assert!((10..=12).contains(&guessed(&matte(&crowd)).len()));
    }

    #[test]
    fn specks_and_tiny_pictures_are_nobody() {
        assert_eq!(guessed(&matte(&[(0.5, 0.5, 0.01, 0.01)])), []);
        assert_eq!(guessed(&Picture::new(Size::new(1, 1))), []);
        assert_eq!(
            Focus::default().follow(&guessed(&Picture::default()), Duration::ZERO),
            Head::USUAL
        );
    }
}
