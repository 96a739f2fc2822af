//! Who may ask: programs of this machine, programs that know the token, and no web page that a
//! stranger wrote.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode};

use super::body::Refusal;
use super::token::Token;

/// Browsers say with it whether the page that asks came from here.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may ask.
pub struct Access {
    listening: IpAddr,
    token: Option<Token>,
}

impl Access {
    /// Where panelcam listens, and what must be known.
    pub fn new(address: SocketAddr, token: Option<&str>) -> Self {
        Self {
            listening: address.ip(),
            token: token.map(Token::new),
        }
    }

    /// Whether a request with these headers is answered.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = self.host(headers).ok_or_else(|| {
            let text = "Requests must name this machine by its address or as localhost.";
            Refusal::new(StatusCode::FORBIDDEN, text)
        })?;
        if is_foreign(headers, host) {
            let text = "Web pages may not ask. Programs send no Origin.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, text));
        }
        if self
            .token
            .as_ref()
            .is_some_and(|token| !knows(headers, token))
        {
            let text = "This needs the header `Authorization: Bearer TOKEN`. The token is in the control panel and under [server] in the settings.";
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, text));
        }
        Ok(())
    }

    /// The host a request names, if it is this machine: a stranger's name that leads here is how web
    /// pages get around their browser's walls.
    fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut hosts = headers.get_all(HOST).into_iter();
        let host = hosts.next()?.to_str().ok()?;
        let authority: Authority = host.parse().ok()?;
        let name = authority.host();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let is_ours = match bare.parse::<IpAddr>() {
            // No name leads to a web page here that was asked for by number.
            Ok(ip) => ip.is_loopback() || self.listening.is_unspecified() || ip == self.listening,
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        };
        (is_ours && hosts.next().is_none() && !host.contains('@')).then_some(host)
    }
}

/// Whether a web page asks that did not come from `host`.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    let here = format!("http://{host}");
    let mut origins = headers.get_all(ORIGIN).into_iter();
    let mut sites = headers.get_all(FETCH_SITE).into_iter();
    origins.any(|origin| !origin.as_bytes().eq_ignore_ascii_case(here.as_bytes()))
        || sites.any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

fn knows(headers: &HeaderMap, token: &Token) -> bool {
    let mut given = headers.get_all(AUTHORIZATION).into_iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        return false;
    };
    let given = given.as_bytes();
    given
        .split_at_checked(7)
        .is_some_and(|(scheme, rest)| scheme.eq_ignore_ascii_case(b"bearer ") && token.is(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(listening: &str, token: Option<&str>, headers: &[(&str, &str)]) -> u16 {
        let access = Access::new(listening.parse().unwrap(), token);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        access
            .check(&map)
            .map_or_else(|refusal| refusal.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_this_machine_is_named() {
        let here = |host| status("127.0.0.1:7262", None, &[("host", host)]);
        for host in [
            "localhost:7262",
            "LOCALHOST",
            "127.0.0.1:7262",
            "127.1.2.3",
            "[::1]:7262",
        ] {
            assert_eq!(here(host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7262",
            "localhost.evil.example",
            "localhost@evil.example",
            "evil@localhost",
            "127.0.0.1.evil.example",
            "192.168.0.7:7262",
            "",
            ":7262",
            "[::1",
            "a b",
        ] {
            assert_eq!(here(host), 403, "{host}");
        }
        assert_eq!(status("127.0.0.1:1", None, &[]), 403);
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status("127.0.0.1:1", None, &two), 403);
        let lan = |host| status("192.168.0.7:7262", None, &[("host", host)]);
        assert_eq!((lan("192.168.0.7"), lan("192.168.0.8")), (200, 403));
        let all = |host| status("0.0.0.0:7262", None, &[("host", host)]);
        assert_eq!((all("192.168.0.8:7262"), all("evil.example")), (200, 403));
    }

    #[test]
    fn web_pages_of_strangers_are_refused() {
        let ask = |name, value| {
            let headers = [("host", "localhost:7262"), (name, value)];
            status("127.0.0.1:7262", None, &headers)
        };
        for origin in [
            "http://evil.example",
            "null",
            "https://localhost:7262",
            "http://localhost:80",
            "http://localhost:7262.evil.example",
            "",
        ] {
            assert_eq!(ask("origin", origin), 403, "{origin}");
        }
        assert_eq!(ask("origin", "http://localhost:7262"), 200);
        for site in ["cross-site", "same-site", "what"] {
            assert_eq!(ask("sec-fetch-site", site), 403, "{site}");
        }
        assert_eq!(ask("sec-fetch-site", "none"), 200);
        assert_eq!(ask("sec-fetch-site", "same-origin"), 200);
    }

    #[test]
    fn a_token_is_asked_for_where_there_is_one() {
        let ask = |given: &str| {
            let headers = [("host", "localhost"), ("authorization", given)];
            status("127.0.0.1:7262", Some("secret"), &headers)
        };
        assert_eq!((ask("Bearer secret"), ask("bearer secret")), (200, 200));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "secret",
            "Bearer secrets",
            "Basic secret",
        ] {
            assert_eq!(ask(wrong), 401, "{wrong}");
        }
        let none = [("host", "localhost")];
        assert_eq!(status("127.0.0.1:7262", Some("secret"), &none), 401);
    }
}
