//! Whether other programs may ask for things, and where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whether other programs may ask for things, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerSettings {
    /// Whether panelcam listens at all.
    pub enabled: bool,
    /// Where it listens.
    pub listen: Listen,
    /// What every request must know; `None`: nothing, which is allowed on this machine alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// An address and a port, written `127.0.0.1:7262`; a port alone is one of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen(pub SocketAddr);

/// What is written is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address is written 127.0.0.1:{}, or only its port", Listen::PORT)]
pub struct NoAddress;

impl Listen {
    /// Where nothing else is asked for. No port of a program that streamers run beside this one.
    pub const PORT: u16 = 7262;
}

impl Default for Listen {
    fn default() -> Self {
        Self(on_this_machine(Self::PORT))
    }
}

fn on_this_machine(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

impl FromStr for Listen {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let address = match text.split_once("localhost") {
            Some(("", "")) => on_this_machine(Self::PORT),
            Some(("", port)) => {
                let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
                on_this_machine(port.ok_or(NoAddress)?)
            }
            _ => match (text.parse(), text.parse::<IpAddr>(), text.parse()) {
                (Ok(address), ..) => address,
                (_, Ok(address), _) => (address, Self::PORT).into(),
                (.., Ok(port)) => on_this_machine(port),
                _ => return Err(NoAddress),
            },
        };
        Ok(Self(address))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Listen {
    type Error = NoAddress;

    fn try_from(text: String) -> Result<Self, NoAddress> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, read) in [
            ("8080", "127.0.0.1:8080"),
            ("localhost", "127.0.0.1:7262"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0", "0.0.0.0:7262"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("::1", "[::1]:7262"),
            ("[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), read);
        }
        for text in [
            "",
            "stream",
            "localhost:",
            "localhosts",
            "1.2.3.4:99999",
            "99999",
        ] {
            assert_eq!(text.parse::<Listen>(), Err(NoAddress), "{text}");
        }
    }
}
