//! The public channels and on which terms they forward, in flat arrays.

use super::adjacency::Adjacency;
use crate::types::{CltvExpiryDelta, MilliSatoshi, ShortChannelId, UnixTime};
use std::fmt;
use std::sync::OnceLock;

/// A node's public key, compressed.
pub type NodeId = [u8; 33];

/// More channels are not taken in; mainnet had 34,000 in 2026.
pub const MAX_CHANNELS: usize = 150_000;
/// More nodes are not taken in; mainnet had 7,000 in 2026.
pub const MAX_NODES: usize = 50_000;

/// What has not been heard of for so long is forgotten (BOLT 7, Pruning the Network View).
pub(super) const STALE_SECS: u64 = 14 * 24 * 3600;

/// The public network as far as it is known. Nodes and channels have numbers; those of channels stay until one is
/// forgotten, those of nodes until [`Graph::prune`].
#[derive(Clone, Default)]
pub struct Graph {
    /// By number.
    pub(super) nodes: Vec<Node>,
    /// Numbers of nodes, ascending by id.
    node_order: Vec<u32>,
    /// By number.
    pub(super) channels: Vec<Channel>,
    /// Numbers of channels, ascending by `short_channel_id`.
    pub(super) channel_order: Vec<u32>,
    adjacency: OnceLock<Adjacency>,
    pub(super) synced_at: Option<UnixTime>,
    changes: u64,
}

/// A node that has a public channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) id: NodeId,
    /// It requires what we do not know: nothing may go through it (BOLT 7, node_announcement).
    pub(super) avoid: bool,
    /// Of the announcement that said so; 0 where `avoid` was never set.
    pub(super) timestamp: u32,
}

/// A public channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub short_channel_id: ShortChannelId,
    /// The numbers of `node_id_1` and `node_id_2`.
    pub nodes: [u32; 2],
    /// The value of its funding output, where that is known.
    pub capacity: Option<MilliSatoshi>,
    /// It requires what we do not know: nothing may go through it (BOLT 7, channel_announcement).
    pub avoid: bool,
    /// On which terms `node_id_1` and `node_id_2` forward into it.
    pub policies: [Option<ForwardingPolicy>; 2],
    /// When it was announced to us, in seconds since 1970.
    pub(super) seen_at: u32,
}

/// On which terms a node forwards into one of its channels (BOLT 7, channel_update).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardingPolicy {
    /// When it was made, in seconds since 1970.
    pub timestamp: u32,
    /// Nothing is forwarded at present.
    pub disabled: bool,
    /// The fixed part of the fee, in millisatoshi.
    pub fee_base_msat: u32,
    /// The fee's part of the amount that is forwarded, in millionths.
    pub fee_proportional_millionths: u32,
    /// The blocks that the node needs between the two HTLCs.
    pub cltv_expiry_delta: CltvExpiryDelta,
    /// The smallest HTLC.
    pub htlc_minimum: MilliSatoshi,
    /// The largest HTLC.
    pub htlc_maximum: MilliSatoshi,
}

impl Graph {
    /// How many channels are known.
    pub fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// How many nodes have one.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Counts every change, so that whoever stores the graph knows when to do so again. Not stored itself.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// When the last synchronisation with a peer came to its end; what is older is all here.
    pub fn synced_at(&self) -> Option<UnixTime> {
        self.synced_at
    }

    /// The number of a node.
    pub fn node(&self, id: &NodeId) -> Option<u32> {
        self.node_place(id).ok().map(|place| self.node_order[place])
    }

    /// The id of a node by its number.
    pub fn node_id(&self, node: u32) -> Option<&NodeId> {
        self.nodes.get(node as usize).map(|node| &node.id)
    }

    /// Whether nothing may go through the node, because it requires what we do not know.
    pub fn avoids(&self, node: u32) -> bool {
        self.nodes.get(node as usize).is_some_and(|node| node.avoid)
    }

    /// A channel by its name.
    pub fn channel(&self, short_channel_id: ShortChannelId) -> Option<&Channel> {
        let place = self.channel_place(short_channel_id).ok()?;
        self.channels.get(self.channel_order[place] as usize)
    }

    /// The channels of a node.
    pub fn channels_of(&self, node: u32) -> impl Iterator<Item = &Channel> {
        let adjacency = self.adjacency.get_or_init(|| Adjacency::new(self.nodes.len(), &self.channels));
        adjacency.of(node).iter().filter_map(|channel| self.channels.get(*channel as usize))
    }

    /// Forgets terms that were not renewed for two weeks, and channels and nodes that have none left
    /// (BOLT 7, Pruning the Network View). All numbers change.
    pub fn prune(&mut self, now: UnixTime) {
        let oldest = now.0.saturating_sub(STALE_SECS);
        let is_stale = |timestamp: u32| u64::from(timestamp) < oldest;
        let mut kept = Self { synced_at: self.synced_at, changes: self.changes, ..Self::default() };
        let mut forgotten = false;
        for number in &self.channel_order {
            let mut channel = self.channels[*number as usize];
            for policy in &mut channel.policies {
                forgotten |= policy.is_some_and(|policy| is_stale(policy.timestamp));
                *policy = policy.filter(|policy| !is_stale(policy.timestamp));
            }
            if channel.policies == [None, None] && is_stale(channel.seen_at) {
                forgotten = true;
                continue;
            }
            let nodes = channel.nodes.map(|node| self.nodes[node as usize]);
            channel.nodes = nodes.map(|node| kept.node_number(node));
            kept.push_channel(channel);
        }
        // A node whose last channel was forgotten alone is still here.
        if forgotten || kept.nodes.len() < self.nodes.len() {
            kept.changes = kept.changes.wrapping_add(1);
            *self = kept;
        }
    }

    /// Takes in a channel whose announcement was verified. False where it is known already or there is no room.
    pub(crate) fn add_channel(
        &mut self,
        short_channel_id: ShortChannelId,
        node_ids: [NodeId; 2],
        avoid: bool,
        seen_at: u32,
    ) -> bool {
        let new_nodes = node_ids.iter().filter(|id| self.node(id).is_none()).count();
        if self.channels.len() >= MAX_CHANNELS
            || self.nodes.len() + new_nodes > MAX_NODES
            || self.channel(short_channel_id).is_some()
        {
            return false;
        }
        let nodes = node_ids.map(|id| self.node_number(Node { id, avoid: false, timestamp: 0 }));
        let policies = [None, None];
        self.push_channel(Channel { short_channel_id, nodes, capacity: None, avoid, policies, seen_at });
        self.adjacency = OnceLock::new();
        self.changes = self.changes.wrapping_add(1);
        true
    }

    /// Forgets one channel. Its nodes stay until [`Graph::prune`].
    pub(crate) fn forget_channel(&mut self, short_channel_id: ShortChannelId) {
        let Ok(place) = self.channel_place(short_channel_id) else { return };
        let number = self.channel_order[place];
        // The last one takes its number.
        if let Some(last) = self.channels.last()
            && let Ok(place) = self.channel_place(last.short_channel_id)
        {
            self.channel_order[place] = number;
        }
        self.channel_order.remove(place);
        self.channels.swap_remove(number as usize);
        self.adjacency = OnceLock::new();
        self.changes = self.changes.wrapping_add(1);
    }

    /// Sets the terms of one direction; `direction` 0 is that of `node_id_1`.
    pub(crate) fn set_policy(
        &mut self,
        short_channel_id: ShortChannelId,
        direction: usize,
        policy: ForwardingPolicy,
    ) {
        let Ok(place) = self.channel_place(short_channel_id) else { return };
        let channel = &mut self.channels[self.channel_order[place] as usize];
        if let Some(current) = channel.policies.get_mut(direction) {
            *current = Some(policy);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    /// The timestamp of the announcement that last changed whether the node is avoided; 0 where none did.
    pub(super) fn announced_at(&self, node: u32) -> u32 {
        self.nodes.get(node as usize).map_or(0, |node| node.timestamp)
    }

    pub(crate) fn set_avoid(&mut self, node: u32, avoid: bool, timestamp: u32) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            (node.avoid, node.timestamp) = (avoid, timestamp);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    pub(super) fn set_synced_at(&mut self, at: UnixTime) {
        if self.synced_at < Some(at) {
            self.synced_at = Some(at);
            self.changes = self.changes.wrapping_add(1);
        }
    }

    /// The number of a node, new where it is not known.
    pub(super) fn node_number(&mut self, node: Node) -> u32 {
        match self.node_place(&node.id) {
            Ok(place) => self.node_order[place],
            Err(place) => {
                let number = number(self.nodes.len());
                self.nodes.push(node);
                self.node_order.insert(place, number);
                number
            }
        }
    }

    pub(super) fn push_channel(&mut self, channel: Channel) {
        if let Err(place) = self.channel_place(channel.short_channel_id) {
            self.channel_order.insert(place, number(self.channels.len()));
            self.channels.push(channel);
        }
    }

    pub(super) fn nodes_in_order(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.node_order.iter().map(|number| (*number, &self.nodes[*number as usize]))
    }

    fn node_place(&self, id: &NodeId) -> Result<usize, usize> {
        self.node_order.binary_search_by(|number| self.nodes[*number as usize].id.cmp(id))
    }

    fn channel_place(&self, short_channel_id: ShortChannelId) -> Result<usize, usize> {
        let name = |number: &u32| self.channels[*number as usize].short_channel_id;
        // Gossip and the stored form come in ascending order.
        if self.channel_order.last().is_none_or(|last| name(last) < short_channel_id) {
            return Err(self.channel_order.len());
        }
        self.channel_order.binary_search_by_key(&short_channel_id, name)
    }
}

impl PartialEq for Graph {
    /// The same network, whatever the order in which it became known.
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("nodes", &self.nodes.len())
            .field("channels", &self.channels.len())
            .field("synced_at", &self.synced_at)
            .finish_non_exhaustive()
    }
}

/// [`MAX_CHANNELS`] and [`MAX_NODES`] fit in a `u32`, and no more are ever taken in.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
