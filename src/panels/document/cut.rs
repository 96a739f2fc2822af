//! Where a document is cut into layers.

use usvg::roxmltree::Node;

use crate::panels::Blend;
use crate::panels::names::{Alive, AliveName};

/// Objects that are a layer of their own.
pub(super) struct Cut<'a, 'i> {
    pub nodes: Vec<Node<'a, 'i>>,
    /// `None`: art that is mixed in a way of its own with something alive below it.
    pub alive: Option<(String, AliveName)>,
    pub blend: Blend,
}

impl Cut<'_, '_> {
    pub fn is_panel(&self) -> bool {
        self.alive
            .as_ref()
            .is_some_and(|(_, name)| matches!(name.alive, Alive::Panel(_)))
    }

    /// Whether only its shape counts: something else fills it.
    pub fn is_shape(&self) -> bool {
        self.alive
            .as_ref()
            .is_some_and(|(_, name)| matches!(name.alive, Alive::Panel(_) | Alive::Effect(_)))
    }
}
