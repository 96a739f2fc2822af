//! Every page in `assets/pages` looks as it should, at two times, by both hands.

use std::fs;
use std::path::Path;
use std::time::Duration;

use panelcam::compositor::{Hand, Scene};
use panelcam::frame::Size;
use panelcam::panels::{Fonts, Layer, Page};
use panelcam::people::Point;

use super::compositor::{SCENE, gpu};
use super::effects::{half, mean_difference, program};
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
        let page = Page::parse_in(&fs::read(path).unwrap(), id, &fonts, Some(&folder));
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

fn at(millis: u64) -> Scene {
    Scene {
        time: Duration::from_millis(millis),
        focus: Point { x: 0.5, y: 0.36 },
        ..SCENE
    }
}

#[test]
fn pages_look_as_they_should_by_both_hands() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    let mut failures = Vec::new();
    for page in pages() {
        let size = size_of(&page, AREA);
        let moves = page
            .layers()
            .iter()
            .any(|layer| matches!(layer, Layer::Effect(_)));
        let times: &[(&str, u64)] = if moves {
            &[("", 0), ("-later", 250)]
        } else {
            &[("", 0)]
        };
        for (name, millis) in times {
            let [device, memory] = [Hand::Device, Hand::Memory]
                .map(|hand| program(&gpu, hand, &page, size, &styled, &at(*millis)));
            let difference = mean_difference(&device, &memory);
            if difference > 0.6 {
                failures.push(format!("{}: the hands are {difference} apart", page.id()));
            }
            let name = format!("page-{}{name}", page.id());
            failures.extend(snapshot(&name, device).err());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Twice as large is the same picture, only sharper: made smaller again it is the small one.
#[test]
fn a_page_twice_as_large_differs_only_in_sharpness() {
    let Some(gpu) = gpu() else { return };
    let styled = chart(Size::new(320, 180));
    for page in pages() {
        let size = size_of(&page, 90_000.0);
        let twice = Size::new(size.width * 2, size.height * 2);
        let small = program(&gpu, Hand::Memory, &page, size, &styled, &at(0));
        let large = program(&gpu, Hand::Memory, &page, twice, &styled, &at(0));
        let difference = mean_difference(&small, &half(&large));
        assert!(difference < 6.0, "{}: {difference}", page.id());
    }
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
        let id = page.id().to_owned();
        assert_ne!(page.name(), id, "it has a title");
        assert!(page.panels().count() > 0, "{id}");
    }
}
