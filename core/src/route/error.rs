//! Why there is no route.

use crate::types::MilliSatoshi;
use bitcoin::secp256k1::PublicKey;

/// Why no route was found. Everything is about this moment: channels, terms and balances change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Nothing, or more than can exist.
    #[error("{amount} cannot be sent")]
    AmountOutOfRange {
        /// What was asked for.
        amount: MilliSatoshi,
    },
    /// No channel of ours can carry the amount.
    #[error("no channel can send the amount; the most that one can send is {largest}")]
    NoUsableChannel {
        /// The largest HTLC that any channel can carry.
        largest: MilliSatoshi,
    },
    /// Our peers do not take so small an HTLC.
    #[error("the least that a channel can send is {smallest}")]
    BelowMinimum {
        /// The smallest HTLC that any channel can carry.
        smallest: MilliSatoshi,
    },
    /// Our channels could carry the amount, but not the fee on top of it.
    #[error("with fees {needed} must be sent, and the most that a channel on the way can send is {largest}")]
    FeeDoesNotFit {
        /// Amount and fee.
        needed: MilliSatoshi,
        /// The largest HTLC that the channel can carry.
        largest: MilliSatoshi,
    },
    /// The payee is neither our peer nor in the graph, and the invoice does not say how to reach it.
    #[error("the recipient is not known to the network, and its invoice names no way to it")]
    PayeeUnknown {
        /// Who that is.
        payee: PublicKey,
    },
    /// The payee is known, but nothing that can carry the amount leads there.
    #[error("no way to the recipient can carry the amount")]
    NoPath,
    /// Ways exist, but only with more hops or more blocks than allowed.
    #[error("every way to the recipient is too long: more than {max_hops} hops or {max_cltv} blocks")]
    TooLong {
        /// The most hops allowed.
        max_hops: usize,
        /// The most blocks allowed.
        max_cltv: u32,
    },
    /// A way exists, but it costs more than allowed.
    #[error("the cheapest way to the recipient costs {cheapest}, more than {limit}")]
    FeeTooHigh {
        /// What it costs.
        cheapest: MilliSatoshi,
        /// What was allowed.
        limit: MilliSatoshi,
    },
}

impl RouteError {
    /// Of two searches with different aims: a price says more than a missing way, and the lower one more than the higher.
    pub(super) fn or_more_useful(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::FeeTooHigh { cheapest: ours, .. }, Self::FeeTooHigh { cheapest: theirs, .. })
                if theirs < ours =>
            {
                other
            }
            (Self::FeeTooHigh { .. }, _) => self,
            (_, Self::FeeTooHigh { .. }) => other,
            _ => self,
        }
    }
}
