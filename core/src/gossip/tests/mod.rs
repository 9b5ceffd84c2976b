//! Gossip as peers send it, signed with keys that are numbers.

mod forged;
mod graph;
mod stored;
mod sync;

use crate::crypto::ec;
use crate::gossip::{GossipSync, Graph};
use crate::types::{Features, Instant, MilliSatoshi, Now, ShortChannelId, UnixTime};
use crate::wire::{
    ChannelAnnouncement, ChannelAnnouncementContents, ChannelUpdate, ChannelUpdateContents, Message,
    NodeAnnouncement, NodeAnnouncementContents, Signed,
};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use std::sync::OnceLock;

const CHAIN: ChainHash = ChainHash::REGTEST;
const DATE: u32 = 1_790_000_000;
const SCID: ShortChannelId = ShortChannelId(100 << 40);

fn now() -> Now {
    Now { mono: Instant(1_000_000), unix: UnixTime(u64::from(DATE)) }
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_slice(&[number; 32]).unwrap()
}

/// Each is made once.
fn id(number: u8) -> PublicKey {
    static IDS: OnceLock<Vec<PublicKey>> = OnceLock::new();
    IDS.get_or_init(|| (1..110).map(|number| ec::public_key(&key(number))).collect())[usize::from(number) - 1]
}

/// Two keys by their numbers, so that the first node has the lesser id.
fn ordered(a: u8, b: u8) -> [u8; 2] {
    if id(a).serialize() < id(b).serialize() { [a, b] } else { [b, a] }
}

fn announcement_contents(scid: ShortChannelId, nodes: [u8; 2]) -> ChannelAnnouncementContents {
    ChannelAnnouncementContents {
        features: Features::empty(),
        chain_hash: CHAIN,
        short_channel_id: scid,
        node_id_1: id(nodes[0]),
        node_id_2: id(nodes[1]),
        bitcoin_key_1: id(101),
        bitcoin_key_2: id(102),
    }
}

fn announce_as(contents: ChannelAnnouncementContents, keys: [u8; 4]) -> ChannelAnnouncement {
    let contents = Signed::new(contents);
    let [node_1, node_2, bitcoin_1, bitcoin_2] = keys.map(|k| ec::sign_ecdsa(&contents.digest(), &key(k)));
    ChannelAnnouncement {
        node_signature_1: node_1,
        node_signature_2: node_2,
        bitcoin_signature_1: bitcoin_1,
        bitcoin_signature_2: bitcoin_2,
        contents,
    }
}

fn announcement(scid: ShortChannelId, a: u8, b: u8) -> ChannelAnnouncement {
    let nodes = ordered(a, b);
    announce_as(announcement_contents(scid, nodes), [nodes[0], nodes[1], 101, 102])
}

/// Of `node_id_1` where `direction` is 0.
fn update_contents(scid: ShortChannelId, direction: u8, timestamp: u32) -> ChannelUpdateContents {
    ChannelUpdateContents {
        chain_hash: CHAIN,
        short_channel_id: scid,
        timestamp,
        message_flags: 1,
        channel_flags: direction,
        cltv_expiry_delta: 40,
        htlc_minimum_msat: MilliSatoshi::from_msat(1),
        fee_base_msat: 1_000,
        fee_proportional_millionths: 100,
        htlc_maximum_msat: MilliSatoshi::from_msat(1_000_000_000),
    }
}

fn update_as(contents: ChannelUpdateContents, signer: u8) -> ChannelUpdate {
    let contents = Signed::new(contents);
    ChannelUpdate { signature: ec::sign_ecdsa(&contents.digest(), &key(signer)), contents }
}

fn node_announcement(node: u8, signer: u8, timestamp: u32, features: &[u16]) -> NodeAnnouncement {
    let contents = Signed::new(NodeAnnouncementContents {
        features: Features::from_bits(features.iter().copied()),
        timestamp,
        node_id: id(node),
        rgb_color: [0; 3],
        alias: [0; 32],
        addresses: Vec::new(),
    });
    NodeAnnouncement { signature: ec::sign_ecdsa(&contents.digest(), &key(signer)), contents }
}

const PEER: u8 = 77;

/// A peer that was asked for its gossip, and the graph it fills.
struct Synced {
    sync: GossipSync,
    graph: Graph,
}

impl Synced {
    fn new() -> Self {
        let (mut sync, graph) = (GossipSync::new(CHAIN), Graph::default());
        assert_eq!(sync.peer_ready(id(PEER), &graph, now()).len(), 1);
        Self { sync, graph }
    }

    /// With the channel [`SCID`] between nodes 1 and 2.
    fn with_channel() -> Self {
        let mut synced = Self::new();
        synced.hear(announcement(SCID, 1, 2));
        assert_eq!(synced.graph.channel_count(), 1);
        synced
    }

    fn hear(&mut self, message: impl Into<Message>) -> Vec<Message> {
        self.sync.on_message(&id(PEER), message.into(), &mut self.graph, now())
    }

    fn timestamp(&self, direction: usize) -> Option<u32> {
        let channel = self.graph.channel(SCID)?;
        channel.policies[direction].map(|policy| policy.timestamp)
    }
}

impl From<ChannelAnnouncement> for Message {
    fn from(announcement: ChannelAnnouncement) -> Self {
        Box::new(announcement).into()
    }
}

impl From<NodeAnnouncement> for Message {
    fn from(announcement: NodeAnnouncement) -> Self {
        Box::new(announcement).into()
    }
}
