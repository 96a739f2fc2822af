//! Composites in memory, where the graphics device is software.
//!
//! Software Vulkan spends about ten nanoseconds of CPU on each pixel of a program, which the
//! generator beside it would rather have; this takes about a quarter. It lays the same tiles in the
//! same order as the device does and gives the same picture within rounding.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::frame::{Picture, Pool, Size, Styled};
use crate::panels::{ArtworkLayer, Coverage, PanelKind};

use super::brush::{Brush, Filling};
use super::cutout::Cutout;
use super::device::Making;
use super::guide::Guidance;
use super::program::{Composed, Inner, ProgramTexture, Programs};
use super::resident::{Body, Needs, Place, What};
use super::sharpen::Guide;
use super::tiles::Tiles;
use super::{Gpu, MOST_SHOTS, Now, Scene, Sizes, Source};

/// What is kept from program to program.
pub(super) struct Memory {
    gpu: Arc<Gpu>,
    frame: Slot,
    styled: Slot,
    shots: [Slot; MOST_SHOTS],
    pool: Pool<Picture>,
    /// For those who want programs as textures.
    programs: Arc<Mutex<Programs>>,
    brush: Brush,
}

/// A picture and the people in it.
#[derive(Default)]
struct Slot {
    picture: Picture,
    people: Cutout,
    guidance: Guidance,
    /// Of what it shows: its frame's size, if it has one.
    shape: Size,
}

impl Slot {
    fn take(&mut self, picture: &Picture, needs: Needs) {
        self.picture.copy_from(picture);
        self.shape = picture.size();
        self.guidance.follows = None;
        if needs.people {
            self.people.make(picture, needs.around);
        } else if self.people.picture.size().area() > 0 {
            self.people = Cutout::default();
        }
    }

    fn take_styled(&mut self, styled: &Styled, needs: Needs) {
        self.take(&styled.picture, needs);
        self.shape = styled.frame.picture.size();
        let people = needs.people.then_some(&self.people);
        self.guidance.take(styled, people);
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
        Self {
            gpu,
            frame: Slot::default(),
            styled: Slot::default(),
            shots: std::array::from_fn(|_| Slot::default()),
            pool: Pool::new(),
            programs: Arc::default(),
            brush: Brush::new(),
        }
    }

    pub fn take_frame(&mut self, picture: &Picture) {
        self.frame.picture.copy_from(picture);
        self.frame.shape = picture.size();
    }

    pub fn take_picture(&mut self, picture: &Picture, needs: Needs) {
        self.styled.take(picture, needs);
    }

    pub fn take_styled(&mut self, styled: &Styled, needs: Needs) {
        self.styled.take_styled(styled, needs);
    }

    pub fn take_shot(&mut self, number: usize, picture: Option<&Picture>, needs: Needs) {
        if let Some(slot) = self.shots.get_mut(number) {
            match picture {
                Some(picture) => slot.take(picture, needs),
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
        let Making {
            page,
            scene,
            now,
            sizes,
        } = *making;
        let mut program = self.pool.take();
        if program.size() != page.size {
            program.reshape(page.size);
        }
        let plan = page.plan(sizes.shown(scene));
        self.brush.clear(&mut program, &plan.bare);
        if let Body::Memory(artwork) = &page.body {
            let layers = artwork.layers.iter().zip(&plan.layers).zip(page.layers());
            for (number, ((layer, tiles), place)) in layers.enumerate() {
                match layer {
                    ArtworkLayer::Art(art) => self.brush.art(&mut program, art, tiles),
                    ArtworkLayer::Panel(panel) => {
                        if let What::Panel(place) = &place.what {
                            self.panel(&mut program, panel, place, tiles, (scene, now, sizes));
                        }
                    }
                    ArtworkLayer::Lettering { layer, drawn } => {
                        if let Some(sprite) = now.sprites.of(*layer, drawn) {
                            self.brush.sprite(&mut program, sprite);
                        }
                    }
                    ArtworkLayer::Effect(region) => {
                        if let (What::Effect(stand), Some(laid)) = (&place.what, now.effect(number))
                        {
                            self.brush.effect(&mut program, region, stand, laid, tiles);
                        }
                    }
                }
            }
        }
        for sprite in now.above() {
            self.brush.sprite(&mut program, sprite);
        }
        ProgramTexture {
            inner: Inner::Memory(Arc::new(Composed {
                picture: program,
                gpu: Arc::clone(&self.gpu),
                programs: Arc::clone(&self.programs),
                shown: OnceLock::new(),
            })),
        }
    }

    fn panel(
        &mut self,
        program: &mut Picture,
        panel: &Coverage,
        place: &Place,
        tiles: &Tiles,
        (scene, now, sizes): (&Scene, &Now, &Sizes),
    ) {
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
        let filling = Filling {
            picture,
            matte: if is_person { owner.matte() } else { picture },
            around: is_person.then_some(&owner.people.around),
            // A shadow falls where nobody is.
            people: (is_person && place.edge.shadow_colour[3] == 0)
                .then_some(&owner.people)
                .filter(|people| !people.bands.is_empty()),
            guide: slot.guide(is_person),
            uv: scene.cover(place, sizes).uv(place.fit),
            cut: match source {
                Source::Shot(_) => f32::from(u8::from(owner.people.cut)),
                _ => now.cut,
            },
            waits: now.waits(place, sizes),
        };
        self.brush.panel(program, panel, &filling, tiles);
    }
}
