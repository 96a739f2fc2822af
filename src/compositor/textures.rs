//! The pictures that fill panels, as textures that are used again and again.

use crate::frame::{CloseUp, CloseUps, Face, Finish, Picture, Size, Styled};
use crate::people::Head;

use super::cutout::Cutout;
use super::guide::{Follows, Guidance};
use super::passes::{FORMAT, Passes};
use super::relief::Relief;
use super::resident::Needs;
use super::{CompositorError, Gpu, MOST_SHOTS, Source};

/// The newest camera picture, the newest drawing, and the shots.
pub(super) struct Pictures {
    frame: Option<Upload>,
    styled: Slot,
    shots: [Slot; MOST_SHOTS],
    /// Camera picture and the matte of the drawing.
    camera: wgpu::BindGroup,
}

/// A drawing and the people in it.
struct Slot {
    picture: Option<Upload>,
    /// Of what it shows: its frame's size, if it has one.
    shape: Size,
    cutout: Cutout,
    people: Option<Upload>,
    around: Option<Upload>,
    guidance: Guidance,
    /// What sharpens it.
    sharp: Sharp,
    /// What lies over it, and where.
    close: Option<Upload>,
    parts: Vec<CloseUp>,
    /// What finishes it.
    relief: Relief,
    near: Option<Upload>,
    /// The drawing.
    drawn: wgpu::BindGroup,
    /// The people in it.
    cut_out: wgpu::BindGroup,
}

/// What sharpens a drawing, and the people cut out of it.
#[derive(Default)]
struct Sharp {
    gains: Option<Upload>,
    people: Option<Upload>,
    shrunk: Option<Upload>,
    frame: Option<Upload>,
}

struct Upload {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    size: Size,
}

impl Sharp {
    /// `true` when a texture had to be made anew.
    fn take(
        &mut self,
        gpu: &Gpu,
        guidance: &Guidance,
        has_people: bool,
    ) -> Result<bool, CompositorError> {
        let Some(Follows { frame, shrunk, .. }) = &guidance.follows else {
            let is_empty = self.frame.is_none();
            *self = Self::default();
            return Ok(!is_empty);
        };
        let mut anew = upload(gpu, &mut self.gains, &guidance.drawn.picture)?;
        if has_people {
            anew |= upload(gpu, &mut self.people, &guidance.people.picture)?;
        }
        anew |= upload(gpu, &mut self.shrunk, shrunk)?;
        anew |= upload(gpu, &mut self.frame, &frame.picture)?;
        Ok(anew)
    }
}

impl Slot {
    fn empty(device: &wgpu::Device, passes: &Passes) -> Self {
        let nothing = || bind(device, passes, &Views::none(passes));
        Self {
            picture: None,
            shape: Size::default(),
            cutout: Cutout::default(),
            people: None,
            around: None,
            guidance: Guidance::default(),
            sharp: Sharp::default(),
            close: None,
            parts: Vec::new(),
            relief: Relief::default(),
            near: None,
            drawn: nothing(),
            cut_out: nothing(),
        }
    }

    /// Takes a drawing that is shown as it is. `true` when a texture had to be made anew.
    fn take(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        picture: &Picture,
        faces: &[Face],
        needs: Needs,
    ) -> Result<bool, CompositorError> {
        self.guidance.follows = None;
        self.parts.clear();
        self.shape = picture.size();
        let anew = self.fill(gpu, picture, faces, needs)?;
        self.sharpen(gpu, passes, anew, needs)
    }

    /// Takes a drawing that its frame sharpens. `true` when a texture had to be made anew.
    fn take_styled(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        styled: &Styled,
        needs: Needs,
    ) -> Result<bool, CompositorError> {
        self.shape = styled.frame.picture.size();
        let mut anew = self.fill(gpu, &styled.picture, &styled.faces, needs)?;
        self.parts.clear();
        if let Some(CloseUps { picture, parts }) = &styled.close_ups {
            anew |= upload(gpu, &mut self.close, picture)?;
            self.parts.extend(parts.iter().take(CloseUp::MOST));
        }
        let people = needs.people.then_some(&self.cutout);
        self.guidance.take(styled, people);
        self.sharpen(gpu, passes, anew, needs)
    }

    fn fill(
        &mut self,
        gpu: &Gpu,
        picture: &Picture,
        faces: &[Face],
        needs: Needs,
    ) -> Result<bool, CompositorError> {
        let mut anew = upload(gpu, &mut self.picture, picture)?;
        self.relief.take(picture, faces);
        if self.relief.finish != Finish::default() {
            anew |= upload(gpu, &mut self.near, &self.relief.picture)?;
        }
        if needs.people {
            self.cutout.make(picture, needs.around);
            anew |= upload(gpu, &mut self.people, &self.cutout.picture)?;
            let around = &self.cutout.around;
            anew |= fill(
                gpu,
                &mut self.around,
                &around.near,
                around.size,
                wgpu::TextureFormat::R8Unorm,
            )?;
        } else {
            anew |= self.people.take().is_some();
            anew |= self.around.take().is_some();
            self.cutout.cut = false;
        }
        Ok(anew)
    }

    /// Uploads what sharpens the drawing, and binds all that is new.
    fn sharpen(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        anew: bool,
        needs: Needs,
    ) -> Result<bool, CompositorError> {
        let anew = anew | self.sharp.take(gpu, &self.guidance, needs.people)?;
        if anew {
            let (drawn, matte) = (view(passes, self.picture.as_ref()), self.matte(passes));
            let bind = |picture, gains: &Option<Upload>| {
                let views = Views {
                    picture,
                    matte: picture,
                    around: view(passes, self.around.as_ref()),
                    gains: view(passes, gains.as_ref()),
                    shrunk: view(passes, self.sharp.shrunk.as_ref()),
                    frame: view(passes, self.sharp.frame.as_ref()),
                    close: view(passes, self.close.as_ref()),
                    relief: view(passes, self.near.as_ref()),
                };
                bind(&gpu.device, passes, &views)
            };
            let bindings = [
                bind(drawn, &self.sharp.gains),
                bind(matte, &self.sharp.people),
            ];
            [self.drawn, self.cut_out] = bindings;
        }
        Ok(anew)
    }

    /// Holds the matte in its alpha.
    fn matte<'a>(&'a self, passes: &'a Passes) -> &'a wgpu::TextureView {
        view(passes, self.people.as_ref().or(self.picture.as_ref()))
    }
}

fn view<'a>(passes: &'a Passes, upload: Option<&'a Upload>) -> &'a wgpu::TextureView {
    upload.map_or(&passes.nothing, |upload| &upload.view)
}

impl Pictures {
    pub fn new(device: &wgpu::Device, passes: &Passes) -> Self {
        Self {
            frame: None,
            styled: Slot::empty(device, passes),
            shots: std::array::from_fn(|_| Slot::empty(device, passes)),
            camera: bind(device, passes, &Views::none(passes)),
        }
    }

    pub fn frame_size(&self) -> Option<Size> {
        self.frame.as_ref().map(|upload| upload.size)
    }

    pub fn styled_size(&self) -> Option<Size> {
        self.styled.picture.as_ref().map(|_| self.styled.shape)
    }

    /// Of a drawing that its frame sharpens: the part of it that is the frame itself, 0..1, and its
    /// width.
    pub fn follows(&self, source: Source) -> Option<(f32, u32)> {
        let slot = match source {
            Source::Styled => &self.styled,
            Source::Frame | Source::Shot(_) => return None,
        };
        let follows = slot.guidance.follows.as_ref()?;
        Some((follows.plain, follows.shrunk.width()))
    }

    /// What lies over a drawing, and how wide the picture is that has it.
    pub fn close_ups(&self, source: Source) -> (&[CloseUp], u32) {
        match (source, &self.styled.close) {
            (Source::Styled, Some(close)) => (&self.styled.parts, close.size.width),
            _ => (&[], 0),
        }
    }

    /// How a picture is finished, and how wide what finishes it is.
    pub fn finish(&self, source: Source) -> (Finish, u32) {
        let relief = match source {
            Source::Frame => return (Finish::default(), 0),
            Source::Styled => &self.styled.relief,
            Source::Shot(number) => &self.shots[number].relief,
        };
        (relief.finish, relief.picture.width())
    }

    /// The people in a drawing: whether its upper edge cuts off a head, and pixels from one row of their
    /// distances to the next.
    pub fn people(&self, source: Source) -> (bool, Size) {
        let slot = match source {
            Source::Shot(number) => &self.shots[number],
            _ => &self.styled,
        };
        (slot.cutout.cut, slot.cutout.around.size)
    }

    /// For a panel that shows a picture, or the people in it.
    pub fn bindings(&self, source: Source, people: bool) -> &wgpu::BindGroup {
        let slot = match source {
            Source::Frame => return &self.camera,
            Source::Styled => &self.styled,
            Source::Shot(number) => &self.shots[number],
        };
        if people { &slot.cut_out } else { &slot.drawn }
    }

    pub fn upload_frame(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        picture: &Picture,
    ) -> Result<(), CompositorError> {
        if upload(gpu, &mut self.frame, picture)? {
            self.bind_camera(gpu, passes);
        }
        Ok(())
    }

    pub fn upload_styled(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        picture: &Picture,
        needs: Needs,
    ) -> Result<(), CompositorError> {
        if self.styled.take(gpu, passes, picture, &[], needs)? {
            self.bind_camera(gpu, passes);
        }
        Ok(())
    }

    pub fn upload_drawing(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        styled: &Styled,
        needs: Needs,
    ) -> Result<(), CompositorError> {
        if self.styled.take_styled(gpu, passes, styled, needs)? {
            self.bind_camera(gpu, passes);
        }
        Ok(())
    }

    pub fn upload_shot(
        &mut self,
        gpu: &Gpu,
        passes: &Passes,
        number: usize,
        shot: Option<(&Picture, Head)>,
        needs: Needs,
    ) -> Result<(), CompositorError> {
        let Some(slot) = self.shots.get_mut(number) else {
            return Ok(());
        };
        match shot {
            Some((picture, head)) => {
                let face = head.to_face();
                slot.take(gpu, passes, picture, face.as_slice(), needs)
                    .map(|_| ())
            }
            None => {
                *slot = Slot::empty(&gpu.device, passes);
                Ok(())
            }
        }
    }

    fn bind_camera(&mut self, gpu: &Gpu, passes: &Passes) {
        let views = Views {
            picture: view(passes, self.frame.as_ref()),
            matte: self.styled.matte(passes),
            around: view(passes, self.styled.around.as_ref()),
            ..Views::none(passes)
        };
        self.camera = bind(&gpu.device, passes, &views);
    }
}

/// Copies `picture` to its texture; `true` when that had to be made anew.
fn upload(
    gpu: &Gpu,
    slot: &mut Option<Upload>,
    picture: &Picture,
) -> Result<bool, CompositorError> {
    fill(gpu, slot, picture.rgba(), picture.size(), FORMAT)
}

/// Copies packed rows to their texture; `true` when that had to be made anew.
fn fill(
    gpu: &Gpu,
    slot: &mut Option<Upload>,
    bytes: &[u8],
    size: Size,
    format: wgpu::TextureFormat,
) -> Result<bool, CompositorError> {
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
        let texture = texture(&gpu.device, size, format, "picture");
        *slot = Some(Upload {
            view: texture.create_view(&wgpu::TextureViewDescriptor::default()),
            texture,
            size,
        });
    }
    if let Some(upload) = slot {
        let bytes_per_pixel = (bytes.len() / size.area()) as u32;
        write(&gpu.queue, &upload.texture, bytes, size, bytes_per_pixel);
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

/// What a layer's picture is laid with.
pub(super) struct Views<'a> {
    /// The picture.
    pub picture: &'a wgpu::TextureView,
    /// Has the people in its alpha.
    pub matte: &'a wgpu::TextureView,
    /// How near they are.
    pub around: &'a wgpu::TextureView,
    /// Of a picture that its frame sharpens: its gains,
    pub gains: &'a wgpu::TextureView,
    /// the frame in its size,
    pub shrunk: &'a wgpu::TextureView,
    /// and the frame.
    pub frame: &'a wgpu::TextureView,
    /// What lies over a picture.
    pub close: &'a wgpu::TextureView,
    /// What finishes it.
    pub relief: &'a wgpu::TextureView,
}

impl<'a> Views<'a> {
    /// None of all that.
    pub fn none(passes: &'a Passes) -> Self {
        let nothing = &passes.nothing;
        Self {
            picture: nothing,
            matte: nothing,
            around: nothing,
            gains: nothing,
            shrunk: nothing,
            frame: nothing,
            close: nothing,
            relief: nothing,
        }
    }
}

/// The group of a layer's picture.
pub(super) fn bind(device: &wgpu::Device, passes: &Passes, views: &Views) -> wgpu::BindGroup {
    let texture = |binding, view| wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::TextureView(view),
    };
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("pictures"),
        layout: &passes.pictures_layout,
        entries: &[
            texture(0, views.picture),
            texture(1, views.matte),
            wgpu::BindGroupEntry {
                binding: 2,
                resource: wgpu::BindingResource::Sampler(&passes.sampler),
            },
            texture(3, views.around),
            texture(4, views.gains),
            texture(5, views.shrunk),
            texture(6, views.frame),
            texture(7, views.close),
            texture(8, views.relief),
        ],
    })
}
