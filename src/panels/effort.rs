//! How long a page takes to draw, guessed before it is drawn.

use resvg::tiny_skia::{PathSegment, Point, Rect};
use usvg::{Group, Node, Path, Tree};

/// The work of drawing a page at its own size, in pixels of outline: a third of a microsecond each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    spent: f32,
    /// From page units to pixels.
    scale: f32,
    page: Rect,
}

/// The most that is drawn: some 15 seconds. The pages that ship take less than a tenth of it.
const MOST: f32 = 40e6;
/// Pixels that are filled in the time of one of an outline.
const FILLED: f32 = 32.0;
/// Pixels of a group that is drawn apart and laid on, and of one with a filter, in that time.
const APART: f32 = 16.0;
const FILTERED: f32 = 8.0;
/// What a line costs at least, and a dash.
const LEAST: f32 = 0.5;
const DASH: f32 = 8.0;

impl Effort {
    /// Of a page of that many units, drawn so many pixels large for each.
    pub fn new((width, height): (f32, f32), scale: f32) -> Option<Self> {
        let page = Rect::from_xywh(0.0, 0.0, width, height)?;
        Some(Self {
            spent: 0.0,
            scale,
            page,
        })
    }

    /// Adds a layer.
    pub fn add(&mut self, tree: &Tree) {
        self.group(tree.root());
    }

    /// Whether it is more than a page may take.
    pub fn is_too_much(&self) -> bool {
        self.spent > MOST
    }

    fn group(&mut self, group: &Group) {
        if group.should_isolate() {
            let pixels = self.pixels(group.abs_layer_bounding_box().to_rect());
            self.spent += pixels / APART;
            self.spent += pixels / FILTERED * group.filters().len() as f32;
        }
        for node in group.children() {
            // Also what takes long to look at is looked at no longer than this.
            if self.is_too_much() {
                return;
            }
            self.spent += 1.0;
            match node {
                Node::Group(inner) => self.group(inner),
                Node::Path(path) => self.path(path),
                Node::Image(_) => {
                    self.spent += self.pixels(node.abs_bounding_box()) / APART;
                }
                Node::Text(text) => self.group(text.flattened()),
            }
            node.subroots(|root| self.group(root));
        }
    }

    fn path(&mut self, path: &Path) {
        let bounds = path.abs_stroke_bounding_box();
        if !path.is_visible() || self.seen(bounds).is_none() {
            return;
        }
        if path.fill().is_some() {
            self.spent += self.pixels(path.abs_bounding_box()) / FILLED + self.outline(path);
        }
        if let Some(stroke) = path.stroke() {
            let long = self.outline(path);
            let transform = path.abs_transform();
            let (across, along) = transform.get_scale();
            let by = across.max(along).max(1e-6);
            let wide = stroke.width().get() * by * self.scale;
            self.spent += 2.0 * long + long * wide / FILLED;
            let dashes = stroke.dasharray().map(|dashes| dashes.iter().sum::<f32>());
            if let Some(dash) = dashes.filter(|dash| *dash > 0.0) {
                self.spent += DASH * long / (dash * by * self.scale).max(1e-3);
            }
        }
    }

    /// How long a path is on the page, in pixels, up and down and to the side.
    fn outline(&self, path: &Path) -> f32 {
        let transform = path.abs_transform();
        let on_page = |mut point: Point| {
            transform.map_point(&mut point);
            let x = point.x.clamp(self.page.left(), self.page.right());
            (x, point.y.clamp(self.page.top(), self.page.bottom()))
        };
        let (mut long, mut first, mut last) = (0.0, (0.0, 0.0), (0.0, 0.0));
        for segment in path.data().segments() {
            let mut to = |point: Point| {
                let next = on_page(point);
                long += (next.0 - last.0).abs() + (next.1 - last.1).abs() + LEAST / self.scale;
                last = next;
            };
            match segment {
                PathSegment::MoveTo(point) => {
                    first = on_page(point);
                    last = first;
                }
                PathSegment::LineTo(point) => to(point),
                PathSegment::QuadTo(a, b) => [a, b].map(to).into_iter().collect(),
                PathSegment::CubicTo(a, b, c) => [a, b, c].map(to).into_iter().collect(),
                PathSegment::Close => {
                    long += (first.0 - last.0).abs() + (first.1 - last.1).abs();
                    last = first;
                }
            }
        }
        long * self.scale
    }

    /// The part of a box that is on the page.
    fn seen(&self, bounds: Rect) -> Option<Rect> {
        let across = bounds.right().min(self.page.right()) - bounds.left().max(0.0);
        let down = bounds.bottom().min(self.page.bottom()) - bounds.top().max(0.0);
        // A line without width has none.
        (across >= 0.0 && down >= 0.0).then(|| Rect::from_xywh(0.0, 0.0, across, down))?
    }

    fn pixels(&self, bounds: Rect) -> f32 {
        let seen = self.seen(bounds);
        seen.map_or(0.0, |seen| seen.width() * seen.height()) * self.scale * self.scale
    }
}
