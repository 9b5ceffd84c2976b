//! Updates, signatures and revocations, the same whether the channel is shutting down or not.

use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, Effects};
use crate::channel::error::{ChannelError, Refusal};
use crate::channel::{Channel, HtlcKey, Link, Removal};
use crate::wire::Message;

/// Whether [`Channel::operate`] knew what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operated {
    Yes,
    No,
}

impl Channel {
    /// Carries out everything but additions and `shutdown`.
    pub(super) fn operate(
        &self,
        commitments: &mut Commitments,
        env: &Env<'_>,
        command: &Command,
        effects: &mut Effects,
    ) -> Result<Operated, ChannelError> {
        match command {
            Command::RemoveHtlc { id, removal } => {
                let message = commitments.remove(*id, removal.clone())?;
                // Without a connection it is sent after `channel_reestablish`.
                if self.link == Link::Online {
                    effects.send(message);
                }
            }
            Command::UpdateFee(feerate) => {
                self.require_online()?;
                effects.send(commitments.offer_feerate(env, *feerate)?);
            }
            Command::Sign => {
                self.require_online()?;
                effects.send(commitments.sign_next_remote(env)?);
            }
            Command::OnionRead(id) => {
                let key = HtlcKey::incoming(*id);
                commitments.forget_instruction(key).ok_or(Refusal::UnknownHtlc { id: *id })?;
            }
            Command::NewBlock(height) => commitments.check_deadlines(env, *height)?,
            Command::FundingConfirmed { tx, short_channel_id } => {
                commitments.confirm_funding(env, tx, *short_channel_id)?;
            }
            Command::FundingReorged => {
                commitments.funding.short_channel_id = None;
                effects.notify(ChannelEvent::FundingUnconfirmed);
            }
            Command::Message(message) => {
                return Self::operate_message(commitments, env, message, effects);
            }
            _ => return Ok(Operated::No),
        }
        Ok(Operated::Yes)
    }

    fn operate_message(
        commitments: &mut Commitments,
        env: &Env<'_>,
        message: &Message,
        effects: &mut Effects,
    ) -> Result<Operated, ChannelError> {
        let event = match message {
            Message::UpdateFulfillHtlc(message) => {
                commitments.receive_removal(message.id, Removal::Fulfilled(message.payment_preimage))?
            }
            Message::UpdateFailHtlc(message) => {
                commitments.receive_removal(message.id, Removal::Failed(message.reason.clone()))?
            }
            Message::UpdateFailMalformedHtlc(message) => {
                let removal = Removal::Malformed {
                    sha256_of_onion: message.sha256_of_onion,
                    failure_code: message.failure_code,
                };
                commitments.receive_removal(message.id, removal)?
            }
            Message::UpdateFee(message) => {
                commitments.receive_feerate(env, message.feerate_per_kw)?;
                None
            }
            Message::CommitmentSigned(message) => {
                effects.send(commitments.receive_commitment_signed(env, message)?);
                None
            }
            Message::RevokeAndAck(message) => {
                commitments.receive_revoke_and_ack(env, message, effects)?;
                None
            }
            Message::ChannelReady(message) => {
                commitments.receive_channel_ready(message);
                None
            }
            // Our channels are not announced.
            Message::AnnouncementSignatures(_) => None,
            _ => return Ok(Operated::No),
        };
        event.into_iter().for_each(|event| effects.notify(event));
        Ok(Operated::Yes)
    }
}
