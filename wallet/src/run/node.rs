//! The node as the loop drives it.

use super::{Machine, view};
use crate::chain::ChainView;
use bitcoin::secp256k1::PublicKey;
use kite_core::chain::{History, ProofError};
use kite_core::node::{Input, Node, Output};
use kite_core::types::Now;

impl Machine for Node {
    fn handle_input(&mut self, now: Now, input: Input) {
        Self::handle_input(self, now, input);
    }

    fn poll_output(&mut self) -> Output {
        Self::poll_output(self)
    }

    fn chain_view(&self) -> ChainView {
        let hash_at = |height| self.block_hash(height);
        view(self.tip().0, hash_at, self.watches(), self.watched_outputs())
    }

    fn check_history(&self, history: &History) -> Result<(), ProofError> {
        Self::check_history(self, history)
    }

    fn connected_peers(&self) -> Vec<PublicKey> {
        self.peers().into_iter().filter(|peer| peer.is_connected).map(|peer| peer.node_id).collect()
    }
}
