//! The matte for models that have none: a small network finds the people.
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
/// The network's picture.
const SIZE: Size = Size::new(256, 144);
const CODING: Coding = Coding::new(Layout::Pixels, Channels::Rgb, [0.0, 1.0]);

/// Finds people in pictures.
pub(super) struct Segmenter {
    session: Session,
    image: Tensor<f32>,
    matte: Tensor<f32>,
    binding: IoBinding,
    scaler: Scaler,
    /// The picture as large as fits, and its matte.
    fitted: Picture,
    /// All of the network's picture.
    canvas: Picture,
    /// The matte at the drawing's size, in every channel.
    people: Picture,
}

impl Segmenter {
    /// Loads the network.
    pub fn open(runtime: &Runtime) -> Result<Self, InferenceError> {
        Self::load(runtime).map_err(|error| InferenceError::Broken {
            why: why(&error),
            path: path(),
        })
    }

    fn load(runtime: &Runtime) -> ort::Result<Self> {
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
            image,
            matte,
            binding,
            scaler: Scaler::default(),
            fitted: Picture::default(),
            canvas: Picture::new(SIZE),
            people: Picture::default(),
        })
    }

    /// Writes the matte of the people in `input` to the alpha of `drawing`, whatever their sizes.
    pub fn cut_out(
        &mut self,
        input: &Picture,
        drawing: &mut Picture,
    ) -> Result<(), InferenceError> {
        let failed = |why: String| InferenceError::Run { why, path: path() };
        let of_ort = |error: ort::Error| failed(why(&error));
        let inner = fitted(input.size());
        let corner = (
            (SIZE.width - inner.width) / 2,
            (SIZE.height - inner.height) / 2,
        );
        self.fitted.reshape(inner);
        self.scaler.scale(input, &mut self.fitted).map_err(failed)?;
        self.canvas.rgba_mut().fill(0);
        each_row(&mut self.canvas, corner, &mut self.fitted, |canvas, row| {
            canvas.copy_from_slice(row);
        });
        let (_, values) = self.image.try_extract_tensor_mut::<f32>().map_err(of_ort)?;
        tensor::encode(self.canvas.rgba(), values, CODING);
        self.session.run_binding(&self.binding).map_err(of_ort)?;

        let (_, values) = self.matte.try_extract_tensor::<f32>().map_err(of_ort)?;
        let pixels = self.canvas.rgba_mut().as_chunks_mut::<4>().0;
        for (pixel, value) in pixels.iter_mut().zip(values) {
            // What is not a number becomes 0.
            *pixel = [(value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8; 4];
        }
        each_row(&mut self.canvas, corner, &mut self.fitted, |canvas, row| {
            row.copy_from_slice(canvas);
        });
        self.people.reshape(drawing.size());
        self.scaler
            .scale(&self.fitted, &mut self.people)
            .map_err(failed)?;
        let people = self.people.rgba().as_chunks::<4>().0;
        let drawn = drawing.rgba_mut().as_chunks_mut::<4>().0;
        for (pixel, people) in drawn.iter_mut().zip(people) {
            pixel[3] = people[0];
        }
        Ok(())
    }
}

fn path() -> PathBuf {
    Path::new("models/people/segmenter.onnx").to_owned()
}

/// The largest size of this shape in the network's picture.
fn fitted(size: Size) -> Size {
    let scale = (SIZE.width as f32 / size.width.max(1) as f32)
        .min(SIZE.height as f32 / size.height.max(1) as f32);
    let side = |side: u32, most: u32| ((side as f32 * scale).round() as u32).clamp(1, most);
    Size::new(side(size.width, SIZE.width), side(size.height, SIZE.height))
}

/// Gives each row of `part` with the place it has in `canvas`.
fn each_row(
    canvas: &mut Picture,
    (x, y): (u32, u32),
    part: &mut Picture,
    mut with: impl FnMut(&mut [u8], &mut [u8]),
) {
    let (width, row_bytes) = (canvas.width() as usize * 4, part.width() as usize * 4);
    let rows = canvas
        .rgba_mut()
        .chunks_exact_mut(width.max(1))
        .skip(y as usize);
    for (canvas, row) in rows.zip(part.rgba_mut().chunks_exact_mut(row_bytes.max(1))) {
        let start = x as usize * 4;
        if let Some(canvas) = canvas.get_mut(start..start + row_bytes) {
            with(canvas, row);
        }
    }
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
    fn every_shape_fits() {
        assert_eq!(fitted(Size::new(1280, 720)), SIZE);
        assert_eq!(fitted(Size::new(720, 1280)), Size::new(81, 144));
        assert_eq!(fitted(Size::new(16000, 1)), Size::new(256, 1));
    }
}
