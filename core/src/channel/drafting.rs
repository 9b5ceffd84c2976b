//! From what a commitment says to the transaction and its signatures.

use super::changes::Spec;
use super::commitments::Commitments;
use super::error::{ChannelError, Fault, Violation};
use super::keys::KeyCache;
use super::params::{ChannelParams, Party};
use super::table::HtlcTable;
use crate::crypto::{ChannelSigner, HtlcToSign, RemoteSigned, ec};
use crate::tx::{Commitment, CommitmentKeys, build_commitment, scripts};
use crate::types::CommitmentNumber;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{ScriptBuf, Transaction, Txid};
use std::sync::Arc;

/// What commitments of a channel are built from.
#[derive(Clone, Copy)]
pub(super) struct Drafting<'a> {
    pub(super) params: &'a ChannelParams,
    pub(super) htlcs: &'a HtlcTable,
    pub(super) cache: &'a KeyCache,
}

/// A commitment transaction and the keys in it.
pub(super) struct Draft {
    pub(super) commitment: Commitment,
    keys: Arc<CommitmentKeys>,
}

/// A commitment of the peer that we have signed.
pub(super) struct SignedRemote {
    pub(super) signature: Signature,
    pub(super) htlc_signatures: Vec<Signature>,
    pub(super) txid: Txid,
}

impl Drafting<'_> {
    /// Builds a commitment of either side.
    pub(super) fn build(
        &self,
        owner: Party,
        number: CommitmentNumber,
        spec: &Spec,
        point: &PublicKey,
    ) -> Result<Draft, Fault> {
        let keys = self.cache.keys_for(self.params, owner, point)?;
        let view = spec.seen_by(owner, self.htlcs)?;
        let params = self.cache.commitment_params(self.params, owner);
        let commitment = build_commitment(number, &params, &keys, &view)?;
        Ok(Draft { commitment, keys })
    }

    /// Signs a commitment of the peer and its HTLC transactions.
    pub(super) fn sign_remote(
        &self,
        signer: &ChannelSigner,
        number: CommitmentNumber,
        spec: &Spec,
        point: &PublicKey,
        last: Option<&RemoteSigned>,
    ) -> Result<SignedRemote, Fault> {
        let Draft { commitment, .. } = self.build(Party::Remote, number, spec, point)?;
        let (signature, signed) = signer.sign_remote_commitment(
            number,
            &commitment.tx,
            self.params.funding_amount,
            &self.params.funding_script(),
            last,
        )?;
        let htlc_txs = commitment.htlc_transactions_after(signed.txid);
        let htlcs = htlc_txs.iter().map(|htlc| HtlcToSign {
            tx: &htlc.tx,
            witness_script: &htlc.witness_script,
            amount: htlc.amount,
        });
        let htlc_signatures = signer.sign_remote_htlcs(point, htlcs)?;
        Ok(SignedRemote { signature, htlc_signatures, txid: signed.txid })
    }

    /// Checks the peer's signatures of one of our commitments and of its HTLC transactions.
    pub(super) fn verify_local(
        &self,
        number: CommitmentNumber,
        spec: &Spec,
        point: &PublicKey,
        (signature, htlc_signatures): (&Signature, &[Signature]),
    ) -> Result<(), ChannelError> {
        let fail = ChannelError::FailChannel;
        let Draft { commitment, keys } =
            self.build(Party::Local, number, spec, point).map_err(|fault| match fault {
                Fault::Commitment(error) => fail(Violation::Commitment(error)),
                Fault::Reduce(error) => fail(Violation::Reduce(error)),
                fault => ChannelError::Bug(fault),
            })?;
        let expected = commitment.htlcs.len();
        if htlc_signatures.len() != expected {
            return Err(fail(Violation::HtlcSignatureCount { found: htlc_signatures.len(), expected }));
        }
        let remote_funding_pubkey = &self.params.remote.basepoints.funding_pubkey;
        let sighash = commitment.sighash().map_err(|error| Fault::Commitment(error.into()))?;
        ec::verify_ecdsa(&sighash, signature, remote_funding_pubkey)
            .map_err(|error| fail(Violation::CommitmentSignature(error)))?;
        if expected == 0 {
            return Ok(());
        }
        let remote_htlc_pubkey = keys.htlc_keys()?.countersignatory_htlc_pubkey;
        let htlc_txs = commitment.htlc_transactions();
        for (index, (htlc, signature)) in htlc_txs.iter().zip(htlc_signatures).enumerate() {
            let sighash = htlc.countersignatory_sighash().map_err(|error| Fault::Commitment(error.into()))?;
            ec::verify_ecdsa(&sighash, signature, &remote_htlc_pubkey)
                .map_err(|error| fail(Violation::HtlcSignature { index, error }))?;
        }
        Ok(())
    }
}

impl Commitments {
    pub(super) fn drafting(&self) -> Drafting<'_> {
        Drafting { params: &self.params, htlcs: &self.htlcs, cache: &self.cache }
    }

    /// Our latest commitment transaction, unsigned.
    pub(super) fn local_commitment(&self, signer: &ChannelSigner) -> Result<Commitment, Fault> {
        let number = self.local.number;
        let point = signer.per_commitment_point(number)?;
        Ok(self.drafting().build(Party::Local, number, &self.local.spec, &point)?.commitment)
    }

    /// What `to_local` of our commitment of any number looks like, also of one that this copy does not hold.
    pub(super) fn local_delayed_script(
        &self,
        signer: &ChannelSigner,
        number: CommitmentNumber,
    ) -> Result<ScriptBuf, Fault> {
        let point = signer.per_commitment_point(number)?;
        let keys = self.cache.keys_for(&self.params, Party::Local, &point)?;
        let to_self_delay = self.params.remote.to_self_delay;
        Ok(scripts::to_local(&keys.revocation_pubkey, to_self_delay, &keys.broadcaster_delayed_pubkey))
    }

    /// Our latest commitment transaction with both signatures; only once `may_broadcast` is set, which is stored before
    /// the transaction leaves.
    pub(super) fn signed_local_commitment(&self, signer: &ChannelSigner) -> Result<Transaction, Fault> {
        if !self.may_broadcast {
            return Err(Fault::Broken("the local commitment is not marked as published"));
        }
        let commitment = self.local_commitment(signer)?;
        let ours = signer.sign_local_commitment(
            self.local.number,
            &commitment.tx,
            self.params.funding_amount,
            &self.params.funding_script(),
            &self.revocation_state(),
        )?;
        Ok(commitment.signed(&ours, &self.local.remote_signature))
    }
}
