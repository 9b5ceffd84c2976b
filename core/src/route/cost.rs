//! What a hop costs: its fee, and what it may cost us besides.

use crate::types::MilliSatoshi;

/// A fixed part, for the trouble of a failed attempt, in millisatoshi.
const ATTEMPT_BASE_MSAT: u64 = 500;
/// The part of the amount that the trouble is worth, as a divisor.
const ATTEMPT_DIVISOR: u64 = 2_000;
/// Money that is locked for a block costs this part of it, as a divisor: 2.6 % in a year.
const BLOCK_DIVISOR: u128 = 2_000_000;
/// No failure is more expensive than so many attempts.
const MAX_ATTEMPTS: u64 = 64;

/// What is to be kept small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// Fees, the risk that a hop fails and the time that money may be locked, weighed against each other.
    Balanced,
    /// Fees alone.
    Fee,
    /// The blocks until our HTLC expires, then fees.
    Cltv,
    /// The number of hops, then fees.
    Hops,
}

/// One hop as far as its cost goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct HopCost {
    /// What is forwarded.
    pub(super) amount: MilliSatoshi,
    /// What the forwarding node keeps.
    pub(super) fee: MilliSatoshi,
    /// The blocks it needs.
    pub(super) cltv_expiry_delta: u16,
    /// The most that the channel can carry, where that is known.
    pub(super) capacity: Option<MilliSatoshi>,
    /// How often it was on a way that failed without a word.
    pub(super) suspicion: u32,
}

impl Aim {
    /// The cost in millisatoshi, or in units that only compare with each other. The sum over 20 hops does not overflow where
    /// blocks or hops count.
    pub(super) fn cost(self, hop: &HopCost) -> u64 {
        let fee = hop.fee.to_msat();
        match self {
            Self::Balanced => fee.saturating_add(hop.risk()).saturating_add(hop.waiting()),
            Self::Fee => fee,
            Self::Cltv => u64::from(hop.cltv_expiry_delta) << 40 | (fee >> 12).min((1 << 40) - 1),
            Self::Hops => 1 << 56 | fee.min((1 << 56) - 1),
        }
    }
}

impl HopCost {
    /// The chance of a failure, priced. A balance anywhere between nothing and the capacity is equally likely, so the chance
    /// of success is the free part of the capacity, and `used / free` failures are expected for each success.
    fn risk(&self) -> u64 {
        let attempt = ATTEMPT_BASE_MSAT.saturating_add(self.amount.to_msat() / ATTEMPT_DIVISOR);
        let expected = match self.capacity {
            None => 0,
            Some(capacity) => {
                let free = u128::from(capacity.saturating_sub(self.amount).to_msat()).max(1);
                let priced = u128::from(attempt) * u128::from(self.amount.to_msat()) / free;
                u64::try_from(priced).unwrap_or(u64::MAX).min(attempt.saturating_mul(MAX_ATTEMPTS))
            }
        };
        let suspected = attempt.saturating_mul(u64::from(self.suspicion)).saturating_mul(8);
        // A hop more is one more that can fail, whatever its capacity.
        (attempt / 8).saturating_add(expected).saturating_add(suspected)
    }

    fn waiting(&self) -> u64 {
        let locked = u128::from(self.amount.to_msat()) * u128::from(self.cltv_expiry_delta);
        u64::try_from(locked / BLOCK_DIVISOR).unwrap_or(u64::MAX)
    }
}
