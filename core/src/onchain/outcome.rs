//! What became of the HTLCs that we offered, and whether anything of a channel is left on the chain (BOLT 5).

use super::second_stage::second_stage;
use super::spends::Spend;
use super::{Close, HtlcOutput, IRREVOCABLE_DEPTH, Output, REASONABLE_DEPTH, Spends, depth};
use crate::channel::{Closer, Party};
use crate::types::{BlockHeight, HtlcId, PaymentHash};

/// Whether an HTLC that we offered and whose preimage is not known is over: all its outputs came back to us, or it never
/// had one in the commitment that is in the chain, and all of that is deep enough not to be undone. What the peer took it
/// took by the preimage, though the witness that we were shown may lack it: no proof covers a witness.
///
/// Of a revoked commitment less is kept than the numbers of its HTLCs: there, outputs with the same hash count.
pub fn is_over(
    (closer, close): (Closer, &Close),
    confirmed: BlockHeight,
    spends: &Spends,
    (id, payment_hash): (HtlcId, PaymentHash),
    height: BlockHeight,
) -> bool {
    let came_back = |(output, htlc): (&Output, &HtlcOutput)| {
        spends.of(close.outpoint(output)).is_some_and(|spend| {
            depth(spend.height, height) >= REASONABLE_DEPTH
                && is_ours((closer, close), output, htlc, spends, &spend)
        })
    };
    let mut outputs = close.htlcs().filter(|(_, htlc)| is_meant(htlc, id, payment_hash));
    depth(confirmed, height) >= REASONABLE_DEPTH && outputs.all(came_back)
}

/// Whether the peer has taken an HTLC that we offered, which it can by its preimage only.
pub fn is_taken(
    (closer, close): (Closer, &Close),
    spends: &Spends,
    (id, payment_hash): (HtlcId, PaymentHash),
) -> bool {
    let mut outputs = close.htlcs().filter(|(_, htlc)| is_meant(htlc, id, payment_hash));
    outputs.any(|(output, htlc)| {
        let spend = spends.of(close.outpoint(output));
        spend.is_some_and(|spend| !is_ours((closer, close), output, htlc, spends, &spend))
    })
}

fn is_meant(htlc: &HtlcOutput, id: HtlcId, payment_hash: PaymentHash) -> bool {
    htlc.offered_by == Party::Local && htlc.id.map_or(htlc.payment_hash == payment_hash, |its| its == id)
}

/// Whether it was us who spent the output of an HTLC that we offered. Only what the transaction's id covers tells.
fn is_ours(
    (closer, close): (Closer, &Close),
    output: &Output,
    htlc: &HtlcOutput,
    spends: &Spends,
    spend: &Spend<'_>,
) -> bool {
    let stage = second_stage(close, output, spends);
    match closer {
        // HTLC-timeout pays all of it to our delayed script.
        Closer::Local => stage.is_some_and(|stage| stage.amount == output.amount),
        // The peer's HTLC-success bears our signature, and with it an `nLockTime` of 0.
        Closer::RemoteCurrent | Closer::RemoteNext => {
            spend.tx.lock_time.to_consensus_u32() >= htlc.cltv_expiry.height()
        }
        // The penalty, unless it is the second stage of the cheater.
        _ => stage.is_none(),
    }
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
