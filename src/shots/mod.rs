//! Shots: frames frozen into the panels of a page, one after the other.
//!
//! [`Desk`] is where they are asked for and where they lie; the compositor's thread takes them.
//! [`Sequence`] knows whose turn it is, from the time it is given.

mod desk;
mod ring;
mod sequence;

pub use desk::{Desk, Finished, Live, Order, Taken, View};
pub use ring::Ring;
pub(crate) use ring::small;
pub use sequence::{Event, Pace, Sequence};

use std::sync::Arc;

use crate::frame::{Picture, Pooled};
use crate::panels::Seen;

/// The most shots of a page.
pub const MOST: usize = 9;

/// A frame frozen into a panel: all of its drawing, not only what the panel shows, so that it can
/// be drawn again for a print.
#[derive(Clone, Debug)]
pub struct Shot {
    /// RGB is the drawing, alpha the matte.
    pub drawing: Arc<Pooled<Picture>>,
    /// Who is in it and what is kept in view.
    pub seen: Seen,
    /// Drawings of the second before it, the oldest first, small.
    pub second: Vec<Arc<Picture>>,
}
