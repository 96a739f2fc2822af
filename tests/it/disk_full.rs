//! A disk that is full while a strip is written: said in words, nothing left behind, nothing lost.
//!
//! A limit on the size of files stands for the disk: the write that crosses it fails, in panelcam and
//! in the ffmpeg it runs.

use std::path::Path;
use std::process::Command;

use crate::support::{Home, Run, ffmpeg};

/// Runs the program where no file may grow beyond `blocks` of 512 bytes.
fn on_a_small_disk(home: &Home, blocks: u32, line: &str) -> Run {
    let program = home.command(&line.split_whitespace().collect::<Vec<_>>());
    // Ignored, the signal becomes the error of a write.
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(program.get_program());
    shell.args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(home.folder.path());
    Run::of(&mut shell)
}

fn inputs(home: &Home) {
    let flat = "-f lavfi -i color=red:s=320x240 -frames:v 1";
    let busy = "-f lavfi -i testsrc2=s=640x480 -vf noise=alls=60 -frames:v 1";
    ffmpeg(flat, &home.path("a.png"));
    ffmpeg(busy, &home.path("b.png"));
    ffmpeg(
        "-f lavfi -i testsrc2=s=320x240:r=24 -vf noise=alls=60:allf=t -t 1",
        &home.path("v.mp4"),
    );
}

const SCROLL: &str = "a.png b.png out.png --scroll --scroll-width 300 --slice 200";
const INPUTS: [&str; 3] = ["a.png", "b.png", "v.mp4"];

#[test]
fn a_strip_on_a_full_disk_leaves_nothing_and_keeps_what_was_there() {
    let home = Home::new();
    inputs(&home);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/four-cut.svg");
    let common = format!(
        "--page {} --strength 0 --quality fast --threads 2",
        page.display()
    );
    for (what, files, blocks) in [
        ("b.png out.png", &["out.png"][..], 16),
        ("v.mp4 out.mp4", &["out.mp4"], 64),
        // The first slices fit, the others do not.
        (SCROLL, &["out-01.png", "out-02.png", "out-03.png"], 64),
    ] {
        on_a_small_disk(&home, blocks, &format!("strip {what} {common}"))
            .fails(&["too large", "out"]);
        assert_eq!(home.names(), INPUTS, "{what} left something");

        for file in files {
            std::fs::write(home.path(file), "precious").unwrap();
        }
        on_a_small_disk(&home, blocks, &format!("strip {what} --overwrite {common}"))
            .fails(&["too large", "out"]);
        let mut names: Vec<&str> = INPUTS.iter().chain(files).copied().collect();
        names.sort_unstable();
        assert_eq!(home.names(), names, "{what} left something");
        for file in files {
            let kept = std::fs::read(home.path(file)).unwrap();
            assert_eq!(kept, b"precious", "{what}: {file}");
            std::fs::remove_file(home.path(file)).unwrap();
        }
    }
    // With room enough the same lines work.
    on_a_small_disk(&home, 20_000, &format!("strip {SCROLL} {common}")).ok();
    assert!(home.path("out-03.png").is_file());
}
