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
        let path = "/blocks/tip/hash";
        let hash = text(path, self.ask(path).await?)?;
        let hash = hash.trim();
        // It becomes a part of what is asked for, and of what is shown where that fails.
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(unavailable(format!("it answered nonsense for {path}")));
        }
        self.json(&format!("/block/{hash}")).await
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

#[cfg(test)]
mod tests {
    use super::Esplora;
    use kite_wallet::api::WalletConfig;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Gives this as its newest block, and fails at whatever else it is asked for.
    async fn server(newest: &'static str) -> Esplora {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let esplora_url = format!("http://{}", listener.local_addr().expect("its address"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.unwrap_or_default();
                let is_tip = request[..length].starts_with(b"GET /blocks/tip/hash ");
                let (status, body) = if is_tip { ("200 OK", newest) } else { ("500 No", "") };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                // Whoever asked may be gone.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let (network, data) = ("regtest".into(), String::new());
        Esplora::new(&WalletConfig {
            network,
            data,
            esplora_url,
            proxy_url: None,
            accept_young_mainnet: None,
        })
    }

    #[tokio::test]
    async fn a_server_writes_nothing_on_the_terminal() {
        let error =
            server("\u{1b}]0;owned\u{7}\u{1b}[2J").await.tip().await.expect_err("no hash").to_string();
        assert!(!error.contains(char::is_control) && !error.contains("owned"), "{error:?}");
        let hash = "00000000000000000000000000000000000000000000000000000000000000aa";
        let error = server(hash).await.tip().await.expect_err("no such block").to_string();
        assert!(error.contains(&format!("500 for /block/{hash}")), "{error:?}");
    }
}
