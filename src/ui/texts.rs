//! What people read in the window, in every language.
//!
//! A struct an area, read from `assets/translations/*.toml`. Every field is required and unknown
//! ones are refused, so a missing or misspelt key fails the tests and cannot ship.

use std::fmt::Display;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::settings::Language;

const ENGLISH: &str = include_str!("../../assets/translations/en.toml");
const KOREAN: &str = include_str!("../../assets/translations/ko.toml");

/// All texts of one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// The window itself.
    pub app: AppTexts,
    /// Source and camera format.
    pub source: SourceTexts,
    /// The style grid.
    pub style: StyleTexts,
    /// The page grid.
    pub page: PageTexts,
    /// Shots and strips.
    pub shots: ShotsTexts,
    /// Words and bubbles.
    pub words: WordsTexts,
    /// Effects of the page.
    pub effects: EffectsTexts,
    /// Mirror, quality and size.
    pub picture: PictureTexts,
    /// What other programs may ask for.
    pub server: ServerTexts,
    /// What runs the generator.
    pub engine: EngineTexts,
    /// Measurements.
    pub figures: FiguresTexts,
    /// Photo and compare.
    pub photo: PhotoTexts,
    /// Names of keys and what they do.
    pub keys: KeysTexts,
    /// The screen before the first program.
    pub starting: StartingTexts,
    /// Toasts and cards.
    pub notice: NoticeTexts,
    /// File dialogs.
    pub dialogs: DialogsTexts,
}

macro_rules! areas {
    ($($(#[$doc:meta])* $name:ident { $($field:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(pub $field: String,)*
        }
    )*};
}

areas! {
    /// The window itself.
    AppTexts {
        language, hide_panel, show_panel, full_screen, leave_full_screen,
    }
    /// Source and camera format.
    SourceTexts {
        title, choose, auto, first_camera, demo, pattern, format, best_format, turn, turn_none, turn_right, turn_half, turn_left, find_cameras, open_file, opening, live, lost, lost_in, failed, ended, no_cameras,
    }
    /// The style grid.
    StyleTexts {
        title, strength, empty, add,
    }
    /// The page grid.
    PageTexts {
        title, open_file, file, none, empty, webtoon, two_panel, plain,
        close_up, corridor, petals, action, rooftop, gloom, cover, manga,
        photo_card, group, scroll, profile, news, strip_ink, strip_sky,
        strip_pop, stream_corner, stream_chat, stream_scene, desk_mate, visual_novel,
    }
    /// Shots and strips.
    ShotsTexts {
        title, start, stop, now, retake, empty, swap, countdown, goes_on, strip, save, clear, file, clip, no_clip, print, scroll,
        picture, save_picture,
    }
    /// Words and bubbles.
    WordsTexts {
        title, edit, edit_named, field, reset, done, missing, cut, hint,
    }
    /// Effects of the page.
    EffectsTexts {
        title, speedlines, focus, halftone, screentone, rain, petals, sparkle, shock, gloom,
        strength, strength_of,
    }
    /// Mirror, quality and size.
    PictureTexts {
        title, mirror, quality, quality_auto, quality_fast, quality_balanced, quality_fine, quality_full, long_side, size, size_of_page,
        smoothing, skin_tone, lines, wipe, close_ups,
    }
    /// What other programs may ask for.
    ServerTexts {
        title, allow, hint, others, copy_token,
    }
    /// What runs the generator.
    EngineTexts {
        title, loading, threads_one, threads, eight_bit, drawing_size, close_ups_size,
    }
    /// Measurements.
    FiguresTexts {
        title, camera, styled, program, latency_p50, latency_p95, dropped, fps, ms, latency_hint, dropped_hint,
    }
    /// Photo and compare.
    PhotoTexts {
        take, show_folder, compare, compare_hint, comparing,
    }
    /// Names of keys and what they do.
    KeysTexts {
        panel, photo, compare, full_screen, mirror, styles, pages, space, tab,
    }
    /// The screen before the first program.
    StartingTexts {
        title, graphics, source, generator, first_picture, held,
    }
    /// Toasts and cards.
    NoticeTexts {
        source, runtime, style, page, graphics, output, settings, server, saved, news, close, use_demo, no_dialog, drop_here, no_photo_folder, not_saved, unknown_file,
    }
    /// File dialogs.
    DialogsTexts {
        pick_source, pick_page, pick_style, photos_and_videos, pages, models, all_files,
    }
}

impl Texts {
    /// The texts in `language`.
    pub fn of(language: Language) -> &'static Self {
        static ENGLISH_TEXTS: OnceLock<Texts> = OnceLock::new();
        static KOREAN_TEXTS: OnceLock<Texts> = OnceLock::new();
        match language {
            Language::En => ENGLISH_TEXTS.get_or_init(|| Self::shipped(ENGLISH)),
            Language::Ko => KOREAN_TEXTS.get_or_init(|| Self::shipped(KOREAN)),
        }
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    #[expect(
        clippy::panic,
        reason = "the files are part of the program and a test parses them"
    )]
    fn shipped(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|error| panic!("A shipped translation is wrong: {error}"))
    }
}

impl WordsTexts {
    /// What the field of words is called.
    pub fn field_name(&self, name: &str) -> String {
        fill(&self.field, "name", name)
    }

    /// What the words on the page are called.
    pub fn edit_name(&self, name: &str) -> String {
        fill(&self.edit_named, "name", name)
    }
}

/// Puts `value` where the text has `{name}`.
pub fn fill(text: &str, name: &str, value: impl Display) -> String {
    text.replace(&format!("{{{name}}}"), &value.to_string())
}

/// The name of `language` in that language.
pub fn language_name(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::Ko => "한국어",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that are the same in every language: units and names of keys.
    const LATIN: [&str; 3] = ["figures.fps", "figures.ms", "keys.tab"];

    fn pairs(text: &str) -> Vec<(String, String)> {
        let table: toml::Table = text.parse().unwrap();
        table
            .iter()
            .flat_map(|(area, texts)| {
                texts.as_table().unwrap().iter().map(move |(key, value)| {
                    (format!("{area}.{key}"), value.as_str().unwrap().to_owned())
                })
            })
            .collect()
    }

    fn holes(text: &str) -> Vec<&str> {
        let mut names: Vec<_> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_languages_have_every_text_and_no_other() {
        for (name, text) in [("en", ENGLISH), ("ko", KOREAN)] {
            if let Err(error) = Texts::parse(text) {
                panic!("{name}.toml: {error}");
            }
        }
        let broken = ENGLISH.replacen("title =", "titel =", 1);
        assert!(Texts::parse(&broken).is_err());
    }

    #[test]
    fn texts_keep_the_house_rules() {
        for (key, value) in pairs(ENGLISH).into_iter().chain(pairs(KOREAN)) {
            assert!(!value.trim().is_empty(), "{key} is empty");
            assert_eq!(value, value.trim(), "{key} has blanks at an end");
            assert!(!value.ends_with(':'), "{key} ends with a colon");
            assert!(!value.contains("..."), "{key}: use the ellipsis …");
        }
    }

    #[test]
    fn korean_is_korean_and_english_is_not() {
        let is_hangul = |letter: char| ('가'..='힣').contains(&letter);
        for (key, value) in pairs(KOREAN) {
            if !LATIN.contains(&key.as_str()) {
                assert!(value.chars().any(is_hangul), "{key} is not Korean: {value}");
            }
        }
        for (key, value) in pairs(ENGLISH) {
            assert!(!value.chars().any(is_hangul), "{key} is Korean: {value}");
        }
    }

    #[test]
    fn both_languages_have_the_same_holes() {
        for ((key, english), (korean_key, korean)) in
            pairs(ENGLISH).iter().zip(pairs(KOREAN).iter())
        {
            assert_eq!(key, korean_key);
            assert_eq!(holes(english), holes(korean), "{key}");
        }
    }

    #[test]
    fn holes_are_filled() {
        assert_eq!(fill("{count} threads", "count", 3), "3 threads");
    }
}
