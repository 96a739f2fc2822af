//! The running stage: settings followed frame by frame, newest wins, stops at once.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use panelcam::frame::{Frame, Picture, Size, Stamp, Styled};
use panelcam::inference::{self, Inference, Library, Runtime, Tuning};
use panelcam::mailbox::{Mailbox, Taken};
use panelcam::places::Places;
use panelcam::settings::{Control, Provider, Quality};
use panelcam::status::{Board, Severity, Stage};
use panelcam::watch::Watch;

use crate::inference::{chart, folder, runtime};

const SMALL: Size = Size::new(64, 48);

/// The running stage and everything around it.
pub struct Rig {
    input: Arc<Mailbox<Arc<Frame>>>,
    output: Arc<Mailbox<Styled>>,
    control: Arc<Watch<Control>>,
    pub board: Arc<Board>,
    library: Arc<Watch<Library>>,
    places: Places,
    stage: Option<Inference>,
    sequence: u64,
    _home: tempfile::TempDir,
}

impl Rig {
    /// Draws with the shipped styles and those of the named test models.
    pub fn start(runtime: &Arc<Runtime>, models: &[&str], style: &str) -> Self {
        Self::start_with(runtime, models, style, |_, _| {})
    }

    /// The same; `prepare` changes the home and the settings before.
    pub fn start_with(
        runtime: &Arc<Runtime>,
        models: &[&str],
        style: &str,
        prepare: impl FnOnce(&Places, &mut Control),
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        for name in models {
            let to = places.data.join("models").join(name);
            fs::create_dir_all(&to).unwrap();
            for file in ["model.toml".to_owned(), format!("{name}.onnx")] {
                fs::copy(folder(name).join(&file), to.join(&file)).unwrap();
            }
        }
        let (library, warnings) = Library::load(&places);
        assert_eq!(warnings, Vec::<String>::new());
        let mut control = Control::default();
        control.settings.look.style = style.to_owned();
        control.settings.inference.threads = Some(1);
        control.settings.inference.quality = Quality::Fast;
        prepare(&places, &mut control);
        let (input, output) = (Arc::new(Mailbox::new()), Arc::new(Mailbox::new()));
        let (control, board) = (Arc::new(Watch::new(control)), Board::new());
        let library = Arc::new(Watch::new(library));
        let stage = inference::start(
            Arc::clone(runtime),
            Arc::clone(&library),
            Arc::clone(&input),
            Arc::clone(&output),
            Arc::clone(&control),
            &places,
            Arc::clone(&board),
        )
        .unwrap();
        Self {
            input,
            output,
            control,
            board,
            library,
            places,
            stage: Some(stage),
            sequence: 0,
            _home: home,
        }
    }

    pub fn change(&self, change: impl FnOnce(&mut Control)) {
        let mut control = (*self.control.get()).clone();
        change(&mut control);
        self.control.set(control);
    }

    pub fn send(&mut self, picture: Picture) {
        self.sequence += 1;
        let stamp = Stamp {
            sequence: self.sequence,
            captured: Instant::now(),
        };
        self.input.send(Arc::new(Frame {
            stamp,
            picture: picture.into(),
        }));
    }

    pub fn take(&self) -> Styled {
        match self.output.take_within(Duration::from_secs(20)) {
            Taken::Value(styled) => styled,
            _ => panic!("no drawing came; {:?}", self.board.take_notices()),
        }
    }

    /// Sends the same picture until a drawing has this colour.
    fn until_drawn_in(&mut self, picture: &Picture, colour: [u8; 3]) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            self.send(picture.clone());
            let pixel = self.take().picture.pixel(8, 8).unwrap();
            if pixel[..3] == colour {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{pixel:?}, {:?}",
                self.board.take_notices()
            );
        }
    }
}

fn grey(size: Size) -> Picture {
    Picture::from_rgba(size, [100, 100, 100, 255].repeat(size.area())).unwrap()
}

#[test]
fn the_stage_draws_and_follows_the_settings_frame_by_frame() {
    let Some(runtime) = runtime() else { return };
    let mut rig = Rig::start(&runtime, &["colours", "invert"], "colours-red");
    let picture = grey(SMALL);
    rig.send(picture.clone());
    let styled = rig.take();
    assert_eq!(styled.picture.pixel(8, 8), Some([255, 0, 0, 100]));
    assert_eq!(
        (styled.frame.stamp.sequence, styled.picture.size()),
        (1, SMALL)
    );
    assert!(styled.shrunk.is_none(), "as large as its frame");

    // Another style of the same model and another strength: the very next drawing has it.
    rig.change(|control| control.settings.look.style = "colours-blue".to_owned());
    rig.send(picture.clone());
    assert_eq!(rig.take().picture.pixel(8, 8).unwrap()[..3], [0, 0, 255]);
    rig.change(|control| control.settings.look.strength = 0.0);
    rig.send(picture.clone());
    assert_eq!(rig.take().picture.pixel(8, 8).unwrap()[..3], [100; 3]);

    // A still source sends nothing more; the drawing follows the settings all the same.
    rig.change(|control| control.settings.look.strength = 1.0);
    assert_eq!(rig.take().picture.pixel(8, 8).unwrap()[..3], [0, 0, 255]);
    assert!(matches!(
        rig.output.take_within(Duration::from_millis(200)),
        Taken::TimedOut
    ));

    // Another model: the former draws until it is there.
    rig.change(|control| control.settings.look.style = "invert-plain".to_owned());
    rig.until_drawn_in(&picture, [155; 3]);
    // Other sizes of frames.
    let large = grey(Size::new(640, 480));
    rig.send(large.clone());
    rig.until_drawn_in(&large, [155; 3]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while rig.board.status().engine.size != Size::new(448, 336) {
        rig.send(large.clone());
        assert_eq!(rig.take().picture.pixel(8, 8).unwrap()[..3], [155; 3]);
        assert!(Instant::now() < deadline);
    }

    // A drawing smaller than its frame brings what it was drawn from, of the same moment.
    for shade in [30, 200, 90] {
        let moving = Picture::from_rgba(large.size(), [shade, shade, shade, 255].repeat(640 * 480));
        rig.send(moving.unwrap());
        let styled = rig.take();
        let shrunk = styled.shrunk.unwrap();
        assert_eq!(shrunk.size(), styled.picture.size());
        let of = |picture: &Picture| picture.pixel(8, 8).unwrap()[0];
        assert_eq!(of(&shrunk), of(&styled.frame.picture));
        assert_eq!(of(&styled.picture), 255 - of(&shrunk));
    }

    let status = rig.board.status();
    assert_eq!(
        (status.engine.provider, status.engine.threads),
        (Some(Provider::Cpu), 1)
    );
    assert!(
        status.engine.reason.contains("no other provider"),
        "{}",
        status.engine.reason
    );
    for stage in [Stage::Prepare, Stage::Inference, Stage::Finish] {
        assert!(status.stages[stage as usize].p50 > 0.0, "{stage:?}");
    }
    assert_eq!(rig.board.take_notices(), vec![]);
}

#[test]
fn what_the_settings_ask_for_in_vain_is_told_and_the_former_style_goes_on() {
    let Some(runtime) = runtime() else { return };
    let mut rig = Rig::start(&runtime, &["colours", "nan", "log"], "colours-green");
    let picture = grey(SMALL);
    rig.until_drawn_in(&picture, [0, 255, 0]);

    for (style, said) in [
        ("missing", "no style called missing"),
        ("nan-plain", "not numbers"),
    ] {
        rig.change(|control| control.settings.look.style = style.to_owned());
        let deadline = Instant::now() + Duration::from_secs(20);
        let notice = loop {
            rig.send(picture.clone());
            assert_eq!(rig.take().picture.pixel(8, 8).unwrap()[..3], [0, 255, 0]);
            if let Some(notice) = rig.board.take_notices().pop() {
                break notice;
            }
            assert!(Instant::now() < deadline, "nothing was told of {style}");
        };
        assert_eq!(notice.severity, Severity::Warning);
        assert!(notice.text.contains(said), "{}", notice.text);
    }

    rig.change(|control| {
        control.settings.look.style = "colours-red".to_owned();
        control.settings.inference.provider = Provider::Cuda;
    });
    rig.until_drawn_in(&picture, [255, 0, 0]);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !rig.board.status().engine.reason.contains("cuda") {
        rig.send(picture.clone());
        rig.take();
        assert!(Instant::now() < deadline);
    }
    assert!(
        rig.board
            .take_notices()
            .iter()
            .any(|notice| notice.text.contains("cuda"))
    );

    // A model that fails on some pictures: told once, and drawn again when it can.
    rig.change(|control| control.settings.look.style = "log-plain".to_owned());
    let white = Picture::from_rgba(SMALL, vec![255; SMALL.area() * 4]).unwrap();
    rig.until_drawn_in(&white, [0, 0, 0]);
    for _ in 0..3 {
        rig.send(Picture::new(SMALL));
        assert!(matches!(
            rig.output.take_within(Duration::from_millis(150)),
            Taken::TimedOut
        ));
    }
    assert_eq!(rig.board.take_notices().len(), 1);
    rig.until_drawn_in(&white, [0, 0, 0]);
}

#[test]
fn models_that_cannot_be_read_leave_the_running_style_alone() {
    let Some(runtime) = runtime() else { return };
    let mut rig = Rig::start(&runtime, &["colours"], "colours-green");
    let picture = grey(SMALL);
    rig.until_drawn_in(&picture, [0, 255, 0]);
    let models = rig.places.data.join("models");
    let onnx = fs::read(folder("invert").join("invert.onnx")).unwrap();
    let described = fs::read_to_string(folder("invert").join("model.toml")).unwrap();
    for (name, description, file) in [
        ("nothing", "", &[][..]),
        ("noise", "this is no description", b"this is no network"),
        ("half", &described, &onnx[..onnx.len() / 2]),
        // The one that draws, once more under another description.
        ("twice", "id = 'colours'", &onnx),
    ] {
        let model = models.join(name);
        fs::create_dir_all(&model).unwrap();
        fs::write(model.join("model.toml"), description).unwrap();
        fs::write(model.join("invert.onnx"), file).unwrap();
        let (library, warnings) = rig.library.get().reloaded(&rig.places);
        assert!(
            warnings.iter().any(|warning| warning.contains(name)),
            "{name}: {warnings:?}"
        );
        rig.library.set(library);
        for _ in 0..5 {
            rig.send(picture.clone());
            assert_eq!(
                rig.take().picture.pixel(8, 8).unwrap()[..3],
                [0, 255, 0],
                "{name}"
            );
        }
    }
    assert_eq!(rig.board.take_notices(), vec![]);
    // Its other styles are there as before.
    rig.change(|control| control.settings.look.style = "colours-red".to_owned());
    rig.until_drawn_in(&picture, [255, 0, 0]);
}

#[test]
fn a_style_that_cannot_be_loaded_at_the_start_does_not_leave_the_page_empty() {
    let Some(runtime) = runtime() else { return };
    let mut rig = Rig::start(&runtime, &["nan"], "nan-plain");
    rig.send(grey(Size::new(128, 96)));
    assert_eq!(rig.take().picture.size(), Size::new(128, 96));
    assert!(
        rig.board
            .take_notices()
            .iter()
            .any(|notice| notice.text.contains("not numbers"))
    );
}

/// What comes of frames is awaited, not timed: a busy machine draws them later, and no others.
#[test]
fn the_newest_frame_wins_and_the_stage_stops_at_once() {
    /// Frames that are on their way when the newest comes: one in each slot and one that is drawn.
    const UNDER_WAY: usize = 5;
    const BURST: usize = 30;
    let Some(runtime) = runtime() else { return };
    // No check of providers ends meanwhile, after which a frame would be drawn once more.
    let mut rig = Rig::start_with(&runtime, &[], "clean", |_, control| {
        control.settings.inference.provider = Provider::Cpu;
    });
    let picture = chart(Size::new(448, 256));
    rig.send(picture.clone());
    let mut last = rig.take().frame.stamp.sequence;
    let mut newer = |styled: &Styled| {
        let sequence = styled.frame.stamp.sequence;
        assert!(sequence > last, "{sequence} came after {last}");
        last = sequence;
        sequence
    };
    // Frames without a pause, faster than the network: it draws all the same.
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut drawn = 0;
    while drawn < 8 {
        rig.send(picture.clone());
        if let Some(styled) = rig.output.try_take() {
            newer(&styled);
            drawn += 1;
        }
        assert!(Instant::now() < deadline, "{drawn} of {}", rig.sequence);
    }
    // The last of many comes before most of those that were sent before it.
    let mut slowest = Duration::ZERO;
    for _ in 0..4 {
        for _ in 0..BURST {
            rig.send(picture.clone());
        }
        let (sent, mut before) = (Instant::now(), 0);
        while newer(&rig.take()) < rig.sequence {
            before += 1;
        }
        slowest = slowest.max(sent.elapsed());
        assert!(before <= UNDER_WAY, "{before} came before the newest");
    }
    // Every frame is drawn or counted somewhere, once; a drawing that nobody took is counted twice.
    let counted = || {
        let status = rig.board.status();
        let all = status.counts[1] + status.dropped + rig.input.replaced();
        all - rig.output.replaced()
    };
    while counted() != rig.sequence {
        assert!(
            Instant::now() < deadline,
            "{} of {}",
            counted(),
            rig.sequence
        );
        std::thread::sleep(Duration::from_millis(10));
    }

    rig.send(picture);
    let stopping = Instant::now();
    rig.stage = None;
    let (took, at_most) = (stopping.elapsed(), Duration::from_secs(1) + slowest * 4);
    assert!(took < at_most, "{took:?}, a drawing {slowest:?}");
}

#[test]
fn a_machine_that_is_slower_than_measured_draws_smaller() {
    let Some(runtime) = runtime() else { return };
    let large = Size::new(1280, 720);
    let mut rig = Rig::start_with(&runtime, &[], "clean", |places, control| {
        control.settings.inference.quality = Quality::Auto;
        let (library, _) = Library::load(places);
        let model = library.find("clean").unwrap().model;
        Tuning::with_threads(&runtime, &model, places, 1).unwrap();
        // As if it had been measured on a machine a thousand times as fast.
        let path = places.cache.join("tuning.toml");
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some((name @ "nanos_per_pixel", _)) => format!("{name} = 0.05"),
            _ => line.to_owned(),
        });
        fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    });
    let picture = chart(large);
    let deadline = Instant::now() + Duration::from_secs(60);
    // The first drawing is as large as the measurement allows.
    rig.send(picture.clone());
    assert_eq!(rig.take().picture.size(), large);
    let mut sizes = vec![large];
    while sizes.len() < 2 || rig.board.status().engine.size != sizes[sizes.len() - 1] {
        // A camera of a hundred frames a second.
        for _ in 0..3 {
            rig.send(picture.clone());
            std::thread::sleep(Duration::from_millis(10));
        }
        let size = rig.take().picture.size();
        if size != sizes[sizes.len() - 1] {
            sizes.push(size);
        }
        assert!(
            Instant::now() < deadline,
            "{sizes:?}, {:?}",
            rig.board.status().engine
        );
    }
    assert!(
        sizes.windows(2).all(|pair| pair[1].area() < pair[0].area()),
        "{sizes:?}"
    );
    let status = rig.board.status();
    assert!(
        status.engine.reason.contains("a picture of 1280x720 took"),
        "{}",
        status.engine.reason
    );
    assert_eq!(rig.board.take_notices(), vec![]);
}

/// Prints figures for `docs/performance.md`: `cargo test --release once_a_second -- --ignored
/// --nocapture`.
#[test]
#[ignore = "takes a minute and asserts little: its figures depend on what else the machine does"]
fn eight_styles_once_a_second() {
    let Some(runtime) = runtime() else { return };
    let rig = Rig::start(&runtime, &[], "clean");
    let styles = rig.library.get();
    let styles: Vec<String> = (styles.styles().iter())
        .map(|style| style.id.clone())
        .collect();
    switch_once_a_second(rig, &styles, 60);
}

/// The same with styles of three models, two of which are loaded at their first switch.
#[test]
#[ignore = "takes half a minute and asserts little: its figures depend on what else the machine does"]
fn three_models_once_a_second() {
    let Some(runtime) = runtime() else { return };
    let rig = Rig::start(&runtime, &["invert", "colours"], "clean");
    let styles = ["clean", "invert-plain", "noir", "colours-red"].map(str::to_owned);
    switch_once_a_second(rig, &styles, 30);
}

fn switch_once_a_second(mut rig: Rig, styles: &[String], seconds: usize) {
    let picture = chart(Size::new(1280, 720));
    let interval = Duration::from_millis(33);
    rig.send(picture.clone());
    rig.take();
    let (mut last, mut longest, mut drawn, mut memory) =
        (Instant::now(), Duration::ZERO, 0, Vec::new());
    for second in 0..seconds {
        let style = &styles[second % styles.len()];
        rig.change(|control| control.settings.look.style.clone_from(style));
        let end = Instant::now() + Duration::from_secs(1);
        let mut next = Instant::now();
        while Instant::now() < end {
            if Instant::now() >= next {
                next += interval;
                rig.send(picture.clone());
            }
            if let Taken::Value(_) = rig.output.take_within(Duration::from_millis(1)) {
                longest = longest.max(last.elapsed());
                (last, drawn) = (Instant::now(), drawn + 1);
            }
        }
        if second % 10 == 9 {
            memory.push(resident_mb());
        }
    }
    let dropped = rig.board.status().dropped;
    println!("{styles:?}: {drawn} drawings, {dropped} dropped");
    println!("longest time between two: {longest:?}; MB every 10 s: {memory:?}");
    assert_eq!(rig.board.take_notices(), vec![]);
}

/// Memory that this process holds, where the system says; else 0.
fn resident_mb() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    (pages.unwrap_or_default() * 4096) >> 20
}
