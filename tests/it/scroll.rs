//! The vertical scroll of the pages that ship.

use panelcam::compositor::{Compositor, Hand};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{Fonts, Page, Seen, Turns};
use panelcam::shots::Shot;
use panelcam::strip::{Scroll, Strip};

use super::compositor::gpu;
use crate::inference::runtime;
use crate::support::Home;

/// The scroll of a page with one drawing: its slices, one below the other.
fn scroll_of(id: &str, scroll: Scroll) -> Option<Vec<Picture>> {
    scroll_saying(id, scroll, &[])
}

/// The same with other words.
fn scroll_saying(id: &str, scroll: Scroll, texts: &[(&str, &str)]) -> Option<Vec<Picture>> {
    let is_it = |page: &Page| page.id() == id;
    let page = super::pages_golden::pages()
        .into_iter()
        .find(is_it)
        .unwrap();
    scroll_of_page(page, scroll, texts)
}

fn scroll_of_page(page: Page, scroll: Scroll, texts: &[(&str, &str)]) -> Option<Vec<Picture>> {
    let gpu = gpu()?;
    let id = page.id().to_owned();
    let drawing = super::pages::chart(Size::new(320, 180));
    let strip = Strip {
        page,
        shots: vec![Some(Shot {
            seen: Seen {
                size: drawing.size(),
                ..Seen::default()
            },
            drawing: std::sync::Arc::new(drawing.into()),
            second: Vec::new(),
        })],
        camera: None,
        texts: texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        mirror: false,
    };
    let mut compositor = Compositor::by(gpu, Hand::Memory).unwrap();
    let slices = strip.scroll(&mut compositor, &scroll).unwrap();
    for slice in &slices {
        assert!(
            slice.width() == scroll.width && slice.height() <= scroll.slice,
            "{id}"
        );
    }
    Some(slices)
}

fn rows(slices: &[Picture]) -> u32 {
    slices.iter().map(Picture::height).sum()
}

#[test]
fn a_panel_of_people_alone_is_a_panel() {
    // The hall, 1000 x 1160 units, and the face, 1000 x 648: with their edges, gutters around.
    let silent = [("call", ""), ("reply", ""), ("time", "")];
    let Some(bare) = scroll_saying("corridor", Scroll::default(), &silent) else {
        return;
    };
    let slices = scroll_of("corridor", Scroll::default()).unwrap();
    let wanted = 120.0 * 3.0 + 720.0 * (1160.0 + 648.0) / 1000.0;
    let all = rows(&slices) as f32;
    assert!(
        (-80.0..400.0).contains(&(all - wanted)),
        "{all}, not {wanted}"
    );
    // A bubble between the two stands out of its own, once: on paper, not on its neighbour.
    let ink = |slices: &[Picture]| -> usize {
        let is_ink = |pixel: &&[u8; 4]| pixel[..3] == [0x17, 0x14, 0x1f];
        let pixels = slices.iter().map(|slice| slice.rgba().as_chunks::<4>().0);
        pixels
            .map(|pixels| pixels.iter().filter(is_ink).count())
            .sum()
    };
    assert!(
        ink(&slices) > ink(&bare) + 3000,
        "{} {}",
        ink(&slices),
        ink(&bare)
    );
    // The lockers are in it.
    let blue = slices[0].rgba().as_chunks::<4>().0.iter();
    let blue = blue.filter(|[r, _, b, _]| u32::from(*b) > u32::from(*r) + 60);
    assert!(blue.count() > 10_000);
}

/// A bubble of the lower panel that came to stand high in the upper one, where its face let it: it stays
/// there, whole, and no piece of its tail stands over the lower panel.
#[test]
fn a_bubble_that_left_its_panel_belongs_to_where_it_stands() {
    if runtime().is_none() || gpu().is_none() {
        return;
    }
    let home = Home::new();
    let face = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");
    // So near that the bubble of the lower panel goes up into the other one.
    let face = image::open(face).unwrap().crop_imm(51, 0, 358, 317);
    face.save(home.path("face.png")).unwrap();
    let height = |reply: &str| {
        home.line(&format!(
            "strip face.png out.png --page corridor --scroll --slice 4000 --quality fast --overwrite {reply}"
        ))
        .ok();
        image::open(home.path("out-01.png")).unwrap().height()
    };
    let (with, without) = (height(""), height("--text reply="));
    // The tip of its tail over the gutter.
    assert!(
        (without..without + 120).contains(&with),
        "{with} and {without}"
    );
}

#[test]
fn a_page_without_panels_is_one_and_a_scroll_is_one_already() {
    let Some(slices) = scroll_of("rooftop", Scroll::default()) else {
        return;
    };
    assert_eq!(rows(&slices), 120 * 2 + 720 * 1920 / 1080);

    let slices = scroll_of("scroll", Scroll::default()).unwrap();
    assert_eq!(rows(&slices), 2600);
    assert!(slices.len() >= 3, "{}", slices.len());
    // As it is: no paper beside it, the night at its upper edge.
    let corner = slices[0].pixel(0, 0).unwrap();
    assert!(
        corner[0] < 40 && corner[2] < 60 && corner[3] == 255,
        "{corner:?}"
    );
}

#[test]
fn every_page_has_a_scroll() {
    // A narrow one is quick.
    let narrow = Scroll {
        width: 200,
        gutter: 30,
        margin: 10,
        ..Scroll::default()
    };
    for (id, least) in [
        ("photo-card", 300),
        ("stream-corner", 150),
        ("plain", 150),
        ("strip-pop", 900),
        // Five panels, none of them left out.
        ("manga", 900),
    ] {
        let Some(slices) = scroll_of(id, narrow) else {
            return;
        };
        assert!(rows(&slices) > least, "{id}: {}", rows(&slices));
    }
}

/// A bubble that hangs over the gutter goes with its own panel, whole, and leaves its neighbour.
#[test]
fn a_bubble_across_a_gutter_stands_out_of_its_panel() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="620">
        <rect width="400" height="620" fill="#fff"/><rect id="live-1" x="10" y="10" width="380" height="290"/>
        <rect id="live-2" x="10" y="320" width="380" height="290"/>
        <g id="bubble-a" data-follow="no" data-tail="none"><rect x="40" y="250" width="120" height="200" fill="#0a0"/>
        <text x="100" y="350" font-family="BM JUA" font-size="20" text-anchor="middle">Oh</text></g></svg>"##;
    let page = Page::parse(svg.as_bytes(), "gutter", &Fonts::embedded()).unwrap();
    let narrow = Scroll {
        width: 200,
        gutter: 30,
        margin: 10,
        ..Scroll::default()
    };
    let Some(with) = scroll_of_page(page.clone(), narrow, &[]) else {
        return;
    };
    let without = scroll_of_page(page, narrow, &[("a", "")]).unwrap();
    // 70 units above its panel, at 180 pixels for 380 units and the panel's edges.
    let higher = rows(&with) - rows(&without);
    assert!((20..=34).contains(&higher), "{higher}");
    let green: Vec<bool> = with
        .iter()
        .flat_map(|slice| slice.rgba().chunks_exact(200 * 4))
        .map(|row| row.as_chunks::<4>().0.contains(&[0, 0xaa, 0, 255]))
        .collect();
    // Not in the upper panel, and in one piece.
    let first = green.iter().position(|green| *green).unwrap();
    assert!(first > 30 + 130 + 30, "{first}");
    let long = green.iter().filter(|green| **green).count();
    assert!((80..=100).contains(&long), "{long}");
}

/// Two slanted panels, one over the other, a bubble that hangs out of the lower one at its right and
/// a badge on the corner of the upper one: each panel is its shape with its border, and what is its
/// own stands out of it whole.
#[test]
fn slanted_panels_are_cut_by_their_shapes() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="400" height="620">
        <rect width="400" height="620" fill="#fff"/>
        <path id="shot-1" d="M10 20h380v200l-380 100z"/><path id="shot-2" d="M10 350l380-100v350h-380z"/>
        <path d="M10 20h380v200l-380 100z" fill="none" stroke="#00f" stroke-width="8"/>
        <path d="M10 350l380-100v350h-380z" fill="none" stroke="#00f" stroke-width="8"/>
        <circle cx="20" cy="30" r="18" fill="#f0f"/>
        <g id="bubble-a" data-follow="no" data-tail="none"><rect x="300" y="240" width="98" height="100" fill="#0a0"/>
        <text x="349" y="300" font-family="BM JUA" font-size="20" text-anchor="middle">Oh</text></g></svg>"##;
    let page = Page::parse(svg.as_bytes(), "slanted", &Fonts::embedded()).unwrap();
    let wide = Scroll {
        width: 420,
        gutter: 60,
        margin: 30,
        slice: 4000,
    };
    let Some(slices) = scroll_of_page(page, wide, &[]) else {
        return;
    };
    let [scroll] = slices.as_slice() else {
        panic!("{} slices", slices.len());
    };
    let at = |x, y| scroll.pixel(x, y).unwrap();
    let find = |colour: [u8; 4]| -> Vec<(u32, u32)> {
        let all = (0..scroll.height()).flat_map(|y| (0..420).map(move |x| (x, y)));
        all.filter(|(x, y)| at(*x, *y) == colour).collect()
    };
    let within = |pixels: &[(u32, u32)]| {
        let (x, y) = pixels.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
        let long = |all: &[u32]| all.iter().max().unwrap() - all.iter().min().unwrap() + 1;
        (long(&x), long(&y))
    };
    // At 360 pixels for 388 units: the badge and the bubble are whole.
    let badge = within(&find([255, 0, 255, 255]));
    assert!(
        badge.0.abs_diff(33) <= 2 && badge.1.abs_diff(33) <= 2,
        "{badge:?}"
    );
    let bubble = within(&find([0, 0xaa, 0, 255]));
    assert!(
        bubble.0.abs_diff(90) <= 2 && bubble.1.abs_diff(92) <= 2,
        "{bubble:?}"
    );
    // Each border goes all around its panel, and there is nothing of the other one's.
    let blue = find([0, 0, 255, 255]);
    let split = blue
        .iter()
        .map(|(_, y)| *y)
        .filter(|y| *y < 380)
        .max()
        .unwrap();
    let (upper, lower): (Vec<_>, Vec<_>) = blue.into_iter().partition(|(_, y)| *y <= split);
    let (upper, lower) = (within(&upper), within(&lower));
    // The bubble hides the corner of the lower one.
    assert!(
        upper.0.abs_diff(360) <= 2 && upper.1.abs_diff(286) <= 4,
        "{upper:?}"
    );
    assert!(
        lower.0.abs_diff(360) <= 2 && lower.1.abs_diff(309) <= 6,
        "{lower:?}"
    );
    // Paper where the other panel was: right of the slanted edge.
    assert_eq!(at(380, split - 8), [255; 4]);
}

/// A strip says what was read when its shots were taken.
#[test]
fn a_strip_shows_the_line_seen_at_its_shot() {
    let Some(gpu) = gpu() else { return };
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">
        <rect id="shot-1" width="320" height="240"/><g id="bubble-a" data-lines="one|two|three" data-follow="no">
        <ellipse cx="160" cy="150" rx="90" ry="50" fill="#fff"/><text x="160" y="150" font-size="20">one</text></g></svg>"##;
    let page = Page::parse(svg.as_bytes(), "lines", &Fonts::embedded()).unwrap();
    let mut compositor = Compositor::by(gpu, Hand::Memory).unwrap();
    let drawing = std::sync::Arc::new(super::pages::chart(Size::new(320, 240)).into());
    let mut drawn = |asked: usize, text: Option<&str>| {
        let time = std::time::Duration::from_secs(1);
        let strip = Strip {
            page: page.clone(),
            shots: vec![Some(Shot {
                seen: Seen {
                    turns: Some(Turns { time, asked }),
                    ..Seen::default()
                },
                drawing: std::sync::Arc::clone(&drawing),
                second: Vec::new(),
            })],
            camera: None,
            texts: text
                .map(|text| ("a".to_owned(), text.to_owned()))
                .into_iter()
                .collect(),
            mirror: false,
        };
        strip.draw(&mut compositor, Size::new(320, 240)).unwrap()
    };
    assert!(drawn(1, None) == drawn(0, Some("two")));
    assert!(drawn(5, None) == drawn(0, Some("three")));
    assert!(drawn(0, None) != drawn(1, None));
}

/// Slanted panels of a page that ships, small: each alone on paper, with its border.
#[test]
fn the_scroll_of_slanted_panels_looks_as_it_should() {
    let small = Scroll {
        width: 110,
        gutter: 16,
        margin: 6,
        slice: 4000,
    };
    let Some(slices) = scroll_of("action", small) else {
        return;
    };
    let [scroll] = <[Picture; 1]>::try_from(slices).unwrap();
    super::pages::snapshot("scroll-action", scroll).unwrap();
}
