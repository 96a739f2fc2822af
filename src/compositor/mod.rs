//! Lays drawings into the panels of a page, on the GPU.
//!
//! A page is uploaded once; each drawing is uploaded, laid into the page in one pass, and read
//! back when somebody wants it in memory. [`Compositor`] does that when it is told to; [`start`]
//! runs it as a stage of the pipeline. The compositor itself reads no clock.

mod booth;
mod brush;
mod closeup;
mod crisp;
mod cutout;
mod device;
mod enlarger;
mod fx;
mod gpu;
mod guide;
mod halftone;
mod inking;
mod memory;
mod outlets;
mod pages;
mod passes;
mod pixel;
mod program;
mod readback;
mod relief;
mod resident;
mod sharpen;
mod stage;
mod still;
mod textures;
mod tiles;
mod twins;
mod wide;

pub use enlarger::{Enlarger, enlarged};
pub use fx::EffectData;
pub use gpu::Gpu;
pub use outlets::{Outlet, Outlets};
pub use passes::LayerData;
pub use program::ProgramTexture;
pub use readback::Reading;
pub use stage::{Inbox, Running, ScreenProgram, start};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::frame::{Picture, Size, Styled};
use crate::panels::{Cover, Page, PageError, PanelKind, Sprite, Sprites};
use crate::people::Head;

use cutout::Retreat;
use device::{Device, Making};
use fx::{Effects, Laid, Painter};
use memory::Memory;
use passes::Passes;
use resident::{Method, Place, Resident, Shown};

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum CompositorError {
    /// No graphics driver.
    #[error(
        "No graphics driver was found. Install the driver of your graphics card; without a card, \
         on Debian and Ubuntu: apt install mesa-vulkan-drivers. ({0})"
    )]
    NoDriver(String),
    /// The driver refuses to work.
    #[error("The graphics driver does not start. Update it or restart the machine. ({0})")]
    NoDevice(String),
    /// The device went away: unplugged, crashed, or the driver was updated.
    #[error("The graphics device stopped working. Restart panelcam. ({0})")]
    Lost(String),
    /// An operation failed.
    #[error(
        "The graphics driver refused an operation. Choose a smaller program size, or update the driver. ({0})"
    )]
    Refused(String),
    /// It does not answer.
    #[error("The graphics device does not answer. Restart panelcam. ({0})")]
    Hangs(String),
    /// More pixels than the device can draw.
    #[error(
        "This graphics device draws at most {max} pixels a side. Choose a smaller size. ({size})"
    )]
    TooLarge {
        /// What was asked for.
        size: Size,
        /// The longest side there is.
        max: u32,
    },
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The system gives no thread.
    #[error("The compositor does not start. Close other programs. ({0})")]
    Thread(#[from] std::io::Error),
}

/// What a program shows besides the page and the pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scene {
    /// Since the start; animated parts of a page follow it.
    pub time: Duration,
    /// Whether people see themselves as in a mirror. Art is never mirrored.
    pub mirror: bool,
    /// Whether the camera's picture is shown in place of the drawing.
    pub compare: bool,
    /// The head in the frame, not mirrored, that panels keep in view.
    pub focus: Head,
}

/// The time of a scene that is shown as a single picture: no flash of the beginning is on it.
pub const STILL: Duration = Duration::from_secs(2);

/// Who lays pictures into pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hand {
    /// The device, unless it is software.
    #[default]
    Auto,
    /// The device, in any case.
    Device,
    /// The CPU, in memory: the same picture within rounding. It takes a quarter of the time that
    /// software graphics takes.
    Memory,
}

/// Lays pictures into a page.
pub struct Compositor {
    gpu: Arc<Gpu>,
    backend: Backend,
    page: Arc<Resident>,
    now: Now,
    effects: Effects,
    /// The head in each shot that is kept in view.
    shots: [Option<(Size, Head)>; MOST_SHOTS],
    retreat: Retreat,
}

enum Backend {
    Device(Box<Device>),
    Memory(Box<Memory>, Arc<Painter>),
}

/// The most shots of a page.
const MOST_SHOTS: usize = 9;

/// Threads that work at one program in memory, each on a band of its rows, at most: it is there
/// sooner, and more would only take from the generator.
const MOST_THREADS: usize = 4;

/// What was said once and holds until something else is said.
#[derive(Default)]
struct Now {
    sprites: Sprites,
    /// The shot that is to be taken next, counted from 0, if anybody said so.
    next_shot: Option<usize>,
    /// The shot that is taken next, counted from 0.
    next: Option<usize>,
    /// How much of the people in the drawing its upper edge cuts off, calmed.
    cut: f32,
    /// The drawings of effects, with the layers they are of.
    effects: Vec<(usize, Laid)>,
}

/// The pictures there are.
#[derive(Clone, Copy)]
struct Sizes {
    frame: Option<Size>,
    styled: Option<Size>,
    shots: [Option<(Size, Head)>; MOST_SHOTS],
}

/// Where a panel's picture comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The camera.
    Frame,
    /// The drawing.
    Styled,
    /// A shot, counted from 0.
    Shot(usize),
}

/// A page drawn for one program size, ready to be shown by the compositor that drew it.
#[derive(Clone)]
pub struct Ready(Arc<Resident>);

impl Compositor {
    /// A compositor that shows the live picture alone, 1280x720, until it is given a page.
    ///
    /// # Errors
    /// When the device refuses to work.
    pub fn new(gpu: Arc<Gpu>) -> Result<Self, CompositorError> {
        Self::by(gpu, Hand::Auto)
    }

    /// Like [`new`](Self::new); `hand` does the work.
    ///
    /// # Errors
    /// When the device refuses to work.
    pub fn by(gpu: Arc<Gpu>, hand: Hand) -> Result<Self, CompositorError> {
        let in_memory = match hand {
            Hand::Auto => gpu.software,
            Hand::Device => false,
            Hand::Memory => true,
        };
        let backend = if in_memory {
            let painter = Arc::new(Painter::new(&gpu.device));
            Backend::Memory(Box::new(Memory::new(Arc::clone(&gpu))), painter)
        } else {
            Backend::Device(Box::new(Device::new(
                &gpu,
                Arc::new(Passes::new(&gpu.device)),
            )))
        };
        let size = Size::new(1280, 720);
        let method = backend.method();
        let page = Resident::load(&gpu, &method, &Page::plain(size), size)?;
        gpu.check()?;
        Ok(Self {
            effects: Effects::new(Arc::clone(&gpu), method),
            gpu,
            backend,
            page: Arc::new(page),
            now: Now::default(),
            shots: [None; MOST_SHOTS],
            retreat: Retreat::default(),
        })
    }

    /// Shows `page` from now on, fitted into a program of `size`. Draws it, unless it is the page
    /// in use.
    ///
    /// # Errors
    /// When the size is too large; the page in use stays.
    pub fn set_page(&mut self, page: &Page, size: Size) -> Result<(), CompositorError> {
        if !self.page.is(page, size) {
            let page = Resident::load(&self.gpu, &self.backend.method(), page, size)?;
            self.show(Arc::new(page));
        }
        Ok(())
    }

    /// Draws a page for a program of `size`, to be shown later.
    ///
    /// # Errors
    /// When the size is too large.
    pub fn draw_ahead(&self, page: &Page, size: Size) -> Result<Ready, CompositorError> {
        let page = Resident::load(&self.gpu, &self.backend.method(), page, size)?;
        Ok(Ready(Arc::new(page)))
    }

    /// Shows a page that is ready from now on.
    pub fn show_ready(&mut self, page: &Ready) {
        self.show(Arc::clone(&page.0));
    }

    /// What another thread needs to draw pages for [`show`](Self::show).
    pub(crate) fn method(&self) -> Method {
        self.backend.method()
    }

    /// Shows a page that was drawn elsewhere; `false` when it is shown already.
    pub(crate) fn show(&mut self, page: Arc<Resident>) -> bool {
        let new = !Arc::ptr_eq(&self.page, &page);
        if new {
            self.page = page;
            self.now.sprites = Sprites::default();
            self.effects.turn(&self.page);
        }
        new
    }

    /// Shows sprites until others are given or the page changes.
    pub fn set_sprites(&mut self, sprites: Sprites) {
        self.now.sprites = sprites;
    }

    /// Gives a shot its picture, a drawing with its matte, and the head in it to keep in view;
    /// `None` takes it away. `number` counts from 1 to 9.
    ///
    /// # Errors
    /// When the picture is too large for the device.
    pub fn set_shot(
        &mut self,
        number: u8,
        shot: Option<(&Picture, Head)>,
    ) -> Result<(), CompositorError> {
        let at = usize::from(number).wrapping_sub(1);
        let Some(place) = self.shots.get_mut(at) else {
            return Ok(());
        };
        let needs = self.page.needs();
        match &mut self.backend {
            Backend::Device(device) => {
                let (gpu, passes) = (&device.gpu, &device.passes);
                device.pictures.upload_shot(gpu, passes, at, shot, needs)?;
            }
            Backend::Memory(memory, _) => memory.take_shot(at, shot, needs),
        }
        *place = shot
            .filter(|(picture, _)| picture.size().area() > 0)
            .map(|(picture, focus)| (picture.size(), focus));
        Ok(())
    }

    /// Which shot is taken next, and so is not dimmed: 1 to 9; `None`: the first that is missing.
    pub fn set_next_shot(&mut self, number: Option<u8>) {
        self.now.next_shot = number.map(|number| usize::from(number).wrapping_sub(1));
    }

    /// The page in use.
    pub fn page(&self) -> &Page {
        self.page.page()
    }

    /// Switches effects off: by kind (`rain`), or by all that follows `fx-` in a name
    /// (`rain-left`).
    pub fn set_effects_off(&mut self, off: &[String]) {
        self.effects.set_off(off);
    }

    /// How strong effects are, by kind: 0 to 2, 1 is as the artist drew them.
    pub fn set_effect_strengths(&mut self, strengths: &BTreeMap<String, f32>) {
        self.effects.set_strengths(strengths);
    }

    /// Starts effects that rest most of the time, like the flash of `fx-shock`.
    pub fn start_effects(&mut self, time: Duration) {
        self.effects.start(time);
    }

    /// Lets a thread of its own draw effects where that takes long. Until a drawing is there, the
    /// one before is shown: right for what is live, wrong where every program counts.
    pub(crate) fn draw_effects_aside(&mut self) -> Result<(), CompositorError> {
        self.effects.draw_aside()
    }

    /// Changes whenever the page looks different at another time.
    pub(crate) fn animation(&self, time: Duration) -> u64 {
        self.effects.state(&self.page, time)
    }

    /// The program's size.
    pub fn size(&self) -> Size {
        self.page.size
    }

    /// Whether the page has a panel that shows the camera's picture. Where it has none and no
    /// comparison is asked for, frames need no upload.
    pub fn shows_frame(&self) -> bool {
        self.page.has(PanelKind::Raw)
    }

    /// Takes the camera's picture. It stays until the next one.
    ///
    /// # Errors
    /// When it is too large for the device.
    pub fn upload_frame(&mut self, picture: &Picture) -> Result<(), CompositorError> {
        match &mut self.backend {
            Backend::Device(device) => device.upload_frame(picture),
            Backend::Memory(memory, _) => {
                memory.take_frame(picture);
                Ok(())
            }
        }
    }

    /// Takes a drawing; where it is shown larger than it is, its frame sharpens it. It stays until
    /// the next one. A page with people on it that is shown later cuts them out of the next
    /// drawing.
    ///
    /// # Errors
    /// When it is too large for the device.
    pub fn upload_drawing(&mut self, styled: &Styled) -> Result<(), CompositorError> {
        let needs = self.page.needs();
        match &mut self.backend {
            Backend::Device(device) => {
                let (gpu, passes) = (&device.gpu, &device.passes);
                device.pictures.upload_drawing(gpu, passes, styled, needs)
            }
            Backend::Memory(memory, _) => {
                memory.take_styled(styled, needs);
                Ok(())
            }
        }
    }

    /// Like [`upload_drawing`](Self::upload_drawing), for a drawing with its matte that has no
    /// frame: it is shown as it is.
    ///
    /// # Errors
    /// When it is too large for the device.
    pub fn upload_styled(&mut self, picture: &Picture) -> Result<(), CompositorError> {
        let needs = self.page.needs();
        match &mut self.backend {
            Backend::Device(device) => {
                let (gpu, passes) = (&device.gpu, &device.passes);
                device.pictures.upload_styled(gpu, passes, picture, needs)
            }
            Backend::Memory(memory, _) => {
                memory.take_picture(picture, needs);
                Ok(())
            }
        }
    }

    /// Lays the pictures into the page; the device works on while this returns.
    ///
    /// # Errors
    /// When the device is lost or refuses.
    pub fn render(&mut self, scene: &Scene) -> Result<ProgramTexture, CompositorError> {
        Ok(self.render_submitted(scene)?.0)
    }

    /// Like [`render`](Self::render), and tells what to wait for, if anything.
    pub(crate) fn render_submitted(
        &mut self,
        scene: &Scene,
    ) -> Result<(ProgramTexture, Option<wgpu::SubmissionIndex>), CompositorError> {
        self.gpu.check()?;
        let sizes = self.prepare(scene);
        let making = Making {
            page: &self.page,
            scene,
            now: &self.now,
            sizes: &sizes,
        };
        Ok(match &mut self.backend {
            Backend::Device(device) => {
                let (program, submission) = device.render(&making);
                (program, Some(submission))
            }
            Backend::Memory(memory, _) => (memory.render(&making), None),
        })
    }

    /// What there is to show, and how much of it in this moment.
    fn prepare(&mut self, scene: &Scene) -> Sizes {
        let (frame, styled, cut) = match &self.backend {
            Backend::Device(device) => (
                device.pictures.frame_size(),
                device.pictures.styled_size(),
                device.cut(),
            ),
            Backend::Memory(memory, _) => (memory.frame_size(), memory.styled_size(), memory.cut()),
        };
        let sizes = Sizes {
            frame,
            styled,
            shots: self.shots,
        };
        self.now.next = self.now.next_shot.or_else(|| {
            let missing = |at: &usize| self.shots.get(*at).is_some_and(Option::is_none);
            let numbers = self.page.shots();
            let places = numbers.map(|number| usize::from(number).wrapping_sub(1));
            places.filter(missing).min()
        });
        self.now.cut = self.retreat.follow(cut, scene.time);
        self.now.effects = self.effects.show(&self.page, scene, &sizes);
        sizes
    }

    /// Like [`render`](Self::render), and starts copying the pixels into memory.
    /// [`Reading::finish`] waits for them, on any thread.
    ///
    /// # Errors
    /// When the device is lost or refuses.
    pub fn render_to_memory(
        &mut self,
        scene: &Scene,
    ) -> Result<(ProgramTexture, Reading), CompositorError> {
        self.gpu.check()?;
        let sizes = self.prepare(scene);
        let making = Making {
            page: &self.page,
            scene,
            now: &self.now,
            sizes: &sizes,
        };
        Ok(match &mut self.backend {
            Backend::Device(device) => device.render_to_memory(&making),
            Backend::Memory(memory, _) => {
                let program = memory.render(&making);
                (program.clone(), Reading::of(program))
            }
        })
    }

    /// Copies a program's pixels, premultiplied, into `picture`; waits for them.
    ///
    /// # Errors
    /// When the device is lost or does not answer.
    pub fn read(
        &mut self,
        program: &ProgramTexture,
        picture: &mut Picture,
    ) -> Result<(), CompositorError> {
        let reading = match &self.backend {
            Backend::Device(device) => device.read(program),
            Backend::Memory(..) => Reading::of(program.clone()),
        };
        reading.finish(picture)
    }
}

impl Backend {
    fn method(&self) -> Method {
        match self {
            Self::Device(device) => Method::Device(Arc::clone(&device.passes)),
            Self::Memory(_, painter) => Method::Memory(Arc::clone(painter)),
        }
    }
}

impl Now {
    /// Sprites on top of everything.
    fn above(&self) -> &[Sprite] {
        let above = &self.sprites.above;
        &above[..above.len().min(Sprites::MOST_ABOVE)]
    }

    /// The drawing of an effect that is layer `number`.
    fn effect(&self, number: usize) -> Option<&Laid> {
        let mut effects = self.effects.iter();
        effects.find_map(|(layer, laid)| (*layer == number).then_some(laid))
    }

    /// Whether a panel waits for a shot that is not the next one.
    fn waits(&self, place: &Place, sizes: &Sizes) -> bool {
        let PanelKind::Shot(number) = place.kind else {
            return false;
        };
        let at = usize::from(number).wrapping_sub(1);
        sizes.shots.get(at).is_some_and(Option::is_none) && self.next != Some(at)
    }
}

impl Sizes {
    /// What is there to be shown in a scene.
    fn shown(&self, scene: &Scene) -> Shown {
        Shown {
            drawing: if scene.compare {
                self.frame.is_some()
            } else {
                self.styled.is_some()
            },
            frame: self.frame.is_some(),
            shots: self.shots.iter().any(Option::is_some),
        }
    }
}

impl Scene {
    /// Where a panel's picture comes from.
    fn source(&self, place: &Place, sizes: &Sizes) -> Source {
        let shot = place.shot.map(|number| usize::from(number).wrapping_sub(1));
        match shot.filter(|at| sizes.shots.get(*at).is_some_and(Option::is_some)) {
            Some(at) => Source::Shot(at),
            None if self.compare || place.kind == PanelKind::Raw => Source::Frame,
            None => Source::Styled,
        }
    }

    /// The picture that a panel shows, and the head in it that is kept in view; `None` while there
    /// is none.
    fn pictured(&self, place: &Place, sizes: &Sizes) -> Option<(Size, Head)> {
        match self.source(place, sizes) {
            Source::Frame => Some((sizes.frame?, self.focus)),
            Source::Styled => Some((sizes.styled?, self.focus)),
            Source::Shot(at) => sizes.shots.get(at).copied().flatten(),
        }
    }

    /// How a panel's picture lies in it.
    fn cover(&self, place: &Place, sizes: &Sizes) -> Cover {
        let nothing = (Size::new(1, 1), self.focus);
        let (picture, focus) = self.pictured(place, sizes).unwrap_or(nothing);
        Cover {
            picture,
            focus,
            crop: place.crop,
            mirror: self.mirror,
        }
    }
}
