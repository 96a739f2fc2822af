//! Loads generators in the background, while the former one draws.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::auto::{Auto, Runs};
use super::closeup::close_sides;
use super::engines::Engines;
use super::error::InferenceError;
use super::loaded::Loaded;
use super::model::Model;
use super::pace::Pace;
use super::runtime::Runtime;
use super::sizes::{AUTO_FPS, Budget, Drawn, choices, size_for};
use super::slow::{SLOW, SMALLEST, Slow};
use super::tuning::Tuning;
use crate::frame::Size;
use crate::mailbox::{Mailbox, Taken};
use crate::places::Places;
use crate::settings::{InferenceSettings, Provider, Quality};
use crate::status::{Board, Engine, Severity, Topic};
use crate::worker::Stop;

/// The most CPU threads that are used, whatever the settings say.
const MAX_THREADS: usize = 256;
/// A measurement is wrong when a run took less than this share of it.
const DOUBTFUL: f64 = 0.8;
/// A provider that got slow is replaced when it needs so many times the CPU's time.
const WORTH_IT: f64 = 1.5;
/// How long the loader sleeps before it looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why a drawing is smaller than it could be, for people.
const NEAR: &str =
    "Somebody is near: so large a face is drawn better in a smaller picture, which is enlarged.";

/// What a generator is loaded for.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) model: Arc<Model>,
    /// Size of the frames.
    pub(super) frame: Size,
    pub(super) settings: InferenceSettings,
    /// Frames a second of the program.
    pub(super) fps: u32,
    /// The most pixels of a drawing's long side at which the faces in it are drawn well.
    pub(super) ceiling: u32,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.model, &other.model)
            && (self.frame, &self.settings, self.fps) == (other.frame, &other.settings, other.fps)
            && self.ceiling == other.ceiling
    }
}

/// What came of a wish.
pub(super) enum Answer {
    /// This one draws from now on.
    Ready(Arc<Loaded>, Engine),
    /// This model cannot be loaded; a notice says why.
    Failed(Arc<Model>),
}

/// What `Quality::Auto` chose, and what for: for anything else it chooses anew.
pub(super) struct Choice {
    auto: Auto,
    model: Arc<Model>,
    frame: Size,
    threads: usize,
    provider: Provider,
    close_ups: bool,
    /// Why it is another size than at first, for people.
    why: String,
}

/// The loading thread.
pub(super) struct Loader {
    pub(super) runtime: Arc<Runtime>,
    pub(super) engines: Engines,
    pub(super) places: Places,
    /// Knows the source's rate.
    pub(super) pace: Arc<Pace>,
    pub(super) started: Instant,
    /// Which size is drawn, when that is chosen here.
    pub(super) auto: Option<Choice>,
    pub(super) wishes: Arc<Mailbox<Wanted>>,
    pub(super) answers: Arc<Mailbox<Answer>>,
    pub(super) board: Arc<Board>,
    /// The generators in memory, the one that was wanted last at the end.
    pub(super) resident: Vec<Arc<Loaded>>,
    /// What was found out about models.
    pub(super) known: Vec<(String, Option<usize>, Tuning)>,
    /// What was asked for last.
    pub(super) last: Option<Wanted>,
    /// What draws while a slow network is looked at and loaded.
    pub(super) rescue: Option<Arc<Model>>,
    /// The slow ones.
    pub(super) slow: Slow,
}

impl Loader {
    /// Serves wishes, the newest alone. Measures for `first` while the source is being opened.
    pub(super) fn run(&mut self, first: &Wanted, stop: &Stop) {
        // What goes wrong goes wrong again with the first frame, and is told then.
        let _ = self.is_slow(&first.model, &first.settings);
        while !stop.asked() {
            match self.wishes.take_within(PATIENCE) {
                Taken::Value(wanted) => {
                    if self.resident.is_empty() {
                        self.serve_rescue_first(&wanted);
                        self.serve_by_cpu_first(&wanted);
                    } else {
                        self.serve(&wanted, wanted.settings.provider);
                    }
                    self.last = Some(wanted);
                }
                Taken::TimedOut => {
                    self.look_after_providers();
                    self.look_after_size();
                }
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

    /// Where nothing draws, the CPU does at once; then the provider, which may compile for minutes.
    fn serve_by_cpu_first(&mut self, wanted: &Wanted) {
        let asked = wanted.settings.provider;
        let answer = self.answer(wanted, Provider::Cpu);
        // What the CPU does not draw, no provider does.
        let draws = matches!(answer, Answer::Ready(..));
        self.answers.send(answer);
        if draws && self.engines.pick(&wanted.model, asked).0 != Provider::Cpu {
            self.serve(wanted, asked);
        }
    }

    /// Where nothing draws and what is wanted takes seconds a picture, another style draws meanwhile.
    fn serve_rescue_first(&mut self, wanted: &Wanted) {
        let rescue = (self.rescue.clone()).filter(|rescue| !Arc::ptr_eq(rescue, &wanted.model));
        if let Some(model) = rescue
            && self.is_slow(&wanted.model, &wanted.settings)
        {
            self.slow.tell_rescued(&self.board, &wanted.model, &model);
            let rescue = Wanted {
                model,
                ..wanted.clone()
            };
            self.serve(&rescue, Provider::Cpu);
        }
    }

    fn serve(&mut self, wanted: &Wanted, asked: Provider) {
        let answer = self.answer(wanted, asked);
        self.answers.send(answer);
    }

    /// What came of loading `wanted` for `asked`, which may be less than the settings ask for.
    fn answer(&mut self, wanted: &Wanted, asked: Provider) -> Answer {
        match self.load(wanted, asked) {
            Ok(loaded) => {
                let engine = self.engine(&loaded, wanted);
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

    /// Replaces what failed or got slow, and takes a better provider when a check has ended.
    fn look_after_providers(&mut self) {
        let Some(wanted) = self.last.clone() else {
            return;
        };
        let check_ended = self.engines.check_ended();
        if let Some(current) = self.resident.last().cloned()
            && let Some(why) = self.trouble(&current, &wanted)
        {
            let provider = current.generator.provider();
            self.resident.pop();
            if provider == Provider::Cpu {
                return self.go_back(&wanted, why);
            }
            self.replace(provider, &why, &wanted);
            self.serve_by_cpu_first(&wanted);
        } else if check_ended {
            self.serve(&wanted, wanted.settings.provider);
        }
    }

    /// What was wanted draws no more: what drew before it does again.
    fn go_back(&mut self, wanted: &Wanted, why: String) {
        self.board.notice(Topic::Style, Severity::Warning, why);
        self.resident
            .retain(|loaded| !Arc::ptr_eq(loaded.generator.model(), &wanted.model));
        let answer = match self.resident.last().cloned() {
            Some(former) => {
                let model = Arc::clone(former.generator.model());
                self.last = Some(Wanted {
                    model,
                    ..wanted.clone()
                });
                let engine = self.engine(&former, wanted);
                Answer::Ready(former, engine)
            }
            None => {
                self.last = None;
                Answer::Failed(Arc::clone(&wanted.model))
            }
        };
        self.answers.send(answer);
    }

    /// Draws another size when runs take too long for the source's frames, or would not any more.
    fn look_after_size(&mut self) {
        let (Some(wanted), Some(current)) = (self.last.clone(), self.resident.last()) else {
            return;
        };
        let (generator, now) = (&current.generator, self.started.elapsed());
        let is_current = |choice: &&mut Choice| {
            Arc::ptr_eq(&choice.model, generator.model()) && choice.auto.drawn() == current.drawn()
        };
        let Some(choice) = self.auto.as_mut().filter(is_current) else {
            return;
        };
        if self.engines.are_checked() {
            choice.auto.disturbed(now);
            return;
        }
        let fps = wanted.fps.clamp(1, AUTO_FPS);
        let interval = self.pace.interval().max(Duration::from_secs(1) / fps);
        let runs = Runs {
            count: current.runs.load(Ordering::Relaxed),
            time: Duration::from_nanos(current.recent.load(Ordering::Relaxed)),
        };
        let before = choice.auto.drawn();
        if !choice.auto.look(runs, interval, now) {
            return;
        }
        let drawn = choice.auto.drawn();
        choice.why = if drawn.area() >= before.area() {
            String::new()
        } else {
            let took = format!(
                "took {:.0} ms, a frame lasts {:.0}.",
                runs.time.as_secs_f64() * 1e3,
                interval.as_secs_f64() * 1e3
            );
            match (drawn.size, before.size) {
                (size, before) if size == before => {
                    format!("Small faces are drawn smaller, or not again: a picture {took}")
                }
                (size, before) => format!("Drawn at {size}: a picture of {before} {took}"),
            }
        };
        tracing::info!("From now on {drawn} is drawn, not {before}.");
        let asked = wanted.settings.provider;
        let mut answer = self.answer(&wanted, asked);
        // Loading took the runs' time.
        let now = self.started.elapsed();
        while let Some(choice) = &mut self.auto {
            choice.auto.disturbed(now);
            if matches!(answer, Answer::Ready(..)) || !choice.auto.refused(now) {
                break;
            }
            answer = self.answer(&wanted, asked);
        }
        self.answers.send(answer);
    }

    /// What to draw for a wish.
    fn drawn(
        &mut self,
        wanted: &Wanted,
        threads: usize,
        provider: Provider,
        nanos_per_pixel: f64,
    ) -> Drawn {
        let (model, frame) = (&wanted.model, wanted.frame);
        let (quality, close_ups) = (wanted.settings.quality, wanted.settings.close_ups);
        let budget = Budget {
            nanos_per_pixel,
            fps: wanted.fps,
        };
        if quality != Quality::Auto {
            self.auto = None;
            let size = |quality| {
                let multiple = model.size_multiple();
                model.drawing_size(size_for(frame, quality, wanted.ceiling, multiple))
            };
            let fastest = size(Quality::Fast);
            let size = size(quality);
            // It would be ended before it has drawn one.
            if size.area() > fastest.area()
                && (self.slow).too_slow_for(model, nanos_per_pixel, size)
            {
                return fastest.into();
            }
            let close = close_sides(model, size, frame).next();
            return Drawn {
                size,
                close: close.filter(|_| close_ups),
            };
        }
        let now = self.started.elapsed();
        let known = self.auto.as_mut().filter(|choice| {
            Arc::ptr_eq(&choice.model, model)
                && (choice.frame, choice.threads, choice.provider) == (frame, threads, provider)
                && choice.close_ups == close_ups
        });
        if let Some(choice) = known {
            choice.auto.limit(wanted.ceiling, now);
            return choice.auto.drawn();
        }
        let (all, first) = choices(model, frame, budget, close_ups);
        let mut auto = Auto::new(all, first, now);
        auto.limit(wanted.ceiling, now);
        let first = auto.drawn();
        self.auto = Some(Choice {
            auto,
            close_ups,
            model: Arc::clone(model),
            frame,
            threads,
            provider,
            why: String::new(),
        });
        first
    }

    /// Why what draws should no more.
    fn trouble(&mut self, current: &Loaded, wanted: &Wanted) -> Option<String> {
        let generator = &current.generator;
        if let Some(why) = current.broken() {
            return Some(why);
        }
        if generator.provider() == Provider::Cpu || !current.is_slow() {
            return None;
        }
        // Slower than it was is still better than slower yet.
        let cpu = self.tuning(generator.model(), &wanted.settings).ok()?;
        let by_cpu = cpu.nanos_per_pixel * current.drawn().area() as f64;
        let recent = current.recent.load(Ordering::Relaxed) as f64;
        (recent > by_cpu * WORTH_IT).then(|| {
            format!(
                "It needs {:.0} ms a picture now, {:.0} when it was checked.",
                recent / 1e6,
                current.expected / 1e6
            )
        })
    }

    fn load(&mut self, wanted: &Wanted, asked: Provider) -> Result<Arc<Loaded>, InferenceError> {
        let (threads, by_cpu) = self.threads_and_speed(&wanted.model, &wanted.settings)?;

        let loaded = loop {
            let (provider, own_pace) = self.engines.pick(&wanted.model, asked);
            let nanos_per_pixel = own_pace.unwrap_or(by_cpu);
            let drawn = self.drawn(wanted, threads, provider, nanos_per_pixel);
            let known = self.resident.iter().position(|loaded| {
                let generator = &loaded.generator;
                Arc::ptr_eq(generator.model(), &wanted.model)
                    && (loaded.drawn(), generator.threads(), generator.provider())
                        == (drawn, threads, provider)
            });
            if let Some(at) = known {
                break self.resident.remove(at);
            }
            if provider == Provider::Cpu {
                let time = nanos_per_pixel * drawn.area() as f64;
                self.slow.tell(&self.board, &wanted.model, drawn.size, time);
            }
            match Loaded::open(&self.runtime, &wanted.model, drawn, threads, provider) {
                Ok(mut loaded) => {
                    if provider != Provider::Cpu {
                        loaded.expected = nanos_per_pixel * drawn.area() as f64;
                    }
                    break Arc::new(loaded);
                }
                Err(error) if provider != Provider::Cpu => {
                    self.replace(provider, &error.to_string(), wanted);
                }
                // The smallest size may still do.
                Err(InferenceError::TooLong { .. })
                    if wanted.settings.quality != Quality::Auto
                        && self.slow.was_ended(&wanted.model) => {}
                Err(error) => return Err(error),
            }
        };
        self.resident.push(Arc::clone(&loaded));
        self.evict(wanted.settings.memory_mb);
        Ok(loaded)
    }

    /// `provider` draws no more; says what takes over.
    fn replace(&mut self, provider: Provider, why: &str, wanted: &Wanted) {
        self.engines.give_up(provider, why.to_owned());
        let name = provider.name();
        let text = match self.engines.pick(&wanted.model, wanted.settings.provider) {
            (Provider::Cpu, _) => {
                format!("{name} is replaced by the CPU until the next start. {why}")
            }
            (other, _) => format!(
                "{name} is replaced by {} until the next start. {why}",
                other.name()
            ),
        };
        self.board.notice(Topic::Runtime, Severity::Warning, text);
    }

    /// Lets go of what was not wanted for longest, until the rest fits into `memory_mb`. A size
    /// that the model in use was drawn at before goes first: it comes back with the old window.
    fn evict(&mut self, memory_mb: u32) {
        let sizes: Vec<u64> = (self.resident.iter())
            .map(|loaded| loaded.memory())
            .collect();
        self.resident
            .drain(..surplus(&sizes, u64::from(memory_mb) << 20));
    }

    /// CPU threads and nanoseconds a pixel; the latter is measured only where it decides.
    fn threads_and_speed(
        &mut self,
        model: &Arc<Model>,
        settings: &InferenceSettings,
    ) -> Result<(usize, f64), InferenceError> {
        if let (Some(threads), true) = (threads(settings), settings.quality != Quality::Auto) {
            return Ok((threads, 0.0));
        }
        let tuning = self.tuning(model, settings)?;
        Ok((tuning.threads, tuning.nanos_per_pixel))
    }

    /// How the CPU runs a model; measured at most once.
    fn tuning(
        &mut self,
        model: &Arc<Model>,
        settings: &InferenceSettings,
    ) -> Result<Tuning, InferenceError> {
        if let Some(tuning) = self.tuning_at_once(model, settings)? {
            return Ok(tuning);
        }
        let asked = threads(settings);
        let tuning = Tuning::of_slow(&self.runtime, model, &self.places, asked)?;
        self.known.push((model.sha256().to_owned(), asked, tuning));
        Ok(tuning)
    }

    /// The same, but `None` when that takes more than a moment.
    fn tuning_at_once(
        &mut self,
        model: &Arc<Model>,
        settings: &InferenceSettings,
    ) -> Result<Option<Tuning>, InferenceError> {
        let asked = threads(settings);
        let known = self
            .known
            .iter()
            .find(|(sha256, threads, _)| sha256 == model.sha256() && *threads == asked);
        if let Some((_, _, tuning)) = known {
            return Ok(Some(*tuning));
        }
        if self.slow.is_known(model) {
            return Ok(None);
        }
        let found = Tuning::at_once(&self.runtime, model, &self.places, asked)?;
        match found {
            Some(tuning) => (self.known).push((model.sha256().to_owned(), asked, tuning)),
            None => self.slow.add(model),
        }
        Ok(found)
    }

    /// Whether a picture takes seconds; measures where that decides anything.
    fn is_slow(&mut self, model: &Arc<Model>, settings: &InferenceSettings) -> bool {
        if threads(settings).is_some() && settings.quality != Quality::Auto {
            return false;
        }
        match self.tuning_at_once(model, settings) {
            Ok(Some(tuning)) => tuning.time(SMALLEST) > SLOW,
            Ok(None) => true,
            // It is told when it is loaded.
            Err(_) => false,
        }
    }

    /// What runs, and why not something better.
    fn engine(&mut self, loaded: &Loaded, wanted: &Wanted) -> Engine {
        let generator = &loaded.generator;
        let used = generator.provider();
        let asked = wanted.settings.provider;
        let reason = self.engines.reason(generator.model(), used, asked);
        let why = self.auto.as_ref().map_or("", |choice| &choice.why);
        let is_limited = match &self.auto {
            Some(choice) => choice.auto.is_limited(),
            None => {
                let long = wanted.frame.width.max(wanted.frame.height);
                wanted
                    .settings
                    .quality
                    .long_side()
                    .unwrap_or(long)
                    .min(long)
                    > wanted.ceiling
            }
        };
        let near = if is_limited { NEAR } else { "" };
        let lines = [reason.trim(), why, near].into_iter();
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        Engine {
            provider: Some(used),
            threads: generator.threads(),
            precision: generator.precision(),
            size: generator.size(),
            close_ups: loaded.close_side(),
            reason: lines.join("\n"),
        }
    }
}

/// CPU threads that the settings ask for.
fn threads(settings: &InferenceSettings) -> Option<usize> {
    settings
        .threads
        .map(|threads| threads.clamp(1, MAX_THREADS))
}

/// How many of the first must go so that the rest fits into `budget`; the last stays whatever it takes.
fn surplus(sizes: &[u64], budget: u64) -> usize {
    let mut rest: u64 = sizes.iter().sum();
    let mut count = 0;
    while count + 1 < sizes.len() && rest > budget {
        rest -= sizes[count];
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests;
