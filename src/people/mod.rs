//! Where the people in a picture are.
//!
//! Most faces were found in the frame by a network. Who turns away or hides theirs is still in the
//! matte: their face is taken to be the upper middle of a region of it, as high as a head of that
//! width. Cover fit asks here which point of the frame to keep in view.

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

    /// One of which only the face is known.
    pub const fn at(face: Point) -> Self {
        Self { face, top: face.y }
    }
}

/// The most faces of a picture.
const MOST_FACES: usize = 12;

/// The faces in a drawing, from left to right: those that were `found` in its frame, as far as the
/// matte in its alpha agrees, and the upper middle of each large region of the matte that has none.
pub fn faces(picture: &Picture, found: &[Face]) -> Vec<Face> {
    let Some(mut free) = cells(picture) else {
        return found.iter().take(MOST_FACES).copied().collect();
    };
    let is_somebody = |face: &&Face| {
        let (column, row) = place(face.centre);
        free[row][column]
    };
    let mut faces: Vec<Face> = (found.iter().filter(is_somebody)).copied().collect();
    faces.truncate(MOST_FACES);
    let known: Vec<(usize, usize)> = faces.iter().map(|face| place(face.centre)).collect();
    // Looking for the largest uses the cells up.
    let shape = cell_shape(picture);
    while faces.len() < MOST_FACES
        && let Some(region) = largest_region(&mut free.clone())
        && let Some(face) = face_of(&region, shape)
    {
        if !region.iter().any(|cell| known.contains(cell)) {
            faces.push(face);
        }
        for (column, row) in region {
            free[row][column] = false;
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

/// Columns and rows the matte is looked at in: enough to tell people apart, cheap every frame.
const COLUMNS: usize = 40;
const ROWS: usize = 24;
/// A region smaller than this share of the picture is no person.
const SMALLEST: f32 = 0.01;

/// The cell in which a point lies.
fn place(point: Point) -> (usize, usize) {
    let at = |share: f32, count: usize| ((share * count as f32).max(0.0) as usize).min(count - 1);
    (at(point.x, COLUMNS), at(point.y, ROWS))
}

/// How wide a cell is for its height.
fn cell_shape(picture: &Picture) -> f32 {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    width / COLUMNS as f32 / (height / ROWS as f32).max(1e-3)
}

/// Where the matte is, coarsely.
fn cells(picture: &Picture) -> Option<[[bool; COLUMNS]; ROWS]> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width < COLUMNS || height < ROWS {
        return None;
    }
    let mut free = [[false; COLUMNS]; ROWS];
    for (row, cells) in free.iter_mut().enumerate() {
        let y = (2 * row + 1) * height / (2 * ROWS);
        for (column, cell) in cells.iter_mut().enumerate() {
            let x = (2 * column + 1) * width / (2 * COLUMNS);
            *cell = picture
                .rgba()
                .get((y * width + x) * 4 + 3)
                .is_some_and(|alpha| *alpha > 127);
        }
    }
    Some(free)
}

/// The face of the person that fills these cells; `None` when they are too few. A cell is `shape`
/// times as wide as it is high.
fn face_of(region: &[(usize, usize)], shape: f32) -> Option<Face> {
    if (region.len() as f32) < SMALLEST * (COLUMNS * ROWS) as f32 {
        return None;
    }
    let top = region.iter().map(|(_, row)| *row).min()?;
    let bottom = region.iter().map(|(_, row)| *row).max()?;
    let head = head_height(region, top, bottom + 1 - top, shape);
    let upper = region.iter().filter(|(_, row)| ((row - top) as f32) < head);
    let (sum, count) = upper.fold((0.0, 0.0), |(sum, count), (column, _)| {
        (sum + *column as f32 + 0.5, count + 1.0)
    });
    let x = sum / count / COLUMNS as f32;
    let at = |share: f32| Point {
        x,
        y: (top as f32 + head * share) / ROWS as f32,
    };
    Some(Face {
        // Between the eyes and the tip of the nose: what a close panel must show.
        centre: at(Face::MIDDLE),
        height: head / ROWS as f32,
        mouth: at(0.8),
        speaking: false,
    })
}

/// How many rows the head of a person takes that is `rows` high: as many as go with its width.
fn head_height(region: &[(usize, usize)], top: usize, rows: usize, shape: f32) -> f32 {
    /// A head's mean width for its height, hair included.
    const WIDTH: f32 = 0.74;
    let mut area = 0.0;
    for row in 1..=rows {
        let cells = region.iter().filter(|(_, at)| at - top + 1 == row).count();
        area += cells as f32 * shape;
        // The crown is wider than high, shoulders are wider still: in between lies the chin.
        let height = row as f32;
        if height >= 2.0 && area / height <= WIDTH * height {
            return height;
        }
    }
    // Long hair, raised arms: about as high as a webcam sees it of a person.
    (rows as f32 * 0.34).max(2.0)
}

/// Cells of the largest 4-connected region; `free` is used up.
fn largest_region(free: &mut [[bool; COLUMNS]; ROWS]) -> Option<Vec<(usize, usize)>> {
    let mut largest: Option<Vec<(usize, usize)>> = None;
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            if !std::mem::take(&mut free[row][column]) {
                continue;
            }
            let (mut region, mut next) = (vec![(column, row)], 0);
            while let Some(&(x, y)) = region.get(next) {
                next += 1;
                let around = [
                    (x.wrapping_sub(1), y),
                    (x + 1, y),
                    (x, y.wrapping_sub(1)),
                    (x, y + 1),
                ];
                for (x, y) in around {
                    if x < COLUMNS && y < ROWS && std::mem::take(&mut free[y][x]) {
                        region.push((x, y));
                    }
                }
            }
            if largest
                .as_ref()
                .is_none_or(|best| region.len() > best.len())
            {
                largest = Some(region);
            }
        }
    }
    largest
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
