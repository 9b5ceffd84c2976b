//! The set of unspent outputs, with the undo data that a reorg needs.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, Transaction, TxOut};

/// An unspent output and what decides when it may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Value and script.
    pub output: TxOut,
    /// Height of the block that made it; for a mempool output, the height of the next block.
    pub height: u32,
    /// Whether a coinbase made it (spendable only after 100 blocks).
    pub coinbase: bool,
}

/// What a block changed in the set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Undo {
    spent: Vec<(OutPoint, Coin)>,
    made: BTreeSet<OutPoint>,
}

/// All unspent outputs at the tip.
#[derive(Debug, Clone, Default)]
pub struct Coins(BTreeMap<OutPoint, Coin>);

impl Coins {
    /// The unspent output at `outpoint`; unset when it never existed or is spent.
    pub fn get(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.0.get(outpoint)
    }

    /// All unspent outputs, ordered by outpoint.
    pub fn iter(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        self.0.iter()
    }

    /// Applies one transaction whose spends were checked before.
    pub(crate) fn apply(&mut self, transaction: &Transaction, height: u32, undo: &mut Undo) {
        let coinbase = transaction.is_coinbase();
        if !coinbase {
            for input in &transaction.input {
                if let Some(coin) = self.0.remove(&input.previous_output) {
                    undo.spent.push((input.previous_output, coin));
                }
            }
        }
        for (outpoint, output) in outputs(transaction) {
            if !output.script_pubkey.is_op_return() {
                undo.made.insert(outpoint);
                self.0.insert(outpoint, Coin { output: output.clone(), height, coinbase });
            }
        }
    }

    /// Takes back what [`Coins::apply`] noted, for a whole block or its first transactions.
    pub(crate) fn revert(&mut self, undo: Undo) {
        for (outpoint, coin) in undo.spent {
            self.0.insert(outpoint, coin);
        }
        // Last, since a block may spend what it makes.
        for outpoint in undo.made {
            self.0.remove(&outpoint);
        }
    }
}

/// Every output of `transaction` with its outpoint.
pub(crate) fn outputs(transaction: &Transaction) -> impl Iterator<Item = (OutPoint, &TxOut)> {
    let txid = transaction.compute_txid();
    // A transaction that fits into a block has fewer than 2^32 outputs.
    (0u32..).zip(&transaction.output).map(move |(vout, output)| (OutPoint { txid, vout }, output))
}
