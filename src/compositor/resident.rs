//! A page that is ready to be shown.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::frame::Size;
use crate::panels::{
    Artwork, ArtworkLayer, Bitmap, Blend, Crop, Edge, Page, PanelKind, PixelRect, Sprite, Sprites,
};

use super::fx::{Painter, Stand};
use super::passes::{self, FORMAT, LAYER_STRIDE, LayerData, Passes};
use super::tiles::{self, Cells, Filled, Plan};
use super::{CompositorError, Gpu, textures};

/// Who lays pictures into pages.
#[derive(Clone)]
pub(crate) enum Method {
    /// The graphics device.
    Device(Arc<Passes>),
    /// The CPU, in memory; the device only draws effects.
    Memory(Arc<Painter>),
}

/// A page, drawn for one program size.
pub(crate) struct Resident {
    page: Page,
    /// The program's size.
    pub(super) size: Size,
    layers: Vec<Layer>,
    cells: Vec<Cells>,
    pub(super) body: Body,
    /// What is drawn, for each thing that can be there to be shown.
    plans: [OnceLock<Plan>; Shown::ALL],
}

/// A layer's place.
pub(super) struct Layer {
    /// What it is.
    pub what: What,
    /// How it is mixed with what is below it.
    pub blend: Blend,
    /// Where it is in the program.
    pub rect: PixelRect,
}

/// What a layer is.
pub(super) enum What {
    /// Pictures that do not change.
    Art,
    /// A region that shows a picture.
    Panel(Place),
    /// The page's layer of this number, words or a bubble, which is drawn like this unless a sprite
    /// takes its place.
    Lettering(usize, Sprite),
    /// An effect.
    Effect(Box<Stand>),
}

/// How a panel shows its picture.
pub(super) struct Place {
    /// What fills it.
    pub kind: PanelKind,
    /// The shot it shows once that is taken.
    pub shot: Option<u8>,
    /// How much of the picture it shows.
    pub crop: Crop,
    /// What the picture covers.
    pub fit: PixelRect,
    /// What is drawn around people.
    pub edge: Edge,
}

/// What of a drawing a page needs besides the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The people, cut out.
    pub people: bool,
    /// How far from them each point is.
    pub around: bool,
}

/// Where the page's pixels are.
pub(super) enum Body {
    /// On the device.
    Device(Box<OnDevice>),
    /// In memory.
    Memory(Artwork),
}

/// A page's textures and buffers.
pub(super) struct OnDevice {
    /// Room for a [`LayerData`] a layer and a sprite above them, [`LAYER_STRIDE`] apart.
    pub uniforms: wgpu::Buffer,
    /// For each layer; `None` for words and bubbles.
    pub bindings: Vec<Option<wgpu::BindGroup>>,
    /// Room for a tile a layer and a sprite above them.
    pub sprite_tiles: wgpu::Buffer,
    /// The sprites that were shown last.
    sprites: Mutex<Vec<(Arc<Bitmap>, wgpu::BindGroup)>>,
    vertices: [OnceLock<Vertices>; Shown::ALL],
}

/// A plan's tiles on the device.
pub(super) struct Vertices {
    /// All tiles.
    pub buffer: wgpu::Buffer,
    /// For each layer: opaque tiles, blended tiles.
    pub ranges: Vec<(Range<u32>, Range<u32>)>,
}

/// Which pictures there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// For live panels and people.
    pub drawing: bool,
    /// For raw panels.
    pub frame: bool,
    /// At least one shot.
    pub shots: bool,
}

impl Shown {
    /// How many there can be.
    const ALL: usize = 8;

    fn index(self) -> usize {
        usize::from(self.drawing) | usize::from(self.frame) << 1 | usize::from(self.shots) << 2
    }
}

impl Resident {
    /// Draws `page` for a program of `size`.
    pub fn load(
        gpu: &Gpu,
        method: &Method,
        page: &Page,
        size: Size,
    ) -> Result<Self, CompositorError> {
        if size.width.max(size.height) > gpu.max_side() {
            return Err(CompositorError::TooLarge {
                size,
                max: gpu.max_side(),
            });
        }
        let artwork = page.rasterise(size)?;
        let cells: Vec<Cells> = artwork
            .layers
            .iter()
            .map(|layer| Cells::of(layer, size))
            .collect();
        let layers: Vec<Layer> = artwork
            .layers
            .iter()
            .enumerate()
            .map(|(number, layer)| Layer::of(layer, &artwork.layers[..number]))
            .collect();
        let painter = match method {
            Method::Device(passes) => &passes.painter,
            Method::Memory(painter) => painter,
        };
        for layer in &layers {
            if let What::Effect(stand) = &layer.what {
                stand.warm(gpu, painter);
            }
        }
        let body = match method {
            Method::Device(passes) => {
                Body::Device(Box::new(OnDevice::upload(gpu, passes, &artwork, &cells)))
            }
            Method::Memory(_) => Body::Memory(artwork),
        };
        gpu.check()?;
        Ok(Self {
            page: page.clone(),
            size,
            layers,
            cells,
            body,
            plans: Default::default(),
        })
    }

    /// The page.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Whether this is `page` at `size`. A page made in code is told by its size.
    pub fn is(&self, page: &Page, size: Size) -> bool {
        let same = self.page.same(page)
            || (page.id() == "none"
                && self.page.id() == "none"
                && self.page.units() == page.units());
        same && self.size == size
    }

    /// Whether it has such a panel.
    pub fn has(&self, kind: PanelKind) -> bool {
        self.panels().any(|panel| panel.kind == kind)
    }

    /// What of a drawing it needs.
    pub fn needs(&self) -> Needs {
        let mut people = self
            .panels()
            .filter(|panel| panel.kind == PanelKind::Person)
            .peekable();
        Needs {
            people: people.peek().is_some(),
            around: people.any(|person| person.edge.is_visible()),
        }
    }

    /// The numbers of its shots.
    pub fn shots(&self) -> impl Iterator<Item = u8> {
        self.panels().filter_map(|panel| panel.kind.shot())
    }

    fn panels(&self) -> impl Iterator<Item = &Place> {
        self.layers.iter().filter_map(|layer| match &layer.what {
            What::Panel(place) => Some(place),
            _ => None,
        })
    }

    /// What layer `number` is.
    pub(super) fn what(&self, number: usize) -> Option<&What> {
        self.layers.get(number).map(|layer| &layer.what)
    }

    /// The places of its effects, with the numbers of their layers.
    pub(super) fn stands(&self) -> impl Iterator<Item = (usize, &Stand)> {
        let layers = self.layers.iter().enumerate();
        layers.filter_map(|(number, layer)| match &layer.what {
            What::Effect(stand) => Some((number, &**stand)),
            _ => None,
        })
    }

    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// What is drawn where, when only what is `shown` is there.
    pub(super) fn plan(&self, shown: Shown) -> &Plan {
        self.plans[shown.index()].get_or_init(|| self.plan_behind(shown, &[]))
    }

    /// What is drawn where, for one program: some layers fill cells.
    pub(super) fn plan_behind(&self, shown: Shown, filled: &[Filled]) -> Plan {
        let visible = |number: usize| match &self.layers[number].what {
            What::Panel(place) => match place.kind {
                PanelKind::Raw => shown.frame,
                _ if place.shot.is_some() => shown.drawing || shown.shots,
                _ => shown.drawing,
            },
            _ => true,
        };
        tiles::plan(&self.cells, visible, filled, self.size)
    }

    /// How layer `number` fills the program.
    pub(super) fn cells(&self, number: usize) -> Option<&Cells> {
        self.cells.get(number)
    }
}

impl Layer {
    /// `lower`: the layers below it.
    fn of(layer: &ArtworkLayer, lower: &[ArtworkLayer]) -> Self {
        match layer {
            ArtworkLayer::Art(art) => Self {
                what: What::Art,
                blend: art.blend,
                rect: art.rect,
            },
            ArtworkLayer::Panel(panel) => Self {
                what: What::Panel(Place {
                    kind: panel.kind,
                    shot: panel.shot,
                    crop: panel.crop,
                    fit: panel.fit,
                    edge: panel.edge,
                }),
                blend: panel.blend,
                rect: panel.rect,
            },
            ArtworkLayer::Lettering { layer, drawn } => Self {
                what: What::Lettering(*layer, drawn.clone()),
                blend: drawn.bitmap.blend,
                rect: drawn.bitmap.rect,
            },
            ArtworkLayer::Effect(effect) => Self {
                what: What::Effect(Box::new(Stand::of(effect, panel_below(effect.rect, lower)))),
                blend: effect.blend,
                rect: effect.rect,
            },
        }
    }
}

/// The panel that most of an effect lies on: the face in it is the one the effect points at.
fn panel_below(rect: PixelRect, lower: &[ArtworkLayer]) -> Option<usize> {
    let overlap = |other: PixelRect| {
        let along = |a: i32, a_side: u32, b: i32, b_side: u32| {
            let end = (a + a_side as i32).min(b + b_side as i32);
            i64::from((end - a.max(b)).max(0))
        };
        along(rect.x, rect.width, other.x, other.width)
            * along(rect.y, rect.height, other.y, other.height)
    };
    let panels = lower
        .iter()
        .enumerate()
        .filter_map(|(at, layer)| match layer {
            ArtworkLayer::Panel(panel) => Some((at, overlap(panel.rect))),
            _ => None,
        });
    // Of equals the upper one.
    panels
        .filter(|(_, share)| *share > 0)
        .max_by_key(|(_, share)| *share)
        .map(|(at, _)| at)
}

impl OnDevice {
    fn upload(gpu: &Gpu, passes: &Passes, artwork: &Artwork, cells: &[Cells]) -> Self {
        let room = (artwork.layers.len() + Sprites::MOST_ABOVE) as u64;
        let buffer = |label, size, usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage: usage | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        let uniforms = buffer("layers", LAYER_STRIDE * room, wgpu::BufferUsages::UNIFORM);
        let tile = size_of::<tiles::Tile>() as u64;
        let bindings = artwork
            .layers
            .iter()
            .zip(cells)
            .map(|(layer, cells)| {
                let ink = ink(gpu, passes, layer, cells)?;
                Some(bind(gpu, passes, &uniforms, &ink))
            })
            .collect();
        Self {
            bindings,
            sprite_tiles: buffer("sprites", tile * room, wgpu::BufferUsages::VERTEX),
            sprites: Mutex::default(),
            vertices: Default::default(),
            uniforms,
        }
    }

    /// Keeps the textures of the sprites that are shown now, and makes those that are new.
    pub fn show_sprites(
        &self,
        gpu: &Gpu,
        passes: &Passes,
        shown: &[(usize, &Sprite)],
    ) -> Vec<wgpu::BindGroup> {
        let mut kept = self.sprites.lock();
        let is_shown = |bitmap: &Arc<Bitmap>| {
            let mut shown = shown.iter();
            shown.any(|(_, sprite)| Arc::ptr_eq(&sprite.bitmap, bitmap))
        };
        kept.retain(|(bitmap, _)| is_shown(bitmap));
        let mut bindings = Vec::with_capacity(shown.len());
        for (_, sprite) in shown {
            let known = kept
                .iter()
                .find(|(bitmap, _)| Arc::ptr_eq(bitmap, &sprite.bitmap));
            bindings.push(match known {
                Some((_, binding)) => binding.clone(),
                None => {
                    let art = &sprite.bitmap;
                    let ink = upload(gpu, art.rect, FORMAT, &art.rgba, 4, "sprite");
                    let binding = bind(gpu, passes, &self.uniforms, &ink);
                    kept.push((Arc::clone(art), binding.clone()));
                    binding
                }
            });
        }
        bindings
    }

    /// The tiles of a plan of this page.
    pub fn vertices(&self, device: &wgpu::Device, plan: &Plan, shown: Shown) -> &Vertices {
        self.vertices[shown.index()].get_or_init(|| {
            let mut all: Vec<tiles::Tile> = Vec::new();
            let mut ranges = Vec::with_capacity(plan.layers.len());
            for layer in &plan.layers {
                let start = all.len() as u32;
                all.extend(&layer.opaque);
                let middle = all.len() as u32;
                all.extend(&layer.mixed);
                ranges.push((start..middle, middle..all.len() as u32));
            }
            Vertices {
                buffer: passes::vertex_buffer(device, bytemuck::cast_slice(&all)),
                ranges,
            }
        })
    }
}

/// A layer's own texture: art, or a panel's shape.
fn ink(
    gpu: &Gpu,
    passes: &Passes,
    layer: &ArtworkLayer,
    cells: &Cells,
) -> Option<wgpu::TextureView> {
    use wgpu::TextureFormat::{R8Unorm, Rg8Unorm};
    Some(match layer {
        ArtworkLayer::Art(art) => upload(gpu, art.rect, FORMAT, &art.rgba, 4, "art"),
        // A shape without an edge is never read.
        ArtworkLayer::Panel(_) if !cells.any_mixed() => passes.nothing.clone(),
        ArtworkLayer::Panel(panel) if panel.kind == PanelKind::Person => {
            let inside = if panel.inside.is_empty() {
                &panel.alpha
            } else {
                &panel.inside
            };
            let both: Vec<u8> = panel
                .alpha
                .iter()
                .zip(inside)
                .flat_map(|(alpha, inside)| [*alpha, *inside])
                .collect();
            upload(gpu, panel.rect, Rg8Unorm, &both, 2, "shape")
        }
        ArtworkLayer::Panel(panel) => upload(gpu, panel.rect, R8Unorm, &panel.alpha, 1, "shape"),
        ArtworkLayer::Effect(effect) => {
            upload(gpu, effect.rect, R8Unorm, &effect.alpha, 1, "shape")
        }
        ArtworkLayer::Lettering { .. } => return None,
    })
}

fn upload(
    gpu: &Gpu,
    rect: PixelRect,
    format: wgpu::TextureFormat,
    bytes: &[u8],
    bytes_per_pixel: u32,
    label: &str,
) -> wgpu::TextureView {
    let size = Size::new(rect.width, rect.height);
    let texture = textures::texture(&gpu.device, size, format, label);
    textures::write(&gpu.queue, &texture, bytes, size, bytes_per_pixel);
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

fn bind(
    gpu: &Gpu,
    passes: &Passes,
    uniforms: &wgpu::Buffer,
    ink: &wgpu::TextureView,
) -> wgpu::BindGroup {
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("layer"),
        layout: &passes.layer_layout,
        entries: &[
            wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: uniforms,
                    offset: 0,
                    size: wgpu::BufferSize::new(size_of::<LayerData>() as u64),
                }),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: wgpu::BindingResource::TextureView(ink),
            },
        ],
    })
}
