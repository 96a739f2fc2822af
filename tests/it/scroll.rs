//! The vertical scroll of the pages that ship.

use panelcam::compositor::{Compositor, Hand};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{Fonts, Page, Seen};
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
    let height = |reply: &str| {
        home.line(&format!(
            "strip {face} out.png --page corridor --scroll --slice 4000 --quality fast --overwrite {reply}"
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
