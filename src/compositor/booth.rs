//! What happens on a page besides its pictures: words, bubbles and shots.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use crate::frame::{Picture, Pool, Pooled, Size, Styled};
use crate::panels::{Countdown, EffectKind, Layer, Letterer, Moment, Page, Seen, Turns};
use crate::people::{Face, Head};
use crate::settings::Settings;
use crate::shots::{self, Desk, Event, Live, Order, Pace, Ring, Sequence, Shot, Taken, View};

use super::enlarger::{Enlarger, enlarged};
use super::{Compositor, CompositorError};

/// Takes orders from the [`Desk`] and does them, as part of the compositor's thread.
pub(super) struct Booth {
    desk: Arc<Desk>,
    sequence: Sequence,
    ring: Ring,
    pool: Pool<Picture>,
    enlarger: Enlarger,
    shots: Vec<Option<Shot>>,
    thumbnails: Vec<Option<Arc<Picture>>>,
    letterer: Option<Letterer>,
    /// The newest drawing and what is in it.
    drawing: Option<Styled>,
    live: Seen,
    texts: BTreeMap<String, String>,
    turned: usize,
    /// Whose turn it was in lists of lines on the last program.
    turns: Turns,
    flashes: u64,
    /// Whether the last program had something lettered on it.
    lettered: bool,
    /// Whether people have not been told of a change.
    news: bool,
    /// When they were last told.
    told: Option<Duration>,
}

/// How often people are told where moving bubbles are.
const TELL_EVERY: Duration = Duration::from_millis(120);
/// How often words that move by themselves are drawn while no drawing comes.
const MOVE_EVERY: Duration = Duration::from_millis(83);
/// Longest side of a shot's thumbnail.
const THUMBNAIL: u32 = 200;

impl Booth {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            sequence: Sequence::default(),
            ring: Ring::default(),
            pool: Pool::new(),
            enlarger: Enlarger::default(),
            shots: vec![None; shots::MOST],
            thumbnails: vec![None; shots::MOST],
            letterer: None,
            drawing: None,
            live: Seen::default(),
            texts: BTreeMap::new(),
            turned: 0,
            turns: Turns::default(),
            flashes: 0,
            lettered: false,
            news: true,
            told: None,
        }
    }

    /// Looks at a new drawing, in which `focus` is kept in view.
    pub fn see(&mut self, styled: &Styled, faces: Vec<Face>, focus: Head, time: Duration) {
        let drawing = &styled.picture;
        let is_bare = self.letterer.as_ref().is_none_or(Letterer::is_empty);
        let has_shots = !self.sequence.numbers().is_empty();
        if has_shots {
            self.ring.push(time, || {
                // As sharp as the shot that follows it.
                let mut picture = self.pool.take();
                if (self.enlarger).within(styled, Ring::LONG_SIDE, &mut picture) {
                    Arc::new(picture)
                } else {
                    Arc::clone(drawing)
                }
            });
        } else {
            self.ring.clear();
        }
        let mut seen = Seen {
            size: styled.frame.picture.size(),
            focus,
            faces: Vec::new(),
            turns: None,
        };
        if has_shots || !is_bare {
            seen.faces = faces;
            self.drawing = Some(styled.clone());
            self.live = seen.clone();
        }
        seen.turns = Some(self.turns);
        self.desk.set_live(Live {
            styled: styled.clone(),
            seen,
        });
    }

    /// Does what was asked for and what the time has come for; `true` when the program changes.
    ///
    /// # Errors
    /// When a shot does not fit the device.
    pub fn act(
        &mut self,
        compositor: &mut Compositor,
        settings: &Settings,
        time: Duration,
        day: Date,
    ) -> Result<bool, CompositorError> {
        let mut changed = self.turn_page(compositor, settings, day)?;
        let pace = Pace {
            countdown: settings.shots.countdown,
            goes_on: settings.shots.goes_on,
        };
        let before = (self.sequence.countdown(time), self.sequence.next());
        for order in self.desk.take_orders() {
            changed = true;
            match order {
                Order::Start => self.sequence.start(pace, time),
                Order::Now => {
                    if self.drawing.is_some()
                        && let Some(Event::Take(number)) = self.sequence.now()
                    {
                        self.take(number, compositor, settings)?;
                    }
                }
                Order::Retake(number) => {
                    if let Some(place) = usize::from(number).checked_sub(1) {
                        self.put(place, None, compositor, settings)?;
                    }
                    let alone = Pace {
                        goes_on: false,
                        ..pace
                    };
                    self.sequence.retake(number, alone, time);
                }
                Order::Swap(a, b) => self.swap(a, b, compositor)?,
                Order::Clear => {
                    self.sequence.clear();
                    for place in 0..shots::MOST {
                        self.put(place, None, compositor, settings)?;
                    }
                }
                Order::NextLine => self.turned += 1,
            }
        }
        if self.drawing.is_some()
            && let Some(Event::Take(number)) = self.sequence.at(pace, time)
        {
            changed = true;
            self.take(number, compositor, settings)?;
            compositor.start_effects(time);
        }
        let after = (self.sequence.countdown(time), self.sequence.next());
        changed |= before != after;
        if changed {
            compositor.set_next_shot(self.sequence.next());
            self.news = true;
        }
        self.tell(compositor, time);
        Ok(changed)
    }

    /// Whether something moves by itself, `since` the last program.
    pub fn moves(&self, since: Duration) -> bool {
        since >= MOVE_EVERY && self.letterer.as_ref().is_some_and(Letterer::moves)
    }

    /// Letters the page for the next program.
    pub fn letter(&mut self, compositor: &mut Compositor, settings: &Settings, time: Duration) {
        let countdown = self.sequence.countdown(time).zip(self.sequence.next());
        let Some(letterer) = &mut self.letterer else {
            return;
        };
        let is_bare = letterer.is_empty() && countdown.is_none();
        if is_bare && !self.lettered {
            return;
        }
        self.lettered = !is_bare;
        self.turns = Turns {
            time,
            asked: self.turned,
        };
        self.desk.turn(self.turns);
        let shots: Vec<Option<Seen>> = self
            .shots
            .iter()
            .map(|shot| shot.as_ref().map(|shot| shot.seen.clone()))
            .collect();
        let sprites = letterer.sprites(&Moment {
            time,
            texts: &self.texts,
            turned: self.turned,
            live: &self.live,
            shots: &shots,
            mirror: settings.look.mirror,
            countdown: countdown.map(|(seconds, shot)| Countdown { seconds, shot }),
        });
        compositor.set_sprites(sprites);
    }

    /// Notices another page, another size and other texts.
    fn turn_page(
        &mut self,
        compositor: &mut Compositor,
        settings: &Settings,
        day: Date,
    ) -> Result<bool, CompositorError> {
        let (page, size) = (compositor.page().clone(), compositor.size());
        let changed = settings.look.texts_of(page.id());
        let texts = page.texts(changed, settings.window.language.code(), day);
        let mut changed = texts != self.texts;
        self.texts = texts;
        if !self
            .letterer
            .as_ref()
            .is_some_and(|letterer| letterer.is_of(&page, size))
        {
            changed = true;
            self.letterer = Some(Letterer::new(&page, size));
            self.sequence.set_page(page.shots());
            // Another page may cut people out of them.
            for place in 0..shots::MOST {
                self.lay(place, compositor)?;
            }
            self.desk.put(&page, &self.shots);
        }
        Ok(changed)
    }

    /// Freezes the newest drawing, in its frame's size.
    fn take(
        &mut self,
        number: u8,
        compositor: &mut Compositor,
        settings: &Settings,
    ) -> Result<(), CompositorError> {
        let (Some(styled), Some(place)) = (&self.drawing, usize::from(number).checked_sub(1))
        else {
            return Ok(());
        };
        let drawing = match enlarged(styled) {
            Some(picture) => Arc::new(Pooled::from(picture)),
            None => Arc::clone(&styled.picture),
        };
        let shot = Shot {
            drawing,
            seen: Seen {
                // The lines that people saw stay with it.
                turns: Some(self.turns),
                ..self.live.clone()
            },
            second: self.ring.second(),
        };
        self.flashes += 1;
        self.put(place, Some(shot), compositor, settings)
    }

    fn put(
        &mut self,
        place: usize,
        shot: Option<Shot>,
        compositor: &mut Compositor,
        settings: &Settings,
    ) -> Result<(), CompositorError> {
        if place >= shots::MOST {
            return Ok(());
        }
        self.thumbnails[place] = shot
            .as_ref()
            .map(|shot| Arc::new(thumbnail(&shot.drawing, settings.look.mirror)));
        self.shots[place] = shot;
        self.desk.put(compositor.page(), &self.shots);
        self.lay(place, compositor)
    }

    fn swap(&mut self, a: u8, b: u8, compositor: &mut Compositor) -> Result<(), CompositorError> {
        let (first, second) = (
            usize::from(a).wrapping_sub(1),
            usize::from(b).wrapping_sub(1),
        );
        if first >= shots::MOST || second >= shots::MOST {
            return Ok(());
        }
        self.shots.swap(first, second);
        self.thumbnails.swap(first, second);
        self.sequence.swapped(a, b);
        self.desk.put(compositor.page(), &self.shots);
        self.lay(first, compositor)?;
        self.lay(second, compositor)
    }

    fn lay(&self, place: usize, compositor: &mut Compositor) -> Result<(), CompositorError> {
        let shot = self.shots.get(place).and_then(Option::as_ref);
        let picture = shot.map(|shot| (&**shot.drawing, shot.seen.focus));
        compositor.set_shot(place as u8 + 1, picture)
    }

    fn tell(&mut self, compositor: &Compositor, time: Duration) {
        let Some(letterer) = &self.letterer else {
            return;
        };
        let old = self
            .told
            .is_none_or(|told| time.saturating_sub(told) >= TELL_EVERY);
        if !self.news && (!old || letterer.is_empty()) {
            return;
        }
        (self.news, self.told) = (false, Some(time));
        let taken = self.sequence.numbers().iter().filter_map(|number| {
            let thumbnail = self.thumbnails.get(usize::from(*number).wrapping_sub(1))?;
            Some(Taken {
                number: *number,
                thumbnail: Arc::clone(thumbnail.as_ref()?),
            })
        });
        self.desk.show(View {
            page: compositor.page().id().to_owned(),
            program: compositor.size(),
            numbers: self.sequence.numbers().to_vec(),
            taken: taken.collect(),
            next: self.sequence.next(),
            countdown: self.sequence.countdown(time),
            running: self.sequence.is_running(),
            places: letterer.places(),
            effects: effects(compositor.page()),
            flashes: self.flashes,
        });
    }
}

/// The kinds of effects on a page.
fn effects(page: &Page) -> Vec<String> {
    let mut kinds: Vec<EffectKind> = page
        .layers()
        .iter()
        .filter_map(|layer| match layer {
            Layer::Effect(effect) => Some(effect.kind),
            _ => None,
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(|kind| kind.id().to_owned()).collect()
}

/// A drawing, small, opaque, as people see themselves.
fn thumbnail(drawing: &Picture, mirror: bool) -> Picture {
    let mut small = shots::small(drawing, THUMBNAIL);
    let Size { width, .. } = small.size();
    for row in small.rgba_mut().chunks_exact_mut(width.max(1) as usize * 4) {
        let pixels = row.as_chunks_mut::<4>().0;
        pixels.iter_mut().for_each(|pixel| pixel[3] = 255);
        if mirror {
            pixels.reverse();
        }
    }
    small
}
