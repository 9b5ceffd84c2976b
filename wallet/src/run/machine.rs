//! What the loop drives.

use crate::chain::ChainView;
use crate::platform::MaybeSend;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{BlockHash, ScriptBuf};
use kite_core::chain::BlockId;
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
    /// Peers that messages flow to and from.
    fn connected_peers(&self) -> Vec<PublicKey>;
}

/// Every block near the tip, then ever fewer, and the lowest that is known.
pub fn view(
    height: BlockHeight,
    hash_at: impl Fn(BlockHeight) -> Option<BlockHash>,
    watches: Vec<ScriptBuf>,
) -> ChainView {
    let mut known = Vec::new();
    let (mut at, mut step) = (height, 1);
    while let Some(hash) = hash_at(at) {
        known.push(BlockId { height: at, hash });
        if known.len() > 10 {
            step *= 2;
        }
        let Some(below) = at.checked_sub(step) else { break };
        at = below;
    }
    // The block below which nothing is known ends the list: it lies within the last step.
    let lowest = (0..at).rev().chain(at..=height);
    let bottom =
        lowest.take_while(|height| *height < at).filter_map(|height| Some((height, hash_at(height)?))).last();
    if let Some((height, hash)) = bottom {
        known.push(BlockId { height, hash });
    }
    ChainView { known, watches }
}
