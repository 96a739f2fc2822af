//! Shots and the strip that becomes of them; of a page without shots, saving it as it is now.

use egui::{
    Align2, Color32, CornerRadius, CursorIcon, FontId, Image, Rect, Role, Sense, Stroke,
    StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::page_view::ShotView;
use super::texts::ShotsTexts;
use super::widgets::{self, Look};
use super::{PanelState, fill, icon, theme};
use crate::action::Action;
use crate::settings::{Settings, StripClip, StripFile};

/// Seconds to choose from.
const COUNTDOWNS: [(u32, &str); 4] = [(0, "0"), (3, "3"), (5, "5"), (10, "10")];
const FILES: [(StripFile, &str); 3] = [
    (StripFile::Png, "PNG"),
    (StripFile::Jpg, "JPG"),
    (StripFile::Webp, "WebP"),
];

/// The shots section, and that of saving. Nothing before there is a page.
pub fn shots_section_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let (texts, view) = (&state.texts.shots, state.view);
    if view.shots.is_empty() {
        if !view.page.is_empty() {
            picture_ui(ui, settings, state, actions);
        }
        return;
    }
    widgets::section_ui(ui, icon::SHOTS, &texts.title, |ui| {
        row_ui(ui, state, actions);
        ui.add_space(2.0);
        ui.horizontal(|ui| {
            let wide = ui.available_width() - theme::TARGET - theme::GAP;
            let size = vec2(wide, theme::TARGET + 4.0);
            let (glyph, name, look) = if view.running {
                (icon::STOP, &texts.stop, Look::Chosen)
            } else {
                (icon::TIMER, &texts.start, Look::Field)
            };
            let ready = view.next.is_some() || view.running;
            ui.add_enabled_ui(ready, |ui| {
                if widgets::button_ui(ui, size, look, glyph, name, name)
                    .on_hover_text("S")
                    .clicked()
                {
                    actions.push(Action::StartShots);
                }
            });
            ui.add_enabled_ui(view.next.is_some(), |ui| {
                let now = format!("{} (T)", texts.now);
                if widgets::icon_button_ui(ui, icon::CAMERA, &now).clicked() {
                    actions.push(Action::TakeShot);
                }
            });
        });
        ui.horizontal(|ui| {
            ui.label(&texts.countdown);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                widgets::segments_ui(ui, 42.0, &COUNTDOWNS, &mut settings.shots.countdown);
            });
        });
        widgets::switch_ui(ui, icon::NEXT, &texts.goes_on, &mut settings.shots.goes_on);
    });
    widgets::section_ui(ui, icon::SAVE, &texts.strip, |ui| {
        ui.horizontal(|ui| {
            let wide = ui.available_width() - theme::TARGET - theme::GAP;
            let size = vec2(wide, theme::TARGET + 4.0);
            ui.add_enabled_ui(view.is_complete(), |ui| {
                let look = if view.is_complete() {
                    Look::Main
                } else {
                    Look::Field
                };
                if widgets::button_ui(ui, size, look, icon::SAVE, &texts.save, &texts.save)
                    .on_hover_text("Ctrl S")
                    .clicked()
                {
                    actions.push(Action::FinishStrip);
                }
            });
            ui.add_enabled_ui(view.has_shots(), |ui| {
                if widgets::icon_button_ui(ui, icon::TRASH, &texts.clear).clicked() {
                    actions.push(Action::ClearShots);
                }
            });
        });
        file_ui(ui, settings, texts);
        ui.horizontal(|ui| {
            ui.label(&texts.clip);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let clips = [
                    (StripClip::None, texts.no_clip.as_str()),
                    (StripClip::Gif, "GIF"),
                    (StripClip::Mp4, "MP4"),
                ];
                widgets::segments_ui(ui, 56.0, &clips, &mut settings.shots.clip);
            });
        });
        besides_ui(ui, settings, texts);
    });
}

/// Saves a page without shots. There is no second before a shot to make a clip of.
fn picture_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let texts = &state.texts.shots;
    widgets::section_ui(ui, icon::SAVE, &texts.picture, |ui| {
        let size = vec2(ui.available_width(), theme::TARGET + 4.0);
        let save = &texts.save_picture;
        if widgets::button_ui(ui, size, Look::Field, icon::SAVE, save, save)
            .on_hover_text("Ctrl S")
            .clicked()
        {
            actions.push(Action::FinishStrip);
        }
        file_ui(ui, settings, texts);
        besides_ui(ui, settings, texts);
    });
}

fn file_ui(ui: &mut Ui, settings: &mut Settings, texts: &ShotsTexts) {
    ui.horizontal(|ui| {
        ui.label(&texts.file);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            widgets::segments_ui(ui, 56.0, &FILES, &mut settings.shots.file);
        });
    });
}

/// What is saved besides the picture.
fn besides_ui(ui: &mut Ui, settings: &mut Settings, texts: &ShotsTexts) {
    widgets::switch_ui(ui, icon::PRINTER, &texts.print, &mut settings.shots.print);
    widgets::switch_ui(ui, icon::SCROLL, &texts.scroll, &mut settings.shots.scroll);
}

/// All shots side by side.
fn row_ui(ui: &mut Ui, state: &PanelState<'_>, actions: &mut Vec<Action>) {
    let shots = &state.view.shots;
    let columns = shots.len().clamp(1, 4);
    let gaps = theme::GAP * (columns - 1) as f32;
    let width = ((ui.available_width() - gaps) / columns as f32)
        .floor()
        .min(110.0);
    ui.horizontal_wrapped(|ui| {
        for shot in shots {
            shot_ui(ui, width, shot, state, actions);
        }
    });
}

fn shot_ui(
    ui: &mut Ui,
    width: f32,
    shot: &ShotView,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let (texts, view) = (&state.texts.shots, state.view);
    let is_next = view.next == Some(shot.number);
    let (rect, response) =
        ui.allocate_exact_size(vec2(width, (width * 0.72).round()), Sense::click_and_drag());
    let name = match &shot.thumbnail {
        Some(_) => fill(&texts.retake, "number", shot.number),
        None => fill(&texts.empty, "number", shot.number),
    };
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_next, &name));
    if response.drag_started() && shot.thumbnail.is_some() {
        response.dnd_set_drag_payload(shot.number);
    }
    let rounded = CornerRadius::same(theme::ROUNDED);
    ui.painter().rect_filled(rect, rounded, theme::FIELD);
    let mut ink = theme::TEXT_WEAK;
    if let Some(thumbnail) = &shot.thumbnail {
        let size = thumbnail.size_vec2();
        let scale = (rect.width() / size.x).max(rect.height() / size.y);
        let seen = rect.size() / (size * scale);
        let min = pos2((1.0 - seen.x) / 2.0, (1.0 - seen.y) / 2.0);
        Image::from_texture(thumbnail)
            .uv(Rect::from_min_size(min, seen))
            .corner_radius(rounded)
            .paint_at(ui, rect);
        if response.hovered() {
            ui.painter()
                .rect_filled(rect, rounded, Color32::from_black_alpha(130));
            ui.painter().text(
                rect.center(),
                Align2::CENTER_CENTER,
                icon::UNDO,
                theme::icons(24.0),
                theme::TEXT,
            );
        }
        ink = theme::TEXT;
    } else if let (true, Some(seconds)) = (is_next, view.countdown) {
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            seconds,
            FontId::new(26.0, theme::strong()),
            theme::ACCENT,
        );
    } else {
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            icon::CAMERA,
            theme::icons(20.0),
            theme::TEXT_WEAK.gamma_multiply(0.7),
        );
    }
    let badge = rect.left_top() + vec2(12.0, 12.0);
    ui.painter()
        .circle_filled(badge, 8.0, Color32::from_black_alpha(150));
    let font = FontId::new(11.0, theme::strong());
    ui.painter()
        .text(badge, Align2::CENTER_CENTER, shot.number, font, ink);
    let target = response
        .dnd_hover_payload::<u8>()
        .is_some_and(|number| *number != shot.number);
    if target || is_next {
        let ink = if target { theme::GOOD } else { theme::ACCENT };
        ui.painter()
            .rect_stroke(rect, rounded, Stroke::new(2.0, ink), StrokeKind::Inside);
    }
    if let Some(number) = response.dnd_release_payload::<u8>() {
        if *number != shot.number {
            actions.push(Action::SwapShots(*number, shot.number));
        }
    } else if response.clicked() && shot.thumbnail.is_some() {
        actions.push(Action::RetakeShot(shot.number));
    }
    if shot.thumbnail.is_some() {
        response
            .on_hover_cursor(CursorIcon::PointingHand)
            .on_hover_text(name);
    }
}
