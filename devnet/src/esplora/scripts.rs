//! Routes about scripts, by hash or address.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use bitcoin::{Address, Network, Txid};
use serde_json::{Value, json};

use super::answers::{Summary, Tx, Utxo, unspent};
use super::blocks::PAGE;
use super::{Explorer, Index, ScriptHash, script_hash};
use crate::http::HttpError;

/// Waiting transactions in front of the first page.
const MAX_WAITING: usize = 50;

type Shared = State<Arc<Explorer>>;

/// `/scripthash/{hash}` or `/address/{address}`.
type Named = Path<(String, String)>;
type NamedAfter = Path<(String, String, Txid)>;

pub fn router() -> Router<Arc<Explorer>> {
    Router::new()
        .route("/", get(summary))
        .route("/txs", get(history))
        .route("/txs/chain", get(confirmed))
        .route("/txs/chain/{last}", get(confirmed_after))
        .route("/txs/mempool", get(waiting))
        .route("/utxo", get(utxos))
}

fn script(kind: &str, name: &str) -> Result<ScriptHash, HttpError> {
    match kind {
        "scripthash" => ScriptHash::from_str(name)
            .map_err(|error| HttpError::BadRequest(format!("Invalid script hash: {error}"))),
        "address" => {
            let address =
                Address::from_str(name).and_then(|address| address.require_network(Network::Regtest));
            let address =
                address.map_err(|error| HttpError::BadRequest(format!("Invalid address: {error}")))?;
            Ok(script_hash(&address.script_pubkey()))
        }
        _ => Err(HttpError::NotFound("endpoint does not exist")),
    }
}

async fn summary(State(explorer): Shared, Path((kind, name)): Named) -> Result<Json<Value>, HttpError> {
    let script = script(&kind, &name)?;
    let index = explorer.index().await?;
    let mut answer = json!({
        "chain_stats": Summary::new(&index, &script, &index.confirmed(&script)),
        "mempool_stats": Summary::new(&index, &script, &index.waiting_for(&script)),
    });
    answer[kind] = json!(name);
    Ok(Json(answer))
}

fn waiting_txids(index: &Index, script: &ScriptHash) -> Vec<Txid> {
    index.waiting_for(script).into_iter().take(MAX_WAITING).collect()
}

async fn history(State(explorer): Shared, Path((kind, name)): Named) -> Result<Json<Vec<Tx>>, HttpError> {
    let script = script(&kind, &name)?;
    let index = explorer.index().await?;
    let mut txids = waiting_txids(&index, &script);
    txids.extend(index.confirmed(&script).into_iter().take(PAGE));
    Ok(Json(Tx::list(&index, &txids)))
}

async fn waiting(State(explorer): Shared, Path((kind, name)): Named) -> Result<Json<Vec<Tx>>, HttpError> {
    let script = script(&kind, &name)?;
    let index = explorer.index().await?;
    Ok(Json(Tx::list(&index, &waiting_txids(&index, &script))))
}

async fn confirmed(State(explorer): Shared, Path((kind, name)): Named) -> Result<Json<Vec<Tx>>, HttpError> {
    let script = script(&kind, &name)?;
    let index = explorer.index().await?;
    let page = index.confirmed(&script);
    Ok(Json(Tx::list(&index, page.iter().take(PAGE))))
}

async fn confirmed_after(
    State(explorer): Shared,
    Path((kind, name, last)): NamedAfter,
) -> Result<Json<Vec<Tx>>, HttpError> {
    let script = script(&kind, &name)?;
    let index = explorer.index().await?;
    let all = index.confirmed(&script);
    let older = all.iter().skip_while(|txid| **txid != last).skip(1);
    Ok(Json(Tx::list(&index, older.take(PAGE))))
}

async fn utxos(State(explorer): Shared, Path((kind, name)): Named) -> Result<Json<Vec<Utxo>>, HttpError> {
    let script = script(&kind, &name)?;
    let index = explorer.index().await?;
    let mut txids = index.confirmed(&script);
    txids.extend(index.waiting_for(&script));
    Ok(Json(unspent(&index, &script, &txids)))
}
