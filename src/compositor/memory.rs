//! Composites in memory, where the graphics device is software.
//!
//! Software Vulkan spends about ten nanoseconds of CPU on each pixel of a program, which the
//! generator beside it would rather have; this takes about a quarter. It lays the same tiles in the
//! same order as the device does and gives the same picture within rounding.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::frame::{Picture, Pool, Size};
use crate::panels::{ArtworkLayer, Bitmap, Coverage, PanelKind, Uv, matte_curve};

use super::program::{Composed, Inner, ProgramTexture, Programs};
use super::resident::{Body, Resident};
use super::tiles::{Tile, Tiles};
use super::{Gpu, Scene, Sizes};

/// A pixel: red in the lowest byte, alpha in the highest.
type Pixel = u32;

const OPAQUE: Pixel = 0xff00_0000;

/// What is kept from program to program.
pub(super) struct Memory {
    gpu: Arc<Gpu>,
    frame: Option<Picture>,
    styled: Option<Picture>,
    pool: Pool<Picture>,
    /// For those who want programs as textures.
    programs: Arc<Mutex<Programs>>,
    brush: Brush,
}

impl Memory {
    pub fn new(gpu: Arc<Gpu>) -> Self {
        Self {
            gpu,
            frame: None,
            styled: None,
            pool: Pool::new(),
            programs: Arc::default(),
            brush: Brush::new(),
        }
    }

    pub fn take_frame(&mut self, picture: &Picture) {
        self.frame.get_or_insert_default().copy_from(picture);
    }

    pub fn take_styled(&mut self, picture: &Picture) {
        self.styled.get_or_insert_default().copy_from(picture);
    }

    pub fn render(&mut self, page: &Resident, scene: &Scene) -> ProgramTexture {
        let mut program = self.pool.take();
        if program.size() != page.size {
            program.reshape(page.size);
        }
        let size = |picture: &Option<Picture>| {
            picture
                .as_ref()
                .map(Picture::size)
                .filter(|size| size.area() > 0)
        };
        let sizes = Sizes {
            frame: size(&self.frame),
            styled: size(&self.styled),
        };
        let plan = page.plan(sizes.shown(scene));
        self.brush.clear(&mut program, &plan.bare);
        if let Body::Memory(artwork) = &page.body {
            let layers = artwork.layers.iter().zip(&plan.layers).zip(page.layers());
            for ((layer, tiles), place) in layers {
                match layer {
                    ArtworkLayer::Art(art) => self.brush.art(&mut program, art, tiles),
                    ArtworkLayer::Panel(panel) => {
                        let from_camera = scene.compare || panel.kind == PanelKind::Raw;
                        let picture = if from_camera {
                            &self.frame
                        } else {
                            &self.styled
                        };
                        let uv = scene.cover(place, sizes).uv(place.fit);
                        let matte = self.styled.as_ref().or(picture.as_ref());
                        if let (Some(picture), Some(matte)) = (picture, matte) {
                            self.brush
                                .panel(&mut program, panel, picture, matte, uv, tiles);
                        }
                    }
                }
            }
        }
        ProgramTexture {
            inner: Inner::Memory(Arc::new(Composed {
                picture: program,
                gpu: Arc::clone(&self.gpu),
                programs: Arc::clone(&self.programs),
                shown: OnceLock::new(),
            })),
        }
    }
}

/// Lays tiles into a program.
struct Brush {
    /// For the tile at hand: the left of two source columns, and the share of the right one, 0..256.
    columns: Vec<(u32, u32)>,
    /// A source row between two others.
    between: Vec<[u8; 4]>,
    /// A row of pixels on their way into the program.
    row: Vec<Pixel>,
    /// The matte's curve.
    people: [u8; 256],
}

impl Brush {
    fn new() -> Self {
        Self {
            columns: Vec::new(),
            between: Vec::new(),
            row: Vec::new(),
            people: std::array::from_fn(|matte| {
                (matte_curve(matte as f32 / 255.0) * 255.0).round() as u8
            }),
        }
    }

    /// Makes tiles transparent.
    fn clear(&self, program: &mut Picture, tiles: &[Tile]) {
        each_row(program, tiles, |_, row| row.fill([0; 4]));
    }

    /// Lays art into its tiles.
    fn art(&self, program: &mut Picture, art: &Bitmap, tiles: &Tiles) {
        let pixels = art.rgba.as_chunks::<4>().0;
        let ink = art.rect;
        // Tiles may reach beyond the ink: how many pixels to skip, and those that follow.
        let source = |(x, y): (u32, u32), width: usize| {
            let (left, top) = (x as i32 - ink.x, y as i32 - ink.y);
            let right = (left + width as i32).min(ink.width as i32);
            let skip = (-left).max(0);
            if top < 0 || top >= ink.height as i32 || left + skip >= right {
                return (0, [].as_slice());
            }
            let start = top as usize * ink.width as usize;
            let found = start + (left + skip) as usize..start + right as usize;
            (skip as usize, pixels.get(found).unwrap_or_default())
        };
        each_row(program, &tiles.opaque, |at, row| {
            let (skip, found) = source(at, row.len());
            if let Some(row) = row.get_mut(skip..skip + found.len()) {
                row.copy_from_slice(found);
            }
        });
        each_row(program, &tiles.mixed, |at, row| {
            let (skip, found) = source(at, row.len());
            for (below, above) in row.iter_mut().skip(skip).zip(found) {
                blend(below, Pixel::from_le_bytes(*above));
            }
        });
    }

    /// Fills a panel's tiles with the part of `picture` that `uv` names. `matte` holds the people
    /// in its alpha.
    fn panel(
        &mut self,
        program: &mut Picture,
        panel: &Coverage,
        picture: &Picture,
        matte: &Picture,
        uv: Uv,
        tiles: &Tiles,
    ) {
        if picture.size().area() == 0 || matte.size().area() == 0 {
            return;
        }
        for tile in &tiles.opaque {
            self.rows(program, *tile, picture, uv, |row, pixels, _| {
                for (below, pixel) in row.iter_mut().zip(pixels) {
                    *below = (pixel | OPAQUE).to_le_bytes();
                }
            });
        }
        let covered = |(x, y): (u32, u32)| {
            let (x, y) = (x as i32 - panel.rect.x, y as i32 - panel.rect.y);
            if x < 0 || y < 0 || x >= panel.rect.width as i32 {
                return 0;
            }
            let at = y as usize * panel.rect.width as usize + x as usize;
            panel.alpha.get(at).copied().unwrap_or(0)
        };
        if panel.kind == PanelKind::Person {
            let people = self.people;
            let own = std::ptr::eq(picture, matte);
            for tile in &tiles.mixed {
                self.rows(program, *tile, picture, uv, |row, pixels, (x, y)| {
                    let v = uv.origin[1] + uv.step[1] * (y as f32 + 0.5);
                    for (at, (below, pixel)) in row.iter_mut().zip(pixels).enumerate() {
                        let x = x + at as u32;
                        let u = uv.origin[0] + uv.step[0] * (x as f32 + 0.5);
                        if !(0.0..=1.0).contains(&u) || !(0.0..=1.0).contains(&v) {
                            continue;
                        }
                        let alpha = if own {
                            (pixel >> 24) as u8
                        } else {
                            nearest(matte, u, v)
                        };
                        let alpha = u32::from(people[usize::from(alpha)]);
                        if alpha > 0 {
                            let alpha = scaled(alpha, covered((x, y)));
                            blend(below, premultiplied(*pixel, alpha));
                        }
                    }
                });
            }
        } else {
            for tile in &tiles.mixed {
                self.rows(program, *tile, picture, uv, |row, pixels, (x, y)| {
                    for (at, (below, pixel)) in row.iter_mut().zip(pixels).enumerate() {
                        let alpha = u32::from(covered((x + at as u32, y)));
                        blend(below, premultiplied(*pixel, alpha));
                    }
                });
            }
        }
    }

    /// Gives each row of a tile, with the picture's pixels for it, smooth between pixels.
    fn rows(
        &mut self,
        program: &mut Picture,
        tile: Tile,
        picture: &Picture,
        uv: Uv,
        mut lay: impl FnMut(&mut [[u8; 4]], &[Pixel], (u32, u32)),
    ) {
        let Self {
            columns,
            between,
            row: line,
            ..
        } = self;
        let (width, height) = (picture.width(), picture.height());
        let [left, top, tile_width, tile_height] = tile.map(u32::from);
        // The place between source pixels, and the pixel before it, with 8 bits of fraction.
        let place = |origin: f32, step: f32, at: u32, side: u32| {
            let at = (origin + step * (at as f32 + 0.5)) * side as f32 - 0.5;
            let at = at.clamp(0.0, (side - 1) as f32);
            let fixed = (at * 256.0).round() as u32;
            (fixed >> 8, fixed & 255)
        };
        columns.clear();
        columns
            .extend((left..left + tile_width).map(|x| place(uv.origin[0], uv.step[0], x, width)));
        // The source columns that are needed; mirrored, they run the other way.
        let ends = [columns.first(), columns.last()].map(|end| end.map_or(0, |end| end.0));
        let first = ends[0].min(ends[1]);
        let last = (ends[0].max(ends[1]) + 1).min(width - 1);
        columns.iter_mut().for_each(|column| column.0 -= first);
        let pixels = picture.rgba().as_chunks::<4>().0;
        let source = |y: u32| {
            let start = y.min(height - 1) as usize * width as usize;
            pixels
                .get(start + first as usize..=start + last as usize)
                .unwrap_or_default()
        };
        let size = program.size();
        let target = program.rgba_mut().as_chunks_mut::<4>().0;
        for y in top..top + tile_height {
            let (upper, share) = place(uv.origin[1], uv.step[1], y, height);
            let share = share as u16;
            let (above, below) = (source(upper), source(upper + 1));
            if share == 0 {
                between.clear();
                between.extend_from_slice(above);
            } else {
                // Flat bytes and no growing, so that the compiler makes SIMD of it.
                between.resize(above.len(), [0; 4]);
                let pairs = above.as_flattened().iter().zip(below.as_flattened());
                for (byte, (a, b)) in between.as_flattened_mut().iter_mut().zip(pairs) {
                    let sum = u16::from(*a) * (256 - share) + u16::from(*b) * share + 128;
                    *byte = (sum >> 8) as u8;
                }
            }
            // The right neighbour of the last column is itself.
            between.extend(between.last().copied());
            line.clear();
            line.extend(columns.iter().map(|(at, share)| {
                let at = *at as usize;
                match between.get(at..at + 2) {
                    Some([left, right]) => mixed(
                        Pixel::from_le_bytes(*left),
                        Pixel::from_le_bytes(*right),
                        *share,
                    ),
                    _ => 0,
                }
            }));
            if let Some(row) = target.get_mut(span(size, left, y, tile_width)) {
                lay(row, line, (left, y));
            }
        }
    }
}

/// The pixels of a row of a tile.
fn span(size: Size, left: u32, y: u32, width: u32) -> Range<usize> {
    let start = y as usize * size.width as usize + left as usize;
    start..start + width as usize
}

fn each_row(
    program: &mut Picture,
    tiles: &[Tile],
    mut lay: impl FnMut((u32, u32), &mut [[u8; 4]]),
) {
    let size = program.size();
    let pixels = program.rgba_mut().as_chunks_mut::<4>().0;
    for tile in tiles {
        let [left, top, width, height] = tile.map(u32::from);
        for y in top..top + height {
            if let Some(row) = pixels.get_mut(span(size, left, y, width)) {
                lay((left, y), row);
            }
        }
    }
}

/// The matte's value at a point; for a picture of another size than the matte's.
fn nearest(matte: &Picture, u: f32, v: f32) -> u8 {
    let x = ((u * matte.width() as f32) as u32).min(matte.width() - 1);
    let y = ((v * matte.height() as f32) as u32).min(matte.height() - 1);
    matte.pixel(x, y).map_or(0, |pixel| pixel[3])
}

/// `a` and `b` mixed, `share` of 256 of `b`; two channels at a time.
fn mixed(a: Pixel, b: Pixel, share: u32) -> Pixel {
    const EVEN: u32 = 0x00ff_00ff;
    let rest = 256 - share;
    let even = ((a & EVEN) * rest + (b & EVEN) * share + 0x0080_0080) >> 8 & EVEN;
    let odd = ((a >> 8 & EVEN) * rest + (b >> 8 & EVEN) * share + 0x0080_0080) & !EVEN;
    even | odd
}

/// Every channel times `by` of 255, rounded; two channels at a time.
fn times(pixel: Pixel, by: u32) -> Pixel {
    const EVEN: u32 = 0x00ff_00ff;
    let of_255 = |channels: u32| {
        let wide = channels * by + 0x0080_0080;
        (wide + (wide >> 8 & EVEN)) >> 8 & EVEN
    };
    of_255(pixel & EVEN) | of_255(pixel >> 8 & EVEN) << 8
}

fn scaled(alpha: u32, by: u8) -> u32 {
    times(alpha, u32::from(by)) & 255
}

/// A colour with another alpha.
fn premultiplied(colour: Pixel, alpha: u32) -> Pixel {
    times(colour | OPAQUE, alpha)
}

/// Lays a premultiplied pixel over another.
fn blend(below: &mut [u8; 4], above: Pixel) {
    let pixel = match above >> 24 {
        0 => return,
        255 => above,
        alpha => above + times(Pixel::from_le_bytes(*below), 255 - alpha),
    };
    *below = pixel.to_le_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_channels_at_a_time_round_like_one() {
        for a in (0..=255u32).step_by(3) {
            for by in 0..=255 {
                let expected = (f64::from(a) * f64::from(by) / 255.0).round() as u32;
                assert_eq!(
                    times(a * 0x0101_0101, by),
                    expected * 0x0101_0101,
                    "{a} {by}"
                );
            }
            let b = 255 - a;
            for share in 0..=255 {
                let expected = (a * (256 - share) + b * share + 128) >> 8;
                let both = mixed(a * 0x0101_0101, b * 0x0101_0101, share);
                assert_eq!(both, expected * 0x0101_0101, "{a} {share}");
            }
        }
    }

    #[test]
    fn blending_keeps_within_a_byte() {
        for alpha in 0..=255u32 {
            for below in [0u8, 1, 127, 254, 255] {
                let mut pixel = [below; 4];
                blend(&mut pixel, premultiplied(0x00ff_ffff, alpha));
                let expected = f64::from(alpha) + f64::from(below) * f64::from(255 - alpha) / 255.0;
                assert!(
                    (f64::from(pixel[0]) - expected).abs() <= 1.0,
                    "{alpha} {below} {pixel:?}"
                );
            }
        }
    }
}
