//! Models that are added while the program runs: dropped on its window, or put into the folder of
//! models.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use panelcam::app::imports::Imports;
use panelcam::inference::import::Imported;
use panelcam::places::Places;
use panelcam::status::{Board, Notice, Severity};

use crate::import::{bare, kept, models};
use crate::inference::runtime;
use crate::support::Home;

/// Polls until `done`, for a minute at most.
fn poll(imports: &mut Imports, mut done: impl FnMut(Option<Imported>) -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if done(imports.poll()) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn imports(places: &Places) -> (Imports, Arc<Board>) {
    let (board, program) = (Board::new(), env!("CARGO_BIN_EXE_panelcam"));
    let imports = Imports::new(places.clone(), Arc::clone(&board), program.into());
    (imports, board)
}

#[test]
fn files_are_added_while_the_program_runs() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let places = Places::under(&home.path("home"));
    fs::create_dir_all(models(&home)).unwrap();
    let (mut imports, board) = imports(&places);
    // One is dropped on the window, one is being copied into the folder.
    let whole = fs::read(bare("signed")).unwrap();
    let stray = models(&home).join("signed.onnx");
    fs::write(&stray, &whole[..whole.len() / 2]).unwrap();
    imports.add(bare("unit"));
    let mut added = Vec::new();
    let mut length = whole.len() / 2;
    assert!(poll(&mut imports, |imported| {
        // A slow stick: some bytes more each time somebody looks.
        if length < whole.len() {
            length += 1;
            fs::write(&stray, &whole[..length]).unwrap();
        }
        added.extend(imported.map(|imported| imported.styles));
        added.len() == 2
    }));
    assert_eq!(added.concat(), ["unit", "signed"]);
    assert_eq!(kept(&home), ["signed", "unit"]);
    let notices = board.take_notices();
    let warned = |notice: &Notice| notice.severity != Severity::Info;
    assert!(!notices.iter().any(warned), "{notices:?}");
}

#[test]
fn a_file_that_is_refused_is_told_once_and_tried_again_when_it_changes() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let places = Places::under(&home.path("home"));
    fs::create_dir_all(models(&home)).unwrap();
    let stray = models(&home).join("unit.onnx");
    fs::copy(bare("flat"), &stray).unwrap();
    let changed = fs::metadata(&stray).unwrap().modified().unwrap();
    let (mut imports, board) = imports(&places);
    let warnings = || {
        let notices = board.take_notices().into_iter();
        notices
            .filter(|notice| notice.severity == Severity::Warning)
            .count()
    };
    let mut count = 0;
    assert!(poll(&mut imports, |_| {
        count += warnings();
        count > 0
    }));
    // As in a folder that cannot be written: without its note it is not told again.
    fs::remove_file(models(&home).join("unit.onnx.refused.txt")).unwrap();
    let started = Instant::now();
    assert!(poll(&mut imports, |imported| {
        assert!(imported.is_none());
        assert_eq!(warnings(), 0);
        started.elapsed() > Duration::from_secs(5)
    }));
    // Another file of the same name and the same date, as copying programs keep it.
    fs::copy(bare("unit"), &stray).unwrap();
    fs::File::options()
        .write(true)
        .open(&stray)
        .unwrap()
        .set_modified(changed)
        .unwrap();
    assert!(poll(&mut imports, |imported| imported.is_some()));
    assert_eq!(kept(&home), ["unit"]);
}

#[test]
fn closing_the_program_ends_an_import() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let places = Places::under(&home.path("home"));
    let (mut imports, board) = imports(&places);
    imports.add(bare("endless"));
    assert!(poll(&mut imports, |_| !board.take_notices().is_empty()));
    std::thread::sleep(Duration::from_millis(500));
    let started = Instant::now();
    drop(imports);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(kept(&home), [""; 0]);
}
