//! What a page may ask of the machine that draws it.

use std::collections::HashMap;

use usvg::roxmltree::{Document, Node, NodeId};

use super::kind_of;
use crate::panels::{Page, PageError};

/// Refuses what would take for ever, or more stack than a thread has.
pub(super) fn check_limits(document: &Document, page: &str) -> Result<(), PageError> {
    let mut scale = Scale {
        by_id: document
            .descendants()
            .filter_map(|node| Some((node.attribute("id")?, node)))
            .collect(),
        known: HashMap::new(),
    };
    // Style sheets may refer to objects for any object: each reference counts as one more level.
    let from_sheets = document
        .descendants()
        .filter(|node| kind_of(*node) == Some("style"))
        .filter_map(|node| node.text())
        .map(|text| text.matches("url(").count())
        .sum::<usize>();
    if from_sheets > Page::MAX_OBJECTS as usize / 100 {
        return Err(PageError::TooManyObjects {
            page: page.to_owned(),
        });
    }
    match scale.weigh(document.root_element(), 0) {
        None => Err(PageError::TooDeep {
            page: page.to_owned(),
        }),
        Some(weight) if weight.objects > u64::from(Page::MAX_OBJECTS) => {
            Err(PageError::TooManyObjects {
                page: page.to_owned(),
            })
        }
        Some(_) => Ok(()),
    }
}

/// Weighs objects with everything they refer to, each time they do.
struct Scale<'a, 'i> {
    by_id: HashMap<&'a str, Node<'a, 'i>>,
    known: HashMap<NodeId, Weight>,
}

#[derive(Clone, Copy, Default)]
struct Weight {
    objects: u64,
    height: usize,
}

impl<'a, 'i> Scale<'a, 'i> {
    /// `None` when it is too deep.
    fn weigh(&mut self, node: Node<'a, 'i>, depth: usize) -> Option<Weight> {
        if let Some(known) = self.known.get(&node.id()) {
            return (depth + known.height <= Page::MAX_DEPTH).then_some(*known);
        }
        if depth > Page::MAX_DEPTH {
            return None;
        }
        // An object that refers to itself is dropped by the parser: it weighs nothing.
        self.known.insert(node.id(), Weight::default());
        let mut weight = Weight {
            objects: 1,
            height: 0,
        };
        let mut add = |part: Weight| {
            weight.objects = weight.objects.saturating_add(part.objects);
            weight.height = weight.height.max(part.height);
        };
        for child in node.children().filter(Node::is_element) {
            add(self.weigh(child, depth + 1)?);
        }
        for attribute in node.attributes() {
            for id in references(attribute.name(), attribute.value()) {
                if let Some(target) = self.by_id.get(id).copied() {
                    add(self.weigh(target, depth + 1)?);
                }
            }
        }
        weight.height += 1;
        self.known.insert(node.id(), weight);
        Some(weight)
    }
}

/// The ids an attribute refers to.
pub(super) fn references<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let whole = (name == "href")
        .then(|| value.trim().strip_prefix('#'))
        .flatten();
    let inside = value
        .match_indices("url(")
        .take(64)
        .filter_map(|(at, open)| value[at + open.len()..].split(')').next())
        .filter_map(|inner| inner.trim().trim_matches(['"', '\'']).strip_prefix('#'));
    whole.into_iter().chain(inside)
}
