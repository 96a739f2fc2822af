//! Which layer an SVG is written for, and how objects appear in it.

use super::write::Style;

/// Which layer an SVG is written for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// Art before the cut of this number, after the one before it.
    Art(usize),
    /// The cut itself.
    Cut(usize),
    /// What is not alive in the group of this number.
    Group(usize),
}

/// How an object appears in a layer.
pub(super) enum Role {
    /// With all that is in it.
    Whole(Style),
    /// As the group around others.
    Around,
}
