//! How large the head is at an upper end of somebody's matte, and where its middle is.
//!
//! There may be several such ends: an arm may be raised above the head. The one that is most like a
//! head is taken.
//!
//! Widths of the matte, row for row, are held against those of heads with neck and shoulders, of all
//! sizes, and also of heads that the picture's upper edge cuts off. Sizes that fit nearly as well as
//! the best have their say, so that the answer does not jump.

use super::{COLUMNS, ROWS};

/// A head, in cells from the upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fitted {
    /// The middle, from the left.
    pub middle: f32,
    /// Where the hair ends; less than 0 when the picture ends before.
    pub top: f32,
    /// From there to the chin.
    pub height: f32,
}

/// How wide people are for the height of their heads, every twentieth of it from the hair down: one
/// in ten is narrower, half are, nine in ten are. Measured on photos.
const PROFILE: [[f32; 3]; 32] = [
    [0.15, 0.25, 0.37],
    [0.36, 0.45, 0.55],
    [0.48, 0.56, 0.68],
    [0.56, 0.63, 0.77],
    [0.62, 0.68, 0.86],
    [0.65, 0.72, 0.94],
    [0.66, 0.74, 0.97],
    [0.66, 0.74, 0.98],
    [0.67, 0.75, 0.98],
    [0.67, 0.77, 1.01],
    [0.68, 0.77, 1.02],
    [0.68, 0.76, 1.01],
    [0.66, 0.74, 1.03],
    [0.63, 0.71, 1.03],
    [0.59, 0.67, 1.02],
    [0.55, 0.64, 1.02],
    [0.53, 0.63, 1.00],
    [0.52, 0.64, 1.02],
    [0.53, 0.67, 1.07],
    [0.56, 0.77, 1.14],
    [0.61, 0.92, 1.24],
    [0.67, 1.04, 1.33],
    [0.76, 1.16, 1.40],
    [0.95, 1.25, 1.47],
    [1.04, 1.30, 1.51],
    [1.13, 1.34, 1.56],
    [1.13, 1.37, 1.58],
    [1.14, 1.38, 1.60],
    [1.16, 1.40, 1.66],
    [1.16, 1.40, 1.70],
    [1.17, 1.40, 1.73],
    [1.16, 1.39, 1.77],
];
/// Places of the profile in a head's height.
const PLACES: f32 = 20.0;
/// Fewer places than this of a profile say nothing.
const FEWEST: usize = 12;
/// From the middle of many to one in ten, in standard deviations.
const TENTH: f32 = 1.28;
/// Beyond this a width is no more wrong: a raised arm is not a large head.
const MOST: f32 = 6.0;
/// What it costs that the picture does not show the whole profile.
const UNSEEN: f32 = 0.5;
/// What it costs that the hair is cut off, for the whole head.
const CUT: f32 = 0.7;
/// What it costs that there is a higher end: most heads are uppermost.
const LOWER: f32 = 1.5;
/// The most ends that are looked at.
const MOST_ENDS: usize = 8;
/// How much worse than the best a size may fit and have a third of its say.
const DOUBT: f32 = 0.2;

/// The head of the person that fills `rows`, each the columns that are theirs as bits. A cell is
/// `shape` times as wide as it is high. `None` when there is nobody.
pub(super) fn fitted(rows: &[u128; ROWS], shape: f32) -> Option<Fitted> {
    let first = rows.iter().position(|row| *row != 0)?;
    let heads = ends(rows).take(MOST_ENDS).filter_map(|(top, end)| {
        let rows = rows.get(top..)?;
        let fit = |runs: &[Run]| {
            let widths: Vec<f32> = runs.iter().map(|run| run.width() * shape).collect();
            fit(&widths, top == 0)
        };
        let mut runs = followed(rows, end.middle(), Follow::Drifting);
        let found = fit(&runs);
        let column = middle(&runs, &found, 0.0..0.75);
        runs = followed(rows, column, Follow::Steady);
        let size = fit(&runs);
        let head = Fitted {
            middle: middle(&runs, &size, 0.15..0.8),
            top: top as f32 - size.cut * size.height,
            height: size.height,
        };
        let lower = if top > first { LOWER } else { 0.0 };
        Some((size.wrong + lower, head))
    });
    let best = heads.min_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, head)| head)
}

/// Where somebody's outline has an upper end: runs with nothing of them right above, from above to
/// below, with their rows. Of those in one row the widest is first.
fn ends(rows: &[u128; ROWS]) -> impl Iterator<Item = (usize, Run)> {
    let above = std::iter::once(&0).chain(rows);
    rows.iter()
        .zip(above)
        .enumerate()
        .flat_map(|(at, (row, above))| {
            // Corners touch.
            let near = above | above << 1 | above >> 1;
            let mut ends: Vec<Run> = runs(*row).filter(|run| run.bits() & near == 0).collect();
            ends.sort_by(|a, b| b.width().total_cmp(&a.width()));
            ends.into_iter().map(move |run| (at, run))
        })
}

/// How high a head is in rows, and how much of it is above the picture.
#[derive(Clone, Copy)]
struct Fit {
    height: f32,
    cut: f32,
    /// How little the widths are those of a head, at best.
    wrong: f32,
}

/// Columns in a row that belong together: the first, and the one after the last.
#[derive(Clone, Copy)]
struct Run {
    from: u32,
    to: u32,
}

impl Run {
    fn width(self) -> f32 {
        (self.to - self.from) as f32
    }

    fn middle(self) -> f32 {
        (self.from + self.to) as f32 / 2.0
    }

    fn bits(self) -> u128 {
        let up_to = |column: u32| 1u128.checked_shl(column).map_or(u128::MAX, |bit| bit - 1);
        up_to(self.to) & !up_to(self.from)
    }

    fn distance(self, column: f32) -> f32 {
        (self.from as f32 - column)
            .max(column - self.to as f32)
            .max(0.0)
    }
}

/// All runs of a row, from left to right.
fn runs(mut row: u128) -> impl Iterator<Item = Run> {
    let mut passed = 0;
    std::iter::from_fn(move || {
        if row == 0 {
            return None;
        }
        let gap = row.trailing_zeros();
        row >>= gap;
        let long = row.trailing_ones();
        let from = passed + gap;
        row = row.checked_shr(long).unwrap_or(0);
        passed = from + long;
        Some(Run { from, to: passed })
    })
}

/// How a column is followed down.
#[derive(Clone, Copy, PartialEq)]
enum Follow {
    /// It stays.
    Steady,
    /// It goes with the runs.
    Drifting,
}

/// The run of each row that goes with this column.
fn followed(rows: &[u128], mut column: f32, follow: Follow) -> Vec<Run> {
    let mut all = Vec::with_capacity(ROWS);
    for row in rows {
        let nearest = runs(*row).min_by(|a, b| a.distance(column).total_cmp(&b.distance(column)));
        let Some(run) = nearest else { break };
        if follow == Follow::Drifting {
            column += (run.middle() - column) * 0.3;
        }
        all.push(run);
    }
    all
}

/// The middle of a head in these shares of its height: that of most rows.
fn middle(runs: &[Run], size: &Fit, shares: std::ops::Range<f32>) -> f32 {
    let row = |share: f32| ((share - size.cut) * size.height).round().max(0.0) as usize;
    let last = runs.len().max(1);
    let from = row(shares.start).min(last - 1);
    let to = row(shares.end).clamp(from + 1, last);
    let mut middles: Vec<f32> = runs
        .get(from..to)
        .unwrap_or(runs)
        .iter()
        .map(|run| run.middle())
        .collect();
    middles.sort_by(f32::total_cmp);
    let count = middles.len();
    let of = |at: usize| middles.get(at).copied().unwrap_or(COLUMNS as f32 / 2.0);
    (of(count / 2) + of(count.saturating_sub(1) / 2)) / 2.0
}

/// The size of head that goes with these widths from the top, in rows.
fn fit(widths: &[f32], may_be_cut: bool) -> Fit {
    let cuts = if may_be_cut { 6 } else { 1 };
    let mut tried: Vec<(f32, f32, f32)> = Vec::with_capacity(45 * cuts);
    let mut height = 3.0;
    while height < ROWS as f32 * 1.6 {
        for cut in 0..cuts {
            let cut = cut as f32 * 0.1;
            if let Some(wrong) = how_wrong(widths, height, cut) {
                tried.push((wrong, height, cut));
            }
        }
        height *= 1.08;
    }
    let best = tried
        .iter()
        .map(|(wrong, ..)| *wrong)
        .fold(f32::MAX, f32::min);
    let (mut sum, mut log, mut cut) = (0.0, 0.0, 0.0);
    for (wrong, height, away) in &tried {
        let say = ((best - wrong) / DOUBT).exp();
        sum += say;
        log += say * height.ln();
        cut += say * away;
    }
    if sum <= 0.0 {
        // Too flat for a head.
        let height = (widths.len() as f32).max(2.0);
        return Fit {
            height,
            cut: 0.0,
            wrong: MOST,
        };
    }
    Fit {
        height: (log / sum).exp(),
        cut: cut / sum,
        wrong: best,
    }
}

/// How little a head of this height, of which a share is cut off, goes with the widths; `None` when
/// too little of it is to be seen.
fn how_wrong(widths: &[f32], height: f32, cut: f32) -> Option<f32> {
    let (mut sum, mut count) = (0.0, 0);
    for (place, [narrow, usual, wide]) in PROFILE.iter().enumerate() {
        let y = ((place as f32 + 0.5) / PLACES - cut) * height;
        if y < 0.0 || y >= widths.len() as f32 {
            continue;
        }
        // Between the middles of two rows.
        let at = (y - 0.5).max(0.0);
        let (above, part) = (at as usize, at.fract());
        let below = (above + 1).min(widths.len() - 1);
        let width = (widths[above] * (1.0 - part) + widths[below] * part) / height;
        let far = if width > *usual {
            (width - usual) / (wide - usual)
        } else {
            (usual - width) / (usual - narrow)
        } * TENTH;
        sum += (far * far).min(MOST);
        count += 1;
    }
    if count < FEWEST {
        return None;
    }
    let seen = count as f32 / PROFILE.len() as f32;
    Some(sum / count as f32 + UNSEEN * (1.0 - seen) + CUT * cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody of the usual widths, in cells twice as high as wide.
    fn somebody(middle: f32, top: f32, height: f32) -> [u128; ROWS] {
        let mut rows = [0; ROWS];
        for (row, bits) in rows.iter_mut().enumerate() {
            let share = (row as f32 + 0.5 - top) / height;
            if share < 0.0 {
                continue;
            }
            let place = ((share * PLACES) as usize).min(PROFILE.len() - 1);
            let half = PROFILE[place][1] * height;
            for column in 0..COLUMNS {
                if (column as f32 + 0.5 - middle).abs() < half {
                    *bits |= 1 << column;
                }
            }
        }
        rows
    }

    #[test]
    fn a_head_is_found_at_every_size_also_where_the_picture_cuts_it_off() {
        for (top, height) in [
            (20.0, 6.0),
            (8.0, 15.0),
            (4.0, 30.0),
            (-6.0, 30.0),
            (-9.0, 40.0),
        ] {
            let found = fitted(&somebody(37.0, top, height), 0.5).unwrap();
            let off = |value: f32, truth: f32| (value - truth).abs() / height;
            assert!(
                off(found.height, height) < 0.13,
                "{top} {height}: {found:?}"
            );
            let mouth = found.top + 0.8 * found.height;
            assert!(
                off(mouth, top + 0.8 * height) < 0.1,
                "{top} {height}: {found:?}"
            );
            assert!(off(found.middle, 37.0) < 0.1, "{top} {height}: {found:?}");
        }
    }

    #[test]
    fn a_raised_hand_beside_the_head_is_no_head() {
        let mut rows = somebody(37.0, 8.0, 15.0);
        for bits in &mut rows[10..40] {
            *bits |= 0b1111 << 60;
        }
        let found = fitted(&rows, 0.5).unwrap();
        assert!(
            (found.height - 15.0).abs() < 2.0 && (found.middle - 37.0).abs() < 1.0,
            "{found:?}"
        );
    }

    #[test]
    fn a_hand_raised_above_the_head_is_no_head() {
        // Straight up, with a hand that is wider than the arm, and slanted outwards.
        for slant in [0, 1] {
            for hand in [0, 3] {
                let mut rows = somebody(37.0, 14.0, 13.0);
                for (at, bits) in rows[hand..34].iter_mut().enumerate() {
                    let (width, out) = (if at < 4 { 6 } else { 4 }, slant * (34 - at) / 2);
                    *bits |= ((1 << width) - 1) << (52 + out);
                }
                let found = fitted(&rows, 0.5).unwrap();
                assert!(
                    (found.height - 13.0).abs() < 2.5
                        && (found.middle - 37.0).abs() < 1.5
                        && (found.top - 14.0).abs() < 1.5,
                    "{slant} {hand}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_and_nothing_like_a_head_is_no_panic() {
        assert_eq!(fitted(&[0; ROWS], 1.0), None);
        let mut flat = [0; ROWS];
        flat[ROWS - 1] = u128::MAX >> (128 - COLUMNS);
        assert!(fitted(&flat, 1.0).is_some());
        let all = [u128::MAX >> (128 - COLUMNS); ROWS];
        let found = fitted(&all, 1.0).unwrap();
        assert!(
            found.height > 10.0 && (found.middle - 40.0).abs() < 0.1,
            "{found:?}"
        );
    }
}
