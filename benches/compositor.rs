//! What pages cost: a plain full picture, a page with all there is, and loading.

#![allow(
    missing_docs,
    reason = "criterion's macros write functions without any"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use panelcam::compositor::{Compositor, Gpu, Hand, Scene};
use panelcam::frame::{Frame, Halftone, Picture, Size, Stamp, Styled};
use panelcam::panels::{Fonts, Page};
use panelcam::people::{Head, Point};

const PROGRAM: Size = Size::new(1080, 1350);
const DRAWING: Size = Size::new(854, 480);
/// Of the camera, and of a generator on a small machine.
const FRAME: Size = Size::new(1920, 1080);
const SMALL: Size = Size::new(448, 256);

/// Six panels, four bubbles, three effects. All panels are of one size, unless those on the left are
/// `wider`, more from row to row.
fn busy(wider: i32) -> String {
    let mut svg = String::from(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="1080" height="1350"><rect width="1080" height="1350" fill="#fffdf9"/>"##,
    );
    for number in 0..6 {
        let (column, row) = (number % 2, number / 2);
        // Each as large as the others, or each a bit different.
        let more = wider * (2 * row + 1) / 2;
        let (x, y) = (30 + column * (520 + more), 30 + row * 435);
        let width = 500 + if column == 0 { more } else { -more };
        let _ = write!(
            svg,
            r##"<path id="live-{number}" d="M{x} {y}h{width}l-20 415h{}z" stroke="#111" stroke-width="8"/>"##,
            30 - width
        );
    }
    svg.push_str(r##"<path id="fx-focus" d="M30 30h500l-20 415h-470z"/><path id="fx-rain" d="M550 30h500l-20 415h-470z"/>"##);
    for number in 0..4 {
        let (x, y) = (160 + number % 2 * 520, 520 + number / 2 * 435);
        let _ = write!(
            svg,
            r##"<g id="bubble-{number}"><ellipse cx="{x}" cy="{y}" rx="110" ry="60" fill="#fff" stroke="#111" stroke-width="5"/><text x="{x}" y="{y}" text-anchor="middle" font-family="BM JUA" font-size="40">안녕</text></g>"##
        );
    }
    svg.push_str(r##"<rect id="fx-petals" width="1080" height="1350"/></svg>"##);
    svg
}

fn drawing() -> Picture {
    let mut picture = Picture::new(DRAWING);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as u32 % DRAWING.width, at as u32 / DRAWING.width);
        let far = (x as f32 - 427.0).hypot((y as f32 - 300.0) * 0.8);
        let matte = ((180.0 - far) / 5.0).clamp(0.0, 1.0);
        let shade = |by: u32| ((x * by + y * 3) >> 2) as u8;
        pixel.copy_from_slice(&[shade(1), shade(2), shade(3), (matte * 255.0) as u8]);
    }
    picture
}

/// Discs, stripes and camera noise.
fn scenery(size: Size, noise: u32) -> Picture {
    let mut picture = Picture::new(size);
    let mut random = 1u32;
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as u32 % size.width, at as u32 / size.width);
        let (u, v) = (x as f32 / size.width as f32, y as f32 / size.height as f32);
        let ring = ((u - 0.5).hypot(v - 0.4) * 40.0).sin();
        let shade = if ring > 0.0 { 60 } else { 180 } + (u * 40.0) as u32;
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let shade = (shade + (random >> 16) % (noise + 1)) as u8;
        pixel.copy_from_slice(&[shade, shade / 2 + 40, 220 - shade / 2, 255]);
    }
    picture
}

/// What sharpening and printing cost: a drawing that is shown as it is, one that follows its frame, and
/// one that is printed in dots as well.
fn sharpening(criterion: &mut Criterion) {
    let Ok(gpu) = Gpu::headless() else { return };
    let stamp = Stamp {
        sequence: 0,
        captured: Instant::now(),
    };
    let frame = Arc::new(Frame {
        stamp,
        picture: scenery(FRAME, 8).into(),
    });
    let soft = Styled::new(frame, Arc::new(scenery(SMALL, 0).into()));
    let mut sharp = soft.clone();
    sharp.shrunk = Some(Arc::new(scenery(SMALL, 1).into()));
    let mut half = sharp.clone();
    half.strength = 0.5;
    let mut toned = scenery(SMALL, 0);
    toned.finish.halftone = Halftone {
        strength: 255,
        cover: 255,
        ink: [8, 8, 10],
    };
    let mut printed = sharp.clone();
    printed.picture = Arc::new(toned.into());
    let mut edged = scenery(SMALL, 0);
    edged.finish.crisp = 255;
    let mut live = sharp.clone();
    live.picture = Arc::new(edged.into());
    let plain = Page::plain(PROGRAM);
    let fonts = Fonts::embedded();
    let alike = Page::parse(busy(0).as_bytes(), "busy", &fonts);
    let unlike = Page::parse(busy(40).as_bytes(), "busy", &fonts);
    let mut cases = vec![
        ("soft", &plain, &soft),
        ("sharp", &plain, &sharp),
        ("half strength", &plain, &half),
        ("sharp and printed in dots", &plain, &printed),
        ("sharp and crisp", &plain, &live),
    ];
    if let (Ok(alike), Ok(unlike)) = (&alike, &unlike) {
        cases.push(("busy and sharp", alike, &sharp));
        cases.push(("busy, sharp and crisp", alike, &live));
        cases.push(("busy, no panels alike, sharp and crisp", unlike, &live));
    }
    for (name, page, styled) in cases {
        for hand in [Hand::Memory, Hand::Device] {
            let Ok(mut compositor) = Compositor::by(Arc::clone(&gpu), hand) else {
                continue;
            };
            if compositor.set_page(page, PROGRAM).is_err() {
                continue;
            }
            let mut picture = Picture::default();
            let mut number = 0;
            let mut program = || {
                number += 1;
                compositor.upload_drawing(styled).ok();
                if let Ok((_, reading)) = compositor.render_to_memory(&scene(number)) {
                    reading.finish(&mut picture).ok();
                }
            };
            // All drawings of all effects once.
            for _ in 0..90 {
                program();
            }
            criterion.bench_function(&format!("{name}, {hand:?}"), |bencher| {
                bencher.iter(|| {
                    program();
                    black_box(());
                });
            });
        }
    }
}

/// The moment of a program, one each camera interval.
fn scene(number: u64) -> Scene {
    Scene {
        time: Duration::from_millis(33 * number),
        mirror: true,
        compare: false,
        focus: Head::at(Point { x: 0.5, y: 0.4 }),
    }
}

/// One program of a drawing.
fn make(compositor: &mut Compositor, drawing: &Picture, number: u64, picture: &mut Picture) {
    compositor.upload_styled(drawing).ok();
    if let Ok((_, reading)) = compositor.render_to_memory(&scene(number)) {
        reading.finish(picture).ok();
    }
}

fn programs(criterion: &mut Criterion) {
    let Ok(gpu) = Gpu::headless() else { return };
    let (fonts, drawing) = (Fonts::embedded(), drawing());
    let webtoon = include_bytes!("../assets/pages/webtoon.svg");
    let pages = [
        ("plain", Some(Page::plain(PROGRAM))),
        ("busy", Page::parse(busy(0).as_bytes(), "busy", &fonts).ok()),
        ("webtoon", Page::parse(webtoon, "webtoon", &fonts).ok()),
    ];
    for hand in [Hand::Memory, Hand::Device] {
        for (name, page) in &pages {
            let Some(page) = page else { continue };
            let Ok(mut compositor) = Compositor::by(Arc::clone(&gpu), hand) else {
                continue;
            };
            if compositor.set_page(page, PROGRAM).is_err() {
                continue;
            }
            let mut picture = Picture::default();
            let mut number = 0;
            let mut program = || {
                number += 1;
                make(&mut compositor, &drawing, number, &mut picture);
            };
            // All drawings of all effects once.
            for _ in 0..90 {
                program();
            }
            criterion.bench_function(&format!("{name}, {hand:?}"), |bencher| {
                bencher.iter(|| {
                    program();
                    black_box(());
                });
            });
        }
    }
}

/// Two resident pages in turns: the first program of a page that was not shown just before.
fn changing(criterion: &mut Criterion) {
    let Ok(gpu) = Gpu::headless() else { return };
    let (fonts, drawing) = (Fonts::embedded(), drawing());
    let pages: [&[u8]; 2] = [
        include_bytes!("../assets/pages/webtoon.svg"),
        include_bytes!("../assets/pages/two-panel.svg"),
    ];
    for hand in [Hand::Memory, Hand::Device] {
        let Ok(mut compositor) = Compositor::by(std::sync::Arc::clone(&gpu), hand) else {
            continue;
        };
        let ready: Vec<_> = pages
            .iter()
            .filter_map(|svg| Page::parse(svg, "page", &fonts).ok())
            .filter_map(|page| compositor.draw_ahead(&page, PROGRAM).ok())
            .collect();
        let mut picture = Picture::default();
        let mut number = 0;
        criterion.bench_function(&format!("change of page, {hand:?}"), |bencher| {
            bencher.iter(|| {
                number += 1;
                if let Some(page) = ready.get(number % ready.len().max(1)) {
                    compositor.show_ready(page);
                }
                make(&mut compositor, &drawing, number as u64, &mut picture);
            });
        });
    }
}

fn loading(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pages");
    let fonts = Fonts::embedded();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    let pages = entries.filter_map(|entry| Some(entry.ok()?.path()));
    for path in pages.filter(|path| path.extension().is_some_and(|extension| extension == "svg")) {
        let Ok(svg) = std::fs::read(&path) else {
            continue;
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        group.bench_function(name.as_ref(), |bencher| {
            bencher.iter(|| {
                let page = Page::parse_in(&svg, "page", &fonts, path.parent(), None);
                black_box(page.and_then(|page| page.rasterise(page.size())).is_ok())
            });
        });
    }
    group.finish();
}

/// Finding heads in a drawing's matte, once a drawing for the crop and once for bubbles.
fn faces(criterion: &mut Criterion) {
    let mut drawing = Picture::new(SMALL);
    for (at, pixel) in drawing.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (at as f32 % 448.0 - 224.0, at as f32 / 448.0);
        let head = (x / 46.0).hypot((y - 100.0) / 64.0);
        let body = (x / 130.0).hypot((y - 260.0) / 110.0);
        pixel[3] = if head.min(body) < 1.0 { 255 } else { 0 };
    }
    criterion.bench_function("faces", |bencher| {
        bencher.iter(|| black_box(panelcam::people::faces(&drawing, &[])).len());
    });
}

criterion_group!(benches, programs, sharpening, changing, faces, loading);
criterion_main!(benches);
