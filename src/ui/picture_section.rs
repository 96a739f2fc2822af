//! Mirror, drawing quality, the size of the program, and what is done to drawings.

use egui::Ui;

use super::style_section::{share_ui, step_ui};
use super::{PanelState, Texts, fill, icon, widgets};
use crate::frame::Size;
use crate::settings::{Quality, RetouchSettings, Settings, Transition};

/// Sizes of the program that are offered beside the page's own.
const SIZES: [(Size, &str); 5] = [
    (Size::new(854, 480), "480p"),
    (Size::new(1280, 720), "720p"),
    (Size::new(1920, 1080), "1080p"),
    (Size::new(1080, 1080), "1:1"),
    (Size::new(1080, 1920), "9:16"),
];

/// The picture section.
pub fn picture_section_ui(ui: &mut Ui, settings: &mut Settings, state: &PanelState<'_>) {
    let texts = state.texts;
    widgets::section_ui(ui, icon::PICTURE, &texts.picture.title, |ui| {
        let mirror = &texts.picture.mirror;
        widgets::switch_ui(ui, icon::MIRROR, mirror, &mut settings.look.mirror).on_hover_text("M");
        quality_ui(ui, settings, state);
        size_ui(ui, settings, texts);
        retouch_ui(ui, &mut settings.retouch, texts);
    });
}

fn retouch_ui(ui: &mut Ui, retouch: &mut RetouchSettings, texts: &Texts) {
    let texts = &texts.picture;
    ui.scope(|ui| {
        for (name, share) in [
            (&texts.smoothing, &mut retouch.smoothing),
            (&texts.skin_tone, &mut retouch.skin_tone),
            (&texts.lines, &mut retouch.lines),
        ] {
            share_ui(ui, name, share);
        }
    });
    let mut wipe = retouch.transition == Transition::Wipe;
    widgets::switch_ui(ui, icon::STYLE, &texts.wipe, &mut wipe);
    retouch.transition = if wipe {
        Transition::Wipe
    } else {
        Transition::Cut
    };
}

/// Automatic, or a slider from the quickest to the finest. It stands where the generator draws now;
/// moving it ends the automatic choice.
fn quality_ui(ui: &mut Ui, settings: &mut Settings, state: &PanelState<'_>) {
    let texts = state.texts;
    let quality = &mut settings.inference.quality;
    let mut automatic = *quality == Quality::Auto;
    let step = if automatic {
        nearest(state.status.engine.size)
    } else {
        *quality
    };
    let name = format!("{}: {}", texts.picture.quality, texts.picture.quality_auto);
    if widgets::switch_ui(ui, icon::PICTURE, &name, &mut automatic).changed() {
        *quality = if automatic { Quality::Auto } else { step };
    }
    ui.scope(|ui| {
        let mut shown = quality_name(step, texts).to_owned();
        if let Some(side) = step.long_side().filter(|_| !automatic) {
            shown += &format!(" · {}", fill(&texts.picture.long_side, "pixels", side));
        }
        let steps = &Quality::STEPS;
        let mut at = steps.iter().position(|known| *known == step).unwrap_or(0);
        let last = steps.len() - 1;
        if step_ui(ui, &texts.picture.quality, &shown, last, &mut at).changed() {
            *quality = steps.get(at).copied().unwrap_or_default();
        }
    });
    let close_ups = &mut settings.inference.close_ups;
    widgets::switch_ui(ui, icon::SPARKLE, &texts.picture.close_ups, close_ups);
}

/// The step whose pictures are nearest to those of `size`; the middle before there are any.
fn nearest(size: Size) -> Quality {
    let side = size.width.max(size.height);
    let sides = Quality::STEPS
        .into_iter()
        .filter_map(|step| Some((step.long_side()?, step)));
    let far = |(known, _): &(u32, Quality)| known.abs_diff(side);
    match sides.min_by_key(far) {
        _ if side == 0 => Quality::Balanced,
        Some((known, _)) if far(&(known, Quality::Full)) > known / 4 && side > known => {
            Quality::Full
        }
        Some((_, step)) => step,
        None => Quality::Balanced,
    }
}

fn quality_name(quality: Quality, texts: &Texts) -> &str {
    let texts = &texts.picture;
    match quality {
        Quality::Auto => &texts.quality_auto,
        Quality::Fast => &texts.quality_fast,
        Quality::Balanced => &texts.quality_balanced,
        Quality::Fine => &texts.quality_fine,
        Quality::Full => &texts.quality_full,
    }
}

fn size_ui(ui: &mut Ui, settings: &mut Settings, texts: &Texts) {
    let chosen = settings.program.size;
    ui.weak(&texts.picture.size);
    let of_page = &texts.picture.size_of_page;
    let shown = chosen.map_or_else(|| of_page.clone(), size_name);
    widgets::combo_ui(ui, "size", &texts.picture.size, &shown, |ui| {
        if widgets::choice_ui(ui, "", of_page, "", chosen.is_none()) {
            settings.program.size = None;
        }
        let own = chosen.filter(|size| SIZES.iter().all(|(known, _)| known != size));
        for (size, hint) in SIZES.into_iter().chain(own.map(|size| (size, ""))) {
            if widgets::choice_ui(ui, "", &size_name(size), hint, chosen == Some(size)) {
                settings.program.size = Some(size);
            }
        }
    });
}

fn size_name(size: Size) -> String {
    format!("{} × {}", size.width, size.height)
}
