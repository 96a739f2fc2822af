//! The vertical scroll of the pages that ship.

use panelcam::compositor::{Compositor, Hand};
use panelcam::frame::{Picture, Size};
use panelcam::panels::{Page, Seen};
use panelcam::shots::Shot;
use panelcam::strip::{Scroll, Strip};

use super::compositor::gpu;

/// The scroll of a page with one drawing: its slices, one below the other.
fn scroll_of(id: &str, scroll: Scroll) -> Option<Vec<Picture>> {
    let gpu = gpu()?;
    let is_it = |page: &Page| page.id() == id;
    let page = super::pages_golden::pages()
        .into_iter()
        .find(is_it)
        .unwrap();
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
        texts: Default::default(),
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
    let Some(slices) = scroll_of("corridor", Scroll::default()) else {
        return;
    };
    let wanted = 120.0 * 3.0 + 720.0 * (1160.0 + 648.0) / 1000.0;
    let all = rows(&slices) as f32;
    assert!((all - wanted).abs() < 80.0, "{all}, not {wanted}");
    // The lockers are in it.
    let blue = slices[0].rgba().as_chunks::<4>().0.iter();
    let blue = blue.filter(|[r, _, b, _]| u32::from(*b) > u32::from(*r) + 60);
    assert!(blue.count() > 10_000);
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
