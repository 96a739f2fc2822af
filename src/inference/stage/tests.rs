use std::fs;

use std::sync::atomic::Ordering;

use super::*;
use crate::inference::provider::{Outcome, Verdict, Verdicts, stand_in};
use crate::settings::{Provider, Quality};

const SIZE: Size = Size::new(64, 48);

#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn runtime(places: &Places) -> Option<Arc<Runtime>> {
    match Runtime::load(places) {
        Ok(runtime) => Some(runtime),
        Err(error) if std::env::var_os("REQUIRE_RUNTIME").is_none() => {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The stage, with the clean style and a folder of its own.
struct Running {
    places: Places,
    control: Arc<Watch<Control>>,
    input: Arc<Mailbox<Arc<Frame>>>,
    output: Arc<Mailbox<Styled>>,
    board: Arc<Board>,
    sequence: u64,
    stage: Option<Inference>,
    _home: tempfile::TempDir,
}

impl Running {
    /// `None` where there is no ONNX Runtime. `prepare` fills the user's folders first.
    fn start(prepare: impl FnOnce(&Runtime, &Places)) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let runtime = runtime(&places)?;
        prepare(&runtime, &places);
        let (library, warnings) = Library::load(&places);
        assert!(warnings.is_empty(), "{warnings:?}");
        let mut control = Control::default();
        control.settings.look.style = "clean".to_owned();
        control.settings.inference.threads = Some(1);
        control.settings.inference.quality = Quality::Fast;
        let control = Arc::new(Watch::new(control));
        let (input, output) = (Arc::new(Mailbox::new()), Arc::new(Mailbox::new()));
        let board = Board::new();
        let stage = start(
            runtime,
            Arc::new(Watch::new(library)),
            Arc::clone(&input),
            Arc::clone(&output),
            Arc::clone(&control),
            &places,
            Arc::clone(&board),
        )
        .unwrap();
        Some(Self {
            places,
            control,
            input,
            output,
            board,
            sequence: 0,
            stage: Some(stage),
            _home: home,
        })
    }

    /// A drawing of a frame of one grey, if it comes soon.
    fn draw(&mut self, grey: u8) -> Option<Styled> {
        self.sequence += 1;
        let stamp = crate::frame::Stamp {
            sequence: self.sequence,
            captured: Instant::now(),
        };
        let mut picture = Picture::new(SIZE);
        picture.rgba_mut().fill(grey);
        let picture = picture.into();
        self.input.send(Arc::new(Frame { stamp, picture }));
        match self.output.take_within(Duration::from_millis(500)) {
            Taken::Value(styled) => Some(styled),
            _ => None,
        }
    }

    /// Draws frames of one grey until `done`.
    fn draw_until(&mut self, grey: u8, mut done: impl FnMut(&Self, &Styled) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert!(Instant::now() < deadline, "{:?}", self.board.status());
            if let Some(styled) = self.draw(grey)
                && done(self, &styled)
            {
                return;
            }
        }
    }

    /// Draws until `provider` does, and sees that it draws nearly every frame.
    fn draw_with(&mut self, provider: Provider) {
        self.draw_until(0, |running, _| {
            running.board.status().engine.provider == Some(provider)
        });
        let drawn = (0..20).filter_map(|_| self.draw(0)).count();
        assert!(drawn >= 19, "{drawn} of 20 by {}", provider.name());
    }

    /// The only notice there is, a warning.
    #[track_caller]
    fn warning(&self) -> String {
        let notices = self.board.take_notices();
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0].severity, Severity::Warning);
        notices[0].text.clone()
    }
}

/// As if the stand-in had been checked: it needs 40 ms for a picture.
fn checked(runtime: &Runtime, places: &Places) {
    found(runtime, places, stand_in::PROVIDER, 40.0);
}

/// As if `provider` had been found to need so many milliseconds for a picture.
fn found(runtime: &Runtime, places: &Places, provider: Provider, milliseconds: f64) {
    fs::create_dir_all(places.data.join("runtime").join(provider.id())).unwrap();
    let model = Library::load(places).0.find("clean").unwrap().model;
    let outcome = Outcome::Good {
        milliseconds,
        cpu_milliseconds: 400.0,
        difference: 0.5,
        pixels: SIZE.area() as u64,
    };
    let verdict = Verdict { provider, outcome };
    Verdicts::keep(runtime, &model, places, verdict);
}

/// Puts a model of the tests among the user's.
fn copy_model(name: &str, places: &Places) {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let to = places.data.join("models").join(name);
    fs::create_dir_all(&to).unwrap();
    for file in ["model.toml".to_owned(), format!("{name}.onnx")] {
        fs::copy(models.join(name).join(&file), to.join(&file)).unwrap();
    }
}

/// Tests that tell the stand-ins what to do.
static ONE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());

/// A provider draws; then the driver takes its device away. The CPU goes on, and that is said.
#[test]
fn a_provider_that_fails_while_it_draws_is_replaced_live() {
    let _one = ONE.lock();
    let Some(mut running) = Running::start(checked) else {
        return;
    };
    running.draw_with(Provider::Webgpu);
    assert_eq!(running.board.take_notices(), vec![]);
    stand_in::FAILS.store(true, Ordering::Relaxed);
    running.draw_with(Provider::Cpu);
    stand_in::FAILS.store(false, Ordering::Relaxed);
    let text = running.warning();
    assert!(
        text.contains("WebGPU is replaced by the CPU until the next start"),
        "{text}"
    );
    assert!(text.contains("the device was removed"), "{text}");
    let reason = running.board.status().engine.reason;
    assert!(
        reason.contains("WebGPU: not used until the next start")
            && reason.contains("the device was removed"),
        "{reason}"
    );
}

/// A provider fails and the next best compiles for long: the CPU draws meanwhile.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn the_cpu_draws_while_the_next_best_provider_compiles() {
    let _one = ONE.lock();
    let both = |runtime: &Runtime, places: &Places| {
        checked(runtime, places);
        found(runtime, places, stand_in::SECOND, 80.0);
    };
    let Some(mut running) = Running::start(both) else {
        return;
    };
    running.draw_with(stand_in::PROVIDER);
    stand_in::COMPILES.store(true, Ordering::Relaxed);
    stand_in::FAILS.store(true, Ordering::Relaxed);
    running.draw_with(Provider::Cpu);
    stand_in::FAILS.store(false, Ordering::Relaxed);
    let text = running.warning();
    assert!(text.contains("WebGPU is replaced by OpenVINO"), "{text}");
    stand_in::COMPILES.store(false, Ordering::Relaxed);
    running.draw_with(stand_in::SECOND);
    assert_eq!(running.board.take_notices(), vec![]);
}

/// A provider draws as fast as when it was checked; then something else takes its card. One slow
/// run is nothing; many are, when the CPU is faster.
#[test]
fn a_provider_that_gets_slow_is_replaced_live() {
    let _one = ONE.lock();
    let Some(mut running) = Running::start(checked) else {
        return;
    };
    running.draw_with(Provider::Webgpu);
    stand_in::SLOW.store(300, Ordering::Relaxed);
    running.draw(0);
    stand_in::SLOW.store(0, Ordering::Relaxed);
    running.draw_with(Provider::Webgpu);
    assert_eq!(running.board.take_notices(), vec![]);
    stand_in::SLOW.store(300, Ordering::Relaxed);
    running.draw_with(Provider::Cpu);
    stand_in::SLOW.store(0, Ordering::Relaxed);
    let text = running.warning();
    assert!(
        text.contains("WebGPU is replaced by the CPU") && text.contains("It needs"),
        "{text}"
    );
}

/// A network draws dark pictures; on a bright one it never ends. The style before goes on, and that
/// is said.
#[test]
fn a_model_that_never_ends_gives_way_to_the_style_before() {
    let prepare = |_: &Runtime, places: &Places| copy_model("endless", places);
    let Some(mut running) = Running::start(prepare) else {
        return;
    };
    running.draw_until(0, |_, _| true);
    let mut control = (*running.control.get()).clone();
    control.settings.look.style = "endless-plain".to_owned();
    running.control.set(control);
    // It inverts.
    let inverts = |_: &Running, styled: &Styled| styled.picture.rgba()[..3] == [255; 3];
    running.draw_until(0, inverts);
    assert_eq!(running.board.take_notices(), vec![]);
    running.draw_until(255, |running, styled| {
        !inverts(running, styled) && running.board.status().engine.provider.is_some()
    });
    let text = running.warning();
    assert!(text.contains("without an end"), "{text}");
    assert!(text.contains("endless.onnx"), "{text}");
    // A dark picture is not inverted any more: the clean style draws it.
    running.draw_until(0, |running, styled| !inverts(running, styled));
    assert!(running.places.data.join("models/endless").is_dir());
}

/// A driver hangs inside a run, where nobody can end it: the CPU goes on, that is said, and the window
/// could be closed. When the driver comes to itself, nothing of that run is seen.
#[test]
fn a_provider_that_hangs_is_left_behind() {
    let _one = ONE.lock();
    let Some(mut running) = Running::start(checked) else {
        return;
    };
    running.draw_with(Provider::Webgpu);
    stand_in::HANGS.store(true, Ordering::Relaxed);
    let hung = Instant::now();
    running.draw_until(0, |running, _| {
        running.board.status().engine.provider == Some(Provider::Cpu)
    });
    assert!(
        hung.elapsed() < Duration::from_secs(20),
        "{:?}",
        hung.elapsed()
    );
    running.draw_with(Provider::Cpu);
    let text = running.warning();
    assert!(
        text.contains("WebGPU is replaced by the CPU until the next start")
            && text.contains("it was left behind"),
        "{text}"
    );
    // The run ends after all. What it drew was another grey, and is not seen any more.
    let last = running.draw(200).unwrap().frame.stamp.sequence;
    stand_in::HANGS.store(false, Ordering::Relaxed);
    for _ in 0..20 {
        let drawn = running.draw(200).unwrap();
        assert!(drawn.frame.stamp.sequence > last);
    }
    assert_eq!(running.board.take_notices(), vec![]);
}

/// A driver hangs while the stage is stopped: that waits a while, not for ever.
#[test]
fn a_stage_that_hangs_can_be_stopped() {
    let _one = ONE.lock();
    let Some(mut running) = Running::start(checked) else {
        return;
    };
    running.draw_with(Provider::Webgpu);
    stand_in::HANGS.store(true, Ordering::Relaxed);
    running.draw(0);
    let stopping = Instant::now();
    running.stage = None;
    let took = stopping.elapsed();
    stand_in::HANGS.store(false, Ordering::Relaxed);
    assert!(took < HANGS + Duration::from_secs(5), "{took:?}");
}

/// One operator of a network takes minutes on bright pictures, on the CPU: the style before goes on.
#[test]
fn a_model_that_hangs_inside_an_operator_gives_way_to_the_style_before() {
    let prepare = |_: &Runtime, places: &Places| copy_model("stuck", places);
    let Some(mut running) = Running::start(prepare) else {
        return;
    };
    running.draw_until(0, |_, _| true);
    let mut control = (*running.control.get()).clone();
    control.settings.look.style = "stuck-plain".to_owned();
    running.control.set(control);
    let inverts = |_: &Running, styled: &Styled| styled.picture.rgba()[..3] == [255; 3];
    running.draw_until(0, inverts);
    running.draw_until(255, |running, styled| {
        !inverts(running, styled) && running.board.status().engine.provider.is_some()
    });
    let text = running.warning();
    assert!(
        text.contains("CPU has been drawing one picture") && text.contains("stuck.onnx"),
        "{text}"
    );
    running.draw_until(0, |running, styled| !inverts(running, styled));
}
