//! How fast this machine runs a model: measured once, at the first start, and remembered.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::InferenceError;
use super::generator::Generator;
use super::limit::LIVE;
use super::model::Model;
use super::precision::precision;
use super::runtime::Runtime;
use super::style_map::StyleMap;
use crate::frame::{Picture, Size};
use crate::places::Places;
use crate::settings::Provider;

/// Name of the file in the user's cache folder.
const FILE: &str = "tuning.toml";
/// The largest such file that is read, in bytes.
const FILE_LIMIT: u64 = 64 * 1024;
/// The most measurements that are kept; the oldest goes first.
const KEPT: usize = 32;
/// About this many pixels are drawn to measure.
const SAMPLE: Size = Size::new(320, 192);
/// Runs at each number of threads: so many, or as many as fit into a time, but some. The fastest
/// counts, for what else starts with the program only slows a run down.
const RUNS: std::ops::RangeInclusive<usize> = 4..=16;
const RUNS_TIME: Duration = Duration::from_millis(150);
/// No further number of threads is tried after this long.
const PATIENCE: Duration = Duration::from_millis(400);
/// A network that takes longer for one such picture is far from live: it is looked at once more, with
/// all cores and a small picture.
const LOOK: Duration = Duration::from_millis(700);
/// About this many pixels are drawn then.
const SMALL_SAMPLE: Size = Size::new(160, 96);
/// Twice the threads are used only when a run gets shorter than this share of its time: whatever
/// they win, they take from the camera, the compositor and the outputs.
const WORTH_IT: f64 = 0.75;

/// How a model runs best on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// CPU threads of a run.
    pub threads: usize,
    /// Time of a run for each pixel with so many threads, in nanoseconds.
    pub nanos_per_pixel: f64,
}

impl Tuning {
    /// The number of threads at which `model` is fastest.
    ///
    /// # Errors
    /// When the model does not load.
    pub fn of(
        runtime: &Runtime,
        model: &Arc<Model>,
        places: &Places,
    ) -> Result<Self, InferenceError> {
        Self::patiently(runtime, model, places, None)
    }

    /// The speed of `model` with `threads`.
    ///
    /// # Errors
    /// When the model does not load.
    pub fn with_threads(
        runtime: &Runtime,
        model: &Arc<Model>,
        places: &Places,
        threads: usize,
    ) -> Result<Self, InferenceError> {
        Self::patiently(runtime, model, places, Some(threads.max(1)))
    }

    /// The time of a run for pictures of `size`.
    pub fn time(self, size: Size) -> Duration {
        Duration::from_secs_f64(self.nanos_per_pixel * size.area() as f64 / 1e9)
    }

    /// What is remembered, or measured in a moment; `None` when one picture takes longer than that.
    pub(super) fn at_once(
        runtime: &Runtime,
        model: &Arc<Model>,
        places: &Places,
        asked: Option<usize>,
    ) -> Result<Option<Self>, InferenceError> {
        if let Some(found) = Self::remembered(runtime, model, places, asked) {
            return Ok(Some(found));
        }
        match measure(runtime, model, asked) {
            Ok(tuning) => Ok(Some(tuning.remember(runtime, model, places, asked))),
            Err(InferenceError::TooLong { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same, however long it takes.
    fn patiently(
        runtime: &Runtime,
        model: &Arc<Model>,
        places: &Places,
        asked: Option<usize>,
    ) -> Result<Self, InferenceError> {
        match Self::at_once(runtime, model, places, asked)? {
            Some(tuning) => Ok(tuning),
            None => Self::of_slow(runtime, model, places, asked),
        }
    }

    /// Of a network for which [`at_once`](Self::at_once) found nothing.
    pub(super) fn of_slow(
        runtime: &Runtime,
        model: &Arc<Model>,
        places: &Places,
        asked: Option<usize>,
    ) -> Result<Self, InferenceError> {
        let threads = asked.unwrap_or_else(cores);
        let nanos_per_pixel = nanos_per_pixel(runtime, model, threads, SMALL_SAMPLE, LIVE)?;
        let tuning = Self {
            threads,
            nanos_per_pixel,
        };
        Ok(tuning.remember(runtime, model, places, asked))
    }

    fn remembered(
        runtime: &Runtime,
        model: &Model,
        places: &Places,
        asked: Option<usize>,
    ) -> Option<Self> {
        Memory::read(&places.cache.join(FILE)).find(&Key::of(runtime, model, asked))
    }

    fn remember(
        self,
        runtime: &Runtime,
        model: &Model,
        places: &Places,
        asked: Option<usize>,
    ) -> Self {
        let (path, key) = (places.cache.join(FILE), Key::of(runtime, model, asked));
        let tuning = self;
        tracing::info!(
            "Measured: {} threads, {:.1} ns a pixel.",
            tuning.threads,
            tuning.nanos_per_pixel
        );
        let mut memory = Memory::read(&path);
        memory.add(key, tuning);
        if let Err(error) = memory.write(&path) {
            tracing::warn!(
                "The measurement cannot be kept: {error}. It is made again at each start. ({})",
                path.display()
            );
        }
        tuning
    }

    /// Makes the next start measure again.
    pub(super) fn forget(runtime: &Runtime, model: &Model, places: &Places, asked: Option<usize>) {
        let path = places.cache.join(FILE);
        let mut memory = Memory::read(&path);
        memory.remove(&Key::of(runtime, model, asked));
        if let Err(error) = memory.write(&path) {
            tracing::warn!(
                "A doubtful measurement stays: {error}. ({})",
                path.display()
            );
        }
    }
}

/// Logical cores that this program may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn measure(
    runtime: &Runtime,
    model: &Arc<Model>,
    asked: Option<usize>,
) -> Result<Tuning, InferenceError> {
    if let Some(threads) = asked {
        return Ok(Tuning {
            threads,
            nanos_per_pixel: nanos_per_pixel(runtime, model, threads, SAMPLE, LOOK)?,
        });
    }
    let started = Instant::now();
    let mut best: Option<Tuning> = None;
    for threads in candidates(cores()) {
        let tuning = Tuning {
            threads,
            nanos_per_pixel: nanos_per_pixel(runtime, model, threads, SAMPLE, LOOK)?,
        };
        match best {
            // More threads made it no faster: even more will not either.
            Some(best) if tuning.nanos_per_pixel > best.nanos_per_pixel * WORTH_IT => break,
            _ => best = Some(tuning),
        }
        if started.elapsed() > PATIENCE {
            break;
        }
    }
    best.ok_or(InferenceError::NoStyle)
}

/// 1, 2, 4, 8 … and the number of cores.
fn candidates(cores: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(1), |threads| Some(threads * 2))
        .take_while(move |threads| *threads < cores)
        .chain([cores.max(1)])
}

fn nanos_per_pixel(
    runtime: &Runtime,
    model: &Arc<Model>,
    threads: usize,
    sample: Size,
    patience: Duration,
) -> Result<f64, InferenceError> {
    let size = super::size_within(sample, sample.width, model.size_multiple());
    let size = model.drawing_size(size);
    let generator = Generator::open_bare(runtime, model, size, threads, Provider::Cpu, patience)?;
    let mut slot = generator.slot()?;
    generator.prepare(
        &Picture::new(size),
        &StyleMap::uniform(model, size, 0, 1.0)?,
        &mut slot,
    )?;
    let mut fastest = Duration::MAX;
    let began = Instant::now();
    for run in 0..*RUNS.end() {
        let enough = if run >= *RUNS.start() {
            RUNS_TIME
        } else {
            LOOK
        };
        if run > 0 && began.elapsed() > enough {
            break;
        }
        let started = Instant::now();
        generator.run_within(&mut slot, patience)?;
        fastest = fastest.min(started.elapsed());
    }
    Ok(fastest.as_nanos().max(1) as f64 / size.area() as f64)
}

/// What a measurement holds for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Key {
    cpu: String,
    cores: usize,
    runtime: String,
    /// The sha256 of the ONNX file that the CPU runs.
    model: String,
    /// Threads the user asked for; absent when the best number was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_threads: Option<usize>,
}

impl Key {
    fn of(runtime: &Runtime, model: &Model, asked_threads: Option<usize>) -> Self {
        Self {
            cpu: cpu_name(),
            cores: cores(),
            runtime: runtime.version().to_owned(),
            model: model.sha256_of(precision(model, Provider::Cpu)).to_owned(),
            asked_threads,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: Key,
    threads: usize,
    nanos_per_pixel: f64,
}

/// The file of measurements.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    #[serde(default)]
    measured: Vec<Entry>,
}

impl Memory {
    /// What the file holds; nothing when it cannot be read: then it is measured again.
    fn read(path: &Path) -> Self {
        let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= FILE_LIMIT);
        let text = if small {
            fs::read_to_string(path).ok()
        } else {
            None
        };
        text.and_then(|text| toml::from_str(&text).ok())
            .unwrap_or_default()
    }

    fn find(&self, key: &Key) -> Option<Tuning> {
        let entry = self.measured.iter().find(|entry| entry.key == *key)?;
        let sound = (1..=1024).contains(&entry.threads)
            && entry.nanos_per_pixel.is_finite()
            && entry.nanos_per_pixel > 0.0;
        sound.then_some(Tuning {
            threads: entry.threads,
            nanos_per_pixel: entry.nanos_per_pixel,
        })
    }

    fn add(&mut self, key: Key, tuning: Tuning) {
        self.remove(&key);
        let surplus = (self.measured.len() + 1).saturating_sub(KEPT);
        self.measured.drain(..surplus);
        let Tuning {
            threads,
            nanos_per_pixel,
        } = tuning;
        self.measured.push(Entry {
            key,
            threads,
            nanos_per_pixel,
        });
    }

    fn remove(&mut self, key: &Key) {
        self.measured.retain(|entry| entry.key != *key);
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

/// As the system names the processor; its architecture where the system is not asked.
pub(super) fn cpu_name() -> String {
    #[cfg(target_os = "linux")]
    if let Ok(text) = fs::read_to_string("/proc/cpuinfo")
        && let Some(name) = text.lines().find_map(|line| {
            line.strip_prefix("model name")?
                .split_once(':')
                .map(|(_, name)| name.trim().to_owned())
        })
    {
        return name;
    }
    std::env::var("PROCESSOR_IDENTIFIER").unwrap_or_else(|_| std::env::consts::ARCH.to_owned())
}

/// Runs the network alone, again and again on the same input, for `time`: what a program could
/// reach at most at this size with these threads. Inferences a second.
///
/// # Errors
/// As [`Generator::open`] and [`Generator::run`].
pub fn bare_loop(
    runtime: &Runtime,
    model: &Arc<Model>,
    size: Size,
    threads: usize,
    time: Duration,
) -> Result<f64, InferenceError> {
    let generator = Generator::open(runtime, model, size, threads)?;
    let mut slot = generator.slot()?;
    let map = StyleMap::uniform(model, size, 0, 1.0)?;
    generator.prepare(&Picture::new(size), &map, &mut slot)?;
    generator.run(&mut slot)?;
    let (started, mut runs) = (Instant::now(), 0);
    while runs == 0 || started.elapsed() < time {
        generator.run(&mut slot)?;
        runs += 1;
    }
    Ok(f64::from(runs) / started.elapsed().as_secs_f64().max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(model: &str) -> Key {
        Key {
            cpu: "Some CPU \"with quotes\"".to_owned(),
            cores: 2,
            runtime: "1.28.0".to_owned(),
            model: model.to_owned(),
            asked_threads: None,
        }
    }

    #[test]
    fn what_is_written_is_found_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/tuning.toml");
        let mut memory = Memory::read(&path);
        for number in 0..KEPT + 3 {
            memory.add(
                key(&number.to_string()),
                Tuning {
                    threads: 2,
                    nanos_per_pixel: number as f64 + 0.5,
                },
            );
        }
        memory.write(&path).unwrap();
        let mut memory = Memory::read(&path);
        assert_eq!(memory.measured.len(), KEPT);
        assert_eq!(memory.find(&key("2")), None);
        assert_eq!(
            memory.find(&key("9")),
            Some(Tuning {
                threads: 2,
                nanos_per_pixel: 9.5
            })
        );
        memory.remove(&key("9"));
        assert_eq!(memory.find(&key("9")), None);
        assert_eq!(
            memory.find(&Key {
                asked_threads: Some(2),
                ..key("8")
            }),
            None
        );
    }

    #[test]
    fn an_unreadable_file_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tuning.toml");
        for text in [
            "",
            "][",
            "measured = 3",
            "\0\0",
            "[[measured]]\ncpu = \"x\"",
        ] {
            fs::write(&path, text).unwrap();
            assert!(Memory::read(&path).measured.is_empty());
        }
        assert!(Memory::read(folder.path()).measured.is_empty());

        let mut memory = Memory::default();
        for (threads, nanos_per_pixel) in [(0, 1.0), (2, f64::NAN), (2, -1.0)] {
            memory.add(
                key("x"),
                Tuning {
                    threads,
                    nanos_per_pixel,
                },
            );
            assert_eq!(memory.find(&key("x")), None);
        }
    }

    #[test]
    fn threads_are_tried_up_to_the_cores() {
        assert_eq!(candidates(1).collect::<Vec<_>>(), [1]);
        assert_eq!(candidates(2).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(candidates(6).collect::<Vec<_>>(), [1, 2, 4, 6]);
        assert_eq!(candidates(8).collect::<Vec<_>>(), [1, 2, 4, 8]);
    }
}
