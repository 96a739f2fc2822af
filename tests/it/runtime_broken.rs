//! A library of ONNX Runtime that is there and cannot be used: said, with what to do, and nothing crashes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Home, Run, runtime_library};
use crate::window::Window;

/// A library of the tests' own with the code of C; `None`, loudly, without a compiler.
fn compiled(home: &Home, name: &str, code: &str) -> Option<PathBuf> {
    let (source, library) = (home.path(&format!("{name}.c")), home.path(name));
    fs::write(&source, code).unwrap();
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no C compiler");
        return None;
    }
    Some(library)
}

/// An ONNX Runtime whose every function fails, the one that starts it among them.
const REFUSES: &str = r#"
static const char *version(void) { return "1.99.0"; }
static void *fail(void) { return "a status"; }
static int code(const void *status) { return 1; }
static const char *message(const void *status) { return "the licence has run out"; }
static void *table[1024];
static const void *api(unsigned wanted) {
    for (int at = 0; at < 1024; at++) table[at] = fail;
    table[1] = code;
    table[2] = message;
    return table;
}
static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
const void *OrtGetApiBase(void) { return &base; }
"#;

/// Libraries that cannot be used, and what is said of each.
fn broken(home: &Home) -> Vec<(PathBuf, &'static str)> {
    let write = |name: &str, bytes: &[u8]| {
        fs::write(home.path(name), bytes).unwrap();
        home.path(name)
    };
    let not = "This is not a library of ONNX Runtime";
    let mut all = vec![
        (write("text.so", b"this is no library\n"), not),
        (write("empty.so", b""), not),
    ];
    // A download that ended early, or a disk that was full.
    let cut = "This is not a library of ONNX Runtime: the file is cut off";
    if let Ok(whole) = fs::read(runtime_library()) {
        for (name, length) in [("begun.so", 4096), ("half.so", whole.len() / 2)] {
            all.push((write(name, &whole[..length]), cut));
        }
    }
    all.extend(
        compiled(home, "other.so", "int other(void) { return 1; }")
            .map(|path| (path, "it has no OrtGetApiBase")),
    );
    all.extend(
        compiled(home, "refuses.so", REFUSES)
            .map(|path| (path, "ONNX Runtime does not start: the licence has run out")),
    );
    all
}

#[test]
fn a_library_that_cannot_be_used_is_told_and_ends_a_command_with_1() {
    let home = Home::new();
    let all = broken(&home);
    for (library, why) in &all {
        let run = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Run::of(home.command(&words).env("ORT_DYLIB_PATH", library))
        };
        let last = format!("({})", library.display());
        for line in [
            "convert pattern out.png --size 64x64",
            "stream --source pattern --seconds 1 --size 64x64",
            "bench --seconds 1 --size 64x64",
        ] {
            let run = run(line).fails(&[why, "Run `scripts/setup.sh runtime`."]);
            assert!(run.said.trim_end().ends_with(&last), "{line}: {}", run.said);
        }
        assert!(!home.path("out.png").exists());
        // What needs no network works.
        run("pages").ok();
        let report = run("doctor");
        assert_eq!(report.code, Some(1), "{}", report.said);
        let line = report.out.lines().find(|line| line.starts_with("runtime"));
        let line = line.unwrap_or_else(|| panic!("{}", report.out));
        assert!(line.contains("FAILS") && line.contains(why), "{line}");
        assert!(line.ends_with(&last), "{line}");
    }
    assert!(all.len() > 2);
}

/// The window opens, shows the page and says it; it ends when it is closed, as ever.
#[test]
fn a_window_without_a_usable_library_says_so_and_goes_on() {
    let home = Home::new();
    for (library, why) in broken(&home) {
        let path = library.to_str().unwrap();
        let environment = [("ORT_DYLIB_PATH", path)];
        let Some(mut window) = Window::open_with(&["--source", "pattern"], &environment) else {
            return;
        };
        window.wait_for(why, |window| window.said().contains(why));
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert!(window.close().success(), "{}", window.said());
    }
}
