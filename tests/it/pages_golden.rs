//! Every page in `assets/pages` looks as it should, at two times, by both hands.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use panelcam::compositor::{Compositor, Gpu, Hand, Scene};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{EffectKind, Fonts, Layer, Letterer, Page};
use panelcam::people::{Head, Point};

use super::compositor::{SCENE, gpu};
use super::effects::{furthest_tile, half, mean_difference, program, rests};
use super::lettering::{moment, seen};
use super::pages::{chart, snapshot};

/// Pixels of a snapshot: what fits into the bytes it may have.
const AREA: f32 = 18_000.0;

pub fn pages() -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pages");
    let fonts = Fonts::embedded();
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "svg"))
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let id = path.file_stem().unwrap().to_str().unwrap();
        let page = Page::parse_in(&fs::read(path).unwrap(), id, &fonts, Some(&folder), None);
        page.unwrap_or_else(|error| panic!("{id}: {error}"))
    };
    paths.iter().map(read).collect()
}

fn size_of(page: &Page, area: f32) -> Size {
    let (width, height) = page.units();
    let scale = (area / (width * height)).sqrt().min(300.0 / width);
    let side = |side: f32| ((side * scale) as u32 & !1).max(2);
    Size::new(side(width), side(height))
}

/// A size of about 120,000 pixels in which the page lies as it does in one twice as large, to a fraction
/// of a pixel.
fn exact_size_of(page: &Page) -> Size {
    let (width, height) = page.units();
    let usual = (100_000.0 * width / height).sqrt();
    let sizes = usual as u32..=(usual * 1.4) as u32;
    let off = |across: &u32| {
        let down = *across as f32 * height / width;
        (down - down.round()).abs()
    };
    let across = sizes.min_by(|a, b| off(a).total_cmp(&off(b))).unwrap();
    Size::new(across, (across as f32 * height / width).round() as u32)
}

fn at(millis: u64) -> Scene {
    Scene {
        time: Duration::from_millis(millis),
        focus: Head::at(Point { x: 0.5, y: 0.36 }),
        ..SCENE
    }
}

/// When a page looks otherwise than at the start; `None`: never, printed tone rests.
fn later(page: &Page) -> Option<u64> {
    let has = |is: fn(&Layer) -> bool| page.layers().iter().any(is);
    let moves = |layer: &Layer| matches!(layer, Layer::Effect(effect) if !rests(effect.kind));
    match has(moves) {
        true => Some(250),
        // The second beat's height, the jump's farthest.
        false => has(|layer| matches!(layer, Layer::Sound(_))).then_some(180),
    }
}

/// The page as it is drawn, or later, when its sounds have moved.
fn shown(
    gpu: &Arc<Gpu>,
    hand: Hand,
    (page, size): (&Page, Size),
    styled: &Picture,
    millis: u64,
) -> Picture {
    if millis == 0 {
        return program(gpu, hand, page, size, styled, &at(0));
    }
    let (texts, live) = (BTreeMap::new(), seen(vec![]));
    let mut sprites = Letterer::new(page, size).sprites(&moment(&texts, &live, millis));
    let is_sound = |layer: &usize| matches!(page.layers()[*layer], Layer::Sound(_));
    sprites.instead.retain(|(layer, _)| is_sound(layer));
    let mut compositor = Compositor::by(Arc::clone(gpu), hand).unwrap();
    compositor.set_page(page, size).unwrap();
    compositor.set_sprites(sprites);
    compositor.upload_styled(styled).unwrap();
    compositor.upload_frame(styled).unwrap();
    let texture = compositor.render(&at(millis)).unwrap();
    let mut picture = Picture::default();
    compositor.read(&texture, &mut picture).unwrap();
    picture
}

#[test]
fn pages_look_as_they_should_by_both_hands() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    let mut failures = Vec::new();
    for page in pages() {
        let size = size_of(&page, AREA);
        let mut before: Option<Picture> = None;
        for millis in [Some(0), later(&page)].into_iter().flatten() {
            let [device, memory] = [Hand::Device, Hand::Memory]
                .map(|hand| shown(&gpu, hand, (&page, size), &styled, millis));
            let difference = mean_difference(&device, &memory);
            if difference > 0.6 {
                failures.push(format!("{}: the hands are {difference} apart", page.id()));
            }
            if before.is_some_and(|before| furthest_tile(&before, &device).0 < 4.0) {
                failures.push(format!("{}: nothing has moved at {millis}", page.id()));
            }
            let name = if millis == 0 { "" } else { "-later" };
            before = Some(copy(&device));
            failures.extend(snapshot(&format!("page-{}{name}", page.id()), device).err());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn copy(picture: &Picture) -> Picture {
    let mut copy = Picture::default();
    copy.copy_from(picture);
    copy
}

/// The most by which a tile of a page may differ from the same made smaller from one twice as large.
/// Printed tone, of which a dot is smaller than a pixel, is a little lighter or darker.
fn furthest_of(page: &str) -> f64 {
    if page == "manga" { 16.0 } else { 10.0 }
}

/// The page of this size without its effects: those are compared alone.
fn still(gpu: &Arc<Gpu>, page: &Page, size: Size, styled: &Picture) -> Picture {
    let mut compositor = Compositor::by(Arc::clone(gpu), Hand::Memory).unwrap();
    compositor.set_page(page, size).unwrap();
    let kinds = EffectKind::ALL.map(|kind| kind.id().to_owned());
    compositor.set_effects_off(&kinds);
    compositor.upload_styled(styled).unwrap();
    compositor.upload_frame(styled).unwrap();
    let texture = compositor.render(&at(0)).unwrap();
    let mut picture = Picture::default();
    compositor.read(&texture, &mut picture).unwrap();
    picture
}

/// Twice as large is the same picture, only sharper: made smaller again it is the small one.
#[test]
fn a_page_twice_as_large_differs_only_in_sharpness() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    let mut failures = Vec::new();
    for page in pages() {
        let size = exact_size_of(&page);
        let twice = Size::new(size.width * 2, size.height * 2);
        let small = still(&gpu, &page, size, &styled);
        let large = still(&gpu, &page, twice, &styled);
        let (apart, at) = furthest_tile(&small, &half(&large));
        if apart > furthest_of(page.id()) {
            failures.push(format!("{}: {apart:.1} at {at:?}", page.id()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// That comparison sees it when a single stroke is not there.
#[test]
fn a_missing_stroke_is_more_than_a_difference_in_sharpness() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    for (id, stroke) in [
        ("webtoon", r##"id="border" fill="none" stroke="#17141f""##),
        (
            "webtoon",
            r##"<path id="body-line" fill="#fff" stroke="#17141f""##,
        ),
        ("two-panel", r##"stroke-width="8""##),
        (
            "corridor",
            r##"stroke="#17141f" stroke-width="8" id="border-1""##,
        ),
        (
            "corridor",
            r##"<path fill="#fff" id="body-reply" stroke="#17141f""##,
        ),
        ("manga", r##"stroke="#121114" stroke-width="7""##),
        ("news", r##"stroke="#d92638" stroke-width="6""##),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/pages/{id}.svg"));
        let whole = fs::read_to_string(path).unwrap();
        let without = stroke
            .replace("stroke-width=\"", "stroke-width=\"0\" data-was=\"")
            .replace("stroke=\"", "stroke=\"none\" data-was-ink=\"");
        let broken = whole.replacen(stroke, &without, 1);
        assert!(whole != broken, "{id} has no {stroke}");
        let parse = |svg: &str| Page::parse(svg.as_bytes(), id, &Fonts::embedded()).unwrap();
        let (whole, broken) = (parse(&whole), parse(&broken));
        let size = exact_size_of(&whole);
        let twice = Size::new(size.width * 2, size.height * 2);
        let small = still(&gpu, &whole, size, &styled);
        let large = still(&gpu, &broken, twice, &styled);
        let (apart, at) = furthest_tile(&small, &half(&large));
        let told = apart > furthest_of(id);
        assert!(told, "{id}, {stroke}: {apart} at {at:?}");
    }
}

/// Visitors see different words, in both languages; first those that the artist drew.
#[test]
fn some_shipped_pages_have_lists_of_lines() {
    let day = jiff::civil::date(2027, 3, 9);
    let mut count = 0;
    for page in pages() {
        for layer in page.layers() {
            let (Layer::Bubble(words) | Layer::Text(words)) = layer else {
                continue;
            };
            let Some(lines) = words.data.get("lines") else {
                continue;
            };
            let first = lines.split('|').next().unwrap_or_default();
            assert_eq!(first.replace("\\n", "\n"), words.own(), "{}", page.id());
            let english = words.data.get("lines-en").unwrap_or_default();
            assert_eq!(english.split('|').count(), lines.split('|').count());
            let texts = page.texts(std::collections::BTreeMap::new(), "en", day);
            assert!(texts.contains_key(words.key()), "{}", page.id());
            count += 1;
        }
    }
    assert!(count >= 2, "{count}");
}

#[test]
fn shipped_pages_say_nothing_was_left_out() {
    for page in pages() {
        assert!(
            page.warnings().is_empty(),
            "{}: {:?}",
            page.id(),
            page.warnings()
        );
        assert_eq!(page.advice(), Vec::<String>::new(), "{}", page.id());
        let id = page.id().to_owned();
        assert_ne!(page.name(), id, "it has a title");
        assert!(page.panels().count() > 0, "{id}");
    }
}

/// What was seen in print: stars on words, a bowl on what a bubble says, labels in another language.
#[test]
fn shipped_pages_keep_their_words_free() {
    for page in pages() {
        let mut words = Vec::new();
        for layer in page.layers() {
            match layer {
                Layer::Text(text) => words.push(text),
                Layer::Effect(effect) if effect.kind == EffectKind::Sparkle => {
                    let under = words
                        .iter()
                        .find(|text| text.bounds.touches(&effect.bounds));
                    let under = under.map(|text| text.id.as_str());
                    assert_eq!(under, None, "{}: stars on words", page.id());
                }
                _ => {}
            }
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pages");
    let source = |id: &str| fs::read_to_string(folder.join(format!("{id}.svg"))).unwrap();
    let pop = source("strip-pop");
    assert!(pop.find("id=\"noodles\"") < pop.find("id=\"bubble-a\""));
    let is_hangul = |letter: char| matches!(letter, '가'..='힣');
    for text in source("profile").split("<text ").skip(1) {
        let (said, _) = text.split_once("</text>").unwrap();
        let in_bubble = said.contains("id=\"text-line\"");
        assert!(
            in_bubble || said.contains("data-en=") || !said.contains(is_hangul),
            "{said}"
        );
    }
}
