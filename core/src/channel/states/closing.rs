//! The funding output was spent: everything that came of it is followed until nothing can happen any more (BOLT 5).
//!
//! What is stored are facts: the transaction, what it pays, the confirmed spends of that. What they mean is derived anew
//! with every block, so that a block that is undone needs no more than forgetting what was in it.

use super::{Closed, State};
use crate::channel::command::{Command, Env};
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, CloseReason, Closer, Effects, Transition};
use crate::channel::error::{ChannelError, Fault};
use crate::channel::{Channel, HtlcKey, LiveHtlc, Party, Removal};
use crate::onchain::outcome::{is_over, is_resolved, is_taken};
use crate::onchain::preimages::preimages;
use crate::onchain::second_stage::second_stages;
use crate::onchain::{Bids, Close, IRREVOCABLE_DEPTH, REASONABLE_DEPTH, Spends, depth};
use crate::types::{BlockHeight, HtlcId, PaymentPreimage};
use crate::wire::{self, Message};
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid};

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
    /// The height of its block; unset while it is in none.
    pub height: Option<BlockHeight>,
    /// The first block that came without it, where both closed together.
    pub waits_since: Option<BlockHeight>,
    /// What it pays, if it is a commitment.
    pub close: Option<Close>,
    /// What spends that, and what came of it, in blocks.
    pub spends: Spends,
    /// What was published to claim some of it.
    pub bids: Bids,
    /// What of it was ours when it was first seen, before fees of claims.
    pub to_us: Amount,
    /// Our script, if closing together had begun.
    pub closing_script: Option<ScriptBuf>,
    /// Why.
    pub reason: CloseReason,
}

impl Channel {
    pub(super) fn in_closing(
        &self,
        closing: &Closing,
        env: &Env<'_>,
        command: Command,
    ) -> Result<Transition, ChannelError> {
        let mut closing = closing.clone();
        let mut effects = Effects::default();
        match command {
            Command::Message(Message::ChannelReestablish(_)) => {
                let text = format!("the funding output is spent by {}", closing.txid);
                match closing.closer {
                    // It signed this, and will see it: an error would only make it publish its commitment in vain.
                    Closer::Mutual => effects.send(wire::Warning::new(self.id, &text)),
                    _ => effects.send(wire::Error::new(self.id, &text)),
                }
            }
            // Too late for the channel, not for the payment.
            Command::Message(Message::UpdateFulfillHtlc(message)) => {
                let event = closing.commitments.settled_by(message.id, &message.payment_preimage);
                event.into_iter().for_each(|event| effects.notify(event));
            }
            Command::Message(_) => {}
            Command::RemoveHtlc { id, removal } => closing.commitments.settle_onchain(id, removal)?,
            Command::Spent { tx, height } => {
                if let Some(height) = height.filter(|_| closing.is_concerned(&tx)) {
                    closing.spends.confirmed(&tx, height);
                    closing.drop_void_bids();
                }
                closing.commitments.preimages_in(&tx).into_iter().for_each(|event| effects.notify(event));
            }
            Command::BlocksUndone { above } => {
                closing.height = closing.height.filter(|height| *height <= above);
                closing.spends.undo_above(above);
            }
            Command::Bid(bid) => closing.bids.place(bid, env.height),
            // What is told here rests on what was found, and on how deep it is by now.
            Command::NewBlock(height) => {
                closing.drop_void_bids();
                if closing.closer == Closer::Mutual && closing.height.is_none() {
                    closing.waits_since.get_or_insert(height);
                }
                closing.tell_outcomes(height, &mut effects);
            }
            Command::Looked { height, .. } => {
                if closing.is_resolved(height)?
                    && !closing.misses_preimage()
                    && !closing.may_hear(env, height)
                {
                    let reason = closing.reason.clone();
                    let unpaid = closing.undecided().filter(|(_, htlc)| !closing.knows_preimage_of(htlc));
                    let told = unpaid.filter_map(|(id, htlc)| Some((id, htlc.origin?)));
                    told.for_each(|(id, origin)| effects.notify(ChannelEvent::HtlcTimedOut { origin, id }));
                    effects.notify(ChannelEvent::Closed { reason: reason.clone() });
                    return Ok(self.step(State::Closed(Closed { reason }), effects));
                }
            }
            command => return self.unhandled(&command),
        }
        Ok(self.step(State::Closing(closing), effects))
    }
}

impl Closing {
    /// Whether a transaction spends something that came of the channel.
    fn is_concerned(&self, tx: &Transaction) -> bool {
        let Some(close) = &self.close else { return false };
        let outputs = close.watched().map(|(outpoint, _)| outpoint);
        let stages = second_stages(close, &self.spends).map(|(_, stage)| stage.outpoint);
        let watched: Vec<OutPoint> = outputs.chain(stages).collect();
        tx.input.iter().any(|input| watched.contains(&input.previous_output))
    }

    fn drop_void_bids(&mut self) {
        let Self { spends, bids, txid, height, .. } = self;
        let is_confirmed = height.is_some();
        // Nobody needs to pay for a commitment that is in a block.
        let is_void = |outpoint: OutPoint| spends.of(outpoint).is_some();
        bids.drop_where(is_void);
        if is_confirmed && let Some(anchor) = self.close.as_ref().and_then(Close::our_anchor) {
            let anchor = OutPoint { txid: *txid, vout: anchor.vout };
            self.bids.drop_where(|outpoint| outpoint == anchor);
        }
    }

    /// The HTLCs of our payments whose preimage the peer had not told when the channel ended.
    pub(in crate::channel) fn undecided(&self) -> impl Iterator<Item = (HtlcId, &LiveHtlc)> {
        let is_told = |htlc: &LiveHtlc| matches!(htlc.removal, Some(Removal::Fulfilled(_)));
        self.offered().filter(move |(_, htlc)| htlc.origin.is_some() && !is_told(htlc))
    }

    /// Whether HTLCs of ours may have been decided where this copy does not see it, because it has lost state: in a commitment
    /// that it does not hold, or before a close together, to which no HTLC comes (BOLT 2, Closing Negotiation).
    pub(super) fn is_blind(&self) -> bool {
        self.closer.is_blind() || (self.closer == Closer::Mutual && self.undecided().next().is_some())
    }

    /// Whether an HTLC may still be paid that may stand in a commitment that this copy does not hold: as long as the payee
    /// can give away its preimage, and then until what the peer does with it is irrevocable. Since this copy was made, it may
    /// have failed and its payment been tried again over this channel, up to the block that ended it.
    fn may_hear(&self, env: &Env<'_>, height: BlockHeight) -> bool {
        let last = self.undecided().map(|(_, htlc)| htlc.cltv_expiry.height()).max();
        let confirmed = self.height.filter(|_| self.closer.is_blind());
        let tried_again =
            confirmed.map(|confirmed| confirmed.saturating_add(env.config.max_cltv_expiry_delta));
        let is_awaited = |last: BlockHeight| height < last.saturating_add(IRREVOCABLE_DEPTH);
        self.is_blind() && last.is_some_and(|last| is_awaited(last.max(tried_again.unwrap_or(last))))
    }

    fn offered(&self) -> impl Iterator<Item = (HtlcId, &LiveHtlc)> {
        let offered = self.commitments.htlcs.iter().filter(|(key, _)| key.offered_by == Party::Local);
        offered.map(|(key, htlc)| (key.id, htlc))
    }

    /// Tells payments what the chain has decided. It is told again with every block: who has heard it does not mind.
    fn tell_outcomes(&self, height: BlockHeight, effects: &mut Effects) {
        let Some(confirmed) = self.height else { return };
        for (_, tx, _) in self.spends.iter() {
            self.commitments.preimages_in(tx).into_iter().for_each(|event| effects.notify(event));
        }
        // What a commitment says that we do not know is not known until nothing can happen any more.
        if self.is_blind() {
            return;
        }
        for (id, htlc) in self.offered() {
            let Some(origin) = htlc.origin else { continue };
            let is_over = match &self.close {
                Some(close) => {
                    let htlc = (id, htlc.payment_hash);
                    is_over((self.closer, close), confirmed, &self.spends, htlc, height)
                }
                // There is no output for it.
                None => depth(confirmed, height) >= REASONABLE_DEPTH,
            };
            if !is_over || self.knows_preimage_of(htlc) {
                continue;
            }
            effects.notify(match &htlc.removal {
                Some(reason @ (Removal::Failed(_) | Removal::Malformed { .. })) => {
                    ChannelEvent::HtlcFailed { origin, id, reason: reason.clone() }
                }
                _ => ChannelEvent::HtlcTimedOut { origin, id },
            });
        }
    }

    fn knows_preimage_of(&self, htlc: &LiveHtlc) -> bool {
        self.spends.iter().any(|(_, tx, _)| !preimages(tx, |hash| *hash == htlc.payment_hash).is_empty())
    }

    /// Whether a server has kept a preimage from us, by which an HTLC of ours was taken: another one will show it.
    fn misses_preimage(&self) -> bool {
        let Some(close) = self.close.as_ref().filter(|_| !self.closer.is_blind()) else { return false };
        self.offered().filter(|(_, htlc)| htlc.origin.is_some()).any(|(id, htlc)| {
            is_taken((self.closer, close), &self.spends, (id, htlc.payment_hash))
                && !self.knows_preimage_of(htlc)
        })
    }

    fn is_resolved(&self, height: BlockHeight) -> Result<bool, Fault> {
        let Some(confirmed) = self.height else { return Ok(false) };
        let Some(close) = &self.close else { return Ok(depth(confirmed, height) >= IRREVOCABLE_DEPTH) };
        let ours: Vec<OutPoint> = self.claims(height)?.into_iter().map(|claim| claim.outpoint).collect();
        Ok(is_resolved(close, confirmed, &self.spends, |outpoint| ours.contains(&outpoint), height))
    }
}

impl Commitments {
    /// Settles an HTLC of the peer whose preimage became ours to use after the channel had ended: it is claimed on-chain.
    pub(super) fn settle_onchain(&mut self, id: HtlcId, removal: Removal) -> Result<(), ChannelError> {
        let mut settled = self.clone();
        settled.remove(id, removal.clone())?;
        if let Some(htlc) = self.htlcs.get_mut(&HtlcKey::incoming(id))
            && matches!(removal, Removal::Fulfilled(_))
        {
            htlc.removal = Some(removal);
        }
        Ok(())
    }

    /// The HTLCs of ours that a transaction tells the preimages of, whatever it spends.
    pub(super) fn preimages_in(&self, tx: &Transaction) -> Vec<ChannelEvent> {
        let is_ours = |htlc: &&LiveHtlc| htlc.origin.is_some();
        let wanted: Vec<_> =
            self.htlcs.iter().map(|(_, htlc)| htlc).filter(is_ours).map(|htlc| htlc.payment_hash).collect();
        let found = preimages(tx, |hash| wanted.contains(hash));
        let settled = |preimage: &PaymentPreimage| {
            let preimage = *preimage;
            let ids = self
                .htlcs
                .iter()
                .map(|(key, _)| key)
                .filter(|key| key.offered_by == Party::Local)
                .map(|key| key.id);
            ids.filter_map(move |id| self.settled_by(id, &preimage)).collect::<Vec<_>>()
        };
        found.iter().flat_map(settled).collect()
    }
}
