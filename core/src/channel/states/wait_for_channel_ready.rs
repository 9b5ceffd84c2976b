//! The funding transaction is deep enough for us; the peer has not said so.

use super::{ShuttingDown, State};
use crate::channel::Channel;
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, Effects, Transition};
use crate::channel::error::ChannelError;
use crate::wire::Message;

/// See [`State::WaitForChannelReady`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForChannelReady {
    /// The first commitments.
    pub commitments: Commitments,
}

impl Channel {
    pub(super) fn in_wait_for_channel_ready(
        &self,
        state: &WaitForChannelReady,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        let mut commitments = state.commitments.clone();
        let mut effects = Effects::default();
        match command {
            Command::Message(Message::ChannelReady(message)) => {
                commitments.receive_channel_ready(&message);
            }
            Command::FundingConfirmed { tx, short_channel_id } => {
                commitments.confirm_funding(env, &tx, short_channel_id)?;
            }
            Command::FundingReorged => {
                commitments.funding.short_channel_id = None;
                effects.notify(ChannelEvent::FundingUnconfirmed);
            }
            command @ (Command::Shutdown { .. } | Command::Message(Message::Shutdown(_))) => {
                let state = ShuttingDown::begin(commitments, env);
                return self.in_shutting_down(&state, env, command);
            }
            command => return self.unhandled(&command),
        }
        match (commitments.remote_next_point, commitments.funding.short_channel_id) {
            (Some(_), Some(id)) => Ok(self.become_normal(commitments, id, effects)),
            _ => Ok(self.step(State::WaitForChannelReady(WaitForChannelReady { commitments }), effects)),
        }
    }
}
