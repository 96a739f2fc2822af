//! What lies on a page, layer by layer.

use std::sync::Arc;

use super::{Blend, Crop, Data, EffectKind, Motion, PanelKind};

/// One layer of a page, the lowest first.
#[derive(Clone)]
pub enum Layer {
    /// Pictures that do not change.
    Art(Art),
    /// A region that shows a picture.
    Panel(Panel),
    /// Words that can be changed.
    Text(Lettering),
    /// A bubble that follows a face.
    Bubble(Lettering),
    /// Drawn lettering that moves; its words are art.
    Sound(Lettering),
    /// An animated effect.
    Effect(Effect),
}

/// A layer of art.
#[derive(Clone)]
pub struct Art {
    /// How it is mixed with what is below it.
    pub blend: Blend,
    pub(super) tree: Arc<usvg::Tree>,
}

/// A region of a page that shows a picture.
#[derive(Clone)]
pub struct Panel {
    /// The object's name as the artist wrote it.
    pub id: String,
    /// What fills it.
    pub kind: PanelKind,
    /// How much of the picture it shows.
    pub crop: Crop,
    /// Panels of equal names share one picture; what follows the kind in the id.
    pub name: String,
    /// Where it is, in page units, cut at the page's edges.
    pub bounds: Rect,
    /// What else the artist wrote on it.
    pub data: Data,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// Its shape; `None`: all of the page.
    pub(super) shape: Option<Arc<usvg::Tree>>,
}

/// Words that can be changed, a bubble with the words in it, or a drawn sound.
#[derive(Clone)]
pub struct Lettering {
    /// The object's name as the artist wrote it.
    pub id: String,
    /// What follows `text-`, `bubble-` or `sound-` in it.
    pub name: String,
    /// Where it is, in page units, cut at the page's edges.
    pub bounds: Rect,
    /// What else the artist wrote on it.
    pub data: Data,
    /// Its words, as drawn.
    pub texts: Vec<Written>,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// An SVG as large as the page, with this object alone in it, as the artist drew it and where.
    pub svg: Arc<str>,
    /// The same, parsed.
    pub(super) tree: Arc<usvg::Tree>,
}

impl Lettering {
    /// How it moves by itself.
    pub fn motion(&self) -> Option<Motion> {
        self.data.get("animate").and_then(Motion::named)
    }

    /// What the artist wrote, a text a line.
    pub fn own(&self) -> String {
        let mut own: Vec<&str> = self.texts.iter().map(|text| text.text.as_str()).collect();
        // A halo and its text say the same twice.
        own.dedup();
        own.join("\n")
    }
}

/// The words of one `<text>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What follows `text-` in its own name; a text inside a bubble may have one.
    pub name: Option<String>,
    /// The words, a line a line.
    pub text: String,
}

/// An animated effect.
#[derive(Clone)]
pub struct Effect {
    /// The object's name as the artist wrote it.
    pub id: String,
    /// Which one.
    pub kind: EffectKind,
    /// What follows the kind in the id.
    pub name: String,
    /// Where it is, in page units, cut at the page's edges.
    pub bounds: Rect,
    /// What else the artist wrote on it.
    pub data: Data,
    /// How it is mixed with what is below it; `Normal` leaves that to the effect.
    pub blend: Blend,
    /// Its shape.
    pub(super) shape: Arc<usvg::Tree>,
}

/// A rectangle in page units.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl From<usvg::Rect> for Rect {
    fn from(bounds: usvg::Rect) -> Self {
        Self {
            x: bounds.x(),
            y: bounds.y(),
            width: bounds.width(),
            height: bounds.height(),
        }
    }
}

impl Rect {
    /// Its area.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// What it and another have in common; without area where they do not touch.
    pub fn common(&self, other: &Self) -> Self {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = (self.x + self.width).min(other.x + other.width);
        let bottom = (self.y + self.height).min(other.y + other.height);
        Self {
            x,
            y,
            width: (right - x).max(0.0),
            height: (bottom - y).max(0.0),
        }
    }

    /// The smallest rectangle around both.
    pub fn around(&self, other: &Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }

    /// The rectangle with an edge around it.
    pub fn grown(&self, edge: f32) -> Self {
        Self {
            x: self.x - edge,
            y: self.y - edge,
            width: self.width + 2.0 * edge,
            height: self.height + 2.0 * edge,
        }
    }

    /// Whether it and another have a point in common.
    pub fn touches(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// An object as a shape.
pub(super) struct Shape;

impl Shape {
    /// Where what `tree` draws is on a page of that size; `None` when nothing of it is. A filter adds
    /// nothing: some programs write one as large as the page.
    pub fn bounds(tree: &usvg::Tree, page: (f32, f32)) -> Option<Rect> {
        let bounds = tree.root().abs_stroke_bounding_box();
        let (left, top) = (bounds.left().max(0.0), bounds.top().max(0.0));
        let (right, bottom) = (bounds.right().min(page.0), bounds.bottom().min(page.1));
        let is_there = touches(tree.root(), page) && right > left && bottom > top;
        is_there.then_some(Rect {
            x: left,
            y: top,
            width: right - left,
            height: bottom - top,
        })
    }
}

/// Whether anything in a group but groups is on the page: an empty group, and one too far away for
/// its numbers, claims to be a unit large.
fn touches(group: &usvg::Group, page: (f32, f32)) -> bool {
    group.children().iter().any(|node| {
        if let usvg::Node::Group(inner) = node {
            return touches(inner, page);
        }
        let bounds = node.abs_stroke_bounding_box();
        bounds.left() < page.0
            && bounds.top() < page.1
            && bounds.right() > 0.0
            && bounds.bottom() > 0.0
    })
}
