//! Whose turn it is.

use std::time::Duration;

/// How a sequence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Seconds that are counted down before each shot.
    pub countdown: u32,
    /// Whether the next shot is counted down as soon as one is taken.
    pub goes_on: bool,
}

/// What happens at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// This shot is taken now.
    Take(u8),
    /// All shots are there.
    Complete,
}

/// The order in which the shots of a page are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The shots of the page, in the order they are taken.
    numbers: Vec<u8>,
    taken: Vec<u8>,
    /// The one to be taken before the others.
    first: Option<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    /// It counts down to `at`.
    Counting { at: Duration },
    /// People look at what was taken, until `until`; then it goes on.
    Showing { until: Duration },
}

impl Sequence {
    /// How long people see what was taken before the next countdown.
    const PAUSE: Duration = Duration::from_millis(1200);

    /// For a page with these shots. What was taken stays taken, also for other pages.
    pub fn set_page(&mut self, mut numbers: Vec<u8>) {
        numbers.sort_unstable();
        numbers.dedup();
        if numbers != self.numbers {
            self.numbers = numbers;
            self.first = None;
            self.state = State::Idle;
        }
    }

    /// The shots of the page.
    pub fn numbers(&self) -> &[u8] {
        &self.numbers
    }

    /// The shot that is taken next; `None` when all are there.
    pub fn next(&self) -> Option<u8> {
        let missing = |number: &&u8| !self.taken.contains(number);
        self.first
            .or_else(|| self.numbers.iter().find(missing).copied())
    }

    /// Starts counting down, or stops when it counts already.
    pub fn start(&mut self, pace: Pace, time: Duration) {
        self.state = match self.state {
            State::Idle if self.next().is_some() => State::Counting {
                at: time + seconds(pace),
            },
            _ => State::Idle,
        };
    }

    /// Takes the next shot at once.
    pub fn now(&mut self) -> Option<Event> {
        self.state = State::Idle;
        self.taken_now(self.next()?)
    }

    /// Takes a shot again: its panel is live, and the countdown runs for it.
    pub fn retake(&mut self, number: u8, pace: Pace, time: Duration) {
        if self.numbers.contains(&number) {
            self.taken.retain(|taken| *taken != number);
            self.first = Some(number);
            self.state = State::Counting {
                at: time + seconds(pace),
            };
        }
    }

    /// Nothing is taken any more.
    pub fn clear(&mut self) {
        self.taken.clear();
        self.first = None;
        self.state = State::Idle;
    }

    /// Two shots have changed places, taken or not.
    pub fn swapped(&mut self, a: u8, b: u8) {
        for taken in &mut self.taken {
            *taken = match *taken {
                number if number == a => b,
                number if number == b => a,
                number => number,
            };
        }
        self.first = None;
    }

    /// Whether it counts or goes on by itself.
    pub fn is_running(&self) -> bool {
        self.state != State::Idle
    }

    /// The seconds that are left to the next shot, counted down to 1.
    pub fn countdown(&self, time: Duration) -> Option<u32> {
        match self.state {
            State::Counting { at } => {
                let left = at.saturating_sub(time).as_secs_f32().ceil() as u32;
                (left > 0).then_some(left)
            }
            _ => None,
        }
    }

    /// What happens at `time`.
    pub fn at(&mut self, pace: Pace, time: Duration) -> Option<Event> {
        match self.state {
            State::Counting { at } if time >= at => {
                let event = self.taken_now(self.next()?);
                self.state = if pace.goes_on && self.next().is_some() {
                    State::Showing {
                        until: time + Self::PAUSE,
                    }
                } else {
                    State::Idle
                };
                event
            }
            State::Showing { until } if time >= until => {
                self.state = State::Counting {
                    at: time + seconds(pace),
                };
                None
            }
            _ => None,
        }
    }

    /// Whether every shot is there.
    pub fn is_complete(&self) -> bool {
        !self.numbers.is_empty() && self.next().is_none()
    }

    fn taken_now(&mut self, number: u8) -> Option<Event> {
        self.first = None;
        if !self.taken.contains(&number) {
            self.taken.push(number);
        }
        Some(Event::Take(number))
    }
}

fn seconds(pace: Pace) -> Duration {
    Duration::from_secs(u64::from(pace.countdown))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        countdown: 3,
        goes_on: true,
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn four() -> Sequence {
        let mut sequence = Sequence::default();
        sequence.set_page(vec![2, 1, 4, 3]);
        sequence
    }

    #[test]
    fn it_counts_three_two_one_and_takes_all_in_order() {
        let mut sequence = four();
        sequence.start(PACE, ms(500));
        let mut taken = Vec::new();
        let mut counted = Vec::new();
        for step in 0..1000u64 {
            let time = ms(500 + step * 33);
            if let Some(seconds) = sequence.countdown(time)
                && counted.last() != Some(&seconds)
            {
                counted.push(seconds);
            }
            if let Some(Event::Take(number)) = sequence.at(PACE, time) {
                taken.push(number);
            }
        }
        assert_eq!(taken, [1, 2, 3, 4]);
        assert_eq!(counted, [3, 2, 1].repeat(4));
        assert!(sequence.is_complete() && !sequence.is_running());
    }

    #[test]
    fn one_is_taken_again_before_the_others() {
        let mut sequence = four();
        assert_eq!(sequence.now(), Some(Event::Take(1)));
        assert_eq!(sequence.now(), Some(Event::Take(2)));
        sequence.retake(1, PACE, ms(0));
        assert_eq!(sequence.next(), Some(1));
        let alone = Pace {
            goes_on: false,
            ..PACE
        };
        assert_eq!(sequence.at(alone, ms(2999)), None);
        assert_eq!(sequence.at(alone, ms(3000)), Some(Event::Take(1)));
        assert_eq!((sequence.next(), sequence.is_running()), (Some(3), false));
        sequence.retake(7, PACE, ms(0));
        assert!(!sequence.is_running());
    }

    #[test]
    fn starting_twice_stops_and_another_page_keeps_the_shots() {
        let mut sequence = four();
        sequence.start(PACE, ms(0));
        sequence.start(PACE, ms(10));
        assert!(!sequence.is_running());
        sequence.now();
        sequence.set_page(vec![1, 2, 3, 4]);
        assert_eq!(sequence.next(), Some(2));
        sequence.set_page(vec![1]);
        assert!(sequence.is_complete());
        sequence.set_page(vec![]);
        sequence.start(PACE, ms(0));
        assert_eq!((sequence.now(), sequence.is_complete()), (None, false));
    }

    #[test]
    fn swapping_with_an_empty_panel_moves_the_hole() {
        let mut sequence = four();
        sequence.now();
        sequence.swapped(1, 3);
        assert_eq!(sequence.next(), Some(1));
        sequence.now();
        assert_eq!(sequence.next(), Some(2));
        sequence.now();
        assert_eq!(sequence.next(), Some(4));
    }
}
