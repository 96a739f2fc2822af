//! Shapes as an artist drew them, with their fill and stroke.

use resvg::tiny_skia::{self, FillRule, LineJoin, Path, Pixmap, Stroke, Transform};
use usvg::Paint as Fill;

/// A shape in page units.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Its outline.
    pub path: Path,
    /// What it looks like.
    pub look: Look,
}

/// Fill and stroke.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    fill: Option<[u8; 4]>,
    stroke: Option<([u8; 4], f32, LineJoin)>,
    stroke_first: bool,
}

impl Drawn {
    /// A path of a page; `None` when it cannot be drawn.
    pub fn of(path: &usvg::Path) -> Option<Self> {
        let to_page = path.abs_transform();
        let order = path.paint_order();
        Some(Self {
            path: path.data().clone().transform(to_page)?,
            look: Look::of(path.fill(), path.stroke(), order, scale_of(to_page)),
        })
    }
}

impl Look {
    /// Of an object that is `scale` times as large on the page.
    pub fn of(
        fill: Option<&usvg::Fill>,
        stroke: Option<&usvg::Stroke>,
        order: usvg::PaintOrder,
        scale: f32,
    ) -> Self {
        Self {
            fill: fill.map(|fill| colour(fill.paint(), fill.opacity().get())),
            stroke: stroke.map(|stroke| {
                let join = match stroke.linejoin() {
                    usvg::LineJoin::Round => LineJoin::Round,
                    usvg::LineJoin::Bevel => LineJoin::Bevel,
                    usvg::LineJoin::Miter | usvg::LineJoin::MiterClip => LineJoin::Miter,
                };
                let ink = colour(stroke.paint(), stroke.opacity().get());
                (ink, stroke.width().get() * scale, join)
            }),
            stroke_first: order == usvg::PaintOrder::StrokeAndFill,
        }
    }

    /// With a stroke `by` times as wide.
    pub fn scaled(self, by: f32) -> Self {
        Self {
            stroke: self
                .stroke
                .map(|(ink, width, join)| (ink, width * by, join)),
            ..self
        }
    }

    /// Of the stroke; 0 without one.
    pub fn width(&self) -> f32 {
        self.stroke.map_or(0.0, |(_, width, _)| width)
    }

    /// Less opaque.
    pub fn faded(self, opacity: f32) -> Self {
        let fade = |[r, g, b, a]: [u8; 4]| [r, g, b, (f32::from(a) * opacity) as u8];
        Self {
            fill: self.fill.map(fade),
            stroke: self
                .stroke
                .map(|(ink, width, join)| (fade(ink), width, join)),
            ..self
        }
    }

    /// Draws a path; `bold` makes it that much heavier.
    pub fn draw(&self, pixmap: &mut Pixmap, path: &Path, bold: f32, place: Transform) {
        let fill = |pixmap: &mut Pixmap| {
            if let Some(ink) = self.fill {
                let paint = painted(ink);
                pixmap.fill_path(path, &paint, FillRule::Winding, place, None);
                if bold > 0.0 {
                    let stroke = Stroke {
                        width: bold,
                        line_join: LineJoin::Round,
                        ..Stroke::default()
                    };
                    pixmap.stroke_path(path, &paint, &stroke, place, None);
                }
            }
        };
        let stroke = |pixmap: &mut Pixmap| {
            if let Some((ink, width, line_join)) = self.stroke {
                let stroke = Stroke {
                    width: width + bold,
                    line_join,
                    ..Stroke::default()
                };
                pixmap.stroke_path(path, &painted(ink), &stroke, place, None);
            }
        };
        if self.stroke_first {
            stroke(pixmap);
            fill(pixmap);
        } else {
            fill(pixmap);
            stroke(pixmap);
        }
    }
}

fn painted(colour: [u8; 4]) -> tiny_skia::Paint<'static> {
    let mut paint = tiny_skia::Paint::default();
    paint.set_color_rgba8(colour[0], colour[1], colour[2], colour[3]);
    paint
}

/// How much a transform enlarges.
pub(super) fn scale_of(transform: usvg::Transform) -> f32 {
    let area = (transform.sx * transform.sy - transform.kx * transform.ky).abs();
    if area.is_finite() && area > 0.0 {
        area.sqrt()
    } else {
        1.0
    }
}

/// A paint's colour; a gradient's first.
pub(super) fn colour(paint: &Fill, opacity: f32) -> [u8; 4] {
    let (colour, own) = match paint {
        Fill::Color(colour) => (*colour, 1.0),
        Fill::LinearGradient(gradient) => first_stop(gradient.stops()),
        Fill::RadialGradient(gradient) => first_stop(gradient.stops()),
        Fill::Pattern(_) => (usvg::Color::white(), 1.0),
    };
    let alpha = (opacity * own * 255.0).round() as u8;
    [colour.red, colour.green, colour.blue, alpha]
}

fn first_stop(stops: &[usvg::Stop]) -> (usvg::Color, f32) {
    stops.first().map_or((usvg::Color::white(), 1.0), |stop| {
        (stop.color(), stop.opacity().get())
    })
}
