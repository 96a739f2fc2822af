use std::fs;

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

/// A provider draws; then the driver takes its device away. The CPU goes on, and that is said.
#[test]
fn a_provider_that_fails_while_it_draws_is_replaced_live() {
    let home = tempfile::tempdir().unwrap();
    let places = Places::under(home.path());
    let Some(runtime) = runtime(&places) else {
        return;
    };
    fs::create_dir_all(places.data.join("runtime/webgpu")).unwrap();
    let (library, _) = Library::load(&places);
    let model = library.find("clean").unwrap().model;
    let outcome = Outcome::Good {
        milliseconds: 1.0,
        cpu_milliseconds: 10.0,
        difference: 0.5,
        pixels: 1_000_000,
    };
    Verdicts::keep(
        &runtime,
        &model,
        &places,
        Verdict {
            provider: Provider::Webgpu,
            outcome,
        },
    );

    let mut control = Control::default();
    control.settings.look.style = "clean".to_owned();
    control.settings.inference.threads = Some(1);
    control.settings.inference.quality = Quality::Fast;
    let (input, output) = (Arc::new(Mailbox::new()), Arc::new(Mailbox::new()));
    let board = Board::new();
    let _stage = start(
        runtime,
        Arc::new(Watch::new(library)),
        Arc::clone(&input),
        Arc::clone(&output),
        Arc::new(Watch::new(control)),
        &places,
        Arc::clone(&board),
    )
    .unwrap();
    let mut sequence = 0;
    let mut draw = || {
        sequence += 1;
        let stamp = crate::frame::Stamp {
            sequence,
            captured: Instant::now(),
        };
        let picture = Picture::new(SIZE).into();
        input.send(Arc::new(Frame { stamp, picture }));
        match output.take_within(Duration::from_millis(500)) {
            Taken::Value(styled) => Some(styled),
            _ => None,
        }
    };
    let mut draw_until = |provider: Provider| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while board.status().engine.provider != Some(provider) {
            assert!(Instant::now() < deadline, "{:?}", board.status().engine);
            draw();
        }
        let drawn = (0..20).filter_map(|_| draw()).count();
        assert!(drawn >= 19, "{drawn} of 20 by {}", provider.name());
    };
    draw_until(Provider::Webgpu);
    assert_eq!(board.take_notices(), vec![]);
    stand_in::FAILS.store(true, Ordering::Relaxed);
    draw_until(Provider::Cpu);
    let notices = board.take_notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0].severity, Severity::Warning);
    let text = &notices[0].text;
    assert!(text.contains("WebGPU is replaced by the CPU"), "{text}");
    assert!(text.contains("the device was removed"), "{text}");
}
