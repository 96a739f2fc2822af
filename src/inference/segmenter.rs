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
use crate::frame::{Area, Picture, Size};

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

    /// Finds the people in `input`, whatever its size.
    pub fn look(
        &mut self,
        input: &Picture,
        people: &mut CoarseMatte,
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
        people.values.clear();
        // What is not a number becomes 0.
        let levels = (values.iter()).map(|value| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
        people.values.extend(levels);
        Ok(())
    }

    /// Writes the matte of people that were found to the alpha of a drawing, whatever its size;
    /// [`Edges::Model`] expects the model's matte there.
    pub fn cut_out(&mut self, people: &CoarseMatte, drawing: &mut Picture) {
        if people.values.len() == SIZE.area() {
            let width = drawing.width() as usize;
            self.layer.lay(&people.values, drawing.rgba_mut(), width);
        }
    }
}

/// The people that were found in a picture, coarsely; at first nobody knows where they are.
#[derive(Debug, Default)]
pub struct CoarseMatte {
    /// A value 0..=255 for each pixel of the network's picture, or none.
    values: Vec<u8>,
}

impl CoarseMatte {
    /// Becomes the same as `other`, in the memory that is there.
    pub fn copy_from(&mut self, other: &Self) {
        self.values.clone_from(&other.values);
    }

    /// Writes the share that people take, 0..1, to some cells of a row-wise grid of `columns`: those that
    /// `cells` says, the upper left one and how many, which together show the part `of` the picture. One
    /// half where nobody knows.
    pub(super) fn tell(
        &self,
        of: Area,
        ([left, top], cells): ([u32; 2], Size),
        columns: u32,
        shares: &mut [f32],
    ) {
        let sides = [SIZE.width, SIZE.height];
        // Of one side: which pixels a cell has, and how much of each.
        let span = |axis: usize, cell: u32, count: u32| {
            let most = sides[axis] as f32;
            let at = |cell: u32| {
                let share = cell as f32 / count.max(1) as f32;
                ((of.corner[axis] + of.size[axis] * share) * most).clamp(0.0, most)
            };
            let (start, end) = (at(cell), at(cell + 1));
            let last = (end.ceil() as u32).min(sides[axis]);
            (start as u32..last).map(move |at| {
                let share = end.min((at + 1) as f32) - start.max(at as f32);
                (at, share.max(0.0))
            })
        };
        for y in 0..cells.height {
            for x in 0..cells.width {
                let (mut sum, mut area) = (0.0, 0.0);
                for (row, high) in span(1, y, cells.height) {
                    for (column, wide) in span(0, x, cells.width) {
                        let at = (row * SIZE.width + column) as usize;
                        if let Some(value) = self.values.get(at) {
                            sum += f32::from(*value) * high * wide;
                            area += high * wide;
                        }
                    }
                }
                let at = (top + y) * columns + left + x;
                if let Some(share) = shares.get_mut(at as usize) {
                    *share = if area > 0.0 { sum / area / 255.0 } else { 0.5 };
                }
            }
        }
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

    const ALL: Area = Area {
        corner: [0.0; 2],
        size: [1.0; 2],
    };

    #[test]
    fn cells_have_the_share_of_people_in_them() {
        // The left fourth, and nothing of the lowest quarter.
        let mut people = CoarseMatte {
            values: vec![0; SIZE.area()],
        };
        for (at, value) in people.values.iter_mut().enumerate() {
            let (x, y) = (at as u32 % SIZE.width, at as u32 / SIZE.width);
            if x * 4 < SIZE.width && y * 4 < SIZE.height * 3 {
                *value = 255;
            }
        }
        let grids = [(28, 16), (5, 3), (300, 200), (1, 1)];
        for cells in grids.map(|(width, height)| Size::new(width, height)) {
            let mut found = vec![9.0; cells.area()];
            people.tell(ALL, ([0, 0], cells), cells.width, &mut found);
            let mean = found.iter().sum::<f32>() / cells.area() as f32;
            assert!((mean - 3.0 / 16.0).abs() < 1e-3, "{cells}: {mean}");
            assert!(cells.area() == 1 || found[0] > 0.999 && found[cells.area() - 1] == 0.0);
        }
        // A part of the picture, half of it people, in the right half of a grid.
        let of = Area {
            corner: [0.125, 0.25],
            size: [0.25, 0.25],
        };
        let mut found = [0.25; 8];
        people.tell(of, ([2, 0], Size::new(2, 2)), 4, &mut found);
        assert_eq!(found, [0.25, 0.25, 1.0, 0.0, 0.25, 0.25, 1.0, 0.0]);
        // Beyond its edges and of nobody, nobody knows.
        let beyond = Area {
            corner: [1.5, 0.0],
            size: [0.5, 1.0],
        };
        people.tell(beyond, ([0, 0], Size::new(2, 2)), 4, &mut found);
        assert_eq!(found[..2], [0.5; 2]);
        CoarseMatte::default().tell(ALL, ([0, 0], Size::new(4, 2)), 4, &mut found);
        assert_eq!(found, [0.5; 8]);
    }
}
