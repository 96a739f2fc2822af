//! The command line. Data goes to standard output, talk to standard error. Exit codes: 0 done,
//! 1 failed, 2 wrong usage.

mod bench;
mod convert;
mod devices;
mod doctor;
mod pages;
mod runtime;
mod stream;
mod strip;
mod studio;
mod styles;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::app;
use crate::frame::Size;
use crate::inference::{import, provider};
use crate::places::Places;
use crate::settings::{Listen, Provider, Quality, Settings};
use crate::source::{Source, Turn};

/// Puts people into a webtoon, live.
#[derive(Parser)]
#[command(name = "panelcam", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Convert a photo, a video or a folder, frame for frame.
    Convert(convert::Arguments),
    /// Make a strip: photos become the shots of a page.
    Strip(strip::Arguments),
    /// Run without a window, from the source to a file or to nowhere.
    Stream(stream::Arguments),
    /// List styles, check or add a model, render a preview.
    Styles(styles::Arguments),
    /// List, add, check pages, or render a preview.
    Pages(pages::Arguments),
    /// List cameras with formats, sizes, rates.
    Devices(devices::Arguments),
    /// Tell what works on this machine, and what to do about what does not.
    Doctor(doctor::Arguments),
    /// Measure the pipeline on the demo source.
    Bench(bench::Arguments),
    /// List, add or remove what runs the generator besides the CPU.
    Runtime(runtime::Arguments),
    /// Check a provider: what the program runs in a process of its own.
    #[command(name = "__check-provider", hide = true)]
    CheckProvider(runtime::Check),
    /// Try a model that is being added: what `styles add` runs in a process of its own.
    #[command(name = "__describe-model", hide = true)]
    DescribeModel(DescribeModel),
}

#[derive(Args)]
struct DescribeModel {
    folder: PathBuf,
    file: String,
    id: String,
    name: String,
    pictures: usize,
    #[arg(action = clap::ArgAction::Set)]
    features: bool,
}

/// Options that all commands know. They win over the settings file.
#[derive(Args, Clone, Default)]
struct Common {
    /// Where frames come from: `camera[:N]`, a path, a URL, `demo` or `pattern`.
    #[arg(long, global = true, value_name = "SOURCE")]
    source: Option<Source>,
    /// Turns a camera's picture to the right by so many degrees: for a camera on its side.
    #[arg(long, global = true, value_name = "DEGREES")]
    turn: Option<Turn>,
    /// Id of the style.
    #[arg(long, global = true, value_name = "ID")]
    style: Option<String>,
    /// Id of the page, an SVG file, or `none`.
    #[arg(long, global = true, value_name = "ID|FILE|none")]
    page: Option<String>,
    /// 0 is the camera's picture, 1 the full drawing.
    #[arg(long, global = true, value_name = "0..1", value_parser = share)]
    strength: Option<f32>,
    /// How much of their own tone people's skin keeps.
    #[arg(long, global = true, value_name = "0..1", value_parser = share)]
    skin_tone: Option<f32>,
    /// How calm what stands still is from frame to frame.
    #[arg(long, global = true, value_name = "0..1", value_parser = share)]
    smoothing: Option<f32>,
    /// Ink lines over the drawing.
    #[arg(long, global = true, value_name = "0..1", value_parser = share)]
    lines: Option<f32>,
    /// Size of the program.
    #[arg(long, global = true, value_name = "WxH")]
    size: Option<Size>,
    /// Programs a second at most.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: Option<u32>,
    /// What runs the generator.
    #[arg(long, global = true)]
    provider: Option<Provider>,
    /// CPU threads of the generator.
    #[arg(long, global = true, value_name = "N", value_parser = threads)]
    threads: Option<usize>,
    /// How large the generator draws.
    #[arg(long, global = true)]
    quality: Option<Quality>,
    /// Let other programs ask for things, on this machine or at an address (docs/api.md): the window
    /// and `stream` do.
    #[arg(long, global = true, value_name = "ADDRESS")]
    serve: Option<Option<Listen>>,
    /// Another settings file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("it is a number from 0 to 1".to_owned()),
    }
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(value) if (1..=256).contains(&value) => Ok(value),
        _ => Err("threads are a whole number from 1 to 256".to_owned()),
    }
}

/// What every command starts from.
#[derive(Clone)]
struct Session {
    places: Places,
    settings: Settings,
    settings_path: PathBuf,
    warnings: Vec<String>,
    common: Common,
}

impl Session {
    fn new(common: Common) -> Self {
        let places = Places::of_user();
        let settings_path = common.config.clone().unwrap_or_else(|| places.settings());
        let (mut settings, warnings) = Settings::load(&settings_path);
        common.apply(&mut settings);
        Self {
            places,
            settings,
            settings_path,
            warnings,
            common,
        }
    }
}

impl Common {
    /// The command line wins over the file.
    fn apply(&self, settings: &mut Settings) {
        fn set<T: Clone>(target: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                *target = value.clone();
            }
        }
        set(&mut settings.capture.source, &self.source);
        set(&mut settings.capture.turn, &self.turn);
        set(&mut settings.look.style, &self.style);
        set(&mut settings.look.page, &self.page);
        set(&mut settings.look.strength, &self.strength);
        set(&mut settings.retouch.skin_tone, &self.skin_tone);
        set(&mut settings.retouch.smoothing, &self.smoothing);
        set(&mut settings.retouch.lines, &self.lines);
        set(&mut settings.program.fps, &self.fps);
        set(&mut settings.inference.provider, &self.provider);
        set(&mut settings.inference.quality, &self.quality);
        if let Some(listen) = self.serve {
            settings.server.enabled = true;
            set(&mut settings.server.listen, &listen);
        }
        if self.size.is_some() {
            settings.program.size = self.size;
        }
        if self.threads.is_some() {
            settings.inference.threads = self.threads;
        }
    }
}

/// Runs the program and gives its exit code.
pub fn main() -> ExitCode {
    let Arguments { command, common } = Arguments::parse();
    start_log(command.is_none());
    let session = Session::new(common);
    for warning in &session.warnings {
        say(warning);
    }
    let result = match command {
        None => {
            app::run(session.places, session.settings, session.settings_path).map_err(Into::into)
        }
        Some(Command::Convert(arguments)) => convert::run(&session, &arguments),
        Some(Command::Strip(arguments)) => strip::run(&session, &arguments),
        Some(Command::Stream(arguments)) => stream::run(session, &arguments),
        Some(Command::Styles(arguments)) => styles::run(&session, arguments),
        Some(Command::Pages(arguments)) => pages::run(&session, arguments),
        Some(Command::Devices(arguments)) => devices::run(&arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&session, &arguments),
        Some(Command::Bench(arguments)) => bench::run(session, &arguments),
        Some(Command::Runtime(arguments)) => runtime::run(&session, arguments),
        Some(Command::CheckProvider(check)) => {
            check.run(&session);
            return ExitCode::SUCCESS;
        }
        Some(Command::DescribeModel(wanted)) => {
            import::limit_memory();
            let DescribeModel {
                folder,
                file,
                id,
                name,
                pictures,
                features,
            } = wanted;
            let names = import::Names {
                id: &id,
                name: &name,
                pictures,
                features,
            };
            let done = import::describe_here(&session.places, &folder, &file, &names);
            return if done {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An empty message: the command has said everything itself.
            let message = format!("{error:#}");
            if !message.is_empty() {
                say(&format!("panelcam: {message}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// Log lines go to standard error; `RUST_LOG` chooses. By default the window logs its warnings;
/// commands say theirs themselves.
fn start_log(window: bool) {
    let default = if window {
        "error,panelcam=warn,wgpu_hal=off"
    } else {
        "error,wgpu_hal=off"
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

/// Set once Ctrl-C was pressed. A second Ctrl-C ends the program at once.
fn stop_on_ctrl_c() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::SeqCst) {
            provider::leave();
            std::process::exit(1);
        }
    })
    .context("Ctrl-C cannot be caught")?;
    Ok(stop)
}

/// One line of talk, on standard error.
fn say(line: &str) {
    // Nothing can be done about a closed standard error.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Data, on standard output. A reader that went away, like `head`, is no error.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One JSON value, on standard output.
fn print_json(value: &serde_json::Value) {
    print(&format!("{value:#}"));
}
