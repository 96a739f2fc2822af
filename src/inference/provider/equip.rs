//! Makes a session run on a provider.

use std::fs;
use std::path::{Path, PathBuf};

use ort::ep::{self, ExecutionProvider as _};
use ort::memory::DeviceType;
use ort::session::builder::SessionBuilder;
use parking_lot::Mutex;

use super::super::runtime::{Runtime, newest_in};
use super::table::{Supply, Way};
use super::{FOLDER, folder_of};
use crate::places::Places;
use crate::settings::Provider;

/// A variable of the WebGPU plug-in: software counts as a graphics card. For tests.
const SOFTWARE: &str = "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER";

/// Plug-ins that were registered: each can be only once in a process.
pub(in super::super) type Plugged = Mutex<Vec<Provider>>;

/// Sets `builder` up to run on `provider`; it never falls back without a word. Compiled engines
/// are kept below the user's cache folder.
pub(in super::super) fn equip(
    builder: SessionBuilder,
    runtime: &Runtime,
    provider: Provider,
) -> ort::Result<SessionBuilder> {
    #[cfg(test)]
    if stand_in::opens(provider) {
        return on_cpu(builder, runtime);
    }
    let places = runtime.places();
    let supply = Supply::of(provider);
    let Some(supply) = supply.filter(|_| provider != Provider::Cpu) else {
        return on_cpu(builder, runtime);
    };
    let engines = engines_of(places, provider);
    let _ = fs::create_dir_all(&engines);
    let engines = engines.display().to_string();
    match (provider, supply.way) {
        (_, Way::PlugIn(name)) => plug_in(builder, runtime, supply, name, &engines),
        (Provider::Cuda, _) => {
            preload(places, supply);
            let cuda = ep::CUDA::default().with_cuda_graph(false).with_tf32(true);
            Ok(builder.with_execution_providers([cuda.build().error_on_failure()])?)
        }
        (Provider::Tensorrt, _) => {
            preload(places, supply);
            let tensorrt = ep::TensorRT::default()
                .with_fp16(true)
                .with_engine_cache(true)
                .with_engine_cache_path(&engines)
                .with_timing_cache(true)
                .with_timing_cache_path(&engines);
            let cuda = ep::CUDA::default().build().error_on_failure();
            Ok(builder.with_execution_providers([tensorrt.build().error_on_failure(), cuda])?)
        }
        (Provider::Coreml, _) => {
            let coreml = ep::CoreML::default()
                .with_model_format(ep::coreml::ModelFormat::MLProgram)
                .with_static_input_shapes(true)
                .with_model_cache_dir(&engines);
            Ok(builder.with_execution_providers([coreml.build().error_on_failure()])?)
        }
        (Provider::Directml, _) => {
            // It plans memory itself.
            let builder = builder.with_memory_pattern(false)?;
            let directml = ep::DirectML::default();
            Ok(builder.with_execution_providers([directml.build().error_on_failure()])?)
        }
        _ => on_cpu(builder, runtime),
    }
}

/// Sets `builder` up to run on the CPU by ONNX Runtime itself. A session for which nothing is named goes to
/// whatever device ONNX Runtime prefers: to `OpenVINO`'s once its plug-in is registered, and on macOS to
/// Core ML.
pub(in super::super) fn on_cpu(
    builder: SessionBuilder,
    runtime: &Runtime,
) -> ort::Result<SessionBuilder> {
    let own = runtime.environment().devices();
    let own = own.filter(|device| device.ep().is_ok_and(|name| name == ep::CPU::NAME));
    Ok(builder.with_devices(own.take(1), None)?)
}

/// Where a provider keeps what it compiled.
pub(super) fn engines_of(places: &Places, provider: Provider) -> PathBuf {
    places.cache.join("engines").join(provider.id())
}

/// The build of ONNX Runtime that a provider brings along.
pub(super) fn library_of(places: &Places, provider: Provider) -> Option<PathBuf> {
    let supply = Supply::of(provider).filter(|supply| supply.way == Way::Replacement)?;
    newest_in(&folder_of(places, supply))
}

fn plug_in(
    builder: SessionBuilder,
    runtime: &Runtime,
    supply: &Supply,
    name: &str,
    engines: &str,
) -> ort::Result<SessionBuilder> {
    let folder = folder_of(runtime.places(), supply);
    let environment = runtime.environment();
    let mut plugged = runtime.plugged().lock();
    if !plugged.contains(&supply.provider) {
        let library = plug_in_library(&folder).ok_or_else(|| {
            ort::Error::new(format!("there is no library in {}", folder.display()))
        })?;
        environment.register_ep_library(supply.provider.id(), &library)?;
        plugged.push(supply.provider);
    }
    drop(plugged);
    let software = std::env::var_os(SOFTWARE).is_some_and(|value| value == "1");
    let fits = |device: &ort::device::Device<'_>| {
        device.ep().is_ok_and(|found| found == name)
            && (software
                || supply.provider == Provider::Openvino
                || device.hardware_device().ty() != DeviceType::CPU)
    };
    let mut devices: Vec<_> = environment.devices().filter(fits).collect();
    // A graphics card before others, and one alone.
    devices.sort_by_key(|device| device.hardware_device().ty() != DeviceType::GPU);
    devices.truncate(1);
    if devices.is_empty() {
        return Err(ort::Error::new(format!(
            "It found nothing to run on here; it is for {}",
            supply.about
        )));
    }
    let options = match supply.provider {
        Provider::TensorrtRtx => {
            vec![(format!("{name}.nv_runtime_cache_path"), engines.to_owned())]
        }
        Provider::Openvino => {
            let config = openvino_config(engines).to_string();
            vec![(format!("{name}.load_config"), config)]
        }
        _ => Vec::new(),
    };
    let options = (!options.is_empty()).then_some(options);
    Ok(builder.with_devices(devices, options.as_deref())?)
}

/// `OpenVINO`'s own settings, for each kind of device; its plug-in heeds no option for the folder of engines.
/// On a processor that knows bfloat16 it would calculate with that, and the matte was off by 15 of 255.
fn openvino_config(engines: &str) -> serde_json::Value {
    serde_json::json!({
        "CPU": {"CACHE_DIR": engines, "INFERENCE_PRECISION_HINT": "f32"},
        "GPU": {"CACHE_DIR": engines},
        "NPU": {"CACHE_DIR": engines},
    })
}

/// The plug-in among the libraries in `folder`.
fn plug_in_library(folder: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let is_plug_in =
                name.contains("onnxruntime_providers") || name.contains("onnxruntime_ep");
            is_plug_in && !name.contains("shared")
        })
        .collect();
    found.sort();
    found.into_iter().next()
}

/// Loads what a provider's libraries need, so that the system finds it: its folder is on no path.
/// They need each other, in an order that changes from version to version: what cannot be loaded
/// yet is tried again after the others.
fn preload(places: &Places, supply: &Supply) {
    let folder = folder_of(places, supply);
    let Ok(entries) = fs::read_dir(&folder) else {
        return;
    };
    let mut waiting: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.contains(std::env::consts::DLL_SUFFIX) && !name.contains("onnxruntime")
        })
        .collect();
    waiting.sort();
    loop {
        let before = waiting.len();
        waiting.retain(|path| ort::util::preload_dylib(path).is_err());
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for path in waiting {
        tracing::debug!("Not loaded: {} ({FOLDER})", path.display());
    }
}

/// In this crate's own tests two providers are the CPU under other names, and fail, get slow or take
/// long to open when they are told to.
#[cfg(test)]
pub(in super::super) mod stand_in {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use crate::settings::Provider;

    pub(in super::super::super) const PROVIDER: Provider = Provider::Webgpu;
    pub(in super::super::super) const SECOND: Provider = Provider::Openvino;
    pub(in super::super::super) static FAILS: AtomicBool = AtomicBool::new(false);
    /// Milliseconds more that a run takes.
    pub(in super::super::super) static SLOW: AtomicU64 = AtomicU64::new(0);

    /// As long as this is set, the second one compiles, for ten seconds at most: a test that fails ends.
    pub(in super::super::super) static COMPILES: AtomicBool = AtomicBool::new(false);

    /// As long as this is set a run hangs, for a minute at most, and nobody can end it.
    pub(in super::super::super) static HANGS: AtomicBool = AtomicBool::new(false);

    /// Opens `provider`, if it is one of them.
    pub(super) fn opens(provider: Provider) -> bool {
        let started = Instant::now();
        while provider == SECOND
            && COMPILES.load(Ordering::Relaxed)
            && started.elapsed() < Duration::from_secs(10)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        [PROVIDER, SECOND].contains(&provider)
    }

    /// Before each of their runs.
    pub(in super::super::super) fn run() -> ort::Result<()> {
        if FAILS.load(Ordering::Relaxed) {
            return Err(ort::Error::new("the device was removed"));
        }
        std::thread::sleep(Duration::from_millis(SLOW.load(Ordering::Relaxed)));
        let started = Instant::now();
        while HANGS.load(Ordering::Relaxed) && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}
