//! Payments.

use super::operation::Operated;
use super::{ShuttingDown, State};
use crate::channel::Channel;
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{Effects, Transition};
use crate::channel::error::{ChannelError, Refusal};
use crate::wire::Message;

/// See [`State::Normal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normal {
    /// The commitments.
    pub commitments: Commitments,
}

impl Channel {
    pub(super) fn in_normal(
        &self,
        state: &Normal,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        let mut commitments = state.commitments.clone();
        let mut effects = Effects::default();
        match command {
            Command::AddHtlc(add) => {
                self.require_online()?;
                if commitments.funding.short_channel_id.is_none() {
                    return Err(Refusal::FundingUnconfirmed.into());
                }
                effects.send(commitments.offer(env, add)?);
            }
            Command::Message(Message::UpdateAddHtlc(add)) => commitments.receive_add(env, &add)?,
            command @ (Command::Shutdown { .. } | Command::Message(Message::Shutdown(_))) => {
                let state = ShuttingDown::begin(commitments, env);
                return self.in_shutting_down(&state, env, command);
            }
            command => {
                if self.operate(&mut commitments, env, &command, &mut effects)? == Operated::No {
                    return self.unhandled(&command);
                }
            }
        }
        Ok(self.step(State::Normal(Normal { commitments }), effects))
    }
}
