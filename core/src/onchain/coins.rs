//! Which coins of the wallet pay for a transaction that cannot pay for itself: HTLC transactions, and the child of a
//! commitment.

use super::draft::weight;
use super::{Claim, Coin, Draft, Way};
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
        let Some(position) = sufficient.or_else(|| free.len().checked_sub(1)) else {
            return Chosen::MoreCoinsNeeded;
        };
        coins.push(free.remove(position));
    }
}
