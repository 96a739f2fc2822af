//! Which page the program is.

use std::path::Path;

use egui::Ui;

use super::style_section::{self, Look};
use super::widgets::{self, Fit, Tile};
use super::{PanelState, icon};
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
        let look = Look {
            glyph: icon::PAGE,
            fit: Fit::Contain,
            numbered: false,
        };
        let from_file = file_name(&settings.look.page, state);
        let page = &mut settings.look.page;
        style_section::grid_ui(ui, state.pages, language, look, page, |ui, width| {
            let tile = |name, glyph| Tile {
                name,
                glyph,
                thumbnail: None,
                fit: Fit::Contain,
                number: None,
            };
            if let Some(name) = &from_file {
                widgets::tile_ui(ui, width, &tile(name, icon::FILE), true)
                    .on_hover_text(&texts.page.file);
            }
            let open = tile(&texts.page.open_file, icon::FOLDER);
            if widgets::tile_ui(ui, width, &open, false).clicked() {
                actions.push(Action::PickPage);
            }
        });
    });
}

/// The name of the page in use when it is a file and none of the known pages.
fn file_name(page: &str, state: &PanelState<'_>) -> Option<String> {
    let known = page == "none" || state.pages.iter().any(|choice| choice.id == page);
    let name = Path::new(page).file_name()?.to_string_lossy().into_owned();
    (!known && name.to_lowercase().ends_with(".svg")).then_some(name)
}
