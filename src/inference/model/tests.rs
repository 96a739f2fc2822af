//! What descriptions are read and refused.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::inference::files::sha256;
use crate::inference::tensor::{Channels, Layout};

const GOOD: &str = r#"
    id = "one"
    name = "One"
    kind = "generator"
    file = "one.onnx"
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    colour = "unknown keys are allowed"
    [image]
    name = "image"
    layout = "nhwc"
    range = [-1.0, 1.0]
    channels = "bgr"
    [picture]
    name = "picture"
    range = [0.0, 255.0]
    [[styles]]
    id = "one"
"#;

fn folder(description: &str, onnx: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.toml"), description).unwrap();
    fs::write(folder.path().join("one.onnx"), onnx).unwrap();
    folder
}

#[test]
fn the_builtin_model_is_whole() {
    let model = Model::builtin().unwrap();
    let full = model.onnx(Precision::Full).unwrap();
    assert_eq!(sha256(&full), model.sha256());
    assert!(model.is_builtin());
    assert!(model.styles().len() >= 4);
    assert!(full.len() <= 4 * 1024 * 1024);
    let eight_bit = model.eight_bit.as_ref().unwrap();
    let bytes = model.onnx(Precision::EightBit).unwrap();
    assert_eq!(sha256(&bytes), eight_bit.sha256);
    assert_ne!(eight_bit.sha256, model.sha256());
    assert!(bytes.len() < full.len());
    let in_full = model.in_full();
    assert_eq!(in_full.onnx(Precision::EightBit).unwrap(), full);
    assert_eq!(
        (model.style().unwrap().kind, model.size_multiple()),
        (StyleKind::Map { cell: 16 }, 16)
    );
    assert!(model.matte().is_some());
    assert!(model.styles().iter().all(|style| !style.name.ko.is_ascii()));
}

#[test]
fn a_description_is_read_with_its_codings() {
    let folder = folder(GOOD, b"abc");
    let model = Model::read(folder.path()).unwrap();
    let coding = |range| Coding::new(Layout::Pixels, Channels::Bgr, range);
    assert_eq!(model.image().coding, coding([-1.0, 1.0]));
    assert_eq!(model.picture().coding, coding([0.0, 255.0]));
    assert_eq!((model.channels(), model.licence()), (1, "unknown"));
    assert_eq!(
        model.styles()[0].name,
        StyleName {
            en: "one".into(),
            ko: "one".into()
        }
    );
    assert!(!model.is_builtin());
}

#[test]
fn how_a_style_is_printed_is_read() {
    let dots = "[[styles]]\nhalftone = { ink = [0.0, 0.2, 1.0], cover = 0.6 }";
    let description = GOOD.replacen("[[styles]]", dots, 1);
    let model = Model::read(folder(&description, b"abc").path()).unwrap();
    let expected = Halftone {
        strength: 255,
        cover: 153,
        ink: [0, 51, 255],
    };
    assert_eq!(model.styles()[0].finish.halftone, expected);
    let model = Model::read(folder(GOOD, b"abc").path()).unwrap();
    assert_eq!(model.styles()[0].finish, Finish::default());
    let crisp = GOOD.replacen("file =", "crisp = true\nfile =", 1);
    let model = Model::read(folder(&crisp, b"abc").path()).unwrap();
    assert_eq!(model.styles()[0].finish.crisp, 255);
}

#[test]
fn a_network_of_eight_bits_is_read_and_compared_as_the_other_is() {
    let of = |file: &str, sha256: &str| {
        let section = format!("[eight_bit]\nfile = \"{file}\"\nsha256 = \"{sha256}\"\n[image]");
        folder(&GOOD.replacen("[image]", &section, 1), b"abc")
    };
    let (abc, xyz) = (sha256(b"abc"), sha256(b"xyz"));
    let folder = of("eight.onnx", &xyz);
    let missing = Model::read(folder.path());
    assert!(matches!(missing, Err(InferenceError::Unreadable { .. })));
    fs::write(folder.path().join("eight.onnx"), b"xyZ").unwrap();
    let other = Model::read(folder.path());
    assert!(matches!(other, Err(InferenceError::Hash { .. })));
    fs::write(folder.path().join("eight.onnx"), b"xyz").unwrap();
    let model = Model::read(folder.path()).unwrap();
    assert_eq!(*model.onnx(Precision::Full).unwrap(), *b"abc");
    assert_eq!(*model.onnx(Precision::EightBit).unwrap(), *b"xyz");
    assert_eq!(model.sha256_of(Precision::EightBit), xyz);
    assert_eq!(*model.in_full().onnx(Precision::EightBit).unwrap(), *b"abc");
    assert!(model.files().contains(&"eight.onnx".to_owned()));
    for (file, sha256) in [("../eight.onnx", &abc[..]), ("eight.onnx", "12")] {
        let refused = Model::read(of(file, sha256).path());
        assert!(matches!(refused, Err(InferenceError::Description { .. })));
    }
}

#[test]
fn another_hash_a_missing_file_and_a_folder_are_told_apart() {
    assert!(matches!(
        Model::read(folder(GOOD, b"abd").path()),
        Err(InferenceError::Hash { .. })
    ));
    assert!(matches!(
        Model::read(folder(GOOD, b"").path()),
        Err(InferenceError::Hash { .. })
    ));
    let missing = folder(GOOD, b"abc");
    fs::remove_file(missing.path().join("one.onnx")).unwrap();
    assert!(matches!(
        Model::read(missing.path()),
        Err(InferenceError::Unreadable { .. })
    ));
    fs::create_dir(missing.path().join("one.onnx")).unwrap();
    assert!(matches!(
        Model::read(missing.path()),
        Err(InferenceError::Unreadable { .. })
    ));
    assert!(matches!(
        Model::read(Path::new("/nowhere")),
        Err(InferenceError::Unreadable { .. })
    ));
}

#[test]
fn wrong_descriptions_say_what_is_wrong() {
    for (from, to, said) in [
        ("\"generator\"", "\"segmenter\"", "kind"),
        (
            "id = \"one\"\n    name",
            "id = \"../one\"\n    name",
            "lower-case",
        ),
        ("\"one.onnx\"", "\"../one.onnx\"", "name alone"),
        ("\"one.onnx\"", "\"/etc/passwd\"", "name alone"),
        ("\"ba78", "\"zz78", "hexadecimal"),
        ("[-1.0, 1.0]", "[1.0, 1.0]", "two different"),
        ("[-1.0, 1.0]", "[nan, 1.0]", "two different"),
        ("[-1.0, 1.0]", "[1.0]", "range"),
        ("[[styles]]\n    id = \"one\"", "", "0 styles"),
        (
            "[[styles]]",
            "[[styles]]\nid = \"one\"\n[[styles]]",
            "two styles",
        ),
        ("[[styles]]\n", "[[styles]]\nchannel = 3\n", "channel 3"),
        (
            "[[styles]]",
            "[style]\nname = \"s\"\ncell = 16\n[[styles]]",
            "divide",
        ),
        (
            "[[styles]]",
            "[people]\nname = \"p\"\ncell = 16\n[[styles]]",
            "under [people]",
        ),
        (
            "file =",
            "size = [64, 64]\npeople = { name = \"p\", cell = 1 }\nfile =",
            "any size",
        ),
        (
            "[[styles]]",
            "[[styles]]\nhalftone = { ink = [0.0, 0.0, 0.0], cover = 1.5 }",
            "halftone",
        ),
        (
            "[[styles]]",
            "[[styles]]\nhalftone = { ink = [0.0, nan, 0.0], cover = 1.0 }",
            "halftone",
        ),
        ("nhwc", "chwn", "nchw"),
        ("[picture]", "[drawing]", "picture"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let description = GOOD.replacen(from, to, 1);
        let error = Model::read(folder(&description, b"abc").path()).unwrap_err();
        assert!(
            matches!(error, InferenceError::Description { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}

#[test]
fn a_description_without_an_end_is_refused() {
    let text = format!("{GOOD}\n# {}", "x".repeat(DESCRIPTION_LIMIT as usize));
    let error = Model::read(folder(&text, b"abc").path()).unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
}

proptest! {
    #[test]
    fn any_description_is_read_or_refused(text in ".*", cut in 0..GOOD.len()) {
        let _ = Description::parse(&text, Path::new("x"));
        let _ = Description::parse(&GOOD[..cut], Path::new("x"));
    }
}

#[test]
fn an_input_takes_a_number_or_the_strength() {
    let with = |input: &str, more: &str| {
        let before = "    [picture]";
        let text = GOOD.replace(
            before,
            &format!("[[inputs]]\nname = \"alpha\"\n{input}\n{more}\n{before}"),
        );
        Model::read(folder(&text, b"abc").path())
    };
    let model = with("strength = [0, 2.5]", "").unwrap();
    let [
        Constant {
            values, weakest, ..
        },
    ] = model.constants()
    else {
        panic!("{:?}", model.constants());
    };
    assert_eq!((&values[..], *weakest), (&[2.5][..], Some(0.0)));
    let model = with("value = 3", "").unwrap();
    assert_eq!(model.constants()[0].weakest, None);
    let map = "[style]\nname = \"map\"\ncell = 1";
    for (input, more, said) in [
        ("", "", "has not one of value and strength"),
        (
            "value = 1\nstrength = [0, 1]",
            "",
            "has not one of value and strength",
        ),
        ("strength = [0, nan]", "", "not two numbers"),
        ("strength = [0, 1]", map, "so does the style map"),
    ] {
        let error = with(input, more).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
