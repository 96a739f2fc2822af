//! What needs a process of its own: loading the library fails in every way, leaves nothing behind,
//! and drawing allocates nothing large.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use panelcam::frame::Size;
use panelcam::inference::{self, Generator, InferenceError, Runtime, StyleMap};
use panelcam::places::Places;
use panelcam::settings::Transition;

use crate::inference::{chart, model, runtime};
use crate::inference_stage::Rig;

/// Set in the process of its own.
const ALONE: &str = "PANELCAM_TEST_ALONE";

/// Runs the test called `name` of this file again, in a process of its own. True in there.
fn alone(name: &str, prepare: impl FnOnce(&mut Command)) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            &format!("inference_alone::{name}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ALONE, "1");
    prepare(&mut command);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    false
}

/// The error of loading the library that `ORT_DYLIB_PATH` names.
fn refused() -> InferenceError {
    let home = tempfile::tempdir().unwrap();
    Runtime::load(&Places::under(home.path())).err().unwrap()
}

fn says_how_to_fix(error: &InferenceError, path: &Path) {
    let text = error.to_string();
    assert!(text.contains("`scripts/setup.sh runtime`"), "{text}");
    assert!(text.ends_with(&format!("{})", path.display())), "{text}");
}

#[test]
fn a_missing_library_is_told() {
    let path = Path::new("/nowhere/libonnxruntime.so");
    if alone("a_missing_library_is_told", |command| {
        command.env("ORT_DYLIB_PATH", path);
    }) {
        let error = refused();
        assert!(
            matches!(error, InferenceError::RuntimeMissing { .. }),
            "{error}"
        );
        says_how_to_fix(&error, path);
    }
}

#[test]
fn a_text_file_as_library_is_told_and_the_right_one_loads_later() {
    // The process of its own is given the wrong library: only the outer one looks for the right.
    let library = if std::env::var_os(ALONE).is_some() {
        PathBuf::new()
    } else if let Some(library) = library() {
        library
    } else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let name = "a_text_file_as_library_is_told_and_the_right_one_loads_later";
    let wrong = home.path().join("libonnxruntime.so");
    fs::write(&wrong, "this is no library\n").unwrap();
    if alone(name, |command| {
        command
            .env("ORT_DYLIB_PATH", &wrong)
            .env("RIGHT_ONE", &library);
    }) {
        let error = refused();
        assert!(
            matches!(error, InferenceError::RuntimeUnusable { .. }),
            "{error}"
        );
        let wrong = PathBuf::from(std::env::var_os("ORT_DYLIB_PATH").unwrap());
        says_how_to_fix(&error, &wrong);
        fs::remove_file(&wrong).unwrap();
        fs::copy(std::env::var_os("RIGHT_ONE").unwrap(), &wrong).unwrap();
        assert_eq!(runtime().unwrap().path(), wrong);
    }
}

#[test]
fn an_old_library_is_told() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("libonnxruntime.so");
    if std::env::var_os(ALONE).is_none() {
        let source = home.path().join("old.rs");
        fs::write(
            &source,
            r#"#[repr(C)]
            pub struct Base(extern "C" fn(u32) -> *const u8, extern "C" fn() -> *const u8);
            extern "C" fn api(_: u32) -> *const u8 { std::ptr::null() }
            extern "C" fn version() -> *const u8 { b"1.9.1\0".as_ptr() }
            static BASE: Base = Base(api, version);
            #[unsafe(no_mangle)]
            pub extern "C" fn OrtGetApiBase() -> *const Base { &BASE }"#,
        )
        .unwrap();
        let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(compiler)
            .args([
                "--edition",
                "2024",
                "--crate-type",
                "cdylib",
                "--crate-name",
                "old",
                "-o",
            ])
            .args([&path, &source])
            .status();
        assert!(built.unwrap().success());
    }
    if alone("an_old_library_is_told", |command| {
        command.env("ORT_DYLIB_PATH", &path);
    }) {
        let error = refused();
        assert!(
            matches!(error, InferenceError::RuntimeTooOld { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("1.9.1 is too old"), "{error}");
        says_how_to_fix(
            &error,
            Path::new(&std::env::var_os("ORT_DYLIB_PATH").unwrap()),
        );
    }
}

/// The library the other tests use.
fn library() -> Option<PathBuf> {
    runtime().map(|runtime| runtime.path().to_owned())
}

#[test]
fn loading_and_drawing_leave_nothing_in_the_home_folder() {
    if std::env::var_os(ALONE).is_none() && library().is_none() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let name = "loading_and_drawing_leave_nothing_in_the_home_folder";
    if alone(name, |command| {
        command
            .env("HOME", home.path())
            .env_remove("ORT_DISABLE_TELEMETRY");
        for variable in [
            "XDG_CACHE_HOME",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
        ] {
            command.env_remove(variable);
        }
    }) {
        inference::disable_telemetry();
        let size = Size::new(64, 48);
        let mut generator =
            Generator::open(&runtime().unwrap(), &model("invert"), size, 2).unwrap();
        let map = StyleMap::uniform(generator.model(), size, 0, 1.0).unwrap();
        generator
            .stylize(&chart(size), &map, &mut Default::default())
            .unwrap();
        assert_eq!(std::env::var("ORT_DISABLE_TELEMETRY").as_deref(), Ok("1"));
    } else {
        let left: Vec<_> = home
            .path()
            .read_dir()
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Counts large allocations.
struct Counting;

static LARGE: AtomicU64 = AtomicU64::new(0);
/// From this size on an allocation is counted, in bytes.
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    fn count(size: usize) {
        if size >= LIMIT.load(Ordering::Relaxed) {
            LARGE.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[expect(unsafe_code, reason = "an allocator is")]
// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(size);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[test]
fn drawing_allocates_nothing_large_in_the_steady_state() {
    if std::env::var_os(ALONE).is_none() && library().is_none() {
        return;
    }
    if alone(
        "drawing_allocates_nothing_large_in_the_steady_state",
        |_| {},
    ) {
        let mut rig = Rig::start(&runtime().unwrap(), &["colours", "invert"], "colours-red");
        // Made before counting: the camera's buffers are not this stage's.
        let mut frames: Vec<_> = (0..114).map(|_| chart(Size::new(640, 480))).collect();
        let mut draw = |rig: &mut Rig, count: usize| {
            for frame in frames.drain(..count) {
                rig.send(frame);
                // The compositor holds one drawing while the next is made.
                drop(rig.take());
            }
        };
        draw(&mut rig, 30);
        // A tenth of the smallest buffer, the matte at 448x336.
        LIMIT.store(448 * 336 * 4 / 10, Ordering::Relaxed);
        draw(&mut rig, 30);
        LIMIT.store(usize::MAX, Ordering::Relaxed);
        assert_eq!(LARGE.load(Ordering::Relaxed), 0);

        // With everything that is done to a drawing after the network.
        rig.change(|control| {
            let retouch = &mut control.settings.retouch;
            (retouch.skin_tone, retouch.smoothing, retouch.lines) = (0.7, 0.5, 0.5);
            control.settings.look.strength = 0.5;
        });
        draw(&mut rig, 8);
        LIMIT.store(448 * 336 * 4 / 10, Ordering::Relaxed);
        draw(&mut rig, 8);
        LIMIT.store(usize::MAX, Ordering::Relaxed);
        assert_eq!(LARGE.load(Ordering::Relaxed), 0, "while retouching");

        // With a model that finds no people, so that a segmenter does, and a wipe from style to style.
        rig.change(|control| {
            control.settings.retouch.transition = Transition::Wipe;
            control.settings.look.style = "invert-plain".to_owned();
        });
        // The corner is black: inverted it has green, which it has in no other style here.
        let is_inverted = (0..200).any(|_| {
            rig.send(chart(Size::new(640, 480)));
            std::thread::sleep(Duration::from_millis(20));
            rig.take().picture.rgba()[1] > 60
        });
        assert!(is_inverted);
        // Slots of the new generator get their memory when they are first used.
        draw(&mut rig, 30);
        LIMIT.store(448 * 336 * 4 / 10, Ordering::Relaxed);
        draw(&mut rig, 8);
        LIMIT.store(usize::MAX, Ordering::Relaxed);
        assert_eq!(LARGE.load(Ordering::Relaxed), 0, "with a segmenter");
    }
}

/// Bytes that this process has written to and nobody else has.
#[cfg(target_os = "linux")]
fn own_memory() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<f64>().unwrap() * 1024.0
}

/// The budget of memory rests on what a generator says it takes. The shipped model, models of the tests'
/// and, where they are, real ones of other people, each in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn what_a_generator_says_it_takes_is_what_the_process_grows_by() {
    const MODEL: &str = "PANELCAM_TEST_MODEL";
    const SIZE: &str = "PANELCAM_TEST_SIZE";
    /// Of what it grew by; less than so many bytes do not matter.
    const SHARE: f64 = 0.3;
    const LITTLE: f64 = 8e6;
    let name = "what_a_generator_says_it_takes_is_what_the_process_grows_by";
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/cases/models");
    if std::env::var_os(ALONE).is_none() {
        if library().is_none() {
            return;
        }
        let home = crate::support::Home::new();
        for file in fs::read_dir(&cases).into_iter().flatten().flatten() {
            let add = ["styles".into(), "add".into(), file.path().into_os_string()];
            home.run(&add).ok();
        }
        let added = fs::read_dir(home.path("home/data/models"));
        let added = added.into_iter().flatten().flatten();
        let added = added.map(|entry| (entry.path(), "640x352"));
        let shipped = ["448x256", "960x544"].map(|size| (PathBuf::new(), size));
        for (folder, size) in added.chain(shipped) {
            alone(name, |command| {
                command.env(MODEL, &folder).env(SIZE, size);
            });
        }
        return;
    }
    let runtime = runtime().unwrap();
    let folder = PathBuf::from(std::env::var_os(MODEL).unwrap());
    let builtin = std::sync::Arc::new(inference::Model::builtin().unwrap());
    // What all sessions share.
    drop(Generator::open(&runtime, &builtin, Size::new(64, 64), 2).unwrap());
    let model = if folder.as_os_str().is_empty() {
        builtin
    } else {
        inference::Model::read(&folder).unwrap().into()
    };
    let (slots, size) = (4, std::env::var(SIZE).unwrap());
    let size = model.drawing_size(size.parse().unwrap());
    let before = own_memory();
    let generator = Generator::open(&runtime, &model, size, 2).unwrap();
    let map = StyleMap::uniform(&model, size, 0, 1.0).unwrap();
    let mut all: Vec<_> = (0..slots).map(|_| generator.slot().unwrap()).collect();
    let mut styled = panelcam::frame::Picture::default();
    for slot in &mut all {
        generator.prepare(&chart(size), &map, slot).unwrap();
        generator.run(slot).unwrap();
        generator.finish(slot, &mut styled).unwrap();
    }
    let (grew, says) = (own_memory() - before, generator.memory(slots) as f64);
    let figures = format!(
        "{} {size}: grew by {:.0} MB, says {:.0} MB",
        model.id(),
        grew / 1e6,
        says / 1e6
    );
    println!("{figures}");
    let off = (says - grew).abs();
    assert!(off < (grew * SHARE).max(LITTLE), "{figures}");
}
