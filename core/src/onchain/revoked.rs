//! A commitment that the peer had revoked (BOLT 5, Revoked Transaction Close Handling). Its scripts are built again from
//! the HTLCs that were kept of it; which output is which, the published transaction tells.

use super::{Close, HtlcOutput, Output, OutputKind};
use crate::channel::{FORMAT, Party};
use crate::crypto::DeriveError;
use crate::tx::{CommitmentKeys, Direction, Htlc, scripts};
use crate::types::{HtlcId, MilliSatoshi};
use bitcoin::{ScriptBuf, Transaction};

/// What a revoked commitment of the peer pays: all of it but its anchor is ours.
///
/// # Errors
/// A key does not exist, with probability 2^-128.
pub fn close(
    tx: &Transaction,
    keys: &CommitmentKeys,
    to_self_delay: u16,
    htlcs: &[HtlcOutput],
) -> Result<Close, DeriveError> {
    let delayed_script =
        scripts::to_local(&keys.revocation_pubkey, to_self_delay, &keys.broadcaster_delayed_pubkey);
    let mut known: Vec<(OutputKind, ScriptBuf)> = vec![
        (OutputKind::ToLocal, delayed_script.clone()),
        (OutputKind::ToRemote, scripts::to_remote_anchors(&keys.countersignatory_payment_pubkey)),
        (OutputKind::OurAnchor, scripts::anchor(&keys.countersignatory_funding_pubkey)),
    ];
    for htlc in htlcs {
        known.push((OutputKind::Htlc(*htlc), htlc_script(htlc, keys)?));
    }
    let known: Vec<_> = known.into_iter().map(|(kind, script)| (script.to_p2wsh(), kind, script)).collect();
    let outputs = (0..).zip(&tx.output).filter_map(|(vout, output)| {
        let (_, kind, script) = known.iter().find(|(paid_to, ..)| *paid_to == output.script_pubkey)?;
        Some(Output { vout, amount: output.value, witness_script: script.clone(), kind: *kind })
    });
    Ok(Close { txid: tx.compute_txid(), outputs: outputs.collect(), delayed_script })
}

/// Neither its number nor its amount is in the script of an HTLC.
fn htlc_script(htlc: &HtlcOutput, keys: &CommitmentKeys) -> Result<ScriptBuf, DeriveError> {
    let direction = match htlc.offered_by {
        Party::Remote => Direction::Offered,
        Party::Local => Direction::Received,
    };
    let content = Htlc {
        id: HtlcId(0),
        amount_msat: MilliSatoshi::ZERO,
        payment_hash: htlc.payment_hash,
        cltv_expiry: htlc.cltv_expiry,
    };
    Ok(scripts::htlc(direction, &content, keys.htlc_keys()?, FORMAT))
}
