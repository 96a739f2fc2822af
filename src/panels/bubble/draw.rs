//! Bubbles as pixels, drawn again only when something about them changed.

use std::sync::Arc;
use std::time::Duration;

use resvg::tiny_skia::{
    self, FillRule, LineCap, LineJoin, Pixmap, PixmapPaint, Stroke, StrokeDash, Transform,
};

use super::body;
use super::follow::{self, Bounds, Company, FaceAt, Follow};
use super::outline::{Outline, Point};
use super::tail::{self, Aim, Tailed};
use super::{Bubble, BubbleKind, Form, Paint};
use crate::frame::Size;
use crate::panels::lettering::{self, Lettered, Shape};
use crate::panels::{Bitmap, Blend, PixelRect, Rect, Sprite};

/// Where a bubble lives.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// The page in the program.
    pub page: PixelRect,
    /// Program pixels for each page unit.
    pub scale: f32,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// The page's short side in page units.
    pub short: f32,
    /// What the bubble may not leave, in page units.
    pub space: Rect,
    /// Where it may follow its face: not into other panels.
    pub range: Rect,
    /// Where a face in its panel usually is.
    pub usual: (f32, f32),
}

/// A bubble on a program, moving.
pub struct Balloon {
    bubble: Bubble,
    ground: Ground,
    follow: Follow,
    said: Option<Said>,
    drawn: Option<Drawn>,
}

/// Words in their body, at home.
struct Said {
    text: String,
    body: Outline,
    lettered: Lettered,
    /// The letters as pixels, and where they are from the page's corner.
    letters: Option<(Pixmap, i32, i32)>,
}

/// What is drawn: where its tail pointed, and the pixels as they would lie at home.
struct Drawn {
    aim: Option<(i32, i32)>,
    bitmap: Arc<Bitmap>,
}

impl Balloon {
    /// A bubble on its ground. It says nothing yet.
    pub fn new(bubble: Bubble, ground: Ground) -> Self {
        Self {
            bubble,
            ground,
            follow: Follow::default(),
            said: None,
            drawn: None,
        }
    }

    /// The bubble.
    pub fn bubble(&self) -> &Bubble {
        &self.bubble
    }

    /// What it looks like now; `None` when there is nothing to see. While only its place changes,
    /// the bitmap stays the same. `time` never runs backwards.
    pub fn draw(&mut self, text: &str, company: &Company<'_>, time: Duration) -> Option<Sprite> {
        let face = self.bubble.choose(company.faces);
        if self.said.as_ref().is_none_or(|said| said.text != text) {
            self.said = Some(Said::new(&self.bubble, &self.ground, text));
            self.drawn = None;
        }
        let said = self.said.as_ref()?;
        // Who says nothing has no bubble; words of which none fit leave it empty.
        if !text.chars().any(lettering::is_seen) {
            self.drawn = None;
            return None;
        }
        let scale = self.ground.scale;
        let (a, b) = said.body.bounds();
        let bounds = Bounds {
            home: Rect {
                x: a.0,
                y: a.1,
                width: b.0 - a.0,
                height: b.1 - a.1,
            },
            usual: self.ground.usual,
            space: if self.bubble.follows {
                self.ground.range
            } else {
                self.ground.space
            },
        };
        let offset = match &self.bubble.form {
            _ if self.bubble.follows => self.follow.at(&bounds, face, company, time),
            // What grows with its words must not grow off the page.
            Form::Around(_) => follow::held(&bounds, (0.0, 0.0)),
            _ => (0.0, 0.0),
        };
        // Whole pixels, so that a moved bubble is not drawn again.
        let pixels = |value: f32| (value * scale).round() as i32;
        let shift = (pixels(offset.0), pixels(offset.1));
        let aim = self.aim(
            &said.body,
            face,
            (shift.0 as f32 / scale, shift.1 as f32 / scale),
        );
        let aimed = aim.map(|aim| (pixels(aim.mouth.0), pixels(aim.mouth.1)));
        if self.drawn.as_ref().is_none_or(|drawn| drawn.aim != aimed) {
            let tailed = tail::tailed(&said.body, self.bubble.kind, aim);
            let (rect, pixmap) = paint(&self.bubble, &self.ground, said, &tailed)?;
            let bitmap = Bitmap {
                rect,
                blend: self.ground.blend,
                rgba: pixmap.take(),
            };
            self.drawn = Some(Drawn {
                aim: aimed,
                bitmap: Arc::new(bitmap),
            });
        }
        let bitmap = Arc::clone(&self.drawn.as_ref()?.bitmap);
        Some(Sprite { bitmap, shift })
    }

    /// Letters that could not be shown, and whether the words had to be cut.
    pub fn left_out(&self) -> (&[char], bool) {
        self.said.as_ref().map_or((&[], false), |said| {
            (&said.lettered.missing, said.lettered.cut.is_some())
        })
    }

    /// How many letters of `text` are shown before an ellipsis; `None`: all of it is.
    pub fn cut(&self, text: &str) -> Option<usize> {
        lettered(&self.bubble, &self.ground, text).1.cut
    }

    /// Where the tail goes, as seen from the bubble at home.
    fn aim(&self, body: &Outline, face: Option<FaceAt>, offset: Point) -> Option<Aim> {
        let tail = self.bubble.tail?;
        let (a, b) = body.bounds();
        let short = (b.0 - a.0).min(b.1 - a.1);
        let (mouth, clear) = match face {
            // A head is higher than wide.
            Some(face) => (face.mouth, (face.height * 0.36, face.height * 0.46)),
            None => (self.ground.usual, (short * 0.4, short * 0.4)),
        };
        Some(Aim {
            mouth: (mouth.0 - offset.0, mouth.1 - offset.1),
            clear,
            half: tail
                .half
                .unwrap_or(
                    short
                        * if self.bubble.kind == BubbleKind::Shout {
                            0.15
                        } else {
                            0.12
                        },
                )
                .min(short * 0.3),
            longest: short
                * if self.bubble.kind == BubbleKind::Shout {
                    0.5
                } else {
                    0.72
                },
        })
    }
}

impl Said {
    fn new(bubble: &Bubble, ground: &Ground, text: &str) -> Self {
        let (body, lettered) = lettered(bubble, ground, text);
        let mut said = Self {
            text: text.to_owned(),
            body,
            lettered,
            letters: None,
        };
        said.letters = said.rasterise(bubble, ground);
        said
    }

    /// The letters as pixels.
    fn rasterise(&self, bubble: &Bubble, ground: &Ground) -> Option<(Pixmap, i32, i32)> {
        let middle = self.body.middle();
        let is_own = bubble.wrote(&self.text);
        let turn = if bubble.hand.turn.abs() > 0.3 && !is_own {
            Transform::from_rotate_at(bubble.hand.turn, middle.0, middle.1)
        } else {
            Transform::identity()
        };
        let paths = [&self.lettered.letters, &self.lettered.strong];
        let mut all: Option<tiny_skia::Rect> = None;
        for path in paths.into_iter().flatten() {
            let bounds = path.bounds().transform(turn)?;
            all = Some(all.map_or(bounds, |known| known.join(&bounds).unwrap_or(known)));
        }
        let all = all?;
        let lines = bubble.own.letters.iter().filter(|_| is_own);
        let lines = lines.map(|letters| letters.look.width());
        let grow = lines.fold(self.lettered.size * 0.06, f32::max);
        let rect = pixels(
            ground,
            (all.left(), all.top()),
            (all.right(), all.bottom()),
            grow,
        )?;
        let mut pixmap = Pixmap::new(rect.width, rect.height)?;
        let place = turn.post_concat(placed(ground, rect));
        if is_own {
            for letters in &bubble.own.letters {
                letters.look.draw(&mut pixmap, &letters.path, 0.0, place);
            }
            return Some((pixmap, rect.x, rect.y));
        }
        let mut ink = tiny_skia::Paint::default();
        ink.set_color_rgba8(
            bubble.hand.ink[0],
            bubble.hand.ink[1],
            bubble.hand.ink[2],
            bubble.hand.ink[3],
        );
        if let Some(path) = &self.lettered.letters {
            pixmap.fill_path(path, &ink, FillRule::Winding, place, None);
        }
        if let Some(path) = &self.lettered.strong {
            pixmap.fill_path(path, &ink, FillRule::Winding, place, None);
            let bold = Stroke {
                width: self.lettered.size * 0.045,
                line_join: LineJoin::Round,
                ..Stroke::default()
            };
            pixmap.stroke_path(path, &ink, &bold, place, None);
        }
        Some((pixmap, rect.x, rect.y))
    }
}

/// The body of a bubble that says `text`, and the words in it.
fn lettered(bubble: &Bubble, ground: &Ground, text: &str) -> (Outline, Lettered) {
    let hand = bubble.hand(text, ground.short);
    match &bubble.form {
        Form::Drawn(outline) if bubble.wrote(text) => (
            outline.clone(),
            Lettered::of(&bubble.own.letters, hand.size),
        ),
        Form::Drawn(outline) => {
            let room = Shape::polygon(&outline.points).shrunk(0.88, 0.84);
            (outline.clone(), lettering::letter(text, &hand, &room))
        }
        Form::Boxed(rect) => {
            let middle = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
            let radii = (rect.width / 2.0, rect.height / 2.0);
            let room = body::room(bubble.kind, middle, radii);
            let body = body::body(bubble.kind, middle, radii, bubble.seed);
            (body, lettering::letter(text, &hand, &room))
        }
        Form::Around(middle) => around(bubble, ground, *middle, text, &hand),
    }
}

/// A body as large as the words need, found by halving.
fn around(
    bubble: &Bubble,
    ground: &Ground,
    middle: Point,
    text: &str,
    hand: &lettering::Hand,
) -> (Outline, Lettered) {
    let letters = text.chars().count() as f32;
    let vertical = hand.direction == lettering::Direction::Vertical;
    let aspect: f32 = match bubble.kind {
        BubbleKind::Narration | BubbleKind::Phone => (letters / 9.0).clamp(1.6, 3.6),
        _ => (letters / 9.0).clamp(1.2, 1.55),
    };
    let aspect = if vertical { 1.0 / aspect } else { aspect };
    let radii = |scale: f32| (scale * aspect.sqrt(), scale / aspect.sqrt());
    let at = |scale: f32, hand: &lettering::Hand| {
        lettering::letter(text, hand, &body::room(bubble.kind, middle, radii(scale)))
    };
    let most =
        (ground.space.width * 0.48 / aspect.sqrt()).min(ground.space.height * 0.48 * aspect.sqrt());
    let (mut small, mut large) = (hand.size * 0.3, most.max(hand.size));
    let fits = |scale: f32| {
        lettering::fits_whole(text, hand, &body::room(bubble.kind, middle, radii(scale)))
    };
    if !fits(large) {
        let lettered = at(large, hand);
        return (
            body::body(bubble.kind, middle, radii(large), bubble.seed),
            lettered,
        );
    }
    for _ in 0..10 {
        let scale = (small + large) / 2.0;
        if fits(scale) {
            large = scale;
        } else {
            small = scale;
        }
    }
    // A little air.
    let scale = large * 1.05;
    (
        body::body(bubble.kind, middle, radii(scale), bubble.seed),
        at(scale, hand),
    )
}

/// The box of program pixels around page units `from`..`to` and `grow` more.
pub(in crate::panels) fn pixels(
    ground: &Ground,
    from: Point,
    to: Point,
    grow: f32,
) -> Option<PixelRect> {
    let low = |value: f32, origin: i32| ((value - grow) * ground.scale + origin as f32).floor();
    let high = |value: f32, origin: i32| ((value + grow) * ground.scale + origin as f32).ceil();
    let (left, top) = (low(from.0, ground.page.x), low(from.1, ground.page.y));
    let (right, bottom) = (high(to.0, ground.page.x), high(to.1, ground.page.y));
    let most = Size::MAX_SIDE as f32;
    let sane = [left, top, right, bottom]
        .iter()
        .all(|value| value.is_finite() && value.abs() < most * 2.0);
    (sane && right > left && bottom > top && right - left <= most && bottom - top <= most).then(
        || {
            PixelRect::new(
                left as i32,
                top as i32,
                (right - left) as u32,
                (bottom - top) as u32,
            )
        },
    )
}

/// From page units to a bitmap's pixels.
pub(in crate::panels) fn placed(ground: &Ground, rect: PixelRect) -> Transform {
    let scale = ground.scale;
    Transform::from_row(
        scale,
        0.0,
        0.0,
        scale,
        (ground.page.x - rect.x) as f32,
        (ground.page.y - rect.y) as f32,
    )
}

fn paint(
    bubble: &Bubble,
    ground: &Ground,
    said: &Said,
    tailed: &Tailed,
) -> Option<(PixelRect, Pixmap)> {
    let Paint {
        fill,
        ink,
        line,
        opacity,
    } = bubble.paint;
    let (mut a, mut b) = tailed.outline.bounds();
    for ((x, y), radius) in &tailed.puffs {
        a = (a.0.min(x - radius), a.1.min(y - radius));
        b = (b.0.max(x + radius), b.1.max(y + radius));
    }
    if !said.lettered.is_empty() {
        let text = &said.lettered.bounds;
        a = (a.0.min(text.x), a.1.min(text.y));
        b = (b.0.max(text.x + text.width), b.1.max(text.y + text.height));
    }
    for extra in bubble.beneath.iter().chain(&bubble.above) {
        let (ink, grow) = (extra.path.bounds(), extra.look.width());
        a = (a.0.min(ink.left() - grow), a.1.min(ink.top() - grow));
        b = (b.0.max(ink.right() + grow), b.1.max(ink.bottom() + grow));
    }
    // Spikes have long corners.
    let grow = line
        * if bubble.kind == BubbleKind::Shout {
            2.5
        } else {
            1.2
        };
    let rect = pixels(ground, a, b, grow + 1.0 / ground.scale)?;
    let mut pixmap = Pixmap::new(rect.width, rect.height)?;
    let place = placed(ground, rect);
    let colour = |colour: [u8; 4]| {
        let mut paint = tiny_skia::Paint::default();
        paint.set_color_rgba8(colour[0], colour[1], colour[2], colour[3]);
        paint
    };
    let made = !matches!(bubble.form, Form::Drawn(_));
    let outline = tailed.outline.path()?;
    let mut parts = vec![(
        outline,
        made.then(|| tailed.outline.uneven_path(line * 0.34, bubble.seed % 97))
            .flatten(),
    )];
    for (at, radius) in &tailed.puffs {
        let puff = body::body(
            BubbleKind::Speech,
            *at,
            (*radius, radius * 0.86),
            bubble.seed,
        );
        parts.push((puff.path()?, puff.uneven_path(line * 0.3, 5)));
    }
    for extra in &bubble.beneath {
        extra.look.draw(&mut pixmap, &extra.path, 0.0, place);
    }
    for (path, second) in &parts {
        pixmap.fill_path(path, &colour(fill), FillRule::Winding, place, None);
        if line <= 0.0 {
            continue;
        }
        let dash = (bubble.kind == BubbleKind::Whisper && made)
            .then(|| StrokeDash::new(vec![line * 3.6, line * 2.6], 0.0))
            .flatten();
        let is_sharp = bubble.kind == BubbleKind::Shout || !made;
        let stroke = Stroke {
            width: if second.is_some() && dash.is_none() {
                line * 0.86
            } else {
                line
            },
            line_join: if is_sharp {
                LineJoin::Miter
            } else {
                LineJoin::Round
            },
            line_cap: LineCap::Round,
            miter_limit: 6.0,
            dash,
        };
        pixmap.stroke_path(path, &colour(ink), &stroke, place, None);
        // Drawn over once more, never quite on the same line.
        if let (Some(second), None) = (second, &stroke.dash) {
            pixmap.stroke_path(second, &colour(ink), &stroke, place, None);
        }
    }
    for extra in &bubble.above {
        extra.look.draw(&mut pixmap, &extra.path, 0.0, place);
    }
    if let Some((letters, x, y)) = &said.letters {
        pixmap.draw_pixmap(
            x - rect.x,
            y - rect.y,
            letters.as_ref(),
            &PixmapPaint::default(),
            Transform::identity(),
            None,
        );
    }
    if opacity < 1.0 {
        let by = (opacity.max(0.0) * 255.0) as u32;
        for byte in pixmap.data_mut() {
            *byte = (u32::from(*byte) * by / 255) as u8;
        }
    }
    Some((rect, pixmap))
}
