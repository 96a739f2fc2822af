//! Opens and closes as the settings say, and hands over what was asked for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::access::Access;
use super::answers::Context;
use super::inbox::Inbox;
use super::listener::{Bound, Server};
use super::{Facts, ServerError, api, token};
use crate::action::Action;
use crate::settings::{ServerSettings, Settings};
use crate::status::{ServerState, Severity, Topic};
use crate::watch::Watch;

/// How often a port is tried again that somebody else has.
const AGAIN: Duration = Duration::from_secs(3);

/// Where other programs ask. Whoever owns the settings has one and tends it.
pub struct Door {
    facts: Facts,
    settings: Arc<Watch<Settings>>,
    inbox: Arc<Inbox>,
    server: Option<Server>,
    /// What was last tried, and when.
    tried: Option<(ServerSettings, Instant)>,
}

impl Door {
    /// A closed one. `wake` is called, on another thread, when something is asked for: then
    /// [`tend`](Self::tend) is to be called soon.
    pub fn new(facts: Facts, wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            facts,
            settings: Arc::default(),
            inbox: Inbox::new(wake),
            server: None,
            tried: None,
        }
    }

    /// Opens or closes as `settings` say, changes them as was asked, and gives what else was asked
    /// for. Why it does not open comes as a notice.
    pub fn tend(&mut self, settings: &mut Settings) -> Vec<Action> {
        self.follow(settings);
        let mut actions = Vec::new();
        let mut answers = Vec::new();
        for request in self.inbox.take() {
            if let Some((ask, answer)) = request.open() {
                actions.extend(ask.apply(settings));
                answers.push(answer);
            }
        }
        if *self.settings.get() != *settings {
            self.settings.set(settings.clone());
        }
        for answer in answers {
            // Whoever asked may have gone meanwhile.
            let _ = answer.send(());
        }
        actions
    }

    fn follow(&mut self, settings: &mut Settings) {
        let again = self.tried.as_ref().is_none_or(|(tried, since)| {
            let failed = tried.enabled && self.server.as_ref().is_none_or(Server::ended);
            *tried != settings.server || failed && since.elapsed() >= AGAIN
        });
        if !again {
            return;
        }
        // Closed first: the same port may be wanted again.
        self.server = None;
        let opened = settings.server.enabled.then(|| self.open(settings));
        let before = self.facts.board.status().server;
        let now = match opened {
            None => ServerState::Off,
            Some(Ok(server)) => {
                let listening = ServerState::Listening(server.address);
                let address = server.address;
                tracing::info!("Other programs may ask at http://{address}/api/");
                self.server = Some(server);
                listening
            }
            Some(Err(error)) => ServerState::Failed(error.to_string()),
        };
        if let ServerState::Failed(why) = &now
            && now != before
        {
            let board = &self.facts.board;
            board.notice(Topic::Server, Severity::Warning, why);
        }
        self.facts.board.set_server(now);
        self.tried = Some((settings.server.clone(), Instant::now()));
    }

    fn open(&self, settings: &mut Settings) -> Result<Server, ServerError> {
        let bound = Bound::new(settings.server.listen.0)?;
        let token = &mut settings.server.token;
        if token.as_ref().is_some_and(String::is_empty) {
            *token = None;
        }
        if !bound.address.ip().is_loopback() {
            let address = bound.address;
            match token {
                Some(token) if token.chars().count() < token::SHORTEST => {
                    return Err(ServerError::Guessable { address });
                }
                Some(_) => {}
                None => *token = Some(token::make()?),
            }
        }
        let access = Access::new(bound.address, token.as_deref());
        self.settings.set(settings.clone());
        bound.serve(api::router(Arc::new(Context {
            facts: self.facts.clone(),
            settings: Arc::clone(&self.settings),
            inbox: Arc::clone(&self.inbox),
            access,
        })))
    }
}
