//! Why bytes are not a message, and why a message does not become bytes.

use crate::types::MAX_MONEY_SAT;

/// Why bytes are not a valid message or TLV stream. The connection they came from is to be closed (BOLT 1), unless
/// [`super::Message::is_passed_over`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Fewer bytes than the contents need.
    #[error("{needed} more bytes needed, {remaining} left")]
    Truncated {
        /// Bytes the next field takes.
        needed: usize,
        /// Bytes that are there.
        remaining: usize,
    },
    /// More bytes than the transport can carry.
    #[error("a message of {length} bytes is too long")]
    TooLong {
        /// The length of the message with its type.
        length: usize,
    },
    /// A message that must be understood, and is not.
    #[error("unknown message of even type {message_type}")]
    UnknownEvenType {
        /// The type of the message.
        message_type: u16,
    },
    /// A number in more bytes than it needs.
    #[error("a number is not minimally encoded")]
    NotMinimal,
    /// A TLV record that must be understood, and is not.
    #[error("unknown TLV record of even type {tlv_type}")]
    UnknownEvenTlv {
        /// The type of the record.
        tlv_type: u64,
    },
    /// TLV records that are not strictly increasing.
    #[error("TLV record of type {found} after type {previous}")]
    TlvOrder {
        /// The type before.
        previous: u64,
        /// The type that may not follow it.
        found: u64,
    },
    /// A value that is longer than its encoding.
    #[error("{count} bytes too many in a value of known length")]
    TrailingBytes {
        /// Bytes left over.
        count: usize,
    },
    /// 33 bytes that are not a compressed point of the curve.
    #[error("not a point of the curve")]
    InvalidPoint,
    /// 64 bytes that are not a signature.
    #[error("not a signature")]
    InvalidSignature,
    /// A signature for a transaction that breaks the LOW-S rule (BOLT 2).
    #[error("the signature is not low-S")]
    HighS,
    /// An amount above the supply.
    #[error("{msat} msat is more than all bitcoin that can exist ({MAX_MONEY_SAT} sat)")]
    AmountAboveSupply {
        /// The amount, `u64::MAX` where it does not fit.
        msat: u64,
    },
    /// More feature bits than a bit number can count.
    #[error("a feature vector of {length} bytes is too long")]
    FeaturesTooLong {
        /// The length of the vector.
        length: usize,
    },
    /// An array in an encoding other than the uncompressed one (BOLT 7, Query Messages).
    #[error("unknown array encoding {encoding}")]
    UnknownEncoding {
        /// The encoding byte.
        encoding: u8,
    },
    /// Arrays that should have an entry for each short channel id, and do not.
    #[error("{found} entries for {short_channel_ids} short channel ids")]
    CountMismatch {
        /// How many channels the message names.
        short_channel_ids: usize,
        /// How many entries the other array has.
        found: usize,
    },
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More bytes than the transport can carry.
    #[error("a message of {length} bytes is too long")]
    TooLong {
        /// The length of the message with its type.
        length: usize,
    },
    /// [`super::Message::Unknown`] has no contents to send.
    #[error("message type {message_type} is unknown")]
    UnknownType {
        /// The type of the message.
        message_type: u16,
    },
}
