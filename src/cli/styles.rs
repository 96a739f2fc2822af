//! `panelcam styles`: list them, or render a preview of one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::studio::Studio;
use super::{Session, print, print_json, say};
use crate::capture::{Demo, read_photo};
use crate::frame::{Picture, Size};
use crate::inference::{Library, Model};
use crate::output::{Existing, save_picture};

#[derive(Args)]
pub(super) struct Arguments {
    /// Print one JSON value.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// List the styles.
    List,
    /// Check a model: a folder with model.toml and its ONNX file.
    Check {
        /// The folder.
        folder: PathBuf,
    },
    /// Draw a preview, of the demo or of a photo, in the style that --style names.
    Render {
        /// The new picture.
        output: PathBuf,
        /// The photo to draw.
        #[arg(long)]
        photo: Option<PathBuf>,
        /// Replace what is there.
        #[arg(long)]
        overwrite: bool,
    },
}

pub(super) fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command.unwrap_or(Command::List) {
        Command::List => {
            list(session, arguments.json);
            Ok(())
        }
        Command::Check { folder } => check(&folder, arguments.json),
        Command::Render {
            output,
            photo,
            overwrite,
        } => {
            let existing = if overwrite {
                Existing::Overwrite
            } else {
                Existing::Refuse
            };
            existing.check(&output)?;
            let picture = sample(photo.as_deref())?;
            let program = Studio::open(session, false)?.draw(&picture)?;
            Ok(save_picture(&program, &output, existing)?)
        }
    }
}

fn list(session: &Session, json: bool) {
    let (library, warnings) = Library::load(&session.places);
    warnings.iter().for_each(|warning| say(warning));
    if json {
        let list: Vec<_> = library
            .styles()
            .iter()
            .map(|style| {
                json!({
                    "id": style.id,
                    "name": style.name.en,
                    "name_ko": style.name.ko,
                    "builtin": style.builtin,
                    "model": style.model.id(),
                })
            })
            .collect();
        return print_json(&list.into());
    }
    for style in library.styles() {
        let origin = if style.builtin { "" } else { "  (added)" };
        print(&format!(
            "{:16} {} / {}{origin}",
            style.id, style.name.en, style.name.ko
        ));
    }
}

fn check(folder: &Path, json: bool) -> anyhow::Result<()> {
    let model = Model::read(folder)
        .with_context(|| format!("The model cannot be used. ({})", folder.display()))?;
    if json {
        print_json(
            &json!({ "id": model.id(), "styles": model.styles().len(), "licence": model.licence() }),
        );
    } else {
        print(&format!(
            "{}: {} styles, licence {}. The file is whole.",
            model.id(),
            model.styles().len(),
            model.licence()
        ));
    }
    Ok(())
}

/// The picture previews are drawn from: a photo, or the demo.
pub(super) fn sample(photo: Option<&Path>) -> anyhow::Result<Picture> {
    if let Some(path) = photo {
        return Ok(read_photo(path)?);
    }
    let mut picture = Picture::default();
    Demo::new(Size::new(1280, 720))?.draw(45, &mut picture);
    Ok(picture)
}
