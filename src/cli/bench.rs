//! `panelcam bench`: the whole pipeline on the demo source, beside the bare generator on the same
//! machine in the same run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::stream::Headless;
use super::{Session, print, print_json, say};
use crate::frame::Size;
use crate::inference::{self, Runtime};
use crate::output::{Count, run as run_output};
use crate::pipeline::LIVE_FPS;
use crate::source::Source;
use crate::status::{Rate, Stage};

#[derive(Args)]
pub(super) struct Arguments {
    /// Print one JSON value.
    #[arg(long)]
    json: bool,
    /// How long to measure.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

/// The pipeline runs this long before it is measured.
const WARM_UP: Duration = Duration::from_secs(2);

pub(super) fn run(mut session: Session, arguments: &Arguments) -> anyhow::Result<()> {
    let started = Instant::now();
    let seconds = arguments.seconds;
    let program = session
        .settings
        .program
        .size
        .unwrap_or(Size::new(1280, 720));
    session.settings.program.size = Some(program);
    if session.common.page.is_none() {
        session.settings.look.page = "none".to_owned();
    }
    if session.common.source.is_none() {
        session.settings.capture.source = Source::Demo;
    }
    let settings = session.settings.clone();
    let places = session.places.clone();

    // A first run, as a user starts it: when the first picture comes, and what was chosen.
    let mut headless = Headless::start(session.clone(), LIVE_FPS)?;
    headless.first_program(&AtomicBool::new(false))?;
    let first_picture = headless
        .board
        .first_drawn()
        .map_or(0.0, |first| (first - started).as_secs_f64() * 1000.0);
    // Whoever is near makes the drawing smaller a moment later.
    std::thread::sleep(WARM_UP);
    let engine = headless.board.status().engine;
    drop(headless);

    // The generator alone: same size, same threads, same run.
    let runtime = Runtime::load(&places)?;
    let (styles, _) = inference::Library::load(&places);
    let style = styles
        .find(&settings.look.style)
        .ok_or_else(|| anyhow::anyhow!("There is no style called {}.", settings.look.style))?;
    let alone = Duration::from_secs(seconds.min(10));
    let bare = inference::bare_loop(&runtime, &style.model, engine.size, engine.threads, alone)?;

    // The whole pipeline, from a source that is a little faster than the generator. Threads and
    // size are those of the generator alone.
    let source_fps = session
        .common
        .fps
        .unwrap_or(((bare * 1.15).ceil() as u32).clamp(1, 240));
    // Every drawing is shown at once: the program's rate holds none back.
    session.settings.program.fps = 240;
    session.settings.inference.threads = Some(engine.threads);
    let mut headless = Headless::start(session, source_fps)?;
    headless.first_program(&AtomicBool::new(false))?;
    let outlet = headless.pipeline.subscribe();
    let programs = Arc::clone(outlet.mailbox());
    let counter = run_output(
        "output",
        Box::new(Count),
        programs,
        None,
        Arc::clone(&headless.board),
    )?;
    std::thread::sleep(WARM_UP);
    headless.say_notices()?;
    headless.board.reset_measurements();
    let measured = Instant::now();
    std::thread::sleep(Duration::from_secs(seconds));
    let elapsed = measured.elapsed().as_secs_f64();
    let status = headless.board.status();
    let rss = resident_mb();
    let engine = status.engine.clone();
    headless.say_notices()?;
    drop((counter, outlet, headless));

    let per_second = |rate: Rate| status.counts[rate as usize] as f64 / elapsed;
    let styled = per_second(Rate::Styled);
    let stages: serde_json::Map<String, serde_json::Value> = Stage::ALL
        .into_iter()
        .map(|stage| {
            (
                stage.name().to_owned(),
                json!(status.stages[stage as usize]),
            )
        })
        .collect();
    if arguments.json {
        print_json(&json!({
            "styled_per_second": styled,
            "bare_inference_per_second": bare,
            "program_per_second": per_second(Rate::Program),
            "captured_per_second": per_second(Rate::Captured),
            "latency_ms": status.latency,
            "stages": stages,
            "dropped": status.dropped,
            "rss_mb": rss,
            "first_picture_ms": first_picture,
            "source_fps": source_fps,
            "provider": engine.provider.map_or("none", |provider| provider.id()),
            "threads": engine.threads,
            "precision": engine.precision.id(),
            "size": program.to_string(),
            "generator_size": engine.size.to_string(),
            "close_ups_side": engine.close_ups,
            "graphics": status.graphics,
            "seconds": elapsed,
        }));
        return Ok(());
    }
    say(&format!(
        "Measured for {elapsed:.1} s on {}.",
        status.graphics
    ));
    print(&format!(
        "program          {program}, {:.1} a second",
        per_second(Rate::Program)
    ));
    print(&format!(
        "drawings         {styled:.1} a second at {}{}, {} on {} {}{}",
        engine.size,
        (engine.close_ups).map_or_else(String::new, |side| format!(", close-ups at {side}x{side}")),
        engine.provider.map_or("none", |provider| provider.id()),
        engine.threads,
        if engine.threads == 1 {
            "thread"
        } else {
            "threads"
        },
        engine.precision.aside()
    ));
    print(&format!(
        "bare generator   {bare:.1} a second: the pipeline reaches {:.0} %",
        100.0 * styled / bare
    ));
    print(&format!(
        "dropped          {} of {} frames",
        status.dropped, status.counts[0]
    ));
    print(&format!(
        "first picture    {first_picture:.0} ms after start"
    ));
    print(&format!("memory           {rss:.0} MB"));
    print("                    p50     p95     p99  ms");
    for (name, value) in Stage::ALL
        .into_iter()
        .map(|stage| (stage.name(), status.stages[stage as usize]))
        .chain([("capture to program", status.latency)])
    {
        print(&format!(
            "{name:18} {:6.2}  {:6.2}  {:6.2}",
            value.p50, value.p95, value.p99
        ));
    }
    Ok(())
}

/// Resident memory of this process in MB; 0 where the system does not tell.
pub(super) fn resident_mb() -> f64 {
    let Ok(pid) = sysinfo::get_current_pid() else {
        return 0.0;
    };
    let Ok(mut system) = sysinfo::System::new() else {
        return 0.0;
    };
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
    system
        .process(pid)
        .map_or(0.0, |process| process.memory() as f64 / 1e6)
}
