//! The Esplora REST API over any chain source.

mod answers;
mod blocks;
mod explorer;
mod index;
mod scripts;
mod transactions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use explorer::Explorer;
pub use index::{Index, IndexedBlock, Located, Place, ScriptHash, Spender, script_hash};

/// All routes of the API, at the root.
pub fn router(explorer: Arc<Explorer>) -> Router {
    Router::new()
        .route("/blocks", get(blocks::newest))
        .route("/blocks/{height}", get(blocks::from_height))
        .route("/blocks/tip/hash", get(blocks::tip_hash))
        .route("/blocks/tip/height", get(blocks::tip_height))
        .route("/block-height/{height}", get(blocks::hash_at))
        .route("/block/{hash}", get(blocks::info))
        .route("/block/{hash}/header", get(blocks::header))
        .route("/block/{hash}/status", get(blocks::status))
        .route("/block/{hash}/raw", get(blocks::raw))
        .route("/block/{hash}/txids", get(blocks::txids))
        .route("/block/{hash}/txid/{position}", get(blocks::txid))
        .route("/block/{hash}/txs", get(blocks::transactions))
        .route("/block/{hash}/txs/{start}", get(blocks::transactions_from))
        .route("/tx", post(transactions::broadcast))
        .route("/txs/package", post(transactions::broadcast_package))
        .route("/tx/{txid}", get(transactions::info))
        .route("/tx/{txid}/raw", get(transactions::raw))
        .route("/tx/{txid}/hex", get(transactions::hex))
        .route("/tx/{txid}/status", get(transactions::status))
        .route("/tx/{txid}/merkle-proof", get(transactions::merkle_proof))
        .route("/tx/{txid}/merkleblock-proof", get(transactions::merkle_block))
        .route("/tx/{txid}/outspend/{vout}", get(transactions::outspend))
        .route("/tx/{txid}/outspends", get(transactions::outspends))
        .route("/mempool", get(transactions::mempool))
        .route("/mempool/txids", get(transactions::mempool_txids))
        .route("/mempool/recent", get(transactions::mempool_recent))
        .route("/fee-estimates", get(transactions::fee_estimates))
        .nest("/{kind}/{name}", scripts::router())
        .with_state(explorer)
}
