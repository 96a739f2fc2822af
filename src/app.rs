//! The window: the program with the control panel beside it.
//!
//! The stages run on their own threads; this one only draws what they send, and sends them what
//! people ask for. A hidden or resized window never stops them.

mod dialogs;
mod icon;
pub mod imports;
mod page;
mod saving;
mod screen;
mod session;
mod shelf;
mod thumbnails;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::{CentralPanel, Context, Frame, Panel, Ui, ViewportCommand, vec2};

use crate::action::Action;
use crate::frame::Size;
use crate::places::Places;
use crate::server::Door;
use crate::settings::Settings;
use crate::source::Source;
use crate::status::{Notice, Severity, SourceState, Status, Topic};
use crate::ui::{self, Keys, Notices, PageEditor, PanelState, Texts, theme};
use dialogs::{Answer, Dialogs, Purpose};
use page::PageWatch;
use saving::Saving;
use screen::Screen;
use session::Session;
use shelf::Shelf;

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// No display, or none that answers.
    #[error(
        "No window can be opened: {0}. On a machine without a display use `panelcam stream` or `panelcam convert`."
    )]
    NoDisplay(String),
    /// No graphics driver that can draw.
    #[error(
        "The window cannot be drawn: {0}. Install a Vulkan driver (mesa-vulkan-drivers on Debian and Ubuntu), or use `panelcam stream`."
    )]
    Graphics(String),
    /// Something else that the window needs.
    #[error("The window cannot start: {0}.")]
    Start(String),
}

/// Opens the window and runs until it is closed. Changed settings are saved to `settings_path`.
///
/// # Errors
/// When there is no display, or no graphics driver that can draw.
pub fn run(places: Places, settings: Settings, settings_path: PathBuf) -> Result<(), AppError> {
    let size = settings.window.size.unwrap_or(Size::new(1280, 800));
    let viewport = egui::ViewportBuilder::default()
        .with_title("panelcam")
        .with_app_id("panelcam")
        .with_icon(icon::window_icon())
        .with_inner_size(vec2(size.width as f32, size.height as f32))
        .with_min_inner_size(vec2(480.0, 360.0))
        .with_drag_and_drop(true);
    let options = eframe::NativeOptions {
        viewport,
        renderer: eframe::Renderer::Wgpu,
        // The fonts that ship cover what is shown, alike on every machine.
        system_font_fallback: false,
        wgpu_options: eframe::egui_wgpu::WgpuConfiguration::default()
            .with_surface_config(eframe::egui_wgpu::SurfaceConfig::LOW_LATENCY),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "panelcam",
        options,
        Box::new(|creation| {
            Ok(Box::new(App::new(
                creation,
                places,
                settings,
                settings_path,
            )?))
        }),
    )
    .map_err(AppError::from)
}

impl From<eframe::Error> for AppError {
    fn from(error: eframe::Error) -> Self {
        let text = error.to_string();
        let text = plain(text.trim_end_matches('.')).to_owned();
        match error {
            eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => Self::NoDisplay(text),
            eframe::Error::Wgpu(_) => Self::Graphics(text),
            eframe::Error::AppCreation(_) => Self::Start(text),
        }
    }
}

/// An error without the place in winit's source that it begins with (`os error at …/mod.rs:765: `).
fn plain(text: &str) -> &str {
    text.split_once(".rs:")
        .and_then(|(_, rest)| rest.split_once(": "))
        .map_or(text, |(_, said)| said)
}

/// How often the live figures are read when nothing else happens.
const FIGURES_EVERY: Duration = Duration::from_millis(400);
/// How long the buttons over the picture stay after the pointer has moved.
const POINTER_PATIENCE: Duration = Duration::from_millis(2500);

struct App {
    /// Where other programs ask. Closed before the stages end.
    door: Door,
    session: Session,
    settings: Settings,
    /// What the stages were last told.
    published: Settings,
    saving: Saving,
    screen: Screen,
    shelf: Shelf,
    page: PageWatch,
    editor: PageEditor,
    status: Status,
    status_read: Instant,
    keys: Keys,
    notices: Notices,
    dialogs: Dialogs,
    comparing: bool,
    pointer_moved: Instant,
    photo_taken: Option<Instant>,
}

impl App {
    fn new(
        creation: &eframe::CreationContext<'_>,
        places: Places,
        settings: Settings,
        settings_path: PathBuf,
    ) -> Result<Self, AppError> {
        let ctx = &creation.egui_ctx;
        theme::install(ctx);
        let graphics = creation
            .wgpu_render_state
            .clone()
            .ok_or_else(|| AppError::Graphics("wgpu is not there".to_owned()))?;
        let session = Session::start(&graphics, places, settings.clone(), ctx)
            .map_err(|error| AppError::Start(error.to_string()))?;
        Ok(Self {
            door: Door::new(session.facts(), session::waker(ctx)),
            session,
            saving: Saving::new(settings_path, settings.clone()),
            published: settings.clone(),
            settings,
            screen: Screen::new(graphics),
            shelf: Shelf::default(),
            page: PageWatch::default(),
            editor: PageEditor::default(),
            status: Status::default(),
            status_read: Instant::now(),
            keys: Keys::default(),
            notices: Notices::new(),
            dialogs: Dialogs::default(),
            comparing: false,
            pointer_moved: Instant::now(),
            photo_taken: None,
        })
    }

    fn texts(&self) -> &'static Texts {
        Texts::of(self.settings.window.language)
    }

    fn act(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::TakePhoto => {
                self.photo_taken = self.screen.shown().map(|_| Instant::now());
                self.session.act(action);
            }
            Action::Compare(on) => {
                self.comparing = on;
                self.session.act(action);
            }
            Action::FindCameras
            | Action::StartShots
            | Action::TakeShot
            | Action::RetakeShot(_)
            | Action::SwapShots(..)
            | Action::ClearShots
            | Action::FinishStrip
            | Action::NextLine => self.session.act(action),
            Action::OpenSource(path) => {
                self.settings.capture.source = Source::File(path);
                self.settings.capture.format = None;
            }
            Action::OpenPage(path) => self.settings.look.page = path.display().to_string(),
            Action::AddStyle(_) => self.session.act(action),
            Action::PickSource => self.dialogs.open(ctx, Purpose::Source, self.texts()),
            Action::PickPage => self.dialogs.open(ctx, Purpose::Page, self.texts()),
            Action::PickStyle => self.dialogs.open(ctx, Purpose::Style, self.texts()),
            Action::ToggleFullScreen => {
                let full = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!full));
            }
            Action::LeaveFullScreen => {
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(false));
            }
            Action::ShowPhotos => self.show_photos(ctx),
            Action::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }

    fn show_photos(&mut self, ctx: &Context) {
        let folder = self.session.pictures();
        let opened = std::fs::create_dir_all(folder).and_then(|()| open::that_detached(folder));
        if let Err(error) = opened {
            tracing::debug!("The file manager did not open: {error}");
            let text = &self.texts().notice.no_photo_folder;
            let text = ui::fill(text, "path", folder.display());
            self.tell(ctx, Topic::Output, text);
        }
    }

    fn tell(&mut self, ctx: &Context, topic: Topic, text: String) {
        tracing::warn!("{text}");
        let severity = Severity::Warning;
        let notice = Notice {
            topic,
            severity,
            text,
        };
        self.notices
            .tell(ctx, notice, self.settings.window.language);
    }

    /// Opens what was picked in a dialog or dropped on the window.
    fn open_file(&mut self, ctx: &Context, path: PathBuf) {
        match ui::action_for_file(path) {
            Ok(action) => self.act(ctx, action),
            Err(path) => {
                let text = &self.texts().notice.unknown_file;
                self.tell(ctx, Topic::Source, ui::fill(text, "path", path.display()));
            }
        }
    }

    fn take_dialog_answer(&mut self, ctx: &Context) {
        match self.dialogs.answer() {
            Some(Answer::Picked(Purpose::Source, path)) => self.act(ctx, Action::OpenSource(path)),
            Some(Answer::Picked(Purpose::Page, path)) => self.act(ctx, Action::OpenPage(path)),
            Some(Answer::Picked(Purpose::Style, path)) => self.act(ctx, Action::AddStyle(path)),
            Some(Answer::NothingOpened) => {
                let text = self.texts().notice.no_dialog.clone();
                self.tell(ctx, Topic::Source, text);
            }
            Some(Answer::Dismissed) | None => {}
        }
    }

    fn take_dropped_files(&mut self, ctx: &Context) {
        let dropped = ctx.input_mut(|input| std::mem::take(&mut input.raw.dropped_files));
        for file in dropped {
            self.open_file(ctx, file.path().to_owned());
        }
    }

    /// Tells the stages what has changed, and saves it in a while.
    fn follow_settings(&mut self, ctx: &Context) {
        if self.settings != self.published {
            self.published = self.settings.clone();
            self.session.apply(&self.settings);
        }
        match self.saving.follow(&self.settings) {
            Ok(Some(wait)) => ctx.request_repaint_after(wait),
            Ok(None) => {}
            Err(error) => {
                let text = &self.texts().notice.not_saved;
                let text = ui::fill(text, "reason", error);
                let text = ui::fill(&text, "path", self.saving.path().display());
                self.tell(ctx, Topic::Settings, text);
            }
        }
    }

    fn remember_window_size(&mut self, ctx: &Context) {
        let size = ctx.input(|input| {
            let view = input.viewport();
            let plain = view.fullscreen != Some(true)
                && view.maximized != Some(true)
                && view.minimized != Some(true);
            view.inner_rect.filter(|_| plain).map(|rect| rect.size())
        });
        if let Some(size) = size.filter(|size| size.x >= 1.0 && size.y >= 1.0) {
            let size = Size::new(size.x.round() as u32, size.y.round() as u32);
            if self.settings.window.size.unwrap_or(Size::new(1280, 800)) != size {
                self.settings.window.size = Some(size);
            }
        }
    }

    fn read_status(&mut self) {
        if self.status_read.elapsed() >= FIGURES_EVERY / 2 {
            self.status = self.session.board().status();
            self.status_read = Instant::now();
        }
        if matches!(self.status.source, SourceState::Live { .. }) {
            self.notices.resolve(Topic::Source);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        if let Some(news) = self.session.news() {
            self.shelf.update(ctx, news);
        }
        if let Some(style) = self.session.added() {
            self.settings.look.style = style;
        }
        for notice in self.session.board().take_notices() {
            self.notices
                .tell(ctx, notice, self.settings.window.language);
        }
        self.read_status();
        if self.page.follow(ctx, self.session.desk()) {
            self.photo_taken = self.screen.shown().map(|_| Instant::now());
        }
        self.take_dialog_answer(ctx);
        for action in self.door.tend(&mut self.settings) {
            self.act(ctx, action);
        }
        self.follow_settings(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let ctx = ui.ctx().clone();
        self.screen.take(self.session.screen());
        self.take_dropped_files(&ctx);
        let mut actions = self.keys.take(
            &ctx,
            &mut self.settings,
            &self.shelf.styles,
            &self.shelf.pages,
        );
        let texts = self.texts();
        let state = PanelState {
            texts,
            status: &self.status,
            devices: &self.shelf.devices,
            styles: &self.shelf.styles,
            pages: &self.shelf.pages,
            view: self.page.view(),
            comparing: self.comparing,
        };
        if self.settings.window.panel_open {
            let frame = Frame::new()
                .fill(theme::PANEL)
                .inner_margin(egui::Margin::symmetric(theme::EDGE as i8, 14));
            Panel::right("control panel")
                .exact_size(theme::PANEL_WIDTH)
                .resizable(false)
                .frame(frame)
                .show(ui, |ui| {
                    actions.extend(ui::control_panel_ui(ui, &mut self.settings, &state));
                });
        }
        if ctx.input(|input| input.pointer.delta() != egui::Vec2::ZERO) {
            self.pointer_moved = Instant::now();
        }
        let pointer_rests = self.pointer_moved.elapsed() >= POINTER_PATIENCE;
        CentralPanel::no_frame()
            .frame(Frame::new().fill(theme::GROUND))
            .show(ui, |ui| {
                match self.screen.shown() {
                    Some(shown) => {
                        let program = ui::preview_ui(ui, shown, &state);
                        let settings = &mut self.settings;
                        actions.extend(self.editor.ui(ui, program, settings, &state));
                    }
                    None if self.notices.has_card() => {}
                    None => ui::starting_ui(ui, &state),
                }
                if let Some(taken) = self.photo_taken
                    && !ui::flash_ui(ui, taken.elapsed())
                {
                    self.photo_taken = None;
                }
                if !pointer_rests {
                    actions.extend(ui::view_buttons_ui(ui, &mut self.settings, texts));
                    ctx.request_repaint_after(POINTER_PATIENCE);
                }
                actions.extend(self.notices.show(ui, &mut self.settings, texts));
                if ctx.input(|input| !input.raw.hovered_files.is_empty()) {
                    ui::drop_hint_ui(ui, texts);
                }
            });
        for action in actions {
            self.act(&ctx, action);
        }
        self.remember_window_size(&ctx);
        self.follow_settings(&ctx);
        ctx.request_repaint_after(FIGURES_EVERY);
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        theme::GROUND.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self) {
        if let Err(error) = self.saving.save_now(&self.settings) {
            tracing::warn!("The settings were not saved: {error}");
        }
    }
}
