//! What of a page is a panel of a scroll, and in which order it is read.

use crate::frame::Size;
use crate::panels::{Layer, Letterer, Page, PanelKind, Rect};

/// How far words and bubbles reach out of their panel at most, in shares of its height.
pub(super) const REACH: f32 = 0.5;
/// How much of a place lies in another one that shows it.
const SHOWN: f32 = 0.6;
/// How far panels beside or below each other may overlap: slanted gutters do, in their boxes.
const SLANT: f32 = 0.3;

/// The panels of a scroll, in the order they are read. The whole page where it is a composition
/// of its own: with one panel, with people who stand on the page itself, or with most of its
/// words beside the panels.
pub(super) fn places(page: &Page) -> Vec<Rect> {
    let (width, height) = page.units();
    let whole = Rect {
        x: 0.0,
        y: 0.0,
        width,
        height,
    };
    let (people, pictures): (Vec<_>, Vec<_>) = page
        .panels()
        .partition(|panel| panel.kind == PanelKind::Person);
    let mut places: Vec<Rect> = pictures.iter().map(|panel| panel.bounds).collect();
    for person in people {
        if is_shown(&person.bounds, &places) {
            continue;
        }
        match page.frame_of(person) {
            Some(frame) => places.push(frame.around(&person.bounds).common(&whole)),
            None => return vec![whole],
        }
    }
    // A small one in a large one is seen there.
    places.sort_by(|a, b| b.area().total_cmp(&a.area()));
    let mut kept: Vec<Rect> = Vec::with_capacity(places.len());
    for place in places {
        if !is_shown(&place, &kept) {
            kept.push(place);
        }
    }
    if kept.len() < 2 || has_words_beside(page, &kept) {
        return vec![whole];
    }
    in_order(kept)
}

/// The words and bubbles that belong to each of these places, by the names of their texts: those
/// drawn in it, else nearest to it. A bubble that followed its face out of the place's reach, on a
/// program of `size`, belongs to where it came to stand.
pub(super) fn words_of(
    page: &Page,
    letterer: &Letterer,
    size: Size,
    places: &[Rect],
) -> Vec<Vec<String>> {
    let scale = size.width as f32 / page.units().0.max(1e-3);
    let standing = letterer.places();
    let nearest = |rect: &Rect| {
        let middle = middle_of(rect);
        let far = |place: &Rect| gap(place, &middle);
        (0..places.len()).min_by(|a, b| far(&places[*a]).total_cmp(&far(&places[*b])))
    };
    let mut words = vec![Vec::new(); places.len()];
    for layer in page.layers() {
        let (Layer::Text(said) | Layer::Bubble(said)) = layer else {
            continue;
        };
        let Some(mut at) = nearest(&said.bounds) else {
            continue;
        };
        if let Some(stands) = standing.iter().find(|place| place.name == said.key()) {
            let stands = Rect {
                x: stands.rect.x as f32 / scale,
                y: stands.rect.y as f32 / scale,
                width: stands.rect.width as f32 / scale,
                height: stands.rect.height as f32 / scale,
            };
            let place = &places[at];
            let reach = REACH * place.height;
            let is_reached = stands.y >= place.y - reach
                && stands.y + stands.height <= place.y + place.height + reach;
            if !is_reached {
                at = nearest(&stands).unwrap_or(at);
            }
        }
        words[at].push(said.key().to_owned());
    }
    words
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

fn is_shown(place: &Rect, places: &[Rect]) -> bool {
    let area = place.area().max(1e-6);
    places
        .iter()
        .any(|other| other.common(place).area() > SHOWN * area)
}

/// Whether most words and bubbles have their middle outside of the panels.
fn has_words_beside(page: &Page, places: &[Rect]) -> bool {
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
        !places.iter().any(|place| place.touches(&middle))
    };
    words.iter().filter(is_beside).count() * 2 > words.len()
}

/// Row by row, from the left; where no row ends across the page, column by column.
fn in_order(mut places: Vec<Rect>) -> Vec<Rect> {
    if places.len() < 2 {
        return places;
    }
    let down = |rect: &Rect| (rect.y, rect.height);
    let across = |rect: &Rect| (rect.x, rect.width);
    for side in [down, across] {
        places.sort_by(|a, b| side(a).0.total_cmp(&side(b).0));
        if let Some(at) = (1..places.len()).find(|at| is_gutter(&places, *at, side)) {
            let rest = places.split_off(at);
            let mut ordered = in_order(places);
            ordered.append(&mut in_order(rest));
            return ordered;
        }
    }
    places.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    places
}

/// Whether the first `at` places end where the others begin.
fn is_gutter(places: &[Rect], at: usize, side: fn(&Rect) -> (f32, f32)) -> bool {
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
            let mut shuffled = wanted.clone();
            shuffled.reverse();
            shuffled.swap(0, 2);
            assert_eq!(in_order(shuffled), wanted);
        }
    }

    #[test]
    fn places_in_a_heap_are_ordered_somehow_and_all_kept() {
        let heap: Vec<Rect> = (0..48)
            .map(|at| rect((at as f32 * 3.0 % 17.0, at as f32 * 5.0 % 13.0, 60.0, 60.0)))
            .collect();
        assert_eq!(in_order(heap).len(), 48);
    }
}
