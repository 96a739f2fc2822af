//! A page as a vertical scroll: its panels one below the other, cut into slices as webtoon
//! platforms want them.

use crate::frame::{Picture, Size};
use crate::panels::Page;

/// Measures of a scroll, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scroll {
    /// How wide it is.
    pub width: u32,
    /// From one panel to the next, and above the first.
    pub gutter: u32,
    /// Beside the panels.
    pub margin: u32,
    /// The most rows of a slice.
    pub slice: u32,
}

impl Default for Scroll {
    fn default() -> Self {
        Self {
            width: 800,
            gutter: 120,
            margin: 40,
            slice: 1280,
        }
    }
}

/// The longest scroll.
const MOST_ROWS: u32 = 60_000;

impl Scroll {
    /// How wide panels are in it.
    pub fn panel_width(&self) -> u32 {
        self.width.saturating_sub(2 * self.margin).max(1)
    }

    /// How large it is drawn when it is a scroll already: as wide as this one in its own units and
    /// higher than wide, or so high that nothing else is, and not for paper.
    pub(super) fn natural(&self, page: &Page) -> Option<Size> {
        let (width, height) = page.units();
        let is_as_wide = (width - self.width as f32).abs() < 1.0 && height > width;
        let is_long = height > 2.5 * width;
        let is_scroll = page.inches().is_none() && (is_as_wide || is_long);
        let rows = (height * self.width as f32 / width.max(1e-3)).round();
        is_scroll.then(|| Size::new(self.width, rows.clamp(1.0, MOST_ROWS as f32) as u32))
    }

    /// Cuts a scroll into slices, where that is possible not through the rows that are `whole`,
    /// from above to below. What is transparent becomes white.
    pub(super) fn cut(&self, scroll: &Picture, whole: &[(u32, u32)]) -> Vec<Picture> {
        let cuts = cuts(whole, scroll.height(), self.slice);
        let slice = |pair: &[u32]| {
            let mut slice = Picture::new(Size::new(self.width, pair[1] - pair[0]));
            slice.rgba_mut().fill(255);
            lay(&mut slice, scroll, -i64::from(pair[0]));
            slice
        };
        cuts.windows(2).map(slice).collect()
    }

    /// Lays `panels` (premultiplied alpha, at most as wide as the scroll) on paper of a colour,
    /// and cuts it into slices: between panels where that is possible.
    pub fn slices(&self, panels: &[Picture], paper: [u8; 3]) -> Vec<Picture> {
        let mut tops = Vec::with_capacity(panels.len());
        let mut y = self.gutter;
        for panel in panels {
            tops.push((y, y + panel.height()));
            y = (y + panel.height() + self.gutter).min(MOST_ROWS);
        }
        let cuts = cuts(&tops, y, self.slice);
        let mut slices: Vec<Picture> = cuts
            .windows(2)
            .map(|pair| {
                let mut slice = Picture::new(Size::new(self.width, pair[1] - pair[0]));
                for pixel in slice.rgba_mut().as_chunks_mut::<4>().0 {
                    *pixel = [paper[0], paper[1], paper[2], 255];
                }
                slice
            })
            .collect();
        for (slice, pair) in slices.iter_mut().zip(cuts.windows(2)) {
            for (panel, (top, bottom)) in panels.iter().zip(&tops) {
                if *bottom > pair[0] && *top < pair[1] {
                    lay(slice, panel, i64::from(*top) - i64::from(pair[0]));
                }
            }
        }
        slices
    }
}

/// Lays a picture over a slice, in the middle, its upper edge at row `top`.
fn lay(slice: &mut Picture, panel: &Picture, top: i64) {
    let (width, height) = (slice.width() as usize, i64::from(slice.height()));
    let columns = (panel.width() as usize).min(width);
    let left = (width - columns) / 2;
    let target = slice.rgba_mut().as_chunks_mut::<4>().0;
    let rows = panel
        .rgba()
        .as_chunks::<4>()
        .0
        .chunks_exact(panel.width().max(1) as usize);
    for (row, y) in rows.zip(top..) {
        if y < 0 || y >= height {
            continue;
        }
        let start = y as usize * width + left;
        let below = target.get_mut(start..start + columns).unwrap_or_default();
        for (below, above) in below.iter_mut().zip(row) {
            let rest = 255 - u32::from(above[3]);
            for (b, a) in below.iter_mut().zip(above) {
                *b = (u32::from(*a) + (u32::from(*b) * rest + 127) / 255).min(255) as u8;
            }
        }
    }
}

/// Where to cut `height` rows with panels at `panels`, so that no slice has more than `most` rows:
/// 0, the cuts, `height`.
pub fn cuts(panels: &[(u32, u32)], height: u32, most: u32) -> Vec<u32> {
    let most = most.max(1);
    let mut cuts = vec![0];
    let mut at = 0;
    while height - at > most {
        // The lowest place between panels that is not too far down.
        let limit = at + most;
        let is_free = |y: u32| !panels.iter().any(|(top, bottom)| *top < y && y < *bottom);
        let between = panels
            .iter()
            .map(|(_, bottom)| *bottom)
            .zip(panels.iter().skip(1).map(|(top, _)| *top).chain([height]))
            .filter_map(|(bottom, top)| {
                let lowest = top.min(limit);
                // The middle of the gutter looks best, where it is reached.
                let y = if usize::midpoint(bottom as usize, top as usize) as u32 <= limit {
                    u32::midpoint(bottom, top)
                } else {
                    lowest
                };
                (y >= bottom && y > at && y <= limit && is_free(y)).then_some(y)
            })
            .max();
        // A slice that is hardly begun is not worth a cut of its own.
        at = between.filter(|y| y - at > most / 8).unwrap_or(limit);
        cuts.push(at);
    }
    cuts.push(height);
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_are_between_panels() {
        let panels = [(120, 720), (840, 1440), (1560, 2160)];
        let cuts = cuts(&panels, 2280, 1280);
        assert_eq!(cuts, [0, 780, 1500, 2280]);
    }

    #[test]
    fn a_panel_higher_than_a_slice_is_cut() {
        assert_eq!(cuts(&[(100, 3000)], 3100, 1280), [0, 1280, 2560, 3100]);
    }

    #[test]
    fn slices_hold_all_of_every_panel() {
        let red =
            Picture::from_rgba(Size::new(600, 900), [200, 0, 0, 255].repeat(600 * 900)).unwrap();
        let slices = Scroll::default().slices(&[red.clone(), red], [255; 3]);
        assert!(
            slices
                .iter()
                .all(|slice| slice.width() == 800 && slice.height() <= 1280)
        );
        let rows: u32 = slices.iter().map(Picture::height).sum();
        assert_eq!(rows, 120 + 900 + 120 + 900 + 120);
        let red = slices
            .iter()
            .flat_map(|slice| slice.rgba().as_chunks::<4>().0.to_vec())
            .filter(|pixel| *pixel == [200, 0, 0, 255])
            .count();
        assert_eq!(red, 2 * 600 * 900);
    }

    proptest! {
        #[test]
        fn slices_are_small_enough_and_cover_all(
            heights in prop::collection::vec((1u32..3000, 0u32..400), 0..9), most in 1u32..2000,
        ) {
            let (mut y, mut panels) = (0, Vec::new());
            for (high, gap) in heights {
                panels.push((y + gap, y + gap + high));
                y += gap + high;
            }
            let cuts = cuts(&panels, y + 50, most);
            prop_assert_eq!(cuts[0], 0);
            prop_assert_eq!(*cuts.last().unwrap(), y + 50);
            for pair in cuts.windows(2) {
                prop_assert!(pair[1] > pair[0] && pair[1] - pair[0] <= most);
            }
        }
    }
}
