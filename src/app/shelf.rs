//! What there is to pick from: cameras, styles and pages, on their way from the session's threads
//! to the control panel.

use std::collections::HashMap;
use std::sync::Arc;

use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use parking_lot::Mutex;

use crate::frame::Picture;
use crate::inference;
use crate::mailbox::Mailbox;
use crate::panels::Page;
use crate::settings::Language;
use crate::ui::{Choice, Device, Texts};

/// All there is to pick from. A newer one replaces an older.
#[derive(Clone, Default)]
pub struct News {
    devices: Vec<Device>,
    styles: Vec<Item>,
    pub(super) pages: Vec<Item>,
}

/// A style or a page, with its thumbnail in memory.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) id: String,
    name: String,
    name_ko: Option<String>,
    pub(super) thumbnail: Option<Arc<Picture>>,
}

/// Gathers what becomes known, and tells the window each time.
pub struct Catalogue {
    known: Mutex<News>,
    outbox: Arc<Mailbox<News>>,
}

impl Catalogue {
    /// Nothing is known yet.
    pub fn new(outbox: Arc<Mailbox<News>>) -> Arc<Self> {
        Arc::new(Self {
            known: Mutex::default(),
            outbox,
        })
    }

    /// These styles and pages are there, without thumbnails for now.
    pub fn list(&self, styles: &inference::Library, pages: &[Arc<Page>]) {
        self.change(|known| {
            known.styles = styles
                .styles()
                .iter()
                .map(|style| Item {
                    id: style.id.clone(),
                    name: style.name.en.clone(),
                    name_ko: Some(style.name.ko.clone()),
                    thumbnail: None,
                })
                .collect();
            known.pages = pages
                .iter()
                .map(|page| Item {
                    id: page.id().to_owned(),
                    name: page.name().to_owned(),
                    name_ko: page.builtin().then(|| korean_name(page.id())).flatten(),
                    thumbnail: None,
                })
                .collect();
        });
    }

    /// These pages are there now; thumbnails of those that were stay.
    pub fn list_pages(&self, styles: &inference::Library, pages: &[Arc<Page>]) {
        let old = self.known.lock().clone();
        self.list(styles, pages);
        self.change(|known| {
            for (list, before) in [
                (&mut known.styles, &old.styles),
                (&mut known.pages, &old.pages),
            ] {
                for item in list.iter_mut() {
                    let same = before.iter().find(|old| old.id == item.id);
                    item.thumbnail = same.and_then(|old| old.thumbnail.clone());
                }
            }
        });
    }

    /// These cameras are there.
    pub fn cameras(&self, devices: Vec<Device>) {
        self.change(|known| known.devices = devices);
    }

    /// What the style called `id` looks like. Opaque or with premultiplied alpha.
    pub fn style_thumbnail(&self, id: &str, picture: Picture) {
        self.change(|known| set_thumbnail(&mut known.styles, id, picture));
    }

    /// What the page called `id` looks like. Opaque or with premultiplied alpha.
    pub fn page_thumbnail(&self, id: &str, picture: Picture) {
        self.change(|known| set_thumbnail(&mut known.pages, id, picture));
    }

    fn change(&self, change: impl FnOnce(&mut News)) {
        let mut known = self.known.lock();
        change(&mut known);
        // Sent under the lock: two threads change it, and the newest must come last.
        self.outbox.send(known.clone());
    }
}

fn set_thumbnail(items: &mut [Item], id: &str, picture: Picture) {
    if let Some(item) = items.iter_mut().find(|item| item.id == id) {
        item.thumbnail = Some(Arc::new(picture));
    }
}

/// Pages carry one name; those that ship have a Korean one here.
fn korean_name(page: &str) -> Option<String> {
    let texts = &Texts::of(Language::Ko).page;
    let name = match page {
        "webtoon" => &texts.webtoon,
        "two-panel" => &texts.two_panel,
        "plain" => &texts.plain,
        "close-up" => &texts.close_up,
        "corridor" => &texts.corridor,
        "petals" => &texts.petals,
        "action" => &texts.action,
        "rooftop" => &texts.rooftop,
        "gloom" => &texts.gloom,
        "cover" => &texts.cover,
        "manga" => &texts.manga,
        "photo-card" => &texts.photo_card,
        "group" => &texts.group,
        "scroll" => &texts.scroll,
        "profile" => &texts.profile,
        "news" => &texts.news,
        "strip-ink" => &texts.strip_ink,
        "strip-sky" => &texts.strip_sky,
        "strip-pop" => &texts.strip_pop,
        "stream-corner" => &texts.stream_corner,
        "stream-chat" => &texts.stream_chat,
        "stream-scene" => &texts.stream_scene,
        "desk-mate" => &texts.desk_mate,
        "visual-novel" => &texts.visual_novel,
        _ => return None,
    };
    Some(name.clone())
}

/// What the control panel shows: the same, with thumbnails as textures.
#[derive(Default)]
pub struct Shelf {
    /// Cameras.
    pub devices: Vec<Device>,
    /// Styles.
    pub styles: Vec<Choice>,
    /// Pages.
    pub pages: Vec<Choice>,
    /// Thumbnails as textures: what has not changed is not uploaded again.
    textures: HashMap<String, (Arc<Picture>, TextureHandle)>,
}

impl Shelf {
    /// Takes what is new over.
    pub fn update(&mut self, ctx: &Context, news: News) {
        let textures = &mut self.textures;
        let mut choices = |kind: &str, items: Vec<Item>| {
            items
                .into_iter()
                .map(|item| item.into_choice(ctx, kind, textures))
                .collect()
        };
        self.devices = news.devices;
        self.styles = choices("style", news.styles);
        self.pages = choices("page", news.pages);
    }
}

impl Item {
    fn into_choice(
        self,
        ctx: &Context,
        kind: &str,
        textures: &mut HashMap<String, (Arc<Picture>, TextureHandle)>,
    ) -> Choice {
        let thumbnail = self.thumbnail.map(|picture| {
            let key = format!("{kind} {}", self.id);
            if let Some((known, texture)) = textures.get(&key)
                && Arc::ptr_eq(known, &picture)
            {
                return texture.clone();
            }
            let size = [picture.width() as usize, picture.height() as usize];
            let image = ColorImage::from_rgba_premultiplied(size, picture.rgba());
            let texture = ctx.load_texture(key.clone(), image, TextureOptions::LINEAR);
            textures.insert(key, (picture, texture.clone()));
            texture
        });
        Choice {
            id: self.id,
            name: self.name,
            name_ko: self.name_ko,
            thumbnail,
        }
    }
}
