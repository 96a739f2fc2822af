//! What a page says before anybody changes it: in another language than the artist's, on another day.
//!
//! `data-en="…"` on words or a bubble is what they say where the program speaks English, `data-ko`
//! where it speaks Korean; `\n` begins a line. `data-date="%Y. %-m. %-d"` makes them say the day, in
//! the words of `strftime`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Layer, Lettering, Page};

impl Page {
    /// What its words and bubbles say, by their names: what people `changed` them to, else what the
    /// artist wrote for this language (as ISO 639-1 names it) and day. Others say what is drawn.
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

    fn text_in(&self, language: &str, day: Date) -> Option<String> {
        if let Some(format) = self.data.get("date") {
            // A format that is none leaves what is drawn.
            return jiff::fmt::strtime::format(format, day).ok();
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
}
