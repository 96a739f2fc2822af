//! The hidden folder in which a model is put together, below the user's folder of models. It goes
//! when the work ends early, and at the next start when the program was killed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::library::FOLDER;
use crate::places::Places;

/// Its name begins so; the number of the process that made it follows.
const PREFIX: &str = ".adding-";
/// None is worked in for so long.
const OLD: Duration = Duration::from_secs(60 * 60);
/// The most that one process makes at a time.
const LIMIT: usize = 64;

/// The folder, while it is worked in.
pub(super) struct Part {
    path: PathBuf,
}

impl Part {
    /// Makes one in `models`. An error says no path: nobody knows the folder.
    pub(super) fn make(models: &Path) -> io::Result<Self> {
        fs::create_dir_all(models)?;
        let process = std::process::id();
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for number in 0..LIMIT {
            let path = models.join(format!("{PREFIX}{process}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name. An error leaves it as it was.
    pub(super) fn name(&self, folder: &Path) -> io::Result<()> {
        // Some systems let a folder take the place of an empty one.
        if folder.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(&self.path, folder)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what processes left that are gone.
pub(super) fn sweep(places: &Places) {
    let Ok(entries) = places.data.join(FOLDER).read_dir() else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let process = (rest.split_once('-')).and_then(|(process, _)| process.parse().ok());
        let age = (entry.metadata().and_then(|data| data.modified()).ok())
            .and_then(|changed| changed.elapsed().ok())
            .unwrap_or_default();
        if (age > OLD || process.is_some_and(is_gone))
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!("{error} ({})", entry.path().display());
        }
    }
}

/// Whether no process has that number, where the system can be asked.
fn is_gone(process: u32) -> bool {
    cfg!(target_os = "linux")
        && process != std::process::id()
        && !Path::new("/proc").join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_goes_and_work_stays() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let models = places.data.join(FOLDER);
        let mine = Part::make(&models).unwrap();
        // No process has such a number; the other has none, as those of older versions.
        let (gone, unknown) = (
            models.join(".adding-4294967295-0"),
            models.join(".adding-x7Yz"),
        );
        for folder in [&gone, &unknown] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("x.onnx"), "x").unwrap();
        }
        sweep(&places);
        assert!(mine.path().exists() && unknown.exists());
        assert_eq!(gone.exists(), !cfg!(target_os = "linux"));
        let long_ago = std::time::SystemTime::now() - OLD * 2;
        let folder = fs::File::open(&unknown).unwrap();
        folder.set_modified(long_ago).unwrap();
        sweep(&places);
        assert!(!unknown.exists());
        let path = mine.path().to_owned();
        drop(mine);
        assert!(!path.exists());
    }

    /// What cannot be made is told without a folder that nobody knows.
    #[test]
    fn an_error_names_no_hidden_folder() {
        let home = tempfile::tempdir().unwrap();
        let parts: Vec<Part> = (0..LIMIT)
            .map(|_| Part::make(home.path()).unwrap())
            .collect();
        let error = Part::make(home.path()).err().unwrap();
        assert!(!error.to_string().contains(PREFIX), "{error}");
        drop(parts);
    }

    #[test]
    fn a_name_that_is_taken_is_not_given() {
        let home = tempfile::tempdir().unwrap();
        let part = Part::make(home.path()).unwrap();
        fs::create_dir(home.path().join("taken")).unwrap();
        let error = part.name(&home.path().join("taken")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        part.name(&home.path().join("free")).unwrap();
        assert!(home.path().join("free").is_dir());
    }
}
