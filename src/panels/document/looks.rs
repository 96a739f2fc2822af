//! What style sheets say about an object.

use simplecss::{AttributeOperator, PseudoClass, StyleSheet};
use usvg::roxmltree::{Document, Node};

use super::kind_of;
use crate::panels::Blend;

/// The style sheets of a document, reduced to what decides how it is taken apart.
pub(super) struct Looks<'a> {
    sheet: StyleSheet<'a>,
}

/// The properties that are asked for.
const ASKED: [&str; 5] = ["mix-blend-mode", "display", "stroke", "opacity", "filter"];

impl<'a> Looks<'a> {
    pub fn of(document: &'a Document) -> Self {
        let mut sheet = StyleSheet::new();
        for style in document.descendants() {
            if kind_of(style) == Some("style")
                && matches!(style.attribute("type"), None | Some("text/css" | ""))
            {
                // A sheet may come in several pieces: text and CDATA.
                for text in style.children().filter_map(|piece| piece.text()) {
                    sheet.parse_more(text);
                }
            }
        }
        sheet.rules.retain(|rule| {
            let mut said = rule.declarations.iter();
            said.any(|declaration| ASKED.contains(&declaration.name))
        });
        Self { sheet }
    }

    /// What an object itself says of a property: the attribute, the style sheets, its style; the
    /// last one wins.
    pub fn value<'n>(&'n self, node: Node<'n, '_>, property: &str) -> Option<&'n str> {
        let mut found = node.attribute(property);
        for rule in &self.sheet.rules {
            let said = rule
                .declarations
                .iter()
                .rfind(|declaration| declaration.name == property);
            if let Some(said) = said
                && rule.selector.matches(&Element(node))
            {
                found = Some(said.value);
            }
        }
        let own = node.attribute("style").unwrap_or_default();
        let own = own
            .split(';')
            .filter_map(|declaration| declaration.split_once(':'))
            .filter(|(name, _)| name.trim() == property)
            .map(|(_, value)| value.split('!').next().unwrap_or_default())
            .next_back();
        own.or(found).map(str::trim)
    }

    /// How an object is mixed with what is below it, or the way's name when nobody knows it.
    pub fn blend<'n>(&'n self, node: Node<'n, '_>) -> Result<Blend, &'n str> {
        match self.value(node, "mix-blend-mode") {
            None | Some("pass-through" | "inherit" | "initial" | "unset") => Ok(Blend::Normal),
            Some(name) => Blend::named(name).ok_or(name),
        }
    }

    /// Whether an object is half transparent as a whole.
    pub fn is_faded(&self, node: Node) -> bool {
        let share = |text: &str| match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse().map(|value: f32| value / 100.0),
            None => text.parse(),
        };
        self.value(node, "opacity")
            .and_then(|text| share(text).ok())
            .is_some_and(|opacity| opacity < 1.0)
    }

    /// Whether an object and all in it is left out.
    pub fn is_hidden(&self, node: Node) -> bool {
        self.value(node, "display") == Some("none")
    }

    /// Whether an object or one in or around it may have a stroke.
    pub fn may_have_stroke(&self, node: Node) -> bool {
        let own = node.descendants().chain(node.ancestors().skip(1));
        own.filter(|node| node.is_element())
            .any(|node| !matches!(self.value(node, "stroke"), None | Some("none")))
    }
}

struct Element<'a, 'i>(Node<'a, 'i>);

impl simplecss::Element for Element<'_, '_> {
    fn parent_element(&self) -> Option<Self> {
        self.0.parent_element().map(Self)
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.0.prev_sibling_element().map(Self)
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.0.tag_name().name() == name
    }

    fn attribute_matches(&self, name: &str, operator: AttributeOperator) -> bool {
        self.0
            .attribute(name)
            .is_some_and(|value| operator.matches(value))
    }

    fn pseudo_class_matches(&self, class: PseudoClass) -> bool {
        class == PseudoClass::FirstChild && self.0.prev_sibling_element().is_none()
    }
}
