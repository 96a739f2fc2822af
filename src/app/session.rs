//! The stages, run from the window: one thread starts them and passes on what the window asks,
//! so that opening a camera or loading a model never holds up the window.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui_wgpu::RenderState;
use egui::Context;

use super::imports::Imports;
use super::shelf::{Catalogue, News};
use super::thumbnails;
use crate::action::Action;
use crate::capture;
use crate::compositor::{Gpu, ScreenProgram};
use crate::inference::{self, Runtime};
use crate::mailbox::{Mailbox, Taken};
use crate::panels;
use crate::pipeline::{LIVE_FPS, Pipeline, PipelineError, Setup};
use crate::places::Places;
use crate::server::{Facts, Looks};
use crate::settings::Settings;
use crate::shots::Desk;
use crate::source::{CameraChoice, Source};
use crate::status::{Board, Severity, SourceState, Topic};
use crate::ui::Device;
use crate::watch::Watch;
use crate::worker::{Stop, Worker};

/// How often the session's thread looks whether it should end.
const PATIENCE: Duration = Duration::from_millis(100);

/// The stages and what they send to the window.
pub struct Session {
    orders: Arc<Mailbox<Order>>,
    news: Arc<Mailbox<News>>,
    screen: Arc<Mailbox<ScreenProgram>>,
    desk: Arc<Desk>,
    added: Arc<Mailbox<String>>,
    board: Arc<Board>,
    looks: Arc<Watch<Option<Looks>>>,
    pictures: PathBuf,
    _worker: Worker,
}

/// What the window asks for, gathered until the session's thread takes it.
#[derive(Default)]
struct Order {
    settings: Option<Settings>,
    actions: Vec<Action>,
}

impl Session {
    /// Starts the stages on the window's graphics device. What goes wrong there comes as a
    /// notice on the board: the window stays.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        graphics: &RenderState,
        places: Places,
        settings: Settings,
        ctx: &Context,
    ) -> io::Result<Self> {
        let board = Board::new();
        let orders = Arc::new(Mailbox::new());
        let news = Arc::new(Mailbox::with_waker(waker(ctx)));
        let screen = Arc::new(Mailbox::with_waker(waker(ctx)));
        let desk = Desk::new();
        let added = Arc::new(Mailbox::with_waker(waker(ctx)));
        let looks = Arc::default();
        let pictures = places.pictures.clone();
        let stages = Stages {
            gpu: Gpu::from_parts(
                graphics.instance.clone(),
                graphics.adapter.clone(),
                graphics.device.clone(),
                graphics.queue.clone(),
            ),
            places,
            settings,
            orders: Arc::clone(&orders),
            catalogue: Catalogue::new(Arc::clone(&news)),
            screen: Arc::clone(&screen),
            desk: Arc::clone(&desk),
            added: Arc::clone(&added),
            board: Arc::clone(&board),
            looks: Arc::clone(&looks),
        };
        let worker = Worker::spawn("session", move |stop| stages.run(stop))?;
        Ok(Self {
            orders,
            news,
            screen,
            desk,
            added,
            board,
            looks,
            pictures,
            _worker: worker,
        })
    }

    /// Tells the stages the settings.
    pub fn apply(&self, settings: &Settings) {
        self.order(|order| order.settings = Some(settings.clone()));
    }

    /// Asks for something.
    pub fn act(&self, action: Action) {
        self.order(|order| order.actions.push(action));
    }

    /// Adds to the order that waits: only the window's thread sends orders, so none is lost.
    fn order(&self, add: impl FnOnce(&mut Order)) {
        let mut order = self.orders.try_take().unwrap_or_default();
        add(&mut order);
        self.orders.send(order);
    }

    /// What there is to pick from, when it has changed.
    pub fn news(&self) -> Option<News> {
        self.news.try_take()
    }

    /// The id of a style that was added since the last call.
    pub fn added(&self) -> Option<String> {
        self.added.try_take()
    }

    /// Where programs arrive.
    pub fn screen(&self) -> &Mailbox<ScreenProgram> {
        &self.screen
    }

    /// Where shots are asked for and where they lie.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Where the stages report.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// What other programs may ask about.
    pub fn facts(&self) -> Facts {
        Facts {
            board: Arc::clone(&self.board),
            desk: Arc::clone(&self.desk),
            looks: Arc::clone(&self.looks),
        }
    }

    /// Where photos are saved.
    pub fn pictures(&self) -> &Path {
        &self.pictures
    }
}

/// Has the window look at what has come.
pub fn waker(ctx: &Context) -> impl Fn() + Send + Sync + 'static {
    let ctx = ctx.clone();
    move || ctx.request_repaint()
}

/// What the session's thread keeps.
struct Stages {
    gpu: Arc<Gpu>,
    places: Places,
    settings: Settings,
    orders: Arc<Mailbox<Order>>,
    catalogue: Arc<Catalogue>,
    screen: Arc<Mailbox<ScreenProgram>>,
    desk: Arc<Desk>,
    /// Styles that were added, for the window to choose.
    added: Arc<Mailbox<String>>,
    board: Arc<Board>,
    /// Styles and pages, for other programs.
    looks: Arc<Watch<Option<Looks>>>,
}

impl Stages {
    fn run(mut self, stop: &Stop) {
        self.board.set_graphics(self.gpu.name.clone());
        let runtime = match Runtime::load(&self.places) {
            Ok(runtime) => Some(runtime),
            Err(error) => {
                self.board.notice(Topic::Runtime, Severity::Critical, error);
                None
            }
        };
        let mut pipeline = self.start_pipeline(runtime.as_ref());
        let mut _thumbnails = self.list_looks(pipeline.as_ref(), runtime.clone());
        self.find_cameras();
        // Where the system does not say which file this program is, it is on the path.
        let program = std::env::current_exe().unwrap_or_else(|_| "panelcam".into());
        let mut imports = Imports::new(self.places.clone(), Arc::clone(&self.board), program);
        while !stop.asked() {
            if let Some(imported) = imports.poll() {
                if let Some(pipeline) = &mut pipeline {
                    pipeline.reload_styles();
                }
                _thumbnails = self.list_looks(pipeline.as_ref(), runtime.clone());
                if let Some(style) = imported.styles.into_iter().next() {
                    self.added.send(style);
                }
            }
            let Taken::Value(order) = self.orders.take_within(PATIENCE) else {
                continue;
            };
            if let Some(settings) = order.settings {
                self.settings = settings;
                match &mut pipeline {
                    Some(pipeline) => pipeline.apply(&self.settings),
                    // The source that was in the way may be another now.
                    None => pipeline = self.start_pipeline(runtime.as_ref()),
                }
            }
            for action in order.actions {
                if let Action::AddStyle(file) = &action {
                    imports.add(file.clone());
                }
                if action == Action::FindCameras {
                    self.find_cameras();
                    if pipeline.is_none() {
                        pipeline = self.start_pipeline(runtime.as_ref());
                    }
                }
                if let Some(pipeline) = &mut pipeline {
                    pipeline.act(&action);
                }
            }
        }
    }

    fn start_pipeline(&self, runtime: Option<&Arc<Runtime>>) -> Option<Pipeline> {
        let started = Pipeline::start(Setup {
            places: self.places.clone(),
            settings: self.settings.clone(),
            board: Arc::clone(&self.board),
            gpu: Arc::clone(&self.gpu),
            runtime: runtime.cloned(),
            desk: Arc::clone(&self.desk),
            screen: Some(Arc::clone(&self.screen)),
            source_fps: LIVE_FPS,
        });
        started
            .inspect_err(|error| {
                let topic = match error {
                    PipelineError::Capture(_) => Topic::Source,
                    PipelineError::Inference(_) => Topic::Style,
                    PipelineError::Compositor(_) => Topic::Graphics,
                };
                if topic == Topic::Source {
                    self.board.set_source(SourceState::Failed);
                }
                self.board.notice(topic, Severity::Critical, error);
            })
            .ok()
    }

    /// Lists styles and pages, and starts the thread that draws their thumbnails.
    fn list_looks(
        &self,
        pipeline: Option<&Pipeline>,
        runtime: Option<Arc<Runtime>>,
    ) -> Option<Worker> {
        let language = self.settings.window.language;
        let (styles, pages) = match pipeline {
            Some(pipeline) => (pipeline.styles(), Arc::clone(pipeline.pages())),
            None => (
                Arc::new(inference::Library::load(&self.places).0),
                Arc::new(panels::Library::load(&self.places, language).0),
            ),
        };
        self.catalogue.list(&styles, &pages.pages(language));
        self.looks.set(Some(Looks {
            styles: Arc::clone(&styles),
            pages: Arc::clone(&pages),
        }));
        let (catalogue, board) = (Arc::clone(&self.catalogue), Arc::clone(&self.board));
        let (desk, gpu) = (Arc::clone(&self.desk), Arc::clone(&self.gpu));
        let control = pipeline.map(|pipeline| Arc::clone(pipeline.control()));
        let first = self.settings.clone();
        Worker::spawn("thumbnails", move |stop| {
            let looks = (&*styles, &*pages);
            let settings = || match &control {
                Some(control) => control.get().settings.clone(),
                None => first.clone(),
            };
            let first = thumbnails::draw(runtime, &gpu, looks, &settings, &catalogue, &board, stop);
            thumbnails::keep_fresh(&gpu, looks, &settings, &catalogue, &desk, first, stop);
        })
        .inspect_err(|error| tracing::warn!("No thread for thumbnails: {error}"))
        .ok()
    }

    fn find_cameras(&self) {
        match capture::devices() {
            Ok(devices) => self
                .catalogue
                .cameras(devices.into_iter().map(choice_of).collect()),
            Err(error) => self.board.notice(Topic::Source, Severity::Warning, error),
        }
    }
}

fn choice_of(device: capture::Device) -> Device {
    // A device file stays the same camera when another one is unplugged; a number does not.
    let choice = match device.path {
        Some(path) => CameraChoice::Path(path),
        None => CameraChoice::Index(device.index),
    };
    Device {
        name: device.name,
        source: Source::Camera(choice),
        formats: device.formats.iter().map(ToString::to_string).collect(),
    }
}
