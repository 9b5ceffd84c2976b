//! Why an invoice is refused, or cannot be written.

use crate::types::{Feature, UnixTime};
use bitcoin::Network;

/// Why an invoice cannot be read or paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceError {
    /// Not a BOLT 11 invoice at all.
    #[error("this is not a Lightning invoice")]
    NotAnInvoice,
    /// Longer than any invoice that wallets accept.
    #[error("an invoice of {length} characters is longer than the {maximum} that wallets accept")]
    TooLong {
        /// The characters of the text.
        length: usize,
        /// The most there may be.
        maximum: usize,
    },
    /// Upper and lower case letters (BIP 173).
    #[error("the invoice mixes upper and lower case")]
    MixedCase,
    /// A character that bech32 does not use.
    #[error("the invoice contains the character {character:?}, which no invoice has")]
    InvalidCharacter {
        /// The first such character.
        character: char,
    },
    /// The checksum does not fit: a character is wrong, missing or too many.
    #[error("the checksum is wrong: the invoice was changed or is not complete")]
    WrongChecksum,
    /// No room for a timestamp and a signature.
    #[error("the invoice is too short")]
    TooShort,
    /// For a network that is not known here.
    #[error("{prefix:?} is the prefix of no known network")]
    UnknownPrefix {
        /// The letters before the amount.
        prefix: String,
    },
    /// For another network than the wallet's.
    #[error("the invoice is for {invoice}, this wallet is on {expected}")]
    WrongNetwork {
        /// The network of the invoice.
        invoice: Network,
        /// The network of the wallet.
        expected: Network,
    },
    /// Something else than digits where the amount stands.
    #[error("the amount of the invoice is not a number")]
    InvalidAmount,
    /// A letter after the amount that is none of m, u, n and p.
    #[error("{multiplier:?} is not a multiplier of an amount")]
    InvalidMultiplier {
        /// What follows the digits.
        multiplier: String,
    },
    /// An amount with a fraction of a millisatoshi.
    #[error("the amount is not a whole number of millisatoshi")]
    SubMillisatoshi,
    /// An amount that is too large to count.
    #[error("the amount is too large to count")]
    AmountOverflow,
    /// More than all bitcoin.
    #[error("{msat} msat is more than all bitcoin that can exist")]
    AmountAboveSupply {
        /// The amount.
        msat: u64,
    },
    /// An amount of nothing (BOLT 11 asks for a positive one).
    #[error("the invoice asks for an amount of zero")]
    AmountZero,
    /// A field that ends after the data.
    #[error("field {field:?} ends after the end of the invoice")]
    TruncatedField {
        /// The character of the field's type.
        field: char,
    },
    /// A field of a fixed length with another one.
    #[error("field {field:?} is {groups} groups long instead of {expected}")]
    WrongFieldLength {
        /// The character of the field's type.
        field: char,
        /// Its length in groups of 5 bits.
        groups: usize,
        /// The length it must have.
        expected: usize,
    },
    /// A number or a feature vector that begins with zeros.
    #[error("field {field:?} begins with zeros")]
    LeadingZeros {
        /// The character of the field's type.
        field: char,
    },
    /// A field whose content is impossible: not a point, not UTF-8, a number out of range.
    #[error("the content of field {field:?} is invalid")]
    InvalidField {
        /// The character of the field's type.
        field: char,
    },
    /// No `p` field.
    #[error("the invoice has no payment hash")]
    MissingPaymentHash,
    /// No `s` field.
    #[error("the invoice has no payment secret")]
    MissingPaymentSecret,
    /// Neither a `d` nor an `h` field.
    #[error("the invoice has neither a description nor the hash of one")]
    MissingDescription,
    /// Both a `d` and an `h` field.
    #[error("the invoice has both a description and the hash of one")]
    DescriptionAndHash,
    /// A recovery id other than 0, 1, 2 and 3.
    #[error("the recovery id {recovery_id} of the signature is out of range")]
    InvalidRecoveryId {
        /// The last byte of the signature.
        recovery_id: u8,
    },
    /// The signature is not one of the payee's over this invoice.
    #[error("the signature of the invoice is wrong")]
    InvalidSignature,
    /// A high-S signature in an invoice that names its payee.
    #[error("the signature of the invoice is not in its low-S form")]
    HighSSignature,
    /// A feature that must be understood to pay it, and is not.
    #[error("feature bit {bit} is required to pay this invoice and not known here")]
    UnknownRequiredFeature {
        /// The even bit.
        bit: u16,
    },
    /// A feature without another that it builds on.
    #[error("the invoice sets feature {feature:?} without {missing:?}")]
    MissingFeature {
        /// What is set.
        feature: Feature,
        /// What it needs.
        missing: Feature,
    },
    /// It can no longer be paid.
    #[error("the invoice expired at {} (seconds since 1970)", at.0)]
    Expired {
        /// The last second at which it could be.
        at: UnixTime,
    },
}

/// Why an invoice cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceBuildError {
    /// The description does not fit a field (639 bytes): commit to its hash instead.
    #[error("a description of {bytes} bytes is longer than the {maximum} an invoice can carry")]
    DescriptionTooLong {
        /// Its length in UTF-8.
        bytes: usize,
        /// The longest there can be.
        maximum: usize,
    },
    /// Nothing, or more than all bitcoin.
    #[error("{msat} msat cannot be asked for")]
    InvalidAmount {
        /// The amount.
        msat: u64,
    },
    /// The time is past what 35 bits count.
    #[error("the time {secs} does not fit an invoice")]
    TimestampOverflow {
        /// Seconds since 1970.
        secs: u64,
    },
    /// Fewer blocks than any payer assumes.
    #[error("a final delta of {blocks} blocks is below {minimum}")]
    MinFinalCltvExpiryDeltaTooLow {
        /// What was asked for.
        blocks: u16,
        /// The least (BOLT 11, `c`).
        minimum: u16,
    },
    /// A route hint without hops or with more than a field holds.
    #[error("a route hint of {hops} hops does not fit an invoice")]
    InvalidRouteHint {
        /// Its hops.
        hops: usize,
    },
    /// More text than wallets accept.
    #[error("the invoice would be longer than wallets accept")]
    TooLong,
    /// The written invoice does not read back: a bug.
    #[error("the invoice does not read back: {0}")]
    NotReadable(InvoiceError),
}
