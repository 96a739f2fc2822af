//! What it costs to feed the network and to read it, without the network: scaling a frame and
//! writing its tensor, and turning the outputs into a picture. Needs no ONNX Runtime.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench may stop where it stands"
)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use panelcam::frame::{Picture, Size};
use panelcam::inference::tensor::{self, Coding, Scaler};

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
