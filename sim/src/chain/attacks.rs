//! What others can do to a transaction that waits for a block.

use super::Chain;
use bitcoin::{Amount, OutPoint, Transaction, Txid};
use std::collections::BTreeSet;

impl Chain {
    /// Replacement cycling (CVE-2023-40231): somebody spends the same for more, and then makes that vanish by replacing it at
    /// another input. What is left is neither, nor what was built on it.
    pub fn cycle_out(&mut self, txid: &Txid) {
        let mut gone = BTreeSet::from([*txid]);
        let mut kept = Vec::new();
        for tx in self.mempool.clone() {
            let is_gone = |outpoint: &OutPoint| gone.contains(&outpoint.txid);
            if gone.contains(&tx.compute_txid())
                || tx.input.iter().any(|input| is_gone(&input.previous_output))
            {
                gone.insert(tx.compute_txid());
            } else {
                kept.push(tx);
            }
        }
        self.set_mempool(kept);
        self.note_waiting();
    }

    /// What a wallet's transaction pays.
    pub fn fee_of(&self, tx: &Transaction) -> Option<Amount> {
        self.wallet_transactions().find(|(known, _)| *known == tx).map(|(_, fee)| fee)
    }
}
