//! The fee of the closing transaction (BOLT 2, Legacy Closing Negotiation).

use super::{Link, ShuttingDown, State};
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, Effects, Transition};
use crate::channel::error::{ChannelError, Refusal, Violation};
use crate::channel::mutual::MutualClose;
use crate::channel::{Channel, Party};
use crate::onchain::Bids;
use crate::tx::Closing as ClosingTx;
use crate::types::BlockHeight;
use crate::wire::{ClosingSigned, FeeRange, Message};
use bitcoin::{Amount, ScriptBuf, Transaction};
use std::collections::BTreeMap;

/// See [`State::Negotiating`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiating {
    /// The last commitments, with no HTLC in them.
    pub commitments: Commitments,
    /// Where our balance goes.
    pub local_script: ScriptBuf,
    /// Where the peer's balance goes.
    pub remote_script: ScriptBuf,
    /// The closing transaction that both have signed.
    pub agreed: Option<Transaction>,
    /// The first block that came without it.
    pub waits_since: Option<BlockHeight>,
    /// What was published to pay for it.
    pub bids: Bids,
    /// What we offered on this connection. Negotiation begins anew with every connection; not stored.
    pub offered: Option<Offered>,
    /// The fee that both agreed on over this connection: there it is the last word. Not stored.
    pub settled: Option<Amount>,
    /// Blocks that came over a connection while nothing but the peer's word was missing to close; until the fee is agreed.
    pub unanswered: u32,
}

/// An offer of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offered {
    fee: Amount,
    range: FeeRange,
    /// What the peer wanted last.
    received: Option<Amount>,
}

impl Negotiating {
    pub(super) const fn begin(
        commitments: Commitments,
        local_script: ScriptBuf,
        remote_script: ScriptBuf,
        unanswered: u32,
    ) -> Self {
        Self {
            commitments,
            local_script,
            remote_script,
            agreed: None,
            waits_since: None,
            bids: Bids::new(Vec::new(), BTreeMap::new()),
            offered: None,
            settled: None,
            unanswered,
        }
    }

    /// The connection is gone.
    pub(super) const fn restart(&mut self) {
        (self.offered, self.settled) = (None, None);
    }

    /// The state before, as long as nothing is agreed: the peer says again where its balance goes, and may name another
    /// script than before.
    pub(super) fn undone(&self) -> Option<ShuttingDown> {
        let Self { commitments, local_script, unanswered, .. } = self;
        self.agreed.is_none().then(|| ShuttingDown {
            commitments: commitments.clone(),
            local_script: local_script.clone(),
            sent: true,
            remote_script: None,
            is_final: true,
            unanswered: *unanswered,
        })
    }

    const fn mutual_close(&self) -> MutualClose<'_> {
        MutualClose {
            commitments: &self.commitments,
            local_script: &self.local_script,
            remote_script: &self.remote_script,
        }
    }

    fn offer(
        &mut self,
        env: &Env<'_>,
        fee: Amount,
        range: FeeRange,
        received: Option<Amount>,
        effects: &mut Effects,
    ) -> Result<(), ChannelError> {
        effects.send(self.mutual_close().propose(env, fee, range)?);
        self.offered = Some(Offered { fee, range, received });
        Ok(())
    }
}

impl Channel {
    /// Begins, or begins anew: the opener sends first.
    pub(super) fn negotiate(
        &self,
        env: &Env<'_>,
        mut state: Negotiating,
        mut effects: Effects,
    ) -> Result<Transition, ChannelError> {
        let opener = state.commitments.params.opener;
        if self.link == Link::Online && opener == Party::Local && state.offered.is_none() {
            let (fee, range) = state.mutual_close().fees(env);
            state.offer(env, fee, range, None, &mut effects)?;
        }
        Ok(self.step(State::Negotiating(state), effects))
    }

    pub(super) fn in_negotiating(
        &self,
        state: &Negotiating,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        let mut state = state.clone();
        let mut effects = Effects::default();
        match command {
            Command::Message(Message::ClosingSigned(message)) => {
                receive_closing_signed(&mut state, env, &message, &mut effects)?;
            }
            // After a reconnection it comes again, the fee being agreed.
            Command::Message(Message::Shutdown(message)) => {
                if message.scriptpubkey != state.remote_script {
                    return Err(ChannelError::Disconnect(Violation::ShutdownScriptChanged));
                }
            }
            Command::Message(Message::ChannelReady(message)) => {
                state.commitments.receive_channel_ready(&message);
            }
            Command::FundingConfirmed { tx, short_channel_id } => {
                state.commitments.confirm_funding(env, &tx, short_channel_id)?;
            }
            Command::FundingReorged => {
                state.commitments.funding.short_channel_id = None;
                effects.notify(ChannelEvent::FundingUnconfirmed);
            }
            Command::Looked { height, sees_funding: false } if state.commitments.is_unfunded(env, height) => {
                return Ok(self.forget_unfunded());
            }
            // What is begun for having waited is begun after a look (`Node::claim_onchain`).
            Command::NewBlock(height) => match &state.agreed {
                Some(tx) => {
                    effects.broadcast(tx.clone());
                    state.waits_since.get_or_insert(height);
                }
                None => state.unanswered = self.count_unanswered(state.unanswered)?,
            },
            Command::Bid(bid) => state.bids.place(bid, env.height),
            Command::Shutdown { .. } | Command::AddHtlc(_) => return Err(Refusal::ShuttingDown.into()),
            command => return self.unhandled(&command),
        }
        Ok(self.step(State::Negotiating(state), effects))
    }
}

fn receive_closing_signed(
    state: &mut Negotiating,
    env: &Env<'_>,
    message: &ClosingSigned,
    effects: &mut Effects,
) -> Result<(), ChannelError> {
    let fee = message.fee_satoshis;
    if let Some(settled) = state.settled.filter(|settled| *settled != fee) {
        return Err(ChannelError::Disconnect(Violation::ClosingFee { fee, least: settled, most: settled }));
    }
    let closing = state.mutual_close().verify(fee, &message.signature)?;
    if state.settled.is_some() {
        return Ok(());
    }
    let local_is_opener = state.commitments.params.opener == Party::Local;
    match (state.offered, message.fee_range) {
        // The opener speaks first.
        (None, _) if local_is_opener => {
            let (message_type, state) = (39, "negotiating");
            Err(ChannelError::Disconnect(Violation::Unexpected { message_type, state }))
        }
        (Some(offered), _) if offered.fee == fee => agree(state, env, message, &closing, effects),
        (Some(offered), _) if local_is_opener && contains(&offered.range, fee) => {
            state.offer(env, fee, offered.range, Some(fee), effects)?;
            agree(state, env, message, &closing, effects)
        }
        (Some(offered), Some(theirs)) => {
            if overlap(&offered.range, &theirs).is_none() {
                return Err(ChannelError::Warn(out_of(&offered.range, fee)));
            }
            Err(ChannelError::FailChannel(out_of(&offered.range, fee)))
        }
        (Some(offered), None) => meet_between(state, env, &offered, fee, effects),
        (None, theirs) => answer_first(state, env, message, theirs, &closing, effects),
    }
}

/// We do not pay: whatever will be relayed is fine.
fn answer_first(
    state: &mut Negotiating,
    env: &Env<'_>,
    message: &ClosingSigned,
    theirs: Option<FeeRange>,
    closing: &ClosingTx,
    effects: &mut Effects,
) -> Result<(), ChannelError> {
    let fee = message.fee_satoshis;
    let (_, mut range) = state.mutual_close().fees(env);
    let Some(theirs) = theirs else {
        if contains(&range, fee) {
            state.offer(env, fee, range, Some(fee), effects)?;
            return agree(state, env, message, closing, effects);
        }
        return state.offer(env, range.min_fee_satoshis, range, Some(fee), effects);
    };
    range.max_fee_satoshis = range.max_fee_satoshis.max(theirs.max_fee_satoshis);
    let Some(both) = overlap(&range, &theirs) else {
        return Err(ChannelError::Warn(out_of(&range, fee)));
    };
    let answer = fee.clamp(both.min_fee_satoshis, both.max_fee_satoshis);
    state.offer(env, answer, range, Some(fee), effects)?;
    if answer == fee { agree(state, env, message, closing, effects) } else { Ok(()) }
}

/// A peer without `fee_range`: each offer is strictly between the two before.
fn meet_between(
    state: &mut Negotiating,
    env: &Env<'_>,
    offered: &Offered,
    fee: Amount,
    effects: &mut Effects,
) -> Result<(), ChannelError> {
    let (least, most) = (fee.min(offered.fee), fee.max(offered.fee));
    if let Some(before) = offered.received {
        let (least, most) = (before.min(offered.fee), before.max(offered.fee));
        if fee <= least || fee >= most {
            return Err(ChannelError::Disconnect(Violation::ClosingFee { fee, least, most }));
        }
    }
    let between = Amount::from_sat(u64::midpoint(least.to_sat(), most.to_sat()));
    if between <= least || between >= most || !contains(&offered.range, between) {
        return Err(ChannelError::FailChannel(out_of(&offered.range, fee)));
    }
    state.offer(env, between, offered.range, Some(fee), effects)
}

/// Over another connection both may agree on another fee, which counts if it is higher. The peer holds every one of these
/// transactions, and each spends the same output.
fn agree(
    state: &mut Negotiating,
    env: &Env<'_>,
    message: &ClosingSigned,
    closing: &ClosingTx,
    effects: &mut Effects,
) -> Result<(), ChannelError> {
    let signed = state.mutual_close().complete(env, closing, &message.signature)?;
    state.settled = Some(message.fee_satoshis);
    state.unanswered = 0;
    match &state.agreed {
        Some(before) if paid_by(before) <= paid_by(&signed.tx) => return Ok(()),
        Some(_) => {}
        // The owner is told once that the channel closes.
        None => effects.notify(ChannelEvent::ClosingAgreed {
            txid: signed.tx.compute_txid(),
            to_us: signed.to_us,
            fee: message.fee_satoshis,
        }),
    }
    effects.broadcast(signed.tx.clone());
    // Bids spend the transaction before; how long a block is waited for does not depend on the peer.
    state.bids = Bids::default();
    state.agreed = Some(signed.tx);
    Ok(())
}

/// What is left of the channel: the less, the higher the fee.
fn paid_by(tx: &Transaction) -> Amount {
    tx.output.iter().map(|output| output.value).sum()
}

fn contains(range: &FeeRange, fee: Amount) -> bool {
    (range.min_fee_satoshis..=range.max_fee_satoshis).contains(&fee)
}

fn overlap(a: &FeeRange, b: &FeeRange) -> Option<FeeRange> {
    let min_fee_satoshis = a.min_fee_satoshis.max(b.min_fee_satoshis);
    let max_fee_satoshis = a.max_fee_satoshis.min(b.max_fee_satoshis);
    (min_fee_satoshis <= max_fee_satoshis).then_some(FeeRange { min_fee_satoshis, max_fee_satoshis })
}

const fn out_of(range: &FeeRange, fee: Amount) -> Violation {
    Violation::ClosingFee { fee, least: range.min_fee_satoshis, most: range.max_fee_satoshis }
}
