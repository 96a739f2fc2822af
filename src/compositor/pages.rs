//! Pages that are ready, drawn by a thread of their own so that a change of page stalls nothing.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::frame::Size;
use crate::mailbox::{Mailbox, Taken};
use crate::panels::Library;
use crate::settings::Language;
use crate::worker::Worker;

use super::resident::{Method, Resident};
use super::{CompositorError, Gpu};

/// A page that a program shall show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its id or path.
    pub page: String,
    /// The program's size; `None`: as large as the page says.
    pub size: Option<Size>,
    /// Of its art that is drawn in several languages, this is shown.
    pub language: Language,
}

/// Pages that are ready, and the thread that makes them so.
pub(super) struct Pages {
    library: Arc<Library>,
    ready: Arc<Mutex<Vec<Arc<Resident>>>>,
    orders: Arc<Mailbox<Wanted>>,
    answers: Arc<Mailbox<Answer>>,
    /// What is shown or waited for.
    current: Option<Wanted>,
    /// When the file of the page was last looked at.
    looked: Duration,
    /// Whether the thread has an order.
    waiting: bool,
    /// Pages of the library that were ordered ahead, for one program size and language.
    ahead: ((Option<Size>, Language), usize),
    _worker: Worker,
}

type Answer = (Wanted, Result<Arc<Resident>, CompositorError>);

impl Pages {
    /// A file that changes on disk is read again within this time.
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    /// The most pages that are kept.
    const MOST: usize = 8;
    /// Pages of the library that are drawn before anybody asks for them.
    const AHEAD: usize = 5;

    /// Starts the thread.
    pub fn start(
        gpu: Arc<Gpu>,
        method: Method,
        library: Arc<Library>,
    ) -> Result<Self, CompositorError> {
        let ready: Arc<Mutex<Vec<Arc<Resident>>>> = Arc::default();
        let orders: Arc<Mailbox<Wanted>> = Arc::default();
        let answers: Arc<Mailbox<Answer>> = Arc::default();
        let worker = {
            let (library, ready) = (Arc::clone(&library), Arc::clone(&ready));
            let (orders, answers) = (Arc::clone(&orders), Arc::clone(&answers));
            Worker::spawn("pages", move |stop| {
                while !stop.asked() {
                    match orders.take_within(Duration::from_millis(50)) {
                        Taken::Value(wanted) => {
                            let result = load(&gpu, &method, &library, &ready, &wanted);
                            answers.send((wanted, result));
                        }
                        Taken::TimedOut => {}
                        Taken::Closed => return,
                    }
                }
            })?
        };
        Ok(Self {
            library,
            ready,
            orders,
            answers,
            current: None,
            looked: Duration::ZERO,
            waiting: false,
            ahead: ((None, Language::default()), 0),
            _worker: worker,
        })
    }

    /// The page to show from now on, when that is another one than before, or why there is none.
    pub fn get(
        &mut self,
        wanted: &Wanted,
        now: Duration,
    ) -> Option<Result<Arc<Resident>, CompositorError>> {
        let mut found = None;
        if let Some((answered, result)) = self.answers.try_take() {
            self.waiting = false;
            if answered == *wanted {
                found = Some(result);
            }
        }
        if self.current.as_ref() != Some(wanted) {
            // A page that is ready is shown on the very next program.
            self.current = Some(wanted.clone());
            self.looked = now;
            match ready(&self.library, &self.ready, wanted) {
                Some(page) => found = Some(Ok(page)),
                None => self.order(wanted.clone()),
            }
        } else if !self.waiting && now.saturating_sub(self.looked) >= Self::LOOK_EVERY {
            self.looked = now;
            let pages = self.library.known(wanted.language);
            let in_library = pages.is_some_and(|pages| {
                let mut pages = pages.iter();
                pages.any(|page| page.id() == wanted.page && page.builtin())
            });
            if in_library {
                self.order_ahead(wanted);
            } else {
                self.order(wanted.clone());
            }
        }
        found
    }

    fn order(&mut self, wanted: Wanted) {
        self.waiting = true;
        self.orders.send(wanted);
    }

    fn order_ahead(&mut self, wanted: &Wanted) {
        let (size, language) = (wanted.size, wanted.language);
        if self.ahead.0 != (size, language) {
            self.ahead = ((size, language), 0);
        }
        let number = self.ahead.1;
        let pages = self.library.known(language);
        let page = pages.and_then(|pages| pages.get(number).cloned());
        if number < Self::AHEAD
            && let Some(page) = page
        {
            self.ahead.1 += 1;
            let page = page.id().to_owned();
            self.order(Wanted {
                page,
                size,
                language,
            });
        }
    }
}

/// A page that is ready. Only pages of the library: a file may have changed.
fn ready(
    library: &Library,
    ready: &Mutex<Vec<Arc<Resident>>>,
    wanted: &Wanted,
) -> Option<Arc<Resident>> {
    let pages = library.known(wanted.language)?;
    let page = pages.iter().find(|page| page.id() == wanted.page)?;
    let size = wanted.size.unwrap_or_else(|| page.size());
    let list = ready.lock();
    list.iter()
        .find(|resident| resident.is(page, size))
        .cloned()
}

fn load(
    gpu: &Gpu,
    method: &Method,
    library: &Library,
    ready: &Mutex<Vec<Arc<Resident>>>,
    wanted: &Wanted,
) -> Result<Arc<Resident>, CompositorError> {
    let page = library.page(&wanted.page, wanted.language)?;
    let size = wanted.size.unwrap_or_else(|| page.size());
    let known = {
        let list = ready.lock();
        list.iter()
            .find(|resident| resident.is(&page, size))
            .cloned()
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let resident = Arc::new(Resident::load(gpu, method, &page, size)?);
    let mut list = ready.lock();
    if list.len() >= Pages::MOST {
        list.remove(0);
    }
    list.push(Arc::clone(&resident));
    Ok(resident)
}
