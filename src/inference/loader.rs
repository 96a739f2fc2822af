//! Loads generators in the background, while the former one draws.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::error::InferenceError;
use super::generator::{Generator, Slot};
use super::model::Model;
use super::runtime::Runtime;
use super::sizes::{Budget, size_for};
use super::tuning::Tuning;
use crate::frame::Size;
use crate::mailbox::{Mailbox, Taken};
use crate::places::Places;
use crate::settings::{InferenceSettings, Provider, Quality};
use crate::status::{Board, Engine, Severity, Topic};
use crate::worker::Stop;

/// One is prepared, one waits, one runs, one is finished.
const SLOTS: usize = 4;
/// The most CPU threads that are used, whatever the settings say.
const MAX_THREADS: usize = 256;
/// A measurement is wrong when a run took less than this share of it.
const DOUBTFUL: f64 = 0.8;
/// How long the loader sleeps before it looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a generator is loaded for.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) model: Arc<Model>,
    /// Size of the frames.
    pub(super) frame: Size,
    pub(super) settings: InferenceSettings,
    /// Frames a second of the program.
    pub(super) fps: u32,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.model, &other.model)
            && (self.frame, &self.settings, self.fps) == (other.frame, &other.settings, other.fps)
    }
}

/// What came of a wish.
pub(super) enum Answer {
    /// This one draws from now on.
    Ready(Arc<Loaded>, Engine),
    /// This model cannot be loaded; a notice says why.
    Failed(Arc<Model>),
}

/// A generator with the memory for the frames that are on their way through it.
pub(super) struct Loaded {
    pub(super) generator: Generator,
    /// Whether the person at the machine was told that it fails.
    pub(super) fault_told: AtomicBool,
    /// The shortest run yet, in nanoseconds.
    pub(super) fastest: AtomicU64,
    free: Mutex<Vec<Slot>>,
    returned: Condvar,
}

impl Loaded {
    fn open(
        runtime: &Runtime,
        model: &Arc<Model>,
        size: Size,
        threads: usize,
    ) -> Result<Self, InferenceError> {
        let generator = Generator::open(runtime, model, size, threads)?;
        let free = (0..SLOTS)
            .map(|_| generator.slot())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            generator,
            fault_told: AtomicBool::new(false),
            fastest: AtomicU64::new(u64::MAX),
            free: Mutex::new(free),
            returned: Condvar::new(),
        })
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

/// The loading thread.
pub(super) struct Loader {
    pub(super) runtime: Arc<Runtime>,
    pub(super) places: Places,
    pub(super) wishes: Arc<Mailbox<Wanted>>,
    pub(super) answers: Arc<Mailbox<Answer>>,
    pub(super) board: Arc<Board>,
    /// The generators in memory, the one that was wanted last at the end.
    pub(super) resident: Vec<Arc<Loaded>>,
    /// What was found out about models.
    pub(super) known: Vec<(String, Option<usize>, Tuning)>,
    /// The provider that is not there; told once.
    pub(super) refused: Option<Provider>,
}

impl Loader {
    /// Serves wishes, the newest alone. Measures for `first` while the source is being opened.
    pub(super) fn run(&mut self, first: &Wanted, stop: &Stop) {
        // What goes wrong goes wrong again with the first frame, and is told then.
        let _ = self.threads_and_speed(&first.model, &first.settings);
        while !stop.asked() {
            match self.wishes.take_within(PATIENCE) {
                Taken::Value(wanted) => {
                    let answer = self.answer(&wanted);
                    self.answers.send(answer);
                }
                Taken::TimedOut => {}
                Taken::Closed => break,
            }
        }
        self.doubt();
    }

    /// A first start may have been measured on a busy machine, and another number of threads be
    /// the best. When drawing was much faster than measured, the next start measures again.
    fn doubt(&self) {
        let Some(Loaded {
            generator, fastest, ..
        }) = self.resident.last().map(|loaded| &**loaded)
        else {
            return;
        };
        let nanos_per_pixel =
            fastest.load(Ordering::Relaxed) as f64 / generator.size().area() as f64;
        for (sha256, asked, tuning) in &self.known {
            if sha256 == generator.model().sha256()
                && nanos_per_pixel < tuning.nanos_per_pixel * DOUBTFUL
            {
                Tuning::forget(&self.runtime, generator.model(), &self.places, *asked);
            }
        }
    }

    fn answer(&mut self, wanted: &Wanted) -> Answer {
        match self.load(wanted) {
            Ok(loaded) => {
                let engine = self.engine(&loaded, wanted.settings.provider);
                Answer::Ready(loaded, engine)
            }
            Err(error) => {
                // Without an added model, the built-in one draws; without that, nothing does.
                let severity = if self.resident.is_empty() && wanted.model.is_builtin() {
                    Severity::Critical
                } else {
                    Severity::Warning
                };
                self.board.notice(Topic::Style, severity, error);
                Answer::Failed(Arc::clone(&wanted.model))
            }
        }
    }

    fn load(&mut self, wanted: &Wanted) -> Result<Arc<Loaded>, InferenceError> {
        let (threads, nanos_per_pixel) = self.threads_and_speed(&wanted.model, &wanted.settings)?;
        let budget = Budget {
            nanos_per_pixel,
            fps: wanted.fps,
        };
        let multiple = wanted.model.size_multiple();
        let size = size_for(wanted.frame, wanted.settings.quality, budget, multiple);
        let known = self.resident.iter().position(|loaded| {
            let generator = &loaded.generator;
            Arc::ptr_eq(generator.model(), &wanted.model)
                && (generator.size(), generator.threads()) == (size, threads)
        });
        let loaded = match known {
            Some(at) => self.resident.remove(at),
            None => Arc::new(Loaded::open(&self.runtime, &wanted.model, size, threads)?),
        };
        self.resident.push(Arc::clone(&loaded));
        self.evict(wanted.settings.memory_mb);
        Ok(loaded)
    }

    /// Lets go of what was not wanted for longest, until the rest fits into `memory_mb`. A size
    /// that the model in use was drawn at before goes first: it comes back with the old window.
    fn evict(&mut self, memory_mb: u32) {
        let budget = u64::from(memory_mb) << 20;
        let sum = |resident: &[Arc<Loaded>]| -> u64 {
            resident
                .iter()
                .map(|loaded| loaded.generator.memory())
                .sum()
        };
        while self.resident.len() > 1 && sum(&self.resident) > budget {
            self.resident.remove(0);
        }
    }

    /// CPU threads and nanoseconds a pixel; the latter is measured only where it decides.
    fn threads_and_speed(
        &mut self,
        model: &Arc<Model>,
        settings: &InferenceSettings,
    ) -> Result<(usize, f64), InferenceError> {
        let asked = settings
            .threads
            .map(|threads| threads.clamp(1, MAX_THREADS));
        if let (Some(threads), true) = (asked, settings.quality != Quality::Auto) {
            return Ok((threads, 0.0));
        }
        let known = self
            .known
            .iter()
            .find(|(sha256, threads, _)| sha256 == model.sha256() && *threads == asked);
        let tuning = match known {
            Some((_, _, tuning)) => *tuning,
            None => {
                let (runtime, places) = (&self.runtime, &self.places);
                let tuning = match asked {
                    Some(threads) => Tuning::with_threads(runtime, model, places, threads)?,
                    None => Tuning::of(runtime, model, places)?,
                };
                self.known.push((model.sha256().to_owned(), asked, tuning));
                tuning
            }
        };
        Ok((tuning.threads, tuning.nanos_per_pixel))
    }

    /// What runs, and why not something better: never silently another provider than asked for.
    fn engine(&mut self, loaded: &Loaded, provider: Provider) -> Engine {
        let reason = match provider {
            Provider::Auto => {
                "CPU: the only provider in this build; GPU providers come with `panelcam runtime`."
                    .to_owned()
            }
            Provider::Cpu => "CPU, as set.".to_owned(),
            other => {
                let text = format!(
                    "The provider {} is not in this build; the CPU draws. Choose auto or cpu, or add one with `panelcam runtime`.",
                    other.id()
                );
                if self.refused.replace(other) != Some(other) {
                    self.board.notice(Topic::Runtime, Severity::Warning, &text);
                }
                text
            }
        };
        let Loaded { generator, .. } = loaded;
        Engine {
            provider: Some(Provider::Cpu),
            threads: generator.threads(),
            size: generator.size(),
            reason,
        }
    }
}
