//! A generator that is loaded, and the memory that is lent to the frames on their way through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::closeup::{CloseSlot, Closer};
use super::error::InferenceError;
use super::generator::{Generator, Slot};
use super::limit::{GRACE, LIVE, PATIENT};
use super::model::Model;
use super::runtime::Runtime;
use super::sizes::Drawn;
use crate::settings::Provider;
use crate::status::{Board, Severity, Topic};

/// One is prepared, one waits, one runs, one is finished.
const SLOTS: usize = 4;

/// A provider is slow when so many runs in a row take so many times as long as when it was checked,
/// and so much longer, in nanoseconds: that it takes to be asked at all does not count.
const SLOW_RUNS: u64 = 12;
const TOO_SLOW: f64 = 3.0;
const SLACK: f64 = 5e6;

/// A generator with the memory for the frames that are on their way through it.
pub(super) struct Loaded {
    pub(super) generator: Generator,
    /// Whether the person at the machine was told that it fails.
    fault_told: AtomicBool,
    /// The shortest run yet, without close-ups, in nanoseconds.
    pub(super) fastest: AtomicU64,
    /// A run's time of late, with close-ups, in nanoseconds.
    pub(super) recent: AtomicU64,
    /// How many runs in a row took several times what its provider's check found.
    slow_runs: AtomicU64,
    /// How many runs there were.
    pub(super) runs: AtomicU64,
    /// Time of a run as its provider's check found it, in nanoseconds; 0 for the CPU.
    pub(super) expected: f64,
    /// Why it can draw no more; another takes over.
    broken: Mutex<Option<String>>,
    drawn: Drawn,
    closer: Option<Closer>,
    /// Whether close-ups failed: there are no more.
    close_failed: AtomicBool,
    free: Mutex<Vec<Seat>>,
    returned: Condvar,
}

/// Memory for one frame.
struct Seat {
    slot: Slot,
    close: Option<CloseSlot>,
}

impl Loaded {
    /// Loads `model` for what is to be drawn.
    pub(super) fn open(
        runtime: &Runtime,
        model: &Arc<Model>,
        drawn: Drawn,
        threads: usize,
        provider: Provider,
    ) -> Result<Self, InferenceError> {
        // A provider compiles its network, which may take minutes.
        let patience = match provider {
            Provider::Cpu => LIVE,
            _ => PATIENT,
        };
        let generator =
            Generator::open_within(runtime, model, drawn.size, threads, provider, patience)?;
        // Without them, drawings are as they were before there were any.
        let open = |side| {
            let closer = Closer::open_within(runtime, model, side, threads, provider, patience)?;
            let slots = (0..SLOTS).map(|_| closer.slot());
            let slots = slots.collect::<Result<Vec<_>, _>>()?;
            Ok((closer, slots))
        };
        let (closer, slots) = (drawn.close)
            .and_then(|side| open(side).inspect_err(no_close_ups).ok())
            .unzip();
        let mut slots = slots.into_iter().flatten();
        let seat = |_| {
            Ok(Seat {
                slot: generator.slot()?,
                close: slots.next(),
            })
        };
        let free = (0..SLOTS)
            .map(seat)
            .collect::<Result<Vec<_>, InferenceError>>()?;
        Ok(Self {
            generator,
            drawn,
            closer,
            close_failed: AtomicBool::new(false),
            fault_told: AtomicBool::new(false),
            fastest: AtomicU64::new(u64::MAX),
            recent: AtomicU64::new(0),
            slow_runs: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            expected: 0.0,
            broken: Mutex::new(None),
            free: Mutex::new(free),
            returned: Condvar::new(),
        })
    }

    /// What it was asked to draw; there may be no close-ups though they were wanted.
    pub(super) fn drawn(&self) -> Drawn {
        self.drawn
    }

    /// Pixels a side of the square in which it draws close-ups.
    pub(super) fn close_side(&self) -> Option<u32> {
        self.closer().map(Closer::side)
    }

    fn closer(&self) -> Option<&Closer> {
        let failed = self.close_failed.load(Ordering::Relaxed);
        self.closer.as_ref().filter(|_| !failed)
    }

    /// Close-ups failed. The drawing they belong to is as good as without them, and so are the next.
    pub(super) fn close_up_failed(&self, error: &InferenceError) {
        if !self.close_failed.swap(true, Ordering::Relaxed) {
            no_close_ups(error);
        }
    }

    /// About how many bytes it takes.
    pub(super) fn memory(&self) -> u64 {
        let close = |closer: &Closer| closer.memory(SLOTS);
        self.generator.memory(SLOTS) + self.closer.as_ref().map_or(0, close)
    }

    /// A run took `nanos`, with close-ups or, where no face is small, without.
    pub(super) fn took(&self, nanos: u64, close: bool) {
        let (alone, whole) = (self.drawn.size.area() as f64, self.drawn.area() as f64);
        let pixels = if close { whole } else { alone };
        // What it would have taken for the drawing alone, and for all that is to be drawn.
        let fastest = (nanos as f64 * alone / pixels) as u64;
        let nanos = (nanos as f64 * whole / pixels) as u64;
        self.fastest.fetch_min(fastest, Ordering::Relaxed);
        let before = self.recent.load(Ordering::Relaxed);
        let recent = if before == 0 {
            nanos
        } else {
            before / 8 * 7 + nanos / 8
        };
        self.recent.store(recent, Ordering::Relaxed);
        if self.expected > 0.0 && nanos as f64 > self.expected * TOO_SLOW + SLACK {
            self.slow_runs.fetch_add(1, Ordering::Relaxed);
        } else {
            self.slow_runs.store(0, Ordering::Relaxed);
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    /// A run failed. `true` when another provider or model takes over, so that nobody need be told
    /// twice.
    pub(super) fn failed(&self, error: &InferenceError) -> bool {
        let over = self.generator.provider() != Provider::Cpu
            || matches!(error, InferenceError::TooLong { .. });
        if over {
            self.broken.lock().get_or_insert_with(|| error.to_string());
        }
        over
    }

    /// Whether a run was ended and goes on all the same.
    pub(super) fn hangs(&self) -> bool {
        self.generator.hangs() || self.closer.as_ref().is_some_and(Closer::hangs)
    }

    /// The thread that runs it hangs and was left behind.
    pub(super) fn left_behind(&self) {
        let error = InferenceError::Hangs {
            provider: self.generator.provider().name(),
            seconds: (LIVE + GRACE).as_secs(),
            path: self.generator.model().path().to_owned(),
        };
        self.broken.lock().get_or_insert_with(|| error.to_string());
    }

    /// Tells the person at the machine that this model fails, once.
    pub(super) fn fault(&self, board: &Board, error: &InferenceError) {
        if !self.fault_told.swap(true, Ordering::Relaxed) {
            board.notice(Topic::Style, Severity::Warning, error);
        }
    }

    /// Why it can draw no more.
    pub(super) fn broken(&self) -> Option<String> {
        self.broken.lock().clone()
    }

    /// Whether it needs several times what its provider's check found, and not by chance.
    pub(super) fn is_slow(&self) -> bool {
        self.slow_runs.load(Ordering::Relaxed) >= SLOW_RUNS
    }

    /// A free slot, waiting for one a moment.
    pub(super) fn slot(self: &Arc<Self>, patience: Duration) -> Option<Lease> {
        let mut free = self.free.lock();
        if free.is_empty() {
            self.returned.wait_for(&mut free, patience);
        }
        Some(Lease {
            seat: Some(free.pop()?),
            home: Arc::clone(self),
        })
    }
}

fn no_close_ups(error: &InferenceError) {
    tracing::warn!("Small faces are not drawn again: {error}");
}

/// A slot on loan; dropping it gives it back.
pub(super) struct Lease {
    seat: Option<Seat>,
    home: Arc<Loaded>,
}

impl Lease {
    /// The generator the slot belongs to, and the slot.
    pub(super) fn parts(&mut self) -> Option<(&Generator, &mut Slot)> {
        Some((&self.home.generator, &mut self.seat.as_mut()?.slot))
    }

    /// What draws close-ups, and the memory for them, where there are any.
    pub(super) fn close_parts(&mut self) -> Option<(&Closer, &mut CloseSlot)> {
        let close = self.seat.as_mut()?.close.as_mut()?;
        Some((self.home.closer()?, close))
    }

    pub(super) fn home(&self) -> &Arc<Loaded> {
        &self.home
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.home.free.lock().push(seat);
            self.home.returned.notify_one();
        }
    }
}
