//! The shapes that scenes stand in. A `person-…` is only where people may be, its panel is drawn
//! around it.

use resvg::tiny_skia::{
    FillRule, Paint, Path, PathBuilder, PathSegment, Pixmap, Point, Stroke, Transform,
};
use usvg::{ClipPath, Group, Node};

use super::{Layer, Page, Panel, PixelRect, Rect};

/// How much of what people fill lies in the panel they stand in; the rest breaks out of it.
const INSIDE: f32 = 0.8;
/// A shape that is more of the page than this is its background.
const PAGE: f32 = 0.9;
/// A box has few corners; scenery has many.
const CORNERS: usize = 9;
/// A shape that fills its box to this share is a box.
const BOX: f32 = 0.97;
/// How far a border may lie beside the shape it goes around, in shares of the page's long side.
const BESIDE: f32 = 0.004;

/// The shape that a scene is drawn in.
#[derive(Clone)]
pub struct Frame {
    /// Where it is, in page units, cut at the page's edges.
    pub bounds: Rect,
    /// How far the border that is drawn around it stands out of it, in page units; 0 without one.
    pub border: f32,
    /// Its outline, in page units; `None`: its bounds.
    outline: Option<Path>,
}

impl Frame {
    /// A frame without a border.
    pub fn plain(bounds: Rect) -> Self {
        Self {
            bounds,
            border: 0.0,
            outline: None,
        }
    }

    fn new(bounds: Rect, outline: Option<Path>, border: f32) -> Self {
        // One that is a box needs no outline.
        let is_box = |outline: &Path| area_of(outline) >= BOX * bounds.area();
        Self {
            bounds,
            border,
            outline: outline.filter(|outline| !is_box(outline)),
        }
    }

    /// Whether it is a box, and so its bounds say all.
    pub fn is_box(&self) -> bool {
        self.outline.is_none()
    }

    /// Whether a point lies in it.
    pub fn holds(&self, (x, y): (f32, f32)) -> bool {
        let Rect {
            x: left,
            y: top,
            width,
            height,
        } = self.bounds;
        let is_near = (left..=left + width).contains(&x) && (top..=top + height).contains(&y);
        let Some(outline) = self.outline.as_ref().filter(|_| is_near) else {
            return is_near;
        };
        let mut turns = 0;
        each_line(outline, |from, to| {
            if (from.y <= y) != (to.y <= y) {
                let at = from.x + (y - from.y) / (to.y - from.y) * (to.x - from.x);
                if at > x {
                    turns += if to.y > from.y { 1 } else { -1 };
                }
            }
        });
        turns != 0
    }

    /// What it and the border around it cover of a window, in a program that is `scale` times as
    /// large as the page: 0 outside, 255 inside, rows packed. A box has an edge of `edge` units, of
    /// any other shape the border is all that stands out.
    pub fn coverage(&self, window: PixelRect, scale: f32, edge: f32) -> Vec<u8> {
        let pixels = window.width as usize * window.height as usize;
        let Some(mut canvas) = Pixmap::new(window.width, window.height) else {
            return vec![0; pixels];
        };
        let place = Transform::from_row(scale, 0.0, 0.0, scale, -window.x as f32, -window.y as f32);
        let mut paint = Paint::default();
        paint.set_color_rgba8(255, 255, 255, 255);
        match &self.outline {
            Some(outline) => {
                let border = Stroke {
                    width: self.border * 2.0,
                    miter_limit: 10.0,
                    ..Stroke::default()
                };
                canvas.fill_path(outline, &paint, FillRule::Winding, place, None);
                if self.border > 0.0 {
                    canvas.stroke_path(outline, &paint, &border, place, None);
                }
            }
            None => {
                let out = |low: f32| ((low - edge) * scale).round();
                let (x, y) = (out(self.bounds.x), out(self.bounds.y));
                let end = |low: f32, long: f32| ((low + long + edge) * scale).round();
                let right = end(self.bounds.x, self.bounds.width);
                let bottom = end(self.bounds.y, self.bounds.height);
                let whole = Transform::from_translate(-window.x as f32, -window.y as f32);
                if let Some(rect) = resvg::tiny_skia::Rect::from_ltrb(x, y, right, bottom) {
                    canvas.fill_rect(rect, &paint, whole, None);
                }
            }
        }
        let (covered, _) = canvas.data().as_chunks::<4>();
        covered.iter().map(|pixel| pixel[3]).collect()
    }
}

impl Page {
    /// The shape that this panel's scene is drawn in: what the art around it is clipped to, else the
    /// smallest plain shape that it stands on or in. `None`: the page itself.
    pub fn frame_of(&self, panel: &Panel) -> Option<Frame> {
        let boxes = Boxes::of(self);
        let (width, height) = self.units();
        let place = &panel.bounds;
        let holds = |frame: &&Found<'_>| {
            frame.bounds.common(place).area() >= INSIDE * place.area()
                && frame.bounds.area() < PAGE * width * height
        };
        let smallest = |found: &[Found<'_>]| {
            let holding = found.iter().filter(holds);
            let smallest = holding.min_by(|a, b| a.bounds.area().total_cmp(&b.bounds.area()))?;
            Some(boxes.framed(self, smallest.bounds, smallest.path()))
        };
        smallest(&boxes.clips).or_else(|| smallest(&boxes.shapes))
    }

    /// The panel's own shape.
    pub fn shape_of(&self, panel: &Panel) -> Frame {
        let outline = panel.shape.as_ref().and_then(|tree| {
            let mut whole = PathBuilder::new();
            let identity = Transform::identity();
            (is_plain(tree.root()) && push_all(&mut whole, tree.root(), identity))
                .then(|| whole.finish())
                .flatten()
        });
        Boxes::of(self).framed(self, panel.bounds, outline)
    }
}

/// Boxes in a page's art.
#[derive(Default)]
struct Boxes<'a> {
    /// What groups are clipped to.
    clips: Vec<Found<'a>>,
    /// Plain shapes with a fill or an outline.
    shapes: Vec<Found<'a>>,
    /// Where outlines are drawn, and how far they stand out.
    borders: Vec<(Rect, f32)>,
}

/// A shape in a page's art.
struct Found<'a> {
    bounds: Rect,
    shape: FoundShape<'a>,
}

enum FoundShape<'a> {
    Clip(&'a ClipPath, Transform),
    Path(&'a usvg::Path),
}

impl Found<'_> {
    /// Its outline, in page units.
    fn path(&self) -> Option<Path> {
        match &self.shape {
            FoundShape::Path(path) => path.data().clone().transform(path.abs_transform()),
            FoundShape::Clip(clip, to_page) => {
                let mut whole = PathBuilder::new();
                let is_plain = clip.clip_path().is_none();
                (is_plain && push_all(&mut whole, clip.root(), *to_page))
                    .then(|| whole.finish())
                    .flatten()
            }
        }
    }
}

impl<'a> Boxes<'a> {
    /// The most of each.
    const MOST: usize = 4096;

    fn of(page: &'a Page) -> Self {
        let mut boxes = Self::default();
        for layer in page.layers() {
            if let Layer::Art(art) = layer {
                boxes.gather(art.tree.root(), None);
            }
        }
        boxes
    }

    /// A shape with the border that is drawn around it.
    fn framed(&self, page: &Page, bounds: Rect, outline: Option<Path>) -> Frame {
        let (width, height) = page.units();
        let whole = Rect {
            x: 0.0,
            y: 0.0,
            width,
            height,
        };
        let beside = BESIDE * width.max(height);
        let is_near = |a: f32, b: f32| (a - b).abs() <= beside;
        let goes_around = |border: &Rect| {
            is_near(border.x, bounds.x)
                && is_near(border.y, bounds.y)
                && is_near(border.x + border.width, bounds.x + bounds.width)
                && is_near(border.y + border.height, bounds.y + bounds.height)
        };
        let borders = self.borders.iter();
        let border = borders
            .filter(|(border, _)| goes_around(border))
            .map(|(_, out)| *out)
            .fold(0.0, f32::max);
        Frame::new(bounds.common(&whole), outline, border)
    }

    fn gather(&mut self, group: &'a Group, around: Option<Rect>) {
        let own = group.clip_path().and_then(|clip| {
            let shape = clip.root().abs_bounding_box();
            // The clip's own transform, then that of what it clips.
            let to_page = group.abs_transform().pre_concat(clip.transform());
            Some((clip, to_page, of(shape, to_page)?))
        });
        let clip = match (&own, around) {
            (Some((_, _, own)), Some(around)) => Some(own.common(&around)),
            (Some((_, _, own)), None) => Some(*own),
            (None, around) => around,
        };
        if let (Some((shape, to_page, _)), Some(bounds)) = (own, clip)
            && self.clips.len() < Self::MOST
        {
            let shape = FoundShape::Clip(shape, to_page);
            self.clips.push(Found { bounds, shape });
        }
        for node in group.children() {
            match node {
                Node::Group(inner) => self.gather(inner, clip),
                Node::Path(path) if path.data().len() <= CORNERS => self.take(path, clip.is_some()),
                _ => {}
            }
        }
    }

    fn take(&mut self, path: &'a usvg::Path, is_clipped: bool) {
        let Some(bounds) = of(path.abs_bounding_box(), Transform::identity()) else {
            return;
        };
        if let Some(stroke) = path.stroke().filter(|_| !is_clipped)
            && self.borders.len() < Self::MOST
        {
            let (across, down) = path.abs_transform().get_scale();
            let out = stroke.width().get() * across.max(down) / 2.0;
            self.borders.push((bounds, out));
        }
        if self.shapes.len() < Self::MOST {
            let shape = FoundShape::Path(path);
            self.shapes.push(Found { bounds, shape });
        }
    }
}

/// Whether paths say all about what a group covers.
fn is_plain(group: &Group) -> bool {
    group.clip_path().is_none()
        && group.mask().is_none()
        && group.filters().is_empty()
        && group.children().iter().all(|node| match node {
            Node::Group(inner) => is_plain(inner),
            Node::Path(_) => true,
            _ => false,
        })
}

/// Adds all paths of a group, `false` when that is impossible.
fn push_all(whole: &mut PathBuilder, group: &Group, to_page: Transform) -> bool {
    group.children().iter().all(|node| match node {
        Node::Group(inner) => push_all(whole, inner, to_page),
        Node::Path(path) => {
            let placed = path
                .data()
                .clone()
                .transform(to_page.pre_concat(path.abs_transform()));
            if let Some(path) = &placed {
                whole.push_path(path);
            }
            placed.is_some()
        }
        _ => false,
    })
}

/// What an outline goes around.
fn area_of(outline: &Path) -> f32 {
    let mut twice = 0.0;
    each_line(outline, |from, to| twice += from.x * to.y - to.x * from.y);
    (twice / 2.0).abs()
}

/// The outline in straight lines; what is open is closed.
fn each_line(outline: &Path, mut line: impl FnMut(Point, Point)) {
    /// Lines of a curve.
    const PARTS: u16 = 8;
    let (mut first, mut last) = (Point::zero(), Point::zero());
    let parts = |curve: &dyn Fn(f32, f32) -> Point| -> Vec<Point> {
        let at = |part| f32::from(part) / f32::from(PARTS);
        (1..=PARTS)
            .map(|part| curve(at(part), 1.0 - at(part)))
            .collect()
    };
    for segment in outline.segments() {
        let points = match segment {
            PathSegment::MoveTo(to) => {
                line(last, first);
                (first, last) = (to, to);
                continue;
            }
            PathSegment::LineTo(to) => vec![to],
            PathSegment::QuadTo(a, to) => {
                let from = last;
                parts(&|t, r| {
                    let at = |from, a, to| r * r * from + 2.0 * r * t * a + t * t * to;
                    Point::from_xy(at(from.x, a.x, to.x), at(from.y, a.y, to.y))
                })
            }
            PathSegment::CubicTo(a, b, to) => {
                let from = last;
                parts(&|t, r| {
                    let at = |from, a, b, to| {
                        r * r * r * from
                            + 3.0 * r * r * t * a
                            + 3.0 * r * t * t * b
                            + t * t * t * to
                    };
                    Point::from_xy(at(from.x, a.x, b.x, to.x), at(from.y, a.y, b.y, to.y))
                })
            }
            PathSegment::Close => vec![first],
        };
        for to in points {
            line(last, to);
            last = to;
        }
    }
    line(last, first);
}

fn of(bounds: usvg::Rect, to_page: Transform) -> Option<Rect> {
    Some(bounds.transform(to_page)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::Fonts;

    #[test]
    fn people_stand_in_what_their_scene_is_clipped_to_or_drawn_on() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 600">
            <clipPath id="c" transform="translate(10 0)"><rect x="10" y="20" width="360" height="260"/></clipPath>
            <clipPath id="floor"><rect x="-900" y="120" width="2000" height="900"/></clipPath>
            <rect width="400" height="600" fill="#fff"/>
            <g clip-path="url(#c)"><rect width="900" height="900" fill="#9cf"/>
            <g clip-path="url(#floor)"><rect width="900" height="900" fill="#863"/></g></g>
            <rect x="20" y="300" width="360" height="140" fill="#ccc"/>
            <path id="person-clipped" d="M40 60h300v220h-300z"/>
            <path id="person-drawn" d="M40 290h100v150h-100z"/>
            <path id="person-free" d="M40 450h300v150h-300z"/>
        </svg>"##;
        let page = Page::parse(svg.as_bytes(), "frames", &Fonts::embedded()).unwrap();
        let bounds = |panel| page.frame_of(panel).map(|frame| frame.bounds);
        let frames: Vec<Option<Rect>> = page.panels().map(bounds).collect();
        let rect = |x, y, width, height| {
            Some(Rect {
                x,
                y,
                width,
                height,
            })
        };
        assert_eq!(
            frames,
            [
                rect(20.0, 20.0, 360.0, 260.0),
                rect(20.0, 300.0, 360.0, 140.0),
                None
            ]
        );
    }

    #[test]
    fn a_slanted_shape_covers_itself_and_its_border_alone() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 600">
            <path id="live-a" d="M20 20h360v100l-360 80z"/>
            <path fill="none" stroke="#000" stroke-width="8" d="M20 20h360v100l-360 80z"/>
            <rect id="live-b" x="20" y="300" width="360" height="200" rx="6"/>
            <path d="M20 510h360v60h-360z" clip-path="circle(9)"/>
        </svg>"##;
        let page = Page::parse(svg.as_bytes(), "frames", &Fonts::embedded()).unwrap();
        let frames: Vec<Frame> = page.panels().map(|panel| page.shape_of(panel)).collect();
        assert!(!frames[0].is_box() && frames[1].is_box());
        assert_eq!((frames[0].border, frames[1].border), (4.0, 0.0));
        assert!(frames[0].holds((30.0, 190.0)) && !frames[0].holds((370.0, 190.0)));
        assert!(frames[1].holds((370.0, 490.0)) && !frames[1].holds((370.0, 510.0)));
        // Half the page's size, from its upper left corner.
        let covers = |frame: &Frame, x: usize, y: usize| {
            let window = PixelRect::new(0, 0, 200, 300);
            frame.coverage(window, 0.5, 10.0)[y * 200 + x]
        };
        for (x, y, inside) in [(10, 60, 255), (9, 98, 255), (188, 80, 0), (7, 60, 0)] {
            assert_eq!(covers(&frames[0], x, y), inside, "{x} {y}");
        }
        for (x, y, inside) in [(5, 145, 255), (4, 145, 0), (194, 254, 255), (195, 255, 0)] {
            assert_eq!(covers(&frames[1], x, y), inside, "{x} {y}");
        }
    }
}
