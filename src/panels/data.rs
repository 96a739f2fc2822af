//! What an artist wrote on an object besides its name.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The `data-…` attributes of an object, without `data-`; for programs that write none, words of
/// its name stand in: `fx-rain-white-fast`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    values: BTreeMap<String, String>,
    /// Of those, what only a word of the name says.
    of_name: Vec<&'static str>,
}

/// Words of a name, and what they stand for.
const WORDS: [(&str, &str, &str); 18] = [
    ("white", "colour", "#ffffff"),
    ("black", "colour", "#17141f"),
    ("red", "colour", "#e5383b"),
    ("pink", "colour", "#ff9ebb"),
    ("gold", "colour", "#ffd447"),
    ("yellow", "colour", "#ffe14d"),
    ("blue", "colour", "#3d6bff"),
    ("sky", "colour", "#8fd3ff"),
    ("green", "colour", "#3fa65a"),
    ("purple", "colour", "#7a4fd6"),
    ("dense", "density", "1.7"),
    ("sparse", "density", "0.55"),
    ("fast", "speed", "1.8"),
    ("slow", "speed", "0.5"),
    ("strong", "strength", "1.5"),
    ("soft", "strength", "0.55"),
    ("large", "scale", "1.6"),
    ("small", "scale", "0.6"),
];

impl Data {
    /// The most attributes of an object that are kept.
    const MOST: usize = 32;
    /// The longest value, in bytes: a list of lines fits.
    const LONGEST: usize = 4096;
    /// The longest name.
    const LONGEST_NAME: usize = 40;

    /// Takes what an object's attributes say; others than `data-…` and what is too long are left
    /// out.
    pub(super) fn of<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Self {
        let mut values: BTreeMap<String, String> = attributes
            .filter_map(|(key, value)| Some((key.strip_prefix("data-")?, value)))
            .filter(|(key, value)| {
                key.len() <= Self::LONGEST_NAME && value.len() <= Self::LONGEST && *key != "name"
            })
            .take(Self::MOST)
            .map(|(key, value)| {
                let key = key.to_lowercase().replace("color", "colour");
                (key, value.trim().to_owned())
            })
            .collect();
        let mut of_name = Vec::new();
        for word in name.split('-') {
            for (known, key, value) in WORDS {
                if known == word && !values.contains_key(key) {
                    values.insert(key.to_owned(), value.to_owned());
                    of_name.push(key);
                }
            }
        }
        Self { values, of_name }
    }

    /// Says `value` where nothing else is said of `name`.
    pub(super) fn or(mut self, name: &str, value: &str) -> Self {
        let said = self.values.entry(name.to_owned());
        said.or_insert_with(|| value.to_owned());
        self
    }

    /// What `data-NAME` says.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A number, held within `range`; `None` when there is none.
    pub fn number(&self, name: &str, range: RangeInclusive<f32>) -> Option<f32> {
        numbers(self.get(name)?)
            .next()
            .map(|number| number.clamp(*range.start(), *range.end()))
    }

    /// All numbers of a value, at most eight: units and words between them are left out.
    pub fn numbers(&self, name: &str) -> Vec<f32> {
        self.get(name)
            .map(|value| numbers(value).take(8).collect())
            .unwrap_or_default()
    }

    /// A colour as CSS writes it, also when other words stand around it: red, green, blue, alpha.
    pub fn colour(&self, name: &str) -> Option<[u8; 4]> {
        let value = self.get(name)?;
        let colour = |text: &str| text.parse::<svgtypes::Color>().ok();
        let found = colour(value).or_else(|| value.split_whitespace().find_map(colour))?;
        Some([found.red, found.green, found.blue, found.alpha])
    }

    /// What stands in attributes, not in the name.
    pub(super) fn written(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(key, _)| !self.of_name.contains(key))
    }

    /// What is written, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

fn numbers(text: &str) -> impl Iterator<Item = f32> {
    text.split([' ', ',', ';', '\t', '\n']).filter_map(|word| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        let number: f32 = digits.parse().ok()?;
        number.is_finite().then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(pairs: &[(&str, &str)], name: &str) -> Data {
        Data::of(pairs.iter().copied(), name)
    }

    #[test]
    fn attributes_and_words_of_the_name_are_read() {
        let data = data(
            &[
                ("data-density", "2"),
                ("data-outline", "8px #fff"),
                ("data-Color", "red"),
                ("width", "9"),
            ],
            "rain-white-fast",
        );
        assert_eq!(data.number("density", 0.1..=1.5), Some(1.5));
        assert_eq!(data.numbers("outline"), [8.0]);
        assert_eq!(data.colour("outline"), Some([255; 4]));
        assert_eq!(data.colour("colour"), Some([255, 0, 0, 255]));
        assert_eq!(data.number("speed", 0.0..=9.0), Some(1.8));
        assert_eq!(data.get("width"), None);
        let written: Vec<&str> = data.written().map(|(key, _)| key).collect();
        assert_eq!(written, ["colour", "density", "outline"]);
    }

    #[test]
    fn what_is_no_number_is_none() {
        let data = data(&[("data-a", "NaN"), ("data-b", "1e99"), ("data-c", "")], "");
        for name in ["a", "b", "c", "d"] {
            assert_eq!(data.number(name, 0.0..=1.0), None, "{name}");
            assert_eq!(data.colour(name), None, "{name}");
        }
    }

    #[test]
    fn there_are_limits() {
        let long = "x".repeat(5000);
        let names: Vec<String> = (0..100).map(|at| format!("data-n{at}")).collect();
        let mut pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        pairs.insert(0, ("data-long", &long));
        let data = data(&pairs, "");
        assert_eq!(data.get("long"), None);
        assert_eq!(data.iter().count(), 32);
    }
}
