//! A value that one thread changes and others read, always whole and never waiting.

use std::sync::Arc;

use parking_lot::RwLock;

/// The current value of something. Share it in an [`Arc`].
#[derive(Debug, Default)]
pub struct Watch<T> {
    value: RwLock<Arc<T>>,
}

impl<T> Watch<T> {
    /// Starts with `value`.
    pub fn new(value: T) -> Self {
        Self {
            value: RwLock::new(Arc::new(value)),
        }
    }

    /// The value now. Cheap: a reference count.
    pub fn get(&self) -> Arc<T> {
        Arc::clone(&self.value.read())
    }

    /// Replaces the value; readers see it at their next [`get`](Self::get).
    pub fn set(&self, value: T) {
        *self.value.write() = Arc::new(value);
    }
}
