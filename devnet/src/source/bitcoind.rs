//! A real `bitcoind` on regtest as a source, over its JSON-RPC.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Address, Block, BlockHash, Network, Transaction, TxOut, Txid};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{ChainSource, PackageResults, SourceError, Tip, fee_targets};
use crate::chain::{COINBASE_MATURITY, Displaced, Refusal};

const WALLET: &str = "kite-devnet";

/// Error codes of `bitcoind` that mean "there is no such thing".
const NOT_FOUND: [i64; 2] = [-5, -8];

/// Fee rate of the faucet's payments.
const FEE_SAT_PER_VB: u64 = 2;

/// A regtest `bitcoind` with wallet support, reached as `http://user:password@host:port`.
#[derive(Debug)]
pub struct Bitcoind {
    client: reqwest::Client,
    url: Url,
    mining_address: OnceCell<String>,
}

impl Bitcoind {
    /// Takes note of the address; nothing is called yet.
    ///
    /// # Errors
    /// When the HTTP client can't be made.
    pub fn new(url: Url) -> Result<Self, SourceError> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { client, url, mining_address: OnceCell::new() })
    }

    async fn call<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, SourceError> {
        self.call_at("/", method, params).await
    }

    async fn call_wallet<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, SourceError> {
        self.call_at(&format!("/wallet/{WALLET}"), method, params).await
    }

    async fn call_at<T: DeserializeOwned>(
        &self,
        path: &str,
        method: &'static str,
        params: Value,
    ) -> Result<T, SourceError> {
        let mut url = self.url.clone();
        let (user, password) = (url.username().to_owned(), url.password().map(str::to_owned));
        // Both can fail only for addresses without host, which no request reaches.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_path(path);
        let body = json!({ "jsonrpc": "1.0", "id": "kite", "method": method, "params": params });
        let mut request = self.client.post(url).json(&body);
        if !user.is_empty() {
            request = request.basic_auth(user, password);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        let wrong = |detail: String| SourceError::Answer { method, detail };
        let mut answer: Value =
            serde_json::from_str(&text).map_err(|error| wrong(format!("HTTP {status}, {error}")))?;
        if let Some(code) = answer["error"]["code"].as_i64() {
            let message = answer["error"]["message"].as_str().unwrap_or_default().to_owned();
            return Err(SourceError::Rpc { method, code, message });
        }
        serde_json::from_value(answer["result"].take()).map_err(|error| wrong(error.to_string()))
    }

    async fn mining_address(&self) -> Result<&String, SourceError> {
        self.mining_address.get_or_try_init(|| self.new_address()).await
    }

    async fn new_address(&self) -> Result<String, SourceError> {
        self.call_wallet("getnewaddress", json!([])).await
    }

    async fn open_wallet(&self) -> Result<(), SourceError> {
        let loaded: Vec<String> = self.call("listwallets", json!([])).await?;
        if loaded.iter().any(|name| name == WALLET) {
            return Ok(());
        }
        match self.call::<Value>("loadwallet", json!([WALLET])).await {
            Err(SourceError::Rpc { code: -18, .. }) => {
                self.call::<Value>("createwallet", json!([WALLET])).await.map(drop)
            }
            other => other.map(drop),
        }
    }
}

fn decoded<T: bitcoin::consensus::Decodable>(method: &'static str, hex: &str) -> Result<T, SourceError> {
    deserialize_hex(hex).map_err(|error| SourceError::Answer { method, detail: error.to_string() })
}

/// Turns "there is no such thing" into unset.
fn found<T>(result: Result<T, SourceError>) -> Result<Option<T>, SourceError> {
    match result {
        Err(SourceError::Rpc { code, .. }) if NOT_FOUND.contains(&code) => Ok(None),
        other => other.map(Some),
    }
}

fn regtest_address(output: &TxOut) -> Result<String, SourceError> {
    let address = Address::from_script(&output.script_pubkey, Network::Regtest);
    address
        .map(|address| address.to_string())
        .map_err(|_| SourceError::Unsupported("a payment to a script without address"))
}

#[async_trait]
impl ChainSource for Bitcoind {
    async fn prepare(&self) -> Result<(), SourceError> {
        let info: Value = self.call("getblockchaininfo", json!([])).await?;
        if info["chain"] != "regtest" {
            return Err(SourceError::Unsupported("another chain than regtest"));
        }
        self.open_wallet().await?;
        let balance: f64 = self.call_wallet("getbalance", json!([])).await?;
        if balance < 100.0 {
            self.mine(COINBASE_MATURITY + 10).await?;
        }
        Ok(())
    }

    async fn tip(&self) -> Result<Tip, SourceError> {
        #[derive(serde::Deserialize)]
        struct Info {
            blocks: u32,
            bestblockhash: BlockHash,
        }
        let info: Info = self.call("getblockchaininfo", json!([])).await?;
        Ok(Tip { height: info.blocks, hash: info.bestblockhash })
    }

    async fn block_hash(&self, height: u32) -> Result<Option<BlockHash>, SourceError> {
        found(self.call("getblockhash", json!([height])).await)
    }

    async fn block(&self, hash: BlockHash) -> Result<Option<Block>, SourceError> {
        let hex: Option<String> = found(self.call("getblock", json!([hash, 0])).await)?;
        hex.map(|hex| decoded("getblock", &hex)).transpose()
    }

    async fn mempool(&self) -> Result<Vec<Txid>, SourceError> {
        self.call("getrawmempool", json!([])).await
    }

    async fn waiting(&self, txid: Txid) -> Result<Option<Transaction>, SourceError> {
        let hex: Option<String> = found(self.call("getrawtransaction", json!([txid])).await)?;
        hex.map(|hex| decoded("getrawtransaction", &hex)).transpose()
    }

    async fn broadcast(&self, transaction: Transaction) -> Result<Result<Txid, Refusal>, SourceError> {
        match self.call("sendrawtransaction", json!([serialize_hex(&transaction)])).await {
            Err(SourceError::Rpc { code, message, .. }) => Ok(Err(Refusal::Node { code, message })),
            other => other.map(Ok),
        }
    }

    async fn broadcast_package(&self, package: Vec<Transaction>) -> Result<PackageResults, SourceError> {
        let hex: Vec<String> = package.iter().map(serialize_hex).collect();
        let answer: Result<Value, _> = self.call("submitpackage", json!([hex])).await;
        let (answer, refused) = match answer {
            Err(SourceError::Rpc { code, message, .. }) => (Value::Null, Some((code, message))),
            other => (other?, None),
        };
        let result = |transaction: &Transaction| {
            let wtxid = transaction.compute_wtxid();
            let error = answer["tx-results"][wtxid.to_string()]["error"].as_str();
            let error = error.map(|message| (-26, message.to_owned())).or_else(|| refused.clone());
            let txid = transaction.compute_txid();
            (wtxid, error.map_or(Ok(txid), |(code, message)| Err(Refusal::Node { code, message })))
        };
        Ok(package.iter().map(result).collect())
    }

    async fn fee_estimates(&self) -> Result<BTreeMap<u16, f64>, SourceError> {
        let mut estimates = BTreeMap::new();
        for target in fee_targets().filter(|target| [1, 2, 3, 6, 12, 144, 1008].contains(target)) {
            let answer: Value = self.call("estimatesmartfee", json!([target])).await?;
            // Bitcoin per 1000 virtual bytes. A young regtest chain has no estimate.
            if let Some(rate) = answer["feerate"].as_f64() {
                estimates.insert(target, rate * 100_000.0);
            }
        }
        Ok(estimates)
    }

    async fn mine(&self, count: u32) -> Result<Vec<BlockHash>, SourceError> {
        self.open_wallet().await?;
        let address = self.mining_address().await?;
        self.call("generatetoaddress", json!([count, address])).await
    }

    async fn fund(&self, outputs: Vec<TxOut>) -> Result<Txid, SourceError> {
        let mut amounts = serde_json::Map::new();
        for output in &outputs {
            let amount = output.value.to_string_in(bitcoin::Denomination::Bitcoin);
            if amounts.insert(regtest_address(output)?, Value::String(amount)).is_some() {
                return Err(SourceError::Unsupported("two payments to one address in a transaction"));
            }
        }
        self.call_wallet("sendmany", json!({ "amounts": amounts, "fee_rate": FEE_SAT_PER_VB })).await
    }

    async fn reorg(&self, depth: u32, displaced: Displaced) -> Result<Vec<BlockHash>, SourceError> {
        if displaced == Displaced::Forgotten {
            return Err(SourceError::Unsupported("forgetting transactions"));
        }
        let height = self.tip().await?.height;
        let too_deep = SourceError::Unsupported("a reorg deeper than the chain");
        let first = height.checked_sub(depth).map(|base| base + 1).filter(|_| depth > 0 && depth < height);
        let first = self.block_hash(first.ok_or(too_deep)?).await?;
        self.call::<Value>("invalidateblock", json!([first])).await?;
        // Paid to the address of the blocks before, a block of the same second would be one of those that were taken off.
        let (mut hashes, address) = (Vec::new(), self.new_address().await?);
        if displaced == Displaced::Mined {
            return self.call("generatetoaddress", json!([depth + 1, address])).await;
        }
        for _ in 0..=depth {
            #[derive(serde::Deserialize)]
            struct Generated {
                hash: BlockHash,
            }
            let made: Generated = self.call("generateblock", json!([address, []])).await?;
            hashes.push(made.hash);
        }
        Ok(hashes)
    }
}
