//! Requests to the server with a limit on time and on size. `esplora-client` knows the forms of answers; its own client
//! would read a body of any length.

use super::{ChainConfig, ChainError};
use crate::platform::{self, Clock, HttpAnswer, HttpError, HttpRequest};
use bitcoin::BlockHash;
use bitcoin::hex::FromHex;
use futures::FutureExt;
use futures::future::{Either, select};
use kite_core::wire::text::printable;
use serde::de::DeserializeOwned;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;

/// Hashes, heights, headers, error texts.
pub(super) const SMALL: usize = 4 * 1024;
/// A page of blocks, a proof, fee estimates.
pub(super) const MEDIUM: usize = 256 * 1024;
/// A page of 75 transactions in JSON, or one transaction of a whole block in hex.
pub(super) const LARGE: usize = 16 * 1024 * 1024;

const NOT_FOUND: u16 = 404;

/// One server.
#[derive(Clone)]
pub(super) struct Http {
    client: Arc<dyn platform::Http>,
    clock: Arc<dyn Clock>,
    url: String,
    timeout_millis: u64,
}

impl Http {
    pub(super) fn new(
        config: &ChainConfig,
        client: Arc<dyn platform::Http>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        let url = config.esplora_url.clone();
        if !client.is_address(&url) {
            return Err(ChainError::InvalidUrl { url });
        }
        Ok(Self { client, clock, url, timeout_millis: config.timeout_millis })
    }

    /// The answer to `GET path`; unset where the server knows no such thing.
    pub(super) async fn get(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, ChainError> {
        match self.ask(path, None, limit).await? {
            HttpAnswer { status: NOT_FOUND, .. } => Ok(None),
            answer => success(path, answer).map(Some),
        }
    }

    /// The answer to `POST path`.
    pub(super) async fn post(&self, path: &str, body: String) -> Result<HttpAnswer, ChainError> {
        self.ask(path, Some(body), MEDIUM).await
    }

    /// The text that is the answer.
    pub(super) async fn text<T: std::str::FromStr>(&self, path: &str) -> Result<Option<T>, ChainError>
    where
        T::Err: fmt::Display,
    {
        let Some(body) = self.get(path, SMALL).await? else { return Ok(None) };
        let text = std::str::from_utf8(&body).map_err(|error| garbage(path, error))?;
        text.trim().parse().map(Some).map_err(|error| garbage(path, error))
    }

    /// The JSON that is the answer.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        limit: usize,
    ) -> Result<Option<T>, ChainError> {
        let Some(body) = self.get(path, limit).await? else { return Ok(None) };
        serde_json::from_slice(&body).map(Some).map_err(|error| garbage(path, error))
    }

    /// Something that consensus encodes, in hex or as it is.
    pub(super) async fn decoded<T: bitcoin::consensus::Decodable>(
        &self,
        path: &str,
        limit: usize,
    ) -> Result<Option<T>, ChainError> {
        let Some(body) = self.get(path, limit).await? else { return Ok(None) };
        let bytes = match std::str::from_utf8(&body).ok().and_then(|hex| Vec::from_hex(hex.trim()).ok()) {
            Some(bytes) => bytes,
            None => body,
        };
        bitcoin::consensus::deserialize(&bytes).map(Some).map_err(|error| garbage(path, error))
    }

    /// The newest block of the server.
    pub(super) async fn tip(&self) -> Result<BlockHash, ChainError> {
        let path = "/blocks/tip/hash";
        self.text(path).await?.ok_or_else(|| missing(path))
    }

    /// How long one answer may take.
    pub(super) const fn timeout_millis(&self) -> u64 {
        self.timeout_millis
    }

    /// What comes of `reading`, if it comes in time.
    pub(super) async fn within<T>(
        &self,
        millis: u64,
        reading: impl Future<Output = Result<T, ChainError>>,
    ) -> Result<T, ChainError> {
        let deadline = self.clock.now().mono.plus_millis(millis);
        match select(pin!(reading), self.clock.sleep_until(deadline)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(ChainError::TimedOut { millis }),
        }
    }

    async fn ask(&self, path: &str, body: Option<String>, limit: usize) -> Result<HttpAnswer, ChainError> {
        let url = format!("{}{path}", self.url);
        // An answer that says no may be a whole page, whatever was asked for.
        let answer = self.client.request(HttpRequest { url, body, limit: limit.max(MEDIUM) });
        let answer = answer.map(|answer| match answer {
            Ok(answer) if answer.body.len() <= limit || !answer.is_success() => Ok(answer),
            Ok(_) | Err(HttpError::TooLarge) => Err(ChainError::TooLarge { path: path.into(), limit }),
            Err(HttpError::Unreachable { reason }) => {
                Err(ChainError::Unreachable { reason: printable(reason.as_bytes()) })
            }
        });
        self.within(self.timeout_millis, answer).await
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("url", &self.url).finish_non_exhaustive()
    }
}

/// An answer that is not what was asked for.
pub(super) fn garbage(path: &str, detail: impl fmt::Display) -> ChainError {
    ChainError::Garbage { path: path.into(), detail: printable(detail.to_string().as_bytes()) }
}

/// An answer that is missing though the server must have it.
pub(super) fn missing(path: &str) -> ChainError {
    ChainError::Refused { path: path.into(), status: 404, message: "unknown".into() }
}

pub(super) fn success(path: &str, answer: HttpAnswer) -> Result<Vec<u8>, ChainError> {
    match answer.is_success() {
        true => Ok(answer.body),
        false => Err(ChainError::Refused {
            path: path.into(),
            status: answer.status,
            message: printable(&answer.body),
        }),
    }
}
