//! A generator that is loaded, and the memory that is lent to the frames on their way through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::error::InferenceError;
use super::generator::{Generator, Slot};
use super::model::Model;
use super::runtime::Runtime;
use crate::frame::Size;
use crate::settings::Provider;

/// One is prepared, one waits, one runs, one is finished.
const SLOTS: usize = 4;

/// A generator with the memory for the frames that are on their way through it.
pub(super) struct Loaded {
    pub(super) generator: Generator,
    /// Whether the person at the machine was told that it fails.
    pub(super) fault_told: AtomicBool,
    /// The shortest run yet, in nanoseconds.
    pub(super) fastest: AtomicU64,
    /// A run's time of late, in nanoseconds.
    pub(super) recent: AtomicU64,
    /// How many runs there were.
    pub(super) runs: AtomicU64,
    /// Time of a run as its provider's check found it, in nanoseconds; 0 for the CPU.
    pub(super) expected: f64,
    /// Why its provider can draw no more; the CPU takes over.
    pub(super) broken: Mutex<Option<String>>,
    free: Mutex<Vec<Slot>>,
    returned: Condvar,
}

impl Loaded {
    pub(super) fn open(
        runtime: &Runtime,
        model: &Arc<Model>,
        size: Size,
        threads: usize,
        provider: Provider,
    ) -> Result<Self, InferenceError> {
        let generator = Generator::open_on(runtime, model, size, threads, provider)?;
        let free = (0..SLOTS)
            .map(|_| generator.slot())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            generator,
            fault_told: AtomicBool::new(false),
            fastest: AtomicU64::new(u64::MAX),
            recent: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            expected: 0.0,
            broken: Mutex::new(None),
            free: Mutex::new(free),
            returned: Condvar::new(),
        })
    }

    /// A run took `nanos`.
    pub(super) fn took(&self, nanos: u64) {
        self.fastest.fetch_min(nanos, Ordering::Relaxed);
        let before = self.recent.load(Ordering::Relaxed);
        let recent = if before == 0 {
            nanos
        } else {
            before / 8 * 7 + nanos / 8
        };
        self.recent.store(recent, Ordering::Relaxed);
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    /// A run failed. `true` when another provider takes over, so that nobody need be told twice.
    pub(super) fn failed(&self, error: &InferenceError) -> bool {
        if self.generator.provider() == Provider::Cpu {
            return false;
        }
        self.broken.lock().get_or_insert_with(|| error.to_string());
        true
    }

    /// A free slot, waiting for one a moment.
    pub(super) fn slot(self: &Arc<Self>, patience: Duration) -> Option<Lease> {
        let mut free = self.free.lock();
        if free.is_empty() {
            self.returned.wait_for(&mut free, patience);
        }
        Some(Lease {
            slot: Some(free.pop()?),
            home: Arc::clone(self),
        })
    }
}

/// A slot on loan; dropping it gives it back.
pub(super) struct Lease {
    slot: Option<Slot>,
    home: Arc<Loaded>,
}

impl Lease {
    /// The generator the slot belongs to, and the slot.
    pub(super) fn parts(&mut self) -> Option<(&Generator, &mut Slot)> {
        Some((&self.home.generator, self.slot.as_mut()?))
    }

    pub(super) fn home(&self) -> &Loaded {
        &self.home
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.home.free.lock().push(slot);
            self.home.returned.notify_one();
        }
    }
}
