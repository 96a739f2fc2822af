//! What an object's name says.

/// What fills a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PanelKind {
    /// The drawn live picture.
    Live,
    /// The camera picture as it is.
    Raw,
    /// The people only, cut out by the matte.
    Person,
    /// The shot of this number, 1 to 9; until it is taken the drawn live picture, dimmed.
    Shot(u8),
}

impl PanelKind {
    /// The number of the shot that fills it.
    pub fn shot(self) -> Option<u8> {
        match self {
            Self::Shot(number) => Some(number),
            Self::Live | Self::Raw | Self::Person => None,
        }
    }
}

/// An animated effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EffectKind {
    /// Parallel lines of a fast move.
    Speedlines,
    /// Lines from all sides towards the face.
    Focus,
    /// Dots of ink that grow where the picture is dark.
    Halftone,
    /// Dots of one size in the picture's shadows, as printed sheets of tone have them.
    Screentone,
    /// Rain.
    Rain,
    /// Drifting petals.
    Petals,
    /// Four-pointed stars.
    Sparkle,
    /// A flash of the negative.
    Shock,
    /// Lines hanging down in the dark.
    Gloom,
}

impl EffectKind {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Speedlines,
        Self::Focus,
        Self::Halftone,
        Self::Screentone,
        Self::Rain,
        Self::Petals,
        Self::Sparkle,
        Self::Shock,
        Self::Gloom,
    ];

    /// What an object's name says after `fx-`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Speedlines => "speedlines",
            Self::Focus => "focus",
            Self::Halftone => "halftone",
            Self::Screentone => "screentone",
            Self::Rain => "rain",
            Self::Petals => "petals",
            Self::Sparkle => "sparkle",
            Self::Shock => "shock",
            Self::Gloom => "gloom",
        }
    }

    /// The kind that has this id.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

/// How much of the picture a panel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crop {
    /// As much as cover fit leaves.
    Full,
    /// A close-up around the face.
    Close,
}

impl Crop {
    /// How many times larger than cover fit the picture is.
    pub fn zoom(self) -> f32 {
        match self {
            Self::Full => 1.0,
            Self::Close => 1.7,
        }
    }
}

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alive {
    /// A region that shows a picture.
    Panel(PanelKind),
    /// Words that can be changed.
    Text,
    /// A bubble that follows a face.
    Bubble,
    /// Drawn lettering that moves.
    Sound,
    /// An animated effect.
    Effect(EffectKind),
}

/// A name that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AliveName {
    /// What becomes of the object.
    pub alive: Alive,
    /// What follows the kind, for a shot all of it; panels of equal names share one picture.
    pub name: String,
    /// How much of it is shown.
    pub crop: Crop,
}

impl AliveName {
    /// Reads an object's name as drawing programs write it; `None` when it is plain art.
    pub fn parse(written: &str) -> Option<Self> {
        let plain = plain(written)?;
        let (kind, name) = plain.split_once('-').unwrap_or((&plain, ""));
        let (alive, name) = match kind {
            "live" => (Alive::Panel(PanelKind::Live), name),
            "raw" => (Alive::Panel(PanelKind::Raw), name),
            "person" => (Alive::Panel(PanelKind::Person), name),
            "shot" => {
                let shot = shot_of(&plain)?;
                (
                    Alive::Panel(PanelKind::Shot(shot)),
                    &plain[.."shot-1".len()],
                )
            }
            // Inkscape and Illustrator call things `text` that are no more than that.
            "text" if !name.is_empty() => (Alive::Text, name),
            "bubble" => (Alive::Bubble, name),
            "sound" => (Alive::Sound, name),
            "fx" => {
                let (kind, name) = name.split_once('-').unwrap_or((name, ""));
                (Alive::Effect(EffectKind::named(kind)?), name)
            }
            _ => return None,
        };
        let crop = if plain.split('-').any(|word| word == "close") {
            Crop::Close
        } else {
            Crop::Full
        };
        Some(Self {
            alive,
            name: name.to_owned(),
            crop,
        })
    }

    /// What is probably wrong with a name that is plain art but looks as if it should be alive.
    pub fn nearly(written: &str) -> Option<String> {
        let plain = plain(written)?;
        let kinds = ["live", "raw", "person", "shot", "text", "bubble", "fx"];
        if let Some(kind) = plain.strip_prefix("fx-") {
            let known: Vec<&str> = EffectKind::ALL.iter().map(|kind| kind.id()).collect();
            return Some(format!(
                "{written} stays art: there is no effect called {kind}. There are {}.",
                known.join(", ")
            ));
        }
        if plain.starts_with("shot-") {
            return Some(format!(
                "{written} stays art: shots are called shot-1 to shot-9."
            ));
        }
        let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        // `text12` is what drawing programs call any text.
        let is_near = stem != plain && stem != "text" && kinds.contains(&stem);
        is_near.then(|| {
            format!(
                "{written} stays art. Should it be alive? Write a hyphen: {stem}-{}.",
                &plain[stem.len()..]
            )
        })
    }
}

/// The number of the shot that a name speaks of: `shot-2`, and what is called after it.
pub(super) fn shot_of(name: &str) -> Option<u8> {
    let rest = name.strip_prefix("shot-")?;
    let number = rest.split('-').next()?;
    match number.as_bytes() {
        [digit @ b'1'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}

/// A name without what drawing programs add to it.
fn plain(written: &str) -> Option<String> {
    if written.len() > 256 {
        return None;
    }
    let plain = without_counter(&unescaped(written.trim()).to_lowercase());
    Some(plain.replace([' ', '_'], "-"))
}

/// Undoes Illustrator's escapes: `live_x2D_1` is `live-1`.
fn unescaped(written: &str) -> String {
    let mut plain = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find("_x") {
        plain.push_str(&rest[..at]);
        let code = &rest[at + 2..];
        let decoded = code.split_once('_').and_then(|(hex, after)| {
            if !(2..=6).contains(&hex.len()) {
                return None;
            }
            Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, after))
        });
        match decoded {
            Some((letter, after)) => {
                plain.push(letter);
                rest = after;
            }
            None => {
                plain.push_str("_x");
                rest = code;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Takes off the numbers that Illustrator (`live-1_00000123_`, `live-1_1_`) and Figma
/// (`live-1_2`) append to a name they have seen before.
fn without_counter(name: &str) -> String {
    let mut name = name;
    loop {
        let body = name.strip_suffix('_').unwrap_or(name);
        let digits = body.trim_end_matches(|c: char| c.is_ascii_digit());
        match digits.strip_suffix('_') {
            Some(shorter) if digits.len() < body.len() && !shorter.is_empty() => name = shorter,
            _ => return name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_drawing_program_are_understood() {
        for (written, kind, name) in [
            ("live", PanelKind::Live, ""),
            ("live-1", PanelKind::Live, "1"),
            ("Live 1", PanelKind::Live, "1"),
            ("live_x2D_1", PanelKind::Live, "1"),
            ("live-1_00000123456789_", PanelKind::Live, "1"),
            ("live_x2D_1_2_", PanelKind::Live, "1"),
            ("live-1_2", PanelKind::Live, "1"),
            ("person-hero", PanelKind::Person, "hero"),
            ("raw-left", PanelKind::Raw, "left"),
            ("live_main", PanelKind::Live, "main"),
            ("shot-2", PanelKind::Shot(2), "shot-2"),
            ("Shot_x20_9", PanelKind::Shot(9), "shot-9"),
            ("shot-3-close", PanelKind::Shot(3), "shot-3"),
            ("person-shot-3", PanelKind::Person, "shot-3"),
        ] {
            let found = AliveName::parse(written).unwrap_or_else(|| panic!("{written}"));
            assert_eq!(
                (found.alive, found.name.as_str()),
                (Alive::Panel(kind), name),
                "{written}"
            );
        }
    }

    #[test]
    fn other_names_are_art() {
        for name in [
            "",
            "alive",
            "lively",
            "livery-1",
            "shot",
            "shot-0",
            "shot-12",
            "text",
            "text12",
            "text12-3",
            "fx",
            "fx-snow",
            "bubbles-1",
            "sounds-1",
            "soundtrack",
            "_x",
            "_1",
            "person's",
            "rawhide",
            "_x2D_",
            "live\u{301}",
        ] {
            assert_eq!(AliveName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn text_bubbles_and_effects_are_understood() {
        for (written, alive, name) in [
            ("text-title", Alive::Text, "title"),
            ("Text_x2D_1", Alive::Text, "1"),
            ("bubble", Alive::Bubble, ""),
            ("bubble hero_2", Alive::Bubble, "hero"),
            ("sound", Alive::Sound, ""),
            ("Sound bang", Alive::Sound, "bang"),
            ("fx-rain", Alive::Effect(EffectKind::Rain), ""),
            ("fx_x2D_focus_1_", Alive::Effect(EffectKind::Focus), ""),
            (
                "FX Speedlines White",
                Alive::Effect(EffectKind::Speedlines),
                "white",
            ),
        ] {
            let found = AliveName::parse(written).unwrap_or_else(|| panic!("{written}"));
            assert_eq!(
                (found.alive, found.name.as_str()),
                (alive, name),
                "{written}"
            );
        }
    }

    #[test]
    fn names_that_were_meant_to_be_alive_are_explained() {
        for (written, word) in [
            ("fx-snow", "speedlines"),
            ("shot-12", "shot-9"),
            ("live1", "live-1"),
            ("Person2", "person-2"),
        ] {
            let text = AliveName::nearly(written).unwrap_or_else(|| panic!("{written}"));
            assert!(text.contains(word), "{text}");
        }
        for name in ["rect12", "text12", "lively", "", "g1", "olive1"] {
            assert_eq!(AliveName::nearly(name), None, "{name}");
        }
    }

    #[test]
    fn a_close_up_says_so() {
        let crop = |name| AliveName::parse(name).map(|alive| alive.crop);
        assert_eq!(crop("live-close"), Some(Crop::Close));
        assert_eq!(crop("live-2-close"), Some(Crop::Close));
        assert_eq!(crop("live-closet"), Some(Crop::Full));
    }
}
