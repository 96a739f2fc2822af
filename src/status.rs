//! What is going on, measured: every stage reports here, the control panel and `bench` read it.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;

use crate::frame::Size;
use crate::settings::Provider;

/// How many of the newest measurements a percentile is taken over.
const WINDOW: usize = 512;
/// Rates are counted over this long.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// A part of the pipeline that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Decoding a frame, without waiting for the device.
    Capture,
    /// Frame to tensor.
    Prepare,
    /// The generator's run alone.
    Inference,
    /// Tensor to picture.
    Finish,
    /// Recording and submitting the GPU's work for a program.
    Compositor,
    /// From submission until the pixels are in memory.
    Readback,
}

impl Stage {
    /// All, in the order of the data flow.
    pub const ALL: [Self; 6] = [
        Self::Capture,
        Self::Prepare,
        Self::Inference,
        Self::Finish,
        Self::Compositor,
        Self::Readback,
    ];

    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Prepare => "prepare",
            Self::Inference => "inference",
            Self::Finish => "finish",
            Self::Compositor => "compositor",
            Self::Readback => "readback",
        }
    }
}

/// Something that happens many times a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Frames from the source.
    Captured,
    /// Drawings from the generator.
    Styled,
    /// Programs from the compositor.
    Program,
}

/// How the source is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SourceState {
    /// It is being opened.
    #[default]
    Opening,
    /// Frames come.
    Live {
        /// Its name, for people.
        name: String,
        /// Size of its frames, before any scaling.
        size: Size,
        /// Format as the device names it, or the codec; empty for made pictures.
        format: String,
    },
    /// It was there and is gone; the last frame is held.
    Lost {
        /// Its name, for people.
        name: String,
        /// When the next try is made.
        retry_in: Duration,
    },
    /// It cannot be used; what to do is in the notice.
    Failed,
    /// A video that has come to its end.
    Ended,
}

/// What runs the generator.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Engine {
    /// The provider in use; `None` while none is loaded.
    pub provider: Option<Provider>,
    /// CPU threads of the generator.
    pub threads: usize,
    /// How exactly it calculates.
    pub precision: Precision,
    /// Size of the generator's pictures.
    pub size: Size,
    /// Pixels a side of the square in which close-ups of faces are drawn; `None`: there are none.
    pub close_ups: Option<u32>,
    /// Why this provider and not a better one, for people.
    pub reason: String,
}

/// How exactly a network calculates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// In floating point.
    #[default]
    Full,
    /// In whole numbers of 8 bits.
    EightBit,
}

impl Precision {
    /// Unique, as it stands in measurements.
    pub fn id(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::EightBit => "eight_bit",
        }
    }

    /// What is said after what it is of, on the command line; nothing of what is usual.
    pub fn aside(self) -> &'static str {
        match self {
            Self::Full => "",
            Self::EightBit => ", in 8 bits",
        }
    }
}

/// Whether other programs can ask for things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServerState {
    /// Nobody wants that.
    #[default]
    Off,
    /// They can, there.
    Listening(SocketAddr),
    /// They cannot: why, and what to do.
    Failed(String),
}

/// How bad a notice is, by what a visitor sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something is off; the program picture goes on.
    Warning,
    /// There is no program picture until somebody acts.
    Critical,
}

/// What a notice is about. A newer notice on a topic replaces the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The source of frames.
    Source,
    /// ONNX Runtime.
    Runtime,
    /// The style or its model.
    Style,
    /// The page.
    Page,
    /// Graphics.
    Graphics,
    /// A file that was or could not be written.
    Output,
    /// The settings file.
    Settings,
    /// What other programs ask over.
    Server,
}

/// A message for the person at the machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// How bad it is.
    pub severity: Severity,
    /// What happened, what to do, the path last.
    pub text: String,
}

/// 50th, 95th and 99th percentile, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of the measurements are below.
    pub p50: f64,
    /// 95 in 100 are below.
    pub p95: f64,
    /// 99 in 100 are below.
    pub p99: f64,
}

impl Percentiles {
    /// Of `values`, by the nearest rank; zeros when there are none.
    pub fn of(values: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = values.into_iter().collect();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (sorted.len() as f64 * share).ceil() as usize;
            sorted
                .get(rank.max(1) - 1)
                .map_or(0.0, |value| value.as_secs_f64() * 1000.0)
        };
        Self {
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99),
        }
    }
}

/// A snapshot of everything, for showing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// How the source is doing.
    pub source: SourceState,
    /// What runs the generator.
    pub engine: Engine,
    /// Name of the graphics adapter.
    pub graphics: String,
    /// Whether other programs can ask for things.
    pub server: ServerState,
    /// Frames a second from the source, measured.
    pub captured_per_second: f64,
    /// Drawings a second.
    pub styled_per_second: f64,
    /// Programs a second.
    pub program_per_second: f64,
    /// From capture to the finished program.
    pub latency: Percentiles,
    /// Time of each stage, in the order of [`Stage::ALL`].
    pub stages: [Percentiles; Stage::ALL.len()],
    /// Frames replaced at a hand-over before they were used.
    pub dropped: u64,
    /// Frames and programs counted since the start, in the order captured, styled, program.
    pub counts: [u64; 3],
}

/// Where the stages report. Share it in an [`Arc`].
pub struct Board {
    state: Mutex<State>,
    notices: Mutex<VecDeque<Notice>>,
    /// The newest notice of each topic, taken or not, and since when.
    told: Mutex<Vec<(Instant, Notice)>>,
}

struct State {
    status: Status,
    stages: [Ring; Stage::ALL.len()],
    latency: Ring,
    rates: [VecDeque<Instant>; 3],
    first_drawn: Option<Instant>,
}

#[derive(Default)]
struct Ring(VecDeque<Duration>);

impl Ring {
    fn push(&mut self, value: Duration) {
        if self.0.len() == WINDOW {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }
}

impl Board {
    /// An empty board.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                status: Status::default(),
                stages: Default::default(),
                latency: Ring::default(),
                rates: Default::default(),
                first_drawn: None,
            }),
            notices: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// Records that `stage` took `time` for one frame.
    pub fn record(&self, stage: Stage, time: Duration) {
        self.state.lock().stages[stage as usize].push(time);
    }

    /// Times `work` as `stage`.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.record(stage, started.elapsed());
        result
    }

    /// Counts one frame, drawing or program.
    pub fn count(&self, rate: Rate) {
        let now = Instant::now();
        let mut state = self.state.lock();
        let times = &mut state.rates[rate as usize];
        times.push_back(now);
        while times.front().is_some_and(|time| now - *time > RATE_WINDOW) {
            times.pop_front();
        }
        state.status.counts[rate as usize] += 1;
        if rate == Rate::Program && state.status.counts[Rate::Styled as usize] > 0 {
            state.first_drawn.get_or_insert(now);
        }
    }

    /// Records the time from capture to the finished program.
    pub fn latency(&self, time: Duration) {
        self.state.lock().latency.push(time);
    }

    /// Counts frames that were replaced before they were used.
    pub fn dropped(&self, frames: u64) {
        self.state.lock().status.dropped += frames;
    }

    /// Says how the source is doing.
    pub fn set_source(&self, source: SourceState) {
        self.state.lock().status.source = source;
    }

    /// Says what runs the generator.
    pub fn set_engine(&self, engine: Engine) {
        self.state.lock().status.engine = engine;
    }

    /// Says which graphics adapter is in use.
    pub fn set_graphics(&self, name: String) {
        self.state.lock().status.graphics = name;
    }

    /// Says whether other programs can ask for things.
    pub fn set_server(&self, server: ServerState) {
        self.state.lock().status.server = server;
    }

    /// Forgets all measurements, for a run that starts after a warm-up.
    pub fn reset_measurements(&self) {
        let mut state = self.state.lock();
        state.stages = Default::default();
        state.latency = Ring::default();
        state.status.dropped = 0;
        state.status.counts = [0; 3];
    }

    /// When the first program with a drawing in it was finished.
    pub fn first_drawn(&self) -> Option<Instant> {
        self.state.lock().first_drawn
    }

    /// Everything now.
    pub fn status(&self) -> Status {
        let now = Instant::now();
        let state = self.state.lock();
        let mut status = state.status.clone();
        let per_second = |rate: Rate| {
            let times = &state.rates[rate as usize];
            let fresh = times
                .iter()
                .filter(|time| now - **time <= RATE_WINDOW)
                .count();
            let span = times
                .front()
                .map_or(RATE_WINDOW, |first| (now - *first).min(RATE_WINDOW));
            if fresh < 2 {
                0.0
            } else {
                fresh as f64 / span.as_secs_f64().max(0.001)
            }
        };
        status.captured_per_second = per_second(Rate::Captured);
        status.styled_per_second = per_second(Rate::Styled);
        status.program_per_second = per_second(Rate::Program);
        status.latency = Percentiles::of(state.latency.0.iter().copied());
        for (shown, ring) in status.stages.iter_mut().zip(&state.stages) {
            *shown = Percentiles::of(ring.0.iter().copied());
        }
        status
    }

    /// Tells the person at the machine, and the log. The same text again is not repeated while it
    /// waits to be shown.
    pub fn notice(&self, topic: Topic, severity: Severity, text: impl fmt::Display) {
        let notice = Notice {
            topic,
            severity,
            text: text.to_string(),
        };
        let mut notices = self.notices.lock();
        if notices.contains(&notice) {
            return;
        }
        match severity {
            Severity::Info => tracing::info!("{}", notice.text),
            Severity::Warning | Severity::Critical => tracing::warn!("{}", notice.text),
        }
        let mut told = self.told.lock();
        told.retain(|(_, old)| old.topic != topic);
        told.push((Instant::now(), notice.clone()));
        notices.retain(|old| old.topic != topic || old.severity > severity);
        notices.push_back(notice);
    }

    /// The newest notice of each topic with its age, the oldest first, whoever took it.
    pub fn told(&self) -> Vec<(Duration, Notice)> {
        let told = self.told.lock().clone();
        let aged = |(since, notice): (Instant, Notice)| (since.elapsed(), notice);
        told.into_iter().map(aged).collect()
    }

    /// The notices nobody has taken yet, oldest first.
    pub fn take_notices(&self) -> Vec<Notice> {
        self.notices.lock().drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_the_nearest_rank() {
        let hundred = (1..=100).map(Duration::from_millis);
        assert_eq!(
            Percentiles::of(hundred),
            Percentiles {
                p50: 50.0,
                p95: 95.0,
                p99: 99.0
            }
        );
        assert_eq!(Percentiles::of([Duration::from_millis(7)]).p99, 7.0);
        assert_eq!(Percentiles::of([]), Percentiles::default());
    }

    #[test]
    fn a_notice_is_not_repeated_while_it_waits() {
        let board = Board::new();
        for _ in 0..3 {
            board.notice(Topic::Source, Severity::Warning, "The camera is gone.");
        }
        assert_eq!(board.take_notices().len(), 1);
        assert_eq!(board.take_notices(), vec![]);
    }

    #[test]
    fn stages_and_counts_are_kept_apart() {
        let board = Board::new();
        board.record(Stage::Inference, Duration::from_millis(9));
        board.count(Rate::Styled);
        board.count(Rate::Styled);
        let status = board.status();
        assert_eq!(status.stages[Stage::Inference as usize].p50, 9.0);
        assert_eq!(status.stages[Stage::Capture as usize].p50, 0.0);
        assert_eq!(status.counts, [0, 2, 0]);
        assert!(board.first_drawn().is_none());
    }
}
