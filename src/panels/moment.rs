//! What words, bubbles and sounds depend on, and where they came to be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::PixelRect;
use crate::frame::Size;
use crate::people::{Face, Head};

/// What a moment is made of.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Since the start; never runs backwards.
    pub time: Duration,
    /// What words and bubbles say, by name; others say what the artist wrote.
    pub texts: &'a BTreeMap<String, String>,
    /// How often somebody asked for the next line; what comes from a list turns by itself, too.
    pub turned: usize,
    /// The live picture.
    pub live: &'a Seen,
    /// The shots, the first is number 1.
    pub shots: &'a [Option<Seen>],
    /// Whether people see themselves as in a mirror.
    pub mirror: bool,
    /// What is counted down.
    pub countdown: Option<Countdown>,
}

/// A picture, as far as lettering needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its size.
    pub size: Size,
    /// The head that panels keep in view.
    pub focus: Head,
    /// The faces in it, from left to right.
    pub faces: Vec<Face>,
    /// Which lines of lists were read when it was frozen; `None`: those of the moment.
    pub turns: Option<Turns>,
}

/// What decides whose turn it is in lists of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Since the start.
    pub time: Duration,
    /// How often somebody asked for the next line.
    pub asked: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            size: Size::new(16, 9),
            focus: Head::USUAL,
            faces: Vec::new(),
            turns: None,
        }
    }
}

/// Seconds until a shot is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// What is written: 3, 2, 1.
    pub seconds: u32,
    /// The number of the shot, 1 to 9.
    pub shot: u8,
}

/// Words or a bubble that people may change.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name; with the page's id before it the key of [`Moment::texts`] in the settings.
    pub name: String,
    /// What it is.
    pub kind: PlaceKind,
    /// What it says now.
    pub text: String,
    /// What the artist wrote.
    pub own: String,
    /// Where it is in the program.
    pub rect: PixelRect,
    /// Letters that no font has.
    pub missing: Vec<char>,
    /// Whether not all of the text could be shown.
    pub cut: bool,
}

/// What a [`Place`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// Words.
    Text,
    /// A bubble.
    Bubble,
    /// A shot's panel; its name is the shot's number.
    Shot,
}
