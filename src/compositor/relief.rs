//! How dark and how bright a drawing is around each of its pixels: what tells flat places from edges
//! where it is shown.

use multiversion::multiversion;

use crate::frame::{Face, Finish, Picture};

use super::guide::luma;

/// How far the wider neighbourhood reaches, in pixels; the narrower one reaches one.
const NEAR: usize = 2;
/// Rows of it.
const ROWS: usize = 2 * NEAR + 1;

/// What a drawing's finish needs of it; keeps its memory from drawing to drawing.
#[derive(Default)]
pub(super) struct Relief {
    pub finish: Finish,
    /// Of each pixel of the drawing, the brightness of the darkest and the brightest pixel among itself
    /// and those that touch it, and among those up to two away. Of drawings with a finish alone. In
    /// faces the latter are as far apart as can be.
    pub picture: Picture,
    rows: [Row; ROWS],
}

/// What is found in a row.
#[derive(Default)]
struct Row {
    /// With some more at either end.
    bright: Vec<u8>,
    /// Of each pixel's neighbours in the row: as in [`Relief::picture`].
    range: Vec<[u8; 4]>,
}

impl Relief {
    /// Looks at a drawing in which there are these faces. Dots would make them somebody else's, so that
    /// they are no flat places.
    pub fn take(&mut self, drawing: &Picture, faces: &[Face]) {
        self.finish = drawing.finish;
        let (width, height) = (drawing.width() as usize, drawing.height() as usize);
        if self.finish == Finish::default() || width == 0 {
            return;
        }
        self.picture.reshape(drawing.size());
        let Self { picture, rows, .. } = self;
        let pixels = drawing.rgba().as_chunks::<4>().0;
        let look = |y: usize, row: &mut Row| {
            let pixels = pixels.get(y * width..(y + 1) * width);
            row.look(pixels.unwrap_or_default());
        };
        for (y, row) in rows.iter_mut().enumerate().take(NEAR.min(height)) {
            look(y, row);
        }
        let out = picture.rgba_mut().as_chunks_mut::<4>().0;
        for (y, out) in out.chunks_exact_mut(width).enumerate() {
            if y + NEAR < height {
                look(y + NEAR, &mut rows[(y + NEAR) % ROWS]);
            }
            let near = |n: usize| (y + n).saturating_sub(NEAR).min(height - 1);
            let near = std::array::from_fn(|n| &rows[near(n) % ROWS].range[..]);
            join(out, near);
        }
        if self.finish.halftone.strength > 0 {
            for face in faces {
                raise(&mut self.picture, face, drawing);
            }
        }
    }
}

impl Row {
    fn look(&mut self, pixels: &[[u8; 4]]) {
        let value = |pixel: &[u8; 4]| (luma(pixel) >> 8) as u8;
        let end = |pixel: Option<&[u8; 4]>| pixel.map_or(0, value);
        let Self { bright, range } = self;
        bright.clear();
        bright.extend([end(pixels.first()); NEAR]);
        bright.extend(pixels.iter().map(value));
        bright.extend([end(pixels.last()); NEAR]);
        range.resize(pixels.len(), [0; 4]);
        ranges(range, bright);
    }
}

/// The ranges of a row's neighbourhoods.
#[multiversion(targets("x86_64+avx2"))]
fn ranges(range: &mut [[u8; 4]], bright: &[u8]) {
    for (range, near) in range.iter_mut().zip(bright.array_windows::<ROWS>()) {
        let [a, b, c, d, e] = *near;
        let (least, most) = (b.min(c).min(d), b.max(c).max(d));
        *range = [least, most, least.min(a).min(e), most.max(a).max(e)];
    }
}

/// The ranges of five rows as one: three of them for the narrower neighbourhood.
#[multiversion(targets("x86_64+avx2"))]
fn join(out: &mut [[u8; 4]], [a, b, c, d, e]: [&[[u8; 4]]; ROWS]) {
    let rows = a.iter().zip(b).zip(c).zip(d).zip(e);
    for (out, ((((a, b), c), d), e)) in out.iter_mut().zip(rows) {
        *out = [
            b[0].min(c[0]).min(d[0]),
            b[1].max(c[1]).max(d[1]),
            a[2].min(b[2]).min(c[2]).min(d[2]).min(e[2]),
            a[3].max(b[3]).max(c[3]).max(d[3]).max(e[3]),
        ];
    }
}

/// Where a face's skin is, with ears and hairline, from the middle of the head, and how far it reaches
/// to the sides and up and down; all in heights from the hair to the chin.
const SKIN: (f32, [f32; 2]) = (0.10, [0.44, 0.52]);
/// How soft its edge is, as a share of that.
const SOFT: f32 = 0.2;

/// Takes a face for an edge, as far as there are people.
fn raise(picture: &mut Picture, face: &Face, drawing: &Picture) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let unit = face.height * height;
    let reach = SKIN.1.map(|reach| (reach * unit).max(1.0));
    let (x, y) = (
        face.centre.x * width,
        face.centre.y * height + SKIN.0 * unit,
    );
    let between = |middle: f32, reach: f32, side: f32| {
        let end = |at: f32| at.clamp(0.0, side) as usize;
        end(middle - reach)..end(middle + reach + 1.0)
    };
    let columns = between(x, reach[0] * (1.0 + SOFT), width);
    let rows = between(y, reach[1] * (1.0 + SOFT), height);
    let pixels = picture.rgba_mut().as_chunks_mut::<4>().0;
    let people = drawing.rgba().as_chunks::<4>().0;
    let lines = pixels.chunks_exact_mut(width as usize);
    let lines = lines.zip(people.chunks_exact(width as usize)).enumerate();
    for (at, (row, people)) in lines.skip(rows.start).take(rows.len()) {
        let down = (at as f32 + 0.5 - y) / reach[1];
        for at in columns.clone() {
            let across = (at as f32 + 0.5 - x) / reach[0];
            let inside = ((1.0 + SOFT - across.hypot(down)) / SOFT).clamp(0.0, 1.0);
            if let (Some([_, _, least, most]), Some([_, _, _, matte])) =
                (row.get_mut(at), people.get(at))
            {
                let inside = inside * f32::from(*matte) / 255.0;
                *least = (f32::from(*least) * (1.0 - inside)) as u8;
                *most += (f32::from(255 - *most) * inside) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Halftone, Point, Size};

    #[test]
    fn every_pixel_knows_its_darkest_and_brightest_neighbours() {
        let value = |x: i32, y: i32| ((x * 37 + y * 91) % 251) as u8;
        for size in [Size::new(9, 7), Size::new(3, 1), Size::new(1, 4)] {
            let (width, height) = (size.width as i32, size.height as i32);
            let pixels = (0..width * height).flat_map(|at| {
                let value = value(at % width, at / width);
                [value, value, value, 0]
            });
            let mut picture = Picture::from_rgba(size, pixels.collect()).unwrap();
            let mut relief = Relief::default();
            relief.take(&picture, &[]);
            assert_eq!(relief.picture.size(), Size::default(), "nothing needs it");
            picture.finish.crisp = 1;
            relief.take(&picture, &[]);
            for y in 0..height {
                for x in 0..width {
                    let of = |reach: i32| {
                        let near =
                            |at: i32, side: i32| (at - reach).max(0)..=(at + reach).min(side - 1);
                        let all =
                            near(y, height).flat_map(|y| near(x, width).map(move |x| value(x, y)));
                        let all: Vec<u8> = all.collect();
                        [*all.iter().min().unwrap(), *all.iter().max().unwrap()]
                    };
                    let got = relief.picture.pixel(x as u32, y as u32).unwrap();
                    let [a, b] = of(1);
                    let [c, d] = of(2);
                    // Brightness is rounded down.
                    for (got, expected) in got.iter().zip([a, b, c, d]) {
                        assert!(
                            expected - got <= 1,
                            "{size}, {x}, {y}: {got} for {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_face_is_no_flat_place_and_what_is_around_it_is() {
        let size = Size::new(200, 100);
        let mut picture =
            Picture::from_rgba(size, [128, 128, 128, 255].repeat(size.area())).unwrap();
        picture.rgba_mut()[4 * (50 * 200 + 92) + 3] = 0;
        picture.finish.halftone = Halftone {
            strength: 255,
            cover: 255,
            ink: [0; 3],
        };
        let face = |x, y, height| Face {
            centre: Point { x, y },
            height,
            mouth: Point { x, y },
            speaking: false,
        };
        let mut relief = Relief::default();
        // One inside, one that the picture cuts off, one beyond it, one that is nothing.
        let faces = [
            face(0.5, 0.4, 0.5),
            face(0.02, 0.95, 0.6),
            face(3.0, -2.0, 0.5),
            face(0.9, 0.1, 0.0),
        ];
        relief.take(&picture, &faces);
        let apart = |x: u32, y: u32| {
            let [_, _, least, most] = relief.picture.pixel(x, y).unwrap();
            most - least
        };
        // Eyes and mouth.
        for (x, y) in [(90, 42), (110, 42), (100, 60), (3, 96)] {
            assert_eq!(apart(x, y), 255, "{x}, {y}");
        }
        // Above the hair, beside the ears, below the chin, where nobody is, elsewhere.
        for (x, y) in [
            (100, 12),
            (70, 40),
            (130, 40),
            (100, 80),
            (92, 50),
            (60, 10),
            (195, 90),
        ] {
            assert_eq!(apart(x, y), 0, "{x}, {y}");
        }
    }
}
