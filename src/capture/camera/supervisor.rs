//! Keeps a camera running: chooses its format, notices when it hangs, is unplugged or is slow,
//! and opens it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::device::{self, Device, devices};
use super::format::{alternatives, ranked};
use super::interrupt::Interrupt;
use super::reader::{Job, Link, read};
use super::{Format, FourCc};
use crate::capture::made::Made;
use crate::capture::sender::Sender;
use crate::capture::{CaptureError, Demo, made};
use crate::frame::Size;
use crate::source::CameraChoice;
use crate::status::{Severity, SourceState, Topic};
use crate::worker::{Stop, Worker};

/// How often a running camera is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// A camera may take this long from being opened to its first frame.
const PATIENCE_OPENING: Duration = Duration::from_secs(6);
/// A running camera that sends nothing for this long hangs.
const PATIENCE_RUNNING: Duration = Duration::from_secs(2);
/// Waits between tries to open it again: the first, and the longest.
const RETRY: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// How long the rate of a format is measured before it is judged.
const TRIAL: Duration = Duration::from_millis(1200);
/// A rate below this share of what was promised is slow.
const SLOW: f64 = 0.8;
/// Another format must be this much faster to be worth changing to.
const WORTH_IT: f64 = 1.25;
/// How long a reader gets to end by itself, which takes a frame's time, before it is interrupted,
/// and how long in all before it is left behind.
const GOODBYE: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// Which camera is to be kept running.
pub(in crate::capture) enum Wanted {
    /// The first; as long as there has been none, the demo stands in.
    FirstOrDemo,
    /// This one and no other.
    Chosen(CameraChoice),
}

/// What is to be kept running.
pub(in crate::capture) struct Plan {
    pub wanted: Wanted,
    /// The format that a person chose.
    pub format: Option<Format>,
    /// Size that frames should cover, turned.
    pub need: Size,
    /// Frames a second that are wanted.
    pub fps: u32,
    pub sender: Arc<Sender>,
}

/// Runs until asked to stop.
pub(in crate::capture) fn supervise(plan: &Plan, stop: &Stop) {
    let mut supervisor = Supervisor {
        plan,
        known: None,
        settled: None,
        stand_in: None,
        wait: RETRY[0],
        told: String::new(),
        tries: 0,
    };
    while !stop.asked() {
        if let Err(error) = supervisor.run(stop) {
            supervisor.report(&error);
            stop.sleep(supervisor.wait);
            supervisor.wait = (supervisor.wait * 2).min(RETRY[1]);
            supervisor.tries += 1;
        }
    }
}

struct Supervisor<'a> {
    plan: &'a Plan,
    /// The camera that has given frames: after an unplug it is looked for first.
    known: Option<Device>,
    /// The format that its measured rate decided for.
    settled: Option<Format>,
    /// The demo's thread.
    stand_in: Option<Worker>,
    wait: Duration,
    /// The last message shown, so that a retry does not repeat it.
    told: String,
    tries: usize,
}

/// How a run with one format ended.
enum Outcome {
    Stopped,
    /// Far fewer frames a second than promised.
    Slow(f64),
}

impl Supervisor<'_> {
    /// Opens the camera and keeps it until it fails or all ends.
    fn run(&mut self, stop: &Stop) -> Result<(), CaptureError> {
        let device = self.pick(&devices()?)?;
        let need = self.plan.sender.turn.size(self.plan.need);
        let ranked = ranked(&device.formats, need, self.plan.fps);
        let mut format = self.first_format(&device, &ranked);
        let mut measured: Vec<(Format, f64)> = Vec::new();
        loop {
            let rate = match self.watch(&device, format, stop)? {
                Outcome::Stopped => return Ok(()),
                Outcome::Slow(rate) => rate,
            };
            measured.push((format, rate));
            tracing::info!(
                "{} gives {rate:.1} frames a second as {format}.",
                device.name
            );
            let first = measured[0].0;
            let next = alternatives(&ranked, first)
                .into_iter()
                .find(|format| measured.iter().all(|(tried, _)| tried != format));
            format = match next {
                Some(next) => next,
                None => {
                    let (best, rate) = best_of(&measured);
                    self.settled = Some(best);
                    self.plan.sender.board.notice(
                        Topic::Source,
                        Severity::Info,
                        format_args!(
                            "{} gives {rate:.0} frames a second instead of {}. More light or a \
                             fixed exposure makes a camera faster, another USB port sometimes.",
                            device.name, best.fps
                        ),
                    );
                    best
                }
            };
        }
    }

    /// The camera to open, of those present.
    fn pick(&self, present: &[Device]) -> Result<Device, CaptureError> {
        if let Some(known) = &self.known {
            // A replugged camera may have become another device file.
            let again = present
                .iter()
                .find(|device| device.name == known.name && device.path == known.path)
                .or_else(|| present.iter().find(|device| device.name == known.name));
            if let Some(device) = again {
                return Ok(device.clone());
            }
        }
        match &self.plan.wanted {
            Wanted::Chosen(choice) => device::find(present, choice).cloned(),
            // One that cannot be opened must not hide another that can.
            Wanted::FirstOrDemo if !present.is_empty() => {
                Ok(present[self.tries % present.len()].clone())
            }
            Wanted::FirstOrDemo => Err(CaptureError::NoCamera),
        }
    }

    fn first_format(&self, device: &Device, ranked: &[Format]) -> Format {
        let best = ranked.first().copied();
        match (self.plan.format, self.settled) {
            (Some(chosen), _) if device.formats.is_empty() || device.formats.contains(&chosen) => {
                chosen
            }
            (Some(chosen), _) => {
                let best = best.unwrap_or(chosen);
                self.plan.sender.board.notice(
                    Topic::Source,
                    Severity::Warning,
                    format_args!(
                        "{} does not offer {chosen}. {best} is used; `panelcam devices` lists all.",
                        device.name
                    ),
                );
                best
            }
            (None, Some(settled)) if device.formats.contains(&settled) => settled,
            // A camera that may not be opened offers nothing: opening it tells why.
            _ => best.unwrap_or(Format {
                fourcc: FourCc::Mjpeg,
                size: Size::new(1280, 720),
                fps: 30,
            }),
        }
    }

    /// Reads from the camera in one format until something is to be done about it.
    fn watch(
        &mut self,
        device: &Device,
        format: Format,
        stop: &Stop,
    ) -> Result<Outcome, CaptureError> {
        let started = Instant::now();
        let reader = Reader::start(Job {
            device: device.clone(),
            format,
            need: self.plan.need,
            sender: Arc::clone(&self.plan.sender),
        })?;
        let judged = self.plan.format == Some(format) || self.settled == Some(format);
        let promised = f64::from(format.fps.min(self.plan.fps));
        let mut live = false;
        loop {
            stop.sleep(LOOK);
            if stop.asked() {
                reader.end();
                return Ok(Outcome::Stopped);
            }
            let report = reader.link.report();
            if !live && report.good > 0 {
                live = true;
                self.went_live(device, format);
            }
            if reader.worker.finished() {
                return Err(match reader.result.lock().take() {
                    Some(Err(CaptureError::Camera { .. })) if device.formats.is_empty() => {
                        CaptureError::NoFormat {
                            name: device.name.clone(),
                            path: device.place(),
                        }
                    }
                    Some(Err(error)) => error,
                    _ => CaptureError::Camera {
                        name: device.name.clone(),
                        reason: "it was closed unexpectedly".to_owned(),
                        path: device.place(),
                    },
                });
            }
            let (since, patience) = match report.last {
                Some(last) => (last, PATIENCE_RUNNING),
                None => (started, PATIENCE_OPENING),
            };
            if since.elapsed() > patience {
                reader.end();
                return Err(CaptureError::Stalled {
                    name: device.name.clone(),
                    path: device.place(),
                });
            }
            if !judged && self.settled != Some(format) && report.span() > TRIAL {
                let rate = report.rate();
                if rate < SLOW * promised {
                    reader.end();
                    return Ok(Outcome::Slow(rate));
                }
                self.settled = Some(format);
            }
        }
    }

    fn went_live(&mut self, device: &Device, format: Format) {
        self.stand_in = None;
        let board = &self.plan.sender.board;
        board.set_source(SourceState::Live {
            name: device.name.clone(),
            size: format.size,
            format: format.fourcc.name().to_owned(),
        });
        if !self.told.is_empty() {
            let text = format!("{} is live.", device.name);
            board.notice(Topic::Source, Severity::Info, text);
            self.told.clear();
        }
        if self
            .known
            .as_ref()
            .is_some_and(|known| known.name != device.name)
        {
            self.settled = None;
        }
        self.known = Some(device.clone());
        self.wait = RETRY[0];
        self.tries = 0;
    }

    /// Tells what is wrong, once, and shows the state.
    fn report(&mut self, error: &CaptureError) {
        let board = &self.plan.sender.board;
        if let (Wanted::FirstOrDemo, None) = (&self.plan.wanted, &self.known) {
            let (severity, text) = match error {
                CaptureError::NoCamera => (
                    Severity::Info,
                    "No camera was found, so the demo is shown. Plug one in and it takes over."
                        .to_owned(),
                ),
                error => (Severity::Warning, format!("The demo is shown. {error}")),
            };
            self.tell(severity, text);
            self.stand_in();
            // Slow enough to cost nothing, quick enough that a plugged camera seems to be noticed.
            self.wait = Duration::from_secs(1);
            return;
        }
        board.set_source(match &self.known {
            Some(known) => SourceState::Lost {
                name: known.name.clone(),
                retry_in: self.wait,
            },
            None => SourceState::Failed,
        });
        let severity = match self.known {
            Some(_) => Severity::Warning,
            None => Severity::Critical,
        };
        // What was there a moment ago and is no longer listed was unplugged.
        let text = match (&self.known, error) {
            (Some(known), CaptureError::NoCamera | CaptureError::WrongCamera { .. }) => {
                CaptureError::Unplugged {
                    name: known.name.clone(),
                    path: known.place(),
                }
                .to_string()
            }
            _ => error.to_string(),
        };
        self.tell(severity, text);
    }

    fn tell(&mut self, severity: Severity, text: String) {
        if self.told != text {
            self.plan
                .sender
                .board
                .notice(Topic::Source, severity, &text);
            self.told = text;
        }
    }

    fn stand_in(&mut self) {
        if self.stand_in.is_some() {
            return;
        }
        let (sender, fps) = (Arc::clone(&self.plan.sender), self.plan.fps.min(30));
        match Demo::new(self.plan.need) {
            Ok(demo) => {
                self.stand_in = Worker::spawn("demo", move |stop| {
                    made::run(Made::Demo(demo), fps, &sender, stop);
                })
                .ok();
            }
            Err(error) => tracing::error!("{error}"),
        }
    }
}

/// The first unless another was much faster.
fn best_of(measured: &[(Format, f64)]) -> (Format, f64) {
    let first = measured[0];
    let fastest = measured
        .iter()
        .copied()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or(first);
    if fastest.1 > first.1 * WORTH_IT {
        fastest
    } else {
        first
    }
}

/// A running reader. It must be ended with [`Reader::end`]: its thread may hang.
struct Reader {
    worker: Worker,
    interrupt: Arc<Interrupt>,
    link: Arc<Link>,
    result: Arc<Mutex<Option<Result<(), CaptureError>>>>,
}

impl Reader {
    fn start(job: Job) -> Result<Self, CaptureError> {
        let interrupt = Arc::new(Interrupt::default());
        let link = Arc::new(Link::default());
        let result = Arc::new(Mutex::new(None));
        let its = (
            Arc::clone(&interrupt),
            Arc::clone(&link),
            Arc::clone(&result),
        );
        let worker = Worker::spawn("camera", move |stop| {
            let (interrupt, link, result) = its;
            let ended = interrupt.during(|| read(&job, &link, stop));
            *result.lock() = Some(ended);
        })?;
        Ok(Self {
            worker,
            interrupt,
            link,
            result,
        })
    }

    /// Ends the thread; one that hangs in the driver is left behind.
    fn end(self) {
        let started = Instant::now();
        self.worker.ask_to_stop();
        while !self.worker.finished() {
            if started.elapsed() > GOODBYE[1] {
                self.worker.abandon();
                return;
            }
            if started.elapsed() > GOODBYE[0] {
                self.interrupt.send();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
