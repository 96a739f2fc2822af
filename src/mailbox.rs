//! The hand-over between stages: one slot, the newest value wins.
//!
//! A sender never waits. What was not taken yet is replaced, and every replacement is counted.
//! A bounded channel would keep the oldest value instead, which is the lag users complain about.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// A one-slot mailbox. Share it in an [`std::sync::Arc`].
pub struct Mailbox<T> {
    slot: Mutex<Slot<T>>,
    changed: Condvar,
    replaced: AtomicU64,
    waker: Option<Box<dyn Fn() + Send + Sync>>,
}

struct Slot<T> {
    value: Option<T>,
    open: bool,
}

/// Whether sending threw away a value that nobody had taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// An older value was dropped.
    Yes,
    /// The slot was empty.
    No,
}

/// What a receiver got.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// The newest value.
    Value(T),
    /// Nothing arrived in time.
    TimedOut,
    /// The mailbox was closed and is empty: nothing will come any more.
    Closed,
}

impl<T> Mailbox<T> {
    /// An open, empty mailbox.
    pub fn new() -> Self {
        Self {
            slot: Mutex::new(Slot {
                value: None,
                open: true,
            }),
            changed: Condvar::new(),
            replaced: AtomicU64::new(0),
            waker: None,
        }
    }

    /// An open, empty mailbox that calls `waker` after each arrival, on the sender's thread.
    /// For receivers that wait on something else, like a window's event loop.
    pub fn with_waker(waker: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            waker: Some(Box::new(waker)),
            ..Self::new()
        }
    }

    /// Puts `value` in, replacing one that was not taken. A closed mailbox drops it.
    pub fn send(&self, value: T) -> Replaced {
        let old = {
            let mut slot = self.slot.lock();
            if !slot.open {
                return Replaced::No;
            }
            slot.value.replace(value)
        };
        self.changed.notify_one();
        if let Some(wake) = &self.waker {
            wake();
        }
        // The old value is dropped here, after the lock: giving a buffer back may take a lock itself.
        match old {
            Some(_) => {
                self.replaced.fetch_add(1, Ordering::Relaxed);
                Replaced::Yes
            }
            None => Replaced::No,
        }
    }

    /// The value, if one is there.
    pub fn try_take(&self) -> Option<T> {
        self.slot.lock().value.take()
    }

    /// Waits for a value until `patience` is over.
    pub fn take_within(&self, patience: Duration) -> Taken<T> {
        let deadline = Instant::now() + patience;
        let mut slot = self.slot.lock();
        loop {
            if let Some(value) = slot.value.take() {
                return Taken::Value(value);
            }
            if !slot.open {
                return Taken::Closed;
            }
            if self.changed.wait_until(&mut slot, deadline).timed_out() {
                return slot.value.take().map_or(Taken::TimedOut, Taken::Value);
            }
        }
    }

    /// No value will be accepted any more. One that is inside can still be taken.
    pub fn close(&self) {
        self.slot.lock().open = false;
        self.changed.notify_all();
    }

    /// How many values were replaced before anyone took them.
    pub fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Relaxed)
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn the_newest_wins_and_drops_are_counted() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.send(1), Replaced::No);
        assert_eq!(mailbox.send(2), Replaced::Yes);
        assert_eq!(mailbox.send(3), Replaced::Yes);
        assert_eq!(mailbox.take_within(SOON), Taken::Value(3));
        assert_eq!(mailbox.take_within(SOON), Taken::TimedOut);
        assert_eq!(mailbox.replaced(), 2);
    }

    #[test]
    fn closing_wakes_and_keeps_the_last_value() {
        let mailbox = Arc::new(Mailbox::new());
        let waiting = Arc::clone(&mailbox);
        let thread = std::thread::Builder::new()
            .spawn(move || waiting.take_within(Duration::from_secs(60)))
            .unwrap();
        mailbox.close();
        assert_eq!(thread.join().unwrap(), Taken::<i32>::Closed);
        assert_eq!(mailbox.send(1), Replaced::No);
        assert_eq!(mailbox.try_take(), None);

        let mailbox = Mailbox::new();
        mailbox.send(7);
        mailbox.close();
        assert_eq!(mailbox.take_within(SOON), Taken::Value(7));
        assert_eq!(mailbox.take_within(SOON), Taken::Closed);
    }

    #[test]
    fn arrival_calls_the_waker() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let mailbox = Mailbox::with_waker(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        mailbox.send(());
        mailbox.send(());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    /// Every value is either taken or counted as replaced, in order, whatever the timing.
    #[test]
    fn nothing_is_lost_uncounted_under_stress() {
        const SENT: u64 = 100_000;
        let mailbox = Arc::new(Mailbox::new());
        let sender = Arc::clone(&mailbox);
        let thread = std::thread::Builder::new()
            .spawn(move || {
                for value in 1..=SENT {
                    sender.send(value);
                }
                sender.close();
            })
            .unwrap();
        let (mut taken, mut last) = (0, 0);
        loop {
            match mailbox.take_within(Duration::from_secs(10)) {
                Taken::Value(value) => {
                    assert!(value > last, "an older value came after a newer one");
                    (taken, last) = (taken + 1, value);
                }
                Taken::Closed => break,
                Taken::TimedOut => panic!("the sender hangs"),
            }
        }
        thread.join().unwrap();
        assert_eq!(last, SENT);
        assert_eq!(taken + mailbox.replaced(), SENT);
    }
}
