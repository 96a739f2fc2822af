//! Files dropped on the real window. The hand that drops them is a client of the display of its own
//! that speaks the protocol of drags (XDND, version 5) as a file manager does.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use image::RgbaImage;
use panelcam::source::Source;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{CURRENT_TIME, NONE};

use crate::import::bare;
use crate::inference::runtime;
use crate::support::{Home, Run};
use crate::window::{Window, colours};

/// How long an answer of the window may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The version of the protocol that is spoken.
const VERSION: u32 = 5;

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware,
        XdndSelection,
        XdndEnter,
        XdndPosition,
        XdndStatus,
        XdndLeave,
        XdndDrop,
        XdndFinished,
        XdndActionCopy,
        UriList: b"text/uri-list",
        PlainText: b"text/plain",
    }
}

/// What became of a drag.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Taken,
    /// The window wants nothing of the kind.
    Refused,
}

/// The source of a drag, with a window that nobody sees.
struct Hand {
    connection: RustConnection,
    atoms: Atoms,
    source: u32,
    target: u32,
    root: u32,
    /// How often the data was asked for.
    served: u32,
}

impl Hand {
    fn over(window: &Window) -> Self {
        let (connection, screen) = x11rb::connect(Some(&window.display.name)).unwrap();
        let atoms = Atoms::new(&connection).unwrap().reply().unwrap();
        let source = connection.generate_id().unwrap();
        let screen = &connection.setup().roots[screen];
        let (root, visual) = (screen.root, screen.root_visual);
        connection
            .create_window(
                0,
                source,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                visual,
                &CreateWindowAux::new(),
            )
            .unwrap()
            .check()
            .unwrap();
        let target = window.id.parse().unwrap();
        let aware = connection
            .get_property(false, target, atoms.XdndAware, AtomEnum::ATOM, 0, 1)
            .unwrap()
            .reply()
            .unwrap();
        let version = aware.value32().and_then(|mut values| values.next());
        assert_eq!(version, Some(VERSION), "the window takes drags");
        Self {
            connection,
            atoms,
            source,
            target,
            root,
            served: 0,
        }
    }

    /// Drags `data` of the kind `kind` over the window and lets go.
    fn drop(&mut self, kind: u32, data: &str) -> Outcome {
        self.served = 0;
        self.connection
            .set_selection_owner(self.source, self.atoms.XdndSelection, CURRENT_TIME)
            .unwrap();
        self.send(self.atoms.XdndEnter, [VERSION << 24, kind, 0, 0]);
        // A hand moves, and waits for the window's answer before it says where it is now.
        let mut accepted = false;
        for x in [300, 310, 320] {
            self.connection
                .warp_pointer(NONE, self.root, 0, 0, 0, 0, x, 400)
                .unwrap();
            let place = (u32::from(x.unsigned_abs()) << 16) | 400;
            let action = self.atoms.XdndActionCopy;
            self.send(self.atoms.XdndPosition, [0, place, CURRENT_TIME, action]);
            accepted = self.answer(self.atoms.XdndStatus, kind, data)[1] & 1 == 1;
        }
        if !accepted {
            self.send(self.atoms.XdndLeave, [0; 4]);
            return Outcome::Refused;
        }
        self.send(self.atoms.XdndDrop, [0, CURRENT_TIME, 0, 0]);
        let finished = self.answer(self.atoms.XdndFinished, kind, data);
        assert_eq!(finished[1] & 1, 1, "the drop was accepted");
        assert_eq!(self.served, 1);
        Outcome::Taken
    }

    fn files(&mut self, paths: &[&Path]) {
        let mut list = String::new();
        for path in paths {
            list.push_str("file://");
            for byte in path.to_str().unwrap().bytes() {
                match byte {
                    b'/' | b'.' | b'-' | b'_' => list.push(char::from(byte)),
                    _ if byte.is_ascii_alphanumeric() => list.push(char::from(byte)),
                    _ => write!(list, "%{byte:02X}").unwrap(),
                }
            }
            list.push_str("\r\n");
        }
        assert_eq!(self.drop(self.atoms.UriList, &list), Outcome::Taken);
    }

    fn send(&self, message: u32, rest: [u32; 4]) {
        let data = [self.source, rest[0], rest[1], rest[2], rest[3]];
        let event = ClientMessageEvent::new(32, self.target, message, data);
        self.connection
            .send_event(false, self.target, EventMask::NO_EVENT, event)
            .unwrap();
        self.connection.flush().unwrap();
    }

    /// Waits for a message of the window, and gives it the data meanwhile when it asks.
    fn answer(&mut self, message: u32, kind: u32, data: &str) -> [u32; 5] {
        let started = Instant::now();
        loop {
            match self.connection.poll_for_event().unwrap() {
                Some(Event::SelectionRequest(request)) => self.serve(&request, kind, data),
                Some(Event::ClientMessage(event)) if event.type_ == message => {
                    let told = event.data.as_data32();
                    assert_eq!(told[0], self.target);
                    return told;
                }
                Some(_) => {}
                None => {
                    assert!(started.elapsed() < PATIENCE, "the window does not answer");
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
    }

    fn serve(&mut self, request: &SelectionRequestEvent, kind: u32, data: &str) {
        assert_eq!(request.selection, self.atoms.XdndSelection);
        assert_eq!(request.target, kind);
        self.served += 1;
        self.connection
            .change_property8(
                PropMode::REPLACE,
                request.requestor,
                request.property,
                kind,
                data.as_bytes(),
            )
            .unwrap();
        let event = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: request.property,
        };
        self.connection
            .send_event(false, request.requestor, EventMask::NO_EVENT, event)
            .unwrap();
        self.connection.flush().unwrap();
    }
}

/// How much of the place where toasts stand has the colour of warnings.
fn warned(screen: &RgbaImage) -> usize {
    let colour = panelcam::ui::theme::WARN;
    screen
        .enumerate_pixels()
        .filter(|(x, y, pixel)| {
            *x < 400 && *y < 200 && pixel.0[..3] == [colour.r(), colour.g(), colour.b()]
        })
        .count()
}

/// A model becomes a style and is used, a page and a photo are used, and of anything else it is said
/// that it is none of these.
#[test]
fn files_dropped_on_the_window_are_used() {
    if runtime().is_none() {
        return;
    }
    let arguments = ["--source", "demo", "--page", "plain", "--quality", "fast"];
    let Some(mut window) = Window::open(&arguments) else {
        return;
    };
    window.wait_for("a picture", |window| colours(&window.picture()) > 300);
    let mut hand = Hand::over(&window);
    let files = Home::new();
    let file = |name: &str| files.folder.path().canonicalize().unwrap().join(name);

    // A file manager writes names as addresses.
    let model = file("손 그림 100%.onnx");
    std::fs::copy(bare("unit"), &model).unwrap();
    hand.files(&[&model]);
    window.wait_for("the style", |window| window.settings().look.style == "100");
    let added = "손 그림 100% was added to the styles.";
    assert!(window.said().contains(added), "{}", window.said());
    let folder = window.home.path().join("data/models/100");
    assert!(folder.join("model.toml").is_file());
    let list = Run::of(
        files
            .command(&["styles", "--json"])
            .env("PANELCAM_HOME", window.home.path()),
    );
    let listed = list.ok().json();
    let names = listed.as_array().unwrap().iter();
    assert!(
        names
            .into_iter()
            .any(|style| style["name"] == "손 그림 100%")
    );

    // Several at once: each is used for what it is.
    let (photo, page) = (file("a photo.PNG"), file("나의 페이지.svg"));
    RgbaImage::from_pixel(64, 64, image::Rgba([0, 0, 0, 255]))
        .save(&photo)
        .unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/four-cut.svg");
    std::fs::copy(shipped, &page).unwrap();
    hand.files(&[&photo, &page]);
    window.wait_for("the photo and the page", |window| {
        let settings = window.settings();
        settings.capture.source == Source::File(photo.clone())
            && Path::new(&settings.look.page) == page
    });
    let before = window.settings();
    assert_eq!(before.look.style, "100");

    // What it cannot use it says, in a toast and in its log.
    window.wait_for("the toasts to go", |window| warned(&window.picture()) == 0);
    let other = file("notes.txt");
    std::fs::write(&other, "notes").unwrap();
    hand.files(&[&other]);
    let text = format!(
        "This is neither a page (.svg), a model (.onnx), a photo nor a video. ({})",
        other.display()
    );
    window.wait_for("the words", |window| window.said().contains(&text));
    window.wait_for("the toast", |window| warned(&window.picture()) > 20);

    // Words dragged over it are no file.
    let words = hand.drop(hand.atoms.PlainText, "words");
    assert_eq!(words, Outcome::Refused);
    assert!(window.close().success());
    assert_eq!(window.settings(), before);
    assert_eq!(
        window.said().matches("WARN").count(),
        1,
        "{}",
        window.said()
    );
}
