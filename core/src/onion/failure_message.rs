//! Why an HTLC failed, as told to its sender (BOLT 4, Failure Messages).

use crate::types::{BlockHeight, MilliSatoshi};
use crate::wire::{ChannelUpdate, DecodeError, Message, Payload, Reader, Writer};

const BADONION: u16 = 0x8000;
const PERM: u16 = 0x4000;
const NODE: u16 = 0x2000;
const UPDATE: u16 = 0x1000;

/// A failure message. A `channel_update` in it is for retries of this payment at most: it must never reach the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of BOLT 4")]
pub enum FailureMessage {
    TemporaryNodeFailure,
    PermanentNodeFailure,
    RequiredNodeFeatureMissing,
    InvalidOnionVersion {
        sha256_of_onion: [u8; 32],
    },
    InvalidOnionHmac {
        sha256_of_onion: [u8; 32],
    },
    InvalidOnionKey {
        sha256_of_onion: [u8; 32],
    },
    TemporaryChannelFailure {
        channel_update: Vec<u8>,
    },
    PermanentChannelFailure,
    RequiredChannelFeatureMissing,
    UnknownNextPeer,
    AmountBelowMinimum {
        htlc_msat: MilliSatoshi,
        channel_update: Vec<u8>,
    },
    FeeInsufficient {
        htlc_msat: MilliSatoshi,
        channel_update: Vec<u8>,
    },
    IncorrectCltvExpiry {
        cltv_expiry: u32,
        channel_update: Vec<u8>,
    },
    ExpiryTooSoon {
        channel_update: Vec<u8>,
    },
    IncorrectOrUnknownPaymentDetails {
        htlc_msat: MilliSatoshi,
        height: BlockHeight,
    },
    FinalIncorrectCltvExpiry {
        cltv_expiry: u32,
    },
    FinalIncorrectHtlcAmount {
        incoming_htlc_amt: MilliSatoshi,
    },
    ChannelDisabled {
        disabled_flags: u16,
        channel_update: Vec<u8>,
    },
    ExpiryTooFar,
    InvalidOnionPayload {
        tlv_type: u64,
        offset: u16,
    },
    MppTimeout,
    InvalidOnionBlinding {
        sha256_of_onion: [u8; 32],
    },
    /// A code that is not known here, or one whose data is not what BOLT 4 says. Its flags still count.
    Unknown {
        failure_code: u16,
        data: Vec<u8>,
    },
}

impl FailureMessage {
    /// The code of [`FailureMessage::InvalidOnionVersion`].
    pub const INVALID_ONION_VERSION: u16 = BADONION | PERM | 4;
    /// The code of [`FailureMessage::InvalidOnionHmac`].
    pub const INVALID_ONION_HMAC: u16 = BADONION | PERM | 5;
    /// The code of [`FailureMessage::InvalidOnionKey`].
    pub const INVALID_ONION_KEY: u16 = BADONION | PERM | 6;
    /// The code of [`FailureMessage::InvalidOnionBlinding`].
    pub const INVALID_ONION_BLINDING: u16 = BADONION | PERM | 24;

    /// What an `update_fail_malformed_htlc` says, in the form in which it goes on to the sender (BOLT 2).
    pub fn from_malformed(failure_code: u16, sha256_of_onion: [u8; 32]) -> Self {
        match failure_code {
            Self::INVALID_ONION_VERSION => Self::InvalidOnionVersion { sha256_of_onion },
            Self::INVALID_ONION_HMAC => Self::InvalidOnionHmac { sha256_of_onion },
            Self::INVALID_ONION_KEY => Self::InvalidOnionKey { sha256_of_onion },
            Self::INVALID_ONION_BLINDING => Self::InvalidOnionBlinding { sha256_of_onion },
            _ => Self::Unknown { failure_code, data: sha256_of_onion.to_vec() },
        }
    }

    /// The code, flags included.
    pub const fn failure_code(&self) -> u16 {
        match self {
            Self::TemporaryNodeFailure => NODE | 2,
            Self::PermanentNodeFailure => PERM | NODE | 2,
            Self::RequiredNodeFeatureMissing => PERM | NODE | 3,
            Self::InvalidOnionVersion { .. } => Self::INVALID_ONION_VERSION,
            Self::InvalidOnionHmac { .. } => Self::INVALID_ONION_HMAC,
            Self::InvalidOnionKey { .. } => Self::INVALID_ONION_KEY,
            Self::TemporaryChannelFailure { .. } => UPDATE | 7,
            Self::PermanentChannelFailure => PERM | 8,
            Self::RequiredChannelFeatureMissing => PERM | 9,
            Self::UnknownNextPeer => PERM | 10,
            Self::AmountBelowMinimum { .. } => UPDATE | 11,
            Self::FeeInsufficient { .. } => UPDATE | 12,
            Self::IncorrectCltvExpiry { .. } => UPDATE | 13,
            Self::ExpiryTooSoon { .. } => UPDATE | 14,
            Self::IncorrectOrUnknownPaymentDetails { .. } => PERM | 15,
            Self::FinalIncorrectCltvExpiry { .. } => 18,
            Self::FinalIncorrectHtlcAmount { .. } => 19,
            Self::ChannelDisabled { .. } => UPDATE | 20,
            Self::ExpiryTooFar => 21,
            Self::InvalidOnionPayload { .. } => PERM | 22,
            Self::MppTimeout => 23,
            Self::InvalidOnionBlinding { .. } => Self::INVALID_ONION_BLINDING,
            Self::Unknown { failure_code, .. } => *failure_code,
        }
    }

    /// Trying the same again will fail again.
    pub const fn is_permanent(&self) -> bool {
        self.failure_code() & PERM != 0
    }

    /// The node itself is the trouble, not one of its channels.
    pub const fn is_node_failure(&self) -> bool {
        self.failure_code() & NODE != 0
    }

    /// The node's policy for the next channel was not met.
    pub const fn is_update(&self) -> bool {
        self.failure_code() & UPDATE != 0
    }

    /// The `channel_update` that came along, without or with its message type in front: implementations do either. Unset
    /// where none came, which is what BOLT 4 wants.
    pub fn channel_update(&self) -> Option<ChannelUpdate> {
        let (Self::TemporaryChannelFailure { channel_update }
        | Self::AmountBelowMinimum { channel_update, .. }
        | Self::FeeInsufficient { channel_update, .. }
        | Self::IncorrectCltvExpiry { channel_update, .. }
        | Self::ExpiryTooSoon { channel_update }
        | Self::ChannelDisabled { channel_update, .. }) = self
        else {
            return None;
        };
        let with_type = match Message::decode(channel_update) {
            Ok(Message::ChannelUpdate(update)) => Some(update),
            _ => None,
        };
        with_type.or_else(|| ChannelUpdate::read_payload(&mut Reader::new(channel_update)).ok())
    }

    /// A hop could not peel the packet.
    pub const fn is_bad_onion(&self) -> bool {
        self.failure_code() & BADONION != 0
    }

    /// The code and its data.
    pub fn encode(&self) -> Vec<u8> {
        let mut message = Writer::new();
        message.write(&self.failure_code());
        match self {
            Self::TemporaryNodeFailure
            | Self::PermanentNodeFailure
            | Self::RequiredNodeFeatureMissing
            | Self::PermanentChannelFailure
            | Self::RequiredChannelFeatureMissing
            | Self::UnknownNextPeer
            | Self::ExpiryTooFar
            | Self::MppTimeout => {}
            Self::InvalidOnionVersion { sha256_of_onion }
            | Self::InvalidOnionHmac { sha256_of_onion }
            | Self::InvalidOnionKey { sha256_of_onion }
            | Self::InvalidOnionBlinding { sha256_of_onion } => message.put(sha256_of_onion),
            Self::TemporaryChannelFailure { channel_update } | Self::ExpiryTooSoon { channel_update } => {
                message.prefixed(channel_update);
            }
            Self::AmountBelowMinimum { htlc_msat, channel_update }
            | Self::FeeInsufficient { htlc_msat, channel_update } => {
                message.write(&htlc_msat.to_msat());
                message.prefixed(channel_update);
            }
            Self::IncorrectCltvExpiry { cltv_expiry, channel_update } => {
                message.write(cltv_expiry);
                message.prefixed(channel_update);
            }
            Self::IncorrectOrUnknownPaymentDetails { htlc_msat, height } => {
                message.write(&htlc_msat.to_msat());
                message.write(height);
            }
            Self::FinalIncorrectCltvExpiry { cltv_expiry } => message.write(cltv_expiry),
            Self::FinalIncorrectHtlcAmount { incoming_htlc_amt } => {
                message.write(&incoming_htlc_amt.to_msat());
            }
            Self::ChannelDisabled { disabled_flags, channel_update } => {
                message.write(disabled_flags);
                message.prefixed(channel_update);
            }
            Self::InvalidOnionPayload { tlv_type, offset } => {
                message.bigsize(*tlv_type);
                message.write(offset);
            }
            Self::Unknown { data, .. } => message.put(data),
        }
        message.into_bytes()
    }

    /// Reads any message; bytes after the data are ignored (BOLT 4, Receiving Failure Codes). Without even a code it is
    /// [`FailureMessage::Unknown`] with code 0.
    pub fn decode(message: &[u8]) -> Self {
        let mut reader = Reader::new(message);
        let Ok(failure_code) = reader.read::<u16>() else {
            return Self::Unknown { failure_code: 0, data: message.to_vec() };
        };
        let data = reader.clone().rest();
        match Self::decode_data(failure_code, &mut reader) {
            Ok(Some(message)) => message,
            Ok(None) | Err(_) => Self::Unknown { failure_code, data: data.to_vec() },
        }
    }

    /// Unset for a code that is not known.
    fn decode_data(failure_code: u16, reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(Some(match failure_code {
            0x2002 => Self::TemporaryNodeFailure,
            0x6002 => Self::PermanentNodeFailure,
            0x6003 => Self::RequiredNodeFeatureMissing,
            Self::INVALID_ONION_VERSION
            | Self::INVALID_ONION_HMAC
            | Self::INVALID_ONION_KEY
            | Self::INVALID_ONION_BLINDING => Self::from_malformed(failure_code, reader.array()?),
            0x1007 => Self::TemporaryChannelFailure { channel_update: prefixed_update(reader)? },
            0x4008 => Self::PermanentChannelFailure,
            0x4009 => Self::RequiredChannelFeatureMissing,
            0x400a => Self::UnknownNextPeer,
            0x100b => Self::AmountBelowMinimum {
                htlc_msat: reader.read()?,
                channel_update: prefixed_update(reader)?,
            },
            0x100c => {
                Self::FeeInsufficient { htlc_msat: reader.read()?, channel_update: prefixed_update(reader)? }
            }
            0x100d => Self::IncorrectCltvExpiry {
                cltv_expiry: reader.read()?,
                channel_update: prefixed_update(reader)?,
            },
            0x100e => Self::ExpiryTooSoon { channel_update: prefixed_update(reader)? },
            0x400f => {
                Self::IncorrectOrUnknownPaymentDetails { htlc_msat: reader.read()?, height: reader.read()? }
            }
            18 => Self::FinalIncorrectCltvExpiry { cltv_expiry: reader.read()? },
            19 => Self::FinalIncorrectHtlcAmount { incoming_htlc_amt: reader.read()? },
            0x1014 => Self::ChannelDisabled {
                disabled_flags: reader.read()?,
                channel_update: prefixed_update(reader)?,
            },
            21 => Self::ExpiryTooFar,
            0x4016 => Self::InvalidOnionPayload { tlv_type: reader.bigsize()?, offset: reader.read()? },
            23 => Self::MppTimeout,
            _ => return Ok(None),
        }))
    }
}

fn prefixed_update(reader: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    Ok(reader.prefixed()?.to_vec())
}
