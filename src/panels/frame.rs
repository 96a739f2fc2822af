//! The panels that people stand in: a `person-…` is only where people may be, its panel is drawn
//! around it.

use resvg::tiny_skia::Transform;
use usvg::{Group, Node};

use super::{Layer, Page, Panel, Rect};

/// How much of what people fill lies in the panel they stand in; the rest breaks out of it.
const INSIDE: f32 = 0.8;
/// A shape that is more of the page than this is its background.
const PAGE: f32 = 0.9;
/// A box has few corners; scenery has many.
const CORNERS: usize = 9;

impl Page {
    /// The box that this panel's scene is drawn in: what the art around it is clipped to, else the
    /// smallest plain shape that it stands on or in. `None`: the page itself.
    pub fn frame_of(&self, panel: &Panel) -> Option<Rect> {
        let mut boxes = Boxes::default();
        for layer in self.layers() {
            if let Layer::Art(art) = layer {
                boxes.gather(art.tree.root(), None);
            }
        }
        let (width, height) = self.units();
        let place = &panel.bounds;
        let holds = |frame: &&Rect| {
            frame.common(place).area() >= INSIDE * place.area()
                && frame.area() < PAGE * width * height
        };
        let smallest = |boxes: &[Rect]| {
            let holding = boxes.iter().filter(holds);
            holding
                .min_by(|a, b| a.area().total_cmp(&b.area()))
                .copied()
        };
        smallest(&boxes.clips).or_else(|| smallest(&boxes.shapes))
    }
}

/// Boxes in a page's art.
#[derive(Default)]
struct Boxes {
    /// What groups are clipped to.
    clips: Vec<Rect>,
    /// Plain shapes with a fill or an outline.
    shapes: Vec<Rect>,
}

impl Boxes {
    /// The most of each.
    const MOST: usize = 4096;

    fn gather(&mut self, group: &Group, around: Option<Rect>) {
        let clip = group.clip_path().and_then(|clip| {
            let shape = clip.root().abs_bounding_box();
            // The clip's own transform, then that of what it clips.
            let to_page = group.abs_transform().pre_concat(clip.transform());
            of(shape, to_page)
        });
        let clip = match (clip, around) {
            (Some(own), Some(around)) => Some(own.common(&around)),
            (own, around) => own.or(around),
        };
        if let Some(clip) = clip
            && group.clip_path().is_some()
            && self.clips.len() < Self::MOST
        {
            self.clips.push(clip);
        }
        for node in group.children() {
            match node {
                Node::Group(inner) => self.gather(inner, clip),
                Node::Path(path)
                    if path.data().len() <= CORNERS && self.shapes.len() < Self::MOST =>
                {
                    self.shapes
                        .extend(of(path.abs_bounding_box(), Transform::identity()));
                }
                _ => {}
            }
        }
    }
}

fn of(bounds: usvg::Rect, to_page: Transform) -> Option<Rect> {
    let bounds = bounds.transform(to_page)?;
    Some(Rect {
        x: bounds.x(),
        y: bounds.y(),
        width: bounds.width(),
        height: bounds.height(),
    })
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
        let frames: Vec<Option<Rect>> = page.panels().map(|panel| page.frame_of(panel)).collect();
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
}
