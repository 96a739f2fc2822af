//! Panels that show the same picture: it is drawn and finished once, as the largest of them shows it,
//! and each of them takes its pixels from there.
//!
//! To sharpen a drawing and to make its edges crisp costs several times what it costs to copy it or
//! to shrink it a little, and six panels of a page mostly show one drawing at much the same size: in
//! a four-cut strip before its shots all are alike.

use rayon::prelude::*;

use crate::frame::{Picture, Size};
use crate::panels::{PixelRect, Uv};

use super::Source;
use super::brush::{Brush, Canvas, Filling, Finishing};
use super::tiles::{Tiles, area};

/// A picture is at most this much larger than a panel that takes its pixels from it: what is shrunk
/// more loses its thin lines here and there.
const SHRUNK: f32 = 1.5;

/// What a panel shows and where; people cut out are none of these.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    /// The panel's layer.
    pub layer: usize,
    pub source: Source,
    /// Which part of its picture it shows.
    pub uv: Uv,
    /// What of the program can be seen of it.
    pub rect: PixelRect,
    /// Whether its picture is sharpened or made crisp; else only what is copied pixel by pixel is
    /// cheaper than to draw it again.
    pub finished: bool,
}

/// Pictures of panels, each as several panels of a program show it. Kept from program to program.
#[derive(Default)]
pub(super) struct Twins {
    groups: Vec<Group>,
    sheets: Vec<Picture>,
}

/// Panels that show the same.
struct Group {
    /// The first is the largest.
    panels: Vec<Shown>,
    /// How many pixels of the program they are.
    pixels: u64,
    /// How many of these are not copied but shrunk.
    shrunk: u64,
    /// Left, top, right and bottom of what of their picture can be seen, in the first one's pixels.
    seen: [i32; 4],
}

/// The picture of a panel as the program shows it, but for printed dots: those have their places on
/// the page.
#[derive(Clone, Copy)]
pub(super) struct Sheet<'a> {
    pub picture: &'a Picture,
    /// Which part of it the panel shows.
    pub uv: Uv,
    /// Where it begins in the program, if it is neither larger nor smaller there.
    at: Option<(i32, i32)>,
}

/// How one panel's pixels lie among another's: those of `of` times the scale, and then moved.
struct Placed {
    scale: f32,
    moved: [f32; 2],
}

impl Placed {
    /// Those of `of` among those of `among`.
    fn new(of: &Uv, among: &Uv) -> Self {
        let moved = |axis: usize| (of.origin[axis] - among.origin[axis]) / among.step[axis];
        Self {
            scale: of.step[1] / among.step[1],
            moved: [moved(0), moved(1)],
        }
    }

    /// Whole pixels, where they lie side by side.
    fn aligned(&self) -> Option<[i32; 2]> {
        let aligned = (self.scale - 1.0).abs() < 2e-4;
        aligned.then(|| self.moved.map(|moved| moved.round() as i32))
    }

    /// Left, top, right and bottom of a rectangle, with all that it takes to shrink it.
    fn bounds(&self, rect: PixelRect) -> [i32; 4] {
        let [left, top] = [rect.x, rect.y];
        let (right, bottom) = (left + rect.width as i32, top + rect.height as i32);
        if let Some([x, y]) = self.aligned() {
            return [left + x, top + y, right + x, bottom + y];
        }
        let at = |axis: usize, at: i32| self.scale * at as f32 + self.moved[axis];
        let first = |axis, from| at(axis, from).floor() as i32 - 1;
        let last = |axis, to| at(axis, to).ceil() as i32 + 1;
        [
            first(0, left),
            first(1, top),
            last(0, right),
            last(1, bottom),
        ]
    }
}

impl Group {
    fn of(shown: Shown, pixels: u64) -> Self {
        Self {
            panels: vec![shown],
            pixels,
            shrunk: 0,
            seen: [0; 4],
        }
    }

    /// Whether a panel can take its pixels from the same picture.
    fn fits(&self, other: &Shown) -> bool {
        self.panels.iter().all(|shown| {
            let placed = Placed::new(&other.uv, &shown.uv);
            let alike = shown.source == other.source
                // One may be mirrored.
                && (shown.uv.step[0] < 0.0) == (other.uv.step[0] < 0.0);
            let near = shown.finished && (1.0 / SHRUNK..=SHRUNK).contains(&placed.scale);
            alike && (near || placed.aligned().is_some())
        })
    }

    fn add(&mut self, shown: Shown, pixels: u64) {
        let largest = self.panels.first();
        let is_larger = largest.is_some_and(|largest| shown.uv.step[1] < largest.uv.step[1]);
        self.panels.push(shown);
        if is_larger {
            let last = self.panels.len() - 1;
            self.panels.swap(0, last);
        }
        self.pixels += pixels;
    }

    /// Looks what of the picture can be seen.
    fn look(&mut self) {
        let Some(largest) = self.panels.first() else {
            return;
        };
        let mut seen = [i32::MAX, i32::MAX, i32::MIN, i32::MIN];
        self.shrunk = 0;
        for shown in &self.panels {
            let placed = Placed::new(&shown.uv, &largest.uv);
            let [left, top, right, bottom] = placed.bounds(shown.rect);
            let [a, b, c, d] = seen;
            seen = [a.min(left), b.min(top), c.max(right), d.max(bottom)];
            if placed.aligned().is_none() {
                self.shrunk += shown.rect.width as u64 * u64::from(shown.rect.height);
            }
        }
        self.seen = seen;
    }

    fn size(&self) -> Size {
        let [left, top, right, bottom] = self.seen;
        Size::new((right - left).max(0) as u32, (bottom - top).max(0) as u32)
    }

    /// Copying has its price too, and shrinking a higher one.
    fn is_worth_it(&self) -> bool {
        let drawn = self.size().area() as u64;
        self.panels.len() > 1 && 16 * self.pixels > 20 * drawn + 5 * self.shrunk
    }
}

impl Twins {
    /// Looks for panels that show the same. `tiles` are a panel's in the program.
    pub fn find<'a>(&mut self, panels: impl Iterator<Item = (Shown, &'a Tiles)>) {
        self.groups.clear();
        for (shown, tiles) in panels {
            let pixels = area(&tiles.opaque) + area(&tiles.mixed);
            match self.groups.iter_mut().find(|group| group.fits(&shown)) {
                Some(group) => group.add(shown, pixels),
                None => self.groups.push(Group::of(shown, pixels)),
            }
        }
        self.groups.iter_mut().for_each(Group::look);
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
            let largest = group.panels.first();
            let Some(mut filling) = largest.and_then(|largest| filling(largest.layer)) else {
                continue;
            };
            for (axis, at) in [group.seen[0], group.seen[1]].into_iter().enumerate() {
                filling.uv.origin[axis] += filling.uv.step[axis] * at as f32;
            }
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

    /// What a layer takes its pixels from, if it is one of several.
    pub fn sheet(&self, layer: usize) -> Option<Sheet<'_>> {
        let mut groups = self.groups.iter().zip(&self.sheets);
        groups.find_map(|(group, picture)| {
            let shown = group.panels.iter().find(|shown| shown.layer == layer)?;
            let placed = Placed::new(&shown.uv, &group.panels.first()?.uv);
            let [left, top, ..] = group.seen;
            let side = [picture.width() as f32, picture.height() as f32];
            Some(Sheet {
                picture,
                uv: Uv {
                    origin: [
                        (placed.moved[0] - left as f32) / side[0],
                        (placed.moved[1] - top as f32) / side[1],
                    ],
                    step: side.map(|side| placed.scale / side),
                },
                at: placed.aligned().map(|[x, y]| (left - x, top - y)),
            })
        })
    }
}

impl<'a> Sheet<'a> {
    /// Whether its pixels are copied.
    pub fn is_aligned(&self) -> bool {
        self.at.is_some()
    }

    /// A part of a row of the program, where pixels are copied.
    pub fn row(&self, left: u32, y: u32, width: u32) -> Option<&'a [[u8; 4]]> {
        let at = self.at?;
        let place = |at: u32, from: i32| usize::try_from(i64::from(at) - i64::from(from));
        let (Ok(x), Ok(y)) = (place(left, at.0), place(y, at.1)) else {
            return Some(&[]);
        };
        let start = y * self.picture.width() as usize + x;
        let pixels = self.picture.rgba().as_chunks().0;
        Some(
            pixels
                .get(start..start + width as usize)
                .unwrap_or_default(),
        )
    }
}
