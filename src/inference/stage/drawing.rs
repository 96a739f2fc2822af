//! The thread that runs the network, and the one that watches it: a driver may hang inside an operator,
//! where nobody can end it. Then that thread is left behind with what it holds, and another goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Job, PATIENCE};
use crate::inference::limit::{GRACE, LIVE};
use crate::inference::loaded::Loaded;
use crate::inference::pace::Pace;
use crate::mailbox::{Mailbox, Replaced, Taken};
use crate::status::{Board, Stage};
use crate::worker::{Stop, Worker};

/// A thread that has not ended after so long hangs: a run is ended before.
pub(super) const HANGS: Duration = LIVE.saturating_add(GRACE).saturating_add(GRACE);

/// What the thread that runs the network works with.
#[derive(Clone)]
pub(super) struct Drawing {
    pub(super) input: Arc<Mailbox<Job>>,
    pub(super) output: Arc<Mailbox<Job>>,
    pub(super) pace: Arc<Pace>,
    pub(super) board: Arc<Board>,
}

/// What a thread runs now.
type Under = Arc<Mutex<Option<Arc<Loaded>>>>;

impl Drawing {
    /// Watches a thread that runs the network, and replaces one that hangs.
    pub(super) fn watch(&self, stop: &Stop) {
        let mut running = self.start();
        while !stop.asked() {
            stop.sleep(PATIENCE);
            let Some((worker, under)) = running else {
                running = self.start();
                continue;
            };
            let hung = under.lock().clone().filter(|loaded| loaded.hangs());
            running = match hung {
                Some(loaded) => {
                    worker.abandon();
                    loaded.left_behind();
                    self.pace.gone();
                    self.start()
                }
                None => Some((worker, under)),
            };
        }
        if let Some((worker, _)) = running {
            worker.end_within(HANGS);
        }
    }

    /// `None` when the system gives no thread now.
    fn start(&self) -> Option<(Worker, Under)> {
        let (drawing, under) = (self.clone(), Under::default());
        let seen = Arc::clone(&under);
        let worker = Worker::spawn("inference", move |stop| drawing.run(&seen, stop));
        match worker {
            Ok(worker) => Some((worker, under)),
            Err(error) => {
                tracing::warn!("The generator's thread cannot be started: {error}");
                None
            }
        }
    }

    /// Runs the network, and does nothing else.
    fn run(&self, under: &Under, stop: &Stop) {
        while !stop.asked() {
            let mut job = match self.input.take_within(PATIENCE) {
                Taken::Value(job) => job,
                Taken::TimedOut => continue,
                Taken::Closed => break,
            };
            if job.slot.home().broken().is_some() {
                // Another will draw in a moment.
                continue;
            }
            self.pace.begin();
            *under.lock() = Some(Arc::clone(job.slot.home()));
            let started = Instant::now();
            let result = match job.slot.parts() {
                Some((generator, slot)) => generator.run_within(slot, LIVE),
                None => Ok(()),
            };
            let close = match (&result, job.slot.close_parts()) {
                (Ok(()), Some((closer, slot))) if slot.is_prepared() => {
                    Some(closer.run(slot, LIVE))
                }
                _ => None,
            };
            *under.lock() = None;
            if stop.asked() {
                // Nobody waits for it, and another may draw by now.
                break;
            }
            if let Some(Err(error)) = &close {
                job.slot.home().close_up_failed(error);
            }
            let time = started.elapsed();
            self.pace.end(time);
            self.board.record(Stage::Inference, time);
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            job.slot.home().took(nanos, close.is_some());
            match result {
                Ok(()) => {
                    if self.output.send(job) == Replaced::Yes {
                        self.board.dropped(1);
                    }
                }
                Err(error) if job.slot.home().failed(&error) => {}
                Err(error) => job.slot.home().fault(&self.board, &error),
            }
        }
    }
}
