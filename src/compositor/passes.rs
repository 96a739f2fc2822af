//! The pipelines of the one pass, and what their shader takes.

use wgpu::util::DeviceExt as _;

use crate::frame::CloseUp;
use crate::panels::Blend;

use super::fx::Painter;

/// Format of programs and pictures: colours are blended as SVG does, in sRGB values.
pub(super) const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
/// From one layer's data to the next: every device accepts this alignment.
pub(super) const LAYER_STRIDE: u64 = 256;

/// What the shader is told about a layer; mirrors `Layer` in `shaders/page.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
pub struct LayerData {
    /// Where pixel 0,0 of the program lies in the picture, 0..1.
    pub uv_origin: [f32; 2],
    /// From one pixel to the next.
    pub uv_step: [f32; 2],
    /// The program's size in pixels.
    pub program: [f32; 2],
    /// The program pixel on which pixel 0,0 of the layer's texture lies.
    pub corner: [i32; 2],
    /// Of people: the outline's colour. Of an effect: its first colour. Straight alpha.
    pub first: [f32; 4],
    /// Of people: the shadow's colour. Of an effect: its second colour. Straight alpha.
    pub second: [f32; 4],
    /// Of people: how far the shadow falls, in the picture, 0..1.
    pub shadow: [f32; 2],
    /// Of people: the outline's width in program pixels. Of tone: how sharp its dots are.
    pub outline: f32,
    /// Of people: the shadow's softness in program pixels, 1 at least. Of tone: its strength.
    pub blur: f32,
    /// Of people: the longest distance that is measured, in program pixels; 0: none is. Of tone: 1
    /// when the picture is taken in steps.
    pub reach: f32,
    /// Of people: how much the picture cuts off their heads, 0..1.
    pub cut: f32,
    /// 1 where a shot is waited for.
    pub waits: f32,
    /// How the layer is mixed with what is below it: the place of its [`Blend`] in `Blend::ALL`.
    pub mode: u32,
    /// 1 where the picture is enlarged and follows the edges of its frame.
    pub sharp: f32,
    /// The part of the picture that is the frame itself, 0..1.
    pub plain: f32,
    /// How many close-ups lie over the picture.
    pub close_ups: u32,
    /// Of a picture that is printed in dots: how many pixels of the program the screen takes until it
    /// repeats itself.
    pub screen: f32,
    /// Where a point of the picture lies in theirs: an origin, and the scale of the way from there.
    pub close_maps: [[f32; 4]; CloseUp::MOST],
    /// Where each of them is in theirs: its left, upper, right and lower edge, 0..1.
    pub close_areas: [[f32; 4]; CloseUp::MOST],
    /// Of a picture that is printed in dots: the ink's red, green, blue, and how much of it is
    /// printed, a byte each, red the lowest.
    pub dots: u32,
    /// How much of a tone's darkness the dots bear, 0..1.
    pub cover: f32,
    /// How sharp their edges are.
    pub dot_edge: f32,
    /// How crisp the picture's edges become, 0..1.
    pub crisp: f32,
}

/// The ways in which one kind of layer is laid.
pub(super) struct Family {
    /// Over what is below.
    over: wgpu::RenderPipeline,
    /// Brightening what is below.
    screen: wgpu::RenderPipeline,
    /// In any way, reading a copy of what is below.
    mixed: wgpu::RenderPipeline,
}

impl Family {
    /// What lays a layer, and whether it reads what is below.
    pub fn of(&self, blend: Blend) -> (&wgpu::RenderPipeline, bool) {
        match blend {
            Blend::Normal => (&self.over, false),
            Blend::Screen => (&self.screen, false),
            _ => (&self.mixed, true),
        }
    }
}

/// Long-lived: pipelines, and the layouts of what they take.
pub(crate) struct Passes {
    /// Art without transparency.
    pub(super) art_opaque: wgpu::RenderPipeline,
    /// Art, blended.
    pub(super) art: Family,
    /// A picture that fills its tiles.
    pub(super) picture_opaque: wgpu::RenderPipeline,
    /// A picture along the edge of its panel.
    pub(super) picture: Family,
    /// People alone.
    pub(super) person: Family,
    /// An effect's drawing in its inks.
    pub(super) effect: Family,
    /// Ink where the picture below is dark.
    pub(super) tone: wgpu::RenderPipeline,
    /// Draws the drawings of effects.
    pub(super) painter: Painter,
    /// Of group 0.
    pub(super) pictures_layout: wgpu::BindGroupLayout,
    /// Of group 1.
    pub(super) layer_layout: wgpu::BindGroupLayout,
    /// Of group 2.
    pub(super) below_layout: wgpu::BindGroupLayout,
    /// Smooth between pixels, edges repeated.
    pub(super) sampler: wgpu::Sampler,
    /// Stands in for a texture that is not there.
    pub(super) nothing: wgpu::TextureView,
}

impl Passes {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("page.wgsl"),
            source: wgpu::ShaderSource::Wgsl(include_str!("../../shaders/page.wgsl").into()),
        });
        let pictures_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("pictures"),
            entries: &[
                texture_entry(0),
                texture_entry(1),
                wgpu::BindGroupLayoutEntry {
                    binding: 2,
                    visibility: wgpu::ShaderStages::FRAGMENT,
                    ty: wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
                    count: None,
                },
                texture_entry(3),
                texture_entry(4),
                texture_entry(5),
                texture_entry(6),
                texture_entry(7),
                texture_entry(8),
            ],
        });
        let layer_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("layer"),
            entries: &[
                wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                    ty: wgpu::BindingType::Buffer {
                        ty: wgpu::BufferBindingType::Uniform,
                        has_dynamic_offset: true,
                        min_binding_size: wgpu::BufferSize::new(size_of::<LayerData>() as u64),
                    },
                    count: None,
                },
                texture_entry(1),
            ],
        });
        let below_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("below"),
            entries: &[texture_entry(0)],
        });
        let layouts = [
            Some(&pictures_layout),
            Some(&layer_layout),
            Some(&below_layout),
        ];
        let [layout, mixing] = [&layouts[..2], &layouts[..]].map(|groups| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some("page"),
                bind_group_layouts: groups,
                immediate_size: 0,
            })
        });
        let pipeline = |entry: &str, blend: Option<wgpu::BlendState>| {
            let mixes = entry.ends_with("_mixed");
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(entry),
                layout: Some(if mixes { &mixing } else { &layout }),
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some("vs_main"),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: &[Some(wgpu::VertexBufferLayout {
                        array_stride: size_of::<super::tiles::Tile>() as u64,
                        step_mode: wgpu::VertexStepMode::Instance,
                        attributes: &wgpu::vertex_attr_array![0 => Uint16x4],
                    })],
                },
                primitive: wgpu::PrimitiveState {
                    topology: wgpu::PrimitiveTopology::TriangleStrip,
                    ..wgpu::PrimitiveState::default()
                },
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some(entry),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets: &[Some(wgpu::ColorTargetState {
                        format: FORMAT,
                        blend,
                        write_mask: wgpu::ColorWrites::ALL,
                    })],
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        let over = Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING);
        // What is above, and what is below as far as that is not bright already: exact with
        // premultiplied alpha, of which the other ways of mixing have no such form.
        let lit = wgpu::BlendComponent {
            src_factor: wgpu::BlendFactor::One,
            dst_factor: wgpu::BlendFactor::OneMinusSrc,
            operation: wgpu::BlendOperation::Add,
        };
        let screen = Some(wgpu::BlendState {
            color: lit,
            alpha: wgpu::BlendComponent::OVER,
        });
        let family = |entry: &str| Family {
            over: pipeline(entry, over),
            screen: pipeline(entry, screen),
            mixed: pipeline(&format!("{entry}_mixed"), None),
        };
        Self {
            art_opaque: pipeline("fs_art", None),
            art: family("fs_art"),
            picture_opaque: pipeline("fs_picture", None),
            picture: family("fs_picture_edge"),
            person: family("fs_person"),
            effect: family("fs_effect"),
            tone: pipeline("fs_tone_mixed", None),
            painter: Painter::new(device),
            sampler: device.create_sampler(&wgpu::SamplerDescriptor {
                label: Some("smooth"),
                mag_filter: wgpu::FilterMode::Linear,
                min_filter: wgpu::FilterMode::Linear,
                ..wgpu::SamplerDescriptor::default()
            }),
            nothing: nothing(device),
            pictures_layout,
            layer_layout,
            below_layout,
        }
    }
}

fn texture_entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    }
}

fn nothing(device: &wgpu::Device) -> wgpu::TextureView {
    device
        .create_texture(&wgpu::TextureDescriptor {
            label: Some("nothing"),
            size: wgpu::Extent3d::default(),
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            // Fresh textures are transparent.
            usage: wgpu::TextureUsages::TEXTURE_BINDING,
            view_formats: &[],
        })
        .create_view(&wgpu::TextureViewDescriptor::default())
}

/// A buffer of vertices; one that is empty is not allowed.
pub(super) fn vertex_buffer(device: &wgpu::Device, bytes: &[u8]) -> wgpu::Buffer {
    let filler = [0; 8];
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("tiles"),
        contents: if bytes.is_empty() { &filler } else { bytes },
        usage: wgpu::BufferUsages::VERTEX,
    })
}
