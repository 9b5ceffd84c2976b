//! What a claim may cost: tied to what is at stake, to how long nobody else can take it, and to how long it was bid for in
//! vain.

use super::bids::Replaced;
use super::{Claim, SECURITY_DELAY};
use crate::chain::{FeeRates, Urgency};
use crate::types::{BlockHeight, FeeratePerKw};
use bitcoin::Amount;

/// What a full node asks for relaying a replacement, above what it replaces (BIP 125, rule 4; 1 sat/vB).
pub const INCREMENTAL_RELAY: FeeratePerKw = FeeratePerKw::from_sat_per_kw(250);

/// A transaction that pays for itself must pay something out: no output to a witness program needs more to be relayed.
const LEAST_OUTPUT: Amount = Amount::from_sat(330);

/// Deadlines further away than this are no reason to hurry.
const FAR_BLOCKS: u32 = 144;

/// So many blocks before a deadline, a bid that no block took begins to rise: as many as a transaction may wait for its
/// block (BOLT 2, `cltv_expiry_delta` Selection, `S`). Of the 18 before which we close for an HTLC, six are left for a
/// commitment and for claims at the usual price.
pub const RISE_BLOCKS: u32 = 12;

/// What is at stake in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stake {
    /// What would be lost.
    pub amount: Amount,
    /// All that is claimed. More than what would be lost, where a deadline is near for a part of it.
    pub claimed: Amount,
    /// From which height on; unset where nobody else can take it.
    pub deadline: Option<BlockHeight>,
    /// How soon it is wanted where no deadline is near.
    pub urgency: Urgency,
}

impl Stake {
    /// What is at stake in these claims together: where a deadline is near, what would be lost by missing it.
    pub fn of(claims: &[Claim], height: BlockHeight) -> Self {
        let is_hurried = claims.iter().any(|claim| claim.contested.is_some());
        let is_near = |claim: &&Claim| {
            claim.deadline.is_some_and(|deadline| blocks_left(deadline, height) <= SECURITY_DELAY)
        };
        let near: Amount = claims.iter().filter(is_near).map(|claim| claim.amount).sum();
        let all: Amount = claims.iter().map(|claim| claim.amount).sum();
        let pays_itself = !claims.iter().any(Claim::is_second_stage);
        let kept = if pays_itself { LEAST_OUTPUT } else { Amount::ZERO };
        let [near, all] = [near, all].map(|amount| amount.checked_sub(kept).unwrap_or(Amount::ZERO));
        Self {
            amount: if near > Amount::ZERO { near } else { all },
            claimed: all,
            deadline: claims.iter().filter_map(|claim| claim.deadline).min(),
            urgency: if is_hurried { Urgency::Normal } else { Urgency::Background },
        }
    }

    /// What an output is worth that nobody else can take, and that waits for its transaction to come into a block.
    pub fn in_payout(amount: Amount) -> Self {
        let amount = amount.checked_sub(LEAST_OUTPUT).unwrap_or(Amount::ZERO);
        Self { amount, claimed: amount, deadline: None, urgency: Urgency::Background }
    }

    /// Whether a bid that no block took rises now.
    pub fn is_rising(&self, height: BlockHeight) -> bool {
        self.deadline.is_some_and(|deadline| blocks_left(deadline, height) <= RISE_BLOCKS)
    }

    /// The rate at which a bid begins.
    pub fn estimate(&self, height: BlockHeight, rates: &FeeRates) -> FeeratePerKw {
        let left = self.deadline.map(|deadline| blocks_left(deadline, height));
        rates.at(match left {
            Some(..=SECURITY_DELAY) => Urgency::Urgent,
            Some(..=FAR_BLOCKS) => self.urgency.max(Urgency::Normal),
            _ => self.urgency,
        })
    }

    /// The most that may be paid: half of what is claimed, and all that is at stake in the end. Whoever keeps us from
    /// claiming must never gain by it (replacement cycling).
    fn ceiling(&self, since: Option<BlockHeight>, height: BlockHeight) -> Amount {
        let half = self.claimed.to_sat() / 2;
        Amount::from_sat(self.risen(half, self.amount.to_sat().max(half), since, height))
    }

    /// The rate that is wanted for a transaction of this weight: the estimate, and where that did not suffice since the
    /// first bid, in the last blocks before the deadline ever more.
    fn wanted(
        &self,
        weight: u64,
        since: Option<BlockHeight>,
        height: BlockHeight,
        rates: &FeeRates,
    ) -> FeeratePerKw {
        let estimate = self.estimate(height, rates);
        let most = feerate(self.amount, weight).max(estimate);
        let [estimate, most] = [estimate, most].map(|rate| u64::from(rate.to_sat_per_kw()));
        let rate = self.risen(estimate, most, since, height);
        FeeratePerKw::from_sat_per_kw(u32::try_from(rate).unwrap_or(u32::MAX))
    }

    /// Where a value is on its way from what it is at first to what it is at the deadline. Nobody was kept from anything by
    /// whom no block has passed yet: who has slept begins where everybody does.
    fn risen(&self, first: u64, last: u64, since: Option<BlockHeight>, height: BlockHeight) -> u64 {
        let (Some(deadline), Some(since)) = (self.deadline, since) else { return first };
        let gone = u64::from(height.saturating_sub(since.max(deadline.saturating_sub(RISE_BLOCKS))));
        let left = u64::from(blocks_left(deadline, height));
        first + (last - first) * gone / (gone + left).max(1)
    }
}

const fn blocks_left(deadline: BlockHeight, height: BlockHeight) -> u32 {
    deadline.saturating_sub(height)
}

/// What a transaction is to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Where there are coins for it.
    pub wanted: Amount,
    /// What mempools ask for. No more than what is wanted.
    pub least: Amount,
}

/// What decides how much a transaction is to pay.
#[derive(Clone, Copy, Debug)]
pub struct Auction<'a> {
    /// What it is for.
    pub stake: &'a Stake,
    /// The weight and the fee of a parent that it pays for as well.
    pub parent: (u64, Amount),
    /// What it takes the place of.
    pub replaced: Replaced,
    /// What it may pay above the estimate: its share of the coins, where others wait for some.
    pub share: Amount,
    /// The present height.
    pub height: BlockHeight,
    /// The present estimates.
    pub rates: &'a FeeRates,
}

impl Auction<'_> {
    /// The fee for a transaction of this weight. Unset where what was bid before should stay, or where it is not worth it.
    pub fn fee(&self, weight: u64) -> Option<Fee> {
        let Self { stake, parent: (parent_weight, paid), replaced, share, height, rates } = *self;
        let floor = FeeratePerKw::FLOOR.fee(weight);
        let ceiling = stake.ceiling(replaced.since, height);
        let package = weight.saturating_add(parent_weight);
        let of_package = |rate: FeeratePerKw| rate.fee(package).checked_sub(paid).unwrap_or(Amount::ZERO);
        let estimate = of_package(stake.estimate(height, rates));
        let wanted = of_package(stake.wanted(package, replaced.since, height, rates));
        let wanted = wanted.min(share.max(estimate)).min(ceiling).max(floor);
        let Some(feerate) = replaced.feerate else {
            return (wanted <= ceiling).then_some(Fee { wanted, least: floor });
        };
        if replaced.fees == Amount::ZERO {
            // What was bid for is gone in part: the rest is bid for anew, and not for less while there are coins.
            let same = feerate.fee(weight).min(stake.claimed);
            return Some(Fee { wanted: wanted.max(same), least: floor });
        }
        let higher =
            u64::from(feerate.to_sat_per_kw()).saturating_add(1).saturating_mul(weight).div_ceil(1_000);
        let higher = Amount::from_sat(higher);
        let least = (replaced.fees + INCREMENTAL_RELAY.fee(weight) + Amount::ONE_SAT).max(higher);
        // Less than it did before, or more: what stands cannot stay.
        let wanted = if replaced.stands { wanted } else { wanted.max(least) };
        let may_be_made = least <= wanted && (replaced.stands || wanted <= stake.claimed);
        may_be_made.then_some(Fee { wanted, least })
    }
}

/// This fee for this weight as a rate, rounded down.
fn feerate(fee: Amount, weight: u64) -> FeeratePerKw {
    let rate = fee.to_sat().saturating_mul(1_000) / weight.max(1);
    FeeratePerKw::from_sat_per_kw(u32::try_from(rate).unwrap_or(u32::MAX))
}
