//! Closed outlines as points: made, cut open for a tail, and turned into paths.

use resvg::tiny_skia::{Path, PathBuilder, PathSegment};

/// A point in page units.
pub(super) type Point = (f32, f32);

/// A closed outline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outline {
    pub points: Vec<Point>,
}

impl Outline {
    /// The largest closed part of a path, with its curves as short straight lines.
    pub fn of_path(path: &Path) -> Option<Self> {
        const STEPS: usize = 16;
        let mut parts: Vec<Vec<Point>> = Vec::new();
        let mut last = (0.0, 0.0);
        for segment in path.segments() {
            let Some(part) = (match segment {
                PathSegment::MoveTo(_) => {
                    parts.push(Vec::new());
                    parts.last_mut()
                }
                _ => parts.last_mut(),
            }) else {
                continue;
            };
            let mut curve = |at: &dyn Fn(f32) -> Point| {
                part.extend((1..=STEPS).map(|step| at(step as f32 / STEPS as f32)));
            };
            match segment {
                PathSegment::MoveTo(p) | PathSegment::LineTo(p) => part.push((p.x, p.y)),
                PathSegment::QuadTo(a, p) => curve(&|t| {
                    let u = 1.0 - t;
                    let mix = |s: f32, a: f32, p: f32| u * u * s + 2.0 * u * t * a + t * t * p;
                    (mix(last.0, a.x, p.x), mix(last.1, a.y, p.y))
                }),
                PathSegment::CubicTo(a, b, p) => curve(&|t| {
                    let u = 1.0 - t;
                    let mix = |s: f32, a: f32, b: f32, p: f32| {
                        u * u * u * s + 3.0 * u * u * t * a + 3.0 * u * t * t * b + t * t * t * p
                    };
                    (mix(last.0, a.x, b.x, p.x), mix(last.1, a.y, b.y, p.y))
                }),
                PathSegment::Close => {}
            }
            last = part.last().copied().unwrap_or(last);
        }
        let area = |part: &Vec<Point>| {
            let (a, b) = bounds(part);
            (b.0 - a.0) * (b.1 - a.1)
        };
        let points = parts
            .into_iter()
            .filter(|part| part.len() >= 3 && part.len() <= 20_000)
            .max_by(|a, b| area(a).total_cmp(&area(b)))?;
        Some(Self { points })
    }

    /// Upper left and lower right corner.
    pub fn bounds(&self) -> (Point, Point) {
        bounds(&self.points)
    }

    /// The middle of its box.
    pub fn middle(&self) -> Point {
        let (a, b) = self.bounds();
        ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0)
    }

    /// All points moved.
    pub fn moved(&self, by: Point) -> Self {
        Self {
            points: self
                .points
                .iter()
                .map(|p| (p.0 + by.0, p.1 + by.1))
                .collect(),
        }
    }

    /// Whether a point is inside.
    #[cfg(test)]
    pub fn contains(&self, point: Point) -> bool {
        let mut inside = false;
        for (a, b) in self.edges() {
            if (a.1 > point.1) != (b.1 > point.1) {
                let x = a.0 + (point.1 - a.1) / (b.1 - a.1) * (b.0 - a.0);
                inside ^= point.0 < x;
            }
        }
        inside
    }

    /// Where the line from `from`, inside, to `to` leaves it for good: the edge's number and the
    /// point.
    pub fn crossing(&self, from: Point, to: Point) -> Option<(usize, Point)> {
        let direction = (to.0 - from.0, to.1 - from.1);
        let mut found: Option<(f32, usize)> = None;
        for (number, (a, b)) in self.edges().enumerate() {
            let edge = (b.0 - a.0, b.1 - a.1);
            let cross = direction.0 * edge.1 - direction.1 * edge.0;
            if cross.abs() < 1e-9 {
                continue;
            }
            let offset = (a.0 - from.0, a.1 - from.1);
            let along = (offset.0 * edge.1 - offset.1 * edge.0) / cross;
            let share = (offset.0 * direction.1 - offset.1 * direction.0) / cross;
            let is_farther = found.is_none_or(|(best, _)| along > best);
            if along > 0.0 && along <= 1.0 && (0.0..=1.0).contains(&share) && is_farther {
                found = Some((along, number));
            }
        }
        let (along, number) = found?;
        Some((
            number,
            (from.0 + direction.0 * along, from.1 + direction.1 * along),
        ))
    }

    /// Cuts the outline open around `at` on edge `number`, `half` to each side, and puts `spike`
    /// in: what it gives for the two ends of the cut, from the first to the second.
    pub fn spliced(
        &self,
        number: usize,
        at: Point,
        half: f32,
        spike: impl Fn(Point, Point) -> Vec<Point>,
    ) -> Self {
        let count = self.points.len();
        if count < 3 {
            return self.clone();
        }
        // Forwards from the edge's second point, backwards from its first.
        let (after, first_kept) = self.walk((number + 1) % count, at, half, 1);
        let (before, last_kept) = self.walk(number, at, half, count - 1);
        let mut points = Vec::with_capacity(count + 32);
        let mut index = first_kept;
        points.push(after);
        // Never more than all of it.
        for _ in 0..count {
            points.push(self.points[index]);
            if index == last_kept {
                break;
            }
            index = (index + 1) % count;
        }
        points.push(before);
        points.extend(spike(before, after));
        Self { points }
    }

    /// The point `distance` along the outline from `from`, whose next corner is `index`, and the
    /// first corner beyond it.
    fn walk(
        &self,
        mut index: usize,
        mut from: Point,
        mut distance: f32,
        step: usize,
    ) -> (Point, usize) {
        for _ in 0..self.points.len() {
            let to = self.points[index];
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length >= distance {
                let share = distance / length.max(1e-6);
                return (
                    (
                        from.0 + (to.0 - from.0) * share,
                        from.1 + (to.1 - from.1) * share,
                    ),
                    index,
                );
            }
            distance -= length;
            from = to;
            index = (index + step) % self.points.len();
        }
        (from, index)
    }

    /// As a path.
    pub fn path(&self) -> Option<Path> {
        let mut builder = PathBuilder::new();
        for (at, (x, y)) in self.points.iter().enumerate() {
            if at == 0 {
                builder.move_to(*x, *y);
            } else {
                builder.line_to(*x, *y);
            }
        }
        builder.close();
        builder.finish()
    }

    /// As a path of a hand that presses unevenly: moved sideways by up to `by`.
    pub fn uneven_path(&self, by: f32, seed: u32) -> Option<Path> {
        let count = self.points.len();
        let mut length = 0.0;
        let points = (0..count)
            .map(|at| {
                let (a, p) = (self.points[(at + count - 1) % count], self.points[at]);
                let b = self.points[(at + 1) % count];
                length += (p.0 - a.0).hypot(p.1 - a.1);
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                let whole = dx.hypot(dy).max(1e-6);
                // Slow waves along the line; corners stay where they are.
                let wave = (length / (by * 34.0).max(1e-3) + seed as f32).sin()
                    + 0.6 * (length / (by * 13.0).max(1e-3) + 2.3 * seed as f32).sin();
                let off = by * wave / 1.6;
                (p.0 + dy / whole * off, p.1 - dx / whole * off)
            })
            .collect();
        Self { points }.path()
    }

    fn edges(&self) -> impl Iterator<Item = (Point, Point)> {
        let count = self.points.len();
        (0..count).map(move |at| (self.points[at], self.points[(at + 1) % count]))
    }
}

fn bounds(points: &[Point]) -> (Point, Point) {
    points
        .iter()
        .fold(((f32::MAX, f32::MAX), (f32::MIN, f32::MIN)), |(a, b), p| {
            ((a.0.min(p.0), a.1.min(p.1)), (b.0.max(p.0), b.1.max(p.1)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> Outline {
        Outline {
            points: vec![(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)],
        }
    }

    #[test]
    fn a_spike_is_part_of_the_outline() {
        let square = square();
        let (number, at) = square.crossing((5.0, 5.0), (5.0, 30.0)).unwrap();
        assert_eq!((number, at), (2, (5.0, 10.0)));
        let spiked = square.spliced(number, at, 2.0, |_, _| vec![(5.0, 20.0)]);
        assert!(spiked.contains((5.0, 15.0)) && spiked.contains((1.0, 9.0)));
        assert!(!spiked.contains((1.0, 11.0)));
        assert_eq!(spiked.bounds(), ((0.0, 0.0), (10.0, 20.0)));
    }

    #[test]
    fn a_cut_longer_than_the_outline_does_not_hang() {
        let square = square();
        let spiked = square.spliced(0, (5.0, 0.0), 1e9, |_, _| vec![(5.0, -9.0)]);
        assert!(spiked.points.len() < 16);
    }
}
