//! Effects: small loops of drawings, each drawn once by the graphics device and then laid like a
//! sprite, so that a moving effect costs what a still one costs.

mod look;
mod painter;

pub(super) use look::{Look, Mix, Tone};
pub use painter::EffectData;
pub(crate) use painter::Painter;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::frame::Size;
use crate::mailbox::{Mailbox, Taken};
use crate::panels::{EffectKind, PixelRect, Region};
use crate::worker::Worker;

use super::resident::{Method, Resident, What};
use super::{CompositorError, Gpu, Scene, Sizes, readback, textures};

/// An effect's place on a page.
pub(super) struct Stand {
    kind: EffectKind,
    name: String,
    pub look: Look,
    rect: PixelRect,
    unit: f32,
    margin: u32,
    /// Which of the page's layers shows the face it points at.
    panel: Option<usize>,
}

/// A drawing of an effect.
pub(super) enum Drawn {
    /// On the device, as the picture of a layer.
    Device(wgpu::BindGroup),
    /// In memory.
    Memory(Inks),
}

/// A drawing in memory.
pub(super) struct Inks {
    /// How much of either ink, a pixel after the other.
    pub pairs: Vec<u8>,
    /// Columns of ink: the first, and the one after the last.
    runs: Vec<(u16, u16)>,
    /// For each row where its runs begin; one more than there are rows.
    rows: Vec<u32>,
}

impl Inks {
    /// Gaps shorter than this are taken in.
    const GAP: usize = 12;

    /// Looks where the ink is. A run holds what is in a row and in the one below, which coarse
    /// drawings mix.
    fn new(pairs: Vec<u8>, size: Size) -> Self {
        let width = size.width.max(1) as usize;
        let (mut runs, mut rows) = (Vec::new(), vec![0]);
        let pixels = pairs.as_chunks::<2>().0;
        let mut lines = pixels.chunks_exact(width).peekable();
        while let Some(row) = lines.next() {
            let below = lines.peek().copied().unwrap_or(row);
            let is_inked = |at: usize| row[at] != [0; 2] || below[at] != [0; 2];
            let mut at = 0;
            while at < width {
                if !is_inked(at) {
                    at += 1;
                    continue;
                }
                let (start, mut end) = (at, at + 1);
                at += 1;
                while at < width && at - end < Self::GAP {
                    if is_inked(at) {
                        end = at + 1;
                    }
                    at += 1;
                }
                runs.push((start as u16, end as u16));
            }
            rows.push(runs.len() as u32);
        }
        Self { pairs, runs, rows }
    }

    /// Where the ink of a row is.
    pub fn runs(&self, row: usize) -> &[(u16, u16)] {
        match self.rows.get(row..row + 2) {
            Some([from, to]) => self
                .runs
                .get(*from as usize..*to as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }
}

/// A drawing where it is laid.
#[derive(Clone)]
pub(super) struct Laid {
    pub drawn: Arc<Drawn>,
    /// Columns and rows of the drawing.
    pub size: Size,
    /// Side of its pixels in program pixels.
    pub pixel: u32,
    /// The program pixel on which its pixel 0,0 lies.
    pub corner: (i32, i32),
    /// Its two inks, straight alpha.
    pub inks: [[u8; 4]; 2],
    /// Of tone: how dark it is.
    pub strength: f32,
}

/// The effects of the page that is shown.
pub(super) struct Effects {
    gpu: Arc<Gpu>,
    method: Method,
    loops: Vec<Loop>,
    /// Kinds and names that are switched off.
    off: Vec<String>,
    /// How strong kinds are where that is not as the artist drew them.
    strengths: BTreeMap<String, f32>,
    /// When effects that rest were started last.
    started: Duration,
    aside: Option<Aside>,
    /// Counts drawings that became wrong, so that late ones are recognised.
    generation: u64,
}

/// The drawings of one effect.
struct Loop {
    /// Which of the page's layers it is.
    layer: usize,
    generation: u64,
    /// Where the face was that the drawings are made for, from the shape's corner.
    base: Option<(f32, f32)>,
    /// As what they are drawn.
    look: Look,
    drawings: Vec<Option<Arc<Drawn>>>,
    last: Option<(Arc<Drawn>, (f32, f32))>,
}

impl Stand {
    /// Whether it prints tone over the panel that is layer `number`.
    pub fn tones(&self, number: usize) -> bool {
        self.panel == Some(number) && matches!(self.look.mix, Mix::Tone(_))
    }

    /// Of an effect that is layer `number` of a page.
    pub fn of(region: &Region, panel: Option<usize>) -> Self {
        let look = Look::of(region);
        Self {
            kind: region.kind,
            name: region.name.clone(),
            rect: region.rect,
            unit: region.unit,
            margin: look.margin(region),
            look,
            panel,
        }
    }

    /// Makes ready to draw it.
    pub fn warm(&self, gpu: &Gpu, painter: &Painter) {
        painter.warm(&gpu.device, self.kind);
    }

    /// How sharp the edge of a dot of tone is: one over the pattern's change in a program pixel.
    pub fn sharpness(&self) -> f32 {
        let pitch = match self.look.mix {
            Mix::Tone(Tone::Smooth) => 7.5,
            _ => 6.0,
        };
        (pitch * self.look.scale / self.look.density * self.unit / 1.7).max(1.0)
    }

    fn uses_face(&self) -> bool {
        use EffectKind::{Focus, Gloom, Shock, Sparkle, Speedlines};
        matches!(self.kind, Focus | Gloom | Shock | Sparkle | Speedlines)
    }

    fn drawing_size(&self) -> Size {
        let side = |side: u32| (side + 2 * self.margin).div_ceil(self.look.pixel).max(1);
        Size::new(side(self.rect.width), side(self.rect.height))
    }

    fn data(&self, look: &Look, number: u32, base: (f32, f32)) -> EffectData {
        let units = |pixels: f32| pixels / self.unit;
        EffectData {
            size: [
                units(self.rect.width as f32),
                units(self.rect.height as f32),
            ],
            face: [units(base.0), units(base.1)],
            corner: [-units(self.margin as f32); 2],
            pixel: units(self.look.pixel as f32),
            drawing: number as f32,
            drawings: self.look.drawings as f32,
            seed: look.seed,
            density: look.density,
            angle: look.angle,
            strength: look.strength,
            scale: look.scale,
            spare: [0.0; 2],
        }
    }

    /// Where it points, from the shape's corner; `None` while nobody is to be seen.
    fn face(&self, page: &Resident, scene: &Scene, sizes: &Sizes) -> Option<(f32, f32)> {
        let (width, height) = (self.rect.width as f32, self.rect.height as f32);
        if let Some((x, y)) = self.look.place {
            return Some((x * width, y * height));
        }
        let usual = (width * 0.5, height * 0.42);
        let Some(What::Panel(place)) = self.panel.and_then(|at| page.what(at)) else {
            return Some(usual);
        };
        let (_, focus) = scene.pictured(place, sizes)?;
        let uv = scene.cover(place, sizes).uv(place.fit);
        let at = |point: f32, origin: f32, step: f32, corner: i32, side: f32| {
            let found = (point - origin) / step - corner as f32;
            found.clamp(-0.25 * side, 1.25 * side)
        };
        Some((
            at(focus.face.x, uv.origin[0], uv.step[0], self.rect.x, width),
            at(focus.face.y, uv.origin[1], uv.step[1], self.rect.y, height),
        ))
    }
}

impl Effects {
    pub fn new(gpu: Arc<Gpu>, method: Method) -> Self {
        Self {
            gpu,
            method,
            loops: Vec::new(),
            off: Vec::new(),
            strengths: BTreeMap::new(),
            started: Duration::ZERO,
            aside: None,
            generation: 0,
        }
    }

    /// Draws on a thread of its own from now on, where drawing takes long: until a drawing is
    /// there, the one before is shown.
    pub fn draw_aside(&mut self) -> Result<(), CompositorError> {
        if let Method::Memory(painter) = &self.method {
            self.aside = Some(Aside::start(Arc::clone(&self.gpu), Arc::clone(painter))?);
        }
        Ok(())
    }

    /// Another page is shown.
    pub fn turn(&mut self, page: &Resident) {
        self.generation += 1;
        self.loops = page
            .stands()
            .map(|(layer, stand)| Loop {
                layer,
                generation: self.generation,
                base: None,
                look: stand.look,
                drawings: vec![None; stand.look.drawings as usize],
                last: None,
            })
            .collect();
    }

    /// Switches effects off: by kind, or by the whole of what follows `fx-`.
    pub fn set_off(&mut self, off: &[String]) {
        if self.off != off {
            self.off = off.to_vec();
        }
    }

    /// How strong effects are, by kind; 0 is off.
    pub fn set_strengths(&mut self, strengths: &BTreeMap<String, f32>) {
        if self.strengths != *strengths {
            self.strengths.clone_from(strengths);
        }
    }

    /// Starts effects that rest between their loops.
    pub fn start(&mut self, time: Duration) {
        self.started = time;
    }

    fn strength(&self, stand: &Stand) -> f32 {
        let strength = self.strengths.get(stand.kind.id());
        strength.map_or(1.0, |strength| strength.clamp(0.0, 2.0))
    }

    fn is_on(&self, stand: &Stand) -> bool {
        let kind = stand.kind.id();
        let is_off = self.off.iter().any(|off| {
            off == kind
                || off
                    .strip_prefix(kind)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|name| name == stand.name)
        });
        !is_off && self.strength(stand) > 0.0
    }

    /// Changes whenever another drawing is to be shown; 0 on a page without effects.
    pub fn state(&self, page: &Resident, time: Duration) -> u64 {
        let shown = page.stands().filter(|(_, stand)| self.is_on(stand));
        shown.fold(0, |state: u64, (layer, stand)| {
            let number = stand.look.drawing(time, self.started);
            let number = number.map_or(0, |number| u64::from(number) + 1);
            state
                .wrapping_mul(1_000_003)
                .wrapping_add(number + layer as u64 * 100)
        })
    }

    /// The drawings that are shown in a scene, for each of the page's layers that has one.
    pub fn show(&mut self, page: &Resident, scene: &Scene, sizes: &Sizes) -> Vec<(usize, Laid)> {
        self.take_what_is_done();
        let mut laid = Vec::with_capacity(self.loops.len());
        for at in 0..self.loops.len() {
            let layer = self.loops[at].layer;
            let Some(What::Effect(stand)) = page.what(layer) else {
                continue;
            };
            if !self.is_on(stand) {
                continue;
            }
            let Some(number) = stand.look.drawing(scene.time, self.started) else {
                continue;
            };
            let face = match stand.face(page, scene, sizes) {
                Some(face) => face,
                None if stand.uses_face() => continue,
                None => (0.0, 0.0),
            };
            let look = stand.look.strengthened(stand.kind, self.strength(stand));
            let turns = &mut self.loops[at];
            // Tone is drawn as it is; how dark it gets is decided where it is laid.
            if turns.look != look && !matches!(look.mix, Mix::Tone(_)) {
                turns.base = None;
            }
            turns.look = look;
            self.follow(at, stand, face);
            if let Some((drawn, base)) = self.drawing(at, stand, number) {
                // A late drawing is moved to where the face is now.
                let most = stand.margin as f32;
                let shift = |to: f32, from: f32| {
                    if stand.look.follows {
                        (to - from).clamp(-most, most).round() as i32
                    } else {
                        0
                    }
                };
                let margin = stand.margin as i32;
                laid.push((
                    layer,
                    Laid {
                        drawn,
                        size: stand.drawing_size(),
                        pixel: stand.look.pixel,
                        corner: (
                            stand.rect.x - margin + shift(face.0, base.0),
                            stand.rect.y - margin + shift(face.1, base.1),
                        ),
                        inks: look.inks,
                        strength: look.strength,
                    },
                ));
            }
        }
        laid
    }

    /// Asks for new drawings when the face is too far from where they point.
    fn follow(&mut self, at: usize, stand: &Stand, face: (f32, f32)) {
        let dead_zone = if stand.look.follows {
            stand.margin as f32
        } else {
            stand.rect.width.max(stand.rect.height) as f32 * 0.25
        };
        let turns = &mut self.loops[at];
        let is_near = turns.base.is_some_and(|base| {
            (face.0 - base.0).abs() <= dead_zone && (face.1 - base.1).abs() <= dead_zone
        });
        if !is_near {
            self.generation += 1;
            turns.generation = self.generation;
            // Whole pixels: a still face gives the same drawings again.
            turns.base = Some((face.0.round(), face.1.round()));
            turns
                .drawings
                .iter_mut()
                .for_each(|drawing| *drawing = None);
        }
    }

    /// A drawing and where its middle is; made now, or by and by.
    fn drawing(
        &mut self,
        at: usize,
        stand: &Stand,
        number: u32,
    ) -> Option<(Arc<Drawn>, (f32, f32))> {
        let turns = self.loops.get_mut(at)?;
        let (base, look) = (turns.base?, turns.look);
        let order = |number: u32, generation: u64| Order {
            key: (generation, at, number),
            kind: stand.kind,
            data: stand.data(&look, number, base),
            size: stand.drawing_size(),
        };
        let place = turns.drawings.get(number as usize)?;
        if let Some(drawn) = place {
            let drawn = Arc::clone(drawn);
            turns.last = Some((Arc::clone(&drawn), base));
            // The next one is drawn ahead.
            let next = (number + 1) % stand.look.drawings;
            if let Some(aside) = &mut self.aside
                && turns
                    .drawings
                    .get(next as usize)
                    .is_some_and(Option::is_none)
            {
                aside.order(order(next, turns.generation));
            }
            return Some((drawn, base));
        }
        let order = order(number, turns.generation);
        if let Some(aside) = &mut self.aside {
            aside.order(order);
            return turns.last.clone();
        }
        let drawn = Arc::new(match &self.method {
            Method::Device(passes) => {
                let mut commands = self.gpu.device.create_command_encoder(&Default::default());
                let Order {
                    kind, data, size, ..
                } = order;
                let painter = &passes.painter;
                let texture = painter.paint(&self.gpu.device, &mut commands, kind, &data, size);
                self.gpu.queue.submit([commands.finish()]);
                let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
                let views = textures::Views {
                    picture: &view,
                    ..textures::Views::none(passes)
                };
                Drawn::Device(textures::bind(&self.gpu.device, passes, &views))
            }
            Method::Memory(painter) => Drawn::Memory(in_memory(&self.gpu, painter, &order)?),
        });
        turns.drawings[number as usize] = Some(Arc::clone(&drawn));
        turns.last = Some((Arc::clone(&drawn), base));
        Some((drawn, base))
    }

    fn take_what_is_done(&mut self) {
        let Some(aside) = &mut self.aside else { return };
        for ((generation, at, number), inks) in aside.done() {
            if let Some(turns) = self.loops.get_mut(at)
                && turns.generation == generation
                && let Some(place) = turns.drawings.get_mut(number as usize)
            {
                *place = Some(Arc::new(Drawn::Memory(inks)));
            }
        }
    }
}

/// A drawing that is wanted.
struct Order {
    /// Generation, number of the loop, number of the drawing.
    key: Key,
    kind: EffectKind,
    data: EffectData,
    size: Size,
}

type Key = (u64, usize, u32);

/// Draws beside the compositor.
struct Aside {
    orders: Arc<Mailbox<Order>>,
    finished: Arc<Mutex<Vec<Finished>>>,
    /// What the thread has not answered yet.
    waiting: usize,
    _worker: Worker,
}

/// `None`: it failed; the device says why.
type Finished = (Key, Option<Inks>);

impl Aside {
    fn start(gpu: Arc<Gpu>, painter: Arc<Painter>) -> Result<Self, CompositorError> {
        let orders: Arc<Mailbox<Order>> = Arc::default();
        let finished: Arc<Mutex<Vec<Finished>>> = Arc::default();
        let worker = {
            let (orders, finished) = (Arc::clone(&orders), Arc::clone(&finished));
            Worker::spawn("effects", move |stop| {
                while !stop.asked() {
                    match orders.take_within(Duration::from_millis(50)) {
                        Taken::Value(order) => {
                            let inks = in_memory(&gpu, &painter, &order);
                            finished.lock().push((order.key, inks));
                        }
                        Taken::TimedOut => {}
                        Taken::Closed => return,
                    }
                }
            })?
        };
        Ok(Self {
            orders,
            finished,
            waiting: 0,
            _worker: worker,
        })
    }

    /// Orders a drawing, unless one is being drawn: the thread does one at a time, and what is
    /// still wanted is asked for again.
    fn order(&mut self, order: Order) {
        if self.waiting == 0 {
            self.waiting = 1;
            self.orders.send(order);
        }
    }

    fn done(&mut self) -> Vec<(Key, Inks)> {
        let finished = std::mem::take(&mut *self.finished.lock());
        self.waiting -= finished.len().min(self.waiting);
        finished
            .into_iter()
            .filter_map(|(key, inks)| Some((key, inks?)))
            .collect()
    }
}

/// Draws a drawing and brings it into memory; waits for it.
fn in_memory(gpu: &Gpu, painter: &Painter, order: &Order) -> Option<Inks> {
    let Order {
        kind, data, size, ..
    } = order;
    let mut commands = gpu.device.create_command_encoder(&Default::default());
    let texture = painter.paint(&gpu.device, &mut commands, *kind, data, *size);
    match readback::bytes(gpu, &texture, 2, commands) {
        Ok(bytes) => Some(Inks::new(bytes, *size)),
        Err(error) => {
            tracing::warn!("The effect {} is not drawn: {error}", kind.id());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_found_in_runs() {
        let (width, height) = (60, 3);
        let mut pairs = vec![0; width * height * 2];
        for (x, y) in [(2, 1), (5, 1), (40, 1), (59, 2)] {
            pairs[(y * width + x) * 2 + 1] = 9;
        }
        let inks = Inks::new(pairs, Size::new(width as u32, height as u32));
        assert_eq!(inks.runs(0), [(2, 6), (40, 41)], "what is in the row below");
        assert_eq!(inks.runs(1), [(2, 6), (40, 41), (59, 60)]);
        assert_eq!(inks.runs(2), [(59, 60)]);
        assert!(inks.runs(3).is_empty());
    }
}
