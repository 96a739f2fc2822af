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
use crate::server::{Door, Facts, Looks};
use crate::settings::Settings;
use crate::status::{Board, Rate, ServerState, Severity, SourceState};
use crate::watch::Watch;

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
    headless.let_in();
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
            // A clip has one size: another page that is asked for is fitted into it.
            headless.settings.program.size = Some(size);
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
        std::thread::sleep(PATIENCE);
        headless.tend()?;
    }
    let status = headless.board.status();
    let gave_up = running.ended();
    let received = running.received();
    // Finishes the file; what goes wrong there comes as a notice.
    drop(running);
    headless.tend()?;
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
    /// Where other programs ask, when they may. Closed before the stages end.
    door: Option<Door>,
    pub(super) pipeline: Pipeline,
    pub(super) board: Arc<Board>,
    settings: Settings,
    settings_path: PathBuf,
}

/// How long to wait before looking again for what was asked and what was said.
const PATIENCE: Duration = Duration::from_millis(50);
/// A page that is not there after this long does not come.
const PAGE_PATIENCE: Duration = Duration::from_secs(15);

impl Headless {
    /// Starts every stage; without ONNX Runtime or graphics there is nothing to run.
    pub(super) fn start(session: Session, source_fps: u32) -> anyhow::Result<Self> {
        let board = Board::new();
        let runtime = Runtime::load(&session.places)?;
        let gpu = Gpu::headless()?;
        let settings = session.settings;
        let pipeline = Pipeline::start(Setup {
            places: session.places,
            settings: settings.clone(),
            board: Arc::clone(&board),
            gpu,
            runtime: Some(runtime),
            desk: crate::shots::Desk::new(),
            screen: None,
            source_fps,
        })?;
        Ok(Self {
            pipeline,
            board,
            settings,
            settings_path: session.settings_path,
            door: None,
        })
    }

    /// The programs' size once the page is there: until then a plain one is shown.
    fn size(&self) -> Size {
        let (page, language) = (&self.settings.look.page, self.settings.window.language);
        let of_page = || self.pipeline.pages().size(page, language);
        self.settings.program.size.unwrap_or_else(of_page)
    }

    /// Lets other programs in from now on, as the settings say.
    fn let_in(&mut self) {
        let looks = Looks {
            styles: self.pipeline.styles(),
            pages: Arc::clone(self.pipeline.pages()),
        };
        let facts = Facts {
            board: Arc::clone(&self.board),
            desk: Arc::clone(self.pipeline.desk()),
            looks: Arc::new(Watch::new(Some(looks))),
        };
        // Nobody is to be woken: requests are looked for all the time.
        self.door = Some(Door::new(facts, || {}));
    }

    /// Does what other programs ask for, and tells what there is to tell; a critical notice ends
    /// the run.
    fn tend(&mut self) -> anyhow::Result<()> {
        if let Some(door) = &mut self.door {
            let (before, was) = (self.settings.clone(), self.board.status().server);
            let actions = door.tend(&mut self.settings);
            if self.settings != before {
                self.pipeline.apply(&self.settings);
            }
            for action in actions {
                self.pipeline.act(&action);
            }
            let now = self.board.status().server;
            if let ServerState::Listening(address) = now
                && now != was
            {
                say(&format!("Other programs may ask at http://{address}/api/"));
            }
            if self.settings.server.token != before.server.token {
                self.keep_token();
            }
        }
        self.say_notices()
    }

    /// Keeps a new token, and nothing else that was asked for, in the settings.
    fn keep_token(&self) {
        let (mut kept, _) = Settings::load(&self.settings_path);
        kept.server.token.clone_from(&self.settings.server.token);
        let path = self.settings_path.display();
        match kept.save(&self.settings_path) {
            Ok(()) => say(&format!(
                "They need the token that is under [server] in the settings. ({path})"
            )),
            Err(error) => say(&format!("The token cannot be kept: {error}. ({path})")),
        }
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
            if let crate::mailbox::Taken::Value(program) = outlet.mailbox().take_within(PATIENCE)
                && self.board.status().counts[Rate::Styled as usize] > 0
                && (program.picture.size() == self.size() || Instant::now() > page_patience)
            {
                return Ok(program);
            }
            self.tend()?;
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
