//! Routes about blocks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bitcoin::consensus::encode::{serialize, serialize_hex};
use bitcoin::{BlockHash, Txid};

use super::answers::{BlockInfo, BlockStatus, Tx};
use super::{Explorer, Index, IndexedBlock};
use crate::http::HttpError;

/// Blocks in a listing.
const LISTED: u32 = 10;
/// Transactions on a page.
pub const PAGE: usize = 25;

const NO_BLOCK: HttpError = HttpError::NotFound("Block not found");

type Shared = State<Arc<Explorer>>;

fn tip(index: &Index) -> Result<&Arc<IndexedBlock>, HttpError> {
    index.tip().ok_or(NO_BLOCK)
}

fn list(index: &Index, from: u32) -> Json<Vec<BlockInfo>> {
    let heights = (from.saturating_sub(LISTED - 1)..=from).rev();
    Json(heights.filter_map(|height| index.at_height(height)).map(|block| BlockInfo::new(block)).collect())
}

pub async fn newest(State(explorer): Shared) -> Result<Json<Vec<BlockInfo>>, HttpError> {
    let index = explorer.index().await?;
    Ok(list(&index, tip(&index)?.height))
}

pub async fn from_height(
    State(explorer): Shared,
    Path(height): Path<u32>,
) -> Result<Json<Vec<BlockInfo>>, HttpError> {
    Ok(list(&*explorer.index().await?, height))
}

pub async fn tip_hash(State(explorer): Shared) -> Result<String, HttpError> {
    Ok(tip(&*explorer.index().await?)?.hash.to_string())
}

pub async fn tip_height(State(explorer): Shared) -> Result<String, HttpError> {
    Ok(tip(&*explorer.index().await?)?.height.to_string())
}

pub async fn hash_at(State(explorer): Shared, Path(height): Path<u32>) -> Result<String, HttpError> {
    Ok(explorer.index().await?.at_height(height).ok_or(NO_BLOCK)?.hash.to_string())
}

async fn block(explorer: &Explorer, hash: BlockHash) -> Result<Arc<IndexedBlock>, HttpError> {
    explorer.index().await?.block(&hash).cloned().ok_or(NO_BLOCK)
}

pub async fn info(
    State(explorer): Shared,
    Path(hash): Path<BlockHash>,
) -> Result<Json<BlockInfo>, HttpError> {
    Ok(Json(BlockInfo::new(&*block(&explorer, hash).await?)))
}

pub async fn header(State(explorer): Shared, Path(hash): Path<BlockHash>) -> Result<String, HttpError> {
    Ok(serialize_hex(block(&explorer, hash).await?.header()))
}

pub async fn status(
    State(explorer): Shared,
    Path(hash): Path<BlockHash>,
) -> Result<Json<BlockStatus>, HttpError> {
    let index = explorer.index().await?;
    Ok(Json(BlockStatus::new(&index, index.block(&hash).ok_or(NO_BLOCK)?)))
}

pub async fn raw(State(explorer): Shared, Path(hash): Path<BlockHash>) -> Result<Vec<u8>, HttpError> {
    Ok(serialize(&block(&explorer, hash).await?.block))
}

pub async fn txids(
    State(explorer): Shared,
    Path(hash): Path<BlockHash>,
) -> Result<Json<Vec<Txid>>, HttpError> {
    Ok(Json(block(&explorer, hash).await?.txids.clone()))
}

pub async fn txid(
    State(explorer): Shared,
    Path((hash, position)): Path<(BlockHash, usize)>,
) -> Result<String, HttpError> {
    let block = block(&explorer, hash).await?;
    let txid = block.txids.get(position).ok_or(HttpError::NotFound("tx index out of range"))?;
    Ok(txid.to_string())
}

pub async fn transactions(explorer: Shared, Path(hash): Path<BlockHash>) -> Result<Json<Vec<Tx>>, HttpError> {
    transactions_from(explorer, Path((hash, 0))).await
}

pub async fn transactions_from(
    State(explorer): Shared,
    Path((hash, start)): Path<(BlockHash, usize)>,
) -> Result<Json<Vec<Tx>>, HttpError> {
    let index = explorer.index().await?;
    let block = index.block(&hash).ok_or(NO_BLOCK)?;
    if start % PAGE != 0 {
        return Err(HttpError::BadRequest(format!("start index must be a multiple of {PAGE}")));
    }
    let page = block.txids.iter().skip(start).take(PAGE);
    Ok(Json(Tx::list(&index, page)))
}
