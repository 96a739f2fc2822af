//! Single pictures of pages: thumbnails and previews.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::frame::{Picture, Size};
use crate::panels::{Letterer, Moment, Page, PanelKind, Seen};
use crate::people::{self, Focus};

use super::{Compositor, CompositorError, STILL, Scene};

impl Compositor {
    /// One picture of a page with everything on it: `drawing` with its matte in each panel and shot,
    /// `camera` where the page shows the camera's picture, bubbles where their faces are, effects in
    /// full swing, words saying `texts` where those name them. The result has premultiplied alpha.
    ///
    /// # Errors
    /// When a size is too large or graphics fail.
    pub fn still(
        &mut self,
        page: &Page,
        size: Size,
        drawing: &Picture,
        camera: &Picture,
        texts: &BTreeMap<String, String>,
    ) -> Result<Picture, CompositorError> {
        self.set_page(page, size)?;
        let faces = people::faces(drawing, &[]);
        let seen = Seen {
            size: drawing.size(),
            focus: Focus::default().follow(&faces, Duration::ZERO),
            faces,
            turns: None,
        };
        let mut letterer = Letterer::new(page, size);
        // Twice: a bubble makes room for others once it has seen where they are.
        for time in [Duration::ZERO, STILL] {
            let sprites = letterer.sprites(&Moment {
                time,
                texts,
                turned: 0,
                live: &seen,
                shots: &[],
                mirror: false,
                countdown: None,
            });
            self.set_sprites(sprites);
        }
        self.upload_frame(camera)?;
        self.upload_styled(drawing)?;
        for panel in page.panels() {
            if let PanelKind::Shot(number) = panel.kind {
                self.set_shot(number, Some((drawing, seen.focus)))?;
            }
        }
        let (_, reading) = self.render_to_memory(&Scene {
            time: STILL,
            mirror: false,
            compare: false,
            focus: seen.focus,
        })?;
        let mut picture = Picture::default();
        reading.finish(&mut picture)?;
        Ok(picture)
    }
}
