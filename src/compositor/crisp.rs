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
        self.row.resize(pixels.len(), [0; 4]);
        crisp(&mut self.row, pixels, relief, strength);
        &self.row
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn crisp(row: &mut [[u8; 4]], pixels: &[[u8; 4]], relief: &[[u8; 4]], strength: u8) {
    // Of 2^16, for each step of the neighbours' difference.
    let slope = i32::from(strength) * 65_536 / 255 / (EDGE[1] - EDGE[0]);
    for ((out, pixel), [least, most, ..]) in row.iter_mut().zip(pixels).zip(relief) {
        let bright = i32::from(luma(pixel));
        let (least, most) = (i32::from(*least), i32::from(*most));
        let share = ((most - least).clamp(EDGE[0], EDGE[1]) - EDGE[0]) * slope;
        let far = bright - (least + most) * 128;
        let goal = (bright + ((far * PUSH) >> 8)).clamp(least << 8, most << 8);
        // In steps of a byte: 16 bits less and 8 more.
        let more = (((goal - bright) >> 4) * (share >> 4) + (1 << 15)) >> 16;
        for (out, value) in out.iter_mut().zip(pixel).take(3) {
            *out = (i32::from(*value) + more).clamp(0, 255) as u8;
        }
        out[3] = pixel[3];
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
