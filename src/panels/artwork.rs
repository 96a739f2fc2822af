//! A page drawn at the program's size: once, never per frame.

use resvg::tiny_skia::{Pixmap, Transform};

use crate::frame::Size;

use super::{Art, Crop, Layer, Lettering, Page, PageError, Panel, PanelKind};

/// A rectangle of program pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelRect {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A page as pixels.
pub struct Artwork {
    /// The program's size.
    pub size: Size,
    /// Where the page is in the program: as large as fits, in the middle.
    pub page: PixelRect,
    /// Its layers, the lowest first. Layers on which nothing can be seen are left out.
    pub layers: Vec<ArtworkLayer>,
}

/// One layer as pixels.
pub enum ArtworkLayer {
    /// Pictures that do not change.
    Art(Bitmap),
    /// A region that is alive.
    Panel(Coverage),
}

/// A picture cropped to its ink.
pub struct Bitmap {
    /// Where it is in the program.
    pub rect: PixelRect,
    /// Premultiplied RGBA, 8 bits a channel, rows packed.
    pub rgba: Vec<u8>,
}

/// A panel's shape.
pub struct Coverage {
    /// The object's name as the artist wrote it.
    pub id: String,
    /// What fills it.
    pub kind: PanelKind,
    /// How much of the picture it shows.
    pub crop: Crop,
    /// Where it is in the program.
    pub rect: PixelRect,
    /// What the picture has to cover: this panel and all that share its picture.
    pub fit: PixelRect,
    /// 0 outside the shape, 255 inside; rows packed.
    pub alpha: Vec<u8>,
}

impl PixelRect {
    /// A rectangle with its upper left corner at `x`, `y`.
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The smallest rectangle around both.
    pub fn around(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width as i32).max(other.x + other.width as i32);
        let bottom = (self.y + self.height as i32).max(other.y + other.height as i32);
        Self::new(x, y, (right - x) as u32, (bottom - y) as u32)
    }
}

impl Page {
    /// Draws the page for a program of `size`: as large as fits, in the middle; around it is
    /// nothing.
    ///
    /// # Errors
    /// When `size` is larger than a picture may be.
    pub fn rasterise(&self, size: Size) -> Result<Artwork, PageError> {
        let too_large = || PageError::TooLargeToDraw {
            size,
            page: self.id().to_owned(),
        };
        let side = 1..=Size::MAX_SIDE;
        if !side.contains(&size.width) || !side.contains(&size.height) {
            return Err(too_large());
        }
        let page = fitted(self.units(), size);
        let mut canvas = Pixmap::new(page.width, page.height).ok_or_else(too_large)?;
        let transform = Transform::from_scale(
            page.width as f32 / self.units().0,
            page.height as f32 / self.units().1,
        );
        let mut layers = Vec::with_capacity(self.layers().len());
        let mut names = Vec::with_capacity(self.layers().len());
        for layer in self.layers() {
            match layer {
                Layer::Effect(_) => {}
                Layer::Art(Art { tree, .. })
                | Layer::Text(Lettering { tree, .. })
                | Layer::Bubble(Lettering { tree, .. }) => {
                    canvas.fill(resvg::tiny_skia::Color::TRANSPARENT);
                    resvg::render(tree, transform, &mut canvas.as_mut());
                    // No colour above its alpha: blending relies on it.
                    let sound = |pixel: [u8; 4]| pixel.map(|byte| byte.min(pixel[3]));
                    let Some((rect, rgba)) = cropped(canvas.data(), page, sound) else {
                        continue;
                    };
                    layers.push(ArtworkLayer::Art(Bitmap { rect, rgba }));
                    names.push(None);
                }
                Layer::Panel(panel) => {
                    if let Some(coverage) = cover(panel, &mut canvas, transform, page) {
                        layers.push(ArtworkLayer::Panel(coverage));
                        names.push(Some(panel.name.as_str()));
                    }
                }
            }
        }
        share_pictures(&mut layers, &names);
        Ok(Artwork { size, page, layers })
    }
}

/// The page's shape in the middle of a program; a rest of one pixel is taken in.
fn fitted((width, height): (f32, f32), size: Size) -> PixelRect {
    let (program_width, program_height) = (size.width as f32, size.height as f32);
    let scale = (program_width / width).min(program_height / height);
    let snap = |side: f32, whole: u32| {
        let side = (side * scale).round().clamp(1.0, whole as f32) as u32;
        if whole - side <= 1 { whole } else { side }
    };
    let (width, height) = (snap(width, size.width), snap(height, size.height));
    PixelRect::new(
        ((size.width - width) / 2) as i32,
        ((size.height - height) / 2) as i32,
        width,
        height,
    )
}

fn cover(
    panel: &Panel,
    canvas: &mut Pixmap,
    transform: Transform,
    page: PixelRect,
) -> Option<Coverage> {
    let (rect, alpha) = match &panel.shape {
        None => (page, vec![255; page.width as usize * page.height as usize]),
        Some(shape) => {
            canvas.fill(resvg::tiny_skia::Color::TRANSPARENT);
            resvg::render(shape, transform, &mut canvas.as_mut());
            cropped(canvas.data(), page, |pixel| [pixel[3]])?
        }
    };
    Some(Coverage {
        id: panel.id.clone(),
        kind: panel.kind,
        crop: panel.crop,
        rect,
        fit: rect,
        alpha,
    })
}

/// The part of a page-sized picture that has alpha, with `N` bytes of each pixel.
fn cropped<const N: usize>(
    rgba: &[u8],
    page: PixelRect,
    bytes: impl Fn([u8; 4]) -> [u8; N],
) -> Option<(PixelRect, Vec<u8>)> {
    let (pixels, _) = rgba.as_chunks::<4>();
    let (mut left, mut right) = (usize::MAX, 0);
    let (mut top, mut bottom) = (usize::MAX, 0);
    for (y, row) in pixels.chunks_exact(page.width as usize).enumerate() {
        let Some(first) = row.iter().position(|pixel| pixel[3] > 0) else {
            continue;
        };
        let last = row.iter().rposition(|pixel| pixel[3] > 0).unwrap_or(first);
        (left, right) = (left.min(first), right.max(last));
        (top, bottom) = (top.min(y), y);
    }
    if left == usize::MAX {
        return None;
    }
    let rows = pixels
        .chunks_exact(page.width as usize)
        .skip(top)
        .take(bottom + 1 - top);
    let cut = rows
        .flat_map(|row| &row[left..=right])
        .flat_map(|pixel| bytes(*pixel))
        .collect();
    let rect = PixelRect::new(
        page.x + left as i32,
        page.y + top as i32,
        (right + 1 - left) as u32,
        (bottom + 1 - top) as u32,
    );
    Some((rect, cut))
}

/// Panels of equal names show one picture that covers them all.
fn share_pictures(layers: &mut [ArtworkLayer], names: &[Option<&str>]) {
    let rects: Vec<Option<PixelRect>> = layers
        .iter()
        .map(|layer| match layer {
            ArtworkLayer::Panel(coverage) => Some(coverage.rect),
            ArtworkLayer::Art(_) => None,
        })
        .collect();
    for (layer, name) in layers.iter_mut().zip(names) {
        if let ArtworkLayer::Panel(coverage) = layer {
            coverage.fit = rects
                .iter()
                .zip(names)
                .filter(|(_, other)| *other == name)
                .filter_map(|(rect, _)| *rect)
                .fold(coverage.rect, PixelRect::around);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_fitted_in_the_middle_and_leaves_no_sliver() {
        assert_eq!(
            fitted((1280.0, 720.0), Size::new(854, 480)),
            PixelRect::new(0, 0, 854, 480)
        );
        assert_eq!(
            fitted((100.0, 200.0), Size::new(400, 400)),
            PixelRect::new(100, 0, 200, 400)
        );
        assert_eq!(
            fitted((1.0, 20.0), Size::new(3, 2)),
            PixelRect::new(1, 0, 1, 2)
        );
    }
}
