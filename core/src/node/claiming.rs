//! Claims on the chain become transactions: with coins that pay for them, signed, stored as bids, and published.

use super::Node;
use super::outbox::Gated;
use crate::channel::{self, Unconfirmed};
use crate::coins::CoinsError;
use crate::crypto::SignerError;
use crate::onchain::bids::Replaced;
use crate::onchain::coins::{Chosen, choose};
use crate::onchain::draft::weight;
use crate::onchain::groups::groups;
use crate::onchain::{Bid, Bids, Claim, Coin, Draft, Stake, fee_to_bid};
use bitcoin::{Amount, OutPoint};
use std::collections::BTreeSet;

/// Why a claim cannot be signed. Does not happen to what the channel and the wallet themselves offer.
#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error(transparent)]
    Signer(#[from] SignerError),
    #[error(transparent)]
    Coins(#[from] CoinsError),
}

impl Node {
    /// Claims what is due, for every channel that something happened to. Only while all that is watched is known as of
    /// the present tip: what is claimed must not be spent already.
    pub(super) fn claim_onchain(&mut self) {
        if self.synced_at.is_none() {
            return;
        }
        for index in std::mem::take(&mut self.claims_due) {
            self.claim_of(index);
        }
    }

    fn claim_of(&mut self, index: u32) {
        let Some(entry) = self.channels.get(&index) else { return };
        // What cannot be built was a fault when the channel took its last step, and is told then.
        let Ok(work) = self.with_env(entry, |env| entry.channel.onchain_work(env)) else { return };
        if let Some(parent) = &work.unconfirmed
            && let Some((claim, stake)) = &parent.anchor
            && !self.pays_enough(parent, stake, &work.bids)
        {
            self.bid(index, vec![claim.clone()], stake, Some(parent));
        }
        if let Some(parent) = &work.unconfirmed
            && let Some(coin) = &parent.late_payout
            && !self.pays_enough(parent, &Stake::in_payout(coin.output.value), &work.bids)
        {
            self.hurry_closing(index, parent, coin, &work.bids);
        }
        for group in groups(work.claims, &work.bids, self.chain.height()) {
            let stake = Stake::of(&group);
            self.bid(index, group, &stake, None);
        }
    }

    /// Whether a parent needs no child.
    fn pays_enough(&self, parent: &Unconfirmed, stake: &Stake, bids: &Bids) -> bool {
        let weight = parent.tx.weight().to_wu();
        let enough = stake.wanted(weight, self.chain.height(), &self.fee_rates).fee(weight);
        bids.live().is_empty() && parent.fee >= enough
    }

    /// Publishes a transaction that claims these outputs, unless what was published for them before may stay.
    fn bid(&mut self, index: u32, claims: Vec<Claim>, stake: &Stake, parent: Option<&Unconfirmed>) {
        let Some(entry) = self.channels.get(&index) else { return };
        let Some(bids) = entry.channel.bids() else { return };
        let claimed: BTreeSet<OutPoint> = claims.iter().map(|claim| claim.outpoint).collect();
        let mut replaced = bids.replaced_by(&claimed);
        let earlier = bids.live().iter().filter(|bid| bid.claimed().any(|it| claimed.contains(&it)));
        let spent: Vec<OutPoint> = earlier.flat_map(Bid::coins).collect();
        let reused = self.coins.still_there(&spent);
        if reused.len() < spent.len() {
            // Without its coins what was published is void.
            replaced = Replaced { fees: Amount::ZERO, stands: false, ..replaced };
        }
        let (height, rates) = (self.chain.height(), self.fee_rates);
        let paid = parent.map_or((0, Amount::ZERO), |parent| (parent.tx.weight().to_wu(), parent.fee));
        let fee = |weight| fee_to_bid(stake, weight, paid, &replaced, height, &rates);
        let count = claims.len();
        let draft = match choose(claims, reused, self.coins.free_coins(), &entry.terms.shutdown_script, fee) {
            Chosen::Draft(draft) => draft,
            Chosen::NotNow => return,
            Chosen::MoreCoinsNeeded => return self.miss_coins(index),
        };
        let fee = draft.fee();
        let signed = draft.sign(&entry.signer, |tx, input_index, coin| {
            self.coins.sign_coin(&self.keys, tx, input_index, coin).map_err(SignError::from)
        });
        let Ok(tx) = signed else { return };
        let bid = Bid { tx: tx.clone(), claims: count, fee };
        self.coins.keep_aside(bid.coins());
        if self.step(index, channel::Command::Bid(bid)).is_ok() {
            let package = parent.map(|parent| parent.tx.clone()).into_iter().chain([tx]).collect();
            self.outbox.gated(Gated::Broadcast(package));
        }
    }

    /// Publishes a child that spends what a closing transaction pays us, so that both are worth a place in a block. It
    /// pays back to the same script.
    fn hurry_closing(&mut self, index: u32, parent: &Unconfirmed, coin: &Coin, bids: &Bids) {
        let Some(entry) = self.channels.get(&index) else { return };
        let pays_to = coin.output.script_pubkey.clone();
        let replaced = bids.replaced_by(&BTreeSet::from([coin.outpoint]));
        let paid = (parent.tx.weight().to_wu(), parent.fee);
        let stake = Stake::in_payout(coin.output.value);
        let weight = weight(&[], 1, &pays_to);
        let fee = fee_to_bid(&stake, weight, paid, &replaced, self.chain.height(), &self.fee_rates);
        let Some(draft) = fee.and_then(|fee| Draft::new(Vec::new(), vec![coin.clone()], fee, pays_to)) else {
            return;
        };
        let fee = draft.fee();
        let signed = draft.sign(&entry.signer, |tx, input_index, coin| {
            self.coins.sign_coin(&self.keys, tx, input_index, coin).map_err(SignError::from)
        });
        // Where the owner closed to a script that is not the wallet's, its owner can do the same.
        let Ok(tx) = signed else { return };
        let bid = Bid { tx: tx.clone(), claims: 1, fee };
        self.coins.keep_aside([coin.outpoint]);
        if self.step(index, channel::Command::Bid(bid)).is_ok() {
            self.outbox.gated(Gated::Broadcast(vec![parent.tx.clone(), tx]));
        }
    }

    /// The owner is told once in a run.
    fn miss_coins(&mut self, index: u32) {
        let Some(entry) = self.channels.get_mut(&index) else { return };
        if !std::mem::replace(&mut entry.misses_coins, true) {
            let what =
                "A channel that is closing needs confirmed on-chain coins to pay for it: add on-chain funds.";
            self.emit(super::Event::ActionRequired { what: what.into() });
        }
    }
}
