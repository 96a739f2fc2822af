//! Changing the page on the page: click a bubble and type, click a shot and take it again, drag a
//! shot onto another.

use egui::{
    Align2, Area, Color32, CornerRadius, CursorIcon, FontId, Frame, Id, Key, Margin, Order, Rect,
    Role, Sense, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo, vec2,
};

use super::page_view::{PageView, ShotView, WordsView};
use super::widgets::{self, Look};
use super::{PanelState, icon, theme};
use crate::action::Action;
use crate::settings::{LookSettings, Settings};

/// What is being changed.
#[derive(Default)]
pub struct PageEditor {
    open: Option<Open>,
}

struct Open {
    page: String,
    name: String,
    /// Whether the field is to be given the keyboard.
    fresh: bool,
}

impl PageEditor {
    /// Draws what can be clicked over the program at `program`, and the field of what was.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        program: Rect,
        settings: &mut Settings,
        state: &PanelState<'_>,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let view = state.view;
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.page != view.page)
        {
            self.open = None;
        }
        for shot in &view.shots {
            shot_ui(ui, program, shot, state, &mut actions);
        }
        for words in &view.words {
            if words_ui(ui, program, words, state) {
                self.open = Some(Open {
                    page: view.page.clone(),
                    name: words.name.clone(),
                    fresh: true,
                });
            }
        }
        self.field_ui(ui, program, settings, state);
        actions
    }

    fn field_ui(
        &mut self,
        ui: &mut Ui,
        program: Rect,
        settings: &mut Settings,
        state: &PanelState<'_>,
    ) {
        let Some(open) = &mut self.open else { return };
        let view: &PageView = state.view;
        let Some(words) = view.words.iter().find(|words| words.name == open.name) else {
            self.open = None;
            return;
        };
        let place = words.place.within(program);
        let space = ui.max_rect().shrink(12.0);
        let size = vec2(300.0_f32.min(space.width()), 150.0);
        // Beneath the words, above them where there is no room.
        let below = place.bottom() + 10.0;
        let y = if below + size.y <= space.bottom() {
            below
        } else {
            (place.top() - 10.0 - size.y).max(space.top())
        };
        let x = (place.center().x - size.x / 2.0)
            .min(space.right() - size.x)
            .max(space.left());
        let mut done = ui.input(|input| input.key_pressed(Key::Escape));
        let response = Area::new(Id::unique("page editor"))
            .order(Order::Foreground)
            .fixed_pos(egui::pos2(x, y))
            .show(ui.ctx(), |ui| {
                Frame::new()
                    .fill(theme::PANEL)
                    .stroke(Stroke::new(1.0, theme::LINE))
                    .corner_radius(CornerRadius::same(12))
                    .inner_margin(Margin::same(12))
                    .show(ui, |ui| {
                        ui.set_width(size.x - 24.0);
                        let field = field_ui(ui, settings, state, words, 3);
                        if std::mem::take(&mut open.fresh) {
                            field.request_focus();
                        }
                        ui.add_space(2.0);
                        ui.horizontal(|ui| {
                            let button =
                                vec2((ui.available_width() - theme::GAP) / 2.0, theme::TARGET);
                            let reset = &state.texts.words.reset;
                            let back = widgets::button_ui(
                                ui,
                                button,
                                Look::Field,
                                icon::UNDO,
                                reset,
                                reset,
                            );
                            if back.clicked() {
                                settings.look.set_text(&view.page, &words.name, None);
                            }
                            let finish = &state.texts.words.done;
                            done |= widgets::button_ui(
                                ui,
                                button,
                                Look::Main,
                                icon::CHECK,
                                finish,
                                finish,
                            )
                            .clicked();
                        });
                    });
            })
            .response;
        if done || response.clicked_elsewhere() && !place.contains(pointer(ui)) {
            self.open = None;
        }
    }
}

fn pointer(ui: &Ui) -> egui::Pos2 {
    ui.input(|input| input.pointer.interact_pos())
        .unwrap_or_default()
}

/// The field with what `words` say. Changes the settings as somebody types.
pub(super) fn field_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    words: &WordsView,
    rows: usize,
) -> egui::Response {
    let key = format!("{}/{}", state.view.page, words.name);
    // What was typed is newer than what the page shows.
    let mut text = settings.look.texts.get(&key).unwrap_or(&words.text).clone();
    let name = state.texts.words.field_name(&words.name);
    let field = ui.add(
        TextEdit::multiline(&mut text)
            .id_salt(("words", &words.name, rows))
            .desired_rows(rows)
            .desired_width(f32::INFINITY)
            .char_limit(LookSettings::LONGEST_TEXT)
            .margin(Margin::symmetric(10, 8))
            .hint_text(words.own.replace('\n', " ")),
    );
    field.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::TextInput, true, &name);
        info.current_text_value = Some(text.clone());
        info
    });
    if field.changed() {
        let text = (text != words.own).then_some(text);
        settings.look.set_text(&state.view.page, &words.name, text);
    }
    if !words.missing.is_empty() {
        let note = super::fill(&state.texts.words.missing, "letters", &words.missing);
        ui.label(egui::RichText::new(note).size(12.0).color(theme::WARN));
    }
    if words.cut {
        ui.label(
            egui::RichText::new(&state.texts.words.cut)
                .size(12.0)
                .color(theme::WARN),
        );
    }
    field
}

/// Words on the program; `true` when they were clicked.
fn words_ui(ui: &mut Ui, program: Rect, words: &WordsView, state: &PanelState<'_>) -> bool {
    let place = words.place.within(program);
    if !place.is_positive() {
        return false;
    }
    let id = ui.scope_id().with(("page words", &words.name));
    let response = ui.interact(place, id, Sense::click());
    let name = state.texts.words.edit_name(&words.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.hovered() || response.has_focus() {
        frame_ui(ui, place, theme::ACCENT);
        tag_ui(ui, place, icon::TEXT, &state.texts.words.edit);
    }
    response.on_hover_cursor(CursorIcon::Text).clicked()
}

/// A shot on the program: it is taken again when it is clicked, and changes places with the one it
/// is dropped on.
fn shot_ui(
    ui: &mut Ui,
    program: Rect,
    shot: &ShotView,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let place = shot.place.within(program);
    if shot.thumbnail.is_none() || state.view.running || !place.is_positive() {
        return;
    }
    let id = ui.scope_id().with(("page shot", shot.number));
    let response = ui.interact(place, id, Sense::click_and_drag());
    let name = super::fill(&state.texts.shots.retake, "number", shot.number);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.drag_started() {
        response.dnd_set_drag_payload(shot.number);
    }
    let dropped_on = response
        .dnd_hover_payload::<u8>()
        .is_some_and(|number| *number != shot.number);
    if dropped_on {
        frame_ui(ui, place, theme::GOOD);
        tag_ui(ui, place, icon::SWAP, &state.texts.shots.swap);
    } else if response.hovered() || response.has_focus() {
        frame_ui(ui, place, theme::TEXT);
        tag_ui(ui, place, icon::UNDO, &name);
    }
    if let Some(number) = response.dnd_release_payload::<u8>() {
        if *number != shot.number {
            actions.push(Action::SwapShots(*number, shot.number));
        }
    } else if response.clicked() {
        actions.push(Action::RetakeShot(shot.number));
    }
    response.on_hover_cursor(CursorIcon::PointingHand);
}

fn frame_ui(ui: &Ui, place: Rect, ink: Color32) {
    let rounded = CornerRadius::same(8);
    let painter = ui.painter();
    painter.rect_filled(place.expand(3.0), rounded, ink.gamma_multiply(0.08));
    painter.rect_stroke(
        place.expand(3.0),
        rounded,
        Stroke::new(2.0, ink),
        StrokeKind::Outside,
    );
}

/// A small label on the upper edge of a frame.
fn tag_ui(ui: &Ui, place: Rect, glyph: &str, text: &str) {
    let painter = ui.painter();
    let font = FontId::new(12.5, theme::strong());
    let galley = painter.layout_no_wrap(text.to_owned(), font, theme::TEXT);
    let size = galley.size() + vec2(36.0, 10.0);
    let space = ui.max_rect();
    let x = (place.center().x - size.x / 2.0)
        .min(space.right() - size.x)
        .max(space.left());
    let y = (place.top() - size.y / 2.0).max(space.top() + 2.0);
    let tag = Rect::from_min_size(egui::pos2(x, y), size);
    painter.rect_filled(tag, size.y / 2.0, theme::PANEL);
    painter.text(
        tag.left_center() + vec2(10.0, 0.0),
        Align2::LEFT_CENTER,
        glyph,
        theme::icons(14.0),
        theme::ACCENT,
    );
    painter.galley(tag.min + vec2(28.0, 5.0), galley, theme::TEXT);
}
