//! The fonts that pages are lettered with.

use std::sync::Arc;

use parking_lot::Mutex;
use usvg::fontdb;

/// The files, and the names under which drawing programs know them: each system reads another of
/// a font's names.
const FILES: [(&[u8], &[&str]); 2] = [
    (
        include_bytes!("../../assets/fonts/BMJUA_ttf.ttf"),
        &[
            "BM JUA",
            "BM JUA_TTF",
            "BM Jua",
            "BMJUA",
            "BMJUATTF",
            "배달의민족 주아",
        ],
    ),
    (
        include_bytes!("../../assets/fonts/BMDOHYEON_ttf.ttf"),
        &[
            "BM DoHyeon",
            "BM DoHyeon_TTF",
            "BM DOHYEON",
            "BMDoHyeon",
            "BMDOHYEON",
            "배달의민족 도현",
        ],
    ),
];

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
        for (file, names) in FILES {
            let mut one = fontdb::Database::new();
            one.load_font_source(fontdb::Source::Binary(Arc::new(file)));
            for mut face in one.faces().cloned().collect::<Vec<_>>() {
                let language = fontdb::Language::English_UnitedStates;
                face.families = names
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
        select_fallback: usvg::FontResolver::default_fallback_selector(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_there_under_the_names_the_documentation_gives() {
        let database = Fonts::embedded().database();
        for name in ["BM JUA", "BM DoHyeon"] {
            let query = fontdb::Query {
                families: &[fontdb::Family::Name(name)],
                ..fontdb::Query::default()
            };
            assert!(database.query(&query).is_some(), "{name}");
        }
    }
}
