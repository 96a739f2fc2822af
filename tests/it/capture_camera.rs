//! The real camera path, nokhwa and V4L2, on an emulated device.
//!
//! `tests/v4l2shim` is preloaded into a child: this very test binary, run again for one test that
//! plays the part named in `CAMERA_PART`. The parent only checks that the child was content.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use panelcam::capture::{
    self, Capture, CaptureError, FourCc, Outbox, Pattern, Request, devices, sequence_in,
};
use panelcam::frame::{Frame, Picture, Size};
use panelcam::mailbox::{Mailbox, Taken};
use panelcam::source::{CameraChoice, Source, Turn};
use panelcam::status::{Board, SourceState};

const SIZE: Size = Size::new(640, 360);
const FRAMES: u64 = 30;

/// Which pictures the emulated camera offers.
#[derive(Clone, Copy)]
enum Offers {
    Jpeg,
    Yuyv,
    Both,
}

fn play(part: &str, offers: Offers, mood: &str) {
    let media = media();
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("mood");
    fs::write(&control, mood).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args([
            "--exact",
            "capture_camera::child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("CAMERA_PART", part)
        .env("LD_PRELOAD", &media.shim)
        .env("V4L2_SHIM_CONTROL", &control)
        .env("V4L2_SHIM_SIZE", SIZE.to_string());
    if matches!(offers, Offers::Jpeg | Offers::Both) {
        child.env("V4L2_SHIM_MJPEG", media.folder.path().join("frames.mjpeg"));
    }
    if matches!(offers, Offers::Yuyv | Offers::Both) {
        child.env("V4L2_SHIM_YUYV", media.folder.path().join("frames.yuyv"));
    }
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{part}:\n{said}"
    );
}

/// The shim and the camera's pictures, made once.
struct Media {
    folder: tempfile::TempDir,
    shim: PathBuf,
}

fn media() -> &'static Media {
    static MEDIA: OnceLock<Media> = OnceLock::new();
    MEDIA.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let shim = folder.path().join("libv4l2shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/v4l2shim/v4l2shim.c");
        let compiled = Command::new("cc")
            .args(["-O2", "-Wall", "-shared", "-fPIC", "-o"])
            .arg(&shim)
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .status()
            .expect("cc compiles the emulated camera; install it with `sudo apt install gcc`");
        assert!(compiled.success());
        let (mut jpegs, mut yuyvs) = (Vec::new(), Vec::new());
        let (mut pattern, mut picture) = (Pattern::new(SIZE), Picture::default());
        for sequence in 0..FRAMES {
            pattern.draw(sequence, &mut picture);
            jpegs.extend(jpeg_of(&picture));
            yuyvs.extend(yuyv_of(&picture));
        }
        fs::write(folder.path().join("frames.mjpeg"), jpegs).unwrap();
        fs::write(folder.path().join("frames.yuyv"), yuyvs).unwrap();
        Media { folder, shim }
    })
}

fn jpeg_of(picture: &Picture) -> Vec<u8> {
    let image = turbojpeg::Image {
        pixels: picture.rgba(),
        width: picture.width() as usize,
        pitch: picture.width() as usize * 4,
        height: picture.height() as usize,
        format: turbojpeg::PixelFormat::RGBA,
    };
    turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x1)
        .unwrap()
        .to_vec()
}

/// BT.601 in limited range, as webcams send it.
fn yuyv_of(picture: &Picture) -> Vec<u8> {
    let yuv = |pixel: &[u8]| {
        let [r, g, b] = [0, 1, 2].map(|channel| f32::from(pixel[channel]));
        [
            16.0 + 0.257 * r + 0.504 * g + 0.098 * b,
            128.0 - 0.148 * r - 0.291 * g + 0.439 * b,
            128.0 + 0.439 * r - 0.368 * g - 0.071 * b,
        ]
        .map(|value| value.round() as u8)
    };
    picture
        .rgba()
        .chunks_exact(8)
        .flat_map(|pair| {
            let ([y0, u, v], [y1, ..]) = (yuv(&pair[..4]), yuv(&pair[4..]));
            [y0, u, y1, v]
        })
        .collect()
}

#[test]
fn formats_are_listed() {
    play("list", Offers::Both, "ok");
}

#[test]
fn mjpeg_is_captured_in_the_right_colours() {
    play("mjpeg", Offers::Jpeg, "ok");
}

#[test]
fn yuyv_is_captured_in_the_right_colours() {
    play("yuyv", Offers::Yuyv, "ok");
}

#[test]
fn a_camera_on_its_side_gives_upright_frames() {
    play("turned", Offers::Both, "ok");
}

#[test]
fn an_unplugged_camera_comes_back() {
    play("unplug", Offers::Both, "ok");
}

#[test]
fn a_stall_is_survived() {
    play("stall", Offers::Jpeg, "ok");
}

#[test]
fn corrupt_frames_are_never_shown() {
    play("corrupt", Offers::Jpeg, "ok");
}

#[test]
fn half_the_rate_is_measured_and_told() {
    play("half", Offers::Jpeg, "half");
}

#[test]
fn a_busy_camera_is_told_and_tried_again() {
    play("busy", Offers::Jpeg, "busy");
}

#[test]
fn a_refused_camera_is_told() {
    play("denied", Offers::Jpeg, "denied");
}

#[test]
fn the_demo_stands_in_until_a_camera_is_plugged_in() {
    play("auto", Offers::Jpeg, "unplug");
}

/// Not a test of its own: the parts that the tests above play in a child.
#[test]
fn child() {
    let Ok(part) = std::env::var("CAMERA_PART") else {
        return;
    };
    match part.as_str() {
        "list" => list(),
        "mjpeg" => captures(FourCc::Mjpeg),
        "yuyv" => captures(FourCc::Yuyv),
        "turned" => turned(),
        "unplug" => unplug(),
        "stall" => stall(),
        "corrupt" => corrupt(),
        "half" => half(),
        "busy" => refused("in use by another program", "is live"),
        "denied" => refused("may not use", "is live"),
        "auto" => auto(),
        other => panic!("no part {other}"),
    }
}

fn mood(word: &str) {
    fs::write(std::env::var("V4L2_SHIM_CONTROL").unwrap(), word).unwrap();
}

/// A running source and what comes out of it.
struct Stage {
    capture: Option<Capture>,
    frames: Arc<Mailbox<Arc<Frame>>>,
    board: Arc<Board>,
}

impl Stage {
    fn open(source: Source) -> Self {
        Self::try_open(source, None).unwrap()
    }

    fn try_open(source: Source, format: Option<&str>) -> Result<Self, CaptureError> {
        Self::try_request(Request {
            source,
            format: format.map(str::to_owned),
            turn: Turn::None,
            size: SIZE,
            fps: 30,
        })
    }

    fn try_request(request: Request) -> Result<Self, CaptureError> {
        let (frames, board) = (Arc::new(Mailbox::new()), Board::new());
        let outbox = Outbox {
            inference: Arc::clone(&frames),
            compositor: Arc::new(Mailbox::new()),
        };
        let capture = capture::start(request, outbox, Arc::clone(&board))?;
        Ok(Self {
            capture: Some(capture),
            frames,
            board,
        })
    }

    fn camera() -> Self {
        Self::open(Source::Camera(CameraChoice::First))
    }

    fn frame(&self) -> Arc<Frame> {
        match self.frames.take_within(Duration::from_secs(8)) {
            Taken::Value(frame) => frame,
            other => panic!(
                "{other:?}, {:?}, {:?}",
                self.state(),
                self.board.take_notices()
            ),
        }
    }

    fn state(&self) -> SourceState {
        self.board.status().source
    }

    /// Waits until `wanted` and says how long it took.
    fn wait(&self, limit: Duration, wanted: impl Fn(&SourceState) -> bool) -> Duration {
        let started = Instant::now();
        while !wanted(&self.state()) {
            assert!(started.elapsed() < limit, "still {:?}", self.state());
            std::thread::sleep(Duration::from_millis(5));
        }
        started.elapsed()
    }

    fn wait_for_notice(&self, part: &str) -> String {
        let started = Instant::now();
        let mut seen = Vec::new();
        loop {
            for notice in self.board.take_notices() {
                if notice.text.contains(part) {
                    return notice.text;
                }
                seen.push(notice.text);
            }
            assert!(
                started.elapsed() < Duration::from_secs(8),
                "no {part:?} in {seen:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops, and checks that this is quick.
    fn close(mut self) {
        let started = Instant::now();
        self.capture = None;
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
    }
}

fn is_live(state: &SourceState) -> bool {
    matches!(state, SourceState::Live { .. })
}

fn is_lost(state: &SourceState) -> bool {
    matches!(state, SourceState::Lost { .. })
}

fn list() {
    let list = devices().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].name, "Emulated camera");
    assert_eq!(list[0].path.as_deref(), Some(Path::new("/dev/video0")));
    let formats: Vec<String> = list[0].formats.iter().map(ToString::to_string).collect();
    assert_eq!(formats, ["MJPEG 640x360 30", "YUYV 640x360 30"]);

    // Named in every way; a wrong name fails at once and says what is there.
    for choice in [
        "camera",
        "camera:0",
        "camera:/dev/video0",
        "camera:emulated",
    ] {
        let stage = Stage::open(choice.to_owned().into());
        stage.frame();
        stage.close();
    }
    let wrong = Stage::try_open("camera:Logi".to_owned().into(), None)
        .err()
        .unwrap();
    assert!(
        matches!(&wrong, CaptureError::WrongCamera { .. }),
        "{wrong}"
    );
    assert!(wrong.to_string().contains("Emulated camera"), "{wrong}");
    let wrong = Stage::try_open(Source::Auto, Some("MJPEG")).err().unwrap();
    assert!(matches!(wrong, CaptureError::FormatText { .. }));

    // Small pictures come as YUYV; a format that a person chose wins.
    for (format, name) in [(None, "YUYV"), (Some("MJPEG 640x360 30"), "MJPEG")] {
        let stage = Stage::try_open(Source::Auto, format).unwrap();
        stage.frame();
        stage.wait(Duration::from_secs(1), is_live);
        assert!(
            matches!(stage.state(), SourceState::Live { format, .. } if format == name),
            "{name}"
        );
        stage.close();
    }
    let stage = Stage::try_open(Source::Auto, Some("MJPEG 1920x1080 60")).unwrap();
    stage.wait_for_notice("does not offer MJPEG 1920x1080 60");
    stage.frame();
}

/// The pattern's third bar is cyan, its last nearly black, and its white one does not come so far: after
/// a quarter to the right they lie above and below.
fn turned() {
    let upright = Size::new(SIZE.height, SIZE.width);
    for (turn, size, cyan, black) in [
        (Turn::Right, upright, (319, 200), (319, 600)),
        (Turn::Left, upright, (40, 439), (40, 39)),
        (Turn::Half, SIZE, (439, 319), (39, 319)),
    ] {
        let request = Request {
            source: Source::Camera(CameraChoice::First),
            format: None,
            turn,
            size,
            fps: 30,
        };
        let stage = Stage::try_request(request).unwrap();
        let mut last = None;
        for _ in 0..5 {
            let frame = stage.frame();
            assert_eq!(frame.picture.size(), size, "{turn:?}");
            for ((x, y), colour) in [(cyan, [0u8, 191, 191]), (black, [16; 3])] {
                let pixel = frame.picture.pixel(x, y).unwrap();
                let near = pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 14);
                assert!(near, "{turn:?}: {pixel:?} at {x}, {y}, not {colour:?}");
            }
            assert!(last < Some(frame.stamp.sequence));
            last = Some(frame.stamp.sequence);
        }
        stage.close();
    }
}

fn captures(fourcc: FourCc) {
    let stage = Stage::camera();
    let mut last = None;
    for _ in 0..40 {
        let frame = stage.frame();
        let picture = &frame.picture;
        assert_eq!(picture.size(), SIZE);
        let shown = sequence_in(picture).expect("the pattern is readable");
        if let Some((stamp, number)) = last {
            assert_eq!(frame.stamp.sequence, stamp + 1);
            assert_eq!(shown, (number + 1) % FRAMES);
        }
        last = Some((frame.stamp.sequence, shown));
        // Yellow, cyan, green, magenta, red, blue, at the lower edge of the bars.
        for (bar, wanted) in [
            (1, [191, 191, 0]),
            (2, [0, 191, 191]),
            (3, [0, 191, 0]),
            (4, [191, 0, 191]),
            (5, [191, 0, 0]),
            (6, [0, 0, 191]),
        ] {
            let at = SIZE.width / 8 * bar + SIZE.width / 16;
            let got = picture.pixel(at, 20).unwrap();
            let near = got[..3].iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 12);
            // The moving white bar is somewhere in the left third of these frames.
            assert!(near || bar < 3, "bar {bar}: {got:?}");
            assert_eq!(got[3], 255);
        }
    }
    let status = stage.board.status();
    assert_eq!(
        status.source,
        SourceState::Live {
            name: "Emulated camera".to_owned(),
            size: SIZE,
            format: fourcc.name().to_owned(),
        }
    );
    assert!(
        status.captured_per_second > 24.0,
        "{}",
        status.captured_per_second
    );
    stage.close();
}

fn unplug() {
    let stage = Stage::camera();
    stage.frame();
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(300));
        mood("unplug");
        stage.wait(Duration::from_secs(2), is_lost);
        assert!(stage.wait_for_notice("is gone").ends_with("(/dev/video0)"));
        // Nothing new comes: what is downstream holds its last frame.
        let _ = stage.frames.try_take();
        std::thread::sleep(Duration::from_millis(1500));
        assert!(stage.frames.try_take().is_none());
        mood("ok");
        let took = stage.wait(Duration::from_secs(5), is_live);
        println!("back after {took:?}");
        stage.frame();
        stage.wait_for_notice("is live");
    }
    mood("unplug");
    stage.wait(Duration::from_secs(2), is_lost);
    stage.close();
}

fn stall() {
    let stage = Stage::camera();
    stage.frame();
    mood("stall");
    stage.wait(Duration::from_secs(5), is_lost);
    stage.wait_for_notice("stopped sending");
    std::thread::sleep(Duration::from_secs(3));
    mood("ok");
    let took = stage.wait(Duration::from_secs(5), is_live);
    println!("back after {took:?}");
    let first = stage.frame().stamp.sequence;
    for step in 1..30 {
        // One thread sends and no other: the one that hung stays silent.
        assert_eq!(stage.frame().stamp.sequence, first + step);
    }
    mood("stall");
    std::thread::sleep(Duration::from_millis(200));
    stage.close();
}

fn corrupt() {
    let stage = Stage::camera();
    let mut shown = 0;
    for round in 0..6 {
        mood(if round % 2 == 0 { "corrupt" } else { "ok" });
        let until = Instant::now() + Duration::from_millis(600);
        while Instant::now() < until {
            if let Some(frame) = stage.frames.try_take() {
                assert!(
                    sequence_in(&frame.picture).is_some(),
                    "a corrupt frame was shown"
                );
                shown += 1;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    assert!(shown > 20, "{shown}");
    stage.close();
}

fn half() {
    let stage = Stage::camera();
    let notice = stage.wait_for_notice("frames a second instead of 30");
    assert!(
        notice.contains("gives 15") || notice.contains("gives 14"),
        "{notice}"
    );
    stage.frame();
    std::thread::sleep(Duration::from_millis(2100));
    let rate = stage.board.status().captured_per_second;
    assert!((12.0..17.0).contains(&rate), "{rate}");
    stage.close();
}

fn refused(why: &str, then: &str) {
    let stage = Stage::camera();
    stage.wait(Duration::from_secs(3), |state| {
        *state == SourceState::Failed
    });
    let notice = stage.wait_for_notice(why);
    assert!(notice.ends_with("(/dev/video0)"), "{notice}");
    // Tried again, but not told again.
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(stage.board.take_notices(), vec![]);
    mood("ok");
    stage.wait(Duration::from_secs(5), is_live);
    stage.wait_for_notice(then);
    stage.frame();
    stage.close();
}

fn auto() {
    let stage = Stage::open(Source::Auto);
    let frame = stage.frame();
    assert_eq!(frame.picture.size(), SIZE);
    stage.wait_for_notice("the demo is shown");
    let name = |state: &SourceState, wanted: &str| matches!(state, SourceState::Live { name, .. } if name == wanted);
    stage.wait(Duration::from_secs(1), |state| name(state, "Demo"));
    std::thread::sleep(Duration::from_millis(2500));
    mood("ok");
    let took = stage.wait(Duration::from_secs(3), |state| {
        name(state, "Emulated camera")
    });
    println!("took over after {took:?}");
    let _ = stage.frames.try_take();
    for _ in 0..10 {
        assert!(sequence_in(&stage.frame().picture).is_some());
    }
    // Once there was a camera, the demo does not come back in front of visitors.
    mood("unplug");
    stage.wait(Duration::from_secs(2), is_lost);
    stage.close();
}
