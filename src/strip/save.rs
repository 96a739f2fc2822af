//! Strips as files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Scroll, Strip};
use crate::clock::Clock;
use crate::compositor::{Compositor, CompositorError, Gpu, enlarged};
use crate::frame::{Picture, Pooled, Size};
use crate::output::{
    self, Existing, OutputError, PictureFormat, VideoFormat, VideoWriter, save_print,
};
use crate::people;
use crate::settings::Settings;
use crate::shots::{Finished, Live, Ring, Shot};

/// What is made of a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A picture or clip as large as a screen shows it; `None`: as large as the page says.
    Screen(Option<Size>),
    /// A picture for paper.
    Print,
    /// A vertical scroll in numbered slices.
    Scroll(Scroll),
}

/// Why a strip was not saved. It is still there.
#[derive(Debug, thiserror::Error)]
pub enum StripError {
    /// It could not be drawn.
    #[error(transparent)]
    Draw(#[from] CompositorError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] OutputError),
    /// A print or scroll is a picture.
    #[error("A print and a scroll become png, jpg or webp. ({})", path.display())]
    NoPicture {
        /// The file.
        path: PathBuf,
    },
    /// Not all was taken yet.
    #[error("{missing} of {all} shots are missing. Take them, then save the strip.")]
    Missing {
        /// How many.
        missing: usize,
        /// Of how many.
        all: usize,
    },
    /// No camera, no page yet.
    #[error("There is no picture to save yet. Wait for the first one, then save it.")]
    NothingYet,
    /// The folder cannot be made.
    #[error("The pictures folder cannot be made: {error}. Check its rights. ({})", path.display())]
    Folder {
        /// What the system says.
        error: std::io::Error,
        /// The folder.
        path: PathBuf,
    },
}

/// Longest side of a clip: what people send each other.
const CLIP_SIDE: f32 = 1280.0;
/// Longest side of a GIF, which has no compression to speak of.
const GIF_SIDE: f32 = 720.0;

/// Saves `strip` at `path`, in the format of its extension; a scroll's slices are numbered. Gives
/// the files, which appear whole or not at all.
///
/// # Errors
/// When it cannot be drawn or written. The strip is untouched: it can be saved elsewhere.
pub fn save(
    strip: &Strip,
    compositor: &mut Compositor,
    path: &Path,
    job: Job,
    existing: Existing,
) -> Result<Vec<PathBuf>, StripError> {
    let clip = VideoFormat::of(path);
    if clip.is_some() && !matches!(job, Job::Screen(_)) {
        return Err(StripError::NoPicture { path: path.into() });
    }
    if clip.is_none() && PictureFormat::of(path).is_none() {
        return Err(OutputError::Extension { path: path.into() }.into());
    }
    match job {
        Job::Screen(size) => {
            existing.check(path)?;
            let size = size.unwrap_or_else(|| strip.page.size());
            match clip {
                Some(format) => save_clip(strip, compositor, path, format, size, existing)?,
                None => {
                    let program = strip.draw(compositor, size)?;
                    output::save_picture(&program, path, existing)?;
                }
            }
            Ok(vec![path.to_owned()])
        }
        Job::Print => {
            existing.check(path)?;
            let print = strip.print();
            let program = strip.draw(compositor, print.size)?;
            save_print(&program, path, Some(print.dpi), existing)?;
            Ok(vec![path.to_owned()])
        }
        Job::Scroll(scroll) => {
            let slices = strip.scroll(compositor, &scroll)?;
            Ok(save_slices(&slices, path, existing)?)
        }
    }
}

/// Saves what lies on the desk, or what a page without shots shows now, in every format the settings
/// name, in `folder`, under a name with the time.
///
/// # Errors
/// When shots are missing, or one format cannot be drawn or written; those before it are there.
pub fn save_all(
    finished: Option<Finished>,
    settings: &Settings,
    gpu: Arc<Gpu>,
    folder: &Path,
) -> Result<Vec<PathBuf>, StripError> {
    let Some(Finished { page, shots, live }) = finished else {
        return Err(StripError::NothingYet);
    };
    let numbers = page.shots();
    let is_there = |number: &&u8| {
        shots
            .get(usize::from(**number) - 1)
            .is_some_and(Option::is_some)
    };
    let there = numbers.iter().filter(is_there).count();
    if there < numbers.len() {
        let all = numbers.len();
        return Err(StripError::Missing {
            missing: all - there,
            all,
        });
    }
    // A page without shots is saved with what is on it now.
    let (shots, camera) = if numbers.is_empty() {
        let live = live.ok_or(StripError::NothingYet)?;
        let camera = Arc::clone(&live.styled.frame);
        (vec![Some(shot_of(live))], Some(camera))
    } else {
        (shots, None)
    };
    std::fs::create_dir_all(folder).map_err(|error| StripError::Folder {
        error,
        path: folder.into(),
    })?;
    let strip = Strip {
        texts: page.texts(
            settings.look.texts_of(page.id()),
            settings.window.language.code(),
            Clock::system().today(),
        ),
        page,
        shots,
        camera,
        mirror: settings.look.mirror,
    };
    let mut compositor = Compositor::new(gpu)?;
    compositor.set_effects_off(&settings.look.effects_off);
    compositor.set_effect_strengths(&settings.look.effect_strengths);
    let wanted = &settings.shots;
    let picture = wanted.file.extension();
    let mut jobs = vec![("", picture, Job::Screen(settings.program.size))];
    if wanted.print {
        jobs.push(("-print", picture, Job::Print));
    }
    // A clip is made of the seconds before shots.
    if let Some(extension) = wanted.clip.extension().filter(|_| !numbers.is_empty()) {
        jobs.push(("", extension, Job::Screen(settings.program.size)));
    }
    if wanted.scroll {
        jobs.push(("-scroll", picture, Job::Scroll(Scroll::default())));
    }
    let stem = stem(folder);
    let mut files = Vec::new();
    for (suffix, extension, job) in jobs {
        let path = folder.join(format!("{stem}{suffix}.{extension}"));
        files.extend(save(&strip, &mut compositor, &path, job, Existing::Refuse)?);
    }
    Ok(files)
}

/// What is drawn now, as a shot.
fn shot_of(Live { styled, mut seen }: Live) -> Shot {
    if seen.faces.is_empty() {
        seen.faces = people::faces(&styled.picture, &styled.faces);
    }
    let drawing = match enlarged(&styled) {
        Some(picture) => Arc::new(Pooled::from(picture)),
        None => styled.picture,
    };
    Shot {
        drawing,
        seen,
        second: Vec::new(),
    }
}

/// A name with the time that no file in the folder begins with.
fn stem(folder: &Path) -> String {
    let time = jiff::ZonedDateTime::now()
        .strftime("panelcam-strip-%Y-%m-%d-%H%M%S")
        .to_string();
    let is_free = |stem: &String| {
        ["png", "jpg", "webp"]
            .iter()
            .all(|ending| !folder.join(format!("{stem}.{ending}")).exists())
    };
    std::iter::once(time.clone())
        .chain((2..100).map(|number| format!("{time}-{number}")))
        .find(is_free)
        .unwrap_or(time)
}

/// All of them or none.
fn save_slices(
    slices: &[Picture],
    path: &Path,
    existing: Existing,
) -> Result<Vec<PathBuf>, OutputError> {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let name = |number: usize| path.with_file_name(format!("{stem}-{number:02}.{extension}"));
    let paths: Vec<PathBuf> = (1..=slices.len()).map(name).collect();
    output::save_pictures(slices, &paths, existing)?;
    if existing == Existing::Overwrite {
        remove_surplus((slices.len() + 1..).map(name));
    }
    Ok(paths)
}

/// Removes the slices that a longer scroll of the same name left behind: those that follow without
/// a gap. What cannot be removed stays, and the log says so.
fn remove_surplus(names: impl Iterator<Item = PathBuf>) {
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|about| about.is_file());
    for path in names.take_while(is_file) {
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(
                "An old slice of the scroll cannot be removed: {error}. Delete it. ({})",
                path.display()
            );
            return;
        }
    }
}

fn save_clip(
    strip: &Strip,
    compositor: &mut Compositor,
    path: &Path,
    format: VideoFormat,
    size: Size,
    existing: Existing,
) -> Result<(), StripError> {
    let most = if format == VideoFormat::Gif {
        GIF_SIDE
    } else {
        CLIP_SIDE
    };
    let scale = (most / size.width.max(size.height) as f32).min(1.0);
    // Video needs even sides.
    let even = |side: u32| ((side as f32 * scale / 2.0).round() as u32 * 2).max(2);
    let size = Size::new(even(size.width), even(size.height));
    let rate = Ring::FPS.to_string();
    let mut writer = VideoWriter::create(path, size, &rate, None, false, existing)?;
    strip.play(compositor, size, |program| -> Result<(), StripError> {
        Ok(writer.write(program)?)
    })?;
    Ok(writer.finish()?)
}
