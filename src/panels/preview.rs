//! Composites a page without a GPU: for thumbnails, and to check the compositor against.

use crate::frame::Picture;
use crate::people::Head;

use super::{Artwork, ArtworkLayer, Bitmap, Blend, Cover, Coverage, PanelKind, Uv};

/// Lays a still picture into a page. RGB of `styled` is the drawing, its alpha the matte; `raw` is
/// the camera's picture. The result has premultiplied alpha. Slow: not for live pictures.
pub fn preview(
    artwork: &Artwork,
    styled: &Picture,
    raw: &Picture,
    focus: Head,
    mirror: bool,
) -> Picture {
    let mut program = Picture::new(artwork.size);
    for layer in &artwork.layers {
        match layer {
            ArtworkLayer::Art(bitmap) => lay_art(&mut program, bitmap),
            ArtworkLayer::Lettering { drawn, .. } => lay_art(&mut program, &drawn.bitmap),
            // Effects need the graphics device.
            ArtworkLayer::Effect(_) => {}
            ArtworkLayer::Panel(panel) => {
                let picture = match panel.kind {
                    PanelKind::Live | PanelKind::Person | PanelKind::Shot(_) => styled,
                    PanelKind::Raw => raw,
                };
                let cover = Cover {
                    picture: picture.size(),
                    focus,
                    crop: panel.crop,
                    mirror,
                };
                lay_panel(&mut program, panel, picture, cover.uv(panel.fit));
            }
        }
    }
    program
}

/// The matte's soft edge, 0..1 to 0..1, tightened so that no background shines through around
/// people.
pub fn matte_curve(matte: f32) -> f32 {
    let t = ((matte - 0.25) / 0.6).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn lay_art(program: &mut Picture, bitmap: &Bitmap) {
    let mut pixels = bitmap.rgba.as_chunks::<4>().0.iter();
    for y in 0..bitmap.rect.height {
        for x in 0..bitmap.rect.width {
            let Some(pixel) = pixels.next() else { return };
            let above = pixel.map(|byte| f32::from(byte) / 255.0);
            blend(
                program,
                bitmap.rect.x + x as i32,
                bitmap.rect.y + y as i32,
                above,
                bitmap.blend,
            );
        }
    }
}

fn lay_panel(program: &mut Picture, panel: &Coverage, picture: &Picture, uv: Uv) {
    let mut coverage = panel.alpha.iter();
    for y in 0..panel.rect.height {
        for x in 0..panel.rect.width {
            let Some(covered) = coverage.next() else {
                return;
            };
            let (px, py) = (panel.rect.x + x as i32, panel.rect.y + y as i32);
            let (u, v) = uv.at(px as f32 + 0.5, py as f32 + 0.5);
            let [r, g, b, a] = sample(picture, u, v);
            let mut alpha = f32::from(*covered) / 255.0;
            if panel.kind == PanelKind::Person {
                let inside = (0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&v);
                alpha *= if inside { matte_curve(a) } else { 0.0 };
            }
            let above = [r * alpha, g * alpha, b * alpha, alpha];
            blend(program, px, py, above, panel.blend);
        }
    }
}

/// Bilinear, edges repeated.
fn sample(picture: &Picture, u: f32, v: f32) -> [f32; 4] {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let (x, y) = (u * width as f32 - 0.5, v * height as f32 - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let at = |dx: i32, dy: i32| {
        let x = (left as i32 + dx).clamp(0, (width - 1).max(0)) as u32;
        let y = (top as i32 + dy).clamp(0, (height - 1).max(0)) as u32;
        picture
            .pixel(x, y)
            .unwrap_or_default()
            .map(|byte| f32::from(byte) / 255.0)
    };
    let (fx, fy) = (x - left, y - top);
    let corners = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
    std::array::from_fn(|channel| {
        let upper = corners[0][channel] * (1.0 - fx) + corners[1][channel] * fx;
        let lower = corners[2][channel] * (1.0 - fx) + corners[3][channel] * fx;
        upper * (1.0 - fy) + lower * fy
    })
}

/// Lays a premultiplied colour over a pixel, as SVG does.
fn blend(program: &mut Picture, x: i32, y: i32, above: [f32; 4], how: Blend) {
    let size = program.size();
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
        return;
    };
    if x >= size.width || y >= size.height {
        return;
    }
    let at = (y as usize * size.width as usize + x as usize) * 4;
    if let Some(pixel) = program.rgba_mut()[at..].first_chunk_mut::<4>() {
        let mixed = how.pixel(pixel.map(|byte| f32::from(byte) / 255.0), above);
        *pixel = mixed.map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8);
    }
}
