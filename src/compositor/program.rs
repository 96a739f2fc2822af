//! The textures that programs are drawn into.

use std::sync::Arc;

use crate::frame::Size;

use super::passes::FORMAT;

/// A program on the GPU: premultiplied alpha, `Rgba8Unorm`. It is not drawn over while a clone of
/// it is held, so a window can show it while the next one is drawn.
#[derive(Clone)]
pub struct ProgramTexture {
    target: Arc<Target>,
}

struct Target {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    size: Size,
}

impl ProgramTexture {
    /// What a shader samples.
    pub fn view(&self) -> &wgpu::TextureView {
        &self.target.view
    }

    /// What pixels are copied from.
    pub fn texture(&self) -> &wgpu::Texture {
        &self.target.texture
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.target.size
    }
}

/// Textures that are used again as soon as nobody holds them.
#[derive(Default)]
pub(super) struct Programs {
    ring: Vec<ProgramTexture>,
}

impl Programs {
    /// The most that are kept: one is shown, one waits to be shown, one is drawn, one is spare.
    const MOST: usize = 4;

    /// A texture of `size` that nobody holds. Its old pixels are still there.
    pub fn next(&mut self, device: &wgpu::Device, size: Size) -> ProgramTexture {
        self.ring.retain(|program| program.size() == size);
        let free = self.ring.iter().position(|program| Arc::strong_count(&program.target) == 1);
        if let Some(at) = free {
            // The one that waited longest comes first.
            let program = self.ring.remove(at);
            self.ring.push(program.clone());
            return program;
        }
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("program"),
            size: wgpu::Extent3d {
                width: size.width,
                height: size.height,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT
                | wgpu::TextureUsages::TEXTURE_BINDING
                | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let program = ProgramTexture {
            target: Arc::new(Target {
                view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
                texture,
                size,
            }),
        };
        if self.ring.len() < Self::MOST {
            self.ring.push(program.clone());
        }
        program
    }
}
