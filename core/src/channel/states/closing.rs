//! The funding output was spent.

use super::{Closed, State};
use crate::channel::Channel;
use crate::channel::command::Command;
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, CloseReason, Closer, Effects, Transition};
use crate::channel::error::ChannelError;
use crate::wire::{self, Message};
use bitcoin::{Amount, ScriptBuf, Transaction, Txid};

/// See [`State::Closing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The last commitments.
    pub commitments: Commitments,
    /// Who closed.
    pub closer: Closer,
    /// By which transaction.
    pub txid: Txid,
    /// The transaction.
    pub tx: Transaction,
    /// What of it is ours, before fees of claims: HTLCs not counted.
    pub to_us: Amount,
    /// Our script, if closing together had begun.
    pub closing_script: Option<ScriptBuf>,
    /// Why.
    pub reason: CloseReason,
}

impl Channel {
    pub(super) fn in_closing(&self, closing: &Closing, command: Command) -> Result<Transition, ChannelError> {
        match command {
            Command::Message(Message::ChannelReestablish(_)) => {
                let mut effects = Effects::default();
                let text = format!("the funding output is spent by {}", closing.txid);
                effects.send(wire::Error::new(self.id, &text));
                Ok(Transition { next: self.clone(), effects })
            }
            Command::Message(_) => Ok(self.unchanged()),
            Command::FundingSpendBuried if closing.closer == Closer::Mutual => {
                let reason = CloseReason::Mutual;
                let mut effects = Effects::default();
                effects.notify(ChannelEvent::Closed { reason: reason.clone() });
                Ok(self.step(State::Closed(Closed { reason }), effects))
            }
            command => self.unhandled(&command),
        }
    }
}
