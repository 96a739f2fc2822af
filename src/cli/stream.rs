//! `panelcam stream`: the live pipeline without a window.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;

use super::{Session, say};
use crate::compositor::Gpu;
use crate::frame::Size;
use crate::inference::Runtime;
use crate::output::{Count, Existing, Output, VideoFormat, VideoWriter, run as run_output};
use crate::pipeline::{LIVE_FPS, Pipeline, Setup};
use crate::status::{Board, Rate, Severity, SourceState};

#[derive(Args)]
pub(super) struct Arguments {
    /// A clip, mp4 or webm, or `null` for nowhere.
    #[arg(long, value_name = "FILE|null", default_value = "null")]
    output: PathBuf,
    /// Stop after this long; without it Ctrl-C stops.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Replace what is there.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(session: Session, arguments: &Arguments) -> anyhow::Result<()> {
    let stop = super::stop_on_ctrl_c()?;
    let existing = if arguments.overwrite {
        Existing::Overwrite
    } else {
        Existing::Refuse
    };
    let file = (arguments.output != Path::new("null")).then_some(arguments.output.as_path());
    if let Some(path) = file {
        match VideoFormat::of(path) {
            Some(VideoFormat::Mp4 | VideoFormat::Webm) => existing.check(path)?,
            _ => bail!("A stream is written as mp4 or webm. ({})", path.display()),
        }
    }

    let fps = session.settings.program.fps.min(30);
    let mut headless = Headless::start(session, LIVE_FPS)?;
    let first = headless.first_program(&stop)?;
    let (output, steady): (Box<dyn Output>, _) = match file {
        None => (Box::new(Count), None),
        Some(path) => {
            let transparent = first
                .picture
                .rgba()
                .chunks_exact(4)
                .any(|pixel| pixel[3] < 255);
            let size = first.picture.size();
            let writer =
                VideoWriter::create(path, size, &fps.to_string(), None, transparent, existing)?;
            (Box::new(writer), Some(fps))
        }
    };
    let outlet = headless.pipeline.subscribe();
    // A clip begins with it, however long a busy machine takes for the next.
    outlet.mailbox().send(first);
    let running = run_output(
        "output",
        output,
        Arc::clone(outlet.mailbox()),
        steady,
        Arc::clone(&headless.board),
    )?;
    say("Streaming. Ctrl-C stops.");
    let end = arguments
        .seconds
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    while !stop.load(Ordering::SeqCst)
        && end.is_none_or(|end| Instant::now() < end)
        && !running.ended()
    {
        std::thread::sleep(Duration::from_millis(50));
        headless.say_notices()?;
    }
    let status = headless.board.status();
    let gave_up = running.ended();
    let received = running.received();
    // Finishes the file; what goes wrong there comes as a notice.
    drop(running);
    headless.say_notices()?;
    if gave_up {
        bail!("the output has ended before its time");
    }
    say(&format!(
        "{received} programs, {:.1} drawings a second, latency {:.0} ms (p95), {} frames dropped.",
        status.styled_per_second, status.latency.p95, status.dropped
    ));
    if let Some(path) = file {
        say(&format!("The clip is written. ({})", path.display()));
    }
    Ok(())
}

/// The pipeline without a window.
pub(super) struct Headless {
    pub(super) pipeline: Pipeline,
    pub(super) board: Arc<Board>,
    /// The programs' size once the page is there: until then a plain one is shown.
    size: Size,
}

/// A page that is not there after this long does not come.
const PAGE_PATIENCE: Duration = Duration::from_secs(15);

impl Headless {
    /// Starts every stage; without ONNX Runtime or graphics there is nothing to run.
    pub(super) fn start(session: Session, source_fps: u32) -> anyhow::Result<Self> {
        let board = Board::new();
        let runtime = Runtime::load(&session.places)?;
        let gpu = Gpu::headless()?;
        let (size, page) = (
            session.settings.program.size,
            session.settings.look.page.clone(),
        );
        let pipeline = Pipeline::start(Setup {
            places: session.places,
            settings: session.settings,
            board: Arc::clone(&board),
            gpu,
            runtime: Some(runtime),
            desk: crate::shots::Desk::new(),
            screen: None,
            source_fps,
        })?;
        let size = size.unwrap_or_else(|| pipeline.pages().size(&page));
        Ok(Self {
            pipeline,
            board,
            size,
        })
    }

    /// Waits for a program that shows a drawing on the page.
    pub(super) fn first_program(
        &mut self,
        stop: &AtomicBool,
    ) -> anyhow::Result<Arc<crate::frame::Program>> {
        let outlet = self.pipeline.subscribe();
        let patience = Instant::now() + Duration::from_secs(30);
        let page_patience = Instant::now() + PAGE_PATIENCE;
        while !stop.load(Ordering::SeqCst) {
            if let crate::mailbox::Taken::Value(program) =
                outlet.mailbox().take_within(Duration::from_millis(50))
                && self.board.status().counts[Rate::Styled as usize] > 0
                && (program.picture.size() == self.size || Instant::now() > page_patience)
            {
                return Ok(program);
            }
            self.say_notices()?;
            let waits_for_camera = matches!(
                self.board.status().source,
                SourceState::Opening | SourceState::Lost { .. }
            );
            if Instant::now() > patience && !waits_for_camera {
                bail!("There was no picture within 30 s. Run panelcam doctor to see why.");
            }
        }
        bail!("Stopped.");
    }

    /// Tells what the stages have to say; a critical notice ends the run.
    pub(super) fn say_notices(&self) -> anyhow::Result<()> {
        for notice in self.board.take_notices() {
            if notice.severity == Severity::Critical {
                bail!("{}", notice.text);
            }
            say(&notice.text);
        }
        Ok(())
    }
}
