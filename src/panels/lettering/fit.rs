//! Breaks text into lines that follow a shape, as large as fits.
//!
//! For a size and a number of lines, the best breaks are found by dynamic programming over the
//! places where lines may end (after Knuth and Plass, Breaking Paragraphs into Lines, 1981), with
//! each line's goal in proportion to the shape's width at its height. Sizes are tried downwards;
//! a little size is given up for lines that read better.

use super::shape::Shape;
use super::typeset::{Break, Metrics, Piece, STRONG};

/// A broken text.
#[derive(Clone, Debug)]
pub(super) struct Fitted {
    /// Size of an em.
    pub size: f32,
    pub lines: Vec<Line>,
    /// The sum of what was not good about it.
    cost: f32,
}

impl Fitted {
    /// Lines that somebody else broke.
    pub fn of(size: f32, lines: Vec<Line>) -> Self {
        Self {
            size,
            lines,
            cost: 0.0,
        }
    }
}

/// One line: pieces `first..last`, its ink between `top` and `bottom`, `middle` its axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub first: usize,
    pub last: usize,
    pub top: f32,
    pub bottom: f32,
    pub middle: f32,
    /// How wide it is.
    pub width: f32,
    /// How wide it could be.
    pub room: f32,
}

/// Each size is this much smaller than the one before.
const STEP: f32 = 0.955;
/// How far below the largest that fits a size may be for better lines.
const GIVE: f32 = 0.72;
/// What a size smaller by a factor e costs.
const SIZE_COST: f32 = 2.4;
/// What a line end inside a word costs.
const TORN: f32 = 8.0;

/// Where words may be torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tear {
    Never,
    /// Between the syllables of Korean words.
    Syllables,
    Anywhere,
}

/// A text with its widths added up.
pub(super) struct Fitter<'a> {
    pieces: &'a [Piece],
    metrics: Metrics,
    shape: &'a Shape,
    /// Width of all pieces before each.
    before: Vec<f32>,
    /// For each piece, the end of the run without the spaces at it.
    trimmed: Vec<usize>,
    axis: f32,
}

impl<'a> Fitter<'a> {
    pub fn new(pieces: &'a [Piece], metrics: Metrics, shape: &'a Shape) -> Self {
        let mut before = vec![0.0];
        let mut trimmed = vec![0];
        let mut sum = 0.0;
        let mut ink = 0;
        for (at, piece) in pieces.iter().enumerate() {
            sum += piece.advance;
            before.push(sum);
            if !piece.space {
                ink = at + 1;
            }
            trimmed.push(ink);
        }
        Self {
            pieces,
            metrics,
            shape,
            before,
            trimmed,
            axis: shape.middle().0,
        }
    }

    /// The best lines at a size from `most` down to `least`; `None` when it does not fit.
    pub fn fit(&self, most: f32, least: f32) -> Option<Fitted> {
        self.search(most, least, Tear::Syllables)
            .or_else(|| self.search(most, least, Tear::Anywhere))
    }

    /// Whether it fits at `size` with every word whole.
    pub fn fits_whole(&self, size: f32) -> bool {
        self.search(size, size, Tear::Never).is_some()
    }

    fn search(&self, most: f32, least: f32, tear: Tear) -> Option<Fitted> {
        let mut best: Option<Fitted> = None;
        let mut largest = None;
        let mut size = most.min(self.bound(most, least)?);
        loop {
            size = size.max(least);
            if largest.is_some_and(|largest: f32| size < largest * GIVE) {
                break;
            }
            if let Some(mut found) = self.at_size(size, tear) {
                let largest = *largest.get_or_insert(size);
                found.cost += SIZE_COST * (largest / size).ln();
                if best.as_ref().is_none_or(|best| found.cost < best.cost) {
                    best = Some(found);
                }
            }
            if size <= least {
                break;
            }
            size *= STEP;
        }
        best
    }

    /// No larger size can fit, by the area it needs.
    fn bound(&self, most: f32, least: f32) -> Option<f32> {
        let width = self.before.last().copied().unwrap_or(0.0);
        let area = self.shape.area();
        let ink = self.metrics.top - self.metrics.bottom;
        // Every letter needs its width times the height of its ink.
        let by_area = (area / (width * ink.max(0.1)).max(1e-6)).sqrt();
        let (top, bottom) = self.shape.heights();
        let by_height = (bottom - top) / ink.max(0.1);
        let bound = most.min(by_area).min(by_height);
        (bound >= least).then_some(bound)
    }

    /// The best lines at this size.
    fn at_size(&self, size: f32, tear: Tear) -> Option<Fitted> {
        let mut best: Option<Fitted> = None;
        let mut since = 0;
        for count in 1..=self.most_lines(size) {
            match self.with_lines(size, count, tear) {
                Some(found) if best.as_ref().is_none_or(|best| found.cost < best.cost) => {
                    best = Some(found);
                    since = 0;
                }
                _ if best.is_some() => since += 1,
                _ => {}
            }
            // More lines than is good only get worse.
            if since >= 3 {
                break;
            }
        }
        best
    }

    fn most_lines(&self, size: f32) -> usize {
        let (top, bottom) = self.shape.heights();
        let ink = (self.metrics.top - self.metrics.bottom) * size;
        let more = (bottom - top - ink) / (self.metrics.leading * size);
        if more < -1e-3 {
            0
        } else {
            (more + 1e-3) as usize + 1
        }
        .min(self.pieces.len().max(1))
        .min(160)
    }

    /// Where `count` lines of this size lie in the shape.
    fn places(&self, size: f32, count: usize) -> Option<Vec<Line>> {
        let ink = (self.metrics.top - self.metrics.bottom) * size;
        let leading = self.metrics.leading * size;
        let height = ink + leading * (count - 1) as f32;
        let (top, bottom) = self.shape.heights();
        let first = (self.shape.middle().1 - height / 2.0)
            .min(bottom - height)
            .max(top);
        (0..count)
            .map(|number| {
                let top = first + leading * number as f32;
                let (left, right) = self.shape.span(top, top + ink)?;
                let around_axis = 2.0 * (self.axis - left).min(right - self.axis);
                // Lines share an axis, unless the shape bends away from it.
                let (middle, room) = if around_axis > (right - left) * 0.6 {
                    (self.axis, around_axis)
                } else {
                    ((left + right) / 2.0, right - left)
                };
                let bottom = top + ink;
                Some(Line {
                    first: 0,
                    last: 0,
                    top,
                    bottom,
                    middle,
                    width: 0.0,
                    room,
                })
            })
            .collect()
    }

    fn width(&self, first: usize, last: usize) -> f32 {
        let last = self.trimmed[last].max(first);
        self.before[last] - self.before[first]
    }

    fn with_lines(&self, size: f32, count: usize, tear: Tear) -> Option<Fitted> {
        let mut lines = self.places(size, count)?;
        let widest = lines.iter().map(|line| line.room).fold(0.0, f32::max);
        let all = self.before.last().copied().unwrap_or(0.0) * size;
        // Spaces at the ends of lines take no room; a long text is not tried in vain.
        let spaces = 0.4 * STRONG * size * count as f32;
        if lines.iter().map(|line| line.room).sum::<f32>() < all - spaces {
            return None;
        }
        let ends = self.ends(tear);
        let fill = (all / lines.iter().map(|line| line.room).sum::<f32>()).min(1.0);
        // best[e]: the lowest cost of lines so far when the last of them ends at ends[e].
        let mut best: Vec<f32> = vec![f32::INFINITY; ends.len()];
        best[0] = 0.0;
        let mut from: Vec<Vec<u32>> = Vec::with_capacity(count);
        for (number, line) in lines.iter().enumerate() {
            let is_last = number + 1 == count;
            let mut next = vec![f32::INFINITY; ends.len()];
            let mut origin = vec![u32::MAX; ends.len()];
            for (start, so_far) in best.iter().enumerate() {
                if !so_far.is_finite() {
                    continue;
                }
                for end in start + 1..ends.len() {
                    let (first, (last, must, cost)) = (ends[start].0, ends[end]);
                    let width = self.width(first, last) * size;
                    if width > line.room * 1.0005 {
                        break;
                    }
                    let finished = end + 1 == ends.len();
                    if finished == is_last {
                        let off = (fill * line.room - width) / widest;
                        let lone = if is_last && count > 1 {
                            self.lone(first, width / widest)
                        } else {
                            0.0
                        };
                        let off = if must && !finished { off * 0.3 } else { off };
                        let cost =
                            so_far + off * off * 3.0 + lone + if finished { 0.0 } else { cost };
                        if cost < next[end] {
                            next[end] = cost;
                            origin[end] = start as u32;
                        }
                    }
                    if must {
                        break;
                    }
                }
            }
            best = next;
            from.push(origin);
        }
        let mut end = ends.len() - 1;
        let cost = best[end];
        if !cost.is_finite() {
            return None;
        }
        for number in (0..count).rev() {
            let start = *from[number].get(end)? as usize;
            let line = &mut lines[number];
            (line.first, line.last) = (ends.get(start)?.0, ends[end].0);
            line.last = self.trimmed[line.last].max(line.first);
            line.width = self.width(line.first, line.last) * size;
            end = start;
        }
        Some(Fitted {
            size,
            cost: cost + self.proportions(&lines),
            lines,
        })
    }

    /// The places where lines may end: piece, whether it must, cost. The first is the start.
    fn ends(&self, tear: Tear) -> Vec<(usize, bool, f32)> {
        let mut ends = vec![(0, false, 0.0)];
        for (at, piece) in self.pieces.iter().enumerate() {
            let last = at + 1 == self.pieces.len();
            match piece.after {
                _ if last => ends.push((at + 1, true, 0.0)),
                Break::Must => ends.push((at + 1, true, 0.0)),
                Break::May(cost) if cost < 1.0 || tear != Tear::Never => {
                    ends.push((at + 1, false, cost));
                }
                Break::Never | Break::May(_) if tear == Tear::Anywhere => {
                    ends.push((at + 1, false, TORN))
                }
                Break::Never | Break::May(_) => {}
            }
        }
        ends
    }

    /// A short last word on a line of its own looks lost.
    fn lone(&self, first: usize, share: f32) -> f32 {
        let is_one_word = !self.pieces[first..].iter().any(|piece| piece.space);
        let letters = self.pieces.len() - first;
        match (is_one_word, share) {
            (true, share) if share < 0.3 || letters <= 2 => 0.9,
            (true, share) if share < 0.45 => 0.2,
            _ => 0.0,
        }
    }

    /// Text should have about the shape's proportions, a little wider.
    fn proportions(&self, lines: &[Line]) -> f32 {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            return 0.0;
        };
        let width = lines.iter().map(|line| line.width).fold(0.0, f32::max);
        let (left, right) = self.shape.widths();
        let (top, bottom) = self.shape.heights();
        let text = width / (last.bottom - first.top).max(1e-3);
        let shape = (right - left) / (bottom - top).max(1e-3);
        let off = (text / (shape * 1.1)).max(1e-3).ln();
        0.12 * off * off
    }
}
