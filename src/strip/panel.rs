//! One panel of a scroll: cut out of the page, with its own words and bubbles whole.

use super::reading::{REACH, gap};
use super::{MOST, Strip};
use crate::compositor::{Compositor, CompositorError, STILL};
use crate::frame::{Picture, Size};
use crate::panels::{Letterer, PixelRect, Rect};

impl Strip {
    /// Draws the place of this number `width` wide, and gives the colour of the page's paper. Its
    /// words and bubbles (`words`, of each place) stand out above and below it, those of other places are
    /// left out.
    pub(super) fn panel(
        &self,
        compositor: &mut Compositor,
        places: &[Rect],
        words: &[Vec<String>],
        at: usize,
        width: u32,
    ) -> Result<(Picture, Option<[u8; 3]>), CompositorError> {
        let units = self.page.units();
        let place = &places[at];
        // Borders and what breaks out a little belong to the panel, its neighbours do not.
        let nearest = places
            .iter()
            .filter(|other| *other != place)
            .map(|other| gap(place, other))
            .fold(f32::MAX, f32::min);
        let edge = (place.width.min(place.height) * 0.04).min(nearest.max(0.0) * 0.5);
        let left = (place.x - edge).max(0.0);
        let top = (place.y - edge).max(0.0);
        let right = (place.x + place.width + edge).min(units.0);
        let bottom = (place.y + place.height + edge).min(units.1);
        let wanted = width as f32 / (right - left).max(1e-3);
        let scale = wanted.min(MOST / units.0.max(units.1));
        let side = |units: f32| ((units * scale).round() as u32).max(1);
        let size = Size::new(side(units.0), side(units.1));
        let rect = PixelRect::new(
            (left * scale) as i32,
            (top * scale) as i32,
            side(right - left),
            side(bottom - top),
        );

        let mut own = words[at].clone();
        // What says nothing needs no room.
        own.retain(|name| self.texts.get(name).is_none_or(|text| !text.is_empty()));
        let (before, after) = (&words[..at], &words[at + 1..]);
        let alone = self.without(before.iter().chain(after).flatten());
        let (program, letterer) = alone.lettered(compositor, size)?;
        let paper = match program.pixel(2, 2) {
            Some([r, g, b, 255]) => Some([r, g, b]),
            _ => None,
        };
        let standing_out = reaching(rect, &letterer, &own, size);
        let picture = if standing_out == rect {
            cropped(&program, rect)
        } else {
            let bare = alone.without(own.iter()).draw(compositor, size)?;
            let mut picture = cropped(&program, standing_out);
            let bare = cropped(&bare, standing_out);
            keep_what_differs(&mut picture, &bare, rect.y - standing_out.y, rect.height);
            picture
        };
        Ok((picture, paper))
    }

    /// The same with these words and bubbles left out.
    fn without<'a>(&self, names: impl Iterator<Item = &'a String>) -> Self {
        let mut strip = self.clone();
        strip
            .texts
            .extend(names.map(|name| (name.clone(), String::new())));
        strip
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
        let program = self.compose(compositor, &mut letterer, STILL)?;
        Ok((program, letterer))
    }
}

/// The rows of a panel and of the words of these names.
fn reaching(rect: PixelRect, letterer: &Letterer, names: &[String], size: Size) -> PixelRect {
    let reach = (rect.height as f32 * REACH) as i32;
    let (mut top, mut bottom) = (rect.y, rect.y + rect.height as i32);
    let (highest, lowest) = (top - reach, bottom + reach);
    for place in letterer.places() {
        if names.contains(&place.name) {
            top = top.min(place.rect.y.max(highest));
            bottom = bottom.max((place.rect.y + place.rect.height as i32).min(lowest));
        }
    }
    let (top, bottom) = (top.max(0), bottom.min(size.height as i32));
    PixelRect::new(rect.x, top, rect.width, (bottom - top).max(1) as u32)
}

/// Outside of the rows from `top` on only what the other picture does not have.
fn keep_what_differs(picture: &mut Picture, bare: &Picture, top: i32, rows: u32) {
    let inside = top..top + rows as i32;
    let stride = picture.width().max(1) as usize * 4;
    let lines = picture.rgba_mut().chunks_exact_mut(stride);
    for ((line, bare), y) in lines.zip(bare.rgba().chunks_exact(stride)).zip(0..) {
        if inside.contains(&y) {
            continue;
        }
        let pixels = line.as_chunks_mut::<4>().0.iter_mut();
        for (pixel, bare) in pixels.zip(bare.as_chunks::<4>().0) {
            if pixel == bare {
                *pixel = [0; 4];
            }
        }
    }
}

fn cropped(program: &Picture, rect: PixelRect) -> Picture {
    let left = (rect.x.max(0) as u32).min(program.width());
    let top = (rect.y.max(0) as u32).min(program.height());
    let width = rect.width.min(program.width() - left);
    let height = rect.height.min(program.height() - top);
    let mut result = Picture::new(Size::new(width, height));
    let pixels = program
        .rgba()
        .chunks_exact(program.width().max(1) as usize * 4);
    let rows = result
        .rgba_mut()
        .chunks_exact_mut(width.max(1) as usize * 4);
    for (row, source) in rows.zip(pixels.skip(top as usize)) {
        let start = left as usize * 4;
        let length = row.len();
        row.copy_from_slice(&source[start..start + length]);
    }
    result
}
