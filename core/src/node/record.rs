//! The node's own small record, and how events are stored.

use super::{Event, EventRecord};
use crate::payment::FailureReason;
use crate::types::{ChannelId, MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage, UnixTime};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Network, Txid};
use minicbor::{Decode, Encode};

const VERSION: u8 = 1;

/// What the node counts, and for which network it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct NodeRecord {
    /// The magic bytes of the network.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) magic: [u8; 4],
    /// The channel key index of the next channel. No index is ever used twice.
    #[n(1)]
    pub(crate) next_channel: u32,
    /// The number of the next event.
    #[n(2)]
    pub(crate) next_event: u64,
    /// When the wallet was made, or restored.
    #[n(3)]
    pub(crate) birthday: UnixTime,
}

impl NodeRecord {
    pub(crate) fn new(network: Network, birthday: UnixTime) -> Self {
        Self { magic: network.magic().to_bytes(), next_channel: 0, next_event: 1, birthday }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        from_bytes(bytes)
    }
}

/// The stored form of an event.
#[derive(Encode, Decode)]
struct StoredEvent {
    #[n(0)]
    seq: u64,
    #[n(1)]
    time: UnixTime,
    #[n(2)]
    event: Stored,
}

#[derive(Encode, Decode)]
enum Stored {
    #[n(0)]
    PaymentSent(#[n(0)] PaymentId, #[n(1)] PaymentHash, #[n(2)] PaymentPreimage, #[n(3)] MilliSatoshi),
    #[n(1)]
    PaymentFailed(#[n(0)] PaymentId, #[n(1)] PaymentHash, #[n(2)] FailureReason),
    #[n(2)]
    PaymentReceived(#[n(0)] PaymentId, #[n(1)] PaymentHash, #[n(2)] MilliSatoshi),
    #[n(3)]
    ChannelPending(
        #[n(0)] ChannelId,
        #[cbor(n(1), with = "crate::store::cbor::public_key")] PublicKey,
        #[cbor(n(2), with = "minicbor::bytes")] [u8; 32],
    ),
    #[n(4)]
    ChannelReady(#[n(0)] ChannelId, #[cbor(n(1), with = "crate::store::cbor::public_key")] PublicKey),
    #[n(5)]
    ChannelClosed(
        #[n(0)] ChannelId,
        #[cbor(n(1), with = "crate::store::cbor::public_key")] PublicKey,
        #[n(2)] String,
        #[cbor(n(3), with = "minicbor::bytes")] Option<[u8; 32]>,
        #[n(4)] u64,
    ),
    #[n(6)]
    ChannelOpenFailed(#[cbor(n(0), with = "crate::store::cbor::public_key")] PublicKey, #[n(1)] String),
    #[n(7)]
    Onchain(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32], #[n(1)] i64, #[n(2)] bool),
    #[n(8)]
    ActionRequired(#[n(0)] String),
}

impl EventRecord {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let event = match self.event.clone() {
            Event::PaymentSent { id, payment_hash, preimage, fee } => {
                Stored::PaymentSent(id, payment_hash, preimage, fee)
            }
            Event::PaymentFailed { id, payment_hash, reason } => {
                Stored::PaymentFailed(id, payment_hash, reason)
            }
            Event::PaymentReceived { id, payment_hash, amount } => {
                Stored::PaymentReceived(id, payment_hash, amount)
            }
            Event::ChannelPending { channel_id, node_id, funding_txid } => {
                Stored::ChannelPending(channel_id, node_id, funding_txid.to_byte_array())
            }
            Event::ChannelReady { channel_id, node_id } => Stored::ChannelReady(channel_id, node_id),
            Event::ChannelClosed { channel_id, node_id, reason, txid, amount } => Stored::ChannelClosed(
                channel_id,
                node_id,
                reason,
                txid.map(|txid| txid.to_byte_array()),
                amount.to_sat(),
            ),
            Event::ChannelOpenFailed { node_id, reason } => Stored::ChannelOpenFailed(node_id, reason),
            Event::Onchain { txid, net_sat, confirmed } => {
                Stored::Onchain(txid.to_byte_array(), net_sat, confirmed)
            }
            Event::ActionRequired { what } => Stored::ActionRequired(what),
        };
        to_bytes(&StoredEvent { seq: self.seq, time: self.time, event })
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let stored: StoredEvent = from_bytes(bytes)?;
        let txid = Txid::from_byte_array;
        let event = match stored.event {
            Stored::PaymentSent(id, payment_hash, preimage, fee) => {
                Event::PaymentSent { id, payment_hash, preimage, fee }
            }
            Stored::PaymentFailed(id, payment_hash, reason) => {
                Event::PaymentFailed { id, payment_hash, reason }
            }
            Stored::PaymentReceived(id, payment_hash, amount) => {
                Event::PaymentReceived { id, payment_hash, amount }
            }
            Stored::ChannelPending(channel_id, node_id, funding) => {
                Event::ChannelPending { channel_id, node_id, funding_txid: txid(funding) }
            }
            Stored::ChannelReady(channel_id, node_id) => Event::ChannelReady { channel_id, node_id },
            Stored::ChannelClosed(channel_id, node_id, reason, closing, sat) => Event::ChannelClosed {
                channel_id,
                node_id,
                reason,
                txid: closing.map(txid),
                amount: Amount::from_sat(sat),
            },
            Stored::ChannelOpenFailed(node_id, reason) => Event::ChannelOpenFailed { node_id, reason },
            Stored::Onchain(id, net_sat, confirmed) => Event::Onchain { txid: txid(id), net_sat, confirmed },
            Stored::ActionRequired(what) => Event::ActionRequired { what },
        };
        Ok(Self { seq: stored.seq, time: stored.time, event })
    }
}

fn to_bytes(value: &impl Encode<()>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    // Writing to memory does not fail.
    minicbor::encode(value, &mut bytes).expect("encoding into a vector");
    bytes
}

fn from_bytes<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => minicbor::decode(rest).map_err(|error| error.to_string()),
        Some((version, _)) => Err(format!("version {version} is not known")),
        None => Err("it is empty".into()),
    }
}
