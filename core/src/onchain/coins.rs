//! Which coins of the wallet pay for a transaction that cannot pay for itself: HTLC transactions, and the child of a
//! commitment.

use super::draft::{COIN_INPUT_WEIGHT, weight};
use super::fees::{Fee, INCREMENTAL_RELAY};
use super::{Bids, Claim, Coin, Draft};
use crate::types::FeeratePerKw;
use bitcoin::{Amount, OutPoint, ScriptBuf};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// What came of the search.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// The transaction.
    Draft(Draft),
    /// It is not worth it now, or what was published before may stay.
    NotNow,
    /// The wallet has not so many coins.
    MoreCoinsNeeded,
}

/// Makes the transaction that claims these outputs. `reused` are coins that an earlier one spends, `free` those that
/// nothing does; `fee` gives what a transaction of some weight is to pay, or nothing where there should be none.
pub fn choose(
    claims: Vec<Claim>,
    reused: Vec<Coin>,
    mut free: Vec<Coin>,
    pays_to: &ScriptBuf,
    fee: impl Fn(u64) -> Option<Fee>,
) -> Chosen {
    let takes_coins = claims.iter().any(Claim::takes_coins);
    free.sort_by_key(|coin| (coin.output.value, coin.outpoint));
    let mut coins = if takes_coins { reused } else { Vec::new() };
    loop {
        let Some(now) = fee(weight(&claims, coins.len(), pays_to)) else { return Chosen::NotNow };
        if let Some(draft) = Draft::new(claims.clone(), coins.clone(), now.wanted, pays_to.clone()) {
            return Chosen::Draft(draft);
        }
        if !takes_coins {
            return Chosen::NotNow;
        }
        let has: Amount = coins.iter().map(|coin| coin.output.value).sum();
        let needed = fee(weight(&claims, coins.len() + 1, pays_to)).unwrap_or(now).wanted;
        let missing = (needed + pays_to.minimal_non_dust()).checked_sub(has).unwrap_or(Amount::ZERO);
        // The smallest that suffices; without one, the largest.
        let sufficient = free.iter().position(|coin| coin.output.value >= missing);
        match sufficient.or_else(|| free.len().checked_sub(1)) {
            Some(position) => coins.push(free.remove(position)),
            // Less than wanted is better than nothing, and better than what was bid before.
            None => return with_all(claims, coins, now.least, pays_to),
        }
    }
}

/// What all coins together can pay, if that is relayed.
fn with_all(claims: Vec<Claim>, coins: Vec<Coin>, least: Amount, pays_to: &ScriptBuf) -> Chosen {
    let anchors = claims.iter().filter(|claim| !claim.is_second_stage()).map(|claim| claim.amount);
    let has: Amount = anchors.chain(coins.iter().map(|coin| coin.output.value)).sum();
    let affordable = has.checked_sub(pays_to.minimal_non_dust()).unwrap_or(Amount::ZERO);
    let draft = Draft::new(claims, coins, affordable, pays_to.clone()).filter(|_| affordable >= least);
    draft.map_or(Chosen::MoreCoinsNeeded, Chosen::Draft)
}

/// Of claims that share a transaction, those that are worth more than what each adds to its fee at this rate, the most
/// valuable first and in any case.
pub fn worth_their_place(mut claims: Vec<Claim>, feerate: FeeratePerKw, pays_to: &ScriptBuf) -> Vec<Claim> {
    claims.sort_by_key(|claim| (Reverse(claim.amount), claim.outpoint));
    let nothing = weight(&[], 0, pays_to);
    let added = |claim: &Claim| weight(std::slice::from_ref(claim), 0, pays_to).saturating_sub(nothing);
    let worthy = claims.iter().filter(|claim| claim.amount >= feerate.fee(added(claim))).count();
    claims.truncate(worthy.max(1));
    claims
}

/// Of claims that share a transaction and come with the most valuable first, so many that two thirds of the `coins` that
/// there are for them can pay at this rate; one at least. The rest is for outbidding it where fees rise: where all went
/// into many small ones at first, the largest could never be claimed for more. A transaction that stands stays as long as
/// its coins can pay for it at all; what takes its place can beat it.
pub fn within_means(
    mut claims: Vec<Claim>,
    coins: impl Fn(&[Claim]) -> Vec<Coin>,
    bids: &Bids,
    feerate: FeeratePerKw,
    pays_to: &ScriptBuf,
) -> Vec<Claim> {
    let to_spend_one = feerate.fee(COIN_INPUT_WEIGHT);
    let price = |claims: &[Claim]| feerate.fee(weight(claims, 0, pays_to));
    let means = |claims: &[Claim]| -> Amount {
        coins(claims).iter().filter_map(|coin| coin.output.value.checked_sub(to_spend_one)).sum()
    };
    let to_beat = |claims: &[Claim]| {
        bids.replaced_by(&outpoints(claims)).fees + INCREMENTAL_RELAY.fee(weight(claims, 1, pays_to))
    };
    let all = claims.clone();
    while claims.len() > 1 && (price(&claims) * 3 > means(&claims) * 2 || to_beat(&claims) > means(&claims)) {
        claims.pop();
    }
    let (of_all, chosen) = (outpoints(&all), outpoints(&claims));
    let stands = |claimed: &BTreeSet<OutPoint>| claimed.is_subset(&of_all) && chosen.is_subset(claimed);
    let standing = bids.for_any(&chosen).map(|bid| bid.claimed().collect()).find(stands);
    let standing = standing.map(|claimed: BTreeSet<OutPoint>| {
        all.into_iter().filter(|claim| claimed.contains(&claim.outpoint)).collect::<Vec<_>>()
    });
    standing.filter(|standing| price(standing) <= means(standing)).unwrap_or(claims)
}

/// What they claim.
pub fn outpoints(claims: &[Claim]) -> BTreeSet<OutPoint> {
    claims.iter().map(|claim| claim.outpoint).collect()
}
