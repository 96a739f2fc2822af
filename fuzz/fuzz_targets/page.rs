//! Pages: anything may be in a file that an artist sends.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use panelcam::frame::{Picture, Size};
use panelcam::panels::{Fonts, Page};

static FONTS: LazyLock<Fonts> = LazyLock::new(Fonts::embedded);

fuzz_target!(|svg: &[u8]| {
    if let Ok(page) = Page::parse(svg, "fuzz", &FONTS) {
        page.found();
        page.advice();
        let plain = Picture::new(Size::new(24, 32));
        page.labelled(plain, &FONTS).expect("a size that is allowed");
        page.rasterise(Size::new(48, 64))
            .expect("a size that is allowed");
    }
});
