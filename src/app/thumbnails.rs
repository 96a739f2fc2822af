//! Small pictures of the styles and pages, drawn from the demo once the program is on the screen:
//! the first picture must not wait for them.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shelf::Catalogue;
use crate::capture::Demo;
use crate::clock::Clock;
use crate::compositor::{Compositor, CompositorError, Gpu};
use crate::frame::{Picture, Pooled, Size};
use crate::inference::{Generator, InferenceError, Library, Model, Runtime, Style, StyleMap};
use crate::panels::{self, Page};
use crate::settings::{Language, Settings};
use crate::shots::{self, Desk};
use crate::status::Board;
use crate::worker::Stop;

/// Size of a style's thumbnail.
const STYLE_SIZE: Size = Size::new(320, 256);
/// Longest side of a page's thumbnail.
const PAGE_SIDE: f32 = 256.0;
/// The most a style's own thumbnail may measure.
const LARGEST_PNG: u32 = 1024;
/// Which picture of the demo is drawn.
const DEMO_FRAME: u64 = 45;
/// One page's thumbnail is redrawn this often: cheap beside a live picture.
const EVERY: Duration = Duration::from_millis(1500);
/// Thumbnails come after this long even when there is no picture yet.
const PATIENCE: Duration = Duration::from_secs(6);

/// What the first thumbnails of pages show, and in which language.
pub struct First {
    drawing: Arc<Pooled<Picture>>,
    language: Language,
}

/// Draws all thumbnails, one after the other. What cannot be drawn keeps its icon.
pub fn draw(
    runtime: Option<Arc<Runtime>>,
    gpu: &Arc<Gpu>,
    (styles, pages): (&Library, &panels::Library),
    settings: &dyn Fn() -> Settings,
    catalogue: &Catalogue,
    board: &Board,
    stop: &Stop,
) -> Option<First> {
    let started = Instant::now();
    while board.first_drawn().is_none() && started.elapsed() < PATIENCE {
        if stop.asked() {
            return None;
        }
        stop.sleep(Duration::from_millis(100));
    }
    let mut raw = Picture::default();
    match Demo::new(STYLE_SIZE) {
        Ok(mut demo) => demo.draw(DEMO_FRAME, &mut raw),
        Err(error) => {
            tracing::warn!("No thumbnails: {error}");
            return None;
        }
    }
    let mut artist = Artist {
        runtime,
        open: None,
    };
    let mut drawing = None;
    for style in styles.styles() {
        if stop.asked() {
            return None;
        }
        if let Some(picture) = style.thumbnail.as_deref().and_then(decode) {
            catalogue.style_thumbnail(&style.id, picture);
        } else if let Some(picture) = artist.draw(style, &raw) {
            catalogue.style_thumbnail(&style.id, opaque(&picture));
            drawing.get_or_insert(picture);
        }
    }
    let first = styles.styles().first();
    let drawing = drawing.or_else(|| artist.draw(first?, &raw));
    let drawing = drawing.unwrap_or_else(|| raw.clone());
    let mut compositor = match Compositor::new(Arc::clone(gpu)) {
        Ok(compositor) => compositor,
        Err(error) => {
            tracing::warn!("No thumbnails of pages: {error}");
            return None;
        }
    };
    let language = settings().window.language;
    for page in pages.pages(language).iter() {
        if stop.asked() {
            return None;
        }
        let texts = texts_of(page, &settings());
        match page_thumbnail(&mut compositor, page, &drawing, &raw, &texts) {
            Ok(picture) => catalogue.page_thumbnail(page.id(), picture),
            Err(error) => tracing::warn!("No thumbnail of a page: {error}"),
        }
    }
    Some(First {
        drawing: Arc::new(drawing.into()),
        language,
    })
}

/// Redraws the pages' thumbnails with who is there now, one every [`EVERY`], or with what they show
/// first in another language, and lists pages that the user adds, changes or takes away.
pub fn keep_fresh(
    gpu: &Arc<Gpu>,
    (styles, pages): (&Library, &panels::Library),
    settings: &dyn Fn() -> Settings,
    catalogue: &Catalogue,
    desk: &Desk,
    first: Option<First>,
    stop: &Stop,
) {
    let mut compositor = Compositor::new(Arc::clone(gpu)).ok();
    let mut language = match &first {
        Some(first) => first.language,
        None => settings().window.language,
    };
    let mut shown = first.map(|first| first.drawing);
    let mut turn = usize::MAX;
    while !stop.asked() {
        stop.sleep(EVERY);
        let settings = settings();
        let is_changed = pages.refresh();
        let list = pages.pages(settings.window.language);
        if is_changed {
            catalogue.list_pages(styles, &list);
        }
        let Some(drawing) = desk.live().or_else(|| shown.clone()) else {
            continue;
        };
        if settings.window.language != language {
            (language, turn) = (settings.window.language, 0);
        }
        // All pages once for each drawing: a photo does not change.
        let is_new = shown
            .as_ref()
            .is_none_or(|shown| !Arc::ptr_eq(shown, &drawing));
        if is_new && turn >= list.len() {
            (shown, turn) = (Some(drawing), 0);
        }
        if let (Some(drawing), Some(page), Some(compositor)) =
            (&shown, list.get(turn), &mut compositor)
        {
            let small = shots::small(drawing, STYLE_SIZE.width);
            let texts = texts_of(page, &settings);
            match page_thumbnail(compositor, page, &small, &small, &texts) {
                Ok(picture) => catalogue.page_thumbnail(page.id(), picture),
                Err(error) => tracing::debug!("No thumbnail of a page: {error}"),
            }
            turn += 1;
        }
    }
}

/// Draws with one generator for as long as styles are of one model.
struct Artist {
    runtime: Option<Arc<Runtime>>,
    open: Option<Generator>,
}

impl Artist {
    /// `picture` in `style`; `None` without ONNX Runtime, or when the model does not work.
    fn draw(&mut self, style: &Style, picture: &Picture) -> Option<Picture> {
        let runtime = self.runtime.clone()?;
        self.try_draw(&runtime, style, picture)
            .inspect_err(|error| tracing::warn!("No thumbnail of {}: {error}", style.id))
            .ok()
    }

    fn try_draw(
        &mut self,
        runtime: &Runtime,
        style: &Style,
        picture: &Picture,
    ) -> Result<Picture, InferenceError> {
        let fits = |model: &Arc<Model>| Arc::ptr_eq(model, &style.model);
        let generator = match self.open.take().filter(|open| fits(open.model())) {
            Some(generator) => generator,
            // One thread: the live picture needs the others.
            None => Generator::open(runtime, &style.model, STYLE_SIZE, 1)?,
        };
        let generator = self.open.insert(generator);
        let map = StyleMap::uniform(&style.model, generator.size(), style.channel, 1.0)?;
        let mut styled = Picture::default();
        generator.stylize(picture, &map, &mut styled)?;
        Ok(styled)
    }
}

/// What a page says to those who sit before it.
fn texts_of(page: &Page, settings: &Settings) -> BTreeMap<String, String> {
    let language = settings.window.language.code();
    let changed = settings.look.texts_of(page.id());
    page.texts(changed, language, Clock::system().today())
}

fn page_thumbnail(
    compositor: &mut Compositor,
    page: &Page,
    drawing: &Picture,
    raw: &Picture,
    texts: &BTreeMap<String, String>,
) -> Result<Picture, CompositorError> {
    let size = page.size();
    let scale = PAGE_SIDE / size.width.max(size.height).max(1) as f32;
    let side = |pixels: u32| ((pixels as f32 * scale).round() as u32).max(1);
    let small = Size::new(side(size.width), side(size.height));
    compositor.still(page, small, drawing, raw, texts)
}

/// A drawing without its matte.
fn opaque(drawing: &Picture) -> Picture {
    let mut picture = Picture::default();
    picture.copy_from(drawing);
    for pixel in picture.rgba_mut().as_chunks_mut::<4>().0 {
        pixel[3] = 255;
    }
    picture
}

/// A thumbnail that came with a model: a file from outside.
fn decode(png: &[u8]) -> Option<Picture> {
    let mut reader = image::ImageReader::with_format(Cursor::new(png), image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(LARGEST_PNG);
    limits.max_image_height = Some(LARGEST_PNG);
    reader.limits(limits);
    let image = reader.decode().ok()?.into_rgb8();
    let size = Size::new(image.width(), image.height());
    let rgba = image
        .pixels()
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255])
        .collect();
    Picture::from_rgba(size, rgba)
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::super::shelf::News;
    use super::*;
    use crate::frame::{Frame, Stamp, Styled};
    use crate::mailbox::{Mailbox, Taken};
    use crate::panels::Seen;
    use crate::people::{Head, Point};
    use crate::places::Places;
    use crate::shots::Live;
    use crate::worker::Worker;

    /// A drawing that is nothing but one colour.
    fn live(colour: [u8; 4]) -> Live {
        let size = Size::new(64, 48);
        let picture = || Picture::from_rgba(size, colour.repeat(size.area())).unwrap();
        let stamp = Stamp {
            sequence: 1,
            captured: Instant::now(),
        };
        Live {
            styled: Styled {
                frame: Arc::new(Frame {
                    stamp,
                    picture: picture().into(),
                }),
                picture: Arc::new(picture().into()),
                shrunk: None,
                faces: Vec::new(),
                close_ups: None,
                strength: 1.0,
            },
            seen: Seen {
                size,
                focus: Head::at(Point { x: 0.5, y: 0.5 }),
                faces: Vec::new(),
                turns: None,
            },
        }
    }

    /// A visitor sees himself on the pages he picks from, and who comes after him sees herself.
    #[test]
    fn pages_show_who_is_there() {
        let gpu = match Gpu::headless() {
            Ok(gpu) => gpu,
            Err(error) => {
                assert!(std::env::var_os("REQUIRE_GPU").is_none(), "{error}");
                return;
            }
        };
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let (styles, _) = Library::load(&places);
        let (pages, _) = panels::Library::load(&places, Language::En);
        let (desk, news) = (Desk::new(), Arc::new(Mailbox::new()));
        let catalogue = Catalogue::new(Arc::clone(&news));
        let list = pages.pages(Language::En);
        catalogue.list(&styles, &list);
        desk.set_live(live([200, 10, 20, 255]));
        let first = list[0].id().to_owned();
        let language = Arc::new(Mutex::new(Language::En));
        let (copy, speaks) = (Arc::clone(&desk), Arc::clone(&language));
        let worker = Worker::spawn("thumbnails", move |stop| {
            let looks = (&styles, &pages);
            let settings = || {
                let mut settings = Settings::default();
                settings.window.language = *speaks.lock();
                settings
            };
            keep_fresh(&gpu, looks, &settings, &catalogue, &copy, None, stop);
        })
        .unwrap();
        // Waits until a part of a page's thumbnail has about this colour.
        let shows = |page: &str, colour: [u8; 3]| {
            let deadline = Instant::now() + Duration::from_secs(120);
            loop {
                assert!(Instant::now() < deadline, "{page} never had {colour:?}");
                let Taken::Value(news) = news.take_within(Duration::from_secs(1)) else {
                    continue;
                };
                let item = news.pages.iter().find(|item| item.id == page).unwrap();
                let Some(picture) = &item.thumbnail else {
                    continue;
                };
                let pixels = picture.rgba().as_chunks::<4>().0;
                let near = |pixel: &&[u8; 4]| {
                    let far = |channel: usize| pixel[channel].abs_diff(colour[channel]);
                    (0..3).all(|channel| far(channel) < 24)
                };
                if pixels.iter().filter(near).count() * 10 > pixels.len() {
                    return;
                }
            }
        };
        shows(&first, [200, 10, 20]);
        desk.set_live(live([20, 160, 40, 255]));
        shows(&first, [20, 160, 40]);
        // The lettering of the first page is drawn in both languages.
        let thumbnail = |news: &News| {
            let item = news.pages.iter().find(|item| item.id == first);
            item.and_then(|item| item.thumbnail.clone())
        };
        let mut before = None;
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            assert!(Instant::now() < deadline, "the language is not followed");
            let Taken::Value(news) = news.take_within(Duration::from_secs(1)) else {
                continue;
            };
            let now = thumbnail(&news);
            let before = before.get_or_insert_with(|| {
                *language.lock() = Language::Ko;
                now.clone()
            });
            if now != *before {
                break;
            }
        }
        drop(worker);
    }

    #[test]
    fn a_thumbnail_from_outside_is_limited_and_opaque() {
        let png = |side: u32| {
            let mut bytes = Vec::new();
            image::RgbaImage::from_pixel(side, side, image::Rgba([9, 8, 7, 0]))
                .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
                .unwrap();
            bytes
        };
        let picture = decode(&png(16)).unwrap();
        assert_eq!(picture.size(), Size::new(16, 16));
        assert_eq!(picture.pixel(3, 3), Some([9, 8, 7, 255]));
        assert_eq!(decode(&png(LARGEST_PNG + 1)), None);
        assert_eq!(decode(b"not a picture"), None);
        assert_eq!(decode(&[]), None);
    }
}
