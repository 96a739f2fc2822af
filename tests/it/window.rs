//! The real window, on a display that nobody sees: Xvfb and the graphics driver there is. The
//! screen is read back and looked at; keys come from xdotool.
//!
//! Without Xvfb, xdotool or ffmpeg these tests skip and say so; `REQUIRE_DISPLAY=1` makes that a
//! failure.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::panic,
    reason = "helpers of tests; a skipped test must say so"
)]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::RgbaImage;
use panelcam::settings::Settings;

/// Slow machines and debug builds: how long to wait for what comes within a second or two.
const PATIENCE: Duration = Duration::from_secs(40);

/// Where what a window says on its standard error goes, in its home.
const SAID: &str = "said.txt";

/// One display at a time: servers that start together can pick the same number.
static ONE: Mutex<()> = Mutex::new(());

/// A display of its own.
pub struct Display {
    _one: MutexGuard<'static, ()>,
    server: Child,
    pub name: String,
    size: (u32, u32),
}

impl Display {
    /// `None` where it cannot be had.
    fn open(size: (u32, u32)) -> Option<Self> {
        for tool in ["Xvfb", "xdotool", "ffmpeg"] {
            if !is_installed(tool) {
                assert!(
                    std::env::var("REQUIRE_DISPLAY").as_deref() != Ok("1"),
                    "{tool} is not installed"
                );
                eprintln!("SKIPPED: {tool} is not installed, so no window is opened");
                return None;
            }
        }
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // The server picks a free number itself and tells it on its standard output. Without
        // `-noreset` it starts anew whenever its last client leaves, as xdotool does all the time,
        // and refuses whoever comes in that moment.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-nolisten", "tcp"])
            .args(["-screen", "0"])
            .arg(format!("{}x{}x24", size.0, size.1))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        let mut said = BufReader::new(server.stdout.take().unwrap());
        said.read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        let display = Self {
            _one: one,
            server,
            name,
            size,
        };
        // It tells the number a moment before everybody can connect.
        let started = Instant::now();
        while display.xdotool("getdisplaygeometry").is_empty() {
            assert!(started.elapsed() < PATIENCE, "the display does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(display)
    }

    /// What is on the screen now.
    fn picture(&self, folder: &Path) -> RgbaImage {
        let path = folder.join("screen.png");
        let status = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-y",
                "-f",
                "x11grab",
                "-draw_mouse",
                "0",
                "-video_size",
            ])
            .arg(format!("{}x{}", self.size.0, self.size.1))
            .args(["-i", &self.name, "-frames:v", "1"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        image::open(&path).unwrap().to_rgba8()
    }

    /// Runs xdotool and gives what it says; empty when it fails.
    pub fn xdotool(&self, line: &str) -> String {
        let output = Command::new("xdotool")
            .args(line.split_whitespace())
            .env("DISPLAY", &self.name)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn is_installed(tool: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
}

/// panelcam with its window open on a [`Display`].
pub struct Window {
    program: Child,
    pub id: String,
    pub display: Display,
    pub home: tempfile::TempDir,
}

impl Window {
    /// `None` where there is no display. `arguments` are those of the command line.
    pub fn open(arguments: &[&str]) -> Option<Self> {
        Self::open_with(arguments, &[])
    }

    /// The same, with variables of the environment.
    pub fn open_with(arguments: &[&str], environment: &[(&str, &str)]) -> Option<Self> {
        let display = Display::open((1280, 800))?;
        let home = tempfile::tempdir().unwrap();
        let program = Command::new(env!("CARGO_BIN_EXE_panelcam"))
            .args(arguments)
            .env("DISPLAY", &display.name)
            .env("XDG_RUNTIME_DIR", home.path())
            .env("PANELCAM_HOME", home.path())
            .env("LC_ALL", "C.UTF-8")
            .env("RUST_LOG", "error,panelcam=info,wgpu_hal=off")
            .env_remove("WAYLAND_DISPLAY")
            .envs(environment.iter().copied())
            .stderr(File::create(home.path().join(SAID)).unwrap())
            .spawn()
            .unwrap();
        let mut window = Self {
            program,
            id: String::new(),
            display,
            home,
        };
        window.wait_for("the window", |window| {
            window.id = window
                .display
                .xdotool("search --onlyvisible --name ^panelcam$");
            !window.id.is_empty()
        });
        // There is no window manager that would give it the keyboard.
        window
            .display
            .xdotool(&format!("windowfocus --sync {}", window.id));
        Some(window)
    }

    pub fn wait_for(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let started = Instant::now();
        while !done(self) {
            if let Some(status) = self.program.try_wait().unwrap() {
                panic!("panelcam ended before {what}: {status}\n{}", self.said());
            }
            let waited = started.elapsed();
            assert!(waited < PATIENCE, "{what} did not come\n{}", self.said());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn picture(&self) -> RgbaImage {
        self.display.picture(self.home.path())
    }

    fn press(&self, key: &str) {
        self.display.xdotool(&format!("key {key}"));
    }

    /// What it has said up to now.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.home.path().join(SAID)).unwrap()
    }

    pub fn settings(&self) -> Settings {
        let path: PathBuf = self.home.path().join("config/settings.toml");
        Settings::load(&path).0
    }

    /// Closes the window with its key, and waits for the end. Its close button is drawn by a
    /// window manager, and there is none.
    pub fn close(&mut self) -> ExitStatus {
        self.press("ctrl+q");
        let started = Instant::now();
        loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "panelcam did not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// How many different colours the middle of the preview has: a few on the starting screen,
/// thousands in a picture.
pub fn colours(screen: &RgbaImage) -> usize {
    let mut seen = std::collections::HashSet::new();
    for y in (250..550).step_by(3) {
        seen.extend((150..800).step_by(3).map(|x| screen.get_pixel(x, y).0));
    }
    seen.len()
}

/// Whether the control panel is there: its main button is the largest patch of the accent.
fn has_panel(screen: &RgbaImage) -> bool {
    let accent = panelcam::ui::theme::ACCENT;
    let found = screen
        .enumerate_pixels()
        .filter(|(x, y, pixel)| {
            *x > 950 && *y > 600 && pixel.0[..3] == [accent.r(), accent.g(), accent.b()]
        })
        .count();
    found > 1000
}

#[test]
fn the_picture_is_on_the_screen_and_the_panel_hides() {
    let Some(mut window) = Window::open(&["--source", "demo"]) else {
        return;
    };
    window.wait_for("a picture", |window| colours(&window.picture()) > 300);
    assert!(has_panel(&window.picture()));
    window.press("Tab");
    window.wait_for("the panel to hide", |window| !has_panel(&window.picture()));
    window.press("F1");
    window.wait_for("the panel to come back", |window| {
        has_panel(&window.picture())
    });
    assert!(window.close().success());
}

/// The share of the preview's middle that has colour.
fn coloured(screen: &RgbaImage) -> f64 {
    let (mut all, mut coloured) = (0, 0);
    for y in (200..600).step_by(3) {
        for x in (100..840).step_by(3) {
            let rgb = &screen.get_pixel(x, y).0[..3];
            let spread = rgb.iter().max().unwrap_or(&0) - rgb.iter().min().unwrap_or(&0);
            all += 1;
            coloured += u32::from(spread > 40);
        }
    }
    f64::from(coloured) / f64::from(all)
}

/// So small that neither the screen tone nor how it was scaled matters.
fn small(picture: &image::GrayImage) -> image::GrayImage {
    image::imageops::resize(picture, 45, 25, image::imageops::FilterType::Triangle)
}

/// The astronaut is orange; drawn in black and white it is not, in the window and in the photo, and the
/// photo is what the window shows.
#[test]
fn the_drawing_is_on_the_screen_and_in_the_photo() {
    // A photo: it stays as it is between the photo and the look at the screen.
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");
    let arguments = [
        "--source",
        source,
        "--style",
        "manga",
        "--page",
        "plain",
        "--quality",
        "fast",
    ];
    let Some(mut window) = Window::open(&arguments) else {
        return;
    };
    window.wait_for("a picture", |window| colours(&window.picture()) > 100);
    window.wait_for("the drawing", |window| coloured(&window.picture()) < 0.01);
    window.display.xdotool("keydown c");
    window.wait_for("the camera's picture", |window| {
        coloured(&window.picture()) > 0.1
    });
    window.display.xdotool("keyup c");
    window.wait_for("the drawing again", |window| {
        coloured(&window.picture()) < 0.01
    });

    window.press("space");
    let folder = window.home.path().join("pictures");
    window.wait_for("the photo", |_| {
        folder
            .read_dir()
            .is_ok_and(|mut files| files.next().is_some())
    });
    let path = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    let photo = image::open(&path).unwrap().to_luma8();
    assert_eq!(photo.dimensions(), (1280, 720));
    let photo = small(&photo);
    // The window lights up for a moment when a photo is taken.
    window.wait_for("the photo's picture on the screen", |window| {
        // Beside the panel, 20 points from the edges, in the middle of the height.
        let screen = window.picture();
        let shown = image::imageops::crop_imm(&screen, 20, (800 - 506) / 2, 900, 506).to_image();
        let shown = small(&image::DynamicImage::from(shown).to_luma8());
        // The upper left corner is under the toast.
        let inside = photo
            .enumerate_pixels()
            .filter(|(x, y, _)| *x > 24 || *y > 6);
        let (sum, count) = inside.fold((0.0, 0.0), |(sum, count), (x, y, pixel)| {
            let difference = pixel.0[0].abs_diff(shown.get_pixel(x, y).0[0]);
            (sum + f64::from(difference), count + 1.0)
        });
        sum / count < 12.0
    });
    assert!(window.close().success());
}

#[test]
fn settings_are_saved_and_a_resized_or_hidden_window_goes_on() {
    let Some(mut window) = Window::open(&["--source", "demo"]) else {
        return;
    };
    window.wait_for("a picture", |window| colours(&window.picture()) > 300);
    let id = window.id.clone();
    for line in [
        format!("windowsize {id} 480 360"),
        format!("windowunmap {id}"),
        format!("windowmap {id}"),
        format!("windowsize {id} 1280 800"),
    ] {
        window.display.xdotool(&line);
        std::thread::sleep(Duration::from_millis(400));
    }
    window.wait_for("the picture again", |window| {
        colours(&window.picture()) > 300
    });
    window.display.xdotool(&format!("windowfocus --sync {id}"));
    let mirror = Settings::default().look.mirror;
    window.press("m");
    window.wait_for("the settings file", |window| {
        window.settings().look.mirror != mirror
    });
    window.press("m");
    // Closed before the second is over that it waits with saving.
    std::thread::sleep(Duration::from_millis(300));
    assert!(window.close().success());
    assert_eq!(window.settings().look.mirror, mirror);
}

/// Four keys take the shots of a four-cut page, one more saves it.
#[test]
fn a_strip_is_shot_and_saved_with_keys() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/astronaut.jpg");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages/four-cut.svg");
    let arguments = [
        "--source",
        source,
        "--page",
        page,
        "--size",
        "200x600",
        "--quality",
        "fast",
    ];
    let Some(mut window) = Window::open(&arguments) else {
        return;
    };
    window.wait_for("a picture", |window| colours(&window.picture()) > 100);
    let folder = window.home.path().join("pictures");
    let mut pressed = 0;
    // A key that comes before the first drawing takes nothing, one after the last shot neither, and a
    // strip that is not full is not saved: on a slow machine more are pressed.
    window.wait_for("the strip", |window| {
        window.press(if pressed % 8 == 7 { "ctrl+s" } else { "t" });
        pressed += 1;
        folder.read_dir().is_ok_and(|mut files| {
            files.any(|file| {
                let name = file.unwrap().file_name().to_string_lossy().into_owned();
                name.starts_with("panelcam-strip-") && name.ends_with(".png")
            })
        })
    });
    let path = folder.read_dir().unwrap().next().unwrap().unwrap().path();
    let strip = image::open(&path).unwrap();
    assert_eq!((strip.width(), strip.height()), (200, 600));
    assert!(window.close().success());
}

#[test]
fn without_a_display_it_says_what_to_use() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_panelcam"))
        .args(["--source", "demo"])
        .env("PANELCAM_HOME", home.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("panelcam stream") && said.contains("panelcam convert"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
}
