//! A payment we make.

use super::FailureReason;
use crate::types::{
    CltvExpiry, HtlcId, MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage, ShortChannelId, UnixTime,
};
use bitcoin::secp256k1::PublicKey;
use minicbor::{Decode, Encode};

/// A payment we make, from before its first message until for ever.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Outgoing {
    /// The owner's name of it; the same one never pays twice.
    #[n(0)]
    pub id: PaymentId,
    /// What the payee must open.
    #[n(1)]
    pub payment_hash: PaymentHash,
    /// The BOLT 11 text.
    #[cbor(n(2), with = "super::invoice_text")]
    pub invoice: String,
    /// What arrives.
    #[n(3)]
    pub amount: MilliSatoshi,
    /// The most that may be paid on top.
    #[n(4)]
    pub max_fee: MilliSatoshi,
    /// When the owner asked for it.
    #[n(5)]
    pub created: UnixTime,
    /// From then on no new attempt is made.
    #[n(6)]
    pub give_up_at: UnixTime,
    /// How many attempts were made so far.
    #[n(7)]
    pub attempts: u32,
    /// For the owner only.
    #[n(8)]
    pub note: Option<String>,
    /// Where it stands.
    #[n(9)]
    pub state: OutgoingState,
}

/// Where an outgoing payment stands.
///
/// ```text
///            attempt             settled
///  Pending ----------> InFlight ----------> Sent
///     |  <----------       |
///     |     failed         | gave up
///     |                    v
///     +-----------------> Failed
///           gave up
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum OutgoingState {
    /// No HTLC of it exists.
    #[n(0)]
    Pending,
    /// An HTLC of it may exist; nobody may call it failed while that is so.
    #[n(1)]
    InFlight(#[n(0)] Attempt),
    /// It arrived.
    #[n(2)]
    Sent {
        /// The proof.
        #[n(0)]
        preimage: PaymentPreimage,
        /// What was paid on top.
        #[n(1)]
        fee: MilliSatoshi,
        /// When the proof arrived.
        #[n(2)]
        at: UnixTime,
        /// How many nodes it went through, the payee included.
        #[n(3)]
        hops: u32,
    },
    /// It failed, and nothing of it is in flight.
    #[n(3)]
    Failed {
        /// Why.
        #[n(0)]
        reason: FailureReason,
        /// When.
        #[n(1)]
        at: UnixTime,
    },
}

/// One HTLC that was, or is being, offered for a payment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Attempt {
    /// The channel key index of our channel that carries it.
    #[n(0)]
    pub channel: u32,
    /// The number of the HTLC there.
    #[n(1)]
    pub htlc_id: HtlcId,
    /// What leaves our channel, fees included.
    #[n(2)]
    pub sent: MilliSatoshi,
    /// The expiry of the HTLC in our channel.
    #[n(3)]
    pub cltv_expiry: CltvExpiry,
    /// The way on from our peer, the payee last; empty where our peer is the payee. With the invoice it says all that the
    /// onion is made of.
    #[n(4)]
    pub onward: Vec<AttemptHop>,
    /// How the onion is made of it.
    #[cbor(n(5), default)]
    pub form: OnionForm,
}

/// How an onion is made of an attempt and its invoice. The peer may have signed for its bytes, so another way to make one is
/// another form, and this one stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum OnionForm {
    /// Payloads of BOLT 4 that say no more than they must, and a session key that follows from them.
    #[default]
    #[n(0)]
    Plain,
}

/// One node on the way of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AttemptHop {
    /// Who.
    #[cbor(n(0), with = "crate::store::cbor::public_key")]
    pub node_id: PublicKey,
    /// The channel that leads to it.
    #[n(1)]
    pub short_channel_id: ShortChannelId,
    /// The amount of the HTLC that arrives there.
    #[n(2)]
    pub amount: MilliSatoshi,
    /// Its expiry.
    #[n(3)]
    pub cltv_expiry: CltvExpiry,
}

/// What can happen to an outgoing payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutgoingEvent {
    /// An HTLC is offered.
    Attempted(Attempt),
    /// The HTLC was removed for ever without a preimage; another way may be tried.
    AttemptFailed,
    /// The preimage is known.
    Settled {
        /// The proof.
        preimage: PaymentPreimage,
        /// When.
        at: UnixTime,
    },
    /// No other way will be tried, and no HTLC exists.
    GaveUp {
        /// Why.
        reason: FailureReason,
        /// When.
        at: UnixTime,
    },
}

/// A step that the table does not have. It is a bug of ours, and the payment stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payment cannot go from {from} by {event}")]
pub struct TransitionError {
    /// The state it is in.
    pub from: &'static str,
    /// What was to happen.
    pub event: &'static str,
}

impl Outgoing {
    /// The payment after this event.
    ///
    /// # Errors
    /// A step that the table above does not have, or a preimage that does not open the hash.
    pub fn after(&self, event: OutgoingEvent) -> Result<Self, TransitionError> {
        let mut next = self.clone();
        next.state = match (&self.state, event) {
            (OutgoingState::Pending, OutgoingEvent::Attempted(attempt)) => {
                next.attempts = self.attempts.saturating_add(1);
                OutgoingState::InFlight(attempt)
            }
            (OutgoingState::InFlight(_), OutgoingEvent::AttemptFailed) => OutgoingState::Pending,
            (OutgoingState::InFlight(attempt), OutgoingEvent::Settled { preimage, at })
                if preimage.payment_hash() == self.payment_hash =>
            {
                OutgoingState::Sent {
                    preimage,
                    fee: attempt.sent.saturating_sub(self.amount),
                    at,
                    hops: u32::try_from(attempt.onward.len() + 1).unwrap_or(u32::MAX),
                }
            }
            (OutgoingState::Pending, OutgoingEvent::GaveUp { reason, at })
            | (OutgoingState::InFlight(_), OutgoingEvent::GaveUp { reason, at }) => {
                OutgoingState::Failed { reason, at }
            }
            (from, event) => return Err(TransitionError { from: from.name(), event: event.name() }),
        };
        Ok(next)
    }

    /// Whether an HTLC of this attempt is the one meant.
    pub fn is_attempt(&self, channel: u32, htlc_id: HtlcId) -> bool {
        matches!(&self.state, OutgoingState::InFlight(attempt) if (attempt.channel, attempt.htlc_id) == (channel, htlc_id))
    }

    /// Whether it is over.
    pub fn is_final(&self) -> bool {
        matches!(self.state, OutgoingState::Sent { .. } | OutgoingState::Failed { .. })
    }
}

impl OutgoingState {
    fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InFlight(_) => "in flight",
            Self::Sent { .. } => "sent",
            Self::Failed { .. } => "failed",
        }
    }
}

impl OutgoingEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Attempted(_) => "an attempt",
            Self::AttemptFailed => "a failed attempt",
            Self::Settled { .. } => "a preimage",
            Self::GaveUp { .. } => "giving up",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Outgoing {
        Outgoing {
            id: PaymentId([1; 16]),
            payment_hash: PaymentPreimage([2; 32]).payment_hash(),
            invoice: String::new(),
            amount: MilliSatoshi::from_msat(1_000),
            max_fee: MilliSatoshi::from_msat(10),
            created: UnixTime(1),
            give_up_at: UnixTime(61),
            attempts: 0,
            note: None,
            state: OutgoingState::Pending,
        }
    }

    fn attempted() -> OutgoingEvent {
        OutgoingEvent::Attempted(Attempt {
            channel: 3,
            htlc_id: HtlcId(4),
            sent: MilliSatoshi::from_msat(1_007),
            cltv_expiry: CltvExpiry::new(800_000).unwrap(),
            onward: vec![],
            form: OnionForm::Plain,
        })
    }

    fn settled(byte: u8) -> OutgoingEvent {
        OutgoingEvent::Settled { preimage: PaymentPreimage([byte; 32]), at: UnixTime(9) }
    }

    fn gave_up() -> OutgoingEvent {
        OutgoingEvent::GaveUp { reason: FailureReason::TimedOut, at: UnixTime(9) }
    }

    #[test]
    fn the_table_of_transitions() {
        let pending = pending();
        let in_flight = pending.after(attempted()).unwrap();
        let sent = in_flight.after(settled(2)).unwrap();
        let failed = pending.after(gave_up()).unwrap();
        assert_eq!(in_flight.after(OutgoingEvent::AttemptFailed).unwrap().state, OutgoingState::Pending);
        assert_eq!(in_flight.attempts, 1);
        assert!(matches!(sent.state, OutgoingState::Sent { fee, .. } if fee.to_msat() == 7));
        let forbidden = [
            (&pending, OutgoingEvent::AttemptFailed),
            (&pending, settled(2)),
            (&in_flight, attempted()),
            (&in_flight, settled(3)),
            (&sent, attempted()),
            (&sent, OutgoingEvent::AttemptFailed),
            (&sent, settled(2)),
            (&sent, gave_up()),
            (&failed, attempted()),
            (&failed, OutgoingEvent::AttemptFailed),
            (&failed, settled(2)),
            (&failed, gave_up()),
        ];
        for (payment, event) in forbidden {
            assert!(payment.after(event.clone()).is_err(), "{payment:?} {event:?}");
        }
    }
}
