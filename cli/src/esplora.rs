//! What a command asks the chain server by itself: whether it has a transaction, and how it is doing. Money never depends
//! on these answers; the wallet checks what it believes.

use std::time::Duration;

use kite_wallet::api::{WalletConfig, WalletError};
use kite_wallet::platform::native::HttpClient;
use kite_wallet::platform::{Http as _, HttpAnswer, HttpRequest};
use serde::Deserialize;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most bytes of one answer.
const LIMIT: usize = 4 << 20;
/// The server's answer for what it does not have.
const NOT_FOUND: u16 = 404;

/// One Esplora server.
#[derive(Debug)]
pub struct Esplora {
    url: String,
    http: HttpClient,
}

/// The newest block of a server.
#[derive(Debug, Deserialize)]
pub struct Tip {
    /// Its number.
    pub height: u32,
    /// When it was found, in seconds since 1970, by its miner's clock.
    #[serde(rename = "timestamp")]
    pub time_secs: u64,
}

impl Esplora {
    /// The server of this wallet.
    pub fn new(config: &WalletConfig) -> Self {
        Self { url: config.esplora_url.trim().trim_end_matches('/').to_owned(), http: HttpClient::default() }
    }

    /// Whether it has a transaction, in a block or waiting for one.
    ///
    /// # Errors
    /// `ChainUnavailable`.
    pub async fn has(&self, txid: &str) -> Result<bool, WalletError> {
        let path = format!("/tx/{txid}");
        match self.ask(&path).await? {
            answer if answer.status == NOT_FOUND => Ok(false),
            answer => text(&path, answer).map(|_| true),
        }
    }

    /// Its newest block.
    ///
    /// # Errors
    /// `ChainUnavailable`.
    pub async fn tip(&self) -> Result<Tip, WalletError> {
        let hash = text("/blocks/tip/hash", self.ask("/blocks/tip/hash").await?)?;
        self.json(&format!("/block/{}", hash.trim())).await
    }

    async fn json<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, WalletError> {
        let text = text(path, self.ask(path).await?)?;
        serde_json::from_str(&text)
            .map_err(|error| unavailable(format!("it answered nonsense for {path}: {error}")))
    }

    async fn ask(&self, path: &str) -> Result<HttpAnswer, WalletError> {
        let request = HttpRequest { url: format!("{}{path}", self.url), body: None, limit: LIMIT };
        let answer = tokio::time::timeout(PATIENCE, self.http.request(request)).await;
        answer
            .map_err(|_| unavailable("it did not answer in time"))?
            .map_err(|error| unavailable(error.to_string()))
    }
}

fn text(path: &str, answer: HttpAnswer) -> Result<String, WalletError> {
    if !answer.is_success() {
        return Err(unavailable(format!("it answered {} for {path}", answer.status)));
    }
    String::from_utf8(answer.body).map_err(|_| unavailable(format!("it answered nonsense for {path}")))
}

fn unavailable(reason: impl Into<String>) -> WalletError {
    WalletError::ChainUnavailable { reason: reason.into() }
}
