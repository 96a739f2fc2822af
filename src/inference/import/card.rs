//! The test picture of the probes, and how alike two pictures are.

use super::super::tensor::Scaler;
use crate::frame::{Picture, Size};

static PORTRAIT: &[u8] = include_bytes!("../../../assets/demo/astronaut.jpg");

/// Grey from black to white, then colours a camera sees: pure ones and skin.
const PATCHES: [[u8; 3]; 16] = [
    [0, 0, 0],
    [36, 36, 36],
    [73, 73, 73],
    [109, 109, 109],
    [146, 146, 146],
    [182, 182, 182],
    [219, 219, 219],
    [255, 255, 255],
    [220, 30, 30],
    [30, 200, 40],
    [30, 50, 220],
    [230, 220, 40],
    [40, 200, 210],
    [210, 50, 200],
    [232, 182, 150],
    [120, 75, 50],
];

/// Makes test pictures of any size: a portrait, with a row of colour patches below it.
pub(super) struct Card {
    portrait: Picture,
}

impl Card {
    /// `None` when the portrait in the program is damaged; a test sees to it that it is not.
    pub(super) fn new() -> Option<Self> {
        let image = image::load_from_memory_with_format(PORTRAIT, image::ImageFormat::Jpeg)
            .ok()?
            .into_rgba8();
        let size = Size::new(image.width(), image.height());
        Some(Self {
            portrait: Picture::from_rgba(size, image.into_raw())?,
        })
    }

    /// The portrait alone, cut to the shape of `size`.
    pub(super) fn portrait(&self, size: Size) -> Picture {
        let whole = self.portrait.size();
        let scale = (f64::from(whole.width) / f64::from(size.width.max(1)))
            .min(f64::from(whole.height) / f64::from(size.height.max(1)));
        let side = |side: u32, most: u32| ((f64::from(side) * scale) as u32).clamp(1, most);
        let part = Size::new(
            side(size.width, whole.width),
            side(size.height, whole.height),
        );
        let left = (whole.width - part.width) as usize / 2;
        let mut cut = Picture::new(part);
        let rows = self.portrait.rgba().chunks_exact(whole.width as usize * 4);
        for (to, from) in cut
            .rgba_mut()
            .chunks_exact_mut(part.width as usize * 4)
            .zip(rows)
        {
            to.copy_from_slice(&from[left * 4..left * 4 + to.len()]);
        }
        let mut scaled = Picture::new(size);
        // Both have pixels: it cannot fail.
        let _ = Scaler::default().scale(&cut, &mut scaled);
        scaled
    }

    /// The portrait with the patches.
    pub(super) fn draw(&self, size: Size) -> Picture {
        let mut picture = self.portrait(size);
        let width = size.width as usize;
        let row = (size.height / 8).max(4).min(size.height) as usize;
        let first = size.area() - row * width;
        for (at, pixel) in picture.rgba_mut().as_chunks_mut::<4>().0[first..]
            .iter_mut()
            .enumerate()
        {
            let [red, green, blue] = PATCHES[(at % width) * PATCHES.len() / width];
            *pixel = [red, green, blue, 255];
        }
        picture
    }
}

/// Colours of a picture from 0 to 1, red, green and blue of a pixel together.
#[derive(Clone, Debug)]
pub(super) struct Colours {
    pub(super) size: Size,
    pub(super) values: Vec<[f32; 3]>,
}

impl Colours {
    pub(super) fn of(picture: &Picture) -> Self {
        let pixels = picture.rgba().as_chunks::<4>().0.iter();
        Self {
            size: picture.size(),
            values: pixels
                .map(|pixel| [0, 1, 2].map(|at| f32::from(pixel[at]) / 255.0))
                .collect(),
        }
    }

    /// Averages squares of `times` pixels.
    pub(super) fn shrunk(&self, times: u32) -> Self {
        if times <= 1 {
            return self.clone();
        }
        let size = Size::new(self.size.width / times, self.size.height / times);
        let (width, wide) = (size.width as usize, self.size.width as usize);
        let times = times as usize;
        let values = (0..size.area())
            .map(|at| {
                let (x, y) = (at % width * times, at / width * times);
                let mut sum = [0.0; 3];
                for line in y..y + times {
                    for value in &self.values[line * wide + x..line * wide + x + times] {
                        (0..3).for_each(|at| sum[at] += value[at]);
                    }
                }
                sum.map(|sum| sum / (times * times) as f32)
            })
            .collect();
        Self { size, values }
    }

    fn light(&self) -> Vec<f32> {
        self.values
            .iter()
            .map(|[red, green, blue]| 0.299 * red + 0.587 * green + 0.114 * blue)
            .collect()
    }

    /// How much redder and bluer than grey.
    fn tints(&self) -> [Vec<f32>; 2] {
        let light = self.light();
        [0, 2].map(|at| {
            let pairs = self.values.iter().zip(&light);
            pairs.map(|(value, light)| value[at] - light).collect()
        })
    }

    /// The mean distance of two pictures' colours, pixel by pixel.
    pub(super) fn difference(&self, other: &Self) -> f32 {
        let count = (self.values.len() * 3).max(1) as f32;
        let pairs = self.values.iter().zip(&other.values);
        let sum = |(a, b): (&[f32; 3], &[f32; 3])| -> f32 {
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
        };
        pairs.map(sum).sum::<f32>() / count
    }

    /// The mean distance of two pictures' colours, blurred: how different they look from afar.
    pub(super) fn distance(&self, other: &Self) -> f32 {
        let count = (self.values.len() * 3).max(1) as f32;
        let mut sum = 0.0;
        for at in 0..3 {
            let plane = |colours: &Self| -> Vec<f32> {
                let values = colours.values.iter().map(|value| value[at]).collect();
                blurred(values, colours.size, 4)
            };
            let (ours, theirs) = (plane(self), plane(other));
            sum += ours
                .iter()
                .zip(&theirs)
                .map(|(a, b)| (a - b).abs())
                .sum::<f32>();
        }
        sum / count
    }
}

/// How alike a drawing and its picture are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Likeness {
    /// Correlation of light, blurred.
    pub(super) light: f32,
    /// Correlation of edges.
    pub(super) edges: f32,
    /// Correlation of edges, blurred: a line that is drawn beside an edge counts.
    pub(super) lines: f32,
    /// Correlation of tints.
    pub(super) tints: f32,
    /// Contrast, as a share of the picture's.
    pub(super) contrast: f32,
    /// How much lighter.
    pub(super) lift: f32,
    /// Mean distance of colours.
    pub(super) distance: f32,
    /// Share of pixels with a strong edge.
    pub(super) busy: f32,
}

impl Likeness {
    /// Of two pictures of one size.
    pub(super) fn of(drawing: &Colours, picture: &Colours) -> Self {
        let size = picture.size;
        let (drawn, seen) = (drawing.light(), picture.light());
        let (drawn_edges, seen_edges) = (edges(&drawn, size), edges(&seen, size));
        let busy = drawn_edges.iter().filter(|edge| **edge > 0.35).count() as f32
            / drawn_edges.len().max(1) as f32;
        let (drawn, seen) = (blurred(drawn, size, 2), blurred(seen, size, 2));
        let (drawn_spread, seen_spread) = (spread(&drawn), spread(&seen));
        let (mut product, mut ours, mut theirs) = (0.0, 0.0, 0.0);
        for (a, b) in drawing.tints().into_iter().zip(picture.tints()) {
            let (a, b) = (blurred(a, size, 2), blurred(b, size, 2));
            for (a, b) in a.iter().zip(&b) {
                product += a * b;
                ours += a * a;
                theirs += b * b;
            }
        }
        let pairs = drawing
            .values
            .iter()
            .flatten()
            .zip(picture.values.iter().flatten());
        let distance = pairs.map(|(a, b)| (a - b).abs()).sum::<f32>();
        // A grey drawing has no tints to compare.
        let tinted = (ours / drawn.len().max(1) as f32).sqrt() > 0.01;
        Self {
            light: correlation(&drawn, &seen),
            edges: correlation(&drawn_edges, &seen_edges),
            lines: correlation(
                &blurred(drawn_edges, size, 2),
                &blurred(seen_edges, size, 2),
            ),
            tints: if tinted {
                product / (ours * theirs).sqrt().max(1e-9)
            } else {
                0.0
            },
            contrast: drawn_spread / seen_spread.max(1e-6),
            lift: mean(&drawn) - mean(&seen),
            distance: distance / (drawing.values.len() * 3).max(1) as f32,
            busy,
        }
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn spread(values: &[f32]) -> f32 {
    let mean = mean(values);
    let squares: f32 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len().max(1) as f32).sqrt()
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (spread_a, spread_b) = (spread(a), spread(b));
    if spread_a < 1e-4 || spread_b < 1e-4 {
        return 0.0;
    }
    let sum: f32 = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a - mean_a) * (b - mean_b))
        .sum();
    sum / (a.len() as f32 * spread_a * spread_b)
}

/// The mean of the square of `radius` around each value.
fn blurred(values: Vec<f32>, size: Size, radius: usize) -> Vec<f32> {
    let (width, height) = (size.width as usize, size.height as usize);
    if values.len() != width * height || values.is_empty() {
        return values;
    }
    let mut across = vec![0.0; values.len()];
    let mut line = vec![0.0; width.max(height)];
    for (from, to) in values
        .chunks_exact(width)
        .zip(across.chunks_exact_mut(width))
    {
        blur_line(from, to, radius);
    }
    let mut values = values;
    let mut column = vec![0.0; height];
    for x in 0..width {
        for (to, from) in column.iter_mut().zip(across[x..].iter().step_by(width)) {
            *to = *from;
        }
        blur_line(&column, &mut line[..height], radius);
        for (to, from) in values[x..].iter_mut().step_by(width).zip(&line) {
            *to = *from;
        }
    }
    values
}

/// Means of `radius` neighbours on both sides, as a running sum.
fn blur_line(from: &[f32], to: &mut [f32], radius: usize) {
    let count = from.len();
    let mut sum: f32 = from[..radius.min(count)].iter().sum();
    let mut inside = radius.min(count);
    for at in 0..count {
        if at + radius < count {
            sum += from[at + radius];
            inside += 1;
        }
        to[at] = sum / inside as f32;
        if at >= radius {
            sum -= from[at - radius];
            inside -= 1;
        }
    }
}

/// Sobel's: how steep the light is.
fn edges(light: &[f32], size: Size) -> Vec<f32> {
    let (width, height) = (size.width as i64, size.height as i64);
    let at = |x: i64, y: i64| {
        let (x, y) = (x.clamp(0, width - 1), y.clamp(0, height - 1));
        light[(y * width + x) as usize]
    };
    let mut edges = Vec::with_capacity(light.len());
    for y in 0..height {
        for x in 0..width {
            let across = at(x + 1, y - 1) + 2.0 * at(x + 1, y) + at(x + 1, y + 1)
                - at(x - 1, y - 1)
                - 2.0 * at(x - 1, y)
                - at(x - 1, y + 1);
            let down = at(x - 1, y + 1) + 2.0 * at(x, y + 1) + at(x + 1, y + 1)
                - at(x - 1, y - 1)
                - 2.0 * at(x, y - 1)
                - at(x + 1, y - 1);
            edges.push(across.hypot(down));
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_like_itself_and_unlike_others() {
        let card = Card::new().unwrap();
        let picture = Colours::of(&card.draw(Size::new(96, 80)));
        let same = Likeness::of(&picture, &picture);
        assert!(same.light > 0.999 && same.edges > 0.999 && same.tints > 0.999);
        assert!((same.contrast - 1.0).abs() < 1e-3 && same.distance < 1e-6);

        let mut negative = picture.clone();
        let mut swapped = picture.clone();
        for value in &mut negative.values {
            *value = value.map(|value| 1.0 - value);
        }
        for value in &mut swapped.values {
            value.swap(0, 2);
        }
        assert!(Likeness::of(&negative, &picture).light < -0.9);
        let swapped = Likeness::of(&swapped, &picture);
        assert!(swapped.light > 0.9 && swapped.tints < 0.5, "{swapped:?}");
        let mut flat = picture.clone();
        flat.values.fill([0.5; 3]);
        assert_eq!(Likeness::of(&flat, &picture).light, 0.0);
        assert!(flat.distance(&picture) > 0.1);
    }

    #[test]
    fn any_size_has_patches_and_a_face() {
        let card = Card::new().unwrap();
        for size in [Size::new(64, 64), Size::new(200, 64), Size::new(9, 77)] {
            let picture = card.draw(size);
            assert_eq!(picture.pixel(0, size.height - 1), Some([0, 0, 0, 255]));
        }
        let twice = Colours::of(&card.draw(Size::new(64, 64))).shrunk(2);
        assert_eq!(twice.size, Size::new(32, 32));
    }
}
