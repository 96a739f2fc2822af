//! Unpacks the libraries of a wheel, which is a zip file from outside.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::super::description::is_below;
use super::ProviderError;

/// The largest notice or licence that is kept, in bytes.
const TEXT_LIMIT: u64 = 4 * 1024 * 1024;

/// Unpacks the libraries and licences of `wheel` into `folder`, all beside each other, after a look
/// at its hash. Gives the libraries' names. No more than `most` bytes come out, whatever the wheel
/// says of itself, and nothing outside `folder`.
pub(super) fn unpack(
    wheel: &Path,
    sha256: &str,
    most: u64,
    folder: &Path,
) -> Result<Vec<String>, ProviderError> {
    let wrong = |why: String| ProviderError::Wheel {
        why,
        path: wheel.to_owned(),
    };
    let failed = |error: io::Error| wrong(error.to_string());
    let mut file = File::open(wheel).map_err(failed)?;
    let found = hash(&mut file).map_err(failed)?;
    if found != sha256 {
        return Err(wrong(format!(
            "its sha256 is {found}, not {sha256}: it was changed or damaged on the way"
        )));
    }
    let mut archive = ZipArchive::new(file).map_err(|error| wrong(error.to_string()))?;
    let mut room = most;
    let mut libraries = Vec::new();
    for number in 0..archive.len() {
        let entry = archive.by_index(number);
        let entry = entry.map_err(|error| wrong(error.to_string()))?;
        if entry.is_dir() {
            continue;
        }
        // Whatever folders an entry claims: its last name alone counts.
        let entry_name = entry.name().map_err(|error| wrong(error.to_string()))?;
        let entry_name = entry_name.into_owned();
        let path = Path::new(&entry_name);
        if !is_below(&entry_name) {
            return Err(wrong(format!("an entry leads outside it, {entry_name}")));
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let (target, limit) = if is_library(name) {
            (name.to_owned(), room)
        } else if is_licence(path) {
            let prefix = wheel.file_stem().unwrap_or_default().to_string_lossy();
            let prefix = prefix.split('-').next().unwrap_or_default().to_owned();
            (format!("{prefix}-{name}"), TEXT_LIMIT.min(room))
        } else {
            continue;
        };
        let to = folder.join(&target);
        let mut out = File::options()
            .write(true)
            .create_new(true)
            .open(&to)
            .map_err(|error| wrong(format!("{target}: {error}")))?;
        let written = io::copy(&mut entry.take(limit + 1), &mut out)
            .map_err(|error| wrong(format!("{target}: {error}")))?;
        if written > limit {
            return Err(wrong(format!(
                "it unpacks to more than {} MB",
                most / (1024 * 1024)
            )));
        }
        room -= written;
        if is_library(name) {
            libraries.push(target);
        }
    }
    if libraries.is_empty() {
        return Err(wrong("there is no library in it".to_owned()));
    }
    Ok(libraries)
}

/// A file's sha256, in lower-case hexadecimal.
pub(super) fn hash(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(file, &mut hasher)?;
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The wheel in `folder` with the hash `sha256`.
pub(super) fn find(folder: &Path, sha256: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .find(|path| {
            File::open(path)
                .and_then(|mut file| hash(&mut file))
                .is_ok_and(|found| found == sha256)
        })
}

fn is_library(name: &str) -> bool {
    // Python's own modules are of no use here.
    let python = name.contains("pybind11") || name.ends_with(".pyd");
    let versioned = name
        .split_once(".so.")
        .is_some_and(|(_, version)| version.bytes().all(|c| c.is_ascii_digit() || c == b'.'));
    !python
        && (name.ends_with(".so")
            || versioned
            || name.ends_with(".dll")
            || name.ends_with(".dylib"))
}

fn is_licence(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| {
        name.contains("licen") || name.contains("notice") || name.contains("eula")
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, content) in entries {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn wheel(folder: &Path, entries: &[(&str, &[u8])]) -> (PathBuf, String) {
        let path = folder.join("some_package-1.0-py3-none-any.whl");
        fs::write(&path, packed(entries)).unwrap();
        let sha256 = hash(&mut File::open(&path).unwrap()).unwrap();
        (path, sha256)
    }

    #[test]
    fn libraries_and_licences_come_out_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (path, sha256) = wheel(
            home.path(),
            &[
                ("a/libone.so", b"1"),
                ("a/b/libtwo.so.13.1", b"22"),
                ("a/__init__.py", b"import os"),
                ("a/pybind11_state.so", b"x"),
                ("x.dist-info/licenses/LICENSE", b"MIT"),
            ],
        );
        let to = home.path().join("to");
        fs::create_dir(&to).unwrap();
        let libraries = unpack(&path, &sha256, 1000, &to).unwrap();
        assert_eq!(libraries, ["libone.so", "libtwo.so.13.1"]);
        let mut names: Vec<_> = to
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["libone.so", "libtwo.so.13.1", "some_package-LICENSE"]
        );
        assert_eq!(find(home.path(), &sha256), Some(path));
        assert_eq!(find(home.path(), "00"), None);
    }

    #[test]
    fn bombs_other_hashes_and_paths_outside_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("to");
        let tried = |entries: &[(&str, &[u8])], sha256: Option<&str>| {
            let _ = fs::remove_dir_all(&to);
            fs::create_dir(&to).unwrap();
            let (path, own) = wheel(home.path(), entries);
            unpack(&path, sha256.unwrap_or(&own), 10_000, &to)
                .unwrap_err()
                .to_string()
        };
        // Ten megabytes of nothing in a few kilobytes.
        let zeros = vec![0; 10_000_000];
        assert!(tried(&[("lib.so", &zeros)], None).contains("more than"));
        assert!(tried(&[("lib.so", b"1")], Some("00")).contains("sha256"));
        assert!(tried(&[("../../lib.so", b"1")], None).contains("outside"));
        assert!(tried(&[("a/lib.so", b"1"), ("b/lib.so", b"2")], None).contains("lib.so"));
        assert!(tried(&[("readme.txt", b"1")], None).contains("no library"));
        assert!(!home.path().join("lib.so").exists());

        let text = home.path().join("text.whl");
        fs::write(&text, "not a zip file").unwrap();
        let sha256 = hash(&mut File::open(&text).unwrap()).unwrap();
        assert!(unpack(&text, &sha256, 10, &to).is_err());
    }

    proptest! {
        #[test]
        fn any_change_is_read_or_refused(
            changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
            cut in any::<usize>(),
        ) {
            let home = tempfile::tempdir().unwrap();
            let mut bytes = packed(&[("a/b.so", b"hello hello hello"), ("c", b"x")]);
            for (at, byte) in changes {
                let length = bytes.len();
                bytes[at % length] = byte;
            }
            bytes.truncate(cut % (bytes.len() * 2));
            let path = home.path().join("changed.whl");
            fs::write(&path, bytes).unwrap();
            let sha256 = hash(&mut File::open(&path).unwrap()).unwrap();
            let to = home.path().join("to");
            fs::create_dir(&to).unwrap();
            let _ = unpack(&path, &sha256, 1000, &to);
            let above: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
            prop_assert_eq!(above.len(), 2, "nothing beside the folder");
        }
    }
}
