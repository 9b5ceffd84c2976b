//! Where everything stands in the blocks, so that nothing has to be searched for.

use super::Mined;
use bitcoin::{OutPoint, ScriptBuf, TxOut, Txid};
use kite_core::types::BlockHeight;
use std::collections::BTreeMap;

/// The height of a block and the place of a transaction in it.
pub(super) type Place = (BlockHeight, usize);

/// Where everything stands in the blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    transactions: BTreeMap<Txid, Place>,
    /// By what they spend.
    spends: BTreeMap<OutPoint, Place>,
    /// By the scripts of what they spend and pay, each in the order of the blocks.
    scripts: BTreeMap<ScriptBuf, Vec<Place>>,
}

impl Places {
    /// Adds the next block. `outputs` are all outputs there are, its own included.
    pub(super) fn add(&mut self, height: BlockHeight, mined: &Mined, outputs: &BTreeMap<OutPoint, TxOut>) {
        for (index, (tx, txid)) in mined.block.txdata.iter().zip(&mined.txids).enumerate() {
            let place = (height, index);
            self.transactions.insert(*txid, place);
            self.spends.extend(tx.input.iter().map(|input| (input.previous_output, place)));
            let spent = tx.input.iter().filter_map(|input| outputs.get(&input.previous_output));
            for output in spent.chain(&tx.output) {
                let places = self.scripts.entry(output.script_pubkey.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
    }

    pub(super) fn of(&self, txid: &Txid) -> Option<Place> {
        self.transactions.get(txid).copied()
    }

    /// What spends an output.
    pub(super) fn of_spend(&self, outpoint: &OutPoint) -> Option<Place> {
        self.spends.get(outpoint).copied()
    }

    /// What spends from, or pays to, a script.
    pub(super) fn of_script(&self, script_pubkey: &ScriptBuf) -> &[Place] {
        self.scripts.get(script_pubkey).map_or(&[], Vec::as_slice)
    }
}
