//! Keeps the index in step with its source.

use std::sync::Arc;

use bitcoin::{BlockHash, Txid};
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use super::index::Index;
use crate::source::{ChainSource, SourceError, Tip};

/// Times that a changing source is read again for a consistent picture.
const ATTEMPTS: usize = 5;

/// An index over a chain source.
#[derive(Debug)]
pub struct Explorer {
    source: Arc<dyn ChainSource>,
    indexed: RwLock<Indexed>,
    tips: watch::Sender<Option<Tip>>,
}

#[derive(Debug, Default)]
struct Indexed {
    index: Index,
    mempool: Vec<Txid>,
}

impl Explorer {
    /// An empty index over `source`.
    pub fn new(source: Arc<dyn ChainSource>) -> Self {
        Self { source, indexed: RwLock::default(), tips: watch::Sender::new(None) }
    }

    /// The source behind the index.
    pub fn source(&self) -> &Arc<dyn ChainSource> {
        &self.source
    }

    /// Tells of every new tip that [`Explorer::index`] came across.
    pub fn tips(&self) -> watch::Receiver<Option<Tip>> {
        self.tips.subscribe()
    }

    /// The index, brought up to date.
    ///
    /// # Errors
    /// When the source doesn't answer.
    pub async fn index(&self) -> Result<RwLockReadGuard<'_, Index>, SourceError> {
        let mut indexed = self.indexed.write().await;
        for _ in 0..ATTEMPTS {
            let tip = self.source.tip().await?;
            let mempool = self.source.mempool().await?;
            let known = indexed.index.tip().map(|block| block.hash) == Some(tip.hash);
            if !known || indexed.mempool != mempool {
                self.update(&mut indexed, tip, mempool).await?;
            }
            // A block between the two questions would make a transaction look gone.
            if self.source.tip().await? == tip {
                break;
            }
        }
        let tip = indexed.index.tip().map(|block| Tip { height: block.height, hash: block.hash });
        self.tips.send_if_modified(|last| std::mem::replace(last, tip) != tip);
        Ok(RwLockReadGuard::map(indexed.downgrade(), |indexed| &indexed.index))
    }

    async fn update(&self, indexed: &mut Indexed, tip: Tip, mempool: Vec<Txid>) -> Result<(), SourceError> {
        let mut held = indexed.index.clear_waiting();
        // If the source fails half-way, the next call must not take the mempool for unchanged.
        indexed.mempool.clear();
        let index = &mut indexed.index;
        while let Some(block) = index.tip().cloned() {
            if block.height <= tip.height && self.source.block_hash(block.height).await? == Some(block.hash) {
                break;
            }
            index.disconnect();
        }
        let mut next = index.tip().map_or(0, |block| block.height + 1);
        while let Some(hash) = self.next_block(index, next, tip).await? {
            let Some(block) = self.source.block(hash).await? else { break };
            let previous = index.tip().map(|tip| tip.hash);
            // The source may have reorganised since it was asked for the tip: the next round finds the fork.
            if previous.is_some_and(|previous| previous != block.header.prev_blockhash) {
                break;
            }
            index.connect(hash, block);
            next += 1;
        }
        let mut waiting = Vec::with_capacity(mempool.len());
        for txid in &mempool {
            let transaction = match held.remove(txid) {
                Some(transaction) => Some(transaction),
                None => self.source.waiting(*txid).await?.map(Arc::new),
            };
            waiting.extend(transaction.map(|transaction| (*txid, transaction)));
        }
        index.add_waiting(waiting);
        indexed.mempool = mempool;
        Ok(())
    }

    async fn next_block(
        &self,
        index: &Index,
        height: u32,
        tip: Tip,
    ) -> Result<Option<BlockHash>, SourceError> {
        if height > tip.height || index.tip().map(|block| block.hash) == Some(tip.hash) {
            return Ok(None);
        }
        self.source.block_hash(height).await
    }
}
