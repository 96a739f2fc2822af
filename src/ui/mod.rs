//! The control panel and everything else that is drawn in the window around the program.
//!
//! Every `…_ui` function is given what it shows as plain data, changes [`Settings`] in place and
//! returns [`Action`]s for the rest. Nothing here knows the pipeline, a device or a file, so all
//! of it runs in a test without a window.

mod engine_section;
mod icon;
mod keys;
mod messages;
mod notices;
mod page_editor;
mod page_section;
mod page_view;
mod photo_section;
mod picture_section;
mod preview;
mod server_section;
mod shots_section;
mod source_section;
mod style_section;
mod texts;
pub mod theme;
mod widgets;
mod words_section;

use std::path::PathBuf;

use egui::{Align, Layout, RichText, ScrollArea, TextureHandle, Ui, UiBuilder};

use crate::action::Action;
use crate::settings::{Language, Settings};
use crate::source::Source;
use crate::status::Status;

pub use keys::Keys;
pub use messages::message;
pub use notices::Notices;
pub use page_editor::PageEditor;
pub use page_view::{PageView, Place, ShotView, WordsView};
pub use preview::{Shown, drop_hint_ui, flash_ui, preview_ui, starting_ui, view_buttons_ui};
pub use texts::{Texts, fill, language_name};

/// What the control panel shows beside the settings.
pub struct PanelState<'a> {
    /// The texts of the language in use.
    pub texts: &'a Texts,
    /// What is going on.
    pub status: &'a Status,
    /// Cameras that were found.
    pub devices: &'a [Device],
    /// Styles to pick from.
    pub styles: &'a [Choice],
    /// Pages to pick from.
    pub pages: &'a [Choice],
    /// What can be changed on the page in use.
    pub view: &'a PageView,
    /// Whether the camera's picture is shown in place of the drawing now.
    pub comparing: bool,
}

/// A camera to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name, for people.
    pub name: String,
    /// What the settings get when it is chosen.
    pub source: Source,
    /// Its formats as the settings write them: `MJPEG 1280x720 30`.
    pub formats: Vec<String>,
}

/// A style or a page to choose.
#[derive(Clone)]
pub struct Choice {
    /// What the settings get when it is chosen.
    pub id: String,
    /// Its English name.
    pub name: String,
    /// Its Korean name, when it has one.
    pub name_ko: Option<String>,
    /// A small picture of it.
    pub thumbnail: Option<TextureHandle>,
}

impl Choice {
    /// Its name in `language`.
    pub fn name_in(&self, language: Language) -> &str {
        match (language, &self.name_ko) {
            (Language::Ko, Some(name)) => name,
            _ => &self.name,
        }
    }
}

/// The control panel: all sections in the order in which a picture comes about, the photo button
/// beneath. Changes `settings` and returns what else was asked for.
pub fn control_panel_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
) -> Vec<Action> {
    let mut actions = Vec::new();
    header_ui(ui, settings, state);
    egui::Panel::bottom("photo")
        .frame(egui::Frame::new())
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| {
            photo_section::photo_section_ui(ui, state, &mut actions);
        });
    // The scroll bar lies in the panel's margin, so that the sections end where the header does.
    let width = ui.available_width();
    let mut place = ui.available_rect_before_wrap();
    place.max.x += theme::EDGE * 0.7;
    let mut scrolled = ui.new_child(UiBuilder::new().max_rect(place));
    ScrollArea::vertical()
        .auto_shrink(false)
        .show(&mut scrolled, |ui| {
            ui.set_max_width(width);
            ui.add_space(theme::GAP);
            source_section::source_section_ui(ui, settings, state, &mut actions);
            style_section::style_section_ui(ui, settings, state, &mut actions);
            page_section::page_section_ui(ui, settings, state, &mut actions);
            shots_section::shots_section_ui(ui, settings, state, &mut actions);
            words_section::words_section_ui(ui, settings, state);
            words_section::effects_section_ui(ui, settings, state);
            picture_section::picture_section_ui(ui, settings, state);
            server_section::server_section_ui(ui, settings, state);
            engine_section::figures_section_ui(ui, state);
            engine_section::engine_section_ui(ui, state, settings.window.language);
        });
    actions
}

/// The name of the program, the language and the button that hides the panel.
fn header_ui(ui: &mut Ui, settings: &mut Settings, state: &PanelState<'_>) {
    let texts = state.texts;
    ui.horizontal(|ui| {
        ui.set_min_height(theme::TARGET);
        ui.label(
            RichText::new(icon::APERTURE)
                .font(theme::icons(27.0))
                .color(theme::ACCENT),
        );
        ui.label(RichText::new("panelcam").heading());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let hide = format!("{} (Tab)", texts.app.hide_panel);
            if widgets::icon_button_ui(ui, icon::SIDEBAR, &hide).clicked() {
                settings.window.panel_open = false;
            }
            let languages = [(Language::En, "EN"), (Language::Ko, "한국어")];
            widgets::segments_ui(ui, 50.0, &languages, &mut settings.window.language);
        });
    });
    ui.add_space(theme::GAP);
}

/// Files that can be a source, by their extension.
pub const SOURCE_EXTENSIONS: [&str; 16] = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg",
    "mpeg", "ts", "flv",
];

/// What a file that was dropped on the window or picked is for, by its extension.
pub fn action_for_file(path: PathBuf) -> Result<Action, PathBuf> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("svg") => Ok(Action::OpenPage(path)),
        Some("onnx") => Ok(Action::AddStyle(path)),
        Some(extension) if SOURCE_EXTENSIONS.contains(&extension) => Ok(Action::OpenSource(path)),
        _ => Err(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_files_are_known_by_their_extension() {
        let dropped = |name: &str| action_for_file(PathBuf::from(name));
        assert_eq!(dropped("a.SVG"), Ok(Action::OpenPage("a.SVG".into())));
        assert_eq!(dropped("b.mp4"), Ok(Action::OpenSource("b.mp4".into())));
        assert_eq!(dropped("m.onnx"), Ok(Action::AddStyle("m.onnx".into())));
        assert_eq!(dropped("c.txt"), Err("c.txt".into()));
        assert_eq!(dropped("noextension"), Err("noextension".into()));
    }
}
