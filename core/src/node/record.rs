//! The node's own small record, and how events are stored.

use super::{Event, EventRecord};
use crate::payment::{IncomingState, OutgoingState, PaymentRecord};
use crate::types::{BlockHeight, ChannelId, PaymentId, UnixTime};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Network, Txid};
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;

const VERSION: u8 = 1;

/// An event that a payment tells all of: nothing but the id of the payment stands behind this.
const PAYMENT_ENDED_VERSION: u8 = 2;

/// What the node counts, and for which network it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct NodeRecord {
    /// The magic bytes of the network.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) magic: [u8; 4],
    /// The channel key index of the next channel. No index is ever used twice.
    #[n(1)]
    pub(crate) next_channel: u32,
    /// The number of the next event; larger where an event is stored that has it.
    #[n(2)]
    pub(crate) next_event: u64,
    /// When the wallet was made, or restored.
    #[n(3)]
    pub(crate) birthday: UnixTime,
    /// The height of the checkpoint that its headers begin at; unset for the network's first block.
    #[n(4)]
    checkpoint: Option<BlockHeight>,
}

impl NodeRecord {
    pub(crate) fn new(network: Network, checkpoint: BlockHeight, birthday: UnixTime) -> Self {
        let magic = network.magic().to_bytes();
        let checkpoint = (checkpoint > 0).then_some(checkpoint);
        Self { magic, next_channel: 0, next_event: 1, birthday, checkpoint }
    }

    pub(crate) fn checkpoint_height(&self) -> BlockHeight {
        self.checkpoint.unwrap_or(0)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(VERSION, self)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        from_bytes(VERSION, bytes)
    }
}

/// The stored form of an event, beside its number.
#[derive(Encode, Decode)]
struct StoredEvent {
    #[n(0)]
    event: Stored,
    /// Unset where a payment ended, which knows when.
    #[n(1)]
    time: Option<UnixTime>,
}

#[derive(Encode, Decode)]
enum Stored {
    /// Sent, failed or received: the payment itself tells, for it stays as it ended. Written before
    /// [`PAYMENT_ENDED_VERSION`].
    #[n(0)]
    PaymentEnded(#[n(0)] PaymentId),
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
            Event::PaymentSent { id, .. }
            | Event::PaymentFailed { id, .. }
            | Event::PaymentReceived { id, .. } => {
                return [&[PAYMENT_ENDED_VERSION], &id.0[..]].concat();
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
        to_bytes(VERSION, &StoredEvent { event, time: Some(self.time) })
    }

    pub(crate) fn from_bytes(
        seq: u64,
        bytes: &[u8],
        payments: &BTreeMap<PaymentId, PaymentRecord>,
    ) -> Result<Self, String> {
        let of_payment = |id: PaymentId| {
            let ended = payments.get(&id).and_then(payment_ended);
            let (event, time) = ended.ok_or("of a payment that has not ended")?;
            Ok(Self { seq, time, event })
        };
        if let Some((&PAYMENT_ENDED_VERSION, id)) = bytes.split_first() {
            return of_payment(PaymentId(id.try_into().map_err(|_| "not the id of a payment")?));
        }
        let stored: StoredEvent = from_bytes(VERSION, bytes)?;
        let txid = Txid::from_byte_array;
        let event = match stored.event {
            Stored::PaymentEnded(id) => return of_payment(id),
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
        Ok(Self { seq, time: stored.time.ok_or("without its time")?, event })
    }
}

/// What the app was told when the payment ended, and when.
fn payment_ended(payment: &PaymentRecord) -> Option<(Event, UnixTime)> {
    let (id, payment_hash) = (payment.id(), payment.payment_hash());
    match payment {
        PaymentRecord::Outgoing(payment) => match &payment.state {
            OutgoingState::Sent { preimage, fee, at, .. } => {
                Some((Event::PaymentSent { id, payment_hash, preimage: *preimage, fee: *fee }, *at))
            }
            OutgoingState::Failed { reason, at } => {
                Some((Event::PaymentFailed { id, payment_hash, reason: reason.clone() }, *at))
            }
            OutgoingState::Pending | OutgoingState::InFlight(_) => None,
        },
        PaymentRecord::Incoming(payment) => match payment.state {
            IncomingState::Received { amount, at } => {
                Some((Event::PaymentReceived { id, payment_hash, amount }, at))
            }
            IncomingState::Expecting => None,
        },
    }
}

/// A small record, behind the version of its form (ADR 0005).
pub(super) fn to_bytes(version: u8, value: &impl Encode<()>) -> Vec<u8> {
    let mut bytes = vec![version];
    // Writing to memory does not fail.
    minicbor::encode(value, &mut bytes).expect("encoding into a vector");
    bytes
}

/// Reads what [`to_bytes`] wrote.
pub(super) fn from_bytes<'b, T: Decode<'b, ()>>(version: u8, bytes: &'b [u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((known, rest)) if *known == version => minicbor::decode(rest).map_err(|error| error.to_string()),
        Some((version, _)) => Err(format!("version {version} is not known")),
        None => Err("it is empty".into()),
    }
}
