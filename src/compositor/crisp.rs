//! Makes a drawing's edges crisp where it is enlarged: the soft slope that enlarging makes of a pen's
//! line becomes a pixel wide again.
//!
//! A soft kind of toggle mapping (Kramer, Bruckner: Iterations of a non-linear transformation for
//! enhancement of digital images, 1975): between the darkest and the brightest of its neighbours in
//! the drawing, a pixel goes away from the middle, and never beyond them. What differs little, shade
//! on skin, stays as soft as it is drawn.
//!
//! The device does the same in `crisp` of `shaders/page.wgsl`.

use multiversion::multiversion;

use super::guide::luma;

/// How much farther from the middle a pixel goes, of 256.
const PUSH: i32 = 307;
/// By how much the neighbours' brightness must differ, of 255, and from where on all is done.
const EDGE: [i32; 2] = [26, 64];

/// Keeps its memory.
#[derive(Default)]
pub(super) struct Crisper {
    /// How much brighter each pixel becomes, once a colour; 0 for alpha.
    more: Vec<[i16; 4]>,
    row: Vec<[u8; 4]>,
}

impl Crisper {
    /// A row of pixels, crisp. `relief` is that of the drawing at the same places.
    pub fn row<'a>(
        &'a mut self,
        pixels: &'a [[u8; 4]],
        relief: &[[u8; 4]],
        strength: u8,
    ) -> &'a [[u8; 4]] {
        self.more.resize(pixels.len(), [0; 4]);
        self.row.resize(pixels.len(), [0; 4]);
        find(&mut self.more, pixels, relief, strength);
        add(&mut self.row, pixels, &self.more);
        &self.row
    }
}

/// How much brighter pixels become.
#[multiversion(targets("x86_64+avx2"))]
fn find(more: &mut [[i16; 4]], pixels: &[[u8; 4]], relief: &[[u8; 4]], strength: u8) {
    // Of 2^16, for each step of the neighbours' difference.
    let slope = i32::from(strength) * 65_536 / 255 / (EDGE[1] - EDGE[0]);
    for (more, (pixel, near)) in more.iter_mut().zip(pixels.iter().zip(relief)) {
        // As one number, for the compiler to take several pixels at a time.
        let near = u32::from_le_bytes(*near);
        let (least, most) = ((near & 255) as i32, (near >> 8 & 255) as i32);
        let bright = i32::from(luma(pixel));
        let share = ((most - least).clamp(EDGE[0], EDGE[1]) - EDGE[0]) * slope;
        let far = bright - (least + most) * 128;
        let goal = bright + ((far * PUSH) >> 8);
        let goal = goal.min(most << 8).max(least << 8);
        // In steps of a byte: 16 bits less and 8 more.
        let step = ((((goal - bright) >> 4) * (share >> 4) + (1 << 15)) >> 16) as i16;
        *more = [step, step, step, 0];
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn add(row: &mut [[u8; 4]], pixels: &[[u8; 4]], more: &[[i16; 4]]) {
    let pairs = pixels.as_flattened().iter().zip(more.as_flattened());
    for (out, (value, more)) in row.as_flattened_mut().iter_mut().zip(pairs) {
        *out = (i16::from(*value) + more).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crisped(bright: u8, [least, most]: [u8; 2], strength: u8) -> u8 {
        let mut crisper = Crisper::default();
        let [r, g, b, a] = crisper.row(
            &[[bright, bright, bright, 9]],
            &[[least, most, 0, 255]],
            strength,
        )[0];
        assert!(r == g && g == b && a == 9);
        r
    }

    #[test]
    fn a_slope_gets_steeper_and_keeps_its_middle_and_its_ends() {
        for (bright, expected) in [
            (0, 0),
            (60, 0),
            (100, 66),
            (128, 128),
            (156, 190),
            (200, 255),
            (255, 255),
        ] {
            let got = crisped(bright, [0, 255], 255);
            assert!(got.abs_diff(expected) <= 2, "{bright}: {got}");
        }
        // Half as much of it.
        assert!(crisped(100, [0, 255], 128).abs_diff(83) <= 2);
        // Never beyond what is there.
        assert_eq!(crisped(150, [80, 160], 255), 160);
    }

    #[test]
    fn what_differs_little_stays_soft() {
        for bright in [100, 105, 112, 125] {
            assert_eq!(crisped(bright, [100, 125], 255), bright);
        }
        assert_eq!(crisped(100, [0, 255], 0), 100);
    }
}
