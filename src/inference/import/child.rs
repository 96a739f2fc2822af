//! The process that tries a network: started with limits, listened to, ended when it takes too
//! long. It is this program with a hidden command, and talks through a file in the new model's
//! folder.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::runtime::Runtime;
pub use super::describe::Names;
use super::{ImportError, Refusal, describe};
use crate::places::Places;
use crate::worker::{Stop, Worker};

/// What the hidden command is called.
pub const COMMAND: &str = "__describe-model";
/// The process is ended after this long.
const PATIENCE: Duration = Duration::from_secs(100);
/// The process ends itself after this long.
const OWN_PATIENCE: Duration = Duration::from_secs(90);
/// And when loading, or one run of a small picture, takes this long.
const STEP_PATIENCE: Duration = Duration::from_secs(15);
/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(40);
/// What the process says; taken away at the end.
const REPORT: &str = "report.txt";
/// The longest report that is read, in bytes.
const REPORT_LIMIT: u64 = 256 * 1024;
/// The memory the process may ask for, in bytes.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 8 * 1024 * 1024 * 1024;

/// Describes `file` in `folder`, in a process of `program` that is ended when `stopped`. `path` is for
/// messages. Gives what people should be told of its speed, when it is slow.
pub(super) fn run(
    program: &Path,
    folder: &Path,
    file: &str,
    names: &Names<'_>,
    path: &Path,
    stopped: &dyn Fn() -> bool,
    say: &mut dyn FnMut(&str),
) -> Result<Option<String>, ImportError> {
    let crashed = |why: String| ImportError::Crashed {
        why,
        path: path.to_owned(),
    };
    let mut child = Command::new(program)
        // A name may begin with a dash.
        .args([COMMAND, "--"])
        .arg(folder)
        .arg(file)
        .args([names.id, names.name, &names.pictures.to_string()])
        .arg(names.features.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| crashed(format!("it cannot be started: {error}")))?;
    let started = Instant::now();
    let report = folder.join(REPORT);
    let mut heard = 0;
    let (mut refused, mut slow) = (None, None);
    let status = loop {
        let ended = child
            .try_wait()
            .map_err(|error| crashed(error.to_string()))?;
        for line in lines(&report, &mut heard) {
            match line.split_once(": ") {
                Some(("say", line)) => say(line),
                Some(("slow", line)) => slow = Some(line.to_owned()),
                Some(("refused", line)) => refused = Some(line.to_owned()),
                _ => {}
            }
        }
        if let Some(status) = ended {
            break status;
        }
        let (stopped, endless) = (stopped(), started.elapsed() > PATIENCE);
        if stopped || endless {
            let _ = child.kill();
            let _ = child.wait();
            let path = path.to_owned();
            return Err(if stopped {
                ImportError::Stopped { path }
            } else {
                ImportError::Endless {
                    seconds: PATIENCE.as_secs(),
                    path,
                }
            });
        }
        std::thread::sleep(LOOK);
    };
    let _ = fs::remove_file(&report);
    match refused {
        Some(line) if line == ENDLESS => Err(ImportError::Endless {
            seconds: started.elapsed().as_secs(),
            path: path.to_owned(),
        }),
        Some(line) => {
            let (why, fix) = line.split_once('\t').unwrap_or((&line, "Take another"));
            Err(Refusal::new(why.to_owned(), fix).of(path))
        }
        None if status.success() => Ok(slow),
        None => Err(crashed(status.to_string())),
    }
}

/// Stands for "took too long" in a report.
const ENDLESS: &str = "endless";

/// Whole lines that were written since the last look.
fn lines(report: &Path, heard: &mut usize) -> Vec<String> {
    let mut text = Vec::new();
    let read = File::open(report).and_then(|file| file.take(REPORT_LIMIT).read_to_end(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    let fresh = text.get(*heard..).unwrap_or_default();
    let whole = fresh
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    *heard += whole;
    String::from_utf8_lossy(&fresh[..whole])
        .lines()
        .map(str::to_owned)
        .collect()
}

/// What the hidden command does in its own process: describes `file` in `folder` and ends. `true`
/// when it could.
pub fn describe_here(places: &Places, folder: &Path, file: &str, names: &Names<'_>) -> bool {
    let report = Arc::new(Report {
        path: Mutex::new(folder.join(REPORT)),
        step: Mutex::new(Instant::now()),
    });
    let last = Arc::clone(&report);
    // The network may keep every thread busy but this one.
    let watchdog = Worker::spawn("watchdog", move |stop: &Stop| {
        let started = Instant::now();
        while !stop.asked() {
            stop.sleep(Duration::from_millis(100));
            let step = last.step.lock().elapsed();
            if started.elapsed() > OWN_PATIENCE || step > STEP_PATIENCE {
                last.line("refused", ENDLESS);
                std::process::abort();
            }
        }
    });
    let refuse = |why: &str, fix: &str| {
        report.line("refused", &format!("{why}\t{fix}"));
        false
    };
    let done = match Runtime::load(places) {
        Err(error) => refuse(&error.to_string(), "Run `scripts/setup.sh runtime`"),
        Ok(runtime) => {
            let mut say = |line: &str| report.line("say", line);
            let steps = Arc::clone(&report);
            let step = Rc::new(move || *steps.step.lock() = Instant::now());
            match describe::describe(&runtime, folder, file, names, step, &mut say) {
                Ok(slow) => {
                    if let Some(slow) = slow {
                        report.line("slow", &slow);
                    }
                    true
                }
                Err(refusal) => refuse(&refusal.why, &refusal.fix),
            }
        }
    };
    drop(watchdog);
    done
}

/// What a process says of itself.
struct Report {
    /// The file it talks through.
    path: Mutex<PathBuf>,
    /// When it last got anywhere.
    step: Mutex<Instant>,
}

impl Report {
    fn line(&self, kind: &str, text: &str) {
        let path = self.path.lock();
        let plain: String = text
            .chars()
            .map(|c| if c.is_control() && c != '\t' { ' ' } else { c })
            .collect();
        let written = File::options()
            .create(true)
            .append(true)
            .open(&*path)
            .and_then(|mut file| writeln!(file, "{kind}: {plain}"));
        if let Err(error) = written {
            tracing::warn!("{error} ({})", path.display());
        }
    }
}

/// Keeps this process from taking all memory, where the system can: a network may ask for more than
/// there is.
pub fn limit_memory() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::resource::{Resource, setrlimit};
        for (resource, limit) in [(Resource::RLIMIT_AS, MEMORY), (Resource::RLIMIT_CORE, 0)] {
            if let Err(error) = setrlimit(resource, limit, limit) {
                tracing::warn!("No limit of memory: {error}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_heard_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join(REPORT);
        let mut heard = 0;
        assert!(lines(&report, &mut heard).is_empty());
        fs::write(&report, "say: one\nsay: tw").unwrap();
        assert_eq!(lines(&report, &mut heard), ["say: one"]);
        fs::write(&report, "say: one\nsay: two\n").unwrap();
        assert_eq!(lines(&report, &mut heard), ["say: two"]);
        assert!(lines(&report, &mut heard).is_empty());
    }
}
