//! What was found about providers, kept for this machine, driver, model and version.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::super::model::Model;
use super::super::runtime::Runtime;
use super::super::tuning::cpu_name;
use super::{check, present, version_of};
use crate::places::Places;
use crate::settings::Provider;

/// Name of the file in the user's cache folder.
const FILE: &str = "providers.toml";
/// The largest such file that is read, in bytes.
const FILE_LIMIT: u64 = 256 * 1024;
/// The most verdicts that are kept; the oldest goes first.
const KEPT: usize = 64;
/// A provider is taken when it needs less than this share of the CPU's time.
const WORTH_IT: f64 = 0.9;

/// What was found about a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which.
    pub provider: Provider,
    /// Whether it can be used.
    pub outcome: Outcome,
}

/// Whether a provider can be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It draws what the CPU draws.
    Good {
        /// Time of a run on it, in milliseconds.
        milliseconds: f64,
        /// Time of the same run on the CPU, in milliseconds.
        cpu_milliseconds: f64,
        /// The most a value differs from the CPU's, of 255.
        difference: f64,
        /// Pixels of the picture that was drawn.
        pixels: u64,
    },
    /// It cannot.
    Bad {
        /// Why not.
        why: String,
        /// What to do.
        fix: String,
    },
}

impl Verdict {
    /// In words, for people.
    pub fn text(&self) -> String {
        let name = self.provider.name();
        match &self.outcome {
            Outcome::Good {
                milliseconds,
                cpu_milliseconds,
                difference,
                ..
            } => {
                let what = if self.is_faster() {
                    "works"
                } else {
                    "works, slower than the CPU"
                };
                format!(
                    "{name}: {what}. {milliseconds:.1} ms a picture, the CPU {cpu_milliseconds:.1} ms; values differ by at most {difference:.1} of 255."
                )
            }
            Outcome::Bad { why, fix } => format!("{name}: not used. {why}. {fix}")
                .trim_end()
                .to_owned(),
        }
    }

    /// Whether it can be used.
    pub fn is_good(&self) -> bool {
        matches!(self.outcome, Outcome::Good { .. })
    }

    /// Whether it is worth using.
    pub fn is_faster(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Good { milliseconds, cpu_milliseconds, .. }
                if milliseconds < cpu_milliseconds * WORTH_IT
        )
    }

    /// Time of a run for each pixel, in nanoseconds; `None` when it cannot be used.
    pub(in super::super) fn nanos_per_pixel(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Good {
                milliseconds,
                pixels,
                ..
            } => Some(milliseconds * 1e6 / pixels.max(1) as f64),
            Outcome::Bad { .. } => None,
        }
    }

    fn milliseconds(&self) -> f64 {
        match self.outcome {
            Outcome::Good { milliseconds, .. } => milliseconds,
            Outcome::Bad { .. } => f64::INFINITY,
        }
    }
}

/// Which of the verdicts that are kept count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Kept {
    /// All: nobody waits for what did not work before.
    All,
    /// Good ones: what was missing may have been installed since.
    Good,
}

/// The verdicts about all providers that are there.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Verdicts(Vec<Verdict>);

impl Verdicts {
    /// Those that are kept and count; the other providers are checked now, until that is cancelled.
    pub(in super::super) fn of(
        runtime: &Runtime,
        model: &Model,
        places: &Places,
        counts: Kept,
        mind: check::Mind<'_>,
    ) -> Self {
        let path = places.cache.join(FILE);
        let mut verdicts = Vec::new();
        for provider in present(places) {
            let key = Key::of(runtime, model, places, provider);
            let known = Memory::read(&path).find(&key);
            if let Some(known) = known.filter(|known| counts == Kept::All || known.is_good()) {
                verdicts.push(known);
                continue;
            }
            let Some(outcome) = check::run(places, model, provider, mind) else {
                break;
            };
            let verdict = Verdict { provider, outcome };
            tracing::info!("{}", verdict.text());
            let mut memory = Memory::read(&path);
            memory.add(key, verdict.clone());
            if let Err(error) = memory.write(&path) {
                tracing::warn!(
                    "{error}. Providers are checked again at each start. ({})",
                    path.display()
                );
            }
            verdicts.push(verdict);
        }
        Self(verdicts)
    }

    /// Only what is kept: asks nobody. `None` when a provider has yet to be checked.
    pub(in super::super) fn kept(
        runtime: &Runtime,
        model: &Model,
        places: &Places,
    ) -> Option<Self> {
        let memory = Memory::read(&places.cache.join(FILE));
        let known = |provider| memory.find(&Key::of(runtime, model, places, provider));
        present(places)
            .into_iter()
            .map(known)
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// As if it had been found.
    #[cfg(test)]
    pub(in super::super) fn keep(
        runtime: &Runtime,
        model: &Model,
        places: &Places,
        verdict: Verdict,
    ) {
        let path = places.cache.join(FILE);
        let mut memory = Memory::read(&path);
        memory.add(Key::of(runtime, model, places, verdict.provider), verdict);
        memory.write(&path).unwrap();
    }

    /// Providers were added or removed: all are checked again.
    pub(super) fn forget(places: &Places) {
        let path = places.cache.join(FILE);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!("{error} ({})", path.display());
        }
    }

    /// All of them.
    pub(in super::super) fn all(&self) -> &[Verdict] {
        &self.0
    }

    /// The fastest that is right, faster than the CPU and `usable`.
    pub(in super::super) fn best(&self, usable: impl Fn(Provider) -> bool) -> Option<&Verdict> {
        self.0
            .iter()
            .filter(|verdict| verdict.is_faster() && usable(verdict.provider))
            .min_by(|a, b| a.milliseconds().total_cmp(&b.milliseconds()))
    }

    /// About one provider.
    pub(in super::super) fn about(&self, provider: Provider) -> Option<&Verdict> {
        self.0.iter().find(|verdict| verdict.provider == provider)
    }
}

/// The provider that brings its own build of ONNX Runtime and was found to be faster than the CPU last, on
/// this machine and with what is there now. Which model it was for does not matter.
pub(super) fn remembered_replacement(places: &Places) -> Option<Provider> {
    let memory = Memory::read(&places.cache.join(FILE));
    memory
        .checked
        .iter()
        .rev()
        .filter(|entry| entry.verdict.is_faster())
        .find(|entry| {
            let provider = entry.verdict.provider;
            super::equip::library_of(places, provider).is_some()
                && entry.key.is_of_here(places, provider)
        })
        .map(|entry| entry.verdict.provider)
}

/// What was found about `providers` does not hold any more: for `key`, or whatever it was found for.
pub(super) fn distrust(
    places: &Places,
    providers: &[Provider],
    key: Option<Key>,
    outcome: &Outcome,
) {
    let path = places.cache.join(FILE);
    let mut memory = Memory::read(&path);
    let verdict = |provider| Verdict {
        provider,
        outcome: outcome.clone(),
    };
    match key {
        Some(key) => {
            for provider in providers {
                memory.add(key.clone(), verdict(*provider));
            }
        }
        None => {
            for entry in &mut memory.checked {
                if providers.contains(&entry.verdict.provider) {
                    entry.verdict = verdict(entry.verdict.provider);
                }
            }
        }
    }
    if let Err(error) = memory.write(&path) {
        tracing::warn!("{error} ({})", path.display());
    }
}

/// What a verdict holds for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    cpu: String,
    driver: String,
    runtime: String,
    /// The sha256 of the ONNX file.
    model: String,
    package: String,
}

impl Key {
    pub(super) fn of(
        runtime: &Runtime,
        model: &Model,
        places: &Places,
        provider: Provider,
    ) -> Self {
        Self {
            cpu: cpu_name(),
            driver: driver(),
            runtime: runtime.version().to_owned(),
            model: model.sha256().to_owned(),
            package: package(places, provider),
        }
    }

    /// Whether it holds for this machine, its drivers and what is there of `provider`.
    fn is_of_here(&self, places: &Places, provider: Provider) -> bool {
        self.package == package(places, provider)
            && self.cpu == cpu_name()
            && self.driver == driver()
    }
}

fn package(places: &Places, provider: Provider) -> String {
    format!("{} {}", provider.id(), version_of(places, provider))
}

/// The graphics drivers of this machine: what they say of themselves, and NVIDIA's version. Looked at
/// once, and only where there is a provider to check.
fn driver() -> String {
    static DRIVERS: LazyLock<String> = LazyLock::new(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        let adapters = wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::PRIMARY);
        let mut drivers: Vec<String> = pollster::block_on(adapters)
            .iter()
            .map(|adapter| {
                let about = adapter.get_info();
                format!("{}, {} {}", about.name, about.driver, about.driver_info)
            })
            .collect();
        // CUDA's driver is not among them where no graphics are installed.
        let nvidia = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
        drivers.extend(nvidia.lines().next().map(str::to_owned));
        drivers.sort();
        drivers.dedup();
        drivers.join("; ").chars().take(500).collect()
    });
    DRIVERS.clone()
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    key: Key,
    verdict: Verdict,
}

/// The file of verdicts.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    #[serde(default)]
    checked: Vec<Entry>,
}

impl Memory {
    /// What the file holds; nothing when it cannot be read: then all are checked again.
    fn read(path: &Path) -> Self {
        let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= FILE_LIMIT);
        let text = small.then(|| fs::read_to_string(path).ok()).flatten();
        text.and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_default()
    }

    fn find(&self, key: &Key) -> Option<Verdict> {
        let entry = self.checked.iter().find(|entry| entry.key == *key)?;
        Some(entry.verdict.clone())
    }

    fn add(&mut self, key: Key, verdict: Verdict) {
        self.checked.retain(|entry| entry.key != key);
        let surplus = (self.checked.len() + 1).saturating_sub(KEPT);
        self.checked.drain(..surplus);
        self.checked.push(Entry { key, verdict });
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = toml::to_string(self).map_err(std::io::Error::other)?;
        let folder: PathBuf = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        fs::create_dir_all(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(provider: Provider, milliseconds: f64) -> Verdict {
        Verdict {
            provider,
            outcome: Outcome::Good {
                milliseconds,
                cpu_milliseconds: 10.0,
                difference: 0.5,
                pixels: 86_016,
            },
        }
    }

    #[test]
    fn the_fastest_that_works_is_the_best_and_the_others_say_why_not() {
        let bad = Verdict {
            provider: Provider::Cuda,
            outcome: Outcome::Bad {
                why: "libcudnn.so.9 is missing".into(),
                fix: "Run: panelcam runtime add cuda".into(),
            },
        };
        let all = Verdicts(vec![
            good(Provider::Webgpu, 4.0),
            bad,
            good(Provider::Openvino, 3.0),
            good(Provider::Tensorrt, 9.5),
        ]);
        let best = |usable: &dyn Fn(Provider) -> bool| Some(all.best(usable)?.provider);
        assert_eq!(best(&|_| true), Some(Provider::Openvino));
        let other = |provider| provider != Provider::Openvino;
        assert_eq!(best(&other), Some(Provider::Webgpu), "the next best");
        assert_eq!(best(&|_| false), None);
        assert_eq!(
            all.about(Provider::Cuda).unwrap().text(),
            "CUDA: not used. libcudnn.so.9 is missing. Run: panelcam runtime add cuda"
        );
        let slower = all.about(Provider::Tensorrt).unwrap().text();
        assert!(
            slower.contains("TensorRT: works, slower than the CPU"),
            "{slower}"
        );
    }

    #[test]
    fn what_is_kept_is_found_for_the_same_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/providers.toml");
        let key = |model: &str| Key {
            cpu: "some \"CPU\"".into(),
            driver: String::new(),
            runtime: "1.28.0".into(),
            model: model.into(),
            package: "webgpu 0.4".into(),
        };
        let mut memory = Memory::read(&path);
        for number in 0..KEPT + 2 {
            memory.add(key(&number.to_string()), good(Provider::Webgpu, 2.0));
        }
        memory.write(&path).unwrap();
        let memory = Memory::read(&path);
        assert_eq!(memory.checked.len(), KEPT);
        assert_eq!(memory.find(&key("5")), Some(good(Provider::Webgpu, 2.0)));
        assert_eq!(memory.find(&key("0")), None);
        fs::write(&path, "checked = 3").unwrap();
        assert!(Memory::read(&path).checked.is_empty());
    }
}
