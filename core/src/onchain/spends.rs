//! The confirmed transactions that spend what came of a channel. Everything else is derived from them, so that undoing a
//! block is to leave some of them out.

use crate::types::BlockHeight;
use bitcoin::{OutPoint, Transaction, Txid};
use std::collections::BTreeMap;

/// Confirmed transactions, each with the height of its block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spends(BTreeMap<Txid, (Transaction, BlockHeight)>);

/// The input that spends an output.
#[derive(Clone, Copy, Debug)]
pub struct Spend<'a> {
    /// The transaction.
    pub tx: &'a Transaction,
    /// Which of its inputs.
    pub input_index: usize,
    /// The height of its block.
    pub height: BlockHeight,
}

impl Spends {
    /// Takes a transaction that is in the block at this height. Says whether that is news.
    pub fn confirmed(&mut self, tx: &Transaction, height: BlockHeight) -> bool {
        let before = self.0.insert(tx.compute_txid(), (tx.clone(), height));
        before.is_none_or(|(_, known)| known != height)
    }

    /// Forgets what was in blocks above this height.
    pub fn undo_above(&mut self, height: BlockHeight) {
        self.0.retain(|_, (_, confirmed)| *confirmed <= height);
    }

    /// Forgets a transaction that is in no block any more. Says whether it was known.
    pub fn unconfirmed(&mut self, txid: &Txid) -> bool {
        self.0.remove(txid).is_some()
    }

    /// The spend of an output.
    pub fn of(&self, outpoint: OutPoint) -> Option<Spend<'_>> {
        self.0.values().find_map(|(tx, height)| {
            let input_index = tx.input.iter().position(|input| input.previous_output == outpoint)?;
            Some(Spend { tx, input_index, height: *height })
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Txid, &Transaction, BlockHeight)> {
        self.0.iter().map(|(txid, (tx, height))| (txid, tx, *height))
    }
}
