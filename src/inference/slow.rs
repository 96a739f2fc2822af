//! Networks that take seconds for a picture: they draw in the smallest size, and people are told.

use std::sync::Arc;
use std::time::Duration;

use super::limit::LIVE;
use super::model::Model;
use crate::frame::Size;
use crate::status::{Board, Severity, Topic};

/// What the smallest live picture of a camera's usual shape measures.
pub(super) const SMALLEST: Size = Size::new(448, 256);
/// A network that takes longer for one is slow: another style draws until it is loaded.
pub(super) const SLOW: Duration = Duration::from_secs(1);

/// The slow networks that were met.
#[derive(Default)]
pub(super) struct Slow {
    /// Those that could not be measured in a moment, by their sha256.
    unmeasured: Vec<String>,
    /// Those whose run was ended: they are drawn in the smallest size.
    ended: Vec<String>,
    /// Those that were told.
    told: Vec<String>,
}

impl Slow {
    /// `model` could not be measured in a moment.
    pub(super) fn add(&mut self, model: &Model) {
        self.unmeasured.push(model.sha256().to_owned());
    }

    /// Whether that is known of `model`.
    pub(super) fn is_known(&self, model: &Model) -> bool {
        self.unmeasured.iter().any(|known| known == model.sha256())
    }

    /// A run of `model` was ended. Whether that is new: then a smaller size may do.
    pub(super) fn was_ended(&mut self, model: &Model) -> bool {
        let new = !self.ended.iter().any(|known| known == model.sha256());
        if new {
            self.ended.push(model.sha256().to_owned());
        }
        new
    }

    /// Whether a picture of `size` would take so long that its run may be ended.
    pub(super) fn too_slow_for(&self, model: &Model, nanos_per_pixel: f64, size: Size) -> bool {
        let time = nanos_per_pixel * size.area() as f64 / 1e9;
        time > LIVE.as_secs_f64() / 2.0 || self.ended.iter().any(|known| known == model.sha256())
    }

    /// Says that `rescue` draws until `model` is ready.
    pub(super) fn tell_rescued(&self, board: &Board, model: &Model, rescue: &Model) {
        let text = format!(
            "{} takes seconds for a picture on this machine; until it is ready, {} draws.",
            model.name(),
            rescue.name()
        );
        board.notice(Topic::Style, Severity::Info, text);
    }

    /// Says that `model` takes `nanos` for a picture of `size`, when that is long; once.
    pub(super) fn tell(&mut self, board: &Board, model: &Arc<Model>, size: Size, nanos: f64) {
        let told = self.told.iter().any(|known| known == model.sha256());
        if told || nanos < SLOW.as_secs_f64() * 1e9 {
            return;
        }
        self.told.push(model.sha256().to_owned());
        let text = format!(
            "{} takes about {:.1} s for a picture of {size} on this machine: too slow to draw live. It is drawn as fast as it goes; another style moves better.",
            model.name(),
            nanos / 1e9
        );
        board.notice(Topic::Style, Severity::Warning, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_network_is_drawn_small_and_told_once() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/invert");
        let model = Arc::new(Model::read(&folder).unwrap());
        let (mut slow, board) = (Slow::default(), Board::new());
        let large = Size::new(1920, 1080);
        assert!(!slow.too_slow_for(&model, 50.0, large));
        assert!(slow.too_slow_for(&model, 40_000.0, large));
        slow.tell(&board, &model, SMALLEST, 5e8);
        assert!(board.take_notices().is_empty());
        for _ in 0..2 {
            slow.tell(&board, &model, SMALLEST, 4.3e9);
        }
        let notices = board.take_notices();
        assert_eq!(notices.len(), 1);
        for word in [model.name(), "4.3 s", "448x256"] {
            assert!(notices[0].text.contains(word), "{notices:?}");
        }
        // A run that was ended is tried once more, in the smallest size.
        assert!(slow.was_ended(&model) && !slow.was_ended(&model));
        assert!(slow.too_slow_for(&model, 50.0, large));
    }
}
