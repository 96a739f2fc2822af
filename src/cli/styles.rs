//! `panelcam styles`: list them, check or add a model, render a preview.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::studio::Studio;
use super::{Session, print, print_json, say};
use crate::capture::{Demo, read_photo};
use crate::frame::{Picture, Size};
use crate::inference::import::{self, Import, Imported};
use crate::inference::{Library, Model, Runtime};
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
        /// The folder, or its model.toml.
        folder: PathBuf,
    },
    /// Make a style of an ONNX file, or copy a folder with model.toml and its ONNX file.
    Add(Add),
    /// Draw a preview, of the demo or of a photo, in the style that --style names.
    Render(Preview),
}

#[derive(Args)]
struct Add {
    /// The ONNX file, or the folder.
    path: PathBuf,
    /// What to call it; its file's name without this.
    #[arg(long)]
    name: Option<String>,
    /// A picture in the style, for a network that takes one; may be given more than once.
    #[arg(long, value_name = "PICTURE")]
    art: Vec<PathBuf>,
    /// The ONNX file that turns a picture in the style into the numbers this one draws with.
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
}

/// A preview, of the demo or of a photo, in the style and on the page the command line names.
#[derive(Args)]
pub(super) struct Preview {
    /// The new picture.
    output: PathBuf,
    /// The photo to draw.
    #[arg(long)]
    photo: Option<PathBuf>,
    /// Replace what is there.
    #[arg(long)]
    overwrite: bool,
}

impl Preview {
    pub(super) fn render(&self, session: &Session) -> anyhow::Result<()> {
        let existing = self.existing()?;
        let program = Studio::open(session, false)?.draw(self.sample()?)?;
        self.save(&program, existing)
    }

    /// What becomes of a file that is there; an error when it must not be replaced.
    pub(super) fn existing(&self) -> anyhow::Result<Existing> {
        let existing = if self.overwrite {
            Existing::Overwrite
        } else {
            Existing::Refuse
        };
        existing.check(&self.output)?;
        Ok(existing)
    }

    /// The picture to draw.
    pub(super) fn sample(&self) -> anyhow::Result<Picture> {
        sample(self.photo.as_deref())
    }

    pub(super) fn save(&self, program: &Picture, existing: Existing) -> anyhow::Result<()> {
        Ok(save_picture(program, &self.output, existing)?)
    }
}

pub(super) fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command.unwrap_or(Command::List) {
        Command::List => {
            list(session, arguments.json);
            Ok(())
        }
        Command::Check { folder } => check(&folder, arguments.json),
        Command::Add(wanted) if wanted.path.is_dir() => add(session, &wanted.path),
        Command::Add(wanted) => import_file(session, wanted),
        Command::Render(preview) => preview.render(session),
    }
}

/// Makes a style of an ONNX file; the reasoning is talk, the new ids are data.
fn import_file(session: &Session, wanted: Add) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("This program's own file is not known")?;
    let wanted = Import {
        file: wanted.path,
        name: wanted.name,
        art: wanted.art,
        features: wanted.features,
    };
    let added = import::import(&session.places, &wanted, &program, &|| false, &mut say)?;
    tell_added(&added);
    Ok(())
}

fn tell_added(added: &Imported) {
    let styles = match &added.styles[..] {
        [style] => format!("style {style}"),
        styles => format!("{} styles", styles.len()),
    };
    say(&format!(
        "{} was added: {styles}. What was found can be corrected. ({})",
        added.name,
        added.folder.join("model.toml").display()
    ));
    added.styles.iter().for_each(|style| print(style));
}

/// ONNX files that were put into the folder of models become styles.
fn take_strays(session: &Session) {
    for stray in import::strays(&session.places) {
        let Ok(program) = std::env::current_exe() else {
            return;
        };
        match import::import_stray(&session.places, &stray, &program, &|| false, &mut say) {
            Ok(added) => say(&format!("{} was added.", added.name)),
            Err(error) => say(&error.to_string()),
        }
    }
}

fn list(session: &Session, json: bool) {
    take_strays(session);
    let (library, warnings) = Library::load(&session.places);
    warnings.iter().for_each(|warning| say(warning));
    if json {
        return print_json(&library.to_json());
    }
    for style in library.styles() {
        let origin = if style.builtin { "" } else { "  (added)" };
        print(&format!(
            "{:16} {} / {}{origin}",
            style.id, style.name.en, style.name.ko
        ));
    }
}

fn check(path: &Path, json: bool) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if path.ends_with("model.toml") && path.is_file() => folder,
        _ if path.is_file() => anyhow::bail!(
            "This is a file, and a described model is a folder. Name the folder or its model.toml; `panelcam styles add FILE` adds an ONNX file without one. ({})",
            path.display()
        ),
        _ => path,
    };
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

/// Copies a described model that draws.
fn add(session: &Session, folder: &Path) -> anyhow::Result<()> {
    let runtime = Runtime::load(&session.places)?;
    let added = import::copy(&session.places, folder, &runtime)?;
    tell_added(&added);
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
