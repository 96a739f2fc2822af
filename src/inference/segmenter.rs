//! The matte for models that have none, or are unsure: a small network finds the people.
//!
//! `MediaPipe` Selfie Segmentation (`models/people`), 256 x 144 pixels, about 2 ms of one thread.

use ort::memory::Allocator;
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use std::path::{Path, PathBuf};

use super::error::{InferenceError, why};
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

/// Whose edges people have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edges {
    /// The segmenter's, which are as coarse as its picture.
    Segmenter,
    /// The model's matte moves them, where the segmenter is unsure.
    Model,
}

/// Finds people in pictures.
pub(super) struct Segmenter {
    session: Session,
    /// The matte of each value of the segmenter's and each of the model's, 256 a row; without the
    /// model's one row.
    mixed: Vec<u8>,
    image: Tensor<f32>,
    matte: Tensor<f32>,
    binding: IoBinding,
    scaler: Scaler,
    /// The picture in the network's size, then its matte.
    picture: Picture,
    /// The matte at the drawing's size, in every channel.
    people: Picture,
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
        let session = Session::builder(runtime.environment())?
            .with_inter_threads(1)?
            .with_intra_threads(1)?
            .commit_from_memory(ONNX)?;
        let allocator = Allocator::default();
        let (width, height) = (i64::from(SIZE.width), i64::from(SIZE.height));
        let image = Tensor::<f32>::new(&allocator, [1, height, width, 3])?;
        let mut matte = Tensor::<f32>::new(&allocator, [1, height, width, 1])?;
        let mut binding = session.create_binding()?;
        binding.bind_input(IMAGE, &image)?;
        binding.bind_output(MATTE, &mut matte)?;
        Ok(Self {
            session,
            mixed: match edges {
                Edges::Segmenter => Vec::new(),
                Edges::Model => mixed(),
            },
            image,
            matte,
            binding,
            scaler: Scaler::default(),
            picture: Picture::new(SIZE),
            people: Picture::default(),
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
        let pixels = self.picture.rgba_mut().as_chunks_mut::<4>().0;
        for (pixel, value) in pixels.iter_mut().zip(values) {
            // What is not a number becomes 0.
            *pixel = [(value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8; 4];
        }
        self.people.reshape(drawing.size());
        self.scaler
            .scale(&self.picture, &mut self.people)
            .map_err(failed)?;
        let people = self.people.rgba().as_chunks::<4>().0;
        let drawn = drawing.rgba_mut().as_chunks_mut::<4>().0;
        for (pixel, people) in drawn.iter_mut().zip(people) {
            let at = usize::from(people[0]) << 8 | usize::from(pixel[3]);
            pixel[3] = self.mixed.get(at).copied().unwrap_or(people[0]);
        }
        Ok(())
    }
}

/// What two networks think together: each one's odds count, the model's as their root, and neither is
/// ever quite sure.
fn mixed() -> Vec<u8> {
    let odds = |value: u16, doubt: f32| {
        let share = (f32::from(value) / 255.0).clamp(doubt, 1.0 - doubt);
        share / (1.0 - share)
    };
    let mix = |segmenter: u16, model: u16| {
        let odds = odds(segmenter, 0.01) * odds(model, 0.05).sqrt();
        (odds / (1.0 + odds) * 255.0).round() as u8
    };
    let rows = 0..256;
    rows.flat_map(|segmenter| (0..256).map(move |model| mix(segmenter, model)))
        .collect()
}

fn path() -> PathBuf {
    Path::new("models/people/segmenter.onnx").to_owned()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_manifest_describes_the_file() {
        let manifest: toml::Table = include_str!("../../models/people/model.toml")
            .parse()
            .unwrap();
        let hash: String = Sha256::digest(ONNX)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(manifest["sha256"].as_str(), Some(hash.as_str()));
        assert_eq!(manifest["image"]["name"].as_str(), Some(IMAGE));
        assert_eq!(manifest["matte"]["name"].as_str(), Some(MATTE));
    }

    #[test]
    fn the_segmenter_decides_and_the_model_moves_the_edge() {
        let table = mixed();
        let mix = |segmenter: usize, model: usize| table[segmenter << 8 | model];
        // Sure of it: no crumbs, no holes.
        assert!(mix(0, 255) < 30 && mix(255, 0) > 225);
        assert!(mix(0, 0) < 5 && mix(255, 255) > 250);
        // Unsure: the model has the last word, as far as it is sure.
        assert!(mix(128, 255) > 190 && mix(128, 0) < 66);
        assert_eq!(mix(128, 128), 128);
        for at in 1..256 {
            assert!(mix(at, 90) >= mix(at - 1, 90) && mix(90, at) >= mix(90, at - 1));
        }
    }
}
