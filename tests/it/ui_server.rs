//! What the control panel says of other programs.

use egui::vec2;
use egui_kittest::kittest::Queryable as _;
use panelcam::server::ServerError;
use panelcam::settings::Language;
use panelcam::status::ServerState;
use panelcam::ui::theme;

use crate::ui::{Scene, World, look, panel};

#[test]
fn other_programs_are_let_in_by_a_switch_that_tells_where() {
    let mut harness = panel(Language::En);
    harness.get_by_label("May control panelcam").click();
    harness.run_ok();
    assert!(harness.state().settings.server.enabled);
    assert!(harness.query_by_label("Copy the token").is_none());

    let token = "0123456789abcdef0123456789abcdef";
    let mut world = World::new(Scene::Panel, Language::En);
    world.settings.server.token = Some(token.to_owned());
    world.status.server = ServerState::Listening(([0, 0, 0, 0], 7262).into());
    let mut harness = world.harness(vec2(theme::PANEL_WIDTH, 1700.0));
    harness.get_by_label("http://0.0.0.0:7262/api/");
    harness.get_by_label("Other machines reach it too, with the token");
    assert!(harness.query_by_label_contains(token).is_none());
    harness.get_by_label("Copy the token").click();
    harness.step();
    let copied = egui::OutputCommand::CopyText(token.to_owned());
    let commands = &harness.output().platform_output.commands;
    assert!(commands.contains(&copied), "{commands:?}");
}

/// Why nobody is let in, in the language of the window and all of it within the panel.
#[test]
fn a_port_that_is_taken_is_told_in_the_panel() {
    let address = ([127, 0, 0, 1], 7262).into();
    let why = ServerError::Taken(address).to_string();
    for (language, text) in [(Language::En, "another program"), (Language::Ko, "이 포트")] {
        let mut world = World::new(Scene::Panel, language);
        world.settings.server.enabled = true;
        world.status.server = ServerState::Failed(why.clone());
        let harness = world.harness(vec2(theme::PANEL_WIDTH, 1700.0));
        let line = harness.get_by_label_contains(text).rect();
        assert!(
            line.right() <= theme::PANEL_WIDTH && line.height() > 20.0,
            "{line:?}"
        );
    }
}

#[test]
fn picture_other_programs() {
    let mut world = World::new(Scene::Panel, Language::En);
    world.settings.server.enabled = true;
    world.settings.server.token = Some("0123456789abcdef".to_owned());
    world.status.server = ServerState::Listening(([192, 168, 0, 7], 7262).into());
    let mut harness = world.pictured(vec2(theme::PANEL_WIDTH, 420.0));
    if let Some(harness) = &mut harness {
        harness.get_by_label("Copy the token").scroll_to_me();
        harness.run_ok();
    }
    look(harness, "other_programs");
}
