//! Draws the drawings of effects on the graphics device.

use std::borrow::Cow;

use parking_lot::Mutex;
use wgpu::util::DeviceExt as _;

use crate::frame::Size;
use crate::panels::EffectKind;

/// Format of drawings: how much of either ink.
pub(in crate::compositor) const INKS: wgpu::TextureFormat = wgpu::TextureFormat::Rg8Unorm;

/// What an effect's shader is told; mirrors `Effect` in `shaders/fx/common.wgsl`. Lengths are in
/// units, a thousandth of the page's long side.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct EffectData {
    /// Width and height of the shape.
    pub size: [f32; 2],
    /// Where the face is, from the shape's upper left corner.
    pub face: [f32; 2],
    /// The point on which pixel 0,0 of the drawing lies.
    pub corner: [f32; 2],
    /// Side of a pixel.
    pub pixel: f32,
    /// Number of the drawing.
    pub drawing: f32,
    /// How many there are.
    pub drawings: f32,
    /// Tells effects of one kind apart.
    pub seed: f32,
    /// 1 is usual.
    pub density: f32,
    /// Radians, clockwise.
    pub angle: f32,
    /// 1 is usual.
    pub strength: f32,
    /// 1 is usual.
    pub scale: f32,
    /// To a multiple of 16 bytes.
    pub spare: [f32; 2],
}

/// The pipelines of effects, made when they are first needed.
pub(crate) struct Painter {
    group: wgpu::BindGroupLayout,
    layout: wgpu::PipelineLayout,
    pipelines: Mutex<Vec<(EffectKind, wgpu::RenderPipeline)>>,
}

impl Painter {
    pub fn new(device: &wgpu::Device) -> Self {
        let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("effect"),
            entries: &[wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: wgpu::BufferSize::new(size_of::<EffectData>() as u64),
                },
                count: None,
            }],
        });
        let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("effect"),
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
        Self {
            group,
            layout,
            pipelines: Mutex::default(),
        }
    }

    /// Makes ready to draw a kind.
    pub fn warm(&self, device: &wgpu::Device, kind: EffectKind) {
        self.pipeline(device, kind);
    }

    /// Draws one drawing of `size` pixels.
    pub fn paint(
        &self,
        device: &wgpu::Device,
        commands: &mut wgpu::CommandEncoder,
        kind: EffectKind,
        data: &EffectData,
        size: Size,
    ) -> wgpu::Texture {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some(kind.id()),
            size: wgpu::Extent3d {
                width: size.width,
                height: size.height,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: INKS,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT
                | wgpu::TextureUsages::TEXTURE_BINDING
                | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let uniforms = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("effect"),
            contents: bytemuck::bytes_of(data),
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("effect"),
            layout: &self.group,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: uniforms.as_entire_binding(),
            }],
        });
        let mut pass = commands.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some(kind.id()),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &texture.create_view(&wgpu::TextureViewDescriptor::default()),
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.pipeline(device, kind));
        pass.set_bind_group(0, &bindings, &[]);
        pass.draw(0..3, 0..1);
        drop(pass);
        texture
    }

    fn pipeline(&self, device: &wgpu::Device, kind: EffectKind) -> wgpu::RenderPipeline {
        let mut pipelines = self.pipelines.lock();
        if let Some((_, pipeline)) = pipelines.iter().find(|(known, _)| *known == kind) {
            return pipeline.clone();
        }
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(kind.id()),
            source: wgpu::ShaderSource::Wgsl(source(kind)),
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some(kind.id()),
            layout: Some(&self.layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("vs_main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("fs_main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: INKS,
                    blend: None,
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        });
        pipelines.push((kind, pipeline.clone()));
        pipeline
    }
}

macro_rules! shaders {
    ($($kind:ident $file:literal)*) => {
        fn built_in(kind: EffectKind) -> &'static str {
            match kind {
                $(EffectKind::$kind => concat!(
                    include_str!("../../../shaders/fx/common.wgsl"),
                    include_str!(concat!("../../../shaders/fx/", $file, ".wgsl")),
                ),)*
            }
        }
    };
}

shaders! {
    Speedlines "speedlines"
    Focus "focus"
    Halftone "halftone"
    Screentone "screentone"
    Rain "rain"
    Petals "petals"
    Sparkle "sparkle"
    Shock "shock"
    Gloom "gloom"
}

/// The shader of an effect. For those who draw effects, a build for development takes it from the
/// folder that `PANELCAM_EFFECTS` names.
fn source(kind: EffectKind) -> Cow<'static, str> {
    #[cfg(debug_assertions)]
    if let Some(folder) = std::env::var_os("PANELCAM_EFFECTS") {
        let read = |name: &str| {
            let path = std::path::Path::new(&folder).join(format!("{name}.wgsl"));
            std::fs::read_to_string(path)
        };
        match (read("common"), read(kind.id())) {
            (Ok(common), Ok(own)) => return Cow::Owned(common + &own),
            (Err(error), _) | (_, Err(error)) => tracing::warn!("{}: {error}", kind.id()),
        }
    }
    Cow::Borrowed(built_in(kind))
}
