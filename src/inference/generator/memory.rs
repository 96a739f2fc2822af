//! How much memory a generator takes.

use super::Generator;
use crate::inference::contract::Shaped;
use crate::settings::Provider;

/// Bytes for each pixel of a drawing where nobody counts.
const BYTES_PER_PIXEL: u64 = 600;
/// What the network that finds people was measured to take.
const SEGMENTER: u64 = 10_000_000;

impl Generator {
    /// About how many bytes it takes with so many slots: its weights, which are read and then laid out
    /// anew, what a run takes, and what its slots hold. Of a provider with a memory of its own it is a
    /// guess.
    pub fn memory(&self, slots: usize) -> u64 {
        let segmenter = self.segmenter.as_ref().map_or(0, |_| SEGMENTER);
        let weights = 2 * self.model.bytes(self.precision) + segmenter;
        let area = self.size().area() as u64;
        match self.peak.filter(|_| self.provider == Provider::Cpu) {
            Some(peak) => weights + peak + slots as u64 * self.slot_bytes(),
            None => weights + area * BYTES_PER_PIXEL,
        }
    }

    /// Bytes of a slot.
    fn slot_bytes(&self) -> u64 {
        let bytes = |shaped: &Shaped| {
            let count: i64 = shaped.shape.iter().product();
            count.unsigned_abs() * shaped.element.bytes()
        };
        let tensors = &self.tensors;
        let each = std::iter::once(&tensors.image)
            .chain([&tensors.picture])
            .chain(&tensors.matte)
            .chain(&tensors.constants);
        let each: u64 = each.map(bytes).sum();
        let style = tensors.style.as_ref().map_or(0, bytes);
        let area = |size: crate::frame::Size| size.area() as u64 * 4;
        let drawing = area(self.size());
        let pictures = if self.fit.is_plain() {
            drawing
        } else {
            // The tile, and four sums of 32 bits for each pixel.
            drawing + area(self.fit.tile_drawing()) + 4 * drawing
        };
        self.fit.tiles() as u64 * each + style + pictures
    }
}
