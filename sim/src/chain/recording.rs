//! What came to the chain, in its order: to be done again to a full node, which must judge as this chain does.

use super::Chain;
use bitcoin::{Block, Transaction, Txid};
use std::collections::BTreeSet;

/// One thing that came to the chain.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Transactions were published together, parents first.
    Published {
        /// They, those that were known already included.
        package: Vec<Transaction>,
        /// Whether the mempool took them.
        is_taken: bool,
    },
    /// From now on the mempool asks for so much, in satoshi for 1000 weight units.
    Asked(u64),
    /// A block was mined.
    Mined(Block),
    /// Nothing more belongs to what came before, and this is in the mempool.
    Waiting(BTreeSet<Txid>),
}

impl Chain {
    /// Records from now on, beginning with the blocks that are there.
    pub fn record(&mut self) {
        let blocks = self.blocks.iter().skip(1).map(|mined| mined.block.clone());
        self.recording = Some(blocks.map(Happening::Mined).collect());
    }

    /// What was recorded; empty if nothing was to be.
    pub fn recording(&self) -> &[Happening] {
        self.recording.as_deref().unwrap_or_default()
    }

    pub(super) fn note(&mut self, happening: impl FnOnce() -> Happening) {
        if let Some(recording) = &mut self.recording {
            recording.push(happening());
        }
    }

    pub(super) fn note_waiting(&mut self) {
        if self.recording.is_some() {
            let waiting = self.mempool.iter().map(Transaction::compute_txid).collect();
            self.note(|| Happening::Waiting(waiting));
        }
    }
}
