//! `panelcam pages`: list, add, check, render a preview.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::studio::Studio;
use super::{Session, print, print_json, say, styles};
use crate::clock::Clock;
use crate::compositor::{Compositor, Gpu, enlarged};
use crate::frame::{Picture, Size};
use crate::output::{self, Existing};
use crate::panels::{self, Fonts, Library, Page, Sheet};
use crate::people::Head;
use crate::settings::Language;
use crate::ui::message;

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
    /// List the pages.
    List,
    /// Copy an SVG into your pages, after checking it.
    Add {
        /// The SVG.
        file: PathBuf,
        /// Replace a page of the same name.
        #[arg(long)]
        overwrite: bool,
    },
    /// Tell what is alive in an SVG, and what is wrong with it.
    Check {
        /// The SVG.
        file: PathBuf,
        /// Write a picture of the page with everything alive labelled.
        #[arg(long, value_name = "OUT.png")]
        preview: Option<PathBuf>,
    },
    /// Draw the page that --page names, with the demo or a photo in it.
    Render(styles::Preview),
    /// Draw all pages on one sheet, their names under them, with the demo or a photo in them.
    Sheet {
        #[command(flatten)]
        preview: styles::Preview,
        /// How wide the sheet is.
        #[arg(long, value_name = "PIXELS", default_value_t = 1300, value_parser = clap::value_parser!(u32).range(200..=6000))]
        width: u32,
    },
}

pub(super) fn run(session: &Session, arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command.unwrap_or(Command::List) {
        Command::List => {
            list(session, arguments.json);
            Ok(())
        }
        Command::Add { file, overwrite } => add(session, &file, overwrite),
        Command::Check { file, preview } => {
            check(session, &file, preview.as_deref(), arguments.json)
        }
        Command::Render(preview) => preview.render(session),
        Command::Sheet { preview, width } => sheet(session, &preview, width),
    }
}

fn list(session: &Session, json: bool) {
    let language = session.settings.window.language;
    let (library, warnings) = Library::load(&session.places, language);
    warnings.iter().for_each(|warning| say(warning));
    if json {
        return print_json(&library.to_json(language));
    }
    for page in library.pages(language).iter() {
        let origin = if page.builtin() { "" } else { "  (added)" };
        print(&format!(
            "{:16} {:10} {}{origin}",
            page.id(),
            page.size().to_string(),
            page.name()
        ));
    }
}

fn read(session: &Session, file: &Path) -> anyhow::Result<Page> {
    let language = session.settings.window.language;
    let (library, _) = Library::load(&session.places, language);
    let page = library.read(file, language);
    page.map_err(|error| anyhow!(message(&error.to_string(), language).into_owned()))
}

/// All pages with the same picture in them, as the gallery shows them.
fn sheet(session: &Session, preview: &styles::Preview, width: u32) -> anyhow::Result<()> {
    let existing = preview.existing()?;
    let language = session.settings.window.language;
    let (library, warnings) = Library::load(&session.places, language);
    warnings.iter().for_each(|warning| say(warning));
    let pages: Vec<Page> = library
        .pages(language)
        .iter()
        .map(|page| Page::clone(page))
        .collect();
    let mut session = session.clone();
    session.common.page = None;
    let mut studio = Studio::open(&session, false)?;
    let styled = studio.stylize(preview.sample()?)?;
    let enlarged = enlarged(&styled);
    let drawing = enlarged.as_ref().unwrap_or(&styled.picture);
    let (sheet, day) = (Sheet::of(&pages, width), Clock::system().today());
    let mut pictures = Vec::with_capacity(pages.len());
    for (number, rect) in sheet.places() {
        let page = &pages[*number];
        let texts = page.texts(
            session.settings.look.texts_of(page.id()),
            language.code(),
            day,
        );
        let size = Size::new(rect.width, rect.height);
        let camera = &styled.frame.picture;
        let still = studio
            .compositor()
            .still(page, size, drawing, camera, &texts)?;
        pictures.push(still);
    }
    let sheet = sheet.draw(&pages, &pictures, &Fonts::embedded());
    preview.save(&sheet, existing)
}

/// A page with a stand-in for the live picture, in a language; without graphics its effects are left
/// out, and its words are as they are drawn.
fn drawn(page: &Page, size: Size, language: Language) -> anyhow::Result<Picture> {
    let stand_in = panels::stand_in();
    let day = Clock::system().today();
    let texts = page.texts(BTreeMap::new(), language.code(), day);
    match Gpu::headless() {
        Ok(gpu) => Ok(Compositor::new(gpu)?.still(page, size, &stand_in, &stand_in, &texts)?),
        Err(error) => {
            say(&format!("The preview shows no effects. {error}"));
            let artwork = page.rasterise(size)?;
            let focus = Head::USUAL;
            Ok(panels::preview(
                &artwork, &stand_in, &stand_in, focus, false,
            ))
        }
    }
}

fn check(session: &Session, file: &Path, preview: Option<&Path>, json: bool) -> anyhow::Result<()> {
    // The artist's language; names and numbers are the same in all.
    let language = session.settings.window.language;
    let page = read(session, file)?;
    let (found, advice) = (page.found(), page.advice());
    if let Some(preview) = preview {
        let natural = page.size();
        let longest = natural.width.max(natural.height);
        let scaled = |side: u32| (u64::from(side) * 1200 / u64::from(longest)).max(1) as u32;
        let size = Size::new(scaled(natural.width), scaled(natural.height));
        let picture = page.labelled(drawn(&page, size, language)?, &Fonts::embedded())?;
        output::save_picture(&picture, preview, Existing::Overwrite)?;
    }
    if json {
        let alive: Vec<_> = found
            .iter()
            .map(|found| {
                let bounds = found.bounds;
                json!({
                    "id": found.id, "becomes": found.becomes,
                    "x": bounds.x, "y": bounds.y, "width": bounds.width, "height": bounds.height,
                })
            })
            .collect();
        let panels: Vec<&str> = page.panels().map(|panel| panel.id.as_str()).collect();
        print_json(&json!({
            "id": page.id(), "name": page.name(), "size": page.size().to_string(),
            "languages": page.languages().collect::<Vec<_>>(),
            "panels": panels, "alive": alive, "warnings": page.warnings(), "advice": advice,
        }));
        return Ok(());
    }
    let (width, height) = page.units();
    let tell = |text: &str| print(&message(text, language));
    tell(&format!("{}: {width} x {height} units.", page.name()));
    tell("Alive, the lowest first:");
    for found in &found {
        let bounds = found.bounds;
        let remarks = found.remarks().map(|remark| message(remark, language));
        let becomes = remarks.collect::<Vec<_>>().join("; ");
        let place = format!(
            "{:.0} x {:.0} at {:.0}, {:.0}",
            bounds.width, bounds.height, bounds.x, bounds.y
        );
        let place = message(&place, language);
        print(&format!("  {:16} {becomes}\n{:19}{place}", found.id, ""));
    }
    let languages: Vec<&str> = page.languages().collect();
    if !languages.is_empty() {
        tell(&format!(
            "Some art is drawn for a language of its own: {}. This is the page where the language \
             is {}.",
            languages.join(", "),
            language.code()
        ));
    }
    for warning in page.warnings() {
        tell(&format!("warning: {warning}"));
    }
    for advice in &advice {
        tell(&format!("look at: {advice}"));
    }
    if page.warnings().is_empty() && advice.is_empty() {
        tell("Nothing was left out.");
    }
    if let Some(preview) = preview {
        let text = format!("The labelled page is in {}.", preview.display());
        say(&message(&text, language));
    }
    Ok(())
}

fn add(session: &Session, file: &Path, overwrite: bool) -> anyhow::Result<()> {
    let page = read(session, file)?;
    let folder = session.places.data.join("pages");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("The pages folder cannot be made. ({})", folder.display()))?;
    let target = folder.join(file.file_name().unwrap_or_default());
    if target.exists() && !overwrite {
        bail!(
            "A page of this name is there already. Use --overwrite to replace it. ({})",
            target.display()
        );
    }
    let copy = || -> std::io::Result<()> {
        let part = tempfile::NamedTempFile::new_in(&folder)?;
        std::fs::copy(file, part.path())?;
        part.persist(&target).map_err(|error| error.error)?;
        Ok(())
    };
    copy().with_context(|| format!("The page cannot be copied. ({})", target.display()))?;
    let language = session.settings.window.language;
    for warning in page.warnings() {
        say(&message(&format!("warning: {warning}"), language));
    }
    say(&format!(
        "{} was added. Use it with --page {}.",
        page.name(),
        page.id()
    ));
    Ok(())
}
