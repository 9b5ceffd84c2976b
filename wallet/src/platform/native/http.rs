//! `reqwest`.

use super::super::{Http, HttpAnswer, HttpError, HttpRequest, Pending};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

/// A client that keeps connections for the next request.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
}

impl Default for HttpClient {
    fn default() -> Self {
        // A server could send requests to others in the owner's own network.
        let client = Client::builder().redirect(Policy::none()).build();
        Self { client: client.unwrap_or_default() }
    }
}

impl Http for HttpClient {
    fn is_address(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
        })
    }

    fn request(&self, request: HttpRequest) -> Pending<'_, Result<HttpAnswer, HttpError>> {
        let HttpRequest { url, body, limit } = request;
        let builder = match body {
            Some(body) => self.client.post(url).body(body),
            None => self.client.get(url),
        };
        Box::pin(async move {
            let response = builder.send().await.map_err(unreachable)?;
            let status = response.status().as_u16();
            Ok(HttpAnswer { status, body: read(response, limit).await? })
        })
    }
}

async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, HttpError> {
    let announced = response.content_length().map(usize::try_from);
    if announced.is_some_and(|length| length.map_or(true, |length| length > limit)) {
        return Err(HttpError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Says what is behind an error, which `reqwest` itself does not.
fn unreachable(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    HttpError::Unreachable { reason }
}
