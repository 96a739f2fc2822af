//! A generator on disk: an ONNX file and the `model.toml` beside it that says how to feed it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::description::Description;
use super::error::InferenceError;
use super::tensor::Coding;

/// Name of the description in a model's folder.
const DESCRIPTION: &str = "model.toml";
/// The largest description that is read, in bytes.
const DESCRIPTION_LIMIT: u64 = 256 * 1024;
/// The largest ONNX file that is read, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024 * 1024;
/// The largest thumbnail that is read, in bytes.
const THUMBNAIL_LIMIT: u64 = 1024 * 1024;

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/models/toon");

/// A generator: what its `model.toml` says, checked.
#[derive(Clone, Debug)]
pub struct Model {
    id: String,
    name: String,
    licence: String,
    sha256: String,
    size_multiple: u32,
    image: Port,
    style: Option<StylePort>,
    picture: Port,
    matte: Option<String>,
    styles: Vec<ModelStyle>,
    content: Content,
}

/// A style as its model names it.
#[derive(Clone, Debug)]
pub struct ModelStyle {
    /// Unique among all styles: lower-case letters, digits, `-` and `_`.
    pub id: String,
    /// For people.
    pub name: StyleName,
    /// Which channel of the style map it is.
    pub channel: usize,
    /// A small PNG, when the model has one.
    pub thumbnail: Option<Arc<[u8]>>,
}

/// A style's name in the languages of the control panel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct StyleName {
    /// English.
    #[serde(default)]
    pub en: String,
    /// Korean.
    #[serde(default)]
    pub ko: String,
}

/// An input or output that holds a picture.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) coding: Coding,
}

/// The input that chooses styles.
#[derive(Clone, Debug)]
pub(super) struct StylePort {
    pub(super) name: String,
    /// Side in pixels of the square that one weight governs.
    pub(super) cell: u32,
    /// Channels of the map.
    pub(super) channels: usize,
}

#[derive(Clone, Debug)]
enum Content {
    Builtin(&'static [u8]),
    File(PathBuf),
}

impl Model {
    /// The model that is part of the program.
    ///
    /// # Errors
    /// When the program was built from a wrong `models/toon`; tests see to it that it was not.
    pub fn builtin() -> Result<Self, InferenceError> {
        let path = Path::new("models/toon");
        let file = |name: &str| BUILTIN.get_file(name).map(include_dir::File::contents);
        let text = file(DESCRIPTION).and_then(|bytes| std::str::from_utf8(bytes).ok());
        let description = Description::parse(text.unwrap_or_default(), &path.join(DESCRIPTION))?;
        let Some(onnx) = file(&description.file) else {
            return Err(InferenceError::Unreadable {
                why: "it is not in the program".to_owned(),
                path: path.join(&description.file),
            });
        };
        let thumbnail = |name: &str| file(name).map(Arc::from);
        Ok(Self::assemble(
            description,
            Content::Builtin(onnx),
            thumbnail,
        ))
    }

    /// The model in `folder`. Its ONNX file is read once to compare its hash.
    ///
    /// # Errors
    /// When a file is missing or too large, the description is wrong, or the hash is another.
    pub fn read(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join(DESCRIPTION);
        let bytes = read_limited(&path, DESCRIPTION_LIMIT)?;
        let text = String::from_utf8(bytes).map_err(|error| InferenceError::Description {
            why: error.to_string(),
            path: path.clone(),
        })?;
        let description = Description::parse(&text, &path)?;
        let file = folder.join(&description.file);
        let thumbnail = |name: &str| {
            let path = folder.join(name);
            let found = path.is_file().then(|| read_limited(&path, THUMBNAIL_LIMIT));
            found?
                .map(Arc::from)
                .inspect_err(|error| tracing::warn!("{error}"))
                .ok()
        };
        let model = Self::assemble(description, Content::File(file), thumbnail);
        model.onnx()?;
        Ok(model)
    }

    /// Unique among all models.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The licence of the weights, as its description names it.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// Of the ONNX file, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What both sides of a generator's picture must be a multiple of.
    pub fn size_multiple(&self) -> u32 {
        self.size_multiple
    }

    /// Its styles, in its order; at least one.
    pub fn styles(&self) -> &[ModelStyle] {
        &self.styles
    }

    /// Whether it is part of the program.
    pub fn is_builtin(&self) -> bool {
        matches!(self.content, Content::Builtin(_))
    }

    /// The ONNX file; of the built-in model, its name alone.
    pub fn path(&self) -> &Path {
        match &self.content {
            Content::Builtin(_) => Path::new("models/toon/toon.onnx"),
            Content::File(path) => path,
        }
    }

    /// Channels of its style map: 1 for a model with one style and no choice.
    pub fn channels(&self) -> usize {
        self.style.as_ref().map_or(1, |style| style.channels)
    }

    pub(super) fn image(&self) -> &Port {
        &self.image
    }

    pub(super) fn style(&self) -> Option<&StylePort> {
        self.style.as_ref()
    }

    pub(super) fn picture(&self) -> &Port {
        &self.picture
    }

    pub(super) fn matte(&self) -> Option<&str> {
        self.matte.as_deref()
    }

    /// What `description` says, with its defaults; `thumbnail` reads a file of the model's folder.
    fn assemble(
        description: Description,
        content: Content,
        thumbnail: impl Fn(&str) -> Option<Arc<[u8]>>,
    ) -> Self {
        let image = description.image.port(Coding::default());
        // A network writes as it reads, unless it says otherwise.
        let picture = description.picture.port(image.coding);
        let channels = description
            .styles
            .iter()
            .map(|style| style.channel + 1)
            .max()
            .unwrap_or(1);
        let styles = description.styles.into_iter().map(|style| {
            let thumbnail = thumbnail(&format!("thumbnails/{}.png", style.id));
            let mut name = style.name;
            // A name is never empty on screen.
            if name.en.trim().is_empty() {
                name.en.clone_from(&style.id);
            }
            if name.ko.trim().is_empty() {
                name.ko.clone_from(&name.en);
            }
            ModelStyle {
                id: style.id,
                name,
                channel: style.channel,
                thumbnail,
            }
        });
        Self {
            styles: styles.collect(),
            id: description.id,
            name: description.name,
            licence: if description.licence.is_empty() {
                "unknown".to_owned()
            } else {
                description.licence
            },
            sha256: description.sha256.to_ascii_lowercase(),
            size_multiple: description.size_multiple,
            image,
            style: description.style.map(|style| StylePort {
                name: style.name,
                cell: style.cell,
                channels: style.channels.unwrap_or(channels),
            }),
            picture,
            matte: description.matte.map(|matte| matte.name),
            content,
        }
    }

    /// The ONNX file's bytes, after a look at their hash.
    pub(super) fn onnx(&self) -> Result<std::borrow::Cow<'static, [u8]>, InferenceError> {
        match &self.content {
            // A test has compared the hash.
            Content::Builtin(bytes) => Ok((*bytes).into()),
            Content::File(path) => {
                let bytes = read_limited(path, FILE_LIMIT)?;
                let found = sha256(&bytes);
                if found != self.sha256 {
                    let expected = self.sha256.clone();
                    return Err(InferenceError::Hash {
                        expected,
                        found,
                        path: path.clone(),
                    });
                }
                Ok(bytes.into())
            }
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The file's bytes. Never more than `limit`, whatever the file's length claims to be.
fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, InferenceError> {
    let unreadable = |why: String| InferenceError::Unreadable {
        why,
        path: path.to_owned(),
    };
    if !fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .is_file()
    {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(unreadable(format!(
            "it is larger than {} MB",
            limit.div_ceil(1024 * 1024)
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inference::tensor::{Channels, Layout};

    const GOOD: &str = r#"
        id = "one"
        name = "One"
        kind = "generator"
        file = "one.onnx"
        sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        colour = "unknown keys are allowed"
        [image]
        name = "image"
        layout = "nhwc"
        range = [-1.0, 1.0]
        channels = "bgr"
        [picture]
        name = "picture"
        range = [0.0, 255.0]
        [[styles]]
        id = "one"
    "#;

    fn folder(description: &str, onnx: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.toml"), description).unwrap();
        fs::write(folder.path().join("one.onnx"), onnx).unwrap();
        folder
    }

    #[test]
    fn the_builtin_model_is_whole() {
        let model = Model::builtin().unwrap();
        assert_eq!(sha256(&model.onnx().unwrap()), model.sha256());
        assert!(model.is_builtin());
        assert!(model.styles().len() >= 4);
        assert!(model.onnx().unwrap().len() <= 4 * 1024 * 1024);
        assert_eq!(
            (model.style().unwrap().cell, model.size_multiple()),
            (16, 16)
        );
        assert!(model.matte().is_some());
        assert!(model.styles().iter().all(|style| !style.name.ko.is_ascii()));
    }

    #[test]
    fn a_description_is_read_with_its_codings() {
        let folder = folder(GOOD, b"abc");
        let model = Model::read(folder.path()).unwrap();
        let image = Coding {
            layout: Layout::Pixels,
            channels: Channels::Bgr,
            range: [-1.0, 1.0],
        };
        assert_eq!(model.image().coding, image);
        assert_eq!(
            model.picture().coding,
            Coding {
                range: [0.0, 255.0],
                ..image
            }
        );
        assert_eq!((model.channels(), model.licence()), (1, "unknown"));
        assert_eq!(
            model.styles()[0].name,
            StyleName {
                en: "one".into(),
                ko: "one".into()
            }
        );
        assert!(!model.is_builtin());
    }

    #[test]
    fn another_hash_a_missing_file_and_a_folder_are_told_apart() {
        assert!(matches!(
            Model::read(folder(GOOD, b"abd").path()),
            Err(InferenceError::Hash { .. })
        ));
        assert!(matches!(
            Model::read(folder(GOOD, b"").path()),
            Err(InferenceError::Hash { .. })
        ));
        let missing = folder(GOOD, b"abc");
        fs::remove_file(missing.path().join("one.onnx")).unwrap();
        assert!(matches!(
            Model::read(missing.path()),
            Err(InferenceError::Unreadable { .. })
        ));
        fs::create_dir(missing.path().join("one.onnx")).unwrap();
        assert!(matches!(
            Model::read(missing.path()),
            Err(InferenceError::Unreadable { .. })
        ));
        assert!(matches!(
            Model::read(Path::new("/nowhere")),
            Err(InferenceError::Unreadable { .. })
        ));
    }

    #[test]
    fn wrong_descriptions_say_what_is_wrong() {
        for (from, to, said) in [
            ("\"generator\"", "\"segmenter\"", "kind"),
            (
                "id = \"one\"\n        name",
                "id = \"../one\"\n        name",
                "lower-case",
            ),
            ("\"one.onnx\"", "\"../one.onnx\"", "name alone"),
            ("\"one.onnx\"", "\"/etc/passwd\"", "name alone"),
            ("\"ba78", "\"zz78", "hexadecimal"),
            ("[-1.0, 1.0]", "[1.0, 1.0]", "two different"),
            ("[-1.0, 1.0]", "[nan, 1.0]", "two different"),
            ("[-1.0, 1.0]", "[1.0]", "length"),
            ("[[styles]]\n        id = \"one\"", "", "0 styles"),
            (
                "[[styles]]",
                "[[styles]]\nid = \"one\"\n[[styles]]",
                "two styles",
            ),
            ("[[styles]]\n", "[[styles]]\nchannel = 3\n", "channel 3"),
            (
                "[[styles]]",
                "[style]\nname = \"s\"\ncell = 16\n[[styles]]",
                "divide",
            ),
            ("nhwc", "chwn", "nchw"),
            ("[picture]", "[drawing]", "picture"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let description = GOOD.replacen(from, to, 1);
            let error = Model::read(folder(&description, b"abc").path()).unwrap_err();
            assert!(
                matches!(error, InferenceError::Description { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn a_description_without_an_end_is_refused() {
        let text = format!("{GOOD}\n# {}", "x".repeat(DESCRIPTION_LIMIT as usize));
        let error = Model::read(folder(&text, b"abc").path()).unwrap_err();
        assert!(error.to_string().contains("larger than"), "{error}");
    }

    proptest! {
        #[test]
        fn any_description_is_read_or_refused(text in ".*", cut in 0..GOOD.len()) {
            let _ = Description::parse(&text, Path::new("x"));
            let _ = Description::parse(&GOOD[..cut], Path::new("x"));
        }
    }
}
