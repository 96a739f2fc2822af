//! Real programs on a real device: lavapipe where there is no graphics card.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use panelcam::clock::Clock;
use panelcam::compositor::{self, Compositor, Gpu, Hand, Inbox, Outlets, Scene, ScreenProgram};
use panelcam::frame::{Frame, Picture, Size, Stamp, Styled};
use panelcam::mailbox::{Mailbox, Taken};
use panelcam::panels::{Fonts, Library, Page, preview};
use panelcam::people::{Head, Point};
use panelcam::places::Places;
use panelcam::settings::{Control, Language, Settings};
use panelcam::shots::Desk;
use panelcam::status::{Board, Stage};
use panelcam::watch::Watch;

/// One device for all tests. `None`: this machine has none, and the tests say so.
pub fn gpu() -> Option<Arc<Gpu>> {
    static GPU: OnceLock<Option<Arc<Gpu>>> = OnceLock::new();
    GPU.get_or_init(|| match Gpu::headless() {
        Ok(gpu) => Some(gpu),
        Err(error) if std::env::var_os("REQUIRE_GPU").is_some() => panic!("{error}"),
        Err(error) => {
            eprintln!("SKIPPED, all that needs graphics: {error}");
            None
        }
    })
    .clone()
}

pub const SCENE: Scene = Scene {
    time: Duration::ZERO,
    mirror: false,
    compare: false,
    focus: Head::at(Point { x: 0.5, y: 0.5 }),
};

/// Left half and right half of different colours; alpha 255 in the middle third, but for the upper
/// eighth, else 0.
pub fn halves(size: Size, left: [u8; 3], right: [u8; 3]) -> Picture {
    let mut picture = Picture::new(size);
    let width = size.width as usize;
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let x = at % width;
        let colour = if x < width / 2 { left } else { right };
        let below_top = at / width >= size.height as usize / 8;
        let person = below_top && x >= width / 3 && x < width - width / 3;
        pixel[..3].copy_from_slice(&colour);
        pixel[3] = if person { 255 } else { 0 };
    }
    picture
}

pub const RED: [u8; 3] = [255, 0, 0];
pub const GREEN: [u8; 3] = [0, 255, 0];
pub const BLUE: [u8; 3] = [0, 0, 255];
pub const WHITE: [u8; 3] = [255, 255, 255];

pub fn page(body: &str) -> Page {
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">{body}</svg>"##
    );
    Page::parse(svg.as_bytes(), "test", &Fonts::embedded()).unwrap()
}

/// The program of `page` with a red and green drawing and a blue and white camera picture; the
/// device and the CPU give the same.
pub fn program(gpu: Arc<Gpu>, page: &Page, size: Size, scene: &Scene) -> Picture {
    let of_device = program_by(Arc::clone(&gpu), Hand::Device, page, size, scene);
    let of_memory = program_by(gpu, Hand::Memory, page, size, scene);
    let pairs = of_device.rgba().iter().zip(of_memory.rgba());
    let furthest = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    let place = of_device
        .rgba()
        .iter()
        .zip(of_memory.rgba())
        .position(|(a, b)| Some(a.abs_diff(*b)) == furthest)
        .map(|at| ((at / 4) as u32 % size.width, (at / 4) as u32 / size.width));
    let both = place.map(|(x, y)| (of_device.pixel(x, y), of_memory.pixel(x, y)));
    assert!(furthest <= Some(3), "{furthest:?} at {place:?}: {both:?}");
    of_device
}

fn program_by(gpu: Arc<Gpu>, hand: Hand, page: &Page, size: Size, scene: &Scene) -> Picture {
    let mut compositor = Compositor::by(gpu, hand).unwrap();
    compositor.set_page(page, size).unwrap();
    compositor
        .upload_styled(&halves(Size::new(150, 100), RED, GREEN))
        .unwrap();
    compositor
        .upload_frame(&halves(Size::new(300, 200), BLUE, WHITE))
        .unwrap();
    let texture = compositor.render(scene).unwrap();
    let mut picture = Picture::default();
    compositor.read(&texture, &mut picture).unwrap();
    picture
}

pub fn rgb(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let [r, g, b, a] = picture.pixel(x, y).unwrap();
    assert_eq!(a, 255, "at {x},{y}");
    [r, g, b]
}

pub const SIZE: Size = Size::new(300, 200);

#[test]
fn art_is_beneath_and_above_the_live_picture() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect width="300" height="200" fill="#00f"/>
           <rect id="live-1" x="30" y="20" width="240" height="160"/>
           <rect x="0" y="90" width="300" height="20" fill="#fff"/>"##,
    );
    let program = program(gpu, &page, SIZE, &SCENE);
    assert_eq!(rgb(&program, 5, 5), BLUE);
    assert_eq!(rgb(&program, 60, 40), RED);
    assert_eq!(rgb(&program, 240, 40), GREEN);
    assert_eq!(rgb(&program, 60, 100), WHITE);
    assert_eq!(rgb(&program, 5, 100), WHITE);
}

#[test]
fn mirroring_turns_the_picture_and_not_the_art() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect id="live-1" width="300" height="200"/><rect width="50" height="200" fill="#00f"/>"##,
    );
    let program = program(
        gpu,
        &page,
        SIZE,
        &Scene {
            mirror: true,
            ..SCENE
        },
    );
    assert_eq!(rgb(&program, 20, 100), BLUE);
    assert_eq!(rgb(&program, 100, 100), GREEN);
    assert_eq!(rgb(&program, 280, 100), RED);
}

#[test]
fn comparing_shows_the_camera_picture_in_live_panels() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect id="live-1" width="300" height="100"/><rect id="raw-1" y="100" width="300" height="100"/>"##,
    );
    let plain = program(Arc::clone(&gpu), &page, SIZE, &SCENE);
    assert_eq!((rgb(&plain, 20, 50), rgb(&plain, 20, 150)), (RED, BLUE));
    let compared = program(
        gpu,
        &page,
        SIZE,
        &Scene {
            compare: true,
            ..SCENE
        },
    );
    assert_eq!(
        (rgb(&compared, 20, 50), rgb(&compared, 280, 50)),
        (BLUE, WHITE)
    );
}

#[test]
fn people_stand_over_the_border() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect width="300" height="200" fill="#fff"/>
           <rect id="live-1" x="0" y="100" width="300" height="100" stroke="#00f" stroke-width="20"/>
           <rect id="person-1" width="300" height="200"/>"##,
    );
    let program = program(gpu, &page, SIZE, &SCENE);
    // Both share one picture as large as the page; the matte is its middle third.
    assert_eq!(rgb(&program, 20, 50), WHITE, "nobody there");
    assert_eq!(rgb(&program, 120, 50), RED, "a head above the panel");
    assert_eq!(rgb(&program, 120, 100), RED, "a chest over the border");
    assert_eq!(rgb(&program, 20, 100), BLUE, "the border beside them");
    assert_eq!(rgb(&program, 20, 150), RED, "the background in the panel");
}

#[test]
fn what_is_empty_is_transparent_and_colours_are_premultiplied() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<g opacity="0.5"><rect id="live-1" x="100" width="100" height="200"/></g>
           <rect width="50" height="200" fill="#fff" fill-opacity="0.5"/>"##,
    );
    let program = program(gpu, &page, Size::new(400, 200), &SCENE);
    assert_eq!(program.pixel(10, 100), Some([0; 4]), "beside the page");
    assert_eq!(
        program.pixel(130, 100),
        Some([0; 4]),
        "an empty place on the page"
    );
    let half = program.pixel(70, 100).unwrap();
    assert!(
        half.iter().all(|byte| (127..=128).contains(byte)),
        "{half:?}"
    );
    let live = program.pixel(160, 100).unwrap();
    assert!(
        (127..=128).contains(&live[0]) && live[1] == 0 && (127..=128).contains(&live[3]),
        "{live:?}"
    );
}

#[test]
fn until_there_is_a_drawing_the_art_stands_alone() {
    let Some(gpu) = gpu() else { return };
    let page = page(
        r##"<rect width="300" height="200" fill="#fff"/><rect id="live-1" x="30" y="20" width="240" height="160"/>"##,
    );
    for hand in [Hand::Device, Hand::Memory] {
        let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&page, SIZE).unwrap();
        let texture = compositor.render(&SCENE).unwrap();
        let mut picture = Picture::default();
        compositor.read(&texture, &mut picture).unwrap();
        assert!(picture.rgba().iter().all(|byte| *byte == 255));
    }
}

/// Tiles, shaders and the CPU's code give what laying layer on layer gives.
#[test]
fn both_hands_agree_with_the_plain_way() {
    let Some(gpu) = gpu() else { return };
    let (library, warnings) =
        Library::load(&Places::under(std::path::Path::new("none")), Language::Ko);
    assert_eq!(warnings, Vec::<String>::new());
    let styled = super::pages::chart(Size::new(320, 180));
    // Pages without effects and moving words, which the plain way does not know.
    for id in ["webtoon", "two-panel", "plain"] {
        let page = &library.page(id, Language::Ko).unwrap();
        let natural = page.size();
        let size = Size::new((natural.width / 4) | 1, natural.height / 4);
        let expected = preview(
            &page.rasterise(size).unwrap(),
            &styled,
            &styled,
            SCENE.focus,
            false,
        );
        for hand in [Hand::Device, Hand::Memory] {
            let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
            compositor.set_page(page, size).unwrap();
            compositor.upload_styled(&styled).unwrap();
            compositor.upload_frame(&styled).unwrap();
            let texture = compositor.render(&SCENE).unwrap();
            let mut got = Picture::default();
            compositor.read(&texture, &mut got).unwrap();
            let pairs = got.rgba().iter().zip(expected.rgba());
            let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = sum as f64 / got.rgba().len() as f64;
            assert!(mean < 0.2, "{}, {hand:?}: {mean}", page.id());
        }
    }
}

#[test]
fn a_held_program_is_not_drawn_over() {
    let Some(gpu) = gpu() else { return };
    for hand in [Hand::Device, Hand::Memory] {
        let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&Page::plain(SIZE), SIZE).unwrap();
        compositor.upload_styled(&halves(SIZE, RED, RED)).unwrap();
        let held = compositor.render(&SCENE).unwrap();
        compositor
            .upload_styled(&halves(SIZE, GREEN, GREEN))
            .unwrap();
        for _ in 0..10 {
            compositor.render(&SCENE).unwrap();
        }
        let mut picture = Picture::default();
        compositor.read(&held, &mut picture).unwrap();
        assert_eq!(rgb(&picture, 9, 9), RED);
    }
}

#[test]
fn readings_may_overlap_and_be_dropped() {
    let Some(gpu) = gpu() else { return };
    for hand in [Hand::Device, Hand::Memory] {
        let mut compositor = Compositor::by(Arc::clone(&gpu), hand).unwrap();
        compositor.set_page(&Page::plain(SIZE), SIZE).unwrap();
        let mut waiting = Vec::new();
        for number in 0..6u8 {
            compositor
                .upload_styled(&halves(SIZE, [number; 3], [number; 3]))
                .unwrap();
            let (_, reading) = compositor.render_to_memory(&SCENE).unwrap();
            waiting.push((number, reading));
        }
        waiting.remove(2);
        let mut picture = Picture::default();
        for (number, reading) in waiting.into_iter().rev() {
            reading.finish(&mut picture).unwrap();
            assert_eq!(rgb(&picture, 7, 7), [number; 3]);
        }
    }
}

#[test]
fn a_program_that_is_too_large_is_refused_in_words() {
    let Some(gpu) = gpu() else { return };
    let mut compositor = Compositor::new(gpu).unwrap();
    let size = Size::new(60_000, 10);
    let error = compositor
        .set_page(&Page::plain(size), size)
        .unwrap_err()
        .to_string();
    assert!(error.contains("60000x10"), "{error}");
    assert!(compositor.render(&SCENE).is_ok(), "the page in use stays");
}

/// A running stage, and what a test needs to feed it.
pub struct Studio {
    pub styled: Arc<Mailbox<Styled>>,
    pub control: Arc<Watch<Control>>,
    pub outlets: Arc<Outlets>,
    pub screen: Arc<Mailbox<ScreenProgram>>,
    pub board: Arc<Board>,
    pub desk: Arc<Desk>,
    _running: compositor::Running,
}

impl Studio {
    pub fn start(gpu: Arc<Gpu>, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.look.page = "none".to_owned();
        settings.look.mirror = false;
        settings.program.fps = 240;
        change(&mut settings);
        let places = Places::under(std::path::Path::new("none"));
        let (library, _) = Library::load(&places, settings.window.language);
        let styled = Arc::new(Mailbox::new());
        let control = Arc::new(Watch::new(Control {
            settings,
            compare: false,
        }));
        let (outlets, screen, board) = (
            Arc::new(Outlets::default()),
            Arc::new(Mailbox::new()),
            Board::new(),
        );
        let desk = Desk::new();
        let running = compositor::start(
            gpu,
            Inbox {
                frames: Arc::new(Mailbox::new()),
                styled: Arc::clone(&styled),
            },
            Arc::new(library),
            Arc::clone(&control),
            Some(Arc::clone(&screen)),
            Arc::clone(&outlets),
            Arc::clone(&desk),
            Clock::system(),
            Arc::clone(&board),
        )
        .unwrap();
        Self {
            styled,
            control,
            outlets,
            screen,
            board,
            desk,
            _running: running,
        }
    }

    pub fn send(&self, sequence: u64) {
        let stamp = Stamp {
            sequence,
            captured: Instant::now(),
        };
        let frame = Frame {
            stamp,
            picture: halves(SIZE, BLUE, WHITE).into(),
        };
        let picture = Arc::new(halves(Size::new(150, 100), RED, GREEN).into());
        self.styled.send(Styled::new(Arc::new(frame), picture));
    }

    pub fn change(&self, change: impl FnOnce(&mut Control)) {
        let mut control = self.control.get().as_ref().clone();
        change(&mut control);
        self.control.set(control);
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn the_stage_follows_drawings_and_settings() {
    let Some(gpu) = gpu() else { return };
    let studio = Studio::start(gpu, |_| {});
    let outlet = studio.outlets.subscribe();
    let next = || match outlet.mailbox().take_within(PATIENCE) {
        Taken::Value(program) => program,
        other => panic!("{}", matches!(other, Taken::Closed)),
    };
    studio.send(41);
    let program = next();
    assert_eq!(program.stamp.sequence, 41);
    assert_eq!(program.picture.size(), SIZE);
    assert_eq!(
        (
            rgb(&program.picture, 20, 99),
            rgb(&program.picture, 280, 99)
        ),
        (RED, GREEN)
    );
    assert!(matches!(
        studio.screen.take_within(PATIENCE),
        Taken::Value(_)
    ));

    // No new drawing: the change alone brings a program of the same frame.
    studio.change(|control| control.settings.look.mirror = true);
    let program = next();
    assert_eq!(
        (program.stamp.sequence, rgb(&program.picture, 20, 99)),
        (41, GREEN)
    );
    studio.change(|control| control.compare = true);
    let program = next();
    assert_eq!(rgb(&program.picture, 20, 99), WHITE);
    studio.change(|control| control.settings.program.size = Some(Size::new(90, 60)));
    assert_eq!(next().picture.size(), Size::new(90, 60));

    // A page that does not exist is said, and the last good one stays.
    studio.change(|control| control.settings.look.page = "nowhere".to_owned());
    next();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let notices = studio.board.take_notices();
        if notices.iter().any(|notice| notice.text.contains("nowhere")) {
            break;
        }
        assert!(Instant::now() < deadline, "no notice");
        std::thread::sleep(Duration::from_millis(5));
    }
    studio.send(42);
    let program = next();
    assert_eq!(
        (program.stamp.sequence, program.picture.size()),
        (42, Size::new(90, 60))
    );

    let status = studio.board.status();
    assert!(status.latency.p50 > 0.0);
    assert!(status.stages[Stage::Readback as usize].p50 > 0.0);
}

#[test]
fn the_stage_keeps_to_the_programs_rate_and_stops_at_once() {
    let Some(gpu) = gpu() else { return };
    let studio = Studio::start(gpu, |settings| settings.program.fps = 20);
    let outlet = studio.outlets.subscribe();
    studio.send(0);
    let begun = Instant::now();
    let mut programs = 0;
    for sequence in 1.. {
        if begun.elapsed() > Duration::from_millis(600) {
            break;
        }
        studio.send(sequence);
        if matches!(
            outlet.mailbox().take_within(Duration::from_millis(4)),
            Taken::Value(_)
        ) {
            programs += 1;
        }
    }
    assert!((3..=14).contains(&programs), "{programs}");
    let begun = Instant::now();
    drop(studio);
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(matches!(
        outlet.mailbox().take_within(PATIENCE),
        Taken::Closed | Taken::Value(_)
    ));
}
