//! Both sides have a commitment and wait for the funding transaction to be deep enough.

use super::{Closed, Link, ShuttingDown, State, WaitForChannelReady};
use crate::channel::Channel;
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, CloseReason, Effects, Transition};
use crate::channel::error::{ChannelError, Violation};
use crate::types::ShortChannelId;
use crate::wire::{self, Message};
use bitcoin::Transaction;

/// See [`State::WaitForFundingConfirmed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForFundingConfirmed {
    /// The first commitments.
    pub commitments: Commitments,
}

impl Channel {
    pub(super) fn in_wait_for_funding_confirmed(
        &self,
        state: &WaitForFundingConfirmed,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        let mut commitments = state.commitments.clone();
        match command {
            Command::Message(Message::ChannelReady(message)) => {
                commitments.receive_channel_ready(&message);
                let state = State::WaitForFundingConfirmed(WaitForFundingConfirmed { commitments });
                Ok(self.step(state, Effects::default()))
            }
            Command::FundingConfirmed { tx, short_channel_id } => {
                self.funding_confirmed(commitments, env, &tx, short_channel_id)
            }
            Command::Looked { height, sees_funding: false } if commitments.is_unfunded(env, height) => {
                Ok(self.forget_unfunded())
            }
            command @ (Command::Shutdown { .. } | Command::Message(Message::Shutdown(_))) => {
                let state = ShuttingDown::begin(commitments, env);
                self.in_shutting_down(&state, env, command)
            }
            command => self.unhandled(&command),
        }
    }

    fn funding_confirmed(
        &self,
        mut commitments: Commitments,
        env: &Env<'_>,
        tx: &Transaction,
        short_channel_id: ShortChannelId,
    ) -> Result<Transition, ChannelError> {
        if !commitments.confirm_funding(env, tx, short_channel_id)? {
            return Ok(self.unchanged());
        }
        commitments.funding.sent_channel_ready = true;
        let mut effects = Effects::default();
        // Without a connection it is sent after `channel_reestablish`.
        if self.link == Link::Online {
            effects.send(commitments.channel_ready(env)?);
        }
        if commitments.remote_next_point.is_some() {
            return Ok(self.become_normal(commitments, short_channel_id, effects));
        }
        Ok(self.step(State::WaitForChannelReady(WaitForChannelReady { commitments }), effects))
    }

    /// The opener never published its transaction, or it never confirmed (BOLT 2, channel_ready).
    pub(super) fn forget_unfunded(&self) -> Transition {
        let detail = Violation::FundingTimeout.to_string();
        let mut effects = Effects::default();
        if self.link != Link::Offline {
            effects.send(wire::Error::new(self.id, &detail));
        }
        let reason = CloseReason::Failed { detail };
        effects.notify(ChannelEvent::Closed { reason: reason.clone() });
        self.step(State::Closed(Closed { reason }), effects)
    }
}
