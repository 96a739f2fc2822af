//! Pictures in memory and what travels between the stages.
//!
//! Buffers of a frame's size are allocated once and come back to their [`Pool`] when the last
//! holder drops them: the steady state allocates nothing of that size.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// Width and height in pixels. Written `1280x720`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// The longest side a picture may have anywhere in panelcam.
    pub const MAX_SIDE: u32 = 16_384;

    /// A size of `width` x `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Width over height.
    pub fn aspect(self) -> f32 {
        self.width as f32 / self.height.max(1) as f32
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text
            .split_once(['x', 'X'])
            .and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)));
        match sides {
            Some((width, height))
                if (1..=Self::MAX_SIDE).contains(&width)
                    && (1..=Self::MAX_SIDE).contains(&height) =>
            {
                Ok(Self { width, height })
            }
            _ => Err(format!(
                "A size is written WIDTHxHEIGHT, like 1280x720, each side from 1 to {}. ({text})",
                Self::MAX_SIDE
            )),
        }
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

/// A picture in memory: RGBA, 8 bits a channel, sRGB, rows packed tightly, top row first.
///
/// Alpha is straight in camera frames (always 255) and styled pictures (the matte), and
/// premultiplied in programs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    rgba: Vec<u8>,
    /// How it is finished where a program shows it.
    pub finish: Finish,
}

/// What is done to a drawing where it is shown, at the size it is shown at. The default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// How crisp its edges become where it is enlarged, 0..255: a pen's lines have no soft ones.
    pub crisp: u8,
    /// How its middle tones are printed.
    pub halftone: Halftone,
}

impl Finish {
    /// The same without dots.
    #[must_use]
    pub fn unprinted(self) -> Self {
        Self {
            halftone: Halftone::default(),
            ..self
        }
    }
}

/// How the middle tones of a drawing are printed: in dots of ink on lighter paper, as in comics. The
/// default is not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Halftone {
    /// How much of that is seen, 0..255; at 0 the tones are shown as they are drawn.
    pub strength: u8,
    /// How much of a tone's darkness the dots bear, 0..255; at 255 the paper is white.
    pub cover: u8,
    /// The dots' colour: red, green, blue.
    pub ink: [u8; 3],
}

impl Finish {
    /// Several at once, each with its share, 0..1: of the dots those say more that print more.
    pub fn blend(parts: impl Iterator<Item = (Self, f32)>) -> Self {
        let (mut sum, mut strength, mut crisp) = ([0.0; 4], 0.0, 0.0);
        for (part, share) in parts {
            crisp += share * f32::from(part.crisp);
            let part = part.halftone;
            let weight = share * f32::from(part.strength);
            let [r, g, b] = part.ink;
            for (sum, value) in sum.iter_mut().zip([part.cover, r, g, b]) {
                *sum += weight * f32::from(value);
            }
            strength += weight;
        }
        let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
        let [cover, r, g, b] = sum.map(|sum| byte(sum / strength));
        let halftone = Halftone {
            strength: byte(strength),
            cover,
            ink: [r, g, b],
        };
        Self {
            crisp: byte(crisp),
            halftone: if halftone.strength > 0 {
                halftone
            } else {
                Halftone::default()
            },
        }
    }
}

impl Picture {
    /// A transparent black picture.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            rgba: vec![0; size.area() * 4],
            finish: Finish::default(),
        }
    }

    /// Takes over `rgba`; `None` when its length is not `width * height * 4`.
    pub fn from_rgba(size: Size, rgba: Vec<u8>) -> Option<Self> {
        (rgba.len() == size.area() * 4).then_some(Self {
            size,
            rgba,
            finish: Finish::default(),
        })
    }

    /// Gives the picture another size. The old allocation is kept when it is large enough;
    /// what the pixels hold afterwards is not defined, and nothing finishes them.
    pub fn reshape(&mut self, size: Size) {
        self.size = size;
        self.finish = Finish::default();
        self.rgba.resize(size.area() * 4, 0);
    }

    /// Makes this picture equal to `other`, keeping the allocation.
    pub fn copy_from(&mut self, other: &Self) {
        self.reshape(other.size);
        self.finish = other.finish;
        self.rgba.copy_from_slice(&other.rgba);
    }

    /// Copies all of it into `other`, its upper left corner at column `left`, row `top`. What does not
    /// fit is left out.
    pub fn paste_into(&self, other: &mut Self, left: u32, top: u32) {
        let width = self.width().min(other.width().saturating_sub(left)) as usize * 4;
        let start = left as usize * 4;
        let rows = self.rgba.chunks_exact((self.width() as usize * 4).max(1));
        let whole = (other.width() as usize * 4).max(1);
        for (from, to) in rows.zip(other.rgba.chunks_exact_mut(whole).skip(top as usize)) {
            if let (Some(from), Some(to)) = (from.get(..width), to.get_mut(start..start + width)) {
                to.copy_from_slice(from);
            }
        }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Pixels a row.
    pub fn width(&self) -> u32 {
        self.size.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.size.height
    }

    /// The pixels, four bytes each.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// The pixels, four bytes each.
    pub fn rgba_mut(&mut self) -> &mut [u8] {
        &mut self.rgba
    }

    /// The pixel at column `x`, row `y`; `None` outside the picture.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        if x >= self.size.width || y >= self.size.height {
            return None;
        }
        let at = (y as usize * self.size.width as usize + x as usize) * 4;
        self.rgba.get(at..at + 4)?.try_into().ok()
    }

    /// Gives up the pixels.
    pub fn into_rgba(self) -> Vec<u8> {
        self.rgba
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({})", self.size)
    }
}

/// Buffers to be used again. Cloning shares the pool.
#[derive(Clone)]
pub struct Pool<T> {
    free: Arc<Mutex<Vec<T>>>,
}

impl<T: Default> Pool<T> {
    /// An empty pool.
    pub fn new() -> Self {
        Self {
            free: Arc::new(Mutex::new(Vec::new())),
        }
    }

    /// A buffer that was given back, or a new default one.
    pub fn take(&self) -> Pooled<T> {
        Pooled {
            value: self.free.lock().pop().unwrap_or_default(),
            home: Arc::downgrade(&self.free),
        }
    }
}

impl<T: Default> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A buffer on loan from a [`Pool`]; dropping it gives it back.
pub struct Pooled<T: Default> {
    value: T,
    home: Weak<Mutex<Vec<T>>>,
}

impl<T: Default> From<T> for Pooled<T> {
    /// A buffer that belongs to no pool and is freed when dropped.
    fn from(value: T) -> Self {
        Self {
            value,
            home: Weak::new(),
        }
    }
}

impl<T: Default> Deref for Pooled<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Default> DerefMut for Pooled<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Default> Drop for Pooled<T> {
    fn drop(&mut self) {
        if let Some(home) = self.home.upgrade() {
            home.lock().push(std::mem::take(&mut self.value));
        }
    }
}

impl<T: Default + fmt::Debug> fmt::Debug for Pooled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Where a picture comes from in time. It travels from source to output unchanged, so that
/// latency can be read anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Counts up by one for each frame a source captures; a gap is a frame the source lost.
    pub sequence: u64,
    /// When the frame arrived from the device or file.
    pub captured: Instant,
}

/// One picture from a source. Opaque: alpha is 255.
#[derive(Debug)]
pub struct Frame {
    /// When it was captured.
    pub stamp: Stamp,
    /// The picture as the camera saw it, not mirrored.
    pub picture: Pooled<Picture>,
}

/// A drawing of a frame. Picture and matte come from the same frame and stay together, so a
/// matte never trails a moving head.
#[derive(Clone, Debug)]
pub struct Styled {
    /// The frame it was drawn from.
    pub frame: Arc<Frame>,
    /// RGB is the drawing; alpha, straight, is the matte of the people. It may be smaller than
    /// the frame and has the frame's aspect within a few pixels.
    pub picture: Arc<Pooled<Picture>>,
    /// The frame in the drawing's size, as the generator saw it: what the drawing's edges follow.
    /// `None` when the drawing is about as large as the frame, and is shown as it is.
    pub shrunk: Option<Arc<Pooled<Picture>>>,
    /// Faces that were found in the frame; who turns away is not among them.
    pub faces: Vec<Face>,
    /// Faces, drawn again from more of the frame's pixels.
    pub close_ups: Option<CloseUps>,
    /// How much of the picture is the drawing, 0..1; the rest is the frame.
    pub strength: f32,
}

/// Faces of a frame that are small in its drawing, drawn again from more of its pixels.
#[derive(Clone, Debug)]
pub struct CloseUps {
    /// RGB: their drawings, side by side. Alpha: how much of them is laid over the drawing, 0 along
    /// the edges of each.
    pub picture: Arc<Pooled<Picture>>,
    /// What is where in it; [`CloseUp::MOST`] at most.
    pub parts: Vec<CloseUp>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CloseUp {
    /// What of the frame it shows.
    pub of: Area,
    /// Where its drawing is in the picture.
    pub at: Area,
}

impl CloseUp {
    /// The most in a picture.
    pub const MOST: usize = 4;
}

/// A part of a picture, in shares of its width and height.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// Left and upper edge, 0..1.
    pub corner: [f32; 2],
    /// Width and height, 0..1.
    pub size: [f32; 2],
}

impl Area {
    /// All of it.
    pub const ALL: Self = Self {
        corner: [0.0; 2],
        size: [1.0; 2],
    };
}

/// A point in a picture: 0,0 is the upper left corner, 1,1 the lower right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// From the left edge, 0..1.
    pub x: f32,
    /// From the upper edge, 0..1.
    pub y: f32,
}

impl Point {
    /// Where a face usually is when nobody is known to be there.
    pub const USUAL: Self = Self { x: 0.5, y: 0.4 };
}

/// A face in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// Its middle.
    pub centre: Point,
    /// From the hair to the chin, as a share of the picture's height.
    pub height: f32,
    /// Its mouth.
    pub mouth: Point,
    /// Whether this one speaks.
    pub speaking: bool,
}

impl Face {
    /// Where its middle is, from the hair, as a share of its height.
    pub const MIDDLE: f32 = 0.48;
}

impl Styled {
    /// A drawing that is shown as it is, whatever its frame's size.
    pub fn new(frame: Arc<Frame>, picture: Arc<Pooled<Picture>>) -> Self {
        Self {
            frame,
            picture,
            shrunk: None,
            faces: Vec::new(),
            close_ups: None,
            strength: 1.0,
        }
    }
}

/// The final composited picture, the one that outputs receive.
#[derive(Debug)]
pub struct Program {
    /// Stamp of the frame whose drawing it shows.
    pub stamp: Stamp,
    /// When compositing was done and the pixels were readable.
    pub composed: Instant,
    /// Premultiplied alpha; opaque unless the page is transparent somewhere.
    pub picture: Pooled<Picture>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed_and_bad_ones_refused() {
        assert_eq!("1280x720".parse(), Ok(Size::new(1280, 720)));
        for bad in ["", "1280", "0x5", "x", "1e3x5", "99999x5", "-1x5", "12x"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }

    #[test]
    fn finishes_are_blended_and_dots_by_how_much_they_print() {
        let [black, blue] = [[0; 3], [0, 0, 200]].map(|ink| Finish {
            crisp: 100,
            halftone: Halftone {
                strength: 200,
                cover: 255,
                ink,
            },
        });
        let of = |parts: &[(Finish, f32)]| Finish::blend(parts.iter().copied());
        let nothing = Finish::default();
        assert_eq!(of(&[(black, 1.0), (nothing, 0.0)]), black);
        assert_eq!(of(&[(nothing, 1.0)]), nothing);
        let half = of(&[(black, 0.5), (nothing, 0.5)]);
        assert_eq!(
            (half.crisp, half.halftone.strength, half.halftone.cover),
            (50, 100, 255)
        );
        let both = of(&[(black, 0.75), (blue, 0.25)]);
        assert_eq!(
            (both.halftone.strength, both.halftone.ink),
            (200, [0, 0, 50])
        );
    }

    #[test]
    fn a_dropped_buffer_is_used_again() {
        let pool = Pool::<Picture>::new();
        let mut first = pool.take();
        first.reshape(Size::new(8, 8));
        let address = first.rgba().as_ptr();
        drop(first);
        let second = pool.take();
        assert_eq!(second.rgba().as_ptr(), address);
        assert_eq!(second.size(), Size::new(8, 8));
    }

    #[test]
    fn a_buffer_outlives_its_pool() {
        let pool = Pool::<Picture>::new();
        let mut held = pool.take();
        held.reshape(Size::new(2, 2));
        drop(pool);
        assert_eq!(held.rgba().len(), 16);
    }

    #[test]
    fn pixels_outside_are_none() {
        let picture = Picture::new(Size::new(2, 1));
        assert_eq!(picture.pixel(1, 0), Some([0; 4]));
        assert_eq!(picture.pixel(2, 0), None);
        assert_eq!(Picture::from_rgba(Size::new(2, 2), vec![0; 15]), None);
    }
}
