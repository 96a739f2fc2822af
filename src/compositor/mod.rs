//! Lays drawings into the panels of a page, on the GPU.
//!
//! A page is uploaded once; each drawing is uploaded, laid into the page in one pass, and read
//! back when somebody wants it in memory. [`Compositor`] does that when it is told to; [`start`]
//! runs it as a stage of the pipeline. The compositor itself reads no clock.

mod gpu;
mod outlets;
mod pages;
mod passes;
mod pictures;
mod program;
mod readback;
mod resident;
mod stage;
mod tiles;

pub use gpu::Gpu;
pub use outlets::{Outlet, Outlets};
pub use passes::LayerData;
pub use program::ProgramTexture;
pub use readback::Reading;
pub use stage::{Inbox, Running, ScreenProgram, start};

use std::sync::Arc;
use std::time::Duration;

use crate::frame::{Picture, Size};
use crate::panels::{Cover, Page, PageError, PanelKind};
use crate::people::Point;

use passes::Passes;
use pictures::Pictures;
use program::Programs;
use readback::Staging;
use resident::{Resident, Shown};

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum CompositorError {
    /// No graphics driver.
    #[error(
        "No graphics driver was found. Install the driver of your graphics card; without a card, \
         on Debian and Ubuntu: apt install mesa-vulkan-drivers. ({0})"
    )]
    NoDriver(String),
    /// The driver refuses to work.
    #[error("The graphics driver does not start. Update it or restart the machine. ({0})")]
    NoDevice(String),
    /// The device went away: unplugged, crashed, or the driver was updated.
    #[error("The graphics device stopped working. Restart panelcam. ({0})")]
    Lost(String),
    /// An operation failed.
    #[error("The graphics driver refused an operation. Choose a smaller program size, or update the driver. ({0})")]
    Refused(String),
    /// It does not answer.
    #[error("The graphics device does not answer. Restart panelcam. ({0})")]
    Hangs(String),
    /// More pixels than the device can draw.
    #[error("This graphics device draws at most {max} pixels a side. Choose a smaller size. ({size})")]
    TooLarge {
        /// What was asked for.
        size: Size,
        /// The longest side there is.
        max: u32,
    },
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The system gives no thread.
    #[error("The compositor does not start. Close other programs. ({0})")]
    Thread(#[from] std::io::Error),
}

/// What a program shows besides the page and the pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scene {
    /// Since the start; animated parts of a page follow it.
    pub time: Duration,
    /// Whether people see themselves as in a mirror. Art is never mirrored.
    pub mirror: bool,
    /// Whether the camera's picture is shown in place of the drawing.
    pub compare: bool,
    /// The point of the frame, not mirrored, that panels keep in view.
    pub focus: Point,
}

/// Lays pictures into a page.
pub struct Compositor {
    gpu: Arc<Gpu>,
    passes: Arc<Passes>,
    staging: Staging,
    pictures: Pictures,
    programs: Programs,
    page: Arc<Resident>,
    uniforms: Vec<u8>,
}

impl Compositor {
    /// A compositor that shows the live picture alone, 1280x720, until it is given a page.
    ///
    /// # Errors
    /// When the device refuses to work.
    pub fn new(gpu: Arc<Gpu>) -> Result<Self, CompositorError> {
        let passes = Arc::new(Passes::new(&gpu.device));
        let size = Size::new(1280, 720);
        let page = Arc::new(Resident::load(&gpu, &passes, &Page::plain(size), size)?);
        gpu.check()?;
        Ok(Self {
            staging: Staging::new(Arc::clone(&gpu)),
            pictures: Pictures::new(&gpu.device, &passes),
            programs: Programs::default(),
            uniforms: Vec::new(),
            gpu,
            passes,
            page,
        })
    }

    /// Shows `page` from now on, fitted into a program of `size`. Draws and uploads it, unless it
    /// is the page in use.
    ///
    /// # Errors
    /// When the size is too large; the page in use stays.
    pub fn set_page(&mut self, page: &Page, size: Size) -> Result<(), CompositorError> {
        if !self.page.is(page, size) {
            self.page = Arc::new(Resident::load(&self.gpu, &self.passes, page, size)?);
        }
        Ok(())
    }

    /// What other threads need to load pages for [`show`](Self::show).
    pub(crate) fn passes(&self) -> &Arc<Passes> {
        &self.passes
    }

    /// Shows a page that was loaded elsewhere; `false` when it is shown already.
    pub(crate) fn show(&mut self, page: Arc<Resident>) -> bool {
        let new = !Arc::ptr_eq(&self.page, &page);
        self.page = page;
        new
    }

    /// The program's size.
    pub fn size(&self) -> Size {
        self.page.size
    }

    /// Whether the page has a panel that shows the camera's picture. Where it has none and no
    /// comparison is asked for, frames need no upload.
    pub fn shows_frame(&self) -> bool {
        self.page.has(PanelKind::Raw)
    }

    /// Takes the camera's picture. It stays until the next one.
    ///
    /// # Errors
    /// When it is too large for the device.
    pub fn upload_frame(&mut self, picture: &Picture) -> Result<(), CompositorError> {
        self.pictures.upload_frame(&self.gpu, &self.passes, picture)
    }

    /// Takes a drawing with its matte. It stays until the next one.
    ///
    /// # Errors
    /// When it is too large for the device.
    pub fn upload_styled(&mut self, picture: &Picture) -> Result<(), CompositorError> {
        self.pictures.upload_styled(&self.gpu, &self.passes, picture)
    }

    /// Lays the pictures into the page; the work is handed to the device and goes on there.
    ///
    /// # Errors
    /// When the device is lost or refuses.
    pub fn render(&mut self, scene: &Scene) -> Result<ProgramTexture, CompositorError> {
        Ok(self.render_submitted(scene)?.0)
    }

    /// Like [`render`](Self::render), and tells what to wait for.
    pub(crate) fn render_submitted(
        &mut self,
        scene: &Scene,
    ) -> Result<(ProgramTexture, wgpu::SubmissionIndex), CompositorError> {
        let (program, commands) = self.record(scene)?;
        let submission = self.gpu.queue.submit([commands.finish()]);
        Ok((program, submission))
    }

    /// Like [`render`](Self::render), and starts copying the pixels into memory.
    /// [`Reading::finish`] waits for them, on any thread.
    ///
    /// # Errors
    /// When the device is lost or refuses.
    pub fn render_to_memory(
        &mut self,
        scene: &Scene,
    ) -> Result<(ProgramTexture, Reading), CompositorError> {
        let (program, commands) = self.record(scene)?;
        let reading = self.staging.read(&program, commands);
        Ok((program, reading))
    }

    /// Copies a program's pixels, premultiplied, into `picture`; waits for them.
    ///
    /// # Errors
    /// When the device is lost or does not answer.
    pub fn read(
        &mut self,
        program: &ProgramTexture,
        picture: &mut Picture,
    ) -> Result<(), CompositorError> {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some("read") };
        let commands = self.gpu.device.create_command_encoder(&descriptor);
        self.staging.read(program, commands).finish(picture)
    }

    fn record(
        &mut self,
        scene: &Scene,
    ) -> Result<(ProgramTexture, wgpu::CommandEncoder), CompositorError> {
        self.gpu.check()?;
        let shown = Shown {
            drawing: if scene.compare {
                self.pictures.frame_size().is_some()
            } else {
                self.pictures.styled_size().is_some()
            },
            frame: self.pictures.frame_size().is_some(),
        };
        let program = self.programs.next(&self.gpu.device, self.page.size);
        self.write_uniforms(scene);
        let descriptor = wgpu::CommandEncoderDescriptor {
            label: Some("program"),
        };
        let mut commands = self.gpu.device.create_command_encoder(&descriptor);
        let mut pass = commands.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("program"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: program.view(),
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..wgpu::RenderPassDescriptor::default()
        });
        let from_camera = |kind| scene.compare || kind == PanelKind::Raw;
        self.page.draw(&self.gpu.device, &self.passes, &mut pass, shown, |kind| {
            self.pictures.bindings(from_camera(kind))
        });
        drop(pass);
        Ok((program, commands))
    }

    /// Says for each panel which part of its picture it shows.
    fn write_uniforms(&mut self, scene: &Scene) {
        let size = self.page.size;
        self.uniforms.clear();
        for layer in self.page.layers() {
            let picture = match layer.kind {
                Some(PanelKind::Live | PanelKind::Person) if !scene.compare => {
                    self.pictures.styled_size()
                }
                _ => self.pictures.frame_size(),
            };
            let cover = Cover {
                picture: picture.unwrap_or(size),
                focus: scene.focus,
                crop: layer.crop,
                mirror: scene.mirror,
            };
            let uv = cover.uv(layer.fit);
            let data = LayerData {
                uv_origin: uv.origin,
                uv_step: uv.step,
                program: [size.width as f32, size.height as f32],
                corner: [layer.rect.x, layer.rect.y],
            };
            self.uniforms.extend_from_slice(bytemuck::bytes_of(&data));
            self.uniforms
                .resize(self.uniforms.len().next_multiple_of(passes::LAYER_STRIDE as usize), 0);
        }
        if !self.uniforms.is_empty() {
            self.gpu.queue.write_buffer(self.page.uniforms(), 0, &self.uniforms);
        }
    }
}
