//! The words that stand in an object.

use usvg::roxmltree::Node;

use super::conditions::drawn_in;
use super::kind_of;
use crate::panels::Written;
use crate::panels::names::{Alive, AliveName};
use crate::settings::Language;

/// The most texts of one object, and the most letters of each.
const MOST: usize = 32;
const LONGEST: usize = 2000;

/// Each `<text>` that is drawn in an object.
pub(super) fn texts(node: Node, language: Option<Language>) -> Vec<Written> {
    drawn_in(node, language)
        .into_iter()
        .filter(|node| kind_of(*node) == Some("text"))
        .take(MOST)
        .map(|text| {
            let name = super::alive_name(text)
                .and_then(|(_, name)| matches!(name.alive, Alive::Text).then_some(name))
                .map(|AliveName { name, .. }| name);
            Written {
                name,
                text: lines(text, language),
            }
        })
        .collect()
}

/// A text's letters; a `tspan` that is placed anew begins a line.
fn lines(text: Node, language: Option<Language>) -> String {
    let mut lines = vec![String::new()];
    for piece in drawn_in(text, language) {
        let starts = kind_of(piece) == Some("tspan")
            && ["x", "y", "dy"]
                .iter()
                .any(|place| piece.has_attribute(*place));
        if starts && lines.last().is_some_and(|line| !line.trim().is_empty()) {
            lines.push(String::new());
        }
        if piece.is_text()
            && let (Some(line), Some(letters)) = (lines.last_mut(), piece.text())
        {
            line.push_str(letters);
        }
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n").chars().take(LONGEST).collect()
}
