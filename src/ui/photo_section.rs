//! The photo button, the compare button and the line of keys, always in sight under the sections.

use egui::text::{LayoutJob, TextFormat};
use egui::{FontFamily, FontId, Id, Label, TextWrapMode, Ui, vec2};

use super::widgets::{self, Look};
use super::{PanelState, Texts, icon, theme};
use crate::action::Action;

/// The foot of the panel.
pub fn photo_section_ui(ui: &mut Ui, state: &PanelState<'_>, actions: &mut Vec<Action>) {
    let texts = state.texts;
    ui.painter().hline(
        ui.max_rect().expand2(vec2(theme::EDGE, 0.0)).x_range(),
        ui.max_rect().top(),
        egui::Stroke::new(1.0, theme::LINE),
    );
    ui.add_space(14.0);
    ui.horizontal(|ui| {
        let compare_width = 92.0;
        let side = compare_width + theme::MAIN_TARGET + theme::GAP * 2.0;
        let main = vec2(ui.available_width() - side, theme::MAIN_TARGET);
        let take = &texts.photo.take;
        if widgets::button_ui(ui, main, Look::Main, icon::CAMERA, take, take)
            .on_hover_text(format!("{}, P", texts.keys.space))
            .clicked()
        {
            actions.push(Action::TakePhoto);
        }
        compare_ui(ui, compare_width, state, actions);
        let square = vec2(theme::MAIN_TARGET, theme::MAIN_TARGET);
        let folder = &texts.photo.show_folder;
        if widgets::button_ui(ui, square, Look::Field, icon::PHOTOS, "", folder)
            .on_hover_text(folder)
            .clicked()
        {
            actions.push(Action::ShowPhotos);
        }
    });
    ui.spacing_mut().interact_size.y = 0.0;
    keys_line_ui(ui, texts);
}

/// Shows the camera's picture while it is held.
fn compare_ui(ui: &mut Ui, width: f32, state: &PanelState<'_>, actions: &mut Vec<Action>) {
    let texts = state.texts;
    let look = if state.comparing {
        Look::Chosen
    } else {
        Look::Field
    };
    let size = vec2(width, theme::MAIN_TARGET);
    let name = &texts.photo.compare;
    let response = widgets::button_ui(ui, size, look, icon::BEFORE, name, name)
        .on_hover_text(format!("{} (C)", texts.photo.compare_hint));
    let held = response.is_pointer_button_down_on();
    let id = Id::unique("compare button held");
    let was_held = ui.data(|data| data.get_temp(id).unwrap_or(false));
    if held != was_held {
        ui.data_mut(|data| data.insert_temp(id, held));
        actions.push(Action::Compare(held));
    }
}

/// What the keys do, in one or two small lines.
fn keys_line_ui(ui: &mut Ui, texts: &Texts) {
    let keys = &texts.keys;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(10.0, 3.0);
        for (key, what) in [
            (keys.tab.as_str(), &keys.panel),
            (keys.space.as_str(), &keys.photo),
            ("C", &keys.compare),
            ("F", &keys.full_screen),
            ("M", &keys.mirror),
            ("1–9", &keys.styles),
            ("← →", &keys.pages),
        ] {
            // One piece of text, so that a line never ends between a key and what it does.
            let mut pair = LayoutJob::default();
            let format = |family, ink| TextFormat::simple(FontId::new(11.0, family), ink);
            pair.append(key, 0.0, format(theme::strong(), theme::TEXT_WEAK));
            let faint = theme::TEXT_WEAK.gamma_multiply(0.75);
            pair.append(what, 4.0, format(FontFamily::Proportional, faint));
            ui.add(Label::new(pair).wrap_mode(TextWrapMode::Extend));
        }
    });
}
