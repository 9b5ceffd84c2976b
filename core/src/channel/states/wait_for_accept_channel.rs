//! We sent `open_channel` and wait for `accept_channel`.

use super::{State, WaitForFundingTx};
use crate::channel::command::{Command, Env};
use crate::channel::effects::{ChannelEvent, Effects, Transition};
use crate::channel::error::ChannelError;
use crate::channel::{Channel, open};
use crate::wire::{Message, OpenChannel};

/// See [`State::WaitForAcceptChannel`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForAcceptChannel {
    /// What we asked for.
    pub open: OpenChannel,
}

impl Channel {
    pub(super) fn in_wait_for_accept_channel(
        &self,
        state: &WaitForAcceptChannel,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        match command {
            Command::Message(Message::AcceptChannel(accept)) => {
                let agreement = open::agree(env, &state.open, &accept).map_err(ChannelError::FailChannel)?;
                let mut effects = Effects::default();
                let (script, amount) = (agreement.funding_output_script(), agreement.funding_amount);
                effects.notify(ChannelEvent::FundingNeeded { script, amount });
                Ok(self.step(State::WaitForFundingTx(Box::new(WaitForFundingTx { agreement })), effects))
            }
            command => self.unhandled(&command),
        }
    }
}
