//! What the loop drives.

use crate::chain::ChainView;
use crate::platform::MaybeSend;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{BlockHash, OutPoint, ScriptBuf};
use kite_core::chain::{BlockId, History, ProofError};
use kite_core::node::{Input, Output};
use kite_core::types::{BlockHeight, Now};

/// The node; in tests also something that plays one.
pub trait Machine: MaybeSend {
    /// Takes one input.
    fn handle_input(&mut self, now: Now, input: Input);
    /// What is to be done next.
    fn poll_output(&mut self) -> Output;
    /// What the next look at the chain starts from.
    fn chain_view(&self) -> ChainView;
    /// Whether what a chain source says of a script can be believed.
    ///
    /// # Errors
    /// The first proof that proves nothing.
    fn check_history(&self, history: &History) -> Result<(), ProofError>;
    /// Peers that messages flow to and from.
    fn connected_peers(&self) -> Vec<PublicKey>;
}

/// Every block near the tip, then ever fewer, and the lowest that is known.
pub fn view(
    height: BlockHeight,
    hash_at: impl Fn(BlockHeight) -> Option<BlockHash>,
    watches: Vec<ScriptBuf>,
    outputs: Vec<(ScriptBuf, OutPoint)>,
) -> ChainView {
    let block = |height| Some(BlockId { height, hash: hash_at(height)? });
    let mut known = Vec::new();
    let (mut next, mut step) = (Some(height), 1_u32);
    while let Some(found) = next.and_then(block) {
        known.push(found);
        if known.len() > 10 {
            step = step.saturating_mul(2);
        }
        // A step that would go below the lowest block is made smaller, down to one block.
        next = std::iter::successors(Some(step), |step| Some(step / 2).filter(|step| *step > 0))
            .filter_map(|step| found.height.checked_sub(step))
            .find(|height| block(*height).is_some());
    }
    ChainView { known, watches, outputs }
}
