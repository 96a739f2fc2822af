//! What an object of an SVG is, is called and says.

use usvg::roxmltree::Node;

use super::{INKSCAPE, SVG};
use crate::panels::names::{Alive, AliveName};
use crate::panels::{Data, Motion};

/// What an artist knows an object by.
pub(super) fn said(node: Node) -> String {
    match node.attribute("id").unwrap_or_default() {
        "" => format!("A <{}>", node.tag_name().name()),
        name => format!("The object {name}"),
    }
}

/// The local name of an SVG element.
pub(super) fn kind_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let name = node.tag_name();
    (node.is_element() && matches!(name.namespace(), None | Some(SVG))).then(|| name.name())
}

/// Whether an element draws by itself, without children that draw.
pub(super) fn draws(kind: &str) -> bool {
    matches!(
        kind,
        "path"
            | "rect"
            | "circle"
            | "ellipse"
            | "line"
            | "polyline"
            | "polygon"
            | "text"
            | "image"
            | "use"
    )
}

/// Whether an element groups others that draw.
pub(super) fn groups(kind: &str) -> bool {
    matches!(kind, "svg" | "g" | "a" | "switch")
}

/// The names of an object, wherever a drawing program keeps them.
pub(super) fn names<'a>(node: Node<'a, '_>) -> impl Iterator<Item = &'a str> {
    [
        node.attribute("id"),
        node.attribute((INKSCAPE, "label")),
        node.attribute("data-name"),
    ]
    .into_iter()
    .flatten()
}

/// The name of an object that says what becomes of it. A sound that does not move is art.
pub(super) fn alive_name(node: Node) -> Option<(String, AliveName)> {
    let parsed =
        names(node).find_map(|written| Some((written.to_owned(), AliveName::parse(written)?)));
    parsed.filter(|(_, name)| name.alive != Alive::Sound || motion(node, name).is_some())
}

/// How a sound moves: as its `data-animate` says, else a word of its name.
pub(super) fn motion<'n>(node: Node<'n, '_>, name: &'n AliveName) -> Option<&'n str> {
    node.attribute("data-animate").or_else(|| {
        let mut words = name.name.split('-');
        words.find(|word| Motion::named(word).is_some())
    })
}

/// Whether a sound is a group with something else alive in it, which then matters more.
pub(super) fn holds_more(node: Node, name: &AliveName) -> bool {
    let is_more = |inner| alive_name(inner).is_some_and(|(_, name)| name.alive != Alive::Sound);
    name.alive == Alive::Sound && node.descendants().skip(1).any(is_more)
}

/// What else the artist wrote on an object.
pub(super) fn data(node: Node, name: &AliveName) -> Data {
    let attributes = node
        .attributes()
        .filter(|attribute| attribute.namespace().is_none());
    let data = Data::of(
        attributes.map(|attribute| (attribute.name(), attribute.value())),
        &name.name,
    );
    match motion(node, name).filter(|_| name.alive == Alive::Sound) {
        Some(motion) => data.or("animate", motion),
        None => data,
    }
}

/// The child of a `switch` that is drawn: Illustrator puts its own data first.
pub(super) fn chosen<'a, 'i>(switch: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    switch.children().find(|child| {
        kind_of(*child).is_some_and(|kind| draws(kind) || groups(kind))
            && child
                .attribute("requiredExtensions")
                .is_none_or(str::is_empty)
    })
}
