//! Our own commitment (BOLT 5, Unilateral Close Handling: Local Commitment Transaction). `to_remote` and the peer's anchor
//! are the peer's business.

use super::{Close, HtlcOutput, Output, OutputKind};
use crate::channel::Party;
use crate::tx::{Commitment, CommitmentHtlc, CommitmentOutput, Direction, scripts};
use bitcoin::ScriptBuf;
use bitcoin::secp256k1::PublicKey;

/// What our commitment pays that is of concern.
pub fn close(commitment: &Commitment, local_funding_pubkey: &PublicKey) -> Close {
    let understand = |kind: CommitmentOutput| match kind {
        CommitmentOutput::ToLocal => Some((OutputKind::ToLocal, commitment.delayed_script().clone())),
        CommitmentOutput::BroadcasterAnchor => {
            Some((OutputKind::OurAnchor, scripts::anchor(local_funding_pubkey)))
        }
        CommitmentOutput::Htlc(index) => Some(htlc_output(&commitment.htlcs[index], Party::Local)),
        CommitmentOutput::ToRemote | CommitmentOutput::CountersignatoryAnchor => None,
    };
    understood(commitment, understand)
}

/// An HTLC of the commitment of `broadcaster`.
pub(super) fn htlc_output(found: &CommitmentHtlc, broadcaster: Party) -> (OutputKind, ScriptBuf) {
    let offered_by = match found.direction {
        Direction::Offered => broadcaster,
        Direction::Received => broadcaster.other(),
    };
    let kind = OutputKind::Htlc(HtlcOutput {
        offered_by,
        id: Some(found.htlc.id),
        payment_hash: found.htlc.payment_hash,
        cltv_expiry: found.htlc.cltv_expiry,
    });
    (kind, found.witness_script.clone())
}

/// The outputs of a commitment that we could build ourselves.
pub(super) fn understood(
    commitment: &Commitment,
    understand: impl Fn(CommitmentOutput) -> Option<(OutputKind, ScriptBuf)>,
) -> Close {
    let outputs = (0..).zip(&commitment.outputs).zip(&commitment.tx.output);
    let outputs = outputs.filter_map(|((vout, kind), output)| {
        let (kind, witness_script) = understand(*kind)?;
        Some(Output { vout, amount: output.value, witness_script, kind })
    });
    Close {
        txid: commitment.tx.compute_txid(),
        outputs: outputs.collect(),
        delayed_script: commitment.delayed_script().clone(),
    }
}
