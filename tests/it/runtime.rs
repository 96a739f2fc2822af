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
    for line in ["runtime add cpu", "runtime remove cpu"] {
        home.line(line)
            .fails(&["CPU comes with ONNX Runtime: there is nothing to add or to remove"]);
    }
    for line in ["runtime add auto", "runtime remove auto"] {
        home.line(line)
            .fails(&["`auto` is the choice among the providers that are there, no package"]);
    }
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
    // Drawing goes by what is kept, a list checks again what did not work, and that alone.
    let kept = home.path("home/cache/providers.toml");
    let keep = |outcome: &str| {
        let text = fs::read_to_string(&kept).unwrap();
        let (before, _) = text.split_once("[checked.verdict.outcome.").unwrap();
        fs::write(&kept, format!("{before}[checked.verdict.outcome.{outcome}")).unwrap();
    };
    keep("bad]\nwhy = \"kept\"\nfix = \"\"");
    let said = home.line("convert pattern out.png --size 64x64 --provider webgpu");
    let said = said.ok().said;
    assert!(
        said.contains("WebGPU: not used. kept. The CPU draws."),
        "{said}"
    );
    assert_eq!(text(home.line("runtime list --json").ok()), entry);
    let good = "good]\nmilliseconds = 77.0\ncpu_milliseconds = 7.0\ndifference = 0.0\npixels = 9";
    keep(good);
    let found = text(home.line("runtime list --json").ok());
    assert!(
        found["text"].as_str().unwrap().contains("77.0 ms"),
        "{found}"
    );
    keep("bad]\nwhy = \"kept\"\nfix = \"\"");

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
    // Neither it nor a model that is damaged is "missing".
    let model = home.path("home/data/models/damaged");
    fs::create_dir_all(&model).unwrap();
    fs::write(model.join("model.toml"), "no description").unwrap();
    let report = home.line("doctor").ok().out;
    for (name, text) in [("providers", "WebGPU: not used"), ("styles", "damaged")] {
        let line = report.lines().find(|line| line.starts_with(name));
        assert!(
            line.is_some_and(|line| line.contains(" in part ") && line.contains(text)),
            "{report}"
        );
    }
    home.line("runtime remove webgpu").ok();
    assert!(!folder.exists() && !kept.exists());
}

/// Files below a home as if the only provider that was checked had worked, faster than the CPU.
#[cfg(target_os = "linux")]
fn keep_good(home: &Home) {
    let kept = home.path("home/cache/providers.toml");
    let text = fs::read_to_string(&kept).unwrap();
    let good = "good]\nmilliseconds = 1.0\ncpu_milliseconds = 90.0\ndifference = 0.0\npixels = 9\n";
    let mut parts = text.split("[checked.verdict.outcome.bad]");
    let mut changed = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.find("\n[").map_or("", |at| &part[at..]);
        changed += &format!("[checked.verdict.outcome.{good}{rest}");
    }
    assert_ne!(text, changed);
    fs::write(&kept, changed).unwrap();
}

/// A library with one function, compiled; `None`, loudly, without a compiler.
#[cfg(target_os = "linux")]
fn compiled(home: &Home, code: &str) -> Option<PathBuf> {
    let (source, library) = (home.path("source.c"), home.path("library.so"));
    fs::write(&source, code).unwrap();
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no C compiler");
        return None;
    }
    Some(library)
}

/// CUDA's build of ONNX Runtime worked, and cannot be loaded any more: the CPU's is.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_build_that_cannot_be_loaded_any_more_leaves_the_cpu() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let old = "static const char *version(void) { return \"1.10.0\"; }
        static const void *api(unsigned n) { return 0; }
        static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
        const void *OrtGetApiBase(void) { return &base; }";
    let mut libraries = vec![(b"junk".to_vec(), "Its ONNX Runtime cannot be loaded")];
    if let Some(old) = compiled(&home, old) {
        libraries.push((fs::read(old).unwrap(), "Its ONNX Runtime 1.10.0 is too old"));
    }
    let folder = home.path("home/data/runtime/cuda");
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(
        crate::support::runtime_library(),
        home.path("home/data/runtime/libonnxruntime.so.1.28.0"),
    )
    .unwrap();
    let run = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        crate::support::Run::of(home.command(&words).env_remove("ORT_DYLIB_PATH"))
    };
    for (library, why) in libraries {
        fs::write(folder.join("libonnxruntime.so.1.28.0"), library).unwrap();
        let text = format!("CUDA: not used. {why}");
        let advice = "Run: panelcam runtime add cuda, or: panelcam runtime remove cuda";
        let _ = fs::remove_file(home.path("home/cache/providers.toml"));
        let list = home.line("runtime list").ok().out;
        assert!(list.contains(&text) && list.contains(advice), "{list}");
        keep_good(&home);
        let said = run("convert pattern out.png --overwrite --size 64x64 --provider cuda").ok();
        assert!(said.said.contains(&text), "{}", said.said);
        assert!(said.said.contains(advice), "{}", said.said);
        assert_eq!(said.said.matches("dlopen").count(), 0, "{}", said.said);

        keep_good(&home);
        let list = run("runtime list").ok().out;
        assert!(list.contains(&text) && list.contains(advice), "{list}");
        keep_good(&home);
        let report = run("doctor").ok().out;
        assert!(
            report.contains(&text) && report.contains(advice),
            "{report}"
        );
        // Not from another machine either.
        keep_good(&home);
        let kept = home.path("home/cache/providers.toml");
        let foreign = fs::read_to_string(&kept)
            .unwrap()
            .replace("cpu = \"", "cpu = \"other ");
        fs::write(&kept, &foreign).unwrap();
        run("convert pattern out.png --overwrite --size 64x64").ok();
        assert_eq!(fs::read_to_string(&kept).unwrap(), foreign);
    }
}

/// `TensorRT` is in CUDA's package: it goes alone as far as it has something of its own, and that is said.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn what_is_removed_is_said_and_the_other_keeps_what_it_needs() {
    let home = Home::new();
    let folder = home.path("home/data/runtime/cuda");
    let engines = home.path("home/cache/engines/tensorrt");
    fs::create_dir_all(&folder).unwrap();
    home.line("runtime remove tensorrt").fails(&[
        "TensorRT has nothing of its own here: it is in the package of CUDA",
        "runtime remove cuda",
    ]);
    fs::create_dir_all(&engines).unwrap();
    let said = home.line("runtime remove tensorrt").ok().said;
    assert!(
        said.contains("What TensorRT had compiled was removed. The rest is in the package of CUDA"),
        "{said}"
    );
    assert!(folder.is_dir() && !engines.exists());
    fs::create_dir_all(&engines).unwrap();
    let said = home.line("runtime remove cuda").ok().said;
    assert!(
        said.contains("CUDA was removed, and with it TensorRT"),
        "{said}"
    );
    assert!(!folder.exists() && !engines.exists());
    home.line("runtime remove tensorrt")
        .fails(&["TensorRT is not there"]);
}

/// A plug-in that worked when it was checked ends the whole program when it draws: the next start draws
/// with the CPU and says so.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_driver_that_ends_the_program_is_not_used_at_the_next_start() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let crash =
        "#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }";
    let Some(library) = compiled(&home, crash) else {
        return;
    };
    let folder = home.path("home/data/runtime/webgpu");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(library, folder.join("libonnxruntime_providers_webgpu.so")).unwrap();
    let list = home.line("runtime list").ok().out;
    assert!(list.contains("WebGPU: not used. It crashed"), "{list}");
    for line in [
        "convert pattern out.png --overwrite --size 64x64 --provider webgpu",
        "stream --source pattern --seconds 5 --size 64x64 --quality fast --threads 1",
    ] {
        keep_good(&home);
        let ended = home.line(line);
        assert_eq!(ended.code, None, "{}", ended.said);
        home.line(line).ok();
        let said = home.line("convert pattern out.png --overwrite --size 64x64 --provider webgpu");
        let said = said.ok().said;
        assert!(
            said.contains("WebGPU: not used. It ended panelcam while drawing")
                && said.contains("Run: panelcam runtime list to check it again"),
            "{said}"
        );
        let left = fs::read_dir(home.path("home/cache")).unwrap().flatten();
        let names: Vec<_> = left.map(|entry| entry.file_name()).collect();
        let is_mark = |name: &std::ffi::OsString| name.to_string_lossy().contains("trial");
        assert!(!names.iter().any(is_mark), "{names:?}");
    }
    // Asked to, it is checked again.
    let list = home.line("runtime list").ok().out;
    assert!(list.contains("WebGPU: not used. It crashed"), "{list}");
}

/// A plug-in lacks a library that its package does not have: it is said where that comes from. When it
/// is installed, the next list checks anew.
#[cfg(target_os = "linux")]
#[test]
fn what_a_provider_lacks_is_named_and_looked_for_again() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let installed = home.path("installed");
    let folder = home.path("home/data/runtime/webgpu");
    fs::create_dir_all(&folder).unwrap();
    fs::create_dir_all(&installed).unwrap();
    let compile = |code: &str, to: &Path, with: &[&Path]| {
        let source = home.path("source.c");
        fs::write(&source, code).unwrap();
        let mut compiler = std::process::Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-o"])
            .arg(to)
            .arg(source);
        compiler
            .args(with)
            .status()
            .is_ok_and(|status| status.success())
    };
    let lacked = installed.join("libnvinfer.so.10");
    let plug_in = folder.join("libonnxruntime_providers_webgpu.so");
    // Linked by its name alone, as the system's libraries are.
    let named = Path::new("-Wl,-soname,libnvinfer.so.10");
    if !compile("int f(void) { return 1; }", &lacked, &[named])
        || !compile(
            "int f(void); int g(void) { return f(); }",
            &plug_in,
            &[&lacked],
        )
    {
        eprintln!("SKIPPED: there is no C compiler");
        return;
    }
    let list = |path: &Path| {
        let list = crate::support::Run::of(
            home.command(&["runtime", "list"])
                .env("LD_LIBRARY_PATH", path),
        );
        list.ok().out
    };
    let without = list(Path::new(""));
    assert!(
        without.contains("libnvinfer.so.10 is missing. It comes with TensorRT 10 from NVIDIA"),
        "{without}"
    );
    assert!(!without.contains("runtime add webgpu"), "{without}");
    let with = list(&installed);
    assert!(
        with.contains("WebGPU: not used.") && !with.contains("is missing"),
        "{with}"
    );
}

/// Without a connection it says so, and nothing is left.
#[test]
fn a_provider_that_cannot_be_fetched_is_said() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let run = crate::support::Run::of(
        home.command(&["runtime", "add", "webgpu"])
            .env("PIP_NO_INDEX", "1"),
    );
    if run.said.contains("Python with pip is needed") {
        eprintln!("SKIPPED: there is no pip");
        return;
    }
    run.fails(&["could not be fetched", "Check the connection and try again"]);
    assert!(!home.path("home/data/runtime/webgpu").exists());
    let left = fs::read_dir(home.path("home/cache/wheels")).unwrap();
    assert_eq!(left.count(), 0);
}

/// Where nothing answers, it is the index that cannot be reached, not a package that is not there.
#[test]
fn an_index_that_cannot_be_reached_is_said() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    // Nobody listens at the port of a socket that is closed.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut command = home.command(&["runtime", "add", "webgpu"]);
    command
        .envs(["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].map(|name| (name, &proxy)))
        .envs(["NO_PROXY", "no_proxy", "PIP_FIND_LINKS", "PIP_PROXY"].map(|name| (name, "")))
        .env("PIP_RETRIES", "1")
        .env("PIP_INDEX_URL", "https://pypi.org/simple");
    let run = crate::support::Run::of(&mut command);
    if run.said.contains("Python with pip is needed") {
        eprintln!("SKIPPED: there is no pip");
        return;
    }
    run.fails(&[
        "onnxruntime-ep-webgpu could not be fetched: the package index cannot be reached. Check the connection",
    ]);
}

/// WebGPU is fetched and draws, on a graphics driver in software: `scripts/setup.sh webgpu` fetches
/// that. Skipped, loudly, without it; `REQUIRE_WEBGPU=1` makes that a failure.
#[cfg(target_os = "linux")]
#[test]
fn webgpu_draws_what_the_cpu_draws() {
    let required = std::env::var("REQUIRE_WEBGPU").as_deref() == Ok("1");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let driver = [
        root.join("runtime/swiftshader/vk_swiftshader_icd.json"),
        PathBuf::from("/usr/lib/chromium/vk_swiftshader_icd.json"),
    ];
    let driver = driver.into_iter().find(|path| path.is_file());
    let home = Home::new();
    let (Some(driver), Some(_)) = (driver, runtime()) else {
        assert!(!required, "SwiftShader is not there");
        eprintln!("SKIPPED: WebGPU needs SwiftShader (scripts/setup.sh webgpu)");
        return;
    };
    let added = home.line("runtime add webgpu");
    if added.code != Some(0) && !required {
        eprintln!("SKIPPED: {}", added.said);
        return;
    }
    let added = added.ok();
    assert!(added.said.contains("Fetching"), "{}", added.said);
    let run = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        crate::support::Run::of(
            home.command(&words)
                .env("VK_DRIVER_FILES", &driver)
                .env("ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER", "1"),
        )
    };
    let entry = run("runtime list --json")
        .ok()
        .json()
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["id"] == "webgpu")
        .unwrap()
        .clone();
    assert_eq!(entry["works"], true, "{entry}");
    // In software it is slower than the CPU, and so it is not what draws by itself.
    assert!(
        entry["text"]
            .as_str()
            .unwrap()
            .contains("slower than the CPU"),
        "{entry}"
    );
    let draw = |provider: &str, style: &str| {
        let name = format!("{provider}.png");
        let run = run(&format!(
            "convert pattern {name} --size 128x96 --quality full --smoothing 0 --style {style} --provider {provider}"
        ));
        // It says when another draws than was asked for.
        let said = run.ok().said;
        assert!(!said.contains("WebGPU: "), "{said}");
        image::open(home.path(&name)).unwrap().to_rgb8()
    };
    let cpu = draw("cpu", home.add_full_precision());
    let webgpu = draw("webgpu", "clean");
    let furthest = cpu.iter().zip(webgpu.iter());
    let furthest = furthest.map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest <= Some(6), "{furthest:?}");
}
