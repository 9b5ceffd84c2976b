//! The peer accepted; the wallet makes and signs the funding transaction, which stays here until the peer has signed our
//! commitment.

use super::{State, WaitForFundingSigned};
use crate::channel::command::{Command, Env};
use crate::channel::drafting::Drafting;
use crate::channel::effects::{Effects, Transition};
use crate::channel::error::{ChannelError, Refusal};
use crate::channel::keys::KeyCache;
use crate::channel::open::Agreement;
use crate::channel::{Channel, HtlcTable};
use crate::types::{ChannelId, CommitmentNumber};
use crate::wire::FundingCreated;
use bitcoin::{OutPoint, Transaction};

/// See [`State::WaitForFundingTx`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitForFundingTx {
    /// What was agreed.
    pub agreement: Agreement,
}

impl Channel {
    pub(super) fn in_wait_for_funding_tx(
        &self,
        state: &WaitForFundingTx,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        match command {
            Command::FundingTxSigned { tx, output_index } => {
                self.create_funding(&state.agreement, env, tx, output_index)
            }
            command => self.unhandled(&command),
        }
    }

    fn create_funding(
        &self,
        agreement: &Agreement,
        env: &Env<'_>,
        tx: Transaction,
        output_index: u16,
    ) -> Result<Transition, ChannelError> {
        let output = tx.output.get(usize::from(output_index));
        let pays = output.is_some_and(|output| {
            output.value == agreement.funding_amount
                && output.script_pubkey == agreement.funding_output_script()
        });
        // Without segwit inputs its id could still change (BOLT 2, funding_created).
        let signed = !tx.input.is_empty() && tx.input.iter().all(|input| !input.witness.is_empty());
        if !pays || !signed {
            return Err(Refusal::FundingTransaction { index: output_index }.into());
        }
        let funding_txid = tx.compute_txid();
        let outpoint = OutPoint { txid: funding_txid, vout: u32::from(output_index) };
        let params = agreement.params(outpoint);
        let (htlcs, cache) = (HtlcTable::new(), KeyCache::default());
        let drafting = Drafting { params: &params, htlcs: &htlcs, cache: &cache };
        let spec = agreement.first_spec();
        let point = &agreement.remote_first_point;
        let signed = drafting.sign_remote(env.signer, CommitmentNumber(0), &spec, point, None)?;
        let mut effects = Effects::default();
        effects.send(FundingCreated {
            temporary_channel_id: self.id,
            funding_txid,
            funding_output_index: output_index,
            signature: signed.signature,
        });
        let state = WaitForFundingSigned {
            temporary_channel_id: self.id,
            agreement: agreement.clone(),
            params,
            remote_txid: signed.txid,
            funding_tx: tx,
        };
        let mut step = self.step(State::WaitForFundingSigned(Box::new(state)), effects);
        step.next.id = ChannelId::from_funding(outpoint);
        Ok(step)
    }
}
