//! `panelcam styles add FILE.onnx`: what is found about a file that comes without a description,
//! what is refused, and that nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use panelcam::frame::{Picture, Size};
use panelcam::inference::import::{self, Import, ImportError};
use panelcam::inference::{Generator, Model, StyleMap};
use panelcam::places::Places;
use proptest::prelude::*;

use crate::inference::{chart, runtime};
use crate::support::{Home, Run};

pub fn bare(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/models/bare")
        .join(format!("{name}.onnx"))
}

pub fn add(home: &Home, name: &str) -> Run {
    home.run(&["styles".into(), "add".into(), bare(name).into_os_string()])
}

pub fn models(home: &Home) -> PathBuf {
    home.path("home/data/models")
}

/// Names in the folder of models.
pub fn kept(home: &Home) -> Vec<String> {
    let Ok(entries) = models(home).read_dir() else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Adds a file and gives its description.
#[track_caller]
pub fn described(name: &str) -> (Home, toml::Table, String) {
    let home = Home::new();
    let run = add(&home, name).ok();
    let text = fs::read_to_string(models(&home).join(name).join("model.toml")).unwrap();
    assert_eq!(kept(&home), [name], "nothing else is left");
    (home, text.parse().unwrap(), run.said)
}

fn range(description: &toml::Table, port: &str) -> [f64; 2] {
    let range = description[port]["range"].as_array().unwrap();
    [0, 1].map(|at| range[at].as_float().unwrap())
}

pub fn text<'a>(description: &'a toml::Table, port: &str, key: &str) -> &'a str {
    description[port][key].as_str().unwrap()
}

/// Draws with an added model.
pub fn draw(home: &Home, name: &str, size: Size, channel: usize, picture: &Picture) -> Picture {
    let model = Arc::new(Model::read(&models(home).join(name)).unwrap());
    let mut generator = Generator::open(&runtime().unwrap(), &model, size, 1).unwrap();
    let map = StyleMap::uniform(&model, generator.size(), channel, 1.0).unwrap();
    let mut styled = Picture::default();
    generator.stylize(picture, &map, &mut styled).unwrap();
    styled
}

/// What `unit` and its relatives compute: a mean of 25 pixels, then a steep curve.
pub fn expected(picture: &Picture, x: u32, y: u32) -> [f32; 3] {
    let mut sum = [0.0; 3];
    for line in y - 2..=y + 2 {
        for column in x - 2..=x + 2 {
            let pixel = picture.pixel(column, line).unwrap();
            (0..3).for_each(|at| sum[at] += f32::from(pixel[at]) / 25.0 / 255.0);
        }
    }
    sum.map(|mean| 255.0 / (1.0 + (-6.0 * (mean - 0.5)).exp()))
}

#[track_caller]
pub fn near(drawn: [u8; 4], expected: [f32; 3]) {
    for at in 0..3 {
        assert!(
            (f32::from(drawn[at]) - expected[at]).abs() <= 1.5,
            "{drawn:?} is not {expected:?}"
        );
    }
}

#[test]
fn ranges_layouts_and_orders_are_found() {
    if runtime().is_none() {
        return;
    }
    for (name, layout, input, output, channels) in [
        ("unit", "nchw", [0.0, 1.0], [0.0, 1.0], ["rgb", "rgb"]),
        ("signed", "nhwc", [-1.0, 1.0], [-1.0, 1.0], ["rgb", "rgb"]),
        ("caffe", "nchw", [0.0, 255.0], [0.0, 255.0], ["bgr", "bgr"]),
        ("half", "nchw", [0.0, 1.0], [0.0, 1.0], ["rgb", "rgb"]),
        ("bytes", "nhwc", [0.0, 255.0], [0.0, 255.0], ["rgb", "rgb"]),
        ("quantised", "nchw", [0.0, 1.0], [0.0, 1.0], ["rgb", "rgb"]),
    ] {
        let (home, description, said) = described(name);
        assert_eq!(text(&description, "image", "layout"), layout, "{said}");
        assert_eq!(range(&description, "image"), input, "{said}");
        assert_eq!(range(&description, "picture"), output, "{said}");
        let found = ["image", "picture"].map(|port| text(&description, port, "channels"));
        assert_eq!(found, channels, "{said}");
        assert_eq!(description["size_multiple"].as_integer(), Some(1), "{said}");
        // The reasoning is said and written down, each line of it.
        let file = models(&home).join(name).join("model.toml");
        let written = fs::read_to_string(file).unwrap();
        let reasons: Vec<&str> = (written.lines())
            .filter_map(|line| line.strip_prefix("# - "))
            .collect();
        for word in [
            "image: ",
            "size: ",
            "value range: ",
            "channels: ",
            "picture: ",
            "speed: ",
        ] {
            let is_it = |reason: &&&str| reason.starts_with(word);
            let reason = reasons
                .iter()
                .find(is_it)
                .unwrap_or_else(|| panic!("{word} {written}"));
            assert!(said.contains(*reason), "{said}");
        }
        let because = reasons.iter().filter(|reason| reason.contains("because"));
        assert!(because.count() >= 5, "{written}");
    }
    let (_, description, said) = described("swaps");
    let found = ["image", "picture"].map(|port| text(&description, port, "channels"));
    assert_ne!(found[0], found[1], "{said}");
}

#[test]
fn an_added_style_draws_what_its_network_computes() {
    if runtime().is_none() {
        return;
    }
    let size = Size::new(96, 64);
    let picture = chart(size);
    for name in ["unit", "half", "swaps", "fixed", "external", "matte"] {
        let (home, ..) = described(name);
        let drawn = draw(&home, name, size, 0, &picture);
        let mut expected = expected(&picture, 40, 33);
        if name == "swaps" {
            // The network gives red where the picture is blue: both orders are the same drawing.
            let pixel = drawn.pixel(40, 33).unwrap();
            if f32::from(pixel[0].abs_diff(expected[0] as u8)) > 2.0 {
                expected.swap(0, 2);
            }
        }
        assert_eq!(drawn.size(), size, "{name}");
        near(drawn.pixel(40, 33).unwrap(), expected);
        if name == "fixed" {
            // Across the seams of its tiles as well.
            for x in 3..93 {
                near(
                    drawn.pixel(x, 33).unwrap(),
                    super::import::expected(&picture, x, 33),
                );
            }
        }
        if name == "matte" {
            assert!(
                (1..255).contains(&drawn.pixel(20, 20).unwrap()[3])
                    || drawn.pixel(90, 60).unwrap()[3] != drawn.pixel(4, 4).unwrap()[3]
            );
        }
    }
    // The command line draws with it, at any size of photo.
    let home = Home::new();
    add(&home, "signed").ok();
    home.line("styles render out.png --style signed").ok();
}

#[test]
fn sizes_are_found() {
    if runtime().is_none() {
        return;
    }
    let (home, description, said) = described("step");
    assert_eq!(
        description["size_multiple"].as_integer(),
        Some(32),
        "{said}"
    );
    draw(
        &home,
        "step",
        Size::new(96, 64),
        0,
        &chart(Size::new(100, 70)),
    );

    let (_, description, said) = described("fixed");
    assert_eq!(description["fit"].as_str(), Some("tiles"), "{said}");

    // Tiles of a network that looks at the whole picture would show seams.
    let (home, description, said) = described("whole");
    assert_eq!(description["fit"].as_str(), Some("letterbox"), "{said}");
    let drawn = draw(
        &home,
        "whole",
        Size::new(320, 160),
        0,
        &chart(Size::new(320, 160)),
    );
    assert_eq!(drawn.size(), Size::new(64, 32));

    let (home, description, said) = described("larger");
    assert_eq!(description["scale"].as_integer(), Some(4), "{said}");
    let size = Size::new(96, 64);
    assert_eq!(draw(&home, "larger", size, 0, &chart(size)).size(), size);
}

#[test]
fn a_network_of_many_styles_becomes_many() {
    if runtime().is_none() {
        return;
    }
    let size = Size::new(64, 64);
    for (name, count) in [("styles", 4), ("numbered", 3)] {
        let (home, description, said) = described(name);
        assert_eq!(
            description["styles"].as_array().unwrap().len(),
            count,
            "{said}"
        );
        let drawn: Vec<[u8; 4]> = (0..3)
            .map(|at| {
                draw(&home, name, size, at, &chart(size))
                    .pixel(50, 50)
                    .unwrap()
            })
            .collect();
        // Each tint leaves another colour whole.
        assert!(
            drawn[0][0] > drawn[1][0] && drawn[1][1] > drawn[0][1],
            "{drawn:?}"
        );
        let list = home.line("styles --json").ok().json();
        let ids: Vec<&str> = list
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|style| style["id"].as_str())
            .collect();
        assert!(ids.contains(&format!("{name}-{count}").as_str()), "{ids:?}");
    }

    // A picture in the style: the program's own drawings serve when none is given.
    let (home, description, said) = described("art");
    assert_eq!(
        description["image"]["name"].as_str(),
        Some("content"),
        "{said}"
    );
    assert!(description["styles"].as_array().unwrap().len() >= 2);
    let first = draw(&home, "art", size, 0, &chart(size));
    assert_ne!(first, draw(&home, "art", size, 1, &chart(size)));

    let (_, description, said) = described("matte");
    assert_eq!(description["matte"]["name"].as_str(), Some("a"), "{said}");
}

#[test]
fn what_cannot_be_a_style_is_refused_with_the_reason() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    for (name, words) in [
        ("mask", &["mask"][..]),
        ("parts", &["19 channels"]),
        ("names", &["numbers and no picture"]),
        (
            "numbers",
            &["none of its inputs takes a picture", "[1, 128]"],
        ),
        ("smaller", &["no picture of the size"]),
        ("nan", &["not numbers"]),
        ("flat", &["one flat colour"]),
        ("operator", &["operator", "com.example:Sparkle"]),
        ("future", &["operator set 99"]),
        ("question", &["flag", "bool"]),
        ("features", &["style_features", "another network"]),
    ] {
        let run = add(&home, name).fails(words);
        // What to do, and the path last.
        let path = format!("({})", bare(name).display());
        assert!(run.said.trim_end().ends_with(&path), "{}", run.said);
        assert_eq!(kept(&home), [""; 0], "{name}");
    }
}

#[test]
fn networks_without_an_end_are_ended() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    for name in ["endless", "slow"] {
        add(&home, name).fails(&["too slow"]);
        assert_eq!(kept(&home), [""; 0], "{name}");
    }
}

#[test]
fn files_that_are_no_networks_are_refused() {
    let home = Home::new();
    let whole = fs::read(bare("unit")).unwrap();
    let noise: Vec<u8> = (0..5000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (name, bytes, word) in [
        ("empty", &b""[..], "empty"),
        ("cut", &whole[..whole.len() / 2], "ONNX"),
        ("noise", &noise, "not an ONNX"),
        ("picture", b"\x89PNG\r\n\x1a\n and more", "not an ONNX"),
    ] {
        let path = home.path(&format!("{name}.onnx"));
        fs::write(&path, bytes).unwrap();
        home.run(&["styles".into(), "add".into(), path.into_os_string()])
            .fails(&[word]);
        assert_eq!(kept(&home), [""; 0], "{name}");
    }
    home.line("styles add nothing.onnx")
        .fails(&["cannot be read"]);
    // Two gigabytes, none of which are read.
    let path = home.path("huge.onnx");
    fs::File::create(&path).unwrap().set_len(2 << 30).unwrap();
    home.line("styles add huge.onnx")
        .fails(&["2048 MB", "limit"]);
}

#[test]
fn weights_in_other_files_stay_in_their_folder() {
    let home = Home::new();
    fs::create_dir(home.path("model")).unwrap();
    let path = home.path("model/external.onnx");
    fs::copy(bare("external"), &path).unwrap();
    home.line("styles add model/external.onnx")
        .fails(&["external.bin", "missing"]);

    // A name that leads out, and a link that does.
    let bytes = fs::read(&path).unwrap();
    let name = b"external.bin";
    let at = bytes
        .windows(name.len())
        .position(|part| part == name)
        .unwrap();
    let mut outside = bytes.clone();
    outside[at..at + name.len()].copy_from_slice(b"../../passwd");
    fs::write(&path, outside).unwrap();
    home.line("styles add model/external.onnx")
        .fails(&["../../passwd", "outside"]);
    #[cfg(unix)]
    {
        fs::write(&path, &bytes).unwrap();
        fs::write(home.path("secret"), [0; 900]).unwrap();
        std::os::unix::fs::symlink(home.path("secret"), home.path("model/external.bin")).unwrap();
        home.line("styles add model/external.onnx")
            .fails(&["external.bin", "outside"]);
    }
    assert_eq!(kept(&home), [""; 0]);
}

#[test]
fn names_are_never_taken_twice() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    add(&home, "unit").ok();
    add(&home, "unit").fails(&["there already", "unit"]);
    // Another network of the same name, and one called like a style that ships.
    fs::copy(bare("signed"), home.path("unit.onnx")).unwrap();
    let run = home.line("styles add unit.onnx").ok();
    assert_eq!(run.out.trim(), "unit-2");
    fs::copy(bare("half"), home.path("noir.onnx")).unwrap();
    assert_eq!(home.line("styles add noir.onnx").ok().out.trim(), "noir-2");
    let run = home.run(&[
        "styles".into(),
        "add".into(),
        bare("bytes").into_os_string(),
        "--name".into(),
        "My Style/../x".into(),
    ]);
    assert_eq!(run.ok().out.trim(), "my-style-x");
    assert_eq!(kept(&home), ["my-style-x", "noir-2", "unit", "unit-2"]);
}

#[test]
fn a_file_put_into_the_folder_becomes_a_style() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    fs::create_dir_all(models(&home)).unwrap();
    fs::copy(bare("unit"), models(&home).join("unit.onnx")).unwrap();
    fs::copy(bare("flat"), models(&home).join("flat.onnx")).unwrap();
    let list = home.line("styles --json").ok().json();
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .any(|style| style["id"] == "unit")
    );
    // What was refused stays, with a note, and is not tried again.
    assert_eq!(kept(&home), ["flat.onnx", "flat.onnx.refused.txt", "unit"]);
    assert_eq!(import::strays(&Places::under(&home.path("home"))), vec![]);
}

/// Real models of other people, where they are: `tests/models/reference.py` compares what was found out
/// about them with what their makers say. `PANELCAM_TEST_PYTHON` is a Python with its packages.
#[test]
fn real_models_draw_what_their_makers_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = root.join("../shared/cases");
    let python = std::env::var_os("PANELCAM_TEST_PYTHON");
    let (Some(python), Some(_), true) = (python, runtime(), cases.join("models").is_dir()) else {
        eprintln!("SKIPPED: needs models that are not ours, and PANELCAM_TEST_PYTHON");
        return;
    };
    let status = Command::new(python)
        .arg(root.join("tests/models/reference.py"))
        .arg(env!("CARGO_BIN_EXE_panelcam"))
        .arg(cases.join("models"))
        .arg(cases.join("photos/skimage_chelsea.png"))
        .env("ORT_DYLIB_PATH", crate::support::runtime_library())
        .status()
        .unwrap();
    assert!(status.success());
}

/// Adds a folder with a description: all of its files come along, and it must draw.
#[test]
fn a_described_model_is_copied_whole_or_refused() {
    if runtime().is_none() {
        return;
    }
    // Described by an import: weights beside it, pictures of styles.
    for name in ["external", "art"] {
        let (home, description, _) = described(name);
        let folder = home.path(name);
        fs::rename(models(&home).join(name), &folder).unwrap();
        home.line(&format!("styles add {name}")).ok();
        assert_eq!(kept(&home), [name]);
        let id = description["styles"][0]["id"].as_str().unwrap();
        home.line(&format!("styles render drawn.png --style {id}"))
            .ok();
        let from = walk(&folder);
        assert_eq!(walk(&models(&home).join(name)), from);
        assert!(from.len() > 2, "{from:?}");
    }
    // A description of another network.
    let home = Home::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/noise");
    home.run(&["styles".into(), "add".into(), folder.into_os_string()])
        .fails(&["noise", "Correct model.toml"]);
    assert_eq!(kept(&home), [""; 0]);
}

/// All files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in next.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    fs::create_dir_all(models(&home)).unwrap();
    let set = |mode| fs::set_permissions(models(&home), fs::Permissions::from_mode(mode)).unwrap();
    set(0o555);
    // The system's administrator may write anywhere.
    let writable = fs::write(models(&home).join("x"), "").is_ok();
    if writable {
        fs::remove_dir_all(models(&home)).unwrap();
        fs::write(models(&home), "a file in its place").unwrap();
    }
    let run = add(&home, "unit").fails(&["cannot be kept", "writable"]);
    // Once and last, and nothing of what is hidden.
    let path = format!("({})", models(&home).display());
    assert!(run.said.trim_end().ends_with(&path), "{}", run.said);
    assert_eq!(run.said.matches("data/models").count(), 1, "{}", run.said);
    if !writable {
        set(0o755);
    }
}

#[test]
fn a_program_that_crashes_is_survived() {
    let home = tempfile::tempdir().unwrap();
    let places = Places::under(home.path());
    let wanted = Import {
        file: bare("unit"),
        ..Import::default()
    };
    for program in ["/nonexistent/program", "/bin/false"] {
        let result = import::import(&places, &wanted, Path::new(program), &|| false, &mut |_| {});
        assert!(
            matches!(result, Err(ImportError::Crashed { .. })),
            "{result:?}"
        );
    }
    let left = places.data.join("models").read_dir().unwrap().count();
    assert_eq!(left, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a file holds, it is refused or tried; the process that tries it is not started here.
    #[test]
    fn any_file_is_refused_or_tried(
        name in prop_oneof!["unit", "styles", "external", "endless", "art", "question"],
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..12),
        cut in any::<usize>(),
    ) {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let mut bytes = fs::read(bare(&name)).unwrap();
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        if cut % 3 == 0 {
            bytes.truncate(cut / 3 % bytes.len());
        }
        let file = home.path().join("x.onnx");
        fs::write(&file, bytes).unwrap();
        let wanted = Import { file, ..Import::default() };
        let result = import::import(&places, &wanted, Path::new("/bin/false"), &|| false, &mut |_| {});
        prop_assert!(result.is_err());
        let left = places.data.join("models").read_dir().map_or(0, Iterator::count);
        prop_assert_eq!(left, 0);
    }
}
