//! The program in the window, and what stands there before the first one.

use std::time::Duration;

use egui::{
    Align2, Color32, CornerRadius, FontId, Image, Rect, Role, Sense, Spinner, TextureId, Ui,
    WidgetInfo, pos2, vec2,
};

use super::widgets::{self, pill_ui};
use super::{PanelState, Texts, icon, theme};
use crate::action::Action;
use crate::frame::Size;
use crate::settings::Settings;
use crate::status::SourceState;

/// The program as egui knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Its texture.
    pub texture: TextureId,
    /// Its size.
    pub size: Size,
}

/// The program, as large as fits, on the dark ground; over it what is not as usual. Gives where it
/// is drawn.
pub fn preview_ui(ui: &mut Ui, shown: Shown, state: &PanelState<'_>) -> Rect {
    let space = ui.max_rect();
    let margin = if space.width() < 700.0 { 0.0 } else { 20.0 };
    let place = fit(space.shrink(margin), shown.size);
    let response = ui.allocate_rect(space, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &state.texts.figures.program));
    let rounded = if margin > 0.0 { 6 } else { 0 };
    Image::from_texture((shown.texture, place.size()))
        .corner_radius(CornerRadius::same(rounded))
        .paint_at(ui, place);
    let mut at = place.left_bottom() + vec2(14.0, -48.0);
    for (glyph, text, ink) in marks(state) {
        pill_ui(ui, at, glyph, text, ink);
        at.y -= 42.0;
    }
    place
}

/// What is not as usual.
fn marks<'a>(state: &'a PanelState<'_>) -> Vec<(&'static str, &'a str, Color32)> {
    let texts = state.texts;
    let mut marks = Vec::new();
    match state.status.source {
        SourceState::Lost { .. } => {
            marks.push((icon::VIDEO_OFF, texts.source.lost.as_str(), theme::WARN));
        }
        SourceState::Failed => {
            marks.push((icon::VIDEO_OFF, texts.starting.held.as_str(), theme::BAD));
        }
        SourceState::Opening | SourceState::Live { .. } | SourceState::Ended => {}
    }
    if state.comparing {
        marks.push((icon::BEFORE, texts.photo.comparing.as_str(), theme::ACCENT));
    }
    marks
}

/// The largest place of `size`'s shape in the middle of `space`.
fn fit(space: Rect, size: Size) -> Rect {
    let (width, height) = (size.width.max(1) as f32, size.height.max(1) as f32);
    let scale = (space.width() / width)
        .min(space.height() / height)
        .max(0.0);
    Rect::from_center_size(space.center(), vec2(width, height) * scale)
}

/// Before the first program: the name and what is being waited for.
pub fn starting_ui(ui: &mut Ui, state: &PanelState<'_>) {
    let (texts, status) = (&state.texts.starting, state.status);
    let space = ui.max_rect();
    let source_name = match &status.source {
        SourceState::Live { name, .. } | SourceState::Lost { name, .. } => name.as_str(),
        SourceState::Failed => &state.texts.source.failed,
        SourceState::Opening | SourceState::Ended => "",
    };
    let live = matches!(status.source, SourceState::Live { .. } | SourceState::Ended);
    let steps = [
        (
            &texts.graphics,
            !status.graphics.is_empty(),
            status.graphics.as_str(),
        ),
        (&texts.source, live, source_name),
        (&texts.generator, status.engine.provider.is_some(), ""),
        (&texts.first_picture, false, ""),
    ];
    let painter = ui.painter();
    let top = pos2(space.center().x, space.center().y - 110.0);
    painter.text(
        top,
        Align2::CENTER_CENTER,
        icon::APERTURE,
        theme::icons(56.0),
        theme::ACCENT,
    );
    painter.text(
        top + vec2(0.0, 56.0),
        Align2::CENTER_CENTER,
        &texts.title,
        FontId::new(20.0, theme::strong()),
        theme::TEXT,
    );
    let mut y = top.y + 104.0;
    let left = space.center().x - 120.0;
    let mut waiting = false;
    for (name, done, detail) in steps {
        let row = Rect::from_min_size(pos2(left, y - 14.0), vec2(300.0, 28.0));
        let is_next = !done && !waiting;
        step_ui(ui, row, name, done, is_next, detail);
        waiting |= is_next;
        y += 32.0;
    }
}

fn step_ui(ui: &mut Ui, row: Rect, name: &str, done: bool, is_next: bool, detail: &str) {
    let response = ui.interact(row, ui.scope_id().with(name), Sense::hover());
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, done, name));
    let mark = row.left_center() + vec2(10.0, 0.0);
    if done {
        ui.painter().text(
            mark,
            Align2::CENTER_CENTER,
            icon::CHECK_CIRCLE,
            theme::icons(20.0),
            theme::GOOD,
        );
    } else if is_next {
        let spinner = Spinner::new().size(16.0).color(theme::ACCENT);
        spinner.paint_at(ui, Rect::from_center_size(mark, vec2(16.0, 16.0)));
    } else {
        ui.painter().circle_filled(mark, 3.0, theme::FIELD_HOVERED);
    }
    let ink = if done || is_next {
        theme::TEXT
    } else {
        theme::TEXT_WEAK
    };
    let end = ui.painter().text(
        row.left_center() + vec2(32.0, 0.0),
        Align2::LEFT_CENTER,
        name,
        FontId::proportional(15.0),
        ink,
    );
    if !detail.is_empty() {
        let font = FontId::proportional(12.5);
        let room = row.right() + 40.0 - end.right();
        let detail = widgets::one_line(ui, detail, font, theme::TEXT_WEAK, room);
        let at = pos2(end.right() + 10.0, row.center().y - detail.size().y / 2.0);
        ui.painter().galley(at, detail, theme::TEXT_WEAK);
    }
}

/// Two buttons in the corner of the picture: the way back to a hidden panel, and full screen.
/// Shown while the pointer moves, so that nothing stays over the picture.
pub fn view_buttons_ui(ui: &mut Ui, settings: &mut Settings, texts: &Texts) -> Vec<Action> {
    let mut actions = Vec::new();
    let corner = ui.max_rect().right_top() + vec2(-theme::TARGET - 16.0, 16.0);
    let mut place = Rect::from_min_size(corner, vec2(theme::TARGET, theme::TARGET));
    if !settings.window.panel_open {
        let name = format!("{} (Tab)", texts.app.show_panel);
        if corner_button_ui(ui, place, icon::SIDEBAR, &name) {
            settings.window.panel_open = true;
        }
        place = place.translate(vec2(-theme::TARGET - theme::GAP, 0.0));
    }
    let name = format!("{} (F)", texts.app.full_screen);
    if corner_button_ui(ui, place, icon::FULL_SCREEN, &name) {
        actions.push(Action::ToggleFullScreen);
    }
    actions
}

fn corner_button_ui(ui: &mut Ui, place: Rect, glyph: &str, name: &str) -> bool {
    let builder = egui::UiBuilder::new().max_rect(place);
    ui.scope_builder(builder, |ui| widgets::icon_button_ui(ui, glyph, name))
        .inner
        .clicked()
}

/// The picture lights up for a moment when a photo is taken, `age` ago. Whether it still does.
pub fn flash_ui(ui: &Ui, age: Duration) -> bool {
    const LASTS: Duration = Duration::from_millis(260);
    let left = 1.0 - age.as_secs_f32() / LASTS.as_secs_f32();
    if left <= 0.0 {
        return false;
    }
    let white = Color32::from_white_alpha((left * 200.0) as u8);
    ui.painter().rect_filled(ui.max_rect(), 0.0, white);
    ui.ctx().request_repaint();
    true
}

/// Shown while a file is held over the window.
pub fn drop_hint_ui(ui: &Ui, texts: &Texts) {
    let space = ui.max_rect();
    let painter = ui.ctx().layer_painter(egui::LayerId::new(
        egui::Order::Foreground,
        egui::Id::unique("drop hint"),
    ));
    painter.rect_filled(space, 0.0, theme::GROUND.gamma_multiply(0.85));
    let frame = space.shrink(24.0);
    painter.rect_stroke(
        frame,
        16.0,
        egui::Stroke::new(2.0, theme::ACCENT),
        egui::StrokeKind::Inside,
    );
    painter.text(
        space.center() - vec2(0.0, 34.0),
        Align2::CENTER_CENTER,
        icon::FOLDER,
        theme::icons(48.0),
        theme::ACCENT,
    );
    painter.text(
        space.center() + vec2(0.0, 22.0),
        Align2::CENTER_CENTER,
        &texts.notice.drop_here,
        FontId::new(18.0, theme::strong()),
        theme::TEXT,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_keeps_its_shape() {
        let space = Rect::from_min_size(pos2(0.0, 0.0), vec2(1000.0, 1000.0));
        let wide = fit(space, Size::new(1920, 1080));
        assert_eq!(wide.width(), 1000.0);
        assert!((wide.height() - 562.5).abs() < 0.01);
        let tall = fit(space, Size::new(1080, 1920));
        assert_eq!(tall.height(), 1000.0);
        assert_eq!(tall.center(), space.center());
        assert!(fit(space, Size::default()).is_positive());
    }
}
