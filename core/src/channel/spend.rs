//! Who closed a channel: what the transaction tells that spent its funding output (BOLT 5).

use super::Channel;
use super::command::Env;
use super::commitments::Commitments;
use super::effects::Closer;
use super::error::Fault;
use super::params::FORMAT;
use crate::crypto::ec;
use crate::tx::obscured::commitment_number;
use crate::tx::sighash::p2wsh_sighash;
use crate::tx::{CommitmentOutput, funding, scripts};
use crate::types::CommitmentNumber;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Script, Transaction, ecdsa};

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
            return Ok(self.explain_closing(env, tx, closing_script));
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
        if let Some(to_us) = self.paid_after_delay(env, number, tx)? {
            return Ok(Spend { closer: Closer::LocalUnknown { number: number.0 }, to_us });
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

    /// What a commitment of this number pays us after `to_self_delay`; unset where it does not, as every one of the peer's.
    /// The peer can choose its `payment_basepoint` and with it what `to_remote` looks like, but not this script.
    fn paid_after_delay(
        &self,
        env: &Env<'_>,
        number: CommitmentNumber,
        tx: &Transaction,
    ) -> Result<Option<Amount>, Fault> {
        let delayed_output = self.local_delayed_script(env.signer, number)?.to_p2wsh();
        let to_us = paid_to(tx, &delayed_output);
        Ok((to_us > Amount::ZERO).then_some(to_us))
    }

    /// Both sign nothing but commitments and closing transactions; one of those pays us, unless we have nothing.
    fn explain_closing(&self, env: &Env<'_>, tx: &Transaction, closing_script: Option<&Script>) -> Spend {
        let to_us = paid_to(tx, closing_script.unwrap_or(env.shutdown_script));
        let has_nothing = self.local.spec.local.to_amount_floor() < self.params.local.dust_limit;
        let is_known = to_us > Amount::ZERO || closing_script.is_some() || has_nothing;
        let closer = if is_known { Closer::Mutual } else { Closer::Unexplained };
        Spend { closer, to_us }
    }
}

impl Channel {
    /// Whether both sides signed this spend of the funding output. As long as no block holds it, nothing else tells it from
    /// an invention of whoever shows it.
    pub fn is_signed_spend(&self, tx: &Transaction) -> bool {
        self.commitments().is_some_and(|commitments| commitments.is_signed_by_both(tx).unwrap_or(false))
    }
}

impl Commitments {
    /// Unset where the input is missing, or its witness is not that of two signatures.
    fn is_signed_by_both(&self, tx: &Transaction) -> Option<bool> {
        let params = &self.params;
        let index = tx.input.iter().position(|input| input.previous_output == params.funding_outpoint)?;
        let mut keys = [&params.local, &params.remote].map(|party| party.basepoints.funding_pubkey);
        keys.sort_by_key(PublicKey::serialize);
        let script = funding::funding_script(&keys[0], &keys[1]);
        let witness = tx.input[index].witness.to_vec();
        let [zero, first, second, found] = witness.as_slice() else { return None };
        let mut signed = zero.is_empty() && found == script.as_bytes();
        for (signature, key) in [first, second].into_iter().zip(&keys) {
            let signature = ecdsa::Signature::from_slice(signature).ok()?;
            let digest =
                p2wsh_sighash(tx, index, &script, params.funding_amount, signature.sighash_type).ok()?;
            signed &= ec::verify_ecdsa(&digest, &signature.signature, key).is_ok();
        }
        Some(signed)
    }
}

fn paid_to(tx: &Transaction, script: &Script) -> Amount {
    tx.output
        .iter()
        .filter(|output| output.script_pubkey.as_script() == script)
        .map(|output| output.value)
        .sum()
}
