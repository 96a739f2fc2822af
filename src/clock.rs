//! Time as an argument: the compositor and the panels never read a clock themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Tells the time; tests set it. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    manual: Option<Arc<Mutex<Instant>>>,
}

impl Clock {
    /// The system's monotonic clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that moves only by [`advance`](Self::advance).
    pub fn manual() -> Self {
        Self {
            manual: Some(Arc::new(Mutex::new(Instant::now()))),
        }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.manual
            .as_ref()
            .map_or_else(Instant::now, |time| *time.lock())
    }

    /// Moves a manual clock forward; the system's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Some(time) = &self.manual {
            *time.lock() += by;
        }
    }
}
