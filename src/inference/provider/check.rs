//! Checks a provider in a process of its own: this program with a hidden command.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::super::error::InferenceError;
use super::super::generator::Generator;
use super::super::model::Model;
use super::super::precision::precision;
use super::super::runtime::{PATH_VARIABLE, Runtime};
use super::super::style_map::StyleMap;
use super::super::tuning::{Tuning, cores};
use super::table::{Supply, Way};
use super::verdict::Outcome;
use super::{does_not_load, equip, folder_of};
use crate::frame::{Picture, Size};
use crate::places::Places;
use crate::settings::Provider;
use crate::status::Precision;

/// What the hidden command is called.
pub const COMMAND: &str = "__check-provider";
/// A provider that takes longer is not used. Engines are compiled for minutes.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// What is drawn to compare.
const SMALL: Size = Size::new(64, 64);
/// What is drawn to measure, unless the small one took too long.
const LARGE: Size = Size::new(384, 224);
/// The small one took too long.
const SLOW: Duration = Duration::from_millis(400);
/// Runs that are timed; the fastest counts.
const RUNS: usize = 5;
/// The most a value may differ from the CPU's, of 255: half floats and other orders of sums.
const MOST: f64 = 6.0;
/// The most values may differ on average.
const MEAN: f64 = 0.8;
/// The most letters of what ONNX Runtime says that are kept.
const SAID_LIMIT: usize = 300;
/// The longest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// A check that takes longer is spoken of.
const SPOKEN_OF: Duration = Duration::from_secs(1);

/// Who waits for a check.
#[derive(Clone, Copy)]
pub(in super::super) struct Mind<'a> {
    /// Nobody does any more.
    pub(in super::super) cancelled: &'a dyn Fn() -> bool,
    /// Hears what takes a while.
    pub(in super::super) say: &'a dyn Fn(&str),
}

/// What the process answers.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    outcome: Outcome,
}

/// Checks `provider` with `model`; `None` when that is cancelled meanwhile.
pub(super) fn run(
    places: &Places,
    model: &Model,
    provider: Provider,
    mind: Mind<'_>,
) -> Option<Outcome> {
    match std::env::current_exe() {
        Ok(program) => run_with(&program, places, model, provider, mind),
        Err(error) => Some(bad(
            format!("This program's own file is not known: {error}"),
            "",
        )),
    }
}

fn run_with(
    program: &Path,
    places: &Places,
    model: &Model,
    provider: Provider,
    mind: Mind<'_>,
) -> Option<Outcome> {
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return Some(bad(format!("It cannot be checked: {error}"), "Free space.")),
    };
    let answer = folder.path().join("answer.toml");
    let mut command = Command::new(program);
    command.args([COMMAND, provider.id()]).arg(&answer);
    if !model.is_builtin() {
        command.arg(model.path().parent().unwrap_or(Path::new("")));
    }
    if let Some(library) = equip::library_of(places, provider) {
        command.env(PATH_VARIABLE, library);
    }
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            let why = format!("It cannot be checked: {error}");
            return Some(bad(why, "Install panelcam again."));
        }
    };
    let started = Instant::now();
    let mut spoken_of = false;
    let status = loop {
        if !spoken_of && started.elapsed() > SPOKEN_OF {
            spoken_of = true;
            (mind.say)(&format!("Checking {} …", provider.name()));
        }
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if (mind.cancelled)() || started.elapsed() > PATIENCE => {
                let _ = child.kill();
                let _ = child.wait();
                let why = format!("It took more than {} seconds", PATIENCE.as_secs());
                return (!(mind.cancelled)()).then(|| bad(why, "Update the graphics driver."));
            }
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => return Some(bad(error.to_string(), "")),
        }
    };
    Some(read(&answer).unwrap_or_else(|| crashed(status)))
}

fn read(answer: &Path) -> Option<Outcome> {
    let mut text = String::new();
    File::open(answer)
        .ok()?
        .take(ANSWER_LIMIT)
        .read_to_string(&mut text)
        .ok()?;
    toml::from_str::<Answer>(&text)
        .ok()
        .map(|answer| answer.outcome)
}

fn crashed(status: ExitStatus) -> Outcome {
    bad(
        format!("It crashed while drawing ({status})"),
        "Update the graphics driver.",
    )
}

fn bad(why: String, fix: &str) -> Outcome {
    Outcome::Bad {
        why,
        fix: fix.to_owned(),
    }
}

/// What the hidden command does in its own process: draws with the provider and with the CPU, and
/// writes what came of it to `answer`.
pub fn check_here(places: &Places, provider: Provider, answer: &Path, model: Option<PathBuf>) {
    let outcome = draw(places, provider, model).unwrap_or_else(|error| {
        let own = Supply::of(provider).is_some_and(|supply| supply.way == Way::Replacement);
        if own && is_of_runtime(&error) {
            return does_not_load(provider, &error);
        }
        let said = said(&error);
        let supply = Supply::of(provider);
        // One that is there lacks something itself.
        let there = |name: &&str| {
            supply.is_some_and(|supply| folder_of(places, supply).join(name).exists())
        };
        let missing = missing(&said).filter(|name| !there(name));
        let why = missing.map_or_else(|| shortened(&said), |name| format!("{name} is missing"));
        let fix = match (supply, missing) {
            (Some(supply), Some(library)) => supply.advice(library),
            (Some(supply), None) if !supply.needs.is_empty() => {
                format!("It needs {}.", supply.needs)
            }
            _ => String::new(),
        };
        Outcome::Bad { why, fix }
    });
    let written = toml::to_string(&Answer { outcome })
        .map_err(std::io::Error::other)
        .and_then(|text| fs::write(answer, text));
    if let Err(error) = written {
        tracing::warn!("{error} ({})", answer.display());
    }
}

fn draw(
    places: &Places,
    provider: Provider,
    model: Option<PathBuf>,
) -> Result<Outcome, InferenceError> {
    let runtime = Runtime::load_to_check(places)?;
    let model = Arc::new(match model {
        Some(folder) => Model::read(&folder)?,
        None => Model::builtin()?,
    });
    let threads = Tuning::of(&runtime, &model, places).map_or(cores(), |tuning| tuning.threads);
    let (small, slow) = both(&runtime, &model, provider, SMALL, threads)?;
    if let Some(outcome) = differs(&small) {
        return Ok(outcome);
    }
    let drawn = if slow > SLOW {
        small
    } else {
        both(&runtime, &model, provider, LARGE, threads)?.0
    };
    if let Some(outcome) = differs(&drawn) {
        return Ok(outcome);
    }
    Ok(Outcome::Good {
        milliseconds: drawn.time.as_secs_f64() * 1000.0,
        cpu_milliseconds: drawn.cpu_time.as_secs_f64() * 1000.0,
        difference: drawn.most,
        pixels: drawn.pixels,
    })
}

/// One picture drawn by both.
struct Drawn {
    time: Duration,
    cpu_time: Duration,
    most: f64,
    mean: f64,
    pixels: u64,
}

fn both(
    runtime: &Runtime,
    model: &Arc<Model>,
    provider: Provider,
    size: Size,
    threads: usize,
) -> Result<(Drawn, Duration), InferenceError> {
    let size = super::super::size_within(size, size.width, model.size_multiple());
    let size = model.drawing_size(size);
    let (ours, time, first) = time(runtime, model, provider, size, threads)?;
    let (theirs, mut cpu_time, _) = time_cpu(runtime, &Arc::new(model.in_full()), size, threads)?;
    // The provider's drawing is held against the exact one, its time against what the CPU would take.
    if precision(model, Provider::Cpu) != Precision::Full {
        cpu_time = time_cpu(runtime, model, size, threads)?.1;
    }
    let differences = ours
        .rgba()
        .iter()
        .zip(theirs.rgba())
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    let (mut most, mut sum) = (0.0, 0.0);
    for difference in differences {
        most = f64::max(most, difference);
        sum += difference;
    }
    let drawn = Drawn {
        time,
        cpu_time,
        most,
        mean: sum / (size.area() * 4) as f64,
        pixels: size.area() as u64,
    };
    Ok((drawn, first))
}

fn time_cpu(
    runtime: &Runtime,
    model: &Arc<Model>,
    size: Size,
    threads: usize,
) -> Result<(Picture, Duration, Duration), InferenceError> {
    time(runtime, model, Provider::Cpu, size, threads)
}

/// A drawing, the fastest run, and the first.
fn time(
    runtime: &Runtime,
    model: &Arc<Model>,
    provider: Provider,
    size: Size,
    threads: usize,
) -> Result<(Picture, Duration, Duration), InferenceError> {
    let generator = Generator::open_on(runtime, model, size, threads, provider)?;
    let mut slot = generator.slot()?;
    let map = StyleMap::uniform(model, generator.size(), model.channels() - 1, 1.0)?;
    generator.prepare(&test_picture(generator.size()), &map, &mut slot)?;
    let (mut fastest, mut first) = (Duration::MAX, None);
    let begun = Instant::now();
    for _ in 0..RUNS {
        let started = Instant::now();
        generator.run(&mut slot)?;
        let took = started.elapsed();
        fastest = fastest.min(took);
        first.get_or_insert(took);
        if begun.elapsed() > PATIENCE / 20 {
            break;
        }
    }
    let mut drawing = Picture::default();
    generator.finish(&mut slot, &mut drawing)?;
    Ok((drawing, fastest, first.unwrap_or(fastest)))
}

/// Gradients, edges and colours.
fn test_picture(size: Size) -> Picture {
    let mut picture = Picture::new(size);
    let width = size.width.max(1);
    for (at, pixel) in picture
        .rgba_mut()
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .enumerate()
    {
        let (x, y) = (at as u32 % width, at as u32 / width);
        let square = ((x / 12 + y / 12) % 2) * 130;
        *pixel = [
            (x * 255 / width) as u8,
            (y * 5 % 256) as u8,
            square as u8,
            255,
        ];
    }
    picture
}

/// Refuses what is not the CPU's drawing.
fn differs(drawn: &Drawn) -> Option<Outcome> {
    (drawn.most > MOST || drawn.mean > MEAN).then(|| {
        bad(
            format!(
                "It draws something else than the CPU: values differ by up to {:.0} of 255, {:.1} on average",
                drawn.most, drawn.mean
            ),
            "Update the graphics driver.",
        )
    })
}

/// Whether the library itself is at fault.
fn is_of_runtime(error: &InferenceError) -> bool {
    matches!(
        error,
        InferenceError::RuntimeUnusable { .. }
            | InferenceError::RuntimeTooOld { .. }
            | InferenceError::RuntimeBroken { .. }
    )
}

/// What went wrong, without advice about models.
fn said(error: &InferenceError) -> String {
    match error {
        InferenceError::Broken { why, .. } | InferenceError::Run { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

/// The library that the system did not find: `libcudnn.so.9`.
fn missing(said: &str) -> Option<&str> {
    let (before, _) = said.split_once(": cannot open shared object file")?;
    let name = before.rsplit([' ', ':', '/']).next()?;
    (!name.is_empty()).then_some(name)
}

/// `said`, ended between two words where it is too long.
fn shortened(said: &str) -> String {
    let said = said.trim_end_matches('.');
    let Some((cut, _)) = said.char_indices().nth(SAID_LIMIT) else {
        return said.to_owned();
    };
    let words = said[..cut].rsplit_once(' ');
    format!("{} …", words.map_or(&said[..cut], |(words, _)| words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named() {
        let said = "/onnxruntime_src/provider_bridge_ort.cc:1539 onnxruntime::Provider& Failed to load library /x/libonnxruntime_providers_cuda.so with error: libcudnn.so.9: cannot open shared object file: No such file or directory";
        assert_eq!(missing(said), Some("libcudnn.so.9"));
        let path = "/x/libfirst.so: cannot open shared object file: No such file or directory";
        assert_eq!(missing(path), Some("libfirst.so"));
        assert_eq!(missing("the device was removed"), None);
    }

    #[test]
    fn what_is_said_ends_with_a_word() {
        assert_eq!(shortened("It is gone."), "It is gone");
        let long = "several words ".repeat(50);
        let short = shortened(&long);
        assert!(short.chars().count() <= SAID_LIMIT + 2, "{short}");
        let end = short.strip_suffix(" …").unwrap();
        assert!(
            end.ends_with("several") || end.ends_with("words"),
            "{short}"
        );
        assert_eq!(shortened(&"é".repeat(400)).chars().count(), SAID_LIMIT + 2);
    }

    #[test]
    fn what_draws_something_else_is_refused() {
        let drawn = |most: f64, mean: f64| Drawn {
            time: Duration::from_millis(1),
            cpu_time: Duration::from_millis(2),
            most,
            mean,
            pixels: 4096,
        };
        assert_eq!(differs(&drawn(MOST, MEAN)), None);
        for wrong in [
            drawn(MOST + 1.0, 0.0),
            drawn(MOST, MEAN + 0.1),
            drawn(255.0, 90.0),
        ] {
            let outcome = differs(&wrong);
            let Some(Outcome::Bad { why, .. }) = outcome else {
                panic!("{outcome:?}");
            };
            assert!(why.contains("something else than the CPU"), "{why}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_check_that_crashes_or_says_nothing_is_no_good() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let model = Model::builtin().unwrap();
        for program in ["/bin/false", "/nonexistent/program"] {
            let check = |cancelled: bool| {
                let program = Path::new(program);
                let mind = Mind {
                    cancelled: &|| cancelled,
                    say: &|_| {},
                };
                run_with(program, &places, &model, Provider::Webgpu, mind)
            };
            let outcome = check(false);
            assert!(matches!(outcome, Some(Outcome::Bad { .. })), "{outcome:?}");
        }
        let sleeper = home.path().join("sleeper");
        fs::write(&sleeper, "#!/bin/sh\nexec sleep 60\n").unwrap();
        fs::set_permissions(
            &sleeper,
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        // It says what is waited for, once, and not at once.
        let (said, started) = (parking_lot::Mutex::new(Vec::new()), Instant::now());
        let check = |patience: Duration| {
            let mind = Mind {
                cancelled: &|| started.elapsed() > patience,
                say: &|line| said.lock().push(line.to_owned()),
            };
            run_with(&sleeper, &places, &model, Provider::Webgpu, mind)
        };
        assert_eq!(check(Duration::ZERO), None);
        assert!(said.lock().is_empty());
        assert_eq!(check(SPOKEN_OF * 2), None);
        assert_eq!(*said.lock(), ["Checking WebGPU …"]);
    }
}
