//! Wires the stages: this file reads like the diagram in ARCHITECTURE.md and holds no logic of
//! its own. Stages hand over through one-slot mailboxes, newest wins.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::action::Action;
use crate::capture::{self, Capture, CaptureError};
use crate::clock::Clock;
use crate::compositor::{self, CompositorError, Gpu, Outlet, Outlets, ScreenProgram};
use crate::frame::Size;
use crate::inference::{self, Inference, InferenceError, Runtime};
use crate::mailbox::{Mailbox, Taken};
use crate::output::{self, Existing};
use crate::places::Places;
use crate::settings::{Control, Settings};
use crate::shots::{Desk, Order};
use crate::status::{Board, Severity, Topic};
use crate::watch::Watch;
use crate::worker::Worker;
use crate::{frame, panels, strip};

/// What a pipeline is made from.
pub struct Setup {
    /// Where files are.
    pub places: Places,
    /// What to start with.
    pub settings: Settings,
    /// Where the stages report.
    pub board: Arc<Board>,
    /// The graphics device.
    pub gpu: Arc<Gpu>,
    /// ONNX Runtime; without it the pages stay undrawn and a notice says why.
    pub runtime: Option<Arc<Runtime>>,
    /// Where shots are asked for and where they lie.
    pub desk: Arc<Desk>,
    /// Where a window takes programs as textures.
    pub screen: Option<Arc<Mailbox<ScreenProgram>>>,
    /// Frames a second that made sources give, and that cameras are asked for; a camera that is
    /// faster is used as fast as it is. [`LIVE_FPS`] but for measurements.
    pub source_fps: u32,
}

/// Why a pipeline did not start.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The source.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The generator.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// Graphics or the page.
    #[error(transparent)]
    Compositor(#[from] CompositorError),
}

/// All stages, running. Dropping it stops them, the source first.
pub struct Pipeline {
    capture: Option<Capture>,
    photos: Vec<Worker>,
    _inference: Option<Inference>,
    _compositor: compositor::Running,
    /// What the stages read each frame.
    control: Arc<Watch<Control>>,
    outlets: Arc<Outlets>,
    styles: Arc<Watch<inference::Library>>,
    pages: Arc<panels::Library>,
    to_inference: Arc<Mailbox<Arc<frame::Frame>>>,
    to_compositor: Arc<Mailbox<Arc<frame::Frame>>>,
    request: capture::Request,
    source_fps: u32,
    board: Arc<Board>,
    places: Places,
    desk: Arc<Desk>,
    gpu: Arc<Gpu>,
}

impl Pipeline {
    /// Starts every stage.
    ///
    /// # Errors
    /// When the source cannot be opened, the built-in model does not load, or graphics fail.
    pub fn start(setup: Setup) -> Result<Self, PipelineError> {
        let Setup {
            places,
            settings,
            board,
            gpu,
            runtime,
            desk,
            screen,
            source_fps,
        } = setup;
        let for_strips = Arc::clone(&gpu);
        let (styles, style_warnings) = inference::Library::load(&places);
        let (pages, page_warnings) = panels::Library::load(&places, settings.window.language);
        for warning in style_warnings {
            board.notice(Topic::Style, Severity::Warning, warning);
        }
        for warning in page_warnings {
            board.notice(Topic::Page, Severity::Warning, warning);
        }
        let (styles, pages) = (Arc::new(Watch::new(styles)), Arc::new(pages));
        let request = request(&settings, &pages, source_fps);
        let control = Arc::new(Watch::new(Control {
            settings,
            compare: false,
        }));

        let to_inference = Arc::new(Mailbox::new());
        let to_compositor = Arc::new(Mailbox::new());
        let drawn = Arc::new(Mailbox::new());
        let outlets = Arc::new(Outlets::default());

        let compositor = compositor::start(
            gpu,
            compositor::Inbox {
                frames: Arc::clone(&to_compositor),
                styled: Arc::clone(&drawn),
            },
            Arc::clone(&pages),
            Arc::clone(&control),
            screen,
            Arc::clone(&outlets),
            Arc::clone(&desk),
            Clock::system(),
            Arc::clone(&board),
        )?;
        let inference = runtime
            .map(|runtime| {
                inference::start(
                    runtime,
                    Arc::clone(&styles),
                    Arc::clone(&to_inference),
                    drawn,
                    Arc::clone(&control),
                    &places,
                    Arc::clone(&board),
                )
            })
            .transpose()?;
        let outbox = capture::Outbox {
            inference: Arc::clone(&to_inference),
            compositor: Arc::clone(&to_compositor),
        };
        let capture = capture::start(request.clone(), outbox, Arc::clone(&board))?;

        Ok(Self {
            capture: Some(capture),
            photos: Vec::new(),
            _inference: inference,
            _compositor: compositor,
            control,
            outlets,
            styles,
            pages,
            to_inference,
            to_compositor,
            request,
            source_fps,
            board,
            places,
            desk,
            gpu: for_strips,
        })
    }

    /// Publishes changed settings: the next frame follows them. Another source is opened at once.
    pub fn apply(&mut self, settings: &Settings) {
        let compare = self.control.get().compare;
        self.control.set(Control {
            settings: settings.clone(),
            compare,
        });
        let request = request(settings, &self.pages, self.source_fps);
        if request != self.request {
            self.request = request;
            self.restart_capture();
        }
    }

    fn restart_capture(&mut self) {
        // The old one first: a camera can be opened only once.
        self.capture = None;
        let outbox = capture::Outbox {
            inference: Arc::clone(&self.to_inference),
            compositor: Arc::clone(&self.to_compositor),
        };
        match capture::start(self.request.clone(), outbox, Arc::clone(&self.board)) {
            Ok(capture) => self.capture = Some(capture),
            Err(error) => {
                self.board.set_source(crate::status::SourceState::Failed);
                self.board.notice(Topic::Source, Severity::Warning, error);
            }
        }
    }

    /// Shows the camera's picture in place of the drawing, or no longer.
    pub fn compare(&self, compare: bool) {
        let settings = self.control.get().settings.clone();
        self.control.set(Control { settings, compare });
    }

    /// Saves the next program in the pictures folder; a notice says where, or why not.
    pub fn take_photo(&mut self) {
        self.photos.retain(|photo| !photo.finished());
        let (outlet, board, folder) = (
            self.outlets.subscribe(),
            Arc::clone(&self.board),
            self.places.pictures.clone(),
        );
        // A held program is composited again for the one who asks.
        self.control.set(self.control.get().as_ref().clone());
        let worker = Worker::spawn("photo", move |_| match save_photo(&outlet, folder) {
            Ok(path) => {
                board.notice(
                    Topic::Output,
                    Severity::Info,
                    format!("Photo saved. ({})", path.display()),
                );
            }
            Err(why) => board.notice(Topic::Output, Severity::Warning, why),
        });
        match worker {
            Ok(worker) => self.photos.push(worker),
            Err(error) => self.board.notice(Topic::Output, Severity::Warning, error),
        }
    }

    /// Saves the page with its shots, or with what is on it now when it has none, in the pictures folder, in every format the settings name;
    /// notices say where, or why not. The shots stay on the desk.
    pub fn finish_strip(&mut self) {
        self.photos.retain(|photo| !photo.finished());
        let settings = self.control.get().settings.clone();
        let (gpu, board) = (Arc::clone(&self.gpu), Arc::clone(&self.board));
        let (finished, folder) = (self.desk.finished(), self.places.pictures.clone());
        let has_shots = !self.desk.view().numbers.is_empty();
        let worker = Worker::spawn("strip", move |_| {
            match strip::save_all(finished, &settings, gpu, &folder) {
                Ok(files) => {
                    let first = files.first().map(|path| path.display().to_string());
                    let first = first.unwrap_or_default();
                    let text = if has_shots {
                        format!("Strip saved. ({first})")
                    } else {
                        format!("Picture saved. ({first})")
                    };
                    board.notice(Topic::Output, Severity::Info, text);
                }
                Err(error) => board.notice(Topic::Output, Severity::Warning, error),
            }
        });
        match worker {
            Ok(worker) => self.photos.push(worker),
            Err(error) => self.board.notice(Topic::Output, Severity::Warning, error),
        }
    }

    /// Where shots are asked for and where they lie.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// A mailbox that receives every program from now on, newest wins.
    pub fn subscribe(&self) -> Outlet {
        self.outlets.subscribe()
    }

    /// The styles there are.
    pub fn styles(&self) -> Arc<inference::Library> {
        self.styles.get()
    }

    /// Reads the user's models again: one was added. What draws goes on.
    pub fn reload_styles(&self) {
        let (styles, warnings) = self.styles.get().reloaded(&self.places);
        for warning in warnings {
            self.board.notice(Topic::Style, Severity::Warning, warning);
        }
        self.styles.set(styles);
    }

    /// The pages there are.
    pub fn pages(&self) -> &Arc<panels::Library> {
        &self.pages
    }

    /// What the stages read for every frame.
    pub fn control(&self) -> &Arc<Watch<Control>> {
        &self.control
    }

    /// Where the stages report.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Does what `action` asks of the pipeline; the window keeps the rest to itself.
    pub fn act(&mut self, action: &Action) {
        match action {
            Action::TakePhoto => self.take_photo(),
            Action::Compare(compare) => self.compare(*compare),
            Action::StartShots => self.desk.order(Order::Start),
            Action::TakeShot => self.desk.order(Order::Now),
            Action::RetakeShot(number) => self.desk.order(Order::Retake(*number)),
            Action::SwapShots(a, b) => self.desk.order(Order::Swap(*a, *b)),
            Action::ClearShots => self.desk.order(Order::Clear),
            Action::NextLine => self.desk.order(Order::NextLine),
            Action::FinishStrip => self.finish_strip(),
            _ => {}
        }
    }
}

/// The frames that `settings` ask a source for.
fn request(settings: &Settings, pages: &panels::Library, fps: u32) -> capture::Request {
    let program = settings
        .program
        .size
        .unwrap_or_else(|| pages.size(&settings.look.page, settings.window.language));
    let turn = settings.capture.turn_of_source();
    capture::Request {
        source: settings.capture.source.clone(),
        format: settings.capture.format.clone(),
        turn,
        size: turn.size(frame_size(turn.size(program))),
        fps: settings.program.fps.min(fps),
    }
}

/// What cameras give as a rule, and what a visitor takes for fluent.
pub const LIVE_FPS: u32 = 30;

/// Size of the frames a program needs: its own when it is landscape, else a camera's shape that
/// covers its short side.
fn frame_size(program: Size) -> Size {
    const CAMERA_ASPECT: f32 = 16.0 / 9.0;
    if program.aspect() >= 1.2 {
        return program;
    }
    let height = program.width.min(program.height).min(1080);
    Size::new((height as f32 * CAMERA_ASPECT).round() as u32 & !1, height)
}

fn save_photo(outlet: &Outlet, folder: PathBuf) -> Result<PathBuf, String> {
    let program = match outlet.mailbox().take_within(Duration::from_secs(3)) {
        Taken::Value(program) => program,
        Taken::TimedOut | Taken::Closed => {
            return Err(
                "No photo was taken: there is no picture yet. Wait for the source and try again."
                    .to_owned(),
            );
        }
    };
    std::fs::create_dir_all(&folder).map_err(|error| {
        format!(
            "The pictures folder cannot be made: {error}. Check its rights. ({})",
            folder.display()
        )
    })?;
    let name = jiff::ZonedDateTime::now()
        .strftime("panelcam-%Y-%m-%d-%H%M%S")
        .to_string();
    // Two photos in one second: the second gets a number.
    for number in 1..100 {
        let name = if number == 1 {
            format!("{name}.png")
        } else {
            format!("{name}-{number}.png")
        };
        let path = folder.join(name);
        match output::save_picture(&program.picture, &path, Existing::Refuse) {
            Ok(()) => return Ok(path),
            Err(output::OutputError::Exists { .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!(
        "No photo was saved: too many in one second. ({})",
        folder.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_large_as_the_program_needs() {
        assert_eq!(frame_size(Size::new(854, 480)), Size::new(854, 480));
        assert_eq!(frame_size(Size::new(1080, 1920)), Size::new(1920, 1080));
        assert_eq!(frame_size(Size::new(720, 720)), Size::new(1280, 720));
    }
}
