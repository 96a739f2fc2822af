//! How the edges of a drawing follow those of its frame, when the generator draws smaller than the
//! frame.
//!
//! Around each pixel a drawing is about a linear function of the frame's brightness (He, Sun, Tang:
//! Guided Image Filtering, 2010). That function's slope, the gain, is found at the drawing's size;
//! what the frame has of brightness beyond its shrunk copy, times the gain, is what the drawing
//! lacks at the frame's size (Chen et al.: Bilateral Guided Upsampling, 2016). Where a drawing is
//! flat its gain is 0, so that neither skin nor camera noise comes back.
//!
//! The device adds that in `sharpened` of `shaders/page.wgsl`, the CPU in
//! [`Sharpener`](super::sharpen::Sharpener).

use std::ops::Range;
use std::sync::Arc;

use multiversion::multiversion;
use rayon::prelude::*;

use super::MOST_THREADS;
use super::cutout::Cutout;
use crate::frame::{Frame, Picture, Pooled, Styled};

/// The largest gain; more would only make rims.
pub(super) const MOST_GAIN: f32 = 3.0;
/// Brightness, of 255, by which a frame may differ from its shrunk copy without showing: noise.
pub(super) const NOISE: f32 = 2.5;
/// Parts of red, green and blue in brightness, of 256. One channel alone is noisier.
const LUMA: [u16; 3] = [77, 150, 29];

/// What would change a drawing by less than this, of 255, is left out, and what would change it by
/// up to twice as much is fainter: nobody sees it, and it takes time.
const LEAST: f32 = 2.0;
/// Added to the variance of brightness, of 255²: what is flatter than that is no edge.
const FLAT: f32 = 65.0;
/// Pixels that are looked at together.
const BLOCK: usize = 8;
/// A window's pixels.
const WINDOW: f32 = 9.0;

/// What is summed for each pixel of a window: brightness, its square, three colours, and those
/// times the brightness.
type Sums = [f32; 8];

/// What a drawing follows, and how; keeps its memory from drawing to drawing.
#[derive(Default)]
pub(super) struct Guidance {
    /// `None`: the drawing is shown as it is.
    pub follows: Option<Follows>,
    /// Gains of the drawing.
    pub drawn: Gains,
    /// Gains of the people cut out of it, when they are.
    pub people: Gains,
}

/// What a drawing follows.
pub(super) struct Follows {
    /// Its frame.
    pub frame: Arc<Frame>,
    /// The frame in its size.
    pub shrunk: Arc<Pooled<Picture>>,
    /// The part of the picture that is the frame itself, 0..1.
    pub plain: f32,
}

impl Guidance {
    /// Looks at a drawing, and at the people cut out of it.
    pub fn take(&mut self, styled: &Styled, people: Option<&Cutout>) {
        self.follows = styled.shrunk.as_ref().map(|shrunk| Follows {
            frame: Arc::clone(&styled.frame),
            shrunk: Arc::clone(shrunk),
            plain: 1.0 - styled.strength.clamp(0.0, 1.0),
        });
        if let Some(Follows { shrunk, plain, .. }) = &self.follows {
            let drawing = &styled.picture;
            let (width, height) = (drawing.width() as usize, drawing.height() as usize);
            let all = |_: usize, _: &mut [[u8; 4]], parts: &mut Parts| parts.push(0..width);
            self.drawn.find(shrunk, drawing, *plain, all);
            let Some(cutout) = people else { return };
            // Where nobody is, nothing of them is shown.
            let within = |y: usize| {
                let at = |y: usize| y as f32 / height.max(1) as f32;
                cutout.columns(at(y), at(y + 1)).map_or(0..0, |band| {
                    let at = |share: f32| (share.clamp(0.0, 1.0) * width as f32) as usize;
                    at(band.0).saturating_sub(2)..(at(band.1) + 3).min(width)
                })
            };
            let drawn = &self.drawn.picture;
            let own = |y: usize, gains: &mut [[u8; 4]], parts: &mut Parts| {
                let part = within(y);
                if let Some(gains) = gains.get_mut(part.clone()) {
                    gains.copy_from_slice(row(drawn, y, part.clone()));
                }
                for start in part.clone().step_by(BLOCK) {
                    let end = (start + BLOCK).min(part.end);
                    let seen = start.saturating_sub(1)..(end + 1).min(width);
                    // Only along their edges people have other colours than the drawing.
                    let is_other = |y: usize| {
                        row(&cutout.picture, y, seen.clone()) != row(drawing, y, seen.clone())
                    };
                    if !(y.saturating_sub(1)..(y + 2).min(height)).any(is_other) {
                        continue;
                    }
                    match parts.last_mut() {
                        Some(before) if before.end == start => before.end = end,
                        _ => parts.push(start..end),
                    }
                }
            };
            self.people.find(shrunk, &cutout.picture, *plain, own);
        }
    }
}

/// Some columns of a row of pixels.
fn row(picture: &Picture, y: usize, columns: Range<usize>) -> &[[u8; 4]] {
    let start = y * picture.width() as usize;
    let pixels = picture.rgba().as_chunks::<4>().0;
    let found = pixels.get(start + columns.start..start + columns.end);
    found.unwrap_or_default()
}

/// Columns of a row.
type Parts = Vec<Range<usize>>;

/// Finds gains; keeps its memory.
#[derive(Default)]
pub(super) struct Gains {
    /// Of each pixel of a drawing: gains of red, green and blue, 255 is [`MOST_GAIN`]. Alpha is the
    /// most that the frame's brightness may differ here from that of its shrunk copy, of 255: what
    /// its standard deviation is. A hair that is brighter than all around it would be a spark.
    pub picture: Picture,
    /// Whether there are any in [`BLOCK`] pixels of a row, row after row.
    busy: Vec<bool>,
    /// One for each thread that looks.
    scratch: [Scratch; MOST_THREADS],
}

/// What is used from row to row.
#[derive(Default)]
struct Scratch {
    /// The products of three rows, a pixel more at either end.
    rows: [Vec<Sums>; 3],
    /// Their sums.
    sums: Vec<Sums>,
    parts: Parts,
}

impl Gains {
    /// Finds the gains of `drawing` over `shrunk`, its frame in its size. `plain` is the part of
    /// the picture that is the frame itself, 0..1, and not drawn. `choose` is given each row, empty,
    /// for gains that are known, and says where to look for others.
    pub fn find(
        &mut self,
        shrunk: &Picture,
        drawing: &Picture,
        plain: f32,
        choose: impl Fn(usize, &mut [[u8; 4]], &mut Parts) + Sync,
    ) {
        let size = drawing.size();
        self.picture.reshape(size);
        let width = size.width as usize;
        self.busy.clear();
        if size.area() == 0 || shrunk.size() != size {
            self.picture.rgba_mut().fill(0);
            return;
        }
        let (height, blocks) = (size.height as usize, width.div_ceil(BLOCK));
        self.busy.resize(height * blocks, false);
        let of_shrunk = shrunk.rgba().as_chunks::<4>().0;
        let of_drawing = drawing.rgba().as_chunks::<4>().0;
        let products = |y: usize, row: &mut Vec<Sums>| {
            let span = y * width..(y + 1) * width;
            if let (Some(shrunk), Some(drawing)) =
                (of_shrunk.get(span.clone()), of_drawing.get(span))
            {
                multiply(shrunk, drawing, plain, row);
            }
        };
        let band = height.div_ceil(MOST_THREADS);
        let gains = self.picture.rgba_mut().as_chunks_mut::<4>().0;
        let bands = gains.par_chunks_mut(band * width);
        let bands = bands.zip(self.busy.par_chunks_mut(band * blocks));
        let bands = bands.zip(&mut self.scratch).enumerate();
        bands.for_each(|(number, ((gains, busy), scratch))| {
            let Scratch { rows, sums, parts } = scratch;
            let (top, last) = (number * band, height - 1);
            for y in top.saturating_sub(1)..=top {
                products(y, &mut rows[y % 3]);
            }
            let rows_of = gains.chunks_exact_mut(width);
            let rows_of = rows_of.zip(busy.chunks_exact_mut(blocks));
            for (y, (gains, busy)) in (top..).zip(rows_of) {
                if y < last {
                    products(y + 1, &mut rows[(y + 1) % 3]);
                }
                let [above, at, below] =
                    [y.saturating_sub(1), y, (y + 1).min(last)].map(|y| &rows[y % 3]);
                gains.fill([0; 4]);
                parts.clear();
                choose(y, gains, parts);
                for part in &*parts {
                    // A pixel more at either end.
                    let around = part.start..part.end + 2;
                    if let (Some(gains), Some(above), Some(at), Some(below)) = (
                        gains.get_mut(part.clone()),
                        above.get(around.clone()),
                        at.get(around.clone()),
                        below.get(around),
                    ) {
                        gains_of(gains, [above, at, below], sums);
                    }
                }
                for (busy, gains) in busy.iter_mut().zip(gains.chunks(BLOCK)) {
                    *busy = gains.iter().any(|[r, g, b, _]| r | g | b != 0);
                }
            }
        });
    }

    /// Whether a row has any gain from column `first` to column `last`.
    pub fn any(&self, y: u32, first: usize, last: usize) -> bool {
        let blocks = (self.picture.width() as usize).div_ceil(BLOCK);
        let start = y.min(self.picture.height().saturating_sub(1)) as usize * blocks;
        let last = (last / BLOCK).min(blocks.saturating_sub(1));
        let found = self.busy.get(start + first / BLOCK..=start + last);
        found.is_some_and(|busy| busy.contains(&true))
    }
}

/// The gains of a part of a row, from its products and those above and below, a pixel more at either
/// end.
#[multiversion(targets("x86_64+avx2"))]
fn gains_of(gains: &mut [[u8; 4]], [above, at, below]: [&[Sums]; 3], sums: &mut Vec<Sums>) {
    sums.clear();
    let rows = above.iter().zip(at).zip(below);
    sums.extend(rows.map(|((a, b), c)| added(a, b, c)));
    for (gain, [a, b, c]) in gains.iter_mut().zip(sums.array_windows::<3>()) {
        *gain = gain_of(&added(a, b, c));
    }
}

#[inline(always)]
fn added(a: &Sums, b: &Sums, c: &Sums) -> Sums {
    let mut sums = *a;
    for (sum, (b, c)) in sums.iter_mut().zip(b.iter().zip(c)) {
        *sum += b + c;
    }
    sums
}

/// The products of a row; its ends are repeated.
#[multiversion(targets("x86_64+avx2"))]
fn multiply(shrunk: &[[u8; 4]], drawing: &[[u8; 4]], plain: f32, row: &mut Vec<Sums>) {
    row.resize(shrunk.len() + 2, [0.0; 8]);
    for ((sums, frame), drawn) in row.iter_mut().skip(1).zip(shrunk).zip(drawing) {
        let bright = f32::from(luma(frame)) / 256.0;
        let own = |at: usize| f32::from(drawn[at]) - plain * f32::from(frame[at]);
        let (r, g, b) = (own(0), own(1), own(2));
        let squared = bright * bright;
        *sums = [bright, squared, r, g, b, bright * r, bright * g, bright * b];
    }
    let end = shrunk.len();
    row[0] = row[1];
    row[end + 1] = row[end];
}

/// The gains of a window.
#[inline(always)]
fn gain_of([bright, squares, r, g, b, bright_r, bright_g, bright_b]: &Sums) -> [u8; 4] {
    let variance = WINDOW * squares - bright * bright;
    // Flat: no gain could be seen.
    if variance < WINDOW * WINDOW * (LEAST / MOST_GAIN) * (LEAST / MOST_GAIN) {
        return [0; 4];
    }
    let share = 1.0 / (variance + WINDOW * WINDOW * FLAT);
    let deviation = variance.max(0.0).sqrt() / WINDOW;
    let gain = |sum: f32, product: f32| {
        let gain = ((WINDOW * product - bright * sum) * share).clamp(0.0, MOST_GAIN);
        let seen = (gain * deviation / LEAST - 1.0).clamp(0.0, 1.0);
        (gain * seen * (255.0 / MOST_GAIN) + 0.5) as u8
    };
    [
        gain(*r, *bright_r),
        gain(*g, *bright_g),
        gain(*b, *bright_b),
        (deviation + 0.5) as u8,
    ]
}

/// A pixel's brightness, 0..65280.
#[inline(always)]
pub(super) fn luma(pixel: &[u8; 4]) -> u16 {
    // As one number, for the compiler to take several pixels at a time.
    let pixel = u32::from_le_bytes(*pixel);
    let channel = |number: usize| (pixel >> (8 * number) & 255) * u32::from(LUMA[number]);
    (channel(0) + channel(1) + channel(2)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Size;

    const SIZE: Size = Size::new(16, 8);

    fn picture(pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
        let mut picture = Picture::new(SIZE);
        for (at, bytes) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
            let (x, y) = (at as u32 % SIZE.width, at as u32 / SIZE.width);
            bytes[..3].copy_from_slice(&pixel(x, y));
        }
        picture
    }

    fn gains(shrunk: &Picture, drawing: &Picture, plain: f32) -> Vec<[u8; 4]> {
        let mut gains = Gains::default();
        gains.find(shrunk, drawing, plain, |_, _, parts| {
            parts.push(0..SIZE.width as usize);
        });
        gains.picture.rgba().as_chunks::<4>().0.to_vec()
    }

    /// An edge in the middle, from one grey to another.
    fn edge(left: u8, right: u8) -> Picture {
        picture(|x, _| if x < 8 { [left; 3] } else { [right; 3] })
    }

    #[test]
    fn a_gain_is_the_slope_of_the_drawing_over_the_frame() {
        let shrunk = edge(60, 160);
        for (drawing, expected) in [
            (edge(60, 160), 1.0),
            (edge(20, 220), 2.0),
            (edge(110, 160), 0.5),
            (edge(0, 255), 2.55),
            // Flat, or the other way round.
            (edge(90, 90), 0.0),
            (edge(160, 60), 0.0),
        ] {
            let found = gains(&shrunk, &drawing, 0.0);
            for y in 0..8 {
                let gain = f32::from(found[y * 16 + 8][0]) / 85.0;
                assert!((gain - expected).abs() < 0.1, "{gain}, {expected}");
                assert_eq!(found[y * 16 + 2], [0; 4], "far from the edge");
                assert_eq!(found[y * 16 + 8][3], 47, "of 60 and 160");
            }
        }
        assert_eq!(gains(&edge(100, 110), &edge(0, 255), 0.0)[8][0], 255);
    }

    #[test]
    fn noise_under_a_flat_drawing_and_a_plain_frame_have_no_gain() {
        let noisy = picture(|x, y| [100 + ((x * 7 + y * 13) % 11) as u8; 3]);
        let flat = picture(|_, _| [120, 130, 140]);
        let none = |gain: &[u8; 4]| gain[..3] == [0; 3];
        assert!(gains(&noisy, &flat, 0.0).iter().all(none));
        // All of it is the frame.
        let frame = edge(10, 200);
        assert!(gains(&frame, &frame, 1.0).iter().all(none));
    }

    /// Gains of people are found only along their edges, and taken over elsewhere.
    #[test]
    fn people_have_the_gains_of_what_is_cut_out() {
        let size = Size::new(96, 64);
        let mut drawing = Picture::new(size);
        let mut shrunk = Picture::new(size);
        for (at, pixel) in drawing.rgba_mut().chunks_exact_mut(4).enumerate() {
            let (x, y) = (at as u32 % size.width, at as u32 / size.width);
            let far = (x as f32 - 50.0).hypot(y as f32 - 40.0);
            let matte = ((30.0 - far) * 25.0 + 128.0).clamp(0.0, 255.0) as u8;
            let shade = if (x / 5 + y / 7) % 2 == 0 { 40 } else { 200 };
            pixel.copy_from_slice(&[shade, shade / 2, if far < 30.0 { 30 } else { 220 }, matte]);
        }
        for (frame, drawn) in shrunk.rgba_mut().iter_mut().zip(drawing.rgba()) {
            *frame = drawn / 2 + 40;
        }
        let mut cutout = Cutout::default();
        cutout.make(&drawing, false);
        assert_ne!(cutout.picture, drawing);
        let mut styled = Styled::new(
            Arc::new(Frame {
                stamp: crate::frame::Stamp {
                    sequence: 0,
                    captured: std::time::Instant::now(),
                },
                picture: Picture::new(Size::new(192, 128)).into(),
            }),
            Arc::new(drawing.into()),
        );
        styled.shrunk = Some(Arc::new(shrunk.clone().into()));
        let mut guidance = Guidance::default();
        guidance.take(&styled, Some(&cutout));
        let mut expected = Gains::default();
        expected.find(&shrunk, &cutout.picture, 0.0, |_, _, parts| {
            parts.push(0..96);
        });
        let mut found = 0;
        for (at, pixel) in cutout.picture.rgba().chunks_exact(4).enumerate() {
            if pixel[3] > 60 {
                let span = at * 4..at * 4 + 4;
                let gains = &guidance.people.picture.rgba()[span.clone()];
                assert_eq!(gains, &expected.picture.rgba()[span.clone()], "{at}");
                found += usize::from(gains != &guidance.drawn.picture.rgba()[span]);
            }
        }
        assert!(found > 50, "{found}");
    }

    #[test]
    fn any_size_has_gains() {
        for size in [(1, 1), (2, 1), (1, 3), (0, 5)] {
            let picture = Picture::new(Size::new(size.0, size.1));
            let mut gains = Gains::default();
            gains.find(&picture, &picture, 0.0, |_, _, parts| {
                parts.push(0..size.0 as usize);
            });
            assert_eq!(gains.picture, picture);
        }
        let mut gains = Gains::default();
        gains.find(
            &Picture::new(Size::new(3, 3)),
            &Picture::new(SIZE),
            0.0,
            |_, _, _| {},
        );
        assert!(gains.picture.rgba().iter().all(|byte| *byte == 0));
    }
}
