//! Explains a page to the artist who draws it.

use std::fmt::Write as _;

use resvg::tiny_skia::{IntSize, Pixmap, Transform};

use crate::frame::{Picture, Size};

use super::artwork::fitted;
use super::{
    Blend, Effect, EffectKind, Fonts, Layer, Lettering, Motion, Page, PageError, Panel, PanelKind,
    Rect, spelling,
};

/// Stands between the remarks about one thing.
const AND: &str = "; ";

/// One thing on a page that is not plain art.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The object's name as the artist wrote it.
    pub id: String,
    /// What it becomes, in plain words.
    pub becomes: String,
    /// Where it is, in page units.
    pub bounds: Rect,
    /// Colour of its label in the picture.
    colour: &'static str,
}

impl Found {
    /// What it becomes, remark by remark.
    pub fn remarks(&self) -> impl Iterator<Item = &str> {
        self.becomes.split(AND)
    }
}

impl Page {
    /// What is alive on the page, the lowest first.
    pub fn found(&self) -> Vec<Found> {
        self.layers()
            .iter()
            .filter_map(|layer| match layer {
                Layer::Art(_) => None,
                Layer::Panel(panel) => Some(of_panel(panel, self)),
                Layer::Text(text) => Some(of_lettering(text, "words that can be changed")),
                Layer::Bubble(bubble) => {
                    Some(of_lettering(bubble, "a bubble that follows the face"))
                }
                Layer::Sound(sound) => Some(of_sound(sound)),
                Layer::Effect(effect) => Some(of_effect(effect)),
            })
            .collect()
    }

    /// What an artist may have meant otherwise: gaps between shots, attributes nobody reads.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        for (number, shot) in (1..).zip(self.shots()) {
            if shot != number {
                advice.push(format!(
                    "There is a shot-{shot} but no shot-{number}. Number the shots from 1 on."
                ));
                break;
            }
        }
        advice.extend(spelling::misspelt(self));
        advice
    }

    /// A picture of the page, with premultiplied alpha, with everything alive labelled on it.
    ///
    /// # Errors
    /// When the picture has no size.
    pub fn labelled(&self, drawn: Picture, fonts: &Fonts) -> Result<Picture, PageError> {
        let size = drawn.size();
        let too_large = || PageError::TooLargeToDraw {
            size,
            page: self.id().to_owned(),
        };
        let side = IntSize::from_wh(size.width, size.height).ok_or_else(too_large)?;
        let mut canvas = Pixmap::from_vec(drawn.into_rgba(), side).ok_or_else(too_large)?;
        let options = usvg::Options {
            fontdb: fonts.database(),
            font_family: Fonts::SUBSTITUTE.to_owned(),
            ..usvg::Options::default()
        };
        if let Ok(labels) = usvg::Tree::from_str(&self.labels(), &options) {
            let place = fitted(self.units(), size);
            let scale = place.width as f32 / self.units().0;
            let transform =
                Transform::from_scale(scale, scale).post_translate(place.x as f32, place.y as f32);
            resvg::render(&labels, transform, &mut canvas.as_mut());
        }
        Ok(Picture::from_rgba(size, canvas.take()).unwrap_or_default())
    }

    /// Frames and names as an SVG as large as the page.
    fn labels(&self) -> String {
        let (width, height) = self.units();
        let unit = width.max(height) / 1000.0;
        let letters = 21.0 * unit;
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="BM JUA" font-size="{letters}">"#
        );
        let mut taken: Vec<Rect> = Vec::new();
        for found in self.found() {
            let Rect {
                x,
                y,
                width: across,
                height: down,
            } = found.bounds;
            let colour = found.colour;
            let name: String = found.id.chars().take(40).collect();
            let mut chip = Rect {
                x: (x + 5.0 * unit).min(width - 40.0 * unit),
                y: y + 5.0 * unit,
                width: letters * 0.62 * (name.chars().count() as f32 + 1.2),
                height: letters * 1.45,
            };
            // Labels of things in one place stand below each other.
            while taken.iter().any(|other| overlap(*other, chip)) && chip.y < height {
                chip.y += chip.height + 2.0 * unit;
            }
            taken.push(chip);
            let stroke = 3.5 * unit;
            let _ = write!(
                svg,
                r##"<rect x="{x}" y="{y}" width="{across}" height="{down}" fill="{colour}" fill-opacity=".07" stroke="{colour}" stroke-width="{stroke}" stroke-dasharray="{} {}"/>
                <rect x="{}" y="{}" width="{}" height="{}" rx="{}" fill="{colour}"/><text x="{}" y="{}" fill="#fff">{}</text>"##,
                12.0 * unit,
                6.0 * unit,
                chip.x,
                chip.y,
                chip.width,
                chip.height,
                4.0 * unit,
                chip.x + letters * 0.4,
                chip.y + letters * 1.08,
                escaped(&name),
            );
        }
        svg + "</svg>"
    }
}

fn overlap(a: Rect, b: Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

pub(super) fn escaped(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control())
        .map(|letter| match letter {
            '<' => "&lt;".to_owned(),
            '&' => "&amp;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

fn of_panel(panel: &Panel, page: &Page) -> Found {
    let mut becomes = match panel.kind {
        PanelKind::Live => "the drawn live picture".to_owned(),
        PanelKind::Raw => "the camera's picture as it is".to_owned(),
        PanelKind::Person => "the people alone, cut out".to_owned(),
        PanelKind::Shot(number) => format!("shot {number}, live until it is taken"),
    };
    if panel.crop == super::Crop::Close {
        becomes.push_str(", close up");
    }
    let others: Vec<&str> = page
        .panels()
        .filter(|other| other.name == panel.name && other.id != panel.id)
        .map(|other| other.id.as_str())
        .collect();
    if !others.is_empty() {
        let _ = write!(becomes, "; one picture with {}", others.join(", "));
    }
    for (name, value) in panel.data.iter() {
        let _ = write!(becomes, "; {name} {value}");
    }
    mixed(&mut becomes, panel.blend);
    Found {
        id: panel.id.clone(),
        becomes,
        bounds: panel.bounds,
        colour: match panel.kind {
            PanelKind::Person => "#d6336c",
            PanelKind::Shot(_) => "#7048e8",
            _ => "#1971c2",
        },
    }
}

fn of_lettering(lettering: &Lettering, what: &str) -> Found {
    let words: Vec<String> = lettering
        .texts
        .iter()
        .map(|text| format!("\"{}\"", text.text.replace('\n', " / ")))
        .collect();
    let mut becomes = if words.is_empty() {
        format!("{what}; it has no text yet")
    } else {
        format!("{what}; it says {}", words.join(", "))
    };
    if let Some(motion) = lettering.motion() {
        becomes.push_str(match motion {
            Motion::Shake => "; they shake",
            Motion::Pulse => "; they beat",
            Motion::Pop => "; they pop out again and again",
        });
    }
    mixed(&mut becomes, lettering.blend);
    Found {
        id: lettering.id.clone(),
        becomes,
        bounds: lettering.bounds,
        colour: "#2b8a3e",
    }
}

fn of_sound(sound: &Lettering) -> Found {
    let mut becomes = match sound.motion() {
        Some(Motion::Shake) => "a drawn sound that shakes",
        Some(Motion::Pulse) => "a drawn sound that beats",
        Some(Motion::Pop) => "a drawn sound that pops out again and again",
        None => "a drawn sound",
    }
    .to_owned();
    mixed(&mut becomes, sound.blend);
    Found {
        id: sound.id.clone(),
        becomes,
        bounds: sound.bounds,
        colour: "#0c8599",
    }
}

fn of_effect(effect: &Effect) -> Found {
    let what = match effect.kind {
        EffectKind::Speedlines => "effect: lines of a fast move",
        EffectKind::Focus => "effect: lines towards the face",
        EffectKind::Halftone => "effect: dots where the picture is dark",
        EffectKind::Screentone => "effect: tone in the picture's shadows",
        EffectKind::Rain => "effect: rain",
        EffectKind::Petals => "effect: drifting petals",
        EffectKind::Sparkle => "effect: sparkling stars",
        EffectKind::Shock => "effect: a flash of the negative",
        EffectKind::Gloom => "effect: gloomy lines from above",
    };
    let mut becomes = what.to_owned();
    for (name, value) in effect.data.iter() {
        let _ = write!(becomes, "; {name} {value}");
    }
    mixed(&mut becomes, effect.blend);
    Found {
        id: effect.id.clone(),
        becomes,
        bounds: effect.bounds,
        colour: "#e8590c",
    }
}

fn mixed(becomes: &mut String, blend: Blend) {
    if blend != Blend::Normal {
        let _ = write!(becomes, "; mixed: {}", blend.name());
    }
}

/// Somebody in front of a wall, for pages that are looked at without a camera.
pub fn stand_in() -> Picture {
    let size = Size::new(480, 360);
    let mut picture = Picture::new(size);
    for (at, pixel) in picture.rgba_mut().chunks_exact_mut(4).enumerate() {
        let (x, y) = (
            (at as u32 % size.width) as f32 / size.width as f32,
            (at as u32 / size.width) as f32 / size.height as f32,
        );
        let far = |cx: f32, cy: f32, rx: f32, ry: f32| ((x - cx) / rx).hypot((y - cy) / ry);
        let person = far(0.5, 0.36, 0.125, 0.20).min(far(0.5, 1.02, 0.32, 0.42));
        let shade = 214.0 - 34.0 * y;
        let colour = if person < 1.0 {
            [142.0, 150.0, 166.0]
        } else {
            [shade, shade + 6.0, shade + 14.0]
        };
        for (byte, value) in pixel.iter_mut().zip(colour) {
            *byte = value as u8;
        }
        pixel[3] = (((1.0 - person) * 60.0 + 0.5).clamp(0.0, 1.0) * 255.0) as u8;
    }
    picture
}
