//! What a page says before anybody changes it: in another language than the artist's, on another day.
//!
//! `data-en="…"` on words or a bubble is what they say where the program speaks English, `data-ko`
//! where it speaks Korean; `\n` begins a line. `data-date="%Y. %-m. %-d"` makes them say the day, in
//! the words of `strftime`. `data-lines="a|b|c"` makes them say one after the other; `data-lines-en`
//! and `data-lines-ko` are the lists of a language.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Layer, Lettering, Page};

/// Stands between the lines of a list where texts are kept by name: no key types it, and nobody sees it.
const NEXT: char = '\u{1e}';

/// The most lines of a list.
const MOST_LINES: usize = 100;

/// The lines of a list that an artist wrote.
fn lines_of(list: &str) -> Vec<String> {
    list.split('|')
        .map(|line| line.trim().replace("\\n", "\n"))
        .filter(|line| !line.is_empty())
        .take(MOST_LINES)
        .collect()
}

/// What is said after `turned` turns: `text`, or the line of a list whose turn it is.
pub(super) fn line_of(text: &str, turned: usize) -> &str {
    let count = text.split(NEXT).count();
    text.split(NEXT).nth(turned % count).unwrap_or(text)
}

impl Page {
    /// What its words and bubbles say, by their names: what people `changed` them to, else what the
    /// artist wrote for this language (as ISO 639-1 names it) and day. Others say what is drawn. A list
    /// of lines stays one: the [`Letterer`](super::Letterer) knows whose turn it is.
    pub fn texts(
        &self,
        mut changed: BTreeMap<String, String>,
        language: &str,
        day: Date,
    ) -> BTreeMap<String, String> {
        for layer in self.layers() {
            if let Layer::Text(words) | Layer::Bubble(words) = layer
                && let Some(text) = words.text_in(language, day)
            {
                changed.entry(words.key().to_owned()).or_insert(text);
            }
        }
        changed
    }
}

impl Lettering {
    /// The name by which its text is changed.
    pub fn key(&self) -> &str {
        if self.name.is_empty() {
            "bubble"
        } else {
            &self.name
        }
    }

    /// What it says in this language, on this day, while nobody changes it: the lines of its list, or
    /// the one text.
    pub fn lines(&self, language: &str, day: Date) -> Vec<String> {
        let said = self.text_in(language, day).unwrap_or_else(|| self.usual());
        said.split(NEXT).map(str::to_owned).collect()
    }

    /// What they say where nobody chose a language: the lines of their list, or what is drawn.
    pub(super) fn usual(&self) -> String {
        let lines = self.data.get("lines").map(lines_of).unwrap_or_default();
        if lines.is_empty() {
            self.own()
        } else {
            lines.join(&NEXT.to_string())
        }
    }

    /// Whether one line comes after the other, in any language.
    pub(super) fn turns(&self) -> bool {
        let mut lists = self.data.iter().filter(|(name, _)| {
            *name == "lines"
                || name
                    .strip_prefix("lines-")
                    .is_some_and(|rest| !rest.is_empty())
        });
        lists.any(|(_, list)| lines_of(list).len() > 1)
    }

    /// All that the artist makes it say: what is drawn, then other languages and lists.
    pub(super) fn all(&self) -> Vec<String> {
        let lists = ["lines", "lines-en", "lines-ko"];
        let lists = lists.into_iter().filter_map(|name| self.data.get(name));
        let others = ["en", "ko"]
            .into_iter()
            .filter_map(|code| self.data.get(code));
        std::iter::once(self.own())
            .chain(others.map(|text| text.replace("\\n", "\n")))
            .chain(lists.flat_map(lines_of))
            .collect()
    }

    fn text_in(&self, language: &str, day: Date) -> Option<String> {
        if let Some(format) = self.data.get("date") {
            // A format that is none leaves what is drawn.
            return jiff::fmt::strtime::format(format, day).ok();
        }
        let lines = self.data.get(&format!("lines-{language}")).map(lines_of);
        if let Some(lines) = lines.filter(|lines| !lines.is_empty()) {
            return Some(lines.join(&NEXT.to_string()));
        }
        let text = self.data.get(language)?;
        Some(text.replace("\\n", "\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panels::Fonts;

    #[test]
    fn words_follow_language_and_day_and_people_have_the_last_word() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300">
            <rect id="live" width="400" height="200"/>
            <text id="text-name" data-en="The\nhero" x="9" y="230">주인공</text>
            <text id="text-end" data-en="The end" x="9" y="250">끝</text>
            <text id="text-date" data-date="%Y. %-m. %-d" x="9" y="270">1999. 1. 1</text>
            <text id="text-bad" data-date="%Q" x="9" y="290">1999</text>
            <text id="text-plain" x="200" y="290">그대로</text>
        </svg>"##;
        let page = Page::parse(svg.as_bytes(), "words", &Fonts::embedded()).unwrap();
        let day = jiff::civil::date(2027, 3, 9);
        let changed = BTreeMap::from([("end".to_owned(), "Fin".to_owned())]);
        let english = page.texts(changed, "en", day);
        let said = |name: &str| english.get(name).map(String::as_str);
        assert_eq!(said("name"), Some("The\nhero"));
        assert_eq!(said("end"), Some("Fin"));
        assert_eq!(said("date"), Some("2027. 3. 9"));
        assert_eq!((said("bad"), said("plain")), (None, None));
        let korean = page.texts(BTreeMap::new(), "ko", day);
        assert_eq!(korean.keys().collect::<Vec<_>>(), ["date"]);
    }

    #[test]
    fn lists_are_of_a_language_and_typed_words_take_their_place() {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300">
            <rect id="live" width="400" height="200"/>
            <text id="text-both" data-lines="가| 나\n다 ||" data-lines-en="a|b" data-en="c" y="230">가</text>
            <text id="text-one" data-lines="가|나" data-en="a" y="250">가</text>
            <text id="text-none" data-lines="|" data-lines-en=" | " y="270">가</text>
        </svg>"##;
        let page = Page::parse(svg.as_bytes(), "words", &Fonts::embedded()).unwrap();
        let day = jiff::civil::date(2027, 3, 9);
        let said = |language: &str, changed: &[(&str, &str)], name: &str| -> Vec<String> {
            let changed = changed
                .iter()
                .map(|(name, text)| (name.to_string(), text.to_string()));
            let texts = page.texts(changed.collect(), language, day);
            let mut layers = page.layers().iter();
            let words = layers.find_map(|layer| match layer {
                Layer::Text(words) if words.name == name => Some(words),
                _ => None,
            });
            let usual = words.unwrap().usual();
            let text = texts.get(name).unwrap_or(&usual);
            (0..4)
                .map(|turned| line_of(text, turned).to_owned())
                .collect()
        };
        assert_eq!(said("ko", &[], "both"), ["가", "나\n다", "가", "나\n다"]);
        assert_eq!(said("en", &[], "both"), ["a", "b", "a", "b"]);
        assert_eq!(
            said("en", &[("both", "mine|ours")], "both"),
            ["mine|ours"; 4]
        );
        assert_eq!(
            said("en", &[], "one"),
            ["a"; 4],
            "one line is what there is in English"
        );
        assert_eq!(said("ko", &[], "one"), ["가", "나", "가", "나"]);
        assert_eq!(said("en", &[], "none"), ["가"; 4]);
        let turn: Vec<bool> = page
            .layers()
            .iter()
            .filter_map(|layer| match layer {
                Layer::Text(words) => Some(words.turns()),
                _ => None,
            })
            .collect();
        assert_eq!(turn, [true, true, false]);
    }
}
