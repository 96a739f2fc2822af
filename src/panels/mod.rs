//! Comic pages: an SVG an artist drew becomes layers that the compositor can show.
//!
//! Pure: no clock, no GPU, no threads; size is an argument.
//!
//! # The language of pages
//!
//! A page is one SVG file from Inkscape, Illustrator or Figma. The page is as large as the
//! document; `<title>` is its name. Object names say what is alive:
//!
//! | name | becomes |
//! | --- | --- |
//! | `live`, `live-…` | the shape, filled by the drawn live picture |
//! | `raw`, `raw-…` | the shape, filled by the camera picture as it is |
//! | `person`, `person-…` | the people only, cut out by the matte, inside the shape |
//! | `shot-1` … `shot-9` | the shape, filled by that shot; until it is taken, live and dimmed |
//! | `text-NAME` | words that can be changed |
//! | `bubble`, `bubble-NAME` | a bubble that follows a face |
//! | `sound`, `sound-NAME` | drawn lettering that moves, where `data-animate` says how |
//! | `fx-KIND`, `fx-KIND-…` | an animated effect inside the shape: [`EffectKind`] |
//!
//! Everything else is art and is drawn in document order, beneath and above what is alive.
//!
//! - A shape may be any path, a group of shapes, or text; inside groups, with transforms, opacity,
//!   clips and masks. Its fill does not matter; the stroke of a panel is drawn on top of the picture.
//! - The name is the object's id (Inkscape: Object Properties), its Inkscape label, or the name
//!   in Illustrator's and Figma's layer list. Upper case, spaces and the numbers that those
//!   programs append (`live-1_00000123`, `live_x2D_1`) do not matter.
//! - The picture fills the shape's bounding box (cover fit) and keeps the face in view.
//! - `live-NAME`, `person-NAME` and `raw-NAME` of the same NAME share one picture that covers all
//!   of them together: a `person-…` that reaches out over the border of its `live-…` lets heads
//!   and hands break out of the panel. `person-shot-1` belongs to `shot-1`. Where the camera cuts
//!   off a head, it stays in its panel.
//! - A name with the word `close` in it, like `live-close` or `live-2-close`, is a close-up.
//! - Blend modes (multiply, screen, overlay, darken, lighten, difference, hard and soft light,
//!   dodge) work between everything, pictures included: `live-…` itself may be multiplied with the
//!   paper below it.
//! - Letter with `BM JUA`, `BM DoHyeon`, `Nanum Pen` or `Pretendard` (Korean and Latin) or
//!   `Bangers` (Latin), carry a font in the page (`@font-face` with `data:`), or convert text to
//!   paths: fonts of the system are not used, so that a page looks the same everywhere.
//! - How a bubble is made, and what `data-…` says about it, is in [`bubble`]. `text-NAME` and
//!   `sound-NAME` move with `data-animate="shake"`, `"pulse"` or `"pop"`; `data-lines="a|b|c"` shows
//!   one after the other (`data-lines-en`, `data-lines-ko`: in that language).
//! - Art in several languages stands in a `<switch>`: the first object whose `systemLanguage` fits
//!   is drawn.
//! - A page measured in inches or millimetres, or with `data-dpi` on its `<svg>`, is printed in that
//!   size.
//!
//! More is said in attributes (Inkscape: XML editor), lengths in page units:
//!
//! | attribute | on | says |
//! | --- | --- | --- |
//! | `data-outline` | `person` | width and colour: `10 #fff` |
//! | `data-shadow` | `person` | right, down, softness and colour: `12 14 8 #0008` |
//! | `data-colour`, `data-colour2` | `fx` | its inks; of lines the second is their light edge |
//! | `data-density`, `data-scale` | `fx` | how many strokes, and how large; 1 is usual |
//! | `data-speed`, `data-strength` | `fx` | 1 is usual |
//! | `data-angle` | `fx` | degrees, clockwise |
//! | `data-centre` | `fx` | where lines point, `0.5 0.4` of the shape; else at the face |
//! | `data-every` | `fx-shock` | seconds from flash to flash |
//! | `data-seed` | `fx` | another number, another drawing |
//!
//! Programs that write no attributes say it in the name: `fx-rain-white-dense-fast`. The words are
//! colours (`white`, `black`, `red`, `pink`, `gold`, `yellow`, `blue`, `sky`, `green`, `purple`),
//! `dense` and `sparse`, `fast` and `slow`, `strong` and `soft`, `large` and `small`; of sounds
//! `shake`, `pulse` and `pop`.

mod artwork;
mod blend;
pub mod bubble;
mod check;
mod cover;
mod data;
mod document;
mod drawn;
mod effort;
mod fonts;
mod frame;
mod layer;
mod letterer;
pub mod lettering;
mod library;
mod moment;
mod motion;
mod names;
mod page;
mod pieces;
mod preview;
mod sheet;
mod spelling;
mod standing;
mod together;
mod unsaid;
mod wording;
mod words;

pub use artwork::{
    Artwork, ArtworkLayer, Bitmap, Coverage, Edge, PixelRect, Region, Sprite, Sprites,
};
pub use blend::Blend;
pub use check::{Found, stand_in};
pub use cover::{Cover, Uv};
pub use data::Data;
pub use fonts::{Fonts, Typeface};
pub use frame::Frame;
pub use layer::{Art, Effect, Layer, Lettering, Panel, Rect, Written};
pub use letterer::Letterer;
pub use library::Library;
pub use moment::{Countdown, Moment, Place, PlaceKind, Seen, Turns};
pub use motion::Motion;
pub use names::{Crop, EffectKind, PanelKind};
pub use page::Page;
pub use pieces::Piece;
pub use preview::{matte_curve, preview};
pub use sheet::Sheet;

use std::path::{Path, PathBuf};

use crate::frame::Size;

/// Why a page cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// More bytes than a page may have.
    #[error(
        "The page is larger than {} MB. Link or shrink the pictures in it. ({page})",
        Page::MAX_BYTES >> 20
    )]
    TooLarge {
        /// Its id or path.
        page: String,
    },
    /// It is something else, or damaged.
    #[error(
        "This is not an SVG that panelcam can read: {reason}. Save the page as SVG in your drawing \
         program. ({page})"
    )]
    NotSvg {
        /// What is wrong, in an artist's words.
        reason: String,
        /// Its id or path.
        page: String,
    },
    /// Groups in groups, or references to references, without end.
    #[error(
        "The page nests objects more than {} deep. Ungroup some of them. ({page})",
        Page::MAX_DEPTH
    )]
    TooDeep {
        /// Its id or path.
        page: String,
    },
    /// More objects than can be drawn in a sensible time.
    #[error("The page has too many objects. Simplify it or turn parts into pictures. ({page})")]
    TooManyObjects {
        /// Its id or path.
        page: String,
    },
    /// What is on it is too much to be drawn in a sensible time.
    #[error(
        "The page takes too long to draw: its lines and shapes are too many for how large they are. \
         Take some out, or turn parts into pictures. ({page})"
    )]
    TooMuchToDraw {
        /// Its id or path.
        page: String,
    },
    /// More panels than a page may have.
    #[error(
        "The page has more than {} live shapes. Remove some of them. ({page})",
        Page::MAX_PANELS
    )]
    TooManyPanels {
        /// Its id or path.
        page: String,
    },
    /// Nothing on it is alive.
    #[error("Nothing on the page is alive. {hint} ({page})")]
    NoPanel {
        /// What is nearly right on it, else what to do.
        hint: String,
        /// Its id or path.
        page: String,
    },
    /// Width or height that no program can have.
    #[error(
        "The page is {width} x {height} units large. Make it 1 to 100000 units each way, the long \
         side at most 20 times the short one. ({page})"
    )]
    BadSize {
        /// Width in page units.
        width: f32,
        /// Height in page units.
        height: f32,
        /// Its id or path.
        page: String,
    },
    /// The program's size is too large.
    #[error("The page cannot be drawn at {size}. Choose a smaller size. ({page})")]
    TooLargeToDraw {
        /// The size asked for.
        size: Size,
        /// Its id or path.
        page: String,
    },
    /// The file cannot be read.
    #[error("The page cannot be read: {error}. Check the file and its rights. ({})", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// No page has this id.
    #[error("There is no page called {id}. There are {known}.")]
    Unknown {
        /// What was asked for.
        id: String,
        /// The ids there are.
        known: String,
    },
}

impl PageError {
    /// Nothing on the page is alive; `nearly` is what an artist may have meant to be.
    fn no_panel(nearly: Option<String>, page: &str) -> Self {
        let hint = nearly.unwrap_or_else(|| {
            "Name a visible shape live-1 (in Inkscape: Object, Object Properties, ID) and save it \
             again."
                .to_owned()
        });
        Self::NoPanel {
            hint,
            page: page.to_owned(),
        }
    }

    /// The same, about the page in this file.
    fn in_file(mut self, path: &Path) -> Self {
        match &mut self {
            Self::TooLarge { page }
            | Self::NotSvg { page, .. }
            | Self::TooDeep { page }
            | Self::TooManyObjects { page }
            | Self::TooMuchToDraw { page }
            | Self::TooManyPanels { page }
            | Self::NoPanel { page, .. }
            | Self::BadSize { page, .. }
            | Self::TooLargeToDraw { page, .. } => *page = path.display().to_string(),
            Self::Unreadable { .. } | Self::Unknown { .. } => {}
        }
        self
    }
}
