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

/// The document's `<title>`.
pub(super) fn title(root: Node) -> Option<String> {
    root.children()
        .find(|node| kind_of(*node) == Some("title"))
        .and_then(|node| node.text())
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(80).collect())
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

/// The first name in a group that is alive by itself and matters more than the group: layers are
/// called `live` or `person`, too, and a sound is the least that moves.
pub(super) fn holds_more(node: Node, name: &AliveName) -> Option<String> {
    let is_more = |inner: &AliveName| match name.alive {
        Alive::Panel(_) | Alive::Effect(_) => true,
        Alive::Sound => inner.alive != Alive::Sound,
        Alive::Text | Alive::Bubble => false,
    };
    let mut inside = node.descendants().skip(1).filter_map(alive_name);
    inside.find_map(|(written, inner)| is_more(&inner).then_some(written))
}

/// Whether something that is drawn and has no name of its own is right in a group.
pub(super) fn has_plain_shapes(group: Node) -> bool {
    group
        .children()
        .any(|child| kind_of(child).is_some_and(draws) && alive_name(child).is_none())
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
