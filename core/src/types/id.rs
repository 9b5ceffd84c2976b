//! Names of channels, HTLCs, payments and connections.

use bitcoin::{OutPoint, hashes::Hash};
use std::fmt;

/// The name of a channel on the wire (BOLT 2, Definition of `channel_id`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub [u8; 32]);

impl ChannelId {
    /// In `error` and `warning`: every channel with that peer.
    pub const ALL: Self = Self([0; 32]);

    /// The funding txid, its last two bytes XORed with the output index.
    pub fn from_funding(outpoint: OutPoint) -> Self {
        let mut bytes = outpoint.txid.to_byte_array();
        let [.., high, low] = (outpoint.vout & 0xffff).to_be_bytes();
        bytes[30] ^= high;
        bytes[31] ^= low;
        Self(bytes)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a funding output stands in the chain: block, transaction and output (BOLT 7), or an alias of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortChannelId(pub u64);

impl ShortChannelId {
    /// From its three parts, unless one is too large (24, 24 and 16 bits).
    pub const fn new(block: u32, tx_index: u32, output: u16) -> Option<Self> {
        if block >> 24 != 0 || tx_index >> 24 != 0 {
            return None;
        }
        Some(Self((block as u64) << 40 | (tx_index as u64) << 16 | output as u64))
    }

    /// The height of the block.
    pub const fn block(self) -> u32 {
        (self.0 >> 40) as u32
    }

    /// The index of the transaction in the block.
    pub const fn tx_index(self) -> u32 {
        (self.0 >> 16) as u32 & 0x00ff_ffff
    }

    /// The index of the output in the transaction.
    pub const fn output(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Display for ShortChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.block(), self.tx_index(), self.output())
    }
}

impl fmt::Debug for ShortChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The number of an HTLC in one direction of one channel; counts from 0 and is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HtlcId(pub u64);

/// The number of a commitment transaction; counts up from 0 (BOLT 3 counts its secrets down from 2^48 - 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitmentNumber(pub u64);

impl CommitmentNumber {
    /// The next number.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The wallet's own name of a payment, given before its first message leaves and kept for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId(pub [u8; 16]);

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One connection to a peer. A reconnection gets a new one, so that late bytes of the old are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::Txid;

    #[test]
    fn channel_id_is_txid_xor_output_index() {
        let txid = Txid::from_byte_array([0xff; 32]);
        let id = ChannelId::from_funding(OutPoint { txid, vout: 0x0102 });
        assert_eq!(id.0[..30], [0xff; 30]);
        assert_eq!(id.0[30..], [0xfe, 0xfd]);
    }

    #[test]
    fn short_channel_id_parts() {
        let scid = ShortChannelId::new(539_268, 845, 1).unwrap();
        assert_eq!(scid.to_string(), "539268x845x1");
        assert_eq!(ShortChannelId::new(1 << 24, 0, 0), None);
    }
}
