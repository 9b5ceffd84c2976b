//! An Esplora server that passes on what an honest one says, until it is told to lie.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bitcoin::block::Header;
use bitcoin::blockdata::constants::genesis_block;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{Amount, BlockHash, Network, ScriptBuf, Transaction, Txid};
use esplora_client::api::{BlockInfo, Tx};
use futures_util::stream;
use kite_devnet::http::Server;
use serde_json::{Value, json};

/// What the server does instead of telling the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// What waits for a block is in the newest one.
    Confirmed,
    /// Transactions pay other amounts under the same id.
    Amounts,
    /// Transactions in blocks pay other amounts, with the ids that go with it and the proofs of the real ones.
    OtherTransactions,
    /// Transactions pay to other scripts.
    Scripts,
    /// The last hash of every merkle branch is another.
    Proofs,
    /// The newest block has no proof of work.
    NoWork,
    /// Nothing happens any more.
    Stale,
    /// There are no new blocks, but there is what is in them.
    StaleBlocks,
    /// The chain is another network's.
    OtherNetwork,
    /// Every answer is a page for people.
    Html,
    /// Every answer is of the right kind and much too long.
    Oversized,
    /// Every answer comes byte by byte and never ends.
    Slow,
    /// There is no answer.
    Hang,
    /// The connection breaks in every answer.
    Reset,
    /// Every answer is this status.
    Status(u16),
}

/// The server. It listens until it is dropped.
#[derive(Debug)]
pub struct Liar {
    pub url: String,
    shared: Arc<Shared>,
    _server: Server,
}

#[derive(Debug)]
struct Shared {
    truth: String,
    lie: Mutex<Option<Lie>>,
    /// What was said when nothing was to happen any more.
    frozen: Mutex<BTreeMap<String, (StatusCode, Vec<u8>)>>,
    /// Ids that were made up, and what they were made from.
    made_up: Mutex<BTreeMap<String, String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

impl Liar {
    pub async fn start(truth: String) -> Self {
        let shared = Arc::new(Shared {
            truth,
            lie: Mutex::default(),
            frozen: Mutex::default(),
            made_up: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = Server::start(router, 0).await.unwrap();
        Self { url: server.url(), shared, _server: server }
    }

    /// Lies from now on, or tells the truth.
    pub fn tell(&self, lie: Option<Lie>) {
        lock(&self.shared.frozen).clear();
        *lock(&self.shared.lie) = lie;
    }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let lie = *lock(&shared.lie);
    let path = uri.path().to_owned();
    let whole = |text: &'static str| Body::from(text).into_response();
    match lie {
        Some(Lie::Hang) => std::future::pending().await,
        Some(Lie::Html) => whole("<html><body>Welcome to our wireless network!</body></html>"),
        Some(Lie::Status(status)) => (StatusCode::from_u16(status).unwrap(), "not now").into_response(),
        Some(Lie::Oversized) => Body::from("0".repeat(40 << 20)).into_response(),
        Some(Lie::Slow) => Body::from_stream(stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Some((Ok::<_, std::io::Error>("7"), ()))
        }))
        .into_response(),
        Some(Lie::Reset) => {
            let pieces = [Ok("[{"), Err(std::io::Error::other("broken"))];
            Body::from_stream(stream::iter(pieces)).into_response()
        }
        lie => {
            let (status, truth) = shared.ask(&method, &path, body).await;
            match lie {
                Some(lie) if method == Method::GET => shared.bend(lie, &path, status, truth).await,
                _ => (status, truth),
            }
            .into_response()
        }
    }
}

impl Shared {
    async fn ask(&self, method: &Method, path: &str, body: Bytes) -> (StatusCode, Vec<u8>) {
        let client = reqwest::Client::new();
        let url = format!("{}{path}", self.truth);
        let request = if method == Method::POST { client.post(url).body(body) } else { client.get(url) };
        let response = request.send().await.unwrap();
        (response.status(), response.bytes().await.unwrap().to_vec())
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.ask(&Method::GET, path, Bytes::new()).await.1).unwrap()
    }

    async fn bend(&self, lie: Lie, path: &str, status: StatusCode, truth: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let is_history = path.starts_with("/scripthash/");
        let is_proof = path.ends_with("/merkle-proof");
        let is_chain = path.starts_with("/block");
        match lie {
            Lie::Confirmed if is_history => {
                let tip = &self.json("/blocks").await[0];
                changed(truth, |tx| {
                    if tx["status"]["confirmed"] == json!(false) {
                        tx["status"] = json!({
                            "confirmed": true, "block_height": tip["height"],
                            "block_hash": tip["id"], "block_time": tip["timestamp"],
                        });
                    }
                })
            }
            Lie::Confirmed if is_proof && status == StatusCode::NOT_FOUND => {
                let height = self.json("/blocks").await[0]["height"].clone();
                let proof = json!({ "block_height": height, "merkle": ["11".repeat(32)], "pos": 1 });
                (StatusCode::OK, proof.to_string().into())
            }
            Lie::Amounts if is_history => changed(truth, pay_more),
            Lie::OtherTransactions if is_history => changed(truth, |tx| {
                if tx["status"]["confirmed"] == json!(false) {
                    return;
                }
                let real = tx["txid"].as_str().unwrap().to_owned();
                pay_more(tx);
                let made_up = txid_of(tx).to_string();
                tx["txid"] = json!(made_up);
                lock(&self.made_up).insert(made_up, real);
            }),
            Lie::OtherTransactions if is_proof => {
                let made_up = path.split('/').nth(2).unwrap();
                let real = lock(&self.made_up).get(made_up).cloned();
                let Some(real) = real else { return (status, truth) };
                self.ask(&Method::GET, &format!("/tx/{real}/merkle-proof"), Bytes::new()).await
            }
            Lie::Scripts if is_history => changed(truth, |tx| {
                tx["vout"][0]["scriptpubkey"] = json!(format!("0014{}", "22".repeat(20)));
            }),
            // Who does not believe a history asks for what it says in another way.
            Lie::Amounts | Lie::Scripts if path.ends_with("/raw") && status.is_success() => {
                let mut tx: Transaction = deserialize(&truth).unwrap();
                match lie {
                    Lie::Amounts => tx.output[0].value += Amount::ONE_SAT,
                    _ => tx.output[0].script_pubkey = ScriptBuf::from(vec![0x51; 22]),
                }
                (status, serialize(&tx))
            }
            Lie::Proofs if is_proof && status.is_success() => {
                let mut proof: Value = serde_json::from_slice(&truth).unwrap();
                if let Some(last) = proof["merkle"].as_array_mut().and_then(|branch| branch.last_mut()) {
                    *last = json!("11".repeat(32));
                }
                (status, proof.to_string().into())
            }
            Lie::NoWork if path == "/blocks" || path == "/blocks/tip/hash" => {
                let mut blocks = self.json("/blocks").await;
                let hash = take_work(&mut blocks[0]);
                let text = if path == "/blocks" { blocks.to_string() } else { hash.to_string() };
                (status, text.into())
            }
            Lie::Stale if is_chain || is_history => self.freeze(path, status, truth),
            Lie::StaleBlocks if path.starts_with("/blocks") => self.freeze(path, status, truth),
            Lie::OtherNetwork if is_chain => {
                let header = genesis_block(Network::Signet).header;
                let text = match path {
                    "/blocks" => json!([block_info(&header)]).to_string(),
                    _ => header.block_hash().to_string(),
                };
                (StatusCode::OK, text.into())
            }
            _ => (status, truth),
        }
    }

    fn freeze(&self, path: &str, status: StatusCode, truth: Vec<u8>) -> (StatusCode, Vec<u8>) {
        lock(&self.frozen).entry(path.to_owned()).or_insert((status, truth)).clone()
    }
}

/// Every transaction of a history, bent.
fn changed(truth: Vec<u8>, bend: impl FnMut(&mut Value)) -> (StatusCode, Vec<u8>) {
    let mut history: Value = serde_json::from_slice(&truth).unwrap();
    history.as_array_mut().unwrap().iter_mut().for_each(bend);
    (StatusCode::OK, history.to_string().into())
}

fn pay_more(tx: &mut Value) {
    for output in tx["vout"].as_array_mut().unwrap() {
        output["value"] = json!(output["value"].as_u64().unwrap() + 100_000_000);
    }
}

fn txid_of(tx: &Value) -> Txid {
    let tx: Tx = serde_json::from_value(tx.clone()).unwrap();
    tx.to_tx().compute_txid()
}

/// Changes a block so that it has a hash of its own and no proof of work.
fn take_work(block: &mut Value) -> BlockHash {
    let info: BlockInfo = serde_json::from_value(block.clone()).unwrap();
    let mut header = Header {
        version: info.version,
        prev_blockhash: info.previousblockhash.unwrap(),
        merkle_root: info.merkle_root,
        time: u32::try_from(info.timestamp).unwrap(),
        bits: info.bits,
        nonce: info.nonce,
    };
    while header.validate_pow(header.target()).is_ok() {
        header.nonce = header.nonce.wrapping_add(1);
    }
    (block["nonce"], block["id"]) = (json!(header.nonce), json!(header.block_hash()));
    header.block_hash()
}

fn block_info(header: &Header) -> Value {
    json!({
        "id": header.block_hash(), "height": 0, "version": header.version.to_consensus(),
        "timestamp": header.time, "tx_count": 1, "size": 285, "weight": 1140,
        "merkle_root": header.merkle_root, "previousblockhash": null, "mediantime": header.time,
        "nonce": header.nonce, "bits": header.bits.to_consensus(), "difficulty": 0.001,
    })
}
