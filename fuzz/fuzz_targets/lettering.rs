//! Bubbles and words: people type anything into them.
#![no_main]

use std::collections::BTreeMap;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use panelcam::frame::Size;
use panelcam::panels::{Fonts, Letterer, Moment, Page, Seen};

const PAGE: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><rect id="live" width="200" height="200"/>
<g id="bubble-a"><ellipse cx="60" cy="50" rx="50" ry="30"/><text x="60" y="50">a</text></g>
<text id="bubble-thought-b" x="150" y="120">b</text><text id="text-c" x="20" y="190" font-size="20">c</text></svg>"#;

fuzz_target!(|text: &str| {
    let page = Page::parse(PAGE.as_bytes(), "page", &Fonts::embedded()).expect("it is a page");
    let mut letterer = Letterer::new(&page, Size::new(100, 100));
    let texts = ["a", "b", "c"].map(|name| (name.to_owned(), text.to_owned()));
    letterer.sprites(&Moment {
        time: Duration::ZERO,
        texts: &BTreeMap::from(texts),
        turned: 0,
        live: &Seen::default(),
        shots: &[],
        mirror: false,
        countdown: None,
    });
    letterer.places();
});
