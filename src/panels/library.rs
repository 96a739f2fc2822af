//! The pages there are: those that ship with the program and the user's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use include_dir::{Dir, include_dir};
use parking_lot::{Mutex, RwLock};

use crate::frame::Size;
use crate::places::Places;
use crate::settings::Language;

use super::{Fonts, Page, PageError};

/// Pages that ship with the program.
static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/pages");

/// Their ids in the order of the gallery: panels, stories, keepsakes, strips, streams.
const ORDER: [&str; 24] = [
    "webtoon",
    "two-panel",
    "plain",
    "close-up",
    "corridor",
    "petals",
    "action",
    "rooftop",
    "gloom",
    "manga",
    "scroll",
    "group",
    "desk-mate",
    "visual-novel",
    "cover",
    "photo-card",
    "profile",
    "news",
    "strip-pop",
    "strip-ink",
    "strip-sky",
    "stream-scene",
    "stream-chat",
    "stream-corner",
];

/// The most pages read from the user's folder.
const MOST: usize = 200;

/// A file and its dates.
type Dated = (PathBuf, Dates);

/// The dates of a page's file and of the pictures it links.
type Dates = Vec<Option<SystemTime>>;

/// A page opened by path: read again when a date changes.
type Opened = (PathBuf, Dates, Page);

/// All pages, and those that were opened by path, in every language that was asked for.
pub struct Library {
    fonts: Fonts,
    /// The user's folder.
    folder: PathBuf,
    /// In the order of [`Language::ALL`].
    shelves: [OnceLock<Shelf>; Language::ALL.len()],
}

/// The pages as they are drawn in a language.
struct Shelf {
    shipped: Vec<Arc<Page>>,
    pages: RwLock<Arc<[Arc<Page>]>>,
    /// The files in the user's folder when it was last looked at, each with its last good page.
    files: Mutex<Vec<(Dated, Option<Arc<Page>>)>>,
    opened: Mutex<Vec<Opened>>,
}

impl Library {
    /// Reads the pages that ship with the program and those in the user's `pages` folder, in a
    /// language; others follow when somebody asks for them. A page that cannot be used is left out;
    /// the list says why. A user's page takes the place of a shipped one with the same id.
    pub fn load(places: &Places, language: Language) -> (Self, Vec<String>) {
        let library = Self {
            fonts: Fonts::embedded(),
            folder: places.data.join("pages"),
            shelves: Default::default(),
        };
        let (shelf, warnings) = library.fill(language);
        // Nobody else has it yet.
        let _ = library.place(language).set(shelf);
        (library, warnings)
    }

    /// The pages, those that ship with the program first.
    pub fn pages(&self, language: Language) -> Arc<[Arc<Page>]> {
        Arc::clone(&self.shelf(language).pages.read())
    }

    /// The pages when they were read in this language before: asking takes no time.
    pub fn known(&self, language: Language) -> Option<Arc<[Arc<Page>]>> {
        let shelf = self.place(language).get()?;
        Some(Arc::clone(&shelf.pages.read()))
    }

    /// The pages as programs read them.
    pub fn to_json(&self, language: Language) -> serde_json::Value {
        let item = |page: &Arc<Page>| {
            serde_json::json!({
                "id": page.id(),
                "name": page.name(),
                "builtin": page.builtin(),
                "size": page.size().to_string(),
            })
        };
        self.pages(language).iter().map(item).collect()
    }

    /// Looks at the user's folder again; `true` when the list has changed. A file that cannot be
    /// used any more keeps its last good page.
    pub fn refresh(&self) -> bool {
        let mut changed = false;
        for (language, place) in Language::ALL.into_iter().zip(&self.shelves) {
            if let Some(shelf) = place.get() {
                changed |= shelf.refresh(&self.folder, &|path| self.read(path, language));
            }
        }
        changed
    }

    /// The page with this id, or the one in this file, as it is drawn in a language. `none` is
    /// [`Page::plain`] at 1280x720: who knows the frame's size makes it themselves.
    ///
    /// # Errors
    /// When there is none, or the file cannot be used.
    pub fn page(&self, id_or_path: &str, language: Language) -> Result<Page, PageError> {
        if id_or_path == "none" {
            return Ok(Page::plain(Size::new(1280, 720)));
        }
        let shelf = self.shelf(language);
        let open = |path: &Path| shelf.open(path, &|path| self.read(path, language));
        let pages = Arc::clone(&shelf.pages.read());
        if let Some(page) = pages.iter().find(|page| page.id() == id_or_path) {
            // A file of the user may have changed since.
            let is_its = |path: &PathBuf| stem(path).as_deref() == Some(id_or_path);
            let file = shelf
                .files
                .lock()
                .iter()
                .map(|((path, _), _)| path.clone())
                .find(is_its);
            return match file.filter(|path| !page.builtin() && path.exists()) {
                Some(path) => open(&path),
                None => Ok(Page::clone(page)),
            };
        }
        let path = Path::new(id_or_path);
        let is_path = path.components().count() > 1
            || path
                .extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"));
        if is_path {
            return open(path);
        }
        let known: Vec<&str> = pages.iter().map(|page| page.id()).collect();
        Err(PageError::Unknown {
            id: id_or_path.to_owned(),
            known: format!("none, {}", known.join(", ")),
        })
    }

    /// Reads the page in a file, whether or not it was read before.
    ///
    /// # Errors
    /// When the file cannot be read or is no page.
    pub fn read(&self, path: &Path, language: Language) -> Result<Page, PageError> {
        read(path, &self.fonts, language)
    }

    /// The size of a program that is as large as the page says; 1280x720 for a page that cannot
    /// be used.
    pub fn size(&self, id_or_path: &str, language: Language) -> Size {
        self.page(id_or_path, language)
            .map_or(Size::new(1280, 720), |page| page.size())
    }

    fn place(&self, language: Language) -> &OnceLock<Shelf> {
        &self.shelves[language as usize]
    }

    fn shelf(&self, language: Language) -> &Shelf {
        self.place(language).get_or_init(|| {
            let (shelf, warnings) = self.fill(language);
            for warning in warnings {
                // Whoever shows it is told.
                tracing::debug!("A page is left out: {warning}");
            }
            shelf
        })
    }

    /// Reads all pages in a language, but for those that are there in another and the same in both.
    fn fill(&self, language: Language) -> (Shelf, Vec<String>) {
        let other = self.shelves.iter().find_map(OnceLock::get);
        let is_same = |page: &&Arc<Page>| page.languages().next().is_none();
        let same = |id: &str| {
            let mut pages = other?.shipped.iter().filter(is_same);
            pages.find(|page| page.id() == id).cloned()
        };
        let (mut pages, mut warnings) = (Vec::new(), Vec::new());
        for result in shipped(&self.fonts, language, &same) {
            match result {
                Ok(page) => pages.push(page),
                Err(error) => warnings.push(error.to_string()),
            }
        }
        let other = other.map(|shelf| shelf.files.lock().clone());
        let mut files = Vec::new();
        for path in svg_files(&self.folder) {
            let date = date_of(&path);
            let known = other.iter().flatten().find(|(dated, page)| {
                let page = page.as_ref().filter(is_same);
                page.is_some_and(|page| *dated == (path.clone(), dates_of(date, Some(page))))
            });
            if let Some(known) = known {
                files.push(known.clone());
                continue;
            }
            let page = self.read(&path, language);
            let page = page.map_err(|error| warnings.push(error.to_string()));
            let page = page.ok().map(Arc::new);
            let dates = dates_of(date, page.as_deref());
            files.push(((path, dates), page));
        }
        let shelf = Shelf {
            pages: RwLock::new(together(&pages, &files)),
            shipped: pages,
            files: Mutex::new(files),
            opened: Mutex::default(),
        };
        (shelf, warnings)
    }
}

/// Reads the page in a file.
type Read<'a> = &'a dyn Fn(&Path) -> Result<Page, PageError>;

impl Shelf {
    fn refresh(&self, folder: &Path, read: Read) -> bool {
        let mut files = self.files.lock();
        let newest: Vec<Dated> = svg_files(folder)
            .into_iter()
            .map(|path| {
                let known = files.iter().find(|((known, _), _)| *known == path);
                let page = known.and_then(|(_, page)| page.as_deref());
                let dates = dates_of(date_of(&path), page);
                (path, dates)
            })
            .collect();
        if files.iter().map(|(known, _)| known).eq(&newest) {
            return false;
        }
        *files = newest
            .into_iter()
            .map(|dated| {
                let known = files.iter().find(|((path, _), _)| *path == dated.0);
                let page = match known {
                    Some((known, page)) if *known == dated => return (dated, page.clone()),
                    known => match read(&dated.0) {
                        Ok(page) => Some(Arc::new(page)),
                        // Whoever shows it is told.
                        Err(error) => {
                            tracing::debug!("A page keeps its last good state: {error}");
                            known.and_then(|(_, page)| page.clone())
                        }
                    },
                };
                let (path, dates) = dated;
                let dates = dates_of(dates.into_iter().next().flatten(), page.as_deref());
                ((path, dates), page)
            })
            .collect();
        *self.pages.write() = together(&self.shipped, &files);
        true
    }

    fn open(&self, path: &Path, read: Read) -> Result<Page, PageError> {
        let date = date_of(path);
        let mut opened = self.opened.lock();
        if let Some((.., page)) = opened.iter().find(|(known, dates, page)| {
            known == path && date.is_some() && *dates == dates_of(date, Some(page))
        }) {
            return Ok(page.clone());
        }
        let page = read(path)?;
        opened.retain(|(known, ..)| known != path);
        opened.push((path.to_owned(), dates_of(date, Some(&page)), page.clone()));
        Ok(page)
    }
}

/// The dates of a page's file and of the pictures it links, as far as it is known. The file's `date` is
/// from before it was read: what is saved meanwhile is newer.
fn dates_of(date: Option<SystemTime>, page: Option<&Page>) -> Dates {
    let linked = page.map_or(&[][..], Page::linked).iter();
    std::iter::once(date)
        .chain(linked.map(|path| date_of(path)))
        .collect()
}

fn date_of(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// Shipped pages and the user's; those with the id of a shipped one take its place.
fn together(shipped: &[Arc<Page>], files: &[(Dated, Option<Arc<Page>>)]) -> Arc<[Arc<Page>]> {
    let mut pages = shipped.to_vec();
    for page in files.iter().filter_map(|(_, page)| page.as_ref()) {
        match pages.iter_mut().find(|old| old.id() == page.id()) {
            Some(old) => *old = Arc::clone(page),
            None => pages.push(Arc::clone(page)),
        }
    }
    pages.into()
}

/// All shipped pages, in their order; `known` has those that need not be read. They are read side by
/// side: nobody waits for the last one longer than for the slowest.
fn shipped(
    fonts: &Fonts,
    language: Language,
    known: &(dyn Fn(&str) -> Option<Arc<Page>> + Sync),
) -> Vec<Result<Arc<Page>, PageError>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parse = |id: &&str| {
        if let Some(page) = known(id) {
            return Some(Ok(page));
        }
        let svg = SHIPPED.get_file(format!("{id}.svg"))?.contents();
        let page = Page::parse_in(svg, id, fonts, None, Some(language));
        Some(page.map(|page| Arc::new(page.into_builtin())))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = ORDER
            .chunks(ORDER.len().div_ceil(cores))
            .map(|ids| scope.spawn(move || ids.iter().filter_map(parse).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    })
}

fn read(path: &Path, fonts: &Fonts, language: Language) -> Result<Page, PageError> {
    let unreadable = |error| PageError::Unreadable {
        path: path.to_owned(),
        error,
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    // A pipe or a device could be read for ever.
    if !about.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a file")));
    }
    if about.len() > Page::MAX_BYTES as u64 {
        let page = path.display().to_string();
        return Err(PageError::TooLarge { page });
    }
    let svg = fs::read(path).map_err(unreadable)?;
    let id = path.file_stem().map_or_else(
        || "page".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    // A bare name lies in the folder one works in.
    let folder = path.parent().map(|folder| match folder.to_str() {
        Some("") => Path::new("."),
        _ => folder,
    });
    let page = Page::parse_in(&svg, &id, fonts, folder, Some(language));
    page.map_err(|error| error.in_file(path))
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_string_lossy().into_owned())
}

fn svg_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"))
        })
        .take(MOST)
        .collect();
    files.sort();
    files
}
