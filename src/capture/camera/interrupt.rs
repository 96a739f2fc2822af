//! Getting a thread out of a call to a camera that hangs.
//!
//! nokhwa waits for a frame without a time limit. A thread left behind there would keep the device
//! open and streaming, so that it could not be opened again. A signal makes the call return with
//! an error, and the thread closes the device as after any other error.

#[cfg(target_os = "linux")]
pub(super) use signal::Interrupt;

#[cfg(target_os = "linux")]
mod signal {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, OnceLock};

    use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
    use nix::sys::signal::Signal;
    use parking_lot::Mutex;

    /// Does nothing by default and is used by nothing else here: harmless at a wrong moment.
    const SIGNAL: Signal = Signal::SIGURG;

    /// A thread that can be called back. Share it in an [`Arc`].
    #[derive(Default)]
    pub(in super::super) struct Interrupt(Mutex<Option<Pthread>>);

    impl Interrupt {
        /// Runs `work` on this thread, open to interruption.
        pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
            // An ignored signal interrupts nothing: it needs a handler, whatever that does.
            static HANDLER: OnceLock<bool> = OnceLock::new();
            let ready = *HANDLER.get_or_init(|| {
                let flag = Arc::new(AtomicBool::new(false));
                signal_hook::flag::register(SIGNAL as i32, flag).is_ok()
            });
            *self.0.lock() = ready.then(pthread_self);
            let result = work();
            // Before the thread can end: a signal must not be sent to a thread that is no more.
            *self.0.lock() = None;
            result
        }

        /// Makes the system call that the thread waits in, if any, return with an error.
        pub fn send(&self) {
            let thread = self.0.lock();
            if let Some(thread) = *thread {
                // The only error is that the thread is gone, which the lock excludes.
                let _ = pthread_kill(thread, SIGNAL);
            }
        }
    }
}

/// Elsewhere nothing of the kind is known: a hanging thread is left behind.
#[cfg(not(target_os = "linux"))]
#[derive(Default)]
pub(super) struct Interrupt;

#[cfg(not(target_os = "linux"))]
impl Interrupt {
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    pub fn send(&self) {}
}
