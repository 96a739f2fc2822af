//! Means of blocks of pixels.

use crate::frame::{Picture, Size};
use crate::inference::tensor::Scaler;

/// Pixels a side of a block.
pub(super) const SIDE: usize = 4;

/// A picture a quarter as wide and high: each pixel is the mean of a block.
#[derive(Default)]
pub(super) struct Blocks {
    scaler: Scaler,
    means: Picture,
}

impl Blocks {
    /// Takes the means of `picture`.
    pub fn take(&mut self, picture: &Picture) {
        let side = |pixels: u32| pixels.div_ceil(SIDE as u32);
        self.means
            .reshape(Size::new(side(picture.width()), side(picture.height())));
        // A picture without pixels has no blocks either: nothing is read from them.
        let _ = self.scaler.average(picture, &mut self.means);
    }

    /// Blocks a row.
    pub fn columns(&self) -> usize {
        self.means.width() as usize
    }

    /// Rows of blocks.
    pub fn rows(&self) -> usize {
        self.means.height() as usize
    }

    /// The means, RGBA.
    pub fn colours(&self) -> &[[u8; 4]] {
        self.means.rgba().as_chunks().0
    }
}
