//! Lays pictures into pages on the graphics device.

use std::sync::Arc;

use crate::frame::{Finish, Halftone, Picture, Size};
use crate::panels::{Blend, PanelKind, PixelRect, Sprite};

use super::closeup::Mapping;
use super::cutout::Around;
use super::fx::{Drawn, Laid, Mix, Stand, Tone};
use super::passes::{FORMAT, Family, LAYER_STRIDE, LayerData, Passes};
use super::program::{Inner, ProgramTexture, Programs};
use super::readback::{Reading, Staging};
use super::resident::{Body, Layer, OnDevice, Place, Resident, What};
use super::textures::Pictures;
use super::tiles::{self, Tile};
use super::{Gpu, Now, Scene, Sizes};

/// What is on the device besides the page.
pub(super) struct Device {
    pub gpu: Arc<Gpu>,
    pub passes: Arc<Passes>,
    pub pictures: Pictures,
    programs: Programs,
    staging: Staging,
    uniforms: Vec<u8>,
    below: Option<Below>,
}

/// A copy of what is below a layer that is mixed with it.
struct Below {
    texture: wgpu::Texture,
    bindings: wgpu::BindGroup,
    size: Size,
}

/// What a program is made of.
pub(super) struct Making<'a> {
    pub page: &'a Resident,
    pub scene: &'a Scene,
    pub now: &'a Now,
    pub sizes: &'a Sizes,
}

impl Making<'_> {
    /// What of a drawing's finish is done in the panel that is layer `number`: no dots where the page
    /// prints its own.
    pub fn finish(&self, number: usize, finish: Finish) -> Finish {
        let mut stands = self.page.stands();
        if stands.any(|(at, stand)| stand.tones(number) && self.now.effect(at).is_some()) {
            return finish.unprinted();
        }
        finish
    }
}

/// A pass that is interrupted where what is below has to be copied.
struct Canvas<'a> {
    commands: wgpu::CommandEncoder,
    pass: Option<wgpu::RenderPass<'static>>,
    program: &'a ProgramTexture,
}

impl Device {
    pub fn new(gpu: &Arc<Gpu>, passes: Arc<Passes>) -> Self {
        Self {
            pictures: Pictures::new(&gpu.device, &passes),
            programs: Programs::default(),
            staging: Staging::new(Arc::clone(gpu)),
            uniforms: Vec::new(),
            below: None,
            gpu: Arc::clone(gpu),
            passes,
        }
    }

    pub fn render(&mut self, making: &Making) -> (ProgramTexture, wgpu::SubmissionIndex) {
        let (program, commands) = self.record(making);
        let submission = self.gpu.queue.submit([commands.finish()]);
        (program, submission)
    }

    pub fn render_to_memory(&mut self, making: &Making) -> (ProgramTexture, Reading) {
        let (program, commands) = self.record(making);
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

    /// Whether the upper edge of the drawing cuts off a head.
    pub fn cut(&self) -> bool {
        self.pictures.people(super::Source::Styled).0
    }

    pub fn upload_frame(&mut self, picture: &Picture) -> Result<(), super::CompositorError> {
        self.pictures.upload_frame(&self.gpu, &self.passes, picture)
    }

    fn record(&mut self, making: &Making) -> (ProgramTexture, wgpu::CommandEncoder) {
        let page = making.page;
        let target = self.programs.next(&self.gpu.device, page.size);
        let program = ProgramTexture {
            inner: Inner::Device(target),
        };
        let descriptor = wgpu::CommandEncoderDescriptor {
            label: Some("program"),
        };
        let mut commands = self.gpu.device.create_command_encoder(&descriptor);
        let clear = wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT);
        let mut canvas = Canvas {
            pass: Some(Canvas::begin(&mut commands, &program, clear)),
            commands,
            program: &program,
        };
        if let Body::Device(body) = &page.body {
            self.prepare_below(making);
            let sprites = sprites(making);
            self.write_uniforms(making, body, &sprites);
            self.draw(making, body, &sprites, &mut canvas);
        }
        let Canvas { commands, pass, .. } = canvas;
        drop(pass);
        (program, commands)
    }

    fn draw(
        &self,
        making: &Making,
        body: &OnDevice,
        sprites: &[(usize, &Sprite)],
        canvas: &mut Canvas,
    ) {
        let (page, scene, sizes) = (making.page, making.scene, making.sizes);
        let passes = &self.passes;
        let shown = sizes.shown(scene);
        let vertices = body.vertices(&self.gpu.device, page.plan(shown), shown);
        let sprite_bindings = body.show_sprites(&self.gpu, passes, sprites);
        let mut waiting = sprites.iter().zip(&sprite_bindings).peekable();
        // The same for all that reads no picture; the group has to be there.
        let any_picture = self.pictures.bindings(super::Source::Styled, false);
        for (number, layer) in page.layers().iter().enumerate() {
            let (lay, opaque, pictures) = match &layer.what {
                What::Art => (
                    Lay::By(&passes.art, layer.blend),
                    &passes.art_opaque,
                    any_picture,
                ),
                What::Panel(place) => {
                    let is_person = place.kind == PanelKind::Person;
                    let pictures = self
                        .pictures
                        .bindings(scene.source(place, sizes), is_person);
                    let family = if is_person {
                        &passes.person
                    } else {
                        &passes.picture
                    };
                    (
                        Lay::By(family, layer.blend),
                        &passes.picture_opaque,
                        pictures,
                    )
                }
                What::Lettering(..) => {
                    if let Some(((_, sprite), binding)) =
                        waiting.next_if(|((at, _), _)| *at == number)
                    {
                        self.draw_sprite(number, sprite, binding, body, canvas);
                    }
                    continue;
                }
                What::Effect(stand) => {
                    let Some(Laid { drawn, .. }) = making.now.effect(number) else {
                        continue;
                    };
                    let Drawn::Device(drawing) = &**drawn else {
                        continue;
                    };
                    let lay = match stand.look.mix {
                        Mix::Inks(blend) => Lay::By(&passes.effect, blend),
                        Mix::Tone(_) => Lay::Tone,
                    };
                    (lay, &passes.art_opaque, drawing)
                }
            };
            let (Some((without_blending, blended)), Some(Some(bindings))) =
                (vertices.ranges.get(number), body.bindings.get(number))
            else {
                continue;
            };
            if !without_blending.is_empty() {
                let pass = canvas.pass();
                pass.set_pipeline(opaque);
                pass.set_bind_group(0, pictures, &[]);
                pass.set_bind_group(1, bindings, &[offset(number)]);
                pass.set_vertex_buffer(0, vertices.buffer.slice(..));
                pass.draw(0..4, without_blending.clone());
            }
            if !blended.is_empty() {
                self.set(lay, tiles::touched(layer.rect), canvas);
                let pass = canvas.pass();
                pass.set_bind_group(0, pictures, &[]);
                pass.set_bind_group(1, bindings, &[offset(number)]);
                pass.set_vertex_buffer(0, vertices.buffer.slice(..));
                pass.draw(0..4, blended.clone());
            }
        }
        for ((number, sprite), binding) in waiting {
            self.draw_sprite(*number, sprite, binding, body, canvas);
        }
    }

    fn draw_sprite(
        &self,
        number: usize,
        sprite: &Sprite,
        binding: &wgpu::BindGroup,
        body: &OnDevice,
        canvas: &mut Canvas,
    ) {
        let lay = Lay::By(&self.passes.art, sprite.bitmap.blend);
        self.set(lay, sprite.place(), canvas);
        let pass = canvas.pass();
        pass.set_bind_group(0, self.pictures.bindings(super::Source::Styled, false), &[]);
        pass.set_bind_group(1, binding, &[offset(number)]);
        pass.set_vertex_buffer(0, body.sprite_tiles.slice(..));
        pass.draw(0..4, number as u32..number as u32 + 1);
    }

    /// Picks the pipeline of a layer, and copies what is below where it is read.
    fn set(&self, lay: Lay, rect: PixelRect, canvas: &mut Canvas) {
        let (pipeline, reads_below) = match lay {
            Lay::By(family, blend) => family.of(blend),
            Lay::Tone => (&self.passes.tone, true),
        };
        if reads_below
            && let Some(below) = &self.below
            && let Some(tile) = tiles::within(rect, below.size)
        {
            canvas.copy(tile, &below.texture);
            canvas.pass().set_bind_group(2, &below.bindings, &[]);
        }
        canvas.pass().set_pipeline(pipeline);
    }

    /// Makes room for a copy of the program where a layer is mixed with it.
    fn prepare_below(&mut self, making: &Making) {
        let size = making.page.size;
        let reads = |blend: Blend| !matches!(blend, Blend::Normal | Blend::Screen);
        let of_effect = |stand: &Stand| match stand.look.mix {
            Mix::Inks(blend) => reads(blend),
            Mix::Tone(_) => true,
        };
        let wanted = making.page.layers().iter().any(|layer| reads(layer.blend))
            || making.page.stands().any(|(_, stand)| of_effect(stand))
            || sprites(making)
                .iter()
                .any(|(_, sprite)| reads(sprite.bitmap.blend));
        if !wanted || self.below.as_ref().is_some_and(|below| below.size == size) {
            return;
        }
        let texture = super::textures::texture(&self.gpu.device, size, FORMAT, "below");
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let bindings = self
            .gpu
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("below"),
                layout: &self.passes.below_layout,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::TextureView(&view),
                }],
            });
        self.below = Some(Below {
            texture,
            bindings,
            size,
        });
    }

    /// Says for each layer how it is drawn.
    fn write_uniforms(&mut self, making: &Making, body: &OnDevice, sprites: &[(usize, &Sprite)]) {
        let page = making.page;
        let program = [page.size.width as f32, page.size.height as f32];
        self.uniforms.clear();
        let mut write = |data: &LayerData| {
            self.uniforms.extend_from_slice(bytemuck::bytes_of(data));
            let next = self.uniforms.len().next_multiple_of(LAYER_STRIDE as usize);
            self.uniforms.resize(next, 0);
        };
        let of_sprite = |sprite: &Sprite| LayerData {
            program,
            corner: [sprite.place().x, sprite.place().y],
            mode: mode(sprite.bitmap.blend),
            ..LayerData::default()
        };
        for (number, layer) in page.layers().iter().enumerate() {
            let mut data = LayerData {
                program,
                corner: [layer.rect.x, layer.rect.y],
                mode: mode(layer.blend),
                ..LayerData::default()
            };
            match &layer.what {
                What::Panel(place) => fill(&mut data, making, (number, place), &self.pictures),
                What::Lettering(..) => {
                    if let Some((_, sprite)) = sprites.iter().find(|(at, _)| *at == number) {
                        data = of_sprite(sprite);
                    }
                }
                What::Effect(stand) => {
                    if let Some(laid) = making.now.effect(number) {
                        of_effect(&mut data, stand, laid);
                    }
                }
                What::Art => {}
            }
            write(&data);
        }
        for (_, sprite) in sprites.iter().filter(|(at, _)| *at >= page.layers().len()) {
            write(&of_sprite(sprite));
        }
        if !self.uniforms.is_empty() {
            self.gpu
                .queue
                .write_buffer(&body.uniforms, 0, &self.uniforms);
        }
        if !sprites.is_empty() {
            let last = sprites.iter().map(|(at, _)| *at).max().unwrap_or_default();
            let mut tiles: Vec<Tile> = vec![[0; 4]; last + 1];
            for (at, sprite) in sprites {
                tiles[*at] = tiles::within(sprite.place(), page.size).unwrap_or_default();
            }
            self.gpu
                .queue
                .write_buffer(&body.sprite_tiles, 0, bytemuck::cast_slice(&tiles));
        }
    }
}

/// The sprites of a program, each with the place of its data: that of its layer, or one after all
/// layers.
fn sprites<'a>(making: &Making<'a>) -> Vec<(usize, &'a Sprite)> {
    let layers = making.page.layers();
    let on_page = layers
        .iter()
        .enumerate()
        .filter_map(|(number, Layer { what, .. })| match what {
            What::Lettering(layer, drawn) => Some((number, making.now.sprites.of(*layer, drawn)?)),
            _ => None,
        });
    on_page
        .chain((layers.len()..).zip(making.now.above()))
        .collect()
}

/// How a layer is laid.
#[derive(Clone, Copy)]
enum Lay<'a> {
    /// By one of a family.
    By(&'a Family, Blend),
    /// As tone.
    Tone,
}

fn part([r, g, b, a]: [u8; 4]) -> [f32; 4] {
    [r, g, b, a].map(|byte| f32::from(byte) / 255.0)
}

/// How an effect's drawing lies.
fn of_effect(data: &mut LayerData, stand: &Stand, laid: &Laid) {
    let side = |corner: i32, side: u32| {
        let whole = (side * laid.pixel) as f32;
        (-corner as f32 / whole, 1.0 / whole)
    };
    let (x, y) = (
        side(laid.corner.0, laid.size.width),
        side(laid.corner.1, laid.size.height),
    );
    (data.uv_origin, data.uv_step) = ([x.0, y.0], [x.1, y.1]);
    [data.first, data.second] = laid.inks.map(part);
    match stand.look.mix {
        Mix::Inks(blend) => data.mode = mode(blend),
        Mix::Tone(tone) => {
            data.mode = mode(Blend::Normal);
            data.outline = stand.sharpness();
            data.blur = laid.strength;
            data.reach = if tone == Tone::Stepped { 1.0 } else { 0.0 };
        }
    }
}

/// How a panel shows its picture.
fn fill(
    data: &mut LayerData,
    making: &Making,
    (number, place): (usize, &Place),
    pictures: &Pictures,
) {
    let Making {
        scene, now, sizes, ..
    } = making;
    let uv = scene.cover(place, sizes).uv(place.fit);
    let source = scene.source(place, sizes);
    data.uv_origin = uv.origin;
    data.uv_step = uv.step;
    data.waits = if now.waits(place, sizes) { 1.0 } else { 0.0 };
    if let Some((plain, width)) = pictures.follows(source)
        && uv.step[0].abs() * (width as f32) < 1.0
    {
        (data.sharp, data.plain) = (1.0, plain);
    }
    let (finish, width) = pictures.finish(source);
    let Finish { crisp, halftone } = making.finish(number, finish);
    if uv.step[0].abs() * (width as f32) < 1.0 {
        data.crisp = f32::from(crisp) / 255.0;
    }
    let Halftone {
        strength,
        cover,
        ink,
    } = halftone;
    if strength > 0 {
        let side = super::halftone::side(making.page.size);
        data.dots = u32::from_le_bytes([ink[0], ink[1], ink[2], strength]);
        data.cover = f32::from(cover) / 255.0;
        (data.screen, data.dot_edge) = (side as f32, super::halftone::sharpness(side));
    }
    let (parts, side) = pictures.close_ups(source);
    for part in parts {
        if let Some(Mapping { origin, scale }) = Mapping::of(part, side, &uv) {
            let (at, [left, top]) = (data.close_ups as usize, part.at.corner);
            let (right, bottom) = (left + part.at.size[0], top + part.at.size[1]);
            data.close_maps[at] = [origin[0], origin[1], scale[0], scale[1]];
            data.close_areas[at] = [left, top, right, bottom];
            data.close_ups += 1;
        }
    }
    if place.kind != PanelKind::Person {
        return;
    }
    let (cut, around) = pictures.people(source);
    data.cut = match source {
        super::Source::Shot(_) => f32::from(u8::from(cut)),
        _ => now.cut,
    };
    let edge = place.edge;
    if edge.is_visible() && around.area() > 0 {
        data.first = part(edge.outline_colour);
        data.second = part(edge.shadow_colour);
        data.outline = edge.outline;
        data.shadow = [edge.shadow.0 * uv.step[0], edge.shadow.1 * uv.step[1]];
        data.blur = edge.blur.max(1.0);
        data.reach = Around::REACH / (uv.step[0].abs().max(1e-9) * around.width as f32);
    }
}

fn mode(blend: Blend) -> u32 {
    let mut all = Blend::ALL.iter();
    all.position(|(known, _)| *known == blend)
        .unwrap_or_default() as u32
}

fn offset(number: usize) -> u32 {
    number as u32 * LAYER_STRIDE as u32
}

impl Canvas<'_> {
    fn begin(
        commands: &mut wgpu::CommandEncoder,
        program: &ProgramTexture,
        load: wgpu::LoadOp<wgpu::Color>,
    ) -> wgpu::RenderPass<'static> {
        commands
            .begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("program"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: program.view(),
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load,
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..wgpu::RenderPassDescriptor::default()
            })
            .forget_lifetime()
    }

    fn pass(&mut self) -> &mut wgpu::RenderPass<'static> {
        self.pass.get_or_insert_with(|| {
            Self::begin(&mut self.commands, self.program, wgpu::LoadOp::Load)
        })
    }

    /// Copies a tile of the program as it is so far.
    fn copy(&mut self, [x, y, width, height]: Tile, to: &wgpu::Texture) {
        self.pass = None;
        let origin = wgpu::Origin3d {
            x: u32::from(x),
            y: u32::from(y),
            z: 0,
        };
        let at = |texture| wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: 0,
            origin,
            aspect: wgpu::TextureAspect::All,
        };
        self.commands.copy_texture_to_texture(
            at(self.program.texture()),
            at(to),
            wgpu::Extent3d {
                width: u32::from(width),
                height: u32::from(height),
                depth_or_array_layers: 1,
            },
        );
    }
}
