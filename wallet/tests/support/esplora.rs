//! An Esplora server over a [`World`], which misbehaves on request.

use super::world::World;
use bitcoin::consensus::encode::{deserialize_hex, serialize};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{OutPoint, Transaction, TxIn, TxOut, Txid};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does instead of answering.
#[derive(Clone)]
pub enum Fault {
    /// Nothing, for ever.
    Hang,
    /// Headers, then nothing.
    HangInBody,
    /// This body with status 200.
    Body(Vec<u8>),
    /// This status and text.
    Status(u16, &'static str),
    /// A length that it does not have to send.
    AnnounceHuge,
    /// Bytes without end.
    Endless,
    /// The connection closes.
    Close,
    /// Not HTTP.
    NotHttp,
}

#[derive(Clone)]
pub struct Esplora {
    pub url: String,
    pub world: Arc<Mutex<World>>,
    pub faults: Arc<Mutex<Vec<(String, Fault)>>>,
    pub requests: Arc<Mutex<Vec<String>>>,
    pub published: Arc<Mutex<Vec<Txid>>>,
    /// Whether it has the route for packages.
    pub packages: Arc<Mutex<bool>>,
}

impl Esplora {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            world: Arc::new(Mutex::new(World::new())),
            faults: Arc::default(),
            requests: Arc::default(),
            published: Arc::default(),
            packages: Arc::new(Mutex::new(true)),
        };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        server
    }

    /// From now on everything under `prefix` fails like this.
    pub fn fail(&self, prefix: &str, fault: Fault) {
        self.faults.lock().unwrap().insert(0, (prefix.into(), fault));
    }

    pub fn behave(&self) {
        self.faults.lock().unwrap().clear();
    }

    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    async fn serve(self, mut stream: TcpStream) -> Option<()> {
        let mut buffer = Vec::new();
        loop {
            let (head, body) = request(&mut stream, &mut buffer).await?;
            let mut words = head.split(' ');
            let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
            self.requests.lock().unwrap().push(path.clone());
            let fault =
                self.faults.lock().unwrap().iter().find(|(prefix, _)| path.starts_with(prefix)).cloned();
            let (status, body) = match fault {
                None => self.answer(&method, &path, &body),
                Some((_, Fault::Body(body))) => (200, body),
                Some((_, Fault::Status(status, text))) => (status, text.into()),
                Some((_, Fault::Close)) => return None,
                Some((_, Fault::Hang)) => {
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                    return None;
                }
                Some((_, Fault::HangInBody)) => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await.ok()?;
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                    return None;
                }
                Some((_, Fault::AnnounceHuge)) => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await.ok()?;
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                    return None;
                }
                Some((_, Fault::Endless)) => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
                    while stream.write_all(&[b'7'; 65_536]).await.is_ok() {}
                    return None;
                }
                Some((_, Fault::NotHttp)) => {
                    stream.write_all(&[0xff; 64]).await.ok()?;
                    return None;
                }
            };
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(&body).await.ok()?;
        }
    }

    fn answer(&self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let found = match method {
            "POST" => return self.publish(path, body),
            _ => self.find(path),
        };
        found.map_or((404, b"not found".to_vec()), |body| (200, body))
    }

    fn publish(&self, path: &str, body: &str) -> (u16, Vec<u8>) {
        let mut world = self.world.lock().unwrap();
        let package: Vec<String> = match path {
            "/tx" => vec![body.into()],
            "/txs/package" if *self.packages.lock().unwrap() => serde_json::from_str(body).unwrap(),
            _ => return (404, b"no such route".to_vec()),
        };
        for hex in package {
            let tx: Transaction = deserialize_hex(&hex).unwrap();
            let txid = tx.compute_txid();
            if world.tx(txid).is_some() {
                return (400, b"sendrawtransaction RPC error: Transaction already in block chain".to_vec());
            }
            if tx.output[0].value.to_sat() < 330 {
                return (400, b"sendrawtransaction RPC error: dust".to_vec());
            }
            self.published.lock().unwrap().push(txid);
            world.mempool.push(tx);
        }
        match path {
            "/tx" => (200, b"ok".to_vec()),
            _ => (200, br#"{"package_msg":"success","tx-results":{}}"#.to_vec()),
        }
    }

    fn find(&self, path: &str) -> Option<Vec<u8>> {
        let world = self.world.lock().unwrap();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let text = |text: String| Some(text.into_bytes());
        match parts[..] {
            ["blocks", "tip", "hash"] => text(world.tip().to_string()),
            ["blocks"] => text(blocks(&world, world.blocks.len() - 1).to_string()),
            ["blocks", height] => text(blocks(&world, height.parse().ok()?).to_string()),
            ["block-height", height] => {
                text(world.blocks.get(height.parse::<usize>().ok()?)?.header.block_hash().to_string())
            }
            ["block", hash, "txid", index] => {
                let block = &world.blocks[world.height_of(hash)?];
                text(block.txs.get(index.parse::<usize>().ok()?)?.compute_txid().to_string())
            }
            ["tx", txid, "raw"] => Some(serialize(world.tx(txid.parse().ok()?)?)),
            ["tx", txid, "merkle-proof"] => {
                let (height, pos) = world.place(txid.parse().ok()?)?;
                let merkle: Vec<String> = world
                    .merkle_branch(height, pos)
                    .into_iter()
                    .map(|node| Txid::from_byte_array(node).to_string())
                    .collect();
                text(json!({ "block_height": height, "merkle": merkle, "pos": pos }).to_string())
            }
            ["tx", txid, "status"] => text(status(&world, txid.parse().ok()?).to_string()),
            ["tx", txid, "outspend", vout] => {
                let outpoint = OutPoint { txid: txid.parse().ok()?, vout: vout.parse().ok()? };
                let spender = world.spender(outpoint).map(Transaction::compute_txid);
                let spend = spender.map_or(json!({ "spent": false }), |txid| {
                    let status = status(&world, txid);
                    json!({ "spent": true, "txid": txid.to_string(), "vin": 0, "status": status })
                });
                text(spend.to_string())
            }
            ["scripthash", hash, "txs"] => text(history(&world, hash, None).to_string()),
            ["scripthash", hash, "txs", "chain", last] => {
                text(history(&world, hash, Some(last.parse().ok()?)).to_string())
            }
            ["fee-estimates"] => text(r#"{"1":20.5,"6":8.0,"144":2.0,"1008":1.0}"#.into()),
            _ => None,
        }
    }
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        let text = String::from_utf8_lossy(buffer).into_owned();
        if let Some((head, rest)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())
                .unwrap_or(0);
            if rest.len() >= length {
                let body = rest[..length].to_owned();
                buffer.drain(..head.len() + 4 + length);
                return Some((head.to_owned(), body));
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn blocks(world: &World, from: usize) -> Value {
    let from = from.min(world.blocks.len() - 1);
    (from.saturating_sub(9)..=from)
        .rev()
        .map(|height| {
            let header = world.blocks[height].header;
            json!({
                "id": header.block_hash().to_string(),
                "height": height,
                "version": header.version.to_consensus(),
                "timestamp": header.time,
                "tx_count": 1, "size": 1, "weight": 4,
                "merkle_root": header.merkle_root.to_string(),
                "previousblockhash": (height > 0).then(|| header.prev_blockhash.to_string()),
                "mediantime": header.time,
                "nonce": header.nonce,
                "bits": header.bits.to_consensus(),
                "difficulty": 0.0,
            })
        })
        .collect()
}

fn history(world: &World, hash: &str, after: Option<Txid>) -> Value {
    let is_it = |output: &TxOut| sha256::Hash::hash(output.script_pubkey.as_bytes()).to_string() == hash;
    let ours = |tx: &&Transaction| {
        let spends = |input: &TxIn| {
            let spent = world.tx(input.previous_output.txid);
            spent.is_some_and(|tx| tx.output.get(input.previous_output.vout as usize).is_some_and(is_it))
        };
        tx.output.iter().any(is_it) || tx.input.iter().any(spends)
    };
    let mined: Vec<&Transaction> =
        world.blocks.iter().rev().flat_map(|block| block.txs.iter().filter(ours)).collect();
    let start = after.map_or(0, |after| {
        mined.iter().position(|tx| tx.compute_txid() == after).map_or(mined.len(), |at| at + 1)
    });
    let waiting = world.mempool.iter().filter(|tx| after.is_none() && ours(tx));
    waiting.chain(mined[start..].iter().take(25).copied()).map(|tx| transaction(world, tx)).collect()
}

fn status(world: &World, txid: Txid) -> Value {
    let Some((height, _)) = world.place(txid) else { return json!({ "confirmed": false }) };
    let header = world.blocks[height].header;
    json!({
        "confirmed": true, "block_height": height,
        "block_hash": header.block_hash().to_string(), "block_time": header.time,
    })
}

fn transaction(world: &World, tx: &Transaction) -> Value {
    let inputs: Value = tx
        .input
        .iter()
        .map(|input| {
            let witness: Vec<String> = input.witness.iter().map(hex).collect();
            json!({
                "txid": input.previous_output.txid.to_string(), "vout": input.previous_output.vout,
                "prevout": null, "scriptsig": hex(input.script_sig.as_bytes()), "witness": witness,
                "sequence": input.sequence.0, "is_coinbase": tx.is_coinbase(),
            })
        })
        .collect();
    let outputs: Value = tx
        .output
        .iter()
        .map(|output| json!({ "value": output.value.to_sat(), "scriptpubkey": output.script_pubkey.to_hex_string() }))
        .collect();
    let (txid, version) = (tx.compute_txid(), tx.version.0 as u32);
    json!({
        "txid": txid.to_string(), "version": version, "locktime": tx.lock_time.to_consensus_u32(),
        "vin": inputs, "vout": outputs, "size": 1, "weight": 4, "fee": 1, "status": status(world, txid),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
