//! Art in several languages: what is chosen is drawn, everywhere, and nothing else changes.

use std::fs;
use std::time::{Duration, Instant};

use panelcam::frame::{Picture, Size};
use panelcam::mailbox::Taken;
use panelcam::panels::{self, Fonts, Layer, Library, Page};
use panelcam::people::Head;
use panelcam::places::Places;
use panelcam::settings::Language::{self, En, Ko};

use super::compositor::{BLUE, GREEN, RED, Studio, WHITE, gpu, rgb};
use super::pages::chart;
use super::pages_golden;

const PATIENCE: Duration = Duration::from_secs(60);

fn read(body: &str, language: Option<Language>) -> Page {
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100"><rect width="100" height="100" fill="#fff"/><rect id="live-1" width="9" height="9"/>{body}</svg>"##
    );
    Page::parse_in(
        svg.as_bytes(),
        "language",
        &Fonts::embedded(),
        None,
        language,
    )
    .unwrap()
}

/// A page with a stand-in for the live picture.
fn draw(page: &Page, size: Size) -> Picture {
    let artwork = page.rasterise(size).unwrap();
    let live = chart(Size::new(160, 120));
    panels::preview(&artwork, &live, &live, Head::USUAL, false)
}

/// The colour in the middle, in English, in Korean and as the artist drew it.
fn middle(body: &str) -> [[u8; 3]; 3] {
    [Some(En), Some(Ko), None].map(|language| {
        let picture = draw(&read(body, language), Size::new(100, 100));
        rgb(&picture, 50, 50)
    })
}

const KOREAN: &str =
    r##"<rect y="20" width="100" height="60" fill="#00f" systemLanguage="ja, ko-KR"/>"##;
const ENGLISH: &str = r##"<rect y="20" width="100" height="60" fill="#0f0" systemLanguage="en"/>"##;
const ANY: &str = r##"<rect y="20" width="100" height="60" fill="#f00"/>"##;

#[test]
fn what_is_chosen_is_drawn() {
    let drawn = |inner: &str| middle(&format!("<switch>{inner}</switch>"));
    assert_eq!(drawn(&[KOREAN, ENGLISH].concat()), [GREEN, BLUE, BLUE]);
    assert_eq!(drawn(&[KOREAN, ANY].concat()), [RED, BLUE, BLUE]);
    assert_eq!(
        drawn(&[ANY, KOREAN].concat()),
        [RED; 3],
        "the first that fits"
    );
    assert_eq!(drawn(KOREAN), [WHITE, BLUE, BLUE], "nothing fits");
    // Another program's own, and one that asks for nothing.
    let foreign = ANY.replace("<rect ", r#"<rect requiredExtensions="http://x" "#);
    assert_eq!(drawn(&[&foreign, ENGLISH].concat()), [GREEN, WHITE, GREEN]);
    let none = ANY.replace("<rect ", r#"<rect requiredExtensions="" "#);
    assert_eq!(drawn(&[&none, ENGLISH].concat()), [RED; 3]);
    // Objects outside of a switch, groups, and what is drawn by reference.
    assert_eq!(middle(KOREAN), [WHITE, BLUE, BLUE]);
    assert_eq!(
        middle(&format!(r#"<g systemLanguage="ko"><g>{ANY}</g></g>"#)),
        [WHITE, RED, RED]
    );
    let used =
        format!(r##"<defs><switch id="a">{KOREAN}{ANY}</switch></defs><use xlink:href="#a"/>"##);
    assert_eq!(middle(&used), [RED, BLUE, BLUE]);
    let symbol = format!(
        r##"<symbol id="s"><switch>{KOREAN}{ENGLISH}</switch></symbol><use href="#s" width="100" height="100"/>"##
    );
    assert_eq!(middle(&symbol), [GREEN, BLUE, BLUE]);
    // A colour that stands in what is for others is there.
    let gradient = r##"<switch><g systemLanguage="ko"><linearGradient id="c"><stop stop-color="#f00"/></linearGradient><path d="M0 0h1v1z"/></g><rect y="20" width="100" height="60" fill="url(#c)"/></switch>"##;
    assert_eq!(middle(gradient)[0], RED);
}

#[test]
fn what_is_alive_in_a_switch_lives() {
    let body = r##"<switch>
        <g systemLanguage="ko"><rect id="live-korean" y="20" width="40" height="40"/></g>
        <g><g id="bubble-hi"><ellipse cx="50" cy="50" rx="40" ry="20" fill="#fff"/>
            <text x="30" y="54" font-family="BM JUA" font-size="12">Hello</text></g></g>
        </switch>"##;
    let alive = |language| -> Vec<String> {
        let page = read(body, Some(language));
        let layers = page.layers().iter();
        layers
            .filter_map(|layer| match layer {
                Layer::Panel(panel) => Some(panel.id.clone()),
                Layer::Bubble(bubble) => Some(format!("{} {}", bubble.id, bubble.own())),
                _ => None,
            })
            .collect()
    };
    assert_eq!(alive(En), ["live-1", "bubble-hi Hello"]);
    assert_eq!(alive(Ko), ["live-1", "live-korean"]);

    // A switch in what is alive: its words and its shapes.
    let body = r##"<g id="bubble-hi"><switch>
        <g systemLanguage="ko"><circle cx="50" cy="50" r="20"/><text x="30" y="54">안녕</text></g>
        <g><circle cx="50" cy="50" r="30"/><text x="30" y="54">Hel<tspan systemLanguage="en">lo</tspan><tspan systemLanguage="ko">루</tspan></text></g>
        </switch></g>"##;
    let said = |language| {
        let page = read(body, Some(language));
        let mut layers = page.layers().iter();
        layers.find_map(|layer| match layer {
            Layer::Bubble(bubble) => Some((bubble.own(), bubble.bounds.width.round())),
            _ => None,
        })
    };
    assert_eq!(said(En), Some(("Hello".to_owned(), 60.0)));
    assert_eq!(said(Ko), Some(("안녕".to_owned(), 40.0)));
}

#[test]
fn nonsense_is_drawn_or_not_and_nothing_worse() {
    for tags in [
        "ko,".repeat(50_000),
        "-".repeat(100_000),
        "a".repeat(100_000),
        String::new(),
        "한국어".to_owned(),
        "&#10;\u{200b},,-,*".to_owned(),
    ] {
        let body = format!(
            r##"<g systemLanguage="{tags}"><switch systemLanguage="{tags}"><g systemLanguage="{tags}">{ANY}</g><text systemLanguage="{tags}">a</text></switch></g>"##
        );
        for language in [Some(En), Some(Ko), None] {
            let page = read(&body, language);
            assert!(page.languages().count() <= 1);
            assert_eq!(page.panels().count(), 1);
        }
    }
    // A switch in a switch, as deep as a page may be, and one with very many children.
    let deep = format!(
        r#"{}{ANY}{}"#,
        r#"<switch><g systemLanguage="ja"/>"#.repeat(60),
        "</switch>".repeat(60)
    );
    assert_eq!(middle(&deep)[..2], [RED; 2]);
    let begun = Instant::now();
    let many = r#"<g systemLanguage="ja"/>"#.repeat(60_000);
    assert_eq!(
        middle(&format!(
            r#"<g id="bubble-1"><switch>{many}{ANY}</switch></g>"#
        ))[..2],
        [RED; 2]
    );
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

/// Left, top, right and bottom.
type Place = [f32; 4];

/// Where pages are drawn in both languages, in their units; strips are measured in inches.
const PLACES: [(&str, &[Place]); 16] = [
    ("action", &[[50.0, 1530.0, 500.0, 1910.0]]),
    ("close-up", &[[40.0, 970.0, 550.0, 1350.0]]),
    ("corridor", &[[50.0, 1670.0, 350.0, 1900.0]]),
    ("cover", &[[250.0, 120.0, 1044.0, 540.0]]),
    ("desk-mate", &[[50.0, 1670.0, 350.0, 1910.0]]),
    (
        "gloom",
        &[[670.0, 250.0, 1040.0, 500.0], [670.0, 440.0, 1020.0, 660.0]],
    ),
    ("group", &[[80.0, 0.0, 1010.0, 300.0]]),
    (
        "manga",
        &[
            [640.0, 1080.0, 980.0, 1330.0],
            [1010.0, 600.0, 1340.0, 850.0],
        ],
    ),
    ("news", &[[1590.0, 120.0, 1810.0, 260.0]]),
    (
        "scroll",
        &[[180.0, 200.0, 610.0, 370.0], [0.0, 320.0, 800.0, 540.0]],
    ),
    (
        "strip-ink",
        &[
            [118.4, 96.0, 179.2, 140.8],
            [9.6, 137.6, 57.6, 182.4],
            [118.4, 339.2, 182.4, 393.6],
            [12.8, 508.8, 124.8, 579.2],
        ],
    ),
    (
        "strip-pop",
        &[
            [28.8, 0.0, 329.6, 96.0],
            [16.0, 86.4, 48.0, 121.6],
            [339.2, 70.4, 368.0, 102.4],
            [16.0, 297.6, 48.0, 329.6],
            [339.2, 284.8, 368.0, 316.8],
            [265.6, 480.0, 380.8, 547.2],
        ],
    ),
    ("strip-sky", &[[25.6, 3.2, 166.4, 44.8]]),
    ("two-panel", &[[340.0, 380.0, 920.0, 680.0]]),
    ("visual-novel", &[[1745.0, 240.0, 1880.0, 360.0]]),
    ("webtoon", &[[0.0, 580.0, 440.0, 990.0]]),
];

#[test]
fn shipped_pages_differ_only_where_art_is_in_a_language() {
    let places = Places::under(std::path::Path::new("none"));
    let (library, warnings) = Library::load(&places, Ko);
    assert_eq!(warnings, Vec::<String>::new());
    assert!(library.known(Ko).is_some() && library.known(En).is_none());
    let mut seen = 0;
    for drawn in pages_golden::pages() {
        let id = drawn.id();
        let [english, korean] = [En, Ko].map(|language| library.page(id, language).unwrap());
        let place = PLACES.iter().find(|(page, _)| *page == id);
        let Some((_, places)) = place else {
            assert!(english.same(&korean), "{id} is read twice");
            continue;
        };
        seen += 1;
        assert_eq!(english.languages().collect::<Vec<_>>(), ["ko"], "{id}");
        assert_eq!(english.warnings(), Vec::<String>::new(), "{id}");
        let (width, height) = english.units();
        let size = Size::new(360, (360.0 * height / width) as u32);
        let [english, korean, drawn] = [&english, &korean, &drawn].map(|page| draw(page, size));
        assert!(korean.rgba() == drawn.rgba(), "{id}: as it was drawn");
        let mut changed = 0;
        for y in 0..size.height {
            for x in 0..size.width {
                if english.pixel(x, y) == korean.pixel(x, y) {
                    continue;
                }
                changed += 1;
                let unit = width / size.width as f32;
                let (x, y) = (x as f32 * unit, y as f32 * unit);
                let is_in = |[left, top, right, bottom]: &Place| {
                    (*left..*right).contains(&x) && (*top..*bottom).contains(&y)
                };
                assert!(places.iter().any(is_in), "{id} differs at {x}, {y}");
            }
        }
        assert!(changed > 50, "{id}: {changed} pixels");
    }
    assert_eq!(seen, PLACES.len());
    // Both stay.
    let again = library.page("cover", Ko).unwrap();
    assert!(library.page("cover", Ko).unwrap().same(&again));
}

/// Programs until one has this colour at a place.
#[track_caller]
fn until(studio: &Studio, sequence: &mut u64, at: (u32, u32), colour: [u8; 3]) {
    let outlet = studio.outlets.subscribe();
    let deadline = Instant::now() + PATIENCE;
    loop {
        *sequence += 1;
        studio.send(*sequence);
        let Taken::Value(program) = outlet.mailbox().take_within(PATIENCE) else {
            panic!("no program");
        };
        let found = program.picture.pixel(at.0, at.1).unwrap_or_default();
        let near = |channel: usize| found[channel].abs_diff(colour[channel]) < 60;
        if (0..3).all(near) {
            return;
        }
        assert!(Instant::now() < deadline, "{found:?} instead of {colour:?}");
    }
}

#[test]
fn a_program_follows_the_language_of_the_settings() {
    let Some(gpu) = gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.svg");
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect id="live-1" width="100" height="9"/><switch>{KOREAN}{ENGLISH}</switch></svg>"##
    );
    fs::write(&file, svg).unwrap();
    let path = file.display().to_string();
    let studio = Studio::start(gpu, |settings| {
        settings.look.page = path;
        settings.window.language = Ko;
    });
    let speak = |language| studio.change(|control| control.settings.window.language = language);
    let mut sequence = 0;
    let mut until = |at, colour| until(&studio, &mut sequence, at, colour);
    until((50, 50), BLUE);
    speak(En);
    until((50, 50), GREEN);
    speak(Ko);
    until((50, 50), BLUE);
    // A page that ships: the upper edge of the stamp, which is two lines high in English alone.
    studio.change(|control| {
        control.settings.look.page = "news".to_owned();
        control.settings.program.size = Some(Size::new(1920, 1080));
    });
    let (stamp, red) = ((1709, 147), [217, 38, 56]);
    until(stamp, GREEN);
    speak(En);
    until(stamp, red);
    speak(Ko);
    until(stamp, GREEN);
}
