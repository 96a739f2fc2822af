//! A page on the GPU.

use std::ops::Range;
use std::sync::OnceLock;

use crate::frame::Size;
use crate::panels::{ArtworkLayer, Crop, Page, PanelKind, PixelRect};

use super::passes::{self, FORMAT, LAYER_STRIDE, LayerData, Passes};
use super::tiles::{self, Cells};
use super::{CompositorError, Gpu, pictures};

/// A page, drawn for one program size and uploaded.
pub(crate) struct Resident {
    page: Page,
    /// The program's size.
    pub(super) size: Size,
    layers: Vec<Layer>,
    cells: Vec<Cells>,
    uniforms: wgpu::Buffer,
    /// What is drawn, for each thing that can be there to be shown.
    plans: [OnceLock<Plan>; 4],
}

/// A layer on the GPU.
pub(super) struct Layer {
    /// What fills it; `None` is art.
    pub kind: Option<PanelKind>,
    /// How much of the picture it shows.
    pub crop: Crop,
    /// Where it is in the program.
    pub rect: PixelRect,
    /// What the picture covers.
    pub fit: PixelRect,
    bindings: wgpu::BindGroup,
}

/// Which pictures there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// For live panels and people.
    pub drawing: bool,
    /// For raw panels.
    pub frame: bool,
}

struct Plan {
    tiles: wgpu::Buffer,
    /// For each layer: opaque tiles, blended tiles.
    ranges: Vec<(Range<u32>, Range<u32>)>,
}

impl Resident {
    /// Draws `page` for a program of `size` and uploads it.
    pub fn load(
        gpu: &Gpu,
        passes: &Passes,
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
        let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("layers"),
            size: LAYER_STRIDE * artwork.layers.len().max(1) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let cells: Vec<Cells> = artwork.layers.iter().map(|layer| Cells::of(layer, size)).collect();
        let layers = artwork
            .layers
            .iter()
            .zip(&cells)
            .map(|(layer, cells)| Layer::upload(gpu, passes, &uniforms, layer, cells))
            .collect();
        gpu.check()?;
        Ok(Self {
            page: page.clone(),
            size,
            layers,
            cells,
            uniforms,
            plans: Default::default(),
        })
    }

    /// Whether this is `page` at `size`. A page made in code is told by its size.
    pub fn is(&self, page: &Page, size: Size) -> bool {
        let same = self.page.same(page)
            || (page.id() == "none" && self.page.id() == "none" && self.page.units() == page.units());
        same && self.size == size
    }

    /// Whether it has such a panel.
    pub fn has(&self, kind: PanelKind) -> bool {
        self.layers.iter().any(|layer| layer.kind == Some(kind))
    }

    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Room for a [`LayerData`] a layer, [`LAYER_STRIDE`] apart.
    pub(super) fn uniforms(&self) -> &wgpu::Buffer {
        &self.uniforms
    }

    /// Draws all layers. `pictures` gives the bindings of the picture in a kind of panel.
    pub(super) fn draw<'a>(
        &self,
        device: &wgpu::Device,
        passes: &Passes,
        pass: &mut wgpu::RenderPass<'_>,
        shown: Shown,
        pictures: impl Fn(PanelKind) -> &'a wgpu::BindGroup,
    ) {
        let plan = self.plan(device, shown);
        pass.set_vertex_buffer(0, plan.tiles.slice(..));
        for (number, (layer, (opaque, mixed))) in self.layers.iter().zip(&plan.ranges).enumerate() {
            if opaque.is_empty() && mixed.is_empty() {
                continue;
            }
            let (without_blending, blended) = match layer.kind {
                None => (&passes.art_opaque, &passes.art),
                Some(PanelKind::Live | PanelKind::Raw) => (&passes.picture_opaque, &passes.picture),
                Some(PanelKind::Person) => (&passes.person, &passes.person),
            };
            // Art reads no picture, but the group has to be there.
            pass.set_bind_group(0, pictures(layer.kind.unwrap_or(PanelKind::Live)), &[]);
            pass.set_bind_group(1, &layer.bindings, &[number as u32 * LAYER_STRIDE as u32]);
            for (pipeline, range) in [(without_blending, opaque), (blended, mixed)] {
                if !range.is_empty() {
                    pass.set_pipeline(pipeline);
                    pass.draw(0..4, range.clone());
                }
            }
        }
    }

    fn plan(&self, device: &wgpu::Device, shown: Shown) -> &Plan {
        let index = usize::from(shown.drawing) | usize::from(shown.frame) << 1;
        self.plans[index].get_or_init(|| {
            let visible = |number: usize| match self.layers[number].kind {
                None => true,
                Some(PanelKind::Live | PanelKind::Person) => shown.drawing,
                Some(PanelKind::Raw) => shown.frame,
            };
            let mut all = Vec::new();
            let mut ranges = Vec::with_capacity(self.layers.len());
            for layer in tiles::plan(&self.cells, visible, self.size) {
                let start = all.len() as u32;
                all.extend(layer.opaque);
                let middle = all.len() as u32;
                all.extend(layer.mixed);
                ranges.push((start..middle, middle..all.len() as u32));
            }
            Plan {
                tiles: passes::vertex_buffer(device, bytemuck::cast_slice(&all)),
                ranges,
            }
        })
    }
}

impl Layer {
    fn upload(
        gpu: &Gpu,
        passes: &Passes,
        uniforms: &wgpu::Buffer,
        layer: &ArtworkLayer,
        cells: &Cells,
    ) -> Self {
        let (kind, crop, rect, fit) = match layer {
            ArtworkLayer::Art(art) => (None, Crop::Full, art.rect, art.rect),
            ArtworkLayer::Panel(panel) => (Some(panel.kind), panel.crop, panel.rect, panel.fit),
        };
        let size = Size::new(rect.width, rect.height);
        let ink = match layer {
            ArtworkLayer::Art(art) => {
                let texture = pictures::texture(&gpu.device, size, FORMAT, "art");
                pictures::write(&gpu.queue, &texture, &art.rgba, size, 4);
                texture.create_view(&wgpu::TextureViewDescriptor::default())
            }
            // A shape without an edge is never read.
            ArtworkLayer::Panel(_) if !cells.any_mixed() => passes.nothing.clone(),
            ArtworkLayer::Panel(panel) => {
                let format = wgpu::TextureFormat::R8Unorm;
                let texture = pictures::texture(&gpu.device, size, format, "shape");
                pictures::write(&gpu.queue, &texture, &panel.alpha, size, 1);
                texture.create_view(&wgpu::TextureViewDescriptor::default())
            }
        };
        let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
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
                    resource: wgpu::BindingResource::TextureView(&ink),
                },
            ],
        });
        Self {
            kind,
            crop,
            rect,
            fit,
            bindings,
        }
    }
}
