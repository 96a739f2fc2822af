//! Where all sources put their frames.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Outbox;
use super::turn::turn_into;
use crate::frame::{Frame, Picture, Pool, Pooled, Stamp};
use crate::mailbox::Replaced;
use crate::source::Turn;
use crate::status::{Board, Rate, Stage};

/// Stamps frames and hands them to both mailboxes.
pub(super) struct Sender {
    pub board: Arc<Board>,
    /// How pictures from a lens are turned.
    pub turn: Turn,
    outbox: Outbox,
    pool: Pool<Picture>,
    sequence: AtomicU64,
}

impl Sender {
    pub fn new(outbox: Outbox, turn: Turn, board: Arc<Board>) -> Self {
        Self {
            board,
            turn,
            outbox,
            pool: Pool::new(),
            sequence: AtomicU64::new(0),
        }
    }

    /// A buffer for the next frame.
    pub fn picture(&self) -> Pooled<Picture> {
        self.pool.take()
    }

    /// A picture from a lens, turned as it should be.
    pub fn turned(&self, picture: Pooled<Picture>) -> Pooled<Picture> {
        if self.turn == Turn::None {
            return picture;
        }
        let mut turned = self.pool.take();
        turn_into(&picture, self.turn, &mut turned);
        turned
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
