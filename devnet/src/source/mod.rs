//! Where blocks and transactions come from: the embedded chain or a `bitcoind`.

mod bitcoind;
mod embedded;

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use bitcoin::{Block, BlockHash, Transaction, TxOut, Txid, Wtxid};

use crate::chain::{ChainError, Displaced, Refusal};

pub use bitcoind::Bitcoind;
pub use embedded::{Embedded, Judge};

/// What became of each transaction of a package.
pub type PackageResults = Vec<(Wtxid, Result<Txid, Refusal>)>;

/// The last block of the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: u32,
    /// Its hash.
    pub hash: BlockHash,
}

/// Why a chain source doesn't answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The embedded chain can't do it.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The node can't be reached or speaks no JSON-RPC.
    #[error("no answer from bitcoind: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The node answered with an error.
    #[error("bitcoind refuses {method}: {message} ({code})")]
    Rpc {
        /// What was called.
        method: &'static str,
        /// The node's error code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The node's answer has another shape than expected.
    #[error("bitcoind's answer to {method} makes no sense: {detail}")]
    Answer {
        /// What was called.
        method: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Asked for what this source can't do.
    #[error("not possible with bitcoind: {0}")]
    Unsupported(&'static str),
}

/// A regtest chain that can be read, sent to and driven.
#[async_trait]
pub trait ChainSource: Debug + Send + Sync {
    /// Makes sure that [`ChainSource::fund`] has mature coins to spend.
    async fn prepare(&self) -> Result<(), SourceError>;

    /// The tip of the best chain.
    async fn tip(&self) -> Result<Tip, SourceError>;

    /// Hash of the best chain's block at `height`; unset above the tip.
    async fn block_hash(&self, height: u32) -> Result<Option<BlockHash>, SourceError>;

    /// A block of the best chain; unset when it is unknown.
    async fn block(&self, hash: BlockHash) -> Result<Option<Block>, SourceError>;

    /// Ids of the waiting transactions.
    async fn mempool(&self) -> Result<Vec<Txid>, SourceError>;

    /// A waiting transaction; unset when it waits no longer.
    async fn waiting(&self, txid: Txid) -> Result<Option<Transaction>, SourceError>;

    /// Sends a transaction.
    async fn broadcast(&self, transaction: Transaction) -> Result<Result<Txid, Refusal>, SourceError>;

    /// Sends a package, parents first.
    async fn broadcast_package(&self, package: Vec<Transaction>) -> Result<PackageResults, SourceError>;

    /// Fee rates in sat/vB by confirmation target in blocks; empty when unknown.
    async fn fee_estimates(&self) -> Result<BTreeMap<u16, f64>, SourceError>;

    /// Mines `count` blocks.
    async fn mine(&self, count: u32) -> Result<Vec<BlockHash>, SourceError>;

    /// Pays the outputs with one transaction, which then waits.
    async fn fund(&self, outputs: Vec<TxOut>) -> Result<Txid, SourceError>;

    /// Replaces the last `depth` blocks by `depth + 1` others.
    async fn reorg(&self, depth: u32, displaced: Displaced) -> Result<Vec<BlockHash>, SourceError>;
}

/// Confirmation targets that an Esplora server answers for.
pub(crate) fn fee_targets() -> impl Iterator<Item = u16> {
    (1..=25).chain([144, 504, 1008])
}
