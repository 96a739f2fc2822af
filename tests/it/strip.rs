//! Shots and strips: taken live on a page, made from photos without a window, saved in every
//! format.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use panelcam::clock::Clock;
use panelcam::compositor::{self, Gpu, Inbox, Outlets};
use panelcam::frame::{Frame, Picture, Size, Stamp, Styled};
use panelcam::mailbox::Mailbox;
use panelcam::panels::Library;
use panelcam::places::Places;
use panelcam::settings::{Control, Language, Settings, StripClip};
use panelcam::shots::{Desk, Order};
use panelcam::status::Board;
use panelcam::strip;
use panelcam::watch::Watch;

use crate::support::{Home, ffmpeg, frames};

const QUICK: &str = "--quality fast --threads 2";

fn four_cut() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/four-cut.svg")
}

fn photos(home: &Home) {
    for (name, colour) in [
        ("a.png", "red"),
        ("b.png", "green"),
        ("c.png", "blue"),
        ("d.png", "yellow"),
    ] {
        ffmpeg(
            &format!("-f lavfi -i color={colour}:s=320x240 -frames:v 1"),
            &home.path(name),
        );
    }
}

#[test]
fn photos_fill_the_shots_in_their_order() {
    let home = Home::new();
    photos(&home);
    let page = four_cut();
    let page = page.display();
    let line = format!("strip a.png b.png c.png d.png out.png --page {page} --strength 0 {QUICK}");
    let run = home.line(&line).ok();
    assert_eq!(run.out.trim(), "out.png");
    let strip = image::open(home.path("out.png")).unwrap().to_rgb8();
    assert_eq!(
        strip.dimensions(),
        (600, 1800).min((strip.width(), strip.height()))
    );
    let scale = strip.height() as f32 / 1800.0;
    let at = |x: f32, y: f32| strip.get_pixel((x * scale) as u32, (y * scale) as u32).0;
    let is = |[r, g, b]: [u8; 3], wanted: [bool; 3]| [r, g, b].map(|part| part > 110) == wanted;
    assert!(
        is(at(150.0, 200.0), [true, false, false]),
        "{:?}",
        at(150.0, 200.0)
    );
    assert!(
        is(at(150.0, 760.0), [false, true, false]),
        "{:?}",
        at(150.0, 760.0)
    );
    assert!(
        is(at(150.0, 1050.0), [false, false, true]),
        "{:?}",
        at(150.0, 1050.0)
    );
    assert!(
        is(at(150.0, 1460.0), [true, true, false]),
        "{:?}",
        at(150.0, 1460.0)
    );
    // It is there and stays.
    home.line(&line).fails(&["exists", "out.png"]);
    home.line(&format!("strip a.png out.tiff --page {page} {QUICK}"))
        .fails(&["extension"]);
    home.line(&format!(
        "strip a.png no/such/out.png --page {page} {QUICK}"
    ))
    .fails(&["no/such"]);
    assert_eq!(
        home.names(),
        ["a.png", "b.png", "c.png", "d.png", "out.png"]
    );
}

#[test]
fn a_print_has_300_dots_an_inch_and_a_scroll_has_slices() {
    let home = Home::new();
    photos(&home);
    let page = four_cut();
    let page = page.display();
    home.line(&format!(
        "strip a.png b.png c.png d.png p.png --page {page} --print {QUICK}"
    ))
    .ok();
    let print = image::open(home.path("p.png")).unwrap();
    assert_eq!((print.width(), print.height()), (600, 1800));
    let bytes = std::fs::read(home.path("p.png")).unwrap();
    let density = bytes.windows(4).position(|four| four == b"pHYs").unwrap();
    assert_eq!(bytes[density + 4..density + 8], 11811u32.to_be_bytes());

    let run = home
        .line(&format!(
            "strip a.png b.png c.png d.png s.jpg --page {page} --scroll --slice 900 {QUICK}"
        ))
        .ok();
    let files: Vec<&str> = run.out.lines().collect();
    assert_eq!(files[0], "s-01.jpg");
    assert!(files.len() >= 3, "{files:?}");
    let mut rows = 0;
    for file in &files {
        let slice = image::open(home.path(file)).unwrap();
        assert_eq!(slice.width(), 800);
        assert!(slice.height() <= 900);
        rows += slice.height();
    }
    // Four panels of 720 across, their gutters around them.
    assert!((2500..3200).contains(&rows), "{rows}");
}

/// Whatever the screen shows: the page is drawn again for paper, its lines and its letters.
/// What is drawn in two languages is in the settings' one, however a strip is saved.
#[test]
fn strips_speak_the_language_of_the_settings() {
    let home = Home::new();
    photos(&home);
    let page = r##"<svg xmlns="http://www.w3.org/2000/svg" width="2in" height="2in" viewBox="0 0 200 200">
        <rect id="shot-1" width="200" height="100"/><rect id="shot-2" y="100" width="200" height="100"/>
        <switch><rect systemLanguage="ko" x="20" y="20" width="60" height="60" fill="#00f"/>
        <rect x="20" y="20" width="60" height="60" fill="#0f0"/></switch></svg>"##;
    std::fs::write(home.path("page.svg"), page).unwrap();
    for kind in ["", "--print", "--scroll"] {
        let [english, korean] = ["en", "ko"].map(|language| {
            let config = format!("{language}.toml");
            let text = format!("[window]\nlanguage = \"{language}\"\n");
            std::fs::write(home.path(&config), text).unwrap();
            let line = format!(
                "--config {config} strip a.png b.png {language}.png --page page.svg --overwrite \
                 {kind} {QUICK}"
            );
            let run = home.line(&line).ok();
            let files = run.out.lines();
            files
                .map(|file| image::open(home.path(file)).unwrap().to_rgb8())
                .collect::<Vec<_>>()
        });
        assert_eq!(english.len(), korean.len(), "{kind}");
        let of = |strip: &[image::RgbImage], wanted: [u8; 3]| {
            let mut pixels = strip.iter().flat_map(image::RgbImage::pixels);
            pixels.any(|pixel| pixel.0 == wanted)
        };
        let (green, blue) = ([0, 255, 0], [0, 0, 255]);
        assert!(of(&english, green) && !of(&korean, green), "{kind}");
        assert!(of(&korean, blue), "{kind}");
    }
}

#[test]
fn a_shorter_scroll_leaves_no_slices_of_a_longer_one() {
    let home = Home::new();
    photos(&home);
    let page = four_cut();
    let scroll = |slice: u32| {
        let page = page.display();
        let line =
            format!("strip a.png s.png --page {page} --scroll --slice {slice} --overwrite {QUICK}");
        home.line(&line).ok().out.lines().count()
    };
    let many = scroll(500);
    assert!((3..10).contains(&many), "{many}");
    // Not of this export: another name, another ending, and beyond a gap.
    let beyond = format!("s-{:02}.png", many + 2);
    let others = ["s-1.png", "s-03.jpg", "ss-02.png", "s.png", beyond.as_str()];
    for name in others {
        std::fs::write(home.path(name), "mine").unwrap();
    }
    let few = scroll(16_000);
    assert!(few < many, "{few}");
    let names = home.names();
    for number in 1..=many {
        let is_there = names.contains(&format!("s-{number:02}.png"));
        assert_eq!(is_there, number <= few, "{number}: {names:?}");
    }
    for name in others {
        assert_eq!(std::fs::read(home.path(name)).unwrap(), b"mine", "{name}");
    }
}

#[test]
fn a_shot_keeps_the_line_that_was_read() {
    let Some(mut stage) = Stage::start() else {
        return;
    };
    let red = [220, 20, 20, 255];
    stage.until(red, |view| view.next == Some(1));
    let asked = |stage: &Stage, number: usize| {
        let finished = stage.desk.finished().unwrap();
        let seen = &finished.shots[number - 1].as_ref().unwrap().seen;
        seen.turns.map(|turns| turns.asked)
    };
    for number in 1..=2 {
        stage.desk.order(Order::NextLine);
        (0..4).for_each(|_| stage.draw(red));
        stage.desk.order(Order::Now);
        stage.until(red, |view| view.taken.len() == number);
    }
    assert_eq!((asked(&stage, 1), asked(&stage, 2)), (Some(1), Some(2)));
    let live = stage.desk.finished().unwrap().live.unwrap();
    assert_eq!(live.seen.turns.map(|turns| turns.asked), Some(2));
}

#[test]
fn a_text_that_the_page_cannot_say_is_told() {
    let home = Home::new();
    photos(&home);
    let page = four_cut();
    let line = |text: &str| {
        let line = format!("strip a.png {text}.png --page {} {QUICK}", page.display());
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--text", text]);
        home.run(&words)
    };
    line("zzz=1").fails(&["zzz", "title"]);
    line("bubble-1=1").fails(&["bubble-1", "title"]);
    assert!(!home.path("zzz=1.png").exists());
    let run = line("title=😀م").ok();
    assert!(
        run.said.contains("😀") && run.said.contains("text-title"),
        "{}",
        run.said
    );
    assert!(
        line("title=Fine")
            .ok()
            .said
            .lines()
            .all(|line| !line.contains("font"))
    );
}

#[test]
fn a_print_is_drawn_anew_and_not_a_screen_made_larger() {
    let home = Home::new();
    photos(&home);
    // Lines of 3 printed pixels, of a third of a pixel on the screen.
    let lines: String = (0..25)
        .map(|at| format!(r#"<rect x="{}" width="1" height="50"/>"#, at * 4))
        .collect();
    let page = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="1in" height="2in" viewBox="0 0 100 200"><rect width="100" height="200" fill="#fff"/>{lines}
        <rect id="shot-1" x="10" y="60" width="80" height="80"/><text id="text-name" x="50" y="180" font-size="20" text-anchor="middle">가</text></svg>"##
    );
    std::fs::write(home.path("page.svg"), page).unwrap();
    let strip = |rest: &str| {
        let line = format!("strip a.png {rest} --page page.svg --text name=나다 {QUICK}");
        let out = home.line(&line).ok().out;
        image::open(home.path(out.trim())).unwrap().to_luma8()
    };
    let screen = strip("screen.png --size 32x64");
    let print = strip("print.png --size 32x64 --print");
    assert_eq!((screen.width(), print.width()), (32, 300));
    let row = |picture: &image::GrayImage, y: u32| -> Vec<u8> {
        (0..picture.width())
            .map(|x| picture.get_pixel(x, y).0[0])
            .collect()
    };
    assert!(row(&screen, 8).iter().all(|grey| *grey > 100));
    let lines = row(&print, 75);
    let ink = lines.iter().filter(|grey| **grey < 20).count();
    let paper = lines.iter().filter(|grey| **grey > 235).count();
    assert!(ink >= 70 && ink + paper >= 290, "{ink} and {paper} of 300");
    // No letter is softer, and nothing else differs, than where the screen is as large as the print.
    let large = strip("large.png --size 300x600 --print");
    let lower = |picture: &image::GrayImage| {
        (450..600)
            .flat_map(|y| row(picture, y))
            .collect::<Vec<u8>>()
    };
    let (small, large) = (lower(&print), lower(&large));
    assert!(small.iter().any(|grey| *grey < 20), "no letters");
    let apart = small.iter().zip(&large).filter(|(a, b)| a != b).count();
    assert_eq!(apart, 0, "pixels differ");
}

#[test]
fn a_clip_plays_the_second_of_every_panel() {
    let home = Home::new();
    ffmpeg(
        "-f lavfi -i testsrc=s=320x240:r=24 -t 1.5",
        &home.path("v.mp4"),
    );
    let page = four_cut();
    let page = page.display();
    home.line(&format!("strip v.mp4 clip.gif --page {page} {QUICK}"))
        .ok();
    assert_eq!(frames(&home.path("clip.gif")), 24 - 2);
    home.line(&format!(
        "strip v.mp4 clip.mp4 --page {page} --overwrite {QUICK}"
    ))
    .ok();
    let probe = crate::support::ffprobe(&home.path("clip.mp4"));
    let video = crate::support::stream(&probe, "video").unwrap();
    assert!(video["height"].as_u64().unwrap() <= 1280);
}

/// The compositor's stage with a four-cut page, fed by hand.
struct Stage {
    styled: Arc<Mailbox<Styled>>,
    control: Arc<Watch<Control>>,
    desk: Arc<Desk>,
    gpu: Arc<Gpu>,
    sequence: u64,
    _running: compositor::Running,
    _home: Home,
}

impl Stage {
    fn start() -> Option<Self> {
        Self::of(&four_cut().display().to_string(), Size::new(200, 600))
    }

    fn of(page: &str, size: Size) -> Option<Self> {
        let gpu = crate::compositor::gpu()?;
        let home = Home::new();
        let places = Places::under(home.folder.path());
        let mut settings = Settings::default();
        let (library, _) = Library::load(&places, settings.window.language);
        settings.look.page = page.to_owned();
        settings.program.size = Some(size);
        settings.shots.countdown = 1;
        let control = Arc::new(Watch::new(Control {
            settings,
            compare: false,
        }));
        let (styled, desk) = (Arc::new(Mailbox::new()), Desk::new());
        let running = compositor::start(
            Arc::clone(&gpu),
            Inbox {
                frames: Arc::new(Mailbox::new()),
                styled: Arc::clone(&styled),
            },
            Arc::new(library),
            Arc::clone(&control),
            None,
            Arc::new(Outlets::default()),
            Arc::clone(&desk),
            Clock::system(),
            Board::new(),
        )
        .unwrap();
        Some(Self {
            styled,
            control,
            desk,
            gpu,
            sequence: 0,
            _running: running,
            _home: home,
        })
    }

    fn draw(&mut self, colour: [u8; 4]) {
        let size = Size::new(64, 48);
        let picture = || Picture::from_rgba(size, colour.repeat(size.area())).unwrap();
        let stamp = Stamp {
            sequence: self.sequence,
            captured: Instant::now(),
        };
        self.sequence += 1;
        let frame = Frame {
            stamp,
            picture: picture().into(),
        };
        let drawing = Arc::new(picture().into());
        self.styled.send(Styled::new(Arc::new(frame), drawing));
        std::thread::sleep(Duration::from_millis(30));
    }

    /// Draws until `what` is so.
    fn until(&mut self, colour: [u8; 4], what: impl Fn(&panelcam::shots::View) -> bool) {
        let patience = Instant::now() + Duration::from_secs(30);
        while !what(&self.desk.view()) {
            assert!(Instant::now() < patience, "{:?}", self.desk.view());
            self.draw(colour);
        }
    }
}

#[test]
fn shots_are_counted_down_taken_again_swapped_and_saved() {
    let Some(mut stage) = Stage::start() else {
        return;
    };
    let (red, blue) = ([220, 20, 20, 255], [20, 20, 220, 255]);
    stage.until(red, |view| {
        view.numbers == [1, 2, 3, 4] && view.next == Some(1)
    });
    assert!(strip_of(&stage).unwrap_err().to_string().contains("4 of 4"));

    stage.desk.order(Order::Start);
    stage.until(red, |view| view.countdown == Some(1));
    stage.until(red, |view| view.taken.len() == 1);
    stage.until(blue, |view| view.is_complete());
    let first = |stage: &Stage, number: usize| {
        let finished = stage.desk.finished().unwrap();
        let shot = finished.shots[number - 1].as_ref().unwrap().clone();
        (shot.drawing.pixel(5, 5).unwrap(), shot.second.len())
    };
    assert_eq!(first(&stage, 1).0, red);
    assert_eq!(first(&stage, 4).0, blue);
    assert!(first(&stage, 4).1 > 3, "{}", first(&stage, 4).1);

    stage.desk.order(Order::Swap(1, 4));
    stage.until(red, |view| view.is_complete());
    let desk = Arc::clone(&stage.desk);
    stage.until(red, move |_| first_pixel(&desk, 1) == Some(blue));
    stage.desk.order(Order::Retake(1));
    stage.until(red, |view| view.taken.len() == 3 && view.next == Some(1));
    stage.until(red, |view| view.is_complete());
    assert_eq!(first(&stage, 1).0, red);

    // Saved in every format the settings name, and still there.
    let mut settings = stage.control.get().settings.clone();
    settings.shots.print = true;
    settings.shots.clip = StripClip::Gif;
    settings.shots.scroll = true;
    stage.control.set(Control {
        settings,
        compare: false,
    });
    let files = strip_of(&stage).unwrap();
    assert!(
        files.iter().any(|path| path.ends_with("panelcam-strip.png")
            || path.extension().is_some_and(|e| e == "gif"))
    );
    assert!(files.len() >= 4, "{files:?}");
    assert!(files.iter().all(|path| path.is_file()));
    stage.desk.order(Order::Clear);
    stage.until(red, |view| view.taken.is_empty() && view.next == Some(1));
}

#[test]
fn shots_stay_when_the_language_changes() {
    let Some(mut stage) = Stage::of("strip-pop", Size::new(240, 360)) else {
        return;
    };
    let red = [220, 20, 20, 255];
    stage.until(red, |view| view.next == Some(1));
    stage.desk.order(Order::Start);
    stage.until(red, |view| view.is_complete());
    let english = stage.desk.finished().unwrap();
    let mut settings = stage.control.get().settings.clone();
    settings.window.language = Language::Ko;
    stage.control.set(Control {
        settings,
        compare: false,
    });
    let desk = Arc::clone(&stage.desk);
    let page = move || desk.finished().map(|finished| finished.page);
    stage.until(red, |_| {
        page().is_some_and(|page| !page.same(&english.page))
    });
    let korean = stage.desk.finished().unwrap();
    for (before, after) in english.shots.iter().zip(&korean.shots) {
        let drawing = |shot: &Option<panelcam::shots::Shot>| {
            shot.as_ref().map(|shot| Arc::as_ptr(&shot.drawing))
        };
        assert_eq!(drawing(before), drawing(after));
    }
    assert!(stage.desk.view().is_complete());
}

#[test]
fn a_full_disk_is_said_and_the_strip_stays() {
    let Some(mut stage) = Stage::start() else {
        return;
    };
    let red = [220, 20, 20, 255];
    stage.until(red, |view| view.next == Some(1));
    for count in 1..=4usize {
        stage.desk.order(Order::Now);
        stage.until(red, move |view| view.taken.len() == count);
    }
    let nowhere = Path::new("/proc/panelcam");
    let settings = stage.control.get().settings.clone();
    let error = strip::save_all(
        stage.desk.finished(),
        &settings,
        Arc::clone(&stage.gpu),
        nowhere,
    )
    .unwrap_err();
    assert!(error.to_string().ends_with("(/proc/panelcam)"), "{error}");
    assert!(strip_of(&stage).is_ok());
}

#[test]
fn a_page_without_shots_is_saved_with_what_is_on_it() {
    let Some(mut stage) = Stage::of("two-panel", Size::new(320, 180)) else {
        return;
    };
    let error = strip_of(&stage).unwrap_err().to_string();
    assert!(error.contains("no picture"), "{error}");
    let (red, blue) = ([220, 20, 20, 255], [20, 20, 220, 255]);
    stage.until(red, |view| view.page == "two-panel");
    stage.draw(red);
    let mut settings = stage.control.get().settings.clone();
    settings.shots.print = true;
    settings.shots.scroll = true;
    settings.shots.clip = StripClip::Gif;
    stage.control.set(Control {
        settings,
        compare: false,
    });
    for (colour, at) in [(red, 0), (blue, 2)] {
        stage.draw(colour);
        stage.draw(colour);
        let files = strip_of(&stage).unwrap();
        // Screen, print and the scroll's slices; there is no second to make a clip of.
        assert!(files.len() >= 3, "{files:?}");
        assert!(
            files
                .iter()
                .all(|path| path.extension().is_some_and(|ext| ext == "png"))
        );
        let screen = image::open(&files[0]).unwrap().to_rgb8();
        assert_eq!(screen.dimensions(), (320, 180));
        let pixel = screen.get_pixel(100, 60).0;
        assert!(pixel[at] > 180 && pixel[2 - at] < 80, "{pixel:?}");
        let print = image::open(&files[1]).unwrap();
        assert!(print.width() > 2000, "{}", print.width());
    }
}

fn first_pixel(desk: &Desk, number: usize) -> Option<[u8; 4]> {
    desk.finished()?
        .shots
        .get(number - 1)?
        .as_ref()?
        .drawing
        .pixel(5, 5)
}

fn strip_of(stage: &Stage) -> Result<Vec<PathBuf>, strip::StripError> {
    let folder = stage._home.path("pictures");
    let settings = stage.control.get().settings.clone();
    strip::save_all(
        stage.desk.finished(),
        &settings,
        Arc::clone(&stage.gpu),
        &folder,
    )
}
