//! What transactions pay, as a server estimates it, and within bounds that no server can move.

use crate::types::FeeratePerKw;

/// How soon a transaction is wanted in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Within a day: cooperative closes, sweeps without a deadline.
    Background,
    /// Within an hour or two: funding, commitments under anchors.
    Normal,
    /// In the next blocks: claims with a deadline.
    Urgent,
}

/// Estimates for the three urgencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRates {
    background: FeeratePerKw,
    normal: FeeratePerKw,
    urgent: FeeratePerKw,
}

/// 1000 sat/vB. A server that says more is not believed.
const CEILING: FeeratePerKw = FeeratePerKw::from_sat_per_kw(250_000);

impl FeeRates {
    /// Estimates from outside: brought into bounds and into order.
    pub fn new(background: FeeratePerKw, normal: FeeratePerKw, urgent: FeeratePerKw) -> Self {
        let background = background.clamp(FeeratePerKw::FLOOR, CEILING);
        let normal = normal.clamp(background, CEILING);
        Self { background, normal, urgent: urgent.clamp(normal, CEILING) }
    }

    /// The estimate for this urgency.
    pub fn at(&self, urgency: Urgency) -> FeeratePerKw {
        match urgency {
            Urgency::Background => self.background,
            Urgency::Normal => self.normal,
            Urgency::Urgent => self.urgent,
        }
    }
}

impl Default for FeeRates {
    /// The floor: right on an empty regtest chain, and raised by the first real estimate.
    fn default() -> Self {
        Self::new(FeeratePerKw::FLOOR, FeeratePerKw::FLOOR, FeeratePerKw::FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_estimates_are_brought_into_bounds_and_order() {
        let rate = FeeratePerKw::from_sat_per_kw;
        let rates = FeeRates::new(rate(0), rate(u32::MAX), rate(1));
        assert_eq!(rates.at(Urgency::Background), FeeratePerKw::FLOOR);
        assert_eq!(rates.at(Urgency::Normal), CEILING);
        assert_eq!(rates.at(Urgency::Urgent), CEILING);
    }
}
