//! Lettering: text laid out into a shape, as a comic letterer does it.
//!
//! [`letter`] takes what somebody typed and a [`Shape`], and gives outlines that fit into it at any
//! scale. Lines end at words (Korean at spaces, then between syllables), follow the shape's width
//! at their height and leave no short word alone; the size is the largest up to the artist's that
//! fits. What does not fit at the smallest readable size ends in an ellipsis.
//!
//! Nothing people type is an error: controls are dropped, letters that no font has are left out
//! and named in [`Lettered::missing`] (where nothing else is left, an ellipsis stands for them),
//! right-to-left text is put in its order.

mod clean;
mod fit;
mod shape;
mod typeset;

pub use shape::Shape;

use resvg::tiny_skia::{Path, PathBuilder, Transform};

use super::Rect;
use super::drawn::Drawn;
use super::fonts::Typeface;
use fit::{Fitted, Fitter};
use typeset::{STRONG, Typeset};

/// How a text is lettered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hand {
    /// Its main font; others stand in for letters it lacks.
    pub face: Typeface,
    /// The largest size of an em, in page units.
    pub size: f32,
    /// The smallest that people can read, in page units.
    pub least: f32,
    /// Which way it is written.
    pub direction: Direction,
    /// Where its lines begin.
    pub align: Align,
}

/// Which way text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// In lines from top to bottom.
    #[default]
    Horizontal,
    /// In columns from right to left, letters upright.
    Vertical,
}

/// Where lines begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Align {
    /// At one edge.
    Start,
    /// In the middle.
    #[default]
    Middle,
    /// They end at one edge.
    End,
}

/// Text as outlines, in page units.
#[derive(Clone, Debug, Default)]
pub struct Lettered {
    /// The letters; `None` when there is nothing to show.
    pub letters: Option<Path>,
    /// Those that are emphasised: drawn bolder.
    pub strong: Option<Path>,
    /// Size of an em.
    pub size: f32,
    /// The box around all lines.
    pub bounds: Rect,
    /// Number of lines or columns.
    pub lines: usize,
    /// How many letters stand before the ellipsis, where not all fit.
    pub cut: Option<usize>,
    /// Letters that no font has.
    pub missing: Vec<char>,
}

impl Lettered {
    /// Letters that somebody else drew; `size` is about an em.
    pub(super) fn of(drawn: &[Drawn], size: f32) -> Self {
        let mut all = PathBuilder::new();
        drawn
            .iter()
            .for_each(|letters| all.push_path(&letters.path));
        let letters = all.finish();
        let bounds = letters
            .as_ref()
            .map_or(Rect::default(), |letters| Rect::from(letters.bounds()));
        Self {
            letters,
            strong: None,
            size,
            bounds,
            lines: 1,
            cut: None,
            missing: Vec::new(),
        }
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.letters.is_none() && self.strong.is_none()
    }
}

/// Lays `text` out into `shape`.
pub fn letter(text: &str, hand: &Hand, shape: &Shape) -> Lettered {
    let usable = |value: f32| {
        if value.is_finite() {
            value.clamp(0.1, 20_000.0)
        } else {
            10.0
        }
    };
    let most = usable(hand.size);
    let least = usable(hand.least).min(most);
    let clean = clean::clean(text);
    let Typeset {
        mut pieces,
        missing,
    } = typeset::typeset(&clean, hand.face, hand.direction);
    if pieces.is_empty() {
        return Lettered {
            missing,
            ..Lettered::default()
        };
    }
    let vertical = hand.direction == Direction::Vertical;
    let turned;
    let space = if vertical {
        turned = shape.turned();
        &turned
    } else {
        shape
    };
    let metrics = metrics_of(hand);
    let mut cut = None;
    let fitted = match Fitter::new(&pieces, metrics, space).fit(most, least) {
        Some(fitted) if !clean.cut => fitted,
        _ => {
            // As much of it as fits, at the smallest size, found by halving.
            let dots = typeset::typeset(&clean::clean("…"), hand.face, hand.direction).pieces;
            let with_dots = |count: usize| {
                let mut some = pieces[..count].to_vec();
                while some.last().is_some_and(|piece| piece.space) {
                    some.pop();
                }
                if let Some(last) = some.last_mut() {
                    last.after = typeset::Break::Never;
                }
                some.extend(dots.iter().cloned());
                some
            };
            let (mut fits, mut too_many) = (0, pieces.len() + 1);
            while too_many - fits > 1 {
                let middle = usize::midpoint(fits, too_many);
                let some = with_dots(middle);
                if Fitter::new(&some, metrics, space)
                    .fit(least, least)
                    .is_some()
                {
                    fits = middle;
                } else {
                    too_many = middle;
                }
            }
            pieces = with_dots(fits);
            cut = Some(fits);
            // What is left may be set larger again when words were long; not even dots may fit.
            match Fitter::new(&pieces, metrics, space).fit(most, least) {
                Some(fitted) => fitted,
                None => {
                    return Lettered {
                        missing,
                        cut: Some(0),
                        ..Lettered::default()
                    };
                }
            }
        }
    };
    let (letters, strong) = outlines(&pieces, &fitted, metrics, hand);
    Lettered {
        letters,
        strong,
        size: fitted.size,
        bounds: bounds(&fitted, vertical),
        lines: fitted.lines.len(),
        cut,
        missing,
    }
}

/// Letters of `text` that no font of the program has, nor a letter that says the same.
pub(super) fn missing(text: &str) -> Vec<char> {
    typeset::typeset(&clean::clean(text), Typeface::Jua, Direction::Horizontal).missing
}

/// Whether a letter leaves ink.
pub(super) fn is_seen(letter: char) -> bool {
    !letter.is_whitespace() && !clean::unseen(letter)
}

/// Whether `text` fits into `shape` at the hand's size, with every word whole.
pub fn fits_whole(text: &str, hand: &Hand, shape: &Shape) -> bool {
    let clean = clean::clean(text);
    let pieces = typeset::typeset(&clean, hand.face, hand.direction).pieces;
    let vertical = hand.direction == Direction::Vertical;
    let turned = vertical.then(|| shape.turned());
    let space = turned.as_ref().unwrap_or(shape);
    !clean.cut && Fitter::new(&pieces, metrics_of(hand), space).fits_whole(hand.size)
}

/// The measures of a line or a column.
fn metrics_of(hand: &Hand) -> typeset::Metrics {
    match hand.direction {
        Direction::Horizontal => hand.face.metrics(),
        // Columns are as wide as a letter.
        Direction::Vertical => typeset::Metrics {
            top: 0.46,
            bottom: -0.46,
            leading: 1.18,
        },
    }
}

/// Writes `text` on lines from the point 0, 0: the first baseline, at the place that `align`
/// names. Where a line is wider than `room` the text is set smaller, and cut at the smallest size.
pub fn write(text: &str, hand: &Hand, room: f32) -> Lettered {
    let usable = |value: f32| {
        if value.is_finite() {
            value.clamp(0.1, 20_000.0)
        } else {
            10.0
        }
    };
    let (most, room) = (usable(hand.size), usable(room));
    let least = usable(hand.least).min(most);
    let clean = clean::clean(text);
    let Typeset {
        mut pieces,
        missing,
    } = typeset::typeset(&clean, hand.face, Direction::Horizontal);
    let mut cut = clean.cut.then_some(pieces.len());
    let widest = |pieces: &[typeset::Piece]| {
        rows(pieces)
            .iter()
            .map(|(_, _, width)| *width)
            .fold(0.0, f32::max)
            .max(1e-3)
    };
    let size = (room / widest(&pieces)).min(most).max(least);
    if size * widest(&pieces) > room * 1.001 {
        let mut shown = 0;
        let dots = typeset::typeset(&clean::clean("…"), hand.face, Direction::Horizontal).pieces;
        let dots_wide: f32 = dots.iter().map(|piece| piece.advance).sum();
        let mut short = Vec::new();
        for (first, last, _) in rows(&pieces) {
            let mut width = 0.0;
            let line = &pieces[first..last];
            let fits = line.iter().position(|piece| {
                width += piece.advance;
                (width + dots_wide) * size > room
            });
            match fits {
                Some(end) => {
                    short.extend(line[..end].iter().cloned());
                    short.extend(dots.iter().cloned());
                    shown += end;
                }
                None => {
                    short.extend(line.iter().cloned());
                    shown += line.len();
                }
            }
            if let Some(last) = short.last_mut() {
                last.after = typeset::Break::Must;
            }
        }
        pieces = short;
        cut = Some(shown);
    }
    let metrics = hand.face.metrics();
    let lines: Vec<fit::Line> = rows(&pieces)
        .into_iter()
        .enumerate()
        .map(|(number, (first, last, width))| {
            let baseline = metrics.leading * size * number as f32;
            let width = width * size;
            let middle = match hand.align {
                Align::Start => width / 2.0,
                Align::Middle => 0.0,
                Align::End => -width / 2.0,
            };
            fit::Line {
                first,
                last,
                top: baseline - metrics.top * size,
                bottom: baseline - metrics.bottom * size,
                middle,
                width,
                room: width,
            }
        })
        .collect();
    if lines.is_empty() {
        return Lettered {
            missing,
            cut,
            ..Lettered::default()
        };
    }
    let fitted = Fitted::of(size, lines);
    let centred = Hand {
        align: Align::Middle,
        direction: Direction::Horizontal,
        ..*hand
    };
    let (letters, strong) = outlines(&pieces, &fitted, metrics, &centred);
    Lettered {
        letters,
        strong,
        size,
        bounds: bounds(&fitted, false),
        lines: fitted.lines.len(),
        cut,
        missing,
    }
}

/// The lines as they are written: first and last piece, without spaces at the end, and width.
fn rows(pieces: &[typeset::Piece]) -> Vec<(usize, usize, f32)> {
    let mut rows = Vec::new();
    let mut start = 0;
    for at in 0..pieces.len() {
        if at + 1 == pieces.len() || pieces[at].after == typeset::Break::Must {
            let mut end = at + 1;
            while end > start && pieces[end - 1].space {
                end -= 1;
            }
            let width = pieces[start..end].iter().map(|piece| piece.advance).sum();
            rows.push((start, end, width));
            start = at + 1;
        }
    }
    rows
}

fn bounds(fitted: &Fitted, vertical: bool) -> Rect {
    let (mut left, mut right) = (f32::MAX, f32::MIN);
    let (mut top, mut bottom) = (f32::MAX, f32::MIN);
    for line in &fitted.lines {
        left = left.min(line.middle - line.width / 2.0);
        right = right.max(line.middle + line.width / 2.0);
        top = top.min(line.top);
        bottom = bottom.max(line.bottom);
    }
    let (x, y, width, height) = if vertical {
        // Turned back: x is minus the second axis.
        (-bottom, left, bottom - top, right - left)
    } else {
        (left, top, right - left, bottom - top)
    };
    Rect {
        x,
        y,
        width,
        height,
    }
}

/// Letters and emphasised letters as paths.
fn outlines(
    pieces: &[typeset::Piece],
    fitted: &Fitted,
    metrics: typeset::Metrics,
    hand: &Hand,
) -> (Option<Path>, Option<Path>) {
    let vertical = hand.direction == Direction::Vertical;
    let mut plain = PathBuilder::new();
    let mut strong = PathBuilder::new();
    let block = fitted
        .lines
        .iter()
        .map(|line| line.room)
        .fold(f32::MAX, f32::min);
    for line in &fitted.lines {
        let size = fitted.size;
        let start = match hand.align {
            Align::Middle => line.middle - line.width / 2.0,
            Align::Start => line.middle - block / 2.0,
            Align::End => line.middle + block / 2.0 - line.width,
        };
        let mut pen = start.max(line.middle - line.room / 2.0);
        let line_pieces = &pieces[line.first..line.last];
        let levels: Vec<u8> = line_pieces.iter().map(|piece| piece.level).collect();
        // Vertical text has one order.
        let order = if vertical {
            (0..line_pieces.len()).collect()
        } else {
            typeset::visual_order(&levels)
        };
        for piece in order.into_iter().filter_map(|at| line_pieces.get(at)) {
            let larger = if piece.strong { STRONG } else { 1.0 };
            let scale = size * larger;
            for glyph in &piece.glyphs {
                let Some(path) = glyph.face.outline(glyph.id) else {
                    continue;
                };
                let place = if vertical {
                    let x = -(line.top + line.bottom) / 2.0;
                    let upright = Transform::from_row(
                        scale,
                        0.0,
                        0.0,
                        -scale,
                        x + glyph.x * scale,
                        pen - glyph.y * scale,
                    );
                    if glyph.turned {
                        // Quarter turn to the right: along goes down, up goes right.
                        Transform::from_row(
                            0.0,
                            scale,
                            scale,
                            0.0,
                            x - glyph.y * scale,
                            pen + glyph.x * scale,
                        )
                    } else {
                        upright
                    }
                } else {
                    // Larger letters stay in the middle of the line.
                    let height = (metrics.top - metrics.bottom) * size;
                    let drop = height * (larger - 1.0) / 2.0;
                    let baseline = line.bottom + metrics.bottom * size + drop;
                    Transform::from_row(
                        scale,
                        0.0,
                        0.0,
                        -scale,
                        pen + glyph.x * scale,
                        baseline - glyph.y * scale,
                    )
                };
                if let Some(path) = path.transform(place) {
                    if piece.strong {
                        &mut strong
                    } else {
                        &mut plain
                    }
                    .push_path(&path);
                }
            }
            pen += piece.advance * size;
        }
    }
    (plain.finish(), strong.finish())
}

#[cfg(test)]
mod tests;
