//! Letters a page: all its words, bubbles and sounds, now.
//!
//! Makes the [`Sprites`] of a moment from the texts people chose, the faces there are, and the
//! time. What does not change is not drawn again.

use std::sync::Arc;

use resvg::tiny_skia::{self, FillRule, LineJoin, Pixmap, Stroke, Transform};

use crate::frame::Size;
use crate::people::Point;

use super::artwork::fitted;
use super::bubble::draw::{pixels, placed};
use super::bubble::{Balloon, Bubble, Company, FaceAt, Ground};
use super::lettering::{self, Align, Direction, Hand};
use super::moment::{Countdown, Moment, Place, PlaceKind, Seen, Turns};
use super::names::shot_of;
use super::standing::Standing;
use super::wording::line_of;
use super::words::Words;
use super::{
    Bitmap, Blend, Cover, Layer, Lettering, Page, Panel, PanelKind, PixelRect, Rect, Sprite,
    Sprites, Typeface,
};

/// Letters one page for one program size.
pub struct Letterer {
    page: Page,
    program: Size,
    ground: Ground,
    items: Vec<Item>,
    /// Words that are where the artist put them, in page units: bubbles keep off them.
    fixed: Vec<Rect>,
    count: Option<(Countdown, Sprite)>,
}

struct Item {
    /// Its number among the page's layers.
    layer: usize,
    name: String,
    own: String,
    /// What it says unless a text is chosen: one line, or a list of them.
    usual: String,
    /// Whether one line comes after the other.
    turns: bool,
    secs: f32,
    /// The shot that it stands in or speaks for.
    shot: Option<u8>,
    what: What,
    /// What was last shown.
    shown: Option<(String, PixelRect)>,
}

enum What {
    Words(Box<Words>),
    Bubble(Box<Balloon>, Option<Home>),
    /// Nobody changes what it says.
    Sound(Box<Words>),
}

/// The picture that a bubble's face is in.
struct Home {
    shot: Option<u8>,
    crop: super::Crop,
    /// What the picture covers, in program pixels.
    fit: PixelRect,
}

impl Letterer {
    /// Reads what there is to letter on `page`, for a program of `program`.
    pub fn new(page: &Page, program: Size) -> Self {
        let units = page.units();
        let place = fitted(units, program);
        let space = Rect {
            x: 0.0,
            y: 0.0,
            width: units.0,
            height: units.1,
        };
        let ground = Ground {
            page: place,
            scale: place.width as f32 / units.0.max(1e-3),
            blend: Blend::default(),
            short: units.0.min(units.1),
            space,
            range: space,
            usual: (units.0 * 0.5, units.1 * 0.4),
        };
        let standing = Standing::of(page);
        let items = page
            .layers()
            .iter()
            .enumerate()
            .filter_map(|(number, layer)| match layer {
                Layer::Text(text) => {
                    let inside = standing.box_of(&text.bounds);
                    let inside = inside.unwrap_or(ground.space);
                    let words = Item::words(number, text, ground, inside);
                    let shot = shot_under(page, &text.bounds);
                    Some(Item { shot, ..words })
                }
                Layer::Bubble(bubble) => Some(Item::bubble(number, bubble, ground, page)),
                Layer::Sound(sound) => Some(Item::sound(number, sound, ground)),
                _ => None,
            })
            .collect();
        Self {
            page: page.clone(),
            program,
            ground,
            items,
            fixed: standing.words(),
            count: None,
        }
    }

    /// Whether it letters this page at this size.
    pub fn is_of(&self, page: &Page, program: Size) -> bool {
        self.page.same(page) && self.program == program
    }

    /// Whether there is nothing to letter.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether something changes by itself, without a new picture.
    pub fn moves(&self) -> bool {
        self.items.iter().any(|item| {
            item.turns
                || matches!(&item.what, What::Words(words) | What::Sound(words) if words.moves())
        })
    }

    /// What moves on the page at this moment.
    pub fn sprites(&mut self, moment: &Moment<'_>) -> Sprites {
        let ground = self.ground;
        let mut sprites = Sprites::default();
        for number in 0..self.items.len() {
            let taken = self.taken(number);
            let Some(item) = self.items.get_mut(number) else {
                continue;
            };
            let text = item.text(moment);
            let sprite = match &mut item.what {
                What::Words(words) => {
                    if !words.is_alive(&text, &item.own) {
                        words.rest();
                        item.shown = None;
                        continue;
                    }
                    words.draw(&text, &item.own, moment.time)
                }
                What::Bubble(balloon, home) => {
                    let faces = home.as_ref().map(|home| home.faces(moment, &ground));
                    let company = Company {
                        faces: faces.as_deref().unwrap_or_default(),
                        words: &taken,
                    };
                    balloon.draw(&text, &company, moment.time)
                }
                What::Sound(sound) => {
                    if sound.moves() {
                        let sprite = sound.draw(&item.own, &item.own, moment.time);
                        sprites.instead.push((item.layer, sprite));
                    }
                    continue;
                }
            };
            item.shown = sprite.as_ref().map(|sprite| (text, sprite.place()));
            sprites.instead.push((item.layer, sprite));
        }
        if let Some(countdown) = moment.countdown {
            if self
                .count
                .as_ref()
                .is_none_or(|(known, _)| *known != countdown)
            {
                self.count = self.draw_count(countdown).map(|sprite| (countdown, sprite));
            }
            sprites
                .above
                .extend(self.count.as_ref().map(|(_, sprite)| sprite.clone()));
        } else {
            self.count = None;
        }
        sprites
    }

    /// Where the words, the bubble or the sound of this layer is, in page units: as of the last
    /// [`sprites`](Self::sprites). `None`: it says nothing, or is none.
    pub fn stands(&self, layer: usize) -> Option<Rect> {
        let item = self.items.iter().find(|item| item.layer == layer)?;
        let drawn = match (&item.what, self.page.layers().get(layer)) {
            (What::Words(_), Some(Layer::Text(said)))
            | (What::Sound(_), Some(Layer::Sound(said))) => Some(said.bounds),
            _ => None,
        };
        match &item.shown {
            Some((text, rect)) => (!text.is_empty()).then(|| self.ground.on_page(*rect)),
            None => drawn,
        }
    }

    /// What people may change, and where it is: as of the last [`sprites`](Self::sprites).
    pub fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = self
            .page
            .panels()
            .filter_map(|panel| Some((panel.kind.shot()?, panel)))
            .map(|(number, panel)| Place {
                name: number.to_string(),
                kind: PlaceKind::Shot,
                text: String::new(),
                own: String::new(),
                rect: self.ground.on_program(panel.bounds),
                missing: Vec::new(),
                cut: false,
            })
            .collect();
        places.extend(self.items.iter().filter_map(|item| {
            let bounds = match self.page.layers().get(item.layer) {
                Some(Layer::Text(lettering) | Layer::Bubble(lettering)) => lettering.bounds,
                _ => Rect::default(),
            };
            let (kind, left_out) = match &item.what {
                What::Words(words) => (PlaceKind::Text, words.left_out()),
                What::Bubble(balloon, _) => (PlaceKind::Bubble, balloon.left_out()),
                What::Sound(_) => return None,
            };
            let (text, rect) = match &item.shown {
                Some((text, rect)) => (text.clone(), *rect),
                None => (item.own.clone(), self.ground.on_program(bounds)),
            };
            Some(Place {
                name: item.name.clone(),
                kind,
                text,
                own: item.own.clone(),
                rect,
                missing: left_out.0.to_vec(),
                cut: left_out.1,
            })
        }));
        places
    }

    /// How many letters of `text` the words or the bubble of this layer show before an ellipsis;
    /// `None`: all of it.
    pub(super) fn cut(&self, layer: usize, text: &str) -> Option<usize> {
        let item = self.items.iter().find(|item| item.layer == layer)?;
        match &item.what {
            What::Words(words) => words.cut(text, &item.own),
            What::Bubble(balloon, _) => balloon.cut(text),
            What::Sound(_) => None,
        }
    }

    /// Whether the bubble of this layer has its artist's words set anew: they are too long for it.
    pub(super) fn sets_anew(&self, layer: usize) -> bool {
        let mut items = self.items.iter().filter(|item| item.layer == layer);
        items
            .any(|item| matches!(&item.what, What::Bubble(balloon, _) if balloon.bubble().set_anew))
    }

    /// Where a bubble may not be for other words: those that stay, those that say something else now, and
    /// the other bubbles that do not lie on it by the artist's will.
    fn taken(&self, number: usize) -> Vec<Rect> {
        let home = |item: &Item| match &item.what {
            What::Bubble(balloon, _) => Some(balloon.bubble().home),
            What::Words(_) | What::Sound(_) => None,
        };
        let Some(own) = self.items.get(number).and_then(home) else {
            return Vec::new();
        };
        let others = self.items.iter().enumerate().filter_map(|(at, item)| {
            // Words that say something else than the artist wrote may take more room.
            let apart = at != number && home(item).is_none_or(|home| !home.touches(&own));
            let (_, rect) = item.shown.as_ref().filter(|_| apart)?;
            Some(self.ground.on_page(*rect))
        });
        self.fixed.iter().copied().chain(others).take(24).collect()
    }

    /// A number in a disc, in the upper corner of its panel.
    fn draw_count(&self, countdown: Countdown) -> Option<Sprite> {
        let panel = self
            .page
            .panels()
            .find(|panel| panel.kind == PanelKind::Shot(countdown.shot));
        let bounds = panel.map_or(self.ground.space, |panel| panel.bounds);
        let radius = bounds.width.min(bounds.height) * 0.17;
        let middle = (
            bounds.x + bounds.width - radius * 1.3,
            bounds.y + radius * 1.3,
        );
        let rect = pixels(
            &self.ground,
            (middle.0 - radius, middle.1 - radius),
            (middle.0 + radius, middle.1 + radius),
            radius * 0.12,
        )?;
        let mut pixmap = Pixmap::new(rect.width, rect.height)?;
        let place = placed(&self.ground, rect);
        let disc = tiny_skia::PathBuilder::from_circle(middle.0, middle.1, radius)?;
        let paint = |colour: [u8; 4]| {
            let mut paint = tiny_skia::Paint::default();
            paint.set_color_rgba8(colour[0], colour[1], colour[2], colour[3]);
            paint
        };
        let ink = [0x17, 0x14, 0x1f, 255];
        pixmap.fill_path(
            &disc,
            &paint([0xff, 0xd4, 0x47, 255]),
            FillRule::Winding,
            place,
            None,
        );
        let line = Stroke {
            width: radius * 0.09,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        pixmap.stroke_path(&disc, &paint(ink), &line, place, None);
        let hand = Hand {
            face: Typeface::Bangers,
            size: radius * 1.5,
            least: radius,
            direction: Direction::Horizontal,
            align: Align::Middle,
        };
        let number = lettering::write(&countdown.seconds.to_string(), &hand, radius * 1.6);
        let path = number.letters?;
        let at = path.bounds();
        let by = Transform::from_translate(
            middle.0 - (at.left() + at.right()) / 2.0,
            middle.1 - (at.top() + at.bottom()) / 2.0,
        );
        pixmap.fill_path(
            &path,
            &paint(ink),
            FillRule::Winding,
            by.post_concat(place),
            None,
        );
        let bitmap = Bitmap {
            rect,
            blend: Blend::default(),
            rgba: pixmap.take(),
        };
        Some(Sprite {
            bitmap: Arc::new(bitmap),
            shift: (0, 0),
        })
    }
}

impl Ground {
    /// A box of program pixels in page units.
    fn on_page(&self, rect: PixelRect) -> Rect {
        Rect {
            x: (rect.x - self.page.x) as f32 / self.scale,
            y: (rect.y - self.page.y) as f32 / self.scale,
            width: rect.width as f32 / self.scale,
            height: rect.height as f32 / self.scale,
        }
    }

    /// A box of page units as program pixels.
    pub(super) fn on_program(&self, rect: Rect) -> PixelRect {
        let at = |value: f32, origin: i32| (value * self.scale).round() as i32 + origin;
        PixelRect::new(
            at(rect.x, self.page.x),
            at(rect.y, self.page.y),
            (rect.width * self.scale).round().max(1.0) as u32,
            (rect.height * self.scale).round().max(1.0) as u32,
        )
    }
}

impl Item {
    fn new(layer: usize, lettering: &Lettering, what: What) -> Self {
        Self {
            layer,
            name: lettering.key().to_owned(),
            own: lettering.own(),
            usual: lettering.usual(),
            turns: lettering.turns(),
            secs: lettering.data.number("secs", 0.5..=3600.0).unwrap_or(4.0),
            shot: match &what {
                What::Bubble(_, home) => home.as_ref().and_then(|home| home.shot),
                What::Words(_) | What::Sound(_) => None,
            },
            what,
            shown: None,
        }
    }

    fn words(layer: usize, lettering: &Lettering, ground: Ground, inside: Rect) -> Self {
        let ground = Ground {
            blend: lettering.blend,
            ..ground
        };
        let words = Words::read(lettering, ground, inside);
        Self::new(layer, lettering, What::Words(Box::new(words)))
    }

    fn sound(layer: usize, lettering: &Lettering, ground: Ground) -> Self {
        let ground = Ground {
            blend: lettering.blend,
            ..ground
        };
        let words = Words::read(lettering, ground, ground.space);
        Self {
            turns: false,
            ..Self::new(layer, lettering, What::Sound(Box::new(words)))
        }
    }

    fn bubble(layer: usize, lettering: &Lettering, ground: Ground, page: &Page) -> Self {
        let bubble = Bubble::read(lettering, ground.short);
        let home = bubble.home;
        let middle = (home.x + home.width / 2.0, home.y + home.height / 2.0);
        let distance = |panel: &Panel| {
            let b = panel.bounds;
            let dx = (b.x - middle.0).max(middle.0 - b.x - b.width).max(0.0);
            let dy = (b.y - middle.1).max(middle.1 - b.y - b.height).max(0.0);
            // The smallest of those it is on.
            dx.hypot(dy) + b.width * b.height * 1e-6
        };
        let named = |panel: &&Panel| {
            bubble
                .panel
                .as_ref()
                .is_some_and(|name| panel.name == *name || panel.id.to_lowercase() == *name)
        };
        let panel = page.panels().find(named).or_else(|| {
            page.panels()
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        });
        let mut ground = Ground {
            blend: lettering.blend,
            ..ground
        };
        let home = panel.map(|panel| {
            let b = panel.bounds;
            let together = page
                .panels()
                .filter(|other| other.name == panel.name)
                .map(|other| ground.on_program(other.bounds))
                .fold(ground.on_program(b), PixelRect::around);
            ground.usual = (b.x + b.width * 0.5, b.y + b.height * 0.42);
            let inside = home.x >= b.x
                && home.y >= b.y
                && home.x + home.width <= b.x + b.width
                && home.y + home.height <= b.y + b.height;
            if lettering.data.get("bounds") != Some("page") {
                if inside {
                    ground.space = b;
                }
                ground.range = b.around(&home).common(&ground.space);
            }
            Home {
                shot: shot_shown(panel),
                crop: panel.crop,
                fit: together,
            }
        });
        let balloon = Balloon::new(bubble, ground);
        Self::new(layer, lettering, What::Bubble(Box::new(balloon), home))
    }

    /// What it says at this moment.
    fn text(&self, moment: &Moment<'_>) -> String {
        let text = moment.texts.get(&self.name).unwrap_or(&self.usual);
        let turns = taken(self.shot, moment).unwrap_or(moment.live).turns;
        let Turns { time, asked } = turns.unwrap_or(Turns {
            time: moment.time,
            asked: moment.turned,
        });
        let by_time = (time.as_secs_f32() / self.secs) as usize;
        line_of(text, by_time.wrapping_add(asked)).to_owned()
    }
}

/// The shot of this number, once it is taken.
fn taken<'a>(shot: Option<u8>, moment: &Moment<'a>) -> Option<&'a Seen> {
    let at = usize::from(shot?).wrapping_sub(1);
    moment.shots.get(at)?.as_ref()
}

/// The shot that a panel shows once it is taken.
pub(super) fn shot_shown(panel: &Panel) -> Option<u8> {
    match panel.kind {
        PanelKind::Person => shot_of(&panel.name),
        kind => kind.shot(),
    }
}

/// The shot that words are written on: that of the smallest panel that has them all.
fn shot_under(page: &Page, words: &Rect) -> Option<u8> {
    let has_all = |panel: &&Panel| panel.bounds.common(words).area() >= 0.9 * words.area();
    let panels = page.panels().filter(has_all);
    let smallest = panels.min_by(|a, b| a.bounds.area().total_cmp(&b.bounds.area()))?;
    shot_shown(smallest)
}

impl Home {
    /// The faces in its picture, on the page, from left to right, and whether each speaks.
    fn faces(&self, moment: &Moment<'_>, ground: &Ground) -> Vec<(FaceAt, bool)> {
        let seen = taken(self.shot, moment).unwrap_or(moment.live);
        let uv = Cover {
            picture: seen.size,
            focus: seen.focus,
            crop: self.crop,
            mirror: moment.mirror,
        }
        .uv(self.fit);
        let on_page = |point: Point| {
            let x = (point.x - uv.origin[0]) / uv.step[0];
            let y = (point.y - uv.origin[1]) / uv.step[1];
            (
                (x - ground.page.x as f32) / ground.scale,
                (y - ground.page.y as f32) / ground.scale,
            )
        };
        let mut faces: Vec<(FaceAt, bool)> = seen
            .faces
            .iter()
            .map(|face| {
                let at = FaceAt {
                    middle: on_page(face.centre),
                    mouth: on_page(face.mouth),
                    height: (face.height / uv.step[1]).abs() / ground.scale,
                };
                (at, face.speaking)
            })
            .filter(|(face, _)| {
                face.height.is_finite() && face.middle.0.is_finite() && face.middle.1.is_finite()
            })
            .collect();
        faces.sort_by(|a, b| a.0.middle.0.total_cmp(&b.0.middle.0));
        faces
    }
}
