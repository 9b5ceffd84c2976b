//! How a payment that was made or received ended, in the few bytes that its terms leave to say.

use super::{Incoming, IncomingState, Outgoing, OutgoingState, PaymentRecord};
use crate::store::number::{read_number, write_number};
use crate::types::{MilliSatoshi, PaymentPreimage, UnixTime};
use crate::wire::{Reader, Writer};

const SENT: u8 = 0;
const RECEIVED: u8 = 1;
const RECEIVED_OTHER_AMOUNT: u8 = 2;

/// An end beside the terms of its payment. Others, and payments that go on, have the longer form.
pub(super) enum Ended {
    Sent {
        attempts: u32,
        fee: MilliSatoshi,
        hops: u32,
        secs: u64,
        preimage: PaymentPreimage,
    },
    Received {
        /// Unset: as much as the invoice asks for.
        amount: Option<MilliSatoshi>,
        secs: u64,
    },
}

impl Ended {
    pub(super) fn of(payment: &PaymentRecord) -> Option<Self> {
        // The clock may have been set back in between.
        let secs = |at: UnixTime| at.0.wrapping_sub(payment.created().0);
        Some(match payment {
            PaymentRecord::Outgoing(Outgoing { attempts, state, .. }) => match *state {
                OutgoingState::Sent { preimage, fee, at, hops } => {
                    Self::Sent { attempts: *attempts, fee, hops, secs: secs(at), preimage }
                }
                OutgoingState::Pending | OutgoingState::InFlight(_) | OutgoingState::Failed { .. } => {
                    return None;
                }
            },
            PaymentRecord::Incoming(Incoming { amount: asked, state, .. }) => match *state {
                IncomingState::Received { amount, at } => {
                    let is_other = *asked != Some(amount);
                    Self::Received { amount: is_other.then_some(amount), secs: secs(at) }
                }
                IncomingState::Expecting => return None,
            },
        })
    }

    /// The payment that ended so; unset if it is one of the other direction.
    pub(super) fn end(self, terms: PaymentRecord) -> Option<PaymentRecord> {
        let created = terms.created().0;
        let after = |secs: u64| UnixTime(created.wrapping_add(secs));
        Some(match (self, terms) {
            (Self::Sent { attempts, fee, hops, secs, preimage }, PaymentRecord::Outgoing(payment)) => {
                let state = OutgoingState::Sent { preimage, fee, at: after(secs), hops };
                PaymentRecord::Outgoing(Outgoing { attempts, state, ..payment })
            }
            (Self::Received { amount, secs }, PaymentRecord::Incoming(payment)) => {
                let amount = amount.or(payment.amount)?;
                let state = IncomingState::Received { amount, at: after(secs) };
                PaymentRecord::Incoming(Incoming { state, ..payment })
            }
            _ => return None,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Writer::new();
        match *self {
            Self::Sent { attempts, fee, hops, secs, preimage } => {
                bytes.write(&SENT);
                write_number(&mut bytes, u64::from(attempts));
                write_number(&mut bytes, fee.to_msat());
                write_number(&mut bytes, u64::from(hops));
                write_number(&mut bytes, secs);
                bytes.write(&preimage);
            }
            Self::Received { amount: None, secs } => {
                bytes.write(&RECEIVED);
                write_number(&mut bytes, secs);
            }
            Self::Received { amount: Some(amount), secs } => {
                bytes.write(&RECEIVED_OTHER_AMOUNT);
                write_number(&mut bytes, amount.to_msat());
                write_number(&mut bytes, secs);
            }
        }
        bytes.into_bytes()
    }

    /// Unset for bytes that [`Ended::to_bytes`] did not write.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Reader::new(bytes);
        let kind: u8 = bytes.read().ok()?;
        let mut number = || read_number(&mut bytes).ok();
        let ended = match kind {
            SENT => {
                let attempts = u32::try_from(number()?).ok()?;
                let fee = MilliSatoshi::from_msat(number()?);
                let hops = u32::try_from(number()?).ok()?;
                Self::Sent { attempts, fee, hops, secs: number()?, preimage: bytes.read().ok()? }
            }
            RECEIVED => Self::Received { amount: None, secs: number()? },
            RECEIVED_OTHER_AMOUNT => {
                let amount = MilliSatoshi::from_msat(number()?);
                Self::Received { amount: Some(amount), secs: number()? }
            }
            _ => return None,
        };
        bytes.finish().ok()?;
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_takes_few_bytes() {
        let of = |amount| Ended::Received { amount, secs: 100 }.to_bytes();
        assert_eq!(of(None), [RECEIVED, 100]);
        assert_eq!(of(Some(MilliSatoshi::from_msat(5))), [RECEIVED_OTHER_AMOUNT, 5, 100]);
        assert!(Ended::from_bytes(&[RECEIVED, 100, 0]).is_none() && Ended::from_bytes(&[3, 1]).is_none());
    }
}
