//! What the network did not take, and whether anything explains that.

use super::World;
use crate::chain::Rejected;
use bitcoin::{BlockHash, OutPoint, Transaction};
use kite_core::types::BlockHeight;

impl World {
    /// Every transaction of a wallet is one that full nodes take, or something happened that it could not know of.
    pub(super) fn note_refusal(&mut self, host: usize, result: Result<(), Rejected>) {
        let Err(rejected) = result else { return };
        if let Rejected::Conflict { txid, other } = &rejected {
            self.outbid.insert((host, *txid, *other));
        }
        if self.is_explained(host, &rejected) {
            return;
        }
        match &mut self.refused {
            Some(refused) => refused.push((host, rejected)),
            None => panic!("{host} published what no node takes: {rejected}\n{}", self.story()),
        }
    }

    /// From now on refusals are noted and end nothing: whoever may say anything can make a wallet publish what comes too late.
    pub fn note_refusals(&mut self) {
        self.refused = Some(Vec::new());
    }

    /// Of what was noted, what no full node ever takes.
    pub fn refused_for_ever(&self) -> impl Iterator<Item = &Rejected> {
        self.refused.iter().flatten().map(|(_, rejected)| rejected).filter(|rejected| rejected.is_for_ever())
    }

    fn is_explained(&self, host: usize, rejected: &Rejected) -> bool {
        match rejected {
            rejected if rejected.is_for_ever() => false,
            // Locks that were over may not be over on another branch.
            Rejected::Locked { .. } => self.chain.was_reorganised(),
            Rejected::Fee { .. } => self.chain.is_crowded(),
            Rejected::Missing { outpoint, .. } => !self.knows_that_it_is_gone(host, outpoint),
            // Somebody else bids for it, too; its own bids are compared by who knows what they are for.
            _ => true,
        }
    }

    /// Whether an output never was, or a block spends it that a host had heard of before, with all that is in it.
    fn knows_that_it_is_gone(&self, host: usize, outpoint: &OutPoint) -> bool {
        let spend = self.chain.spend_of(outpoint).map(Transaction::compute_txid);
        let Some(height) = spend.and_then(|txid| self.chain.confirmed_at(&txid)) else {
            return self.chain.output(outpoint).is_none();
        };
        let is_there = |(height, hash): &(BlockHeight, BlockHash)| {
            *height <= self.chain.height() && self.chain.header(*height).block_hash() == *hash
        };
        self.heard[host].filter(is_there).is_some_and(|(heard, _)| height <= heard)
    }
}
