//! Why an outgoing payment failed, as an owner can understand it.

use crate::types::MilliSatoshi;
use minicbor::{Decode, Encode};

/// The reason, with what the owner can do next in its text.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum FailureReason {
    /// There is no way to the payee that is known and large enough.
    #[n(0)]
    #[error("no route to the recipient was found: {detail}")]
    NoRoute {
        /// What was missing.
        #[n(0)]
        detail: String,
    },
    /// A way exists, but it costs more than the owner allowed.
    #[n(1)]
    #[error(
        "the cheapest route costs {cheapest}, more than the limit of {limit}: raise the limit and try again"
    )]
    FeeTooHigh {
        /// What it would cost.
        #[n(0)]
        cheapest: MilliSatoshi,
        /// What is allowed.
        #[n(1)]
        limit: MilliSatoshi,
    },
    /// The time for finding a way is over, and nothing is in flight.
    #[n(2)]
    #[error("the payment did not get through in time: try again later")]
    TimedOut,
    /// The invoice expired before a way was found.
    #[n(3)]
    #[error("the invoice expired: ask for a new one")]
    InvoiceExpired,
    /// The payee does not know the payment, or the amount or time is not what it wants.
    #[n(4)]
    #[error("the recipient refused the payment: ask for a new invoice")]
    RecipientRefused,
    /// The payee answered with an error that trying again will not change.
    #[n(5)]
    #[error("the recipient cannot accept the payment (code {code:#06x})")]
    RecipientError {
        /// The failure code (BOLT 4).
        #[n(0)]
        code: u16,
    },
    /// Every way that was tried failed.
    #[n(6)]
    #[error(
        "{attempts} routes were tried and all failed, the last at hop {hop} (code {code:#06x}): try again later"
    )]
    AllRoutesFailed {
        /// How many.
        #[n(0)]
        attempts: u32,
        /// Which hop, counted from 1; 0 where it is not known.
        #[n(1)]
        hop: u32,
        /// The failure code (BOLT 4); 0 where it could not be read.
        #[n(2)]
        code: u16,
    },
    /// The channel closed and the chain returned the amount.
    #[n(7)]
    #[error("the channel closed before the payment got through")]
    ChannelClosed,
}
