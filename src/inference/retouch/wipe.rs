//! The way from one style's drawings to another's: a soft edge wanders over the picture.

use std::time::Duration;

use crate::frame::{Finish, Picture};
use crate::inference::tensor::Scaler;

/// How long it takes.
const TIME: Duration = Duration::from_millis(350);
/// How wide the soft edge is, as a share of the picture's width.
const EDGE: f32 = 0.12;

/// Wipes from the last drawing of the former style. That one stands still meanwhile.
#[derive(Default)]
pub(super) struct Wipe {
    scaler: Scaler,
    /// The last drawing as it was shown.
    last: Picture,
    /// The last of the former style, and when the new one began.
    former: Picture,
    began: Option<Duration>,
    /// The new drawing's share of each column, of 256.
    shares: Vec<u16>,
}

impl Wipe {
    /// A new style begins at `time`.
    pub fn begin(&mut self, time: Duration) {
        if self.last.size().area() > 0 {
            std::mem::swap(&mut self.former, &mut self.last);
            self.began = Some(time);
        }
    }

    /// Whether the former style is still seen.
    pub fn is_running(&self) -> bool {
        self.began.is_some()
    }

    /// Lays what is left of the former style over `drawing`, and keeps the result.
    pub fn apply(&mut self, drawing: &mut Picture, time: Duration) {
        if let Some(began) = self.began {
            let gone = time.saturating_sub(began).as_secs_f32() / TIME.as_secs_f32();
            if gone < 1.0 {
                self.lay(drawing, gone);
            } else {
                self.began = None;
            }
        }
        self.last.copy_from(drawing);
    }

    fn lay(&mut self, drawing: &mut Picture, gone: f32) {
        if self.former.size() != drawing.size() {
            let mut scaled = std::mem::take(&mut self.last);
            scaled.reshape(drawing.size());
            // Pictures without pixels are not kept.
            let _ = self.scaler.scale(&self.former, &mut scaled);
            scaled.finish = self.former.finish;
            self.former.copy_from(&scaled);
            self.last = scaled;
        }
        let parts = [(self.former.finish, 1.0 - gone), (drawing.finish, gone)];
        drawing.finish = Finish::blend(parts.into_iter());
        let width = drawing.width();
        let edge = gone * (1.0 + EDGE);
        self.shares.clear();
        self.shares.extend((0..width).map(|x| {
            let at = (x as f32 + 0.5) / width as f32;
            let share = ((edge - at) / EDGE).clamp(0.0, 1.0);
            (share * share * (3.0 - 2.0 * share) * 256.0).round() as u16
        }));
        let row = width as usize * 4;
        let rows = drawing
            .rgba_mut()
            .chunks_exact_mut(row)
            .zip(self.former.rgba().chunks_exact(row));
        for (new, old) in rows {
            let pixels = new.as_chunks_mut::<4>().0.iter_mut();
            let pixels = pixels.zip(old.as_chunks::<4>().0).zip(&self.shares);
            for ((new, old), share) in pixels {
                for (new, old) in new.iter_mut().zip(old) {
                    let sum = u16::from(*new) * share + u16::from(*old) * (256 - share);
                    *new = ((u32::from(sum) + 128) >> 8) as u8;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Halftone, Size};

    fn grey(size: Size, level: u8) -> Picture {
        Picture::from_rgba(size, vec![level; size.area() * 4]).unwrap()
    }

    #[test]
    fn the_new_style_comes_from_the_left_and_is_whole_in_time() {
        let (size, mut wipe) = (Size::new(64, 16), Wipe::default());
        let ms = Duration::from_millis;
        let mut at = |time, level, size| {
            let mut drawing = grey(size, level);
            wipe.apply(&mut drawing, time);
            drawing
        };
        assert_eq!(at(ms(0), 40, size), grey(size, 40));
        wipe.begin(ms(100));
        let mut at = |time, level, size| {
            let mut drawing = grey(size, level);
            wipe.apply(&mut drawing, time);
            drawing
        };
        let half = at(ms(275), 200, size);
        assert_eq!(half.pixel(2, 8).unwrap()[0], 200);
        assert_eq!(half.pixel(62, 8).unwrap()[0], 40);
        // A model of another size goes on where it was.
        let other = at(ms(300), 200, Size::new(32, 8));
        assert_eq!(other.pixel(31, 4).unwrap()[0], 40);
        assert_eq!(at(ms(450), 200, size), grey(size, 200));
    }

    #[test]
    fn dots_come_with_the_style_that_is_printed() {
        let (size, mut wipe) = (Size::new(64, 16), Wipe::default());
        let ms = Duration::from_millis;
        let dots = Halftone {
            strength: 200,
            cover: 255,
            ink: [0; 3],
        };
        let mut plain = grey(size, 40);
        wipe.apply(&mut plain, ms(0));
        wipe.begin(ms(100));
        for (time, strength) in [(100, 0), (275, 100), (450, 200)] {
            let mut drawing = grey(size, 200);
            drawing.finish.halftone = dots;
            wipe.apply(&mut drawing, ms(time));
            assert_eq!(drawing.finish.halftone.strength, strength, "{time}");
        }
    }

    #[test]
    fn before_the_first_drawing_there_is_nothing_to_wipe() {
        let mut wipe = Wipe::default();
        wipe.begin(Duration::ZERO);
        let mut drawing = grey(Size::new(8, 8), 9);
        wipe.apply(&mut drawing, Duration::ZERO);
        assert_eq!(drawing, grey(Size::new(8, 8), 9));
    }
}
