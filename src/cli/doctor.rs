//! `panelcam doctor`: what works on this machine, and what to do about what does not.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::studio::Studio;
use super::{Session, print, print_json, runtime as providers, styles};
use crate::capture;
use crate::compositor::Gpu;
use crate::ffmpeg;
use crate::frame::Size;
use crate::inference::provider::Verdict;
use crate::inference::{self, Runtime};
use crate::panels;

#[derive(Args)]
pub(super) struct Arguments {
    /// Print one JSON value.
    #[arg(long)]
    json: bool,
}

/// How much the main job, a camera's picture drawn into a page, needs it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing is drawn without it.
    Must,
    /// Something is missing without it.
    May,
    /// There are several; those that work are used.
    Some,
}

struct Check {
    name: &'static str,
    need: Need,
    result: Result<String, String>,
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> anyhow::Result<()> {
    let checks = checks(session);
    let can_run = checks
        .iter()
        .all(|check| check.need != Need::Must || check.result.is_ok());
    if arguments.json {
        let list: Vec<_> = checks
            .iter()
            .map(|check| {
                json!({
                    "id": check.name,
                    "name": check.name,
                    "ok": check.result.is_ok(),
                    "needed": check.need == Need::Must,
                    "text": match &check.result { Ok(text) | Err(text) => text },
                })
            })
            .collect();
        print_json(&json!({ "ok": can_run, "checks": list }));
    } else {
        for check in &checks {
            let (mark, text) = match (&check.result, check.need) {
                (Ok(text), _) => ("works", text),
                (Err(text), Need::Must) => ("FAILS", text),
                (Err(text), Need::May) => ("is missing", text),
                (Err(text), Need::Some) => ("in part", text),
            };
            print(&format!("{:14} {mark:11} {text}", check.name));
        }
    }
    if can_run {
        Ok(())
    } else {
        Err(anyhow::Error::msg(String::new()))
    }
}

fn checks(session: &Session) -> Vec<Check> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let runtime = Runtime::load(&session.places);
    let gpu = Gpu::headless();
    let (models, model_warnings) = inference::Library::load(&session.places);
    let (pages, page_warnings) =
        panels::Library::load(&session.places, session.settings.window.language);
    let warned = |count: usize, what: &str, warnings: &[String]| match warnings {
        [] => Ok(format!("{count} {what}")),
        warnings => Err(warnings.join(" ")),
    };
    let must = |name, result| Check {
        name,
        need: Need::Must,
        result,
    };
    let may = |name, result| Check {
        name,
        need: Need::May,
        result,
    };
    let some = |name, result| Check {
        name,
        need: Need::Some,
        result,
    };
    let mut checks = vec![
        must(
            "runtime",
            runtime
                .as_ref()
                .map(|runtime| {
                    format!(
                        "ONNX Runtime {} ({})",
                        runtime.version(),
                        runtime.path().display()
                    )
                })
                .map_err(|error| text(error)),
        ),
        must(
            "graphics",
            gpu.as_ref()
                .map(|gpu| {
                    let note = if gpu.software {
                        ", in software: slow, for tests"
                    } else {
                        ""
                    };
                    format!("{}{note}", gpu.name)
                })
                .map_err(|error| text(error)),
        ),
        some(
            "styles",
            warned(models.styles().len(), "styles", &model_warnings),
        ),
        some(
            "pages",
            warned(
                pages.pages(session.settings.window.language).len(),
                "pages",
                &page_warnings,
            ),
        ),
        may(
            "ffmpeg",
            ffmpeg::find("ffmpeg")
                .map(|path| path.display().to_string())
                .map_err(|error| text(&error)),
        ),
        may(
            "ffprobe",
            ffmpeg::find("ffprobe")
                .map(|path| path.display().to_string())
                .map_err(|error| text(&error)),
        ),
        may(
            "camera",
            match capture::devices() {
                Ok(devices) if devices.is_empty() => Err(
                    "No camera was found. Plug one in; until then the demo is shown.".to_owned(),
                ),
                Ok(devices) => Ok(devices
                    .iter()
                    .map(|device| device.name.clone())
                    .collect::<Vec<_>>()
                    .join(", ")),
                Err(error) => Err(error.to_string()),
            },
        ),
    ];
    if runtime.is_ok() {
        let verdicts = providers::verdicts(session);
        let good = verdicts.iter().all(|verdict| verdict.is_good());
        let text = if verdicts.is_empty() {
            "CPU alone. `panelcam runtime list` says what can be added.".to_owned()
        } else {
            let all: Vec<String> = verdicts.iter().map(Verdict::text).collect();
            all.join(" ")
        };
        checks.push(some("providers", if good { Ok(text) } else { Err(text) }));
    }
    if runtime.is_ok() && gpu.is_ok() {
        checks.push(must(
            "drawing",
            draw(session).map_err(|error| format!("{error:#}")),
        ));
    }
    checks
}

/// Draws the demo once, from frame to program.
fn draw(session: &Session) -> anyhow::Result<String> {
    let picture = styles::sample(None)?;
    let mut studio = Studio::open(session, false)?;
    studio.draw(picture.clone())?;
    let started = std::time::Instant::now();
    let program = studio.draw(picture)?;
    let took: Duration = started.elapsed();
    let size: Size = program.size();
    Ok(format!(
        "{size} in {:.0} ms, style {}{}",
        took.as_secs_f64() * 1000.0,
        session.settings.look.style,
        studio.precision().aside()
    ))
}
