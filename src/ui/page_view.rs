//! What the window knows of the page in use: its shots, its words, its effects.

use egui::{Rect, TextureHandle, pos2, vec2};

/// The page in use, as far as people can change it.
#[derive(Clone, Default)]
pub struct PageView {
    /// Its id.
    pub page: String,
    /// Its shots; empty when it has none.
    pub shots: Vec<ShotView>,
    /// The shot that is taken next.
    pub next: Option<u8>,
    /// Seconds left to it.
    pub countdown: Option<u32>,
    /// Whether shots are being taken.
    pub running: bool,
    /// Its words and bubbles.
    pub words: Vec<WordsView>,
    /// Kinds of its effects, as settings name them.
    pub effects: Vec<String>,
}

/// A shot of the page.
#[derive(Clone)]
pub struct ShotView {
    /// Its number, 1 to 9.
    pub number: u8,
    /// What was taken.
    pub thumbnail: Option<TextureHandle>,
    /// Where it is in the program.
    pub place: Place,
}

/// Words or a bubble of the page.
#[derive(Clone)]
pub struct WordsView {
    /// Its name.
    pub name: String,
    /// Whether it is a bubble.
    pub is_bubble: bool,
    /// What the artist wrote.
    pub own: String,
    /// What it says now.
    pub text: String,
    /// Where it is in the program.
    pub place: Place,
    /// Letters that no font has.
    pub missing: String,
    /// Whether not all of it could be shown.
    pub cut: bool,
}

/// A box in the program, in shares of its sides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Place {
    /// The box where the program is drawn at `program`.
    pub fn within(self, program: Rect) -> Rect {
        let min = pos2(
            program.left() + self.x * program.width(),
            program.top() + self.y * program.height(),
        );
        let size = vec2(self.width * program.width(), self.height * program.height());
        Rect::from_min_size(min, size).intersect(program)
    }
}

impl PageView {
    /// Whether every shot is there.
    pub fn is_complete(&self) -> bool {
        !self.shots.is_empty() && self.shots.iter().all(|shot| shot.thumbnail.is_some())
    }

    /// Whether any shot is there.
    pub fn has_shots(&self) -> bool {
        self.shots.iter().any(|shot| shot.thumbnail.is_some())
    }
}
