//! The compositor as a stage: drawings in, programs out.
//!
//! Latency comes first: a drawing that arrives is composited at once, unless the last program is
//! younger than the program's interval; then the newest drawing is taken when its time has come.
//! Without a new drawing the last program is held. A second thread waits for the device and brings
//! pixels into memory; a third draws pages, so that a change of page stalls nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::frame::{Frame, Picture, Pool, Program, Size, Stamp, Styled};
use crate::mailbox::{Mailbox, Taken};
use crate::panels::{Library, Page};
use crate::people::{self, Focus, Head};
use crate::settings::Control;
use crate::shots::Desk;
use crate::status::{Board, Rate, Severity, Stage, Topic};
use crate::watch::Watch;
use crate::worker::{Stop, Worker};

use super::booth::Booth;
use super::pages::{Pages, Wanted};
use super::readback;
use super::{Compositor, CompositorError, Gpu, Outlets, ProgramTexture, Reading, Scene};

/// How often changed settings are looked for while no drawing comes.
const IDLE: Duration = Duration::from_millis(5);
/// How long to wait while the device is behind.
const BUSY: Duration = Duration::from_micros(500);
/// Programs the device may be working on: one more than the one it draws, or it would idle.
const IN_FLIGHT: usize = 2;

/// Where the compositor gets its pictures.
pub struct Inbox {
    /// Camera pictures, for raw panels.
    pub frames: Arc<Mailbox<Arc<Frame>>>,
    /// Drawings.
    pub styled: Arc<Mailbox<Styled>>,
}

/// A program for a window.
#[derive(Clone)]
pub struct ScreenProgram {
    /// The picture. Holding it keeps it from being drawn over.
    pub texture: ProgramTexture,
    /// Stamp of the frame it shows; `None` while only the page's art is there.
    pub stamp: Option<Stamp>,
}

/// The running stage. Dropping it stops its threads.
pub struct Running {
    // In this order: who hands over stops before who takes.
    _compositor: Worker,
    _readback: Worker,
}

/// Starts the stage. Programs go to `screen` as textures, and to `outlets` as pictures in memory
/// when somebody subscribed.
///
/// # Errors
/// When the device refuses to work or the system gives no thread.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one arrow of the data flow"
)]
pub fn start(
    gpu: Arc<Gpu>,
    inbox: Inbox,
    pages: Arc<Library>,
    control: Arc<Watch<Control>>,
    screen: Option<Arc<Mailbox<ScreenProgram>>>,
    outlets: Arc<Outlets>,
    desk: Arc<Desk>,
    clock: Clock,
    board: Arc<Board>,
) -> Result<Running, CompositorError> {
    board.set_graphics(gpu.name.clone());
    let mut compositor = Compositor::new(Arc::clone(&gpu))?;
    compositor.draw_effects_aside()?;
    let pages = Pages::start(Arc::clone(&gpu), compositor.method(), pages)?;
    let jobs = Arc::new(Mailbox::new());
    let readback = {
        let (gpu, jobs, outlets) = (gpu, Arc::clone(&jobs), Arc::clone(&outlets));
        let (clock, board) = (clock.clone(), Arc::clone(&board));
        let pool = Pool::new();
        Worker::spawn("readback", move |_| {
            read_back(&gpu, &jobs, &pool, &outlets, &clock, &board);
        })?
    };
    let mut stage = Live {
        compositor,
        inbox,
        pages,
        control,
        screen,
        outlets,
        started: clock.now(),
        clock,
        board,
        jobs,
        in_flight: Arc::default(),
        drawing: None,
        frame: None,
        focus: Focus::default(),
        booth: Booth::new(desk),
        focused: Head::USUAL,
        last: None,
        animation: 0,
        trouble: [None, None],
        remarks: BTreeMap::new(),
    };
    let compositor = Worker::spawn("compositor", move |stop| {
        stage.run(stop);
        stage.outlets.close();
        stage.jobs.close();
    })?;
    Ok(Running {
        _compositor: compositor,
        _readback: readback,
    })
}

/// What the compositor's thread keeps.
struct Live {
    compositor: Compositor,
    inbox: Inbox,
    pages: Pages,
    control: Arc<Watch<Control>>,
    screen: Option<Arc<Mailbox<ScreenProgram>>>,
    outlets: Arc<Outlets>,
    clock: Clock,
    board: Arc<Board>,
    jobs: Arc<Mailbox<Job>>,
    in_flight: Arc<AtomicUsize>,
    started: Instant,
    drawing: Option<Drawing>,
    frame: Option<Arc<Frame>>,
    focus: Focus,
    booth: Booth,
    focused: Head,
    /// When the last program was composited.
    last: Option<Instant>,
    /// What of the page's animation the last program showed.
    animation: u64,
    /// The last errors of the device and of the page: one that repeats is said once.
    trouble: [Option<String>; 2],
    /// What was remarked about pages, by what they are chosen by.
    remarks: BTreeMap<String, Vec<String>>,
}

/// The newest drawing, and what of it the device has.
struct Drawing {
    styled: Styled,
    /// Whether the drawing is uploaded.
    uploaded: bool,
    /// Whether its frame is uploaded, for comparing.
    compared: bool,
    /// Whether a program showed it already.
    shown: bool,
}

/// A program that the device works on.
struct Job {
    work: Work,
    submitted: Instant,
    stamp: Option<Stamp>,
    /// Whether this is the first program of its drawing: latency is that one's.
    first: bool,
    _in_flight: InFlight,
}

enum Work {
    /// Pixels come to memory.
    Read(Reading),
    /// Nobody wants the pixels; only the time counts.
    Draw(Option<wgpu::SubmissionIndex>),
}

struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Live {
    fn run(&mut self, stop: &Stop) {
        let mut control = self.control.get();
        // The page's art is shown before the first drawing.
        let mut due = true;
        while !stop.asked() {
            let interval = Duration::from_secs(1) / control.settings.program.fps.clamp(1, 240);
            let busy = self.in_flight.load(Ordering::Acquire) >= IN_FLIGHT;
            let early = self.last.map_or(Duration::ZERO, |last| {
                interval.saturating_sub(self.clock.now().saturating_duration_since(last))
            });
            let patience = match (due, busy) {
                (true, true) => BUSY,
                (true, false) => early.min(IDLE),
                (false, _) => IDLE,
            };
            due |= self.take(patience, stop);

            let newest = self.control.get();
            // Publishing equal settings asks for the program once more.
            due |= !Arc::ptr_eq(&newest, &control);
            control = newest;
            due |= self.turn_page(&control);
            let (time, day) = (self.time(), self.clock.today());
            match self
                .booth
                .act(&mut self.compositor, &control.settings, time, day)
            {
                Ok(changed) => due |= changed,
                Err(error) => self.complain(GRAPHICS, &error),
            }
            due |= self.last.is_some_and(|last| {
                self.booth
                    .moves(self.clock.now().saturating_duration_since(last))
            });
            let look = &control.settings.look;
            self.compositor.set_effects_off(&look.effects_off);
            self.compositor.set_effect_strengths(&look.effect_strengths);
            // A photo does not change; its effects do.
            due |=
                self.drawing.is_some() && self.compositor.animation(self.time()) != self.animation;
            let early = self
                .last
                .is_some_and(|last| self.clock.now().saturating_duration_since(last) < interval);
            if !due || early || self.in_flight.load(Ordering::Acquire) >= IN_FLIGHT {
                continue;
            }
            due = false;
            self.last = Some(self.clock.now());
            match self.composite(&control) {
                Ok(()) => self.trouble[GRAPHICS] = None,
                Err(error) => {
                    let lost = matches!(error, CompositorError::Lost(_));
                    self.complain(GRAPHICS, &error);
                    if lost {
                        return;
                    }
                }
            }
        }
    }

    /// Waits for pictures; `true` when there is a new one to show.
    fn take(&mut self, patience: Duration, stop: &Stop) -> bool {
        let mut new = false;
        match self.inbox.styled.take_within(patience) {
            Taken::Value(styled) => {
                let faces = people::faces(&styled.picture, &styled.faces);
                self.focused = self.focus.follow(&faces, self.time());
                self.booth.see(&styled, faces, self.focused, self.time());
                self.drawing = Some(Drawing {
                    styled,
                    uploaded: false,
                    compared: false,
                    shown: false,
                });
                new = true;
            }
            Taken::TimedOut => {}
            // Settings may still change what is held.
            Taken::Closed => stop.sleep(patience),
        }
        if let Some(frame) = self.inbox.frames.try_take()
            && self.compositor.shows_frame()
        {
            self.frame = Some(frame);
            new = true;
        }
        new
    }

    /// Shows the page the settings name, as soon as it is drawn; `true` when it changed.
    fn turn_page(&mut self, control: &Control) -> bool {
        let frame = self
            .drawing
            .as_ref()
            .map(|drawing| drawing.styled.frame.picture.size());
        let chosen = control.settings.program.size;
        if control.settings.look.page == "none" {
            let size = chosen
                .or(frame
                    .map(|size| Size::new((size.width & !1).max(2), (size.height & !1).max(2))))
                .unwrap_or(Size::new(1280, 720));
            let before = self.compositor.size();
            return match self.compositor.set_page(&Page::plain(size), size) {
                Ok(()) => before != self.compositor.size(),
                Err(error) => {
                    self.complain(PAGE, &error);
                    false
                }
            };
        }
        let wanted = Wanted {
            page: control.settings.look.page.clone(),
            size: chosen,
            language: control.settings.window.language,
        };
        match self.pages.get(&wanted, self.time()) {
            Some(Ok(page)) => {
                self.trouble[PAGE] = None;
                let new = self.compositor.show(page);
                self.remark(&wanted.page);
                if let Some(drawing) = &mut self.drawing
                    && new
                {
                    // Another page may need its people cut out.
                    drawing.uploaded = false;
                }
                new
            }
            Some(Err(error)) => {
                self.complain(PAGE, &error);
                false
            }
            None => false,
        }
    }

    fn time(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.started)
    }

    fn composite(&mut self, control: &Control) -> Result<(), CompositorError> {
        let begun = self.clock.now();
        if let Some(drawing) = &mut self.drawing {
            if !drawing.uploaded {
                self.compositor.upload_drawing(&drawing.styled)?;
                drawing.uploaded = true;
            }
            if control.compare && !drawing.compared {
                self.compositor
                    .upload_frame(&drawing.styled.frame.picture)?;
                drawing.compared = true;
            }
        }
        if let Some(frame) = self.frame.take()
            && !control.compare
        {
            self.compositor.upload_frame(&frame.picture)?;
        }
        let time = self.time();
        self.booth
            .letter(&mut self.compositor, &control.settings, time);
        let scene = Scene {
            time,
            mirror: control.settings.look.mirror,
            compare: control.compare,
            focus: self.focused,
        };
        self.animation = self.compositor.animation(scene.time);
        let (stamp, first) = match &mut self.drawing {
            Some(drawing) => {
                let first = !std::mem::replace(&mut drawing.shown, true);
                (Some(drawing.styled.frame.stamp), first)
            }
            None => (None, false),
        };
        // A page without people is no program yet: nobody wants it in a recording or a photo.
        let (texture, work) = if stamp.is_some() && self.outlets.wanted() {
            let (texture, reading) = self.compositor.render_to_memory(&scene)?;
            (texture, Work::Read(reading))
        } else {
            let (texture, submission) = self.compositor.render_submitted(&scene)?;
            (texture, Work::Draw(submission))
        };
        let submitted = self.clock.now();
        self.board.record(Stage::Compositor, submitted - begun);
        if let Some(screen) = &self.screen {
            screen.send(ScreenProgram { texture, stamp });
        }
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.jobs.send(Job {
            work,
            submitted,
            stamp,
            first,
            _in_flight: InFlight(Arc::clone(&self.in_flight)),
        });
        Ok(())
    }

    /// Tells an artist what is wrong with the page that is shown, once until that changes: the first
    /// of it; the log has all.
    fn remark(&mut self, page: &str) {
        let remarks = self.compositor.page().warnings();
        if self.remarks.get(page).map_or(&[][..], Vec::as_slice) == remarks {
            return;
        }
        if let Some((first, others)) = remarks.split_first() {
            for other in others {
                tracing::warn!("{other} ({page})");
            }
            let said = match others.len() {
                0 => format!("The page is shown, but: {first} ({page})"),
                more => format!(
                    "The page is shown, but: {first} And {more} more: panelcam pages check {page}"
                ),
            };
            self.board.notice(Topic::Page, Severity::Warning, said);
        }
        self.remarks.insert(page.to_owned(), remarks.to_vec());
    }

    fn complain(&mut self, about: usize, error: &CompositorError) {
        let text = error.to_string();
        if self.trouble[about].as_ref() != Some(&text) {
            let (topic, severity) = match about {
                GRAPHICS => (Topic::Graphics, Severity::Critical),
                // The last good page stays.
                _ => (Topic::Page, Severity::Warning),
            };
            self.board.notice(topic, severity, &text);
            self.trouble[about] = Some(text);
        }
    }
}

/// Places in [`Live::trouble`].
const GRAPHICS: usize = 0;
const PAGE: usize = 1;

/// Waits for programs and gives them to whoever wants them.
fn read_back(
    gpu: &Gpu,
    jobs: &Mailbox<Job>,
    pool: &Pool<Picture>,
    outlets: &Outlets,
    clock: &Clock,
    board: &Board,
) {
    loop {
        let Job {
            work,
            submitted,
            stamp,
            first,
            _in_flight,
        } = match jobs.take_within(Duration::from_secs(1)) {
            Taken::Value(job) => job,
            Taken::TimedOut => continue,
            Taken::Closed => return,
        };
        let result = match work {
            Work::Draw(Some(submission)) => readback::wait(gpu, submission).map(|()| None),
            Work::Draw(None) => Ok(None),
            Work::Read(reading) => {
                let mut picture = pool.take();
                reading.finish(&mut picture).map(|()| Some(picture))
            }
        };
        let picture = match result {
            Ok(picture) => picture,
            Err(error) => {
                board.notice(Topic::Graphics, Severity::Critical, error);
                continue;
            }
        };
        let composed = clock.now();
        board.record(Stage::Readback, submitted.elapsed());
        let Some(stamp) = stamp else { continue };
        board.count(Rate::Program);
        if first {
            board.latency(composed.saturating_duration_since(stamp.captured));
        }
        if let Some(picture) = picture {
            outlets.send(&Arc::new(Program {
                stamp,
                composed,
                picture,
            }));
        }
    }
}
