//! What an artist's group says about a bubble.

use usvg::Node;

use super::outline::Outline;
use super::{Bubble, BubbleKind, Form, HandOf, Own, Paint, Tail, Whose};
use crate::panels::drawn::{Drawn, colour, scale_of};
use crate::panels::lettering::{Align, Direction, Lettered};
use crate::panels::{Lettering, Rect, Typeface};

/// The ink of lines and letters.
const INK: [u8; 4] = [0x17, 0x14, 0x1f, 255];
const PAPER: [u8; 4] = [255; 4];
/// How much longer than their body an artist's words may be.
const MOST_OUT: f32 = 1.02;

/// A shape in the group.
struct Found {
    outline: Outline,
    is_tail: bool,
    fill: Option<[u8; 4]>,
    stroke: Option<([u8; 4], f32)>,
    opacity: f32,
    /// The same, to be drawn as it is.
    drawn: Option<Drawn>,
}

impl Bubble {
    /// Reads a bubble's layer. A page is `short` units on its short side.
    pub fn read(layer: &Lettering, short: f32) -> Self {
        let mut shapes = Vec::new();
        let (mut hand, mut letters, mut longest) = (None, Vec::new(), (0.0, 0.0));
        let mut wrote = |text: &usvg::Text| {
            hand = hand.or_else(|| hand_of(text));
            let before = letters.len();
            letters_of(text.flattened(), &mut letters);
            let ink = Lettered::of(&letters[before..], 0.0).bounds;
            longest = (ink.width.max(longest.0), ink.height.max(longest.1));
        };
        gather(layer.tree.root(), false, 1.0, &mut shapes, &mut wrote);
        let data = &layer.data;
        let tail_drawn = shapes.iter().find(|shape| shape.is_tail).map(|shape| {
            let (a, b) = shape.outline.bounds();
            Tail {
                half: Some((b.0 - a.0).min(b.1 - a.1) * 0.5),
            }
        });
        let area = |shape: &Found| {
            let (a, b) = shape.outline.bounds();
            (b.0 - a.0) * (b.1 - a.1)
        };
        let body = (0..shapes.len())
            .filter(|at| !shapes[*at].is_tail)
            .max_by(|a, b| area(&shapes[*a]).total_cmp(&area(&shapes[*b])));
        // A shadow, shine or other decoration goes where the bubble goes.
        let extra = |shape: &mut Found| {
            let drawn = shape.drawn.take().filter(|_| !shape.is_tail)?;
            Some(Drawn {
                look: drawn.look.faded(shape.opacity),
                ..drawn
            })
        };
        let mut above = shapes.split_off(body.map_or(0, |at| at + 1));
        let body = shapes.pop();
        let beneath: Vec<Drawn> = shapes.iter_mut().filter_map(extra).collect();
        let above: Vec<Drawn> = above.iter_mut().filter_map(extra).collect();
        let is_box = body.as_ref().is_some_and(|body| is_box(&body.outline));
        let said = BubbleKind::of(data, &layer.name);
        let kind = said.unwrap_or(if is_box {
            BubbleKind::Narration
        } else {
            BubbleKind::Speech
        });
        let mut hand = hand.unwrap_or(HandOf {
            face: None,
            size: short * 0.045,
            ink: INK,
            direction: Direction::Horizontal,
            align: Align::Middle,
            turn: 0.0,
        });
        if let Some(direction) = data.get("direction") {
            hand.direction = if direction.starts_with("v") {
                Direction::Vertical
            } else {
                Direction::Horizontal
            };
        }
        if let Some(face) = data.get("font").and_then(Typeface::by_name) {
            hand.face = Some(face);
        }
        if kind == BubbleKind::Whisper && hand.ink[..3].iter().all(|part| *part < 48) {
            hand.ink = [0x4b, 0x47, 0x58, 255];
        }
        let line = short * 0.0062;
        let plain = Paint {
            fill: if kind == BubbleKind::Phone {
                [0xe6, 0xf0, 0xff, 255]
            } else {
                PAPER
            },
            ink: if kind == BubbleKind::Whisper {
                [0x6a, 0x66, 0x76, 255]
            } else {
                INK
            },
            line: match kind {
                BubbleKind::Shout => line * 1.25,
                BubbleKind::Narration | BubbleKind::Phone | BubbleKind::Whisper => line * 0.75,
                _ => line,
            },
            opacity: 1.0,
        };
        let (form, paint) = match body {
            Some(body) => {
                let (a, b) = body.outline.bounds();
                let rect = Rect {
                    x: a.0,
                    y: a.1,
                    width: b.0 - a.0,
                    height: b.1 - a.1,
                };
                let drawn = Paint {
                    fill: body.fill.unwrap_or([0; 4]),
                    ink: body.stroke.map_or([0; 4], |(ink, _)| ink),
                    line: body.stroke.map_or(0.0, |(_, line)| line),
                    opacity: body.opacity,
                };
                // A box with a kind is a place to draw into; black is what a box is when nobody
                // chose its colour.
                let chosen = body
                    .fill
                    .filter(|fill| fill[..3] != [0, 0, 0] && fill[3] > 0);
                let is_dark = hand.ink[..3].iter().all(|part| *part < 96);
                let unreadable = chosen.is_none() && body.fill.is_some() && is_dark;
                if is_box && (unreadable || said.is_some_and(|kind| kind != BubbleKind::Narration))
                {
                    let paint = Paint {
                        fill: chosen.unwrap_or(plain.fill),
                        ink: body.stroke.map_or(plain.ink, |(ink, _)| ink),
                        line: body.stroke.map_or(plain.line, |(_, line)| line),
                        opacity: body.opacity,
                    };
                    (Form::Boxed(rect), paint)
                } else {
                    (Form::Drawn(body.outline), drawn)
                }
            }
            None => {
                let middle = (
                    layer.bounds.x + layer.bounds.width / 2.0,
                    layer.bounds.y + layer.bounds.height / 2.0,
                );
                (Form::Around(middle), plain)
            }
        };
        let wanted = match data.get("tail") {
            Some("none" | "no" | "off") => false,
            Some(_) => true,
            None => {
                kind.has_tail()
                    && match &form {
                        Form::Drawn(outline) => tail_drawn.is_some() || is_round(outline),
                        _ => true,
                    }
            }
        };
        let whose = match data.number("face", 1.0..=99.0) {
            Some(number) => Whose::Number(number as usize - 1),
            None => Whose::Speaker,
        };
        // Stars are ours: what they mean is to be seen.
        let text = layer.own();
        let home = match &form {
            Form::Drawn(outline) => {
                let (a, b) = outline.bounds();
                Rect {
                    x: a.0,
                    y: a.1,
                    width: b.0 - a.0,
                    height: b.1 - a.1,
                }
            }
            Form::Boxed(rect) => *rect,
            Form::Around(_) => layer.bounds,
        };
        let is_too_long = longest.0 > home.width * MOST_OUT || longest.1 > home.height * MOST_OUT;
        let is_drawn = matches!(form, Form::Drawn(_));
        let own = if is_drawn && !is_too_long && !text.contains('*') {
            Own { text, letters }
        } else {
            Own::default()
        };
        let follows = match data.get("follow") {
            Some(word) => !matches!(word, "no" | "none" | "false" | "off"),
            None => kind != BubbleKind::Narration,
        };
        Self {
            kind,
            whose,
            panel: data.get("panel").map(str::to_lowercase),
            follows,
            home,
            form,
            paint,
            beneath,
            above,
            tail: wanted.then(|| tail_drawn.unwrap_or(Tail { half: None })),
            hand,
            own,
            set_anew: is_drawn && is_too_long,
            seed: layer.id.bytes().fold(7, |sum: u32, byte| {
                sum.wrapping_mul(31).wrapping_add(byte.into())
            }),
        }
    }
}

/// The letters of a text as paths.
fn letters_of(group: &usvg::Group, letters: &mut Vec<Drawn>) {
    for node in group.children() {
        match node {
            Node::Group(inner) => letters_of(inner, letters),
            Node::Path(path) => letters.extend(Drawn::of(path)),
            _ => {}
        }
    }
}

/// Walks the group: shapes and texts.
fn gather(
    group: &usvg::Group,
    in_tail: bool,
    opacity: f32,
    shapes: &mut Vec<Found>,
    wrote: &mut impl FnMut(&usvg::Text),
) {
    for node in group.children() {
        let in_tail = in_tail || node.id().to_lowercase().starts_with("tail");
        match node {
            Node::Group(inner) => {
                gather(
                    inner,
                    in_tail,
                    opacity * inner.opacity().get(),
                    shapes,
                    wrote,
                );
            }
            Node::Path(path) if shapes.len() < 64 => {
                let Some(outline) = path
                    .data()
                    .clone()
                    .transform(path.abs_transform())
                    .and_then(|data| Outline::of_path(&data))
                else {
                    continue;
                };
                let scale = scale_of(path.abs_transform());
                shapes.push(Found {
                    outline,
                    is_tail: in_tail,
                    fill: path
                        .fill()
                        .map(|fill| colour(fill.paint(), fill.opacity().get())),
                    stroke: path.stroke().map(|stroke| {
                        (
                            colour(stroke.paint(), stroke.opacity().get()),
                            stroke.width().get() * scale,
                        )
                    }),
                    opacity,
                    drawn: Drawn::of(path),
                });
            }
            Node::Text(text) => wrote(text),
            _ => {}
        }
    }
}

/// How a text is written.
fn hand_of(text: &usvg::Text) -> Option<HandOf> {
    let chunk = text.chunks().first()?;
    let span = chunk.spans().first()?;
    let transform = text.abs_transform();
    let face = span
        .font()
        .families()
        .iter()
        .find_map(|family| match family {
            usvg::FontFamily::Named(name) => Typeface::by_name(name),
            _ => None,
        });
    Some(HandOf {
        // What a text has when nobody chose a font says nothing.
        face: face.filter(|face| *face != Typeface::Jua),
        size: span.font_size().get() * scale_of(transform),
        ink: span
            .fill()
            .map_or(INK, |fill| colour(fill.paint(), fill.opacity().get())),
        direction: match text.writing_mode() {
            usvg::WritingMode::LeftToRight => Direction::Horizontal,
            usvg::WritingMode::TopToBottom => Direction::Vertical,
        },
        // Words in a bubble stand in its middle, however the artist placed their lines.
        align: Align::Middle,
        turn: transform.ky.atan2(transform.sx).to_degrees(),
    })
}

/// Whether it is an upright rectangle.
fn is_box(outline: &Outline) -> bool {
    let (a, b) = outline.bounds();
    let near = |value: f32, edge: f32, long: f32| (value - edge).abs() < long * 0.02 + 1e-3;
    let (width, height) = (b.0 - a.0, b.1 - a.1);
    outline.points.len() <= 6
        && outline.points.iter().all(|p| {
            (near(p.0, a.0, width) || near(p.0, b.0, width))
                && (near(p.1, a.1, height) || near(p.1, b.1, height))
        })
}

/// Whether it bends outwards all around, within a hand's precision: then it has no tail yet.
fn is_round(outline: &Outline) -> bool {
    let area = |points: &[(f32, f32)]| {
        let count = points.len();
        let sum: f32 = (0..count)
            .map(|at| {
                let (a, b) = (points[at], points[(at + 1) % count]);
                a.0 * b.1 - b.0 * a.1
            })
            .sum();
        sum.abs() / 2.0
    };
    let mut sorted = outline.points.clone();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    // The hull by Andrew's monotone chain.
    let half = |points: &mut dyn Iterator<Item = (f32, f32)>| {
        let mut hull: Vec<(f32, f32)> = Vec::new();
        for p in points {
            while let [.., a, b] = hull[..]
                && (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0) <= 0.0
            {
                hull.pop();
            }
            hull.push(p);
        }
        hull.pop();
        hull
    };
    let mut hull = half(&mut sorted.iter().copied());
    hull.extend(half(&mut sorted.iter().rev().copied()));
    area(&outline.points) > 0.95 * area(&hull)
}
