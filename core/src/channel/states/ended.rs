//! Failed, frozen, closed: states in which no payment moves any more.

use super::State;
use crate::channel::Channel;
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{CloseReason, Effects, Transition};
use crate::channel::error::ChannelError;
use crate::onchain::Bids;
use crate::wire::{self, Message};

/// The channel failed and our commitment is to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// As they were; `may_broadcast` is set.
    pub commitments: Commitments,
    /// Why.
    pub reason: CloseReason,
    /// What was published to bring it into a block.
    pub bids: Bids,
}

/// Nothing is sent or published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// As they were.
    pub commitments: Commitments,
    /// Why.
    pub cause: FreezeCause,
}

/// Why a channel is frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FreezeCause {
    /// The peer proved that our state is old (BOLT 2, Message Retransmission): it must close.
    FellBehind,
    /// A fault in this wallet.
    Fault {
        /// Which.
        fault: String,
    },
}

/// All is over; nothing of the channel is left to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Why.
    pub reason: CloseReason,
}

impl Channel {
    pub(super) fn in_failed(
        &self,
        failed: &Failed,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        match command {
            // The only answer left (BOLT 2, Message Retransmission: in an error state).
            Command::Message(Message::ChannelReestablish(_)) => {
                let mut effects = Effects::default();
                effects.send(wire::Error::new(self.id, &failed.reason.to_string()));
                Ok(Transition { next: self.clone(), effects })
            }
            // Too late for the channel, not for the payment.
            Command::Message(Message::UpdateFulfillHtlc(message)) => {
                let mut step = self.unchanged();
                let event = failed.commitments.settled_by(message.id, &message.payment_preimage);
                event.into_iter().for_each(|event| step.effects.notify(event));
                Ok(step)
            }
            Command::Message(_) => Ok(self.unchanged()),
            // Our commitment is published again by `Channel::rebroadcasts`. Where the opener never published what it
            // spends, that is in vain, and ends as if we had gone on waiting.
            Command::Looked { height, sees_funding: false }
                if failed.commitments.is_unfunded(env, height) =>
            {
                Ok(self.forget_unfunded())
            }
            Command::RemoveHtlc { id, removal } => {
                let mut failed = failed.clone();
                failed.commitments.settle_onchain(id, removal)?;
                Ok(self.step(State::Failed(failed), Effects::default()))
            }
            Command::Bid(bid) => {
                let mut failed = failed.clone();
                failed.bids.place(bid, env.height);
                Ok(self.step(State::Failed(failed), Effects::default()))
            }
            Command::FundingConfirmed { tx, short_channel_id } => {
                let mut failed = failed.clone();
                let mut effects = Effects::default();
                if failed.commitments.confirm_funding(env, &tx, short_channel_id)? {
                    effects.broadcast(failed.commitments.signed_local_commitment(env.signer)?);
                }
                Ok(self.step(State::Failed(failed), effects))
            }
            command => self.unhandled(&command),
        }
    }

    pub(super) fn in_frozen(&self, frozen: &Frozen, command: Command) -> Result<Transition, ChannelError> {
        match command {
            Command::Message(Message::ChannelReestablish(_)) if frozen.cause == FreezeCause::FellBehind => {
                let mut effects = Effects::default();
                effects.send(super::fell_behind_error(self));
                Ok(Transition { next: self.clone(), effects })
            }
            Command::Message(_) => Ok(self.unchanged()),
            command => self.unhandled(&command),
        }
    }
}
