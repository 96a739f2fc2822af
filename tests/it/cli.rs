//! The other commands, run for real.

use std::fs;

use crate::support::{Home, ffprobe, frames, stream};

#[test]
fn lists_are_json_with_id_and_name() {
    let home = Home::new();
    for (command, at_least) in [("styles", 4), ("pages", 3)] {
        let list = home.line(&format!("{command} --json")).ok().json();
        let list = list.as_array().unwrap();
        assert!(list.len() >= at_least, "{command}");
        for entry in list {
            assert!(
                entry["id"].is_string() && entry["name"].is_string(),
                "{command}: {entry}"
            );
            assert_eq!(entry["builtin"], true);
        }
        home.line(command).ok();
    }
    assert!(home.line("devices --json").ok().json().is_array());
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let home = Home::new();
    for line in [
        "convert",
        "frobnicate",
        "bench --size 0x7",
        "convert demo out.png --strength 3",
        "styles --provider abacus",
        "bench --threads 0",
        "stream --fps 0",
        "stream --serve example.com:80",
    ] {
        assert_eq!(home.line(line).code, Some(2), "{line}");
    }
}

#[test]
fn all_pages_lie_on_one_sheet() {
    let home = Home::new();
    let line = "pages sheet all.png --width 400 --quality fast --threads 2";
    home.line(line).ok();
    let sheet = image::open(home.path("all.png")).unwrap().to_rgb8();
    assert!(sheet.width() == 400 && sheet.height() > 300);
    // Not one colour: the demo is drawn into the pages.
    let mut colours: Vec<_> = sheet
        .pixels()
        .map(|pixel| pixel.0.map(|part| part / 16))
        .collect();
    colours.sort_unstable();
    colours.dedup();
    assert!(colours.len() > 500, "{}", colours.len());
    home.line(line).fails(&["exists", "all.png"]);
    home.line("pages sheet all.tiff").fails(&["extension"]);
    home.line("pages sheet other.png --photo none.jpg")
        .fails(&["none.jpg"]);
    assert_eq!(home.line("pages sheet other.png --width 9").code, Some(2));
    assert_eq!(home.names(), ["all.png"]);
}

#[test]
fn doctor_finds_this_machine_able() {
    let report = Home::new().line("doctor --json").ok().json();
    assert_eq!(report["ok"], true);
    let checks = report["checks"].as_array().unwrap();
    for name in ["runtime", "graphics", "drawing", "ffmpeg"] {
        let check = checks
            .iter()
            .find(|check| check["id"] == name)
            .unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(check["ok"], true, "{check}");
    }
}

#[test]
fn doctor_says_what_to_do_and_fails() {
    let home = Home::new();
    let run = crate::support::Run::of(
        home.command(&["doctor"])
            .env("ORT_DYLIB_PATH", home.path("libonnxruntime.so")),
    );
    assert_eq!(run.code, Some(1));
    assert!(
        run.out.contains("FAILS") && run.out.contains("setup.sh runtime"),
        "{}",
        run.out
    );
    // No Vulkan driver at all.
    let run = crate::support::Run::of(
        home.command(&["doctor"])
            .env("VK_DRIVER_FILES", "/dev/null")
            .env("VK_ICD_FILENAMES", "/dev/null")
            .env("LIBGL_DRIVERS_PATH", "/nonexistent")
            .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null"),
    );
    assert_eq!(run.code, Some(1), "{}", run.out);
    assert!(run.out.contains("mesa-vulkan-drivers"), "{}", run.out);
}

#[test]
fn bench_measures_everything_it_promises() {
    let report = Home::new()
        .line("bench --json --seconds 1 --size 320x180 --quality fast")
        .ok()
        .json();
    for key in [
        "styled_per_second",
        "bare_inference_per_second",
        "program_per_second",
        "rss_mb",
        "first_picture_ms",
    ] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}: {report}");
    }
    for stage in [
        "capture",
        "prepare",
        "inference",
        "finish",
        "compositor",
        "readback",
    ] {
        let stage = &report["stages"][stage];
        let [p50, p95, p99] = ["p50", "p95", "p99"].map(|p| stage[p].as_f64().unwrap());
        assert!(0.0 < p50 && p50 <= p95 && p95 <= p99, "{report}");
    }
    assert!(report["latency_ms"]["p95"].as_f64().unwrap() > 0.0);
    assert_eq!(report["size"], "320x180");
    assert_eq!(report["provider"], "cpu");
}

#[test]
fn stream_writes_a_clip_at_a_steady_rate() {
    let home = Home::new();
    home.line(
        "stream --source demo --page none --size 320x180 --fps 10 --seconds 3 --output out.mp4",
    )
    .ok();
    let probe = ffprobe(&home.path("out.mp4"));
    assert_eq!(stream(&probe, "video").unwrap()["r_frame_rate"], "10/1");
    let count = frames(&home.path("out.mp4"));
    assert!(
        (20..=35).contains(&count),
        "{count} frames in 3 s at 10 a second"
    );
    assert_eq!(home.names(), ["out.mp4"]);
}

/// The first programs are plain ones of another size: the page takes a moment to be drawn.
#[test]
fn a_streamed_clip_has_the_size_of_its_page() {
    let home = Home::new();
    home.line(
        "stream --source demo --page close-up --quality fast --fps 5 --seconds 2 --output out.mp4",
    )
    .ok();
    let probe = ffprobe(&home.path("out.mp4"));
    let video = stream(&probe, "video").unwrap();
    assert_eq!(
        (&video["width"], &video["height"]),
        (&1080.into(), &1350.into())
    );
}

#[test]
fn stream_without_a_camera_shows_the_demo_and_says_so() {
    if cfg!(target_os = "linux") && std::path::Path::new("/dev/video0").exists() {
        return;
    }
    let run = Home::new()
        .line("stream --page none --size 320x180 --seconds 1")
        .ok();
    assert!(run.said.contains("demo"), "{}", run.said);
}

#[test]
fn pages_are_checked_added_and_used() {
    let home = Home::new();
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100">
        <title>Mine</title><rect width="200" height="100" fill="#204060"/><circle id="live" cx="100" cy="50" r="40"/></svg>"##;
    fs::write(home.path("mine.svg"), svg).unwrap();
    let said = home
        .line("pages check mine.svg --preview labelled.png")
        .ok();
    assert!(said.out.contains("live") && said.out.contains("Nothing was left out"));
    let labelled = image::open(home.path("labelled.png")).unwrap().to_rgb8();
    assert_eq!(labelled.dimensions(), (1200, 600));
    let json = home.line("pages check mine.svg --json").ok().json();
    assert_eq!(json["alive"][0]["id"], "live");
    assert_eq!(json["alive"][0]["width"], 80.0);
    home.line("pages add mine.svg").ok();
    home.line("pages add mine.svg").fails(&["--overwrite"]);
    let list = home.line("pages --json").ok().json();
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .any(|page| page["id"] == "mine" && page["builtin"] == false)
    );
    home.line("pages render out.png --page mine --quality fast")
        .ok();
    let picture = image::open(home.path("out.png")).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (200, 100));
    assert_eq!(picture.get_pixel(2, 2).0, [0x20, 0x40, 0x60]);
    assert_ne!(picture.get_pixel(100, 50).0, [0x20, 0x40, 0x60]);

    fs::write(home.path("letter.svg"), "Dear reader").unwrap();
    home.line("pages check letter.svg").fails(&["letter.svg"]);
    fs::write(
        home.path("dead.svg"),
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    )
    .unwrap();
    home.line("pages add dead.svg").fails(&["live", "dead.svg"]);
}

#[test]
fn a_broken_settings_file_is_a_warning() {
    let home = Home::new();
    fs::write(home.path("settings.toml"), "[look]\nstrength = \"very\"").unwrap();
    let run = home.line("styles --config settings.toml").ok();
    assert!(
        run.said.contains("[look]") && run.said.contains("settings.toml"),
        "{}",
        run.said
    );
}

#[test]
fn models_are_checked_added_and_used() {
    let home = Home::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/invert");
    home.line(&format!("styles check {folder}")).ok();
    home.line(&format!("styles check {folder}/model.toml")).ok();
    home.line(&format!("styles check {folder}/invert.onnx"))
        .fails(&["is a folder", "model.toml", "styles add"]);
    home.line(&format!("styles add {folder}")).ok();
    home.line(&format!("styles add {folder}"))
        .fails(&["already", "invert"]);
    let list = home.line("styles --json").ok().json();
    let added = list
        .as_array()
        .unwrap()
        .iter()
        .find(|style| style["builtin"] == false)
        .unwrap();
    let style = added["id"].as_str().unwrap().to_owned();
    home.line("convert pattern plain.png --size 64x64 --strength 0 --quality full")
        .ok();
    home.line(&format!(
        "convert pattern drawn.png --size 64x64 --style {style} --quality full"
    ))
    .ok();
    let (plain, drawn) = ["plain.png", "drawn.png"]
        .map(|name| image::open(home.path(name)).unwrap().to_rgb8())
        .into();
    let close = plain
        .iter()
        .zip(drawn.iter())
        .filter(|(a, b)| (255 - **a).abs_diff(**b) < 12)
        .count();
    assert!(close * 10 > plain.len() * 9, "the added model did not draw");
    home.line("styles add /nowhere").fails(&["/nowhere"]);
}
