//! How a payment is stored.

use super::{Incoming, IncomingState, Outgoing, OutgoingState, progress};
use crate::types::{PaymentHash, PaymentId, UnixTime};
use minicbor::{Decode, Encode};

/// The first form. Later ones have numbers of their own, and this one stays readable.
const VERSION: u8 = 1;

/// Terms whose invoice may begin within a byte, and progress in the few bytes of [`super::progress`].
const LATER_VERSION: u8 = 2;

/// A payment in either direction.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PaymentRecord {
    /// One we make.
    #[n(0)]
    Outgoing(#[n(0)] Outgoing),
    /// One we are to receive.
    #[n(1)]
    Incoming(#[n(0)] Incoming),
}

/// Why a stored payment cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer Kite.
    #[error("a payment of version {version} was written by a newer Kite: update the app, nothing is lost")]
    NewerVersion {
        /// The version byte.
        version: u8,
    },
    /// Not what was written.
    #[error("a stored payment is damaged: {detail}")]
    Damaged {
        /// Where.
        detail: String,
    },
}

/// Where a payment stands: what its progress rewrites, while the rest is written once.
#[derive(Encode, Decode)]
enum Progress {
    #[n(0)]
    Outgoing {
        #[n(0)]
        attempts: u32,
        #[n(1)]
        state: OutgoingState,
    },
    #[n(1)]
    Incoming {
        #[n(0)]
        state: IncomingState,
    },
}

impl PaymentRecord {
    /// What is written once: the payment as it began.
    pub fn terms_to_bytes(&self) -> Vec<u8> {
        to_bytes(
            LATER_VERSION,
            &match self {
                Self::Outgoing(payment) => {
                    Self::Outgoing(Outgoing { attempts: 0, state: OutgoingState::Pending, ..payment.clone() })
                }
                Self::Incoming(payment) => {
                    Self::Incoming(Incoming { state: IncomingState::Expecting, ..payment.clone() })
                }
            },
        )
    }

    /// What every step rewrites.
    pub fn progress_to_bytes(&self) -> Vec<u8> {
        if let Some(bytes) = progress::write(self) {
            return [&[LATER_VERSION][..], &bytes].concat();
        }
        to_bytes(
            VERSION,
            &match self {
                Self::Outgoing(Outgoing { attempts, state, .. }) => {
                    Progress::Outgoing { attempts: *attempts, state: state.clone() }
                }
                Self::Incoming(Incoming { state, .. }) => Progress::Incoming { state: state.clone() },
            },
        )
    }

    /// Reads what [`PaymentRecord::terms_to_bytes`] and [`PaymentRecord::progress_to_bytes`] wrote.
    ///
    /// # Errors
    /// A newer version, damaged bytes, or progress of the other direction.
    pub fn from_bytes(terms: &[u8], progress: &[u8]) -> Result<Self, RecordError> {
        let terms = match version_of(terms)? {
            (VERSION | LATER_VERSION, terms) => from_bytes(terms)?,
            (version, _) => return Err(RecordError::NewerVersion { version }),
        };
        let progress = match version_of(progress)? {
            (VERSION, progress) => from_bytes(progress)?,
            (LATER_VERSION, bytes) => {
                let damaged = || RecordError::Damaged { detail: "not the progress of this payment".into() };
                return progress::read(bytes, terms).ok_or_else(damaged);
            }
            (version, _) => return Err(RecordError::NewerVersion { version }),
        };
        match (terms, progress) {
            (Self::Outgoing(payment), Progress::Outgoing { attempts, state }) => {
                Ok(Self::Outgoing(Outgoing { attempts, state, ..payment }))
            }
            (Self::Incoming(payment), Progress::Incoming { state }) => {
                Ok(Self::Incoming(Incoming { state, ..payment }))
            }
            _ => Err(RecordError::Damaged { detail: "terms and progress are of different payments".into() }),
        }
    }

    /// Whether it may be made anew under another name.
    pub const fn has_failed(&self) -> bool {
        matches!(self, Self::Outgoing(Outgoing { state: OutgoingState::Failed { .. }, .. }))
    }

    /// Whether it is one we make and no HTLC of it exists yet.
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Outgoing(Outgoing { state: OutgoingState::Pending, .. }))
    }

    /// Our name of it.
    pub fn id(&self) -> PaymentId {
        match self {
            Self::Outgoing(payment) => payment.id,
            Self::Incoming(payment) => payment.id,
        }
    }

    /// What is paid to.
    pub fn payment_hash(&self) -> PaymentHash {
        match self {
            Self::Outgoing(payment) => payment.payment_hash,
            Self::Incoming(payment) => payment.payment_hash(),
        }
    }

    /// When it began.
    pub fn created(&self) -> UnixTime {
        match self {
            Self::Outgoing(payment) => payment.created,
            Self::Incoming(payment) => payment.created,
        }
    }
}

fn to_bytes(version: u8, value: &impl Encode<()>) -> Vec<u8> {
    let mut bytes = vec![version];
    // Writing to memory does not fail.
    minicbor::encode(value, &mut bytes).expect("encoding into a vector");
    bytes
}

fn version_of(bytes: &[u8]) -> Result<(u8, &[u8]), RecordError> {
    match bytes.split_first() {
        Some((version @ 1.., rest)) => Ok((*version, rest)),
        _ => Err(RecordError::Damaged { detail: "no version".into() }),
    }
}

fn from_bytes<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, RecordError> {
    minicbor::decode(bytes).map_err(|error| RecordError::Damaged { detail: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::{Attempt, AttemptHop, FailureReason, OnionForm};
    use crate::types::{CltvExpiry, HtlcId, MilliSatoshi, PaymentPreimage, PaymentSecret, ShortChannelId};

    fn records() -> Vec<PaymentRecord> {
        let node_id = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798".parse().unwrap();
        let attempt = Attempt {
            channel: 3,
            htlc_id: HtlcId(4),
            sent: MilliSatoshi::from_msat(1_009),
            cltv_expiry: CltvExpiry::new(800_040).unwrap(),
            onward: vec![AttemptHop {
                node_id,
                short_channel_id: ShortChannelId(77),
                amount: MilliSatoshi::from_msat(1_007),
                cltv_expiry: CltvExpiry::new(800_000).unwrap(),
            }],
            form: OnionForm::Plain,
        };
        let preimage = PaymentPreimage([2; 32]);
        let outgoing = |state| {
            PaymentRecord::Outgoing(Outgoing {
                id: PaymentId([1; 16]),
                payment_hash: preimage.payment_hash(),
                invoice: "lnbcrt1".into(),
                amount: MilliSatoshi::from_msat(1_000),
                max_fee: MilliSatoshi::from_msat(10),
                created: UnixTime(1),
                give_up_at: UnixTime(61),
                attempts: 2,
                note: Some("tea".into()),
                state,
            })
        };
        let incoming = |state| {
            PaymentRecord::Incoming(Incoming {
                id: PaymentId([9; 16]),
                preimage,
                payment_secret: PaymentSecret([3; 32]),
                amount: None,
                description: "coffee".into(),
                invoice: "lnbcrt1".into(),
                created: UnixTime(50),
                expires_at: UnixTime(150),
                min_final_cltv_expiry_delta: 42,
                state,
            })
        };
        let at = UnixTime(8);
        vec![
            outgoing(OutgoingState::Pending),
            outgoing(OutgoingState::InFlight(attempt)),
            outgoing(OutgoingState::Sent { preimage, fee: MilliSatoshi::from_msat(7), at, hops: 3 }),
            outgoing(OutgoingState::Failed { reason: FailureReason::RecipientError { code: 0x400f }, at }),
            incoming(IncomingState::Expecting),
            incoming(IncomingState::Received { amount: MilliSatoshi::from_msat(5), at }),
        ]
    }

    #[test]
    fn every_state_reads_back() {
        for record in records() {
            let read = PaymentRecord::from_bytes(&record.terms_to_bytes(), &record.progress_to_bytes());
            assert_eq!(read.as_ref(), Ok(&record));
        }
    }

    /// Attempts of before there were forms have the first one, and so had those of before version 2.
    #[test]
    fn the_form_of_the_onion_is_stored() {
        let PaymentRecord::Outgoing(payment) = &records()[1] else { panic!() };
        let OutgoingState::InFlight(attempt) = &payment.state else { panic!() };
        let bytes = minicbor::to_vec(attempt).unwrap();
        assert_eq!(bytes[0], 0x86, "an array of six");
        assert_eq!(bytes.last(), Some(&0), "the first form");
        let mut before = bytes.clone();
        before[0] = 0x85;
        before.pop();
        assert_eq!(minicbor::decode::<Attempt>(&before).unwrap(), *attempt);
        let mut later = bytes;
        *later.last_mut().unwrap() = 1;
        assert!(minicbor::decode::<Attempt>(&later).is_err(), "a form that is not known");
        let terms = records()[1].terms_to_bytes();
        let mut progress = records()[1].progress_to_bytes();
        assert_eq!(progress[..4], [2, 0, 2, 0], "version, in flight, two attempts, the first form");
        progress[3] = 1;
        assert!(PaymentRecord::from_bytes(&terms, &progress).is_err(), "a form that is not known");
    }

    #[test]
    fn progress_does_not_touch_the_terms() {
        let records = records();
        for pair in records[..4].windows(2).chain(records[4..].windows(2)) {
            let same = |record: &PaymentRecord| match record.clone() {
                PaymentRecord::Outgoing(payment) => {
                    PaymentRecord::Outgoing(Outgoing { attempts: 9, ..payment })
                }
                incoming => incoming,
            };
            assert_eq!(pair[0].terms_to_bytes(), same(&pair[1]).terms_to_bytes());
        }
    }

    #[test]
    fn damaged_records_are_errors() {
        for record in records() {
            let (terms, progress) = (record.terms_to_bytes(), record.progress_to_bytes());
            for length in 0..terms.len() {
                assert!(PaymentRecord::from_bytes(&terms[..length], &progress).is_err());
            }
            for length in 0..progress.len() {
                assert!(PaymentRecord::from_bytes(&terms, &progress[..length]).is_err());
            }
            for i in 0..terms.len() {
                let mut altered = terms.clone();
                altered[i] ^= 0x80;
                let _ = PaymentRecord::from_bytes(&altered, &progress);
            }
        }
        let (outgoing, incoming) = (&records()[0], &records()[4]);
        assert!(
            PaymentRecord::from_bytes(&outgoing.terms_to_bytes(), &incoming.progress_to_bytes()).is_err()
        );
        let newer = Err(RecordError::NewerVersion { version: 3 });
        assert_eq!(PaymentRecord::from_bytes(&[3], &[1]), newer);
        assert_eq!(PaymentRecord::from_bytes(&outgoing.terms_to_bytes(), &[3]), newer);
    }

    #[test]
    fn progress_takes_few_bytes() {
        let lengths: Vec<usize> = records().iter().map(|record| record.progress_to_bytes().len()).collect();
        // An attempt beside its one hop, whose key has 33; a preimage has 32.
        assert_eq!((lengths[1], lengths[2], lengths[4], lengths[5]), (11 + 33 + 5, 6 + 32, 2, 11 + 2));
        let PaymentRecord::Incoming(payment) = &records()[5] else { panic!() };
        let asked =
            Incoming { amount: Some(MilliSatoshi::from_msat(5)), created: UnixTime(1), ..payment.clone() };
        assert_eq!(PaymentRecord::Incoming(asked).progress_to_bytes(), [2, 3, 7]);
    }

    /// Progress as it was written before version 2.
    #[test]
    fn progress_of_version_1_reads() {
        for record in records() {
            let terms = [&[1], &record.terms_to_bytes()[1..]].concat();
            let progress = to_bytes(
                VERSION,
                &match record.clone() {
                    PaymentRecord::Outgoing(Outgoing { attempts, state, .. }) => {
                        Progress::Outgoing { attempts, state }
                    }
                    PaymentRecord::Incoming(Incoming { state, .. }) => Progress::Incoming { state },
                },
            );
            assert_eq!(PaymentRecord::from_bytes(&terms, &progress).as_ref(), Ok(&record));
        }
        let preimage = "02".repeat(32);
        let sent = hex::decode(format!("01820082028202845820{preimage}070803")).unwrap();
        let record = &records()[2];
        assert_eq!(PaymentRecord::from_bytes(&record.terms_to_bytes(), &sent).as_ref(), Ok(record));
    }
}
