//! Requests to web servers.

use super::{MaybeSend, MaybeSync, Pending};

/// Asks web servers: the browser's own `fetch` there, a client with its own TLS natively.
pub trait Http: MaybeSend + MaybeSync {
    /// Whether this is the address of a web server: `http` or `https`, with a host, without a query or a fragment.
    fn is_address(&self, url: &str) -> bool;

    /// Sends one request and reads its answer. A future that is dropped ends the request.
    fn request(&self, request: HttpRequest) -> Pending<'_, Result<HttpAnswer, HttpError>>;
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Where to.
    pub url: String,
    /// The body of a `POST`; unset for a `GET`.
    pub body: Option<String>,
    /// The most bytes the body of the answer may have.
    pub limit: usize,
}

/// One answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// Whether the server did what was asked for.
    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The server was not reached, or the connection broke.
    #[error("{reason}")]
    Unreachable {
        /// What the platform said.
        reason: String,
    },
    /// The answer is larger than it may be; it was not read to its end.
    #[error("the answer is larger than it may be")]
    TooLarge,
}
