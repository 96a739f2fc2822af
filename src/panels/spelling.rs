//! What `data-…` may say on each kind of object; what says something else was meant otherwise, and
//! would change nothing without a word.

use svgtypes::Color;

use super::bubble::BubbleKind;
use super::{Data, Layer, Motion, Page, PanelKind, Typeface};

/// What an attribute may say.
#[derive(Clone, Copy)]
enum May {
    /// Anything.
    Words,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// This kind of bubble.
    Kind,
    /// This way of moving.
    Motion,
    /// A font of the program.
    Font,
    /// The name of a panel on the page.
    Panel,
    /// A day as `strftime` writes it.
    Date,
    /// A number.
    Number,
    /// Two numbers.
    Place,
    /// A colour.
    Colour,
    /// Numbers, at least as many, then maybe a colour.
    Line(usize),
}

type Known = &'static [(&'static str, May)];

const YES_OR_NO: May = May::OneOf(&["yes", "no", "true", "false", "on", "off", "none"]);

/// What words on the page and in bubbles may say.
const OF_WORDS: Known = &[
    ("animate", May::Motion),
    ("date", May::Date),
    ("direction", May::OneOf(&["vertical", "horizontal"])),
    ("en", May::Words),
    ("ko", May::Words),
    ("lines", May::Words),
    ("lines-en", May::Words),
    ("lines-ko", May::Words),
    ("secs", May::Number),
];

const OF_BUBBLES: Known = &[
    ("bounds", May::OneOf(&["page", "panel"])),
    ("date", May::Date),
    ("direction", May::OneOf(&["vertical", "horizontal"])),
    ("en", May::Words),
    ("face", May::Number),
    ("follow", YES_OR_NO),
    ("font", May::Font),
    ("kind", May::Kind),
    ("ko", May::Words),
    ("lines", May::Words),
    ("lines-en", May::Words),
    ("lines-ko", May::Words),
    ("panel", May::Panel),
    ("secs", May::Number),
    ("tail", YES_OR_NO),
];

const OF_SOUNDS: Known = &[("animate", May::Motion)];

const OF_EFFECTS: Known = &[
    ("angle", May::Number),
    ("centre", May::Place),
    ("colour", May::Colour),
    ("colour2", May::Colour),
    ("density", May::Number),
    ("every", May::Number),
    ("scale", May::Number),
    ("seed", May::Number),
    ("speed", May::Number),
    ("strength", May::Number),
];

const OF_PEOPLE: Known = &[("outline", May::Line(1)), ("shadow", May::Line(1))];

/// Attributes and values on the page's objects that nobody understands.
pub(super) fn misspelt(page: &Page) -> Vec<String> {
    let mut told = Vec::new();
    for layer in page.layers() {
        let (id, data, known) = match layer {
            Layer::Art(_) => continue,
            Layer::Panel(panel) if panel.kind == PanelKind::Person => {
                (&panel.id, &panel.data, OF_PEOPLE)
            }
            Layer::Panel(panel) => (&panel.id, &panel.data, &[][..]),
            Layer::Text(words) => (&words.id, &words.data, OF_WORDS),
            Layer::Sound(drawn) => (&drawn.id, &drawn.data, OF_SOUNDS),
            Layer::Bubble(bubble) => (&bubble.id, &bubble.data, OF_BUBBLES),
            Layer::Effect(effect) => (&effect.id, &effect.data, OF_EFFECTS),
        };
        of_object(id, data, known, page, &mut told);
    }
    told
}

fn of_object(id: &str, data: &Data, known: Known, page: &Page, told: &mut Vec<String>) {
    // Figma keeps its own notes there.
    let written = data
        .written()
        .filter(|(name, _)| !name.starts_with("figma-"));
    for (name, value) in written {
        let may = known.iter().find(|(known, _)| *known == name);
        let text = match may {
            None if known.is_empty() => {
                format!("data-{name} on {id} is not understood: there is none for live pictures.")
            }
            None => {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                format!(
                    "data-{name} on {id} is not understood. There are {}.",
                    names.join(", ")
                )
            }
            Some((_, may)) => match may.instead_of(value, page) {
                None => continue,
                Some(instead) => {
                    let value: String = value.chars().take(40).collect();
                    format!("data-{name}=\"{value}\" on {id} is not understood. Write {instead}.")
                }
            },
        };
        told.push(text);
    }
}

impl May {
    /// What to write in place of `value`; `None`: it is understood.
    fn instead_of(self, value: &str, page: &Page) -> Option<String> {
        let lower = value.to_lowercase();
        let number = |text: &str| {
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
            digits.parse().is_ok_and(f32::is_finite)
        };
        let is_colour = |text: &str| text.parse::<Color>().is_ok();
        let among = |words: &[&str]| (!words.contains(&lower.as_str())).then(|| words.join(", "));
        let pieces = || {
            value
                .split([' ', ',', ';', '\t', '\n'])
                .filter(|piece| !piece.is_empty())
        };
        match self {
            Self::Words => None,
            Self::OneOf(words) => among(words),
            Self::Kind => among(&BubbleKind::ALL.map(BubbleKind::id)),
            Self::Motion => among(&Motion::ALL.map(Motion::id)),
            Self::Font => Typeface::by_name(value)
                .is_none()
                .then(|| "a font of panelcam, such as BM JUA or Bangers".to_owned()),
            Self::Panel => {
                let mut names = page.panels().map(|panel| (&panel.name, &panel.id));
                let is_there = names.any(|(name, id)| *name == lower || id.to_lowercase() == lower);
                (!is_there).then(|| {
                    let ids: Vec<&str> = page.panels().map(|panel| panel.id.as_str()).collect();
                    format!("the name of a panel: {}", ids.join(", "))
                })
            }
            Self::Date => jiff::fmt::strtime::format(value, jiff::civil::date(2000, 1, 1))
                .is_err()
                .then(|| "a day such as %Y. %-m. %-d".to_owned()),
            Self::Number => (!number(value)).then(|| "a number".to_owned()),
            Self::Place => {
                let count = pieces().filter(|piece| number(piece)).count();
                (count < 2).then(|| "two numbers from 0 to 1, such as 0.5 0.4".to_owned())
            }
            Self::Colour => {
                (!is_colour(value)).then(|| "a colour, such as white or #ff9ebb".to_owned())
            }
            Self::Line(least) => {
                let numbers = pieces().take_while(|piece| number(piece)).count();
                let rest: Vec<&str> = pieces().skip(numbers).collect();
                let rest = rest.join(" ");
                let is_known = numbers >= least
                    && (rest.is_empty() || is_colour(&rest) || rest.split(' ').any(is_colour));
                (!is_known).then(|| "numbers and a colour, such as 8 #ffffff".to_owned())
            }
        }
    }
}
