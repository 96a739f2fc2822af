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
    /// Its matte.
    people: Vec<u8>,
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
            people: Vec::new(),
            layer: Matte::new(SIZE.width as usize, SIZE.height as usize, edges),
        })
    }

    /// Writes the matte of the people in `input` to the alpha of `drawing`, whatever their sizes;
    /// [`Edges::Model`] expects the model's matte there.
    pub fn cut_out(
        &mut self,
        input: &Picture,
        drawing: &mut Picture,
    ) -> Result<(), InferenceError> {
        let failed = |why: String| InferenceError::Run { why, path: path() };
        let of_ort = |error: ort::Error| failed(why(&error));
        self.scaler
            .scale(input, &mut self.picture)
            .map_err(failed)?;
        let (_, values) = self.image.try_extract_tensor_mut::<f32>().map_err(of_ort)?;
        tensor::encode(self.picture.rgba(), values, CODING);
        self.session.run_binding(&self.binding).map_err(of_ort)?;

        let (_, values) = self.matte.try_extract_tensor::<f32>().map_err(of_ort)?;
        self.people.clear();
        // What is not a number becomes 0.
        self.people
            .extend((values.iter()).map(|value| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8));
        let width = drawing.width() as usize;
        self.layer.lay(&self.people, drawing.rgba_mut(), width);
        Ok(())
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
}
