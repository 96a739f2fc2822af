//! Opens and closes as the settings say, and hands over what was asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
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

/// Addresses of nobody, for documents alone (RFC 5737, RFC 3849).
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ELSEWHERE_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

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
                let address = reachable(server.address);
                let listening = ServerState::Listening(address);
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

/// Where others find who listens on all addresses: on the one that this machine has in its network.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ours = || {
        // Nothing is sent: asked which way packets to elsewhere would go, the system says who from.
        let (from, to): (IpAddr, IpAddr) = if address.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED.into(), ELSEWHERE.into())
        } else {
            (Ipv6Addr::UNSPECIFIED.into(), ELSEWHERE_6.into())
        };
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        Some(socket.local_addr().ok()?.ip())
    };
    match address.ip().is_unspecified().then(ours).flatten() {
        Some(ip) => SocketAddr::new(ip, address.port()),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_told_as_one_that_others_can_use() {
        for listening in ["0.0.0.0:7262", "[::]:7262"] {
            let told = reachable(listening.parse().unwrap());
            // A machine without a network has no better one.
            assert_eq!(told.port(), 7262);
            assert_eq!(told.is_ipv4(), listening.starts_with('0'));
        }
        for listening in ["127.0.0.1:7262", "192.0.2.7:80", "[::1]:7262"] {
            let listening: SocketAddr = listening.parse().unwrap();
            assert_eq!(reachable(listening), listening);
        }
    }
}
