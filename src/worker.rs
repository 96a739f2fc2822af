//! A named thread that stops and joins when its handle is dropped.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Tells a thread that it should end. Cloning shares it.
#[derive(Clone, Default)]
pub struct Stop {
    inner: Arc<StopInner>,
}

#[derive(Default)]
struct StopInner {
    asked: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Stop {
    /// Whether the thread should end. Loops ask this at least ten times a second.
    pub fn asked(&self) -> bool {
        self.inner.asked.load(Ordering::Acquire)
    }

    /// Asks the thread to end.
    pub fn ask(&self) {
        let _guard = self.inner.lock.lock();
        self.inner.asked.store(true, Ordering::Release);
        self.inner.changed.notify_all();
    }

    /// Sleeps for `time`, or less when asked to stop meanwhile.
    pub fn sleep(&self, time: Duration) {
        let mut guard = self.inner.lock.lock();
        if !self.asked() {
            self.inner.changed.wait_for(&mut guard, time);
        }
    }
}

/// A running stage. Dropping it asks the thread to end and waits until it has.
pub struct Worker {
    name: String,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Runs `body` on a thread called `name`. A panic in it is a bug: it ends this thread alone
    /// and is logged as an error.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(name: &str, body: impl FnOnce(&Stop) + Send + 'static) -> io::Result<Self> {
        let stop = Stop::default();
        let (inner, label) = (stop.clone(), name.to_owned());
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| body(&inner))).is_err() {
                    tracing::error!("The thread {label} stopped on a bug. Please report it.");
                }
            })?;
        Ok(Self {
            name: name.to_owned(),
            stop,
            thread: Some(thread),
        })
    }

    /// Whether the thread has ended by itself.
    pub fn finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Asks the thread to end without waiting for it.
    pub fn ask_to_stop(&self) {
        self.stop.ask();
    }

    /// Waits until the thread ends by itself.
    pub fn join(mut self) {
        self.join_now();
    }

    /// Asks the thread to end and waits until it has; after `patience` it is left behind.
    pub fn end_within(self, patience: Duration) {
        const LOOK: Duration = Duration::from_millis(2);
        self.stop.ask();
        let started = Instant::now();
        while !self.finished() {
            if started.elapsed() >= patience {
                return self.abandon();
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Lets the thread go on without its handle, after asking it to stop: for one that may hang
    /// in a driver for ever.
    pub fn abandon(mut self) {
        self.stop.ask();
        tracing::warn!("The thread {} hangs and was left behind.", self.name);
        self.thread = None;
    }

    fn join_now(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The thread {} panicked.", self.name);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.ask();
        self.join_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_stops_and_joins_at_once() {
        let started = Instant::now();
        let worker = Worker::spawn("sleeper", |stop| {
            while !stop.asked() {
                stop.sleep(Duration::from_secs(60));
            }
        })
        .unwrap();
        drop(worker);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn one_that_hangs_is_left_behind_and_another_is_waited_for() {
        let hangs = Arc::new(AtomicBool::new(true));
        let inner = Arc::clone(&hangs);
        let worker = Worker::spawn("hung", move |_| {
            while inner.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        worker.unwrap().end_within(Duration::from_millis(50));
        assert_eq!(Arc::strong_count(&hangs), 2, "it still runs");
        hangs.store(false, Ordering::Release);
        let done = Arc::new(AtomicBool::new(false));
        let inner = Arc::clone(&done);
        let worker = Worker::spawn("ends", move |stop| {
            while !stop.asked() {
                stop.sleep(Duration::from_secs(60));
            }
            inner.store(true, Ordering::Release);
        });
        worker.unwrap().end_within(Duration::from_secs(60));
        assert!(done.load(Ordering::Acquire));
    }

    #[test]
    fn a_panic_ends_only_its_own_thread() {
        let worker = Worker::spawn("faulty", |_| panic!("on purpose")).unwrap();
        worker.join();
    }
}
