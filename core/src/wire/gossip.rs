//! Announcements of channels and nodes (BOLT 7).

use super::field::{either_s, limit};
use super::{DecodeError, Field, Payload, Reader, Writer};
use crate::types::{ChannelId, Features, MilliSatoshi, ShortChannelId};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use std::ops::Deref;

payload! {
    /// One side's signatures for the announcement of a channel (BOLT 7, The `announcement_signatures` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AnnouncementSignatures {
        /// The channel.
        channel_id: ChannelId,
        /// Where its funding output is.
        short_channel_id: ShortChannelId,
        /// By the node's key.
        node_signature: Signature as either_s,
        /// By the sender's funding key.
        bitcoin_signature: Signature as either_s,
    }
    tlvs {}
}

/// What an announcement says, with the exact bytes its signatures cover: those of unknown fields too, and features as they
/// were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    contents: T,
    bytes: Vec<u8>,
}

impl<T: Field> Signed<T> {
    /// Contents of our own making, yet to be signed.
    pub fn new(contents: T) -> Self {
        let mut writer = Writer::new();
        contents.write(&mut writer);
        Self { contents, bytes: writer.into_bytes() }
    }

    /// What the signatures sign: the double SHA-256 of all that follows them.
    pub fn digest(&self) -> [u8; 32] {
        sha256d::Hash::hash(&self.bytes).to_byte_array()
    }

    /// The bytes that the signatures cover.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All that is left; what follows the known fields is kept in the bytes and otherwise ignored.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = reader.rest();
        Ok(Self { contents: Reader::new(bytes).read()?, bytes: bytes.to_vec() })
    }
}

impl<T> Deref for Signed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.contents
    }
}

/// The proof that a channel exists (BOLT 7, The `channel_announcement` Message).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAnnouncement {
    /// By `node_id_1`.
    pub node_signature_1: Signature,
    /// By `node_id_2`.
    pub node_signature_2: Signature,
    /// By `bitcoin_key_1`.
    pub bitcoin_signature_1: Signature,
    /// By `bitcoin_key_2`.
    pub bitcoin_signature_2: Signature,
    /// What all four sign.
    pub contents: Signed<ChannelAnnouncementContents>,
}

fields! {
    /// What a [`ChannelAnnouncement`] says.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ChannelAnnouncementContents {
        /// Features of the channel.
        features: Features,
        /// The chain.
        chain_hash: ChainHash,
        /// Where the funding output is.
        short_channel_id: ShortChannelId,
        /// The node whose key is lexicographically less.
        node_id_1: PublicKey,
        /// The other node.
        node_id_2: PublicKey,
        /// The funding key of `node_id_1`.
        bitcoin_key_1: PublicKey,
        /// The funding key of `node_id_2`.
        bitcoin_key_2: PublicKey,
    }
}

impl Payload for ChannelAnnouncement {
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            node_signature_1: either_s::read(reader)?,
            node_signature_2: either_s::read(reader)?,
            bitcoin_signature_1: either_s::read(reader)?,
            bitcoin_signature_2: either_s::read(reader)?,
            contents: Signed::read(reader)?,
        })
    }

    fn write_payload(&self, writer: &mut Writer) {
        writer.write(&self.node_signature_1);
        writer.write(&self.node_signature_2);
        writer.write(&self.bitcoin_signature_1);
        writer.write(&self.bitcoin_signature_2);
        writer.put(&self.contents.bytes);
    }
}

macro_rules! signed_once {
    ($(#[$meta:meta])* $name:ident, $contents:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            /// By the node that speaks.
            pub signature: Signature,
            /// What it signs.
            pub contents: Signed<$contents>,
        }

        impl Payload for $name {
            fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self { signature: either_s::read(reader)?, contents: Signed::read(reader)? })
            }

            fn write_payload(&self, writer: &mut Writer) {
                writer.write(&self.signature);
                writer.put(&self.contents.bytes);
            }
        }
    };
}

signed_once! {
    /// What a node says of itself (BOLT 7, The `node_announcement` Message).
    NodeAnnouncement, NodeAnnouncementContents
}

fields! {
    /// What a [`NodeAnnouncement`] says.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct NodeAnnouncementContents {
        /// Features of the node.
        features: Features,
        /// The newer of two announcements has the greater.
        timestamp: u32,
        /// The node.
        node_id: PublicKey,
        /// Its colour.
        rgb_color: [u8; 3],
        /// Its name, padded with zeros: untrusted bytes.
        alias: [u8; 32],
        /// Its addresses, as address descriptors: untrusted bytes.
        addresses: Vec<u8>,
    }
}

signed_once! {
    /// The terms on which a node forwards over a channel (BOLT 7, The `channel_update` Message).
    ChannelUpdate, ChannelUpdateContents
}

fields! {
    /// What a [`ChannelUpdate`] says.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ChannelUpdateContents {
        /// The chain.
        chain_hash: ChainHash,
        /// The channel, or an alias of it.
        short_channel_id: ShortChannelId,
        /// The newer of two updates has the greater.
        timestamp: u32,
        /// Bit 1 (`dont_forward`): not for others.
        message_flags: u8,
        /// Bit 0 (`direction`): which of the two nodes speaks; bit 1 (`disable`): nothing is forwarded now.
        channel_flags: u8,
        /// Blocks the node takes off the expiry of an HTLC.
        cltv_expiry_delta: u16,
        /// The smallest HTLC; above the supply it is read as the supply.
        htlc_minimum_msat: MilliSatoshi as limit,
        /// The part of the fee that is the same for every HTLC, in millisatoshi.
        fee_base_msat: u32,
        /// The part of the fee that grows with the amount, in millionths of it.
        fee_proportional_millionths: u32,
        /// The largest HTLC; above the supply it is read as the supply.
        htlc_maximum_msat: MilliSatoshi as limit,
    }
}

impl ChannelUpdateContents {
    /// Whether `node_id_2` speaks, else `node_id_1`.
    pub const fn direction(&self) -> bool {
        self.channel_flags & 1 != 0
    }

    /// Whether nothing is forwarded at present.
    pub const fn disable(&self) -> bool {
        self.channel_flags & 2 != 0
    }
}
