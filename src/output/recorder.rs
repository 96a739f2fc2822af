//! Outputs that run beside the pipeline, each on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{OutputError, VideoWriter};
use crate::frame::Program;
use crate::mailbox::{Mailbox, Taken};
use crate::status::{Board, Severity, Topic};
use crate::worker::Worker;

/// A consumer of programs.
pub trait Output: Send {
    /// Takes one program.
    ///
    /// # Errors
    /// When it cannot go on; it is stopped then.
    fn receive(&mut self, program: &Program) -> Result<(), OutputError>;

    /// No more programs come.
    ///
    /// # Errors
    /// When what was received could not be completed.
    fn finish(self: Box<Self>) -> Result<(), OutputError>;
}

/// Counts programs and forgets them: `stream --output null`, and `bench`.
#[derive(Default)]
pub struct Count;

impl Output for Count {
    fn receive(&mut self, _: &Program) -> Result<(), OutputError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        Ok(())
    }
}

impl Output for VideoWriter {
    fn receive(&mut self, program: &Program) -> Result<(), OutputError> {
        self.write(&program.picture)
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        Self::finish(*self)
    }
}

/// When an output wants programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Each as it comes.
    Arrival,
    /// At a steady rate: the newest, or the last one again.
    Steady(Duration),
}

/// An output at work. Dropping it finishes the output.
pub struct Running {
    worker: Worker,
    received: Arc<AtomicU64>,
}

impl Running {
    /// Programs handed to the output so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether the output has given up; the notice says why.
    pub fn ended(&self) -> bool {
        self.worker.finished()
    }
}

/// Feeds `output` from `programs` on a thread called `name`: each program as it comes, or, with
/// `fps`, at that steady rate with the newest one repeated, as a clip needs it.
///
/// # Errors
/// When the system gives no thread.
pub fn run(
    name: &str,
    output: Box<dyn Output>,
    programs: Arc<Mailbox<Arc<Program>>>,
    fps: Option<u32>,
    board: Arc<Board>,
) -> std::io::Result<Running> {
    let received = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&received);
    let pace = fps.map_or(Pace::Arrival, |fps| {
        Pace::Steady(Duration::from_secs(1) / fps.max(1))
    });
    let worker = Worker::spawn(name, move |stop| {
        let mut output = output;
        let mut newest: Option<Arc<Program>> = None;
        let mut due = Instant::now();
        while !stop.asked() {
            let patience = match (pace, &newest) {
                (Pace::Steady(_), Some(_)) => due.saturating_duration_since(Instant::now()),
                _ => Duration::from_millis(100),
            };
            let arrived = match programs.take_within(patience) {
                Taken::Value(program) => {
                    if newest.is_none() {
                        due = Instant::now();
                    }
                    newest = Some(program);
                    true
                }
                Taken::TimedOut => false,
                Taken::Closed => break,
            };
            let wanted = match pace {
                Pace::Arrival => arrived,
                Pace::Steady(_) => newest.is_some() && Instant::now() >= due,
            };
            let (true, Some(program)) = (wanted, &newest) else {
                continue;
            };
            if let Err(error) = output.receive(program) {
                board.notice(Topic::Output, Severity::Warning, error);
                return;
            }
            counter.fetch_add(1, Ordering::Relaxed);
            if let Pace::Steady(interval) = pace {
                due += interval;
            }
        }
        if let Err(error) = output.finish() {
            board.notice(Topic::Output, Severity::Warning, error);
        }
    })?;
    Ok(Running { worker, received })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Picture, Size, Stamp};

    fn program(sequence: u64) -> Arc<Program> {
        let now = Instant::now();
        let stamp = Stamp {
            sequence,
            captured: now,
        };
        Arc::new(Program {
            stamp,
            composed: now,
            picture: Picture::new(Size::new(2, 2)).into(),
        })
    }

    struct Fails;

    impl Output for Fails {
        fn receive(&mut self, _: &Program) -> Result<(), OutputError> {
            Err(OutputError::Extension { path: "x".into() })
        }

        fn finish(self: Box<Self>) -> Result<(), OutputError> {
            Ok(())
        }
    }

    fn wait_for(what: impl Fn() -> bool) {
        let patience = Instant::now() + Duration::from_secs(20);
        while !what() {
            assert!(Instant::now() < patience, "it did not happen");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_steady_output_repeats_the_last_program() {
        let programs = Arc::new(Mailbox::new());
        let running = run(
            "test",
            Box::new(Count),
            Arc::clone(&programs),
            Some(200),
            Board::new(),
        )
        .unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(running.received(), 0, "it wrote before there was a program");
        programs.send(program(1));
        wait_for(|| running.received() >= 5);
    }

    #[test]
    fn an_output_by_arrival_takes_each_once() {
        let programs = Arc::new(Mailbox::new());
        let running = run(
            "test",
            Box::new(Count),
            Arc::clone(&programs),
            None,
            Board::new(),
        )
        .unwrap();
        programs.send(program(1));
        wait_for(|| running.received() == 1);
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(running.received(), 1);
    }

    #[test]
    fn one_that_fails_ends_with_a_notice() {
        let (programs, board) = (Arc::new(Mailbox::new()), Board::new());
        programs.send(program(1));
        let running = run("test", Box::new(Fails), programs, None, Arc::clone(&board)).unwrap();
        wait_for(|| running.ended());
        assert_eq!(board.take_notices()[0].topic, Topic::Output);
    }
}
