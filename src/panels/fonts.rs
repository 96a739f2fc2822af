//! The fonts that pages are lettered with.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use skrifa::MetadataProvider as _;
use usvg::{Node, fontdb};

use super::lettering;

/// A font that ships with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Typeface {
    /// BM JUA: round and friendly. Speech.
    Jua,
    /// `BM DoHyeon`: heavy. Shouts and Korean effects.
    DoHyeon,
    /// Nanum Pen: handwriting. Narration.
    NanumPen,
    /// Bangers: Latin effects.
    Bangers,
    /// Pretendard: plain. Phone messages.
    Pretendard,
}

impl Typeface {
    /// All; earlier ones are tried first for a letter that a text's own font lacks.
    pub const ALL: [Self; 5] = [
        Self::Jua,
        Self::DoHyeon,
        Self::Pretendard,
        Self::NanumPen,
        Self::Bangers,
    ];

    /// The font a drawing program knows by this name.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::ALL.into_iter().find(|face| {
            let mut names = face.names().iter();
            names.any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// The whole file.
    pub(super) fn file(self) -> &'static [u8] {
        match self {
            Self::Jua => include_bytes!("../../assets/fonts/BMJUA_ttf.ttf"),
            Self::DoHyeon => include_bytes!("../../assets/fonts/BMDOHYEON_ttf.ttf"),
            Self::NanumPen => include_bytes!("../../assets/fonts/NanumPen.ttf"),
            Self::Bangers => include_bytes!("../../assets/fonts/Bangers-Regular.ttf"),
            Self::Pretendard => include_bytes!("../../assets/fonts/ui/Pretendard-SemiBold.otf"),
        }
    }

    /// The names under which drawing programs know it: each system reads another of a font's
    /// names.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Jua => &[
                "BM JUA",
                "BM JUA_TTF",
                "BM Jua",
                "BMJUA",
                "BMJUATTF",
                "배달의민족 주아",
            ],
            Self::DoHyeon => &[
                "BM DoHyeon",
                "BM DoHyeon_TTF",
                "BM DOHYEON",
                "BMDoHyeon",
                "BMDOHYEON",
                "배달의민족 도현",
            ],
            Self::NanumPen => &[
                "Nanum Pen",
                "Nanum Pen Script",
                "NanumPen",
                "Nanum Pen Script OTF",
                "나눔손글씨 펜",
            ],
            Self::Bangers => &["Bangers", "Bangers Regular", "Bangers-Regular"],
            Self::Pretendard => &["Pretendard", "Pretendard SemiBold", "Pretendard-SemiBold"],
        }
    }
}

/// The lettering fonts of the program; fonts of the system are not used, so that a page looks the
/// same everywhere. Cloning shares them.
#[derive(Clone)]
pub struct Fonts {
    database: Arc<fontdb::Database>,
}

impl Fonts {
    /// The family used in place of one that is not there.
    pub const SUBSTITUTE: &'static str = "BM JUA";

    /// The fonts in `assets/fonts`.
    pub fn embedded() -> Self {
        let mut database = fontdb::Database::new();
        for typeface in Typeface::ALL {
            let mut one = fontdb::Database::new();
            one.load_font_source(fontdb::Source::Binary(Arc::new(typeface.file())));
            for mut face in one.faces().cloned().collect::<Vec<_>>() {
                let language = fontdb::Language::English_UnitedStates;
                face.families = typeface
                    .names()
                    .iter()
                    .map(|name| ((*name).to_owned(), language))
                    .collect();
                database.push_face_info(face);
            }
        }
        database.set_serif_family(Self::SUBSTITUTE);
        database.set_sans_serif_family(Self::SUBSTITUTE);
        database.set_cursive_family(Self::SUBSTITUTE);
        database.set_fantasy_family("BM DoHyeon");
        database.set_monospace_family("BM DoHyeon");
        Self {
            database: Arc::new(database),
        }
    }

    pub(super) fn database(&self) -> Arc<fontdb::Database> {
        Arc::clone(&self.database)
    }
}

/// Collects what had to be left out or replaced while a page was read.
#[derive(Clone, Default)]
pub(super) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// A page with more to say is broken in one way many times.
    const MOST: usize = 20;

    pub fn add(&self, text: String) {
        let mut list = self.0.lock();
        if list.len() < Self::MOST && !list.contains(&text) {
            list.push(text);
        }
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// Picks a font as SVG says, and in place of a family that is not there the substitute, with a
/// warning: usvg would drop the text without a word.
pub(super) fn resolver(warnings: &Warnings) -> usvg::FontResolver<'static> {
    let warnings = warnings.clone();
    let by_the_book = usvg::FontResolver::default_font_selector();
    usvg::FontResolver {
        select_font: Box::new(move |font, database| {
            let is_there = font.families().iter().any(|family| match family {
                usvg::FontFamily::Named(name) => database
                    .faces()
                    .any(|face| face.families.iter().any(|(known, _)| known == name)),
                _ => true,
            });
            if !is_there {
                let names: Vec<String> = font.families().iter().map(ToString::to_string).collect();
                warnings.add(format!(
                    "The font {} is not in panelcam; {} takes its place. Convert the text to \
                     paths to keep its look.",
                    names.join(", "),
                    Fonts::SUBSTITUTE
                ));
            }
            // Its own last resort is the serif family, which is the substitute.
            by_the_book(font, database)
        }),
        select_fallback: fallback(),
    }
}

/// Another font for a letter. usvg stops looking at the first letter that no font has, also for those
/// after it: any font that was not tried yet lets it go on.
fn fallback() -> usvg::FallbackSelectionFn<'static> {
    let by_the_book = usvg::FontResolver::default_fallback_selector();
    Box::new(move |letter, tried, database| {
        by_the_book(letter, tried, database).or_else(|| {
            let mut faces = database.faces();
            faces
                .find(|face| !tried.contains(&face.id))
                .map(|face| face.id)
        })
    })
}

/// The letters that a drawing writes.
pub(super) fn letters_of(group: &usvg::Group, letters: &mut BTreeSet<char>) {
    for node in group.children() {
        match node {
            Node::Group(inner) => letters_of(inner, letters),
            Node::Text(text) => {
                let chunks = text.chunks().iter();
                let written = chunks.flat_map(|chunk| chunk.text().chars());
                letters.extend(written.filter(|letter| lettering::is_seen(*letter)));
            }
            _ => {}
        }
    }
}

/// Those of `letters` that no font in `database` has.
pub(super) fn missing(letters: &BTreeSet<char>, database: &fontdb::Database) -> BTreeSet<char> {
    let mut missing = letters.clone();
    for face in database.faces() {
        if missing.is_empty() {
            break;
        }
        database.with_face_data(face.id, |file, index| {
            if let Ok(font) = skrifa::FontRef::from_index(file, index) {
                let known = font.charmap();
                missing.retain(|letter| known.map(*letter).is_none());
            }
        });
    }
    missing
}

/// An SVG without letters that no font has, and without what joins and colours them; `instead` stands
/// for each run of them.
pub(super) fn without(svg: &str, missing: &BTreeSet<char>, instead: &str) -> String {
    let mut kept = String::with_capacity(svg.len());
    for letter in svg.chars() {
        match letter {
            '\u{200d}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => {}
            letter if missing.contains(&letter) => {
                if !kept.ends_with(instead) {
                    kept.push_str(instead);
                }
            }
            letter => kept.push(letter),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_are_there_under_the_names_the_documentation_gives() {
        let database = Fonts::embedded().database();
        for name in ["BM JUA", "BM DoHyeon", "Nanum Pen", "Bangers", "Pretendard"] {
            let query = fontdb::Query {
                families: &[fontdb::Family::Name(name)],
                ..fontdb::Query::default()
            };
            assert!(database.query(&query).is_some(), "{name}");
        }
    }
}
