//! The outputs of HTLC-success and HTLC-timeout transactions (BOLT 5, Generation of HTLC Transactions).
//!
//! The signature of the countersignatory binds the output beside the input it signs (`SIGHASH_SINGLE`), whatever else the
//! transaction has: so that one transaction may be the second stage of many HTLCs, in any order and among strangers.

use super::{Close, HtlcOutput, Output, Spends};
use crate::types::BlockHeight;
use bitcoin::{Amount, OutPoint, ScriptBuf};

/// The output of an HTLC transaction that is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondStage {
    /// Where.
    pub outpoint: OutPoint,
    /// What it holds.
    pub amount: Amount,
    /// The height of its block.
    pub height: BlockHeight,
}

/// The second stage of an HTLC output, if it was spent by an HTLC transaction.
pub fn second_stage(close: &Close, output: &Output, spends: &Spends) -> Option<SecondStage> {
    let spend = spends.of(close.outpoint(output))?;
    let paid = spend.tx.output.get(spend.input_index)?;
    if close.delayed_script.is_empty() || paid.script_pubkey != delayed_output(close) {
        return None;
    }
    let vout = u32::try_from(spend.input_index).ok()?;
    let outpoint = OutPoint { txid: spend.tx.compute_txid(), vout };
    Some(SecondStage { outpoint, amount: paid.value, height: spend.height })
}

/// All of them, with the HTLCs they came from.
pub fn second_stages<'a>(
    close: &'a Close,
    spends: &'a Spends,
) -> impl Iterator<Item = (&'a HtlcOutput, SecondStage)> {
    close.htlcs().filter_map(|(output, htlc)| Some((htlc, second_stage(close, output, spends)?)))
}

fn delayed_output(close: &Close) -> ScriptBuf {
    close.delayed_script.to_p2wsh()
}
