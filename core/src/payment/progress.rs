//! How far a payment is, in the few bytes that its terms leave to say. Only why one failed has a longer form.

use super::{
    Attempt, AttemptHop, Incoming, IncomingState, OnionForm, Outgoing, OutgoingState, PaymentRecord,
};
use crate::store::number::{read_number, read_u32, write_number};
use crate::types::{CltvExpiry, HtlcId, MilliSatoshi, ShortChannelId, UnixTime};
use crate::wire::{Reader, Writer};

const IN_FLIGHT: u8 = 0;
const SENT: u8 = 1;
const EXPECTING: u8 = 2;
const RECEIVED: u8 = 3;
const RECEIVED_OTHER_AMOUNT: u8 = 4;

/// [`OnionForm::Plain`].
const PLAIN: u8 = 0;

/// Unset for what has the longer form.
pub(super) fn write(payment: &PaymentRecord) -> Option<Vec<u8>> {
    let mut bytes = Writer::new();
    // The clock may have been set back in between.
    let secs_until = |at: UnixTime| at.0.wrapping_sub(payment.created().0);
    match payment {
        PaymentRecord::Outgoing(Outgoing { amount, attempts, state, .. }) => match state {
            OutgoingState::InFlight(attempt) => {
                bytes.write(&IN_FLIGHT);
                write_number(&mut bytes, u64::from(*attempts));
                write_attempt(&mut bytes, attempt, *amount);
            }
            OutgoingState::Sent { preimage, fee, at, hops } => {
                bytes.write(&SENT);
                write_number(&mut bytes, u64::from(*attempts));
                write_number(&mut bytes, fee.to_msat());
                write_number(&mut bytes, u64::from(*hops));
                write_number(&mut bytes, secs_until(*at));
                bytes.write(preimage);
            }
            OutgoingState::Pending | OutgoingState::Failed { .. } => return None,
        },
        PaymentRecord::Incoming(Incoming { amount: asked, state, .. }) => match *state {
            IncomingState::Expecting => bytes.write(&EXPECTING),
            IncomingState::Received { amount, at } => {
                if *asked == Some(amount) {
                    bytes.write(&RECEIVED);
                } else {
                    bytes.write(&RECEIVED_OTHER_AMOUNT);
                    write_number(&mut bytes, amount.to_msat());
                }
                write_number(&mut bytes, secs_until(at));
            }
        },
    }
    Some(bytes.into_bytes())
}

/// The payment with these terms; unset for bytes that [`write`] did not make of it.
pub(super) fn read(bytes: &[u8], terms: PaymentRecord) -> Option<PaymentRecord> {
    let mut reader = Reader::new(bytes);
    let payment = read_state(&mut reader, terms)?;
    reader.finish().ok()?;
    Some(payment)
}

fn read_state(bytes: &mut Reader<'_>, terms: PaymentRecord) -> Option<PaymentRecord> {
    let created = terms.created().0;
    let kind: u8 = bytes.read().ok()?;
    Some(match terms {
        PaymentRecord::Outgoing(payment) => {
            let attempts = read_u32(bytes).ok()?;
            let state = match kind {
                IN_FLIGHT => OutgoingState::InFlight(read_attempt(bytes, payment.amount)?),
                SENT => {
                    let fee = MilliSatoshi::from_msat(read_number(bytes).ok()?);
                    let (hops, secs) = (read_u32(bytes).ok()?, read_number(bytes).ok()?);
                    let at = UnixTime(created.wrapping_add(secs));
                    OutgoingState::Sent { preimage: bytes.read().ok()?, fee, at, hops }
                }
                _ => return None,
            };
            PaymentRecord::Outgoing(Outgoing { attempts, state, ..payment })
        }
        PaymentRecord::Incoming(payment) => {
            let amount = match kind {
                EXPECTING => None,
                RECEIVED => Some(payment.amount?),
                RECEIVED_OTHER_AMOUNT => Some(MilliSatoshi::from_msat(read_number(bytes).ok()?)),
                _ => return None,
            };
            let state = match amount {
                None => IncomingState::Expecting,
                Some(amount) => {
                    let at = UnixTime(created.wrapping_add(read_number(bytes).ok()?));
                    IncomingState::Received { amount, at }
                }
            };
            PaymentRecord::Incoming(Incoming { state, ..payment })
        }
    })
}

/// Amounts are told as what is paid on top of what arrives.
fn write_attempt(bytes: &mut Writer, attempt: &Attempt, arrives: MilliSatoshi) {
    let on_top = |amount: MilliSatoshi| amount.to_msat().wrapping_sub(arrives.to_msat());
    match attempt.form {
        OnionForm::Plain => bytes.write(&PLAIN),
    }
    write_number(bytes, u64::from(attempt.channel));
    write_number(bytes, attempt.htlc_id.0);
    write_number(bytes, on_top(attempt.sent));
    write_number(bytes, u64::from(attempt.cltv_expiry.height()));
    write_number(bytes, u64::try_from(attempt.onward.len()).unwrap_or(u64::MAX));
    for hop in &attempt.onward {
        bytes.write(&hop.node_id);
        write_number(bytes, hop.short_channel_id.0);
        write_number(bytes, on_top(hop.amount));
        write_number(bytes, u64::from(hop.cltv_expiry.height()));
    }
}

fn read_attempt(bytes: &mut Reader<'_>, arrives: MilliSatoshi) -> Option<Attempt> {
    let form = match bytes.read::<u8>().ok()? {
        PLAIN => OnionForm::Plain,
        _ => return None,
    };
    let amount = |bytes: &mut Reader<'_>| {
        let on_top = read_number(bytes).ok()?;
        Some(MilliSatoshi::from_msat(arrives.to_msat().wrapping_add(on_top)))
    };
    let mut attempt = Attempt {
        channel: read_u32(bytes).ok()?,
        htlc_id: HtlcId(read_number(bytes).ok()?),
        sent: amount(bytes)?,
        cltv_expiry: CltvExpiry::new(read_u32(bytes).ok()?)?,
        onward: Vec::new(),
        form,
    };
    for _ in 0..read_number(bytes).ok()? {
        attempt.onward.push(AttemptHop {
            node_id: bytes.read().ok()?,
            short_channel_id: ShortChannelId(read_number(bytes).ok()?),
            amount: amount(bytes)?,
            cltv_expiry: CltvExpiry::new(read_u32(bytes).ok()?)?,
        });
    }
    Some(attempt)
}
