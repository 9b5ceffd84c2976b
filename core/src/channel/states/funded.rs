//! What is the same in every state with a funding transaction: confirmation, deadlines, reconnection, the spend.

use super::{Closing, Failed, FreezeCause, Frozen, Link, Negotiating, Normal, ShuttingDown, State};
use crate::channel::command::Env;
use crate::channel::commitments::{Commitments, Funding};
use crate::channel::effects::{ChannelEvent, CloseReason, Closer, Effects, Transition};
use crate::channel::error::{ChannelError, Violation};
use crate::channel::reestablish::Sync;
use crate::channel::{Channel, HtlcKey, LiveHtlc, Party, Removal, Standing};
use crate::onchain::{Bids, Spends};
use crate::types::{BlockHeight, ShortChannelId};
use crate::wire::{ChannelReady, ChannelReestablish};
use bitcoin::Transaction;

/// A coinbase output can be spent after so many blocks.
const COINBASE_MATURITY: u32 = 100;

impl Commitments {
    /// Notes where the funding transaction stands, after a last look at what it pays. Says whether it is deep enough.
    pub(super) fn confirm_funding(
        &mut self,
        env: &Env<'_>,
        tx: &Transaction,
        short_channel_id: ShortChannelId,
    ) -> Result<bool, ChannelError> {
        if !self.params.is_funded_by(tx) {
            return Err(ChannelError::FailChannel(Violation::FundingOutput));
        }
        let depth = env.height.saturating_add(1).saturating_sub(short_channel_id.block());
        let needed = if tx.is_coinbase() { COINBASE_MATURITY } else { self.params.minimum_depth };
        if depth < needed {
            return Ok(false);
        }
        self.funding.short_channel_id = Some(short_channel_id);
        self.funding.tx = None;
        Ok(true)
    }

    /// Whether the peer was to publish the funding transaction, and it has not been deep enough yet.
    pub(in crate::channel) fn awaits_remote_funding(&self) -> bool {
        let Funding { short_channel_id, sent_channel_ready, .. } = &self.funding;
        self.params.opener == Party::Remote && short_channel_id.is_none() && !sent_channel_ready
    }

    /// Whether too much time has passed without it. To be asked where it was looked for and not found (BOLT 2, channel_ready:
    /// a fundee may forget what it *does not see*).
    pub(super) fn is_unfunded(&self, env: &Env<'_>, height: BlockHeight) -> bool {
        let waited = height.saturating_sub(self.params.opened_at);
        self.awaits_remote_funding() && waited >= env.config.funding_timeout
    }

    /// Takes what the peer's `channel_ready` tells; repetitions may only change the alias.
    pub(super) fn receive_channel_ready(&mut self, message: &ChannelReady) {
        self.remote_next_point.get_or_insert(message.second_per_commitment_point);
        if message.short_channel_id.is_some() {
            self.funding.remote_alias = message.short_channel_id;
        }
    }

    /// Whether an HTLC is so close to its expiry, or so far behind it, that only the chain can settle it
    /// (BOLT 2, `cltv_expiry_delta` Selection).
    pub(super) fn check_deadlines(&self, env: &Env<'_>, height: BlockHeight) -> Result<(), ChannelError> {
        for (key, htlc) in self.on_commitments() {
            let expiry = htlc.cltv_expiry.height();
            let violation = match key.offered_by {
                Party::Local if height >= expiry.saturating_add(env.config.offered_htlc_grace) => {
                    Violation::HtlcTimedOut { key: *key, height }
                }
                Party::Remote if is_overdue(env, htlc, height) => {
                    Violation::FulfilmentOverdue { key: *key, height }
                }
                _ => continue,
            };
            return Err(ChannelError::FailChannel(violation));
        }
        Ok(())
    }

    /// The HTLCs that stand in a commitment which somebody may publish.
    pub(super) fn on_commitments(&self) -> impl Iterator<Item = (&HtlcKey, &LiveHtlc)> {
        let is_committed = |key| {
            let next = self.remote_next.as_ref().map(|next| &next.spec);
            [Some(&self.local.spec), Some(&self.remote.spec), next]
                .iter()
                .flatten()
                .any(|spec| spec.htlcs.contains(key))
        };
        self.htlcs.iter().filter(move |(key, _)| is_committed(key))
    }
}

/// Whether an HTLC of the peer was fulfilled, and is so near to its expiry that it must be claimed on the chain.
pub(super) fn is_overdue(env: &Env<'_>, htlc: &LiveHtlc, height: BlockHeight) -> bool {
    let first = height.saturating_add(env.config.fulfilled_htlc_deadline);
    matches!(htlc.removal, Some(Removal::Fulfilled(_))) && first >= htlc.cltv_expiry.height()
}

impl Channel {
    /// Both sides are ready.
    pub(super) fn become_normal(
        &self,
        commitments: Commitments,
        short_channel_id: ShortChannelId,
        mut effects: Effects,
    ) -> Transition {
        effects.notify(ChannelEvent::Ready { short_channel_id });
        self.step(State::Normal(Normal { commitments }), effects)
    }

    pub(super) fn receive_reestablish(
        &self,
        env: &Env<'_>,
        message: &ChannelReestablish,
    ) -> Result<Transition, ChannelError> {
        let mut next = self.clone();
        let mut effects = Effects::default();
        let shutdown_script = match &self.state {
            State::ShuttingDown(ShuttingDown { local_script, sent: true, .. })
            | State::Negotiating(Negotiating { local_script, .. }) => Some(local_script),
            _ => None,
        };
        let Some(commitments) = next.state.commitments_mut() else { return Ok(self.unchanged()) };
        match commitments.synchronise(env, message, shutdown_script, &mut effects)? {
            Sync::WeFellBehind => {
                let commitments = commitments.clone();
                let cause = FreezeCause::FellBehind;
                effects.send(super::fell_behind_error(self));
                effects.notify(ChannelEvent::FellBehind);
                next.state = State::Frozen(Frozen { commitments, cause });
                next.link = Link::Online;
                Ok(Transition { next, effects })
            }
            // What it has lost it will ask us to close.
            Sync::PeerFellBehind => {
                let mut next = self.clone();
                effects.notify(ChannelEvent::PeerFellBehind);
                match next.prove() {
                    Some(violation) => next.fail(env, &violation),
                    None => Ok(Transition { next, effects }),
                }
            }
            Sync::Same => {
                next.link = Link::Online;
                if let Some(violation) = next.prove() {
                    return next.fail(env, &violation);
                }
                // Those that were loaded: only now is it certain that no newer copy has signed them.
                next.take_back_unsigned_adds(&mut effects);
                if let Some(commitments) = next.state.commitments() {
                    commitments.tell_unsigned(&mut effects)?;
                }
                match next.state.clone() {
                    State::ShuttingDown(state) => next.go_on_shutting_down(env, state, effects),
                    State::Negotiating(state) => next.negotiate(env, state, effects),
                    _ => Ok(Transition { next, effects }),
                }
            }
        }
    }

    /// The state is the newest (contract P10). Gives what waited for that.
    fn prove(&mut self) -> Option<Violation> {
        match std::mem::replace(&mut self.standing, Standing::Current) {
            Standing::Unproven { failed, .. } => failed,
            Standing::Current => None,
        }
    }

    pub(super) fn is_funding_spent_by(&self, tx: &Transaction) -> bool {
        let Some(commitments) = self.state.commitments() else { return false };
        tx.input.iter().any(|input| input.previous_output == commitments.params.funding_outpoint)
    }

    /// The funding output was spent: whatever the protocol was doing, it is over.
    pub(super) fn funding_spent(
        &self,
        env: &Env<'_>,
        tx: &Transaction,
        height: Option<BlockHeight>,
    ) -> Result<Transition, ChannelError> {
        let Some(commitments) = self.state.commitments() else { return Ok(self.unchanged()) };
        let txid = tx.compute_txid();
        if let State::Closing(closing) = &self.state {
            let is_known =
                closing.txid == txid && (closing.close.is_some() || closing.closer.is_not_claimed());
            match height {
                // What is in a block stands until that block is undone.
                None if is_known || closing.height.is_some() => return Ok(self.unchanged()),
                Some(_) if is_known => {
                    let closing = Closing { height, waits_since: None, ..closing.clone() };
                    return Ok(self.step(State::Closing(closing), Effects::default()));
                }
                _ => {}
            }
        }
        let closing_script = match &self.state {
            State::ShuttingDown(ShuttingDown { local_script, .. })
            | State::Negotiating(Negotiating { local_script, .. }) => Some(local_script.clone()),
            State::Closing(Closing { closing_script, .. }) => closing_script.clone(),
            _ => None,
        };
        let spend = commitments.explain_spend(env, tx, closing_script.as_deref())?;
        let closer = spend.closer;
        // What neither side should publish may never come into a block. Nothing can be done about it before it does.
        if height.is_none() && !closer.is_newest() {
            return Ok(self.unchanged());
        }
        let mut commitments = commitments.clone();
        commitments.forget_uncommitted();
        // Somebody published it.
        commitments.may_broadcast |= closer == Closer::Local;
        let (reason, bids) = match (&self.state, closer) {
            (State::Negotiating(Negotiating { agreed: Some(agreed), bids, .. }), Closer::Mutual)
                if agreed.compute_txid() == txid =>
            {
                (CloseReason::Mutual, bids.clone())
            }
            (State::Failed(Failed { reason, bids, .. }), Closer::Local)
            | (State::Closing(Closing { reason, bids, .. }), Closer::Local) => (reason.clone(), bids.clone()),
            (_, Closer::Mutual) => (CloseReason::Mutual, Bids::default()),
            (_, Closer::Local | Closer::LocalUnknown { .. }) => (CloseReason::ForceClosed, Bids::default()),
            _ => (CloseReason::RemoteForceClosed, Bids::default()),
        };
        let mut effects = Effects::default();
        let close = commitments.understand(env, closer, tx)?;
        let spends = Spends::default();
        let waits_since = match &self.state {
            State::Negotiating(Negotiating { waits_since, .. }) if height.is_none() => *waits_since,
            _ => None,
        };
        let (tx, to_us) = (tx.clone(), spend.to_us);
        let mut closing = Closing {
            commitments,
            closer,
            txid,
            tx,
            height,
            waits_since,
            close,
            spends,
            bids,
            to_us,
            closing_script,
            reason,
        };
        // Where we have lost state, it may have been committed since: paying it again would pay twice.
        if !closing.is_blind() {
            super::never_committed(&closing.commitments, &mut effects);
        }
        if closing.close.is_some() {
            closing.to_us = closing.claims(env.height)?.into_iter().map(|claim| claim.amount).sum();
        }
        effects.notify(ChannelEvent::Closing { closer, txid, to_us: closing.to_us });
        Ok(self.step(State::Closing(closing), effects))
    }
}
