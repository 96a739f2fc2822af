//! Strips: a page with all its shots, drawn again at the size it is for, and saved.
//!
//! A strip holds shots, not pixels of a program: a print is drawn from the artist's vectors and
//! the whole drawings, not enlarged.

mod panel;
mod reading;
mod save;
mod scroll;

pub use save::{Job, StripError, save, save_all};
pub use scroll::{Scroll, cuts};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fast_image_resize as resize;

use crate::compositor::{Compositor, CompositorError, STILL, Scene};
use crate::frame::{Frame, Picture, Size};
use crate::panels::{Letterer, Moment, Page, PanelKind, Seen, Sprites};
use crate::people::Head;
use crate::shots::{self, Shot};

/// A page with its shots.
#[derive(Clone)]
pub struct Strip {
    /// The page.
    pub page: Page,
    /// The shots, the first is number 1.
    pub shots: Vec<Option<Shot>>,
    /// What the camera saw, for panels that show it as it is; without it, as in pages with shots,
    /// they show the newest shot.
    pub camera: Option<Arc<Frame>>,
    /// What words and bubbles say, by name.
    pub texts: BTreeMap<String, String>,
    /// Whether people see themselves as in a mirror.
    pub mirror: bool,
}

/// A size for paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// In pixels.
    pub size: Size,
    /// Pixels an inch.
    pub dpi: u16,
}

/// What a print is made for.
const DPI: f32 = 300.0;
/// A page that says nothing about paper is printed with its long side as long as A5's, in inches.
const LONG_SIDE: f32 = 8.27;
/// The longest side that every graphics card can draw.
const MOST: f32 = 8192.0;

impl Strip {
    /// The size of a print: 300 pixels an inch, fewer for a poster.
    pub fn print(&self) -> Print {
        let (width, height) = self.page.inches().unwrap_or_else(|| {
            let (width, height) = self.page.units();
            let scale = LONG_SIDE / width.max(height).max(1e-3);
            (width * scale, height * scale)
        });
        let dpi = DPI.min(MOST / width.max(height)).max(1.0);
        let side = |inches: f32| ((inches * dpi).round() as u32).max(1);
        Print {
            size: Size::new(side(width), side(height)),
            dpi: dpi as u16,
        }
    }

    /// Draws it `size` large, with premultiplied alpha.
    ///
    /// # Errors
    /// When the size is too large or graphics fail.
    pub fn draw(
        &self,
        compositor: &mut Compositor,
        size: Size,
    ) -> Result<Picture, CompositorError> {
        Ok(self.lettered(compositor, size)?.0)
    }

    /// Draws each picture of a clip in which every panel plays the second before its shot, and
    /// gives it to `each`.
    ///
    /// # Errors
    /// When graphics fail, or `each` does.
    pub fn play<E: From<CompositorError>>(
        &self,
        compositor: &mut Compositor,
        size: Size,
        mut each: impl FnMut(&Picture) -> Result<(), E>,
    ) -> Result<(), E> {
        compositor.set_page(&self.page, size)?;
        let mut letterer = Letterer::new(&self.page, size);
        let frames = self.frames();
        for number in 0..frames {
            self.lay(compositor, |shot, _| {
                let at = number as usize * shot.second.len() / frames.max(1) as usize;
                let mut picture = Picture::default();
                match shot.second.get(at) {
                    Some(moment) => picture.copy_from(moment),
                    None => picture.copy_from(&shot.drawing),
                }
                picture
            })?;
            let time = Duration::from_secs(1) * number / shots::Ring::FPS;
            let sprites = self.sprites(&mut letterer, time);
            each(&self.compose(compositor, sprites, time)?)?;
        }
        // And the shot itself, for as long.
        self.lay(compositor, |shot, place| fine(&shot.drawing, place))?;
        for number in frames..frames * 2 {
            let time = Duration::from_secs(1) * number / shots::Ring::FPS;
            let sprites = self.sprites(&mut letterer, time);
            each(&self.compose(compositor, sprites, time)?)?;
        }
        Ok(())
    }

    /// Pictures of the second before the shots.
    fn frames(&self) -> u32 {
        let longest = self
            .shots
            .iter()
            .flatten()
            .map(|shot| shot.second.len())
            .max();
        (longest.unwrap_or(1) as u32).clamp(1, shots::Ring::FPS)
    }

    /// Draws it as a vertical scroll, cut into slices: a page that is one already as it is, else
    /// its panels in the order they are read.
    ///
    /// # Errors
    /// When graphics fail.
    pub fn scroll(
        &self,
        compositor: &mut Compositor,
        scroll: &Scroll,
    ) -> Result<Vec<Picture>, CompositorError> {
        if let Some(size) = scroll
            .natural(&self.page)
            .filter(|size| size.height as f32 <= MOST)
        {
            let (program, letterer) = self.lettered(compositor, size)?;
            let whole = reading::rows(&self.page, &letterer, size);
            return Ok(scroll.cut(&program, &whole));
        }
        let places = reading::places(&self.page);
        let width = scroll.panel_width();
        let (across, down) = self.page.units();
        let height = (down * width as f32 / across.max(1e-3)).clamp(1.0, MOST);
        let size = Size::new(width, height.round() as u32);
        let mut letterer = Letterer::new(&self.page, size);
        self.sprites(&mut letterer, STILL);
        let own = reading::belongings(&self.page, &letterer, &places);
        let mut pictures = Vec::with_capacity(places.len());
        let mut paper = [255; 3];
        for at in 0..places.len() {
            let (picture, colour) =
                self.panel(compositor, &places, &own, at, (scroll, &letterer))?;
            paper = colour.unwrap_or(paper);
            pictures.push(picture);
        }
        Ok(scroll.slices(&pictures, paper))
    }

    /// Gives the compositor its pictures: `of` makes one for a place of that size.
    fn lay(
        &self,
        compositor: &mut Compositor,
        of: impl Fn(&Shot, Size) -> Picture,
    ) -> Result<(), CompositorError> {
        let size = compositor.size();
        let scale = size.width as f32 / self.page.units().0.max(1e-3);
        let place = |number: u8| {
            let panels = self
                .page
                .panels()
                .filter(|panel| panel.kind == PanelKind::Shot(number));
            panels.fold(Size::new(1, 1), |largest, panel| {
                let zoom = panel.crop.zoom() * scale;
                Size::new(
                    largest.width.max((panel.bounds.width * zoom) as u32),
                    largest.height.max((panel.bounds.height * zoom) as u32),
                )
            })
        };
        for number in 1..=shots::MOST as u8 {
            let shot = self
                .shots
                .get(usize::from(number) - 1)
                .and_then(Option::as_ref);
            match shot {
                Some(shot) => {
                    let picture = of(shot, place(number));
                    compositor.set_shot(number, Some((&picture, shot.seen.focus)))?;
                }
                None => compositor.set_shot(number, None)?,
            }
        }
        // Panels that are live show the newest shot.
        if let Some(shot) = self.shots.iter().flatten().next_back() {
            let picture = of(shot, size);
            compositor.upload_styled(&picture)?;
            match &self.camera {
                Some(frame) => compositor.upload_frame(&frame.picture)?,
                None => compositor.upload_frame(&picture)?,
            }
        }
        Ok(())
    }

    /// What words, bubbles and sounds look like at this time.
    fn sprites(&self, letterer: &mut Letterer, time: Duration) -> Sprites {
        let shots: Vec<Option<Seen>> = self
            .shots
            .iter()
            .map(|shot| shot.as_ref().map(|shot| shot.seen.clone()))
            .collect();
        letterer.sprites(&Moment {
            time,
            texts: &self.texts,
            turned: 0,
            live: &self.newest(),
            shots: &shots,
            mirror: self.mirror,
            countdown: None,
        })
    }

    /// What panels that are live show.
    fn newest(&self) -> Seen {
        let newest = self.shots.iter().flatten().next_back();
        newest.map(|shot| shot.seen.clone()).unwrap_or_default()
    }

    fn compose(
        &self,
        compositor: &mut Compositor,
        sprites: Sprites,
        time: Duration,
    ) -> Result<Picture, CompositorError> {
        let live = self.newest();
        compositor.set_sprites(sprites);
        let focus = if live.faces.is_empty() {
            Head::USUAL
        } else {
            live.focus
        };
        let texture = compositor.render(&Scene {
            time,
            mirror: self.mirror,
            compare: false,
            focus,
        })?;
        let mut program = Picture::default();
        compositor.read(&texture, &mut program)?;
        Ok(program)
    }
}

/// The drawing resampled (Lanczos) so that it covers `place` pixel for pixel; as it is when that
/// is about its size, or when the compositor enlarges it better.
fn fine(drawing: &Picture, place: Size) -> Picture {
    let size = drawing.size();
    let mut copy = Picture::default();
    copy.copy_from(drawing);
    if size.area() == 0 {
        return copy;
    }
    let cover =
        (place.width as f32 / size.width as f32).max(place.height as f32 / size.height as f32);
    let cover = cover
        .clamp(0.05, 4.0)
        .min(MOST / size.width.max(size.height) as f32);
    // What becomes crisp where it is enlarged needs no sharp filter for that.
    let is_enlarged_crisply = cover > 1.0 && drawing.finish.crisp > 0;
    if (0.9..=1.1).contains(&cover) || is_enlarged_crisply {
        return copy;
    }
    let side = |pixels: u32| ((pixels as f32 * cover).round() as u32).max(1);
    let target = Size::new(side(size.width), side(size.height));
    let mut result =
        resize::images::Image::new(target.width, target.height, resize::PixelType::U8x4);
    let source = resize::images::ImageRef::new(
        size.width,
        size.height,
        copy.rgba(),
        resize::PixelType::U8x4,
    );
    // Alpha is the matte, not a coverage: the four channels are alike.
    let options = resize::ResizeOptions::new()
        .resize_alg(resize::ResizeAlg::Convolution(resize::FilterType::Lanczos3))
        .use_alpha(false);
    let done = source.is_ok_and(|source| {
        resize::Resizer::new()
            .resize(&source, &mut result, &options)
            .is_ok()
    });
    let finer = done
        .then(|| Picture::from_rgba(target, result.into_vec()))
        .flatten();
    let mut finer = finer.unwrap_or(copy);
    finer.finish = drawing.finish;
    finer
}
