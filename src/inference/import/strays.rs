//! Files that somebody put into the folder of models.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::library::FOLDER;
use super::{Import, ImportError, Imported, import, part};
use crate::places::Places;

/// An ONNX file that lies in the user's folder of models and is no style yet, as it was when it was
/// looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The file.
    pub path: PathBuf,
    length: u64,
    changed: Option<SystemTime>,
}

/// All such files. One that was refused for good has a note beside it and is left alone until it
/// changes.
pub fn strays(places: &Places) -> Vec<Stray> {
    part::sweep(places);
    let Ok(entries) = places.data.join(FOLDER).read_dir() else {
        return Vec::new();
    };
    let mut files: Vec<Stray> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let extension = path.extension();
            extension.is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
        })
        .filter_map(|path| {
            let data = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
            Some(Stray {
                path,
                length: data.len(),
                changed: data.modified().ok(),
            })
        })
        .filter(|stray| {
            let note = fs::read_to_string(note(&stray.path)).unwrap_or_default();
            note.lines().last() != Some(stray.mark().as_str())
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

impl Stray {
    /// What a note says of the file it is about, to know it again.
    fn mark(&self) -> String {
        let changed = self
            .changed
            .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .unwrap_or_default();
        format!("({} bytes, {})", self.length, changed.as_millis())
    }
}

/// Adds a file of [`strays`] and takes it out of the folder of models, or, when it was refused for
/// good, leaves a note beside it that says why.
///
/// # Errors
/// As [`import`].
pub fn import_stray(
    places: &Places,
    stray: &Stray,
    program: &Path,
    stopped: &dyn Fn() -> bool,
    say: &mut dyn FnMut(&str),
) -> Result<Imported, ImportError> {
    let file = &stray.path;
    let wanted = Import {
        file: file.clone(),
        ..Import::default()
    };
    let result = import(places, &wanted, program, stopped, say);
    let cleared = match &result {
        // It lies in its own folder now.
        Ok(_) | Err(ImportError::AlreadyThere { .. }) => {
            let _ = fs::remove_file(note(file));
            fs::remove_file(file)
        }
        Err(error) if error.lasts() => {
            fs::write(note(file), format!("{error}\n{}\n", stray.mark()))
        }
        Err(_) => Ok(()),
    };
    if let Err(error) = cleared {
        tracing::warn!("{error} ({})", file.display());
    }
    result
}

fn note(file: &Path) -> PathBuf {
    file.with_extension("onnx.refused.txt")
}
