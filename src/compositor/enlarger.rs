//! Drawings in the size of their frames, outside of a program: shots, and pictures for other rooms.

use crate::frame::{Picture, Size, Styled};
use crate::panels::Uv;

use super::brush::{Brush, Canvas, Filling, Finishing};
use super::closeup::Overlay;
use super::guide::Gains;
use super::relief::Relief;
use super::sharpen::Guide;

/// Enlarges drawings; keeps its memory.
pub struct Enlarger {
    gains: Gains,
    relief: Relief,
    brush: Brush,
}

impl Default for Enlarger {
    fn default() -> Self {
        Self {
            gains: Gains::default(),
            relief: Relief::default(),
            brush: Brush::new(),
        }
    }
}

/// A drawing with its matte in the size of its frame, whose edges it follows, and with its close-ups;
/// `None` when it is shown as it is. Takes some milliseconds.
pub fn enlarged(styled: &Styled) -> Option<Picture> {
    let mut picture = Picture::new(styled.frame.picture.size());
    let done = Enlarger::default().enlarge(styled, &mut picture);
    done.then_some(picture)
}

impl Enlarger {
    /// Like [`enlarged`], with the long side of `picture` at most `side`; `false`, and nothing of it,
    /// when the drawing is as large, or shown as it is.
    pub fn within(&mut self, styled: &Styled, side: u32, picture: &mut Picture) -> bool {
        let Size { width, height } = styled.frame.picture.size();
        let scale = (f64::from(side) / f64::from(width.max(height).max(1))).min(1.0);
        let [width, height] = [width, height].map(|side| (f64::from(side) * scale).round() as u32);
        picture.reshape(Size::new(width.max(1), height.max(1)));
        picture.width() > styled.picture.width() && self.enlarge(styled, picture)
    }

    fn enlarge(&mut self, styled: &Styled, picture: &mut Picture) -> bool {
        let Self {
            gains,
            relief,
            brush,
        } = self;
        let sides = [picture.width(), picture.height()];
        let (Some(shrunk), [Ok(width), Ok(height)]) =
            (styled.shrunk.as_ref(), sides.map(u16::try_from))
        else {
            return false;
        };
        let plain = 1.0 - styled.strength.clamp(0.0, 1.0);
        let columns = styled.picture.width() as usize;
        gains.find(shrunk, &styled.picture, plain, |_, _, parts| {
            parts.push(0..columns);
        });
        relief.take(&styled.picture, &[]);
        let filling = Filling {
            picture: &styled.picture,
            matte: &styled.picture,
            around: None,
            people: None,
            guide: Some(Guide {
                frame: &styled.frame.picture,
                shrunk,
                gains,
                plain,
            }),
            overlay: styled.close_ups.as_ref().map(|close_ups| Overlay {
                close_ups,
                people: false,
            }),
            finishing: Some(Finishing {
                relief,
                // It is printed where it is shown.
                finish: relief.finish.unprinted(),
            }),
            uv: Uv {
                origin: [0.0; 2],
                step: sides.map(|side| 1.0 / side.max(1) as f32),
            },
            sheet: None,
            cut: 0.0,
            waits: false,
        };
        brush.rows(
            &mut Canvas::whole(picture),
            [0, 0, width, height],
            &filling,
            |row, pixels, _| {
                row.copy_from_slice(pixels);
            },
        );
        picture.finish = styled.picture.finish;
        true
    }
}
