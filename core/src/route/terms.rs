//! On which terms a node forwards into a channel: what it takes for it, and what it refuses.

use crate::gossip::ForwardingPolicy;
use crate::invoice::RouteHintHop;
use crate::types::{CltvExpiryDelta, MilliSatoshi};

/// What counts of a `channel_update`, or of a hint in an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) disabled: bool,
    pub(super) fee_base_msat: u32,
    pub(super) fee_proportional_millionths: u32,
    pub(super) cltv_expiry_delta: CltvExpiryDelta,
    pub(super) htlc_minimum: MilliSatoshi,
    pub(super) htlc_maximum: Option<MilliSatoshi>,
}

impl Terms {
    /// What the node keeps for forwarding this much (BOLT 7, HTLC Fees), unless it overflows.
    pub(super) fn fee(&self, amount: MilliSatoshi) -> Option<MilliSatoshi> {
        let proportional = u128::from(amount.to_msat()) * u128::from(self.fee_proportional_millionths);
        let fee = u64::try_from(proportional / 1_000_000).ok()?.checked_add(u64::from(self.fee_base_msat))?;
        Some(MilliSatoshi::from_msat(fee))
    }

    /// Whether an HTLC of this size fits in.
    pub(super) fn carries(&self, amount: MilliSatoshi) -> bool {
        !self.disabled
            && self.htlc_minimum <= amount
            && self.htlc_maximum.is_none_or(|maximum| amount <= maximum)
    }

    /// Whether a node that is given `incoming` forwards `outgoing` (BOLT 4, Requirements for forwarding nodes). Both are an
    /// amount and an expiry, counted in blocks from the same one.
    pub(super) fn forward(&self, incoming: (MilliSatoshi, u32), outgoing: (MilliSatoshi, u32)) -> bool {
        let needed = self.fee(outgoing.0).and_then(|fee| outgoing.0.checked_add(fee));
        self.carries(outgoing.0)
            && needed.is_some_and(|needed| incoming.0 >= needed)
            && incoming.1 >= outgoing.1.saturating_add(u32::from(self.cltv_expiry_delta.0))
    }
}

impl From<ForwardingPolicy> for Terms {
    fn from(policy: ForwardingPolicy) -> Self {
        Self {
            disabled: policy.disabled,
            fee_base_msat: policy.fee_base_msat,
            fee_proportional_millionths: policy.fee_proportional_millionths,
            cltv_expiry_delta: policy.cltv_expiry_delta,
            htlc_minimum: policy.htlc_minimum,
            htlc_maximum: Some(policy.htlc_maximum),
        }
    }
}

impl From<&RouteHintHop> for Terms {
    fn from(hint: &RouteHintHop) -> Self {
        Self {
            disabled: false,
            fee_base_msat: hint.fee_base_msat,
            fee_proportional_millionths: hint.fee_proportional_millionths,
            cltv_expiry_delta: hint.cltv_expiry_delta,
            htlc_minimum: MilliSatoshi::ZERO,
            htlc_maximum: None,
        }
    }
}
