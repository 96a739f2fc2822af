//! What comes in and what goes out: JSON, and a sentence where something is refused.

use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The largest body, in bytes.
const LARGEST: usize = 64 << 10;
/// So much of a larger one is read and thrown away, so that whoever sends it hears why.
const LARGEST_READ: usize = 4 * LARGEST;

/// An answer.
pub struct Reply(pub StatusCode, pub Value);

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(format!("{:#}\n", self.1)));
        *response.status_mut() = self.0;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/json; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.0 == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Why something is not done: what failed, what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }

    #[cfg(test)]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Reply(self.status, json!({ "error": self.text })).into_response()
    }
}

/// A body that was read. One that is empty is `{}`.
pub struct Said<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Said<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, LARGEST_READ).await;
        let bytes = bytes.ok().filter(|bytes| bytes.len() <= LARGEST);
        let bytes = bytes.ok_or_else(|| {
            let text = format!("The body is too large. At most {LARGEST} bytes are read.");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text)
        })?;
        if bytes.is_empty() {
            return read(b"{}").map(Self);
        }
        if !is_json(&parts.headers) {
            let text = "The body must be JSON, with the header `Content-Type: application/json`. With curl use --json in place of -d.";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
        }
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (status, what) = if error.is_data() {
            (
                StatusCode::UNPROCESSABLE_ENTITY,
                "does not say what it must",
            )
        } else {
            (StatusCode::BAD_REQUEST, "is no JSON")
        };
        Refusal::new(status, format!("The body {what}: {error}."))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The last part of the address.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let name: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        name.map(|Path(name)| Self(name)).map_err(|error| {
            let text = format!("The address cannot be read: {}.", error.body_text());
            Refusal::new(StatusCode::BAD_REQUEST, text)
        })
    }
}
