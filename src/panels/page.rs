//! A page: what an artist's SVG says, ready to be drawn at any size.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use usvg::{ImageKind, fontdb};

use crate::frame::Size;
use crate::settings::Language;

use super::document::{self, EmbeddedFont, Part, PartKind};
use super::effort::Effort;
use super::fonts::{self, Warnings};
use super::layer::{Art, Effect, Layer, Lettering, Panel, Rect, Shape};
use super::names::Alive;
use super::pieces::Piece;
use super::unsaid::named;
use super::{Blend, Crop, Data, Fonts, PageError, PanelKind, lettering};

/// A comic page template. Cloning shares it.
#[derive(Clone)]
pub struct Page {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    id: String,
    name: String,
    builtin: bool,
    units: (f32, f32),
    inches: Option<(f32, f32)>,
    layers: Vec<Layer>,
    warnings: Vec<String>,
    /// Pictures in files of their own that it shows, or would.
    linked: Vec<PathBuf>,
    /// The languages that it has art of its own for.
    languages: BTreeSet<String>,
    /// The numbers of layers that are there but not drawn.
    hidden: BTreeSet<usize>,
    /// Pieces of art that are not drawn.
    hidden_pieces: BTreeSet<Piece>,
}

/// Collects the files that a page links while it is read.
#[derive(Clone, Default)]
struct Links(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Page {
    /// The largest file, and the largest picture file beside it.
    pub const MAX_BYTES: usize = 8 << 20;
    /// The most panels on a page.
    pub const MAX_PANELS: usize = 48;
    /// The most things on a page that are alive or mixed in a way of their own.
    pub const MAX_LAYERS: usize = 128;
    /// How deep objects may nest, references to others included.
    pub const MAX_DEPTH: usize = 160;
    /// The most objects, each counted as often as it is used.
    pub const MAX_OBJECTS: u32 = 200_000;
    /// The most pixels of one picture on a page.
    const MAX_PICTURE_PIXELS: u64 = 32 << 20;
    /// The longest side of a program that takes its size from the page.
    const MAX_NATURAL_SIDE: f32 = 4096.0;

    /// Reads an SVG that stands alone: pictures must be embedded in it. Of what is drawn in several
    /// languages, the first is shown.
    ///
    /// # Errors
    /// When it is no SVG, exceeds a limit or has no panel.
    pub fn parse(svg: &[u8], id: &str, fonts: &Fonts) -> Result<Self, PageError> {
        Self::parse_in(svg, id, fonts, None, None)
    }

    /// Reads an SVG that may show pictures from `folder`, its own, as it is drawn in a language.
    ///
    /// # Errors
    /// When it is no SVG, exceeds a limit or has no panel.
    pub fn parse_in(
        svg: &[u8],
        id: &str,
        fonts: &Fonts,
        folder: Option<&Path>,
        language: Option<Language>,
    ) -> Result<Self, PageError> {
        let parts = document::take_apart(svg, id, language)?;
        let warnings = Warnings::default();
        parts
            .warnings
            .into_iter()
            .for_each(|text| warnings.add(text));
        let fontdb = with_fonts(fonts, parts.fonts, &warnings);
        let links = Links::default();
        let (mut units, mut unseen) = (None, None);
        let mut missing = BTreeSet::new();
        let mut effort: Option<Effort> = None;
        let mut layers = Vec::with_capacity(parts.parts.len());
        let mut trees = Vec::with_capacity(parts.parts.len());
        for Part { kind, blend, svg } in parts.parts {
            let read = |svg: &str| parse_tree(svg, id, &fontdb, folder, (&warnings, &links));
            let tree = read(&svg)?;
            let size = (tree.size().width(), tree.size().height());
            units = Some(size);
            check_size(size, id)?;
            if effort.is_none() {
                effort = Effort::new(size, natural_scale(size, parts.inches));
            }
            if let Some(effort) = &mut effort {
                effort.add(&tree);
                if effort.is_too_much() {
                    return Err(PageError::TooMuchToDraw {
                        page: id.to_owned(),
                    });
                }
            }
            let bounds = Shape::bounds(&tree, size);
            let mut written = BTreeSet::new();
            fonts::letters_of(tree.root(), &mut written);
            let lacking = fonts::missing(&written, &fontdb);
            let (svg, tree) = if lacking.is_empty() {
                (svg, tree)
            } else {
                // A font draws boxes for them.
                let is_art = matches!(kind, PartKind::Art);
                let instead = if is_art || lacking != written {
                    ""
                } else {
                    "…"
                };
                let svg = fonts::without(&svg, &lacking, instead);
                let tree = read(&svg)?;
                (svg, tree)
            };
            missing.extend(lacking);
            let tree = Arc::new(tree);
            trees.push(Arc::clone(&tree));
            let (written, name, data, texts) = match kind {
                PartKind::Art => {
                    layers.push(Layer::Art(Art { tree, blend }));
                    continue;
                }
                PartKind::Alive {
                    written,
                    name,
                    data,
                    texts,
                } => (written, name, data, texts),
            };
            let Some(bounds) = bounds else {
                let text = format!(
                    "The shape {written} is hidden, empty or off the page: it shows nothing."
                );
                unseen.get_or_insert_with(|| text.clone());
                warnings.add(text);
                continue;
            };
            let (crop, id) = (name.crop, written);
            let lettering = |texts| Lettering {
                id: id.clone(),
                name: name.name.clone(),
                bounds,
                data: data.clone(),
                texts,
                blend,
                svg: svg.as_str().into(),
                tree: Arc::clone(&tree),
            };
            layers.push(match name.alive {
                Alive::Text => Layer::Text(lettering(texts)),
                Alive::Bubble => Layer::Bubble(lettering(texts)),
                Alive::Sound => Layer::Sound(lettering(texts)),
                Alive::Panel(kind) => Layer::Panel(Panel {
                    id,
                    kind,
                    crop,
                    name: name.name,
                    bounds,
                    data,
                    blend,
                    shape: Some(tree),
                }),
                Alive::Effect(kind) => Layer::Effect(Effect {
                    id,
                    kind,
                    name: name.name,
                    bounds,
                    data,
                    blend,
                    shape: tree,
                }),
            });
        }
        missing.extend(layers.iter().flat_map(other_words_miss));
        if !missing.is_empty() {
            warnings.add(format!(
                "No font has the letters {}: they cannot be shown. Convert the text to paths, or \
                 write others.",
                named(missing)
            ));
        }
        let (Some(units), true) = (
            units,
            layers.iter().any(|layer| matches!(layer, Layer::Panel(_))),
        ) else {
            return Err(PageError::no_panel(unseen, id));
        };
        for group in parts.together {
            let alive: Vec<_> = group
                .alive
                .iter()
                .filter_map(|part| trees.get(*part).cloned())
                .collect();
            // What is missing in it was said already.
            let said = (&Warnings::default(), &links);
            let art = parse_tree(&group.art, id, &fontdb, folder, said).ok();
            if let Some(text) = group.warning(&alive, art.as_ref(), units) {
                warnings.add(text);
            }
        }
        let inner = Inner {
            id: id.to_owned(),
            name: parts.title.unwrap_or_else(|| id.to_owned()),
            builtin: false,
            units,
            inches: parts.inches,
            layers,
            warnings: Vec::new(),
            linked: std::mem::take(&mut *links.0.lock()).into_iter().collect(),
            languages: parts.languages,
            hidden: BTreeSet::new(),
            hidden_pieces: BTreeSet::new(),
        };
        let page = Self {
            inner: Arc::new(inner),
        };
        page.too_long()
            .into_iter()
            .for_each(|text| warnings.add(text));
        Ok(Self {
            inner: Arc::new(Inner {
                warnings: warnings.take(),
                ..Inner::clone(&page.inner)
            }),
        })
    }

    /// No page at all: the live picture alone, `size` large.
    pub fn plain(size: Size) -> Self {
        let units = (size.width.max(1) as f32, size.height.max(1) as f32);
        Self {
            inner: Arc::new(Inner {
                id: "none".to_owned(),
                name: "No page".to_owned(),
                builtin: true,
                units,
                inches: None,
                layers: vec![Layer::Panel(Panel {
                    id: "live".to_owned(),
                    kind: PanelKind::Live,
                    crop: Crop::Full,
                    name: String::new(),
                    bounds: Rect {
                        x: 0.0,
                        y: 0.0,
                        width: units.0,
                        height: units.1,
                    },
                    data: Data::default(),
                    blend: Blend::Normal,
                    shape: None,
                })],
                warnings: Vec::new(),
                linked: Vec::new(),
                languages: BTreeSet::new(),
                hidden: BTreeSet::new(),
                hidden_pieces: BTreeSet::new(),
            }),
        }
    }

    /// Marks a page that ships with the program.
    pub(super) fn into_builtin(self) -> Self {
        Self {
            inner: Arc::new(Inner {
                builtin: true,
                ..Inner::clone(&self.inner)
            }),
        }
    }

    /// The same page with these layers, by their numbers, and these pieces not drawn. All stays in
    /// its place.
    pub fn hiding(
        &self,
        layers: impl IntoIterator<Item = usize>,
        pieces: impl IntoIterator<Item = Piece>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                hidden: layers.into_iter().collect(),
                hidden_pieces: pieces.into_iter().collect(),
                ..Inner::clone(&self.inner)
            }),
        }
    }

    /// Whether the layer of this number is not drawn.
    pub(super) fn hides(&self, layer: usize) -> bool {
        self.inner.hidden.contains(&layer)
    }

    /// The pieces of art that are not drawn.
    pub(super) fn hidden_pieces(&self) -> &BTreeSet<Piece> {
        &self.inner.hidden_pieces
    }

    /// What it is chosen by: the file's name without extension, or its path.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// Its title, for people.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Whether it ships with the program.
    pub fn builtin(&self) -> bool {
        self.inner.builtin
    }

    /// Width and height in page units.
    pub fn units(&self) -> (f32, f32) {
        self.inner.units
    }

    /// Width and height on paper, in inches, when the artist gave them.
    pub fn inches(&self) -> Option<(f32, f32)> {
        self.inner.inches
    }

    /// The size of a program that is as large as the page says: a unit a pixel, but a page
    /// measured on paper as it is printed, at 300 dots an inch. Sides are even (video needs that)
    /// and at most 4096.
    pub fn size(&self) -> Size {
        let (width, height) = self.inner.units;
        let scale = natural_scale(self.inner.units, self.inner.inches);
        let even = |side: f32| ((side * scale / 2.0).round() as u32 * 2).max(2);
        Size::new(even(width), even(height))
    }

    /// Its layers, the lowest first.
    pub fn layers(&self) -> &[Layer] {
        &self.inner.layers
    }

    /// Its panels, the lowest first.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.inner.layers.iter().filter_map(|layer| match layer {
            Layer::Panel(panel) => Some(panel),
            _ => None,
        })
    }

    /// The numbers of its shots, in order.
    pub fn shots(&self) -> Vec<u8> {
        let mut numbers: Vec<u8> = (self.panels().filter_map(|panel| panel.kind.shot())).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// What was left out or replaced, for the artist.
    pub fn warnings(&self) -> &[String] {
        &self.inner.warnings
    }

    /// The pictures in files of their own that it shows, or would if they were there.
    pub(super) fn linked(&self) -> &[PathBuf] {
        &self.inner.linked
    }

    /// The languages that it has art of its own for, as ISO 639 names them; none: it is drawn the
    /// same in all.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.inner.languages.iter().map(String::as_str)
    }

    /// Whether both are the same page, read at the same time.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({}, {})", self.inner.id, self.size())
    }
}

/// Pixels for each unit of a page at its own size.
fn natural_scale((width, height): (f32, f32), inches: Option<(f32, f32)>) -> f32 {
    let printed = inches.map_or(1.0, |(inches, _)| (inches * 300.0 / width).max(1.0));
    (Page::MAX_NATURAL_SIDE / width.max(height)).min(printed)
}

fn check_size((width, height): (f32, f32), page: &str) -> Result<(), PageError> {
    let side = 1.0..=100_000.0;
    let ok = side.contains(&width)
        && side.contains(&height)
        && width.max(height) <= 20.0 * width.min(height);
    if ok {
        Ok(())
    } else {
        Err(PageError::BadSize {
            width,
            height,
            page: page.to_owned(),
        })
    }
}

/// Letters that no font has, of what words say in other languages and after another.
fn other_words_miss(layer: &Layer) -> Vec<char> {
    match layer {
        Layer::Text(words) | Layer::Bubble(words) => {
            let says_words = |name: &str| {
                let name = name.strip_prefix("lines").unwrap_or(name);
                matches!(name.trim_start_matches('-'), "" | "en" | "ko")
            };
            let said = words.data.iter().filter(|(name, _)| says_words(name));
            said.flat_map(|(_, text)| lettering::missing(text))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The program's fonts and those that a page carries, under the names the page calls them by.
fn with_fonts(
    fonts: &Fonts,
    embedded: Vec<EmbeddedFont>,
    warnings: &Warnings,
) -> Arc<fontdb::Database> {
    if embedded.is_empty() {
        return fonts.database();
    }
    let mut database = fontdb::Database::clone(&fonts.database());
    for EmbeddedFont { family, file } in embedded {
        let mut one = fontdb::Database::new();
        one.load_font_source(fontdb::Source::Binary(Arc::new(file)));
        if one.is_empty() {
            warnings.add(format!("The font {family} in the page is damaged."));
        }
        for mut face in one.faces().cloned().collect::<Vec<_>>() {
            let language = fontdb::Language::English_UnitedStates;
            face.families.push((family.clone(), language));
            database.push_face_info(face);
        }
    }
    Arc::new(database)
}

fn parse_tree(
    svg: &str,
    page: &str,
    fontdb: &Arc<fontdb::Database>,
    folder: Option<&Path>,
    (warnings, links): (&Warnings, &Links),
) -> Result<usvg::Tree, PageError> {
    let (for_data, for_files, links) = (warnings.clone(), warnings.clone(), links.clone());
    let folder: Option<PathBuf> = folder.map(Path::to_owned);
    let options = usvg::Options {
        font_family: Fonts::SUBSTITUTE.to_owned(),
        font_resolver: fonts::resolver(warnings),
        fontdb: Arc::clone(fontdb),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(move |_, data, _| {
                let picture = picture(data);
                if picture.is_none() {
                    for_data.add(
                        "A picture on the page is left out: it is no PNG, JPEG, GIF or WebP, or \
                         larger than 32 megapixels."
                            .to_owned(),
                    );
                }
                picture
            }),
            resolve_string: Box::new(move |href, _| {
                picture_file(href, folder.as_deref(), &links)
                    .map_err(|why| {
                        let href: String = href.chars().take(80).collect();
                        for_files.add(format!("A picture is left out: {why} ({href})"));
                    })
                    .ok()
            }),
        },
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options).map_err(|error| match error {
        usvg::Error::InvalidSize => PageError::BadSize {
            width: 0.0,
            height: 0.0,
            page: page.to_owned(),
        },
        usvg::Error::ElementsLimitReached => PageError::TooManyObjects {
            page: page.to_owned(),
        },
        other => PageError::NotSvg {
            reason: other.to_string(),
            page: page.to_owned(),
        },
    })
}

/// A picture by what its bytes say it is, when it is small enough to decode.
fn picture(data: Arc<Vec<u8>>) -> Option<ImageKind> {
    let reader = image::ImageReader::new(std::io::Cursor::new(data.as_slice()))
        .with_guessed_format()
        .ok()?;
    let format = reader.format()?;
    let (width, height) = reader.into_dimensions().ok()?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > Page::MAX_PICTURE_PIXELS {
        return None;
    }
    match format {
        image::ImageFormat::Png => Some(ImageKind::PNG(data)),
        image::ImageFormat::Jpeg => Some(ImageKind::JPEG(data)),
        image::ImageFormat::Gif => Some(ImageKind::GIF(data)),
        image::ImageFormat::WebP => Some(ImageKind::WEBP(data)),
        _ => None,
    }
}

/// A picture beside the page, or why there is none; nothing outside the page's own folder is read.
fn picture_file(
    href: &str,
    folder: Option<&Path>,
    links: &Links,
) -> Result<ImageKind, &'static str> {
    const ELSEWHERE: &str =
        "only pictures embedded in the page, or beside it in its folder, are shown.";
    const ABSENT: &str = "there is no such file in the page's folder. Put it there, or embed it.";
    const UNUSABLE: &str =
        "its file cannot be read, is no PNG, JPEG, GIF or WebP, or is too large.";
    let folder = folder.and_then(|folder| folder.canonicalize().ok());
    let folder = folder.ok_or(ELSEWHERE)?;
    let mut parts = Path::new(href).components();
    let is_beside = !href.contains("://")
        && parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if is_beside {
        // One that is missing may come.
        let mut links = links.0.lock();
        if links.len() < Page::MAX_LAYERS {
            links.insert(folder.join(href));
        }
    }
    let missing = if is_beside { ABSENT } else { ELSEWHERE };
    let path = folder
        .join(href)
        .canonicalize()
        .map_err(|_absent| missing)?;
    if !path.starts_with(&folder) {
        return Err(ELSEWHERE);
    }
    let about = path.metadata().map_err(|_unreadable| UNUSABLE)?;
    if !about.is_file() || about.len() > Page::MAX_BYTES as u64 {
        return Err(UNUSABLE);
    }
    let file = std::fs::read(path).map_err(|_unreadable| UNUSABLE)?;
    picture(Arc::new(file)).ok_or(UNUSABLE)
}
