//! Changing the page in the window: words typed on the page and in the panel, shots clicked.

use egui::{Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use panelcam::action::Action;
use panelcam::frame::Size;
use panelcam::settings::{Language, Settings};
use panelcam::status::Status;
use panelcam::ui::{
    self, PageEditor, PageView, PanelState, Place, ShotView, Shown, Texts, WordsView, theme,
};

/// The window without its stages.
struct World {
    settings: Settings,
    view: PageView,
    editor: PageEditor,
    actions: Vec<Action>,
    picture: Option<egui::TextureHandle>,
    taken: usize,
    /// How many shots the page has.
    shots: u8,
}

fn world(language: Language, taken: usize) -> World {
    let mut settings = Settings::default();
    settings.window.language = language;
    let place = |x, y| Place {
        x,
        y,
        width: 0.3,
        height: 0.15,
    };
    let words = |name: &str, own: &str, is_bubble, place| WordsView {
        name: name.to_owned(),
        is_bubble,
        own: own.to_owned(),
        text: own.to_owned(),
        place,
        missing: String::new(),
        cut: false,
    };
    let view = PageView {
        page: "four-cut".to_owned(),
        shots: Vec::new(),
        next: (taken < 4).then_some(taken as u8 + 1),
        countdown: None,
        running: false,
        words: vec![
            words("title", "네 컷 만화", false, place(0.35, 0.8)),
            words("two", "Hello!", true, place(0.05, 0.1)),
        ],
        effects: vec!["rain".to_owned(), "focus".to_owned()],
    };
    World {
        settings,
        view,
        editor: PageEditor::default(),
        actions: Vec::new(),
        picture: None,
        taken,
        shots: 4,
    }
}

impl World {
    fn harness(self, size: Vec2) -> Harness<'static, Self> {
        let mut harness = Harness::builder()
            .with_size(size)
            .with_context_setup(theme::install)
            .with_max_steps(40)
            .build_ui_state(|ui, world: &mut Self| world.ui(ui), self);
        harness.run_ok();
        harness
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let picture = self.picture.get_or_insert_with(|| {
            let image = egui::ColorImage::filled([16, 12], egui::Color32::from_rgb(200, 120, 90));
            ui.ctx()
                .load_texture("picture", image, egui::TextureOptions::LINEAR)
        });
        self.view.shots = (1..=self.shots)
            .map(|number: u8| ShotView {
                number,
                thumbnail: (usize::from(number) <= self.taken).then(|| picture.clone()),
                place: Place {
                    x: 0.5,
                    y: 0.2 * f32::from(number) - 0.15,
                    width: 0.4,
                    height: 0.1,
                },
            })
            .collect();
        let shown = Shown {
            texture: picture.id(),
            size: Size::new(600, 600),
        };
        let state = PanelState {
            texts: Texts::of(self.settings.window.language),
            status: &Status::default(),
            devices: &[],
            styles: &[],
            pages: &[],
            view: &self.view,
            comparing: false,
        };
        egui::Panel::right("control panel")
            .exact_size(theme::PANEL_WIDTH)
            .show(ui, |ui| {
                self.actions
                    .extend(ui::control_panel_ui(ui, &mut self.settings, &state));
            });
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let program = ui::preview_ui(ui, shown, &state);
            self.actions
                .extend(self.editor.ui(ui, program, &mut self.settings, &state));
        });
    }
}

const SIZE: Vec2 = vec2(1100.0, 1900.0);

#[test]
fn words_are_typed_where_they_stand() {
    let mut harness = world(Language::En, 0).harness(SIZE);
    harness.get_by_label("Edit two").click();
    harness.run_ok();
    // The one over the page and the one in the panel.
    assert_eq!(harness.get_all_by_label("Words of two").count(), 2);
    let typed = harness
        .get_all_by_label("Words of two")
        .find(|node| node.accesskit_node().is_focused());
    typed
        .expect("the field over the page has the keyboard")
        .type_text("Oh, ");
    harness.run_ok();
    let texts = &harness.state().settings.look.texts;
    let text = texts.get("four-cut/two").expect("what was typed");
    assert!(text.contains("Oh, ") && text.contains("Hello!"), "{text}");
    harness.get_by_label("Done").click();
    harness.run_ok();
    assert_eq!(harness.get_all_by_label("Words of two").count(), 1);
}

#[test]
fn words_go_back_to_the_artists() {
    let mut world = world(Language::En, 0);
    world
        .settings
        .look
        .set_text("four-cut", "title", Some("Mine".to_owned()));
    let mut harness = world.harness(SIZE);
    harness.get_by_label("Original").click();
    harness.run_ok();
    assert!(harness.state().settings.look.texts.is_empty());
}

#[test]
fn shots_are_started_taken_again_and_saved() {
    let mut harness = world(Language::En, 2).harness(SIZE);
    for name in [
        "Start countdown",
        "Take the next shot now (T)",
        "Start over",
    ] {
        harness.get_by_label(name).click();
        harness.run_ok();
    }
    let again = harness
        .get_all_by_label("Take shot 1 again")
        .next()
        .expect("a shot");
    again.click();
    harness.run_ok();
    // Not complete: it cannot be saved yet.
    harness.get_by_label("Save strip").click();
    harness.run_ok();
    assert_eq!(
        harness.state().actions,
        [
            Action::StartShots,
            Action::TakeShot,
            Action::ClearShots,
            Action::RetakeShot(1)
        ]
    );
    harness.state_mut().taken = 4;
    harness.run_ok();
    harness.get_by_label("Save strip").click();
    harness.run_ok();
    assert_eq!(harness.state().actions.last(), Some(&Action::FinishStrip));
}

#[test]
fn a_page_without_shots_is_saved_as_it_is_now() {
    for (language, save, print) in [
        (
            Language::En,
            "Save the page as it is now",
            "Also for print, 300 dpi",
        ),
        (
            Language::Ko,
            "지금 모습 그대로 저장",
            "인쇄용도 저장 (300 dpi)",
        ),
    ] {
        let mut world = world(language, 0);
        (world.shots, world.view.next) = (0, None);
        let mut harness = world.harness(SIZE);
        for name in [print, "WebP", save] {
            harness.get_by_label(name).click();
            harness.run_ok();
        }
        let world = harness.state();
        assert_eq!(world.actions, [Action::FinishStrip]);
        assert!(world.settings.shots.print);
        assert_eq!(world.settings.shots.file.extension(), "webp");
        // There are no shots to take, and nothing to make a clip of.
        for name in ["Start countdown", "카운트다운 시작", "GIF", "Save strip"] {
            assert!(harness.query_by_label(name).is_none(), "{name}");
        }
    }
}

#[test]
fn nothing_is_saved_before_there_is_a_page() {
    let mut world = world(Language::En, 0);
    world.shots = 0;
    world.view = PageView::default();
    let harness = world.harness(SIZE);
    let save = harness.query_by_label("Save the page as it is now");
    assert!(save.is_none());
}

#[test]
fn effects_are_switched_off_and_on() {
    let mut harness = world(Language::Ko, 0).harness(SIZE);
    harness.get_by_label("비").click();
    harness.run_ok();
    assert_eq!(harness.state().settings.look.effects_off, ["rain"]);
    harness.get_by_label("비").click();
    harness.run_ok();
    assert!(harness.state().settings.look.effects_off.is_empty());
}

#[test]
fn effects_are_made_weaker_and_stronger() {
    let mut harness = world(Language::En, 0).harness(SIZE);
    let strength =
        |harness: &Harness<'static, World>| harness.state().settings.look.effect_strength("rain");
    let slider = |harness: &Harness<'static, World>| harness.get_by_label("Rain, strength").rect();
    let rect = slider(&harness);
    let at = |share: f32| egui::pos2(rect.left() + rect.width() * share, rect.center().y);
    for (share, wanted) in [(0.2, 0.4), (0.9, 1.8)] {
        harness.drag_at(at(0.5));
        harness.drop_at(at(share));
        harness.run_ok();
        let now = strength(&harness);
        assert!((now - wanted).abs() < 0.15, "{now}");
    }
    // Near the middle it is as the artist drew it, and nothing is kept.
    harness.drag_at(at(0.9));
    harness.drop_at(at(0.505));
    harness.run_ok();
    assert!(harness.state().settings.look.effect_strengths.is_empty());
    // What is off has no strength.
    harness.get_by_label("Rain").click();
    harness.run_ok();
    assert!(harness.query_by_label("Rain, strength").is_none());
}

#[test]
fn formats_are_chosen() {
    let mut harness = world(Language::En, 0).harness(SIZE);
    for name in [
        "JPG",
        "GIF",
        "Also for print, 300 dpi",
        "Also as a vertical scroll",
        "5",
    ] {
        harness.get_by_label(name).click();
        harness.run_ok();
    }
    let shots = &harness.state().settings.shots;
    assert_eq!(
        (shots.file.extension(), shots.clip.extension()),
        ("jpg", Some("gif"))
    );
    assert!(shots.print && shots.scroll);
    assert_eq!(shots.countdown, 5);
}
