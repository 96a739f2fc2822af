//! What a document has that is not drawn, or not as it is drawn elsewhere: told to its artist,
//! because resvg leaves it out without a word.

use std::collections::HashSet;

use resvg::tiny_skia;
use usvg::roxmltree::{Document, Node};

use super::conditions::chosen;
use super::looks::Looks;
use super::{XLINK, kind_of, said};
use crate::panels::PanelKind;
use crate::panels::names::Alive;
use crate::settings::Language;

/// The longest piece of a file that is quoted.
const QUOTED: usize = 60;

/// What is left out of a page, in the order of the document, each thing once.
pub(super) fn left_out(document: &Document) -> Vec<String> {
    let mut report = Report {
        ids: HashSet::new(),
        twice: HashSet::new(),
        said: Vec::new(),
    };
    for node in document.descendants() {
        if let Some(id) = node.attribute("id").filter(|id| !id.is_empty())
            && !report.ids.insert(id)
        {
            report.twice.insert(id);
        }
    }
    for node in document.descendants() {
        if node.pi().is_some_and(|pi| pi.target == "xml-stylesheet") {
            report.sheet_from_elsewhere();
        } else if let Some(kind) = kind_of(node) {
            report.element(node, kind);
            report.attributes(node);
        }
    }
    report.said
}

/// What is alive is drawn anew: a shadow or blur on it, or in it, cannot be kept. One on a group
/// around a picture or an effect would fall on its empty shape.
pub(super) fn of_alive(looks: &Looks, node: Node, written: &str, alive: Alive) -> Vec<String> {
    let mut told = Vec::new();
    if alive == Alive::Text {
        return told;
    }
    let has = |node: &Node| {
        let filter = looks.value(*node, "filter");
        node.is_element() && !matches!(filter, None | Some("none" | ""))
    };
    if node.descendants().any(|inner| has(&inner)) {
        let instead = match alive {
            Alive::Panel(PanelKind::Person) => "Write data-shadow on it.",
            _ => "Draw it as a shape of its own.",
        };
        told.push(format!(
            "The filter (a shadow or a blur) on {written} is left out: what is alive has none. \
             {instead}"
        ));
    }
    if alive == Alive::Bubble
        && node
            .descendants()
            .any(|inner| kind_of(inner) == Some("image"))
    {
        told.push(format!(
            "The picture in {written} is left out: a bubble is made of shapes and words. Put the \
             picture above or below it."
        ));
    }
    if alive != Alive::Bubble
        && let Some(group) = node.ancestors().skip(1).find(has)
    {
        told.push(format!(
            "{} has a filter (a shadow or a blur), which is left out for {written} in it. Draw it \
             as a shape of its own.",
            said(group)
        ));
    }
    told
}

struct Report<'a> {
    ids: HashSet<&'a str>,
    /// Names that more than one object has, until they are told.
    twice: HashSet<&'a str>,
    said: Vec<String>,
}

impl<'a> Report<'a> {
    /// A page with more to say is broken in one way many times.
    const MOST: usize = 20;

    fn tell(&mut self, text: String) {
        if self.said.len() < Self::MOST && !self.said.contains(&text) {
            self.said.push(text);
        }
    }

    fn element(&mut self, node: Node<'a, '_>, kind: &str) {
        match kind {
            "script" => self.script(),
            "foreignObject" if !is_for_another_program(node) => self.tell(format!(
                "{} is left out: it is a piece of a web page (foreignObject), and only drawings \
                 are shown. Convert its text to paths, or make a picture of it.",
                said(node)
            )),
            "animate" | "animateTransform" | "animateMotion" | "animateColor" | "set" => {
                let moved = node.parent_element().unwrap_or(node);
                self.tell(format!(
                    "{} stands still: its animation is left out. Effects (fx-rain) move, and \
                     words with data-animate.",
                    said(moved)
                ));
            }
            "font" | "font-face" => self.tell(
                "Letters that are drawn in the page as an SVG font are left out. Convert the text \
                 to paths to keep its look."
                    .to_owned(),
            ),
            "flowRoot" => self.tell(format!(
                "{} is left out: only Inkscape knows text that flows in a frame like this. Choose \
                 Text, Convert to Text there, and save again.",
                said(node)
            )),
            "video" | "audio" | "iframe" | "canvas" | "embed" | "object" => self.tell(format!(
                "{} is left out: a page shows no <{kind}>. Name a shape live-1 where the camera's \
                 picture belongs.",
                said(node)
            )),
            "use" | "textPath" | "tref" => self.reference(node),
            "switch" => self.silent(node),
            "link" => self.sheet_from_elsewhere(),
            "style" => {
                for text in node.children().filter_map(|piece| piece.text()) {
                    self.sheet(text);
                }
            }
            _ => {}
        }
        if let Some(id) = node.attribute("id")
            && self.twice.remove(id)
        {
            self.tell(format!(
                "More than one object is called {}: what refers to it finds the last one. Give \
                 each its own name.",
                quoted(id)
            ));
        }
    }

    /// What shows nothing in a language because all in it is for others.
    fn silent(&mut self, switch: Node) {
        let mut children = switch.children();
        if !children.any(|child| child.has_attribute("systemLanguage")) {
            return;
        }
        for language in Language::ALL {
            if chosen(switch, Some(language)).is_none() {
                self.tell(format!(
                    "{} shows nothing where the language is {}: no object in this <switch> is for \
                     it. Put one without systemLanguage last.",
                    said(switch),
                    language.code()
                ));
            }
        }
    }

    fn script(&mut self) {
        self.tell(
            "Scripts are left out: nothing in a page ever runs. Names bring it alive, as live-1 \
             and fx-rain do."
                .to_owned(),
        );
    }

    fn sheet_from_elsewhere(&mut self) {
        self.tell(
            "A style sheet from elsewhere is left out: nothing is fetched. Write its rules into \
             the page, or choose presentation attributes when you export."
                .to_owned(),
        );
    }

    fn sheet(&mut self, text: &str) {
        if text.contains("@import") {
            self.sheet_from_elsewhere();
        }
        if text.contains("@keyframes") {
            self.tell(
                "Animations in the style sheet are left out: what they move stands still. Effects \
                 (fx-rain) move, and words with data-animate."
                    .to_owned(),
            );
        }
        // The fonts of a sheet are told where they are read, other sheets above.
        let text = super::fontface::without_fonts(text);
        for rule in text.split(';').filter(|rule| !rule.contains("@import")) {
            for url in elsewhere(rule) {
                self.looks_elsewhere("The style sheet", url);
            }
        }
    }

    /// Something that shows another object.
    fn reference(&mut self, node: Node) {
        let href = node
            .attribute("href")
            .or_else(|| node.attribute((XLINK, "href")));
        let Some(href) = href.map(str::trim) else {
            return;
        };
        match href.strip_prefix('#') {
            Some(id) if self.ids.contains(id) => {}
            Some(id) => self.tell(format!(
                "{} is left out: it shows {}, which is not on the page.",
                said(node),
                quoted(id)
            )),
            None => self.tell(format!(
                "{} is left out: it shows something of another file. Copy that into the page. ({})",
                said(node),
                quoted(href)
            )),
        }
    }

    fn attributes(&mut self, node: Node) {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            if attribute.namespace().is_some() {
                continue;
            }
            if name.len() > 4 && name.starts_with("on") {
                self.script();
            } else if matches!(name, "transform" | "gradientTransform" | "patternTransform") {
                self.transform(node, value);
            } else {
                for url in elsewhere(value) {
                    self.looks_elsewhere(&said(node), url);
                }
            }
        }
    }

    fn looks_elsewhere(&mut self, who: &str, url: &str) {
        self.tell(format!(
            "{who} wants a colour, clip or filter of another file, which is left out. Copy it \
             into the page. ({})",
            quoted(url)
        ));
    }

    fn transform(&mut self, node: Node, value: &str) {
        let Ok(transform) = value.parse::<svgtypes::Transform>() else {
            return self.tell(format!(
                "{} stands where it would without its transform, which cannot be read ({}).",
                said(node),
                quoted(value)
            ));
        };
        let svgtypes::Transform { a, b, c, d, e, f } = transform;
        let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(|part| part as f32);
        if !tiny_skia::Transform::from_row(a, b, c, d, e, f).is_valid() {
            self.tell(format!(
                "{} is left out: its transform leaves nothing of it ({}).",
                said(node),
                quoted(value)
            ));
        }
    }
}

/// Illustrator keeps its own data where other programs do not look.
fn is_for_another_program(node: Node) -> bool {
    node.attribute("requiredExtensions")
        .is_some_and(|names| !names.trim().is_empty())
}

/// The addresses outside the document that a value names.
fn elsewhere(value: &str) -> impl Iterator<Item = &str> {
    value
        .match_indices("url(")
        .take(64)
        .filter_map(|(at, open)| value[at + open.len()..].split(')').next())
        .map(|inner| inner.trim().trim_matches(['"', '\'']))
        .filter(|url| !url.is_empty() && !url.starts_with('#') && !url.starts_with("data:"))
}

fn quoted(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
