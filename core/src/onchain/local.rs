//! Our own commitment (BOLT 5, Unilateral Close Handling: Local Commitment Transaction). `to_remote` and the peer's anchor
//! are the peer's business.

use super::{Close, HtlcOutput, Output, OutputKind};
use crate::channel::Party;
use crate::tx::{Commitment, CommitmentHtlc, CommitmentOutput, Direction, scripts};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, Transaction};

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

/// What is ours in a commitment of ours that this copy does not hold: `to_local`, whose script its number tells, and nothing
/// else, for HTLC transactions need signatures of the peer.
pub fn close_of_unknown(tx: &Transaction, delayed_script: ScriptBuf) -> Close {
    let output_script = delayed_script.to_p2wsh();
    let outputs = (0..).zip(&tx.output).filter(|(_, output)| output.script_pubkey == output_script);
    let outputs = outputs.map(|(vout, output)| Output {
        vout,
        amount: output.value,
        witness_script: delayed_script.clone(),
        kind: OutputKind::ToLocal,
    });
    Close { txid: tx.compute_txid(), outputs: outputs.collect(), delayed_script }
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
