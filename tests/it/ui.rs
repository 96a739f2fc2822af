//! The control panel: clicked by name, changed settings and returned actions looked at. A few
//! pictures of it, drawn by the GPU there is (lavapipe in CI).

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests; a skipped test must say so"
)]

use std::time::Duration;

use egui::{Key, Vec2, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotOptions};
use panelcam::action::Action;
use panelcam::frame::Size;
use panelcam::settings::{Language, Provider, Quality, Settings};
use panelcam::source::{CameraChoice, Source};
use panelcam::status::{
    Engine, Notice, Percentiles, Precision, Severity, SourceState, Status, Topic,
};
use panelcam::ui::{
    self, Choice, Device, Keys, Notices, PageEditor, PageView, PanelState, Shown, Texts, theme,
};

/// The largest a stored picture may be: they are few and small.
const LARGEST_PNG: u64 = 60 * 1024;

/// What is drawn.
#[derive(Clone, Copy, PartialEq)]
pub enum Scene {
    /// The control panel alone.
    Panel,
    /// The program with what is drawn over it.
    Program,
    /// Both, as in the window.
    Window,
    /// Before the first program.
    Starting,
}

/// The window without its stages.
pub struct World {
    scene: Scene,
    pub settings: Settings,
    pub status: Status,
    devices: Vec<Device>,
    styles: Vec<Choice>,
    pages: Vec<Choice>,
    program: Option<egui::TextureHandle>,
    keys: Keys,
    notices: Notices,
    view: PageView,
    editor: PageEditor,
    comparing: bool,
    actions: Vec<Action>,
}

impl World {
    pub fn new(scene: Scene, language: Language) -> Self {
        let mut settings = Settings::default();
        settings.window.language = language;
        settings.window.panel_open = true;
        Self {
            scene,
            settings,
            status: live(),
            devices: vec![Device {
                name: "HD Webcam".to_owned(),
                source: Source::Camera(CameraChoice::Path("/dev/video0".into())),
                formats: vec!["MJPEG 1280x720 30".to_owned(), "YUYV 640x480 30".to_owned()],
            }],
            styles: choices(&[
                ("clean", "Clean line", "깔끔한 선"),
                ("noir", "Noir", "누아르"),
            ]),
            pages: choices(&[
                ("webtoon", "Webtoon panel", "웹툰 컷"),
                ("two-panel", "Two panels", "두 컷"),
                ("plain", "Full picture", "전체 화면"),
            ]),
            program: None,
            keys: Keys::default(),
            notices: Notices::new(),
            view: PageView::default(),
            editor: PageEditor::default(),
            comparing: false,
            actions: Vec::new(),
        }
    }

    pub fn harness(self, size: Vec2) -> Harness<'static, Self> {
        self.build(Harness::builder().with_size(size))
    }

    /// With a renderer; `None` on a machine without graphics.
    pub fn pictured(self, size: Vec2) -> Option<Harness<'static, Self>> {
        let instance = wgpu::Instance::default();
        let options = wgpu::RequestAdapterOptions::default();
        if pollster::block_on(instance.request_adapter(&options)).is_err() {
            assert!(
                std::env::var("REQUIRE_GPU").as_deref() != Ok("1"),
                "no graphics driver"
            );
            eprintln!("SKIPPED: no graphics driver, so no pictures of the control panel");
            return None;
        }
        Some(self.build(Harness::builder().with_size(size).wgpu()))
    }

    fn build(self, builder: egui_kittest::HarnessBuilder<Self>) -> Harness<'static, Self> {
        let mut harness = builder
            .with_context_setup(theme::install)
            .with_max_steps(40)
            .build_ui_state(|ui, world: &mut Self| world.ui(ui), self);
        harness.run_ok();
        harness
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        let keys = self
            .keys
            .take(&ctx, &mut self.settings, &self.styles, &self.pages);
        self.actions.extend(keys);
        let texts = Texts::of(self.settings.window.language);
        let program = self.program.get_or_insert_with(|| {
            let image = egui::ColorImage::filled([16, 9], egui::Color32::from_rgb(200, 120, 90));
            ctx.load_texture("program", image, egui::TextureOptions::LINEAR)
        });
        let shown = Shown {
            texture: program.id(),
            size: Size::new(1280, 720),
        };
        let state = PanelState {
            texts,
            status: &self.status,
            devices: &self.devices,
            styles: &self.styles,
            pages: &self.pages,
            view: &self.view,
            comparing: self.comparing,
        };
        let panel = egui::Frame::new()
            .fill(theme::PANEL)
            .inner_margin(egui::Margin::symmetric(theme::EDGE as i8, 14));
        if self.scene == Scene::Panel {
            panel.show(ui, |ui| {
                self.actions
                    .extend(ui::control_panel_ui(ui, &mut self.settings, &state));
            });
            return;
        }
        if self.scene == Scene::Window && self.settings.window.panel_open {
            egui::Panel::right("control panel")
                .exact_size(theme::PANEL_WIDTH)
                .resizable(false)
                .frame(panel)
                .show(ui, |ui| {
                    self.actions
                        .extend(ui::control_panel_ui(ui, &mut self.settings, &state));
                });
        }
        let ground = egui::Frame::new().fill(theme::GROUND);
        egui::CentralPanel::no_frame().frame(ground).show(ui, |ui| {
            match self.scene {
                Scene::Starting => ui::starting_ui(ui, &state),
                _ => {
                    let program = ui::preview_ui(ui, shown, &state);
                    let actions = self.editor.ui(ui, program, &mut self.settings, &state);
                    self.actions.extend(actions);
                }
            }
            let actions = ui::view_buttons_ui(ui, &mut self.settings, texts);
            self.actions.extend(actions);
            let actions = self.notices.show(ui, &mut self.settings, texts);
            self.actions.extend(actions);
        });
    }
}

fn choices(list: &[(&str, &str, &str)]) -> Vec<Choice> {
    list.iter()
        .map(|(id, name, name_ko)| Choice {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            name_ko: Some((*name_ko).to_owned()),
            thumbnail: None,
        })
        .collect()
}

fn live() -> Status {
    Status {
        source: SourceState::Live {
            name: "HD Webcam".to_owned(),
            size: Size::new(1280, 720),
            format: "MJPEG".to_owned(),
        },
        engine: Engine {
            provider: Some(Provider::Cpu),
            threads: 2,
            precision: Precision::EightBit,
            size: Size::new(640, 368),
            close_ups: Some(256),
            reason: "No GPU provider is installed.".to_owned(),
        },
        graphics: "llvmpipe".to_owned(),
        captured_per_second: 29.9,
        styled_per_second: 29.4,
        program_per_second: 58.7,
        latency: Percentiles {
            p50: 41.2,
            p95: 58.9,
            p99: 70.0,
        },
        dropped: 3,
        ..Status::default()
    }
}

pub fn panel(language: Language) -> Harness<'static, World> {
    World::new(Scene::Panel, language).harness(vec2(theme::PANEL_WIDTH, 1500.0))
}

#[test]
fn a_click_picks_a_style_and_a_page() {
    let mut harness = panel(Language::En);
    harness.get_by_label("Noir").click();
    harness.run_ok();
    harness.get_by_label("Two panels").click();
    harness.run_ok();
    let look = &harness.state().settings.look;
    assert_eq!(
        (look.style.as_str(), look.page.as_str()),
        ("noir", "two-panel")
    );
    assert_eq!(harness.state().actions, []);
}

#[test]
fn korean_names_are_shown_and_the_language_is_a_click_away() {
    let mut harness = panel(Language::Ko);
    harness.get_by_label("누아르").click();
    harness.run_ok();
    assert_eq!(harness.state().settings.look.style, "noir");
    harness.get_by_label("EN").click();
    harness.run_ok();
    assert_eq!(harness.state().settings.window.language, Language::En);
    assert!(harness.query_by_label("누아르").is_none());
    harness.get_by_label("Noir");
}

#[test]
fn the_source_list_offers_cameras_the_demo_and_files() {
    let mut harness = panel(Language::En);
    harness.get_by_label("Choose a source").click();
    harness.run_ok();
    harness.get_by_label("HD Webcam").click();
    harness.run_ok();
    let camera = Source::Camera(CameraChoice::Path("/dev/video0".into()));
    assert_eq!(harness.state().settings.capture.source, camera);

    harness.get_by_label("Camera format").click();
    harness.run_ok();
    harness.get_by_label("YUYV 640x480 30").click();
    harness.run_ok();
    let format = harness.state().settings.capture.format.clone();
    assert_eq!(format.as_deref(), Some("YUYV 640x480 30"));

    harness.get_by_label("Choose a source").click();
    harness.run_ok();
    harness.get_by_label("Demo").click();
    harness.run_ok();
    let capture = &harness.state().settings.capture;
    assert_eq!((&capture.source, &capture.format), (&Source::Demo, &None));
    assert!(harness.query_by_label("Camera format").is_none());
}

#[test]
fn buttons_give_their_actions() {
    let mut harness = panel(Language::En);
    for name in [
        "Look for cameras again",
        "Open page…",
        "Take photo",
        "Show saved photos",
    ] {
        harness.get_by_label(name).click();
        harness.run_ok();
    }
    let expected = [
        Action::FindCameras,
        Action::PickPage,
        Action::TakePhoto,
        Action::ShowPhotos,
    ];
    assert_eq!(harness.state().actions, expected);
}

#[test]
fn mirror_quality_and_size_are_set() {
    let mut harness = panel(Language::En);
    let mirror = harness.state().settings.look.mirror;
    harness.get_by_label("Mirror").click();
    harness.run_ok();
    assert_eq!(harness.state().settings.look.mirror, !mirror);
    let list = egui::accesskit::Role::ComboBox;
    harness.get_by_role_and_label(list, "Program size").click();
    harness.run_ok();
    harness.get_by_label("1920 × 1080").click();
    harness.run_ok();
    // The slider stands at what is drawn; its end is the full size, and ends the automatic choice.
    let slider = egui::accesskit::Role::Slider;
    let rect = harness
        .get_by_role_and_label(slider, "Drawing quality")
        .rect();
    let end = rect.right_center() - egui::vec2(2.0, 0.0);
    harness.drag_at(end);
    harness.run_ok();
    harness.drop_at(end);
    harness.run_ok();
    let quality = |harness: &Harness<'_, World>| harness.state().settings.inference.quality;
    assert_eq!(quality(&harness), Quality::Full);
    let automatic = "Drawing quality: Automatic";
    for expected in [Quality::Auto, Quality::Balanced] {
        harness.get_by_label(automatic).click();
        harness.run_ok();
        assert_eq!(quality(&harness), expected);
    }
    let settings = &harness.state().settings;
    assert_eq!(settings.program.size, Some(Size::new(1920, 1080)));
}

#[test]
fn comparing_lasts_as_long_as_the_button_or_the_key_is_held() {
    let mut harness = panel(Language::En);
    let at = harness.get_by_label("Before").rect().center();
    harness.drag_at(at);
    harness.run_ok();
    harness.drop_at(at);
    harness.run_ok();
    harness.key_down(Key::C);
    harness.run_ok();
    harness.key_up(Key::C);
    harness.run_ok();
    let twice = [true, false, true, false].map(Action::Compare);
    assert_eq!(harness.state().actions, twice);
}

#[test]
fn keys_do_what_the_panel_does() {
    let mut harness = World::new(Scene::Window, Language::En).harness(vec2(1200.0, 800.0));
    let press = |harness: &mut Harness<'static, World>, key| {
        harness.key_press(key);
        harness.run_ok();
    };
    press(&mut harness, Key::Num2);
    press(&mut harness, Key::ArrowRight);
    press(&mut harness, Key::M);
    let look = &harness.state().settings.look;
    assert_eq!(
        (look.style.as_str(), look.page.as_str(), look.mirror),
        ("noir", "two-panel", false)
    );
    press(&mut harness, Key::ArrowLeft);
    press(&mut harness, Key::ArrowLeft);
    assert_eq!(harness.state().settings.look.page, "plain");
    for key in [Key::Space, Key::P, Key::F, Key::Escape] {
        press(&mut harness, key);
    }
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::Q);
    harness.run_ok();
    let expected = [
        Action::TakePhoto,
        Action::TakePhoto,
        Action::ToggleFullScreen,
        Action::LeaveFullScreen,
        Action::Quit,
    ];
    assert_eq!(harness.state().actions, expected);
}

#[test]
fn the_panel_hides_and_comes_back() {
    let mut harness = World::new(Scene::Window, Language::En).harness(vec2(1200.0, 800.0));
    for key in [Key::Tab, Key::Tab, Key::F1] {
        let open = harness.state().settings.window.panel_open;
        harness.key_press(key);
        harness.run_ok();
        assert_eq!(harness.state().settings.window.panel_open, !open, "{key:?}");
        assert_eq!(harness.query_by_label("Take photo").is_some(), !open);
    }
    harness.get_by_label("Show the panel (Tab)").click();
    harness.run_ok();
    harness.get_by_label("Take photo");
}

#[test]
fn the_state_of_the_source_is_said() {
    for (source, text) in [
        (SourceState::Opening, "Opening"),
        (SourceState::Failed, "Cannot be used"),
        (SourceState::Ended, "The video has ended"),
        (lost(0), "HD Webcam · Lost, trying again"),
        (lost(3), "HD Webcam · Lost, next try in 3 s"),
        (live().source, "HD Webcam · 1280x720 MJPEG · 29.9 fps"),
    ] {
        let mut world = World::new(Scene::Panel, Language::En);
        world.status.source = source;
        world
            .harness(vec2(theme::PANEL_WIDTH, 1500.0))
            .get_by_label(text);
    }
}

fn lost(secs: u64) -> SourceState {
    SourceState::Lost {
        name: "HD Webcam".to_owned(),
        retry_in: Duration::from_secs(secs),
    }
}

#[test]
fn figures_and_the_engine_are_read_out() {
    let harness = panel(Language::En);
    for text in [
        "Camera 29.9 fps",
        "Styled 29.4 fps",
        "Program 58.7 fps",
        "Latency p50 41 ms",
        "Latency p95 59 ms",
        "Dropped 3",
        "CPU · 2 threads · 8 bit · draws at 640x368 · small faces again at 256x256",
        "No GPU provider is installed.",
    ] {
        harness.get_by_label(text);
    }
}

/// Why a provider is not used, and what to do, all of it within the panel.
#[test]
fn a_provider_that_is_not_used_says_why_and_what_to_do() {
    let english = "CUDA: not used. libcudnn.so.9 is missing. Run: panelcam runtime add cuda";
    let korean =
        "CUDA: 쓰지 않아요. libcudnn.so.9 파일이 없어요. 설치하려면: panelcam runtime add cuda";
    let reason = format!("CPU.\n{english}");
    for (language, told) in [(Language::En, english), (Language::Ko, korean)] {
        let mut world = World::new(Scene::Panel, language);
        world.status.engine.reason = reason.clone();
        let harness = world.harness(vec2(theme::PANEL_WIDTH, 1500.0));
        let line = harness.get_by_label(told).rect();
        assert!(
            line.left() >= 0.0 && line.right() <= theme::PANEL_WIDTH,
            "{line:?}"
        );
        assert!(line.height() > 20.0, "it takes more than a line: {line:?}");
    }
}

#[test]
fn before_the_first_program_it_says_what_it_waits_for() {
    let mut world = World::new(Scene::Starting, Language::En);
    world.status.engine = Engine::default();
    let harness = world.harness(vec2(900.0, 600.0));
    for (step, done) in [
        ("Graphics", true),
        ("Source", true),
        ("Generator", false),
        ("First picture", false),
    ] {
        let ticked = harness.get_by_label(step).accesskit_node().toggled();
        assert_eq!(ticked, Some(done.into()), "{step}");
    }
}

#[test]
fn what_needs_a_hand_is_a_card_with_a_way_out() {
    let mut world = World::new(Scene::Program, Language::En);
    let ctx = egui::Context::default();
    world.notices.tell(&ctx, camera_busy(), Language::En);
    let mut harness = world.harness(vec2(900.0, 700.0));
    harness.get_by_label("There is a problem with the source");
    harness.get_by_label(&camera_busy().text);
    harness.get_by_label("Use the demo").click();
    harness.run_ok();
    assert_eq!(harness.state().settings.capture.source, Source::Demo);
    assert!(!harness.state().notices.has_card());
    assert!(harness.query_by_label("Use the demo").is_none());
}

#[test]
fn a_card_goes_when_its_trouble_is_over() {
    let mut world = World::new(Scene::Program, Language::Ko);
    world
        .notices
        .tell(&egui::Context::default(), camera_busy(), Language::En);
    world.notices.resolve(Topic::Page);
    assert!(world.notices.has_card());
    world.notices.resolve(Topic::Source);
    assert!(!world.notices.has_card());
}

#[test]
fn a_korean_card_is_korean_all_through() {
    let mut world = World::new(Scene::Program, Language::Ko);
    world
        .notices
        .tell(&egui::Context::default(), camera_busy(), Language::Ko);
    let harness = world.harness(vec2(900.0, 700.0));
    harness.get_by_label(
        "Camera 1 카메라를 다른 프로그램이 쓰고 있어요. 그 프로그램을 닫거나 다른 카메라를 고르세요. (/dev/video1)",
    );
}

fn camera_busy() -> Notice {
    Notice {
        topic: Topic::Source,
        severity: Severity::Critical,
        text: "Camera 1 is in use by another program. Close it or choose another camera. (/dev/video1)"
            .to_owned(),
    }
}

pub fn look(harness: Option<Harness<'static, World>>, name: &str) {
    let Some(mut harness) = harness else { return };
    let options = SnapshotOptions::new().output_path("tests/snapshots/ui");
    harness.snapshot_options(name, &options);
    let path = format!("tests/snapshots/ui/{name}.png");
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes <= LARGEST_PNG, "{path} has {bytes} bytes");
}

#[test]
fn picture_panel_en() {
    let world = World::new(Scene::Panel, Language::En);
    look(world.pictured(vec2(theme::PANEL_WIDTH, 640.0)), "panel_en");
}

#[test]
fn picture_panel_ko() {
    let world = World::new(Scene::Panel, Language::Ko);
    let mut harness = world.pictured(vec2(theme::PANEL_WIDTH, 600.0));
    if let Some(harness) = &mut harness {
        harness.get_by_label("llvmpipe").scroll_to_me();
        harness.run_ok();
    }
    look(harness, "panel_ko");
}

#[test]
fn picture_camera_lost() {
    let mut world = World::new(Scene::Program, Language::En);
    world.status.source = lost(2);
    world.comparing = true;
    look(world.pictured(vec2(520.0, 320.0)), "camera_lost");
}

#[test]
fn picture_critical_card() {
    let mut world = World::new(Scene::Program, Language::Ko);
    world
        .notices
        .tell(&egui::Context::default(), camera_busy(), Language::En);
    look(world.pictured(vec2(560.0, 460.0)), "critical_card");
}

#[test]
fn picture_narrow() {
    let mut world = World::new(Scene::Window, Language::En);
    world.settings.look.page = "/home/someone/pages/my own page.svg".to_owned();
    look(world.pictured(vec2(480.0, 420.0)), "narrow");
}
