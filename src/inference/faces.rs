//! Finds the faces in frames and follows them.
//!
//! `BlazeFace` by `MediaPipe` (`models/faces`): a square of 128 x 128 pixels, about 1.3 ms of a thread. It
//! sees faces from about an eighth of its square, so a frame is looked at in several: all of it,
//! squares as high as it is, and smaller ones. One is looked at for each frame, in turn. Two of three
//! turns are for faces that are known: all of them, where they are seen well in one square, else one
//! after the other.

mod detector;
mod tracks;

use super::error::InferenceError;
use super::runtime::Runtime;
use crate::frame::{Face, Picture, Size};

use detector::{Detector, Glance, LEAST_PIXELS};
use tracks::Tracks;

/// Of so many turns one looks for new faces while some are known.
const TURNS: u64 = 3;
/// The square around known faces is so many times as large as they need.
const ROOM: f32 = 1.5;

/// The faces of one source.
pub struct Faces {
    detector: Detector,
    tracks: Tracks,
    /// Of the frames.
    size: Size,
    turn: u64,
    /// Which part is looked at next in search of new ones.
    next: usize,
}

impl Faces {
    /// Loads the network.
    ///
    /// # Errors
    /// When ONNX Runtime refuses it.
    pub fn open(runtime: &Runtime) -> Result<Self, InferenceError> {
        Ok(Self {
            detector: Detector::open(runtime)?,
            tracks: Tracks::default(),
            size: Size::default(),
            turn: 0,
            next: 0,
        })
    }

    /// The next frame is of another source.
    pub fn forget(&mut self) {
        (self.size, self.tracks) = (Size::default(), Tracks::default());
        (self.turn, self.next) = (0, 0);
    }

    /// Looks at the next frame; `small` is the same, smaller. The faces that are known then.
    ///
    /// # Errors
    /// When ONNX Runtime fails.
    pub fn look(&mut self, frame: &Picture, small: &Picture) -> Result<Vec<Face>, InferenceError> {
        self.turn += 1;
        let size = frame.size();
        if size.area() == 0 {
            return Ok(Vec::new());
        }
        if self.size != size {
            (self.size, self.tracks, self.next) = (size, Tracks::default(), 0);
        }
        let known = (self.tracks.around(ROOM, size))
            .filter(|(square, least)| square.pixels(*least) >= LEAST_PIXELS)
            .map(|(square, _)| square)
            .or_else(|| self.tracks.longest_unseen(ROOM));
        let square = match self.turn % TURNS {
            0 => None,
            1 => self.tracks.doubtful(ROOM).or(known),
            _ => known.or_else(|| self.tracks.doubtful(ROOM)),
        };
        let Some(square) = square.or_else(|| self.next_in_search(size)) else {
            return Ok(Vec::new());
        };
        let found = self.detector.detect(frame, small, square)?;
        self.tracks.update(&found, square, size);
        Ok(self.tracks.faces(size))
    }

    fn next_in_search(&mut self, size: Size) -> Option<Glance> {
        let squares = Glance::all_over(size);
        let square = squares.get(self.next).copied();
        self.next = (self.next + 1) % squares.len().max(1);
        square
    }

    /// Looks at a picture that stands alone, all over it.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn look_all_over(
        &mut self,
        frame: &Picture,
        small: &Picture,
    ) -> Result<Vec<Face>, InferenceError> {
        let size = frame.size();
        (self.size, self.tracks) = (size, Tracks::default());
        let mut look = |tracks: &mut Tracks, square| -> Result<(), InferenceError> {
            let found = self.detector.detect(frame, small, square)?;
            tracks.update(&found, square, size);
            Ok(())
        };
        // Twice: a face that is not quite sure must be found again, and one that was seen small be
        // seen well.
        let squares = || Glance::all_over(size).into_iter();
        for square in squares().chain(squares()) {
            look(&mut self.tracks, square)?;
        }
        for square in self
            .tracks
            .around_each(ROOM)
            .into_iter()
            .flat_map(|square| [square; 3])
        {
            look(&mut self.tracks, square)?;
        }
        Ok(self.tracks.faces(size))
    }
}
