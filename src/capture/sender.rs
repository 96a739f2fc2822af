//! Where all sources put their frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Outbox;
use crate::frame::{Frame, Picture, Pool, Pooled, Stamp};
use crate::mailbox::Replaced;
use crate::status::{Board, Rate, Stage};

/// Stamps frames and hands them to both mailboxes.
pub(super) struct Sender {
    pub board: Arc<Board>,
    outbox: Outbox,
    pool: Pool<Picture>,
    sequence: AtomicU64,
}

impl Sender {
    pub fn new(outbox: Outbox, board: Arc<Board>) -> Self {
        Self {
            board,
            outbox,
            pool: Pool::new(),
            sequence: AtomicU64::new(0),
        }
    }

    /// A buffer for the next frame.
    pub fn picture(&self) -> Pooled<Picture> {
        self.pool.take()
    }

    /// Sends a frame that arrived at `captured` and took `work` to decode.
    pub fn send(&self, picture: Pooled<Picture>, captured: Instant, work: Duration) {
        let stamp = Stamp {
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed),
            captured,
        };
        let frame = Arc::new(Frame { stamp, picture });
        self.board.record(Stage::Capture, work);
        self.board.count(Rate::Captured);
        self.outbox.compositor.send(Arc::clone(&frame));
        if self.outbox.inference.send(frame) == Replaced::Yes {
            self.board.dropped(1);
        }
    }

    /// Leaves a gap in the numbers: the source lost a frame.
    pub fn skip(&self) {
        self.sequence.fetch_add(1, Ordering::Relaxed);
    }
}
