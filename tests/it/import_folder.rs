//! The folder of models when several programs use it, or one was killed.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use panelcam::frame::Size;
use panelcam::inference::import;
use panelcam::places::Places;

use crate::import::{bare, draw, kept, models};
use crate::inference::{chart, runtime};
use crate::support::Home;

fn start(home: &Home, file: &std::path::Path) -> Child {
    let mut command = home.command(&["styles".as_ref(), "add".as_ref(), file.as_os_str()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn two_of_one_name_at_once_both_find_a_place() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let files = ["unit", "styles"].map(|name| {
        let folder = home.path(name);
        fs::create_dir(&folder).unwrap();
        fs::copy(bare(name), folder.join("same.onnx")).unwrap();
        folder.join("same.onnx")
    });
    let running = files.map(|file| start(&home, &file));
    for child in running {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    // The one that came first may be of many styles: their ids are taken as well.
    let kept = kept(&home);
    assert_eq!((kept.len(), kept[0].as_str()), (2, "same"), "{kept:?}");
    let list = home.line("styles --json").ok();
    assert!(!list.said.contains("there already"), "{}", list.said);
    let list = list.json();
    let ids = list.as_array().unwrap().iter();
    let mut ids: Vec<&str> = ids
        .filter_map(|style| style["id"].as_str())
        .filter(|id| id.starts_with("same"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    // One is a style, the other four.
    assert_eq!(ids.len(), 5, "{ids:?}");
    let size = Size::new(64, 64);
    for name in &kept {
        draw(&home, name, size, 0, &chart(size));
        let thumbnails = models(&home).join(name).join("thumbnails");
        let thumbnail = thumbnails.read_dir().unwrap().next().unwrap().unwrap();
        let thumbnail = thumbnail.file_name().to_string_lossy().replace(".png", "");
        assert!(ids.contains(&thumbnail.as_str()), "{thumbnail} of {ids:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_program_left_is_cleared() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let mut child = start(&home, &bare("endless"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while kept(&home).is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(kept(&home).len(), 1);
    home.line("styles").ok();
    assert_eq!(kept(&home), [""; 0]);
}

#[test]
fn an_empty_file_is_told_once() {
    let home = Home::new();
    fs::create_dir_all(models(&home)).unwrap();
    fs::write(models(&home).join("x.onnx"), "").unwrap();
    let said = home.line("styles").ok().said;
    assert!(said.contains("empty"), "{said}");
    assert_eq!(kept(&home), ["x.onnx", "x.onnx.refused.txt"]);
    let said = home.line("styles").ok().said;
    assert!(!said.contains("empty"), "{said}");
    // What it was the beginning of.
    fs::write(models(&home).join("x.onnx"), "more").unwrap();
    assert_eq!(import::strays(&Places::under(&home.path("home"))).len(), 1);
}
