//! The newest program as a texture that egui can draw.

use eframe::egui_wgpu::RenderState;
use eframe::wgpu::FilterMode;
use egui::TextureId;

use crate::compositor::ScreenProgram;
use crate::mailbox::Mailbox;
use crate::ui::Shown;

/// Holds the program that is on the screen: its texture must stay until the next one is drawn.
pub struct Screen {
    graphics: RenderState,
    texture: Option<TextureId>,
    program: Option<ScreenProgram>,
}

impl Screen {
    /// Nothing to show yet.
    pub fn new(graphics: RenderState) -> Self {
        Self {
            graphics,
            texture: None,
            program: None,
        }
    }

    /// Takes the newest program, if one came. The first one must show a picture: a page with
    /// nothing in it is no start.
    pub fn take(&mut self, inbox: &Mailbox<ScreenProgram>) {
        let newest = inbox.try_take();
        let Some(program) = newest.filter(|new| self.program.is_some() || new.stamp.is_some())
        else {
            return;
        };
        let view = program.texture.view();
        let device = &self.graphics.device;
        let mut renderer = self.graphics.renderer.write();
        match self.texture {
            Some(id) => {
                renderer.update_egui_texture_from_wgpu_texture(device, view, FilterMode::Linear, id);
            }
            None => {
                let id = renderer.register_native_texture(device, view, FilterMode::Linear);
                self.texture = Some(id);
            }
        }
        drop(renderer);
        self.program = Some(program);
    }

    /// What is to be drawn; `None` before the first program.
    pub fn shown(&self) -> Option<Shown> {
        let (texture, program) = (self.texture?, self.program.as_ref()?);
        Some(Shown {
            texture,
            size: program.texture.size(),
        })
    }
}
