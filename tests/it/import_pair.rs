//! Networks that come as a pair: one turns a picture in a style into numbers, one draws with them.

use std::path::Path;

use panelcam::frame::Size;

use crate::import::{add, bare, draw, kept, models};
use crate::inference::{chart, runtime};
use crate::support::{Home, Run};

/// Adds the network `name` with the one that makes numbers of pictures in a style.
fn add_pair(home: &Home, name: &str, art: &[&Path]) -> Run {
    let (network, features) = (bare(name), bare("art-numbers"));
    let mut line = vec!["styles".into(), "add".into(), network.into_os_string()];
    line.extend(["--features".into(), features.into_os_string()]);
    for art in art {
        line.extend(["--art".into(), art.into()]);
    }
    home.run(&line)
}

#[test]
fn a_pair_of_networks_draws_in_the_style_of_any_picture() {
    if runtime().is_none() {
        return;
    }
    let (home, size) = (Home::new(), Size::new(64, 64));
    let art = ["red", "blue"].map(|name| home.path(name).with_extension("png"));
    for (file, colour) in art.iter().zip([[240, 20, 20], [20, 20, 240]]) {
        let picture = image::RgbImage::from_pixel(40, 30, image::Rgb(colour));
        picture.save(file).unwrap();
    }
    let run = add_pair(&home, "by-numbers", &[&art[0], &art[1]]).ok();
    let told = "9 numbers a picture, for 2";
    assert!(run.said.contains(told), "{}", run.said);
    assert_eq!(kept(&home), ["by-numbers"]);
    // The numbers are in the description: the network that makes them is not needed to draw.
    assert!(!models(&home).join("by-numbers/features").exists());
    let [red, blue] = [0, 1].map(|channel| {
        let drawing = draw(&home, "by-numbers", size, channel, &chart(size));
        drawing.pixel(50, 50).unwrap()
    });
    assert!(red[0] > blue[0] && blue[2] > red[2], "{red:?} {blue:?}");

    // Without pictures, the program's own drawings serve.
    let home = Home::new();
    add_pair(&home, "by-numbers", &[]).ok();
    let run = home.line("styles --json").ok();
    assert!(run.json().to_string().contains("by-numbers-2"));

    let home = Home::new();
    for (name, words) in [
        ("unit", "takes no numbers"),
        ("features", "draws with 100 numbers"),
    ] {
        add_pair(&home, name, &[]).fails(&[words]);
        assert_eq!(kept(&home), [""; 0], "{name}");
    }
    add(&home, "by-numbers").fails(&["another network", "--features"]);
    // What is wrong with the other network is said with its own path.
    let other = bare("numbers");
    let (network, features) = (bare("by-numbers"), other.clone());
    let line = ["styles".into(), "add".into(), network.into_os_string()];
    let pair = ["--features".into(), features.into_os_string()];
    let run = home.run(&[&line[..], &pair[..]].concat());
    let said = run.fails(&["takes a picture"]).said;
    assert!(
        said.trim_end().ends_with(&format!("({})", other.display())),
        "{said}"
    );
}
