//! Messages of every type with contents drawn from a seed.

use crate::types::{
    ChannelId, Features, FeeratePerKw, HtlcId, MAX_MONEY_SAT, MilliSatoshi, PaymentHash, PaymentPreimage,
    ShortChannelId,
};
use crate::wire::{
    AcceptChannel, AnnouncementSignatures, BigSize, ChannelAnnouncement, ChannelAnnouncementContents,
    ChannelReady, ChannelReestablish, ChannelUpdate, ChannelUpdateChecksums, ChannelUpdateContents,
    ChannelUpdateTimestamps, ClosingSigned, CommitmentSigned, Error, FeeRange, FundingCreated, FundingSigned,
    GossipTimestampFilter, Init, Message, MyCurrentFundingLocked, NextFunding, NodeAnnouncement,
    NodeAnnouncementContents, OpenChannel, Ping, Pong, QueryChannelRange, QueryShortChannelIds,
    ReplyChannelRange, ReplyShortChannelIdsEnd, RevokeAndAck, Shutdown, Signed, UpdateAddHtlc,
    UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc, Warning,
};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey, ecdsa::Signature};
use bitcoin::{Amount, ScriptBuf, Txid};

/// The types of all messages that are known.
pub const MESSAGE_TYPES: [u16; 29] = [
    1, 16, 17, 18, 19, 32, 33, 34, 35, 36, 38, 39, 128, 130, 131, 132, 133, 134, 135, 136, 256, 257, 258,
    259, 261, 262, 263, 264, 265,
];

/// A sequence of numbers that looks random (splitmix64).
pub struct Source(pub u64);

impl Source {
    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    fn draw<T: Draw>(&mut self) -> T {
        T::draw(self)
    }

    fn draw_many<T: Draw>(&mut self, count: u64) -> Vec<T> {
        (0..count).map(|_| self.draw()).collect()
    }
}

trait Draw {
    fn draw(source: &mut Source) -> Self;
}

macro_rules! draw {
    ($($ty:ty: $source:ident => $value:expr;)*) => {
        $(impl Draw for $ty {
            fn draw($source: &mut Source) -> Self {
                $value
            }
        })*
    };
}

fn edge_or_any(source: &mut Source, max: u64) -> u64 {
    match source.below(8) {
        0 => 0,
        1 => max,
        2 => source.below(300).min(max),
        _ => source.number() % max.saturating_add(1).max(1),
    }
}

draw! {
    u64: s => edge_or_any(s, u64::MAX);
    u32: s => u32::try_from(edge_or_any(s, u32::MAX.into())).unwrap();
    u16: s => u16::try_from(edge_or_any(s, u16::MAX.into())).unwrap();
    u8: s => u8::try_from(edge_or_any(s, u8::MAX.into())).unwrap();
    Vec<u8>: s => { let count = s.below(40); s.draw_many(count) };
    ChannelId: s => Self(s.draw());
    PaymentHash: s => Self(s.draw());
    PaymentPreimage: s => Self(s.draw());
    ShortChannelId: s => Self(s.draw());
    HtlcId: s => Self(s.draw());
    BigSize: s => Self(s.draw());
    FeeratePerKw: s => Self::from_sat_per_kw(s.draw());
    Amount: s => Self::from_sat(edge_or_any(s, MAX_MONEY_SAT));
    MilliSatoshi: s => Self::from_msat(edge_or_any(s, MAX_MONEY_SAT * 1000));
    Txid: s => Self::from_byte_array(s.draw());
    ChainHash: s => Self::from(s.draw::<[u8; 32]>());
    ScriptBuf: s => Self::from_bytes(s.draw());
    Features: s => Self::from_be_bytes(&s.draw::<Vec<u8>>());
    PublicKey: s => {
        let secret = SecretKey::from_slice(&[1 + u8::try_from(s.below(250)).unwrap(); 32]).unwrap();
        Self::from_secret_key(&Secp256k1::signing_only(), &secret)
    };
    Signature: s => {
        let mut bytes = [s.draw::<[u8; 32]>(), s.draw()].concat();
        // Below the order of the group, and low.
        bytes[0] &= 0x7f;
        bytes[32] &= 0x3f;
        Self::from_compact(&bytes).unwrap()
    };
    NextFunding: s => Self { next_funding_txid: s.draw(), retransmit_flags: s.draw() };
    MyCurrentFundingLocked: s =>
        Self { my_current_funding_locked_txid: s.draw(), retransmit_flags: s.draw() };
    FeeRange: s => Self { min_fee_satoshis: s.draw(), max_fee_satoshis: s.draw() };
    ChannelUpdateTimestamps: s =>
        Self { timestamp_node_id_1: s.draw(), timestamp_node_id_2: s.draw() };
    ChannelUpdateChecksums: s => Self { checksum_node_id_1: s.draw(), checksum_node_id_2: s.draw() };
}

impl<const N: usize> Draw for [u8; N] {
    fn draw(source: &mut Source) -> Self {
        std::array::from_fn(|_| source.number().to_le_bytes()[0])
    }
}

impl<T: Draw> Draw for Option<T> {
    fn draw(source: &mut Source) -> Self {
        (source.below(2) == 0).then(|| source.draw())
    }
}

fn channel_announcement(s: &mut Source) -> ChannelAnnouncement {
    ChannelAnnouncement {
        node_signature_1: s.draw(),
        node_signature_2: s.draw(),
        bitcoin_signature_1: s.draw(),
        bitcoin_signature_2: s.draw(),
        contents: Signed::new(ChannelAnnouncementContents {
            features: s.draw(),
            chain_hash: s.draw(),
            short_channel_id: s.draw(),
            node_id_1: s.draw(),
            node_id_2: s.draw(),
            bitcoin_key_1: s.draw(),
            bitcoin_key_2: s.draw(),
        }),
    }
}

fn node_announcement(s: &mut Source) -> NodeAnnouncement {
    NodeAnnouncement {
        signature: s.draw(),
        contents: Signed::new(NodeAnnouncementContents {
            features: s.draw(),
            timestamp: s.draw(),
            node_id: s.draw(),
            rgb_color: s.draw(),
            alias: s.draw(),
            addresses: s.draw(),
        }),
    }
}

fn channel_update(s: &mut Source) -> ChannelUpdate {
    ChannelUpdate {
        signature: s.draw(),
        contents: Signed::new(ChannelUpdateContents {
            chain_hash: s.draw(),
            short_channel_id: s.draw(),
            timestamp: s.draw(),
            message_flags: s.draw(),
            channel_flags: s.draw(),
            cltv_expiry_delta: s.draw(),
            htlc_minimum_msat: s.draw(),
            fee_base_msat: s.draw(),
            fee_proportional_millionths: s.draw(),
            htlc_maximum_msat: s.draw(),
        }),
    }
}

fn open_channel(s: &mut Source) -> OpenChannel {
    OpenChannel {
        chain_hash: s.draw(),
        temporary_channel_id: s.draw(),
        funding_satoshis: s.draw(),
        push_msat: s.draw(),
        dust_limit_satoshis: s.draw(),
        max_htlc_value_in_flight_msat: s.draw(),
        channel_reserve_satoshis: s.draw(),
        htlc_minimum_msat: s.draw(),
        feerate_per_kw: s.draw(),
        to_self_delay: s.draw(),
        max_accepted_htlcs: s.draw(),
        funding_pubkey: s.draw(),
        revocation_basepoint: s.draw(),
        payment_basepoint: s.draw(),
        delayed_payment_basepoint: s.draw(),
        htlc_basepoint: s.draw(),
        first_per_commitment_point: s.draw(),
        channel_flags: s.draw(),
        upfront_shutdown_script: s.draw(),
        channel_type: s.draw(),
    }
}

fn accept_channel(s: &mut Source) -> AcceptChannel {
    AcceptChannel {
        temporary_channel_id: s.draw(),
        dust_limit_satoshis: s.draw(),
        max_htlc_value_in_flight_msat: s.draw(),
        channel_reserve_satoshis: s.draw(),
        htlc_minimum_msat: s.draw(),
        minimum_depth: s.draw(),
        to_self_delay: s.draw(),
        max_accepted_htlcs: s.draw(),
        funding_pubkey: s.draw(),
        revocation_basepoint: s.draw(),
        payment_basepoint: s.draw(),
        delayed_payment_basepoint: s.draw(),
        htlc_basepoint: s.draw(),
        first_per_commitment_point: s.draw(),
        upfront_shutdown_script: s.draw(),
        channel_type: s.draw(),
    }
}

fn setup_or_establish(message_type: u16, s: &mut Source) -> Message {
    match message_type {
        1 => Warning { channel_id: s.draw(), data: s.draw() }.into(),
        16 => Init {
            globalfeatures: s.draw(),
            features: s.draw(),
            networks: (s.below(2) == 0).then(|| s.draw_many(2)),
            remote_addr: s.draw(),
        }
        .into(),
        17 => Error { channel_id: s.draw(), data: s.draw() }.into(),
        18 => Ping { num_pong_bytes: s.draw(), byteslen: u16::try_from(s.below(300)).unwrap() }.into(),
        19 => Pong { byteslen: u16::try_from(s.below(300)).unwrap() }.into(),
        32 => Box::new(open_channel(s)).into(),
        33 => Box::new(accept_channel(s)).into(),
        34 => FundingCreated {
            temporary_channel_id: s.draw(),
            funding_txid: s.draw(),
            funding_output_index: s.draw(),
            signature: s.draw(),
        }
        .into(),
        35 => FundingSigned { channel_id: s.draw(), signature: s.draw() }.into(),
        36 => ChannelReady {
            channel_id: s.draw(),
            second_per_commitment_point: s.draw(),
            short_channel_id: s.draw(),
        }
        .into(),
        38 => Shutdown { channel_id: s.draw(), scriptpubkey: s.draw() }.into(),
        39 => ClosingSigned {
            channel_id: s.draw(),
            fee_satoshis: s.draw(),
            signature: s.draw(),
            fee_range: s.draw(),
        }
        .into(),
        other => operation(other, s),
    }
}

fn operation(message_type: u16, s: &mut Source) -> Message {
    match message_type {
        128 => UpdateAddHtlc {
            channel_id: s.draw(),
            id: s.draw(),
            amount_msat: s.draw(),
            payment_hash: s.draw(),
            cltv_expiry: s.draw(),
            onion_routing_packet: Box::new(s.draw()),
            path_key: s.draw(),
        }
        .into(),
        130 => UpdateFulfillHtlc { channel_id: s.draw(), id: s.draw(), payment_preimage: s.draw() }.into(),
        131 => UpdateFailHtlc { channel_id: s.draw(), id: s.draw(), reason: s.draw() }.into(),
        132 => {
            let count = s.below(4);
            CommitmentSigned {
                channel_id: s.draw(),
                signature: s.draw(),
                htlc_signatures: s.draw_many(count),
                funding_txid: s.draw(),
            }
            .into()
        }
        133 => RevokeAndAck {
            channel_id: s.draw(),
            per_commitment_secret: s.draw(),
            next_per_commitment_point: s.draw(),
        }
        .into(),
        134 => UpdateFee { channel_id: s.draw(), feerate_per_kw: s.draw() }.into(),
        135 => UpdateFailMalformedHtlc {
            channel_id: s.draw(),
            id: s.draw(),
            sha256_of_onion: s.draw(),
            failure_code: s.draw(),
        }
        .into(),
        136 => ChannelReestablish {
            channel_id: s.draw(),
            next_commitment_number: s.draw(),
            next_revocation_number: s.draw(),
            your_last_per_commitment_secret: s.draw(),
            my_current_per_commitment_point: s.draw(),
            next_funding: s.draw(),
            my_current_funding_locked: s.draw(),
        }
        .into(),
        other => gossip(other, s),
    }
}

fn gossip(message_type: u16, s: &mut Source) -> Message {
    let count = s.below(4);
    match message_type {
        256 => Box::new(channel_announcement(s)).into(),
        257 => Box::new(node_announcement(s)).into(),
        258 => channel_update(s).into(),
        259 => AnnouncementSignatures {
            channel_id: s.draw(),
            short_channel_id: s.draw(),
            node_signature: s.draw(),
            bitcoin_signature: s.draw(),
        }
        .into(),
        261 => QueryShortChannelIds {
            chain_hash: s.draw(),
            short_channel_ids: s.draw_many(count),
            query_flags: (s.below(2) == 0).then(|| s.draw_many(count)),
        }
        .into(),
        262 => ReplyShortChannelIdsEnd { chain_hash: s.draw(), full_information: s.draw() }.into(),
        263 => QueryChannelRange {
            chain_hash: s.draw(),
            first_blocknum: s.draw(),
            number_of_blocks: s.draw(),
            query_option_flags: s.draw(),
        }
        .into(),
        264 => ReplyChannelRange {
            chain_hash: s.draw(),
            first_blocknum: s.draw(),
            number_of_blocks: s.draw(),
            sync_complete: s.draw(),
            short_channel_ids: s.draw_many(count),
            timestamps: (s.below(2) == 0).then(|| s.draw_many(count)),
            checksums: (s.below(2) == 0).then(|| s.draw_many(count)),
        }
        .into(),
        265 => GossipTimestampFilter {
            chain_hash: s.draw(),
            first_timestamp: s.draw(),
            timestamp_range: s.draw(),
        }
        .into(),
        other => panic!("no message of type {other}"),
    }
}

/// A valid message of this type; the same seed gives the same message.
pub fn message(message_type: u16, seed: u64) -> Message {
    setup_or_establish(message_type, &mut Source(seed))
}
