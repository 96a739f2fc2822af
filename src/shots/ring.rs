//! The last second of drawings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::frame::{Picture, Pooled, Size};

/// Keeps the drawings of the last second, a few of them, in bounded memory.
#[derive(Debug, Default)]
pub struct Ring {
    drawings: VecDeque<(Duration, Arc<Pooled<Picture>>)>,
}

impl Ring {
    /// How far back it goes.
    const SPAN: Duration = Duration::from_secs(1);
    /// Drawings a second.
    pub const FPS: u32 = 12;
    /// The most bytes it holds.
    const BYTES: usize = 48 << 20;
    /// Longest side of the pictures that [`second`](Self::second) gives.
    pub const LONG_SIDE: u32 = 640;

    /// Takes the drawing of this time, unless it has one that is about as new.
    pub fn push(&mut self, time: Duration, drawing: impl FnOnce() -> Arc<Pooled<Picture>>) {
        let newest = self.drawings.back();
        let bytes = newest.map_or(1, |(_, drawing)| drawing.rgba().len().max(1));
        let most = (Self::BYTES / bytes).clamp(3, Self::FPS as usize);
        let every = Self::SPAN / most as u32;
        // A little earlier than that, or every second drawing would come too soon.
        let due = |last: &Duration| time.saturating_sub(*last) + every / 4 >= every;
        if self.drawings.back().is_none_or(|(last, _)| due(last)) {
            self.drawings.push_back((time, drawing()));
        }
        while self.drawings.len() > most
            || self
                .drawings
                .front()
                .is_some_and(|(first, _)| time.saturating_sub(*first) > Self::SPAN)
        {
            self.drawings.pop_front();
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.drawings.clear();
    }

    /// How many drawings there are.
    pub fn len(&self) -> usize {
        self.drawings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.drawings.is_empty()
    }

    /// The drawings there are, small, the oldest first.
    pub fn second(&self) -> Vec<Arc<Picture>> {
        self.drawings
            .iter()
            .map(|(_, drawing)| Arc::new(small(drawing, Self::LONG_SIDE)))
            .collect()
    }
}

/// The picture with its long side at most `side`; every pixel is the mean of what it covers.
pub(crate) fn small(picture: &Picture, side: u32) -> Picture {
    let size = picture.size();
    let factor = size.width.max(size.height).div_ceil(side.max(1)).max(1);
    let target = Size::new((size.width / factor).max(1), (size.height / factor).max(1));
    if factor == 1 {
        let mut copy = Picture::default();
        copy.copy_from(picture);
        return copy;
    }
    let mut result = Picture::new(target);
    let pixels = picture.rgba().as_chunks::<4>().0;
    let area = factor * factor;
    let rows = result
        .rgba_mut()
        .chunks_exact_mut(target.width as usize * 4);
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let mut sum = [area / 2; 4];
            for dy in 0..factor as usize {
                let start = (y * factor as usize + dy) * size.width as usize + x * factor as usize;
                for source in pixels
                    .get(start..start + factor as usize)
                    .unwrap_or_default()
                {
                    for (total, value) in sum.iter_mut().zip(source) {
                        *total += u32::from(*value);
                    }
                }
            }
            *pixel = sum.map(|total| (total / area).min(255) as u8);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(size: Size) -> Arc<Pooled<Picture>> {
        Arc::new(Picture::new(size).into())
    }

    #[test]
    fn it_holds_a_second_at_twelve_a_second() {
        let mut ring = Ring::default();
        let small = drawing(Size::new(64, 36));
        for frame in 0..300u64 {
            ring.push(Duration::from_millis(frame * 33), || Arc::clone(&small));
        }
        assert!((10..=12).contains(&ring.len()), "{}", ring.len());
        assert_eq!(ring.second().len(), ring.len());
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut ring = Ring::default();
        let large = drawing(Size::new(3840, 2160));
        for frame in 0..100u64 {
            ring.push(Duration::from_millis(frame * 33), || Arc::clone(&large));
        }
        assert_eq!(ring.len(), 3);
        assert_eq!(ring.second()[0].size(), Size::new(640, 360));
    }

    #[test]
    fn a_small_picture_is_the_mean_of_the_large() {
        let size = Size::new(4, 2);
        let pixels = [0, 40, 80, 120, 0, 40, 80, 120]
            .iter()
            .flat_map(|v| [*v, 0, 0, 255]);
        let picture = Picture::from_rgba(size, pixels.collect()).unwrap();
        let half = small(&picture, 2);
        assert_eq!(half.size(), Size::new(2, 1));
        assert_eq!(half.rgba(), &[20, 0, 0, 255, 100, 0, 0, 255]);
    }
}
