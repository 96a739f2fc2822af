//! What other programs ask over: HTTP on this machine, JSON in and out. `docs/api.md` has it in
//! full.
//!
//! [`Door`] opens and closes as the settings say. Requests wait in an inbox until the owner of the
//! settings (the window, or `panelcam stream`) takes them, so what is asked for here is the same
//! change of [`Settings`](crate::settings::Settings) and the same
//! [`Action`](crate::action::Action) as a click. Only this room is async, on a thread of its own.
//!
//! It never gives a picture of anybody.

mod access;
mod answers;
mod api;
mod body;
mod door;
mod inbox;
mod listener;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::shots::Desk;
use crate::status::Board;
use crate::watch::Watch;
use crate::{inference, panels};

pub use door::Door;

/// What can be asked about, besides the settings.
#[derive(Clone)]
pub struct Facts {
    /// Where the stages report.
    pub board: Arc<Board>,
    /// Where shots lie.
    pub desk: Arc<Desk>,
    /// What there is to pick from; `None` until it is known.
    pub looks: Arc<Watch<Option<Looks>>>,
}

/// What there is to pick from.
#[derive(Clone)]
pub struct Looks {
    /// The styles.
    pub styles: Arc<inference::Library>,
    /// The pages.
    pub pages: Arc<panels::Library>,
}

/// Why nobody can ask.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Somebody else listens there.
    #[error(
        "The API does not listen: another program has this port. Close it, or name another port with --serve or under [server] in the settings. ({0})"
    )]
    Taken(SocketAddr),
    /// The address is another machine's.
    #[error(
        "The API does not listen: this machine has no such address. Name one it has, or 0.0.0.0 for all of them, under [server] in the settings. ({0})"
    )]
    Elsewhere(SocketAddr),
    /// The system does not let us.
    #[error(
        "The API does not listen: the system does not allow this port. Name one above 1023 under [server] in the settings. ({0})"
    )]
    Forbidden(SocketAddr),
    /// Something else that the system says.
    #[error("The API does not listen: {reason}. ({address})")]
    System {
        /// What the system says.
        reason: String,
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// A token that can be guessed, where other machines can try.
    #[error(
        "The API does not listen: its token is shorter than {shortest} letters and could be guessed. Remove it under [server] in the settings: a new one is made. ({address})",
        shortest = token::SHORTEST
    )]
    Guessable {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The system has no random numbers.
    #[error("The API does not listen: no token can be made: {0}.")]
    Token(String),
}
