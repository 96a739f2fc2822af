//! Words, bubbles and effects of the page in use.

use egui::{RichText, Ui};

use super::page_editor::field_ui;
use super::style_section::amount_ui;
use super::{PanelState, Texts, fill, icon, theme, widgets};
use crate::settings::Settings;

/// The words section: a field for each text and bubble. Nothing when the page has none.
pub fn words_section_ui(ui: &mut Ui, settings: &mut Settings, state: &PanelState<'_>) {
    let view = state.view;
    if view.words.is_empty() {
        return;
    }
    widgets::section_ui(ui, icon::BUBBLE, &state.texts.words.title, |ui| {
        for words in &view.words {
            let is_own = !settings
                .look
                .texts
                .contains_key(&format!("{}/{}", view.page, words.name));
            ui.horizontal(|ui| {
                let glyph = if words.is_bubble {
                    icon::BUBBLE
                } else {
                    icon::TEXT
                };
                ui.label(
                    RichText::new(glyph)
                        .font(theme::icons(15.0))
                        .color(theme::TEXT_WEAK),
                );
                ui.weak(&words.name);
                if !is_own {
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        let reset = &state.texts.words.reset;
                        if ui.link(RichText::new(reset).size(12.5)).clicked() {
                            settings.look.set_text(&view.page, &words.name, None);
                        }
                    });
                }
            });
            field_ui(ui, settings, state, words, 1);
            ui.add_space(2.0);
        }
        ui.weak(RichText::new(&state.texts.words.hint).size(12.0));
    });
}

/// The effects section: a switch for each kind of effect, and how strong it is. Nothing when the page has none.
pub fn effects_section_ui(ui: &mut Ui, settings: &mut Settings, state: &PanelState<'_>) {
    if state.view.effects.is_empty() {
        return;
    }
    widgets::section_ui(ui, icon::EFFECT, &state.texts.effects.title, |ui| {
        for effect in &state.view.effects {
            let off = &mut settings.look.effects_off;
            let mut on = !off.contains(effect);
            if widgets::switch_ui(ui, icon::SPARKLE, name(effect, state.texts), &mut on).changed() {
                off.retain(|known| known != effect);
                if !on {
                    off.push(effect.clone());
                }
            }
            if on {
                strength_ui(ui, settings, effect, state.texts);
            }
        }
    });
}

/// How strong effects of a kind are, from none to twice what the artist drew.
fn strength_ui(ui: &mut Ui, settings: &mut Settings, effect: &str, texts: &Texts) {
    let own = settings.look.effect_strength(effect);
    let mut strength = own;
    let name_of_it = fill(&texts.effects.strength_of, "effect", name(effect, texts));
    ui.scope(|ui| {
        let names = (texts.effects.strength.as_str(), name_of_it.as_str());
        amount_ui(ui, names, 2.0, &mut strength);
    });
    if strength != own {
        // What the artist drew is easily found again.
        let is_near = (strength - 1.0).abs() < 0.04;
        let strength = if is_near { 1.0 } else { strength };
        settings.look.set_effect_strength(effect, strength);
    }
}

fn name<'a>(effect: &'a str, texts: &'a Texts) -> &'a str {
    let texts = &texts.effects;
    match effect {
        "speedlines" => &texts.speedlines,
        "focus" => &texts.focus,
        "halftone" => &texts.halftone,
        "screentone" => &texts.screentone,
        "rain" => &texts.rain,
        "petals" => &texts.petals,
        "sparkle" => &texts.sparkle,
        "shock" => &texts.shock,
        "gloom" => &texts.gloom,
        other => other,
    }
}
