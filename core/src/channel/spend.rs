//! Who closed a channel: what the transaction tells that spent its funding output (BOLT 5).

use super::command::Env;
use super::commitments::Commitments;
use super::effects::Closer;
use super::error::Fault;
use super::params::FORMAT;
use crate::tx::obscured::commitment_number;
use crate::tx::{CommitmentOutput, scripts};
use bitcoin::{Amount, Script, Transaction};

/// What a spend of the funding output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spend {
    pub(super) closer: Closer,
    pub(super) to_us: Amount,
}

impl Commitments {
    /// Explains a transaction that spends the funding output.
    pub(super) fn explain_spend(
        &self,
        env: &Env<'_>,
        tx: &Transaction,
        closing_script: Option<&Script>,
    ) -> Result<Spend, Fault> {
        let txid = tx.compute_txid();
        let Some(number) = commitment_number(tx, self.params.obscuring_factor) else {
            // Both sign nothing but commitments and closing transactions.
            let to_us = closing_script.map_or(Amount::ZERO, |script| paid_to(tx, script));
            return Ok(Spend { closer: Closer::Mutual, to_us });
        };
        let local = self.local_commitment(env.signer)?;
        if local.tx.compute_txid() == txid {
            let ours = local.outputs.iter().zip(&tx.output);
            let to_us = ours
                .filter(|(kind, _)| **kind == CommitmentOutput::ToLocal)
                .map(|(_, output)| output.value)
                .sum();
            return Ok(Spend { closer: Closer::Local, to_us });
        }
        let our_output = scripts::to_remote_output(&self.params.local.basepoints.payment_basepoint, FORMAT);
        let to_us = paid_to(tx, &our_output);
        let closer = if self.remote.txid == txid {
            Closer::RemoteCurrent
        } else if self.remote_next.as_ref().is_some_and(|next| next.txid == txid) {
            Closer::RemoteNext
        } else if number.0 < self.remote.number.0 {
            Closer::RemoteRevoked { number: number.0 }
        } else if number.0 > self.remote_newest().number.0 {
            Closer::RemoteUnknown { number: number.0 }
        } else {
            Closer::Unexplained
        };
        Ok(Spend { closer, to_us })
    }
}

fn paid_to(tx: &Transaction, script: &Script) -> Amount {
    tx.output
        .iter()
        .filter(|output| output.script_pubkey.as_script() == script)
        .map(|output| output.value)
        .sum()
}
