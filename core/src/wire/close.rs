//! Cooperative close (BOLT 2, Channel Close).

use super::{DecodeError, Reader, TlvValue, Writer};
use crate::types::ChannelId;
use bitcoin::secp256k1::ecdsa::Signature;
use bitcoin::{Amount, ScriptBuf};

payload! {
    /// No new HTLCs; close when the present ones are gone (BOLT 2, Closing Initiation: `shutdown`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Shutdown {
        /// The channel.
        channel_id: ChannelId,
        /// Where the sender's balance shall go; its form is checked by the channel.
        scriptpubkey: ScriptBuf,
    }
    tlvs {}
}

payload! {
    /// An offered fee and the signature of the closing transaction that pays it (BOLT 2, Legacy Closing Negotiation:
    /// `closing_signed`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ClosingSigned {
        /// The channel.
        channel_id: ChannelId,
        /// The fee of the closing transaction.
        fee_satoshis: Amount,
        /// Of the closing transaction with that fee.
        signature: Signature,
    }
    tlvs {
        /// The fees the sender would accept.
        1 => fee_range: FeeRange,
    }
}

fields! {
    /// The fees the sender of `closing_signed` would accept, both included.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FeeRange {
        /// The smallest.
        min_fee_satoshis: Amount,
        /// The largest.
        max_fee_satoshis: Amount,
    }
}

impl TlvValue for FeeRange {
    fn read_value(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read()
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.write(self);
    }
}
