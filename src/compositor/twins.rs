//! Panels that show the same picture at the same size, as those of a four-cut strip before its
//! shots: it is drawn once, and each of them takes its pixels from there.

use rayon::prelude::*;

use crate::frame::{Picture, Size};
use crate::panels::{Cover, PixelRect};

use super::Source;
use super::brush::{Brush, Canvas, Filling, Finishing};
use super::tiles::{Tiles, area};

/// What a panel shows and where; people cut out are none of these.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    /// The panel's layer.
    pub layer: usize,
    pub source: Source,
    pub cover: Cover,
    /// What the picture covers.
    pub fit: PixelRect,
    /// What of it can be seen.
    pub rect: PixelRect,
}

/// Pictures of panels, each as several panels of a program show it. Kept from program to program.
#[derive(Default)]
pub(super) struct Twins {
    groups: Vec<Group>,
    sheets: Vec<Picture>,
}

/// Panels that show the same.
struct Group {
    first: Shown,
    layers: Vec<usize>,
    /// Left, top, right and bottom of what of their picture can be seen, from where it begins.
    seen: [i32; 4],
    /// How many pixels of the program they are.
    pixels: u64,
}

/// The picture of a panel as the program shows it, but for printed dots: those have their places on
/// the page.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    picture: &'a Picture,
    /// Where it begins in the program.
    at: (i32, i32),
}

impl Group {
    fn of(shown: Shown, pixels: u64) -> Self {
        Self {
            first: shown,
            layers: vec![shown.layer],
            seen: seen(&shown),
            pixels,
        }
    }

    fn shows(&self, other: &Shown) -> bool {
        let Shown {
            source, cover, fit, ..
        } = self.first;
        let alike = source == other.source && cover == other.cover;
        alike && (fit.width, fit.height) == (other.fit.width, other.fit.height)
    }

    fn add(&mut self, shown: &Shown, pixels: u64) {
        let [left, top, right, bottom] = seen(shown);
        let [a, b, c, d] = self.seen;
        self.seen = [a.min(left), b.min(top), c.max(right), d.max(bottom)];
        self.layers.push(shown.layer);
        self.pixels += pixels;
    }

    fn size(&self) -> Size {
        let [left, top, right, bottom] = self.seen;
        Size::new((right - left).max(0) as u32, (bottom - top).max(0) as u32)
    }

    /// Where what can be seen begins in the program, for the panel with this fit.
    fn begins(&self, fit: PixelRect) -> (i32, i32) {
        (fit.x + self.seen[0], fit.y + self.seen[1])
    }

    /// Copying has its price too.
    fn is_worth_it(&self) -> bool {
        self.layers.len() > 1 && 4 * self.pixels > 5 * self.size().area() as u64
    }
}

impl Twins {
    /// Looks for panels that show the same. `tiles` are a panel's in the program.
    pub fn find<'a>(&mut self, panels: impl Iterator<Item = (Shown, &'a Tiles)>) {
        self.groups.clear();
        for (shown, tiles) in panels {
            let pixels = area(&tiles.opaque) + area(&tiles.mixed);
            match self.groups.iter_mut().find(|group| group.shows(&shown)) {
                Some(group) => group.add(&shown, pixels),
                None => self.groups.push(Group::of(shown, pixels)),
            }
        }
        self.groups.retain(Group::is_worth_it);
    }

    /// Draws what they show; `filling` is that of a layer.
    pub fn draw<'a>(
        &mut self,
        brushes: &mut [Brush],
        filling: impl Fn(usize) -> Option<Filling<'a>>,
    ) {
        self.sheets.resize_with(self.groups.len(), Picture::default);
        for (group, sheet) in self.groups.iter().zip(&mut self.sheets) {
            let size = group.size();
            if sheet.size() != size {
                sheet.reshape(size);
            }
            let Some(mut filling) = filling(group.first.layer) else {
                continue;
            };
            let (x, y) = group.begins(group.first.fit);
            filling.uv.origin[0] += filling.uv.step[0] * x as f32;
            filling.uv.origin[1] += filling.uv.step[1] * y as f32;
            filling.finishing = filling.finishing.map(|finishing| Finishing {
                finish: finishing.finish.unprinted(),
                ..finishing
            });
            let band = size.height.div_ceil(brushes.len().max(1) as u32);
            let pixels = sheet.rgba_mut().as_chunks_mut().0;
            let bands = pixels.par_chunks_mut((band * size.width).max(1) as usize);
            let whole = [0, 0, size.width as u16, size.height as u16];
            brushes
                .par_iter_mut()
                .zip(bands)
                .enumerate()
                .for_each(|(number, (brush, pixels))| {
                    let top = number as u32 * band;
                    brush.rows(
                        &mut Canvas { size, top, pixels },
                        whole,
                        &filling,
                        |row, pixels, _| {
                            for (to, from) in row.iter_mut().zip(pixels) {
                                *to = *from;
                            }
                        },
                    );
                });
        }
    }

    /// What a layer that fits its picture into `fit` takes its pixels from, if it is one of several.
    pub fn sheet(&self, layer: usize, fit: PixelRect) -> Option<Sheet<'_>> {
        let mut groups = self.groups.iter().zip(&self.sheets);
        let (group, picture) = groups.find(|(group, _)| group.layers.contains(&layer))?;
        let at = group.begins(fit);
        Some(Sheet { picture, at })
    }
}

impl<'a> Sheet<'a> {
    /// A part of a row of the program.
    pub fn row(&self, left: u32, y: u32, width: u32) -> &'a [[u8; 4]] {
        let place = |at: u32, from: i32| usize::try_from(i64::from(at) - i64::from(from));
        let (Ok(x), Ok(y)) = (place(left, self.at.0), place(y, self.at.1)) else {
            return &[];
        };
        let start = y * self.picture.width() as usize + x;
        let pixels = self.picture.rgba().as_chunks().0;
        pixels
            .get(start..start + width as usize)
            .unwrap_or_default()
    }
}

/// What of a panel's picture can be seen, from where the picture begins.
fn seen(shown: &Shown) -> [i32; 4] {
    let Shown { fit, rect, .. } = shown;
    let (left, top) = (rect.x - fit.x, rect.y - fit.y);
    [
        left,
        top,
        left + rect.width as i32,
        top + rect.height as i32,
    ]
}
