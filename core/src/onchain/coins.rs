//! Which coins of the wallet pay for a transaction that cannot pay for itself: HTLC transactions, and the child of a
//! commitment.

use super::draft::{COIN_INPUT_WEIGHT, weight};
use super::fees::Fee;
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

/// Of claims that share a transaction, the most valuable that coins can pay for at this rate; one at least, and all that a
/// transaction which stands claims already.
pub fn within_means(
    mut claims: Vec<Claim>,
    coins: &[Coin],
    bids: &Bids,
    feerate: FeeratePerKw,
    pays_to: &ScriptBuf,
) -> Vec<Claim> {
    let to_spend_one = feerate.fee(COIN_INPUT_WEIGHT);
    let has: Amount = coins.iter().filter_map(|coin| coin.output.value.checked_sub(to_spend_one)).sum();
    let all: BTreeSet<OutPoint> = claims.iter().map(|claim| claim.outpoint).collect();
    let standing = bids.for_any(&all).map(|bid| bid.claimed().collect::<BTreeSet<_>>());
    let standing =
        standing.filter(|claimed| claimed.is_subset(&all)).max_by_key(BTreeSet::len).unwrap_or_default();
    let is_standing = |claim: &Claim| standing.contains(&claim.outpoint);
    claims.sort_by_key(|claim| (!is_standing(claim), Reverse(claim.amount), claim.outpoint));
    while claims.len() > standing.len().max(1) && feerate.fee(weight(&claims, 0, pays_to)) > has {
        claims.pop();
    }
    claims
}
