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

/// A name that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AliveName {
    /// What fills the panel.
    pub kind: PanelKind,
    /// What follows the kind; panels of equal names share one picture.
    pub name: String,
    /// How much of it is shown.
    pub crop: Crop,
}

impl AliveName {
    /// Reads an object's name as drawing programs write it; `None` when it is plain art.
    pub fn parse(written: &str) -> Option<Self> {
        if written.len() > 256 {
            return None;
        }
        let plain = without_counter(&unescaped(written.trim()).to_lowercase());
        let plain = plain.replace([' ', '_'], "-");
        let (kind, name) = plain.split_once('-').unwrap_or((&plain, ""));
        let kind = match kind {
            "live" => PanelKind::Live,
            "raw" => PanelKind::Raw,
            "person" => PanelKind::Person,
            _ => return None,
        };
        let crop = if name.split('-').any(|word| word == "close") {
            Crop::Close
        } else {
            Crop::Full
        };
        Some(Self {
            kind,
            name: name.to_owned(),
            crop,
        })
    }
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
        ] {
            let found = AliveName::parse(written).unwrap_or_else(|| panic!("{written}"));
            assert_eq!((found.kind, found.name.as_str()), (kind, name), "{written}");
        }
    }

    #[test]
    fn other_names_are_art() {
        for name in [
            "",
            "alive",
            "lively",
            "livery-1",
            "shot-1",
            "text-a",
            "fx-rain",
            "bubble-1",
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
    fn a_close_up_says_so() {
        let crop = |name| AliveName::parse(name).map(|alive| alive.crop);
        assert_eq!(crop("live-close"), Some(Crop::Close));
        assert_eq!(crop("live-2-close"), Some(Crop::Close));
        assert_eq!(crop("live-closet"), Some(Crop::Full));
    }
}
