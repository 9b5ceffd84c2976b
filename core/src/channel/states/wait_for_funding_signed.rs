//! We sent `funding_created` and wait for `funding_signed`, before which the funding transaction must not be published.

use super::{State, WaitForFundingConfirmed};
use crate::channel::command::{Command, Env};
use crate::channel::drafting::Drafting;
use crate::channel::effects::{ChannelEvent, Effects, Transition};
use crate::channel::error::{ChannelError, Violation};
use crate::channel::keys::KeyCache;
use crate::channel::open::Agreement;
use crate::channel::params::ChannelParams;
use crate::channel::{Channel, HtlcTable};
use crate::types::{ChannelId, CommitmentNumber};
use crate::wire::{FundingSigned, Message};
use bitcoin::{Transaction, Txid};

/// See [`State::WaitForFundingSigned`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForFundingSigned {
    /// The name the peer may still use.
    pub temporary_channel_id: ChannelId,
    /// What was agreed.
    pub agreement: Agreement,
    /// The same with the funding output.
    pub params: ChannelParams,
    /// The peer's commitment 0, which we signed.
    pub remote_txid: Txid,
    /// The signed funding transaction.
    pub funding_tx: Transaction,
}

impl Channel {
    pub(super) fn in_wait_for_funding_signed(
        &self,
        state: &WaitForFundingSigned,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        match command {
            Command::Message(Message::FundingSigned(message)) => self.fund(state, env, &message),
            command => self.unhandled(&command),
        }
    }

    fn fund(
        &self,
        state: &WaitForFundingSigned,
        env: &Env<'_>,
        message: &FundingSigned,
    ) -> Result<Transition, ChannelError> {
        if message.channel_id != self.id {
            return Err(ChannelError::FailChannel(Violation::ChannelIdMismatch));
        }
        let (htlcs, cache) = (HtlcTable::new(), KeyCache::default());
        let drafting = Drafting { params: &state.params, htlcs: &htlcs, cache: &cache };
        let number = CommitmentNumber(0);
        let point = env.signer.per_commitment_point(number)?;
        let spec = state.agreement.first_spec();
        drafting.verify_local(number, &spec, &point, (&message.signature, &[]))?;
        let mut commitments =
            state.agreement.commitments(state.params.clone(), message.signature, state.remote_txid);
        commitments.funding.tx = Some(state.funding_tx.clone());
        let mut effects = Effects::default();
        effects.broadcast(state.funding_tx.clone());
        let funding_txid = state.params.funding_outpoint.txid;
        effects.notify(ChannelEvent::Pending { channel_id: self.id, funding_txid });
        Ok(self.step(State::WaitForFundingConfirmed(WaitForFundingConfirmed { commitments }), effects))
    }
}
