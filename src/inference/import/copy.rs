//! Takes a model that has a description already.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::super::error::InferenceError;
use super::super::generator::Generator;
use super::super::library::{FOLDER, Library};
use super::super::limit::LIVE;
use super::super::model::{DESCRIPTION, Model};
use super::super::runtime::Runtime;
use super::super::sizes::size_within;
use super::part::{self, Part};
use super::{ImportError, Imported};
use crate::frame::Size;
use crate::places::Places;
use crate::settings::Provider;

/// What it has to draw before it is taken.
const SAMPLE: Size = Size::new(256, 256);

/// Copies the model in `folder` to the user's models, with all files its description names, after it
/// has drawn a picture.
///
/// # Errors
/// When the description or the model is wrong, a style of that id is there already, or files cannot be
/// read or written. Nothing is left behind.
pub fn copy(places: &Places, folder: &Path, runtime: &Runtime) -> Result<Imported, ImportError> {
    let unusable = |error: InferenceError| ImportError::Unusable(error);
    let model = Arc::new(Model::read(folder).map_err(unusable)?);
    let (library, _) = Library::load(places);
    let known = library.styles().iter();
    let mut known = known.filter(|known| model.styles().iter().any(|style| style.id == known.id));
    if let Some(style) = known.next() {
        return Err(ImportError::SameId {
            style: style.id.clone(),
            path: folder.to_owned(),
        });
    }
    let size = model.drawing_size(size_within(SAMPLE, SAMPLE.width, model.size_multiple()));
    Generator::open_within(runtime, &model, size, 1, Provider::Cpu, LIVE).map_err(unusable)?;

    let models = places.data.join(FOLDER);
    let target = models.join(model.id());
    let unkept = |error: &dyn std::fmt::Display| ImportError::Folder {
        why: error.to_string(),
        path: target.clone(),
    };
    part::sweep(places);
    let part = Part::make(&models).map_err(|error| unkept(&error))?;
    let described = [DESCRIPTION.to_owned()];
    for name in described.iter().chain(model.files()) {
        let (from, to) = (folder.join(name), part.path().join(name));
        if !from.exists() {
            // A thumbnail: all else was read already.
            continue;
        }
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(&from, &to))
            .map_err(|error| unkept(&error))?;
    }
    part.name(&target).map_err(|error| unkept(&error))?;
    let styles = model.styles().iter().map(|style| style.id.clone());
    Ok(Imported {
        name: model.name().to_owned(),
        styles: styles.collect(),
        folder: target,
        slow: None,
    })
}
