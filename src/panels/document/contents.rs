//! What is in the objects of a document, sorted by the layers it may be in.

use std::collections::HashMap;

use usvg::roxmltree::{Node, NodeId};

use super::Layer;

/// What a layer refers to, by what that is in.
pub(super) type Needed<'a, 'i> = HashMap<NodeId, Vec<Node<'a, 'i>>>;

/// An object, and the numbers of the first and the last layer it may be in.
pub(super) type Drawn<'a, 'i> = (Node<'a, 'i>, usize, usize);

/// What is in an object.
#[derive(Default)]
pub(super) struct Contents<'a, 'i> {
    /// What layers draw, in document order.
    pub drawn: Vec<Drawn<'a, 'i>>,
    /// Style sheets and definitions: every layer has them.
    pub defining: Vec<Node<'a, 'i>>,
}

impl<'a, 'i> Contents<'a, 'i> {
    /// Makes the numbers of what is drawn go up, so that they can be searched.
    pub fn sort(&mut self) {
        let mut least = usize::MAX;
        for (_, first, _) in self.drawn.iter_mut().rev() {
            least = least.min(*first);
            *first = least;
        }
        let mut most = 0;
        for (_, _, last) in &mut self.drawn {
            most = most.max(*last);
            *last = most;
        }
    }

    /// What may be in a layer.
    pub fn of(&self, layer: Layer) -> &[Drawn<'a, 'i>] {
        let (Layer::Art(number) | Layer::Cut(number)) = layer else {
            return &self.drawn;
        };
        let from = self.drawn.partition_point(|(_, _, last)| *last < number);
        let to = self.drawn.partition_point(|(_, first, _)| *first <= number);
        self.drawn.get(from..to).unwrap_or_default()
    }
}
