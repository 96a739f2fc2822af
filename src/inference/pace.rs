//! When the next frame should be prepared: late enough to be a fresh one, early enough that the
//! network never waits. A camera may be faster than the network; frames prepared and thrown away
//! would cost the time of those that are drawn.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::frame::Stamp;

/// Kept between the expected end of preparing and the expected end of the run.
const SLACK: Duration = Duration::from_millis(1);
/// A prepared frame that waits longer than this is replaced by a fresher one.
const STALE: Duration = Duration::from_millis(50);
/// A longer time between two frames is a pause of the source, and says nothing about its rate.
const PAUSE: Duration = Duration::from_millis(500);
/// Share of the newest measurement in an average.
const NEWEST: f64 = 0.2;

/// Shared by the thread that prepares and the one that runs the network.
#[derive(Default)]
pub(super) struct Pace {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// A prepared frame waits to be taken.
    waiting: bool,
    /// When the run under way began.
    running: Option<Instant>,
    run: Average,
    prepare: Average,
    /// Between the source's frames.
    interval: Average,
    newest: Option<Stamp>,
}

#[derive(Default)]
struct Average(Option<f64>);

impl Average {
    fn add(&mut self, time: Duration) {
        let time = time.as_secs_f64();
        self.0 = Some(
            self.0
                .map_or(time, |average| average + (time - average) * NEWEST),
        );
    }

    fn get(&self) -> Duration {
        Duration::from_secs_f64(self.0.unwrap_or_default())
    }
}

impl Pace {
    /// Waits until the next frame should be prepared, at most about [`STALE`].
    pub(super) fn wait_until_due(&self) {
        let mut state = self.state.lock();
        let stale = Instant::now() + STALE;
        loop {
            let due = match (state.waiting, state.running) {
                (true, _) => stale,
                (false, None) => return,
                (false, Some(began)) => {
                    let early = state.prepare.get().mul_f64(1.5) + SLACK;
                    (began + state.run.get())
                        .checked_sub(early)
                        .unwrap_or(began)
                        .min(stale)
                }
            };
            if self.changed.wait_until(&mut state, due).timed_out() {
                return;
            }
        }
    }

    /// A frame came.
    pub(super) fn frame(&self, stamp: Stamp) {
        let mut state = self.state.lock();
        let Some(last) = state.newest.replace(stamp) else {
            return;
        };
        // Those between were thrown away.
        let frames = u32::try_from(stamp.sequence.saturating_sub(last.sequence)).unwrap_or(0);
        let time = stamp.captured.saturating_duration_since(last.captured);
        if let Some(interval) = time.checked_div(frames)
            && interval < PAUSE
        {
            state.interval.add(interval);
        }
    }

    /// The time between two of the source's frames; 0 while that is not known.
    pub(super) fn interval(&self) -> Duration {
        self.state.lock().interval.get()
    }

    /// A frame was prepared in `time` and waits.
    pub(super) fn prepared(&self, time: Duration) {
        let mut state = self.state.lock();
        state.prepare.add(time);
        state.waiting = true;
    }

    /// The frame that waited was taken and its run begins.
    pub(super) fn begin(&self) {
        let mut state = self.state.lock();
        state.waiting = false;
        state.running = Some(Instant::now());
        self.changed.notify_all();
    }

    /// The run under way hangs, and nobody waits for it any more.
    pub(super) fn gone(&self) {
        self.state.lock().running = None;
        self.changed.notify_all();
    }

    /// The run is over and took `time`.
    pub(super) fn end(&self, time: Duration) {
        let mut state = self.state.lock();
        state.running = None;
        state.run.add(time);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(pace: &Pace) -> Duration {
        let started = Instant::now();
        pace.wait_until_due();
        started.elapsed()
    }

    #[test]
    fn an_idle_network_is_fed_at_once_and_a_busy_one_late() {
        let pace = Pace::default();
        assert!(waited(&pace) < Duration::from_millis(20));
        pace.prepared(Duration::from_millis(2));
        pace.begin();
        pace.end(Duration::from_millis(40));
        assert!(waited(&pace) < Duration::from_millis(20));
        // A run of 40 ms has begun: the next frame is due 4 ms before its end.
        pace.begin();
        let time = waited(&pace);
        assert!(
            (Duration::from_millis(25)..Duration::from_millis(60)).contains(&time),
            "{time:?}"
        );
    }

    #[test]
    fn the_sources_rate_is_known_whatever_is_thrown_away() {
        let pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.interval(), Duration::ZERO);
        // The sequence starts again with another source, and a frozen camera is no slow one.
        for (sequence, millis) in [(5, 0), (6, 40), (9, 160), (0, 170), (1, 210), (2, 2210)] {
            pace.frame(Stamp {
                sequence,
                captured: start + Duration::from_millis(millis),
            });
        }
        assert_eq!(pace.interval(), Duration::from_millis(40));
    }

    #[test]
    fn a_frame_that_waits_is_not_replaced_at_once() {
        let pace = Pace::default();
        pace.prepared(Duration::from_millis(1));
        let time = waited(&pace);
        assert!(time >= STALE && time < STALE * 4, "{time:?}");
    }
}
