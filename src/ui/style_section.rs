//! Which style people are drawn in, and how strongly.

use egui::{Slider, Ui};

use super::widgets::{self, Fit, Tile};
use super::{Choice, PanelState, icon, theme};
use crate::action::Action;
use crate::settings::{Language, Settings};

const COLUMNS: usize = 3;

/// The style section: a tile a style and one to add another, the strength beneath.
pub fn style_section_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let texts = state.texts;
    let language = settings.window.language;
    widgets::section_ui(ui, icon::STYLE, &texts.style.title, |ui| {
        if state.styles.is_empty() {
            ui.weak(&texts.style.empty);
        }
        let look = Look {
            glyph: icon::STYLE,
            fit: Fit::Cover,
            numbered: true,
        };
        grid_ui(
            ui,
            state.styles,
            language,
            look,
            &mut settings.look.style,
            |ui, width| {
                let add = Tile {
                    name: &texts.style.add,
                    glyph: icon::FOLDER,
                    thumbnail: None,
                    fit: Fit::Contain,
                    number: None,
                };
                if widgets::tile_ui(ui, width, &add, false).clicked() {
                    actions.push(Action::PickStyle);
                }
            },
        );
        let strength = &mut settings.look.strength;
        ui.scope(|ui| share_ui(ui, &texts.style.strength, strength));
    });
}

/// How the tiles of a grid look.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// Stands in for missing thumbnails.
    pub glyph: &'a str,
    /// How thumbnails are fitted.
    pub fit: Fit,
    /// Whether the first nine have a key each.
    pub numbered: bool,
}

/// Tiles in rows; `chosen` becomes the id of the one that is picked. `more` adds tiles after the
/// last; it is given their width.
pub fn grid_ui(
    ui: &mut Ui,
    choices: &[Choice],
    language: Language,
    look: Look<'_>,
    chosen: &mut String,
    more: impl FnOnce(&mut Ui, f32),
) {
    let gaps = theme::GAP * (COLUMNS - 1) as f32;
    let width = ((ui.available_width() - gaps) / COLUMNS as f32).floor();
    ui.horizontal_wrapped(|ui| {
        for (index, choice) in choices.iter().enumerate() {
            let tile = Tile {
                name: choice.name_in(language),
                thumbnail: choice.thumbnail.as_ref(),
                glyph: look.glyph,
                fit: look.fit,
                number: (look.numbered && index < 9).then_some(index + 1),
            };
            let response = widgets::tile_ui(ui, width, &tile, *chosen == choice.id);
            if response.clicked() && *chosen != choice.id {
                chosen.clone_from(&choice.id);
            }
        }
        more(ui, width);
    });
}

/// A slider from 0 to 1, with its name and percentage above.
pub fn share_ui(ui: &mut Ui, name: &str, share: &mut f32) {
    amount_ui(ui, (name, name), 1.0, share);
}

/// The same up to `most`, with what it is called where its row does not say all.
pub fn amount_ui(ui: &mut Ui, (label, name): (&str, &str), most: f32, share: &mut f32) {
    let percent = format!("{:.0} %", *share * 100.0);
    let response = slider_ui(ui, label, &percent, |ui| {
        ui.add(Slider::new(share, 0.0..=most).show_value(false))
    });
    let value = f64::from(*share);
    response.widget_info(|| egui::WidgetInfo::slider(true, value, name));
}

/// A slider of steps from 0 to `last`, with the one it stands at in words.
pub fn step_ui(
    ui: &mut Ui,
    name: &str,
    shown: &str,
    last: usize,
    at: &mut usize,
) -> egui::Response {
    let response = slider_ui(ui, name, shown, |ui| {
        ui.add(Slider::new(at, 0..=last).show_value(false))
    });
    let value = *at as f64;
    response.widget_info(|| egui::WidgetInfo::slider(true, value, name));
    response
}

/// A slider under its label and what it stands at.
fn slider_ui(
    ui: &mut Ui,
    label: &str,
    shown: &str,
    slider: impl FnOnce(&mut Ui) -> egui::Response,
) -> egui::Response {
    // Less than a full target above: the slider beneath is one itself.
    ui.spacing_mut().interact_size.y = 22.0;
    ui.horizontal(|ui| {
        ui.label(label);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(egui::RichText::new(shown).family(theme::strong()));
        });
    });
    ui.spacing_mut().slider_width = ui.available_width();
    slider(ui)
}
