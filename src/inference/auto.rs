//! `Quality::Auto` while it runs: a smaller size when runs take longer than the camera's frames
//! last, a larger one after a long calm time.
//!
//! A machine gets slower when another program starts or it grows hot, and faster again. Changing
//! the size is seen, so it is done rarely: a size that was too slow is not tried again for minutes,
//! each time for twice as many. Nothing here reads a clock.

use std::time::Duration;

use super::sizes::Drawn;
use crate::frame::Size;

/// Runs that take more than this share of an interval are too slow.
const SLOW: f64 = 0.95;
/// How long runs must be too slow.
const PATIENCE: Duration = Duration::from_secs(3);
/// What a smaller size should take of an interval.
const GOOD: f64 = 0.8;
/// A larger size is tried when it would take no more than this share of an interval …
const EASY: f64 = 0.5;
/// … for this long without a break.
const CALM: Duration = Duration::from_secs(30);
/// A larger size that is too slow within this long was too large: what was calm before it will do.
const TRIAL: Duration = Duration::from_secs(30);
/// At the start much else is loaded and drawn; runs are not judged for so long.
const STARTS: Duration = Duration::from_secs(8);
/// After a change, or something else that slows runs down, they are not judged for so long.
const SETTLES: Duration = Duration::from_secs(2);
/// Without runs for so long, what was seen of slowness and calm counts no more.
const SILENT: Duration = Duration::from_secs(1);
/// How long a size that was too slow is not tried again, at first and at most.
const AVOIDED: Duration = Duration::from_secs(5 * 60);
const AVOIDED_MOST: Duration = Duration::from_secs(80 * 60);

/// Runs of the network as they are now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runs {
    /// How many there were.
    pub(super) count: u64,
    /// The average time of the newest.
    pub(super) time: Duration,
}

/// Which of a model's sizes is drawn, with close-ups or without.
#[derive(Debug)]
pub(super) struct Auto {
    /// The smallest first.
    steps: Vec<Step>,
    /// The one that is fast enough.
    at: usize,
    /// The largest that may be drawn now, for another reason than time.
    top: usize,
    /// Runs are judged from then on.
    settled: Duration,
    /// Until then a larger size is on trial.
    trial: Duration,
    slow_since: Option<Duration>,
    calm_since: Option<Duration>,
    /// Runs that were looked at, and when there was a new one last.
    counted: u64,
    seen: Duration,
}

#[derive(Debug)]
struct Step {
    drawn: Drawn,
    /// Not tried before.
    avoided_until: Duration,
    /// For how long it is avoided when it is too slow.
    avoid: Duration,
}

impl Auto {
    /// Begins with `first`, which is one of `choices` as a rule.
    pub(super) fn new(
        choices: impl IntoIterator<Item = Drawn>,
        first: Drawn,
        now: Duration,
    ) -> Self {
        let mut choices: Vec<Drawn> = choices.into_iter().chain([first]).collect();
        choices.sort_by_key(|drawn| (drawn.area(), drawn.size.width));
        choices.dedup();
        let at = choices.iter().position(|drawn| *drawn == first);
        let steps = choices.into_iter().map(|drawn| Step {
            drawn,
            avoided_until: Duration::ZERO,
            avoid: AVOIDED,
        });
        Self {
            steps: steps.collect(),
            at: at.unwrap_or_default(),
            top: usize::MAX,
            settled: now + STARTS,
            trial: Duration::ZERO,
            slow_since: None,
            calm_since: None,
            counted: 0,
            seen: now,
        }
    }

    /// What to draw.
    pub(super) fn drawn(&self) -> Drawn {
        let step = self.steps.get(self.current());
        step.map_or_else(|| Size::default().into(), |step| step.drawn)
    }

    /// Draws with a long side of at most about `ceiling` pixels from now on, if there is such a size.
    pub(super) fn limit(&mut self, ceiling: u32, now: Duration) {
        let fits = |step: &Step| step.drawn.size.width.max(step.drawn.size.height) <= ceiling;
        let (before, top) = (self.drawn(), self.steps.iter().rposition(fits));
        self.top = top.unwrap_or_default();
        if self.drawn() != before {
            self.disturbed(now);
        }
    }

    /// Whether a larger one would be fast enough, and may not be drawn now.
    pub(super) fn is_limited(&self) -> bool {
        self.at > self.top
    }

    /// The step in use.
    fn current(&self) -> usize {
        self.at.min(self.top)
    }

    /// Something is under way that slows runs down and will pass.
    pub(super) fn disturbed(&mut self, now: Duration) {
        self.settled = now + SETTLES;
        (self.slow_since, self.calm_since) = (None, None);
    }

    /// The size cannot be drawn: takes the next smaller one. `false` when there is none.
    pub(super) fn refused(&mut self, now: Duration) -> bool {
        let Some(smaller) = self.current().checked_sub(1) else {
            return false;
        };
        self.avoid(now);
        self.turn(smaller, now);
        true
    }

    /// Looks at runs while frames come once an `interval`; `true` when another size is to be drawn.
    pub(super) fn look(&mut self, runs: Runs, interval: Duration, now: Duration) -> bool {
        if runs.count == self.counted {
            if now.saturating_sub(self.seen) > SILENT {
                (self.slow_since, self.calm_since) = (None, None);
            }
            return false;
        }
        (self.counted, self.seen) = (runs.count, now);
        if now < self.settled {
            return false;
        }
        let current = self.current();
        let share_at = |step: usize| {
            let area = |step: usize| self.steps.get(step).map_or(0, |step| step.drawn.area());
            let share = runs.time.as_secs_f64() / interval.as_secs_f64().max(1e-6);
            share * area(step) as f64 / area(current).max(1) as f64
        };
        if share_at(current) > SLOW {
            self.calm_since = None;
            let since = *self.slow_since.get_or_insert(now);
            if now - since < PATIENCE || current == 0 {
                return false;
            }
            // Larger sizes may take longer than their area says: what was left a moment ago is known.
            let smaller = if now < self.trial {
                current - 1
            } else {
                let fits = (0..current).filter(|step| share_at(*step) <= GOOD);
                fits.max().unwrap_or_default()
            };
            self.avoid(now);
            self.turn(smaller, now);
            return true;
        }
        self.slow_since = None;
        let larger = current + 1;
        let may = |step: &Step| larger <= self.top && now >= step.avoided_until;
        // Close-ups beside the same drawing are seen less when they come and go.
        let easy = match self.steps.get(larger) {
            Some(step) if step.drawn.size == self.drawn().size => GOOD,
            _ => EASY,
        };
        if !self.steps.get(larger).is_some_and(may) || share_at(larger) > easy {
            self.calm_since = None;
            return false;
        }
        let since = *self.calm_since.get_or_insert(now);
        if now - since < CALM {
            return false;
        }
        self.turn(larger, now);
        self.trial = now + TRIAL;
        true
    }

    /// The size in use, and all that are larger, are too slow.
    fn avoid(&mut self, now: Duration) {
        let current = self.current();
        let Some(step) = self.steps.get_mut(current) else {
            return;
        };
        let until = now + step.avoid;
        step.avoid = (step.avoid * 2).min(AVOIDED_MOST);
        for step in self.steps.iter_mut().skip(current) {
            step.avoided_until = step.avoided_until.max(until);
        }
    }

    fn turn(&mut self, to: usize, now: Duration) {
        self.at = to;
        self.disturbed(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZES: [Size; 4] = [
        Size::new(448, 256),
        Size::new(640, 352),
        Size::new(960, 544),
        Size::new(1280, 720),
    ];
    /// How often the loader looks.
    const EVERY: Duration = Duration::from_millis(100);
    const INTERVAL: Duration = Duration::from_millis(33);

    /// A generator whose runs at each size take what `time` says.
    struct Machine {
        auto: Auto,
        now: Duration,
        count: u64,
        /// When which size was left for which.
        changes: Vec<(Duration, Size, Size)>,
    }

    impl Machine {
        fn new(first: Size) -> Self {
            Self {
                auto: Auto::new(SIZES.map(Drawn::from), first.into(), Duration::ZERO),
                now: Duration::ZERO,
                count: 0,
                changes: Vec::new(),
            }
        }

        fn works(&mut self, time: Duration, mut run: impl FnMut(Size) -> Duration) {
            let end = self.now + time;
            while self.now < end {
                self.now += EVERY;
                self.count += 3;
                let size = self.auto.drawn().size;
                let runs = Runs {
                    count: self.count,
                    time: run(size),
                };
                if self.auto.look(runs, INTERVAL, self.now) {
                    self.changes.push((self.now, size, self.auto.drawn().size));
                }
            }
        }
    }

    /// Runs of so many nanoseconds a pixel.
    fn speed(nanos: f64) -> impl Fn(Size) -> Duration {
        move |size| Duration::from_nanos((size.area() as f64 * nanos) as u64)
    }

    #[test]
    fn it_takes_the_size_that_fits_and_comes_back_slowly() {
        let mut machine = Machine::new(SIZES[2]);
        // 26 ms at 960x544.
        machine.works(Duration::from_secs(60), speed(50.0));
        assert_eq!(machine.changes, []);
        // Another program starts: 52 ms, 22.5 at 640x352.
        machine.works(Duration::from_secs(2), speed(100.0));
        assert_eq!(machine.auto.drawn().size, SIZES[2], "a moment is no reason");
        machine.works(Duration::from_secs(10), speed(100.0));
        assert_eq!(machine.auto.drawn().size, SIZES[1]);
        // It ends. 960x544 would take 15.7 ms.
        machine.works(Duration::from_secs(4 * 60), speed(30.0));
        assert_eq!(
            machine.auto.drawn().size,
            SIZES[1],
            "not tried again for minutes"
        );
        machine.works(Duration::from_secs(2 * 60), speed(30.0));
        assert_eq!(machine.auto.drawn().size, SIZES[2]);
        machine.works(Duration::from_secs(3600), speed(30.0));
        assert_eq!(machine.changes.len(), 2, "the largest would take 27.6 ms");
    }

    #[test]
    fn a_much_slower_machine_takes_several_steps_at_once() {
        let mut machine = Machine::new(SIZES[3]);
        machine.works(STARTS + PATIENCE * 2, speed(200.0));
        let (at, from, to) = machine.changes[0];
        assert_eq!((from, to), (SIZES[3], SIZES[0]));
        assert!(at >= STARTS + PATIENCE && at < STARTS + PATIENCE * 2);
        // It cannot get any smaller.
        machine.works(Duration::from_secs(60), speed(2000.0));
        assert_eq!(machine.changes.len(), 1);
    }

    #[test]
    fn loading_and_silence_are_no_slowness() {
        let mut machine = Machine::new(SIZES[2]);
        machine.works(Duration::from_secs(3), speed(50.0));
        for _ in 0..40 {
            machine.auto.disturbed(machine.now);
            machine.works(Duration::from_secs(1), speed(500.0));
        }
        assert_eq!(machine.changes, []);
        // Photos: a run now and then.
        for _ in 0..40 {
            machine.works(EVERY * 2, speed(500.0));
            for _ in 0..20 {
                machine.now += EVERY;
                let runs = Runs {
                    count: machine.count,
                    time: Duration::from_secs(1),
                };
                assert!(!machine.auto.look(runs, INTERVAL, machine.now));
            }
        }
        assert_eq!(machine.changes, []);
    }

    #[test]
    fn a_size_that_cannot_be_loaded_is_left() {
        let mut auto = Auto::new(SIZES.map(Drawn::from), SIZES[1].into(), Duration::ZERO);
        assert!(auto.refused(Duration::ZERO));
        assert_eq!(auto.drawn().size, SIZES[0]);
        assert!(!auto.refused(Duration::ZERO));
        // A model of one size.
        let auto = Auto::new([SIZES[0].into(); 4], SIZES[0].into(), Duration::ZERO);
        assert_eq!(auto.steps.len(), 1);
    }

    #[test]
    fn a_size_that_was_too_large_goes_back_to_what_was_calm() {
        // Three times the area, nine times the work: by area alone it would fall too far.
        let work = |size: Size| {
            let share = size.area() as f64 / SIZES[1].area() as f64;
            Duration::from_secs_f64(INTERVAL.as_secs_f64() * 0.21 * share.powi(2))
        };
        let mut machine = Machine::new(SIZES[1]);
        machine.works(Duration::from_secs(120), work);
        let sizes: Vec<Size> = machine.changes.iter().map(|change| change.2).collect();
        assert_eq!(sizes, [SIZES[2], SIZES[1]]);
    }

    #[test]
    fn close_ups_go_when_nothing_can_be_smaller_and_come_back() {
        let close = |side| Drawn {
            size: SIZES[0],
            close: Some(side),
        };
        let choices = [SIZES[0].into(), close(128), close(192), SIZES[1].into()];
        let mut machine = Machine::new(SIZES[0]);
        machine.auto = Auto::new(choices, close(192), Duration::ZERO);
        // 32 ms of 33, then much less.
        let mut time = Duration::from_millis(32);
        let mut drawn = Vec::new();
        for _ in 0..40 {
            machine.works(Duration::from_secs(60), |_| time);
            if drawn.last() != Some(&machine.auto.drawn()) {
                drawn.push(machine.auto.drawn());
            }
            time = match machine.auto.drawn().close {
                None => Duration::from_millis(20),
                Some(128) => Duration::from_millis(22),
                Some(_) => Duration::from_millis(26),
            };
        }
        assert_eq!(drawn, [SIZES[0].into(), close(128), close(192)]);
    }

    proptest! {
        // Each case is hours long.
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever runs take: changes are rare, and a size that was too slow rests for minutes.
        #[test]
        fn it_never_swings(
            first in 0usize..4,
            // Of each size, in milliseconds, whatever its area; minute by minute.
            minutes in prop::collection::vec(prop::array::uniform4(1u64..120), 1..40),
            noise in prop::collection::vec(0u64..30, 1..200),
        ) {
            let mut machine = Machine::new(SIZES[first]);
            let mut number = 0;
            for minute in minutes {
                machine.works(Duration::from_secs(60), |size| {
                    let at = SIZES.iter().position(|known| *known == size).unwrap();
                    number += 1;
                    Duration::from_millis(minute[at] + noise[number % noise.len()])
                });
            }
            for pair in machine.changes.windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 >= SETTLES + PATIENCE);
            }
            for (number, (left, slow, to)) in machine.changes.iter().enumerate() {
                if to.area() > slow.area() {
                    continue;
                }
                for (at, _, to) in &machine.changes[number + 1..] {
                    prop_assert!(*at - *left >= AVOIDED || to.area() < slow.area());
                }
            }
        }

        /// On a machine whose speed does not change, the size is found and kept for good, even if
        /// larger sizes take longer than their area says.
        #[test]
        fn it_comes_to_rest(first in 0usize..4, nanos in 1.0f64..400.0, more in 1.0f64..3.0) {
            let mut machine = Machine::new(SIZES[first]);
            let run = |size: Size| {
                let scale = (size.area() as f64 / SIZES[0].area() as f64).powf(more - 1.0);
                speed(nanos * scale)(size)
            };
            machine.works(Duration::from_secs(3600), run);
            let changes = machine.changes.len();
            prop_assert!(changes <= 12, "{changes} in the first hour");
            machine.works(Duration::from_secs(5 * 3600), run);
            let changes = machine.changes.len() - changes;
            prop_assert!(changes <= 10, "{changes} in five hours");
        }
    }
}
