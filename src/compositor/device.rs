//! Lays pictures into pages on the graphics device.

use std::sync::Arc;

use crate::frame::Picture;
use crate::panels::PanelKind;

use super::passes::{LAYER_STRIDE, LayerData, Passes};
use super::program::{Inner, ProgramTexture, Programs};
use super::readback::{Reading, Staging};
use super::resident::{Body, Resident, Shown};
use super::textures::Pictures;
use super::{CompositorError, Gpu, Scene, Sizes};

/// What is on the device besides the page.
pub(super) struct Device {
    gpu: Arc<Gpu>,
    pub passes: Arc<Passes>,
    pub pictures: Pictures,
    programs: Programs,
    staging: Staging,
    uniforms: Vec<u8>,
}

impl Device {
    pub fn new(gpu: &Arc<Gpu>, passes: Arc<Passes>) -> Self {
        Self {
            pictures: Pictures::new(&gpu.device, &passes),
            programs: Programs::default(),
            staging: Staging::new(Arc::clone(gpu)),
            uniforms: Vec::new(),
            gpu: Arc::clone(gpu),
            passes,
        }
    }

    pub fn upload_frame(&mut self, picture: &Picture) -> Result<(), CompositorError> {
        self.pictures.upload_frame(&self.gpu, &self.passes, picture)
    }

    pub fn upload_styled(&mut self, picture: &Picture) -> Result<(), CompositorError> {
        self.pictures
            .upload_styled(&self.gpu, &self.passes, picture)
    }

    pub fn render(
        &mut self,
        page: &Resident,
        scene: &Scene,
    ) -> (ProgramTexture, wgpu::SubmissionIndex) {
        let (program, commands) = self.record(page, scene);
        let submission = self.gpu.queue.submit([commands.finish()]);
        (program, submission)
    }

    pub fn render_to_memory(
        &mut self,
        page: &Resident,
        scene: &Scene,
    ) -> (ProgramTexture, Reading) {
        let (program, commands) = self.record(page, scene);
        let reading = self.staging.read(&program, commands);
        (program, reading)
    }

    pub fn read(&self, program: &ProgramTexture) -> Reading {
        let descriptor = wgpu::CommandEncoderDescriptor {
            label: Some("read"),
        };
        self.staging
            .read(program, self.gpu.device.create_command_encoder(&descriptor))
    }

    fn record(&mut self, page: &Resident, scene: &Scene) -> (ProgramTexture, wgpu::CommandEncoder) {
        let sizes = Sizes {
            frame: self.pictures.frame_size(),
            styled: self.pictures.styled_size(),
        };
        let shown = sizes.shown(scene);
        let target = self.programs.next(&self.gpu.device, page.size);
        let program = ProgramTexture {
            inner: Inner::Device(target),
        };
        let descriptor = wgpu::CommandEncoderDescriptor {
            label: Some("program"),
        };
        let mut commands = self.gpu.device.create_command_encoder(&descriptor);
        self.write_uniforms(page, scene, sizes);
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
        self.draw(page, scene, shown, &mut pass);
        drop(pass);
        (program, commands)
    }

    fn draw(&self, page: &Resident, scene: &Scene, shown: Shown, pass: &mut wgpu::RenderPass<'_>) {
        let Body::Device(body) = &page.body else {
            return;
        };
        let passes = &self.passes;
        let vertices = body.vertices(&self.gpu.device, page.plan(shown), shown);
        pass.set_vertex_buffer(0, vertices.buffer.slice(..));
        let layers = page
            .layers()
            .iter()
            .zip(&vertices.ranges)
            .zip(&body.bindings);
        for (number, ((layer, (opaque, mixed)), bindings)) in layers.enumerate() {
            if opaque.is_empty() && mixed.is_empty() {
                continue;
            }
            let (without_blending, blended) = match layer.kind {
                None => (&passes.art_opaque, &passes.art),
                Some(PanelKind::Live | PanelKind::Raw | PanelKind::Shot(_)) => {
                    (&passes.picture_opaque, &passes.picture)
                }
                Some(PanelKind::Person) => (&passes.person, &passes.person),
            };
            let from_camera = scene.compare || layer.kind == Some(PanelKind::Raw);
            // Art reads no picture, but the group has to be there.
            pass.set_bind_group(0, self.pictures.bindings(from_camera), &[]);
            pass.set_bind_group(1, bindings, &[number as u32 * LAYER_STRIDE as u32]);
            for (pipeline, range) in [(without_blending, opaque), (blended, mixed)] {
                if !range.is_empty() {
                    pass.set_pipeline(pipeline);
                    pass.draw(0..4, range.clone());
                }
            }
        }
    }

    /// Says for each panel which part of its picture it shows.
    fn write_uniforms(&mut self, page: &Resident, scene: &Scene, sizes: Sizes) {
        let Body::Device(body) = &page.body else {
            return;
        };
        self.uniforms.clear();
        for layer in page.layers() {
            let uv = scene.cover(layer, sizes).uv(layer.fit);
            let data = LayerData {
                uv_origin: uv.origin,
                uv_step: uv.step,
                program: [page.size.width as f32, page.size.height as f32],
                corner: [layer.rect.x, layer.rect.y],
            };
            self.uniforms.extend_from_slice(bytemuck::bytes_of(&data));
            let next = self.uniforms.len().next_multiple_of(LAYER_STRIDE as usize);
            self.uniforms.resize(next, 0);
        }
        if !self.uniforms.is_empty() {
            self.gpu
                .queue
                .write_buffer(&body.uniforms, 0, &self.uniforms);
        }
    }
}
