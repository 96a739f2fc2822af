//! One panel of a scroll: its own shape, cut out of the page, with what is its own whole.

use std::collections::BTreeSet;
use std::ops::Range;

use super::reading::{Own, gap, reach_of};
use super::{MOST, Scroll, Strip};
use crate::compositor::{Compositor, CompositorError, STILL};
use crate::frame::{Picture, Size};
use crate::panels::{Frame, Layer, Letterer, Page, Piece, PixelRect, Rect, Sprites};

impl Strip {
    /// Draws the place of this number, as wide as the scroll, on nothing, and gives the colour of
    /// the page's paper. Of the page there is the place's shape with its border; the words, bubbles,
    /// sounds, people and drawn things that are its own (`own`, of each place) stand out of it whole,
    /// those of other places are left out. `letterer` tells where all of them are.
    pub(super) fn panel(
        &self,
        compositor: &mut Compositor,
        places: &[Frame],
        own: &[Own],
        at: usize,
        (scroll, letterer): (&Scroll, &Letterer),
    ) -> Result<(Picture, Option<[u8; 3]>), CompositorError> {
        let units = self.page.units();
        let (place, own_here) = (&places[at], &own[at]);
        let edge = edge_of(places, at);
        let stands_out = if place.is_box() { edge } else { place.border };
        let core = place.bounds.grown(stands_out);
        let core = core.common(&Rect {
            x: 0.0,
            y: 0.0,
            width: units.0,
            height: units.1,
        });
        let all = self.around(&core, own_here, letterer);
        let scale = scale_of(&core, &all, scroll).min(MOST / units.0.max(units.1));
        let window = window_of(&core, &all, scale, scroll);
        let side = |units: f32| ((units * scale).round() as u32).max(1);
        let size = Size::new(side(units.0), side(units.1));

        let others = own.iter().enumerate().filter(|(other, _)| *other != at);
        let of_others = others.flat_map(|(_, own)| own.layers.iter().copied());
        let page = self
            .page
            .hiding(of_others, own_here.strange.iter().copied());
        let (sprites, program) = self.shown(compositor, &page, size, None)?;
        // In the corner: further in, a small one has a border.
        let corner = (size.width / 300).min(2);
        let paper = match program.pixel(corner, corner) {
            Some([r, g, b, 255]) => Some([r, g, b]),
            _ => None,
        };
        let mut picture = cropped(&program, window);
        let coverage = place.coverage(window, scale, edge);
        let is_in_it = core.common(&all).area() >= 0.999 * all.area();
        if place.is_box() && is_in_it {
            lay_under(&mut picture, None, &coverage);
        } else {
            let page = self.alone(own_here);
            let (_, alone) = self.shown(compositor, &page, size, Some(sprites))?;
            lay_under(&mut picture, Some(&cropped(&alone, window)), &coverage);
        }
        let rows = |y: f32| ((y * scale).round() as i32 - window.y).max(0) as usize;
        let whole = rows(core.y)..rows(core.y + core.height);
        Ok((without_air(picture, whole), paper))
    }

    /// What a panel and what is its own take up, as far as that reaches.
    fn around(&self, core: &Rect, own: &Own, letterer: &Letterer) -> Rect {
        let reach = reach_of(core);
        let layers = own.layers.iter().filter_map(|number| {
            let stands = match self.page.layers().get(*number)? {
                // People may be anywhere in their shape: up and down there is room for them.
                Layer::Panel(panel) => {
                    let mut bounds = panel.bounds;
                    (bounds.x, bounds.width) = (core.x, core.width);
                    bounds
                }
                Layer::Text(said) | Layer::Bubble(said) => {
                    // What says nothing needs no room.
                    let text = self.texts.get(said.key());
                    if text.is_some_and(String::is_empty) {
                        return None;
                    }
                    letterer.stands(*number)?
                }
                _ => letterer.stands(*number)?,
            };
            Some(stands)
        });
        let pieces = own.pieces.iter().map(|(_, stands)| *stands);
        let reached = layers.chain(pieces).map(|stands| stands.common(&reach));
        let reached = reached.filter(|stands| stands.area() > 0.0);
        reached.fold(*core, |all, stands| all.around(&stands))
    }

    /// The page with nothing on it but what belongs to one place.
    fn alone(&self, own: &Own) -> Page {
        let layers = self.page.layers().iter().enumerate();
        let hidden = layers.filter(|(number, layer)| match layer {
            Layer::Art(_) => !own.pieces.iter().any(|((layer, _), _)| layer == number),
            _ => !own.layers.contains(number),
        });
        let pieces = self.page.pieces().into_iter().map(|(piece, _)| piece);
        let kept: BTreeSet<Piece> = own.pieces.iter().map(|(piece, _)| *piece).collect();
        let others = pieces.filter(|piece| !kept.contains(piece));
        self.page.hiding(hidden.map(|(number, _)| number), others)
    }

    /// Draws a page that shows a part of this one; with these sprites, or with those of its own,
    /// which it gives back.
    fn shown(
        &self,
        compositor: &mut Compositor,
        page: &Page,
        size: Size,
        sprites: Option<Sprites>,
    ) -> Result<(Sprites, Picture), CompositorError> {
        compositor.set_page(page, size)?;
        self.lay(compositor, |shot, place| super::fine(&shot.drawing, place))?;
        let sprites =
            sprites.unwrap_or_else(|| self.sprites(&mut Letterer::new(&self.page, size), STILL));
        let program = self.compose(compositor, sprites.clone(), STILL)?;
        Ok((sprites, program))
    }

    /// Draws it, and says what its words and bubbles came to.
    pub(super) fn lettered(
        &self,
        compositor: &mut Compositor,
        size: Size,
    ) -> Result<(Picture, Letterer), CompositorError> {
        compositor.set_page(&self.page, size)?;
        let mut letterer = Letterer::new(&self.page, size);
        self.lay(compositor, |shot, place| super::fine(&shot.drawing, place))?;
        let sprites = self.sprites(&mut letterer, STILL);
        let program = self.compose(compositor, sprites, STILL)?;
        Ok((program, letterer))
    }
}

/// Borders and what breaks out a little belong to a panel that is a box, its neighbours do not.
fn edge_of(places: &[Frame], at: usize) -> f32 {
    let bounds = &places[at].bounds;
    let others = places.iter().enumerate().filter(|(other, _)| *other != at);
    let nearest = others
        .map(|(_, other)| gap(bounds, &other.bounds))
        .fold(f32::MAX, f32::min);
    (bounds.width.min(bounds.height) * 0.04).min(nearest.max(0.0) * 0.5)
}

/// How large a panel is drawn: as wide as panels of the scroll are, smaller where what stands out
/// of it at its sides would be cut.
fn scale_of(core: &Rect, all: &Rect, scroll: &Scroll) -> f32 {
    let usual = scroll.panel_width() as f32 / core.width.max(1e-3);
    usual.min((scroll.width as f32 - 2.0 * air_of(scroll)) / all.width.max(1e-3))
}

/// What stays free at the edges of a scroll.
fn air_of(scroll: &Scroll) -> f32 {
    scroll.margin as f32 / 4.0
}

/// What of a program becomes the picture: the panel in its middle, but nothing of what is its own
/// cut off.
fn window_of(core: &Rect, all: &Rect, scale: f32, scroll: &Scroll) -> PixelRect {
    let (width, air) = (scroll.width as f32, air_of(scroll));
    let middle = (core.x + core.width / 2.0) * scale - width / 2.0;
    let (left, right) = (all.x * scale - air, (all.x + all.width) * scale + air);
    let x = middle.min(left).max(right - width);
    // Outlines and shadows stand out of what is drawn.
    let beyond = if all == core { 0.0 } else { 12.0 };
    let top = all.y * scale - beyond;
    let bottom = (all.y + all.height) * scale + beyond;
    PixelRect::new(
        x.round() as i32,
        top.round() as i32,
        scroll.width,
        ((bottom - top).round() as u32).max(1),
    )
}

/// Leaves of a picture what is covered, and lays what is left of it over another one.
fn lay_under(picture: &mut Picture, below: Option<&Picture>, coverage: &[u8]) {
    let pixels = picture.rgba_mut().as_chunks_mut::<4>().0;
    let below = below.map(|below| below.rgba().as_chunks::<4>().0);
    for (at, (pixel, covered)) in pixels.iter_mut().zip(coverage).enumerate() {
        if *covered == 255 {
            continue;
        }
        let below = below.and_then(|below| below.get(at)).unwrap_or(&[0; 4]);
        let (own, rest) = (u32::from(*covered), 255 - u32::from(*covered));
        for (byte, under) in pixel.iter_mut().zip(below) {
            let mixed = (u32::from(*byte) * own + u32::from(*under) * rest + 127) / 255;
            *byte = mixed.min(255) as u8;
        }
    }
}

/// Cuts off rows above and below these on which nothing is.
fn without_air(picture: Picture, whole: Range<usize>) -> Picture {
    let stride = picture.width().max(1) as usize * 4;
    let is_drawn = |row: &[u8]| row.as_chunks::<4>().0.iter().any(|pixel| pixel[3] > 0);
    let stays = |(at, row): (usize, &[u8])| whole.contains(&at) || is_drawn(row);
    let mut rows = picture.rgba().chunks_exact(stride).enumerate();
    let last = rows.clone().rposition(stays);
    let (Some(top), Some(last)) = (rows.position(stays), last) else {
        return picture;
    };
    let height = (last + 1 - top) as u32;
    cropped(
        &picture,
        PixelRect::new(0, top as i32, picture.width(), height),
    )
}

/// A window of a program; where that ends there is nothing.
fn cropped(program: &Picture, window: PixelRect) -> Picture {
    let mut result = Picture::new(Size::new(window.width, window.height));
    let (columns, stride) = (program.width() as usize, window.width as usize * 4);
    let left = (window.x.max(0) as usize).min(columns);
    let right = (window.x.saturating_add_unsigned(window.width).max(0) as usize).min(columns);
    let to = (left as i32 - window.x) as usize * 4;
    for (row, y) in result
        .rgba_mut()
        .chunks_exact_mut(stride.max(4))
        .zip(window.y..)
    {
        let Some(start) = usize::try_from(y).ok().map(|y| y * columns) else {
            continue;
        };
        let from = program.rgba().get((start + left) * 4..(start + right) * 4);
        let length = right.saturating_sub(left) * 4;
        if let (Some(row), Some(from)) = (row.get_mut(to..to + length), from) {
            row.copy_from_slice(from);
        }
    }
    result
}
