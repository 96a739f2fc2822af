//! Lays tiles into a program in memory.

use std::ops::Range;
use std::slice::from_ref;

use crate::frame::{Finish, Picture, Size};
use crate::panels::{Bitmap, Blend, Coverage, PanelKind, PixelRect, Sprite, Uv, matte_curve};

use super::closeup::{Overlay, Overlayer};
use super::crisp::Crisper;
use super::cutout::{Around, Cutout};
use super::halftone::Printer;
use super::inking::Inked;
use super::pixel::{Mixer, OPAQUE, Pixel, ink, over, premultiplied, times, waiting};
use super::relief::Relief;
use super::sharpen::{Guide, Sharpener};
use super::tiles::{Tile, Tiles};
use super::twins::Sheet;
use super::wide::{Pixels, place};

/// What fills a panel.
pub(super) struct Filling<'a> {
    /// Its picture.
    pub picture: &'a Picture,
    /// Of people: holds the matte in its alpha.
    pub matte: &'a Picture,
    /// Of people: how far they are, for what is drawn around them.
    pub around: Option<&'a Around>,
    /// Of people: where they can be; `None`: anywhere.
    pub people: Option<&'a Cutout>,
    /// What sharpens a picture that is enlarged.
    pub guide: Option<Guide<'a>>,
    /// What lies over it.
    pub overlay: Option<Overlay<'a>>,
    /// What finishes it.
    pub finishing: Option<Finishing<'a>>,
    /// Which part of the picture it shows.
    pub uv: Uv,
    /// That part as the program shows it, where it was drawn already.
    pub sheet: Option<Sheet<'a>>,
    /// Of people: how much the picture cuts off their heads, 0..1.
    pub cut: f32,
    /// Whether it waits for its shot.
    pub waits: bool,
}

impl Filling<'_> {
    /// Whether there is more to do than to enlarge the picture.
    pub fn is_finished(&self) -> bool {
        let crisp = self.finishing.as_ref().map_or(0, |how| how.finish.crisp);
        self.is_enlarged() && (self.guide.is_some() || crisp > 0)
    }

    fn is_enlarged(&self) -> bool {
        self.uv.step[0].abs() * (self.picture.width() as f32) < 1.0
    }
}

/// How a picture is finished.
pub(super) struct Finishing<'a> {
    /// Of the drawing.
    pub relief: &'a Relief,
    /// What of its finish is done here.
    pub finish: Finish,
}

/// Some rows of a program, to be drawn on. Tiles are the whole program's: what of them lies in other
/// rows is left to others.
pub(super) struct Canvas<'a> {
    /// The program's.
    pub size: Size,
    /// Its first row.
    pub top: u32,
    pub pixels: &'a mut [[u8; 4]],
}

impl<'a> Canvas<'a> {
    /// A whole program.
    pub fn whole(program: &'a mut Picture) -> Self {
        Self {
            size: program.size(),
            top: 0,
            pixels: program.rgba_mut().as_chunks_mut().0,
        }
    }

    /// The rows of a tile that are here.
    fn rows(&self, top: u32, height: u32) -> Range<u32> {
        let end = self.top + self.pixels.len() as u32 / self.size.width.max(1);
        top.max(self.top)..(top + height).min(end)
    }

    /// A part of a row.
    fn row(&mut self, left: u32, y: u32, width: u32) -> Option<&mut [[u8; 4]]> {
        let start = (y - self.top) as usize * self.size.width as usize + left as usize;
        self.pixels.get_mut(start..start + width as usize)
    }

    /// Gives each row of some tiles, with the place where it begins.
    pub fn each_row(&mut self, tiles: &[Tile], mut lay: impl FnMut((u32, u32), &mut [[u8; 4]])) {
        for tile in tiles {
            let [left, top, width, height] = tile.map(u32::from);
            for y in self.rows(top, height) {
                if let Some(row) = self.row(left, y, width) {
                    lay((left, y), row);
                }
            }
        }
    }
}

/// What is used from tile to tile.
pub(super) struct Brush {
    /// The picture's rows, for the tile at hand.
    source: Pixels,
    sharpener: Sharpener,
    overlayer: Overlayer,
    relief: Pixels,
    crisper: Crisper,
    printer: Printer,
    /// The matte's curve.
    people: [u8; 256],
    /// Of effects.
    pub(super) inked: Inked,
}

impl Brush {
    pub fn new() -> Self {
        Self {
            source: Pixels::default(),
            sharpener: Sharpener::default(),
            overlayer: Overlayer::default(),
            relief: Pixels::default(),
            crisper: Crisper::default(),
            printer: Printer::default(),
            people: std::array::from_fn(|matte| {
                (matte_curve(matte as f32 / 255.0) * 255.0).round() as u8
            }),
            inked: Inked::default(),
        }
    }

    /// Makes tiles transparent.
    pub fn clear(&self, canvas: &mut Canvas, tiles: &[Tile]) {
        canvas.each_row(tiles, |_, row| row.fill([0; 4]));
    }

    /// Lays art into its tiles.
    pub fn art(&self, canvas: &mut Canvas, art: &Bitmap, tiles: &Tiles) {
        canvas.each_row(&tiles.opaque, |at, row| {
            let (skip, found) = of_bitmap(art, (0, 0), at, row.len());
            if let Some(row) = row.get_mut(skip..skip + found.len()) {
                row.copy_from_slice(found);
            }
        });
        lay_bitmap(canvas, art, (0, 0), &tiles.mixed);
    }

    /// Lays a sprite where it is.
    pub fn sprite(&self, canvas: &mut Canvas, sprite: &Sprite) {
        if let Some(tile) = super::tiles::within(sprite.place(), canvas.size) {
            lay_bitmap(canvas, &sprite.bitmap, sprite.shift, &[tile]);
        }
    }

    /// Fills a panel's tiles.
    pub fn panel(
        &mut self,
        canvas: &mut Canvas,
        panel: &Coverage,
        filling: &Filling,
        tiles: &Tiles,
    ) {
        if filling.picture.size().area() == 0 || filling.matte.size().area() == 0 {
            return;
        }
        let look = |pixel: Pixel| {
            if filling.waits { waiting(pixel) } else { pixel }
        };
        for tile in &tiles.opaque {
            self.rows(canvas, *tile, filling, |row, pixels, _| {
                let pixels = row.iter_mut().zip(pixels);
                if filling.waits {
                    for (below, pixel) in pixels {
                        *below = (waiting(Pixel::from_le_bytes(*pixel)) | OPAQUE).to_le_bytes();
                    }
                } else {
                    for (below, pixel) in pixels {
                        *below = (Pixel::from_le_bytes(*pixel) | OPAQUE).to_le_bytes();
                    }
                }
            });
        }
        if panel.kind == PanelKind::Person {
            self.people(canvas, panel, filling, &tiles.mixed);
            return;
        }
        let mixer = Mixer::of(panel.blend);
        for tile in tiles
            .mixed
            .iter()
            .filter_map(|tile| clipped(*tile, panel.rect))
        {
            self.rows(canvas, tile, filling, |row, pixels, (x, y)| {
                let shape = coverage(panel.rect, &panel.alpha, (x, y), row.len());
                for ((below, pixel), alpha) in row.iter_mut().zip(pixels).zip(shape) {
                    let pixel = look(Pixel::from_le_bytes(*pixel));
                    match alpha {
                        0 => {}
                        255 => mixer.lay(below, pixel | OPAQUE),
                        alpha => mixer.lay(below, premultiplied(pixel, u32::from(*alpha))),
                    }
                }
            });
        }
    }

    /// Lays people, and what is drawn around them. The same is in `fs_person` of
    /// `shaders/page.wgsl`.
    fn people(&mut self, canvas: &mut Canvas, panel: &Coverage, filling: &Filling, tiles: &[Tile]) {
        let Filling {
            picture,
            matte,
            around,
            uv,
            cut,
            ..
        } = filling;
        let people = self.people;
        let own = std::ptr::eq(*picture, *matte);
        let mixer = Mixer::of(panel.blend);
        let cut = if panel.inside.is_empty() {
            0
        } else {
            (cut * 256.0).round() as u32
        };
        let edge = panel.edge;
        let around = around.filter(|around| edge.is_visible() && around.size.area() > 0);
        // From a distance in the plane to one in the program.
        let reach = around.map_or(0.0, |around| {
            Around::REACH / (uv.step[0].abs().max(1e-9) * around.size.width as f32)
        });
        let part = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u32;
        // What is drawn around people at a point: their shadow, then their outline.
        let beneath = |around: &Around, u: f32, v: f32| {
            let mut beneath = 0;
            if edge.shadow_colour[3] > 0 {
                let (du, dv) = (edge.shadow.0 * uv.step[0], edge.shadow.1 * uv.step[1]);
                let far = (1.0 - around.at(u - du, v - dv)) * reach;
                let t = (far / edge.blur.max(1.0)).clamp(0.0, 1.0);
                let dark = 1.0 - t * t * (3.0 - 2.0 * t);
                beneath = ink(edge.shadow_colour, part(dark));
            }
            if edge.outline > 0.0 {
                let far = (1.0 - around.at(u, v)) * reach;
                let line = ink(edge.outline_colour, part(edge.outline - far + 0.5));
                beneath = over(beneath, line);
            }
            beneath
        };
        let tiles = tiles.iter().filter_map(|tile| clipped(*tile, panel.rect));
        let tiles = tiles.flat_map(|tile| bands(tile, filling));
        for tile in tiles.filter_map(|tile| shown(uv, tile)) {
            self.rows(canvas, tile, filling, |row, pixels, (x, y)| {
                let v = uv.origin[1] + uv.step[1] * (y as f32 + 0.5);
                let shapes = coverage(panel.rect, &panel.alpha, (x, y), row.len());
                let insides = coverage(panel.rect, &panel.inside, (x, y), row.len());
                let pixels = pixels.iter().zip(shapes);
                for (at, (below, (pixel, shape))) in row.iter_mut().zip(pixels).enumerate() {
                    let u = || uv.origin[0] + uv.step[0] * ((x as usize + at) as f32 + 0.5);
                    let alpha = if own {
                        pixel[3]
                    } else {
                        nearest(matte, u(), v)
                    };
                    let alpha = u32::from(people[usize::from(alpha)]);
                    if alpha == 0 && around.is_none() {
                        continue;
                    }
                    let mut shape = u32::from(*shape);
                    if cut > 0 {
                        let inside = insides.get(at).copied().unwrap_or_default();
                        let inside = u32::from(inside).min(shape);
                        shape = (shape * (256 - cut) + inside * cut) >> 8;
                    }
                    if shape == 0 {
                        continue;
                    }
                    let pixel = Pixel::from_le_bytes(*pixel);
                    if alpha == 255 && shape == 255 {
                        mixer.lay(below, pixel | OPAQUE);
                        continue;
                    }
                    let mut above = premultiplied(pixel, alpha);
                    if let Some(around) = around
                        && alpha < 255
                    {
                        above = over(beneath(around, u(), v), above);
                    }
                    mixer.lay(below, times(above, shape));
                }
            });
        }
    }

    /// Whether people fill every pixel of a tile of their panel: nothing behind them is seen there.
    pub fn is_filled(&self, panel: &Coverage, filling: &Filling, tile: Tile) -> bool {
        let Filling {
            picture, matte, uv, ..
        } = filling;
        let goes_back = filling.cut > 0.0 && !panel.inside.is_empty();
        if picture.size().area() == 0
            || panel.blend != Blend::Normal
            || goes_back
            || !std::ptr::eq(*picture, *matte)
            || shown(uv, tile) != Some(tile)
        {
            return false;
        }
        // The pixels of the picture between which those of the tile lie.
        let between = |axis: usize, from: u16, side: u16, whole: u32| {
            let at = |at: u16| place(uv.origin[axis], uv.step[axis], at.into(), whole).0 as usize;
            let (a, b) = (at(from), at(from + side - 1));
            a.min(b)..(a.max(b) + 2).min(whole as usize)
        };
        let [left, top, width, height] = tile;
        let columns = between(0, left, width, picture.width());
        let pixels = picture.rgba().as_chunks::<4>().0;
        between(1, top, height, picture.height()).all(|y| {
            let start = y * picture.width() as usize;
            let row = pixels.get(start + columns.start..start + columns.end);
            row.is_some_and(|row| {
                let people = |pixel: &[u8; 4]| self.people[usize::from(pixel[3])] == 255;
                row.iter().all(people)
            })
        })
    }

    /// Gives each row of a tile, with the picture's pixels for it, smooth between pixels.
    pub fn rows(
        &mut self,
        canvas: &mut Canvas,
        tile: Tile,
        filling: &Filling,
        mut lay: impl FnMut(&mut [[u8; 4]], &[[u8; 4]], (u32, u32)),
    ) {
        let Self {
            source,
            sharpener,
            overlayer,
            relief,
            crisper,
            printer,
            ..
        } = self;
        let Filling {
            picture,
            uv,
            finishing,
            sheet,
            ..
        } = filling;
        let [left, top, width, height] = tile.map(u32::from);
        let span = (left, width);
        let (seen, part) = match sheet {
            Some(sheet) => (sheet.picture, &sheet.uv),
            None => (*picture, uv),
        };
        if !sheet.is_some_and(|sheet| sheet.is_aligned()) {
            source.begin(part.origin[0], part.step[0], span, seen.width());
        }
        // Only what is enlarged lacks anything.
        let lacks = filling.is_enlarged() && sheet.is_none();
        let guide = filling.guide.as_ref().filter(|_| lacks);
        if let Some(guide) = guide {
            sharpener.begin(guide, uv, span);
        }
        let overlay = filling.overlay.as_ref().filter(|_| sheet.is_none());
        overlayer.begin(overlay, uv, span);
        // What is done to it, if anything.
        let finish = finishing.as_ref().map(|finishing| Finish {
            crisp: if lacks { finishing.finish.crisp } else { 0 },
            ..finishing.finish
        });
        let finish = finish.filter(|finish| *finish != Finish::default());
        let finishing = finishing.as_ref().zip(finish);
        if let Some((Finishing { relief: of, .. }, finish)) = finishing {
            relief.begin(uv.origin[0], uv.step[0], span, of.picture.width());
            if finish.halftone.strength > 0 {
                printer.begin(finish.halftone, canvas.size);
            }
        }
        let all = 0..width as usize;
        for y in canvas.rows(top, height) {
            let copied = sheet.and_then(|sheet| sheet.row(left, y, width));
            let pixels = copied.unwrap_or_else(|| {
                let at = place(part.origin[1], part.step[1], y, seen.height());
                source.at(seen, at, from_ref(&all))
            });
            let pixels = match guide {
                Some(guide) => sharpener.row(guide, uv, y, pixels),
                None => pixels,
            };
            let finish = finishing.map(|(Finishing { relief: of, .. }, finish)| {
                let height = place(uv.origin[1], uv.step[1], y, of.picture.height());
                (relief.at(&of.picture, height, from_ref(&all)), finish)
            });
            let pixels = match finish {
                Some((relief, finish)) if finish.crisp > 0 => {
                    crisper.row(pixels, relief, finish.crisp)
                }
                _ => pixels,
            };
            let pixels = match overlay {
                Some(overlay) => overlayer.row(overlay, uv, y, pixels),
                None => pixels,
            };
            let pixels = match finish {
                Some((relief, finish)) if finish.halftone.strength > 0 => {
                    printer.row((left, y), pixels, relief)
                }
                _ => pixels,
            };
            if let Some(row) = canvas.row(left, y, width) {
                lay(row, pixels, (left, y));
            }
        }
    }
}

/// Rows at a time that are looked at for people.
const BAND: u16 = 32;

/// The parts of a tile in which people can be.
fn bands([left, top, width, height]: Tile, filling: &Filling) -> impl Iterator<Item = Tile> {
    let (uv, cutout) = (filling.uv, filling.people);
    (0..height.div_ceil(BAND)).filter_map(move |number| {
        let from = top + number * BAND;
        let rows = BAND.min(top + height - from);
        let Some(cutout) = cutout else {
            return Some([left, from, width, rows]);
        };
        let v = |y: u16| uv.origin[1] + uv.step[1] * f32::from(y);
        let (first, last) = cutout.columns(v(from), v(from + rows))?;
        // Mirrored, the first column is the right one.
        let x = |u: f32| (u - uv.origin[0]) / uv.step[0];
        let (a, b) = (x(first), x(last));
        let clip = |x: f32| x.clamp(f32::from(left), f32::from(left + width));
        let (start, end) = (clip(a.min(b).floor() - 1.0), clip(a.max(b).ceil() + 1.0));
        (end > start).then_some([start as u16, from, (end - start) as u16, rows])
    })
}

/// The part of a tile that lies in a rectangle.
fn clipped([left, top, width, height]: Tile, rect: PixelRect) -> Option<Tile> {
    let clip = |from: u16, length: u16, first: i32, count: u32| {
        let start = i64::from(from).max(first.into());
        let end = (i64::from(from) + i64::from(length)).min(i64::from(first) + i64::from(count));
        (end > start).then_some((start as u16, (end - start) as u16))
    };
    let (left, width) = clip(left, width, rect.x, rect.width)?;
    let (top, height) = clip(top, height, rect.y, rect.height)?;
    Some([left, top, width, height])
}

/// The part of a tile where the picture is.
fn shown(uv: &Uv, tile: Tile) -> Option<Tile> {
    // The first pixel whose middle lies in the picture, and the one after the last.
    let clip = |origin: f32, step: f32| {
        let ends = [0.0, 1.0].map(|edge| (edge - origin) / step - 0.5);
        let start = ends[0].min(ends[1]).ceil();
        (
            start as i32,
            (ends[0].max(ends[1]).floor() + 1.0 - start).max(0.0) as u32,
        )
    };
    let (x, width) = clip(uv.origin[0], uv.step[0]);
    let (y, height) = clip(uv.origin[1], uv.step[1]);
    let picture = PixelRect {
        x,
        y,
        width,
        height,
    };
    clipped(tile, picture)
}

/// A row of a shape with a panel's place; empty when the row reaches beyond it.
fn coverage(rect: PixelRect, alpha: &[u8], (x, y): (u32, u32), width: usize) -> &[u8] {
    let (x, y) = (
        i64::from(x) - i64::from(rect.x),
        i64::from(y) - i64::from(rect.y),
    );
    let inside = x >= 0 && y >= 0 && x + width as i64 <= i64::from(rect.width);
    let start = usize::try_from(y * i64::from(rect.width) + x).unwrap_or_default();
    alpha
        .get(start..start + width)
        .filter(|_| inside)
        .unwrap_or_default()
}

/// What a row of a tile shows of a bitmap: how many pixels to skip, and those that follow.
fn of_bitmap(
    bitmap: &Bitmap,
    shift: (i32, i32),
    at: (u32, u32),
    width: usize,
) -> (usize, &[[u8; 4]]) {
    let rect = PixelRect {
        x: bitmap.rect.x.saturating_add(shift.0),
        y: bitmap.rect.y.saturating_add(shift.1),
        ..bitmap.rect
    };
    let (skip, found) = part_of(rect, at, width);
    let pixels = bitmap.rgba.as_chunks::<4>().0;
    (skip, pixels.get(found).unwrap_or_default())
}

/// What a row of a tile has of a rectangle: how many pixels to skip, and the numbers, in the
/// rectangle, of those that follow.
pub(super) fn part_of(rect: PixelRect, (x, y): (u32, u32), width: usize) -> (usize, Range<usize>) {
    let (left, top) = (x as i32 - rect.x, y as i32 - rect.y);
    let right = (left + width as i32).min(rect.width as i32);
    let skip = (-left).max(0);
    if top < 0 || top >= rect.height as i32 || left + skip >= right {
        return (0, 0..0);
    }
    let start = top as usize * rect.width as usize;
    (
        skip as usize,
        start + (left + skip) as usize..start + right as usize,
    )
}

/// Mixes a bitmap with what is below it.
fn lay_bitmap(canvas: &mut Canvas, bitmap: &Bitmap, shift: (i32, i32), tiles: &[Tile]) {
    let mixer = Mixer::of(bitmap.blend);
    canvas.each_row(tiles, |at, row| {
        let (skip, found) = of_bitmap(bitmap, shift, at, row.len());
        if let Some(row) = row.get_mut(skip..skip + found.len()) {
            mixer.lay_row(row, found);
        }
    });
}

/// The matte's value at a point; for a picture of another size than the matte's.
fn nearest(matte: &Picture, u: f32, v: f32) -> u8 {
    let x = ((u * matte.width() as f32) as u32).min(matte.width() - 1);
    let y = ((v * matte.height() as f32) as u32).min(matte.height() - 1);
    matte.pixel(x, y).map_or(0, |pixel| pixel[3])
}
