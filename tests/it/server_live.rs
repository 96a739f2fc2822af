//! What other programs ask for, in the running program: `panelcam stream`, and the window.

use std::fs::File;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use image::RgbaImage;
use panelcam::compositor::Gpu;
use serde_json::{Value, json};

use crate::server::ask;
use crate::support::Home;
use crate::window::{Window, colours};

const PATIENCE: Duration = Duration::from_secs(40);

/// A photo: nothing moves but what is asked for.
const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");

/// A page with a bubble, and words below the picture.
fn page(folder: &Path) -> PathBuf {
    let path = folder.join("said.svg");
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300">
        <rect width="400" height="300" fill="#fff"/>
        <rect id="live" width="400" height="200"/>
        <g id="bubble-hello"><ellipse cx="320" cy="45" rx="70" ry="40" fill="#fff" stroke="#000"/>
            <text x="285" y="50" font-size="20">Hello!</text></g>
        <text id="text-title" x="20" y="260" font-size="32">Monday</text>
    </svg>"##;
    std::fs::write(&path, svg).unwrap();
    path
}

/// The address in what was said, once it is there.
fn address(said: &str) -> Option<SocketAddr> {
    let (_, rest) = said.split_once("Other programs may ask at http://")?;
    rest.split_once("/api/")?.0.parse().ok()
}

/// How many pixels are something else.
fn changed(a: &RgbaImage, b: &RgbaImage) -> usize {
    assert_eq!(a.dimensions(), b.dimensions());
    let differs = |(a, b): &(&image::Rgba<u8>, &image::Rgba<u8>)| {
        let channels = a.0.iter().zip(b.0);
        channels.map(|(a, b)| a.abs_diff(b)).max() > Some(60)
    };
    a.pixels().zip(b.pixels()).filter(differs).count()
}

/// `panelcam stream` in a home of its own.
struct Stream {
    program: Child,
    home: Home,
}

impl Stream {
    fn start(arguments: &[&str]) -> Self {
        let home = Home::new();
        let page = page(home.folder.path()).display().to_string();
        let mut all = vec!["stream", "--source", PHOTO];
        if !arguments.contains(&"--page") {
            all.extend(["--page", &page]);
        }
        all.extend(["--quality", "fast", "--threads", "1"]);
        all.extend(arguments);
        let mut command = home.command(&all);
        command.stderr(File::create(home.path("said.txt")).unwrap());
        Self {
            program: command.spawn().unwrap(),
            home,
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.home.path("said.txt")).unwrap()
    }

    #[track_caller]
    fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let ended = self.program.try_wait().unwrap();
            assert!(ended.is_none(), "ended before {what}\n{}", self.said());
            let waited = started.elapsed();
            assert!(waited < PATIENCE, "{what} did not come\n{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn photos(&self) -> Vec<PathBuf> {
        let files = self.home.path("home/pictures").read_dir();
        let paths = files.into_iter().flatten().map(|file| file.unwrap().path());
        let mut photos: Vec<_> = paths
            .filter(|path| {
                path.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with("panelcam-")
            })
            .collect();
        photos.sort();
        photos
    }

    /// The program now, taken as a photo by what is tested.
    fn photo(&mut self, address: SocketAddr) -> RgbaImage {
        let before = self.photos();
        assert_eq!(
            ask(address, "POST /api/actions/take-photo", &Value::Null).status,
            202
        );
        let path = self.wait_for("a photo", |stream| {
            stream
                .photos()
                .into_iter()
                .find(|path| !before.contains(path))
        });
        image::open(path).unwrap().to_rgba8()
    }

    /// The program once it stands still: drawings get sharper and bubbles find their places, and one
    /// that was being made when something was asked for does not show it.
    fn settled(&mut self, address: SocketAddr) -> RgbaImage {
        std::thread::sleep(Duration::from_millis(300));
        let mut last = self.photo(address);
        for _ in 0..40 {
            let next = self.photo(address);
            if changed(&last, &next) < 5 {
                return next;
            }
            last = next;
        }
        panic!("the program does not stand still\n{}", self.said());
    }

    /// Ctrl-C, and what is left.
    fn stop(&mut self) -> bool {
        let id = self.program.id().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-INT", &id]).status().unwrap().success());
        let started = Instant::now();
        loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                return status.success();
            }
            assert!(
                started.elapsed() < PATIENCE,
                "it did not end\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Whether there is what draws.
fn draws() -> bool {
    if crate::inference::runtime().is_none() {
        return false;
    }
    match Gpu::headless() {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("REQUIRE_GPU").is_none(), "{error}");
            eprintln!("SKIPPED: {error}");
            false
        }
    }
}

#[cfg(unix)]
#[test]
fn stream_draws_what_other_programs_say() {
    if !draws() {
        return;
    }
    let mut stream = Stream::start(&["--serve", "127.0.0.1:0", "--size", "400x300"]);
    let address = stream.wait_for("the address", |stream| address(&stream.said()));
    let words = ask(address, "GET /api/words", &Value::Null).ok();
    assert_eq!(words["page"], "said");
    stream.wait_for("a picture", |stream| {
        stream.said().contains("Streaming.").then_some(())
    });
    // Below the picture stands the title; the bubble is where it found a place.
    let parts = [
        ("title", "일요일 밤 WWW", 205),
        ("hello", "안녕! 여러분 모두 안녕!", 0),
    ];
    for (name, text, top) in parts {
        let part = |photo: &RgbaImage| {
            let height = if top == 0 { 200 } else { 300 - top };
            image::imageops::crop_imm(photo, 0, top, 400, height).to_image()
        };
        let own = part(&stream.settled(address));
        let line = format!("/api/words/{name}");
        let said = ask(address, &format!("PUT {line}"), &json!({ "text": text })).ok();
        assert_eq!(said["text"], text);
        let typed = part(&stream.settled(address));
        assert!(changed(&own, &typed) > 200, "{name} does not show");
        ask(address, &format!("DELETE {line}"), &Value::Null).ok();
        let back = part(&stream.settled(address));
        assert!(changed(&typed, &back) > 200, "{name} does not come back");
        if name == "title" {
            assert!(changed(&own, &back) < 10, "{name} is not what it was");
        }
    }
    let status = ask(address, "GET /api/status", &Value::Null).ok();
    assert_eq!(status["source"]["state"], "live");
    assert_eq!(status["engine"]["provider"], "cpu");

    // What is asked for holds for this run, and a silent client does not hold up its end.
    ask(address, "PATCH /api/settings", &json!({ "style": "noir" })).ok();
    let mut silent = TcpStream::connect(address).unwrap();
    silent.write_all(b"GET /api/status HTTP/1.1\r\n").unwrap();
    assert!(stream.stop(), "{}", stream.said());
    assert!(!stream.home.path("home/config/settings.toml").exists());
}

/// A clip has one size, whatever page is asked for while it is written.
#[cfg(unix)]
#[test]
fn another_page_fits_into_the_clip() {
    if !draws() {
        return;
    }
    let mut stream = Stream::start(&["--serve", "127.0.0.1:0", "--output", "clip.mp4"]);
    let address = stream.wait_for("the address", |stream| address(&stream.said()));
    stream.wait_for("a picture", |stream| {
        stream.said().contains("Streaming.").then_some(())
    });
    ask(
        address,
        "PATCH /api/settings",
        &json!({ "page": "strip-pop" }),
    )
    .ok();
    // There is something to take with the first drawing after that.
    stream.wait_for("the shot", |_| {
        ask(address, "POST /api/actions/take-shot", &Value::Null).ok();
        let status = ask(address, "GET /api/status", &Value::Null).ok();
        (status["shots"]["taken"][0] == 1).then_some(())
    });
    assert!(stream.stop(), "{}", stream.said());
    let probe = crate::support::ffprobe(&stream.home.path("clip.mp4"));
    let video = crate::support::stream(&probe, "video").unwrap();
    assert_eq!(
        (&video["width"], &video["height"]),
        (&json!(400), &json!(300))
    );
}

#[cfg(unix)]
#[test]
fn stream_goes_on_where_the_port_is_taken_and_keeps_its_token() {
    if !draws() {
        return;
    }
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let mut stream = Stream::start(&["--serve", &taken]);
    stream.wait_for("a picture", |stream| {
        let said = stream.said();
        let both = said.contains("another program has this port") && said.contains("Streaming.");
        both.then_some(())
    });
    assert!(stream.stop(), "{}", stream.said());

    let mut stream = Stream::start(&["--serve", "0.0.0.0:0"]);
    let listening = stream.wait_for("the address", |stream| address(&stream.said()));
    let here = SocketAddr::from(([127, 0, 0, 1], listening.port()));
    assert_eq!(ask(here, "GET /api/status", &Value::Null).status, 401);
    let path = stream.home.path("home/config/settings.toml");
    stream.wait_for("the token", |stream| {
        stream.said().contains("need the token").then_some(())
    });
    let token = panelcam::settings::Settings::load(&path).0.server.token;
    let token = token.unwrap();
    assert!(!stream.said().contains(&token), "{}", stream.said());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "others can read the token: {mode:o}");
    }
}

/// The lines of `docs/api.md` that ask, one after the other, as somebody copies them.
#[cfg(unix)]
#[test]
fn every_line_of_the_document_works() {
    if !draws() {
        return;
    }
    let version = std::process::Command::new("curl").arg("--version").output();
    let version = version.map_or_else(|_| Vec::new(), |said| said.stdout);
    let version = String::from_utf8_lossy(&version).into_owned();
    let mut numbers = version
        .split([' ', '.'])
        .skip(1)
        .map_while(|part| part.parse().ok());
    if (numbers.next(), numbers.next()) < (Some(7), Some(82)) {
        eprintln!("SKIPPED: no curl that knows --json: {version}");
        return;
    }
    let mut stream = Stream::start(&[
        "--serve",
        "127.0.0.1:0",
        "--page",
        "webtoon",
        "--size",
        "240x300",
    ]);
    let address = stream.wait_for("the address", |stream| address(&stream.said()));
    stream.wait_for("a picture", |stream| {
        stream.said().contains("Streaming.").then_some(())
    });
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");
    let text = std::fs::read_to_string(document).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("curl ") && line.contains("localhost"));
    let mut asked = 0;
    for line in lines {
        let line = line.replace("localhost:7262", &address.to_string());
        let line = line.replacen("curl", "curl -sS --fail-with-body --max-time 20", 1);
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", &line]).output().unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{line}\n{answer}{output:?}");
        assert!(
            serde_json::from_str::<Value>(&answer).is_ok(),
            "{line}\n{answer}"
        );
        asked += 1;
    }
    assert!(asked >= 6, "only {asked} lines were found");
}

/// Typed or asked for, on the screen or not: the same settings.
#[test]
fn the_window_shows_and_keeps_what_other_programs_say() {
    let folder = tempfile::tempdir().unwrap();
    let page = page(folder.path()).display().to_string();
    let arguments = ["--source", PHOTO, "--page", &page, "--serve", "127.0.0.1:0"];
    let Some(mut window) = Window::open(&[&arguments[..], &["--quality", "fast"]].concat()) else {
        return;
    };
    let mut found = None;
    window.wait_for("the address", |window| {
        found = address(&window.said());
        found.is_some()
    });
    let address = found.unwrap();
    window.wait_for("a picture", |window| colours(&window.picture()) > 300);
    window.wait_for("the page", |_| {
        ask(address, "GET /api/words", &Value::Null).status == 200
    });
    // Beside the panel, the lower part of the page: its words.
    let title =
        |screen: &RgbaImage| image::imageops::crop_imm(screen, 20, 580, 880, 200).to_image();
    let is_white = |screen: &RgbaImage| {
        let title = title(screen);
        title.pixels().filter(|pixel| pixel.0 == [255; 4]).count() > 88 * 1000
    };
    window.wait_for("the page on the screen", |window| {
        is_white(&window.picture())
    });
    let own = title(&window.picture());
    ask(
        address,
        "PUT /api/words/title",
        &json!({ "text": "일요일 밤 WWWWW" }),
    )
    .ok();
    window.wait_for("the words", |window| {
        changed(&own, &title(&window.picture())) > 500
    });
    window.wait_for("the settings file", |window| {
        let texts = window.settings().look.texts;
        texts
            .get("said/title")
            .is_some_and(|text| text == "일요일 밤 WWWWW")
    });
    assert!(
        !window.settings().server.enabled,
        "an option of the command line was kept"
    );

    // Nobody sees it, and it answers.
    let id = window.id.clone();
    window.display.xdotool(&format!("windowunmap {id}"));
    std::thread::sleep(Duration::from_millis(500));
    ask(address, "DELETE /api/words/title", &Value::Null).ok();
    ask(address, "PATCH /api/settings", &json!({ "style": "noir" })).ok();
    window.display.xdotool(&format!("windowmap {id}"));
    window.wait_for("the artist's words", |window| {
        changed(&own, &title(&window.picture())) < 100
    });
    window.display.xdotool(&format!("windowfocus --sync {id}"));
    let _silent = TcpStream::connect(address).unwrap();
    assert!(window.close().success());
    let look = window.settings().look;
    assert_eq!((look.style.as_str(), look.texts.len()), ("noir", 0));
    assert!(TcpStream::connect(address).is_err());
}
