//! A page drawn at the program's size: once, never per frame.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};

use crate::frame::Size;

use super::{
    Art, Blend, Crop, Data, EffectKind, Layer, Lettering, Page, PageError, Panel, PanelKind,
};

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
    /// A region that shows a picture.
    Panel(Coverage),
    /// Words, a bubble or a sound, as the artist drew them; a [`Sprite`] may take their place.
    Lettering {
        /// Which of the page's layers it is.
        layer: usize,
        /// As drawn.
        drawn: Sprite,
    },
    /// Where an effect is.
    Effect(Region),
}

/// A picture cropped to its ink.
pub struct Bitmap {
    /// Where it is in the program.
    pub rect: PixelRect,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// Premultiplied RGBA, 8 bits a channel, rows packed.
    pub rgba: Vec<u8>,
}

/// A picture that may change or move from program to program. Cheap while it does not: the same
/// bitmap is recognised.
#[derive(Clone)]
pub struct Sprite {
    /// What is drawn.
    pub bitmap: Arc<Bitmap>,
    /// How far it is moved from the bitmap's own place, in program pixels.
    pub shift: (i32, i32),
}

impl Sprite {
    /// Where it is in the program.
    pub fn place(&self) -> PixelRect {
        let PixelRect {
            x,
            y,
            width,
            height,
        } = self.bitmap.rect;
        let (x, y) = (
            x.saturating_add(self.shift.0),
            y.saturating_add(self.shift.1),
        );
        PixelRect::new(x, y, width, height)
    }
}

/// What moves on a page at one moment.
#[derive(Clone, Default)]
pub struct Sprites {
    /// In place of the words or the bubble that is the page's layer of that number; `None` shows
    /// nothing there. Others are shown as the artist drew them.
    pub instead: Vec<(usize, Option<Sprite>)>,
    /// On top of everything, the lowest first; [`Sprites::MOST_ABOVE`] at most.
    pub above: Vec<Sprite>,
}

impl Sprites {
    /// The most sprites on top of a page.
    pub const MOST_ABOVE: usize = 32;

    /// The sprite that a layer of a page shows.
    pub fn of<'a>(&'a self, layer: usize, drawn: &'a Sprite) -> Option<&'a Sprite> {
        let instead = self.instead.iter().find(|(number, _)| *number == layer);
        instead.map_or(Some(drawn), |(_, sprite)| sprite.as_ref())
    }
}

/// A panel's shape.
pub struct Coverage {
    /// The object's name as the artist wrote it.
    pub id: String,
    /// What fills it.
    pub kind: PanelKind,
    /// The shot it shows once that is taken: of a shot panel, and of the people in front of one.
    pub shot: Option<u8>,
    /// How much of the picture it shows.
    pub crop: Crop,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// Where it is in the program.
    pub rect: PixelRect,
    /// What the picture has to cover: this panel and all that share its picture.
    pub fit: PixelRect,
    /// 0 outside the shape, 255 inside; rows packed.
    pub alpha: Vec<u8>,
    /// Of people: the shape of the panel they stand in, in place of `alpha` where the camera cuts
    /// off their heads; empty when there is no such panel.
    pub inside: Vec<u8>,
    /// Of people: what is drawn around them.
    pub edge: Edge,
}

/// What is drawn around people.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Edge {
    /// Width of the outline in program pixels; 0 is none.
    pub outline: f32,
    /// Colour of the outline, straight alpha.
    pub outline_colour: [u8; 4],
    /// How far the shadow falls, in program pixels.
    pub shadow: (f32, f32),
    /// How soft it is, in program pixels.
    pub blur: f32,
    /// Colour of the shadow, straight alpha; transparent is none.
    pub shadow_colour: [u8; 4],
}

impl Edge {
    /// What `data-outline` (width and colour) and `data-shadow` (right, down, softness and colour)
    /// say, in page units.
    fn of(data: &Data, scale: f32) -> Self {
        let numbers = |name, longest: f32| {
            let mut numbers = data
                .numbers(name)
                .into_iter()
                .map(move |number| number.clamp(-longest, longest) * scale);
            move || numbers.next()
        };
        let (mut outline, mut shadow) = (numbers("outline", 60.0), numbers("shadow", 120.0));
        let mut edge = Self::default();
        if let Some(width) = outline().filter(|width| *width > 0.0) {
            edge.outline = width;
            edge.outline_colour = data.colour("outline").unwrap_or([255; 4]);
        }
        if let Some(right) = shadow() {
            edge.shadow = (right, shadow().unwrap_or(right));
            edge.blur = shadow().unwrap_or(0.0).max(0.0);
            edge.shadow_colour = data.colour("shadow").unwrap_or([23, 20, 31, 110]);
        }
        edge
    }

    /// Whether anything is drawn.
    pub fn is_visible(&self) -> bool {
        self.outline > 0.0 || self.shadow_colour[3] > 0
    }
}

/// Where an effect is.
pub struct Region {
    /// Which effect.
    pub kind: EffectKind,
    /// What follows the kind in the object's name.
    pub name: String,
    /// What else the artist wrote on it.
    pub data: Data,
    /// How it is mixed with what is below it; `Normal` leaves that to the effect.
    pub blend: Blend,
    /// Where it is in the program.
    pub rect: PixelRect,
    /// 0 outside the shape, 255 inside; rows packed.
    pub alpha: Vec<u8>,
    /// A thousandth of the page's long side, in program pixels: the measure of its strokes.
    pub unit: f32,
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
        let scale = page.width as f32 / self.units().0;
        let unit = scale * self.units().0.max(self.units().1) / 1000.0;
        let mut layers = Vec::with_capacity(self.layers().len());
        let mut names = Vec::with_capacity(self.layers().len());
        let mut hidden = Vec::with_capacity(self.layers().len());
        for (number, layer) in self.layers().iter().enumerate() {
            let hides = self.hides(number);
            // A panel that is not drawn still says what others cover.
            if hides && !matches!(layer, Layer::Panel(_)) {
                continue;
            }
            let drawn = match layer {
                Layer::Art(Art { tree, blend }) => {
                    let pieces = self.hidden_pieces();
                    let drawn = if pieces.iter().any(|(layer, _)| *layer == number) {
                        canvas.fill(resvg::tiny_skia::Color::TRANSPARENT);
                        self.draw_pieces((number, tree), pieces, &mut canvas, transform);
                        ink(&canvas, *blend, page)
                    } else {
                        drawn(tree, *blend, &mut canvas, transform, page)
                    };
                    drawn.map(ArtworkLayer::Art)
                }
                Layer::Text(Lettering { tree, blend, .. })
                | Layer::Bubble(Lettering { tree, blend, .. })
                | Layer::Sound(Lettering { tree, blend, .. }) => {
                    drawn(tree, *blend, &mut canvas, transform, page).map(|bitmap| {
                        let drawn = Sprite {
                            bitmap: Arc::new(bitmap),
                            shift: (0, 0),
                        };
                        ArtworkLayer::Lettering {
                            layer: number,
                            drawn,
                        }
                    })
                }
                Layer::Effect(effect) => {
                    let shape = shape(&effect.shape, &mut canvas, transform, page);
                    shape.map(|(rect, alpha)| {
                        ArtworkLayer::Effect(Region {
                            kind: effect.kind,
                            name: effect.name.clone(),
                            data: effect.data.clone(),
                            blend: effect.blend,
                            rect,
                            alpha,
                            unit,
                        })
                    })
                }
                Layer::Panel(panel) => {
                    cover(panel, &mut canvas, transform, page, scale).map(ArtworkLayer::Panel)
                }
            };
            if let Some(drawn) = drawn {
                layers.push(drawn);
                hidden.push(hides);
                names.push(match layer {
                    Layer::Panel(panel) => Some(panel.name.as_str()),
                    _ => None,
                });
            }
        }
        share_pictures(&mut layers, &names);
        keep_inside(&mut layers, &names);
        let mut hidden = hidden.into_iter();
        layers.retain(|_| hidden.next() != Some(true));
        Ok(Artwork { size, page, layers })
    }
}

/// The page's shape in the middle of a program; a rest of one pixel is taken in.
pub(super) fn fitted((width, height): (f32, f32), size: Size) -> PixelRect {
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

/// What a layer draws; `None` when that is nothing.
fn drawn(
    tree: &usvg::Tree,
    blend: Blend,
    canvas: &mut Pixmap,
    transform: Transform,
    page: PixelRect,
) -> Option<Bitmap> {
    canvas.fill(resvg::tiny_skia::Color::TRANSPARENT);
    resvg::render(tree, transform, &mut canvas.as_mut());
    ink(canvas, blend, page)
}

/// What was drawn on a page-sized canvas.
fn ink(canvas: &Pixmap, blend: Blend, page: PixelRect) -> Option<Bitmap> {
    // No colour above its alpha: blending relies on it.
    let sound = |pixel: [u8; 4]| pixel.map(|byte| byte.min(pixel[3]));
    let (rect, rgba) = cropped(canvas.data(), page, sound)?;
    Some(Bitmap { rect, blend, rgba })
}

/// Where a shape is.
fn shape(
    tree: &usvg::Tree,
    canvas: &mut Pixmap,
    transform: Transform,
    page: PixelRect,
) -> Option<(PixelRect, Vec<u8>)> {
    canvas.fill(resvg::tiny_skia::Color::TRANSPARENT);
    resvg::render(tree, transform, &mut canvas.as_mut());
    cropped(canvas.data(), page, |pixel| [pixel[3]])
}

fn cover(
    panel: &Panel,
    canvas: &mut Pixmap,
    transform: Transform,
    page: PixelRect,
    scale: f32,
) -> Option<Coverage> {
    let (rect, alpha) = match &panel.shape {
        None => (page, vec![255; page.width as usize * page.height as usize]),
        Some(tree) => shape(tree, canvas, transform, page)?,
    };
    Some(Coverage {
        id: panel.id.clone(),
        kind: panel.kind,
        shot: super::letterer::shot_shown(panel),
        crop: panel.crop,
        blend: panel.blend,
        rect,
        fit: rect,
        alpha,
        inside: Vec::new(),
        edge: Edge::of(&panel.data, scale),
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
    // Row by row: bytes one after the other take three times as long.
    let mut cut = vec![[0; N]; (right + 1 - left) * (bottom + 1 - top)];
    for (to, row) in cut.chunks_exact_mut(right + 1 - left).zip(rows) {
        for (to, pixel) in to.iter_mut().zip(&row[left..=right]) {
            *to = bytes(*pixel);
        }
    }
    let rect = PixelRect::new(
        page.x + left as i32,
        page.y + top as i32,
        (right + 1 - left) as u32,
        (bottom + 1 - top) as u32,
    );
    Some((rect, cut.into_flattened()))
}

/// Panels of equal names show one picture that covers them all.
fn share_pictures(layers: &mut [ArtworkLayer], names: &[Option<&str>]) {
    let rects: Vec<Option<PixelRect>> = layers
        .iter()
        .map(|layer| match layer {
            ArtworkLayer::Panel(coverage) => Some(coverage.rect),
            _ => None,
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

/// Tells people the shape of the panel they stand in.
fn keep_inside(layers: &mut [ArtworkLayer], names: &[Option<&str>]) {
    for at in 0..layers.len() {
        let ArtworkLayer::Panel(person) = &layers[at] else {
            continue;
        };
        if person.kind != PanelKind::Person {
            continue;
        }
        let rect = person.rect;
        let panel = layers
            .iter()
            .zip(names)
            .find_map(|(layer, name)| match layer {
                ArtworkLayer::Panel(panel)
                    if panel.kind != PanelKind::Person && *name == names[at] =>
                {
                    Some(panel)
                }
                _ => None,
            });
        let inside = panel.map(|panel| moved(&panel.alpha, panel.rect, rect));
        if let (ArtworkLayer::Panel(person), Some(inside)) = (&mut layers[at], inside) {
            person.inside = inside;
        }
    }
}

/// The part of a shape that lies in another rectangle.
fn moved(alpha: &[u8], from: PixelRect, to: PixelRect) -> Vec<u8> {
    let mut moved = vec![0; to.width as usize * to.height as usize];
    let left = from.x.max(to.x);
    let right = (from.x + from.width as i32).min(to.x + to.width as i32);
    for y in from.y.max(to.y)..(from.y + from.height as i32).min(to.y + to.height as i32) {
        let place = |rect: PixelRect| {
            let start = (y - rect.y) as usize * rect.width as usize;
            start + (left - rect.x) as usize..start + (right - rect.x).max(left - rect.x) as usize
        };
        if let (Some(to), Some(from)) = (moved.get_mut(place(to)), alpha.get(place(from))) {
            to.copy_from_slice(from);
        }
    }
    moved
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
