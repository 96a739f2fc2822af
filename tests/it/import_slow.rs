//! A network that takes seconds for a picture: added with a warning, never left alone with a live
//! picture, and waited for knowingly.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::import::add;
use crate::inference::runtime;
use crate::support::Home;

#[test]
fn a_slow_network_is_told_and_another_style_draws_meanwhile() {
    if runtime().is_none() {
        return;
    }
    let home = Home::new();
    let said = add(&home, "heavy").ok().said;
    for word in ["It is slow on this machine", "pictures a second at 448x256"] {
        assert!(said.contains(word), "{said}");
    }
    let description = home.path("home/data/models/heavy/model.toml");
    let written = std::fs::read_to_string(description).unwrap();
    assert!(written.contains("# - warning: It is slow"), "{written}");

    let started = Instant::now();
    let run = home
        .line("stream --source demo --style heavy --page none --size 640x360 --seconds 10")
        .ok();
    assert!(started.elapsed() < Duration::from_secs(60), "{}", run.said);
    assert!(run.said.contains("until it is ready"), "{}", run.said);
    assert!(run.said.contains("Heavy takes about"), "{}", run.said);
    assert!(run.said.contains("too slow to draw live"), "{}", run.said);

    // The rest is not waited for here.
    let mut command = home.command(&["convert", "demo", "out.png", "--style", "heavy"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = lines
        .map_while(Result::ok)
        .any(|line| line.contains("Heavy takes about") && line.contains("on this machine"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told);
}
