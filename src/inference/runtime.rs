//! ONNX Runtime's library: where it is, and the one environment a process may have.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::logging::LogLevel;
use parking_lot::Mutex;

use super::elf::is_cut_off;
use super::error::{InferenceError, why};
use super::provider::{self, Plugged, Trial};
use crate::places::Places;

/// The variable that names the library.
pub(super) const PATH_VARIABLE: &str = "ORT_DYLIB_PATH";
/// The variable that keeps the library from writing a device id and sending usage data.
const TELEMETRY_VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
/// The folder the set-up script fills.
const FOLDER: &str = "runtime";

/// ONNX Runtime, loaded.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
    version: String,
    places: Places,
    plugged: Plugged,
    /// Whether this process checks a provider.
    checks: bool,
}

/// ONNX Runtime allows one environment a process, ever; all callers share it.
static LOADED: Mutex<Option<Arc<Runtime>>> = Mutex::new(None);

impl Runtime {
    /// Loads the library, or gives the one that is loaded already. It is looked for in
    /// `ORT_DYLIB_PATH` alone when that is set, else beside the program, in `runtime/` of the
    /// folders above it, and in `runtime/` of the user's data folder; a provider that works and
    /// brings its own build comes first. Call [`disable_telemetry`] before.
    ///
    /// # Errors
    /// When there is none, or it is not a library, too old or does not start. A later call tries
    /// again.
    pub fn load(places: &Places) -> Result<Arc<Self>, InferenceError> {
        let mut loaded = LOADED.lock();
        if let Some(runtime) = &*loaded {
            return Ok(Arc::clone(runtime));
        }
        provider::judge(places);
        Ok(loaded.insert(Arc::new(Self::find(places, false)?)).clone())
    }

    /// The same, in a process that does nothing but check a provider: when that one ends it, the process
    /// that asked says so.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn load_to_check(places: &Places) -> Result<Arc<Self>, InferenceError> {
        Ok((LOADED.lock())
            .insert(Arc::new(Self::find(places, true)?))
            .clone())
    }

    fn find(places: &Places, checks: bool) -> Result<Self, InferenceError> {
        let mut runtime = match named()? {
            Some(path) => Self::open(&path, places)?,
            None => match Self::better(places, checks)? {
                Some(runtime) => runtime,
                None => Self::open(&locate(places)?, places)?,
            },
        };
        runtime.checks = checks;
        tracing::info!(
            "ONNX Runtime {} is loaded. ({})",
            runtime.version,
            runtime.path.display()
        );
        Ok(runtime)
    }

    /// The build that a provider which works brings along, if it can be loaded.
    fn better(places: &Places, checks: bool) -> Result<Option<Self>, InferenceError> {
        let Some((provider, path)) = provider::better_library(places) else {
            return Ok(None);
        };
        let trial = (!checks).then(|| Trial::of_library(places, provider));
        let opened = Self::open(&path, places);
        drop(trial);
        match opened {
            Ok(runtime) => Ok(Some(runtime)),
            Err(error) => {
                tracing::warn!("{} is not used: {error}", provider.name());
                provider::unloadable(places, provider, &error);
                // One that does not start stays in the process: only the next one can load another.
                if let InferenceError::RuntimeBroken { why, path } = error {
                    return Err(InferenceError::BetterBroken {
                        provider: provider.name(),
                        why,
                        path,
                    });
                }
                Ok(None)
            }
        }
    }

    fn open(path: &Path, places: &Places) -> Result<Self, InferenceError> {
        if is_cut_off(path) {
            return Err(InferenceError::RuntimeUnusable {
                why: "the file is cut off".to_owned(),
                path: path.to_owned(),
            });
        }
        let builder = ort::init_from(path).map_err(|error| match error {
            LoadDynamicError::BadVersion { version_str, path } => InferenceError::RuntimeTooOld {
                version: version_str,
                needed: ort::MINOR_VERSION,
                path,
            },
            LoadDynamicError::Dlopen { error, path } => InferenceError::RuntimeUnusable {
                why: loader_says(&error, &path),
                path,
            },
            LoadDynamicError::MissingApi { path } => InferenceError::RuntimeUnusable {
                why: "it has no OrtGetApiBase".to_owned(),
                path,
            },
            LoadDynamicError::InvalidVersionString => InferenceError::RuntimeUnusable {
                why: "its version cannot be read".to_owned(),
                path: path.to_owned(),
            },
        })?;
        // What goes wrong comes back as an error too; the library's own log is for developers.
        let environment = builder
            .with_name("panelcam")
            .with_telemetry(false)
            .with_logger(Arc::new(|level, category, _, place, message| match level {
                LogLevel::Error | LogLevel::Fatal => {
                    tracing::debug!("{category}: {message} ({place})");
                }
                _ => tracing::trace!("{category}: {message} ({place})"),
            }))
            .build()
            .map_err(|error| InferenceError::RuntimeBroken {
                why: why(&error),
                path: path.to_owned(),
            })?;
        environment.set_log_level(LogLevel::Warning);
        Ok(Self {
            environment,
            path: path.to_owned(),
            version: version(ort::info(), path),
            places: places.clone(),
            plugged: Plugged::default(),
            checks: false,
        })
    }

    /// The library's version, like `1.28.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The user's folders: providers and compiled engines are there.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Whether this process does nothing but check a provider.
    pub(super) fn checks(&self) -> bool {
        self.checks
    }

    /// Plug-ins that were registered.
    pub(super) fn plugged(&self) -> &Plugged {
        &self.plugged
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Keeps ONNX Runtime from writing a device id into the home folder and sending usage data, which
/// Microsoft's newer builds do as soon as they are loaded. The first thing in `main`.
pub fn disable_telemetry() {
    #[expect(
        unsafe_code,
        reason = "the library reads nothing but the environment, and before it is loaded"
    )]
    // SAFETY: called first in `main`, when no other thread is there that could read the environment.
    unsafe {
        std::env::set_var(TELEMETRY_VARIABLE, "1");
    }
}

/// The library that `ORT_DYLIB_PATH` names; `None` when it names none.
fn named() -> Result<Option<PathBuf>, InferenceError> {
    let Some(named) = std::env::var_os(PATH_VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let path = std::path::absolute(&named).unwrap_or_else(|_| PathBuf::from(&named));
    // A folder is understood as well: people set the one they unpacked to.
    let path = if path.is_dir() {
        newest_in(&path).unwrap_or(path)
    } else {
        path
    };
    if path.is_file() {
        return Ok(Some(path));
    }
    Err(InferenceError::RuntimeMissing {
        looked: format!("{PATH_VARIABLE}={}", path.display()),
    })
}

/// The CPU's library.
fn locate(places: &Places) -> Result<PathBuf, InferenceError> {
    let folders = folders(places);
    folders
        .iter()
        .find_map(|folder| newest_in(folder))
        .ok_or_else(|| {
            let looked: Vec<String> = folders
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            InferenceError::RuntimeMissing {
                looked: looked.join(", "),
            }
        })
}

/// Beside the program and in the folders above it, which in a checkout are `target/release`,
/// `target` and the checkout itself. Not the current folder: a library lying there is a stranger.
fn folders(places: &Places) -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let above = program.as_deref().and_then(Path::parent);
    let mut folders: Vec<PathBuf> = above.map(Path::to_owned).into_iter().collect();
    folders.extend(
        above
            .into_iter()
            .flat_map(Path::ancestors)
            .take(4)
            .map(|folder| folder.join(FOLDER)),
    );
    if cfg!(debug_assertions) {
        folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER));
    }
    folders.push(places.data.join(FOLDER));
    folders
}

/// The library with the highest version in `folder`.
pub(super) fn newest_in(folder: &Path) -> Option<PathBuf> {
    let entries = folder.read_dir().ok()?;
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = version_in(&entry.file_name())?;
            entry.path().is_file().then(|| (version, entry.path()))
        })
        .max()
        .map(|(_, path)| path)
}

/// The version in a library's file name on this system, empty when it has none; `None` for other
/// files. The libraries of single providers, `libonnxruntime_providers_…`, are other files.
fn version_in(name: &OsStr) -> Option<Vec<u32>> {
    let rest = name
        .to_str()?
        .strip_prefix(std::env::consts::DLL_PREFIX)?
        .strip_prefix("onnxruntime")?;
    let suffix = std::env::consts::DLL_SUFFIX;
    // Linux: .so or .so.1.28.0; macOS: .dylib or .1.28.0.dylib; Windows: .dll.
    let version = rest
        .strip_suffix(suffix)
        .or_else(|| rest.strip_prefix(suffix))?;
    version
        .split('.')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect()
}

/// From the library's own words, `… git-branch=rel-1.28.0, …`, else from its file name.
fn version(info: &str, path: &Path) -> String {
    let branch = info
        .split_once("git-branch=rel-")
        .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default())
        .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    let named = path
        .file_name()
        .and_then(version_in)
        .filter(|version| !version.is_empty())
        .map(|version| {
            version
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(".")
        });
    branch
        .map(str::to_owned)
        .or(named)
        .unwrap_or_else(|| format!("1.{} or newer", ort::MINOR_VERSION))
}

/// The system's words without the path, which our own message has already. The outermost words are
/// `dlopen failed` alone.
fn loader_says(error: &dyn std::error::Error, path: &Path) -> String {
    let text = match error.source() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    };
    let path = format!("{}: ", path.display());
    text.replace(&path, "").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_newest_library_is_taken_and_providers_are_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest_in(folder.path()), None);
        for name in [
            "libonnxruntime_providers_cuda.so",
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so.1.28.0",
            "libonnxruntime.so",
            "libonnxruntime.so.old",
            "notes.txt",
        ] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        std::fs::create_dir(folder.path().join("libonnxruntime.so.2.0.0")).unwrap();
        assert_eq!(
            newest_in(folder.path()),
            Some(folder.path().join("libonnxruntime.so.1.28.0"))
        );
    }

    #[test]
    fn the_version_is_read_from_the_library_or_its_name() {
        let info = "ORT Build Info: git-branch=rel-1.28.0, git-commit-id=1, build type=Release";
        assert_eq!(version(info, Path::new("x")), "1.28.0");
        let name = format!(
            "{}onnxruntime{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        );
        assert_eq!(
            version("git-branch=main,", Path::new(&name)),
            format!("1.{} or newer", ort::MINOR_VERSION)
        );
        #[cfg(target_os = "linux")]
        assert_eq!(
            version("git-branch=HEAD,", Path::new("libonnxruntime.so.1.28.0")),
            "1.28.0"
        );
    }
}
