//! The matte for models that have none, or are unsure: a small network finds the people.
//!
//! `MediaPipe` Selfie Segmentation (`models/people`), 256 x 144 pixels, about 2 ms of one thread.

use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use std::path::{Path, PathBuf};

use super::error::{InferenceError, why};
use super::matte::{Edges, Matte};
use super::provider::on_cpu;
use super::runtime::Runtime;
use super::tensor::{self, Channels, Coding, Layout, Scaler};
use crate::frame::{Picture, Size};

const ONNX: &[u8] = include_bytes!("../../models/people/segmenter.onnx");
const IMAGE: &str = "input_1";
const MATTE: &str = "segment_back";
/// The network's picture. Pictures of other shapes are stretched, as it was made for: a camera on its
/// side, letterboxed, would fill a third of it.
const SIZE: Size = Size::new(256, 144);
const CODING: Coding = Coding::new(Layout::Pixels, Channels::Rgb, [0.0, 1.0]);

/// Finds people in pictures.
pub(super) struct Segmenter {
    session: Session,
    image: Tensor<f32>,
    matte: Tensor<f32>,
    binding: IoBinding,
    scaler: Scaler,
    /// The picture in the network's size.
    picture: Picture,
    layer: Matte,
}

impl Segmenter {
    /// Loads the network.
    pub fn open(runtime: &Runtime, edges: Edges) -> Result<Self, InferenceError> {
        Self::load(runtime, edges).map_err(|error| InferenceError::Broken {
            why: why(&error),
            path: path(),
        })
    }

    fn load(runtime: &Runtime, edges: Edges) -> ort::Result<Self> {
        let builder = Session::builder(runtime.environment())?
            .with_inter_threads(1)?
            .with_intra_threads(1)?;
        let session = on_cpu(builder, runtime)?.commit_from_memory(ONNX)?;
        let allocator = Allocator::default();
        let (width, height) = (i64::from(SIZE.width), i64::from(SIZE.height));
        let image = Tensor::<f32>::new(&allocator, [1, height, width, 3])?;
        let mut matte = Tensor::<f32>::new(&allocator, [1, height, width, 1])?;
        let mut binding = session.create_binding()?;
        binding.bind_input(IMAGE, &image)?;
        binding.bind_output(MATTE, &mut matte)?;
        Ok(Self {
            session,
            image,
            matte,
            binding,
            scaler: Scaler::default(),
            picture: Picture::new(SIZE),
            layer: Matte::new(SIZE.width as usize, SIZE.height as usize, edges),
        })
    }

    /// Finds the people in `input`, whatever its size: `people` is a value 0..=255 for each pixel of the
    /// network's picture.
    pub fn look(&mut self, input: &Picture, people: &mut Vec<u8>) -> Result<(), InferenceError> {
        let failed = |why: String| InferenceError::Run { why, path: path() };
        let of_ort = |error: ort::Error| failed(why(&error));
        self.scaler
            .scale(input, &mut self.picture)
            .map_err(failed)?;
        let (_, values) = self.image.try_extract_tensor_mut::<f32>().map_err(of_ort)?;
        tensor::encode(self.picture.rgba(), values, CODING);
        self.session.run_binding(&self.binding).map_err(of_ort)?;

        let (_, values) = self.matte.try_extract_tensor::<f32>().map_err(of_ort)?;
        people.clear();
        // What is not a number becomes 0.
        people.extend((values.iter()).map(|value| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8));
        Ok(())
    }

    /// Writes the matte of people that were found to the alpha of a drawing, whatever its size;
    /// [`Edges::Model`] expects the model's matte there.
    pub fn cut_out(&mut self, people: &[u8], drawing: &mut Picture) {
        if people.len() == SIZE.area() {
            let width = drawing.width() as usize;
            self.layer.lay(people, drawing.rgba_mut(), width);
        }
    }
}

/// The share of each of `cells` that people take who were found, 0..1, row by row.
pub(super) fn shares(people: &[u8], cells: Size, shares: &mut [f32]) {
    if people.len() != SIZE.area() {
        shares.fill(0.5);
        return;
    }
    // Of one side: which pixels a cell has, and how much of each.
    let span = |cell: u32, cells: u32, side: u32| {
        let scale = side as f32 / cells.max(1) as f32;
        let (start, end) = (cell as f32 * scale, (cell + 1) as f32 * scale);
        let last = (end.ceil() as u32).min(side);
        (start as u32..last).map(move |at| {
            let share = (end.min((at + 1) as f32) - start.max(at as f32)).max(0.0);
            (at, share / scale)
        })
    };
    let places = (0..cells.height).flat_map(|y| (0..cells.width).map(move |x| (x, y)));
    for (share, (x, y)) in shares.iter_mut().zip(places) {
        let mut sum = 0.0;
        for (row, high) in span(y, cells.height, SIZE.height) {
            for (column, wide) in span(x, cells.width, SIZE.width) {
                let at = (row * SIZE.width + column) as usize;
                sum += f32::from(people[at]) * high * wide;
            }
        }
        *share = (sum / 255.0).clamp(0.0, 1.0);
    }
}

fn path() -> PathBuf {
    Path::new("models/people/segmenter.onnx").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::files::sha256;
    use super::*;

    #[test]
    fn the_manifest_describes_the_file() {
        let manifest: toml::Table = include_str!("../../models/people/model.toml")
            .parse()
            .unwrap();
        assert_eq!(manifest["sha256"].as_str(), Some(&*sha256(ONNX)));
        assert_eq!(manifest["image"]["name"].as_str(), Some(IMAGE));
        assert_eq!(manifest["matte"]["name"].as_str(), Some(MATTE));
    }

    #[test]
    fn cells_have_the_share_of_people_in_them() {
        // The left third, and nothing of the lowest quarter.
        let mut people = vec![0; SIZE.area()];
        for (at, value) in people.iter_mut().enumerate() {
            let (x, y) = (at as u32 % SIZE.width, at as u32 / SIZE.width);
            *value = if x * 4 < SIZE.width && y * 4 < SIZE.height * 3 {
                255
            } else {
                0
            };
        }
        for cells in [
            Size::new(28, 16),
            Size::new(5, 3),
            Size::new(300, 200),
            Size::new(1, 1),
        ] {
            let mut found = vec![9.0; cells.area()];
            shares(&people, cells, &mut found);
            let mean = found.iter().sum::<f32>() / cells.area() as f32;
            assert!((mean - 3.0 / 16.0).abs() < 1e-3, "{cells}: {mean}");
            assert!(cells.area() == 1 || found[0] > 0.999 && found[cells.area() - 1] == 0.0);
        }
        let mut unknown = vec![0.0; 4];
        shares(&[], Size::new(2, 2), &mut unknown);
        assert_eq!(unknown, [0.5; 4]);
    }
}
