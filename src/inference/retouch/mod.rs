//! What is done to a drawing around any model: the skin's own tone, lines, calm, and the way from
//! one style to the next.
//!
//! Everything is decided on [`Blocks`], means of 4 x 4 pixels of the camera's picture, in which
//! sensor noise is a quarter of what it is in pixels; only what is changed is touched pixel by
//! pixel.

mod blocks;
mod lines;
mod skin;
mod smoothing;
mod wipe;

use std::time::Duration;

use crate::frame::Picture;
use crate::settings::{RetouchSettings, Transition};

use blocks::Blocks;
use lines::Lines;
use skin::Skin;
use smoothing::Smoothing;
use wipe::Wipe;

/// Retouches the drawings of one source, in the order of its frames. Its memory is allocated with
/// the first picture of a size.
#[derive(Default)]
pub struct Retouch {
    input: Blocks,
    drawn: Blocks,
    skin: Skin,
    lines: Lines,
    smoothing: Smoothing,
    wipe: Wipe,
}

impl Retouch {
    /// Retouches `drawing`, which was drawn from `input`. Both have the generator's size. `time`
    /// is that of the frame and never runs backwards.
    pub fn apply(
        &mut self,
        input: &Picture,
        drawing: &mut Picture,
        time: Duration,
        settings: &RetouchSettings,
    ) {
        if input.size() != drawing.size() || input.size().area() == 0 {
            return;
        }
        let [skin_tone, lines, smoothing] =
            [settings.skin_tone, settings.lines, settings.smoothing].map(share);
        if skin_tone > 0.0 || smoothing > 0.0 {
            self.input.take(input);
        }
        if skin_tone > 0.0 {
            self.drawn.take(drawing);
            self.skin.keep(&self.input, &self.drawn, drawing, skin_tone);
        }
        if lines > 0.0 {
            self.lines.draw(input, drawing, lines);
        }
        if smoothing > 0.0 {
            self.smoothing.calm(&self.input, drawing, smoothing);
        } else {
            self.smoothing.forget();
        }
        match settings.transition {
            Transition::Cut => self.wipe = Wipe::default(),
            Transition::Wipe => self.wipe.apply(drawing, time),
        }
    }

    /// The next drawing looks another way, by its strength for one: nothing of the last one settles
    /// into it.
    pub fn forget(&mut self) {
        self.smoothing.forget();
    }

    /// Whether the last drawing had something of the former style.
    pub fn is_wiping(&self) -> bool {
        self.wipe.is_running()
    }

    /// The next drawing, of the frame at `time`, is of another style.
    pub fn style_changed(&mut self, time: Duration) {
        self.forget();
        self.wipe.begin(time);
    }
}

/// A share, of 65536, of a value, rounded down: one instruction for many values at once, where sums of
/// floats would take four.
#[inline(always)]
fn part(value: i16, share: i16) -> i16 {
    ((i32::from(value) * i32::from(share)) >> 16) as i16
}

/// A setting as a number that can be reckoned with.
fn share(value: f32) -> f32 {
    if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        0.0
    }
}
