//! A contact sheet: all pages on one picture, with their names.

use std::fmt::Write as _;

use resvg::tiny_skia::{IntSize, Pixmap, Transform};

use super::{Fonts, Page, PixelRect};
use crate::frame::{Picture, Size};

/// Measures of a sheet that is 1300 pixels wide; others are in proportion.
const USUAL_WIDTH: f32 = 1300.0;
const MARGIN: f32 = 13.0;
const GAP: f32 = 11.0;
/// Of a name and the air around it.
const LINE: f32 = 42.0;
const LETTERS: f32 = 20.0;
/// The height that rows come near to.
const ROW: f32 = 255.0;
/// Paper, and the squares under what is transparent.
const PAPER: u8 = 0xf4;
const SQUARES: [u8; 2] = [0xff, 0xe4];

/// Where pages lie on a sheet, in rows that are as wide as it is.
pub struct Sheet {
    size: Size,
    unit: f32,
    /// The number of a page, and its place.
    places: Vec<(usize, PixelRect)>,
}

impl Sheet {
    /// Lays out pages on a sheet `width` pixels wide, narrow ones first.
    pub fn of(pages: &[Page], width: u32) -> Self {
        let aspects: Vec<f32> = pages
            .iter()
            .map(|page| page.units().0 / page.units().1)
            .collect();
        let mut order: Vec<usize> = (0..pages.len()).collect();
        order.sort_by(|a, b| aspects[*a].total_cmp(&aspects[*b]));
        let unit = width as f32 / USUAL_WIDTH;
        let mut places = Vec::with_capacity(pages.len());
        let mut top = MARGIN * unit;
        for row in rows(&order, &aspects) {
            let height = row_height(row, &aspects) * unit;
            let mut left = MARGIN * unit;
            for number in row {
                let across = aspects[*number] * height;
                let rect = PixelRect::new(
                    left.round() as i32,
                    top.round() as i32,
                    across.round().max(1.0) as u32,
                    height.round().max(1.0) as u32,
                );
                places.push((*number, rect));
                left += across + GAP * unit;
            }
            top += height + LINE * unit;
        }
        Self {
            size: Size::new(width, top.ceil() as u32),
            unit,
            places,
        }
    }

    /// Each page's number and place.
    pub fn places(&self) -> &[(usize, PixelRect)] {
        &self.places
    }

    /// The sheet with a picture (premultiplied alpha) in each place, in their order, and the pages'
    /// ids under them.
    pub fn draw(&self, pages: &[Page], pictures: &[Picture], fonts: &Fonts) -> Picture {
        let mut sheet = Picture::new(self.size);
        for pixel in sheet.rgba_mut().as_chunks_mut::<4>().0 {
            *pixel = [PAPER, PAPER, PAPER - 4, 255];
        }
        for ((_, rect), picture) in self.places.iter().zip(pictures) {
            self.put(&mut sheet, *rect, picture);
        }
        let (width, height) = (self.size.width, self.size.height);
        let Some(side) = IntSize::from_wh(width, height) else {
            return sheet;
        };
        let Some(mut canvas) = Pixmap::from_vec(sheet.into_rgba(), side) else {
            return Picture::new(self.size);
        };
        let options = usvg::Options {
            fontdb: fonts.database(),
            font_family: Fonts::SUBSTITUTE.to_owned(),
            ..usvg::Options::default()
        };
        if let Ok(names) = usvg::Tree::from_str(&self.names(pages), &options) {
            resvg::render(&names, Transform::identity(), &mut canvas.as_mut());
        }
        Picture::from_rgba(self.size, canvas.take()).unwrap_or_default()
    }

    fn put(&self, sheet: &mut Picture, rect: PixelRect, picture: &Picture) {
        let width = self.size.width as usize;
        let square = ((9.0 * self.unit) as usize).max(1);
        let across = rect.width.min(picture.width()) as usize;
        for y in 0..rect.height.min(picture.height()) as usize {
            for x in 0..across {
                let at = (rect.y as usize + y) * width + rect.x as usize + x;
                let from = (y * picture.width() as usize + x) * 4;
                let (Some(to), Some(pixel)) = (
                    sheet.rgba_mut().get_mut(at * 4..at * 4 + 3),
                    picture.rgba().get(from..from + 4),
                ) else {
                    continue;
                };
                let below = u32::from(SQUARES[(x / square + y / square) % 2]);
                let rest = below * u32::from(255 - pixel[3]) / 255;
                for (byte, value) in to.iter_mut().zip(pixel) {
                    *byte = (u32::from(*value) + rest).min(255) as u8;
                }
            }
        }
    }

    /// The names as an SVG as large as the sheet.
    fn names(&self, pages: &[Page]) -> String {
        let Size { width, height } = self.size;
        let letters = LETTERS * self.unit;
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="BM JUA" font-size="{letters}" text-anchor="middle" fill="#17141f">"##
        );
        for (number, rect) in &self.places {
            let name = pages.get(*number).map_or("", Page::id);
            let _ = write!(
                svg,
                r#"<text x="{}" y="{}">{}</text>"#,
                rect.x as f32 + rect.width as f32 / 2.0,
                (rect.y + rect.height as i32) as f32 + 26.0 * self.unit,
                super::check::escaped(name),
            );
        }
        svg + "</svg>"
    }
}

/// How high a row is that is as wide as the sheet, on one of the usual width.
fn row_height(row: &[usize], aspects: &[f32]) -> f32 {
    let across: f32 = row.iter().map(|number| aspects[*number]).sum();
    let gaps = GAP * row.len().saturating_sub(1) as f32;
    (USUAL_WIDTH - 2.0 * MARGIN - gaps).max(1.0) / across
}

/// Breaks the pages into the rows that come nearest to the height of a row, all together.
fn rows<'a>(order: &'a [usize], aspects: &[f32]) -> Vec<&'a [usize]> {
    // The least that pages from each on cost, and where their first row ends.
    let mut best = vec![(0.0f32, order.len()); order.len() + 1];
    for start in (0..order.len()).rev() {
        let ends = start + 1..=order.len();
        let costs = ends.map(|end| {
            // Twice as high is as far off as half as high.
            let off = (row_height(&order[start..end], aspects) / ROW).ln();
            (off * off + best[end].0, end)
        });
        if let Some(least) = costs.min_by(|a, b| a.0.total_cmp(&b.0)) {
            best[start] = least;
        }
    }
    let mut rows = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let end = best[start].1;
        rows.push(&order[start..end]);
        start = end;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: u32, height: u32, id: &str) -> Page {
        let svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><rect id="live" width="9" height="9"/></svg>"#
        );
        Page::parse(svg.as_bytes(), id, &Fonts::embedded()).unwrap()
    }

    #[test]
    fn rows_are_as_wide_as_the_sheet_and_pages_keep_their_shape() {
        let sides = [(1080, 1920), (1920, 1080), (600, 1800), (1080, 1350)];
        let pages: Vec<Page> = (0..23)
            .map(|at| page(sides[at % 4].0, sides[at % 4].1, &format!("p{at}")))
            .collect();
        for width in [650, 1300, 2600] {
            let sheet = Sheet::of(&pages, width);
            let mut numbers: Vec<usize> = sheet.places().iter().map(|(at, _)| *at).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (0..23).collect::<Vec<_>>());
            let margin = MARGIN * sheet.unit;
            let mut last: Option<PixelRect> = None;
            for (number, rect) in sheet.places() {
                let (across, down) = pages[*number].units();
                let shape = rect.width as f32 / rect.height as f32 / (across / down);
                assert!((0.97..1.03).contains(&shape), "{shape}");
                let right = rect.x as f32 + rect.width as f32;
                assert!(right <= width as f32 - margin + 2.0);
                if let Some(last) = last.filter(|last| last.y != rect.y) {
                    let end = last.x as f32 + last.width as f32;
                    assert!((end - (width as f32 - margin)).abs() < 3.0, "{end}");
                    assert!(rect.y > last.y + last.height as i32);
                }
                last = Some(*rect);
            }
            assert!(last.unwrap().y + (last.unwrap().height as i32) < sheet.size.height as i32);
        }
    }

    #[test]
    fn pictures_lie_in_their_places_and_names_under_them() {
        let pages = [page(100, 100, "first"), page(50, 100, "second & <last>")];
        let sheet = Sheet::of(&pages, 400);
        let pictures: Vec<Picture> = sheet
            .places()
            .iter()
            .map(|(number, rect)| {
                let size = Size::new(rect.width, rect.height);
                let colour = [[200, 0, 0, 255], [0, 0, 0, 0]][*number];
                Picture::from_rgba(size, colour.repeat(size.area())).unwrap()
            })
            .collect();
        let drawn = sheet.draw(&pages, &pictures, &Fonts::embedded());
        assert_eq!(drawn.size(), sheet.size);
        for (number, rect) in sheet.places() {
            let middle =
                |x: u32, y: u32| drawn.pixel(rect.x as u32 + x, rect.y as u32 + y).unwrap();
            let pixel = middle(rect.width / 2, rect.height / 2);
            if *number == 0 {
                assert_eq!(pixel, [200, 0, 0, 255]);
            } else {
                assert!(SQUARES.contains(&pixel[0]), "{pixel:?}");
            }
            let below = (0..rect.width).flat_map(|x| (3..10).map(move |y| (x, y)));
            let is_ink = |(x, y): (u32, u32)| middle(x, rect.height + y)[0] < 60;
            assert!(below.into_iter().any(is_ink), "no name under {number}");
        }
        assert!(Sheet::of(&[], 100).places().is_empty());
    }
}
