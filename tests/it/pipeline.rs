//! The stages wired together, on the test pattern and a network that inverts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use panelcam::capture::Pattern;
use panelcam::compositor::Gpu;
use panelcam::frame::{Picture, Size};
use panelcam::mailbox::Taken;
use panelcam::pipeline::{LIVE_FPS, Pipeline, Setup};
use panelcam::places::Places;
use panelcam::settings::{Quality, Settings};
use panelcam::source::Source;
use panelcam::status::{Board, Rate};

const SIZE: Size = Size::new(128, 64);
const PATIENCE: Duration = Duration::from_secs(30);

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_frame_becomes_a_program_and_a_slow_output_slows_nobody() {
    let Some(runtime) = crate::inference::runtime() else {
        return;
    };
    let gpu = match Gpu::headless() {
        Ok(gpu) => gpu,
        Err(error) => {
            assert!(std::env::var_os("REQUIRE_GPU").is_none(), "{error}");
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    let home = tempfile::tempdir().unwrap();
    let places = Places::under(home.path());
    let model = places.data.join("models/invert");
    std::fs::create_dir_all(&model).unwrap();
    let invert = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/invert");
    for file in ["model.toml", "invert.onnx"] {
        std::fs::copy(invert.join(file), model.join(file)).unwrap();
    }
    let mut settings = Settings::default();
    settings.capture.source = Source::Pattern;
    settings.look.style = "invert-plain".to_owned();
    settings.look.page = "none".to_owned();
    settings.look.mirror = false;
    settings.program.size = Some(SIZE);
    settings.inference.quality = Quality::Full;
    settings.inference.threads = Some(1);
    let board = Board::new();
    let mut pipeline = Pipeline::start(Setup {
        places,
        settings: settings.clone(),
        board: Arc::clone(&board),
        gpu,
        runtime: Some(runtime),
        desk: panelcam::shots::Desk::new(),
        screen: None,
        source_fps: LIVE_FPS,
    })
    .unwrap();

    // This one is never emptied: an output that hangs.
    let slow = pipeline.subscribe();
    let quick = pipeline.subscribe();
    let next = || match quick.mailbox().take_within(PATIENCE) {
        Taken::Value(program) => program,
        other => panic!("no program: {other:?}"),
    };
    let (first, mut expected) = (next(), Picture::default());
    Pattern::new(SIZE).draw(first.stamp.sequence, &mut expected);
    let inverted = expected.rgba().iter().zip(first.picture.rgba()).enumerate();
    let right = inverted
        .filter(|(at, (a, b))| at % 4 == 3 || (255 - **a).abs_diff(**b) <= 2)
        .count();
    assert_eq!(first.picture.size(), SIZE);
    assert!(
        right * 100 >= first.picture.rgba().len() * 99,
        "the program is not the frame, inverted"
    );
    assert!(next().stamp.sequence > first.stamp.sequence);

    let counts = board.status().counts;
    wait_for("more frames beside a slow output", || {
        let now = board.status().counts;
        [Rate::Captured, Rate::Styled, Rate::Program]
            .iter()
            .all(|rate| now[*rate as usize] > counts[*rate as usize] + 10)
    });
    assert!(
        slow.mailbox().replaced() >= 10,
        "the slow output's programs were not replaced"
    );

    // A changed setting shows on the pictures that follow.
    settings.look.strength = 0.0;
    pipeline.apply(&settings);
    wait_for("the picture as it is", || {
        let program = next();
        Pattern::new(SIZE).draw(program.stamp.sequence, &mut expected);
        expected
            .rgba()
            .iter()
            .zip(program.picture.rgba())
            .all(|(a, b)| a.abs_diff(*b) <= 2)
    });

    let stopping = Instant::now();
    drop(pipeline);
    assert!(
        stopping.elapsed() < Duration::from_secs(5),
        "the stages did not stop"
    );
    wait_for("the end of programs", || {
        matches!(quick.mailbox().take_within(Duration::ZERO), Taken::Closed)
    });
}
