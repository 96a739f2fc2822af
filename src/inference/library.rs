//! All styles there are: those of the built-in model, and those of models the user added.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::model::{Model, StyleName};
use crate::places::Places;

/// Folder of added models below the user's data.
pub(super) const FOLDER: &str = "models";
/// The most models that are read.
const LIMIT: usize = 256;

/// The styles, in the order they are shown.
#[derive(Clone, Debug, Default)]
pub struct Library {
    styles: Vec<Style>,
}

/// A style with the model that draws it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Style {
    /// What settings and the command line call it.
    pub id: String,
    /// For people.
    pub name: StyleName,
    /// Whether it is part of the program.
    pub builtin: bool,
    /// A small PNG, when there is one.
    pub thumbnail: Option<Arc<[u8]>>,
    /// What draws it.
    pub model: Arc<Model>,
    /// Its channel in the model's style map.
    pub channel: usize,
}

impl Library {
    /// The built-in styles, then those of each folder under `models/` of the user's data, by the
    /// folder's name. What is wrong is left out, with a warning; so is a style whose id is taken.
    pub fn load(places: &Places) -> (Self, Vec<String>) {
        let (mut library, mut warnings) = (Self::default(), Vec::new());
        match Model::builtin() {
            Ok(model) => library.add(model, &mut warnings),
            Err(error) => warnings.push(error.to_string()),
        }
        for folder in added(places) {
            match Model::read(&folder) {
                Ok(model) => library.add(model, &mut warnings),
                Err(error) => warnings.push(error.to_string()),
            }
        }
        (library, warnings)
    }

    /// The same, read again. A model that did not change stays the one it is, and so what is loaded
    /// of it.
    pub fn reloaded(&self, places: &Places) -> (Self, Vec<String>) {
        let (mut library, warnings) = Self::load(places);
        for style in &mut library.styles {
            if let Some(known) = self.get(&style.id)
                && known.model.is_same(&style.model)
            {
                style.model = Arc::clone(&known.model);
            }
        }
        (library, warnings)
    }

    /// The styles of one model alone.
    pub fn of(model: Model) -> Self {
        let mut library = Self::default();
        library.add(model, &mut Vec::new());
        library
    }

    /// All styles, in the order they are shown.
    pub fn styles(&self) -> &[Style] {
        &self.styles
    }

    /// All styles as programs read them.
    pub fn to_json(&self) -> serde_json::Value {
        let item = |style: &Style| {
            serde_json::json!({
                "id": style.id,
                "name": style.name.en,
                "name_ko": style.name.ko,
                "builtin": style.builtin,
                "model": style.model.id(),
            })
        };
        self.styles.iter().map(item).collect()
    }

    /// The style called `id`.
    pub fn find(&self, id: &str) -> Option<Style> {
        self.get(id).cloned()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Style> {
        self.styles.iter().find(|style| style.id == id)
    }

    fn add(&mut self, model: Model, warnings: &mut Vec<String>) {
        let model = Arc::new(model);
        let taken: HashSet<String> = self.styles.iter().map(|style| style.id.clone()).collect();
        for style in model.styles() {
            if taken.contains(&style.id) {
                warnings.push(format!(
                    "A style called {} is there already; this one is left out. Give it another id in model.toml. ({})",
                    style.id,
                    model.path().display()
                ));
                continue;
            }
            self.styles.push(Style {
                id: style.id.clone(),
                name: style.name.clone(),
                builtin: model.is_builtin(),
                thumbnail: style.thumbnail.clone(),
                model: Arc::clone(&model),
                channel: style.channel,
            });
        }
    }
}

/// Folders of added models, by name. Hidden ones are left out: they are half-written.
fn added(places: &Places) -> Vec<PathBuf> {
    let Ok(entries) = places.data.join(FOLDER).read_dir() else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| !name.to_string_lossy().starts_with('.'))
        })
        .collect();
    folders.sort();
    folders.truncate(LIMIT);
    folders
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const ONE: &str = "id = \"one\"\nname = \"One\"\nkind = \"generator\"\nfile = \"one.onnx\"\n\
        sha256 = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"\n\
        [image]\nname = \"i\"\n[picture]\nname = \"p\"\n[[styles]]\nid = \"ink\"\nname.en = \"Ink\"\n";

    #[test]
    fn builtin_styles_come_first_and_what_is_wrong_is_left_out() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::under(home.path());
        let builtin = Library::load(&places).0.styles().len();
        assert!(builtin >= 4);

        let models = places.data.join("models");
        for (folder, description) in [
            ("a-one", ONE.to_owned()),
            ("b-same", ONE.to_owned()),
            ("c-clean", ONE.replace("\"ink\"", "\"clean\"")),
            ("d-broken", "id = ".to_owned()),
            (".half", ONE.replace("\"ink\"", "\"half\"")),
        ] {
            fs::create_dir_all(models.join(folder)).unwrap();
            fs::write(models.join(folder).join("model.toml"), description).unwrap();
            fs::write(models.join(folder).join("one.onnx"), "abc").unwrap();
        }
        fs::create_dir_all(models.join("a-one/thumbnails")).unwrap();
        fs::write(models.join("a-one/thumbnails/ink.png"), "png").unwrap();
        fs::write(models.join("notes.txt"), "x").unwrap();

        let (library, warnings) = Library::load(&places);
        assert_eq!(library.styles().len(), builtin + 1);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        let ink = library.find("ink").unwrap();
        assert_eq!(
            (ink.builtin, ink.name.ko.as_str(), ink.channel),
            (false, "Ink", 0)
        );
        assert_eq!(ink.thumbnail.as_deref(), Some(b"png".as_slice()));
        assert!(library.find("clean").unwrap().builtin);

        // Read again, only the model whose description changed is another.
        let changed = ONE.replace("\"Ink\"", "\"Pen\"");
        fs::write(models.join("a-one/model.toml"), changed).unwrap();
        let (again, _) = library.reloaded(&places);
        let same = |id: &str| {
            let model = |library: &Library| library.find(id).unwrap().model;
            Arc::ptr_eq(&model(&library), &model(&again))
        };
        assert!(same("clean") && !same("ink"));
        assert_eq!(again.find("ink").unwrap().name.en, "Pen");
        assert!(library.find("half").is_none());
    }
}
