//! What of a page is a panel of a scroll, and in which order it is read.

use crate::frame::Size;
use crate::panels::{Frame, Layer, Letterer, Page, PanelKind, Piece, Rect};

/// How far words and bubbles reach out of their panel at most, in shares of its sides.
pub(super) const REACH: f32 = 0.5;
/// How much of a place lies in another one that shows it.
const SHOWN: f32 = 0.6;
/// A drawn thing that is more of a panel than this is scenery or a border.
const LARGE: f32 = 0.5;
/// How far panels beside or below each other may overlap: slanted gutters do, in their boxes.
const SLANT: f32 = 0.3;

/// The panels of a scroll, in the order they are read. The whole page where it is a composition
/// of its own: with one panel, with people who stand on the page itself, or with most of its
/// words beside the panels.
pub(super) fn places(page: &Page) -> Vec<Frame> {
    let (width, height) = page.units();
    let whole = || {
        vec![Frame::plain(Rect {
            x: 0.0,
            y: 0.0,
            width,
            height,
        })]
    };
    let (people, pictures): (Vec<_>, Vec<_>) = page
        .panels()
        .partition(|panel| panel.kind == PanelKind::Person);
    let mut places: Vec<Frame> = pictures.iter().map(|panel| page.shape_of(panel)).collect();
    for person in people {
        if is_shown(&person.bounds, &places) {
            continue;
        }
        match page.frame_of(person) {
            Some(frame) => places.push(frame),
            None => return whole(),
        }
    }
    // A small one in a large one is seen there.
    places.sort_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
    let mut kept: Vec<Frame> = Vec::with_capacity(places.len());
    for place in places {
        if !is_shown(&place.bounds, &kept) {
            kept.push(place);
        }
    }
    if kept.len() < 2 || has_words_beside(page, &kept) {
        return whole();
    }
    in_order(kept)
}

/// What belongs to a place and may stand out of it.
#[derive(Clone, Default)]
pub(super) struct Own {
    /// People, words, bubbles and sounds, by the numbers of their layers.
    pub layers: Vec<usize>,
    /// Drawn things, like badges and bursts, and where they are.
    pub pieces: Vec<(Piece, Rect)>,
    /// Drawn things in front of the place that do not belong to it and stand in it with a part of
    /// them.
    pub strange: Vec<Piece>,
}

/// What belongs to each of these places: people, and the words, bubbles, sounds and small drawn
/// things that were drawn in it, else words nearest to it. A bubble that followed its face out of
/// the place's reach belongs to where it came to stand.
pub(super) fn belongings(page: &Page, letterer: &Letterer, places: &[Frame]) -> Vec<Own> {
    let nearest = |rect: &Rect| {
        let middle = middle_of(rect);
        // Boxes of slanted panels overlap, the panels do not.
        let far = |place: &Frame| {
            let is_in_it = place.holds((middle.x, middle.y));
            gap(&place.bounds, &middle) + if is_in_it { 0.0 } else { 1.0 }
        };
        (0..places.len()).min_by(|a, b| far(&places[*a]).total_cmp(&far(&places[*b])))
    };
    let most_of = |rect: &Rect| {
        let common = |place: &Frame| place.bounds.common(rect).area();
        (0..places.len()).max_by(|a, b| common(&places[*a]).total_cmp(&common(&places[*b])))
    };
    let mut own = vec![Own::default(); places.len()];
    for (number, layer) in page.layers().iter().enumerate() {
        let at = match layer {
            Layer::Panel(panel) if panel.kind == PanelKind::Person => most_of(&panel.bounds),
            Layer::Sound(sound) => nearest(&sound.bounds),
            Layer::Text(said) | Layer::Bubble(said) => {
                let drawn = nearest(&said.bounds);
                let stands = letterer.stands(number);
                let left = drawn.zip(stands).filter(|(at, stands)| {
                    let reached = reach_of(&places[*at].bounds);
                    reached.common(stands).area() < 0.999 * stands.area()
                });
                left.map_or(drawn, |(_, stands)| nearest(&stands))
            }
            _ => None,
        };
        if let Some(at) = at {
            own[at].layers.push(number);
        }
    }
    if places.len() > 1 {
        let pieces = page.pieces();
        for (place, own) in places.iter().zip(&mut own) {
            share_out(page, place, &pieces, own);
        }
    }
    own
}

/// Finds a place's own among the pieces in front of it, and those that are not.
fn share_out(page: &Page, place: &Frame, pieces: &[(Piece, Rect)], own: &mut Own) {
    let bounds = &place.bounds;
    let shows_it = |layer: &Layer| match layer {
        Layer::Panel(panel) => panel.bounds.common(bounds).area() > SHOWN * panel.bounds.area(),
        _ => false,
    };
    let picture = page.layers().iter().position(shows_it).unwrap_or(0);
    let with_border = bounds.grown(place.border);
    for (piece, stands) in pieces {
        let common = stands.common(bounds).area();
        if piece.0 < picture || !stands.touches(&with_border) {
            continue;
        }
        let middle = middle_of(stands);
        let is_in_it = place.holds((middle.x, middle.y));
        if is_in_it && stands.area() < LARGE * bounds.area() {
            own.pieces.push((*piece, *stands));
        } else if common < SHOWN * bounds.area() && common < LARGE * stands.area() {
            own.strange.push(*piece);
        }
    }
}

/// Where what belongs to a panel may stand.
pub(super) fn reach_of(place: &Rect) -> Rect {
    Rect {
        x: place.x - REACH * place.width,
        y: place.y - REACH * place.height,
        width: place.width * (1.0 + 2.0 * REACH),
        height: place.height * (1.0 + 2.0 * REACH),
    }
}

/// Rows of a program of `size` that are better not cut through, from above to below: panels,
/// sounds, and words and bubbles where they came to be.
pub(super) fn rows(page: &Page, letterer: &Letterer, size: Size) -> Vec<(u32, u32)> {
    let scale = size.height as f32 / page.units().1.max(1e-3);
    let row = |value: f32| (value.max(0.0) as u32).min(size.height);
    let drawn = page.layers().iter().filter_map(|layer| match layer {
        Layer::Panel(panel) => Some(panel.bounds),
        Layer::Sound(sound) => Some(sound.bounds),
        _ => None,
    });
    let drawn = drawn.map(|bounds| {
        let bottom = bounds.y + bounds.height;
        (row(bounds.y * scale), row((bottom * scale).ceil()))
    });
    let lettered = letterer.places().into_iter().map(|place| {
        let top = place.rect.y as f32;
        (row(top), row(top + place.rect.height as f32))
    });
    let mut rows: Vec<(u32, u32)> = drawn.chain(lettered).collect();
    rows.sort_unstable();
    let mut apart: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
    for (top, bottom) in rows {
        match apart.last_mut() {
            Some(last) if top < last.1 => last.1 = last.1.max(bottom),
            _ => apart.push((top, bottom)),
        }
    }
    apart
}

fn middle_of(rect: &Rect) -> Rect {
    Rect {
        x: rect.x + rect.width / 2.0,
        y: rect.y + rect.height / 2.0,
        width: 0.0,
        height: 0.0,
    }
}

/// The distance between two boxes, 0 where they touch.
pub(super) fn gap(a: &Rect, b: &Rect) -> f32 {
    let dx = (b.x - a.x - a.width).max(a.x - b.x - b.width).max(0.0);
    let dy = (b.y - a.y - a.height).max(a.y - b.y - b.height).max(0.0);
    dx.hypot(dy)
}

fn is_shown(place: &Rect, places: &[Frame]) -> bool {
    let area = place.area().max(1e-6);
    places
        .iter()
        .any(|other| other.bounds.common(place).area() > SHOWN * area)
}

/// Whether most words and bubbles have their middle outside of the panels.
fn has_words_beside(page: &Page, places: &[Frame]) -> bool {
    let words: Vec<Rect> = page
        .layers()
        .iter()
        .filter_map(|layer| match layer {
            Layer::Text(words) | Layer::Bubble(words) => Some(words.bounds),
            _ => None,
        })
        .collect();
    let is_beside = |words: &&Rect| {
        let middle = middle_of(words);
        !places.iter().any(|place| place.bounds.touches(&middle))
    };
    words.iter().filter(is_beside).count() * 2 > words.len()
}

/// Row by row, from the left; where no row ends across the page, column by column.
fn in_order(mut places: Vec<Frame>) -> Vec<Frame> {
    if places.len() < 2 {
        return places;
    }
    let down = |place: &Frame| (place.bounds.y, place.bounds.height);
    let across = |place: &Frame| (place.bounds.x, place.bounds.width);
    for side in [down, across] {
        places.sort_by(|a, b| side(a).0.total_cmp(&side(b).0));
        if let Some(at) = (1..places.len()).find(|at| is_gutter(&places, *at, side)) {
            let rest = places.split_off(at);
            let mut ordered = in_order(places);
            ordered.append(&mut in_order(rest));
            return ordered;
        }
    }
    places.sort_by(|a, b| {
        let (a, b) = (&a.bounds, &b.bounds);
        a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x))
    });
    places
}

/// Whether the first `at` places end where the others begin.
fn is_gutter(places: &[Frame], at: usize, side: fn(&Frame) -> (f32, f32)) -> bool {
    let (before, after) = places.split_at(at);
    before.iter().all(|a| {
        after.iter().all(|b| {
            let ((a, long_a), (b, long_b)) = (side(a), side(b));
            a + long_a - b <= SLANT * long_a.min(long_b)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect((x, y, width, height): (f32, f32, f32, f32)) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn rows_are_read_before_columns_and_slanted_ones_are_understood() {
        // Two rows of two; the right ones begin a little higher.
        let two_by_two = [
            (0.0, 0.0, 90.0, 90.0),
            (100.0, -5.0, 90.0, 90.0),
            (0.0, 100.0, 90.0, 90.0),
            (100.0, 95.0, 90.0, 90.0),
        ];
        // A spread: on its left page one over two, on its right one two slanted ones.
        let spread = [
            (50.0, 46.0, 864.0, 594.0),
            (50.0, 666.0, 402.0, 644.0),
            (420.0, 666.0, 494.0, 644.0),
            (1006.0, 46.0, 864.0, 834.0),
            (1006.0, 828.0, 864.0, 482.0),
        ];
        for order in [two_by_two.as_slice(), &spread] {
            let wanted: Vec<Rect> = order.iter().copied().map(rect).collect();
            let mut shuffled: Vec<Frame> = wanted.iter().copied().map(Frame::plain).collect();
            shuffled.reverse();
            shuffled.swap(0, 2);
            let ordered: Vec<Rect> = in_order(shuffled).iter().map(|one| one.bounds).collect();
            assert_eq!(ordered, wanted);
        }
    }

    #[test]
    fn places_in_a_heap_are_ordered_somehow_and_all_kept() {
        let heap: Vec<Frame> = (0..48)
            .map(|at| rect((at as f32 * 3.0 % 17.0, at as f32 * 5.0 % 13.0, 60.0, 60.0)))
            .map(Frame::plain)
            .collect();
        assert_eq!(in_order(heap).len(), 48);
    }
}
