//! Finding frames that were cut off on their way and still look whole.
//!
//! nokhwa gives a camera's whole buffer and hides how much of it is new. Of a frame cut off by a
//! bad cable, the rest is an older frame's, end marker and all; it often decodes without a
//! complaint, as two moments in one picture. But such a frame ends at the very byte at which the
//! older one in the same buffer ended, with the same bytes before it, which compressed frames of
//! a real camera never do by chance.

/// Buffers that are remembered: more than a driver uses.
const BUFFERS: usize = 8;
/// Bytes at the end that must be the same. By chance: once in 2^256 frames.
const TAIL: usize = 32;

/// Remembers the last frame of each buffer.
#[derive(Default)]
pub(super) struct Splices {
    seen: Vec<Seen>,
    next: usize,
}

struct Seen {
    address: usize,
    jpeg: Vec<u8>,
}

impl Splices {
    /// Whether `jpeg`, which begins a buffer of the camera, is a new frame's beginning with an
    /// older frame's end. The same frame again, as virtual cameras send it, is not.
    pub fn has(&mut self, jpeg: &[u8]) -> bool {
        let address = jpeg.as_ptr().addr();
        let Some(seen) = self.seen.iter_mut().find(|seen| seen.address == address) else {
            let seen = Seen {
                address,
                jpeg: jpeg.to_vec(),
            };
            if self.seen.len() < BUFFERS {
                self.seen.push(seen);
            } else {
                self.seen[self.next] = seen;
                self.next = (self.next + 1) % BUFFERS;
            }
            return false;
        };
        let old = &seen.jpeg;
        let spliced = old.len() == jpeg.len()
            && jpeg.len() > TAIL
            && old[old.len() - TAIL..] == jpeg[jpeg.len() - TAIL..]
            && old != jpeg;
        seen.jpeg.clear();
        seen.jpeg.extend_from_slice(jpeg);
        spliced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_on_an_older_end_is_found() {
        let mut splices = Splices::default();
        let mut buffer: Vec<u8> = (0..200).collect();
        assert!(!splices.has(&buffer));
        assert!(!splices.has(&buffer), "the same again");
        buffer[..60].fill(9);
        assert!(splices.has(&buffer), "cut off");
        buffer[..70].fill(8);
        assert!(splices.has(&buffer), "cut off once more");
        buffer[..150].fill(7);
        buffer[180] = 1;
        assert!(!splices.has(&buffer), "a new frame of the same length");
        assert!(!splices.has(&buffer[..150]), "a shorter one");
    }

    #[test]
    fn memory_is_bounded() {
        let mut splices = Splices::default();
        let bytes = [1; 400];
        for start in 0..100 {
            splices.has(&bytes[start..]);
        }
        assert_eq!(splices.seen.len(), BUFFERS);
    }
}
