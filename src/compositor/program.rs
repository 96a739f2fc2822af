//! Programs, and the textures they are drawn into.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::frame::{Picture, Pooled, Size};

use super::passes::FORMAT;
use super::{Gpu, textures};

/// A program: premultiplied alpha, as a texture `Rgba8Unorm`. It is not drawn over while a clone
/// of it is held, so a window can show it while the next one is drawn.
#[derive(Clone)]
pub struct ProgramTexture {
    pub(super) inner: Inner,
}

#[derive(Clone)]
pub(super) enum Inner {
    /// Drawn on the device.
    Device(Arc<Target>),
    /// Composited in memory; on the device when somebody wants it there.
    Memory(Arc<Composed>),
}

pub(super) struct Target {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    size: Size,
}

pub(super) struct Composed {
    pub picture: Pooled<Picture>,
    pub gpu: Arc<Gpu>,
    pub programs: Arc<Mutex<Programs>>,
    pub shown: OnceLock<Arc<Target>>,
}

impl ProgramTexture {
    /// What a shader samples.
    pub fn view(&self) -> &wgpu::TextureView {
        &self.target().view
    }

    /// What pixels are copied from.
    pub fn texture(&self) -> &wgpu::Texture {
        &self.target().texture
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        match &self.inner {
            Inner::Device(target) => target.size,
            Inner::Memory(composed) => composed.picture.size(),
        }
    }

    fn target(&self) -> &Target {
        match &self.inner {
            Inner::Device(target) => target,
            Inner::Memory(composed) => composed.shown.get_or_init(|| {
                let Composed {
                    picture,
                    gpu,
                    programs,
                    ..
                } = &**composed;
                let target = programs.lock().next(&gpu.device, picture.size());
                textures::write(
                    &gpu.queue,
                    &target.texture,
                    picture.rgba(),
                    picture.size(),
                    4,
                );
                target
            }),
        }
    }
}

/// Textures that are used again as soon as nobody holds them.
#[derive(Default)]
pub(super) struct Programs {
    ring: Vec<Arc<Target>>,
}

impl Programs {
    /// The most that are kept: one is shown, one waits to be shown, one is drawn, one is spare.
    const MOST: usize = 4;

    /// A texture of `size` that nobody holds. Its old pixels are still there.
    pub fn next(&mut self, device: &wgpu::Device, size: Size) -> Arc<Target> {
        self.ring.retain(|target| target.size == size);
        if let Some(at) = self
            .ring
            .iter()
            .position(|target| Arc::strong_count(target) == 1)
        {
            // The one that waited longest comes first.
            let target = self.ring.remove(at);
            self.ring.push(Arc::clone(&target));
            return target;
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
                | wgpu::TextureUsages::COPY_SRC
                | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let target = Arc::new(Target {
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            texture,
            size,
        });
        if self.ring.len() < Self::MOST {
            self.ring.push(Arc::clone(&target));
        }
        target
    }
}
