//! What a chain source remembers about one wallet, so that it tells only what is new.

use super::Chain;
use bitcoin::{BlockHash, ScriptBuf, Transaction, Txid};
use kite_core::chain::{ChainFact, Seen};
use kite_core::node::Node;
use std::collections::BTreeMap;

/// Follows the chain for one node. A node that starts again needs a new one.
#[derive(Clone, Debug, Default)]
pub struct Source {
    told: Option<(BlockHash, Vec<Txid>)>,
    histories: BTreeMap<ScriptBuf, Vec<Seen>>,
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
        let mempool = chain.mempool().iter().map(Transaction::compute_txid).collect();
        let now = Some((chain.tip(), mempool));
        if self.told == now {
            return Vec::new();
        }
        self.told = now;
        let mut facts: Vec<ChainFact> =
            chain.headers_for(|height| node.block_hash(height)).into_iter().collect();
        for history in chain.histories(&node.watches()) {
            let known = self.histories.entry(history.script_pubkey.clone()).or_default();
            if *known != history.transactions {
                known.clone_from(&history.transactions);
                facts.push(ChainFact::History(history));
            }
        }
        facts.push(ChainFact::Synced { tip: chain.tip(), at: chain.now() });
        facts
    }
}
