//! Routes about transactions, the mempool and fees.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bitcoin::consensus::encode::{deserialize_hex, serialize, serialize_hex};
use bitcoin::{MerkleBlock, OutPoint, Transaction, Txid};
use serde_json::{Value, json};

use super::answers::{MerkleProof, OutputStatus, Status, Tx};
use super::{Explorer, Index, IndexedBlock, Place};
use crate::chain::Refusal;
use crate::http::HttpError;

/// Transactions in the list of recent ones.
const RECENT: usize = 10;

/// Most transactions of a package, as in Bitcoin Core.
const MAX_PACKAGE: usize = 25;

const NO_TRANSACTION: HttpError = HttpError::NotFound("Transaction not found");

type Shared = State<Arc<Explorer>>;

fn known<'a>(index: &'a Index, txid: &Txid) -> Result<&'a Transaction, HttpError> {
    index.transaction(txid).map(|located| &*located.transaction).ok_or(NO_TRANSACTION)
}

pub async fn info(State(explorer): Shared, Path(txid): Path<Txid>) -> Result<Json<Tx>, HttpError> {
    Tx::new(&*explorer.index().await?, &txid).map(Json).ok_or(NO_TRANSACTION)
}

pub async fn raw(State(explorer): Shared, Path(txid): Path<Txid>) -> Result<Vec<u8>, HttpError> {
    Ok(serialize(known(&*explorer.index().await?, &txid)?))
}

pub async fn hex(State(explorer): Shared, Path(txid): Path<Txid>) -> Result<String, HttpError> {
    Ok(serialize_hex(known(&*explorer.index().await?, &txid)?))
}

pub async fn status(State(explorer): Shared, Path(txid): Path<Txid>) -> Result<Json<Status>, HttpError> {
    let index = explorer.index().await?;
    known(&index, &txid)?;
    Ok(Json(Status::new(&index, &txid)))
}

/// The block of a confirmed transaction and its place there.
fn confirmed<'a>(index: &'a Index, txid: &Txid) -> Result<(&'a Arc<IndexedBlock>, Place), HttpError> {
    let unconfirmed = HttpError::NotFound("Transaction not found or is unconfirmed");
    let place = index.transaction(txid).and_then(|located| located.place);
    place.and_then(|place| Some((index.at_height(place.height)?, place))).ok_or(unconfirmed)
}

pub async fn merkle_proof(
    State(explorer): Shared,
    Path(txid): Path<Txid>,
) -> Result<Json<MerkleProof>, HttpError> {
    let index = explorer.index().await?;
    let (block, place) = confirmed(&index, &txid)?;
    MerkleProof::new(block, place).map(Json).ok_or(NO_TRANSACTION)
}

pub async fn merkle_block(State(explorer): Shared, Path(txid): Path<Txid>) -> Result<String, HttpError> {
    let index = explorer.index().await?;
    let (block, _) = confirmed(&index, &txid)?;
    let proof = MerkleBlock::from_header_txids_with_predicate(block.header(), &block.txids, |id| *id == txid);
    Ok(serialize_hex(&proof))
}

pub async fn outspend(
    State(explorer): Shared,
    Path((txid, vout)): Path<(Txid, u32)>,
) -> Result<Json<OutputStatus>, HttpError> {
    let index = explorer.index().await?;
    let outpoint = OutPoint { txid, vout };
    index.output(&outpoint).ok_or(HttpError::NotFound("Output not found"))?;
    Ok(Json(OutputStatus::new(&index, &outpoint)))
}

pub async fn outspends(
    State(explorer): Shared,
    Path(txid): Path<Txid>,
) -> Result<Json<Vec<OutputStatus>>, HttpError> {
    let index = explorer.index().await?;
    let outputs = (0u32..).zip(&known(&index, &txid)?.output);
    Ok(Json(outputs.map(|(vout, _)| OutputStatus::new(&index, &OutPoint { txid, vout })).collect()))
}

fn decode(hex: &str) -> Result<Transaction, HttpError> {
    let refused = |_| {
        rpc_error("sendrawtransaction", -22, "TX decode failed. Make sure the tx has at least one input.")
    };
    deserialize_hex(hex.trim()).map_err(refused)
}

/// The text real Esplora servers give when their node refuses.
fn rpc_error(method: &str, code: i64, message: &str) -> HttpError {
    HttpError::BadRequest(format!("{method} RPC error: {}", json!({ "code": code, "message": message })))
}

pub async fn broadcast(State(explorer): Shared, body: String) -> Result<String, HttpError> {
    let refused = |refusal: Refusal| rpc_error("sendrawtransaction", refusal.code(), &refusal.to_string());
    let txid = explorer.source().broadcast(decode(&body)?).await?.map_err(refused)?;
    Ok(txid.to_string())
}

pub async fn broadcast_package(State(explorer): Shared, body: String) -> Result<Json<Value>, HttpError> {
    let hexes: Vec<String> =
        serde_json::from_str(&body).map_err(|error| HttpError::BadRequest(error.to_string()))?;
    if hexes.is_empty() || hexes.len() > MAX_PACKAGE {
        return Err(rpc_error("submitpackage", -8, "Array must contain between 1 and 25 transactions."));
    }
    let package = hexes.iter().map(|hex| decode(hex)).collect::<Result<Vec<_>, _>>()?;
    let results = explorer.source().broadcast_package(package.clone()).await?;
    let success = results.iter().all(|(_, result)| result.is_ok());
    let index = explorer.index().await?;
    let mut answers = BTreeMap::new();
    for (transaction, (wtxid, result)) in package.iter().zip(results) {
        let mut answer = json!({ "txid": transaction.compute_txid() });
        match result {
            Ok(_) => {
                answer["vsize"] = json!(transaction.vsize());
                let fee = bitcoin::Amount::from_sat(index.fee_sat(transaction).unwrap_or_default());
                answer["fees"] = json!({ "base": fee.to_btc() });
            }
            Err(refusal) => answer["error"] = json!(refusal.to_string()),
        }
        answers.insert(wtxid.to_string(), answer);
    }
    let message = if success { "success" } else { "transaction failed" };
    Ok(Json(json!({ "package_msg": message, "tx-results": answers, "replaced-transactions": [] })))
}

pub async fn mempool(State(explorer): Shared) -> Result<Json<Value>, HttpError> {
    let index = explorer.index().await?;
    let (mut vsize, mut total_fee, mut rates) = (0, 0, Vec::new());
    for transaction in
        index.waiting().iter().filter_map(|txid| index.transaction(txid)).map(|l| &l.transaction)
    {
        let fee = index.fee_sat(transaction).unwrap_or_default();
        let size = transaction.vsize();
        vsize += size;
        total_fee += fee;
        // Far under 2^52, so exact as a float.
        rates.push((fee as f64 / size as f64, size));
    }
    rates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let count = index.waiting().len();
    Ok(Json(json!({ "count": count, "vsize": vsize, "total_fee": total_fee, "fee_histogram": rates })))
}

pub async fn mempool_txids(State(explorer): Shared) -> Result<Json<Vec<Txid>>, HttpError> {
    Ok(Json(explorer.index().await?.waiting().to_vec()))
}

pub async fn mempool_recent(State(explorer): Shared) -> Result<Json<Vec<Value>>, HttpError> {
    let index = explorer.index().await?;
    let recent = index.waiting().iter().rev().take(RECENT).filter_map(|txid| {
        let transaction = &index.transaction(txid)?.transaction;
        let value: u64 = transaction.output.iter().map(|output| output.value.to_sat()).sum();
        let fee = index.fee_sat(transaction)?;
        Some(json!({ "txid": txid, "fee": fee, "vsize": transaction.vsize(), "value": value }))
    });
    Ok(Json(recent.collect()))
}

pub async fn fee_estimates(State(explorer): Shared) -> Result<Json<BTreeMap<u16, f64>>, HttpError> {
    Ok(Json(explorer.source().fee_estimates().await?))
}
