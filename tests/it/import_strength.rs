//! `panelcam styles add FILE.onnx` and networks that know themselves how strong a drawing is.

use std::sync::Arc;

use panelcam::frame::{Picture, Size};
use panelcam::inference::{Generator, Model, StyleMap};

use crate::import::{described, expected, models, near};
use crate::inference::{chart, runtime};

const SIZE: Size = Size::new(96, 64);

/// What an added model draws at several strengths, one after the other.
fn drawn(name: &str, home: &crate::support::Home, strengths: &[f32]) -> Vec<Picture> {
    let model = Arc::new(Model::read(&models(home).join(name)).unwrap());
    let mut generator = Generator::open(&runtime().unwrap(), &model, SIZE, 1).unwrap();
    let mut draw = |strength: &f32| {
        let map = StyleMap::uniform(&model, SIZE, 0, *strength).unwrap();
        let mut styled = Picture::default();
        generator
            .stylize(&chart(SIZE), &map, &mut styled)
            .map(|()| styled)
            .unwrap()
    };
    strengths.iter().map(&mut draw).collect()
}

/// So much of the drawing in the picture.
fn mixed(share: f32) -> [f32; 3] {
    let picture = chart(SIZE);
    let (seen, drawn) = (picture.pixel(40, 33).unwrap(), expected(&picture, 40, 33));
    [0, 1, 2].map(|at| f32::from(seen[at]) * (1.0 - share) + drawn[at] * share)
}

#[test]
fn an_input_that_goes_from_the_picture_to_the_drawing_takes_the_strength() {
    if runtime().is_none() {
        return;
    }
    for (name, ends, half) in [
        ("strength", [0.0, 1.0], 0.5),
        // Mixed in afterwards, half of the strength would be half of the drawing.
        ("strength-squared", [0.0, 1.0], 0.25),
        ("keep", [1.0, 0.0], 0.5),
    ] {
        let (home, description, said) = described(name);
        let input = &description["inputs"][0];
        let found = input["strength"].as_array().unwrap();
        assert_eq!(
            [0, 1].map(|at| found[at].as_float().unwrap()),
            ends,
            "{said}"
        );
        assert_eq!(input.get("value"), None, "{said}");
        assert!(said.contains("the strength"), "{said}");
        let drawn = drawn(name, &home, &[1.0, 0.5, 0.0, 1.0]);
        for (drawn, share) in drawn.iter().zip([1.0, half, 0.0, 1.0]) {
            near(drawn.pixel(40, 33).unwrap(), mixed(share));
        }
        for (kept, seen) in drawn[2].rgba().iter().zip(chart(SIZE).rgba()).step_by(4) {
            assert_eq!(kept, seen, "{name}: the picture itself");
        }
    }
}

#[test]
fn an_input_of_one_number_that_is_no_strength_stays_what_it_is() {
    if runtime().is_none() {
        return;
    }
    let (home, description, said) = described("contrast");
    let input = &description["inputs"][0];
    assert_eq!(input.get("strength"), None, "{said}");
    assert_eq!(input["value"].as_float(), Some(1.0), "{said}");
    assert!(said.contains("the other is not the picture"), "{said}");
    // Strength is mixed in afterwards.
    let drawn = drawn("contrast", &home, &[1.0, 0.5]);
    let picture = chart(SIZE);
    let pixel = |picture: &Picture, at: usize| f32::from(picture.pixel(40, 33).unwrap()[at]);
    let half = [0, 1, 2].map(|at| (pixel(&drawn[0], at) + pixel(&picture, at)) / 2.0);
    near(drawn[1].pixel(40, 33).unwrap(), half);
}
