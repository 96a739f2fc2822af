//! Where programs go that somebody wants in memory.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::frame::Program;
use crate::mailbox::Mailbox;

/// The list of all who want programs in memory. While it is empty, nothing is read back.
#[derive(Default)]
pub struct Outlets {
    list: Mutex<Vec<Weak<Mailbox<Arc<Program>>>>>,
}

/// Receives every program, newest wins. Dropping it ends that.
pub struct Outlet {
    mailbox: Arc<Mailbox<Arc<Program>>>,
}

impl Outlets {
    /// A mailbox that receives every program from now on.
    pub fn subscribe(&self) -> Outlet {
        self.add(Mailbox::new())
    }

    /// Like [`subscribe`](Self::subscribe), with a mailbox of one's own making.
    pub fn add(&self, mailbox: Mailbox<Arc<Program>>) -> Outlet {
        let mailbox = Arc::new(mailbox);
        self.list.lock().push(Arc::downgrade(&mailbox));
        Outlet { mailbox }
    }

    /// Whether anybody wants programs.
    pub fn wanted(&self) -> bool {
        let mut list = self.list.lock();
        list.retain(|mailbox| mailbox.strong_count() > 0);
        !list.is_empty()
    }

    /// Gives a program to all who want it.
    pub(super) fn send(&self, program: &Arc<Program>) {
        for mailbox in self.list.lock().iter().filter_map(Weak::upgrade) {
            mailbox.send(Arc::clone(program));
        }
    }

    /// Tells all that no more programs come.
    pub(super) fn close(&self) {
        for mailbox in self
            .list
            .lock()
            .drain(..)
            .filter_map(|mailbox| mailbox.upgrade())
        {
            mailbox.close();
        }
    }
}

impl Outlet {
    /// Where programs arrive.
    pub fn mailbox(&self) -> &Arc<Mailbox<Arc<Program>>> {
        &self.mailbox
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::frame::Stamp;
    use crate::mailbox::Taken;

    #[test]
    fn all_receive_until_they_leave() {
        let outlets = Outlets::default();
        assert!(!outlets.wanted());
        let (one, two) = (outlets.subscribe(), outlets.subscribe());
        let now = Instant::now();
        let program = Arc::new(Program {
            stamp: Stamp {
                sequence: 7,
                captured: now,
            },
            composed: now,
            picture: crate::frame::Picture::default().into(),
        });
        outlets.send(&program);
        assert!(one.mailbox().try_take().is_some());
        assert!(two.mailbox().try_take().is_some());
        drop(one);
        assert!(outlets.wanted());
        outlets.close();
        let taken = two.mailbox().take_within(Duration::ZERO);
        assert!(matches!(taken, Taken::Closed));
        drop(two);
        assert!(!outlets.wanted());
    }
}
