//! Time as an argument: the compositor and the panels never read a clock themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::Date;
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

    /// The day, here; on a manual clock one that never ends.
    pub fn today(&self) -> Date {
        if self.manual.is_some() {
            Date::constant(2026, 1, 1)
        } else {
            jiff::ZonedDateTime::now().date()
        }
    }

    /// Moves a manual clock forward; the system's clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Some(time) = &self.manual {
            *time.lock() += by;
        }
    }
}
