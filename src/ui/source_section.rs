//! Where frames come from: the source, the camera's format, how it is doing.

use egui::{Color32, Ui, vec2};

use super::{Device, PanelState, Texts, fill, icon, theme, widgets};
use crate::action::Action;
use crate::settings::Settings;
use crate::source::{CameraChoice, Source, Turn};
use crate::status::{SourceState, Status};

/// The source section.
pub fn source_section_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let texts = state.texts;
    widgets::section_ui(ui, icon::VIDEO, &texts.source.title, |ui| {
        ui.horizontal(|ui| {
            let buttons = (theme::TARGET + theme::GAP) * 2.0;
            let width = ui.available_width() - buttons;
            ui.allocate_ui(vec2(width, theme::TARGET), |ui| {
                source_combo_ui(ui, settings, state, actions);
            });
            if widgets::icon_button_ui(ui, icon::FOLDER, &texts.source.open_file).clicked() {
                actions.push(Action::PickSource);
            }
            if widgets::icon_button_ui(ui, icon::REFRESH, &texts.source.find_cameras).clicked() {
                actions.push(Action::FindCameras);
            }
        });
        if let Some(device) = device_of(&settings.capture.source, state.devices)
            && !device.formats.is_empty()
        {
            format_combo_ui(ui, settings, device, texts);
        }
        if settings.capture.source.is_live() {
            turn_combo_ui(ui, &mut settings.capture.turn, texts);
        }
        let (colour, line) = state_line(state.status, texts);
        widgets::state_line_ui(ui, colour, &line);
    });
}

fn source_combo_ui(
    ui: &mut Ui,
    settings: &mut Settings,
    state: &PanelState<'_>,
    actions: &mut Vec<Action>,
) {
    let texts = state.texts;
    let current = settings.capture.source.clone();
    let in_use = device_of(&current, state.devices);
    let mut chosen = None;
    let shown = source_name(&current, state.devices, texts);
    widgets::combo_ui(ui, "source", &texts.source.choose, &shown, |ui| {
        let auto = current == Source::Auto;
        if widgets::choice_ui(ui, icon::SPARKLE, &texts.source.auto, "", auto) {
            chosen = Some(Source::Auto);
        }
        for device in state.devices {
            let on = !auto && in_use == Some(device);
            if widgets::choice_ui(ui, icon::VIDEO, &device.name, "", on) {
                chosen = Some(device.source.clone());
            }
        }
        if state.devices.is_empty() {
            ui.weak(&texts.source.no_cameras);
        }
        for (source, name) in [
            (Source::Demo, &texts.source.demo),
            (Source::Pattern, &texts.source.pattern),
        ] {
            if widgets::choice_ui(ui, icon::MONITOR, name, "", current == source) {
                chosen = Some(source);
            }
        }
        if matches!(current, Source::File(_) | Source::Url(_)) {
            widgets::choice_ui(ui, icon::FILM, &shown, "", true);
        }
        if widgets::choice_ui(ui, icon::FOLDER, &texts.source.open_file, "", false) {
            actions.push(Action::PickSource);
        }
    });
    if let Some(source) = chosen.filter(|source| *source != current) {
        settings.capture.source = source;
        settings.capture.format = None;
    }
}

fn format_combo_ui(ui: &mut Ui, settings: &mut Settings, device: &Device, texts: &Texts) {
    let best = &texts.source.best_format;
    let current = settings.capture.format.clone();
    let shown = current.as_ref().unwrap_or(best).clone();
    widgets::combo_ui(ui, "format", &texts.source.format, &shown, |ui| {
        if widgets::choice_ui(ui, "", best, "", current.is_none()) {
            settings.capture.format = None;
        }
        for format in &device.formats {
            let on = current.as_ref() == Some(format);
            if widgets::choice_ui(ui, "", format, "", on) {
                settings.capture.format = Some(format.clone());
            }
        }
    });
}

fn turn_combo_ui(ui: &mut Ui, turn: &mut Turn, texts: &Texts) {
    let texts = &texts.source;
    let name = |turn: Turn| match turn {
        Turn::None => &texts.turn_none,
        Turn::Right => &texts.turn_right,
        Turn::Half => &texts.turn_half,
        Turn::Left => &texts.turn_left,
    };
    let shown = *turn;
    widgets::combo_ui(ui, "turn", &texts.turn, name(shown), |ui| {
        for choice in Turn::ALL {
            if widgets::choice_ui(ui, "", name(choice), "", choice == shown) {
                *turn = choice;
            }
        }
    });
}

/// The camera that `source` means.
fn device_of<'a>(source: &Source, devices: &'a [Device]) -> Option<&'a Device> {
    match source {
        Source::Auto | Source::Camera(CameraChoice::First) => devices.first(),
        Source::Camera(CameraChoice::Index(index)) => devices.get(*index as usize),
        Source::Camera(CameraChoice::Name(name)) => devices
            .iter()
            .find(|device| device.name.starts_with(name.as_str())),
        Source::Camera(CameraChoice::Path(_)) => {
            devices.iter().find(|device| device.source == *source)
        }
        Source::File(_) | Source::Url(_) | Source::Demo | Source::Pattern => None,
    }
}

fn source_name(source: &Source, devices: &[Device], texts: &Texts) -> String {
    match source {
        Source::Auto => texts.source.auto.clone(),
        Source::Camera(_) => match (device_of(source, devices), source) {
            (Some(device), _) => device.name.clone(),
            (None, Source::Camera(CameraChoice::First)) => texts.source.first_camera.clone(),
            (None, _) => source.to_string(),
        },
        Source::File(path) => path.file_name().map_or_else(
            || source.to_string(),
            |name| name.to_string_lossy().into_owned(),
        ),
        Source::Url(url) => url.clone(),
        Source::Demo => texts.source.demo.clone(),
        Source::Pattern => texts.source.pattern.clone(),
    }
}

/// The colour and the words for how the source is doing.
fn state_line(status: &Status, texts: &Texts) -> (Color32, String) {
    let texts = &texts.source;
    match &status.source {
        SourceState::Opening => (theme::WARN, texts.opening.clone()),
        SourceState::Live { name, size, format } => {
            let mut line = format!("{name} · {size}");
            if !format.is_empty() {
                line.push_str(&format!(" {format}"));
            }
            if status.captured_per_second > 0.0 {
                line.push_str(&format!(" · {:.1} fps", status.captured_per_second));
            }
            (theme::GOOD, line)
        }
        SourceState::Lost { name, retry_in } => {
            let words = lost_text(texts, retry_in.as_secs());
            (theme::WARN, format!("{name} · {words}"))
        }
        SourceState::Failed => (theme::BAD, texts.failed.clone()),
        SourceState::Ended => (theme::TEXT_WEAK, texts.ended.clone()),
    }
}

fn lost_text(texts: &super::texts::SourceTexts, seconds: u64) -> String {
    if seconds == 0 {
        texts.lost.clone()
    } else {
        fill(&texts.lost_in, "seconds", seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<Device> {
        ["HD Webcam", "Capture card"]
            .iter()
            .enumerate()
            .map(|(index, name)| Device {
                name: (*name).to_owned(),
                source: Source::Camera(CameraChoice::Path(format!("/dev/video{index}").into())),
                formats: vec![],
            })
            .collect()
    }

    #[test]
    fn every_way_to_name_a_camera_finds_it() {
        let devices = devices();
        for (text, name) in [
            ("auto", "HD Webcam"),
            ("camera", "HD Webcam"),
            ("camera:1", "Capture card"),
            ("/dev/video1", "Capture card"),
            ("camera:Capture", "Capture card"),
        ] {
            let Ok(source) = text.parse();
            let found = device_of(&source, &devices).map(|device| device.name.as_str());
            assert_eq!(found, Some(name), "{text}");
        }
        assert!(device_of(&Source::Demo, &devices).is_none());
        assert!(device_of(&Source::Auto, &[]).is_none());
    }
}
