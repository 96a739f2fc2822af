//! The pictures that fill panels, as textures that are used again and again.

use crate::frame::{Picture, Size};

use super::passes::{FORMAT, Passes};
use super::{CompositorError, Gpu};

/// The newest camera picture and the newest drawing.
pub(super) struct Pictures {
    frame: Option<Upload>,
    styled: Option<Upload>,
    /// Drawing and matte.
    drawn: wgpu::BindGroup,
    /// Camera picture and the matte of the drawing.
    camera: wgpu::BindGroup,
}

struct Upload {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    size: Size,
}

impl Pictures {
    pub fn new(device: &wgpu::Device, passes: &Passes) -> Self {
        let empty = || bind(device, passes, &passes.nothing, &passes.nothing);
        Self {
            frame: None,
            styled: None,
            drawn: empty(),
            camera: empty(),
        }
    }

    pub fn frame_size(&self) -> Option<Size> {
        self.frame.as_ref().map(|upload| upload.size)
    }

    pub fn styled_size(&self) -> Option<Size> {
        self.styled.as_ref().map(|upload| upload.size)
    }

    /// For panels that show the camera's picture, or the drawing.
    pub fn bindings(&self, from_camera: bool) -> &wgpu::BindGroup {
        if from_camera {
            &self.camera
        } else {
            &self.drawn
        }
    }

    pub fn upload_frame(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        picture: &Picture,
    ) -> Result<(), CompositorError> {
        if upload(gpu, &mut self.frame, picture)? {
            self.rebind(gpu, passes);
        }
        Ok(())
    }

    pub fn upload_styled(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        picture: &Picture,
    ) -> Result<(), CompositorError> {
        if upload(gpu, &mut self.styled, picture)? {
            self.rebind(gpu, passes);
        }
        Ok(())
    }

    fn rebind(&mut self, gpu: &Gpu, passes: &Passes) {
        let view = |upload: &Option<Upload>| {
            upload
                .as_ref()
                .map_or_else(|| passes.nothing.clone(), |upload| upload.view.clone())
        };
        let (frame, styled) = (view(&self.frame), view(&self.styled));
        self.drawn = bind(&gpu.device, passes, &styled, &styled);
        self.camera = bind(&gpu.device, passes, &frame, &styled);
    }
}

/// Copies `picture` to its texture; `true` when that had to be made anew.
fn upload(
    gpu: &Gpu,
    slot: &mut Option<Upload>,
    picture: &Picture,
) -> Result<bool, CompositorError> {
    let size = picture.size();
    if size.area() == 0 {
        return Ok(false);
    }
    if size.width.max(size.height) > gpu.max_side() {
        return Err(CompositorError::TooLarge {
            size,
            max: gpu.max_side(),
        });
    }
    let fits = slot.as_ref().is_some_and(|upload| upload.size == size);
    if !fits {
        let texture = texture(&gpu.device, size, FORMAT, "picture");
        *slot = Some(Upload {
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            texture,
            size,
        });
    }
    if let Some(upload) = slot {
        write(&gpu.queue, &upload.texture, picture.rgba(), size, 4);
    }
    Ok(!fits)
}

/// A texture that is filled from memory and read by shaders.
pub(super) fn texture(
    device: &wgpu::Device,
    size: Size,
    format: wgpu::TextureFormat,
    label: &str,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d {
            width: size.width,
            height: size.height,
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

/// Fills a whole texture with packed rows.
pub(super) fn write(
    queue: &wgpu::Queue,
    texture: &wgpu::Texture,
    bytes: &[u8],
    size: Size,
    bytes_per_pixel: u32,
) {
    queue.write_texture(
        texture.as_image_copy(),
        bytes,
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(size.width * bytes_per_pixel),
            rows_per_image: None,
        },
        texture.size(),
    );
}

fn bind(
    device: &wgpu::Device,
    passes: &Passes,
    picture: &wgpu::TextureView,
    matte: &wgpu::TextureView,
) -> wgpu::BindGroup {
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("pictures"),
        layout: &passes.pictures_layout,
        entries: &[
            wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::TextureView(picture),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: wgpu::BindingResource::TextureView(matte),
            },
            wgpu::BindGroupEntry {
                binding: 2,
                resource: wgpu::BindingResource::Sampler(&passes.sampler),
            },
        ],
    })
}
