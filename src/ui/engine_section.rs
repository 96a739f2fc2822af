//! What runs the generator, and the live figures.

use egui::{Color32, Ui, vec2};

use super::{PanelState, Texts, fill, icon, message, theme, widgets};
use crate::frame::Size;
use crate::settings::Language;
use crate::status::{Engine, Precision};

/// The live figures.
pub fn figures_section_ui(ui: &mut Ui, state: &PanelState<'_>) {
    let (texts, status) = (&state.texts.figures, state.status);
    let rate = |value: f64| {
        if value > 0.0 {
            format!("{value:.1}")
        } else {
            "–".to_owned()
        }
    };
    let time = |value: f64| {
        if value > 0.0 {
            format!("{value:.0}")
        } else {
            "–".to_owned()
        }
    };
    widgets::section_ui(ui, icon::FIGURES, &texts.title, |ui| {
        let size = vec2(
            ((ui.available_width() - theme::GAP * 2.0) / 3.0).floor(),
            58.0,
        );
        ui.horizontal(|ui| {
            for (name, value) in [
                (&texts.camera, status.captured_per_second),
                (&texts.styled, status.styled_per_second),
                (&texts.program, status.program_per_second),
            ] {
                widgets::figure_ui(ui, size, name, &rate(value), &texts.fps);
            }
        });
        ui.horizontal(|ui| {
            for (name, value) in [
                (&texts.latency_p50, status.latency.p50),
                (&texts.latency_p95, status.latency.p95),
            ] {
                widgets::figure_ui(ui, size, name, &time(value), &texts.ms)
                    .on_hover_text(&texts.latency_hint);
            }
            widgets::figure_ui(ui, size, &texts.dropped, &count(status.dropped), "")
                .on_hover_text(&texts.dropped_hint);
        });
    });
}

/// The engine: provider, threads, and why this one.
pub fn engine_section_ui(ui: &mut Ui, state: &PanelState<'_>, language: Language) {
    let texts = state.texts;
    widgets::section_ui(ui, icon::ENGINE, &texts.engine.title, |ui| {
        let engine = &state.status.engine;
        let (colour, line) = engine_line(engine, texts);
        widgets::state_line_ui(ui, colour, &line);
        let reason = message(&engine.reason, language);
        for line in reason.lines().chain([&*state.status.graphics]) {
            if !line.is_empty() {
                widgets::state_line_ui(ui, Color32::TRANSPARENT, line);
            }
        }
    });
}

fn engine_line(engine: &Engine, texts: &Texts) -> (Color32, String) {
    let Some(provider) = engine.provider else {
        return (theme::WARN, texts.engine.loading.clone());
    };
    let mut line = provider.name().to_owned();
    let threads = match engine.threads {
        0 => String::new(),
        1 => texts.engine.threads_one.clone(),
        count => fill(&texts.engine.threads, "count", count),
    };
    let precision = match engine.precision {
        Precision::Full => String::new(),
        Precision::EightBit => texts.engine.eight_bit.clone(),
    };
    let drawing = if engine.size == Size::default() {
        String::new()
    } else {
        fill(&texts.engine.drawing_size, "size", engine.size)
    };
    let faces = engine.close_ups.map_or_else(String::new, |side| {
        fill(&texts.engine.close_ups_size, "size", Size::new(side, side))
    });
    for part in [threads, precision, drawing, faces] {
        if !part.is_empty() {
            line.push_str(" · ");
            line.push_str(&part);
        }
    }
    (theme::GOOD, line)
}

/// A count that fits into a figure: 12345 is `12.3k`.
fn count(value: u64) -> String {
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => format!("{:.1}k", value as f64 / 1e3),
        _ => format!("{:.1}M", value as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Provider;

    #[test]
    fn counts_stay_short() {
        assert_eq!(
            [0, 9_999, 12_345, 2_500_000].map(count),
            ["0", "9999", "12.3k", "2.5M"]
        );
    }

    #[test]
    fn the_engine_line_says_what_is_known() {
        let texts = Texts::of(Language::En);
        let mut engine = Engine::default();
        assert_eq!(engine_line(&engine, texts).1, "Loading the generator");
        engine.provider = Some(Provider::Cpu);
        assert_eq!(engine_line(&engine, texts).1, "CPU");
        engine.threads = 2;
        engine.size = Size::new(640, 360);
        assert_eq!(
            engine_line(&engine, texts).1,
            "CPU · 2 threads · draws at 640x360"
        );
        engine.close_ups = Some(256);
        let line = engine_line(&engine, texts).1;
        assert!(line.ends_with(" · small faces again at 256x256"), "{line}");
    }
}
