//! How the window looks: fonts, colours, spacing. One accent colour on a dark, calm ground, so
//! that the picture is what people look at.

use std::sync::Arc;

use egui::epaint::Shadow;
use egui::style::{HandleShape, ScrollStyle, WidgetVisuals};
use egui::{
    Color32, Context, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke,
    Style, TextStyle, Theme, Vec2, Visuals,
};

/// Behind the picture.
pub const GROUND: Color32 = Color32::from_rgb(0x0d, 0x0e, 0x12);
/// The control panel.
pub const PANEL: Color32 = Color32::from_rgb(0x15, 0x17, 0x1d);
/// Fields, buttons and tiles at rest.
pub const FIELD: Color32 = Color32::from_rgb(0x20, 0x23, 0x2c);
/// The same under the pointer.
pub const FIELD_HOVERED: Color32 = Color32::from_rgb(0x2a, 0x2e, 0x39);
/// Lines between parts.
pub const LINE: Color32 = Color32::from_rgb(0x2a, 0x2d, 0x37);
/// Text.
pub const TEXT: Color32 = Color32::from_rgb(0xec, 0xed, 0xf2);
/// Text that explains.
pub const TEXT_WEAK: Color32 = Color32::from_rgb(0x9c, 0xa1, 0xb0);
/// The one accent: what is chosen and the main button.
pub const ACCENT: Color32 = Color32::from_rgb(0x8b, 0x7c, 0xff);
/// The accent under the pointer.
pub const ACCENT_HOVERED: Color32 = Color32::from_rgb(0x9e, 0x91, 0xff);
/// The accent as a tint behind something chosen.
pub const ACCENT_TINT: Color32 = Color32::from_rgb(0x2b, 0x28, 0x4a);
/// Text on the accent.
pub const ON_ACCENT: Color32 = Color32::from_rgb(0x12, 0x0e, 0x2b);
/// It works.
pub const GOOD: Color32 = Color32::from_rgb(0x4a, 0xd6, 0x9a);
/// Something is off.
pub const WARN: Color32 = Color32::from_rgb(0xf5, 0xb8, 0x4b);
/// It does not work.
pub const BAD: Color32 = Color32::from_rgb(0xff, 0x75, 0x70);

/// Width of the control panel in points.
pub const PANEL_WIDTH: f32 = 340.0;
/// Space around the panel's content.
pub const EDGE: f32 = 20.0;
/// Space between the parts of one section.
pub const GAP: f32 = 8.0;
/// Space between sections.
pub const SECTION_GAP: f32 = 22.0;
/// Height of everything that is clicked: large enough for a finger.
pub const TARGET: f32 = 38.0;
/// Height of the main button.
pub const MAIN_TARGET: f32 = 50.0;
/// Corners of fields and tiles.
pub const ROUNDED: u8 = 9;

/// Text of its own weight: titles, buttons, figures.
pub fn strong() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// Icons. Their own family: Pretendard has other glyphs at the same private code points.
pub fn icons(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("icons".into()))
}

/// Gives `ctx` the fonts and the style. Call once, before the first pass.
pub fn install(ctx: &Context) {
    ctx.set_fonts(fonts());
    ctx.set_theme(Theme::Dark);
    ctx.set_style_of(Theme::Dark, style());
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in [
        (
            "regular",
            include_bytes!("../../assets/fonts/ui/Pretendard-Regular.otf").as_slice(),
        ),
        (
            "semibold",
            include_bytes!("../../assets/fonts/ui/Pretendard-SemiBold.otf").as_slice(),
        ),
        (
            "icons",
            include_bytes!("../../assets/fonts/ui/Phosphor.ttf").as_slice(),
        ),
    ] {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    for (family, first) in [
        (FontFamily::Proportional, "regular"),
        (FontFamily::Monospace, "regular"),
        (strong(), "semibold"),
    ] {
        fonts
            .families
            .insert(family, vec![first.to_owned(), "icons".to_owned()]);
    }
    let icons = FontFamily::Name("icons".into());
    fonts.families.insert(icons, vec!["icons".to_owned()]);
    fonts
}

fn style() -> Style {
    let mut style = Style {
        visuals: visuals(),
        animation_time: 0.12,
        ..Style::default()
    };
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(12.0)),
        (TextStyle::Body, FontId::proportional(14.0)),
        (TextStyle::Button, FontId::proportional(14.0)),
        (TextStyle::Monospace, FontId::proportional(14.0)),
        (TextStyle::Heading, FontId::new(20.0, strong())),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::splat(GAP);
    spacing.button_padding = Vec2::new(12.0, 8.0);
    spacing.interact_size = Vec2::new(TARGET, TARGET);
    spacing.window_margin = Margin::same(20);
    spacing.menu_margin = Margin::same(6);
    spacing.menu_spacing = 4.0;
    spacing.slider_rail_height = 6.0;
    spacing.icon_spacing = 8.0;
    spacing.combo_height = 320.0;
    spacing.tooltip_width = 300.0;
    spacing.scroll = ScrollStyle::thin();
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.4;
    style
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    let rounded = CornerRadius::same(ROUNDED);
    let widget = |fill: Color32, stroke: Stroke, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: stroke,
        corner_radius: rounded,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let widgets = &mut visuals.widgets;
    widgets.noninteractive = widget(FIELD, Stroke::new(1.0, LINE), TEXT);
    widgets.inactive = widget(FIELD, Stroke::NONE, TEXT);
    widgets.hovered = widget(FIELD_HOVERED, Stroke::NONE, TEXT);
    widgets.active = widget(FIELD_HOVERED, Stroke::new(1.5, ACCENT), TEXT);
    widgets.open = widget(FIELD_HOVERED, Stroke::NONE, TEXT);
    visuals.selection.bg_fill = ACCENT;
    visuals.selection.stroke = Stroke::new(1.5, ON_ACCENT);
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(TEXT_WEAK);
    visuals.panel_fill = PANEL;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_corner_radius = CornerRadius::same(14);
    visuals.menu_corner_radius = CornerRadius::same(12);
    visuals.popup_shadow = shadow();
    visuals.window_shadow = shadow();
    visuals.extreme_bg_color = GROUND;
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = HandleShape::Circle;
    visuals.warn_fg_color = WARN;
    visuals.error_fg_color = BAD;
    visuals.hyperlink_color = ACCENT;
    visuals.disabled_alpha = 0.4;
    visuals
}

fn shadow() -> Shadow {
    Shadow {
        offset: [0, 10],
        blur: 28,
        spread: 0,
        color: Color32::from_black_alpha(130),
    }
}

/// A soft shadow for what floats over the picture.
pub fn floating_shadow() -> Shadow {
    shadow()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_have_every_letter_of_both_languages_and_the_icons() {
        let texts = concat!(
            include_str!("../../assets/translations/en.toml"),
            include_str!("../../assets/translations/ko.toml")
        );
        let ctx = Context::default();
        install(&ctx);
        ctx.begin_pass(egui::RawInput::default());
        for family in [FontFamily::Proportional, strong()] {
            let font = FontId::new(14.0, family);
            for letter in texts.chars().filter(|letter| !letter.is_control()) {
                assert!(
                    ctx.fonts_mut(|fonts| fonts.has_glyph(&font, letter)),
                    "{letter:?} is missing in {font:?}"
                );
            }
        }
        for icon in super::super::icon::ALL {
            assert!(
                ctx.fonts_mut(|fonts| fonts.has_glyphs(&icons(18.0), icon)),
                "{icon:?}"
            );
        }
        ctx.end_pass().textures_delta.clear();
    }
}
