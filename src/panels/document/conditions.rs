//! What an object asks of whoever shows it: a language (`systemLanguage`), or something that only
//! another program knows (`requiredExtensions`).
//!
//! This is decided here alone: the SVG of a layer has neither a `switch` nor such attributes, so
//! resvg draws what was chosen and nothing else.

use std::collections::BTreeSet;

use usvg::roxmltree::{Document, Node};

use super::objects::{draws, groups, kind_of};
use crate::settings::Language;

/// The attributes that are conditions. `requiredFeatures` is always met, as in SVG 2.
pub(super) const CONDITIONS: [&str; 3] =
    ["requiredExtensions", "requiredFeatures", "systemLanguage"];

/// The most languages of a page that are told, and the longest.
const MOST: usize = 16;
const LONGEST: usize = 8;

/// Whether the conditions of an object are met. Without a language all are spoken: a page is then
/// as its artist drew it.
pub(super) fn is_met(node: Node, language: Option<Language>) -> bool {
    let extensions = node.attribute("requiredExtensions").unwrap_or_default();
    let tags = node.attribute("systemLanguage");
    extensions.is_empty()
        && match (tags, language) {
            (Some(tags), Some(language)) => has(tags, language),
            _ => true,
        }
}

/// Whether a language is among tags as BCP 47 writes them, alone or with a region: `ko, en-US`.
fn has(tags: &str, language: Language) -> bool {
    tags.split(',')
        .any(|tag| primary(tag).eq_ignore_ascii_case(language.code()))
}

/// The language in a tag.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default().trim()
}

/// The child of a `switch` that is drawn: the first whose conditions are met. Illustrator puts its
/// own data first.
pub(super) fn chosen<'a, 'i>(
    switch: Node<'a, 'i>,
    language: Option<Language>,
) -> Option<Node<'a, 'i>> {
    let is_drawn = |kind: &str| draws(kind) || groups(kind);
    switch
        .children()
        .find(|child| kind_of(*child).is_some_and(is_drawn) && is_met(*child, language))
}

/// An object and what is drawn of all in it, in the order of the document.
pub(super) fn drawn_in<'a, 'i>(
    object: Node<'a, 'i>,
    language: Option<Language>,
) -> Vec<Node<'a, 'i>> {
    let (mut drawn, mut open) = (Vec::new(), vec![object]);
    while let Some(node) = open.pop() {
        drawn.push(node);
        if kind_of(node) == Some("switch") {
            open.extend(chosen(node, language));
        } else {
            let met = node.children().filter(|child| is_met(*child, language));
            open.extend(met.rev());
        }
    }
    drawn
}

/// The languages that a document has art of its own for.
pub(super) fn languages(document: &Document) -> BTreeSet<String> {
    let tags = document
        .descendants()
        .filter_map(|node| node.attribute("systemLanguage"))
        .flat_map(|tags| tags.split(','));
    let languages = tags
        .map(primary)
        .filter(|language| (1..=LONGEST).contains(&language.len()))
        .filter(|language| language.bytes().all(|letter| letter.is_ascii_alphabetic()));
    let mut found = BTreeSet::new();
    for language in languages {
        if found.len() < MOST {
            found.insert(language.to_ascii_lowercase());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Option<Language>; 2] = [Some(Language::En), Some(Language::Ko)];

    /// What is drawn of a `switch` with these children, in English and in Korean; `-`: nothing.
    fn drawn(children: &str) -> [String; 2] {
        let svg = format!("<switch>{children}</switch>");
        let document = Document::parse(&svg).unwrap();
        BOTH.map(|language| {
            let child = chosen(document.root_element(), language);
            let id = child.and_then(|child| child.attribute("id"));
            id.unwrap_or("-").to_owned()
        })
    }

    #[test]
    fn the_first_child_whose_language_is_spoken_is_drawn() {
        let [en, ko] = drawn(r#"<g id="a" systemLanguage="ko"/><g id="b"/>"#);
        assert_eq!([en.as_str(), &ko], ["b", "a"]);
        // Order decides, not how well a tag fits.
        assert_eq!(
            drawn(r#"<g id="a"/><g id="b" systemLanguage="ko"/>"#),
            ["a", "a"]
        );
        for (tags, expected) in [
            ("en", ["a", "-"]),
            ("en-US", ["a", "-"]),
            ("EN-gb", ["a", "-"]),
            ("ja, ko-KR ,fr", ["-", "a"]),
            ("ja,en,ko", ["a", "a"]),
            ("eng", ["-", "-"]),
            ("ko_KR", ["-", "-"]),
            ("", ["-", "-"]),
            (" , ,", ["-", "-"]),
            ("-", ["-", "-"]),
            ("\u{ac00}\u{1f600}-", ["-", "-"]),
        ] {
            let child = format!(r#"<g id="a" systemLanguage="{tags}"/>"#);
            assert_eq!(drawn(&child), expected, "{tags}");
        }
    }

    #[test]
    fn what_other_programs_know_and_what_draws_nothing_is_passed_over() {
        let svg = r#"<foreignObject id="a"/><title id="b">a</title>
            <g id="c" requiredExtensions="http://ns.adobe.com/x"/>
            <g id="d" requiredExtensions="" requiredFeatures="none" systemLanguage="en"/>
            <rect id="e"/>"#;
        assert_eq!(drawn(svg), ["d", "e"]);
        assert_eq!(drawn(""), ["-", "-"]);
        let document = Document::parse(r#"<switch><g systemLanguage="ja"/></switch>"#).unwrap();
        let first = chosen(document.root_element(), None);
        assert!(first.is_some(), "as the artist drew it");
    }

    #[test]
    fn languages_are_told_once_and_nonsense_is_not() {
        let long = "ko-".repeat(100_000);
        let svg = format!(
            r#"<svg><g systemLanguage="ko, en-US"/><g systemLanguage="KO-kr"/>
            <g systemLanguage=", ,{}"/><g systemLanguage="{long}"/></svg>"#,
            "a".repeat(100_000)
        );
        let document = Document::parse(&svg).unwrap();
        let found: Vec<_> = languages(&document).into_iter().collect();
        assert_eq!(found, ["en", "ko"]);
        let last = document.root_element().last_element_child().unwrap();
        assert_eq!(BOTH.map(|language| is_met(last, language)), [false, true]);
    }
}
