//! Amounts and fee rates. All arithmetic is checked: an overflow is an absent result, never a wrap.

use bitcoin::Amount;
use std::fmt;

/// All bitcoin that will ever exist, in satoshi. No amount from outside may be larger.
pub const MAX_MONEY_SAT: u64 = 21_000_000 * 100_000_000;

/// An amount in thousandths of a satoshi, the unit of Lightning.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MilliSatoshi(u64);

/// Why an amount was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// More than [`MAX_MONEY_SAT`].
    #[error("{msat} msat is more than all bitcoin that can exist")]
    AboveSupply {
        /// The refused amount.
        msat: u64,
    },
}

impl MilliSatoshi {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount from trusted code. Amounts from outside go through [`MilliSatoshi::try_from_msat`].
    pub const fn from_msat(msat: u64) -> Self {
        Self(msat)
    }

    /// An amount from outside: refused above the supply.
    ///
    /// # Errors
    /// [`AmountError::AboveSupply`].
    pub const fn try_from_msat(msat: u64) -> Result<Self, AmountError> {
        if msat > MAX_MONEY_SAT * 1000 { Err(AmountError::AboveSupply { msat }) } else { Ok(Self(msat)) }
    }

    /// A whole number of satoshi (saturates at `u64::MAX` msat, which no valid amount reaches).
    pub fn from_amount(amount: Amount) -> Self {
        Self(amount.to_sat().saturating_mul(1000))
    }

    /// The number of millisatoshi.
    pub const fn to_msat(self) -> u64 {
        self.0
    }

    /// Whole satoshi, rounded down: what a transaction output can carry (BOLT 3, Commitment Transaction Outputs).
    pub const fn to_amount_floor(self) -> Amount {
        Amount::from_sat(self.0 / 1000)
    }

    /// Whole satoshi, rounded up.
    pub const fn to_amount_ceil(self) -> Amount {
        Amount::from_sat(self.0.div_ceil(1000))
    }

    /// The sum, unless it overflows.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, unless it would be negative.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// The difference, or nothing where it would be negative.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, or the largest number where it would overflow.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The sum of many, unless it overflows.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl From<Amount> for MilliSatoshi {
    fn from(amount: Amount) -> Self {
        Self::from_amount(amount)
    }
}

impl fmt::Display for MilliSatoshi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} msat", self.0)
    }
}

impl fmt::Debug for MilliSatoshi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A fee rate in satoshi per 1000 weight units, the unit of BOLT 2 and BOLT 3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeeratePerKw(u32);

impl FeeratePerKw {
    /// The least that Bitcoin nodes relay, rounded up as all peers do.
    pub const FLOOR: Self = Self(253);

    /// From satoshi per 1000 weight units.
    pub const fn from_sat_per_kw(sat_per_kw: u32) -> Self {
        Self(sat_per_kw)
    }

    /// From satoshi per virtual byte, rounded up and never below [`FeeratePerKw::FLOOR`].
    pub fn from_sat_per_vb(sat_per_vb: u32) -> Self {
        Self(sat_per_vb.saturating_mul(250).max(Self::FLOOR.0))
    }

    /// In satoshi per 1000 weight units.
    pub const fn to_sat_per_kw(self) -> u32 {
        self.0
    }

    /// The fee of a transaction of this weight, rounded down (BOLT 3, Fees).
    pub const fn fee(self, weight: u64) -> Amount {
        Amount::from_sat((self.0 as u64).saturating_mul(weight) / 1000)
    }

    /// A multiple of this rate.
    pub const fn saturating_mul(self, factor: u32) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl fmt::Display for FeeratePerKw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sat/kw", self.0)
    }
}

impl fmt::Debug for FeeratePerKw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_above_the_supply_are_refused() {
        let all = MAX_MONEY_SAT * 1000;
        assert_eq!(MilliSatoshi::try_from_msat(all), Ok(MilliSatoshi(all)));
        assert_eq!(MilliSatoshi::try_from_msat(all + 1), Err(AmountError::AboveSupply { msat: all + 1 }));
    }

    #[test]
    fn arithmetic_never_wraps() {
        let max = MilliSatoshi(u64::MAX);
        assert_eq!(max.checked_add(MilliSatoshi(1)), None);
        assert_eq!(MilliSatoshi(1).checked_sub(MilliSatoshi(2)), None);
        assert_eq!(MilliSatoshi::checked_sum([max, MilliSatoshi(1)]), None);
        assert_eq!(FeeratePerKw(u32::MAX).fee(u64::MAX), Amount::from_sat(u64::MAX / 1000));
    }

    #[test]
    fn satoshi_round_down_for_outputs_and_up_for_costs() {
        assert_eq!(MilliSatoshi(1_999).to_amount_floor(), Amount::from_sat(1));
        assert_eq!(MilliSatoshi(1_001).to_amount_ceil(), Amount::from_sat(2));
    }
}
