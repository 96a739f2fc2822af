use super::*;

#[test]
fn what_was_wanted_longest_ago_goes_first_and_the_last_stays() {
    assert_eq!(surplus(&[], 0), 0);
    assert_eq!(surplus(&[9], 0), 0);
    assert_eq!(surplus(&[4, 3, 2], 9), 0);
    assert_eq!(surplus(&[4, 3, 2], 8), 1);
    assert_eq!(surplus(&[4, 3, 2], 4), 2);
    assert_eq!(surplus(&[4, 3, 20], 4), 2);
}

/// Real models, loaded one after the other: the budget says how many stay.
#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn models_beyond_the_memory_that_is_given_are_let_go() {
    let home = tempfile::tempdir().unwrap();
    let places = Places::under(home.path());
    let runtime = match Runtime::load(&places) {
        Ok(runtime) => runtime,
        Err(error) => {
            assert!(std::env::var_os("REQUIRE_RUNTIME").is_none(), "{error}");
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    let board = Board::new();
    let models = ["invert", "colours", "pixels"].map(|name| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        Arc::new(Model::read(&folder.join("tests/models").join(name)).unwrap())
    });
    let mut loader = Loader {
        engines: Engines::new(Arc::clone(&runtime), places.clone(), Arc::clone(&board)),
        runtime,
        places,
        pace: Arc::default(),
        started: Instant::now(),
        auto: None,
        wishes: Arc::default(),
        answers: Arc::default(),
        board,
        resident: Vec::new(),
        known: Vec::new(),
        last: None,
        rescue: None,
        slow: Slow::default(),
    };
    let mut load = |model: &Arc<Model>, memory_mb: u32| {
        let mut settings = crate::settings::Settings::default().inference;
        (settings.threads, settings.memory_mb) = (Some(1), memory_mb);
        let wanted = Wanted {
            model: Arc::clone(model),
            frame: Size::new(64, 48),
            settings,
            fps: 30,
            ceiling: u32::MAX,
        };
        let loaded = loader.load(&wanted, Provider::Cpu).unwrap();
        let resident = loader.resident.iter();
        let ids = resident.map(|loaded| loaded.generator.model().id().to_owned());
        (loaded, ids.collect::<Vec<_>>())
    };
    let (first, _) = load(&models[0], 1000);
    load(&models[1], 1000);
    let (_, resident) = load(&models[2], 1000);
    assert_eq!(resident, ["invert", "colours", "pixels"]);
    // One that is there is not loaded again, and is the newest now.
    let (again, resident) = load(&models[0], 1000);
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(resident, ["colours", "pixels", "invert"]);
    // No budget: the one that draws stays.
    let (_, resident) = load(&models[1], 0);
    assert_eq!(resident, ["colours"]);
}
