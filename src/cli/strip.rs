//! `panelcam strip`: photos become the shots of a page, and the page a file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use super::studio::Studio;
use super::{Session, say};
use crate::capture::{FileKind, Read, VideoReader, kind_of, read_photo};
use crate::compositor::{Enlarger, enlarged};
use crate::frame::{Frame, Picture, Pooled};
use crate::output::Existing;
use crate::panels::{Layer, Page, Seen};
use crate::people::{self, Focus};
use crate::shots::{Ring, Shot};
use crate::strip::{self, Job, Scroll, Strip};

#[derive(Args)]
pub(super) struct Arguments {
    /// Photos or videos, one a shot, in their order. Of a video it is the last moment of its
    /// first second; in a clip its panel plays that second.
    #[arg(value_name = "IN", required = true, num_args = 1..)]
    inputs: Vec<PathBuf>,
    /// The new file, by its extension: png jpg webp gif mp4.
    #[arg(value_name = "OUT", required = true)]
    output: PathBuf,
    /// Draw it for paper: 300 pixels an inch of the page.
    #[arg(long, conflicts_with = "scroll")]
    print: bool,
    /// Lay its panels out as a vertical scroll, in numbered slices.
    #[arg(long)]
    scroll: bool,
    /// How wide a scroll is.
    #[arg(long, value_name = "PIXELS", default_value_t = 800, value_parser = clap::value_parser!(u32).range(100..=4000))]
    scroll_width: u32,
    /// The most rows of a slice.
    #[arg(long, value_name = "PIXELS", default_value_t = 1280, value_parser = clap::value_parser!(u32).range(100..=16000))]
    slice: u32,
    /// What words or a bubble of the page say; can be given several times.
    #[arg(long = "text", value_name = "NAME=TEXT", value_parser = name_and_text)]
    texts: Vec<(String, String)>,
    /// Replace what is there.
    #[arg(long)]
    overwrite: bool,
    /// Flip left and right, as in a mirror.
    #[arg(long)]
    mirror: bool,
}

fn name_and_text(written: &str) -> Result<(String, String), String> {
    match written.split_once('=') {
        Some((name, text)) if !name.is_empty() => Ok((name.to_owned(), text.replace("\\n", "\n"))),
        _ => Err("a text is written NAME=TEXT".to_owned()),
    }
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> anyhow::Result<()> {
    let existing = if arguments.overwrite {
        Existing::Overwrite
    } else {
        Existing::Refuse
    };
    if !arguments.scroll {
        existing.check(&arguments.output)?;
    }
    let mut session = session.clone();
    // A strip has a page: the one of the command line, else that of the settings.
    session
        .common
        .page
        .get_or_insert_with(|| session.settings.look.page.clone());
    let mut studio = Studio::open(&session, arguments.mirror)?;
    let Some(page) = studio.page().cloned() else {
        bail!("A strip needs a page. Name one with --page.");
    };
    let asked = arguments.texts.iter().cloned().collect();
    check_names(&page, &asked)?;
    page.unsaid(&asked).iter().for_each(|warning| say(warning));
    let mut numbers = page.shots();
    // A page without shots shows one picture in its live panels.
    if numbers.is_empty() {
        numbers.push(1);
    }
    if arguments.inputs.len() > numbers.len() {
        say(&format!(
            "The page has {} shots: {} of the {} pictures are left out.",
            numbers.len(),
            arguments.inputs.len() - numbers.len(),
            arguments.inputs.len()
        ));
    } else if arguments.inputs.len() < numbers.len() {
        say(&format!(
            "The page has {} shots and there are {} pictures: they are used again.",
            numbers.len(),
            arguments.inputs.len()
        ));
    }
    let mut shots = vec![None; crate::shots::MOST];
    let mut drawn: Vec<Shot> = Vec::new();
    let mut camera = None;
    for (at, number) in numbers.iter().enumerate() {
        if at < arguments.inputs.len() {
            let input = &arguments.inputs[at];
            let (shot, frame) = shot_of(&mut studio, input)
                .with_context(|| format!("No shot {number} ({})", input.display()))?;
            drawn.push(shot);
            camera = Some(frame);
        }
        if let Some(place) = shots.get_mut(usize::from(*number) - 1) {
            *place = drawn.get(at % arguments.inputs.len()).cloned();
        }
    }
    let mut texts = studio.texts().clone();
    texts.extend(asked);
    let strip = Strip {
        page,
        shots,
        camera,
        texts,
        mirror: arguments.mirror,
    };
    let job = if arguments.print {
        Job::Print
    } else if arguments.scroll {
        Job::Scroll(Scroll {
            width: arguments.scroll_width,
            slice: arguments.slice,
            ..Scroll::default()
        })
    } else {
        Job::Screen(session.common.size)
    };
    let files = strip::save(
        &strip,
        studio.compositor(),
        &arguments.output,
        job,
        existing,
    )?;
    for file in files {
        super::print(&file.display().to_string());
    }
    Ok(())
}

/// A name that the page does not know would change nothing.
fn check_names(page: &Page, texts: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let mut known: Vec<&str> = page
        .layers()
        .iter()
        .filter_map(|layer| match layer {
            Layer::Text(words) | Layer::Bubble(words) => Some(words.key()),
            _ => None,
        })
        .collect();
    known.sort_unstable();
    known.dedup();
    match texts.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) if known.is_empty() => bail!(
            "Nothing on the page {} can say {name}: it has no words that can be changed.",
            page.id()
        ),
        Some(name) => bail!(
            "The page {} has no words called {name}. There are {}.",
            page.id(),
            known.join(", ")
        ),
    }
}

/// Draws the shot that a file gives, and what it was drawn from.
fn shot_of(studio: &mut Studio, input: &std::path::Path) -> anyhow::Result<(Shot, Arc<Frame>)> {
    let mut pictures = match kind_of(input)? {
        FileKind::Photo => vec![read_photo(input)?],
        FileKind::Video => first_second(input)?,
    };
    let last = pictures.pop().context("The file has no picture")?;
    let styled = studio.stylize(last)?;
    let drawing = match enlarged(&styled) {
        Some(picture) => Arc::new(Pooled::from(picture)),
        None => Arc::clone(&styled.picture),
    };
    let mut second = Vec::with_capacity(pictures.len() + 1);
    for picture in pictures {
        let (mut small, styled) = (Picture::default(), studio.stylize(picture)?);
        if !Enlarger::default().within(&styled, Ring::LONG_SIDE, &mut small) {
            small.copy_from(&styled.picture);
        }
        second.push(Arc::new(small));
    }
    let faces = people::faces(&drawing, &styled.faces);
    let focus = Focus::default().follow(&faces, Duration::ZERO);
    let seen = Seen {
        size: drawing.size(),
        focus,
        faces,
        turns: None,
    };
    let shot = Shot {
        drawing,
        seen,
        second,
    };
    Ok((shot, styled.frame))
}

/// Pictures of the first second of a video, as many as a shot keeps.
fn first_second(path: &std::path::Path) -> anyhow::Result<Vec<Picture>> {
    let mut reader = VideoReader::open(&path.to_string_lossy(), None)?;
    let rate = reader.info().rate.as_f64().clamp(1.0, 240.0);
    let every = (rate / f64::from(Ring::FPS)).max(1.0);
    let (mut pictures, mut due) = (Vec::new(), 0.0);
    for index in 0..rate.ceil() as u64 {
        let mut picture = Picture::default();
        if !matches!(reader.read(&mut picture)?, Read::Frame) {
            break;
        }
        if index as f64 >= due {
            pictures.push(picture);
            due += every;
        }
    }
    Ok(pictures)
}
