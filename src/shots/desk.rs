//! Where shots are asked for and where they lie.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{MOST, Shot};
use crate::frame::{Picture, Pooled, Size, Styled};
use crate::panels::{Page, Place, Seen, Turns};
use crate::watch::Watch;

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Count down to the next shot, or stop counting.
    Start,
    /// Take the next shot at once.
    Now,
    /// Take this one again.
    Retake(u8),
    /// Two change places.
    Swap(u8, u8),
    /// Forget all shots.
    Clear,
    /// Bubbles with several lines show the next one.
    NextLine,
}

/// A shot that is there.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its number, 1 to 9.
    pub number: u8,
    /// It, small, opaque.
    pub thumbnail: Arc<Picture>,
}

/// What people see of the shots and of what else can be changed on the page.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The page's id.
    pub page: String,
    /// The program's size.
    pub program: Size,
    /// The shots of the page.
    pub numbers: Vec<u8>,
    /// Those that are there.
    pub taken: Vec<Taken>,
    /// The one that is taken next.
    pub next: Option<u8>,
    /// Seconds left.
    pub countdown: Option<u32>,
    /// Whether it counts down or goes on by itself.
    pub running: bool,
    /// Words, bubbles and shots, where they are.
    pub places: Vec<Place>,
    /// Kinds of the page's effects, as settings name them.
    pub effects: Vec<String>,
    /// Counts up when a shot is taken.
    pub flashes: u64,
}

impl View {
    /// Whether every shot of the page is there.
    pub fn is_complete(&self) -> bool {
        !self.numbers.is_empty() && self.taken.len() == self.numbers.len()
    }
}

/// What is drawn now.
#[derive(Clone)]
pub struct Live {
    /// The newest drawing.
    pub styled: Styled,
    /// What is kept in view; the faces only where the page needs them.
    pub seen: Seen,
}

/// A page with its shots, as they were when somebody asked.
#[derive(Clone)]
pub struct Finished {
    /// The page.
    pub page: Page,
    /// The shots, the first is number 1.
    pub shots: Vec<Option<Shot>>,
    /// What a page without shots shows.
    pub live: Option<Live>,
}

/// Orders on their way to the compositor's thread, and what there is. Share it in an [`Arc`].
#[derive(Default)]
pub struct Desk {
    orders: Mutex<Vec<Order>>,
    view: Watch<View>,
    live: Mutex<Option<Live>>,
    shots: Mutex<(Option<Page>, Vec<Option<Shot>>)>,
}

impl Desk {
    /// The most orders that wait.
    const MOST_ORDERS: usize = 32;

    /// An empty desk.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Asks for something.
    pub fn order(&self, order: Order) {
        let mut orders = self.orders.lock();
        if orders.len() < Self::MOST_ORDERS {
            orders.push(order);
        }
    }

    /// What was asked for since the last call.
    pub fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut *self.orders.lock())
    }

    /// What people see now.
    pub fn view(&self) -> Arc<View> {
        self.view.get()
    }

    /// Says what people see.
    pub fn show(&self, view: View) {
        self.view.set(view);
    }

    /// The newest drawing.
    pub fn live(&self) -> Option<Arc<Pooled<Picture>>> {
        let live = self.live.lock();
        live.as_ref().map(|live| Arc::clone(&live.styled.picture))
    }

    /// Says what the newest drawing is.
    pub fn set_live(&self, live: Live) {
        *self.live.lock() = Some(live);
    }

    /// Says whose turn it is now in lists of lines.
    pub fn turn(&self, turns: Turns) {
        if let Some(live) = &mut *self.live.lock() {
            live.seen.turns = Some(turns);
        }
    }

    /// Puts the shots of a page down, the first is number 1.
    pub fn put(&self, page: &Page, shots: &[Option<Shot>]) {
        let shots = shots.iter().take(MOST).cloned().collect();
        *self.shots.lock() = (Some(page.clone()), shots);
    }

    /// The page and its shots; `None` while no page was shown. They stay on the desk.
    pub fn finished(&self) -> Option<Finished> {
        let lying = self.shots.lock();
        let page = lying.0.clone()?;
        Some(Finished {
            page,
            shots: lying.1.clone(),
            live: self.live.lock().clone(),
        })
    }
}
