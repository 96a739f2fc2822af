//! `panelcam styles add FILE.onnx` and networks that are not what they seem: one size inside though
//! any is declared, four channels, drawings in grey, negatives, second pictures; and refusals that
//! must name what is in the way.

use panelcam::frame::{Picture, Size};

use crate::import::{add, bare, described, draw, expected, kept, near, text};
use crate::inference::{chart, runtime};
use crate::support::Home;

/// Drawn at any size all the same, in tiles.
#[test]
fn a_size_that_only_the_inside_knows_is_found() {
    if runtime().is_none() {
        return;
    }
    for (name, side) in [("only-224", 224), ("only-256", 256), ("always-256", 256)] {
        let (home, description, said) = described(name);
        let size = description.get("size").and_then(toml::Value::as_array);
        let size: Vec<_> = size
            .into_iter()
            .flatten()
            .map(toml::Value::as_integer)
            .collect();
        assert_eq!(size, [Some(side), Some(side)], "{said}");
        assert_eq!(description.get("scale"), None, "{said}");
        let size = Size::new(300, 200);
        let picture = chart(size);
        let drawn = draw(&home, name, size, 0, &picture);
        near(drawn.pixel(250, 33).unwrap(), expected(&picture, 250, 33));
    }
}

#[test]
fn how_opaque_a_drawing_is_is_left_out() {
    if runtime().is_none() {
        return;
    }
    let size = Size::new(96, 64);
    let picture = chart(size);
    for name in ["opaque", "opaque-last"] {
        let (home, _, said) = described(name);
        assert!(said.contains("fourth channel left out"), "{said}");
        let drawn = draw(&home, name, size, 0, &picture);
        near(drawn.pixel(40, 33).unwrap(), expected(&picture, 40, 33));
    }
}

#[test]
fn a_drawing_of_lines_is_no_mask() {
    if runtime().is_none() {
        return;
    }
    let (home, description, said) = described("pencil");
    assert_eq!(text(&description, "picture", "channels"), "grey", "{said}");
    let size = Size::new(96, 64);
    let mut picture = Picture::new(size);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        pixel.fill(if at % 96 < 48 { 40 } else { 220 });
    }
    // White but for the edge.
    let drawn = draw(&home, "pencil", size, 0, &picture);
    assert_eq!(drawn.pixel(20, 30).unwrap()[..3], [255; 3]);
    assert!(drawn.pixel(48, 30).unwrap()[0] < 40, "{said}");
}

#[test]
fn a_negative_keeps_its_order_of_channels() {
    if runtime().is_none() {
        return;
    }
    let (_, description, said) = described("negative");
    let found = ["image", "picture"].map(|port| text(&description, port, "channels"));
    assert_eq!(found, ["rgb", "rgb"], "{said}");
    assert!(said.contains("as of a negative"), "{said}");
}

/// Nothing else tells its range: its first and last operators lie between those that make bytes.
#[test]
fn eight_bits_tell_their_range() {
    if runtime().is_none() {
        return;
    }
    let (_, description, said) = described("all-in-8-bits");
    for port in ["image", "picture"] {
        let range = description[port]["range"].as_array().unwrap();
        let range: Vec<_> = range.iter().map(toml::Value::as_float).collect();
        assert_eq!(range, [Some(0.0), Some(255.0)], "{said}");
        assert_eq!(text(&description, port, "channels"), "rgb", "{said}");
    }
    assert!(said.contains("into 8 bits first"), "{said}");
    assert!(said.contains("last operators, after Tanh"), "{said}");
}

#[test]
fn what_is_unsure_says_where_it_is_corrected() {
    if runtime().is_none() {
        return;
    }
    let (_, _, said) = described("any-range");
    let told = "nearly the same: correct it in model.toml";
    assert!(said.contains(told), "{said}");
}

#[test]
fn a_refusal_names_what_is_in_the_way() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    for (name, words) in [
        (
            "four-parts",
            ["4 channels", "parts of a picture", "three channels"],
        ),
        (
            "unnamed-set",
            [
                "operator com.example:FusedToon",
                "not know",
                "standard operators",
            ],
        ),
        (
            "previous",
            ["input \"previous\"", "one from before", "one picture"],
        ),
        (
            "four-at-once",
            ["batch of 4", "float32 [4, 3", "batch of 1"],
        ),
        (
            "whole-numbers",
            ["\"in\"", "int32", "float32, float16 or uint8"],
        ),
        ("double", ["\"in\"", "float64", "float32, float16 or uint8"]),
        ("second", ["input \"in2\"", "same size", "one picture"]),
        // Its process may ask for so much and no more, on Linux.
        #[cfg(target_os = "linux")]
        ("hungry", ["more memory", "allocate", "smaller network"]),
    ] {
        let run = add(&home, name).fails(&words);
        let path = format!("({})", bare(name).display());
        assert!(run.said.trim_end().ends_with(&path), "{}", run.said);
        assert!(!run.said.contains(".adding"), "{}", run.said);
        assert!(!run.said.contains("none of its inputs"), "{}", run.said);
        assert_eq!(kept(&home), [""; 0], "{name}");
    }
}
