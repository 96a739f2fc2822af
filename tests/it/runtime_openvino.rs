//! `OpenVINO` draws, and keeps the engines it compiles. Its plug-in lists Intel's devices alone; here a
//! shim, `tests/epshim`, tells it that the processor is one. `scripts/setup.sh openvino` fetches it.
//!
//! Skipped, loudly, without it; `REQUIRE_OPENVINO=1` makes that a failure.

use std::fs;
use std::mem::offset_of;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use image::RgbImage;
use ort::sys::OrtApi;

use crate::inference::runtime;
use crate::support::Home;

/// The plug-in, as the set-up script leaves it.
fn fetched() -> Option<PathBuf> {
    let required = std::env::var("REQUIRE_OPENVINO").as_deref() == Ok("1");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("runtime/openvino");
    if folder.is_dir() && runtime().is_some() {
        return Some(folder);
    }
    assert!(!required, "OpenVINO is not there");
    eprintln!("SKIPPED: OpenVINO is not there (scripts/setup.sh openvino)");
    None
}

/// A home in which `OpenVINO` was added, and works whoever made the processor.
fn home_with(fetched: &Path) -> Home {
    let home = Home::new();
    let folder = home.path("home/data/runtime/openvino");
    fs::create_dir_all(&folder).unwrap();
    for entry in fetched.read_dir().unwrap() {
        let entry = entry.unwrap();
        symlink(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    // Its name comes before the real one's: it is what is registered.
    let shim = folder.join("libonnxruntime_ep_shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/epshim/epshim.c");
    let place = |offset: usize| offset / size_of::<usize>();
    let vendor_id = place(offset_of!(OrtApi, HardwareDevice_VendorId));
    let vendor = place(offset_of!(OrtApi, HardwareDevice_Vendor));
    let compiled = Command::new("cc")
        .args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
        .arg(&shim)
        .arg(format!("-DVENDOR_ID={vendor_id}"))
        .arg(format!("-DVENDOR={vendor}"))
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("cc compiles the shim; install it with `sudo apt install gcc`");
    assert!(compiled.success());
    home
}

/// The demo's portrait, drawn by `provider` in a process of its own. The page looks for the person, whom
/// another network finds in it, on the CPU.
fn draw(home: &Home, provider: &str, style: &str) -> RgbImage {
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");
    let name = format!("{provider}.png");
    let options = format!(
        "--overwrite --page plain --size 320x240 --quality full --smoothing 0 --style {style} --provider {provider}"
    );
    let mut arguments = vec!["convert", photo, &name];
    arguments.extend(options.split(' '));
    let run = home.run(&arguments);
    // It says when another draws than was asked for.
    let said = run.ok().said;
    assert!(!said.contains("OpenVINO: "), "{said}");
    image::open(home.path(&name)).unwrap().to_rgb8()
}

/// How far the furthest value is off.
fn difference(a: &RgbImage, b: &RgbImage) -> u8 {
    let pairs = a.iter().zip(b.iter());
    pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// What is in the folder of engines: names, and what changes when a file is written again.
fn engines(home: &Home) -> Vec<(PathBuf, u64, u64, i64, i64)> {
    let entries = home.path("home/cache/engines/openvino").read_dir().unwrap();
    let mut found: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let data = fs::metadata(&path).unwrap();
            let (secs, nanos) = (data.mtime(), data.mtime_nsec());
            (path, data.ino(), data.len(), secs, nanos)
        })
        .collect();
    found.sort();
    found
}

#[test]
fn openvino_draws_what_the_cpu_draws_and_keeps_its_engine() {
    let Some(fetched) = fetched() else {
        return;
    };
    let home = home_with(&fetched);
    // Checked: it opens the shipped network in the same process as the CPU, and both draw the same.
    let list = home.line("runtime list --json").ok().json();
    let entries = list.as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["id"] == "openvino");
    assert_eq!(entry.unwrap()["works"], true, "{entry:?}");
    let checked = engines(&home);
    let whole = |engine: &(PathBuf, u64, u64, i64, i64)| engine.2 > 1_000_000;
    // One for each size that the check draws.
    assert!(
        checked.len() == 2 && checked.iter().all(whole),
        "{checked:?}"
    );

    // Further processes: what was compiled for a size is taken, not compiled and written again.
    let cpu = draw(&home, "cpu", home.add_full_precision());
    assert!(difference(&cpu, &draw(&home, "openvino", "clean")) <= 6);
    let compiled = engines(&home);
    let own: Vec<_> = (compiled.iter())
        .filter(|engine| !checked.contains(engine))
        .collect();
    assert!(own.len() == 1 && compiled.len() == 3, "{compiled:?}");
    for _ in 0..2 {
        assert!(difference(&cpu, &draw(&home, "openvino", "clean")) <= 6);
        assert_eq!(engines(&home), compiled);
    }

    // It is read indeed: one that is cut off is noticed and compiled anew.
    let (engine, length) = (&own[0].0, own[0].2);
    let bytes = fs::read(engine).unwrap();
    fs::set_permissions(engine, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(engine, &bytes[..bytes.len() / 3]).unwrap();
    assert!(difference(&cpu, &draw(&home, "openvino", "clean")) <= 6);
    let again = engines(&home);
    let mended = again.iter().find(|other| &other.0 == engine);
    assert_eq!(again.len(), 3, "{again:?}");
    assert_eq!(mended.map(|engine| engine.2), Some(length), "{again:?}");

    home.line("runtime remove openvino").ok();
    assert!(!home.path("home/cache/engines/openvino").exists());
}
