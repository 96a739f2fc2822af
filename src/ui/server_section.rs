//! Whether other programs may ask for things, and where they do.

use egui::{Ui, vec2};

use super::messages::message;
use super::widgets::{self, Look};
use super::{PanelState, icon, theme};
use crate::settings::Settings;
use crate::status::ServerState;

/// The section with the switch, the address, and the token where there is one.
pub fn server_section_ui(ui: &mut Ui, settings: &mut Settings, state: &PanelState<'_>) {
    let texts = &state.texts.server;
    widgets::section_ui(ui, icon::BROADCAST, &texts.title, |ui| {
        let server = &mut settings.server;
        widgets::switch_ui(ui, icon::PLUG, &texts.allow, &mut server.enabled)
            .on_hover_text(&texts.hint);
        let address = match &state.status.server {
            ServerState::Off => return,
            ServerState::Failed(why) => {
                let why = message(why, settings.window.language);
                widgets::state_line_ui(ui, theme::BAD, &why);
                return;
            }
            ServerState::Listening(address) => address,
        };
        let line = format!("http://{address}/api/");
        widgets::state_line_ui(ui, theme::GOOD, &line);
        if !address.ip().is_loopback() {
            widgets::state_line_ui(ui, theme::WARN, &texts.others);
        }
        if let Some(token) = &server.token {
            let size = vec2(ui.available_width(), theme::TARGET);
            let copy = &texts.copy_token;
            if widgets::button_ui(ui, size, Look::Field, icon::COPY, copy, copy).clicked() {
                ui.ctx().copy_text(token.clone());
            }
        }
    });
}
