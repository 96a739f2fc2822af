//! Words on a page that can be changed: `text-NAME`.
//!
//! Unchanged words are drawn as the artist drew them. Others take the place of each text in the
//! object, in its font, size, colour, anchor and rotation; a text too long for its place is set
//! smaller. With `data-animate` they [move](Motion).
//!
//! Drawn sounds, `sound-NAME`, are words of which nothing can be changed: they only move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use resvg::tiny_skia::{self, Path, Pixmap, Transform};
use usvg::Node;

use super::bubble::Ground;
use super::bubble::draw::{pixels, placed};
use super::drawn::{Drawn, Look, scale_of};
use super::lettering::{self, Align, Direction, Hand, Shape};
use super::motion::Motion;
use super::{Bitmap, Lettering, Rect, Sprite, Typeface};

/// Words on a program.
pub(super) struct Words {
    layer: Lettering,
    ground: Ground,
    texts: Vec<TextAt>,
    /// What is drawn beside the words, and its place among them.
    shapes: Vec<(usize, Drawn)>,
    motion: Option<Motion>,
    said: Option<String>,
    /// Letters of what is said that no font has, and whether not all of it is shown.
    left_out: (Vec<char>, bool),
    poses: BTreeMap<usize, Option<Arc<Bitmap>>>,
}

/// A text and how it is written.
struct TextAt {
    to_page: Transform,
    at: (f32, f32),
    hand: Hand,
    /// The widest line, before `to_page`.
    room: f32,
    look: Look,
    /// Its place among the shapes around it.
    order: usize,
}

impl Words {
    /// Reads a layer. `inside` is what other words may not leave: the box they stand in, or the page.
    pub fn read(layer: &Lettering, ground: Ground, inside: Rect) -> Self {
        let mut words = Self {
            layer: layer.clone(),
            ground,
            texts: Vec::new(),
            shapes: Vec::new(),
            motion: layer.motion(),
            said: None,
            left_out: (Vec::new(), false),
            poses: BTreeMap::new(),
        };
        words.gather(layer.tree.root(), inside);
        words
    }

    fn gather(&mut self, group: &usvg::Group, inside: Rect) {
        for node in group.children() {
            let order = self.texts.len() + self.shapes.len();
            match node {
                Node::Group(inner) => self.gather(inner, inside),
                Node::Text(text) if self.texts.len() < 32 => {
                    self.texts.extend(TextAt::read(
                        text,
                        &self.layer,
                        self.ground.short,
                        inside,
                        order,
                    ));
                }
                Node::Path(path) if self.shapes.len() < 256 => {
                    self.shapes
                        .extend(Drawn::of(path).map(|shape| (order, shape)));
                }
                _ => {}
            }
        }
    }

    /// Whether it moves by itself.
    pub fn moves(&self) -> bool {
        self.motion.is_some()
    }

    /// Whether it looks other than the artist drew it when it says `text`.
    pub fn is_alive(&self, text: &str, own: &str) -> bool {
        self.motion.is_some() || text != own
    }

    /// It says what the artist wrote.
    pub fn rest(&mut self) {
        self.said = None;
        self.left_out = (Vec::new(), false);
        self.poses.clear();
    }

    /// What it looks like at `time` when it says `text`; `own` is what the artist wrote.
    pub fn draw(&mut self, text: &str, own: &str, time: Duration) -> Option<Sprite> {
        if self.said.as_deref() != Some(text) {
            self.said = Some(text.to_owned());
            self.poses.clear();
            self.left_out = self.leaves_out(text, own);
        }
        let pose = self.motion.map_or(0, |motion| motion.pose(time));
        if !self.poses.contains_key(&pose) {
            let bitmap = self.rasterise(text, own, pose);
            self.poses.insert(pose, bitmap.map(Arc::new));
        }
        let bitmap = self.poses.get(&pose)?.clone()?;
        Some(Sprite {
            bitmap,
            shift: (0, 0),
        })
    }

    /// Letters that could not be shown, and whether the words had to be cut.
    pub fn left_out(&self) -> (&[char], bool) {
        (&self.left_out.0, self.left_out.1)
    }

    /// What the artist wrote is shown as it was drawn; `pages check` tells what it lacks.
    fn leaves_out(&self, text: &str, own: &str) -> (Vec<char>, bool) {
        let (mut missing, mut cut) = (Vec::new(), false);
        if text == own {
            return (missing, cut);
        }
        for (at, line) in self.texts.iter().zip(self.lines(text)) {
            let lettered = at.written(&line);
            cut |= lettered.cut.is_some();
            for letter in lettered.missing {
                if !missing.contains(&letter) {
                    missing.push(letter);
                }
            }
        }
        (missing, cut)
    }

    /// How many letters of `text` are shown before an ellipsis; `None`: all of it is.
    pub fn cut(&self, text: &str, own: &str) -> Option<usize> {
        let lines = self.lines(text);
        let mut written = self.texts.iter().zip(&lines).filter(|_| text != own);
        written.find_map(|(at, line)| at.written(line).cut)
    }

    fn rasterise(&self, text: &str, own: &str, pose: usize) -> Option<Bitmap> {
        let bounds = self.layer.bounds;
        let middle = (
            bounds.x + bounds.width / 2.0,
            bounds.y + bounds.height / 2.0,
        );
        let moved = self.motion.map_or(Transform::identity(), |motion| {
            let (right, down, turn, size) = motion.how(pose);
            let height = bounds.height.min(bounds.width);
            Transform::from_translate(-middle.0, -middle.1)
                .post_scale(size, size)
                .post_concat(Transform::from_rotate(turn))
                .post_translate(middle.0 + right * height, middle.1 + down * height)
        });
        if text == own {
            let all = self.layer.tree.root().abs_layer_bounding_box();
            let from = (all.left(), all.top());
            let to = (all.right(), all.bottom());
            return self.rendered(from, to, moved, |pixmap, place| {
                resvg::render(&self.layer.tree, place, &mut pixmap.as_mut());
            });
        }
        let lines = self.lines(text);
        let mut paths: Vec<(usize, Path, Look, f32)> = Vec::new();
        for (at, line) in self.texts.iter().zip(&lines) {
            let lettered = at.written(line);
            for (path, bold) in [
                (&lettered.letters, 0.0),
                (&lettered.strong, lettered.size * 0.04),
            ] {
                if let Some(path) = path {
                    let scale = scale_of(at.to_page);
                    let path = path.clone().transform(at.to_page)?;
                    paths.push((at.order, path, at.look.scaled(scale), bold * scale));
                }
            }
        }
        if paths.is_empty() {
            return None;
        }
        for (order, shape) in &self.shapes {
            paths.push((*order, shape.path.clone(), shape.look, 0.0));
        }
        paths.sort_by_key(|(order, ..)| *order);
        let (mut a, mut b) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
        for (_, path, look, _) in &paths {
            let (ink, grow) = (path.bounds(), look.width());
            a = (a.0.min(ink.left() - grow), a.1.min(ink.top() - grow));
            b = (b.0.max(ink.right() + grow), b.1.max(ink.bottom() + grow));
        }
        self.rendered(a, b, moved, |pixmap, place| {
            for (_, path, look, bold) in &paths {
                look.draw(pixmap, path, *bold, place);
            }
        })
    }

    fn rendered(
        &self,
        from: (f32, f32),
        to: (f32, f32),
        moved: Transform,
        draw: impl Fn(&mut Pixmap, Transform),
    ) -> Option<Bitmap> {
        let around = tiny_skia::Rect::from_ltrb(from.0, from.1, to.0, to.1)?.transform(moved)?;
        // What is off the page stays off the program.
        let page = self.ground.space;
        let from = (around.left().max(page.x), around.top().max(page.y));
        let to = (
            around.right().min(page.x + page.width),
            around.bottom().min(page.y + page.height),
        );
        let rect = pixels(&self.ground, from, to, 0.0)?;
        let mut pixmap = Pixmap::new(rect.width, rect.height)?;
        draw(&mut pixmap, moved.post_concat(placed(&self.ground, rect)));
        Some(Bitmap {
            rect,
            blend: self.ground.blend,
            rgba: pixmap.take(),
        })
    }

    /// What each text says: all say the same when they did, else a line each, the last one the
    /// rest.
    fn lines(&self, text: &str) -> Vec<String> {
        let alike = self
            .layer
            .texts
            .windows(2)
            .all(|pair| pair[0].text == pair[1].text);
        if alike || self.texts.len() < 2 {
            return vec![text.to_owned(); self.texts.len()];
        }
        let mut lines: Vec<String> = text
            .splitn(self.texts.len(), '\n')
            .map(str::to_owned)
            .collect();
        lines.resize(self.texts.len(), String::new());
        lines
    }
}

impl TextAt {
    fn read(
        text: &usvg::Text,
        layer: &Lettering,
        short: f32,
        inside: Rect,
        order: usize,
    ) -> Option<Self> {
        let chunk = text.chunks().first()?;
        let span = chunk.spans().first()?;
        let to_page = text.abs_transform();
        let scale = scale_of(to_page);
        let named = span
            .font()
            .families()
            .iter()
            .find_map(|family| match family {
                usvg::FontFamily::Named(name) => Typeface::by_name(name),
                _ => None,
            });
        let vertical = text.writing_mode() == usvg::WritingMode::TopToBottom
            || layer
                .data
                .get("direction")
                .is_some_and(|word| word.starts_with('v'));
        let align = match chunk.anchor() {
            usvg::TextAnchor::Start => Align::Start,
            usvg::TextAnchor::Middle => Align::Middle,
            usvg::TextAnchor::End => Align::End,
        };
        let own = text.bounding_box();
        let at = (
            chunk.x().unwrap_or(own.left()),
            chunk.y().unwrap_or(own.bottom()),
        );
        let is_turned = to_page.kx.abs() + to_page.ky.abs() > 1e-3;
        let left = at.0 * to_page.sx + to_page.tx;
        // To the edge, but not endlessly longer than what the artist wrote.
        let (before, after) = (left - inside.x, inside.x + inside.width - left);
        let to_edge = match align {
            _ if vertical => inside.y + inside.height - (at.1 * to_page.sy + to_page.ty),
            Align::Start => after,
            Align::Middle => 2.0 * before.min(after),
            Align::End => before,
        };
        let size = span.font_size().get();
        let long = if vertical { own.height() } else { own.width() };
        // What the artist wrote may be nearer to the edge than other words come.
        let to_edge = (to_edge - 0.6 * size * scale).max(long * scale) / scale;
        let room = if is_turned {
            // What is beside slanted words is hard to say: they keep their length, nearly.
            long * 1.1
        } else {
            let longer = long * 1.6;
            longer.max(short * 0.3 / scale).min(to_edge)
        };
        Some(Self {
            to_page,
            at,
            hand: Hand {
                face: named.unwrap_or(Typeface::Jua),
                size,
                least: (short * 0.014 / scale).min(size),
                direction: if vertical {
                    Direction::Vertical
                } else {
                    Direction::Horizontal
                },
                align,
            },
            room: room.max(size),
            look: Look::of(span.fill(), span.stroke(), span.paint_order(), 1.0),
            order,
        })
    }

    fn written(&self, text: &str) -> lettering::Lettered {
        if self.hand.direction == Direction::Vertical {
            let size = self.hand.size;
            let high = self.room.max(size * 4.0);
            let shape = Shape::rect(self.at.0 - size * 2.0, self.at.1, size * 4.0, high);
            return lettering::letter(text, &self.hand, &shape);
        }
        let mut lettered = lettering::write(text, &self.hand, self.room);
        let by = Transform::from_translate(self.at.0, self.at.1);
        lettered.letters = lettered.letters.and_then(|path| path.transform(by));
        lettered.strong = lettered.strong.and_then(|path| path.transform(by));
        lettered
    }
}
