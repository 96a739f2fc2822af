//! Gets a provider's wheels, through pip, and puts their libraries into the user's data folder.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::table::{Machine, Supply, Wheel};
use super::{ProviderError, folder_of, wheel};
use crate::places::Places;
use crate::settings::Provider;

/// Folder of fetched wheels in the user's cache folder.
const WHEELS: &str = "wheels";
/// The Python that wheels with code for one Python are taken for; only libraries are used.
const PYTHON: &str = "3.11";
/// One megabyte.
const MB: u64 = 1024 * 1024;

/// Fetches a provider and unpacks it. What was fetched completely is not fetched again: a second
/// call goes on where the first was cut off, wheel by wheel. `say` hears what is being done; pip
/// shows its progress on standard error.
pub(super) fn add(
    places: &Places,
    provider: Provider,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, ProviderError> {
    let supply = Supply::of(provider).filter(|supply| supply.is_for_here());
    let Some(supply) = supply else {
        return Err(ProviderError::NotHere {
            provider: provider.name(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        });
    };
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
    let cache = places.cache.join(WHEELS);
    fs::create_dir_all(&cache).map_err(|error| unkept(&error))?;
    let mut files = Vec::new();
    for (at, wheel) in wheels.iter().enumerate() {
        let file = match wheel::find(&cache, wheel.sha256) {
            Some(file) => file,
            None => {
                say(&format!(
                    "Fetching {} {} ({} of {}).",
                    wheel.package,
                    wheel.version,
                    at + 1,
                    wheels.len()
                ));
                download(wheel, &cache)?
            }
        };
        files.push((file, *wheel));
    }
    say("Unpacking.");
    let parent = folder.parent().unwrap_or(&folder);
    fs::create_dir_all(parent).map_err(|error| unkept(&error))?;
    let part = tempfile::Builder::new()
        .prefix(".adding-")
        .tempdir_in(parent)
        .map_err(|error| unkept(&error))?;
    for (file, wheel) in &files {
        wheel::unpack(file, wheel.sha256, wheel.unpacked * MB, part.path())?;
    }
    let versions: Vec<String> = wheels
        .iter()
        .map(|wheel| format!("{} {}\n", wheel.package, wheel.version))
        .collect();
    fs::write(part.path().join(super::VERSIONS), versions.concat())
        .map_err(|error| unkept(&error))?;
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| unkept(&error))?;
    }
    let kept = part.keep();
    fs::rename(&kept, &folder).map_err(|error| {
        let _ = fs::remove_dir_all(&kept);
        unkept(&error)
    })?;
    for (file, _) in files {
        // Unpacked: the wheel is of no more use.
        let _ = fs::remove_file(file);
    }
    Ok(folder)
}

/// Fetches one wheel with its hash checked by pip.
fn download(wheel: &Wheel, cache: &Path) -> Result<PathBuf, ProviderError> {
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
    let python = pythons()
        .find(|(program, first)| has_pip(program, first))
        .ok_or(ProviderError::NoPip)?;
    let mut command = Command::new(python.0);
    command
        .args(python.1)
        .args([
            "-m",
            "pip",
            "download",
            "--disable-pip-version-check",
            "--quiet",
        ])
        .args(["--progress-bar", "on", "--no-deps", "--only-binary=:all:"])
        .args(["--implementation", "cp", "--python-version", PYTHON]);
    for tag in Machine::tags(wheel.machine) {
        command.args(["--platform", tag]);
    }
    let output = command
        .args(["--require-hashes", "-r"])
        .arg(wanted.path())
        .arg("-d")
        .arg(cache)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said
            .lines()
            .rev()
            .find(|line| line.contains("ERROR"))
            .unwrap_or("pip failed");
        let line = line.trim_start_matches("ERROR:").trim();
        return Err(failed(line.trim_end_matches('.').to_owned()));
    }
    wheel::find(cache, wheel.sha256).ok_or_else(|| failed("pip left no such file".to_owned()))
}

fn pythons() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let all: [(&str, &[&str]); 3] = [("python3", &[]), ("python", &[]), ("py", &["-3"])];
    all.into_iter()
}

fn has_pip(program: &str, first: &[&str]) -> bool {
    Command::new(program)
        .args(first)
        .args(["-m", "pip", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
