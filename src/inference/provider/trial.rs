//! A driver may end the whole process while it draws, at a size that its check did not draw. A file says
//! that a provider is about to draw its first picture; a later start that finds it believes that one no more.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::super::model::Model;
use super::super::runtime::Runtime;
use super::verdict::{Key, Outcome, distrust};
use crate::places::Places;
use crate::settings::Provider;

/// How such files in the user's cache folder begin and end.
const BEGIN: &str = "trial-";
const END: &str = ".toml";
/// The longest that is read, in bytes.
const LIMIT: u64 = 64 * 1024;

/// Those of this process.
static OPEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What a file says.
#[derive(Serialize, Deserialize)]
struct Mark {
    provider: Provider,
    /// Of the process, for people.
    process: u32,
    /// What the verdict holds for; `None` while the provider's own ONNX Runtime is loaded: for all.
    key: Option<Key>,
}

/// A provider that has yet to draw its first picture. Dropped, it did or failed in an orderly way.
#[derive(Debug)]
pub(in super::super) struct Trial {
    path: PathBuf,
    /// Locked as long as this process runs, however it ends.
    _file: File,
}

impl Trial {
    /// Before `provider` is opened to draw `model`; `None` for the CPU, in a process that checks, and
    /// where nothing can be written.
    pub(in super::super) fn begin(
        runtime: &Runtime,
        model: &Model,
        provider: Provider,
    ) -> Option<Self> {
        if provider == Provider::Cpu || runtime.checks() {
            return None;
        }
        let places = runtime.places();
        let key = Key::of(runtime, model, places, provider);
        Self::of(places, provider, Some(key))
    }

    /// Before the ONNX Runtime that `provider` brings along is loaded.
    pub(in super::super) fn of_library(places: &Places, provider: Provider) -> Option<Self> {
        Self::of(places, provider, None)
    }

    fn of(places: &Places, provider: Provider, key: Option<Key>) -> Option<Self> {
        let mark = Mark {
            provider,
            process: std::process::id(),
            key,
        };
        Self::write(&places.cache, &mark)
            .inspect_err(|error| tracing::debug!("{error} ({})", places.cache.display()))
            .ok()
    }

    fn write(folder: &Path, mark: &Mark) -> std::io::Result<Self> {
        let text = toml::to_string(mark).map_err(std::io::Error::other)?;
        // Under another name until it is locked.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().try_lock().map_err(std::io::Error::other)?;
        let name = file.path().file_name().unwrap_or_default();
        let name = name.to_string_lossy().trim_start_matches('.').to_owned();
        let path = folder.join(format!("{BEGIN}{name}{END}"));
        OPEN.lock().push(path.clone());
        let file = file.persist(&path).map_err(|error| error.error)?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        OPEN.lock().retain(|path| *path != self.path);
    }
}

/// Before the process is ended at a person's wish while a provider may be drawing its first picture:
/// that is no fault of its.
pub fn leave() {
    for path in OPEN.lock().drain(..) {
        let _ = fs::remove_file(path);
    }
}

/// At a start: providers that ended a process are not believed any more.
pub(in super::super) fn judge(places: &Places) {
    let entries = fs::read_dir(&places.cache).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !(name.starts_with(BEGIN) && name.ends_with(END)) {
            continue;
        }
        let Some(mark) = abandoned(&path) else {
            continue;
        };
        if let Some(mark) = mark {
            tracing::warn!(
                "{} ended process {}, or that was ended.",
                mark.provider.name(),
                mark.process
            );
            let outcome = Outcome::Bad {
                why:
                    "It ended panelcam while drawing its first picture, or panelcam was ended then"
                        .to_owned(),
                fix: "Run: panelcam runtime list to check it again".to_owned(),
            };
            distrust(places, &[mark.provider], mark.key, &outcome);
        }
        let _ = fs::remove_file(&path);
    }
}

/// What a file says whose process runs no more; nothing where it cannot be understood. `None` when the
/// process still runs.
fn abandoned(path: &Path) -> Option<Option<Mark>> {
    let mut file = File::options().read(true).write(true).open(path).ok()?;
    file.try_lock().ok()?;
    let mut text = String::new();
    let read = (&mut file).take(LIMIT).read_to_string(&mut text);
    Some(read.ok().and_then(|_| toml::from_str(&text).ok()))
}

#[cfg(test)]
mod tests {
    use super::super::verdict::Verdicts;
    use super::*;

    fn marks(places: &Places) -> usize {
        let names = fs::read_dir(&places.cache).unwrap().flatten();
        names
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(BEGIN))
            .count()
    }

    #[test]
    fn only_the_mark_of_a_process_that_is_gone_counts() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        assert!(Trial::of_library(&places, Provider::Cuda).is_none());
        fs::create_dir_all(&places.cache).unwrap();
        let kept = places.cache.join("providers.toml");
        let good = "[[checked]]\n[checked.key]\ncpu = \"\"\ndriver = \"\"\nruntime = \"\"\nmodel = \"\"\npackage = \"\"\n[checked.verdict]\nprovider = \"cuda\"\n[checked.verdict.outcome.good]\nmilliseconds = 1.0\ncpu_milliseconds = 9.0\ndifference = 0.0\npixels = 9\n";
        fs::write(&kept, good).unwrap();

        let trial = Trial::of_library(&places, Provider::Cuda).unwrap();
        let other = Trial::of_library(&places, Provider::Cuda).unwrap();
        drop(other);
        judge(&places);
        assert_eq!(marks(&places), 1, "this process still runs");
        assert_eq!(fs::read_to_string(&kept).unwrap(), good);

        // As if the process had ended: nothing holds the lock, and the file is there.
        let copy = places.cache.join("trial-gone.toml");
        fs::copy(&trial.path, &copy).unwrap();
        drop(trial);
        fs::write(places.cache.join("trial-odd.toml"), "odd").unwrap();
        judge(&places);
        assert_eq!(marks(&places), 0);
        let text = fs::read_to_string(&kept).unwrap();
        assert!(text.contains("It ended panelcam while drawing"), "{text}");
        Verdicts::forget(&places);
    }
}
