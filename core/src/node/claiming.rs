//! Claims on the chain become transactions: with coins that pay for them, signed, stored as bids, and published.

use super::Node;
use super::channel_entry::ChannelEntry;
use super::outbox::Gated;
use crate::chain::Urgency;
use crate::channel::{self, OnchainWork, Unconfirmed};
use crate::coins::CoinsError;
use crate::crypto::SignerError;
use crate::onchain::bids::Replaced;
use crate::onchain::coins::{Chosen, choose, outpoints, within_means, worth_their_place};
use crate::onchain::draft::weight;
use crate::onchain::groups::groups;
use crate::onchain::{Auction, Bid, Bids, Claim, Coin, Draft, Stake};
use crate::types::FeeratePerKw;
use bitcoin::{Amount, OutPoint, ScriptBuf};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Why a claim cannot be signed. Does not happen to what the channel and the wallet themselves offer.
#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error(transparent)]
    Signer(#[from] SignerError),
    #[error(transparent)]
    Coins(#[from] CoinsError),
}

/// Outputs that one transaction is to claim.
struct Due {
    /// Of which channel.
    index: u32,
    claims: Vec<Claim>,
    stake: Stake,
    /// The commitment that is to come into a block with it.
    parent: Option<Unconfirmed>,
}

impl Due {
    fn takes_coins(&self) -> bool {
        self.claims.iter().any(Claim::takes_coins)
    }

    fn claimed(&self) -> BTreeSet<OutPoint> {
        outpoints(&self.claims)
    }
}

impl Node {
    /// Claims what is due, for every channel that something happened to. Only while all that is watched is known as of
    /// the present tip: what is claimed must not be spent already. A server that tells of block after block and nothing of
    /// what is in them keeps us from nothing: a claim in vain costs less than one that is not made.
    pub(super) fn claim_onchain(&mut self) {
        if self.synced_at.is_none() || self.blocks_unlooked == 1 {
            return;
        }
        let indices = std::mem::take(&mut self.claims_due);
        let mut due: Vec<Due> = indices.into_iter().flat_map(|index| self.due_of(index)).collect();
        // Where coins are few, what may be lost comes first, and what is worth most.
        due.sort_by_key(|it| (it.stake.deadline.is_none(), Reverse(it.stake.amount)));
        while !due.is_empty() {
            let first = due.remove(0);
            let lacks_coins = |it: &&Due| {
                let is_as_urgent = it.stake.deadline.is_some() || first.stake.deadline.is_none();
                is_as_urgent && it.takes_coins() && !self.has_coins(it)
            };
            let waiting = due.iter().filter(lacks_coins).count();
            self.bid(first, waiting);
        }
    }

    fn due_of(&mut self, index: u32) -> Vec<Due> {
        let Some(entry) = self.channels.get(&index) else { return Vec::new() };
        // What cannot be built was a fault when the channel took its last step, and is told then.
        let Ok(work) = self.with_env(entry, |env| entry.channel.onchain_work(env)) else { return Vec::new() };
        let (height, coins) = (self.chain.height(), self.coins_for_successes(entry, &work));
        let mut due = Vec::new();
        if let Some(parent) = &work.unconfirmed
            && let Some((claim, stake)) = &parent.anchor
            && !self.pays_enough(parent, stake, &work.bids)
        {
            let (claims, parent) = (vec![claim.clone()], Some(parent.clone()));
            due.push(Due { index, claims, stake: *stake, parent });
        }
        if let Some(parent) = &work.unconfirmed
            && let Some(coin) = &parent.late_payout
            && !self.pays_enough(parent, &Stake::in_payout(coin.output.value), &work.bids)
        {
            self.hurry_closing(index, parent, coin, &work.bids);
        }
        let groups = groups(work.claims, &work.bids, height, coins);
        due.extend(groups.into_iter().map(|claims| {
            let stake = Stake::of(&claims, height);
            Due { index, claims, stake, parent: None }
        }));
        due
    }

    /// How many HTLC-success transactions could each have coins of their own: those that were published, for whatever takes
    /// the place of one of them must pay more than all of it, and one for each free coin that suffices.
    fn coins_for_successes(&self, entry: &ChannelEntry, work: &OnchainWork) -> usize {
        let successes = || work.claims.iter().filter(|claim| claim.is_htlc_success());
        let Some(one) = successes().next() else { return 0 };
        let claimed: BTreeSet<OutPoint> = successes().map(|claim| claim.outpoint).collect();
        let published = work.bids.for_any(&claimed).filter(|bid| bid.coins().next().is_some()).count();
        let weight = weight(std::slice::from_ref(one), 1, &entry.terms.shutdown_script);
        let price = self.fee_rates.at(Urgency::Urgent).fee(weight);
        published + self.coins.free_coins().iter().filter(|coin| coin.output.value >= price).count()
    }

    /// Whether coins are set aside for it already.
    fn has_coins(&self, due: &Due) -> bool {
        let bids = self.channels.get(&due.index).and_then(|entry| entry.channel.bids());
        bids.is_some_and(|bids| bids.for_any(&due.claimed()).any(|bid| bid.coins().next().is_some()))
    }

    /// Whether a parent needs no child. Near a deadline each gets one: from then on it is known since when blocks leave it out.
    fn pays_enough(&self, parent: &Unconfirmed, stake: &Stake, bids: &Bids) -> bool {
        let (weight, height) = (parent.tx.weight().to_wu(), self.chain.height());
        let enough = stake.estimate(height, &self.fee_rates).fee(weight);
        bids.live().is_empty() && parent.fee >= enough && !stake.is_rising(height)
    }

    /// Publishes a transaction that claims these outputs, unless what was published for them before may stay. So many
    /// others wait for coins.
    fn bid(&mut self, due: Due, waiting: usize) {
        let Some(entry) = self.channels.get(&due.index) else { return };
        let Some(bids) = entry.channel.bids() else { return };
        let (height, rates, pays_to) = (self.chain.height(), self.fee_rates, &entry.terms.shutdown_script);
        let Due { index, claims, mut stake, parent } = due;
        let all = claims.len();
        let (claims, is_short) = self.affordable(claims, bids, stake.estimate(height, &rates), pays_to);
        if claims.len() < all {
            stake = Stake::of(&claims, height);
        }
        let free = self.coins.free_coins();
        let (count, claimed) = (claims.len(), outpoints(&claims));
        let (reused, is_void) = self.coins_of_bids(bids, &claimed);
        let mut replaced = bids.replaced_by(&claimed);
        if is_void {
            // Without its coins what was published is void.
            replaced = Replaced { fees: Amount::ZERO, stands: false, ..replaced };
        }
        let has: Amount = reused.iter().chain(&free).map(|coin| coin.output.value).sum();
        let share = match u64::try_from(waiting) {
            Ok(0) | Err(_) => Amount::MAX_MONEY,
            Ok(waiting) => has / (waiting + 1),
        };
        let of_parent = parent.as_ref().map(|parent| (parent.tx.weight().to_wu(), parent.fee));
        let parent_pays = of_parent.unwrap_or((0, Amount::ZERO));
        let choose_from = |free: Vec<Coin>, parent: (u64, Amount)| {
            let auction = Auction { stake: &stake, parent, replaced, share, height, rates: &rates };
            choose(claims.clone(), reused.clone(), free, pays_to, |weight| auction.fee(weight))
        };
        let mut chosen = choose_from(free.clone(), parent_pays);
        // What takes the place of something must not need what waits for a block itself (BIP 125, rule 2).
        if let (Chosen::MoreCoinsNeeded, Amount::ZERO) = (&chosen, replaced.fees)
            && let Some(change) = self.coins.largest_change()
        {
            let (weight, paid) = parent_pays;
            let package = (weight + change.tx.weight().to_wu(), paid + change.fee);
            chosen = choose_from([free, vec![change.coin]].concat(), package);
        }
        let draft = match chosen {
            Chosen::Draft(draft) => draft,
            Chosen::NotNow if is_short => return self.miss_coins(index),
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
            let package = parent.map(|parent| parent.tx).into_iter().chain([tx]).collect();
            self.outbox.gated(Gated::Broadcast(package));
        }
        if is_short {
            self.miss_coins(index);
        }
    }

    /// The coins that bids for any of these outputs spend, as far as they are there; and whether some are not.
    fn coins_of_bids(&self, bids: &Bids, claimed: &BTreeSet<OutPoint>) -> (Vec<Coin>, bool) {
        let spent: Vec<OutPoint> = bids.for_any(claimed).flat_map(Bid::coins).collect();
        let there = self.coins.still_there(&spent);
        let is_void = there.len() < spent.len();
        (there, is_void)
    }

    /// Of claims that share a transaction, those that it is to have, and whether others are left out for lack of coins.
    fn affordable(
        &self,
        claims: Vec<Claim>,
        bids: &Bids,
        feerate: FeeratePerKw,
        pays_to: &ScriptBuf,
    ) -> (Vec<Claim>, bool) {
        if claims.len() < 2 || !claims.iter().all(Claim::is_htlc_success) {
            return (claims, false);
        }
        let worthy = worth_their_place(claims, feerate, pays_to);
        let (free, change) = (self.coins.free_coins(), self.coins.largest_change());
        let coins = |claims: &[Claim]| {
            let (reused, _) = self.coins_of_bids(bids, &outpoints(claims));
            // As a first bid may spend it.
            let change = change.iter().filter(|_| reused.is_empty()).map(|change| change.coin.clone());
            [&reused[..], &free[..], &change.collect::<Vec<_>>()[..]].concat()
        };
        let chosen = within_means(worthy.clone(), coins, bids, feerate, pays_to);
        let is_short = chosen.len() < worthy.len();
        (chosen, is_short)
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
        let auction = Auction {
            stake: &stake,
            parent: paid,
            replaced,
            share: Amount::MAX_MONEY,
            height: self.chain.height(),
            rates: &self.fee_rates,
        };
        let Some(fee) = auction.fee(weight) else { return };
        let Some(draft) = Draft::new(Vec::new(), vec![coin.clone()], fee.wanted, pays_to) else { return };
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
