//! Where the network sees faces in a square of a picture.

use std::path::{Path, PathBuf};

use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use super::super::error::{InferenceError, why};
use super::super::provider::on_cpu;
use super::super::runtime::Runtime;
use super::super::tensor::{self, Channels, Coding, Layout, Scaler};
use crate::frame::{Area, Picture, Size};

const ONNX: &[u8] = include_bytes!("../../../models/faces/detector.onnx");
const IMAGE: &str = "input";
const BOXES: &str = "regressors";
const SCORES: &str = "classificators";
/// Pixels a side of what it sees.
const SIDE: u32 = 128;
const CODING: Coding = Coding::new(Layout::Pixels, Channels::Rgb, [-1.0, 1.0]);
/// Pixels from anchor to anchor, and how many there are at each place.
const ANCHORS: [(usize, usize); 2] = [(8, 2), (16, 6)];
const COUNT: usize = 896;
/// Numbers for each anchor: a box, then six points.
const NUMBERS: usize = 16;
/// How likely a face is that counts.
const LEAST: f32 = 0.55;
/// A face of so many pixels is seen for sure.
pub(super) const LEAST_PIXELS: f32 = 16.0;
/// The side of small squares, of a picture's shorter side.
const SMALL: f32 = 0.55;
/// Boxes that share more than this of both are of one face.
const SAME: f32 = 0.3;

/// What the network looks at at once: a square in pixels of a picture, which may reach beyond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Glance {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) side: f32,
}

/// A face as the network sees it, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Found {
    /// How likely it is one, 0..1.
    pub(super) score: f32,
    /// From the forehead to the chin.
    pub(super) middle: [f32; 2],
    pub(super) size: [f32; 2],
    /// Between the eyes.
    pub(super) eyes: [f32; 2],
    /// Its tip.
    pub(super) nose: [f32; 2],
    pub(super) mouth: [f32; 2],
}

impl Glance {
    /// Squares in which every face of a picture is seen well in one: in turns a large one (all of the
    /// picture, then parts as high as it is) and a small one, for those who are far away. Nobody's face
    /// is far away and at the lower edge.
    pub(super) fn all_over(size: Size) -> Vec<Self> {
        let sides = [size.width as f32, size.height as f32];
        let (long, short) = (sides[0].max(sides[1]), sides[0].min(sides[1]));
        if short < 1.0 {
            return Vec::new();
        }
        let large = Self::grid(sides, short, 1.0);
        let small = Self::grid(sides, short * SMALL, 1.0 - SMALL / 2.0);
        let all = Self {
            left: (sides[0] - long) / 2.0,
            top: (sides[1] - long) / 2.0,
            side: long,
        };
        let large: Vec<Self> = (long > short * 1.05)
            .then_some(all)
            .into_iter()
            .chain(large)
            .collect();
        let turns = large.iter().cycle().zip(&small);
        turns.flat_map(|(large, small)| [*large, *small]).collect()
    }

    /// Squares of `side` that cover the upper part of a picture, so much of it. Neighbours share a
    /// head's width and more: along the edge of a square a face is seen badly.
    fn grid(sides: [f32; 2], side: f32, part: f32) -> Vec<Self> {
        let sides = [sides[0], sides[1] * part];
        let steps = sides.map(|length| {
            let count = ((length / side - 1.0) * 1.4).ceil().clamp(0.0, 6.0);
            let step = if count > 0.0 {
                (length - side) / count
            } else {
                0.0
            };
            (0..=count as u32).map(move |at| (at as f32 * step).max(0.0))
        });
        let [across, down] = steps;
        down.flat_map(|top| across.clone().map(move |left| Self { left, top, side }))
            .collect()
    }

    /// Whether a face is seen in it for sure: all of it is there, and large enough.
    pub(super) fn shows(&self, face: &Found) -> bool {
        let inside = |at: f32, size: f32, from: f32| {
            at - size * 0.75 > from && at + size * 0.75 < from + self.side
        };
        self.pixels(face.size[1]) >= LEAST_PIXELS
            && inside(face.middle[0], face.size[0], self.left)
            && inside(face.middle[1], face.size[1], self.top)
    }

    /// How many pixels of what the network sees a length has.
    pub(super) fn pixels(&self, length: f32) -> f32 {
        length / self.side * SIDE as f32
    }
}

/// The network.
pub(super) struct Detector {
    session: Session,
    image: Tensor<f32>,
    boxes: Tensor<f32>,
    scores: Tensor<f32>,
    binding: IoBinding,
    scaler: Scaler,
    /// What it sees.
    picture: Picture,
    part: Picture,
}

impl Detector {
    pub(super) fn open(runtime: &Runtime) -> Result<Self, InferenceError> {
        Self::load(runtime).map_err(|error| InferenceError::Broken {
            why: why(&error),
            path: path(),
        })
    }

    fn load(runtime: &Runtime) -> ort::Result<Self> {
        let builder = Session::builder(runtime.environment())?
            .with_inter_threads(1)?
            .with_intra_threads(1)?;
        let session = on_cpu(builder, runtime)?.commit_from_memory(ONNX)?;
        let allocator = Allocator::default();
        let (side, count) = (i64::from(SIDE), COUNT as i64);
        let image = Tensor::<f32>::new(&allocator, [1, side, side, 3])?;
        let mut boxes = Tensor::<f32>::new(&allocator, [1, count, NUMBERS as i64])?;
        let mut scores = Tensor::<f32>::new(&allocator, [1, count, 1])?;
        let mut binding = session.create_binding()?;
        binding.bind_input(IMAGE, &image)?;
        binding.bind_output(BOXES, &mut boxes)?;
        binding.bind_output(SCORES, &mut scores)?;
        Ok(Self {
            session,
            image,
            boxes,
            scores,
            binding,
            scaler: Scaler::default(),
            picture: Picture::new(Size::new(SIDE, SIDE)),
            part: Picture::default(),
        })
    }

    /// The faces in a square of `frame`, which is given in its pixels. `small` is the same picture,
    /// for squares of which it has pixels enough.
    pub(super) fn detect(
        &mut self,
        frame: &Picture,
        small: &Picture,
        square: Glance,
    ) -> Result<Vec<Found>, InferenceError> {
        let failed = |why: String| InferenceError::Run { why, path: path() };
        let of_ort = |error: ort::Error| failed(why(&error));
        let shrunk = small.width() as f32 / frame.width().max(1) as f32;
        let source = if shrunk * square.side >= SIDE as f32 {
            small
        } else {
            frame
        };
        self.look(source, frame.size(), square).map_err(failed)?;
        let (_, values) = self.image.try_extract_tensor_mut::<f32>().map_err(of_ort)?;
        tensor::encode(self.picture.rgba(), values, CODING);
        self.session.run_binding(&self.binding).map_err(of_ort)?;
        let (_, boxes) = self.boxes.try_extract_tensor::<f32>().map_err(of_ort)?;
        let (_, scores) = self.scores.try_extract_tensor::<f32>().map_err(of_ort)?;
        Ok(distinct(candidates(boxes, scores, square)))
    }

    /// Scales a square of a frame of `size`, whose pixels `source` has, to what the network sees;
    /// black beyond the frame.
    fn look(&mut self, source: &Picture, size: Size, square: Glance) -> Result<(), String> {
        let sides = [size.width as f32, size.height as f32];
        let from = [square.left, square.top];
        let (mut corner, mut part, mut at, mut pixels) = ([0.0; 2], [0.0; 2], [0; 2], [0; 2]);
        for axis in 0..2 {
            let start = from[axis].clamp(0.0, sides[axis]);
            let end = (from[axis] + square.side).clamp(0.0, sides[axis]);
            corner[axis] = start / sides[axis];
            part[axis] = (end - start) / sides[axis];
            let scale = SIDE as f32 / square.side;
            at[axis] = ((start - from[axis]) * scale).round() as u32;
            pixels[axis] = (((end - start) * scale).round() as u32).min(SIDE - at[axis].min(SIDE));
        }
        self.picture.rgba_mut().fill(0);
        if pixels.contains(&0) {
            return Ok(());
        }
        self.part.reshape(Size::new(pixels[0], pixels[1]));
        let area = Area { corner, size: part };
        self.scaler.scale_part(source, area, &mut self.part)?;
        self.part.paste_into(&mut self.picture, at[0], at[1]);
        Ok(())
    }
}

/// What counts of the network's answer.
fn candidates(boxes: &[f32], scores: &[f32], square: Glance) -> Vec<Found> {
    let anchors = ANCHORS.iter().flat_map(|(stride, count)| {
        let cells = SIDE as usize / stride;
        (0..cells * cells * count).map(move |at| {
            let cell = at / count;
            [cell % cells, cell / cells].map(|cell| (cell as f32 + 0.5) / cells as f32)
        })
    });
    let scale = square.side / SIDE as f32;
    let from = [square.left, square.top];
    let numbers = boxes.as_chunks::<NUMBERS>().0.iter();
    numbers
        .zip(scores)
        .zip(anchors)
        .filter_map(|((numbers, score), anchor)| {
            let score = 1.0 / (1.0 + (-score).exp());
            let sound = numbers.iter().all(|number| number.is_finite());
            if !sound || score.is_nan() || score < LEAST {
                return None;
            }
            let point = |at: usize| {
                [0, 1].map(|axis| {
                    from[axis] + anchor[axis] * square.side + numbers[at + axis] * scale
                })
            };
            let middle_of = |a: [f32; 2], b: [f32; 2]| [0, 1].map(|axis| (a[axis] + b[axis]) / 2.0);
            let found = Found {
                score,
                middle: point(0),
                size: [numbers[2] * scale, numbers[3] * scale],
                eyes: middle_of(point(4), point(6)),
                nose: point(8),
                mouth: point(10),
            };
            let Found {
                middle,
                size,
                eyes,
                nose,
                mouth,
                ..
            } = found;
            // Huge numbers are none any more once they are scaled.
            let numbers = [middle, size, eyes, nose, mouth];
            let sound = numbers
                .as_flattened()
                .iter()
                .all(|number| number.abs() < 1e6);
            (sound && size.iter().all(|side| *side >= 1.0)).then_some(found)
        })
        .collect()
}

/// One for each face: the mean of those that lie over each other, weighed by their scores.
fn distinct(mut all: Vec<Found>) -> Vec<Found> {
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut distinct = Vec::new();
    while let Some(best) = all.first().copied() {
        let (same, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|found| shared(&best, found) > SAME);
        let total: f32 = same.iter().map(|found| found.score).sum();
        let mean = |of: fn(&Found) -> [f32; 2]| {
            let weighed = |axis: usize| same.iter().map(move |found| of(found)[axis] * found.score);
            [0, 1].map(|axis| weighed(axis).sum::<f32>() / total)
        };
        distinct.push(Found {
            score: best.score,
            middle: mean(|found| found.middle),
            size: mean(|found| found.size),
            eyes: mean(|found| found.eyes),
            nose: mean(|found| found.nose),
            mouth: mean(|found| found.mouth),
        });
        all = others;
    }
    distinct
}

/// The part that two boxes share of both; 1 for the same box.
pub(super) fn shared(a: &Found, b: &Found) -> f32 {
    let overlap = |axis: usize| {
        let low = |found: &Found| found.middle[axis] - found.size[axis] / 2.0;
        let high = |found: &Found| found.middle[axis] + found.size[axis] / 2.0;
        (high(a).min(high(b)) - low(a).max(low(b))).max(0.0)
    };
    let both = overlap(0) * overlap(1);
    let area = |found: &Found| found.size[0] * found.size[1];
    // A box lies over itself, whatever its size.
    if a == b {
        1.0
    } else {
        both / (area(a) + area(b) - both).max(1e-6)
    }
}

fn path() -> PathBuf {
    Path::new("models/faces/detector.onnx").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::super::files::sha256;
    use super::*;

    #[test]
    fn the_manifest_describes_the_file() {
        let manifest: toml::Table = include_str!("../../../models/faces/model.toml")
            .parse()
            .unwrap();
        assert_eq!(manifest["sha256"].as_str(), Some(&*sha256(ONNX)));
        assert_eq!(manifest["image"]["name"].as_str(), Some(IMAGE));
        assert_eq!(manifest["faces"]["boxes"].as_str(), Some(BOXES));
        assert_eq!(manifest["faces"]["scores"].as_str(), Some(SCORES));
        let anchors: usize = ANCHORS
            .iter()
            .map(|(stride, count)| (SIDE as usize / stride).pow(2) * count)
            .sum();
        assert_eq!(anchors, COUNT);
    }

    #[test]
    fn answers_that_are_no_numbers_and_weak_ones_are_no_faces() {
        let square = Glance {
            left: 10.0,
            top: 20.0,
            side: 256.0,
        };
        let mut boxes = vec![0.0; COUNT * NUMBERS];
        let mut scores = vec![-9.0; COUNT];
        for (at, score) in [(0, 4.0), (1, 2.0), (700, f32::NAN), (701, 5.0), (895, 3.0)] {
            scores[at] = score;
            boxes[at * NUMBERS + 2..at * NUMBERS + 4].fill(32.0);
        }
        boxes[701 * NUMBERS + 9] = f32::INFINITY;
        let found = distinct(candidates(&boxes, &scores, square));
        assert_eq!(found.len(), 2, "{found:?}");
        // The first two anchors are at one place, 4 of 128 pixels from the corner.
        assert_eq!(found[0].middle, [10.0 + 8.0, 20.0 + 8.0]);
        assert_eq!(found[0].size, [64.0; 2]);
        assert_eq!(found[1].middle, [10.0 + 240.0, 20.0 + 240.0]);
    }

    #[test]
    fn squares_cover_a_picture() {
        for (width, height) in [(1280, 720), (720, 1280), (640, 480), (500, 500), (90, 8)] {
            let squares = Glance::all_over(Size::new(width, height));
            assert!((4..=40).contains(&squares.len()), "{width}x{height}");
            assert_eq!(squares[0].side, width.max(height) as f32);
            let face = |x: f32, y: f32, side: f32| Found {
                score: 1.0,
                middle: [x, y],
                size: [side; 2],
                eyes: [x, y],
                nose: [x, y],
                mouth: [x, y],
            };
            let short = width.min(height) as f32;
            for at in 1..20 {
                let at = at as f32 / 20.0;
                let (x, y) = (at * width as f32, 0.4 * height as f32);
                let side = 0.08 * short;
                let inside = x - side > 0.0 && x + side < width as f32;
                let seen = squares.iter().any(|square| square.shows(&face(x, y, side)));
                assert!(
                    !inside || seen || width > 5 * height,
                    "{width}x{height}, {x}"
                );
            }
        }
        assert_eq!(Glance::all_over(Size::new(0, 4)), []);
        assert!(Glance::all_over(Size::new(9000, 1)).len() <= 64);
    }
}
