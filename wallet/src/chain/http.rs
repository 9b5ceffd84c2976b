//! Requests to the server with a limit on time and on size. `esplora-client` keeps the connection and knows the forms of
//! answers; bodies are read here, because it would read one of any length.

use super::{ChainConfig, ChainError};
use crate::platform::{Clock, Pending};
use bitcoin::hex::FromHex;
use esplora_client::{AsyncClient, Builder, Sleeper};
use futures::future::{Either, select};
use futures::{Stream, StreamExt};
use kite_core::wire::text::printable;
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

/// Hashes, heights, headers, error texts.
pub(super) const SMALL: usize = 4 * 1024;
/// A page of blocks, a proof, fee estimates.
pub(super) const MEDIUM: usize = 256 * 1024;
/// A page of 75 transactions in JSON, or one transaction of a whole block in hex.
pub(super) const LARGE: usize = 16 * 1024 * 1024;

/// The client never waits between attempts: the caller does.
#[derive(Clone, Copy, Debug)]
struct Never;

impl Sleeper for Never {
    type Sleep = Ready<()>;

    fn sleep(_: Duration) -> Self::Sleep {
        ready(())
    }
}

/// One server.
#[derive(Clone)]
pub(super) struct Http {
    client: AsyncClient<Never>,
    clock: Arc<dyn Clock>,
    timeout_millis: u64,
}

impl Http {
    pub(super) fn new(config: &ChainConfig, clock: Arc<dyn Clock>) -> Result<Self, ChainError> {
        let invalid = || ChainError::InvalidUrl { url: config.esplora_url.clone() };
        let url = reqwest::Url::parse(&config.esplora_url).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid());
        }
        let client = Builder::new(&config.esplora_url)
            .max_retries(0)
            .build_async_with_sleeper()
            .map_err(|error| ChainError::Unreachable { reason: error.to_string() })?;
        Ok(Self { client, clock, timeout_millis: config.timeout_millis })
    }

    /// The answer to `GET path`; unset where the server knows no such thing.
    pub(super) async fn get(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, ChainError> {
        let request = self.client.client().get(format!("{}{path}", self.client.url()));
        match self.ask(path, request, limit).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) => success(path, status, body).map(Some),
        }
    }

    /// The answer to `POST path`, with its status.
    pub(super) async fn post(&self, path: &str, body: String) -> Result<(StatusCode, Vec<u8>), ChainError> {
        let request = self.client.client().post(format!("{}{path}", self.client.url())).body(body);
        self.ask(path, request, MEDIUM).await
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

    async fn ask(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
        limit: usize,
    ) -> Result<(StatusCode, Vec<u8>), ChainError> {
        let answer: Pending<'_, _> = Box::pin(async move {
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            let limit = if status.is_success() { limit } else { MEDIUM };
            Ok((status, read(path, response, limit).await?))
        });
        let deadline = self.clock.now().mono.plus_millis(self.timeout_millis);
        match select(answer, self.clock.sleep_until(deadline)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(ChainError::TimedOut { millis: self.timeout_millis }),
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("url", &self.client.url()).finish_non_exhaustive()
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

pub(super) fn success(path: &str, status: StatusCode, body: Vec<u8>) -> Result<Vec<u8>, ChainError> {
    match status.is_success() {
        true => Ok(body),
        false => {
            Err(ChainError::Refused { path: path.into(), status: status.as_u16(), message: printable(&body) })
        }
    }
}

/// Says what is behind an error, which `reqwest` itself does not.
fn unreachable(error: reqwest::Error) -> ChainError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    ChainError::Unreachable { reason: printable(reason.as_bytes()) }
}

async fn read(path: &str, response: Response, limit: usize) -> Result<Vec<u8>, ChainError> {
    let too_large = || ChainError::TooLarge { path: path.into(), limit };
    let announced = response.content_length().map(usize::try_from);
    if announced.is_some_and(|length| length.map_or(true, |length| length > limit)) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    let mut chunks = std::pin::pin!(chunks(response));
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(unreachable)?;
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(not(target_family = "wasm"))]
fn chunks(response: Response) -> impl Stream<Item = Result<Vec<u8>, reqwest::Error>> {
    futures::stream::try_unfold(response, |mut response| async move {
        Ok(response.chunk().await?.map(|chunk| (Vec::from(chunk), response)))
    })
}

#[cfg(target_family = "wasm")]
fn chunks(response: Response) -> impl Stream<Item = Result<Vec<u8>, reqwest::Error>> {
    response.bytes_stream().map(|chunk| chunk.map(Vec::from))
}
