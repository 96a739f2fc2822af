//! Files as sources: good ones, odd ones and bad ones.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use panelcam::capture::{
    self, Capture, CaptureError, FileKind, Outbox, Pattern, Read, Request, VideoReader, kind_of,
    read_photo, sequence_in,
};
use panelcam::ffmpeg::{self, FfmpegError};
use panelcam::frame::{Frame, Picture, Size};
use panelcam::mailbox::{Mailbox, Taken};
use panelcam::source::{Source, Turn};
use panelcam::status::{Board, SourceState};

const SIZE: Size = Size::new(320, 180);

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A clip of the test pattern, `frames` long, encoded as `arguments` say.
    fn clip(&self, name: &str, size: Size, frames: u64, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        let mut child = ffmpeg::command("ffmpeg").unwrap();
        child
            .args(["-f", "rawvideo", "-pix_fmt", "rgba", "-r", "30000/1001"])
            .args(["-s", &size.to_string(), "-i", "pipe:0"])
            .args(arguments)
            .arg(&path)
            .stdin(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (mut pattern, mut picture) = (Pattern::new(size), Picture::default());
        for sequence in 0..frames {
            pattern.draw(sequence, &mut picture);
            stdin.write_all(picture.rgba()).unwrap();
        }
        drop(stdin);
        assert!(child.wait().unwrap().success(), "{name}");
        path
    }
}

const MPEG4: &[&str] = &["-c:v", "mpeg4", "-q:v", "2"];

fn open(path: &Path, fit: Option<Size>) -> Result<VideoReader, CaptureError> {
    VideoReader::open(path.to_str().unwrap(), fit)
}

/// The pattern's numbers in all frames that a reader gives.
fn numbers(reader: &mut VideoReader) -> Vec<u64> {
    let (mut picture, mut numbers) = (Picture::default(), Vec::new());
    while reader.read(&mut picture).unwrap() == Read::Frame {
        assert_eq!(picture.size(), reader.size());
        numbers.push(sequence_in(&picture).expect("the pattern is readable"));
    }
    assert_eq!(reader.read(&mut picture).unwrap(), Read::End);
    numbers
}

#[test]
fn every_frame_comes_once_in_order() {
    let folder = Folder::new();
    let path = folder.clip("clip.mp4", SIZE, 45, MPEG4);
    let mut reader = open(&path, None).unwrap();
    let info = reader.info().clone();
    assert_eq!((info.size, reader.size()), (SIZE, SIZE));
    assert_eq!(info.rate.to_string(), "30000/1001");
    assert_eq!(info.frames, Some(45));
    assert_eq!((info.codec.as_str(), info.audio_codec), ("mpeg4", None));
    assert!((info.duration.unwrap().as_secs_f64() - 1.5).abs() < 0.1);
    assert_eq!(numbers(&mut reader), (0..45).collect::<Vec<_>>());

    let mut small = open(&path, Some(Size::new(100, 90))).unwrap();
    assert_eq!(small.size(), Size::new(160, 90));
    assert_eq!(numbers(&mut small).len(), 45);
    let never_up = open(&path, Some(Size::new(4000, 90))).unwrap();
    assert_eq!(never_up.size(), SIZE);
    assert_eq!(kind_of(&path).unwrap(), FileKind::Video);
}

#[test]
fn colours_survive_a_video() {
    let folder = Folder::new();
    let path = folder.clip("clip.mp4", Size::new(1280, 720), 2, MPEG4);
    let mut picture = Picture::default();
    open(&path, None).unwrap().read(&mut picture).unwrap();
    let [r, g, b, a] = picture.pixel(80 * 11, 20).unwrap();
    // Encoded as BT.601 without saying so, and taken for BT.709 as every player takes it.
    assert!(r > 150 && g < 45 && b < 30 && a == 255, "{r} {g} {b} {a}");
}

#[test]
fn odd_sizes_are_read() {
    let folder = Folder::new();
    let odd = Size::new(321, 181);
    let path = folder.clip("odd.mkv", odd, 5, &["-c:v", "ffv1"]);
    let mut reader = open(&path, None).unwrap();
    assert_eq!(reader.size(), odd);
    assert_eq!(numbers(&mut reader), [0, 1, 2, 3, 4]);
}

#[test]
fn a_variable_rate_changes_no_count() {
    let folder = Folder::new();
    let filter = "select='lt(n,10)+not(mod(n,4))'";
    let path = folder.clip(
        "vfr.mkv",
        SIZE,
        60,
        &["-vf", filter, "-vsync", "vfr", "-c:v", "mpeg4", "-q:v", "2"],
    );
    let wanted: Vec<u64> = (0..60).filter(|n| *n < 10 || n % 4 == 0).collect();
    assert_eq!(numbers(&mut open(&path, None).unwrap()), wanted);
}

#[test]
fn a_turned_video_is_upright() {
    let folder = Folder::new();
    let path = folder.clip("flat.mp4", SIZE, 3, MPEG4);
    let turned = folder.path("turned.mp4");
    // Two ways to write it: versions from 6 on, and before.
    let made = [&["-display_rotation", "90", "-i"][..], &["-i"][..]]
        .into_iter()
        .any(|before| {
            ffmpeg::command("ffmpeg")
                .unwrap()
                .args(before)
                .arg(&path)
                .args(["-c", "copy", "-metadata:s:v:0", "rotate=90", "-y"])
                .arg(&turned)
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
        });
    assert!(made);
    let mut reader = open(&turned, None).unwrap();
    assert_eq!(reader.size(), Size::new(180, 320));
    let mut picture = Picture::default();
    assert_eq!(reader.read(&mut picture).unwrap(), Read::Frame);
    // The strip of the number, once at the bottom, is at a side.
    assert_eq!(sequence_in(&picture), None);
}

#[test]
fn bad_videos_are_refused_in_one_line() {
    let folder = Folder::new();
    let whole = fs::read(folder.clip("whole.mp4", SIZE, 30, MPEG4)).unwrap();
    let empty = folder.file("empty.mp4", "");
    let text = folder.file("text.mp4", "This is no video.\nIt is two lines.\n");
    let cut = folder.file("cut.mp4", &whole[..whole.len() / 2]);
    let sound = folder.path("sound.wav");
    let made = ffmpeg::command("ffmpeg")
        .unwrap()
        .args(["-f", "lavfi", "-i", "sine=duration=0.2"])
        .arg(&sound)
        .status()
        .unwrap();
    assert!(made.success());
    for (path, part) in [
        (&empty, "The file is empty"),
        (&text, "Invalid data"),
        (&cut, "moov atom not found"),
        (&sound, "only sound"),
        (&folder.path("absent.mp4"), "cannot be read"),
    ] {
        let error = open(path, None).err().unwrap().to_string();
        assert!(
            error.contains(part) || error.contains("Invalid data"),
            "{error}"
        );
        assert!(error.ends_with(&format!("({})", path.display())), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        let board = Board::new();
        let request = request(Source::File(path.clone()));
        assert!(capture::start(request, outbox().0, board).is_err());
    }
}

#[test]
fn a_video_that_is_cut_off_gives_what_is_there() {
    let folder = Folder::new();
    let whole = fs::read(folder.clip("whole.mkv", SIZE, 60, MPEG4)).unwrap();
    let cut = folder.file("cut.mkv", &whole[..whole.len() * 2 / 3]);
    let count = numbers_until_damage(&cut);
    assert!((20..60).contains(&count), "{count}");
}

/// Frames of a damaged video that end in an end or an error, never in a panic or a hang.
fn numbers_until_damage(path: &Path) -> usize {
    let mut reader = open(path, None).unwrap();
    let (mut picture, mut count) = (Picture::default(), 0);
    while let Ok(Read::Frame) = reader.read(&mut picture) {
        count += 1;
    }
    count
}

#[test]
fn a_playlist_in_disguise_fetches_nothing() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let folder = Folder::new();
    let address = server.local_addr().unwrap();
    let list = format!("#EXTM3U\n#EXTINF:1,\nhttp://{address}/spy.ts\n#EXT-X-ENDLIST\n");
    for name in ["list.mp4", "list.m3u8"] {
        let path = folder.file(name, &list);
        assert!(
            open(&path, None)
                .and_then(|mut reader| reader.read(&mut Picture::default()))
                .is_err()
        );
    }
    assert!(server.accept().is_err(), "the playlist was followed");
}

#[test]
fn a_missing_ffmpeg_is_told_with_the_cure() {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "capture::without_ffmpeg", "--nocapture"])
        .env("PANELCAM_FFMPEG_DIR", "/nowhere")
        .status()
        .unwrap();
    assert!(status.success());
}

/// Not a test of its own: played in a child of the test above.
#[test]
fn without_ffmpeg() {
    if std::env::var_os("PANELCAM_FFMPEG_DIR").is_none() {
        return;
    }
    let folder = Folder::new();
    let path = folder.file("clip.mp4", "x");
    let error = open(&path, None).err().unwrap();
    assert!(matches!(
        error,
        CaptureError::Ffmpeg(FfmpegError::Missing { program: "ffprobe" })
    ));
    assert!(error.to_string().contains("install ffmpeg"), "{error}");
}

#[test]
fn photos_are_told_by_their_content() {
    let folder = Folder::new();
    let mut picture = Picture::default();
    Pattern::new(SIZE).draw(5, &mut picture);
    let buffer =
        image::RgbaImage::from_raw(SIZE.width, SIZE.height, picture.rgba().to_vec()).unwrap();
    for format in ["png", "webp", "bmp", "gif"] {
        let (right, wrong) = (folder.path(&format!("a.{format}")), folder.path("b.jpg"));
        buffer.save(&right).unwrap();
        fs::copy(&right, &wrong).unwrap();
        for path in [right, wrong] {
            assert_eq!(kind_of(&path).unwrap(), FileKind::Photo, "{format}");
            let read = read_photo(&path).unwrap();
            assert_eq!(sequence_in(&read), Some(5), "{format}");
        }
    }
    let moving = folder.clip("moving.gif", SIZE, 3, &[]);
    assert_eq!(kind_of(&moving).unwrap(), FileKind::Video);
}

#[test]
fn bad_photos_are_refused() {
    let folder = Folder::new();
    let text = folder.file("text.png", "This is no picture.");
    assert!(matches!(
        read_photo(&text),
        Err(CaptureError::NotAPicture { .. })
    ));
    assert!(matches!(
        kind_of(&text),
        Err(CaptureError::NotAPicture { .. })
    ));
    let empty = folder.file("empty.jpg", "");
    assert!(matches!(kind_of(&empty), Err(CaptureError::Empty { .. })));
    assert!(matches!(
        read_photo(&folder.path("absent.png")),
        Err(CaptureError::Read { .. })
    ));
    assert!(matches!(
        read_photo(folder.0.path()),
        Err(CaptureError::Read { .. })
    ));

    // A header that promises 400 million pixels, and half a picture.
    let mut bytes = Vec::new();
    image::RgbImage::new(4, 4)
        .write_to(
            &mut std::io::Cursor::new(&mut bytes),
            image::ImageFormat::Bmp,
        )
        .unwrap();
    bytes[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    bytes[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    let huge = folder.file("huge.bmp", &bytes);
    assert!(read_photo(&huge).is_err());
    let mut png = Vec::new();
    image::RgbImage::new(64, 64)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let half = folder.file("half.png", &png[..png.len() / 2]);
    assert!(matches!(
        read_photo(&half),
        Err(CaptureError::Damaged { .. })
    ));
}

#[test]
fn the_smallest_and_a_very_large_photo_are_read() {
    let folder = Folder::new();
    let path = folder.path("one.png");
    image::RgbaImage::from_pixel(1, 1, image::Rgba([200, 0, 0, 0]))
        .save(&path)
        .unwrap();
    let picture = read_photo(&path).unwrap();
    assert_eq!(picture.size(), Size::new(1, 1));
    assert_eq!(picture.rgba(), [255; 4], "what is transparent is white");

    let (width, height) = (12_000, 9_000);
    let grey = vec![128; width * height];
    let image = turbojpeg::Image {
        pixels: &grey[..],
        width,
        pitch: width,
        height,
        format: turbojpeg::PixelFormat::GRAY,
    };
    let jpeg = turbojpeg::compress(image, 50, turbojpeg::Subsamp::Gray).unwrap();
    drop(grey);
    let path = folder.file("large.jpg", &jpeg);
    let picture = read_photo(&path).unwrap();
    assert_eq!(picture.size(), Size::new(12_000, 9_000));
    assert_eq!(picture.pixel(11_999, 8_999), Some([128, 128, 128, 255]));
}

#[test]
fn a_phone_photo_is_turned_upright() {
    let folder = Folder::new();
    // Left half red, right half blue.
    let image = image::RgbImage::from_fn(64, 32, |x, _| {
        image::Rgb(if x < 32 { [255, 0, 0] } else { [0, 0, 255] })
    });
    let view = turbojpeg::Image {
        pixels: &image.as_raw()[..],
        width: 64,
        pitch: 64 * 3,
        height: 32,
        format: turbojpeg::PixelFormat::RGB,
    };
    let jpeg = turbojpeg::compress(view, 95, turbojpeg::Subsamp::None).unwrap();
    // EXIF with one entry: orientation 6, to be turned a quarter clockwise.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    let picture = read_photo(&folder.file("phone.jpg", bytes)).unwrap();
    assert_eq!(picture.size(), Size::new(32, 64));
    let [r, _, b, _] = picture.pixel(16, 5).unwrap();
    assert!(r > 240 && b < 15, "the left side is on top: {r} {b}");
}

type Mailboxes = (Outbox, Arc<Mailbox<Arc<Frame>>>);

fn outbox() -> Mailboxes {
    let frames = Arc::new(Mailbox::new());
    let outbox = Outbox {
        inference: Arc::clone(&frames),
        compositor: Arc::new(Mailbox::new()),
    };
    (outbox, frames)
}

fn request(source: Source) -> Request {
    Request {
        source,
        format: None,
        turn: Turn::None,
        size: SIZE,
        fps: 30,
    }
}

fn start(source: Source) -> (Capture, Arc<Mailbox<Arc<Frame>>>, Arc<Board>) {
    let (outbox, frames) = outbox();
    let board = Board::new();
    let capture = capture::start(request(source), outbox, Arc::clone(&board)).unwrap();
    (capture, frames, board)
}

fn next(frames: &Mailbox<Arc<Frame>>) -> Arc<Frame> {
    match frames.take_within(Duration::from_secs(10)) {
        Taken::Value(frame) => frame,
        other => panic!("{other:?}"),
    }
}

fn close(capture: Capture) {
    let started = Instant::now();
    drop(capture);
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_clip_is_played_at_its_speed_and_goes_on_at_its_end() {
    let folder = Folder::new();
    let path = folder.clip("clip.mp4", Size::new(640, 360), 30, MPEG4);
    let (capture, frames, board) = start(Source::File(path));
    let first = next(&frames);
    assert_eq!(first.picture.size(), SIZE, "scaled down to what is needed");
    let started = Instant::now();
    let mut last = first.stamp.sequence;
    let (mut seen, mut turns, mut before) = (0, 0, 0);
    while started.elapsed() < Duration::from_millis(2500) {
        let frame = next(&frames);
        assert!(frame.stamp.sequence > last);
        last = frame.stamp.sequence;
        let number = sequence_in(&frame.picture).unwrap();
        if number < before {
            turns += 1;
        }
        (seen, before) = (seen + 1, number);
    }
    assert!(turns >= 1, "it goes on at its end");
    assert!((30..=80).contains(&seen), "{seen} frames in 2.5 s");
    assert!(matches!(
        board.status().source,
        SourceState::Live { ref format, size, .. } if format == "mpeg4" && size == Size::new(640, 360)
    ));
    close(capture);
}

#[test]
fn a_photo_is_sent_again_and_again() {
    let folder = Folder::new();
    let path = folder.path("photo.png");
    image::RgbaImage::from_pixel(1000, 1000, image::Rgba([10, 200, 30, 255]))
        .save(&path)
        .unwrap();
    let (capture, frames, _) = start(Source::File(path));
    for _ in 0..3 {
        let frame = next(&frames);
        assert_eq!(frame.picture.size(), Size::new(320, 320));
        assert_eq!(frame.picture.pixel(100, 100), Some([10, 200, 30, 255]));
    }
    close(capture);
}

#[test]
fn made_sources_have_the_size_and_rate_asked_for() {
    for source in [Source::Demo, Source::Pattern] {
        let (capture, frames, board) = start(source);
        assert_eq!(next(&frames).picture.size(), SIZE);
        std::thread::sleep(Duration::from_millis(2200));
        let rate = board.status().captured_per_second;
        assert!((20.0..35.0).contains(&rate), "{rate}");
        close(capture);
    }
}

#[test]
fn a_server_that_never_answers_holds_nothing_up() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/live.ts", server.local_addr().unwrap());
    let (capture, _, board) = start(Source::Url(url));
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(board.status().source, SourceState::Opening);
    close(capture);
}

#[test]
fn a_server_that_refuses_is_told_and_tried_again() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/live.ts", server.local_addr().unwrap());
    drop(server);
    let (capture, _, board) = start(Source::Url(url.clone()));
    let started = Instant::now();
    while board.status().source != SourceState::Failed {
        assert!(started.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
    let notices = board.take_notices();
    assert!(
        notices[0].text.contains("refused") && notices[0].text.ends_with(&format!("({url})")),
        "{notices:?}"
    );
    close(capture);
}
