//! The peer's present or next commitment (BOLT 5, Unilateral Close Handling: Remote Commitment Transaction), and one that
//! we do not know because we have lost state.

use super::local::{htlc_output, understood};
use super::{Close, Output, OutputKind};
use crate::channel::{FORMAT, Party};
use crate::tx::{Commitment, CommitmentOutput, scripts};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, Transaction};

/// What the peer's commitment pays that is of concern.
pub fn close(
    commitment: &Commitment,
    local_funding_pubkey: &PublicKey,
    local_payment_basepoint: &PublicKey,
) -> Close {
    let understand = |kind: CommitmentOutput| match kind {
        CommitmentOutput::ToRemote => {
            Some((OutputKind::ToRemote, scripts::to_remote_anchors(local_payment_basepoint)))
        }
        CommitmentOutput::CountersignatoryAnchor => {
            Some((OutputKind::OurAnchor, scripts::anchor(local_funding_pubkey)))
        }
        CommitmentOutput::Htlc(index) => Some(htlc_output(&commitment.htlcs[index], Party::Remote)),
        CommitmentOutput::ToLocal | CommitmentOutput::BroadcasterAnchor => None,
    };
    understood(commitment, understand)
}

/// What is ours in a commitment that we have never seen: `to_remote`, which no per-commitment point is needed for, and
/// nothing else.
pub fn close_of_unknown(tx: &Transaction, local_payment_basepoint: &PublicKey) -> Close {
    let output_script = scripts::to_remote_output(local_payment_basepoint, FORMAT);
    let witness_script = scripts::to_remote_anchors(local_payment_basepoint);
    let outputs = (0..).zip(&tx.output).filter(|(_, output)| output.script_pubkey == output_script);
    let outputs = outputs.map(|(vout, output)| Output {
        vout,
        amount: output.value,
        witness_script: witness_script.clone(),
        kind: OutputKind::ToRemote,
    });
    Close { txid: tx.compute_txid(), outputs: outputs.collect(), delayed_script: ScriptBuf::new() }
}
