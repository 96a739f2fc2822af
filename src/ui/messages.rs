//! What the stages say, in the language of the window.
//!
//! A stage speaks English and knows no window. Its sentences are found again by their pattern, as
//! gettext finds texts by what they are in the source: `{…}` stands for anything. A sentence that is
//! in no catalogue stays as it is.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::settings::Language;

const KOREAN: &str = include_str!("../../assets/translations/messages.ko.toml");

/// The sentences of one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    message: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    /// As the program says it.
    en: String,
    /// In the catalogue's language, with the same names in braces.
    to: String,
}

/// `text`, which a stage said, in `language`; each of its lines is a message of its own.
pub fn message(text: &str, language: Language) -> Cow<'_, str> {
    if text.contains('\n') {
        let lines = text.lines().map(|line| message(line, language));
        return lines.collect::<Vec<_>>().join("\n").into();
    }
    static KOREAN_MESSAGES: OnceLock<Catalogue> = OnceLock::new();
    let catalogue = match language {
        Language::En => return text.into(),
        // The file is part of the program, and a test reads it; a wrong one translates nothing.
        Language::Ko => KOREAN_MESSAGES.get_or_init(|| toml::from_str(KOREAN).unwrap_or_default()),
    };
    catalogue.translated(text).map_or(text.into(), Into::into)
}

impl Catalogue {
    fn translated(&self, text: &str) -> Option<String> {
        self.message
            .iter()
            .find_map(|message| message.of(text, self))
    }
}

impl Message {
    /// The translation of `text`, when it is this message.
    fn of(&self, text: &str, catalogue: &Catalogue) -> Option<String> {
        // Most are another at once.
        let first = self.en.split('{').next().unwrap_or_default();
        let mut rest = text.strip_prefix(first)?;
        let pieces = pieces(&self.en);
        let mut translated = self.to.clone();
        for (at, (_, name)) in pieces.iter().enumerate() {
            let Some(name) = name else { break };
            let next = pieces.get(at + 1).map_or("", |(literal, _)| *literal);
            let is_last = pieces.get(at + 1).is_none_or(|(_, name)| name.is_none());
            let end = if is_last {
                rest.strip_suffix(next)?.len()
            } else {
                rest.find(next)?
            };
            let value = rest.get(..end)?;
            let inner = catalogue.translated(value);
            let value = inner.as_deref().unwrap_or(value);
            translated = translated.replace(&format!("{{{name}}}"), value);
            rest = rest.get(end + next.len()..)?;
        }
        rest.is_empty().then_some(translated)
    }
}

/// A pattern as what is literal in it, each with the name that follows.
fn pieces(pattern: &str) -> Vec<(&str, Option<&str>)> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((literal, (name, after))) = rest
        .split_once('{')
        .and_then(|(literal, after)| Some((literal, after.split_once('}')?)))
    {
        pieces.push((literal, Some(name)));
        rest = after;
    }
    pieces.push((rest, None));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        toml::from_str(KOREAN).unwrap()
    }

    #[test]
    fn a_sentence_is_found_by_its_pattern() {
        let text = "USB {Camera} is in use by another program. Close it or choose another camera. (/dev/video0)";
        let korean = message(text, Language::Ko);
        assert!(
            korean.contains("USB {Camera}") && korean.ends_with("(/dev/video0)"),
            "{korean}"
        );
        assert!(!korean.contains("another"), "{korean}");
        assert_eq!(message(text, Language::En), text);
        for other in ["Something else.", "", " is in use", "A (b)"] {
            assert_eq!(message(other, Language::Ko), other);
        }
    }

    #[test]
    fn names_are_the_same_in_both_languages() {
        for Message { en, to } in catalogue().message {
            let names = |text| {
                let mut names: Vec<_> = pieces(text)
                    .into_iter()
                    .filter_map(|(_, name)| name)
                    .collect();
                names.sort_unstable();
                names.join(" ")
            };
            assert_eq!(names(&en), names(&to), "{en}");
            assert!(
                to.chars().any(|letter| ('가'..='힣').contains(&letter)),
                "{to}"
            );
        }
    }

    /// A sentence that the program no longer says is a translation nobody sees.
    #[test]
    fn the_program_says_every_sentence() {
        fn read(folder: &std::path::Path, all: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, all);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    all.push_str(&std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut source = String::new();
        read(
            &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut source,
        );
        // Long texts are broken with a backslash.
        let lines = source.split("\\\n").map(str::trim_start);
        let source = lines.collect::<String>().replace("\\\"", "\"");
        for Message { en, .. } in catalogue().message {
            for (literal, _) in pieces(&en) {
                assert!(
                    source.contains(literal),
                    "nobody says \"{literal}\" of \"{en}\""
                );
            }
        }
    }
}
