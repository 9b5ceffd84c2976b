//! What became of the HTLCs that we offered, and whether anything of a channel is left on the chain (BOLT 5).

use super::second_stage::second_stage;
use super::{Close, HtlcOutput, IRREVOCABLE_DEPTH, REASONABLE_DEPTH, Spends, depth};
use crate::channel::Party;
use crate::types::{BlockHeight, HtlcId, PaymentHash};

/// Whether an HTLC that we offered and whose preimage is not known is over: all its outputs were spent otherwise, or it
/// never had one in the commitment that is in the chain, and all of that is deep enough not to be undone.
///
/// Of a revoked commitment less is kept than the numbers of its HTLCs: there, outputs with the same hash count.
pub fn is_over(
    close: &Close,
    confirmed: BlockHeight,
    spends: &Spends,
    (id, payment_hash): (HtlcId, PaymentHash),
    height: BlockHeight,
) -> bool {
    let is_meant = |htlc: &HtlcOutput| {
        htlc.offered_by == Party::Local && htlc.id.map_or(htlc.payment_hash == payment_hash, |its| its == id)
    };
    let is_spent = |outpoint| {
        let spend = spends.of(outpoint);
        spend.is_some_and(|spend| depth(spend.height, height) >= REASONABLE_DEPTH)
    };
    let mut outputs = close.htlcs().filter(|(_, htlc)| is_meant(htlc));
    depth(confirmed, height) >= REASONABLE_DEPTH
        && outputs.all(|(output, _)| is_spent(close.outpoint(output)))
}

/// Whether nothing is left to do or to fear: everything that was ours is spent so deep that it stays spent, and so is what
/// others took. `is_ours` tells of an output that is not spent whether it is ours to take.
pub fn is_resolved(
    close: &Close,
    confirmed: BlockHeight,
    spends: &Spends,
    is_ours: impl Fn(bitcoin::OutPoint) -> bool,
    height: BlockHeight,
) -> bool {
    let is_irrevocable = |confirmed| depth(confirmed, height) >= IRREVOCABLE_DEPTH;
    let is_done = |outpoint| match spends.of(outpoint) {
        Some(spend) => is_irrevocable(spend.height),
        None => !is_ours(outpoint),
    };
    let outputs = close.outputs.iter();
    let mut outpoints = outputs.flat_map(|output| {
        let stage = second_stage(close, output, spends).map(|stage| stage.outpoint);
        [Some(close.outpoint(output)), stage].into_iter().flatten()
    });
    is_irrevocable(confirmed) && outpoints.all(is_done)
}
