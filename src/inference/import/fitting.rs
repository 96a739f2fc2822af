//! Whether a network of one size draws larger pictures in tiles or the whole picture at its size.

use std::time::Duration;

use super::super::tensor::Coding;
use super::card::{Card, Colours};
use super::network::Network;
use super::probe::{Pick, normalise, raw};
use crate::frame::{Picture, Size};

/// Neighbouring tiles that differ by more in what they share show a seam.
const SEAM: f32 = 0.035;
/// A drawing in tiles that differs by more from that of the whole depends on the scale of what it
/// sees.
const DRIFT: f32 = 0.08;
/// Tiles of a network that takes longer for one are no use live.
const SLOW: Duration = Duration::from_millis(1500);

/// The pixels that tiles should share, or `None` for a letterbox; and why.
pub(super) fn tiles_or_letterbox(
    network: &mut Network,
    card: &Card,
    size: Size,
    pick: &Pick,
    time: Duration,
) -> (Option<u32>, String) {
    let least = size.width.min(size.height);
    let overlap = (least / 8).next_multiple_of(4).min(least / 3);
    if time > SLOW {
        let reason = format!(
            "larger pictures: scaled to fit, because one tile takes {:.1} s",
            time.as_secs_f64()
        );
        return (None, reason);
    }
    let Some((seam, drift)) = measure(network, card, size, overlap, pick) else {
        return (
            None,
            "larger pictures: scaled to fit, because it does not draw parts of one".to_owned(),
        );
    };
    let figures = format!(
        "neighbouring tiles differ by {:.1} %, tiles and whole by {:.1} %",
        seam * 100.0,
        drift * 100.0
    );
    if seam <= SEAM && drift <= DRIFT {
        let reason = format!(
            "larger pictures: in tiles that share {overlap} pixels, because they fit together ({figures})"
        );
        (Some(overlap), reason)
    } else if seam > SEAM {
        let reason =
            format!("larger pictures: scaled to fit, because tiles would show seams ({figures})");
        (None, reason)
    } else {
        let reason = format!(
            "larger pictures: scaled to fit, because it draws parts unlike the whole ({figures})"
        );
        (None, reason)
    }
}

/// How much two neighbouring tiles differ where they overlap, and how much tiles differ from the
/// drawing of the whole.
fn measure(
    network: &mut Network,
    card: &Card,
    size: Size,
    overlap: u32,
    pick: &Pick,
) -> Option<(f32, f32)> {
    let coding = pick
        .found
        .input
        .coding(network.image.layout, pick.found.input_order);
    // A picture of two tiles side by side, of the portrait's middle: light, dark, a face.
    let wide = Size::new(size.width * 2 - overlap, size.height);
    let square = Size::new(wide.width, wide.width.max(size.height));
    let portrait = card.portrait(square);
    let part = |left: u32, top: u32| {
        let mut cut = Picture::new(size);
        let line = square.width as usize;
        for (y, row) in cut
            .rgba_mut()
            .chunks_exact_mut(size.width as usize * 4)
            .enumerate()
        {
            let from = ((top as usize + y) * line + left as usize) * 4;
            row.copy_from_slice(&portrait.rgba()[from..from + row.len()]);
        }
        cut
    };
    let top = (square.height - size.height) / 4;
    let shift = size.width - overlap;
    let left = draw(network, &part(0, top), coding, pick)?;
    let right = draw(network, &part(shift, top), coding, pick)?;
    let scale = pick.drawn.scale;
    let (across, shared) = ((size.width * scale) as usize, (overlap * scale) as usize);
    // Borders aside: the blend gives them little weight.
    let edge = shared / 4;
    let (mut sum, mut count) = (0.0, 0_usize);
    for y in 0..(size.height * scale) as usize {
        for x in edge..shared - edge {
            let a = left.values[y * across + across - shared + x];
            let b = right.values[y * across + x];
            for at in 0..3 {
                sum += (a[at] - b[at]).abs();
                count += 1;
            }
        }
    }
    let seam = sum / count.max(1) as f32;

    // The same part, drawn as part of the whole.
    let whole = draw(network, &card.portrait(size), coding, pick)?;
    let times = f64::from(size.width) / f64::from(square.width);
    let place = |value: u32| (f64::from(value) * times) as usize * scale as usize;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (columns, rows) = (place(size.width), place(size.height));
    let high = (size.height * scale) as usize;
    for y in 0..rows {
        for x in 0..columns {
            let line = (place(top) + y).min(high - 1);
            theirs.push(whole.values[line * across + x.min(across - 1)]);
            let (from_x, from_y) = (x * across / columns.max(1), y * high / rows.max(1));
            ours.push(left.values[from_y * across + from_x]);
        }
    }
    let size = Size::new(columns as u32, rows as u32);
    let drift = Colours { size, values: ours }.distance(&Colours {
        size,
        values: theirs,
    });
    Some((seam, drift))
}

fn draw(network: &mut Network, picture: &Picture, coding: Coding, pick: &Pick) -> Option<Colours> {
    let outputs = network.run(picture, coding).ok()?;
    let output = outputs.iter().find(|output| output.name == pick.output)?;
    let mut colours = raw(output, pick.drawn, picture.size())?;
    normalise(&mut colours, &pick.found);
    Some(colours)
}
