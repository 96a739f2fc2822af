//! The house rules: which module may use which, files that documents name, size of files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The small shared pieces that every stage may use.
const SHARED: &[&str] = &[
    "frame", "mailbox", "worker", "watch", "clock", "places", "settings", "source", "status",
];

/// What a module may use besides [`SHARED`]. The order is that of the data flow: nothing reaches
/// back to an earlier stage, and only `pipeline`, `cli` and `app` see several.
const MAY_USE: &[(&str, &[&str])] = &[
    ("capture", &["ffmpeg"]),
    ("inference", &[]),
    ("people", &[]),
    ("panels", &["people"]),
    ("shots", &["panels"]),
    ("compositor", &["panels", "people", "shots"]),
    (
        "strip",
        &["panels", "people", "compositor", "output", "shots"],
    ),
    ("output", &["ffmpeg"]),
    ("server", &["action", "inference", "panels", "shots"]),
    ("ui", &["action"]),
    (
        "pipeline",
        &[
            "action",
            "capture",
            "inference",
            "panels",
            "compositor",
            "output",
            "shots",
            "strip",
        ],
    ),
    (
        "app",
        &[
            "action",
            "capture",
            "compositor",
            "inference",
            "panels",
            "people",
            "pipeline",
            "server",
            "shots",
            "ui",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "capture",
            "compositor",
            "ffmpeg",
            "inference",
            "output",
            "panels",
            "people",
            "pipeline",
            "server",
            "shots",
            "strip",
            "ui",
        ],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .replace('\\', "/")
}

/// The top-level modules that a source file uses.
fn edges(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split("};").next().unwrap_or_default();
            // `use crate::{a, b::c}`: the first word of each member, nested groups left out.
            let mut depth = 0;
            for member in group.split(|c: char| {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                c == ',' && depth == 0
            }) {
                used.insert(word(member.trim()));
            }
        } else {
            used.insert(word(rest));
        }
    }
    used.remove("");
    used
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn modules_use_only_what_they_may() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files(&root().join("src"), "rs") {
        let name = name(&path);
        let module = name
            .trim_start_matches("src/")
            .trim_end_matches(".rs")
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let more = MAY_USE
            .iter()
            .find(|(from, _)| *from == module)
            .map_or(&[][..], |(_, to)| *to);
        for used in edges(&code) {
            let allowed =
                used == module || SHARED.contains(&used.as_str()) || more.contains(&used.as_str());
            let is_module = [format!("src/{used}"), format!("src/{used}.rs")]
                .iter()
                .any(|path| root().join(path).exists());
            if is_module && !allowed {
                wrong.push(format!("{name} uses crate::{used}"));
            }
        }
    }
    assert!(seen > 20, "only {seen} files were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn edges_are_found_in_every_form() {
    let text = "use crate::frame::{Picture, Size};\nuse crate::{ffmpeg, panels::{Page, Layer}};\nlet x = crate::ui::f();";
    let expected = ["ffmpeg", "frame", "panels", "ui"].map(str::to_owned);
    assert_eq!(edges(text), BTreeSet::from(expected));
}

#[test]
fn panels_and_compositor_read_no_clock() {
    for room in ["src/panels", "src/compositor"] {
        for path in files(&root().join(room), "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            assert!(
                !code.contains("Instant::now"),
                "{} reads the clock",
                name(&path)
            );
            assert!(
                !code.contains("SystemTime::now"),
                "{} reads the clock",
                name(&path)
            );
        }
    }
}

#[test]
fn documents_name_files_that_exist() {
    let mut named = 0;
    for document in ["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let is_path = [
                "src/",
                "tests/",
                "scripts/",
                "assets/",
                "models/",
                "shaders/",
                "docs/",
                "benches/",
                "examples/",
            ]
            .iter()
            .any(|folder| quoted.starts_with(folder));
            if is_path && !quoted.contains(['*', '<', ' ', '{']) {
                named += 1;
                assert!(
                    root().join(quoted).exists(),
                    "{document} names {quoted}, which is not there"
                );
            }
        }
    }
    assert!(named > 10, "only {named} paths were found");
}

#[test]
fn files_are_short_and_have_no_loose_ends() {
    for folder in ["src", "tests/it", "shaders", "benches", "examples"] {
        for path in files(
            &root().join(folder),
            if folder == "shaders" { "wgsl" } else { "rs" },
        ) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(
                text.lines().count() <= 600,
                "{} has more than 600 lines: split it",
                name(&path)
            );
            if path.ends_with("tidy.rs") {
                continue;
            }
            for word in ["TODO", "FIXME", "XXX"] {
                assert!(
                    !text.contains(word),
                    "{} has a {word} without an issue",
                    name(&path)
                );
            }
        }
    }
}
