//! Composites in memory, where the graphics device is software.
//!
//! Software Vulkan spends about ten nanoseconds of CPU on each pixel of a program, which the
//! generator beside it would rather have; this takes about a quarter. It lays the same tiles in the
//! same order as the device does and gives the same picture within rounding.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rayon::prelude::*;

use crate::frame::{CloseUps, Face, Picture, Pool, Size, Styled};
use crate::panels::{ArtworkLayer, PanelKind};
use crate::people::Head;

use super::brush::{Brush, Canvas, Filling, Finishing};
use super::closeup::Overlay;
use super::cutout::Cutout;
use super::device::Making;
use super::guide::Guidance;
use super::program::{Composed, Inner, ProgramTexture, Programs};
use super::relief::Relief;
use super::resident::{Body, Needs, Place, What};
use super::sharpen::Guide;
use super::tiles::{Filled, Plan};
use super::twins::{Shown, Twins};
use super::{Gpu, MOST_SHOTS, MOST_THREADS, Source};

/// What is kept from program to program.
pub(super) struct Memory {
    gpu: Arc<Gpu>,
    frame: Slot,
    styled: Slot,
    shots: [Slot; MOST_SHOTS],
    pool: Pool<Picture>,
    /// For those who want programs as textures.
    programs: Arc<Mutex<Programs>>,
    /// One for each thread that draws.
    brushes: Vec<Brush>,
    twins: Twins,
}

/// A picture and the people in it.
#[derive(Default)]
struct Slot {
    picture: Picture,
    people: Cutout,
    guidance: Guidance,
    close_ups: Option<CloseUps>,
    relief: Relief,
    /// Of what it shows: its frame's size, if it has one.
    shape: Size,
}

impl Slot {
    fn take(&mut self, picture: &Picture, faces: &[Face], needs: Needs) {
        self.picture.copy_from(picture);
        self.relief.take(picture, faces);
        self.shape = picture.size();
        self.guidance.follows = None;
        self.close_ups = None;
        if needs.people {
            self.people.make(picture, needs.around);
        } else if self.people.picture.size().area() > 0 {
            self.people = Cutout::default();
        }
    }

    fn take_styled(&mut self, styled: &Styled, needs: Needs) {
        self.take(&styled.picture, &styled.faces, needs);
        self.shape = styled.frame.picture.size();
        let people = needs.people.then_some(&self.people);
        self.guidance.take(styled, people);
        self.close_ups.clone_from(&styled.close_ups);
    }

    fn size(&self) -> Option<Size> {
        (self.picture.size().area() > 0 && self.shape.area() > 0).then_some(self.shape)
    }

    /// What sharpens the picture, or the people cut out of it.
    fn guide(&self, people: bool) -> Option<Guide<'_>> {
        let follows = self.guidance.follows.as_ref()?;
        let gains = if people && self.people.picture.size().area() > 0 {
            &self.guidance.people
        } else {
            &self.guidance.drawn
        };
        Some(Guide {
            frame: &follows.frame.picture,
            shrunk: &follows.shrunk,
            gains,
            plain: follows.plain,
        })
    }

    /// Holds the matte in its alpha.
    fn matte(&self) -> &Picture {
        if self.people.picture.size().area() > 0 {
            &self.people.picture
        } else {
            &self.picture
        }
    }
}

impl Memory {
    pub fn new(gpu: Arc<Gpu>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            gpu,
            frame: Slot::default(),
            styled: Slot::default(),
            shots: std::array::from_fn(|_| Slot::default()),
            pool: Pool::new(),
            programs: Arc::default(),
            brushes: (0..threads.clamp(1, MOST_THREADS))
                .map(|_| Brush::new())
                .collect(),
            twins: Twins::default(),
        }
    }

    pub fn take_frame(&mut self, picture: &Picture) {
        self.frame.picture.copy_from(picture);
        self.frame.shape = picture.size();
    }

    pub fn take_picture(&mut self, picture: &Picture, needs: Needs) {
        self.styled.take(picture, &[], needs);
    }

    pub fn take_styled(&mut self, styled: &Styled, needs: Needs) {
        self.styled.take_styled(styled, needs);
    }

    pub fn take_shot(&mut self, number: usize, shot: Option<(&Picture, Head)>, needs: Needs) {
        if let Some(slot) = self.shots.get_mut(number) {
            match shot {
                Some((picture, head)) => slot.take(picture, head.to_face().as_slice(), needs),
                None => *slot = Slot::default(),
            }
        }
    }

    pub fn frame_size(&self) -> Option<Size> {
        self.frame.size()
    }

    pub fn styled_size(&self) -> Option<Size> {
        self.styled.size()
    }

    /// Whether the upper edge of the drawing cuts off a head.
    pub fn cut(&self) -> bool {
        self.styled.people.cut
    }

    pub fn render(&mut self, making: &Making) -> ProgramTexture {
        let page = making.page;
        let mut program = self.pool.take();
        if program.size() != page.size {
            program.reshape(page.size);
        }
        let shown = making.sizes.shown(making.scene);
        let filled = self.filled(making);
        let behind = (!filled.is_empty()).then(|| page.plan_behind(shown, &filled));
        let plan = behind.as_ref().unwrap_or_else(|| page.plan(shown));
        let mut brushes = std::mem::take(&mut self.brushes);
        let mut twins = std::mem::take(&mut self.twins);
        self.draw_twins(making, plan, &mut twins, &mut brushes);
        let (size, band) = (page.size, page.size.height.div_ceil(brushes.len() as u32));
        let pixels = program.rgba_mut().as_chunks_mut().0;
        let bands = pixels.par_chunks_mut((band * size.width).max(1) as usize);
        let bands = brushes.par_iter_mut().zip(bands).enumerate();
        bands.for_each(|(number, (brush, pixels))| {
            let top = number as u32 * band;
            let mut canvas = Canvas { size, top, pixels };
            self.lay(making, plan, &twins, brush, &mut canvas);
        });
        (self.brushes, self.twins) = (brushes, twins);
        ProgramTexture {
            inner: Inner::Memory(Arc::new(Composed {
                picture: program,
                gpu: Arc::clone(&self.gpu),
                programs: Arc::clone(&self.programs),
                shown: OnceLock::new(),
            })),
        }
    }

    /// Where people fill the page: what lies behind them there need not be drawn.
    fn filled(&self, making: &Making) -> Vec<Filled> {
        let page = making.page;
        let (Body::Memory(artwork), Some(brush)) = (&page.body, self.brushes.first()) else {
            return Vec::new();
        };
        let layers = artwork.layers.iter().zip(page.layers()).enumerate();
        layers
            .filter_map(|(number, layer)| {
                let (ArtworkLayer::Panel(panel), What::Panel(place)) = (layer.0, &layer.1.what)
                else {
                    return None;
                };
                if panel.kind != PanelKind::Person {
                    return None;
                }
                let filling = self.filling((number, place), making);
                let filled = |tile| brush.is_filled(panel, &filling, tile);
                let cells = page.cells(number)?.inside(page.size, filled);
                cells.contains(&true).then_some((number, cells))
            })
            .collect()
    }

    /// Draws what several panels show.
    fn draw_twins(&self, making: &Making, plan: &Plan, twins: &mut Twins, brushes: &mut [Brush]) {
        let (page, scene, sizes) = (making.page, making.scene, making.sizes);
        let Body::Memory(artwork) = &page.body else {
            return;
        };
        let place_of = |layer: usize| match page.layers().get(layer).map(|layer| &layer.what) {
            Some(What::Panel(place)) => Some(place),
            _ => None,
        };
        let layers = artwork.layers.iter().zip(&plan.layers).enumerate();
        twins.find(layers.filter_map(|(layer, (art, tiles))| {
            let ArtworkLayer::Panel(panel) = art else {
                return None;
            };
            let place = place_of(layer).filter(|place| place.kind != PanelKind::Person)?;
            let filling = self.filling((layer, place), making);
            let shown = Shown {
                layer,
                source: scene.source(place, sizes),
                uv: filling.uv,
                rect: panel.rect,
                finished: filling.is_finished(),
            };
            Some((shown, tiles))
        }));
        twins.draw(brushes, |layer| {
            Some(self.filling((layer, place_of(layer)?), making))
        });
    }

    /// Lays everything into some rows of a program.
    fn lay(
        &self,
        making: &Making,
        plan: &Plan,
        twins: &Twins,
        brush: &mut Brush,
        canvas: &mut Canvas,
    ) {
        let (page, now) = (making.page, making.now);
        brush.clear(canvas, &plan.bare);
        if let Body::Memory(artwork) = &page.body {
            let layers = artwork.layers.iter().zip(&plan.layers).zip(page.layers());
            for (number, ((layer, tiles), place)) in layers.enumerate() {
                match layer {
                    ArtworkLayer::Art(art) => brush.art(canvas, art, tiles),
                    ArtworkLayer::Panel(panel) => {
                        if let What::Panel(place) = &place.what {
                            let mut filling = self.filling((number, place), making);
                            filling.sheet = twins.sheet(number);
                            brush.panel(canvas, panel, &filling, tiles);
                        }
                    }
                    ArtworkLayer::Lettering { layer, drawn } => {
                        if let Some(sprite) = now.sprites.of(*layer, drawn) {
                            brush.sprite(canvas, sprite);
                        }
                    }
                    ArtworkLayer::Effect(region) => {
                        if let (What::Effect(stand), Some(laid)) = (&place.what, now.effect(number))
                        {
                            brush.effect(canvas, region, stand, laid, tiles);
                        }
                    }
                }
            }
        }
        for sprite in now.above() {
            brush.sprite(canvas, sprite);
        }
    }

    fn filling(&self, (number, place): (usize, &Place), making: &Making) -> Filling<'_> {
        let Making {
            scene, now, sizes, ..
        } = *making;
        let source = scene.source(place, sizes);
        let slot = match source {
            Source::Frame => &self.frame,
            Source::Styled => &self.styled,
            Source::Shot(number) => &self.shots[number],
        };
        let is_person = place.kind == PanelKind::Person;
        // The camera's picture has no matte of its own.
        let owner = match source {
            Source::Frame => &self.styled,
            _ => slot,
        };
        let picture = match source {
            Source::Frame => &slot.picture,
            _ if is_person => slot.matte(),
            _ => &slot.picture,
        };
        Filling {
            picture,
            matte: if is_person { owner.matte() } else { picture },
            around: is_person.then_some(&owner.people.around),
            // A shadow falls where nobody is.
            people: (is_person && place.edge.shadow_colour[3] == 0)
                .then_some(&owner.people)
                .filter(|people| !people.bands.is_empty()),
            guide: slot.guide(is_person),
            overlay: slot.close_ups.as_ref().map(|close_ups| Overlay {
                close_ups,
                people: is_person,
            }),
            finishing: Some(Finishing {
                relief: &slot.relief,
                finish: making.finish(number, slot.relief.finish),
            }),
            uv: scene.cover(place, sizes).uv(place.fit),
            sheet: None,
            cut: match source {
                Source::Shot(_) => f32::from(u8::from(owner.people.cut)),
                _ => now.cut,
            },
            waits: now.waits(place, sizes),
        }
    }
}
