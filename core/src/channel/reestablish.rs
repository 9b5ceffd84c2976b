//! What both sides know after a reconnection, and what is sent again (BOLT 2, Message Retransmission).

use super::changes::Update;
use super::command::Env;
use super::commitments::{Commitments, LastSent};
use super::effects::Effects;
use super::error::{ChannelError, Fault, Violation};
use crate::crypto::{SignerError, ec, sha_chain};
use crate::types::CommitmentNumber;
use crate::wire::{ChannelReady, ChannelReestablish, Message, Shutdown};
use bitcoin::ScriptBuf;
use bitcoin::secp256k1::SecretKey;

/// What `channel_reestablish` showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sync {
    /// Both agree, once what was lost has been sent again.
    Same,
    /// We have lost state, and the peer proved it: nothing of ours may be published.
    WeFellBehind,
    /// The peer has lost state.
    PeerFellBehind,
}

impl Commitments {
    /// Our `channel_reestablish`.
    pub(super) fn channel_reestablish(&mut self, env: &Env<'_>) -> Result<ChannelReestablish, ChannelError> {
        let remote_number = self.remote.number;
        let your_last_per_commitment_secret = match remote_number.0.checked_sub(1) {
            None => [0; 32],
            Some(last) => self
                .remote_secrets
                .get_number(CommitmentNumber(last))
                .ok_or(Fault::Broken("the last secret of the peer is not stored"))?,
        };
        Ok(ChannelReestablish {
            channel_id: self.channel_id(),
            next_commitment_number: self.local.number.next().0,
            next_revocation_number: remote_number.0,
            your_last_per_commitment_secret,
            my_current_per_commitment_point: self.cache.local_point(env.signer, self.local.number)?,
            next_funding: None,
            my_current_funding_locked: None,
        })
    }

    /// Reads the peer's `channel_reestablish` and sends again what it has not got: first `revoke_and_ack` and
    /// `commitment_signed` in their original order, then `shutdown`. Updates that are not yet signed follow:
    /// [`Commitments::tell_unsigned`].
    pub(super) fn synchronise(
        &mut self,
        env: &Env<'_>,
        message: &ChannelReestablish,
        shutdown_script: Option<&ScriptBuf>,
        effects: &mut Effects,
    ) -> Result<Sync, ChannelError> {
        let fail = ChannelError::FailChannel;
        let next_revocation = message.next_revocation_number;
        let next_commitment = message.next_commitment_number;
        let expected_revocation = self.local.number.0;
        let newest_sent = self.remote_newest().number.0;
        let expected_commitment = self.remote_newest().number.next().0;

        if next_revocation > 0 {
            let knows = self.peer_knows_secret(env, next_revocation - 1, message)?;
            match (next_revocation > expected_revocation, knows) {
                (true, true) => return Ok(Sync::WeFellBehind),
                (true, false) => {
                    let (found, expected) = (next_revocation, expected_revocation);
                    return Err(fail(Violation::RevocationNumber { found, expected }));
                }
                (false, false) => return Err(fail(Violation::LastSecret)),
                (false, true) => {}
            }
        }
        if next_commitment == 0 || next_commitment > expected_commitment {
            let (found, expected) = (next_commitment, expected_commitment);
            return Err(fail(Violation::CommitmentNumber { found, expected }));
        }
        let missed_signature = self.remote_next.is_some() && next_commitment == newest_sent;
        if next_commitment < expected_commitment && !missed_signature {
            return Ok(Sync::PeerFellBehind);
        }
        let missed_revocation = next_revocation.checked_add(1) == Some(expected_revocation);
        if next_revocation < expected_revocation && !missed_revocation {
            return Ok(Sync::PeerFellBehind);
        }

        if next_commitment == 1 && self.local.number.0 == 0 && self.funding.sent_channel_ready {
            effects.send(self.channel_ready(env)?);
        }
        let again = |this: &mut Self, effects: &mut Effects| -> Result<(), ChannelError> {
            if missed_signature {
                this.tell_again(&this.local_changes.signed, effects)?;
                effects.send(this.sign_again(env.signer)?);
            }
            Ok(())
        };
        if self.last_sent == LastSent::RevokeAndAck {
            again(self, effects)?;
        }
        if missed_revocation {
            effects.send(self.revoke_and_ack(env.signer, CommitmentNumber(next_revocation))?);
        }
        if self.last_sent == LastSent::CommitmentSigned {
            again(self, effects)?;
        }
        if let Some(script) = shutdown_script {
            effects.send(Shutdown { channel_id: self.channel_id(), scriptpubkey: script.clone() });
        }
        Ok(Sync::Same)
    }

    /// Tells the peer again what it has forgotten with the connection.
    pub(super) fn tell_unsigned(&self, effects: &mut Effects) -> Result<(), ChannelError> {
        self.tell_again(&self.local_changes.proposed, effects)
    }

    /// Whether the peer has the secret of our commitment with that number. The signer need not release it for that: the
    /// points are compared.
    fn peer_knows_secret(
        &mut self,
        env: &Env<'_>,
        number: u64,
        message: &ChannelReestablish,
    ) -> Result<bool, SignerError> {
        let number = CommitmentNumber(number);
        let Ok(secret) = SecretKey::from_slice(&message.your_last_per_commitment_secret) else {
            return Ok(false);
        };
        if sha_chain::index_of(number).is_none() {
            return Ok(false);
        }
        Ok(ec::public_key(&secret) == env.signer.per_commitment_point(number)?)
    }

    fn tell_again(&self, updates: &[Update], effects: &mut Effects) -> Result<(), ChannelError> {
        for update in updates {
            let message: Message = self.message_of(update)?;
            effects.send(message);
        }
        Ok(())
    }

    /// Our `channel_ready`.
    pub(super) fn channel_ready(&mut self, env: &Env<'_>) -> Result<ChannelReady, ChannelError> {
        Ok(ChannelReady {
            channel_id: self.channel_id(),
            second_per_commitment_point: self.cache.local_point(env.signer, CommitmentNumber(1))?,
            short_channel_id: None,
        })
    }
}
