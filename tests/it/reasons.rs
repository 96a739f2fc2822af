//! Why a provider is used or not, in the language of the window.

use panelcam::inference::InferenceError;
use panelcam::inference::provider::{Outcome, Verdict};
use panelcam::settings::{Language, Provider};
use panelcam::ui::message;

/// Words that are the same in every language: names, commands, what a system says.
const NAMES: &[&str] = &[
    "CPU",
    "CUDA",
    "TensorRT",
    "WebGPU",
    "OpenVINO",
    "NVIDIA",
    "RTX",
    "GPU",
    "NPU",
    "Vulkan",
    "Direct3D",
    "Metal",
    "Level",
    "Zero",
    "OpenCL",
    "ONNX",
    "Runtime",
    "panelcam",
    "runtime",
    "add",
    "remove",
    "list",
    "cuda",
    "webgpu",
    "openvino",
    "ms",
    "OrtGetApiBase",
    "ORT_DYLIB_PATH",
    "scripts",
    "setup",
    "sh",
    "SYSTEM",
];

/// Korean, and no English word but names and what is in backticks, files and brackets.
#[track_caller]
fn is_korean(said: &str) -> String {
    let korean = message(said, Language::Ko).into_owned();
    assert!(
        korean.chars().any(|letter| ('가'..='힣').contains(&letter)),
        "{said}\n{korean}"
    );
    let words = korean.split(|c: char| !(c.is_ascii_alphanumeric() || "._-/".contains(c)));
    let words = words.map(|word| word.trim_matches(['.', '-', '/']));
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic());
    let english: Vec<&str> = words
        .filter(is_word)
        .filter(|word| !NAMES.contains(word))
        .collect();
    assert!(english.is_empty(), "{english:?} in: {korean}");
    korean
}

fn bad(provider: Provider, why: &str, fix: &str) -> String {
    let (why, fix) = (why.to_owned(), fix.to_owned());
    let outcome = Outcome::Bad { why, fix };
    Verdict { provider, outcome }.text()
}

fn good(milliseconds: f64) -> String {
    let outcome = Outcome::Good {
        milliseconds,
        cpu_milliseconds: 19.0,
        difference: 0.4,
        pixels: 4096,
    };
    let provider = Provider::Webgpu;
    Verdict { provider, outcome }.text()
}

#[test]
fn reasons_are_told_in_korean_to_the_last_word() {
    let add = "Run: panelcam runtime add cuda";
    let driver = "Update the graphics driver.";
    let both = "Run: panelcam runtime add cuda, or: panelcam runtime remove cuda";
    for (why, fix) in [
        ("libcudnn.so.9 is missing", add),
        (
            "libnvinfer.so.10 is missing",
            "It comes with TensorRT 10 from NVIDIA: install that.",
        ),
        (
            "libcuda.so.1 is missing",
            "It comes with NVIDIA's driver: install that.",
        ),
        (
            "libodd.so.1 is missing",
            "It does not come with panelcam: look for it among your system's packages.",
        ),
        (
            "It found nothing to run on here; it is for Intel processors, graphics and NPUs",
            "",
        ),
        (
            "It found nothing to run on here; it is for any GPU with a Vulkan, Direct3D 12 or Metal driver",
            "It needs a GPU's driver.",
        ),
        (
            "SYSTEM",
            "It needs NVIDIA's driver for CUDA 13, and TensorRT 10 installed from NVIDIA.",
        ),
        ("It crashed while drawing (SYSTEM: 6)", driver),
        ("It took more than 300 seconds", driver),
        (
            "It draws something else than the CPU: values differ by up to 90 of 255, 4.1 on average",
            driver,
        ),
        ("Its ONNX Runtime cannot be loaded: SYSTEM", both),
        (
            "Its ONNX Runtime 1.10.0 is too old, panelcam needs 1.24 or newer",
            both,
        ),
        ("Its ONNX Runtime does not start: SYSTEM", both),
        (
            "It ended panelcam while drawing its first picture, or panelcam was ended then",
            "Run: panelcam runtime list to check it again",
        ),
    ] {
        let said = bad(Provider::Cuda, why, fix);
        let korean = is_korean(&said);
        assert!(korean.starts_with("CUDA: 쓰지 않아요. "), "{korean}");
        // As the stage adds to it.
        is_korean(&format!("{said} The CPU draws."));
    }
    let own = "It brings its own ONNX Runtime, which is used from the next start on.";
    for said in [
        good(5.0),
        good(40.0),
        format!("{} {own}", good(5.0)),
        "CPU, as set.".to_owned(),
        "CPU.".to_owned(),
        "CPU. Other providers are being checked.".to_owned(),
        "WebGPU is being loaded; the CPU draws meanwhile.".to_owned(),
        "CPU: no other provider is there. `panelcam runtime list` says which can be added.".to_owned(),
        "WebGPU: not used until the next start. It needs 90 ms a picture now, 20 when it was checked."
            .to_owned(),
        "Drawn at 448x256: a picture of 640x352 took 45 ms, a frame lasts 33.".to_owned(),
        "Small faces are drawn smaller, or not again: a picture took 45 ms, a frame lasts 33."
            .to_owned(),
    ] {
        is_korean(&said);
    }
    // Figures and commands stay, each where it belongs.
    let korean = is_korean(&good(40.0));
    assert_eq!(
        korean,
        "WebGPU: 작동하지만 CPU보다 느려요. 그림 한 장에 40.0 ms, CPU는 19.0 ms 걸려요. 값은 255 가운데 0.4까지 달라요."
    );
}

/// A line a provider; each is translated by itself.
#[test]
fn several_reasons_are_told_line_by_line() {
    let said = format!(
        "CPU.\n{}\n{}",
        bad(
            Provider::Cuda,
            "libcudnn.so.9 is missing",
            "Run: panelcam runtime add cuda"
        ),
        good(40.0)
    );
    assert_eq!(message(&said, Language::En), said);
    let korean = is_korean(&said);
    assert_eq!(korean.lines().count(), 3, "{korean}");
}

#[test]
fn a_runtime_that_does_not_load_is_told_in_korean() {
    let path = std::path::PathBuf::from("/x/1.so");
    for error in [
        InferenceError::RuntimeMissing {
            looked: "/x/1".to_owned(),
        },
        InferenceError::RuntimeUnusable {
            why: "the file is cut off".to_owned(),
            path: path.clone(),
        },
        InferenceError::RuntimeUnusable {
            why: "it has no OrtGetApiBase".to_owned(),
            path: path.clone(),
        },
        InferenceError::RuntimeTooOld {
            version: "1.10.0".to_owned(),
            needed: 24,
            path: path.clone(),
        },
        InferenceError::RuntimeBroken {
            why: "SYSTEM".to_owned(),
            path: path.clone(),
        },
        InferenceError::BetterBroken {
            provider: "CUDA",
            why: "SYSTEM".to_owned(),
            path,
        },
    ] {
        let korean = is_korean(&error.to_string());
        assert!(korean.ends_with(')'), "{korean}");
    }
}
