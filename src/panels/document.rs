//! Takes an SVG apart into one SVG a layer, so that resvg can draw each alone.
//!
//! Objects of other layers are moved into `<defs>` in place: groups around them, with their
//! transforms, opacity and clips, stay, and so does everything that refers to them.

use std::collections::HashMap;
use std::fmt::Write as _;

use usvg::roxmltree::{self, Document, Node, NodeId};

use super::names::AliveName;
use super::{Page, PageError};

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";

/// One layer as an SVG of its own.
pub(super) enum Part {
    /// Drawn as it is.
    Art(String),
    /// The panel's shape, filled white.
    Panel {
        /// The object's name as the artist wrote it.
        written: String,
        /// What it says.
        alive: AliveName,
        /// The SVG.
        svg: String,
    },
}

/// What an SVG consists of.
pub(super) struct Parts {
    /// From the text of `<title>`.
    pub title: Option<String>,
    /// In document order.
    pub parts: Vec<Part>,
}

/// Reads an SVG and takes it apart. `page` names it in errors.
pub(super) fn take_apart(svg: &[u8], page: &str) -> Result<Parts, PageError> {
    let not_svg = |reason: String| PageError::NotSvg {
        reason,
        page: page.to_owned(),
    };
    if svg.len() > Page::MAX_BYTES {
        return Err(PageError::TooLarge {
            page: page.to_owned(),
        });
    }
    if svg.starts_with(&[0x1f, 0x8b]) {
        return Err(not_svg("it is compressed".to_owned()));
    }
    let text =
        std::str::from_utf8(svg).map_err(|error| not_svg(format!("it is no text: {error}")))?;
    let options = roxmltree::ParsingOptions {
        // Drawing programs declare their namespaces as entities; the parser limits how entities nest.
        allow_dtd: true,
        nodes_limit: Page::MAX_OBJECTS,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::NodesLimitReached => PageError::TooManyObjects {
            page: page.to_owned(),
        },
        other => not_svg(other.to_string()),
    })?;
    let root = document.root_element();
    if kind_of(root) != Some("svg") {
        return Err(not_svg(format!(
            "it begins with <{}>",
            root.tag_name().name()
        )));
    }
    check_limits(&document, page)?;

    let title = root
        .children()
        .find(|node| kind_of(*node) == Some("title"))
        .and_then(|node| node.text())
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(80).collect());

    let mut plan = Plan::default();
    plan.visit(root, 0);
    if plan.alive.is_empty() {
        return Err(PageError::NoPanel {
            page: page.to_owned(),
        });
    }
    if plan.alive.len() > Page::MAX_PANELS {
        return Err(PageError::TooManyPanels {
            page: page.to_owned(),
        });
    }
    let mut parts = Vec::with_capacity(plan.alive.len() * 2 + 1);
    let count = plan.alive.len();
    for (number, (node, written, alive)) in plan.alive.iter().enumerate() {
        if plan.has_art[number] {
            parts.push(Part::Art(plan.write(root, Layer::Art(number))));
        }
        parts.push(Part::Panel {
            written: written.clone(),
            alive: alive.clone(),
            svg: plan.write(root, Layer::Panel(node.id())),
        });
    }
    if plan.has_art[count] {
        parts.push(Part::Art(plan.write(root, Layer::Art(count))));
    }
    Ok(Parts { title, parts })
}

/// The local name of an SVG element.
fn kind_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let name = node.tag_name();
    (node.is_element() && matches!(name.namespace(), None | Some(SVG))).then(|| name.name())
}

/// Whether an element draws by itself, without children that draw.
fn draws(kind: &str) -> bool {
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
fn groups(kind: &str) -> bool {
    matches!(kind, "svg" | "g" | "a" | "switch")
}

/// The name of an object, wherever a drawing program keeps it.
fn alive_name(node: Node) -> Option<(String, AliveName)> {
    [
        node.attribute("id"),
        node.attribute((INKSCAPE, "label")),
        node.attribute("data-name"),
    ]
    .into_iter()
    .flatten()
    .find_map(|written| Some((written.to_owned(), AliveName::parse(written)?)))
}

/// The child of a `switch` that is drawn: Illustrator puts its own data first.
fn chosen<'a, 'i>(switch: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    switch.children().find(|child| {
        kind_of(*child).is_some_and(|kind| draws(kind) || groups(kind))
            && child
                .attribute("requiredExtensions")
                .is_none_or(str::is_empty)
    })
}

/// Refuses what would take for ever, or more stack than a thread has.
fn check_limits(document: &Document, page: &str) -> Result<(), PageError> {
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
fn references<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
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

/// Which layer an SVG is written for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Art before the alive object of this number, after the one before it.
    Art(usize),
    /// The alive object itself.
    Panel(NodeId),
}

/// Which object belongs to which layer.
#[derive(Default)]
struct Plan<'a, 'i> {
    alive: Vec<(Node<'a, 'i>, String, AliveName)>,
    /// Whether anything is drawn before the alive object of the number.
    has_art: Vec<bool>,
    /// For every object that draws, and every group: the layers inside.
    layers: HashMap<NodeId, (usize, usize)>,
}

impl<'a, 'i> Plan<'a, 'i> {
    fn visit(&mut self, node: Node<'a, 'i>, depth: usize) {
        if self.has_art.is_empty() {
            self.has_art.push(false);
        }
        let Some(kind) = kind_of(node) else { return };
        if !(draws(kind) || groups(kind)) {
            return;
        }
        let first = self.alive.len();
        if depth > 0
            && kind != "switch"
            && let Some((written, alive)) = alive_name(node)
        {
            self.alive.push((node, written, alive));
            // The shape's stroke is drawn on top of the picture, with the art that follows.
            self.has_art.push(may_have_stroke(node));
            return;
        }
        if draws(kind) {
            if let Some(last) = self.has_art.last_mut() {
                *last = true;
            }
        } else if kind == "switch" {
            if let Some(child) = chosen(node) {
                self.visit(child, depth + 1);
            }
        } else {
            for child in node.children() {
                self.visit(child, depth + 1);
            }
        }
        self.layers.insert(node.id(), (first, self.alive.len()));
    }

    fn write(&self, root: Node<'a, 'i>, layer: Layer) -> String {
        let mut out = String::with_capacity(4096);
        self.write_node(root, layer, &mut out);
        out
    }

    fn write_node(&self, node: Node<'a, 'i>, layer: Layer, out: &mut String) {
        let Some(kind) = kind_of(node) else { return };
        if !(draws(kind) || groups(kind)) {
            // Gradients, clips, style sheets: whole, for whoever refers to them.
            if !matches!(
                kind,
                "title" | "desc" | "metadata" | "script" | "foreignObject"
            ) {
                copy(node, Style::Kept, out);
            }
            return;
        }
        if let Some(number) = self
            .alive
            .iter()
            .position(|(alive, ..)| alive.id() == node.id())
        {
            match layer {
                Layer::Panel(id) if id == node.id() => copy(node, Style::Shape, out),
                Layer::Art(art) if art == number + 1 && self.has_art[art] => {
                    copy(node, Style::Stroke, out);
                }
                _ => {}
            }
            return;
        }
        let inside = match (self.layers.get(&node.id()), layer) {
            (Some((first, last)), Layer::Art(art)) => (*first..=*last).contains(&art),
            (Some((first, last)), Layer::Panel(id)) => self
                .alive
                .get(*first..*last)
                .is_some_and(|list| list.iter().any(|(alive, ..)| alive.id() == id)),
            // What a switch did not choose.
            (None, _) => return,
        };
        if !inside {
            out.push_str("<defs>");
            copy(node, Style::Kept, out);
            out.push_str("</defs>");
        } else if draws(kind) {
            copy(node, Style::Kept, out);
        } else {
            let name = if kind == "switch" { "g" } else { kind };
            open(node, name, Style::Kept, out);
            for child in node.children() {
                self.write_node(child, layer, out);
            }
            let _ = write!(out, "</{name}>");
        }
    }
}

/// Cheap guess; a stroke from a style sheet or a group around the shape is possible too, so only
/// what surely has none is left out.
fn may_have_stroke(node: Node) -> bool {
    let own = node.descendants().chain(node.ancestors());
    let mentions = own.flat_map(|node| node.attributes()).any(|attribute| {
        matches!(attribute.name(), "stroke" | "class")
            || attribute.name() == "style" && attribute.value().contains("stroke")
    });
    let sheets = node.document().descendants();
    let mut sheets = sheets.filter(|node| kind_of(*node) == Some("style"));
    mentions || sheets.any(|sheet| sheet.text().is_some_and(|text| text.contains("stroke")))
}

/// What a copied object looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As drawn.
    Kept,
    /// Its shape, white.
    Shape,
    /// Only its stroke.
    Stroke,
}

impl Style {
    fn declarations(self) -> &'static str {
        match self {
            Self::Kept => "",
            Self::Shape => {
                ";fill:#fff !important;fill-opacity:1 !important;stroke:none !important;\
                 filter:none !important;mix-blend-mode:normal !important"
            }
            Self::Stroke => ";fill:none !important",
        }
    }
}

/// Writes an element with all that is in it.
fn copy(node: Node, style: Style, out: &mut String) {
    let Some(kind) = kind_of(node) else {
        if node.is_text() {
            escape(node.text().unwrap_or_default(), out);
        }
        return;
    };
    if style == Style::Stroke && kind == "image" {
        return;
    }
    // What only defines something keeps its own colours, also inside an alive group.
    let style = if draws(kind) || groups(kind) || matches!(kind, "tspan" | "textPath" | "tref") {
        style
    } else {
        Style::Kept
    };
    open(node, kind, style, out);
    for child in node.children() {
        copy(child, style, out);
    }
    let _ = write!(out, "</{kind}>");
}

fn open(node: Node, name: &str, style: Style, out: &mut String) {
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
