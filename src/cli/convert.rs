//! `panelcam convert`: a photo, a video or a folder, kept frame for frame.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::studio::{Drawing, Studio, together};
use super::{Session, say};
use crate::capture::{Demo, FileKind, Pattern, Read, VideoReader, kind_of, read_photo};
use crate::frame::{Picture, Pool, Pooled, Size};
use crate::inference::{CoarseMatte, Following, Slot};
use crate::output::{Existing, PictureFormat, Sound, VideoFormat, VideoWriter, save_picture};
use crate::source::Source;

/// Rate of clips made from `demo` and `pattern`.
const MADE_FPS: u32 = 30;
/// Pictures that may wait between two stages: enough to even out, few enough for memory.
const WAITING: usize = 2;
/// Pictures that are in the generator's hands at once: one being prepared, run, finished.
const SLOTS: usize = 3;

/// A frame on its way through the generator.
struct Job {
    picture: Pooled<Picture>,
    slot: Slot,
}

#[derive(Args)]
pub(super) struct Arguments {
    /// A photo, a video, a folder of them, `demo` or `pattern`.
    #[arg(value_name = "IN")]
    input: Source,
    /// The new file, by its extension: png jpg webp mp4 webm gif. For a folder: the new folder.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Replace what is there.
    #[arg(long)]
    overwrite: bool,
    /// Stop after this many frames of a clip.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    frames: Option<u64>,
    /// Flip left and right, as in a mirror.
    #[arg(long)]
    mirror: bool,
}

impl Arguments {
    fn existing(&self) -> Existing {
        if self.overwrite {
            Existing::Overwrite
        } else {
            Existing::Refuse
        }
    }
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> anyhow::Result<()> {
    let stop = super::stop_on_ctrl_c()?;

    match &arguments.input {
        Source::File(path) if path.is_dir() => folder(session, arguments, path, &stop),
        Source::File(path) => {
            // Refused before the model and graphics are loaded: nobody should wait for a no.
            let input = Input::open(path, &arguments.output)?;
            arguments.existing().check(&arguments.output)?;
            let mut studio = Studio::open(session, arguments.mirror)?;
            file(&mut studio, input, arguments, &arguments.output, &stop)
        }
        Source::Demo | Source::Pattern => {
            let input = Input::made(
                &arguments.input,
                &arguments.output,
                session.common.size,
                arguments.frames,
            )?;
            arguments.existing().check(&arguments.output)?;
            let mut studio = Studio::open(session, arguments.mirror)?;
            file(&mut studio, input, arguments, &arguments.output, &stop)
        }
        live => bail!(
            "convert reads files and folders. For a live source use panelcam stream. ({live})"
        ),
    }
}

/// Every photo and video of a folder, into a folder. One that fails is told and skipped.
fn folder(
    session: &Session,
    arguments: &Arguments,
    input: &Path,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let output = &arguments.output;
    let mut files: Vec<PathBuf> = std::fs::read_dir(input)
        .with_context(|| format!("The folder cannot be read. ({})", input.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("The folder is empty. ({})", input.display());
    }
    std::fs::create_dir_all(output)
        .with_context(|| format!("The folder cannot be made. ({})", output.display()))?;
    let mut studio = Studio::open(session, arguments.mirror)?;
    let (mut done, mut failed) = (0, 0);
    for path in &files {
        if stop.load(Ordering::SeqCst) {
            bail!("Stopped. {done} of {} files were converted.", files.len());
        }
        let result = kind_of(path).map_err(Into::into).and_then(|kind| {
            let extension = match kind {
                FileKind::Photo => "png",
                FileKind::Video => "mp4",
            };
            let target = output
                .join(path.file_name().unwrap_or_default())
                .with_extension(extension);
            let input = Input::open(path, &target)?;
            arguments.existing().check(&target)?;
            file(&mut studio, input, arguments, &target, stop)
        });
        match result {
            Ok(()) => done += 1,
            Err(error) => {
                failed += 1;
                say(&format!("panelcam: {error:#}"));
            }
        }
    }
    say(&format!(
        "{done} of {} files were converted. ({})",
        files.len(),
        output.display()
    ));
    if failed > 0 {
        bail!("{failed} files were not converted");
    }
    Ok(())
}

/// What is read, opened.
enum Input {
    Photo(Picture),
    Clip(Box<Clip>),
}

/// Frames one after the other, none left out.
struct Clip {
    frames: Frames,
    size: Size,
    /// Frames a second, a fraction as ffmpeg writes it.
    rate: String,
    /// The same as a number.
    per_second: f64,
    /// How many frames there are, if that is known.
    count: Option<u64>,
    sound: Option<Sound>,
}

enum Frames {
    Video(VideoReader),
    Demo(Demo),
    Pattern(Pattern),
}

impl Clip {
    /// Reads frame number `index`; `false` at the end.
    fn read(&mut self, index: u64, picture: &mut Picture) -> anyhow::Result<bool> {
        match &mut self.frames {
            Frames::Video(reader) => return Ok(matches!(reader.read(picture)?, Read::Frame)),
            Frames::Demo(demo) => demo.draw(index, picture),
            Frames::Pattern(pattern) => pattern.draw(index, picture),
        }
        Ok(self.count.is_none_or(|count| index < count))
    }
}

impl Input {
    /// Opens `path`, to become `output`.
    fn open(path: &Path, output: &Path) -> anyhow::Result<Self> {
        match kind_of(path)? {
            FileKind::Photo => {
                expect_picture(output)?;
                Ok(Self::Photo(read_photo(path)?))
            }
            FileKind::Video => {
                if VideoFormat::of(output).is_none() {
                    bail!("A clip becomes mp4, webm or gif. ({})", output.display());
                }
                let reader = VideoReader::open(&path.to_string_lossy(), None)?;
                let info = reader.info();
                let sound = info.audio_codec.clone().map(|codec| Sound {
                    path: path.into(),
                    codec,
                });
                let (size, rate, count) = (info.size, info.rate, info.frames);
                Ok(Self::Clip(Box::new(Clip {
                    frames: Frames::Video(reader),
                    size,
                    rate: rate.to_string(),
                    per_second: rate.as_f64(),
                    count,
                    sound,
                })))
            }
        }
    }

    /// A made source: one picture, or a clip of `frames` frames.
    fn made(
        source: &Source,
        output: &Path,
        size: Option<Size>,
        frames: Option<u64>,
    ) -> anyhow::Result<Self> {
        /// A moment in which the demo is well in the picture.
        const MOMENT: u64 = 45;
        let size = size.unwrap_or(Size::new(1280, 720));
        let mut frames_of = match source {
            Source::Pattern => Frames::Pattern(Pattern::new(size)),
            _ => Frames::Demo(Demo::new(size)?),
        };
        if VideoFormat::of(output).is_some() {
            let count = Some(frames.unwrap_or(10 * u64::from(MADE_FPS)));
            return Ok(Self::Clip(Box::new(Clip {
                frames: frames_of,
                size,
                rate: MADE_FPS.to_string(),
                per_second: f64::from(MADE_FPS),
                count,
                sound: None,
            })));
        }
        expect_picture(output)?;
        let mut picture = Picture::default();
        match &mut frames_of {
            Frames::Demo(demo) => demo.draw(MOMENT, &mut picture),
            Frames::Pattern(pattern) => pattern.draw(MOMENT, &mut picture),
            Frames::Video(_) => {}
        }
        Ok(Self::Photo(picture))
    }
}

fn expect_picture(output: &Path) -> anyhow::Result<()> {
    if PictureFormat::of(output).is_none() {
        bail!("A photo becomes png, jpg or webp. ({})", output.display());
    }
    Ok(())
}

fn file(
    studio: &mut Studio,
    input: Input,
    arguments: &Arguments,
    output: &Path,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    match input {
        Input::Photo(picture) => {
            let program = studio.draw(picture)?;
            Ok(save_picture(&program, output, arguments.existing())?)
        }
        Input::Clip(clip) => convert_clip(studio, *clip, arguments, output, stop),
    }
}

/// Decoding, drawing, compositing and encoding run side by side, each on a thread, and hand over
/// through short queues that keep every frame.
fn convert_clip(
    studio: &mut Studio,
    mut clip: Clip,
    arguments: &Arguments,
    output: &Path,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let limit = arguments.frames.unwrap_or(u64::MAX);
    let count = clip.count.map(|count| count.min(limit));
    let progress = progress_bar(count, output);
    let (size, rate, seconds, sound) = (
        clip.size,
        clip.rate.clone(),
        clip.per_second,
        clip.sound.clone(),
    );
    let pool = Pool::new();
    let mut first: Pooled<Picture> = pool.take();
    let mut more = limit > 0 && clip.read(0, &mut first)?;
    if !more {
        first.reshape(size);
    }
    let (drawing, mut compositing) = studio.split(&first)?;
    let Drawing {
        generator,
        style,
        strength,
        faces,
        mut close,
        mut retouch,
        retouching,
    } = drawing;
    let (free_in, free) = sync_channel::<Slot>(SLOTS);
    for _ in 0..SLOTS {
        // There is room for every slot, so this never waits and never fails.
        let _ = free_in.send(generator.slot()?);
    }
    let (prepared_in, prepared) = sync_channel::<Job>(WAITING);
    let (drawn_in, drawn) = sync_channel::<Job>(WAITING);
    let (programs_in, programs) = sync_channel::<Pooled<Picture>>(WAITING);

    let written = std::thread::scope(|scope| -> anyhow::Result<u64> {
        let decode = named(scope, "decode", move || {
            let (mut index, mut picture) = (0, first);
            while more && index < limit && !stop.load(Ordering::SeqCst) {
                let Ok(mut slot) = free.recv() else { break };
                generator.prepare(&picture, style, &mut slot)?;
                if prepared_in.send(Job { picture, slot }).is_err() {
                    break;
                }
                picture = pool.take();
                index += 1;
                more = index < limit && clip.read(index, &mut picture)?;
            }
            anyhow::Ok(())
        })?;
        let draw = named(scope, "inference", move || {
            pass(&prepared, &drawn_in, |mut job: Job| {
                generator.run(&mut job.slot)?;
                Ok(job)
            })
        })?;
        let composite = named(scope, "compositor", move || {
            let pool = Pool::new();
            let (small, mut index) = (Pool::new(), 0);
            let mut people = CoarseMatte::default();
            pass(&drawn, &programs_in, |mut job: Job| {
                let time = Duration::from_secs_f64(index as f64 / seconds);
                let (mut drawing, mut shrunk) = (small.take(), small.take());
                generator.finish(&mut job.slot, &mut drawing)?;
                retouch.apply(job.slot.input(), &mut drawing, time, &retouching);
                shrunk.copy_from(job.slot.input());
                people.copy_from(job.slot.people());
                // The decoder may have ended already.
                let _ = free_in.send(job.slot);
                let found = faces.look(&job.picture, &shrunk)?;
                let size = drawing.size();
                let close_ups = match &mut close {
                    Some(close) => close.draw(
                        (&job.picture, &people),
                        &found,
                        size,
                        Following::Clip,
                        time,
                        &retouching,
                    )?,
                    None => None,
                };
                let seen = (found, close_ups);
                let mut program = pool.take();
                let styled = together(index, job.picture, drawing, shrunk, seen, strength);
                compositing.compose(&styled, time, &mut program)?;
                index += 1;
                Ok(program)
            })
        })?;
        let written = write(
            &programs,
            output,
            &rate,
            sound.as_ref(),
            arguments.existing(),
            stop,
            &progress,
        );
        drop(programs);
        for stage in [decode, draw, composite] {
            match stage.join() {
                Ok(result) => result?,
                Err(_) => bail!("a stage stopped on a bug; please report it"),
            }
        }
        written
    });
    progress.finish_and_clear();
    let written = written?;
    say(&format!("{written} frames. ({})", output.display()));
    Ok(())
}

/// Encodes what comes; the file gets its name only when nothing went wrong before.
fn write(
    programs: &Receiver<Pooled<Picture>>,
    output: &Path,
    rate: &str,
    sound: Option<&Sound>,
    existing: Existing,
    stop: &AtomicBool,
    progress: &ProgressBar,
) -> anyhow::Result<u64> {
    let mut writer: Option<VideoWriter> = None;
    let mut written = 0;
    for program in programs {
        if writer.is_none() {
            let transparent = program.rgba().chunks_exact(4).any(|pixel| pixel[3] < 255);
            writer = Some(VideoWriter::create(
                output,
                program.size(),
                rate,
                sound,
                transparent,
                existing,
            )?);
        }
        if let Some(writer) = &mut writer {
            writer.write(&program)?;
        }
        written += 1;
        progress.inc(1);
    }
    if stop.load(Ordering::SeqCst) {
        bail!("Stopped. Nothing was written. ({})", output.display());
    }
    match writer {
        Some(writer) => writer.finish()?,
        None => bail!(
            "The clip has no frames. Nothing was written. ({})",
            output.display()
        ),
    }
    Ok(written)
}

/// Works on everything that comes until one side ends. When it fails, dropping its ends of the
/// queues ends its neighbours.
fn pass<A, B>(
    from: &Receiver<A>,
    to: &SyncSender<B>,
    mut work: impl FnMut(A) -> anyhow::Result<B>,
) -> anyhow::Result<()> {
    for value in from {
        if to.send(work(value)?).is_err() {
            break;
        }
    }
    Ok(())
}

fn named<'scope, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    name: &str,
    body: impl FnOnce() -> T + Send + 'scope,
) -> std::io::Result<std::thread::ScopedJoinHandle<'scope, T>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, body)
}

/// A bar with the time left, on a terminal only.
fn progress_bar(count: Option<u64>, output: &Path) -> ProgressBar {
    let template = match count {
        Some(_) => "{prefix} {wide_bar} {pos}/{len} frames, {per_sec}, {eta} left",
        None => "{prefix} {spinner} {pos} frames, {per_sec}",
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = count
        .map_or_else(ProgressBar::no_length, ProgressBar::new)
        .with_style(style);
    bar.set_prefix(
        output
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    );
    bar
}
