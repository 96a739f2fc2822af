//! The few widgets that egui does not have in the shape this window needs. All of them are
//! [`theme::TARGET`] high or larger and have a name for screen readers and tests.

use egui::{
    Align2, Color32, CornerRadius, CursorIcon, FontId, Image, Rect, Response, Role, Sense, Stroke,
    StrokeKind, TextureHandle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::{icon, theme};

/// A section: a title with an icon, then `content`.
pub fn section_ui<R>(
    ui: &mut Ui,
    glyph: &str,
    title: &str,
    content: impl FnOnce(&mut Ui) -> R,
) -> R {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, title));
    let painter = ui.painter();
    painter.text(
        rect.left_center(),
        Align2::LEFT_CENTER,
        glyph,
        theme::icons(17.0),
        theme::TEXT_WEAK,
    );
    painter.text(
        rect.left_center() + vec2(25.0, 0.0),
        Align2::LEFT_CENTER,
        title,
        FontId::new(14.0, theme::strong()),
        theme::TEXT,
    );
    let result = content(ui);
    ui.add_space(theme::SECTION_GAP - theme::GAP);
    result
}

/// A square button with an icon only; `name` is its tooltip.
pub fn icon_button_ui(ui: &mut Ui, glyph: &str, name: &str) -> Response {
    button_ui(
        ui,
        vec2(theme::TARGET, theme::TARGET),
        Look::Field,
        glyph,
        "",
        name,
    )
    .on_hover_text(name)
}

/// How a button stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The one main button: filled with the accent.
    Main,
    /// An ordinary button.
    Field,
    /// An ordinary button that is held or on.
    Chosen,
}

/// A button of `size` with an icon and a text, either of which may be empty. `name` is what
/// screen readers say.
pub fn button_ui(
    ui: &mut Ui,
    size: Vec2,
    look: Look,
    glyph: &str,
    text: &str,
    name: &str,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let hovered = response.hovered() || response.has_focus();
    let (fill, ink) = match look {
        Look::Main if hovered => (theme::ACCENT_HOVERED, theme::ON_ACCENT),
        Look::Main => (theme::ACCENT, theme::ON_ACCENT),
        Look::Chosen => (theme::ACCENT_TINT, theme::TEXT),
        Look::Field if hovered => (theme::FIELD_HOVERED, theme::TEXT),
        Look::Field => (theme::FIELD, theme::TEXT),
    };
    let pressed = response.is_pointer_button_down_on();
    let rect = if pressed { rect.shrink(1.0) } else { rect };
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(theme::ROUNDED), fill);
    if look == Look::Chosen {
        outline(ui, rect, theme::ACCENT);
    }
    let icon_size = if size.y > 44.0 { 22.0 } else { 18.0 };
    let font = if look == Look::Main {
        FontId::new(15.5, theme::strong())
    } else {
        FontId::proportional(14.0)
    };
    let gap = if glyph.is_empty() || text.is_empty() {
        0.0
    } else {
        8.0
    };
    let glyph = painter.layout_no_wrap(glyph.to_owned(), theme::icons(icon_size), ink);
    let text = painter.layout_no_wrap(text.to_owned(), font, ink);
    let mut x = rect.center().x - (glyph.size().x + gap + text.size().x) / 2.0;
    for galley in [glyph, text] {
        let (width, height) = (galley.size().x, galley.size().y);
        painter.galley(pos2(x, rect.center().y - height / 2.0), galley, ink);
        x += width + gap;
    }
    focus_ring(ui, &response, rect);
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// A choice with a thumbnail and a name beneath. `number` is the key that picks it.
pub struct Tile<'a> {
    /// What people read.
    pub name: &'a str,
    /// The picture; an icon stands in for a missing one.
    pub thumbnail: Option<&'a TextureHandle>,
    /// Shown in place of a missing thumbnail.
    pub glyph: &'a str,
    /// How the thumbnail is fitted.
    pub fit: Fit,
    /// The key that picks it, shown in the corner.
    pub number: Option<usize>,
}

/// How a thumbnail meets its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Fills the tile; what does not fit is cut off.
    Cover,
    /// All of it is seen.
    Contain,
}

/// Draws `tile`, `width` points wide. Clicked when somebody picks it.
pub fn tile_ui(ui: &mut Ui, width: f32, tile: &Tile<'_>, chosen: bool) -> Response {
    let picture_height = (width * 0.78).round();
    let (rect, response) =
        ui.allocate_exact_size(vec2(width, picture_height + 24.0), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, tile.name)
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let rounded = CornerRadius::same(theme::ROUNDED);
    let picture = Rect::from_min_size(rect.min, vec2(width, picture_height));
    let painter = ui.painter();
    painter.rect_filled(picture, rounded, theme::FIELD);
    match tile.thumbnail {
        Some(texture) => thumbnail_ui(ui, picture, texture, tile.fit),
        None => {
            painter.text(
                picture.center(),
                Align2::CENTER_CENTER,
                tile.glyph,
                theme::icons(28.0),
                theme::TEXT_WEAK,
            );
        }
    }
    if chosen {
        outline(ui, picture, theme::ACCENT);
        let badge = picture.right_top() + vec2(-12.0, 12.0);
        painter.circle_filled(badge, 9.0, theme::ACCENT);
        painter.text(
            badge,
            Align2::CENTER_CENTER,
            icon::CHECK,
            theme::icons(13.0),
            theme::ON_ACCENT,
        );
    } else if response.hovered() {
        painter.rect_stroke(
            picture,
            rounded,
            Stroke::new(1.5, theme::TEXT_WEAK),
            StrokeKind::Inside,
        );
    }
    if let Some(number) = tile.number.filter(|_| response.hovered()) {
        let badge = Rect::from_min_size(picture.min + vec2(5.0, 5.0), Vec2::splat(18.0));
        painter.rect_filled(badge, 5.0, Color32::from_black_alpha(170));
        painter.text(
            badge.center(),
            Align2::CENTER_CENTER,
            number,
            FontId::new(12.0, theme::strong()),
            Color32::WHITE,
        );
    }
    let ink = if chosen {
        theme::TEXT
    } else {
        theme::TEXT_WEAK
    };
    let family = if chosen {
        theme::strong()
    } else {
        egui::FontFamily::Proportional
    };
    let name = one_line(ui, tile.name, FontId::new(12.5, family), ink, width);
    let at = pos2(
        rect.center().x - name.size().x / 2.0,
        picture.bottom() + 13.0 - name.size().y / 2.0,
    );
    let is_cut = name.elided;
    ui.painter().galley(at, name, ink);
    focus_ring(ui, &response, picture);
    let response = response.on_hover_cursor(CursorIcon::PointingHand);
    if is_cut {
        response.on_hover_text(tile.name)
    } else {
        response
    }
}

/// `text` on one line of at most `width` points, with an ellipsis where it is cut.
pub fn one_line(
    ui: &Ui,
    text: &str,
    font: FontId,
    ink: Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

fn thumbnail_ui(ui: &Ui, rect: Rect, texture: &TextureHandle, fit: Fit) {
    let size = texture.size_vec2();
    let image = Image::from_texture(texture);
    match fit {
        Fit::Contain => {
            let inner = rect.shrink(6.0);
            let scale = (inner.width() / size.x).min(inner.height() / size.y);
            let shown = Rect::from_center_size(inner.center(), size * scale);
            image.corner_radius(3).paint_at(ui, shown);
        }
        Fit::Cover => {
            let scale = (rect.width() / size.x).max(rect.height() / size.y);
            let seen = rect.size() / (size * scale);
            // A little above the middle: that is where faces are.
            let min = pos2((1.0 - seen.x) / 2.0, (1.0 - seen.y) * 0.35);
            image
                .uv(Rect::from_min_size(min, seen))
                .corner_radius(theme::ROUNDED)
                .paint_at(ui, rect);
        }
    }
}

/// A switch with its name to the left. Returns the response of the whole row.
pub fn switch_ui(ui: &mut Ui, glyph: &str, name: &str, on: &mut bool) -> Response {
    let (rect, mut response) =
        ui.allocate_exact_size(vec2(ui.available_width(), theme::TARGET), Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::Switch, ui.is_enabled(), *on, name));
    let how_far = ui.ctx().animate_bool_responsive(response.id, *on);
    let painter = ui.painter();
    painter.text(
        rect.left_center(),
        Align2::LEFT_CENTER,
        glyph,
        theme::icons(18.0),
        theme::TEXT_WEAK,
    );
    painter.text(
        rect.left_center() + vec2(26.0, 0.0),
        Align2::LEFT_CENTER,
        name,
        FontId::proportional(14.0),
        theme::TEXT,
    );
    let track = Rect::from_center_size(rect.right_center() - vec2(22.0, 0.0), vec2(44.0, 24.0));
    let fill = theme::FIELD_HOVERED.lerp_to_gamma(theme::ACCENT, how_far);
    painter.rect_filled(track, 12.0, fill);
    let x = egui::lerp((track.left() + 12.0)..=(track.right() - 12.0), how_far);
    let knob = theme::TEXT.lerp_to_gamma(Color32::WHITE, how_far);
    painter.circle_filled(pos2(x, track.center().y), 9.0, knob);
    focus_ring(ui, &response, track.expand(2.0));
    response.on_hover_cursor(CursorIcon::PointingHand)
}

/// Buttons side by side of which one is chosen, each `width` points wide.
pub fn segments_ui<T: Copy + PartialEq>(
    ui: &mut Ui,
    width: f32,
    choices: &[(T, &str)],
    chosen: &mut T,
) {
    let height = 30.0;
    let (rect, _) = ui.allocate_exact_size(
        vec2(width * choices.len() as f32, height + 4.0),
        Sense::hover(),
    );
    ui.painter()
        .rect_filled(rect, CornerRadius::same(theme::ROUNDED), theme::FIELD);
    for (index, (value, name)) in choices.iter().enumerate() {
        let place = Rect::from_min_size(
            rect.min + vec2(width * index as f32, 0.0),
            vec2(width, rect.height()),
        );
        let response = ui.interact(
            place,
            ui.scope_id().with(("segment", index, name)),
            Sense::click(),
        );
        let on = *value == *chosen;
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), on, name));
        if response.clicked() {
            *chosen = *value;
        }
        let painter = ui.painter();
        let inner = place.shrink(3.0);
        if on {
            painter.rect_filled(inner, 7.0, theme::ACCENT_TINT);
        }
        let ink = match (on, response.hovered()) {
            (true, _) | (_, true) => theme::TEXT,
            _ => theme::TEXT_WEAK,
        };
        painter.text(
            place.center(),
            Align2::CENTER_CENTER,
            name,
            FontId::proportional(12.5),
            ink,
        );
        focus_ring(ui, &response, inner);
        response.on_hover_cursor(CursorIcon::PointingHand);
    }
}

/// A figure: its name small above, the value large, the unit small after it.
pub fn figure_ui(ui: &mut Ui, size: Vec2, name: &str, value: &str, unit: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Label, true, format!("{name} {value} {unit}").trim())
    });
    let painter = ui.painter();
    painter.rect_filled(rect, CornerRadius::same(theme::ROUNDED), theme::FIELD);
    let inner = rect.shrink2(vec2(10.0, 8.0));
    let label = one_line(
        ui,
        name,
        FontId::proportional(11.5),
        theme::TEXT_WEAK,
        inner.width(),
    );
    painter.galley(inner.min, label, theme::TEXT_WEAK);
    let shown = painter.text(
        inner.left_bottom(),
        Align2::LEFT_BOTTOM,
        value,
        FontId::new(19.0, theme::strong()),
        theme::TEXT,
    );
    painter.text(
        pos2(shown.right() + 4.0, shown.bottom() - 2.0),
        Align2::LEFT_BOTTOM,
        unit,
        FontId::proportional(11.5),
        theme::TEXT_WEAK,
    );
    response
}

/// A line with a coloured dot: how something is doing.
pub fn state_line_ui(ui: &mut Ui, colour: Color32, text: &str) -> Response {
    let wide = ui.available_width() - 18.0;
    let galley = ui.painter().layout(
        text.to_owned(),
        FontId::proportional(13.0),
        theme::TEXT_WEAK,
        wide,
    );
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), galley.size().y), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let first_row = galley.rows.first().map_or(16.0, |row| row.rect().height());
    let painter = ui.painter();
    painter.circle_filled(rect.min + vec2(5.0, first_row / 2.0), 4.0, colour);
    painter.galley(rect.min + vec2(18.0, 0.0), galley, theme::TEXT_WEAK);
    response
}

/// A small floating label, drawn with its left top at `at`.
pub fn pill_ui(ui: &mut Ui, at: egui::Pos2, glyph: &str, text: &str, ink: Color32) {
    let font = FontId::new(13.0, theme::strong());
    let text_galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, theme::TEXT);
    let size = text_galley.size() + vec2(50.0, 16.0);
    let rect = Rect::from_min_size(at, size);
    let response = ui.interact(rect, ui.scope_id().with(("pill", text)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    let painter = ui.painter();
    painter.rect_filled(rect, size.y / 2.0, theme::PANEL.gamma_multiply(0.94));
    painter.text(
        rect.left_center() + vec2(14.0, 0.0),
        Align2::LEFT_CENTER,
        glyph,
        theme::icons(16.0),
        ink,
    );
    painter.galley(rect.min + vec2(36.0, 8.0), text_galley, theme::TEXT);
}

/// A drop-down list as wide as what is left of the row. `choices` are drawn in it.
pub fn combo_ui(ui: &mut Ui, id: &str, name: &str, shown: &str, choices: impl FnOnce(&mut Ui)) {
    let width = ui.available_width();
    let response = egui::ComboBox::from_id_salt(id)
        .width(width)
        .selected_text(shown)
        .truncate()
        .icon(|ui, rect, visuals, _| {
            ui.painter().text(
                rect.center(),
                Align2::CENTER_CENTER,
                icon::CARET_DOWN,
                theme::icons(14.0),
                visuals.fg_stroke.color,
            );
        })
        .show_ui(ui, |ui| {
            ui.set_min_width(width - 12.0);
            ui.spacing_mut().item_spacing.y = 2.0;
            choices(ui);
        })
        .response;
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, true, name);
        info.current_text_value = Some(shown.to_owned());
        info
    });
}

/// One line of a drop-down list. True when it was picked.
pub fn choice_ui(ui: &mut Ui, glyph: &str, name: &str, hint: &str, chosen: bool) -> bool {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), theme::TARGET), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::MenuItemRadio, true, chosen, name));
    let painter = ui.painter();
    if chosen {
        painter.rect_filled(rect, 8.0, theme::ACCENT_TINT);
    } else if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, 8.0, theme::FIELD_HOVERED);
    }
    let mut left = rect.left() + 10.0;
    if !glyph.is_empty() {
        painter.text(
            pos2(left, rect.center().y),
            Align2::LEFT_CENTER,
            glyph,
            theme::icons(17.0),
            theme::TEXT_WEAK,
        );
        left += 26.0;
    }
    let mut right = rect.right() - 10.0;
    if !hint.is_empty() {
        right = painter
            .text(
                pos2(right, rect.center().y),
                Align2::RIGHT_CENTER,
                hint,
                FontId::proportional(12.0),
                theme::TEXT_WEAK,
            )
            .left()
            - 8.0;
    }
    let text = one_line(
        ui,
        name,
        FontId::proportional(14.0),
        theme::TEXT,
        right - left,
    );
    let at = pos2(left, rect.center().y - text.size().y / 2.0);
    ui.painter().galley(at, text, theme::TEXT);
    let picked = response.on_hover_cursor(CursorIcon::PointingHand).clicked();
    if picked {
        ui.close();
    }
    picked
}

fn outline(ui: &Ui, rect: Rect, ink: Color32) {
    ui.painter().rect_stroke(
        rect,
        CornerRadius::same(theme::ROUNDED),
        Stroke::new(2.0, ink),
        StrokeKind::Inside,
    );
}

fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect.expand(2.0),
            CornerRadius::same(theme::ROUNDED + 2),
            Stroke::new(1.5, theme::TEXT),
            StrokeKind::Outside,
        );
    }
}
