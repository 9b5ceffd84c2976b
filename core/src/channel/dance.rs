//! `commitment_signed` and `revoke_and_ack`: updates enter the commitments (BOLT 2, Committing Updates So Far,
//! Completing the Transition to the Updated State).

use super::changes::{HtlcKey, Removal, Update};
use super::command::Env;
use super::commitments::{Commitments, LastSent, LocalCommitment, RemoteCommitment};
use super::drafting::SignedRemote;
use super::effects::{ChannelEvent, Effects};
use super::error::{ChannelError, Fault, Refusal, Violation};
use super::rows::{self, RowName};
use crate::crypto::{ChannelSigner, ec, sha_chain};
use crate::tx::CommitmentError;
use crate::types::CommitmentNumber;
use crate::wire::{CommitmentSigned, RevokeAndAck};

impl Commitments {
    /// Signs the peer's next commitment with everything that is due in it.
    pub(super) fn sign_next_remote(&mut self, env: &Env<'_>) -> Result<CommitmentSigned, ChannelError> {
        if !self.local_has_changes() {
            return Err(Refusal::NothingToSign.into());
        }
        let (None, Some(point)) = (&self.remote_next, self.remote_next_point) else {
            return Err(Refusal::WaitingForRevocation.into());
        };
        self.check_unsigned(env)?;
        let spec = self.remote_outlook().map_err(Fault::from)?;
        let number = self.remote.number.next();
        let last = self.remote_signed();
        let signed =
            self.drafting().sign_remote(env.signer, number, &spec, &point, Some(&last)).map_err(overdrawn)?;
        self.remote_next = Some(RemoteCommitment { number, txid: signed.txid, spec });
        self.local_changes.signed = std::mem::take(&mut self.local_changes.proposed);
        self.remote_changes.signed = std::mem::take(&mut self.remote_changes.acked);
        self.last_sent = LastSent::CommitmentSigned;
        Ok(self.commitment_signed(signed))
    }

    /// The `commitment_signed` that the peer has not acknowledged, once more: signing is deterministic, so it is the same
    /// byte for byte.
    pub(super) fn sign_again(&self, signer: &ChannelSigner) -> Result<CommitmentSigned, ChannelError> {
        let (Some(next), Some(point)) = (&self.remote_next, self.remote_next_point) else {
            return Err(Fault::Broken("no commitment_signed to repeat").into());
        };
        let last = self.remote_signed();
        let signed = self.drafting().sign_remote(signer, next.number, &next.spec, &point, Some(&last))?;
        Ok(self.commitment_signed(signed))
    }

    fn commitment_signed(&self, signed: SignedRemote) -> CommitmentSigned {
        let SignedRemote { signature, htlc_signatures, .. } = signed;
        CommitmentSigned {
            channel_id: self.channel_id(),
            signature,
            htlc_signatures,
            funding_txid: Some(self.params.funding_outpoint.txid),
        }
    }

    /// Takes the peer's signatures of our next commitment and gives up the present one. A repetition without changes
    /// is harmless, and some peers send it.
    pub(super) fn receive_commitment_signed(
        &mut self,
        env: &Env<'_>,
        message: &CommitmentSigned,
    ) -> Result<RevokeAndAck, ChannelError> {
        let fail = ChannelError::FailChannel;
        if message.funding_txid.is_some_and(|txid| txid != self.params.funding_outpoint.txid) {
            return Err(ChannelError::Disconnect(Violation::FundingOutput));
        }
        let number = self.local.number.next();
        let spec = self.local_outlook().map_err(|error| fail(Violation::Reduce(error)))?;
        let point = self.cache.local_point(env.signer, number)?;
        let signatures = (&message.signature, message.htlc_signatures.as_slice());
        self.drafting().verify_local(number, &spec, &point, signatures)?;

        let revoked = self.local.number;
        self.local = LocalCommitment {
            number,
            spec,
            remote_signature: message.signature,
            htlc_signatures: message.htlc_signatures.clone(),
        };
        self.local_changes.acked.clear();
        self.remote_changes.acked.append(&mut self.remote_changes.proposed);
        self.last_sent = LastSent::RevokeAndAck;
        self.forget_settled();
        self.revoke_and_ack(env.signer, revoked)
    }

    /// Gives up our commitment `revoked`, or says again that it was given up.
    pub(super) fn revoke_and_ack(
        &mut self,
        signer: &ChannelSigner,
        revoked: CommitmentNumber,
    ) -> Result<RevokeAndAck, ChannelError> {
        let per_commitment_secret = signer.release_secret(revoked, &self.revocation_state())?;
        let next_per_commitment_point = self.cache.local_point(signer, revoked.next().next())?;
        Ok(RevokeAndAck { channel_id: self.channel_id(), per_commitment_secret, next_per_commitment_point })
    }

    /// Takes the secret of the peer's present commitment; the one we signed takes its place.
    pub(super) fn receive_revoke_and_ack(
        &mut self,
        env: &Env<'_>,
        message: &RevokeAndAck,
        effects: &mut Effects,
    ) -> Result<(), ChannelError> {
        let fail = ChannelError::FailChannel;
        let (Some(next), Some(next_point)) = (self.remote_next.take(), self.remote_next_point) else {
            return Err(fail(Violation::RevocationOutOfTurn));
        };
        let revoked = self.remote.number;
        // What is revealed is public from now on.
        if !ec::is_secret_of(&message.per_commitment_secret, &self.remote_point) {
            return Err(fail(Violation::WrongSecret));
        }
        let index = sha_chain::index_of(revoked).ok_or(Fault::Broken("commitment numbers are used up"))?;
        self.remote_secrets
            .insert(index, message.per_commitment_secret)
            .map_err(|error| fail(Violation::SecretChain(error)))?;

        if let Some(row) = rows::revoked_row(self) {
            effects.append.push((RowName::Revoked(revoked), row));
        }
        self.remote = next;
        self.remote_point = next_point;
        self.remote_next_point = Some(message.next_per_commitment_point);

        let signed = std::mem::take(&mut self.local_changes.signed);
        self.drop_delivered_onions(&signed);
        self.local_changes.acked.extend(signed);
        for update in std::mem::take(&mut self.remote_changes.signed) {
            self.irrevocable_event(env, &update).into_iter().for_each(|event| effects.notify(event));
        }
        self.forget_settled();
        Ok(())
    }

    /// An update of the peer is now in both commitments for good.
    fn irrevocable_event(&self, env: &Env<'_>, update: &Update) -> Option<ChannelEvent> {
        match update {
            Update::Add(id) => self
                .incoming_htlc(*id, env.config.max_dust_htlc_exposure)
                .map(ChannelEvent::HtlcIrrevocablyCommitted),
            Update::Remove(id) => {
                let htlc = self.htlcs.get(&HtlcKey::outgoing(*id))?;
                match htlc.removal.as_ref()? {
                    Removal::Fulfilled(_) => None,
                    reason @ (Removal::Failed(_) | Removal::Malformed { .. }) => {
                        Some(ChannelEvent::HtlcFailed {
                            origin: htlc.origin?,
                            id: *id,
                            reason: reason.clone(),
                        })
                    }
                }
            }
            Update::Fee(_) => None,
        }
    }

    /// The peer has these HTLCs of ours: their onions will not be sent again.
    fn drop_delivered_onions(&mut self, delivered: &[Update]) {
        for update in delivered {
            if let Update::Add(id) = update
                && let Some(htlc) = self.htlcs.get_mut(&HtlcKey::outgoing(*id))
            {
                htlc.onion = None;
            }
        }
    }
}

/// Updates of both sides that crossed can ask more of the opener than it has. Neither can take them back, so the channel
/// cannot go on; all else that keeps us from signing is a fault of ours.
fn overdrawn(fault: Fault) -> ChannelError {
    match fault {
        Fault::Commitment(error @ CommitmentError::OpenerCannotPay { .. }) => {
            ChannelError::FailChannel(Violation::Commitment(error))
        }
        fault => ChannelError::Bug(fault),
    }
}
