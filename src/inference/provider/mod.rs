//! What runs a network besides the CPU: which providers there are, where they come from, whether
//! they work on this machine.
//!
//! A provider is believed only after it has drawn: `check.rs` loads it in a process of its own, for
//! a driver may crash, lets it draw a test picture, and compares that with the CPU's drawing. The
//! verdict is kept for this machine, driver, model and version.

mod check;
mod equip;
mod fetch;
mod pip;
mod table;
mod trial;
mod verdict;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

pub(super) use check::Mind;
pub use check::{COMMAND, check_here};
#[cfg(test)]
pub(super) use equip::stand_in;
pub(super) use equip::{Plugged, equip, on_cpu};
pub use trial::leave;
pub(super) use trial::{Trial, judge};
pub(super) use verdict::{Kept, Verdicts};
pub use verdict::{Outcome, Verdict};

use self::table::{SUPPLIES, Supply, Way};
use super::error::InferenceError;
use super::model::Model;
use super::runtime::Runtime;
use crate::places::Places;
use crate::settings::Provider;

/// Folder of providers in the user's data folder; each has one of its own in it.
const FOLDER: &str = "runtime";
/// What was unpacked, in a provider's folder.
const VERSIONS: &str = "versions.txt";
/// The sha256 of each file that was unpacked, likewise.
const HASHES: &str = "hashes.txt";

/// Why a provider could not be added or removed.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Nobody builds it for this machine.
    #[error("There is no {provider} for {system}. `panelcam runtime list` says what there is.")]
    NotHere {
        /// Its name.
        provider: &'static str,
        /// The system and its processor.
        system: String,
    },
    /// It comes with ONNX Runtime.
    #[error("{provider} comes with ONNX Runtime: there is nothing to add or to remove.")]
    PartOfRuntime {
        /// Its name.
        provider: &'static str,
    },
    /// It is the choice among the others.
    #[error(
        "`auto` is the choice among the providers that are there, no package. `panelcam runtime list` says what there is."
    )]
    NoPackage,
    /// It was not added.
    #[error("{provider} is not there. `panelcam runtime list` says what is.")]
    Absent {
        /// Its name.
        provider: &'static str,
    },
    /// It is in another's package.
    #[error(
        "{provider} has nothing of its own here: it is in the package of {owner}, which needs it. To take both away, run: panelcam runtime remove {id}"
    )]
    Shared {
        /// Its name.
        provider: &'static str,
        /// Whose package it is.
        owner: &'static str,
        /// As it is named on the command line.
        id: &'static str,
    },
    /// There is no pip to fetch it with.
    #[error(
        "Python with pip is needed to fetch providers. Install python3-pip, or Python from python.org."
    )]
    NoPip,
    /// It cannot be fetched.
    #[error(
        "{package} could not be fetched: {why}. Check the connection and try again; what was fetched completely is kept."
    )]
    Download {
        /// The package.
        package: &'static str,
        /// What pip says.
        why: String,
    },
    /// What was fetched is not what it should be.
    #[error("The package cannot be used: {why}. Delete the file and try again. ({})", .path.display())]
    Wheel {
        /// What is wrong with it.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// It cannot be kept or removed.
    #[error("The provider's folder cannot be changed: {why}. Make it writable, or free space. ({})", .path.display())]
    Folder {
        /// What the system says.
        why: String,
        /// The folder.
        path: PathBuf,
    },
}

/// A provider, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub provider: Provider,
    /// Whether this machine can have it, and does.
    pub state: State,
    /// For whom, for people.
    pub about: &'static str,
    /// What else has to be there, for people; may be empty.
    pub needs: &'static str,
}

/// Whether a provider is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Present,
    /// It can be added.
    Absent,
    /// Nobody builds it for this machine.
    NotHere,
}

/// All providers, and which are there.
pub fn list(places: &Places) -> Vec<Entry> {
    SUPPLIES
        .iter()
        .map(|supply| Entry {
            provider: supply.provider,
            state: state(places, supply),
            about: supply.about,
            needs: supply.needs,
        })
        .collect()
}

/// Fetches a provider and puts it into the user's data folder, which is given. `say` hears what is
/// being done.
///
/// # Errors
/// When there is none for this machine, it cannot be fetched, or it is not what it should be.
/// Nothing is left half done.
pub fn add(
    places: &Places,
    provider: Provider,
    say: &mut dyn FnMut(&str),
) -> Result<PathBuf, ProviderError> {
    let folder = fetch::add(places, provider, say)?;
    Verdicts::forget(places);
    Ok(folder)
}

/// What was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A package.
    Package {
        /// Its folder.
        folder: PathBuf,
        /// Other providers that went with it, for they are in the same package.
        others: Vec<Provider>,
    },
    /// What a provider had compiled: its package is another's.
    Engines {
        /// Their folder.
        folder: PathBuf,
        /// Whose package it is.
        owner: Provider,
    },
}

/// Takes a provider out of the user's data folder, with the engines it compiled. Of one that is in
/// another's package only the engines go.
///
/// # Errors
/// When it is not there, comes with ONNX Runtime, has nothing of its own or cannot be removed.
pub fn remove(places: &Places, provider: Provider) -> Result<Removed, ProviderError> {
    let supply = Supply::of(provider).ok_or(ProviderError::NoPackage)?;
    let name = provider.name();
    if supply.way == Way::BuiltIn && supply.is_for_here() {
        return Err(ProviderError::PartOfRuntime { provider: name });
    }
    let folder = folder_of(places, supply);
    if supply.folder.is_empty() || !folder.is_dir() {
        return Err(ProviderError::Absent { provider: name });
    }
    let failed = |error: std::io::Error, path: &Path| ProviderError::Folder {
        why: error.to_string(),
        path: path.to_owned(),
    };
    let owner = sharing(provider).map(|supply| supply.provider).next();
    if let Some(owner) = owner.filter(|owner| *owner != provider) {
        let engines = equip::engines_of(places, provider);
        if !engines.is_dir() {
            return Err(ProviderError::Shared {
                provider: name,
                owner: owner.name(),
                id: owner.id(),
            });
        }
        fs::remove_dir_all(&engines).map_err(|error| failed(error, &engines))?;
        let folder = engines;
        return Ok(Removed::Engines { folder, owner });
    }
    fs::remove_dir_all(&folder).map_err(|error| failed(error, &folder))?;
    for supply in sharing(provider) {
        let _ = fs::remove_dir_all(equip::engines_of(places, supply.provider));
    }
    Verdicts::forget(places);
    let others = sharing(provider).map(|supply| supply.provider);
    let others = others.filter(|other| *other != provider).collect();
    Ok(Removed::Package { folder, others })
}

/// Checks every provider that is there with `model`, unless it is kept that it works: one that did
/// not is checked anew, for what it lacks may be there now. Takes seconds to minutes for each.
/// `say` hears what is being checked, when that takes a while.
pub fn verdicts(
    runtime: &Runtime,
    model: &Model,
    places: &Places,
    say: &dyn Fn(&str),
) -> Vec<Verdict> {
    let mind = Mind {
        cancelled: &|| false,
        say,
    };
    Verdicts::of(runtime, model, places, Kept::Good, mind)
        .all()
        .to_vec()
}

/// What should run `model` when `asked` is set, and why, for people. Checks `asked` when that was
/// not done yet, and `say` hears that when it takes a while; `auto` goes by the verdicts that are kept.
pub fn choose(
    runtime: &Runtime,
    model: &Model,
    places: &Places,
    asked: Provider,
    say: &dyn Fn(&str),
) -> (Provider, String) {
    let mind = Mind {
        cancelled: &|| false,
        say,
    };
    let verdicts = match asked {
        Provider::Cpu => return (Provider::Cpu, "CPU, as set.".to_owned()),
        Provider::Auto => Verdicts::kept(runtime, model, places).unwrap_or_default(),
        _ => Verdicts::of(runtime, model, places, Kept::All, mind),
    };
    let found = match asked {
        Provider::Auto => verdicts.best(|provider| is_loaded(runtime, provider)),
        other => verdicts.about(other),
    };
    match found {
        Some(verdict) if verdict.is_good() && is_loaded(runtime, verdict.provider) => {
            (verdict.provider, verdict.text())
        }
        Some(verdict) if verdict.is_good() => (
            Provider::Cpu,
            format!(
                "{} It brings its own ONNX Runtime, which is not the one that is loaded; the CPU draws.",
                verdict.text()
            ),
        ),
        Some(verdict) => (Provider::Cpu, format!("{} The CPU draws.", verdict.text())),
        None if asked == Provider::Auto => (Provider::Cpu, String::new()),
        None => (
            Provider::Cpu,
            format!(
                "{} is not there; the CPU draws. Run: panelcam runtime add {}",
                asked.name(),
                asked.id()
            ),
        ),
    }
}

/// Whether the ONNX Runtime that is loaded is the one `provider` needs: some bring their own.
pub(super) fn is_loaded(runtime: &Runtime, provider: Provider) -> bool {
    equip::library_of(runtime.places(), provider).is_none_or(|own| own == runtime.path())
}

/// A provider that works and brings its own ONNX Runtime along, and that library.
pub(super) fn better_library(places: &Places) -> Option<(Provider, PathBuf)> {
    let best = verdict::remembered_replacement(places)?;
    Some((best, equip::library_of(places, best)?))
}

/// The ONNX Runtime that `provider` brings along does not load: neither it nor others with that library
/// are used, whatever was found before.
pub(super) fn unloadable(places: &Places, provider: Provider, error: &InferenceError) {
    for supply in sharing(provider) {
        let outcome = does_not_load(supply.provider, error);
        verdict::distrust(places, &[supply.provider], None, &outcome);
    }
}

/// What is said of a provider whose own ONNX Runtime does not load.
fn does_not_load(provider: Provider, error: &InferenceError) -> Outcome {
    let why = match error {
        InferenceError::RuntimeUnusable { why, .. } => {
            format!(
                "Its ONNX Runtime cannot be loaded: {}",
                why.trim_end_matches('.')
            )
        }
        InferenceError::RuntimeTooOld {
            version, needed, ..
        } => format!("Its ONNX Runtime {version} is too old, panelcam needs 1.{needed} or newer"),
        InferenceError::RuntimeBroken { why, .. } => {
            format!("Its ONNX Runtime does not start: {why}")
        }
        other => other.to_string().trim_end_matches('.').to_owned(),
    };
    let id = provider.id();
    Outcome::Bad {
        why,
        fix: format!("Run: panelcam runtime add {id}, or: panelcam runtime remove {id}"),
    }
}

/// The providers with the same package as `provider`, itself among them.
fn sharing(provider: Provider) -> impl Iterator<Item = &'static Supply> {
    let folder = Supply::of(provider).map(|supply| supply.folder);
    SUPPLIES
        .iter()
        .filter(move |supply| Some(supply.folder) == folder && !supply.folder.is_empty())
}

/// Providers that are there, without the CPU.
fn present(places: &Places) -> Vec<Provider> {
    SUPPLIES
        .iter()
        .filter(|supply| supply.provider != Provider::Cpu)
        .filter(|supply| state(places, supply) == State::Present)
        .map(|supply| supply.provider)
        .collect()
}

fn state(places: &Places, supply: &Supply) -> State {
    if !supply.is_for_here() {
        State::NotHere
    } else if supply.way == Way::BuiltIn || folder_of(places, supply).is_dir() {
        State::Present
    } else {
        State::Absent
    }
}

fn folder_of(places: &Places, supply: &Supply) -> PathBuf {
    places.data.join(FOLDER).join(supply.folder)
}

/// What was unpacked for a provider; empty for those that are built in.
fn version_of(places: &Places, provider: Provider) -> String {
    Supply::of(provider)
        .filter(|supply| !supply.folder.is_empty())
        .and_then(|supply| fs::read_to_string(folder_of(places, supply).join(VERSIONS)).ok())
        .map(|text| text.trim().replace('\n', ", "))
        .unwrap_or_default()
}
