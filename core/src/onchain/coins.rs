//! Which coins of the wallet pay for a transaction that cannot pay for itself: HTLC transactions, and the child of a
//! commitment.

use super::draft::weight;
use super::{Claim, Coin, Draft, Way};
use crate::types::FeeratePerKw;
use bitcoin::{Amount, ScriptBuf};

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
    fee: impl Fn(u64) -> Option<Amount>,
) -> Chosen {
    let takes_coins = claims.iter().any(|claim| matches!(claim.way, Way::SecondStage { .. } | Way::Anchor));
    free.sort_by_key(|coin| (coin.output.value, coin.outpoint));
    let is_first = reused.is_empty();
    let mut coins = if takes_coins { reused } else { Vec::new() };
    loop {
        let Some(fee_now) = fee(weight(&claims, coins.len(), pays_to)) else { return Chosen::NotNow };
        if let Some(draft) = Draft::new(claims.clone(), coins.clone(), fee_now, pays_to.clone()) {
            return Chosen::Draft(draft);
        }
        if !takes_coins {
            return Chosen::NotNow;
        }
        let has: Amount = coins.iter().map(|coin| coin.output.value).sum();
        let needed = fee(weight(&claims, coins.len() + 1, pays_to)).unwrap_or(fee_now);
        let missing = (needed + pays_to.minimal_non_dust()).checked_sub(has).unwrap_or(Amount::ZERO);
        // The smallest that suffices; without one, the largest.
        let sufficient = free.iter().position(|coin| coin.output.value >= missing);
        match sufficient.or_else(|| free.len().checked_sub(1)) {
            Some(position) => coins.push(free.remove(position)),
            // Less than wanted is better than nothing, where there is nothing yet.
            None if is_first => return with_all(claims, coins, pays_to),
            None => return Chosen::MoreCoinsNeeded,
        }
    }
}

/// What all coins together can pay, if that is relayed.
fn with_all(claims: Vec<Claim>, coins: Vec<Coin>, pays_to: &ScriptBuf) -> Chosen {
    let anchors = claims.iter().filter(|claim| !claim.is_second_stage()).map(|claim| claim.amount);
    let has: Amount = anchors.chain(coins.iter().map(|coin| coin.output.value)).sum();
    let affordable = has.checked_sub(pays_to.minimal_non_dust()).unwrap_or(Amount::ZERO);
    let is_relayed = affordable >= FeeratePerKw::FLOOR.fee(weight(&claims, coins.len(), pays_to));
    let draft = Draft::new(claims, coins, affordable, pays_to.clone()).filter(|_| is_relayed);
    draft.map_or(Chosen::MoreCoinsNeeded, Chosen::Draft)
}
