//! The source that speaks JSON-RPC, against a stand-in for `bitcoind` that answers from the embedded chain.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Address, Amount, BlockHash, Network, Transaction, TxOut, Txid};
use kite_devnet::chain::Displaced;
use kite_devnet::http::Server;
use kite_devnet::source::{Bitcoind, ChainSource, Embedded, SourceError};
use serde_json::{Value, json};

use crate::judge::judge;
use crate::{address, paying, serve};

type Outcome = Result<Value, (i64, String)>;

async fn answer(
    State(chain): State<Arc<Embedded>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Json<Value> {
    // "user:secret"
    assert_eq!(headers["authorization"], "Basic dXNlcjpzZWNyZXQ=");
    let outcome = call(&chain, request["method"].as_str().unwrap(), &request["params"]).await;
    Json(match outcome {
        Ok(result) => json!({ "result": result, "error": null }),
        Err((code, message)) => json!({ "result": null, "error": { "code": code, "message": message } }),
    })
}

async fn call(chain: &Embedded, method: &str, params: &Value) -> Outcome {
    let missing = |what: &str| (-5, what.to_owned());
    let text = |index: usize| params[index].as_str().unwrap().to_owned();
    Ok(match method {
        "getblockchaininfo" => {
            let tip = chain.tip().await.unwrap();
            json!({ "chain": "regtest", "blocks": tip.height, "bestblockhash": tip.hash })
        }
        "listwallets" => json!([]),
        "loadwallet" => return Err((-18, "no such wallet".to_owned())),
        "createwallet" => json!({}),
        "getbalance" => json!(if chain.chain().height() > 100 { 500.0 } else { 0.0 }),
        "getnewaddress" => json!(address(1).to_string()),
        "generatetoaddress" => {
            json!(chain.mine(u32::try_from(params[0].as_u64().unwrap()).unwrap()).await.unwrap())
        }
        "generateblock" => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            json!({ "hash": chain.chain().mine_empty(u32::try_from(now).unwrap()).unwrap() })
        }
        "invalidateblock" => {
            let hash: BlockHash = text(0).parse().unwrap();
            let mut chain = chain.chain();
            let height = (0..=chain.height()).find(|height| chain.block_hash(*height) == Some(hash)).unwrap();
            let depth = chain.height() + 1 - height;
            chain.invalidate(depth, Displaced::Waiting).unwrap();
            Value::Null
        }
        "getblockhash" => {
            let height = u32::try_from(params[0].as_u64().unwrap()).unwrap();
            json!(chain.chain().block_hash(height).ok_or((-8, "Block height out of range".to_owned()))?)
        }
        "getblock" => {
            let hash: BlockHash = text(0).parse().unwrap();
            json!(serialize_hex(chain.chain().block(&hash).ok_or(missing("Block not found"))?))
        }
        "getrawmempool" => {
            // A node gives them in any order.
            let mut txids = chain.mempool().await.unwrap();
            txids.reverse();
            json!(txids)
        }
        "getrawtransaction" => {
            let txid: Txid = text(0).parse().unwrap();
            let transaction =
                chain.waiting(txid).await.unwrap().ok_or(missing("No such mempool transaction"))?;
            json!(serialize_hex(&transaction))
        }
        "sendrawtransaction" => {
            let transaction: Transaction = deserialize_hex(&text(0)).unwrap();
            let accepted = chain.chain().accept(transaction);
            json!(accepted.map_err(|refusal| (refusal.code(), refusal.to_string()))?)
        }
        "estimatesmartfee" => json!({ "feerate": 0.00002, "blocks": params[0] }),
        "sendmany" => {
            let outputs = params["amounts"].as_object().unwrap().iter().map(|(to, amount)| {
                let to: Address<_> = to.parse().unwrap();
                let amount = amount.as_str().unwrap();
                let value = Amount::from_str_in(amount, bitcoin::Denomination::Bitcoin).unwrap();
                TxOut { value, script_pubkey: to.require_network(Network::Regtest).unwrap().script_pubkey() }
            });
            json!(chain.fund(outputs.collect()).await.unwrap())
        }
        _ => return Err((-32601, "Method not found".to_owned())),
    })
}

async fn node() -> (Arc<Embedded>, Server, Arc<Bitcoind>) {
    let chain = Arc::new(Embedded::new());
    let router = Router::new().route("/", post(answer)).route("/wallet/kite-devnet", post(answer));
    let server = Server::start(router.with_state(chain.clone()), 0).await.unwrap();
    let url = format!("http://user:secret@{}", server.address()).parse().unwrap();
    (chain, server, Arc::new(Bitcoind::new(url).unwrap()))
}

#[tokio::test]
async fn the_api_is_the_same_over_json_rpc() {
    let (chain, _node, source) = node().await;
    source.prepare().await.unwrap();
    let (_server, client) = serve(source.clone()).await;
    assert_eq!(client.get_height().await.unwrap(), 110);
    let to = address(2);
    let first = source.fund(vec![paying(&to, 40_000), paying(&address(3), 30_000)]).await.unwrap();
    let second = source.fund(vec![paying(&to, 50_000)]).await.unwrap();
    let waiting = client.get_mempool_address_txs(&to).await.unwrap();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|tx| [first, second].contains(&tx.txid)));
    let transaction = client.get_tx(&first).await.unwrap().unwrap();
    client.broadcast(&transaction).await.unwrap();
    source.mine(2).await.unwrap();
    assert_eq!(client.get_address_stats(&to).await.unwrap().chain_stats.funded_txo_sum, 90_000);
    let error = client.broadcast(&transaction).await.unwrap_err().to_string();
    assert!(error.contains("-27"), "{error}");
    source.reorg(2, Displaced::Waiting).await.unwrap();
    assert_eq!(client.get_height().await.unwrap(), 113);
    assert!(!client.get_tx_status(&first).await.unwrap().confirmed);
    source.reorg(1, Displaced::Mined).await.unwrap();
    assert!(client.get_tx_status(&first).await.unwrap().confirmed);
    assert_eq!(client.get_fee_estimates().await.unwrap()[&6], 2.0);

    // What the stand-in mined past the source, too.
    let chain = chain.chain();
    let best = (1..=chain.height()).filter_map(|height| chain.block(&chain.block_hash(height)?));
    judge().judge(&best.collect::<Vec<_>>());
}

#[tokio::test]
async fn errors_of_the_node_keep_their_words() {
    let (_chain, node, source) = node().await;
    source.prepare().await.unwrap();
    let forgotten = source.reorg(1, Displaced::Forgotten).await.unwrap_err();
    assert!(matches!(forgotten, SourceError::Unsupported(_)));
    let package = source.broadcast_package(vec![]).await.unwrap();
    assert!(package.is_empty());
    drop(node);
    // The listener is gone at the latest when its task has been polled again.
    tokio::task::yield_now().await;
    let gone = source.tip().await;
    assert!(matches!(gone, Err(SourceError::Unreachable(_) | SourceError::Answer { .. })), "{gone:?}");
}
