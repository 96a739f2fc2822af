//! Makes styles of an ONNX file that comes without a description.
//!
//! What the file says of itself is read first (`onnx.rs`): which inputs and outputs there are, and
//! what its first and last operators do. The rest is found by trying: the network runs on a test
//! picture in every usual coding (`describe.rs`), in a process of its own with a time limit and a
//! memory limit (`child.rs`), for it may hang, crash or take all memory. Nothing appears among the
//! user's models until all of it is there.

mod card;
mod child;
mod coding;
mod copy;
mod describe;
mod evidence;
mod features;
mod file;
mod fitting;
mod network;
mod onnx;
mod part;
mod probe;
mod renamed;
mod roles;
mod sizing;
mod strays;
mod strength;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use child::{Names, describe_here, limit_memory};
pub use copy::copy;
pub use strays::{Stray, import_stray, strays};

use self::file::OnnxFile;
use self::network::Extra;
use self::part::Part;
use super::error::InferenceError;
use super::files::{PICTURE_LIMIT, read_limited};
use super::library::{FOLDER, Library};
use super::model::Model;
use crate::places::Places;

/// The most pictures in a style that are kept.
const ART_LIMIT: usize = 64;
/// The largest picture in a style that is read, in bytes.
const ART_BYTES_LIMIT: u64 = 64 * 1024 * 1024;
/// The longest side of a picture in a style that is kept.
const ART_SIDE: u32 = 512;
/// Styles whose thumbnails serve a network that needs a picture in the style, when none is given.
const DEFAULT_ART: [&str; 4] = ["watercolour", "pop", "noir", "fantasy"];
/// How often another process may take an id first.
const RENAMES: usize = 32;
/// The longest id that is made of a name.
const ID_LENGTH: usize = 40;

/// What is to be added.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The ONNX file.
    pub file: PathBuf,
    /// What to call it; its file's name when absent.
    pub name: Option<String>,
    /// Pictures in the style, for a network that takes one: each becomes a style.
    pub art: Vec<PathBuf>,
    /// The ONNX file of the network that turns them into numbers, for one that takes those.
    pub features: Option<PathBuf>,
}

/// What was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// For people.
    pub name: String,
    /// Ids of its styles; at least one.
    pub styles: Vec<String>,
    /// Its folder.
    pub folder: PathBuf,
    /// That it is slow, if it is, for people.
    pub slow: Option<String>,
}

/// Why a file did not become a style.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be one.
    #[error("This cannot become a style: {why}. {fix}. ({})", .path.display())]
    Refused {
        /// What is in the way.
        why: String,
        /// What to do.
        fix: String,
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("The model cannot be read: {why}. Check the file and its rights. ({})", .path.display())]
    Unreadable {
        /// What the system says.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// It is among the user's models already.
    #[error("This model is there already, as style {style}. Choose that style. ({})", .path.display())]
    AlreadyThere {
        /// Id of its first style.
        style: String,
        /// The file.
        path: PathBuf,
    },
    /// Weights beside the file that cannot be taken.
    #[error("The model's weights are in other files, and {why}. Put all files of the model into one folder. ({})", .path.display())]
    External {
        /// What is wrong with them.
        why: String,
        /// The ONNX file.
        path: PathBuf,
    },
    /// A picture in the style.
    #[error("The picture in the style cannot be read: {why}. Choose another. ({})", .path.display())]
    Art {
        /// What is wrong with it.
        why: String,
        /// The picture.
        path: PathBuf,
    },
    /// The network ended the process that tried it.
    #[error("The model made ONNX Runtime crash while it was tried ({why}). Export it again or take another. ({})", .path.display())]
    Crashed {
        /// How the process ended.
        why: String,
        /// The file.
        path: PathBuf,
    },
    /// It took too long.
    #[error("The model was tried for {seconds} seconds without an end: it is too slow, or holds a loop that never ends. Take another. ({})", .path.display())]
    Endless {
        /// How long.
        seconds: u64,
        /// The file.
        path: PathBuf,
    },
    /// A described model that cannot draw.
    #[error(transparent)]
    Unusable(InferenceError),
    /// A described model has a style with an id that is taken.
    #[error("There is a style called {style} already. Give it another id in model.toml. ({})", .path.display())]
    SameId {
        /// The id.
        style: String,
        /// The model's folder.
        path: PathBuf,
    },
    /// Nobody waits for it any more.
    #[error("The model was not tried to the end. Add it again. ({})", .path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
    },
    /// The user's folder of models.
    #[error("The style cannot be kept: {why}. Make the folder writable, or free space. ({})", .path.display())]
    Folder {
        /// What the system says.
        why: String,
        /// The folder.
        path: PathBuf,
    },
}

impl ImportError {
    /// Whether the same file would be refused again: not when something else was in the way.
    fn lasts(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::External { .. }
            | Self::Art { .. }
            | Self::Endless { .. }
            | Self::Unusable(_)
            | Self::SameId { .. }
            | Self::AlreadyThere { .. } => true,
            Self::Unreadable { .. }
            | Self::Crashed { .. }
            | Self::Stopped { .. }
            | Self::Folder { .. } => false,
        }
    }
}

/// Why a network cannot be a style, found by looking at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    why: String,
    fix: String,
}

impl Refusal {
    fn new(why: String, fix: &str) -> Self {
        Self {
            why,
            fix: fix.to_owned(),
        }
    }

    fn not_onnx() -> Self {
        Self::new(
            "it is not an ONNX file, or only a part of one".to_owned(),
            "Get the file again",
        )
    }

    fn of(self, path: &Path) -> ImportError {
        ImportError::Refused {
            why: self.why,
            fix: self.fix,
            path: path.to_owned(),
        }
    }
}

/// What failed, without advice and without a path: the file lies where nobody but the program knows it.
fn plain(error: &InferenceError) -> String {
    match error {
        InferenceError::Unreadable { why, .. }
        | InferenceError::Description { why, .. }
        | InferenceError::Broken { why, .. }
        | InferenceError::Contract { why, .. }
        | InferenceError::Run { why, .. } => why.clone(),
        other => {
            let text = other.to_string();
            let text = text
                .rsplit_once(" (")
                .map_or(text.as_str(), |(text, _)| text);
            text.trim_end_matches('.').to_owned()
        }
    }
}

/// Adds a style: describes the network in a process of its own, `program` with the hidden command
/// that calls [`describe_here`], and puts it among the user's models. Reasoning goes to `say`, a
/// line at a time, as it is found; it ends early when `stopped`.
///
/// # Errors
/// When it cannot become a style, or files cannot be read or written. Nothing is left behind.
pub fn import(
    places: &Places,
    wanted: &Import,
    program: &Path,
    stopped: &dyn Fn() -> bool,
    say: &mut dyn FnMut(&str),
) -> Result<Imported, ImportError> {
    part::sweep(places);
    let path = wanted.file.as_path();
    let network = OnnxFile::read(path)?;
    let hash = network.sha256();
    let (library, _) = Library::load(places);
    if let Some(style) = library
        .styles()
        .iter()
        .find(|style| style.model.sha256() == hash)
    {
        return Err(ImportError::AlreadyThere {
            style: style.id.clone(),
            path: path.to_owned(),
        });
    }
    let features = wanted.features.as_deref().map(features::read).transpose()?;
    let beside = roles::Beside::of(features.is_some());
    let roles = roles::find(&network.onnx, beside).map_err(|refusal| refusal.of(path))?;
    let takes_art = roles
        .extras
        .iter()
        .any(|extra| matches!(extra.kind, Extra::StylePicture | Extra::Features));
    let name = name(wanted);
    let asked = name;
    let (id, name) = free(&asked, &library, places);

    let models = places.data.join(FOLDER);
    let unkept = |error: &dyn std::fmt::Display| ImportError::Folder {
        why: error.to_string(),
        path: models.clone(),
    };
    let part = Part::make(&models).map_err(|error| unkept(&error))?;
    let file = format!("{id}.onnx");
    network
        .copy(part.path(), &file)
        .map_err(|error| unkept(&error))?;
    let beside = features
        .map(|features| {
            let folder = part.path().join(features::FOLDER);
            features
                .copy(&folder, features::FILE)
                .map_err(|error| unkept(&error))?;
            Ok(folder)
        })
        .transpose()?;
    let pictures = if takes_art {
        art(wanted, &library, part.path()).map_err(|error| match error {
            // Its own is hidden.
            ImportError::Folder { why, .. } => unkept(&why),
            error => error,
        })?
    } else {
        0
    };
    let names = child::Names {
        id: &id,
        name: &name,
        pictures,
        features: beside.is_some(),
    };
    let slow = child::run(program, part.path(), &file, &names, path, stopped, say)?;
    if let Some(beside) = beside {
        // Its numbers are in the description.
        fs::remove_dir_all(beside).map_err(|error| unkept(&error))?;
    }

    let (id, name, model) = settle(&part, &asked, (id, name), places, path)?;
    let styles = model.styles().iter().map(|style| style.id.clone());
    Ok(Imported {
        name,
        styles: styles.collect(),
        folder: models.join(id),
        slow,
    })
}

/// Gives a described model its place among the user's. Another process may have taken its id meanwhile:
/// then it gets the next one.
fn settle(
    part: &Part,
    asked: &str,
    (mut id, mut name): (String, String),
    places: &Places,
    path: &Path,
) -> Result<(String, String, Model), ImportError> {
    let models = places.data.join(FOLDER);
    let unkept = |error: io::Error| ImportError::Folder {
        why: error.to_string(),
        path: models.clone(),
    };
    for _ in 0..RENAMES {
        // What another process wrote is read as any model is.
        let model = Model::read(part.path()).map_err(|error| ImportError::Crashed {
            why: plain(&error),
            path: path.to_owned(),
        })?;
        match part.name(&models.join(&id)) {
            Ok(()) => return Ok((id, name, model)),
            Err(error) if !models.join(&id).exists() => return Err(unkept(error)),
            Err(_) => {}
        }
        let (library, _) = Library::load(places);
        let is_same = |style: &&super::Style| style.model.sha256() == model.sha256();
        if let Some(style) = library.styles().iter().find(is_same) {
            return Err(ImportError::AlreadyThere {
                style: style.id.clone(),
                path: path.to_owned(),
            });
        }
        let (next_id, next_name) = free(asked, &library, places);
        renamed::rename(part.path(), &model, (&id, &name), (&next_id, &next_name))
            .map_err(unkept)?;
        (id, name) = (next_id, next_name);
    }
    Err(unkept(io::ErrorKind::AlreadyExists.into()))
}

/// Puts pictures in the style into `folder`; gives how many.
fn art(wanted: &Import, library: &Library, folder: &Path) -> Result<usize, ImportError> {
    let mut pictures = Vec::new();
    for path in wanted.art.iter().take(ART_LIMIT) {
        let wrong = |why: String| ImportError::Art {
            why,
            path: path.clone(),
        };
        let bytes =
            read_limited(path, ART_BYTES_LIMIT).map_err(|error| wrong(error.to_string()))?;
        pictures.push(decode(&bytes).map_err(wrong)?);
    }
    if pictures.is_empty() {
        let own = DEFAULT_ART
            .iter()
            .filter_map(|id| library.get(id)?.thumbnail.as_deref())
            .filter_map(|png| decode(png).ok());
        pictures.extend(own);
    }
    let save = |at: usize, picture: &image::RgbImage| -> Result<(), String> {
        let file = folder.join(write::style_picture(at));
        fs::create_dir_all(file.parent().unwrap_or(folder)).map_err(|error| error.to_string())?;
        picture.save(file).map_err(|error| error.to_string())
    };
    for (at, picture) in pictures.iter().enumerate() {
        save(at, picture).map_err(|why| ImportError::Folder {
            why,
            path: folder.to_owned(),
        })?;
    }
    Ok(pictures.len())
}

/// Small enough to be kept as PNG.
fn decode(bytes: &[u8]) -> Result<image::RgbImage, String> {
    let mut reader = image::ImageReader::new(io::Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| error.to_string())?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(16_384);
    limits.max_image_height = Some(16_384);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| error.to_string())?;
    let mut side = ART_SIDE;
    loop {
        let small = image.thumbnail(side.min(image.width()), side.min(image.height()));
        let small = small.into_rgb8();
        // Without compression at worst; a PNG is hardly larger.
        if small.as_raw().len() as u64 + 4096 <= PICTURE_LIMIT || side <= 64 {
            return Ok(small);
        }
        side /= 2;
    }
}

/// What to call it.
fn name(wanted: &Import) -> String {
    let stem = || {
        wanted
            .file
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let name = wanted.name.clone().unwrap_or_else(stem);
    let name: String = name
        .chars()
        .map(|c| if c == '_' || c.is_control() { ' ' } else { c })
        .take(80)
        .collect();
    let mut letters = name.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Style".to_owned(),
    }
}

/// A name's lower-case letters and digits, with `-` for all others.
fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= ID_LENGTH {
            break;
        }
    }
    let id = id.trim_matches('-');
    if id.is_empty() {
        "style".to_owned()
    } else {
        id.to_owned()
    }
}

/// The id of a name, and the name, both with a number when the id is taken.
fn free(name: &str, library: &Library, places: &Places) -> (String, String) {
    let id = free_id(name, library, places);
    let name = match id.strip_prefix(&slug(name)) {
        Some(number) if !number.is_empty() => format!("{name} {}", number.trim_matches('-')),
        _ => name.to_owned(),
    };
    (id, name)
}

/// The id of a name, with a number when it is taken.
fn free_id(name: &str, library: &Library, places: &Places) -> String {
    let base = slug(name);
    let taken = |id: &str| {
        let numbered = format!("{id}-");
        places.data.join(FOLDER).join(id).exists()
            || library.styles().iter().any(|style| {
                style.id == id
                    || style.model.id() == id
                    // Styles of a network with many are called so.
                    || style.id.strip_prefix(&numbered).is_some_and(|rest| {
                        rest.bytes().all(|c| c.is_ascii_digit())
                    })
            })
    };
    std::iter::once(base.clone())
        .chain((2..10_000).map(|number| format!("{base}-{number}")))
        .find(|id| !taken(id))
        .unwrap_or(base)
}

/// Reads an ONNX file and finds out what its inputs and outputs are for.
#[cfg(fuzzing)]
pub(super) fn read_for_fuzzing(bytes: &[u8]) {
    if let Ok(onnx) = onnx::Onnx::parse(bytes) {
        for beside in [roles::Beside::Nothing, roles::Beside::Features] {
            let _ = roles::find(&onnx, beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_in_a_hidden_folder_is_told_without_it() {
        let path = PathBuf::from("models/.adding-x/x.onnx");
        let (why, size) = ("a (b)".to_owned(), crate::frame::Size::new(8, 8));
        for (error, told) in [
            (
                InferenceError::Broken {
                    why,
                    path: path.clone(),
                },
                "a (b)",
            ),
            (
                InferenceError::NotANumber { path: path.clone() },
                "not numbers",
            ),
            (
                InferenceError::Size {
                    size,
                    multiple: 16,
                    path,
                },
                "multiple of 16",
            ),
        ] {
            let plain = plain(&error);
            assert!(
                plain.contains(told) && !plain.contains(".adding"),
                "{plain}"
            );
        }
    }

    #[test]
    fn ids_are_made_of_names() {
        for (name, id) in [
            ("Hayao 60", "hayao-60"),
            ("  ", "style"),
            ("웹툰", "style"),
            ("a__b//c", "a-b-c"),
            ("-x-", "x"),
        ] {
            assert_eq!(slug(name), id);
        }
        assert!(slug(&"long ".repeat(50)).len() <= ID_LENGTH);
        let wanted = Import {
            file: "/somewhere/face_paint.onnx".into(),
            ..Import::default()
        };
        assert_eq!(name(&wanted), "Face paint");
    }
}
