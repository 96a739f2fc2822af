//! What a frame costs before it reaches the generator: the demo, and a camera's formats.

#![allow(
    missing_docs,
    reason = "criterion's macros write functions without any"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use panelcam::capture::{Decoder, Demo, FourCc};
use panelcam::frame::{Picture, Size};

fn demo(c: &mut Criterion) {
    for size in [
        Size::new(854, 480),
        Size::new(1280, 720),
        Size::new(1920, 1080),
    ] {
        let Ok(mut demo) = Demo::new(size) else {
            return;
        };
        let (mut picture, mut sequence) = (Picture::default(), 0);
        c.bench_function(&format!("demo {size}"), |b| {
            b.iter(|| {
                sequence += 1;
                demo.draw(sequence, &mut picture);
                black_box(picture.rgba());
            });
        });
    }
}

fn decode(c: &mut Criterion) {
    let (Ok(mut demo), Ok(mut decoder)) = (Demo::new(Size::new(1280, 720)), Decoder::new()) else {
        return;
    };
    let mut frame = Picture::default();
    demo.draw(45, &mut frame);
    let size = frame.size();
    let image = turbojpeg::Image {
        pixels: frame.rgba(),
        width: size.width as usize,
        pitch: size.width as usize * 4,
        height: size.height as usize,
        format: turbojpeg::PixelFormat::RGBA,
    };
    let Ok(jpeg) = turbojpeg::compress(image, 85, turbojpeg::Subsamp::Sub2x1) else {
        return;
    };
    let mut picture = Picture::default();
    for need in [size, Size::new(640, 360), Size::new(320, 180)] {
        c.bench_function(&format!("MJPEG {size} for {need}"), |b| {
            b.iter(|| decoder.decode(FourCc::Mjpeg, size, &jpeg, need, &mut picture));
        });
    }
    let raw = vec![128; size.area() * 2];
    for format in [FourCc::Yuyv, FourCc::Nv12] {
        c.bench_function(&format!("{format} {size}"), |b| {
            b.iter(|| decoder.decode(format, size, &raw, size, &mut picture));
        });
    }
}

criterion_group!(benches, demo, decode);
criterion_main!(benches);
