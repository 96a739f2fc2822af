//! Writes objects of a document down again, as they are or as shapes.

use std::fmt::Write as _;

use usvg::roxmltree::Node;

use super::conditions::{CONDITIONS, chosen, is_met};
use super::fontface::without_fonts;
use super::{SVG, XLINK, XML, draws, groups, kind_of};
use crate::settings::Language;

/// What a copied object looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As drawn.
    Kept,
    /// Its shape, white.
    Shape,
    /// Only its stroke.
    Stroke,
    /// As drawn, without shadow and blur.
    Clear,
}

impl Style {
    fn declarations(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Shape => {
                ";fill:#fff !important;fill-opacity:1 !important;stroke:none !important;\
                 filter:none !important;mix-blend-mode:normal !important"
            }
            Self::Stroke => ";fill:none !important;filter:none !important",
            Self::Clear => ";filter:none !important",
        }
    }
}

/// Writes an element with all that is in it. What is for other languages is only defined: others may
/// refer to it.
pub(super) fn copy(node: Node, style: Style, language: Option<Language>, out: &mut String) {
    let Some(kind) = kind_of(node) else {
        if node.is_text() {
            escape(node.text().unwrap_or_default(), out);
        }
        return;
    };
    if kind == "style" {
        open(node, kind, Style::Kept, out);
        for text in node.children().filter_map(|piece| piece.text()) {
            escape(&without_fonts(text), out);
        }
        out.push_str("</style>");
        return;
    }
    if style == Style::Stroke && kind == "image" {
        return;
    }
    // What only defines something keeps its own colours, also inside an alive group.
    let style = if draws(kind) || groups(kind) || is_text(kind) {
        style
    } else {
        Style::Kept
    };
    let shown = (kind == "switch").then(|| chosen(node, language));
    let name = if shown.is_some() { "g" } else { kind };
    open(node, name, style, out);
    for child in node.children() {
        let is_shown = match shown {
            Some(shown) => shown == Some(child),
            None => is_met(child, language),
        };
        if is_shown {
            copy(child, style, language, out);
        } else if kind_of(child).is_some_and(|kind| !is_text(kind)) {
            out.push_str("<defs>");
            copy(child, style, language, out);
            out.push_str("</defs>");
        }
    }
    let _ = write!(out, "</{name}>");
}

/// Whether an element is part of a text.
fn is_text(kind: &str) -> bool {
    matches!(kind, "tspan" | "textPath" | "tref")
}

pub(super) fn open(node: Node, name: &str, style: Style, out: &mut String) {
    let _ = write!(out, "<{name}");
    if node.parent().is_none_or(|parent| parent.is_root()) {
        let _ = write!(out, " xmlns=\"{SVG}\" xmlns:xlink=\"{XLINK}\"");
    }
    let mut has_style = false;
    for attribute in node.attributes() {
        let prefix = match attribute.namespace() {
            None => "",
            Some(XLINK) => "xlink:",
            Some(XML) => "xml:",
            Some(_) => continue,
        };
        if prefix.is_empty() && CONDITIONS.contains(&attribute.name()) {
            continue;
        }
        let _ = write!(out, " {prefix}{}=\"", attribute.name());
        escape(attribute.value(), out);
        if prefix.is_empty() && attribute.name() == "style" {
            has_style = true;
            out.push_str(style.declarations());
        }
        out.push('"');
    }
    if !has_style && style != Style::Kept {
        let _ = write!(out, " style=\"{}\"", &style.declarations()[1..]);
    }
    out.push('>');
}

fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Else the parser would make spaces of them.
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            _ => out.push(letter),
        }
    }
}
