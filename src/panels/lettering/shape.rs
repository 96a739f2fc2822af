//! The space that text is laid out in.

/// How finely a shape is measured.
const ROWS: usize = 128;

/// A space for text: at each height, from where to where it reaches. Page units.
#[derive(Clone, Debug)]
pub struct Shape {
    top: f32,
    bottom: f32,
    /// Left and right end at the middle of each row; `None` where there is nothing.
    rows: Vec<Option<(f32, f32)>>,
}

impl Shape {
    /// A rectangle.
    pub fn rect(left: f32, top: f32, width: f32, height: f32) -> Self {
        let (right, bottom) = (left + width, top + height);
        Self::polygon(&[(left, top), (right, top), (right, bottom), (left, bottom)])
    }

    /// A superellipse in a box: `exponent` 2 is an ellipse, larger is squarer.
    pub fn round(left: f32, top: f32, width: f32, height: f32, exponent: f32) -> Self {
        let (rx, ry) = (width / 2.0, height / 2.0);
        let points: Vec<(f32, f32)> = (0..96)
            .map(|at| {
                let angle = at as f32 / 96.0 * std::f32::consts::TAU;
                let (sin, cos) = angle.sin_cos();
                let bend = |value: f32| value.signum() * value.abs().powf(2.0 / exponent);
                (left + rx + rx * bend(cos), top + ry + ry * bend(sin))
            })
            .collect();
        Self::polygon(&points)
    }

    /// The inside of a closed outline; of several parts at one height, the widest.
    pub fn polygon(points: &[(f32, f32)]) -> Self {
        let finite = points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite());
        let points: Vec<(f32, f32)> = finite.copied().collect();
        let ys = points.iter().map(|(_, y)| *y);
        let (top, bottom) = ys.fold((f32::MAX, f32::MIN), |(a, b), y| (a.min(y), b.max(y)));
        if top >= bottom {
            return Self {
                top: 0.0,
                bottom: 0.0,
                rows: Vec::new(),
            };
        }
        let step = (bottom - top) / ROWS as f32;
        let rows = (0..ROWS)
            .map(|row| {
                let y = top + (row as f32 + 0.5) * step;
                let mut crossings: Vec<f32> = Vec::new();
                for (at, a) in points.iter().enumerate() {
                    let b = points[(at + 1) % points.len()];
                    if (a.1 <= y) != (b.1 <= y) {
                        crossings.push(a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0));
                    }
                }
                crossings.sort_by(f32::total_cmp);
                crossings
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|[left, right]| (*left, *right))
                    .max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))
            })
            .collect();
        Self { top, bottom, rows }
    }

    /// From where to where it reaches at every height between `from` and `to`.
    pub fn span(&self, from: f32, to: f32) -> Option<(f32, f32)> {
        let slack = (self.bottom - self.top) * 1e-3;
        if self.rows.is_empty() || from < self.top - slack || to > self.bottom + slack || from > to
        {
            return None;
        }
        let row = |y: f32| {
            let at = (y - self.top) / (self.bottom - self.top) * ROWS as f32;
            (at as usize).min(ROWS - 1)
        };
        let mut span = (f32::MIN, f32::MAX);
        for row in &self.rows[row(from)..=row(to)] {
            let (left, right) = (*row)?;
            span = (span.0.max(left), span.1.min(right));
        }
        (span.0 < span.1).then_some(span)
    }

    /// Upper and lower edge.
    pub fn heights(&self) -> (f32, f32) {
        (self.top, self.bottom)
    }

    /// Its area.
    pub fn area(&self) -> f32 {
        let widths: f32 = self
            .rows
            .iter()
            .flatten()
            .map(|(left, right)| right - left)
            .sum();
        widths * (self.bottom - self.top) / ROWS as f32
    }

    /// The middle of its area.
    pub fn middle(&self) -> (f32, f32) {
        let step = (self.bottom - self.top) / ROWS as f32;
        let (mut x, mut y, mut all) = (0.0, 0.0, 0.0);
        for (row, span) in self.rows.iter().enumerate() {
            let Some((left, right)) = span else { continue };
            let width = right - left;
            x += (left + right) / 2.0 * width;
            y += (self.top + (row as f32 + 0.5) * step) * width;
            all += width;
        }
        if all > 0.0 {
            (x / all, y / all)
        } else {
            (0.0, self.top)
        }
    }

    /// Left and right end of all of it.
    pub fn widths(&self) -> (f32, f32) {
        self.rows
            .iter()
            .flatten()
            .fold((f32::MAX, f32::MIN), |(a, b), (left, right)| {
                (a.min(*left), b.max(*right))
            })
    }

    /// Smaller by a share of its size, around its middle: the space between text and outline.
    pub fn shrunk(&self, across: f32, along: f32) -> Self {
        let (x, y) = self.middle();
        let to_x = |value: f32| x + (value - x) * across;
        let to_y = |value: f32| y + (value - y) * along;
        Self {
            top: to_y(self.top),
            bottom: to_y(self.bottom),
            rows: self
                .rows
                .iter()
                .map(|row| row.map(|(left, right)| (to_x(left), to_x(right))))
                .collect(),
        }
    }

    /// With its axes swapped, for vertical text: columns, the rightmost first.
    pub fn turned(&self) -> Self {
        let step = (self.bottom - self.top) / ROWS as f32;
        // The outline, along the left ends and back along the right ones; at its ends it is as
        // wide as the first row.
        let mut points = Vec::with_capacity(self.rows.len() * 2 + 4);
        let rows = |row: usize| self.rows.get(row).copied().flatten();
        let ends = |row: usize, y: f32| rows(row).map(|(left, right)| [(left, y), (right, y)]);
        let first = ends(0, self.top);
        let last = ends(ROWS - 1, self.bottom);
        points.extend(first.map(|[left, _]| left));
        for row in 0..self.rows.len() {
            points.extend(rows(row).map(|(left, _)| (left, self.top + (row as f32 + 0.5) * step)));
        }
        points.extend(last.into_iter().flatten());
        for row in (0..self.rows.len()).rev() {
            points
                .extend(rows(row).map(|(_, right)| (right, self.top + (row as f32 + 0.5) * step)));
        }
        points.extend(first.map(|[_, right]| right));
        let turned: Vec<(f32, f32)> = points.into_iter().map(|(x, y)| (y, -x)).collect();
        Self::polygon(&turned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipse_is_widest_in_its_middle() {
        let shape = Shape::round(0.0, 0.0, 200.0, 100.0, 2.0);
        let at = |y: f32| {
            shape
                .span(y - 1.0, y + 1.0)
                .map(|(left, right)| right - left)
        };
        assert!(at(50.0).unwrap() > 195.0 && at(10.0).unwrap() < 130.0);
        assert_eq!(shape.span(-5.0, 5.0), None);
        let (x, y) = shape.middle();
        assert!((x - 100.0).abs() < 1.0 && (y - 50.0).abs() < 1.0);
        let turned = shape.turned();
        let (left, right) = turned.widths();
        assert!((right - left - 100.0).abs() < 4.0);
        let (top, bottom) = turned.heights();
        assert!((bottom - top - 200.0).abs() < 4.0);
    }

    #[test]
    fn nonsense_has_no_room() {
        for points in [
            &[][..],
            &[(f32::NAN, 0.0), (1.0, 2.0)],
            &[(0.0, 0.0), (5.0, 0.0), (9.0, 0.0)],
        ] {
            assert_eq!(Shape::polygon(points).span(0.0, 0.0), None);
            Shape::polygon(points).turned();
        }
    }
}
