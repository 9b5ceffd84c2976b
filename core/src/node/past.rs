//! Channels of which nothing is left to happen: what the owner's book says of them. No rule depends on it.

use super::record::{from_bytes, to_bytes};
use super::{ChannelInfo, CloseInfo, Node};
use crate::channel::{Closer, Closing, State};
use crate::store::{RecordKind, RecordName};
use crate::types::{BlockHeight, ChannelId, MilliSatoshi};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Txid};
use minicbor::{Decode, Encode};

const VERSION: u8 = 1;

/// What is kept of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct PastChannel {
    #[n(0)]
    channel_id: ChannelId,
    #[cbor(n(1), with = "crate::store::cbor::public_key")]
    node_id: PublicKey,
    #[n(2)]
    capacity_sat: u64,
    #[n(3)]
    is_opener: bool,
    #[cbor(n(4), with = "minicbor::bytes")]
    funding_txid: [u8; 32],
    #[cbor(n(5), with = "minicbor::bytes")]
    closing_txid: [u8; 32],
    #[n(6)]
    closing_height: BlockHeight,
    #[n(7)]
    closer: Closer,
    #[n(8)]
    reason: String,
    /// One after the other.
    #[cbor(n(9), with = "minicbor::bytes")]
    claim_txids: Vec<u8>,
}

impl PastChannel {
    /// The name of its record.
    pub(super) fn name(index: u32) -> RecordName {
        RecordName::numbered(RecordKind::PastChannel, u64::from(index))
    }

    fn of(channel: &ChannelInfo, closing_height: BlockHeight) -> Option<Self> {
        let close = channel.close.as_ref()?;
        Some(Self {
            channel_id: channel.channel_id,
            node_id: channel.node_id,
            capacity_sat: channel.capacity.to_sat(),
            is_opener: channel.is_opener,
            funding_txid: channel.funding_txid?.to_byte_array(),
            closing_txid: channel.closing_txid?.to_byte_array(),
            closing_height,
            closer: close.closer,
            reason: channel.close_reason.clone()?,
            claim_txids: close.claim_txids.iter().flat_map(|txid| txid.to_byte_array()).collect(),
        })
    }

    fn claim_txids(&self) -> Vec<Txid> {
        self.claim_txids.as_chunks().0.iter().copied().map(Txid::from_byte_array).collect()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(VERSION, self)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        from_bytes(VERSION, bytes)
    }
}

impl Node {
    /// Channels that are closed for good, the oldest first.
    pub fn past_channels(&self) -> Vec<ChannelInfo> {
        self.past_channels.iter().map(|(index, past)| self.past_info(*index, past)).collect()
    }

    /// Keeps what the owner's book says of a channel, in the batch that forgets the channel.
    pub(super) fn keep_past(&mut self, index: u32) {
        let Some(entry) = self.channels.get(&index) else { return };
        let State::Closing(Closing { height: Some(height), .. }) = entry.channel.state else { return };
        let Some(past) = PastChannel::of(&self.channel_info(index, entry), height) else { return };
        self.outbox.put(PastChannel::name(index), past.to_bytes());
        self.past_channels.insert(index, past);
    }

    fn past_info(&self, index: u32, past: &PastChannel) -> ChannelInfo {
        ChannelInfo {
            index,
            channel_id: past.channel_id,
            node_id: past.node_id,
            state: "closed",
            is_usable: false,
            is_opener: past.is_opener,
            capacity: Amount::from_sat(past.capacity_sat),
            spendable: MilliSatoshi::ZERO,
            receivable: MilliSatoshi::ZERO,
            local_balance: MilliSatoshi::ZERO,
            in_flight: MilliSatoshi::ZERO,
            reserve: Amount::ZERO,
            funding_txid: Some(Txid::from_byte_array(past.funding_txid)),
            confirmations: 0,
            confirmations_needed: 0,
            closing_txid: Some(Txid::from_byte_array(past.closing_txid)),
            close_reason: Some(past.reason.clone()),
            close: Some(CloseInfo {
                closer: past.closer,
                confirmations: self.depth(past.closing_height),
                amount: Amount::ZERO,
                claim_txids: past.claim_txids(),
                expected_height: None,
            }),
        }
    }
}
