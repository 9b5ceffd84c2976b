//! Routes that give money and drive the chain.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::post;
use axum::{Json, Router};
use bitcoin::{Address, Amount, Network, TxOut, Txid};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use crate::chain::Displaced;
use crate::http::HttpError;

/// Most that one call gives.
const MAX_GIFT: Amount = Amount::from_int_btc(100);

/// Most blocks of one call.
const MAX_BLOCKS: u32 = 10_000;

#[derive(Debug, Deserialize)]
struct Gift {
    address: String,
    sats: u64,
}

#[derive(Debug, Deserialize)]
struct Awaited {
    txid: Txid,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fate {
    #[default]
    Mined,
    Waiting,
    Forgotten,
}

#[derive(Debug, Deserialize)]
struct ReorgTerms {
    #[serde(default)]
    displaced: Fate,
}

type Answer = Result<Json<Value>, HttpError>;

/// `/faucet` and `/regtest/…`.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/faucet", post(give_json))
        .route("/regtest/mine/{count}", post(mine))
        .route("/regtest/confirm/{count}", post(confirm))
        .route("/regtest/fund/{address}/{sats}", post(give_path))
        .route("/regtest/reorg/{depth}", post(reorg))
        .with_state(shared)
}

async fn give_json(State(shared): State<Arc<Shared>>, Json(gift): Json<Gift>) -> Answer {
    give(&shared, gift).await
}

async fn give_path(State(shared): State<Arc<Shared>>, Path((address, sats)): Path<(String, u64)>) -> Answer {
    give(&shared, Gift { address, sats }).await
}

async fn give(shared: &Shared, gift: Gift) -> Answer {
    let address =
        Address::from_str(&gift.address).and_then(|address| address.require_network(Network::Regtest));
    let address = address.map_err(|error| HttpError::BadRequest(format!("address: {error}")))?;
    let value = Amount::from_sat(gift.sats);
    if value > MAX_GIFT {
        return Err(HttpError::BadRequest(format!("the faucet gives at most {MAX_GIFT} at once")));
    }
    let output = TxOut { value, script_pubkey: address.script_pubkey() };
    let txid = shared.explorer.source().fund(vec![output]).await?;
    Ok(Json(json!({ "txid": txid })))
}

fn bounded(count: u32) -> Result<u32, HttpError> {
    if count > MAX_BLOCKS {
        return Err(HttpError::BadRequest(format!("at most {MAX_BLOCKS} blocks at once")));
    }
    Ok(count)
}

async fn mine(State(shared): State<Arc<Shared>>, Path(count): Path<u32>) -> Answer {
    let hashes = shared.explorer.source().mine(bounded(count)?).await?;
    shared.settle().await?;
    Ok(Json(json!({ "blocks": hashes })))
}

/// Mines once this transaction waits for a block; refused before.
async fn confirm(
    State(shared): State<Arc<Shared>>,
    Path(count): Path<u32>,
    Json(Awaited { txid }): Json<Awaited>,
) -> Answer {
    if shared.explorer.source().waiting(txid).await?.is_none() {
        return Err(HttpError::BadRequest(format!("{txid} does not wait for a block")));
    }
    mine(State(shared), Path(count)).await
}

async fn reorg(
    State(shared): State<Arc<Shared>>,
    Path(depth): Path<u32>,
    Query(terms): Query<ReorgTerms>,
) -> Answer {
    let displaced = match terms.displaced {
        Fate::Mined => Displaced::Mined,
        Fate::Waiting => Displaced::Waiting,
        Fate::Forgotten => Displaced::Forgotten,
    };
    let hashes = shared.explorer.source().reorg(bounded(depth)?, displaced).await?;
    shared.settle().await?;
    Ok(Json(json!({ "blocks": hashes })))
}
