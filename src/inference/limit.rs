//! Ends runs of a network that take too long: it may hold a loop that never ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ort::session::RunOptions;
use parking_lot::Mutex;

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// For runs that somebody chose to wait for: a large picture of a heavy model on a slow machine.
pub(super) const PATIENT: Duration = Duration::from_secs(600);
/// For runs while people look at a screen. What draws so slowly is as good as broken.
pub(super) const LIVE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 10 });

/// A run that was ended and goes on for longer hangs: one operator takes so long, or its driver hangs.
pub(super) const GRACE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });

/// Ends the runs of one session that take too long. A thread looks at them; it ends with this.
pub(super) struct Limit {
    watched: Arc<Watched>,
}

struct Watched {
    options: RunOptions,
    run: Mutex<Run>,
}

/// The run of a session.
#[derive(Clone, Copy)]
enum Run {
    /// There is none.
    None,
    /// It should be over then.
    Due(Instant),
    /// It was ended then, and may not be over.
    Ended(Instant),
}

/// Why a run gave nothing.
#[derive(Debug)]
pub(super) enum NoResult {
    /// It was ended.
    TooLong,
    /// It failed.
    Failed(ort::Error),
}

impl Limit {
    pub fn new() -> ort::Result<Self> {
        let watched = Arc::new(Watched {
            options: RunOptions::new()?,
            run: Mutex::new(Run::None),
        });
        let weak = Arc::downgrade(&watched);
        let watch = move || {
            while let Some(watched) = weak.upgrade() {
                watched.look();
                drop(watched);
                std::thread::sleep(LOOK);
            }
        };
        std::thread::Builder::new()
            .name("limit".to_owned())
            .spawn(watch)
            .map_err(|error| ort::Error::new(error.to_string()))?;
        Ok(Self { watched })
    }

    /// Makes a run of at most about `time`. ONNX Runtime ends one between two of its operators.
    pub fn within<'a, T>(
        &'a self,
        time: Duration,
        run: impl FnOnce(&'a RunOptions) -> ort::Result<T>,
    ) -> Result<T, NoResult> {
        let Watched {
            options,
            run: state,
        } = &*self.watched;
        *state.lock() = Run::Due(Instant::now() + time);
        let result = run(options);
        let before = std::mem::replace(&mut *state.lock(), Run::None);
        if matches!(before, Run::Ended(_)) {
            options.unterminate().map_err(NoResult::Failed)?;
            return Err(NoResult::TooLong);
        }
        result.map_err(NoResult::Failed)
    }

    /// Whether the run that is under way was ended a while ago and goes on.
    pub fn hangs(&self) -> bool {
        match *self.watched.run.lock() {
            Run::Ended(at) => at.elapsed() >= GRACE,
            Run::None | Run::Due(_) => false,
        }
    }
}

impl Watched {
    fn look(&self) {
        let (mut run, now) = (self.run.lock(), Instant::now());
        if matches!(*run, Run::Due(due) if now >= due) {
            *run = Run::Ended(now);
            if let Err(error) = self.options.terminate() {
                tracing::warn!("A run that takes too long cannot be ended: {error}");
            }
        }
    }
}
