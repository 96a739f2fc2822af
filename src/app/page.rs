//! The page in use, from the desk of the stages to what the window shows.

use std::collections::HashMap;
use std::sync::Arc;

use egui::{ColorImage, Context, TextureHandle, TextureOptions};

use crate::frame::{Picture, Size};
use crate::panels::{PixelRect, PlaceKind};
use crate::shots::{Desk, View};
use crate::ui::{PageView, Place, ShotView, WordsView};

/// Follows the desk.
#[derive(Default)]
pub struct PageWatch {
    seen: Option<Arc<View>>,
    thumbnails: HashMap<u8, (Arc<Picture>, TextureHandle)>,
    view: PageView,
    flashes: u64,
}

impl PageWatch {
    /// Takes over what is new; `true` when a shot was just taken.
    pub fn follow(&mut self, ctx: &Context, desk: &Desk) -> bool {
        let newest = desk.view();
        if self
            .seen
            .as_ref()
            .is_some_and(|seen| Arc::ptr_eq(seen, &newest))
        {
            return false;
        }
        self.thumbnails
            .retain(|number, _| newest.taken.iter().any(|taken| taken.number == *number));
        for taken in &newest.taken {
            let known = self.thumbnails.get(&taken.number);
            if known.is_none_or(|(picture, _)| !Arc::ptr_eq(picture, &taken.thumbnail)) {
                let texture = texture(ctx, taken.number, &taken.thumbnail);
                self.thumbnails
                    .insert(taken.number, (Arc::clone(&taken.thumbnail), texture));
            }
        }
        self.view = self.translated(&newest);
        let taken = newest.flashes > self.flashes;
        self.flashes = newest.flashes;
        self.seen = Some(newest);
        taken
    }

    /// What the window shows.
    pub fn view(&self) -> &PageView {
        &self.view
    }

    fn translated(&self, view: &View) -> PageView {
        let place = |rect| share(rect, view.program);
        let shot_place = |number: u8| {
            let name = number.to_string();
            let mut places = view.places.iter();
            places
                .find(|place| place.kind == PlaceKind::Shot && place.name == name)
                .map_or(Place::default(), |found| place(found.rect))
        };
        PageView {
            page: view.page.clone(),
            shots: view
                .numbers
                .iter()
                .map(|number| ShotView {
                    number: *number,
                    thumbnail: self
                        .thumbnails
                        .get(number)
                        .map(|(_, texture)| texture.clone()),
                    place: shot_place(*number),
                })
                .collect(),
            next: view.next,
            countdown: view.countdown,
            running: view.running,
            words: view
                .places
                .iter()
                .filter(|place| place.kind != PlaceKind::Shot)
                .map(|found| WordsView {
                    name: found.name.clone(),
                    is_bubble: found.kind == PlaceKind::Bubble,
                    own: found.own.clone(),
                    text: found.text.clone(),
                    place: place(found.rect),
                    missing: found.missing.iter().collect(),
                    cut: found.cut,
                })
                .collect(),
            effects: view.effects.clone(),
        }
    }
}

fn share(rect: PixelRect, program: Size) -> Place {
    let (width, height) = (program.width.max(1) as f32, program.height.max(1) as f32);
    Place {
        x: rect.x as f32 / width,
        y: rect.y as f32 / height,
        width: rect.width as f32 / width,
        height: rect.height as f32 / height,
    }
}

fn texture(ctx: &Context, number: u8, picture: &Picture) -> TextureHandle {
    let size = [picture.width() as usize, picture.height() as usize];
    let image = ColorImage::from_rgba_premultiplied(size, picture.rgba());
    ctx.load_texture(format!("shot {number}"), image, TextureOptions::LINEAR)
}
