//! `fetch`.

use super::super::{Http, HttpAnswer, HttpError, HttpRequest, Pending};
use super::global::words;
use gloo_net::http::{Request, RequestBuilder, Response};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, ReadableStreamReadResult, ReferrerPolicy, RequestCache,
    RequestCredentials, RequestRedirect, Url,
};

/// The browser's own client.
#[derive(Debug, Clone, Copy)]
pub struct HttpClient;

/// Ends a request when it is dropped. One that has ended does not notice.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Http for HttpClient {
    fn is_address(&self, url: &str) -> bool {
        // `href` shows an empty query or fragment, which `search` and `hash` hide.
        Url::new(url).is_ok_and(|url| {
            matches!(url.protocol().as_str(), "http:" | "https:") && !url.href().contains(['?', '#'])
        })
    }

    fn request(&self, request: HttpRequest) -> Pending<'_, Result<HttpAnswer, HttpError>> {
        Box::pin(async move {
            let abort = AbortOnDrop(AbortController::new().map_err(|thrown| unreachable(words(&thrown)))?);
            let response = send(&request, &abort.0).await.map_err(|error| unreachable(error.to_string()))?;
            Ok(HttpAnswer { status: response.status(), body: read(&response, request.limit).await? })
        })
    }
}

async fn send(request: &HttpRequest, abort: &AbortController) -> Result<Response, gloo_net::Error> {
    // What a wallet asks for names its coins: it leaves no trace in the browser's cache and says not who asks.
    let private = |builder: RequestBuilder| {
        builder
            .cache(RequestCache::NoStore)
            .credentials(RequestCredentials::Omit)
            .referrer_policy(ReferrerPolicy::NoReferrer)
            // A server could send requests to others in the owner's own network.
            .redirect(RequestRedirect::Error)
            .abort_signal(Some(&abort.signal()))
    };
    match &request.body {
        Some(body) => private(Request::post(&request.url)).body(body.as_str())?.send().await,
        None => private(Request::get(&request.url)).send().await,
    }
}

async fn read(response: &Response, limit: usize) -> Result<Vec<u8>, HttpError> {
    let Some(stream) = response.body() else { return Ok(Vec::new()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut body = Vec::new();
    loop {
        let read = JsFuture::from(reader.read()).await.map_err(|thrown| unreachable(words(&thrown)))?;
        let read: ReadableStreamReadResult = read.unchecked_into();
        if read.get_done().unwrap_or(true) {
            return Ok(body);
        }
        let value: JsValue = read.get_value();
        // A body's stream gives nothing but such arrays.
        let chunk: Uint8Array = value.unchecked_into();
        if body.len() + chunk.length() as usize > limit {
            return Err(HttpError::TooLarge);
        }
        body.extend(chunk.to_vec());
    }
}

fn unreachable(reason: String) -> HttpError {
    HttpError::Unreachable { reason }
}
