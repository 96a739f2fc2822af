//! Which page the program is.

use std::path::Path;

use egui::{Ui, vec2};

use super::style_section::{self, Look};
use super::widgets::{self, Fit, Tile};
use super::{PanelState, icon, theme};
use crate::action::Action;
use crate::settings::Settings;

/// The page section: a tile a page, and a button for one from a file.
pub fn page_section_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let texts = state.texts;
    let language = settings.window.language;
    widgets::section_ui(ui, icon::PAGE, &texts.page.title, |ui| {
        if state.pages.is_empty() {
            ui.weak(&texts.page.empty);
        }
        let look = Look { glyph: icon::PAGE, fit: Fit::Contain, numbered: false };
        style_section::grid_ui(ui, state.pages, language, look, &mut settings.look.page);
        if let Some(name) = file_name(&settings.look.page, state) {
            let tile = Tile {
                name: &name,
                thumbnail: None,
                glyph: icon::FILE,
                fit: Fit::Contain,
                number: None,
            };
            widgets::tile_ui(ui, 94.0, &tile, true).on_hover_text(&texts.page.file);
        }
        let wide = vec2(ui.available_width(), theme::TARGET);
        let open = &texts.page.open_file;
        if widgets::button_ui(ui, wide, widgets::Look::Field, icon::FOLDER, open, open).clicked() {
            actions.push(Action::PickPage);
        }
    });
}

/// The name of the page in use when it is a file and none of the known pages.
fn file_name(page: &str, state: &PanelState<'_>) -> Option<String> {
    let known = page == "none" || state.pages.iter().any(|choice| choice.id == page);
    let name = Path::new(page).file_name()?.to_string_lossy().into_owned();
    (!known && name.to_lowercase().ends_with(".svg")).then_some(name)
}
