//! We sent `accept_channel` and wait for `funding_created`.

use super::{State, WaitForFundingConfirmed};
use crate::channel::command::{Command, Env};
use crate::channel::drafting::Drafting;
use crate::channel::effects::{ChannelEvent, Effects, Transition};
use crate::channel::error::ChannelError;
use crate::channel::keys::KeyCache;
use crate::channel::open::Agreement;
use crate::channel::{Channel, HtlcTable};
use crate::types::{ChannelId, CommitmentNumber};
use crate::wire::{FundingCreated, FundingSigned, Message};
use bitcoin::OutPoint;

/// See [`State::WaitForFundingCreated`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForFundingCreated {
    /// What was agreed.
    pub agreement: Agreement,
}

impl Channel {
    pub(super) fn in_wait_for_funding_created(
        &self,
        state: &WaitForFundingCreated,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        match command {
            Command::Message(Message::FundingCreated(message)) => {
                self.sign_funding(&state.agreement, env, &message)
            }
            command => self.unhandled(&command),
        }
    }

    fn sign_funding(
        &self,
        agreement: &Agreement,
        env: &Env<'_>,
        message: &FundingCreated,
    ) -> Result<Transition, ChannelError> {
        let outpoint = OutPoint { txid: message.funding_txid, vout: u32::from(message.funding_output_index) };
        let params = agreement.params(outpoint);
        let (htlcs, cache) = (HtlcTable::new(), KeyCache::default());
        let drafting = Drafting { params: &params, htlcs: &htlcs, cache: &cache };
        let (number, spec) = (CommitmentNumber(0), agreement.first_spec());
        let point = env.signer.per_commitment_point(number)?;
        drafting.verify_local(number, &spec, &point, (&message.signature, &[]))?;
        let signed = drafting.sign_remote(env.signer, number, &spec, &agreement.remote_first_point, None)?;
        let channel_id = ChannelId::from_funding(outpoint);
        let mut effects = Effects::default();
        effects.send(FundingSigned { channel_id, signature: signed.signature });
        effects.notify(ChannelEvent::Pending { channel_id, funding_txid: outpoint.txid });
        let commitments = agreement.commitments(params, message.signature, signed.txid);
        let state = State::WaitForFundingConfirmed(WaitForFundingConfirmed { commitments });
        let mut step = self.step(state, effects);
        step.next.id = channel_id;
        Ok(step)
    }
}
