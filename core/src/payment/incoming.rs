//! A payment we are to receive.

use crate::types::{MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage, PaymentSecret, UnixTime};
use minicbor::{Decode, Encode};

/// A payment we are to receive, from before its invoice is shown until for ever.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Incoming {
    /// Our name of it.
    #[n(0)]
    pub id: PaymentId,
    /// What opens the HTLCs. Secret until they are settled.
    #[n(1)]
    pub preimage: PaymentPreimage,
    /// What proves that a payer has our invoice.
    #[n(2)]
    pub payment_secret: PaymentSecret,
    /// Unset: the payer chooses.
    #[n(3)]
    pub amount: Option<MilliSatoshi>,
    /// Shown to the payer.
    #[n(4)]
    pub description: String,
    /// The BOLT 11 text.
    #[cbor(n(5), with = "super::invoice_text")]
    pub invoice: String,
    /// When the invoice was made.
    #[n(6)]
    pub created: UnixTime,
    /// From then on it is not accepted.
    #[n(7)]
    pub expires_at: UnixTime,
    /// The least number of blocks that must be left when a part arrives.
    #[n(8)]
    pub min_final_cltv_expiry_delta: u16,
    /// Where it stands.
    #[n(9)]
    pub state: IncomingState,
}

/// Where an incoming payment stands. It only ever goes from the first to the second.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum IncomingState {
    /// Not paid, or not all parts are there.
    #[n(0)]
    Expecting,
    /// All parts were there and are being, or were, settled.
    #[n(1)]
    Received {
        /// What arrived.
        #[n(0)]
        amount: MilliSatoshi,
        /// When.
        #[n(1)]
        at: UnixTime,
    },
}

impl Incoming {
    /// What the payer pays to.
    pub fn payment_hash(&self) -> PaymentHash {
        self.preimage.payment_hash()
    }

    /// The payment once `amount` was there in full; unset if it was received before.
    pub fn received(&self, amount: MilliSatoshi, at: UnixTime) -> Option<Self> {
        match self.state {
            IncomingState::Expecting => {
                Some(Self { state: IncomingState::Received { amount, at }, ..self.clone() })
            }
            IncomingState::Received { .. } => None,
        }
    }

    /// Whether it is over: received, or expired.
    pub fn is_final(&self, now: UnixTime) -> bool {
        matches!(self.state, IncomingState::Received { .. }) || now >= self.expires_at
    }
}
