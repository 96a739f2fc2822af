//! Cuts layers into tiles, so that every pixel is shaded about once.
//!
//! Most of a page is either covered by one opaque layer or empty. A cell of the program in which
//! a layer is opaque hides all layers below it; a cell in which a layer is empty is skipped. This
//! matters where the CPU does the drawing, beside a generator that wants it too.

use crate::frame::Size;
use crate::panels::{ArtworkLayer, Blend, PanelKind, PixelRect};

/// Side of a cell in pixels.
const CELL: usize = 32;

/// A rectangle of program pixels: left, top, width, height.
pub(super) type Tile = [u16; 4];

/// How much of a cell a layer fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// Nothing.
    Empty,
    /// Some pixels, or all of them not quite.
    Mixed,
    /// Every pixel, opaque.
    Opaque,
}

/// How a layer fills the cells of a program.
pub(super) struct Cells {
    columns: usize,
    rows: usize,
    fills: Vec<Fill>,
    /// Whether what is below it is hidden where it is opaque.
    hides: bool,
}

/// The tiles of one layer.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tiles {
    /// Drawn without blending.
    pub opaque: Vec<Tile>,
    /// Blended with what is below.
    pub mixed: Vec<Tile>,
}

impl Cells {
    /// Looks at a layer in a program of `size`.
    pub fn of(layer: &ArtworkLayer, size: Size) -> Self {
        let columns = (size.width as usize).div_ceil(CELL);
        let rows = (size.height as usize).div_ceil(CELL);
        let mut cells = Self {
            columns,
            rows,
            fills: vec![Fill::Empty; columns * rows],
            hides: false,
        };
        let blend = match layer {
            ArtworkLayer::Art(art) => {
                let pixels = art.rgba.as_chunks::<4>().0;
                cells.look(art.rect, size, |at| {
                    pixels.get(at).map_or(0, |pixel| pixel[3])
                });
                art.blend
            }
            ArtworkLayer::Panel(panel) => {
                let alpha = &panel.alpha;
                cells.look(panel.rect, size, |at| alpha.get(at).copied().unwrap_or(0));
                panel.blend
            }
            // It may be anywhere else the next time: laid where it is, and hides nothing.
            ArtworkLayer::Lettering { .. } => Blend::Normal,
            ArtworkLayer::Effect(effect) => {
                let alpha = &effect.alpha;
                cells.look(effect.rect, size, |at| alpha.get(at).copied().unwrap_or(0));
                effect.blend
            }
        };
        // The matte decides where people are opaque, and effects are hardly anywhere.
        cells.hides = blend == Blend::Normal
            && match layer {
                ArtworkLayer::Panel(panel) => panel.kind != PanelKind::Person,
                ArtworkLayer::Effect(_) => false,
                _ => true,
            };
        cells
    }

    /// Whether any cell has to be blended.
    pub fn any_mixed(&self) -> bool {
        (0..self.fills.len()).any(|at| self.fill(at) == Fill::Mixed)
    }

    /// How a cell is drawn: what hides nothing is blended.
    fn fill(&self, at: usize) -> Fill {
        match self.fills[at] {
            Fill::Opaque if !self.hides => Fill::Mixed,
            fill => fill,
        }
    }

    /// Of the cells that lie in it wholly: those that are `filled`.
    pub fn inside(&self, size: Size, filled: impl Fn(Tile) -> bool) -> Vec<bool> {
        let cell = |at: usize| {
            let (x, y) = (at % self.columns * CELL, at / self.columns * CELL);
            let side = |from: usize, whole: u32| CELL.min(whole as usize - from) as u16;
            [
                x as u16,
                y as u16,
                side(x, size.width),
                side(y, size.height),
            ]
        };
        let cells = self.fills.iter().enumerate();
        cells
            .map(|(at, fill)| *fill == Fill::Opaque && filled(cell(at)))
            .collect()
    }

    fn look(&mut self, rect: PixelRect, size: Size, alpha: impl Fn(usize) -> u8) {
        for row in 0..self.rows {
            for column in 0..self.columns {
                let (left, right) = (
                    column * CELL,
                    ((column + 1) * CELL).min(size.width as usize),
                );
                let (top, bottom) = (row * CELL, ((row + 1) * CELL).min(size.height as usize));
                let (x, y) = (rect.x.max(0) as usize, rect.y.max(0) as usize);
                let (in_left, in_right) = (left.max(x), right.min(x + rect.width as usize));
                let (in_top, in_bottom) = (top.max(y), bottom.min(y + rect.height as usize));
                if in_left >= in_right || in_top >= in_bottom {
                    continue;
                }
                let all = (in_left, in_right, in_top, in_bottom) == (left, right, top, bottom);
                let (mut full, mut empty) = (true, true);
                for py in in_top..in_bottom {
                    let start = (py - y) * rect.width as usize + (in_left - x);
                    for at in start..start + (in_right - in_left) {
                        let value = alpha(at);
                        full &= value == 255;
                        empty &= value == 0;
                    }
                    if !full && !empty {
                        break;
                    }
                }
                self.fills[row * self.columns + column] = match (empty, full && all) {
                    (true, _) => Fill::Empty,
                    (_, true) => Fill::Opaque,
                    _ => Fill::Mixed,
                };
            }
        }
    }
}

/// The rectangle of all cells that a rectangle touches.
pub(super) fn touched(rect: PixelRect) -> PixelRect {
    let cell = CELL as i32;
    let (x, y) = (
        rect.x.div_euclid(cell) * cell,
        rect.y.div_euclid(cell) * cell,
    );
    let side = |from: i32, start: i32, side: u32| {
        (side + (from - start) as u32).next_multiple_of(CELL as u32)
    };
    PixelRect::new(
        x,
        y,
        side(rect.x, x, rect.width),
        side(rect.y, y, rect.height),
    )
}

/// The part of a rectangle that lies in a program; `None` when nothing does.
pub(super) fn within(rect: PixelRect, size: Size) -> Option<Tile> {
    let clip = |from: i32, side: u32, whole: u32| {
        let start = i64::from(from).clamp(0, i64::from(whole));
        let end = (i64::from(from) + i64::from(side)).clamp(start, i64::from(whole));
        (end > start).then_some((start as u16, (end - start) as u16))
    };
    let (x, width) = clip(rect.x, rect.width, size.width)?;
    let (y, height) = clip(rect.y, rect.height, size.height)?;
    Some([x, y, width, height])
}

/// What is drawn where.
pub(super) struct Plan {
    /// The tiles of each layer, the lowest first.
    pub layers: Vec<Tiles>,
    /// Where no layer is opaque: transparent before anything is drawn.
    pub bare: Vec<Tile>,
}

/// Cells that a layer fills besides those in which it is opaque anyway: its number, and each cell.
pub(super) type Filled = (usize, Vec<bool>);

/// How many pixels they are together.
pub(super) fn area(tiles: &[Tile]) -> u64 {
    let pixels = |tile: &Tile| u64::from(tile[2]) * u64::from(tile[3]);
    tiles.iter().map(pixels).sum()
}

/// Decides what is drawn where. Layers that `shown` leaves out are not there.
pub(super) fn plan(
    layers: &[Cells],
    shown: impl Fn(usize) -> bool,
    filled: &[Filled],
    size: Size,
) -> Plan {
    let columns = (size.width as usize).div_ceil(CELL);
    let rows = (size.height as usize).div_ceil(CELL);
    // The lowest layer that can be seen in each cell.
    let mut lowest = vec![0; columns * rows];
    let mut bare = vec![true; columns * rows];
    for (number, layer) in layers
        .iter()
        .enumerate()
        .filter(|(number, _)| shown(*number))
    {
        let filled = filled.iter().find(|(filled, _)| *filled == number);
        for (at, (floor, bare)) in lowest.iter_mut().zip(&mut bare).enumerate() {
            if layer.fill(at) == Fill::Opaque || filled.is_some_and(|(_, cells)| cells[at]) {
                (*floor, *bare) = (number, false);
            }
        }
    }
    let tiles = layers
        .iter()
        .enumerate()
        .map(|(number, layer)| {
            if !shown(number) {
                return Tiles::default();
            }
            let seen = |wanted: Fill| {
                merged(columns, rows, size, |at| {
                    layer.fill(at) == wanted && lowest[at] <= number
                })
            };
            Tiles {
                opaque: seen(Fill::Opaque),
                mixed: seen(Fill::Mixed),
            }
        })
        .collect();
    Plan {
        layers: tiles,
        bare: merged(columns, rows, size, |at| bare[at]),
    }
}

/// Joins cells to rectangles: runs of a row, then equal runs of rows below each other.
fn merged(columns: usize, rows: usize, size: Size, wanted: impl Fn(usize) -> bool) -> Vec<Tile> {
    // first column, last column, first row, last row; the ends excluded
    let mut done: Vec<[usize; 4]> = Vec::new();
    let mut open: Vec<[usize; 4]> = Vec::new();
    for row in 0..rows {
        let mut runs = Vec::new();
        let mut column = 0;
        while column < columns {
            let start = column;
            while column < columns && wanted(row * columns + column) {
                column += 1;
            }
            if column > start {
                runs.push((start, column));
            }
            column += 1;
        }
        let mut next = Vec::with_capacity(runs.len());
        for (start, end) in runs {
            match open.iter().position(|run| run[0] == start && run[1] == end) {
                Some(at) => {
                    let mut run = open.swap_remove(at);
                    run[3] = row + 1;
                    next.push(run);
                }
                None => next.push([start, end, row, row + 1]),
            }
        }
        done.append(&mut open);
        open = next;
    }
    done.append(&mut open);
    done.iter()
        .map(|[left, right, top, bottom]| {
            let (x, y) = (left * CELL, top * CELL);
            let width = (right * CELL).min(size.width as usize) - x;
            let height = (bottom * CELL).min(size.height as usize) - y;
            [x as u16, y as u16, width as u16, height as u16]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::panels::Bitmap;

    fn art(rect: PixelRect, alpha: impl Fn(usize) -> u8) -> ArtworkLayer {
        let pixels = rect.width as usize * rect.height as usize;
        ArtworkLayer::Art(Bitmap {
            rect,
            blend: Blend::Normal,
            rgba: (0..pixels).flat_map(|at| [0, 0, 0, alpha(at)]).collect(),
        })
    }

    #[test]
    fn a_rectangle_is_cut_at_the_programs_edges() {
        let size = Size::new(100, 50);
        let cut = |x, y, width, height| within(PixelRect::new(x, y, width, height), size);
        assert_eq!(cut(10, 10, 5, 6), Some([10, 10, 5, 6]));
        assert_eq!(cut(-10, 40, 30, 30), Some([0, 40, 20, 10]));
        for (x, y) in [(100, 0), (0, 50), (-30, 0), (i32::MAX, i32::MIN)] {
            assert_eq!(cut(x, y, 30, 30), None);
        }
        assert_eq!(cut(i32::MIN, 0, u32::MAX, 9), Some([0, 0, 100, 9]));
    }

    #[test]
    fn an_opaque_layer_hides_what_is_below() {
        let size = Size::new(100, 70);
        let whole = PixelRect::new(0, 0, 100, 70);
        let layers = [art(whole, |_| 255), art(whole, |_| 255)];
        let cells: Vec<Cells> = layers.iter().map(|layer| Cells::of(layer, size)).collect();
        let tiles = plan(&cells, |_| true, &[], size).layers;
        assert_eq!(tiles[0], Tiles::default());
        assert_eq!(tiles[1].opaque, vec![[0, 0, 100, 70]]);
        let tiles = plan(&cells, |number| number == 0, &[], size).layers;
        assert_eq!(tiles[0].opaque, vec![[0, 0, 100, 70]]);
        assert_eq!(tiles[1], Tiles::default());
        // Where people fill a cell, they hide what is below too, but are blended.
        let layers = [art(whole, |_| 255), art(whole, |_| 254)];
        let cells: Vec<Cells> = layers.iter().map(|layer| Cells::of(layer, size)).collect();
        let mut filled = vec![false; 12];
        filled[0] = true;
        let plan = plan(&cells, |_| true, &[(1, filled)], size);
        assert_eq!(
            plan.layers[0].opaque,
            vec![[32, 0, 68, 32], [0, 32, 100, 38]]
        );
        assert_eq!(plan.layers[1].mixed, vec![[0, 0, 100, 70]]);
        assert_eq!(plan.bare, Vec::<Tile>::new());
    }

    proptest! {
        /// Drawing the tiles gives what drawing whole layers gives.
        #[test]
        fn tiles_show_what_layers_show(
            width in 1u32..150, height in 1u32..150,
            rects in prop::collection::vec((0i32..150, 0i32..150, 1u32..150, 1u32..150, 0u8..3), 1..5),
        ) {
            let size = Size::new(width, height);
            let layers: Vec<ArtworkLayer> = rects.iter().filter_map(|(x, y, w, h, kind)| {
                if *x >= width as i32 || *y >= height as i32 { return None; }
                let rect = PixelRect::new(*x, *y, (*w).min(width - *x as u32), (*h).min(height - *y as u32));
                Some(art(rect, |at| match kind { 0 => 255, 1 => (at % 256) as u8, _ => if at % 97 < 60 { 255 } else { 0 } }))
            }).collect();
            let cells: Vec<Cells> = layers.iter().map(|layer| Cells::of(layer, size)).collect();
            let Plan { layers: tiles, bare } = plan(&cells, |_| true, &[], size);
            let alpha = |layer: &ArtworkLayer, x: i32, y: i32| match layer {
                ArtworkLayer::Art(art) => {
                    let (dx, dy) = (x - art.rect.x, y - art.rect.y);
                    if dx < 0 || dy < 0 || dx >= art.rect.width as i32 || dy >= art.rect.height as i32 { 0 }
                    else { art.rgba[(dy as usize * art.rect.width as usize + dx as usize) * 4 + 3] }
                }
                _ => 0,
            };
            for y in 0..height as i32 { for x in 0..width as i32 {
                let inside = |tile: &&Tile| {
                    let [left, top, w, h] = tile.map(i32::from);
                    x >= left && y >= top && x < left + w && y < top + h
                };
                // What is seen: the layers down to the topmost opaque one.
                let mut seen = Vec::new();
                let mut drawn = Vec::new();
                for (number, layer) in layers.iter().enumerate() {
                    let value = alpha(layer, x, y);
                    if value == 255 { seen.clear(); }
                    if value > 0 { seen.push(number); }
                    let count = tiles[number].opaque.iter().filter(inside).count();
                    let mixed = tiles[number].mixed.iter().filter(inside).count();
                    prop_assert!(count + mixed <= 1);
                    if count == 1 { prop_assert_eq!(value, 255); drawn.clear(); drawn.push(number); }
                    if mixed == 1 && value == 255 { drawn.clear(); }
                    if mixed == 1 && value > 0 { drawn.push(number); }
                }
                let opaque = tiles.iter().any(|tiles| tiles.opaque.iter().any(|tile| inside(&tile)));
                prop_assert_eq!(bare.iter().filter(inside).count(), usize::from(!opaque));
                prop_assert_eq!(seen, drawn);
            }}
        }
    }
}
