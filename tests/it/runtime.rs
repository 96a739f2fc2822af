//! `panelcam runtime`: providers are listed, refused, checked in a process of their own, and never
//! replace the CPU silently.

use std::fs;
use std::path::{Path, PathBuf};

use crate::inference::runtime;
use crate::support::Home;

#[test]
fn all_providers_are_listed_with_what_to_do() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let list = home.line("runtime list --json").ok().json();
    let list = list.as_array().unwrap();
    let state = |id: &str| {
        list.iter()
            .find(|entry| entry["id"] == id)
            .unwrap_or_else(|| panic!("no {id}"))["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for id in [
        "webgpu",
        "cuda",
        "tensorrt",
        "tensorrt-rtx",
        "openvino",
        "coreml",
        "directml",
    ] {
        assert!(
            ["present", "absent", "not here"].contains(&state(id).as_str()),
            "{id}"
        );
    }
    assert_eq!(state("cpu"), "present");
    #[cfg(target_os = "linux")]
    {
        assert_eq!(state("coreml"), "not here");
        assert_eq!(state("directml"), "not here");
        home.line("runtime add directml")
            .fails(&["no DirectML for linux"]);
    }
    home.line("runtime list").ok();
    home.line("runtime remove webgpu")
        .fails(&["WebGPU is not there"]);
    home.line("runtime add cpu")
        .fails(&["nothing has to be added"]);
    assert_eq!(home.line("runtime add abacus").code, Some(2));
}

/// A provider whose library is none: the check fails, the reason is said, the CPU draws.
#[cfg(target_os = "linux")]
#[test]
fn a_provider_that_does_not_load_is_not_used_and_that_is_said() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let folder = home.path("home/data/runtime/webgpu");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("libonnxruntime_providers_webgpu.so"),
        "no library",
    )
    .unwrap();
    let text = |run: crate::support::Run| {
        run.json()
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["id"] == "webgpu")
            .unwrap()
            .clone()
    };
    let entry = text(home.line("runtime list --json").ok());
    assert_eq!(
        (&entry["state"], &entry["works"]),
        (&"present".into(), &false.into()),
        "{entry}"
    );
    assert!(
        entry["text"]
            .as_str()
            .unwrap()
            .contains("WebGPU: not used."),
        "{entry}"
    );
    // Kept: the second time nothing is loaded.
    let kept = home.path("home/cache/providers.toml");
    let before = fs::read_to_string(&kept).unwrap();
    assert_eq!(text(home.line("runtime list --json").ok()), entry);
    assert_eq!(fs::read_to_string(&kept).unwrap(), before);

    // The doctor says it, and the main job goes on.
    let report = home.line("doctor --json").ok().json();
    let check = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["id"] == "providers")
        .unwrap()
        .clone();
    assert!(
        check["text"].as_str().unwrap().contains("not used"),
        "{check}"
    );
    assert_eq!(report["ok"], true);
    home.line("runtime remove webgpu").ok();
    assert!(!folder.exists() && !kept.exists());
}

/// WebGPU on a graphics driver in software: `PANELCAM_TEST_WEBGPU` names the plug-in's library and
/// `PANELCAM_TEST_VULKAN` the driver's description. Skipped, loudly, without them.
#[cfg(target_os = "linux")]
#[test]
fn webgpu_draws_what_the_cpu_draws() {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let driver = named("PANELCAM_TEST_VULKAN")
        .or_else(|| Some(PathBuf::from("/usr/lib/chromium/vk_swiftshader_icd.json")))
        .filter(|path| path.is_file());
    let (Some(library), Some(driver), Some(_)) = (named("PANELCAM_TEST_WEBGPU"), driver, runtime())
    else {
        eprintln!(
            "SKIPPED: WebGPU needs PANELCAM_TEST_WEBGPU (libonnxruntime_providers_webgpu.so of `panelcam runtime add webgpu`) and SwiftShader (PANELCAM_TEST_VULKAN, or Debian's chromium)."
        );
        return;
    };
    let home = Home::new();
    let folder = home.path("home/data/runtime/webgpu");
    fs::create_dir_all(&folder).unwrap();
    let name = Path::new(&library).file_name().unwrap();
    fs::copy(&library, folder.join(name)).unwrap();
    let run = crate::support::Run::of(
        home.command(&["runtime", "list", "--json"])
            .env("VK_DRIVER_FILES", &driver)
            .env("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "1"),
    )
    .ok();
    let entry = run
        .json()
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["id"] == "webgpu")
        .unwrap()
        .clone();
    assert_eq!(entry["works"], true, "{entry}");
    // In software it is slower than the CPU, and so it is not what draws.
    assert!(
        entry["text"]
            .as_str()
            .unwrap()
            .contains("slower than the CPU"),
        "{entry}"
    );
}
