//! Frames of a camera that does not stand upright.

use crate::frame::Picture;
use crate::source::Turn;

/// Pixels a side of the squares that are turned one after another: read by columns, a picture's rows
/// do not fit into the processor's nearest memory all at once.
const SQUARE: usize = 16;

/// Turns `from` into `to`, which gets its size.
pub(super) fn turn_into(from: &Picture, turn: Turn, to: &mut Picture) {
    to.reshape(turn.size(from.size()));
    let (width, height) = (from.width() as usize, from.height() as usize);
    let pixels = from.rgba().as_chunks::<4>().0;
    let turned = to.rgba_mut().as_chunks_mut::<4>().0;
    // Where the pixel at a place of `to` comes from.
    let quarter = |turned: &mut [[u8; 4]], from: &dyn Fn(usize, usize) -> usize| {
        for top in (0..width).step_by(SQUARE) {
            for left in (0..height).step_by(SQUARE) {
                for y in top..(top + SQUARE).min(width) {
                    let columns = left..(left + SQUARE).min(height);
                    let row = &mut turned[y * height..][columns.clone()];
                    for (pixel, x) in row.iter_mut().zip(columns) {
                        *pixel = pixels[from(x, y)];
                    }
                }
            }
        }
    };
    match turn {
        Turn::None => turned.copy_from_slice(pixels),
        Turn::Right => quarter(turned, &|x, y| (height - 1 - x) * width + y),
        Turn::Half => {
            for (pixel, from) in turned.iter_mut().zip(pixels.iter().rev()) {
                *pixel = *from;
            }
        }
        Turn::Left => quarter(turned, &|x, y| x * width + width - 1 - y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    /// A picture whose pixels say where they are.
    fn picture(width: u32, height: u32) -> Picture {
        let mut picture = Picture::new(Size::new(width, height));
        let pixels = picture.rgba_mut().as_chunks_mut::<4>().0;
        for (at, pixel) in pixels.iter_mut().enumerate() {
            *pixel = [at as u32 % width, at as u32 / width, 0, 255].map(|value| value as u8);
        }
        picture
    }

    fn turned(from: &Picture, turn: Turn) -> Picture {
        let mut to = Picture::default();
        turn_into(from, turn, &mut to);
        to
    }

    #[test]
    fn each_turn_puts_the_first_pixel_into_its_corner() {
        let from = picture(50, 21);
        for (turn, size, corner) in [
            (Turn::None, (50, 21), (0, 0)),
            (Turn::Right, (21, 50), (20, 0)),
            (Turn::Half, (50, 21), (49, 20)),
            (Turn::Left, (21, 50), (0, 49)),
        ] {
            let to = turned(&from, turn);
            assert_eq!(to.size(), Size::new(size.0, size.1));
            assert_eq!(to.pixel(corner.0, corner.1), from.pixel(0, 0), "{turn:?}");
        }
        // The picture's right neighbour lies below after a quarter to the right.
        assert_eq!(turned(&from, Turn::Right).pixel(20, 1), from.pixel(1, 0));
    }

    #[test]
    fn turns_add_up() {
        let from = picture(33, 18);
        let right = turned(&from, Turn::Right);
        assert_eq!(turned(&right, Turn::Left), from);
        assert_eq!(turned(&right, Turn::Right), turned(&from, Turn::Half));
        assert_eq!(turned(&turned(&from, Turn::Half), Turn::Half), from);
    }
}
