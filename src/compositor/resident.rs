//! A page that is ready to be shown.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::frame::Size;
use crate::panels::{Artwork, ArtworkLayer, Crop, Page, PanelKind, PixelRect};

use super::passes::{self, FORMAT, LAYER_STRIDE, LayerData, Passes};
use super::tiles::{self, Cells, Plan};
use super::{CompositorError, Gpu, textures};

/// Who lays pictures into pages.
#[derive(Clone)]
pub(crate) enum Method {
    /// The graphics device.
    Device(Arc<Passes>),
    /// The CPU, in memory.
    Memory,
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
    plans: [OnceLock<Plan>; 4],
}

/// A layer's place.
pub(super) struct Layer {
    /// What fills it; `None` is art.
    pub kind: Option<PanelKind>,
    /// How much of the picture it shows.
    pub crop: Crop,
    /// Where it is in the program.
    pub rect: PixelRect,
    /// What the picture covers.
    pub fit: PixelRect,
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
    /// Room for a [`LayerData`] a layer, [`LAYER_STRIDE`] apart.
    pub uniforms: wgpu::Buffer,
    /// For each layer.
    pub bindings: Vec<wgpu::BindGroup>,
    vertices: [OnceLock<Vertices>; 4],
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
}

impl Shown {
    fn index(self) -> usize {
        usize::from(self.drawing) | usize::from(self.frame) << 1
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
        let layers = artwork.layers.iter().map(Layer::of).collect();
        let body = match method {
            Method::Device(passes) => {
                Body::Device(Box::new(OnDevice::upload(gpu, passes, &artwork, &cells)))
            }
            Method::Memory => Body::Memory(artwork),
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
        self.layers.iter().any(|layer| layer.kind == Some(kind))
    }

    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// What is drawn where, when only what is `shown` is there.
    pub(super) fn plan(&self, shown: Shown) -> &Plan {
        self.plans[shown.index()].get_or_init(|| {
            let visible = |number: usize| match self.layers[number].kind {
                None => true,
                Some(PanelKind::Live | PanelKind::Person | PanelKind::Shot(_)) => shown.drawing,
                Some(PanelKind::Raw) => shown.frame,
            };
            tiles::plan(&self.cells, visible, self.size)
        })
    }
}

impl Layer {
    fn of(layer: &ArtworkLayer) -> Self {
        match layer {
            ArtworkLayer::Art(art) => Self {
                kind: None,
                crop: Crop::Full,
                rect: art.rect,
                fit: art.rect,
            },
            ArtworkLayer::Panel(panel) => Self {
                kind: Some(panel.kind),
                crop: panel.crop,
                rect: panel.rect,
                fit: panel.fit,
            },
        }
    }
}

impl OnDevice {
    fn upload(gpu: &Gpu, passes: &Passes, artwork: &Artwork, cells: &[Cells]) -> Self {
        let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("layers"),
            size: LAYER_STRIDE * artwork.layers.len().max(1) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let bindings = artwork
            .layers
            .iter()
            .zip(cells)
            .map(|(layer, cells)| bind(gpu, passes, &uniforms, &ink(gpu, passes, layer, cells)))
            .collect();
        Self {
            uniforms,
            bindings,
            vertices: Default::default(),
        }
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
fn ink(gpu: &Gpu, passes: &Passes, layer: &ArtworkLayer, cells: &Cells) -> wgpu::TextureView {
    let upload = |rect: PixelRect, format, bytes: &[u8], bytes_per_pixel, label| {
        let size = Size::new(rect.width, rect.height);
        let texture = textures::texture(&gpu.device, size, format, label);
        textures::write(&gpu.queue, &texture, bytes, size, bytes_per_pixel);
        texture.create_view(&wgpu::TextureViewDescriptor::default())
    };
    match layer {
        ArtworkLayer::Art(art) => upload(art.rect, FORMAT, &art.rgba, 4, "art"),
        // A shape without an edge is never read.
        ArtworkLayer::Panel(_) if !cells.any_mixed() => passes.nothing.clone(),
        ArtworkLayer::Panel(panel) => upload(
            panel.rect,
            wgpu::TextureFormat::R8Unorm,
            &panel.alpha,
            1,
            "shape",
        ),
    }
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
