//! What was asked for and waits for the owner of the settings.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::body::Refusal;
use crate::action::Action;
use crate::settings::Settings;

/// The most requests that wait.
const MOST: usize = 64;
/// A window that takes nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something to do, known to be possible.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Another look; what is `None` stays.
    Look {
        style: Option<String>,
        page: Option<String>,
        strength: Option<f32>,
    },
    /// Words of a page; `None`: what the page says itself.
    Words {
        page: String,
        name: String,
        text: Option<String>,
    },
    /// The same as a button.
    Act(Action),
}

impl Ask {
    /// Changes the settings, or gives what else is to be done.
    pub fn apply(self, settings: &mut Settings) -> Option<Action> {
        let look = &mut settings.look;
        match self {
            Self::Look {
                style,
                page,
                strength,
            } => {
                look.style = style.unwrap_or_else(|| std::mem::take(&mut look.style));
                look.page = page.unwrap_or_else(|| std::mem::take(&mut look.page));
                look.strength = strength.unwrap_or(look.strength);
            }
            Self::Words { page, name, text } => look.set_text(&page, &name, text),
            Self::Act(action) => return Some(action),
        }
        None
    }
}

/// A request that waits.
pub struct Request {
    ask: Ask,
    answer: oneshot::Sender<()>,
}

impl Request {
    /// What to do; `None` when whoever asked has gone, or was told that nothing happens.
    pub fn open(self) -> Option<(Ask, oneshot::Sender<()>)> {
        (!self.answer.is_closed()).then_some((self.ask, self.answer))
    }
}

/// Requests on their way to the owner of the settings.
pub struct Inbox {
    waiting: Mutex<Vec<Request>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Inbox {
    /// `wake` is called whenever something comes.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            wake: Box::new(wake),
        })
    }

    /// What has come since the last call.
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.waiting.lock())
    }

    /// Has something done, and waits until it was taken over.
    pub async fn ask(&self, ask: Ask) -> Result<(), Refusal> {
        let (answer, taken) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            waiting.retain(|request| !request.answer.is_closed());
            if waiting.len() >= MOST {
                return Err(busy("Too many requests wait. Ask again in a moment."));
            }
            waiting.push(Request { ask, answer });
        }
        (self.wake)();
        match tokio::time::timeout(PATIENCE, taken).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(busy("panelcam is closing.")),
            Err(_) => Err(busy(
                "panelcam does not answer. Nothing was changed; ask again in a moment.",
            )),
        }
    }
}

fn busy(text: &str) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, text)
}
