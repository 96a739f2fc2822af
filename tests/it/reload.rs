//! While an artist saves: the page on a running program follows its file.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use panelcam::compositor::Outlet;
use panelcam::frame::Size;
use panelcam::mailbox::Taken;
use panelcam::panels::Library;
use panelcam::places::Places;
use panelcam::settings::Language;
use panelcam::shots::Order;
use panelcam::ui::message;

use super::compositor::{BLUE, GREEN, RED, Studio, WHITE, gpu, rgb};

const PATIENCE: Duration = Duration::from_secs(30);

/// Writes a file with a date that no earlier one has.
fn save(path: &Path, bytes: &[u8], seconds: u64) {
    fs::write(path, bytes).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    let date = SystemTime::now() + Duration::from_secs(seconds);
    file.set_modified(date).unwrap();
}

fn page(art: &str) -> Vec<u8> {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60"><rect id="live-1" width="60" height="30"/>{art}</svg>"##
    )
    .into_bytes()
}

fn band(colour: &str) -> Vec<u8> {
    page(&format!(
        r##"<rect y="30" width="60" height="30" fill="{colour}"/>"##
    ))
}

struct Show {
    studio: Studio,
    outlet: Outlet,
    sequence: u64,
}

impl Show {
    fn of(file: &Path) -> Option<Self> {
        let path = file.display().to_string();
        let studio = Studio::start(gpu()?, |settings| {
            settings.look.page = path;
            settings.program.size = Some(Size::new(60, 60));
        });
        let outlet = studio.outlets.subscribe();
        Some(Self {
            studio,
            outlet,
            sequence: 0,
        })
    }

    /// Waits until the page is shown: before it there is the picture alone.
    fn wait_for_red(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.next().1 != RED {
            assert!(Instant::now() < deadline);
        }
    }

    /// The colours of the live panel's left half and of the art below it, in the next program.
    fn next(&mut self) -> ([u8; 3], [u8; 3]) {
        self.sequence += 1;
        self.studio.send(self.sequence);
        match self.outlet.mailbox().take_within(PATIENCE) {
            Taken::Value(program) => (
                rgb(&program.picture, 5, 15),
                program
                    .picture
                    .pixel(30, 45)
                    .map_or(WHITE, |[r, g, b, _]| [r, g, b]),
            ),
            other => panic!("closed: {}", matches!(other, Taken::Closed)),
        }
    }

    /// Programs go on until one has this art; none is without the picture.
    #[track_caller]
    fn until(&mut self, art: [u8; 3], before: [u8; 3]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (live, found) = self.next();
            if found == art {
                assert_eq!(live, RED);
                return;
            }
            assert_eq!(found, before, "neither the old page nor the new one");
            assert!(Instant::now() < deadline, "still {found:?}");
        }
    }

    /// Programs go on with this art until something is said.
    #[track_caller]
    fn until_said(&mut self, art: [u8; 3]) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert_eq!(self.next(), (RED, art), "the last good page stays");
            if let Some(notice) = self.studio.board.take_notices().pop() {
                return notice.text;
            }
            assert!(Instant::now() < deadline, "nothing is said");
        }
    }
}

#[test]
fn a_page_that_is_saved_broken_and_repaired_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.svg");
    save(&file, &band("#f00"), 0);
    let Some(mut show) = Show::of(&file) else {
        return;
    };
    show.wait_for_red();
    save(&file, &band("#00f"), 5);
    show.until(BLUE, RED);
    // Half of a file, as a program that saves slowly leaves it for a moment.
    save(&file, &band("#0f0")[..90], 10);
    let said = show.until_said(BLUE);
    assert!(
        said.contains("not an SVG") && said.contains("page.svg"),
        "{said}"
    );
    // It is said once.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2500) {
        assert_eq!(show.next().1, BLUE);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(show.studio.board.take_notices().is_empty());
    // Gone for a moment, as programs that write anew and rename leave it.
    fs::remove_file(&file).unwrap();
    let said = show.until_said(BLUE);
    assert!(said.contains("cannot be read"), "{said}");
    save(&file, &band("#0f0"), 15);
    show.until(GREEN, BLUE);
    assert!(show.studio.board.take_notices().is_empty());
}

/// An artist who saves a page with a slip is told once, in the window's language; the next time
/// when there is another one.
#[test]
fn slips_in_a_page_that_is_saved_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.svg");
    let slip = r#"<rect id="live-gone" x="500" width="9" height="9"/>"#;
    let with = |colour: &str, more: &str| {
        let page = String::from_utf8(band(colour)).unwrap();
        page.replace("</svg>", &format!("{more}</svg>"))
            .into_bytes()
    };
    save(&file, &band("#f00"), 0);
    let Some(mut show) = Show::of(&file) else {
        return;
    };
    show.wait_for_red();
    assert!(show.studio.board.take_notices().is_empty());
    save(&file, &with("#00f", slip), 5);
    show.until(BLUE, RED);
    let said = show.until_said(BLUE);
    assert!(
        said.contains("live-gone") && said.ends_with("page.svg)"),
        "{said}"
    );
    let korean = message(&said, Language::Ko);
    assert!(
        korean.starts_with("페이지") && !korean.contains("shows nothing"),
        "{korean}"
    );
    // The same again is not; a second one is.
    save(&file, &with("#f00", slip), 10);
    show.until(RED, BLUE);
    assert!(show.studio.board.take_notices().is_empty());
    let more = format!("{slip}{}", slip.replace("gone", "lost"));
    save(&file, &with("#00f", &more), 15);
    show.until(BLUE, RED);
    let said = show.until_said(BLUE);
    assert!(
        said.contains("And 1 more") && said.ends_with("page.svg"),
        "{said}"
    );
    let korean = message(&said, Language::Ko);
    assert!(korean.contains("1가지"), "{korean}");
}

#[test]
fn a_picture_that_a_page_links_is_followed_too() {
    let folder = tempfile::tempdir().unwrap();
    let (file, linked) = (
        folder.path().join("page.svg"),
        folder.path().join("art.png"),
    );
    let dot = |colour: [u8; 3], seconds| {
        let picture = image::RgbImage::from_pixel(4, 4, image::Rgb(colour));
        let mut png = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        save(&linked, png.get_ref(), seconds);
    };
    dot(BLUE, 0);
    let image = r##"<rect y="30" width="60" height="30" fill="#fff"/><image href="./art.png" y="30" width="60" height="30" preserveAspectRatio="none"/>"##;
    save(&file, &page(image), 0);
    let Some(mut show) = Show::of(&file) else {
        return;
    };
    let deadline = Instant::now() + PATIENCE;
    while show.next().1 != BLUE {
        assert!(Instant::now() < deadline);
    }
    dot(GREEN, 5);
    show.until(GREEN, BLUE);
    fs::remove_file(&linked).unwrap();
    show.until(WHITE, GREEN);
    dot(BLUE, 10);
    show.until(BLUE, WHITE);
}

/// In the gallery, too.
#[test]
fn the_users_folder_follows_linked_pictures() {
    let home = tempfile::tempdir().unwrap();
    let places = Places::under(home.path());
    let folder = places.data.join("pages");
    fs::create_dir_all(&folder).unwrap();
    let image = r#"<image href="art.png" y="30" width="60" height="30"/>"#;
    save(&folder.join("mine.svg"), &page(image), 0);
    let (library, warnings) = Library::load(&places, Language::En);
    assert!(warnings.is_empty(), "{warnings:?}");
    let told = || {
        let pages = library.pages(Language::En);
        let mine = pages.iter().find(|page| page.id() == "mine").unwrap();
        mine.warnings().len()
    };
    assert_eq!((library.refresh(), told()), (false, 1), "it is missing");
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4)
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    save(&folder.join("art.png"), png.get_ref(), 5);
    assert_eq!((library.refresh(), told()), (true, 0));
    assert!(!library.refresh());
    save(&folder.join("art.png"), b"no picture", 10);
    assert_eq!((library.refresh(), told()), (true, 1));
    assert!(!library.refresh());
}

/// The key N, on the running program.
#[test]
fn the_next_line_is_said_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.svg");
    let words = r##"<rect y="30" width="60" height="30" fill="#00f"/><text id="text-a" data-lines="one|two|three" data-lines-ko="one|two|three" data-secs="3600" x="2" y="50" font-size="9">one</text>"##;
    save(&file, &page(words), 0);
    let Some(mut show) = Show::of(&file) else {
        return;
    };
    let mut until = |text: &str| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            show.next();
            let view = show.studio.desk.view();
            if view.places.iter().any(|place| place.text == text) {
                return show.studio.desk.clone();
            }
            assert!(Instant::now() < deadline, "{text}: {:?}", view.places);
        }
    };
    for text in ["one", "two", "three", "one"] {
        until(text).order(Order::NextLine);
    }
}
