//! The embedded chain as a source.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bitcoin::{Block, BlockHash, Transaction, TxOut, Txid};

use super::{ChainSource, PackageResults, SourceError, Tip, fee_targets};
use crate::chain::{COINBASE_MATURITY, Chain, Displaced, Refusal};

/// Blocks at the start: ten mature coinbases, 500 bitcoin.
const FIRST_BLOCKS: u32 = COINBASE_MATURITY + 10;

/// Is shown every block of the chain before anybody else sees it.
pub trait Judge: Debug + Send + Sync {
    /// Says what it thinks, by a panic, of the blocks that one call made: in their order, the last one is the new tip.
    fn judge(&self, blocks: &[&Block]);
}

/// The embedded chain, on this machine's clock.
#[derive(Debug)]
pub struct Embedded {
    chain: Mutex<Chain>,
    judge: Option<Arc<dyn Judge>>,
    fee_estimates: Mutex<BTreeMap<u16, f64>>,
}

impl Default for Embedded {
    fn default() -> Self {
        Self::new()
    }
}

impl Embedded {
    /// A chain that has only the genesis block.
    pub fn new() -> Self {
        Self { chain: Mutex::new(Chain::new()), judge: None, fee_estimates: Mutex::new(calm_fee_estimates()) }
    }

    /// The same with a judge.
    #[must_use]
    pub fn judged_by(mut self, judge: Arc<dyn Judge>) -> Self {
        self.judge = Some(judge);
        self
    }

    /// The chain itself, locked: for what the trait doesn't offer. Don't hold it across an await.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        // Every change of the chain is complete or undone before a panic can pass.
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what [`ChainSource::fee_estimates`] says from now on (sat/vB by target in blocks).
    pub fn set_fee_estimates(&self, estimates: BTreeMap<u16, f64>) {
        *self.fee_estimates.lock().unwrap_or_else(PoisonError::into_inner) = estimates;
    }

    /// The blocks that were just made, which nobody has seen as long as the chain is locked.
    fn judged(&self, chain: &Chain, made: Vec<BlockHash>) -> Vec<BlockHash> {
        if let Some(judge) = &self.judge {
            judge.judge(&made.iter().filter_map(|hash| chain.block(hash)).collect::<Vec<_>>());
        }
        made
    }
}

fn calm_fee_estimates() -> BTreeMap<u16, f64> {
    let rate = |target| match target {
        1 => 4.0,
        2..=3 => 3.0,
        4..=6 => 2.0,
        7..=25 => 1.5,
        _ => 1.0,
    };
    fee_targets().map(|target| (target, rate(target))).collect()
}

/// UNIX seconds, as far as a block header can say them.
pub(crate) fn unix_now() -> u32 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX)
}

#[async_trait]
impl ChainSource for Embedded {
    async fn prepare(&self) -> Result<(), SourceError> {
        let mut chain = self.chain();
        let missing = FIRST_BLOCKS.saturating_sub(chain.height());
        let first = unix_now().saturating_sub(missing * 600);
        for index in 0..missing {
            let made = chain.mine(1, first + index * 600)?;
            self.judged(&chain, made);
        }
        Ok(())
    }

    async fn tip(&self) -> Result<Tip, SourceError> {
        let chain = self.chain();
        Ok(Tip { height: chain.height(), hash: chain.tip() })
    }

    async fn block_hash(&self, height: u32) -> Result<Option<BlockHash>, SourceError> {
        Ok(self.chain().block_hash(height))
    }

    async fn block(&self, hash: BlockHash) -> Result<Option<Block>, SourceError> {
        Ok(self.chain().block(&hash).cloned())
    }

    async fn mempool(&self) -> Result<Vec<Txid>, SourceError> {
        Ok(self.chain().mempool().iter().map(|entry| entry.transaction.compute_txid()).collect())
    }

    async fn waiting(&self, txid: Txid) -> Result<Option<Transaction>, SourceError> {
        Ok(self.chain().mempool().get(&txid).map(|entry| entry.transaction.clone()))
    }

    async fn broadcast(&self, transaction: Transaction) -> Result<Result<Txid, Refusal>, SourceError> {
        Ok(self.chain().accept(transaction))
    }

    async fn broadcast_package(&self, package: Vec<Transaction>) -> Result<PackageResults, SourceError> {
        Ok(self.chain().accept_package(&package))
    }

    async fn fee_estimates(&self) -> Result<BTreeMap<u16, f64>, SourceError> {
        Ok(self.fee_estimates.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn mine(&self, count: u32) -> Result<Vec<BlockHash>, SourceError> {
        let mut chain = self.chain();
        let made = chain.mine(count, unix_now())?;
        Ok(self.judged(&chain, made))
    }

    async fn fund(&self, outputs: Vec<TxOut>) -> Result<Txid, SourceError> {
        Ok(self.chain().fund(outputs)?)
    }

    async fn reorg(&self, depth: u32, displaced: Displaced) -> Result<Vec<BlockHash>, SourceError> {
        let mut chain = self.chain();
        let made = chain.reorg(depth, displaced, unix_now())?;
        Ok(self.judged(&chain, made))
    }
}
