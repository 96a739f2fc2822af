//! What other programs ask over: a real server on a port of the system's choice, a client that
//! writes bytes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use panelcam::action::Action;
use panelcam::places::Places;
use panelcam::server::{Door, Facts, Looks};
use panelcam::settings::{Language, Listen, LookSettings, Settings};
use panelcam::shots::{Desk, View};
use panelcam::status::{Board, ServerState, Severity, Topic};
use panelcam::watch::Watch;
use panelcam::worker::Worker;
use panelcam::{inference, panels};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        self.body
    }

    /// It must have been refused so, with a sentence that has each of `words` in it.
    #[track_caller]
    fn refused(self, status: u16, words: &[&str]) {
        let said = self.body["error"].as_str().unwrap_or_default();
        assert_eq!(self.status, status, "{self:?}");
        assert!(said.ends_with('.') && said.len() > 20, "{self:?}");
        for word in words {
            assert!(said.contains(word), "nothing about {word:?} in: {said}");
        }
    }
}

/// Sends `request` as it is and reads what comes back; `None`: nothing but the end.
fn exchange(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_lowercase(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

/// Asks as curl does with `--json`; `more` are lines of the head.
fn ask_with(address: SocketAddr, line: &str, more: &[&str], body: &[u8]) -> Answer {
    let mut request = format!("{line} HTTP/1.1\r\n").into_bytes();
    let says = |name: &str| {
        more.iter()
            .any(|line| line.to_lowercase().starts_with(&format!("{name}:")))
    };
    if !says("host") {
        request.extend(format!("Host: {address}\r\n").bytes());
    }
    if !body.is_empty() {
        request.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
        if !says("content-type") {
            request.extend(b"Content-Type: application/json\r\n");
        }
    }
    for line in more {
        request.extend(format!("{line}\r\n").bytes());
    }
    request.extend(b"\r\n");
    request.extend(body);
    exchange(address, &request).unwrap_or_else(|| panic!("no answer to {line}"))
}

/// `line` is a method and an address.
pub fn ask(address: SocketAddr, line: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    ask_with(address, line, &[], body.as_bytes())
}

fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path}"), &Value::Null)
}

/// What a window does with a door, without the window.
struct Owner {
    settings: Arc<Mutex<Settings>>,
    actions: Arc<Mutex<Vec<Action>>>,
    hangs: Arc<AtomicBool>,
    board: Arc<Board>,
    desk: Arc<Desk>,
    worker: Option<Worker>,
}

impl Owner {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        settings.server.enabled = true;
        settings.server.listen = "127.0.0.1:0".parse().unwrap();
        change(&mut settings);
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let (board, desk) = (Board::new(), Desk::new());
        let looks = Looks {
            styles: Arc::new(inference::Library::load(&places).0),
            pages: Arc::new(panels::Library::load(&places, Language::En).0),
        };
        let facts = Facts {
            board: Arc::clone(&board),
            desk: Arc::clone(&desk),
            looks: Arc::new(Watch::new(Some(looks))),
        };
        let settings = Arc::new(Mutex::new(settings));
        let (actions, hangs) = (Arc::default(), Arc::<AtomicBool>::default());
        let mut owner = Self {
            settings: Arc::clone(&settings),
            actions: Arc::clone(&actions),
            hangs: Arc::clone(&hangs),
            board,
            desk,
            worker: None,
        };
        let worker = Worker::spawn("owner", move |stop| {
            let mut door = Door::new(facts, || {});
            while !stop.asked() {
                if !hangs.load(Ordering::SeqCst) {
                    let asked = door.tend(&mut settings.lock().unwrap());
                    actions.lock().unwrap().extend(asked);
                }
                stop.sleep(Duration::from_millis(5));
            }
        });
        owner.worker = Some(worker.unwrap());
        owner
    }

    fn state(&self) -> ServerState {
        self.board.status().server
    }

    /// Where it listens; waits until it does.
    fn address(&self) -> SocketAddr {
        let mut found = None;
        wait_for("an open door", || {
            if let ServerState::Listening(address) = self.state() {
                found = Some(address);
            }
            found.is_some()
        });
        found.unwrap()
    }

    fn look(&self) -> LookSettings {
        self.settings.lock().unwrap().look.clone()
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn words_are_read_changed_and_given_back() {
    let owner = Owner::new(|settings| settings.look.page = "webtoon".to_owned());
    let address = owner.address();
    let all = get(address, "/api/words").ok();
    assert_eq!(all["page"], "webtoon");
    let names: Vec<&str> = all["words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|words| words["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["line", "caption"]);
    let line = &all["words"][0];
    assert_eq!(
        (&line["is_bubble"], &line["changed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(line["text"], line["lines"][0]);

    let said = ask(
        address,
        "PUT /api/words/line",
        &json!({ "text": "안녕! 👋" }),
    )
    .ok();
    assert_eq!(
        (&said["text"], &said["changed"]),
        (&json!("안녕! 👋"), &json!(true))
    );
    assert_eq!(said["own"], line["own"]);
    assert_eq!(owner.look().texts["webtoon/line"], "안녕! 👋");
    assert_eq!(get(address, "/api/words/line").ok(), said);
    // An empty text shows nothing, and is no way back to the page's own.
    ask(address, "PUT /api/words/line", &json!({ "text": "" })).ok();
    assert_eq!(owner.look().texts["webtoon/line"], "");
    let back = ask(address, "DELETE /api/words/line", &Value::Null).ok();
    assert_eq!(
        (&back["text"], &back["changed"]),
        (&line["own"], &json!(false))
    );
    assert!(owner.look().texts.is_empty());

    for method in ["GET", "DELETE"] {
        let answer = ask(
            address,
            &format!("{method} /api/words/nobody"),
            &Value::Null,
        );
        answer.refused(404, &["webtoon", "nobody", "line, caption"]);
    }
    let put = |body: &str| ask_with(address, "PUT /api/words/line", &[], body.as_bytes());
    put("{\"text\":").refused(400, &["JSON"]);
    put("\u{0}\u{1}").refused(400, &["JSON"]);
    put(&"[".repeat(60_000)).refused(422, &["sequence"]);
    put("{\"text\": 7}").refused(422, &["string"]);
    put("{}").refused(422, &["text"]);
    put("").refused(422, &["text"]);
    put("{\"text\": \"a\", \"colour\": \"red\"}").refused(422, &["colour"]);
    let long = "가".repeat(LookSettings::LONGEST_TEXT + 1);
    put(&json!({ "text": long }).to_string()).refused(422, &["2001", "2000"]);
    put(&json!({ "text": "a".repeat(70_000) }).to_string()).refused(413, &["65536"]);
    put(&json!({ "text": "a".repeat(200_000) }).to_string()).refused(413, &["65536"]);
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    ask_with(address, "PUT /api/words/line", &form, b"text=hello").refused(415, &["--json"]);
    ask(address, "PUT /api/words", &json!({ "text": "a" })).refused(405, &["Allow"]);
    ask(address, "PUT /api/words/%ff", &json!({ "text": "a" })).refused(400, &["address"]);
    assert!(owner.look().texts.is_empty());

    // Hostile texts are kept as if somebody had typed them.
    let hostile = "\u{202e}\u{1e}a\r\nb\u{0}\u{7}שלום";
    ask(
        address,
        "PUT /api/words/caption",
        &json!({ "text": hostile }),
    )
    .ok();
    assert_eq!(owner.look().texts["webtoon/caption"], "\u{202e}a\nbשלום");
}

#[test]
fn the_look_is_changed_by_what_there_is() {
    let owner = Owner::new(|_| {});
    let address = owner.address();
    let patch = |body: Value| ask(address, "PATCH /api/settings", &body);
    let new = json!({ "style": "noir", "page": "none", "strength": 0.7 });
    assert_eq!(patch(new.clone()).ok(), new);
    let look = owner.look();
    assert_eq!(
        (look.style.as_str(), look.page.as_str(), look.strength),
        ("noir", "none", 0.7)
    );
    get(address, "/api/words/line").refused(404, &["no words"]);
    patch(json!({ "page": "two-panel" })).ok();
    assert_eq!(owner.look().style, "noir");
    assert_eq!(get(address, "/api/words").ok()["page"], "two-panel");

    patch(json!({ "style": "no\"ir" })).refused(422, &["no\"ir", "clean, romance, noir"]);
    patch(json!({ "page": "/etc/passwd" })).refused(422, &["none, webtoon"]);
    patch(json!({ "page": "../page.svg" })).refused(422, &["none, webtoon"]);
    patch(json!({ "strength": 1.5 })).refused(422, &["0 to 1"]);
    patch(json!({ "strength": -0.1, "style": "clean" })).refused(422, &["0 to 1"]);
    patch(json!({ "source": "demo" })).refused(422, &["source"]);
    patch(json!([])).refused(422, &[]);
    let look = owner.look();
    assert_eq!(
        (look.style.as_str(), look.page.as_str(), look.strength),
        ("noir", "two-panel", 0.7)
    );

    let home = crate::support::Home::new();
    for list in ["styles", "pages"] {
        let told = home.line(&format!("{list} --json")).ok().json();
        assert_eq!(get(address, &format!("/api/{list}")).ok(), told);
    }
}

#[test]
fn actions_are_those_of_buttons_and_no_others() {
    let owner = Owner::new(|settings| settings.look.page = "strip-pop".to_owned());
    let address = owner.address();
    let act = |name: &str, body: Value| ask(address, &format!("POST /api/actions/{name}"), &body);
    // Its shots are not on the program yet.
    act("take-shot", Value::Null).refused(503, &["strip-pop", "not on the program"]);
    owner.desk.show(View {
        page: "strip-pop".to_owned(),
        numbers: vec![1, 2, 3, 4],
        ..View::default()
    });
    for name in [
        "take-photo",
        "start-shots",
        "take-shot",
        "clear-shots",
        "finish-strip",
        "next-line",
    ] {
        let answer = act(name, Value::Null);
        assert_eq!((answer.status, &answer.body["action"]), (202, &json!(name)));
    }
    assert_eq!(act("retake-shot", json!({ "number": 2 })).status, 202);
    let asked = [
        Action::TakePhoto,
        Action::StartShots,
        Action::TakeShot,
        Action::ClearShots,
        Action::FinishStrip,
        Action::NextLine,
        Action::RetakeShot(2),
    ];
    wait_for("the actions", || *owner.actions.lock().unwrap() == asked);
    act("retake-shot", Value::Null).refused(422, &["1, 2, 3, 4"]);
    act("retake-shot", json!({ "number": 9 })).refused(422, &["1, 2, 3, 4"]);
    act("retake-shot", json!({ "number": 300 })).refused(422, &[]);
    for name in ["quit", "open-page", "Quit", "toggle-full-screen", "%2e%2e"] {
        act(name, Value::Null).refused(404, &["take-photo"]);
    }
    ask(address, "GET /api/actions/take-photo", &Value::Null).refused(405, &[]);
    ask(
        address,
        "PATCH /api/settings",
        &json!({ "page": "webtoon" }),
    )
    .ok();
    act("take-shot", Value::Null).refused(409, &["webtoon"]);
    assert_eq!(*owner.actions.lock().unwrap(), asked);
}

#[test]
fn what_goes_on_is_told() {
    let owner = Owner::new(|_| {});
    let address = owner.address();
    let notice = "The camera is gone.";
    owner.board.notice(Topic::Source, Severity::Warning, notice);
    // Whoever shows it takes it.
    assert_eq!(owner.board.take_notices().len(), 1);
    let status = get(address, "/api/status").ok();
    assert_eq!(status["name"], "panelcam");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["source"]["state"], "opening");
    assert_eq!(status["engine"]["provider"], Value::Null);
    assert_eq!(status["notices"][0]["text"], notice);
    for number in [
        "styled_per_second",
        "program_per_second",
        "dropped",
        "strength",
    ] {
        assert!(status[number].is_number(), "{status}");
    }
    get(address, "/").refused(404, &["/api/status"]);
    get(address, "/../../etc/passwd").refused(404, &[]);
    let head = get(address, "/api/status").head;
    assert!(head.contains("cache-control: no-store"), "{head}");
}

#[test]
fn web_pages_and_strange_names_are_refused() {
    let owner = Owner::new(|_| {});
    let address = owner.address();
    let port = address.port();
    let put = |more: &[&str]| ask_with(address, "PUT /api/words/line", more, b"{\"text\": \"a\"}");
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "192.168.0.1".to_owned(),
    ] {
        put(&[&format!("Host: {host}")]).refused(403, &["localhost"]);
    }
    for line in [
        "Origin: http://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
    ] {
        put(&[line]).refused(403, &["Web pages"]);
        let photo = ask_with(address, "POST /api/actions/take-photo", &[line], b"");
        photo.refused(403, &["Web pages"]);
        let asked = ask_with(address, "OPTIONS /api/words/line", &[line], b"");
        assert!(!asked.head.contains("access-control"), "{asked:?}");
        asked.refused(403, &[]);
    }
    assert!(owner.look().texts.is_empty());
    assert!(owner.actions.lock().unwrap().is_empty());
    put(&[&format!("Host: localhost:{port}")]).ok();
    let here = format!("Origin: http://{address}");
    let answer = put(&[&here, "Sec-Fetch-Site: same-origin"]);
    assert!(!answer.head.contains("access-control"), "{answer:?}");
    answer.ok();
    // Without a host at all, and what is no HTTP.
    let answer = exchange(address, b"GET /api/status HTTP/1.0\r\n\r\n");
    answer.unwrap().refused(403, &[]);
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n",
    ] {
        let mut request = garbage.to_vec();
        request.extend(b"\r\n\r\n");
        assert!(exchange(address, &request).is_none_or(|answer| answer.status >= 400));
    }
    let long = format!(
        "GET /api/{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a".repeat(100_000)
    );
    assert!(exchange(address, long.as_bytes()).is_none_or(|answer| answer.status >= 400));
    get(address, "/api/status").ok();
}

#[test]
fn where_other_machines_reach_it_a_token_is_made_and_needed() {
    let owner = Owner::new(|settings| settings.server.listen = "0.0.0.0:0".parse().unwrap());
    let port = owner.address().port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let token = owner.settings.lock().unwrap().server.token.clone().unwrap();
    assert!(token.len() >= 32, "{token}");
    let with = |line: &str| ask_with(address, "GET /api/status", &[line], b"");
    get(address, "/api/status").refused(401, &["Bearer TOKEN", "settings"]);
    with("Authorization: Bearer 0123456789abcdef").refused(401, &[]);
    with(&format!("Authorization: Basic {token}")).refused(401, &[]);
    ask(address, "GET /nothing", &Value::Null).refused(401, &[]);
    with(&format!("Authorization: Bearer {token}")).ok();
    let text = get(address, "/api/status").body.to_string();
    assert!(!text.contains(&token), "{text}");

    // One that somebody chose and others guess opens nothing.
    owner.settings.lock().unwrap().server.token = Some("booth".to_owned());
    wait_for("the closed door", || {
        matches!(owner.state(), ServerState::Failed(_))
    });
    assert!(TcpStream::connect(address).is_err());
    // On this machine alone it is up to its owner.
    owner.settings.lock().unwrap().server.listen = "127.0.0.1:0".parse().unwrap();
    wait_for("an open door", || {
        matches!(owner.state(), ServerState::Listening(_))
    });
    let address = owner.address();
    get(address, "/api/status").refused(401, &[]);
    ask_with(
        address,
        "GET /api/status",
        &["Authorization: Bearer booth"],
        b"",
    )
    .ok();
    owner.settings.lock().unwrap().server.token = None;
    // It opens anew, on another port.
    wait_for("a door without a token", || owner.address() != address);
    get(owner.address(), "/api/status").ok();
}

#[test]
fn who_says_nothing_holds_up_nobody_and_the_end_neither() {
    let owner = Owner::new(|_| {});
    let address = owner.address();
    let silent: Vec<TcpStream> = (0..20)
        .map(|number| {
            let mut stream = TcpStream::connect(address).unwrap();
            let begun: &[u8] = match number % 3 {
                0 => b"",
                1 => b"PUT /api/words/line HTTP/1.1\r\nHost: loc",
                _ => b"PUT /api/words/line HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
            };
            stream.write_all(begun).unwrap();
            stream
        })
        .collect();
    get(address, "/api/status").ok();
    ask(address, "PUT /api/words/line", &json!({ "text": "a" })).ok();
    let ending = Instant::now();
    drop(owner);
    assert!(
        ending.elapsed() < Duration::from_secs(4),
        "the end waits for silent clients"
    );
    assert!(TcpStream::connect(address).is_err());
    drop(silent);
}

/// As many as may be connected, and all of them silent: they are left after a while.
#[test]
fn silent_clients_are_left() {
    let owner = Owner::new(|_| {});
    let address = owner.address();
    let _silent: Vec<TcpStream> = (0..80)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    get(address, "/api/status").ok();
}

#[test]
fn a_window_that_hangs_is_told_and_does_nothing_later() {
    let owner = Owner::new(|_| {});
    let address = owner.address();
    owner.hangs.store(true, Ordering::SeqCst);
    let answer = ask(address, "PUT /api/words/line", &json!({ "text": "late" }));
    answer.refused(503, &["Nothing was changed"]);
    // What needs nobody is answered.
    get(address, "/api/status").ok();
    owner.hangs.store(false, Ordering::SeqCst);
    ask(
        address,
        "PUT /api/words/caption",
        &json!({ "text": "soon" }),
    )
    .ok();
    assert_eq!(owner.look().texts.len(), 1);
}

#[test]
fn a_port_that_is_taken_is_told_and_tried_again() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let owner = Owner::new(|settings| settings.server.listen = Listen(taken));
    wait_for("the reason", || {
        matches!(owner.state(), ServerState::Failed(_))
    });
    let ServerState::Failed(why) = owner.state() else {
        panic!("{:?}", owner.state());
    };
    assert!(
        why.contains("another program") && why.ends_with(&format!("({taken})")),
        "{why}"
    );
    let notices = owner.board.take_notices();
    assert_eq!((notices.len(), notices[0].topic), (1, Topic::Server));
    drop(other);
    assert_eq!(owner.address(), taken);
    assert_eq!(owner.board.take_notices(), []);
    get(taken, "/api/status").ok();

    // Off and on again while it runs.
    owner.settings.lock().unwrap().server.enabled = false;
    wait_for("the closed door", || owner.state() == ServerState::Off);
    assert!(TcpStream::connect(taken).is_err());
    owner.settings.lock().unwrap().server.enabled = true;
    assert_eq!(owner.address(), taken);
    get(taken, "/api/status").ok();
}

#[test]
fn nobody_listens_unless_somebody_wants_it() {
    assert!(!Settings::default().server.enabled);
    assert!(Settings::default().server.listen.0.ip().is_loopback());
    let owner = Owner::new(|settings| settings.server.enabled = false);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(owner.state(), ServerState::Off);
}
