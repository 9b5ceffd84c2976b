//! What a chain source remembers about one wallet, so that it tells only what is new.

use super::Chain;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Transaction, Wtxid};
use kite_core::chain::ChainFact;
use kite_core::node::Node;
use std::collections::{BTreeMap, BTreeSet};

/// Follows the chain for one node. A node that starts again needs a new one.
#[derive(Clone, Debug, Default)]
pub struct Source {
    told: Option<(BlockHash, Vec<Wtxid>)>,
    /// Of each script the transactions that were told, and the blocks that they were in.
    histories: BTreeMap<ScriptBuf, Vec<(Wtxid, Option<BlockHash>)>>,
}

impl Source {
    /// The node watches other scripts than before.
    pub fn look_again(&mut self) {
        self.told = None;
    }

    /// Whether it told anything.
    pub(crate) fn has_told(&self) -> bool {
        self.told.is_some()
    }

    /// What the node has not heard yet.
    pub fn news(&mut self, chain: &Chain, node: &Node) -> Vec<ChainFact> {
        let is_old =
            |(tip, waiting): &(BlockHash, Vec<Wtxid>)| *tip == chain.tip() && *waiting == chain.waiting;
        if self.told.as_ref().is_some_and(is_old) {
            return Vec::new();
        }
        self.told = Some((chain.tip(), chain.waiting.clone()));
        let mut facts: Vec<ChainFact> = chain.headers_for(|height| node.block_hash(height));
        let outputs: BTreeSet<OutPoint> =
            node.watched_outputs().into_iter().map(|(_, outpoint)| outpoint).collect();
        for script in node.watches().into_iter().collect::<BTreeSet<_>>() {
            let outline = chain.outline(&script);
            if self.histories.get(&script).map_or(&[][..], Vec::as_slice) != outline {
                let mut history = chain.history(&script);
                if script.is_p2wsh() {
                    // A channel's. Its outputs are all that a node can count on to hear of.
                    history.transactions.retain(|seen| concerns(&seen.tx, &outputs));
                }
                facts.push(ChainFact::History(history));
                self.histories.insert(script, outline);
            }
        }
        facts.push(ChainFact::Synced { tip: chain.tip(), at: chain.now() });
        facts
    }
}

/// Whether a transaction makes or spends one of these outputs.
fn concerns(tx: &Transaction, outputs: &BTreeSet<OutPoint>) -> bool {
    let txid = tx.compute_txid();
    outputs.iter().any(|output| output.txid == txid)
        || tx.input.iter().any(|input| outputs.contains(&input.previous_output))
}
