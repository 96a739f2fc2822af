//! The running stage: threads that prepare, run and finish, one that loads, and one that watches the
//! runs.

mod drawing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::drawing::{Drawing, HANGS};
use super::ceiling::Ceiling;
use super::closeup::{CloseRetouch, Framing};
use super::engines::Engines;
use super::error::InferenceError;
use super::faces::Faces;
use super::library::{Library, Style};
use super::loaded::{Lease, Loaded};
use super::loader::{Answer, Loader, Wanted};
use super::model::Model;
use super::pace::Pace;
use super::retouch::Retouch;
use super::runtime::Runtime;
use super::segmenter::CoarseMatte;
use super::sizes::is_enlarged;
use super::slow::Slow;
use super::style_map::StyleMap;
use crate::frame::{Face, Frame, Picture, Pool, Size, Styled};
use crate::mailbox::{Mailbox, Replaced, Taken};
use crate::places::Places;
use crate::settings::{Control, InferenceSettings, LookSettings, Settings};
use crate::status::{Board, Rate, Severity, Stage, Topic};
use crate::watch::Watch;
use crate::worker::{Stop, Worker};

/// How long a thread waits for work before it looks around.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often a frame is looked at for faces: once for so much of the time until the next, at most so
/// many times.
const LOOK_EVERY: Duration = Duration::from_millis(33);
const LOOKS_AT_ONCE: u128 = 6;
/// A picture is looked at again when no other came for so long.
const STAYS: Duration = Duration::from_millis(500);
/// How often a picture that stays is looked at for faces, at most: all its parts, about twice.
const LOOKS_AT_A_STILL: u32 = 64;

/// The stage, running. Dropping it stops and joins its threads; one that hangs in a driver is left behind.
pub struct Inference {
    workers: Vec<Worker>,
}

/// Starts drawing: frames are taken from `input`, the newest alone; drawings go to `output`.
/// Style, strength, quality and threads are read from `control` for each frame. A style of
/// another model, another size or number of threads is loaded while the former draws.
///
/// # Errors
/// When there is no style at all, or the system gives no threads. What goes wrong later is a
/// notice on `board`; the former style goes on.
pub fn start(
    runtime: Arc<Runtime>,
    library: Arc<Watch<Library>>,
    input: Arc<Mailbox<Arc<Frame>>>,
    output: Arc<Mailbox<Styled>>,
    control: Arc<Watch<Control>>,
    places: &Places,
    board: Arc<Board>,
) -> Result<Inference, InferenceError> {
    let settings = &control.get().settings;
    let styles = library.get();
    let style = styles
        .get(&settings.look.style)
        .or(styles.styles().first())
        .ok_or(InferenceError::NoStyle)?
        .clone();
    let (wishes, answers) = (Arc::new(Mailbox::new()), Arc::new(Mailbox::new()));
    let (prepared, drawn) = (Arc::new(Mailbox::new()), Arc::new(Mailbox::new()));
    let pace = Arc::new(Pace::default());
    // Without it faces are guessed from the matte.
    let faces = Faces::open(&runtime)
        .inspect_err(|error| tracing::warn!("{error}"))
        .ok();

    let first = Wanted {
        model: Arc::clone(&style.model),
        frame: Size::default(),
        settings: settings.inference.clone(),
        fps: settings.program.fps,
        ceiling: u32::MAX,
    };
    let mut loader = Loader {
        engines: Engines::new(Arc::clone(&runtime), places.clone(), Arc::clone(&board)),
        runtime,
        places: places.clone(),
        pace: Arc::clone(&pace),
        started: Instant::now(),
        auto: None,
        wishes: Arc::clone(&wishes),
        answers: Arc::clone(&answers),
        board: Arc::clone(&board),
        resident: Vec::new(),
        known: Vec::new(),
        last: None,
        rescue: (styles.styles().first()).map(|style| Arc::clone(&style.model)),
        slow: Slow::default(),
    };
    let mut preparer = Preparer {
        library,
        input,
        control: Arc::clone(&control),
        wishes,
        answers,
        prepared: Arc::clone(&prepared),
        pace: Arc::clone(&pace),
        board: Arc::clone(&board),
        drawing: style.clone(),
        chosen: style,
        unknown: None,
        wanted: None,
        rescue: None,
        loaded: None,
        generation: 0,
        map: None,
        faces,
        found: Vec::new(),
        looks: 0,
        came: None,
        framing: Framing::default(),
        people: CoarseMatte::default(),
        ceiling: Ceiling::default(),
        started: Instant::now(),
        frame: None,
        drawn_with: None,
    };
    let drawing = Drawing {
        input: prepared,
        output: Arc::clone(&drawn),
        pace,
        board: Arc::clone(&board),
    };
    Ok(Inference {
        workers: vec![
            Worker::spawn("prepare", move |stop| preparer.run(stop))?,
            Worker::spawn("watch", move |stop| drawing.watch(stop))?,
            Worker::spawn("finish", move |stop| {
                finish(&drawn, &output, &control, &board, stop);
            })?,
            Worker::spawn("load", move |stop| loader.run(&first, stop))?,
        ],
    })
}

impl Drop for Inference {
    fn drop(&mut self) {
        // All at once, then each is waited for, but not for a driver that hangs.
        self.workers.iter().for_each(Worker::ask_to_stop);
        let due = Instant::now() + HANGS + PATIENCE * 4;
        for worker in self.workers.drain(..) {
            worker.end_within(due.saturating_duration_since(Instant::now()));
        }
    }
}

/// A frame on its way through the network.
struct Job {
    frame: Arc<Frame>,
    slot: Lease,
    /// Those in it.
    faces: Vec<Face>,
    /// What it is drawn with.
    key: MapKey,
}

/// The thread that turns the newest frame into tensors, and decides what draws it.
struct Preparer {
    library: Arc<Watch<Library>>,
    input: Arc<Mailbox<Arc<Frame>>>,
    control: Arc<Watch<Control>>,
    wishes: Arc<Mailbox<Wanted>>,
    answers: Arc<Mailbox<Answer>>,
    prepared: Arc<Mailbox<Job>>,
    pace: Arc<Pace>,
    board: Arc<Board>,
    /// The last style in the settings that exists.
    chosen: Style,
    /// The style that draws: `chosen`, or the former one while `chosen` is being loaded.
    drawing: Style,
    /// An id in the settings that no style has; told once.
    unknown: Option<String>,
    /// What was asked of the loader last.
    wanted: Option<Wanted>,
    /// Nothing draws and the chosen style cannot with these settings: the first style is loaded
    /// instead.
    rescue: Option<InferenceSettings>,
    loaded: Option<Arc<Loaded>>,
    /// Counts the generators that were loaded.
    generation: u64,
    map: Option<(MapKey, StyleMap)>,
    faces: Option<Faces>,
    /// Those in the newest frame, and how often that one was looked at.
    found: Vec<Face>,
    looks: u32,
    /// When the newest frame came.
    came: Option<Instant>,
    framing: Framing,
    /// Those in the newest frame.
    people: CoarseMatte,
    ceiling: Ceiling,
    started: Instant,
    /// The newest frame.
    frame: Option<Arc<Frame>>,
    /// What the newest frame was drawn with: a still source sends no other frame.
    drawn_with: Option<MapKey>,
}

/// What a drawing depends on besides its frame.
#[derive(Clone, Copy, PartialEq)]
struct MapKey {
    generation: u64,
    channel: usize,
    strength: f32,
}

/// When a frame is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Draw {
    Always,
    WhenLookChanged,
}

impl Preparer {
    fn run(&mut self, stop: &Stop) {
        while !stop.asked() {
            match self.input.take_within(PATIENCE) {
                Taken::Value(mut frame) => {
                    self.pace.wait_until_due();
                    if let Some(newer) = self.input.try_take() {
                        self.board.dropped(1);
                        frame = newer;
                    }
                    self.pace.frame(frame.stamp);
                    self.frame = Some(frame);
                    (self.came, self.looks) = (Some(Instant::now()), 0);
                    self.prepare(Draw::Always);
                }
                Taken::TimedOut => self.prepare(Draw::WhenLookChanged),
                Taken::Closed => break,
            }
        }
    }

    fn prepare(&mut self, draw: Draw) {
        let Some(frame) = self
            .frame
            .clone()
            .filter(|frame| frame.picture.size().area() > 0)
        else {
            return;
        };
        let control = self.control.get();
        self.adopt();
        self.choose(&control.settings.look);
        self.wish(frame.picture.size(), &control.settings);
        let Some(loaded) = self.loaded.clone() else {
            return;
        };
        let strength = control.settings.look.strength;
        let strength = if strength.is_finite() {
            strength.clamp(0.0, 1.0)
        } else {
            1.0
        };
        let key = MapKey {
            generation: self.generation,
            channel: self.drawing.channel,
            strength,
        };
        let is_drawn = draw == Draw::WhenLookChanged && self.drawn_with == Some(key);
        if is_drawn && !self.shows_more(&loaded, &frame.picture) {
            return;
        }
        let Some(mut slot) = self.free_slot(&loaded) else {
            self.board.dropped(1);
            return;
        };
        let started = Instant::now();
        match self.fill(&mut slot, &frame.picture, key) {
            Ok(()) => {
                let time = started.elapsed();
                self.board.record(Stage::Prepare, time);
                self.drawn_with = Some(key);
                self.pace.prepared(time);
                let faces = self.found.clone();
                let job = Job {
                    frame,
                    slot,
                    faces,
                    key,
                };
                if self.prepared.send(job) == Replaced::Yes {
                    self.board.dropped(1);
                }
            }
            Err(error) => slot.home().fault(&self.board, &error),
        }
    }

    fn fill(
        &mut self,
        slot: &mut Lease,
        picture: &Picture,
        key: MapKey,
    ) -> Result<(), InferenceError> {
        let drawing = slot.home().generator.size();
        {
            let Some((generator, slot)) = slot.parts() else {
                return Ok(());
            };
            let map = match self.map.take() {
                Some((known, map)) if known == key => map,
                _ => StyleMap::uniform(
                    generator.model(),
                    generator.size(),
                    key.channel,
                    key.strength,
                )?,
            };
            let result = generator.prepare(picture, &map, slot);
            self.people.copy_from(slot.people());
            self.map = Some((key, map));
            result?;
            // Photos and slow cameras give fewer frames, and as much time for each.
            let frames = self.pace.interval().as_millis() / LOOK_EVERY.as_millis();
            for _ in 0..frames.clamp(1, LOOKS_AT_ONCE) {
                self.look(picture, slot.input());
            }
        }
        let Some((closer, close)) = slot.close_parts() else {
            return Ok(());
        };
        let framed = (self.framing).follow(&self.found, picture.size(), drawing, closer.side());
        let seen = (picture, &self.people);
        if let Err(error) = closer.prepare(seen, framed, (key.channel, key.strength), close) {
            slot.home().close_up_failed(&error);
        }
        Ok(())
    }

    /// Looks for faces; `small` is the same picture, smaller.
    fn look(&mut self, picture: &Picture, small: &Picture) {
        self.looks += 1;
        if let Some(faces) = &mut self.faces {
            match faces.look(picture, small) {
                Ok(found) => self.found = found,
                Err(error) => {
                    tracing::warn!("{error}");
                    self.faces = None;
                    self.found.clear();
                }
            }
        }
    }

    /// Whether another look at a frame that was drawn shows something new: a still picture is looked
    /// at in parts, and its close-ups come softly.
    fn shows_more(&mut self, loaded: &Loaded, picture: &Picture) -> bool {
        if self.came.is_none_or(|came| came.elapsed() < STAYS) {
            return false;
        }
        if self.looks < LOOKS_AT_A_STILL {
            let before = self.found.clone();
            self.look(picture, picture);
            if !are_alike(&before, &self.found) {
                return true;
            }
            self.found = before;
        }
        let (frame, drawing) = (picture.size(), loaded.generator.size());
        loaded
            .close_side()
            .is_some_and(|side| self.framing.would_change(&self.found, frame, drawing, side))
    }

    /// A slot for the next frame; when all are under way, that of the frame which waits.
    fn free_slot(&self, loaded: &Arc<Loaded>) -> Option<Lease> {
        loaded.slot(Duration::ZERO).or_else(|| {
            if self.prepared.try_take().is_some() {
                self.board.dropped(1);
            }
            loaded.slot(PATIENCE)
        })
    }

    /// Follows the settings to another style.
    fn choose(&mut self, look: &LookSettings) {
        if self.chosen.id != look.style {
            match self.library.get().get(&look.style) {
                Some(style) => {
                    self.chosen = style.clone();
                    self.unknown = None;
                    self.rescue = None;
                }
                None if self.unknown.as_ref() != Some(&look.style) => {
                    self.unknown = Some(look.style.clone());
                    let text = format!(
                        "There is no style called {}; {} goes on. Choose another.",
                        look.style, self.chosen.id
                    );
                    self.board.notice(Topic::Style, Severity::Warning, text);
                }
                None => {}
            }
        }
        if let Some(loaded) = &self.loaded
            && self.drawing.id != self.chosen.id
            && Arc::ptr_eq(loaded.generator.model(), &self.chosen.model)
        {
            self.drawing = self.chosen.clone();
        }
    }

    /// Asks the loader for what the settings and the frames need, when that changed.
    fn wish(&mut self, frame: Size, settings: &Settings) {
        let library = self.library.get();
        let rescue = self.rescue.as_ref() == Some(&settings.inference);
        let style = library
            .styles()
            .first()
            .filter(|_| rescue)
            .unwrap_or(&self.chosen);
        let largest = style.model.largest_face();
        let wanted = Wanted {
            model: Arc::clone(&style.model),
            frame,
            settings: settings.inference.clone(),
            fps: settings.program.fps,
            ceiling: (self.ceiling).follow(&self.found, frame, largest, self.started.elapsed()),
        };
        if self.wanted.as_ref() != Some(&wanted) {
            self.wishes.send(wanted.clone());
            self.wanted = Some(wanted);
        }
    }

    /// Switches to a generator that was loaded meanwhile.
    fn adopt(&mut self) {
        match self.answers.try_take() {
            Some(Answer::Ready(loaded, engine)) => {
                self.board.set_engine(engine);
                let model = loaded.generator.model();
                let library = self.library.get();
                let of_model = |style: &&Style| Arc::ptr_eq(&style.model, model);
                if let Some(style) = Some(&self.chosen)
                    .filter(of_model)
                    .or_else(|| library.styles().iter().find(of_model))
                {
                    self.drawing = style.clone();
                }
                self.generation += 1;
                self.loaded = Some(loaded);
            }
            Some(Answer::Failed(model)) => {
                let draws = self.loaded.as_ref().map(|loaded| loaded.broken().is_none());
                if draws != Some(true) && Arc::ptr_eq(&model, &self.chosen.model) {
                    self.rescue = Some(self.control.get().settings.inference.clone());
                }
            }
            None => {}
        }
    }
}

/// Whether faces found twice in one picture are the same: the network sees them a little otherwise in
/// each part of it.
fn are_alike(before: &[Face], after: &[Face]) -> bool {
    let near = |(a, b): (&Face, &Face)| {
        let far = (a.centre.x - b.centre.x).hypot(a.centre.y - b.centre.y);
        far < 0.1 * a.height && (a.height - b.height).abs() < 0.1 * a.height
    };
    before.len() == after.len() && before.iter().zip(after).all(near)
}

/// The thread that turns tensors into drawings.
fn finish(
    input: &Mailbox<Job>,
    output: &Mailbox<Styled>,
    control: &Watch<Control>,
    board: &Board,
    stop: &Stop,
) {
    let (pool, close_pool) = (Pool::<Picture>::new(), Pool::<Picture>::new());
    let (mut retouch, mut close_retouch) = (Retouch::default(), CloseRetouch::default());
    let started = Instant::now();
    let mut last: Option<(*const Model, MapKey)> = None;
    while !stop.asked() {
        let mut job = match input.take_within(PATIENCE) {
            Taken::Value(job) => job,
            Taken::TimedOut => continue,
            Taken::Closed => break,
        };
        let (mut picture, mut shrunk, mut close_ups) = (pool.take(), None, None);
        let time = job.frame.stamp.captured.saturating_duration_since(started);
        let model = Arc::as_ptr(job.slot.home().generator.model());
        match last.replace((model, job.key)) {
            Some((former, key)) if (former, key.channel) != (model, job.key.channel) => {
                retouch.style_changed(time);
                close_retouch.forget();
            }
            Some((_, key)) if key != job.key => {
                retouch.forget();
                close_retouch.forget();
            }
            _ => {}
        }
        let result = board.time(Stage::Finish, || {
            if let Some((generator, slot)) = job.slot.parts() {
                generator.finish(slot, &mut picture)?;
                if is_enlarged(picture.size(), job.frame.picture.size()) {
                    let mut copy = pool.take();
                    copy.copy_from(slot.input());
                    shrunk = Some(Arc::new(copy));
                }
                let settings = control.get().settings.retouch;
                retouch.apply(slot.input(), &mut picture, time, &settings);
                if let Some((closer, slot)) = job.slot.close_parts() {
                    let picture = close_pool.take();
                    match closer.finish(slot, picture, time, &mut close_retouch, &settings) {
                        // They are of the new style alone.
                        Ok(drawn) => close_ups = drawn.filter(|_| !retouch.is_wiping()),
                        Err(error) => job.slot.home().close_up_failed(&error),
                    }
                }
            }
            Ok(())
        });
        match result {
            Ok(()) => {
                let Job {
                    frame,
                    slot,
                    faces,
                    key,
                } = job;
                drop(slot);
                board.count(Rate::Styled);
                if output.send(Styled {
                    frame,
                    picture: Arc::new(picture),
                    shrunk,
                    faces,
                    close_ups,
                    strength: key.strength,
                }) == Replaced::Yes
                {
                    board.dropped(1);
                }
            }
            Err(error) => job.slot.home().fault(board, &error),
        }
    }
}

#[cfg(test)]
mod tests;
