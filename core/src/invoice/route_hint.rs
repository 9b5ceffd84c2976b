//! Ways to a payee whose channels are not public (BOLT 11, `r`).

use crate::types::{CltvExpiryDelta, MilliSatoshi, ShortChannelId};
use bitcoin::secp256k1::PublicKey;

/// How many route hints of an invoice are kept; the payee writes the preferred first.
pub const MAX_ROUTE_HINTS: usize = 20;

/// More hops than this before the payee are not a route that a payment could take beside a public part.
const MAX_HOPS: usize = 8;
/// More blocks than any peer lets an HTLC wait.
const MAX_TOTAL_CLTV_EXPIRY_DELTA: u16 = 2016;
/// A fee as large as the payment itself.
const MAX_TOTAL_PROPORTIONAL_MILLIONTHS: u32 = 1_000_000;

/// The forward route from a public node to the payee. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteHint {
    /// The channels in the order of the payment.
    pub hops: Vec<RouteHintHop>,
}

/// One channel of a [`RouteHint`], with the policy of the node that forwards into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteHintHop {
    /// The node at the start of the channel.
    pub node_id: PublicKey,
    /// The channel, mostly an alias.
    pub short_channel_id: ShortChannelId,
    /// The fixed part of the fee, in millisatoshi.
    pub fee_base_msat: u32,
    /// The fee's part of the amount, in millionths.
    pub fee_proportional_millionths: u32,
    /// The blocks that the node needs between the HTLCs.
    pub cltv_expiry_delta: CltvExpiryDelta,
}

impl RouteHint {
    /// The blocks that all hops need (the largest number where the sum overflows).
    pub fn total_cltv_expiry_delta(&self) -> u16 {
        self.hops.iter().fold(0, |sum, hop| hop.cltv_expiry_delta.0.saturating_add(sum))
    }

    /// What must be sent into the hint for `amount` to arrive (BOLT 7, HTLC Fees), unless it overflows.
    pub fn amount_with_fees(&self, amount: MilliSatoshi) -> Option<MilliSatoshi> {
        self.hops.iter().rev().try_fold(amount, |amount, hop| {
            let proportional = u128::from(amount.to_msat()) * u128::from(hop.fee_proportional_millionths);
            let proportional = u64::try_from(proportional / 1_000_000).ok()?;
            let fee = proportional.checked_add(u64::from(hop.fee_base_msat))?;
            amount.checked_add(MilliSatoshi::from_msat(fee))
        })
    }

    /// Whether a payment could ever take it. The numbers come from whoever wrote the invoice.
    pub(super) fn is_usable(&self) -> bool {
        let proportional =
            self.hops.iter().fold(0u32, |sum, hop| sum.saturating_add(hop.fee_proportional_millionths));
        (1..=MAX_HOPS).contains(&self.hops.len())
            && self.total_cltv_expiry_delta() <= MAX_TOTAL_CLTV_EXPIRY_DELTA
            && proportional <= MAX_TOTAL_PROPORTIONAL_MILLIONTHS
    }
}

impl From<&lightning_invoice::RouteHint> for RouteHint {
    fn from(hint: &lightning_invoice::RouteHint) -> Self {
        let hops = hint.0.iter().map(|hop| RouteHintHop {
            node_id: hop.src_node_id,
            short_channel_id: ShortChannelId(hop.short_channel_id),
            fee_base_msat: hop.fees.base_msat,
            fee_proportional_millionths: hop.fees.proportional_millionths,
            cltv_expiry_delta: CltvExpiryDelta(hop.cltv_expiry_delta),
        });
        Self { hops: hops.collect() }
    }
}

impl From<&RouteHint> for lightning_invoice::RouteHint {
    fn from(hint: &RouteHint) -> Self {
        let hops = hint.hops.iter().map(|hop| lightning_invoice::RouteHintHop {
            src_node_id: hop.node_id,
            short_channel_id: hop.short_channel_id.0,
            fees: lightning_invoice::RoutingFees {
                base_msat: hop.fee_base_msat,
                proportional_millionths: hop.fee_proportional_millionths,
            },
            cltv_expiry_delta: hop.cltv_expiry_delta.0,
            htlc_minimum_msat: None,
            htlc_maximum_msat: None,
        });
        Self(hops.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(fee_base_msat: u32, fee_proportional_millionths: u32, delta: u16) -> RouteHintHop {
        let node_id = "029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255".parse().unwrap();
        RouteHintHop {
            node_id,
            short_channel_id: ShortChannelId(1),
            fee_base_msat,
            fee_proportional_millionths,
            cltv_expiry_delta: CltvExpiryDelta(delta),
        }
    }

    #[test]
    fn fees_are_added_from_the_payee_back() {
        let hint = RouteHint { hops: vec![hop(1, 20, 3), hop(1_000, 2_500, 40)] };
        // 1_000_000 + 1_000 + 2_500 = 1_003_500; + 1 + 20 (20.07 rounded down).
        let amount = hint.amount_with_fees(MilliSatoshi::from_msat(1_000_000));
        assert_eq!(amount, Some(MilliSatoshi::from_msat(1_003_521)));
        assert_eq!(hint.total_cltv_expiry_delta(), 43);
        assert!(hint.is_usable());
    }

    #[test]
    fn absurd_hints_saturate_and_are_not_usable() {
        assert!(!RouteHint { hops: vec![] }.is_usable());
        assert!(!RouteHint { hops: vec![hop(0, 0, 1); 9] }.is_usable());
        let hint = RouteHint { hops: vec![hop(u32::MAX, u32::MAX, u16::MAX); 8] };
        assert_eq!(hint.total_cltv_expiry_delta(), u16::MAX);
        assert_eq!(hint.amount_with_fees(MilliSatoshi::from_msat(u64::MAX)), None);
        assert!(!hint.is_usable());
        assert!(!RouteHint { hops: vec![hop(0, 0, 2017)] }.is_usable());
        assert!(!RouteHint { hops: vec![hop(0, 1_000_001, 0)] }.is_usable());
        assert!(!RouteHint { hops: vec![hop(0, u32::MAX, 0), hop(0, 1, 0)] }.is_usable());
        assert!(RouteHint { hops: vec![hop(u32::MAX, 1_000_000, 2016)] }.is_usable());
    }
}
