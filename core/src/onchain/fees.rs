//! What a claim may cost: tied to what is at stake, and to how long nobody else can take it.

use super::bids::Replaced;
use super::{Claim, SECURITY_DELAY};
use crate::chain::{FeeRates, Urgency};
use crate::types::{BlockHeight, FeeratePerKw};
use bitcoin::Amount;

/// What a full node asks for relaying a replacement, above what it replaces (BIP 125, rule 4; 1 sat/vB).
const INCREMENTAL_RELAY: FeeratePerKw = FeeratePerKw::from_sat_per_kw(250);

/// A transaction that pays for itself must pay something out: no output to a witness program needs more to be relayed.
const LEAST_OUTPUT: Amount = Amount::from_sat(330);

/// Deadlines further away than this are no reason to hurry.
const FAR_BLOCKS: u32 = 144;

/// What is at stake in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stake {
    /// What would be lost.
    pub amount: Amount,
    /// From which height on; unset where nobody else can take it.
    pub deadline: Option<BlockHeight>,
    /// How soon it is wanted where no deadline is near.
    pub urgency: Urgency,
}

impl Stake {
    /// What is at stake in these claims together.
    pub fn of(claims: &[Claim]) -> Self {
        let is_hurried = claims.iter().any(|claim| claim.contested.is_some());
        let amount: Amount = claims.iter().map(|claim| claim.amount).sum();
        let pays_itself = !claims.iter().any(Claim::is_second_stage);
        let kept = if pays_itself { LEAST_OUTPUT } else { Amount::ZERO };
        Self {
            amount: amount.checked_sub(kept).unwrap_or(Amount::ZERO),
            deadline: claims.iter().filter_map(|claim| claim.deadline).min(),
            urgency: if is_hurried { Urgency::Normal } else { Urgency::Background },
        }
    }

    /// What an output is worth that nobody else can take, and that waits for its transaction to come into a block.
    pub fn in_payout(amount: Amount) -> Self {
        let amount = amount.checked_sub(LEAST_OUTPUT).unwrap_or(Amount::ZERO);
        Self { amount, deadline: None, urgency: Urgency::Background }
    }

    /// How many blocks are left, at most [`SECURITY_DELAY`]; unset where the deadline is not near.
    fn near(&self, height: BlockHeight) -> Option<u32> {
        let left = self.deadline?.saturating_sub(height);
        (left <= SECURITY_DELAY).then_some(left)
    }

    /// The most that may be paid: half of what is at stake, and all of it in the end. Whoever keeps us from claiming
    /// must never gain by it (replacement cycling).
    pub fn ceiling(&self, height: BlockHeight) -> Amount {
        let half = self.amount.to_sat() / 2;
        let gone = u64::from(self.near(height).map_or(0, |left| SECURITY_DELAY - left));
        Amount::from_sat(half + (self.amount.to_sat() - half) * gone / u64::from(SECURITY_DELAY))
    }

    /// The rate that is wanted for a transaction of this weight: an estimate, and in the last blocks before the deadline
    /// ever more.
    pub fn wanted(&self, weight: u64, height: BlockHeight, rates: &FeeRates) -> FeeratePerKw {
        let Some(left) = self.near(height) else {
            let is_far = self.deadline.is_none_or(|deadline| deadline.saturating_sub(height) > FAR_BLOCKS);
            let urgency = if is_far { self.urgency } else { self.urgency.max(Urgency::Normal) };
            return rates.at(urgency);
        };
        let urgent = rates.at(Urgency::Urgent);
        let most = feerate(self.amount, weight).max(urgent);
        let gone = u64::from(SECURITY_DELAY - left);
        let span = u64::from(most.to_sat_per_kw() - urgent.to_sat_per_kw());
        let more = u32::try_from(span * gone / u64::from(SECURITY_DELAY)).unwrap_or(u32::MAX);
        FeeratePerKw::from_sat_per_kw(urgent.to_sat_per_kw().saturating_add(more))
    }
}

/// The fee for a transaction of this weight; `paid_weight` and `paid` are those of a parent that it pays for as well. Unset
/// where what was bid before should stay, or where it is not worth it.
pub fn fee_to_bid(
    stake: &Stake,
    weight: u64,
    (paid_weight, paid): (u64, Amount),
    replaced: &Replaced,
    height: BlockHeight,
    rates: &FeeRates,
) -> Option<Amount> {
    let ceiling = stake.ceiling(height);
    let package = weight.saturating_add(paid_weight);
    let wanted = stake.wanted(package, height, rates).fee(package).to_sat().saturating_sub(paid.to_sat());
    let wanted = Amount::from_sat(wanted).min(ceiling).max(FeeratePerKw::FLOOR.fee(weight));
    let Some(feerate) = replaced.feerate else {
        return (wanted <= ceiling).then_some(wanted);
    };
    if replaced.fees == Amount::ZERO {
        // What was bid for is gone in part: the rest is bid for anew, and never for less.
        let same = feerate.fee(weight).min(stake.amount);
        return Some(wanted.max(same));
    }
    let higher = u64::from(feerate.to_sat_per_kw()).saturating_add(1).saturating_mul(weight).div_ceil(1_000);
    let higher = Amount::from_sat(higher);
    let least = (replaced.fees + INCREMENTAL_RELAY.fee(weight) + Amount::ONE_SAT).max(higher);
    match replaced.stands {
        true => (wanted >= least).then_some(wanted),
        // Less than it did before, or more: what stands cannot stay.
        false => Some(wanted.max(least)).filter(|fee| *fee <= stake.amount),
    }
}

/// This fee for this weight as a rate, rounded down.
fn feerate(fee: Amount, weight: u64) -> FeeratePerKw {
    let rate = fee.to_sat().saturating_mul(1_000) / weight.max(1);
    FeeratePerKw::from_sat_per_kw(u32::try_from(rate).unwrap_or(u32::MAX))
}
