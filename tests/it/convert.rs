//! `panelcam convert` on real files: frames in = frames out, sound kept, nothing half written.

use std::fs;

use crate::support::{Home, ffmpeg, ffprobe, frames, stream};

/// Small and quick, the same everywhere.
const QUICK: &str = "--quality fast --threads 2";

fn clip(home: &Home, name: &str, options: &str) -> String {
    ffmpeg(options, &home.path(name));
    name.to_owned()
}

fn luma_spread(path: &std::path::Path) -> (f64, usize) {
    let picture = image::open(path).unwrap().to_luma8();
    let mean = picture.pixels().map(|p| f64::from(p.0[0])).sum::<f64>() / picture.len() as f64;
    let levels = picture
        .pixels()
        .map(|p| p.0[0])
        .collect::<std::collections::BTreeSet<_>>()
        .len();
    (mean, levels)
}

#[test]
fn a_photo_becomes_a_drawing_of_its_own_size() {
    let home = Home::new();
    home.line(&format!(
        "convert demo photo.png --size 640x352 --strength 0 {QUICK}"
    ))
    .ok();
    home.line(&format!("convert photo.png drawn.jpg {QUICK}"))
        .ok();
    home.line("convert photo.png same.png --strength 0 --quality full --threads 2")
        .ok();
    let (photo, drawn, same) = ["photo.png", "drawn.jpg", "same.png"]
        .map(|name| image::open(home.path(name)).unwrap().to_rgb8())
        .into();
    assert_eq!(drawn.dimensions(), (640, 352));
    let difference = |other: &image::RgbImage| {
        photo
            .iter()
            .zip(other.iter())
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
            .sum::<f64>()
            / photo.len() as f64
    };
    assert!(
        difference(&drawn) > 4.0,
        "nothing was drawn: {}",
        difference(&drawn)
    );
    assert!(
        difference(&same) < 2.0,
        "strength 0 changed the picture: {}",
        difference(&same)
    );
}

#[test]
fn a_page_lays_the_drawing_into_its_panel() {
    let home = Home::new();
    home.line(&format!("convert demo page.png --page webtoon {QUICK}"))
        .ok();
    let (mean, levels) = luma_spread(&home.path("page.png"));
    assert!(
        levels > 60 && (20.0..235.0).contains(&mean),
        "the page is empty: {mean} {levels}"
    );
}

#[test]
fn every_frame_the_rate_and_the_sound_are_kept() {
    let home = Home::new();
    clip(
        &home,
        "in.mp4",
        "-f lavfi -i testsrc2=size=320x180:rate=24000/1001 -f lavfi -i sine=440 -frames:v 31 -shortest \
         -c:v libx264 -c:a aac -pix_fmt yuv420p",
    );
    for out in ["out.mp4", "out.webm", "out.gif"] {
        home.line(&format!("convert in.mp4 {out} {QUICK}")).ok();
        let probe = ffprobe(&home.path(out));
        let video = stream(&probe, "video").unwrap();
        assert_eq!(video["nb_read_frames"], "31", "{out}");
        assert_eq!(
            (&video["width"], &video["height"]),
            (&320.into(), &180.into()),
            "{out}"
        );
        if out == "out.gif" {
            continue;
        }
        assert_eq!(video["r_frame_rate"], "24000/1001", "{out}");
        let sound = stream(&probe, "audio").unwrap();
        let seconds: f64 = probe["format"]["duration"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1.2..1.5).contains(&seconds), "{out}: {seconds} s");
        let codec = if out == "out.mp4" { "aac" } else { "opus" };
        assert_eq!(sound["codec_name"], codec);
    }
    assert_eq!(home.names(), ["in.mp4", "out.gif", "out.mp4", "out.webm"]);
}

#[test]
fn odd_sides_and_variable_rates_keep_every_frame() {
    let home = Home::new();
    clip(
        &home,
        "odd.avi",
        "-f lavfi -i testsrc2=size=321x181:rate=10 -frames:v 7 -c:v ffv1 -pix_fmt bgr0",
    );
    home.line(&format!("convert odd.avi odd.mp4 {QUICK}")).ok();
    assert_eq!(frames(&home.path("odd.mp4")), 7);

    // Ten frames with ever longer pauses.
    clip(
        &home,
        "vfr.mkv",
        "-f lavfi -i testsrc2=size=160x90:rate=30 -frames:v 10 -vf setpts=N*(N+1)/2/30/TB -fps_mode vfr -c:v ffv1",
    );
    assert_eq!(frames(&home.path("vfr.mkv")), 10);
    home.line(&format!("convert vfr.mkv vfr.mp4 {QUICK}")).ok();
    assert_eq!(frames(&home.path("vfr.mp4")), 10);
}

#[test]
fn a_folder_is_converted_and_bad_files_are_told() {
    let home = Home::new();
    fs::create_dir(home.path("in")).unwrap();
    clip(
        &home,
        "in/a.png",
        "-f lavfi -i testsrc2=size=160x96 -frames:v 1",
    );
    clip(
        &home,
        "in/b.mp4",
        "-f lavfi -i testsrc2=size=160x96:rate=10 -frames:v 5 -pix_fmt yuv420p",
    );
    fs::write(home.path("in/c.png"), "no picture").unwrap();
    home.line(&format!("convert in out {QUICK}"))
        .fails(&["2 of 3 files were converted", "c.png"]);
    let mut names: Vec<_> = fs::read_dir(home.path("out"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a.png", "b.mp4"]);
    assert_eq!(frames(&home.path("out/b.mp4")), 5);
}

/// A face that fills the photo, or a clip's first frame, is drawn in as few pixels as the network draws one
/// well.
#[test]
fn near_faces_are_drawn_smaller() {
    let home = Home::new();
    let portrait = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");
    let drawn_at = |kind: &str, filter: &str| {
        let input = format!("in.{kind}");
        clip(&home, &input, &format!("-i {portrait} -vf {filter} -y"));
        let words = format!("convert {input} out.{kind} --overwrite --style clean --threads 1");
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut command = home.command(&words);
        let run = crate::support::Run::of(command.env("RUST_LOG", "panelcam=debug")).ok();
        let (_, rest) = run.said.split_once("is loaded for pictures of ").unwrap();
        rest.split_once(['x', '.'])
            .unwrap()
            .0
            .parse::<u32>()
            .unwrap()
    };
    for kind in ["png", "mp4"] {
        assert_eq!(drawn_at(kind, "scale=960:960"), 960);
        // Hair to chin is three quarters of it: 380 pixels of 506.
        let near = drawn_at(kind, "crop=200:200:124:30,scale=960:960");
        assert!((448..=576).contains(&near), "{near}");
    }
}

/// Pictures of one size are drawn by what was loaded for the first, and nothing of one is seen in another:
/// each is as if it had been converted alone.
#[test]
fn a_folder_of_one_size_loads_once_and_pictures_stay_apart() {
    let home = Home::new();
    fs::create_dir(home.path("in")).unwrap();
    let portrait = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");
    let face = |at: u32| format!("-i {portrait} -vf scale=280:280,pad=1280:720:{at}:200:gray");
    for (name, options) in [
        ("a.png", face(100)),
        (
            "b.png",
            "-f lavfi -i testsrc2=size=1280x720 -frames:v 1".to_owned(),
        ),
        (
            "c.mp4",
            "-f lavfi -i testsrc2=size=1280x720:rate=5 -frames:v 3 -pix_fmt yuv420p".to_owned(),
        ),
        ("d.png", face(800)),
        (
            "e.png",
            "-f lavfi -i testsrc2=size=160x96 -frames:v 1".to_owned(),
        ),
    ] {
        clip(&home, &format!("in/{name}"), &options);
    }
    let words = format!("convert in out {QUICK}");
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut command = home.command(&words);
    let run = crate::support::Run::of(command.env("RUST_LOG", "panelcam=debug")).ok();
    let loaded = run.said.matches("is loaded for pictures of").count();
    assert_eq!(loaded, 2, "{}", run.said);
    for name in ["a.png", "b.png", "d.png", "e.png"] {
        home.line(&format!("convert in/{name} {name} {QUICK}")).ok();
        let [alone, together] = [home.path(name), home.path("out").join(name)]
            .map(|path| image::open(path).unwrap().into_rgba8());
        assert!(alone == together, "{name}");
    }
    // The face is drawn with a close-up, or this proves nothing of those.
    fs::write(home.path("off.toml"), "[inference]\nclose_ups = false\n").unwrap();
    home.line(&format!(
        "convert in/d.png without.png {QUICK} --config off.toml"
    ))
    .ok();
    let [with, without] =
        ["d.png", "without.png"].map(|name| image::open(home.path(name)).unwrap().into_rgba8());
    assert!(with != without);
}

#[test]
fn nothing_is_replaced_unless_told() {
    let home = Home::new();
    fs::write(home.path("out.png"), "precious").unwrap();
    home.line(&format!("convert pattern out.png --size 64x64 {QUICK}"))
        .fails(&["--overwrite", "(out.png)"]);
    assert_eq!(fs::read(home.path("out.png")).unwrap(), b"precious");
    home.line(&format!(
        "convert pattern out.png --size 64x64 --overwrite {QUICK}"
    ))
    .ok();
    assert!(image::open(home.path("out.png")).is_ok());
}

#[test]
fn bad_files_are_refused_with_a_reason_and_leave_nothing() {
    let home = Home::new();
    fs::write(home.path("empty.mp4"), "").unwrap();
    fs::write(home.path("text.png"), "This is a letter, not a picture.").unwrap();
    fs::write(home.path("text.mp4"), "This is a letter, not a clip.").unwrap();
    clip(&home, "sound.m4a", "-f lavfi -i sine=440 -t 1 -c:a aac");
    clip(
        &home,
        "whole.mp4",
        "-f lavfi -i testsrc2=size=160x96:rate=10 -frames:v 20 -pix_fmt yuv420p",
    );
    let whole = fs::read(home.path("whole.mp4")).unwrap();
    fs::write(home.path("cut.mp4"), &whole[..whole.len() / 3]).unwrap();
    let before = home.names();
    for (input, output) in [
        ("empty.mp4", "out.mp4"),
        ("text.png", "out.png"),
        ("text.mp4", "out.mp4"),
        ("sound.m4a", "out.mp4"),
        ("cut.mp4", "out.mp4"),
        ("no-such-file.mp4", "out.mp4"),
    ] {
        home.line(&format!("convert {input} {output} {QUICK}"))
            .fails(&[input]);
        assert_eq!(home.names(), before, "after {input}");
    }
    home.line(&format!("convert whole.mp4 out.png {QUICK}"))
        .fails(&["mp4, webm or gif", "(out.png)"]);
    home.line(&format!("convert whole.mp4 out.tiff {QUICK}"))
        .fails(&["(out.tiff)"]);
    home.line(&format!("convert whole.mp4 no/folder/out.mp4 {QUICK}"))
        .fails(&["no/folder/out.mp4"]);
    home.line(&format!("convert whole.mp4 out.mp4 --style nobody {QUICK}"))
        .fails(&["nobody", "clean"]);
    home.line(&format!(
        "convert whole.mp4 out.mp4 --page nowhere.svg {QUICK}"
    ))
    .fails(&["nowhere.svg"]);
    home.line(&format!("convert camera out.mp4 {QUICK}"))
        .fails(&["panelcam stream"]);
    assert_eq!(home.names(), before);
}

#[test]
fn the_smallest_and_the_largest_photos_work() {
    let home = Home::new();
    image::RgbImage::from_pixel(1, 1, image::Rgb([200, 30, 30]))
        .save(home.path("dot.png"))
        .unwrap();
    clip(
        &home,
        "huge.jpg",
        "-f lavfi -i color=gray:size=12000x9000 -frames:v 1",
    );
    home.line(&format!("convert dot.png dot-drawn.png {QUICK}"))
        .ok();
    assert_eq!(
        image::image_dimensions(home.path("dot-drawn.png")).unwrap(),
        (1, 1)
    );
    home.line(&format!("convert huge.jpg huge-drawn.jpg {QUICK}"))
        .ok();
    let (width, height) = image::image_dimensions(home.path("huge-drawn.jpg")).unwrap();
    assert!(
        width >= 4096 && width.abs_diff(height * 4 / 3) <= 2,
        "{width}x{height}"
    );
}

#[test]
fn a_missing_ffmpeg_or_runtime_is_said_with_the_cure() {
    let home = Home::new();
    let nowhere = home.path("nowhere");
    let mut command = home.command(&[
        "convert", "pattern", "out.mp4", "--size", "64x64", "--frames", "2",
    ]);
    let run = crate::support::Run::of(
        command
            .env("PATH", &nowhere)
            .env("PANELCAM_FFMPEG_DIR", &nowhere),
    );
    run.fails(&["ffmpeg", "install"]);
    let mut command = home.command(&["convert", "pattern", "out.png", "--size", "64x64"]);
    let run =
        crate::support::Run::of(command.env("ORT_DYLIB_PATH", nowhere.join("libonnxruntime.so")));
    run.fails(&["ONNX Runtime", "scripts/setup.sh runtime"]);
    assert_eq!(home.names(), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_half() {
    use std::process::{Command, Stdio};
    let home = Home::new();
    let mut child = home
        .command(&[
            "convert", "demo", "out.mp4", "--frames", "100000", "--size", "320x180",
        ])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Its temporary file shows that it is at work.
    for _ in 0..600 {
        if !home.names().is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(home.names().len(), 1, "it did not start");
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(home.names(), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_or_unwritable_folder_is_told_and_keeps_what_was_there() {
    use std::process::Command;
    let home = Home::new();
    for name in ["/proc/out.png", "/proc/out.mp4"] {
        home.line(&format!(
            "convert pattern {name} --size 64x64 --frames 2 {QUICK}"
        ))
        .fails(&[name]);
    }
    let full = home.path("full");
    fs::create_dir(&full).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
        .arg(&full)
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: a small file system can be mounted by root only");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        fs::write(full.join("out.png"), "precious").unwrap();
        fs::write(full.join("out.mp4"), "precious").unwrap();
        for (output, options) in [("full/out.png", ""), ("full/out.mp4", "--frames 60")] {
            home.line(&format!(
                "convert demo {output} --overwrite {options} {QUICK}"
            ))
            .fails(&[output]);
            assert_eq!(fs::read(home.path(output)).unwrap(), b"precious");
            assert_eq!(
                full.read_dir().unwrap().count(),
                2,
                "something half was left"
            );
        }
    });
    let unmounted = Command::new("umount").arg(&full).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    result.unwrap();
}
