//! Closing together: scripts, fees and signatures (BOLT 2, Closing Initiation, Legacy Closing Negotiation).

use super::command::Env;
use super::commitments::Commitments;
use super::error::{ChannelError, Fault, Violation};
use super::params::{FORMAT, Party};
use crate::crypto::ec;
use crate::tx::closing::remote_variants;
use crate::tx::fees::opener_cost;
use crate::tx::weight::closing_weight;
use crate::tx::{Closing, ClosingError, ClosingParams, build_closing};
use crate::wire::{ClosingSigned, FeeRange};
use bitcoin::secp256k1::ecdsa::Signature;
use bitcoin::{Amount, Script, ScriptBuf, Transaction};

/// Whether `shutdown` may carry this script: P2WPKH, P2WSH, and later witness versions where both sides know them.
pub(super) fn is_shutdown_script(script: &Script, any_segwit: bool) -> bool {
    if script.is_p2wpkh() || script.is_p2wsh() {
        return true;
    }
    let later_version =
        script.is_witness_program() && script.witness_version().is_some_and(|v| v.to_num() != 0);
    any_segwit && later_version
}

/// What a cooperative close of this channel is built from.
#[derive(Clone, Copy)]
pub(super) struct MutualClose<'a> {
    pub(super) commitments: &'a Commitments,
    pub(super) local_script: &'a ScriptBuf,
    pub(super) remote_script: &'a ScriptBuf,
}

/// A closing transaction with both signatures.
pub(super) struct SignedClosing {
    pub(super) tx: Transaction,
    pub(super) to_us: Amount,
}

impl MutualClose<'_> {
    fn params(&self) -> ClosingParams {
        let Commitments { params, local, .. } = self.commitments;
        ClosingParams {
            funding_outpoint: params.funding_outpoint,
            funding_amount: params.funding_amount,
            local_funding_pubkey: params.local.basepoints.funding_pubkey,
            remote_funding_pubkey: params.remote.basepoints.funding_pubkey,
            to_local: local.spec.local,
            to_remote: local.spec.remote,
            local_script: self.local_script.clone(),
            remote_script: self.remote_script.clone(),
            local_is_opener: params.opener == Party::Local,
        }
    }

    /// The fee we find right and the range we accept. Whoever pays agrees to no more than closing alone costs, whatever is said
    /// of fees: one that turns out too low is paid for later (ADR 0019). Whoever does not pay accepts all that is relayed.
    pub(super) fn fees(&self, env: &Env<'_>) -> (Amount, FeeRange) {
        let weight = closing_weight([self.local_script.as_script(), self.remote_script.as_script()]);
        let params = &self.commitments.params;
        let affordable = self.affordable();
        let least = env.config.min_feerate.fee(weight);
        let dear = self.cost_of_closing_alone(env).max(least).min(affordable);
        let wanted = env.feerates.closing.fee(weight).max(least).min(dear);
        let most = match params.opener {
            Party::Local => dear,
            Party::Remote => affordable,
        };
        (wanted, FeeRange { min_fee_satoshis: least.min(wanted), max_fee_satoshis: most })
    }

    /// All that the opener has; where the other has nothing, an output of the opener must be left.
    fn affordable(&self) -> Amount {
        let Commitments { params, local, .. } = self.commitments;
        let balance = |party| local.spec.balance(party).to_amount_floor();
        let dust_limit = params.local.dust_limit.max(params.remote.dust_limit);
        let is_only_output = balance(params.opener.other()) < dust_limit;
        let kept = if is_only_output { dust_limit } else { Amount::ZERO };
        balance(params.opener).checked_sub(kept).unwrap_or(Amount::ZERO)
    }

    /// A commitment and its anchors; where it was signed in quieter days, as if it had been signed now, for a child would have to
    /// pay the rest. Both rates are bounded by `ChannelConfig::always_accepted_feerate`, whatever a server says. A close together
    /// that costs no more is never refused for its price: two estimates of the same network differ.
    fn cost_of_closing_alone(&self, env: &Env<'_>) -> Amount {
        let feerate = self.commitments.local.spec.feerate.max(env.feerates.commitment);
        opener_cost(feerate, 0, FORMAT).to_amount_floor()
    }

    /// Our signature for this fee.
    pub(super) fn propose(
        &self,
        env: &Env<'_>,
        fee: Amount,
        fee_range: FeeRange,
    ) -> Result<ClosingSigned, ChannelError> {
        let closing = build_closing(&self.params(), fee, self.commitments.params.local.dust_limit)
            .and_then(|closing| closing.check_relayable().map(|()| closing))
            .map_err(|error| ChannelError::FailChannel(Violation::Closing(error)))?;
        let signature = self.sign(env, &closing)?;
        let channel_id = self.commitments.channel_id();
        Ok(ClosingSigned { channel_id, fee_satoshis: fee, signature, fee_range: Some(fee_range) })
    }

    fn sign(&self, env: &Env<'_>, closing: &Closing) -> Result<Signature, Fault> {
        let params = &self.commitments.params;
        Ok(env.signer.sign_closing(&closing.tx, params.funding_amount, &params.funding_script())?)
    }

    /// Finds the transaction that the peer signed for this fee, whichever outputs it left out.
    pub(super) fn verify(&self, fee: Amount, signature: &Signature) -> Result<Closing, ChannelError> {
        let fail = |violation| ChannelError::FailChannel(violation);
        let channel = &self.commitments.params;
        let variants =
            remote_variants(&self.params(), fee, channel.local.dust_limit, channel.remote.dust_limit)
                .map_err(|error: ClosingError| fail(Violation::Closing(error)))?;
        let remote_funding_pubkey = &channel.remote.basepoints.funding_pubkey;
        let closing = variants
            .into_iter()
            .find(|closing| ec::verify_ecdsa(&closing.sighash(), signature, remote_funding_pubkey).is_ok())
            .ok_or_else(|| fail(Violation::ClosingSignature { fee }))?;
        closing.check_relayable().map_err(|error| fail(Violation::Closing(error)))?;
        Ok(closing)
    }

    /// Adds our signature to a transaction that the peer signed.
    pub(super) fn complete(
        &self,
        env: &Env<'_>,
        closing: &Closing,
        remote_signature: &Signature,
    ) -> Result<SignedClosing, Fault> {
        let ours = self.sign(env, closing)?;
        let tx = closing.signed(&ours, remote_signature);
        let output = closing.local_output.and_then(|index| usize::try_from(index).ok());
        let to_us = output.and_then(|index| tx.output.get(index)).map_or(Amount::ZERO, |output| output.value);
        Ok(SignedClosing { tx, to_us })
    }
}
