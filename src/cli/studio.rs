//! Draws pictures one by one, waiting for each: what `convert` and the previews use. The live
//! pipeline does the same with stages that never wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use super::Session;
use crate::clock::Clock;
use crate::compositor::{Compositor, Gpu, STILL, Scene};
use crate::frame::{CloseUps, Face, Frame, Picture, Pooled, Size, Stamp, Styled};
use crate::inference::{
    self, CloseStudio, Closer, Faces, Following, Generator, Model, Retouch, Runtime, StyleMap,
};
use crate::panels::{self, Letterer, Moment, Page, Seen};
use crate::people::{self, Focus};
use crate::settings::{Provider, Quality, RetouchSettings};
use crate::status::Precision;

/// The largest side of a program: what every graphics card can draw.
const MAX_SIDE: u32 = 8192;
/// Long side of the generator's pictures of a photo, when quality is `auto`: lines are as heavy as
/// in a live picture of twice its size.
const PHOTO_SIDE: u32 = 960;
/// A photo of a near face is drawn smaller, in steps of so many pixels, and never smaller than this.
const SIDE_STEP: u32 = 64;
const LEAST_SIDE: u32 = 448;
/// How long a picture takes is said when it is longer.
const LONG: Duration = Duration::from_secs(3);

/// The generator, the page and the compositor, loaded.
pub(super) struct Studio {
    runtime: Arc<Runtime>,
    model: Arc<Model>,
    channel: usize,
    strength: f32,
    threads: usize,
    /// The CPU's, where it was measured.
    tuning: Option<inference::Tuning>,
    provider: Provider,
    quality: Quality,
    close_ups: bool,
    /// What draws, of the last size: the next picture is often as large.
    hand: Option<Hand>,
    faces: Faces,
    compositor: Compositor,
    /// `None`: each picture in its own size, with no page around it.
    page: Option<Page>,
    program_size: Option<Size>,
    mirror: bool,
    retouching: RetouchSettings,
    /// What words and bubbles of the page say.
    texts: BTreeMap<String, String>,
}

/// What draws pictures of one size, loaded.
struct Hand {
    generator: Generator,
    style: StyleMap,
    close: Option<CloseStudio>,
}

/// The half of a [`Studio`] that draws.
pub(super) struct Drawing<'a> {
    pub(super) generator: &'a Generator,
    pub(super) style: &'a StyleMap,
    pub(super) strength: f32,
    pub(super) faces: &'a mut Faces,
    pub(super) close: Option<&'a mut CloseStudio>,
    pub(super) retouch: Retouch,
    pub(super) retouching: RetouchSettings,
}

/// The half of a [`Studio`] that composites.
pub(super) struct Compositing<'a> {
    compositor: &'a mut Compositor,
    focus: Focus,
    mirror: bool,
    letterer: Option<Letterer>,
    texts: &'a BTreeMap<String, String>,
}

impl Studio {
    /// Loads what the command line and the settings name. Without `--page` there is no page.
    pub(super) fn open(session: &Session, mirror: bool) -> anyhow::Result<Self> {
        let look = &session.settings.look;
        let language = session.settings.window.language;
        let runtime = Runtime::load(&session.places)?;
        let (styles, warnings) = inference::Library::load(&session.places);
        warnings.iter().for_each(|warning| super::say(warning));
        let style = styles.find(&look.style).ok_or_else(|| {
            let known: Vec<&str> = styles
                .styles()
                .iter()
                .map(|style| style.id.as_str())
                .collect();
            anyhow!(
                "There is no style called {}. There are {}.",
                look.style,
                known.join(", ")
            )
        })?;
        let page = match session.common.page.as_deref() {
            None | Some("none") => None,
            Some(page) => {
                let (pages, warnings) = panels::Library::load(&session.places, language);
                warnings.iter().for_each(|warning| super::say(warning));
                let page = pages.page(page, language)?;
                let unsaid = page.unsaid(&look.texts_of(page.id()));
                page.warnings()
                    .iter()
                    .chain(&unsaid)
                    .for_each(|warning| super::say(warning));
                Some(page)
            }
        };
        let places = &session.places;
        let (threads, tuning) = match session.settings.inference.threads {
            // A network of somebody else may be slow, and that is said.
            Some(threads) if !style.builtin => {
                let tuning = inference::Tuning::with_threads;
                (
                    threads,
                    tuning(&runtime, &style.model, places, threads).ok(),
                )
            }
            Some(threads) => (threads, None),
            None => {
                let tuning = inference::Tuning::of(&runtime, &style.model, places)?;
                (tuning.threads, Some(tuning))
            }
        };
        let asked = session.settings.inference.provider;
        let (provider, why) = inference::provider::choose(
            &runtime,
            &style.model,
            &session.places,
            asked,
            &super::say,
        );
        if asked != Provider::Auto && asked != provider {
            super::say(&why);
        }
        let day = Clock::system().today();
        let texts = page
            .as_ref()
            .map(|page| page.texts(look.texts_of(page.id()), language.code(), day))
            .unwrap_or_default();
        let mut studio = Self {
            faces: Faces::open(&runtime)?,
            hand: None,
            runtime,
            provider,
            channel: style.channel,
            model: style.model,
            strength: look.strength,
            threads,
            tuning,
            quality: session.settings.inference.quality,
            close_ups: session.settings.inference.close_ups,
            compositor: Compositor::new(Gpu::headless()?)?,
            page,
            program_size: session.common.size,
            mirror,
            retouching: session.settings.retouch,
            texts,
        };
        studio.compositor.set_effects_off(&look.effects_off);
        studio
            .compositor
            .set_effect_strengths(&look.effect_strengths);
        if let Some(page) = &studio.page {
            let size = studio.program_size.unwrap_or_else(|| page.size());
            studio.compositor.set_page(page, size)?;
        }
        Ok(studio)
    }

    /// The page, if there is one.
    pub(super) fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    /// What words and bubbles of the page say, by name.
    pub(super) fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// Who composites.
    pub(super) fn compositor(&mut self) -> &mut Compositor {
        &mut self.compositor
    }

    /// How exactly the last picture was drawn.
    pub(super) fn precision(&self) -> Precision {
        let hand = self.hand.as_ref();
        hand.map_or_else(Precision::default, |hand| hand.generator.precision())
    }

    /// Draws one picture without a page.
    pub(super) fn stylize(&mut self, picture: Picture) -> anyhow::Result<Styled> {
        let faces = self.faces.look_all_over(&picture, &picture)?;
        let most = self.most(&faces, picture.size());
        let (mut drawing, _) = self.halves(picture.size(), PHOTO_SIDE, most)?;
        drawing.draw(picture, faces)
    }

    /// Draws one picture; its program has premultiplied alpha.
    pub(super) fn draw(&mut self, picture: Picture) -> anyhow::Result<Picture> {
        let faces = self.faces.look_all_over(&picture, &picture)?;
        let most = self.most(&faces, picture.size());
        let (mut drawing, mut compositing) = self.halves(picture.size(), PHOTO_SIDE, most)?;
        let mut program = Picture::default();
        let styled = drawing.draw(picture, faces)?;
        // Twice: a bubble makes room for others once it has seen where they are.
        for time in [Duration::ZERO, STILL] {
            compositing.compose(&styled, time, &mut program)?;
        }
        Ok(program)
    }

    /// The two halves for a clip, to run side by side. All of it is drawn at the size at which the faces
    /// of its `first` frame are drawn well: a clip that changes its size halfway would show it.
    pub(super) fn split(
        &mut self,
        first: &Picture,
    ) -> anyhow::Result<(Drawing<'_>, Compositing<'_>)> {
        let size = first.size();
        let side = Quality::Fine.long_side().unwrap_or(size.width);
        let faces = self.faces.look_all_over(first, first)?;
        let most = self.most(&faces, size);
        self.halves(size, side, most)
    }

    /// The most pixels of a drawing's long side at which its nearest face is drawn well. In few steps, so
    /// that photos of one size are drawn by what was loaded for the first.
    fn most(&self, faces: &[Face], frame: Size) -> u32 {
        let Some(largest) = self.model.largest_face() else {
            return MAX_SIDE;
        };
        let side = inference::side_for(faces, frame, largest) as u32;
        (side / SIDE_STEP * SIDE_STEP).clamp(LEAST_SIDE, MAX_SIDE)
    }

    fn halves(
        &mut self,
        frame: Size,
        auto_side: u32,
        most: u32,
    ) -> anyhow::Result<(Drawing<'_>, Compositing<'_>)> {
        let side = match self.quality {
            Quality::Auto => auto_side,
            Quality::Full => MAX_SIDE,
            quality => quality.long_side().unwrap_or(auto_side),
        };
        let size = inference::size_within(frame, side.min(most), self.model.size_multiple());
        let size = self.model.drawing_size(size);
        self.load(size, frame)?;
        if self.page.is_none() {
            let program = self.program_size.unwrap_or_else(|| drawable(frame));
            if self.program_size.is_none() && program != frame {
                super::say(&format!(
                    "{frame} is more than graphics can draw: the result is {program}."
                ));
            }
            self.compositor.set_page(&Page::plain(program), program)?;
        }
        let program = self.compositor.size();
        let letterer = self.page.as_ref().map(|page| Letterer::new(page, program));
        let compositing = Compositing {
            compositor: &mut self.compositor,
            focus: Focus::default(),
            mirror: self.mirror,
            letterer: letterer.filter(|letterer| !letterer.is_empty()),
            texts: &self.texts,
        };
        let hand = self.hand.as_mut().context("nothing was loaded")?;
        self.faces.forget();
        if let Some(close) = &mut hand.close {
            close.forget();
        }
        let drawing = Drawing {
            generator: &hand.generator,
            style: &hand.style,
            faces: &mut self.faces,
            close: hand.close.as_mut(),
            strength: self.strength,
            retouch: Retouch::default(),
            retouching: self.retouching,
        };
        Ok((drawing, compositing))
    }

    /// Loads what draws pictures of `size` of frames of size `frame`, unless it is there.
    fn load(&mut self, size: Size, frame: Size) -> anyhow::Result<()> {
        let side = inference::close_sides(&self.model, size, frame)
            .next()
            .filter(|_| self.close_ups);
        let is_there = |hand: &Hand| {
            let close = hand.close.as_ref().map(CloseStudio::side);
            (hand.generator.size(), close) == (size, side)
        };
        if self.hand.as_ref().is_some_and(is_there) {
            return Ok(());
        }
        // First of all its memory.
        self.hand = None;
        if let Some(tuning) = self.tuning
            && self.provider == Provider::Cpu
            && let Some(told) = how_long(self.model.name(), tuning, size, side)
        {
            super::say(&told);
        }
        tracing::debug!("{} is loaded for pictures of {size}.", self.model.name());
        let generator = Generator::open_on(
            &self.runtime,
            &self.model,
            size,
            self.threads,
            self.provider,
        )
        .with_context(|| format!("The generator cannot draw pictures of {frame}"))?;
        let style = StyleMap::uniform(&self.model, size, self.channel, self.strength)?;
        let open_close = |side| -> anyhow::Result<CloseStudio> {
            let (model, threads) = (&self.model, self.threads);
            let closer = Closer::open(&self.runtime, model, side, threads, self.provider)?;
            Ok(CloseStudio::new(closer, (self.channel, self.strength))?)
        };
        self.hand = Some(Hand {
            generator,
            style,
            close: side.map(open_close).transpose()?,
        });
        Ok(())
    }
}

/// How long a picture of `size` takes, with close-ups in squares of `side` where there are any; `None`
/// when that is not long.
fn how_long(
    name: &str,
    tuning: inference::Tuning,
    size: Size,
    side: Option<u32>,
) -> Option<String> {
    let close = side.map_or(Duration::ZERO, |side| tuning.time(Size::new(side, side)));
    let time = tuning.time(size);
    let more = if close.is_zero() {
        String::new()
    } else {
        format!(", {:.0} s more with small faces", close.as_secs_f64())
    };
    (time + close > LONG).then(|| {
        format!(
            "{name} takes about {:.0} s for a picture of {size} on this machine{more}, and twice that for the first.",
            time.as_secs_f64()
        )
    })
}

/// `frame`, or the largest size of its shape that every graphics card can draw.
fn drawable(frame: Size) -> Size {
    let longest = frame.width.max(frame.height);
    if longest <= MAX_SIDE {
        return frame;
    }
    let scaled =
        |side: u32| (u64::from(side) * u64::from(MAX_SIDE) / u64::from(longest)).max(1) as u32;
    Size::new(scaled(frame.width), scaled(frame.height))
}

impl Drawing<'_> {
    /// Draws `picture`, in which these faces were found.
    fn draw(&mut self, picture: Picture, found: Vec<Face>) -> anyhow::Result<Styled> {
        let Self {
            generator,
            style,
            close,
            retouch,
            retouching,
            ..
        } = self;
        let mut slot = generator.slot()?;
        generator.prepare(&picture, style, &mut slot)?;
        generator.run(&mut slot)?;
        let (mut styled, mut shrunk) = (Picture::default(), Picture::default());
        generator.finish(&mut slot, &mut styled)?;
        retouch.apply(slot.input(), &mut styled, Duration::ZERO, retouching);
        shrunk.copy_from(slot.input());
        let close_ups = match close {
            Some(close) => close.draw(
                (&picture, slot.people()),
                &found,
                styled.size(),
                Following::Still,
                Duration::ZERO,
                retouching,
            )?,
            None => None,
        };
        Ok(together(
            0,
            picture.into(),
            styled.into(),
            shrunk.into(),
            (found, close_ups),
            self.strength,
        ))
    }
}

/// A drawing with what it was drawn from, its frame in its size and its strength.
pub(super) fn together(
    sequence: u64,
    frame: Pooled<Picture>,
    drawing: Pooled<Picture>,
    shrunk: Pooled<Picture>,
    (faces, close_ups): (Vec<Face>, Option<CloseUps>),
    strength: f32,
) -> Styled {
    let is_enlarged = inference::is_enlarged(drawing.size(), frame.size());
    let stamp = Stamp {
        sequence,
        captured: Instant::now(),
    };
    Styled {
        frame: Arc::new(Frame {
            stamp,
            picture: frame,
        }),
        picture: Arc::new(drawing),
        shrunk: is_enlarged.then(|| Arc::new(shrunk)),
        faces,
        close_ups,
        strength,
    }
}

impl Compositing<'_> {
    /// Lays a drawing into the page.
    pub(super) fn compose(
        &mut self,
        styled: &Styled,
        time: Duration,
        program: &mut Picture,
    ) -> anyhow::Result<()> {
        let (frame, drawing) = (&styled.frame.picture, &styled.picture);
        let faces = people::faces(drawing, &styled.faces);
        let focus = self.focus.follow(&faces, time);
        if self.compositor.shows_frame() {
            self.compositor.upload_frame(frame)?;
        }
        self.compositor.upload_drawing(styled)?;
        if let Some(letterer) = &mut self.letterer {
            let live = Seen {
                size: frame.size(),
                focus,
                faces,
                turns: None,
            };
            let sprites = letterer.sprites(&Moment {
                time,
                texts: self.texts,
                turned: 0,
                live: &live,
                shots: &[],
                mirror: self.mirror,
                countdown: None,
            });
            self.compositor.set_sprites(sprites);
        }
        let texture = self.compositor.render(&Scene {
            time,
            mirror: self.mirror,
            compare: false,
            focus,
        })?;
        self.compositor.read(&texture, program)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_is_told_with_its_close_ups() {
        let tuning = inference::Tuning {
            threads: 1,
            nanos_per_pixel: 10_000.0,
        };
        let size = Size::new(480, 480);
        assert_eq!(how_long("Slow", tuning, size, None), None, "2.3 s");
        let told = how_long("Slow", tuning, size, Some(288)).unwrap();
        assert!(
            told.contains("about 2 s") && told.contains("1 s more with small faces"),
            "{told}"
        );
        let told = how_long("Slow", tuning, Size::new(960, 480), None).unwrap();
        assert!(
            told.contains("about 5 s") && !told.contains("more"),
            "{told}"
        );
    }
}
