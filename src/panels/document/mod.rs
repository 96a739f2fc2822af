//! Takes an SVG apart into one SVG a layer, so that resvg can draw each alone.
//!
//! Objects of other layers are left out; groups around them, with their transforms, opacity and
//! clips, stay. What a layer refers to is written into `<defs>` in place.

mod conditions;
mod contents;
mod cut;
mod fontface;
mod leftout;
mod limits;
mod looks;
mod objects;
mod paper;
mod refused;
mod role;
mod words;
mod write;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;

use usvg::roxmltree::{self, Document, Node, NodeId};

use super::names::{Alive, AliveName};
use super::together::Together;
use super::{Blend, Data, Page, PageError, Written};
use crate::settings::Language;
use conditions::{chosen, is_met};
use contents::{Contents, Drawn, Needed};
use cut::Cut;
pub(super) use fontface::EmbeddedFont;
use limits::{check_limits, references};
use looks::Looks;
use objects::{
    alive_name, data, draws, groups, has_plain_shapes, holds_more, kind_of, names, said, title,
};
use role::{Layer, Role};
use write::{Style, open};

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";

/// One layer as an SVG of its own.
pub(super) struct Part {
    /// What it is.
    pub kind: PartKind,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// The SVG, as large as the page. Art, text and bubbles as they are drawn; panels and effects
    /// as white shapes.
    pub svg: String,
}

/// What a layer is.
pub(super) enum PartKind {
    /// Drawn as it is.
    Art,
    /// Something alive.
    Alive {
        /// The object's name as the artist wrote it.
        written: String,
        /// What it says.
        name: AliveName,
        /// What else the artist wrote on it.
        data: Data,
        /// The words in it, when it is text or a bubble.
        texts: Vec<Written>,
    },
}

/// What an SVG consists of.
pub(super) struct Parts {
    /// From the text of `<title>`.
    pub title: Option<String>,
    /// Width and height on paper, in inches, when the artist gave them.
    pub inches: Option<(f32, f32)>,
    /// In document order.
    pub parts: Vec<Part>,
    /// Groups that lie in several of them.
    pub together: Vec<Together>,
    /// The fonts it carries.
    pub fonts: Vec<EmbeddedFont>,
    /// The languages that it has art of its own for.
    pub languages: BTreeSet<String>,
    /// What the artist should know.
    pub warnings: Vec<String>,
}

/// Reads an SVG and takes apart what is drawn of it in a language. `page` names it in errors.
pub(super) fn take_apart(
    svg: &[u8],
    page: &str,
    language: Option<Language>,
) -> Result<Parts, PageError> {
    let not_svg = |reason: String| PageError::NotSvg {
        reason,
        page: page.to_owned(),
    };
    if svg.len() > Page::MAX_BYTES {
        return Err(PageError::TooLarge {
            page: page.to_owned(),
        });
    }
    let text = refused::text_of(svg).map_err(not_svg)?;
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
        other => not_svg(refused::why(&other)),
    })?;
    let root = document.root_element();
    if kind_of(root) != Some("svg") {
        return Err(not_svg(format!(
            "it begins with <{}>",
            root.tag_name().name()
        )));
    }
    check_limits(&document, page)?;

    let mut plan = Plan::of(&document, language);
    plan.visit(root, 0, Blend::Normal);
    plan.sort_out(&document);
    let panels = plan.cuts.iter().filter(|cut| cut.is_panel()).count();
    if panels == 0 {
        return Err(PageError::no_panel(plan.nearly, page));
    }
    if panels > Page::MAX_PANELS || plan.cuts.len() > Page::MAX_LAYERS {
        return Err(PageError::TooManyPanels {
            page: page.to_owned(),
        });
    }
    // What layers share is written into each.
    let nodes = document.descendants().count();
    if nodes.saturating_mul(plan.cuts.len()) > Page::MAX_OBJECTS as usize * 32 {
        return Err(PageError::TooManyObjects {
            page: page.to_owned(),
        });
    }
    let (parts, part_of) = plan.parts(root);
    let together = plan.together(root, &part_of);
    let (fonts, mut warnings) = fontface::embedded(&document);
    warnings.append(&mut plan.warnings);
    warnings.append(&mut leftout::left_out(&document));
    Ok(Parts {
        title: title(root),
        inches: paper::inches(root),
        parts,
        together,
        fonts,
        languages: conditions::languages(&document),
        warnings,
    })
}

/// Which object belongs to which layer.
struct Plan<'a, 'i> {
    language: Option<Language>,
    looks: Looks<'a>,
    by_id: HashMap<&'a str, Node<'a, 'i>>,
    cuts: Vec<Cut<'a, 'i>>,
    /// The cut that an object belongs to.
    cut_of: HashMap<NodeId, usize>,
    /// Whether anything is drawn before the cut of the number.
    has_art: Vec<bool>,
    /// For every object that draws, and every group: the cuts inside.
    inside: HashMap<NodeId, (usize, usize)>,
    /// What is in every object that may be written in part.
    contents: HashMap<NodeId, Contents<'a, 'i>>,
    /// What style sheets refer to: they may do so for any object.
    from_sheets: Vec<&'a str>,
    /// Groups with something alive in them that are half transparent or mixed as a whole.
    together: Vec<(Node<'a, 'i>, Blend)>,
    /// The first thing that was perhaps meant to be alive.
    nearly: Option<String>,
    warnings: Vec<String>,
}

impl<'a, 'i> Plan<'a, 'i> {
    /// The most remarks about names.
    const MOST_WARNINGS: usize = 12;

    fn of(document: &'a Document<'i>, language: Option<Language>) -> Self {
        Self {
            language,
            looks: Looks::of(document),
            by_id: document
                .descendants()
                .filter_map(|node| Some((node.attribute("id")?, node)))
                .collect(),
            cuts: Vec::new(),
            cut_of: HashMap::new(),
            has_art: vec![false],
            inside: HashMap::new(),
            contents: HashMap::new(),
            from_sheets: Vec::new(),
            together: Vec::new(),
            nearly: None,
            warnings: Vec::new(),
        }
    }

    /// `around` is how the groups around the object are mixed.
    fn visit(&mut self, node: Node<'a, 'i>, depth: usize, around: Blend) {
        let Some(kind) = kind_of(node) else { return };
        if !(draws(kind) || groups(kind)) || !is_met(node, self.language) {
            return;
        }
        if self.looks.is_hidden(node) {
            if let Some((written, _)) = node.descendants().find_map(alive_name) {
                self.warn_of_name(format!("{written} is hidden: it shows nothing."));
            }
            return;
        }
        let first = self.cuts.len();
        let blend = match self.looks.blend(node) {
            Ok(Blend::Normal) => around,
            Ok(own) => own,
            Err(unknown) => {
                let text = format!(
                    "{} is mixed as {unknown}, which panelcam does not know: it covers. Use {}.",
                    said(node),
                    Blend::ALL.map(|(_, name)| name).join(", ")
                );
                self.warn(text);
                around
            }
        };
        if depth > 0 && kind != "switch" {
            let alive = alive_name(node);
            let more = alive.as_ref().and_then(|(_, name)| holds_more(node, name));
            match (alive, more) {
                (Some((written, name)), None) => {
                    // A panel's stroke is drawn on top of the picture, with the art that follows.
                    let is_panel = matches!(name.alive, Alive::Panel(_));
                    let stroke = is_panel && self.looks.may_have_stroke(node);
                    leftout::of_alive(&self.looks, node, &written, name.alive)
                        .into_iter()
                        .for_each(|text| self.warn(text));
                    self.cut(node, Some((written, name)), blend, stroke);
                    return;
                }
                (Some((written, _)), Some(more)) if has_plain_shapes(node) => {
                    self.warn_of_name(format!(
                        "{written} is a layer, since {more} in it is alive by itself: its other \
                         shapes stay art. Name them too, or take that out of it."
                    ));
                }
                (Some(_), Some(_)) => {}
                (None, _) => names(node)
                    .find_map(AliveName::nearly)
                    .into_iter()
                    .for_each(|text| self.warn_of_name(text)),
            }
        }
        // Only over something alive it makes a difference; art below art is mixed by resvg.
        let mixes = blend != Blend::Normal && self.cuts.iter().any(|cut| cut.alive.is_some());
        if mixes && !node.descendants().any(|inner| alive_name(inner).is_some()) {
            let last_has_art = self.has_art.last().copied().unwrap_or_default();
            match self.cuts.last_mut() {
                Some(cut)
                    if cut.alive.is_none()
                        && cut.blend == blend
                        && blend.is_associative()
                        && !last_has_art =>
                {
                    cut.nodes.push(node);
                    self.cut_of.insert(node.id(), self.cuts.len() - 1);
                }
                _ => self.cut(node, None, blend, false),
            }
            return;
        }
        if draws(kind) {
            if let Some(last) = self.has_art.last_mut() {
                *last = true;
            }
        } else if kind == "switch" {
            if let Some(child) = chosen(node, self.language) {
                self.visit(child, depth + 1, blend);
            }
        } else {
            for child in node.children() {
                self.visit(child, depth + 1, blend);
            }
        }
        self.inside.insert(node.id(), (first, self.cuts.len()));
        let own = self.looks.blend(node).unwrap_or_default();
        let is_one = self.looks.is_faded(node) || own != Blend::Normal;
        let holds_alive = self.cuts[first..].iter().any(|cut| cut.alive.is_some());
        if is_one && holds_alive && self.together.len() < Self::MOST_WARNINGS {
            self.together.push((node, own));
        }
    }

    fn warn_of_name(&mut self, text: String) {
        self.nearly.get_or_insert_with(|| text.clone());
        self.warn(text);
    }

    fn warn(&mut self, text: String) {
        if self.warnings.len() < Self::MOST_WARNINGS && !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    fn cut(
        &mut self,
        node: Node<'a, 'i>,
        alive: Option<(String, AliveName)>,
        blend: Blend,
        art_follows: bool,
    ) {
        self.cut_of.insert(node.id(), self.cuts.len());
        self.cuts.push(Cut {
            nodes: vec![node],
            alive,
            blend,
        });
        self.has_art.push(art_follows);
    }

    /// Finds once what every layer looks for: to go through all objects for each would take too long.
    fn sort_out(&mut self, document: &'a Document<'i>) {
        for node in document.descendants() {
            let kind = kind_of(node);
            if kind == Some("style") {
                for text in node.children().filter_map(|piece| piece.text()) {
                    self.from_sheets.extend(references("style", text));
                }
            }
            let Some(parent) = node.parent() else {
                continue;
            };
            let cut = self.cut_of.get(&node.id());
            // A panel's stroke is in the layer that follows it.
            let layers = cut.map(|number| (*number, *number + 1));
            let layers = layers.or_else(|| self.inside.get(&node.id()).copied());
            if let Some((first, last)) = layers {
                let contents = self.contents.entry(parent.id()).or_default();
                contents.drawn.push((node, first, last));
            } else if matches!(kind, Some("style" | "defs")) {
                let contents = self.contents.entry(parent.id()).or_default();
                contents.defining.push(node);
            }
        }
        for contents in self.contents.values_mut() {
            contents.sort();
        }
    }

    /// Objects in this one that a layer may show.
    fn shown(&self, node: Node, layer: Layer) -> &[Drawn<'a, 'i>] {
        let contents = self.contents.get(&node.id());
        contents.map_or(&[], |contents| contents.of(layer))
    }

    /// All parts, and which of them each cut became.
    fn parts(&self, root: Node<'a, 'i>) -> (Vec<Part>, Vec<usize>) {
        let mut part_of = Vec::with_capacity(self.cuts.len());
        let mut parts = Vec::with_capacity(self.cuts.len() * 2 + 1);
        let art = |number: usize| {
            self.has_art[number].then(|| Part {
                kind: PartKind::Art,
                blend: Blend::Normal,
                svg: self.write(root, Layer::Art(number)),
            })
        };
        for (number, cut) in self.cuts.iter().enumerate() {
            parts.extend(art(number));
            let kind = match (&cut.alive, cut.nodes.first()) {
                (Some((written, name)), Some(node)) => PartKind::Alive {
                    written: written.clone(),
                    name: name.clone(),
                    data: data(*node, name),
                    texts: if matches!(name.alive, Alive::Text | Alive::Bubble) {
                        words::texts(*node, self.language)
                    } else {
                        Vec::new()
                    },
                },
                _ => PartKind::Art,
            };
            part_of.push(parts.len());
            parts.push(Part {
                kind,
                blend: cut.blend,
                svg: self.write(root, Layer::Cut(number)),
            });
        }
        parts.extend(art(self.cuts.len()));
        (parts, part_of)
    }

    fn write(&self, root: Node<'a, 'i>, layer: Layer) -> String {
        let needed = self.needed(root, layer);
        let mut out = String::with_capacity(4096);
        self.write_node(root, layer, &needed, &mut out);
        out
    }

    /// How an object appears in a layer; `None`: not at all.
    fn role(&self, node: Node, layer: Layer) -> Option<Role> {
        if let Layer::Group(number) = layer {
            return self.role_in_group(node, self.together[number].0);
        }
        if let Some(&number) = self.cut_of.get(&node.id()) {
            let cut = &self.cuts[number];
            return match layer {
                Layer::Cut(this) if this == number => Some(Role::Whole(if cut.is_shape() {
                    Style::Shape
                } else {
                    Style::Kept
                })),
                Layer::Art(this) if this == number + 1 && self.has_art[this] && cut.is_panel() => {
                    Some(Role::Whole(Style::Stroke))
                }
                _ => None,
            };
        }
        let (first, last) = *self.inside.get(&node.id())?;
        let is_inside = match layer {
            Layer::Art(number) => (first..=last).contains(&number),
            Layer::Cut(number) => (first..last).contains(&number),
            Layer::Group(_) => false,
        };
        let is_drawn = kind_of(node).is_some_and(draws);
        is_inside.then_some(if is_drawn {
            Role::Whole(Style::Kept)
        } else {
            Role::Around
        })
    }

    /// What a group looks like around a layer's objects: the shadow of a white shape is no part of
    /// the picture that fills it.
    fn around(&self, layer: Layer) -> Style {
        match layer {
            Layer::Cut(number) if self.cuts[number].is_shape() => Style::Clear,
            _ => Style::Kept,
        }
    }

    /// The same, of what is not alive in a group.
    fn role_in_group(&self, node: Node, group: Node) -> Option<Role> {
        if !node.ancestors().any(|outer| outer == group) {
            return group
                .ancestors()
                .any(|outer| outer == node)
                .then_some(Role::Around);
        }
        if let Some(&number) = self.cut_of.get(&node.id()) {
            let is_art = self.cuts[number].alive.is_none();
            return is_art.then_some(Role::Whole(Style::Kept));
        }
        self.inside.get(&node.id())?;
        Some(match kind_of(node).is_some_and(draws) {
            true => Role::Whole(Style::Kept),
            false => Role::Around,
        })
    }

    /// The groups that are one for the artist; `part_of` is which part a cut became.
    fn together(&self, root: Node<'a, 'i>, part_of: &[usize]) -> Vec<Together> {
        let groups = self.together.iter().enumerate();
        groups
            .map(|(number, (node, blend))| {
                let (first, last) = self.inside.get(&node.id()).copied().unwrap_or_default();
                let alive = (first..last).filter(|cut| self.cuts[*cut].alive.is_some());
                Together {
                    said: said(*node),
                    blend: *blend,
                    alive: alive.filter_map(|cut| part_of.get(cut).copied()).collect(),
                    art: self.write(root, Layer::Group(number)),
                }
            })
            .collect()
    }

    /// What a layer refers to, directly or not, and what that stands in: by what that is in.
    fn needed(&self, root: Node<'a, 'i>, layer: Layer) -> Needed<'a, 'i> {
        let (mut needed, mut looked_at) = (Needed::new(), HashSet::new());
        let mut open = self.from_sheets.clone();
        let mut refer = |node: Node<'a, 'i>, open: &mut Vec<&'a str>| {
            if looked_at.insert(node.id()) {
                for attribute in node.attributes() {
                    open.extend(references(attribute.name(), attribute.value()));
                }
            }
        };
        let mut visit = vec![root];
        while let Some(node) = visit.pop() {
            match self.role(node, layer) {
                Some(Role::Whole(_)) => {
                    node.descendants().for_each(|node| refer(node, &mut open));
                }
                Some(Role::Around) => {
                    refer(node, &mut open);
                    visit.extend(self.shown(node, layer).iter().map(|(node, ..)| *node));
                }
                None => {}
            }
        }
        let (mut seen, mut known) = (HashSet::new(), HashSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if let Some(node) = self.by_id.get(id) {
                node.descendants().for_each(|node| refer(node, &mut open));
                for node in node.ancestors() {
                    if !known.insert(node.id()) {
                        break;
                    }
                    if let Some(parent) = node.parent() {
                        needed.entry(parent.id()).or_default().push(node);
                    }
                }
            }
        }
        needed
    }

    fn write_node(
        &self,
        node: Node<'a, 'i>,
        layer: Layer,
        needed: &Needed<'a, 'i>,
        out: &mut String,
    ) {
        let Some(kind) = kind_of(node) else { return };
        match self.role(node, layer) {
            Some(Role::Whole(style)) => self.copy(node, style, out),
            Some(Role::Around) => {
                let name = if kind == "switch" { "g" } else { kind };
                open(node, name, self.around(layer), out);
                self.write_defining(node, layer, needed, out);
                for (child, ..) in self.shown(node, layer) {
                    if self.role(*child, layer).is_some() {
                        self.write_node(*child, layer, needed, out);
                    }
                }
                let _ = write!(out, "</{name}>");
            }
            None if kind == "style" => self.copy(node, Style::Kept, out),
            None if kind == "defs" => {
                // Illustrator keeps its style sheets in here.
                out.push_str("<defs>");
                self.write_defining(node, layer, needed, out);
                out.push_str("</defs>");
            }
            None => {
                out.push_str("<defs>");
                self.copy(node, Style::Kept, out);
                out.push_str("</defs>");
            }
        }
    }

    fn copy(&self, node: Node, style: Style, out: &mut String) {
        write::copy(node, style, self.language, out);
    }

    /// Writes what is in an object and not drawn in a layer but needed for it.
    fn write_defining(
        &self,
        node: Node<'a, 'i>,
        layer: Layer,
        needed: &Needed<'a, 'i>,
        out: &mut String,
    ) {
        let contents = self.contents.get(&node.id());
        let defining = contents.map_or(&[][..], |contents| &contents.defining);
        for child in defining {
            self.write_node(*child, layer, needed, out);
        }
        for child in needed.get(&node.id()).into_iter().flatten() {
            let is_defining = matches!(kind_of(*child), Some("style" | "defs"));
            if !is_defining && self.role(*child, layer).is_none() {
                self.write_node(*child, layer, needed, out);
            }
        }
    }
}
