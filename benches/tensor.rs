//! What it costs to feed the network and to read it, without the network: scaling a frame and
//! writing its tensor, and turning the outputs into a picture. Needs no ONNX Runtime.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench may stop where it stands"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use panelcam::frame::{Picture, Size};
use panelcam::inference::Retouch;
use panelcam::inference::tensor::{self, Coding, Scaler};
use panelcam::settings::RetouchSettings;

/// Frame and generator sizes.
const SIZES: [(Size, Size); 4] = [
    (Size::new(848, 480), Size::new(848, 480)),
    (Size::new(854, 480), Size::new(848, 480)),
    (Size::new(1280, 720), Size::new(848, 480)),
    (Size::new(1280, 720), Size::new(640, 352)),
];

fn tensors(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("prepare");
    for (frame, size) in SIZES {
        let (picture, mut scaled) = (noise(frame), Picture::new(size));
        let (mut scaler, mut values) = (Scaler::default(), vec![0.0; size.area() * 3]);
        group.throughput(Throughput::Elements(size.area() as u64));
        group.bench_function(
            BenchmarkId::from_parameter(format!("{frame} to {size}")),
            |bencher| {
                bencher.iter(|| {
                    let pixels = if frame == size {
                        picture.rgba()
                    } else {
                        scaler.scale(&picture, &mut scaled).unwrap();
                        scaled.rgba()
                    };
                    tensor::encode(black_box(pixels), &mut values, Coding::default());
                });
            },
        );
    }
    group.finish();

    let mut group = criterion.benchmark_group("finish");
    for size in [Size::new(848, 480), Size::new(1280, 720)] {
        let mut values = vec![0.0; size.area() * 3];
        tensor::encode(noise(size).rgba(), &mut values, Coding::default());
        let matte = values[..size.area()].to_vec();
        let mut drawing = Picture::new(size);
        group.throughput(Throughput::Elements(size.area() as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                tensor::decode(
                    black_box(&values),
                    Some(&matte),
                    Coding::default(),
                    drawing.rgba_mut(),
                )
                .unwrap();
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("retouch");
    let size = Size::new(1280, 720);
    let off = RetouchSettings {
        skin_tone: 0.0,
        smoothing: 0.0,
        lines: 0.0,
        ..RetouchSettings::default()
    };
    let all = RetouchSettings {
        skin_tone: 1.0,
        smoothing: 1.0,
        lines: 1.0,
        ..off
    };
    let cases = [
        (
            "skin tone",
            RetouchSettings {
                skin_tone: 1.0,
                ..off
            },
        ),
        (
            "smoothing",
            RetouchSettings {
                smoothing: 1.0,
                ..off
            },
        ),
        ("lines", RetouchSettings { lines: 1.0, ..off }),
        ("all", all),
    ];
    for (name, settings) in cases {
        let (input, drawing) = (person(size), person(size));
        let (mut retouch, mut result) = (Retouch::default(), Picture::new(size));
        group.throughput(Throughput::Elements(size.area() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                result.copy_from(&drawing);
                retouch.apply(black_box(&input), &mut result, Duration::ZERO, &settings);
            });
        });
    }
    // All that one frame costs around the network: what goes in, what comes out, everything on.
    let (input, drawing) = (person(size), person(size));
    let mut values = vec![0.0; size.area() * 3];
    tensor::encode(drawing.rgba(), &mut values, Coding::default());
    let matte = vec![0.9; size.area()];
    let (mut seen, mut retouch) = (vec![0.0; size.area() * 3], Retouch::default());
    let mut result = Picture::new(size);
    group.bench_function("all, and the tensors", |bencher| {
        bencher.iter(|| {
            tensor::encode(black_box(input.rgba()), &mut seen, Coding::default());
            let pixels = result.rgba_mut();
            tensor::decode(&values, Some(&matte), Coding::default(), pixels).unwrap();
            retouch.apply(&input, &mut result, Duration::ZERO, &all);
        });
    });
    group.finish();
}

/// A large round of skin before a wall with dark strokes, all of it person, as a webcam sees it: a
/// quarter of the picture is skin.
fn person(size: Size) -> Picture {
    let mut picture = noise(size);
    let (width, height) = (size.width as i32, size.height as i32);
    let pixels = picture.rgba_mut().as_chunks_mut::<4>().0;
    for (at, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = (
            at as i32 % width - width / 2,
            at as i32 / width - height / 2,
        );
        let noise = pixel.map(|value| value / 64);
        let [red, green, blue] = if x * x + y * y < height * height / 7 {
            [190, 145, 120]
        } else if (x + y / 4) % 60 < 3 {
            [60, 50, 55]
        } else {
            [150, 150 + (y * 60 / height) as u8, 190]
        };
        *pixel = [red + noise[0], green + noise[1], blue + noise[2], 255];
    }
    picture
}

fn noise(size: Size) -> Picture {
    let mut picture = Picture::new(size);
    for (at, byte) in picture.rgba_mut().iter_mut().enumerate() {
        *byte = ((at * 7919) >> 3) as u8;
    }
    picture
}

criterion_group!(benches, tensors);
criterion_main!(benches);
