//! The pieces of a page's art: what is drawn as a whole and may be left out alone, like a burst, a
//! badge or a drawn sound.

use std::collections::BTreeSet;

use resvg::tiny_skia::{Pixmap, Transform};
use usvg::{Group, Node};

use super::{Blend, Layer, Page, Rect};

/// A piece, by the number of its layer and its own number in it.
pub type Piece = (usize, usize);

/// The most pieces of a layer that has any.
const MOST: usize = 2048;
/// A group that is more of the page than this is taken apart.
const SMALL: f32 = 0.08;

impl Page {
    /// The pieces of the page's art, the lowest first, and where they are, in page units. A layer
    /// of very many, or one that is mixed in a way of its own, has none: it goes as a whole.
    pub fn pieces(&self) -> Vec<(Piece, Rect)> {
        let mut pieces = Vec::new();
        for (layer, art) in self.layers().iter().enumerate() {
            let Layer::Art(art) = art else { continue };
            if art.blend != Blend::Normal {
                continue;
            }
            let known = pieces.len();
            let mut number = 0;
            let root = art.tree.root();
            each(root, self.small(), &mut |_, _, bounds| {
                if number < MOST {
                    pieces.push(((layer, number), bounds));
                }
                number += 1;
                number <= MOST
            });
            if number > MOST {
                pieces.truncate(known);
            }
        }
        pieces
    }

    /// Draws a layer's art without some of its pieces.
    pub(super) fn draw_pieces(
        &self,
        (layer, tree): (usize, &usvg::Tree),
        hidden: &BTreeSet<Piece>,
        canvas: &mut Pixmap,
        transform: Transform,
    ) {
        let mut number = 0;
        each(tree.root(), self.small(), &mut |parent, node, bounds| {
            if !hidden.contains(&(layer, number)) {
                // The renderer draws a node at the canvas's corner.
                let place = transform
                    .pre_concat(parent.abs_transform())
                    .pre_translate(bounds.x, bounds.y);
                resvg::render_node(node, place, &mut canvas.as_mut());
            }
            number += 1;
            true
        });
    }

    /// The area of the largest group that is one piece.
    fn small(&self) -> f32 {
        let (width, height) = self.units();
        SMALL * width * height
    }
}

/// Gives every piece with the group it is in, until `take` wants no more.
fn each<'a>(
    group: &'a Group,
    small: f32,
    take: &mut dyn FnMut(&'a Group, &'a Node, Rect) -> bool,
) -> bool {
    group.children().iter().all(|node| {
        let Some(bounds) = node.abs_layer_bounding_box() else {
            return true;
        };
        let bounds = Rect::from(bounds.to_rect());
        match node {
            Node::Group(inner) if !inner.should_isolate() && bounds.area() > small => {
                each(inner, small, take)
            }
            _ => take(group, node, bounds),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;
    use crate::panels::{ArtworkLayer, Fonts};

    /// What is drawn piece by piece is where it is when it is drawn at once; what is hidden is not.
    #[test]
    fn pieces_are_drawn_where_they_are() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="10 20 400 300">
            <rect id="live" x="10" y="20" width="40" height="40"/>
            <g transform="translate(30 10) rotate(8)"><g transform="scale(1.5)">
            <rect x="40" y="40" width="120" height="80" fill="#f00"/></g>
            <g opacity="0.5"><circle cx="200" cy="90" r="40" fill="#00f"/></g></g></svg>"##;
        let page = Page::parse(svg.as_bytes(), "pieces", &Fonts::embedded()).unwrap();
        let pieces = page.pieces();
        // The first is the line around the panel, which has none.
        let [_, (block, _), (disc, _)] = pieces[..] else {
            panic!("{pieces:?}");
        };
        let drawn = |page: &Page| {
            let layers = page.rasterise(Size::new(400, 300)).unwrap().layers;
            layers.into_iter().find_map(|layer| match layer {
                ArtworkLayer::Art(art) => Some(art),
                _ => None,
            })
        };
        let whole = drawn(&page).unwrap();
        // A piece that is not there makes it go piece by piece.
        let apart = drawn(&page.hiding([], [(1, 9)])).unwrap();
        assert_eq!(whole.rect, apart.rect);
        let pairs = whole.rgba.iter().zip(&apart.rgba);
        assert!(pairs.map(|(a, b)| a.abs_diff(*b)).max() <= Some(2));
        let red = drawn(&page.hiding([], [disc])).unwrap();
        assert!(
            red.rgba
                .as_chunks::<4>()
                .0
                .iter()
                .all(|pixel| pixel[2] == 0)
        );
        assert!(drawn(&page.hiding([], [block, disc])).is_none());
    }
}
