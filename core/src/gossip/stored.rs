//! How the graph is stored: one flat buffer.
//!
//! `version, synced_at, node count, nodes ascending by id, channel count, channels ascending by short_channel_id`, all
//! integers big-endian. A node is `id(33) flags(1) timestamp(4)`. A channel is `short_channel_id(8) node_1(4) node_2(4)
//! flags(1) seen_at(4)`, then its capacity (8) and the policies that its flags name.

use super::graph::{Channel, ForwardingPolicy, Graph, MAX_CHANNELS, MAX_NODES, Node};
use crate::types::{CltvExpiryDelta, MilliSatoshi, UnixTime};
use crate::wire::{DecodeError, Reader, Writer};

const VERSION: u8 = 1;
const NODE_BYTES: usize = 33 + 1 + 4;
const CHANNEL_BYTES: usize = 8 + 4 + 4 + 1 + 4;

const AVOID: u8 = 1;
const HAS_CAPACITY: u8 = 1 << 1;
const HAS_POLICY: [u8; 2] = [1 << 2, 1 << 3];
const DISABLED: [u8; 2] = [1 << 4, 1 << 5];

/// Why a stored graph cannot be read. It can be thrown away: peers have it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphDecodeError {
    /// Written by another version.
    #[error("the graph was stored in version {version}, which is not known here")]
    UnknownVersion {
        /// The first byte.
        version: u8,
    },
    /// Too short, or a value that cannot be.
    #[error("the stored graph is damaged: {0}")]
    Damaged(#[from] DecodeError),
    /// More entries than there can be.
    #[error("the stored graph is damaged: {count} {what}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many it says.
        count: u32,
    },
    /// An entry that is out of order or refers to nothing.
    #[error("the stored graph is damaged: {what} {index} does not fit in")]
    Misplaced {
        /// Of what.
        what: &'static str,
        /// Which one, from 0.
        index: u32,
    },
    /// Bytes after the end.
    #[error("the stored graph is damaged: {bytes} bytes too many")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

impl Graph {
    /// The graph as one buffer; the same network gives the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.write(&VERSION);
        writer.write(&self.synced_at.map_or(0, |at| at.0));
        writer.write(&count(self.nodes.len()));
        let mut places = vec![0u32; self.nodes.len()];
        for (place, (number, node)) in (0u32..).zip(self.nodes_in_order()) {
            places[number as usize] = place;
            writer.put(&node.id);
            writer.write(&u8::from(node.avoid));
            writer.write(&node.timestamp);
        }
        writer.write(&count(self.channels.len()));
        for number in &self.channel_order {
            let channel = &self.channels[*number as usize];
            writer.write(&channel.short_channel_id);
            channel.nodes.iter().for_each(|node| writer.write(&places[*node as usize]));
            writer.write(&flags(channel));
            writer.write(&channel.seen_at);
            if let Some(capacity) = channel.capacity {
                writer.write(&capacity.to_msat());
            }
            channel.policies.iter().flatten().for_each(|policy| write_policy(policy, &mut writer));
        }
        writer.into_bytes()
    }

    /// Reads what [`Graph::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`GraphDecodeError`]; the caller starts with an empty graph.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GraphDecodeError> {
        let mut reader = Reader::new(bytes);
        let version: u8 = reader.read()?;
        if version != VERSION {
            return Err(GraphDecodeError::UnknownVersion { version });
        }
        let mut graph = Self::default();
        let synced_at: u64 = reader.read()?;
        graph.synced_at = (synced_at != 0).then_some(UnixTime(synced_at));
        let nodes = read_count(&mut reader, "nodes", MAX_NODES, NODE_BYTES)?;
        for index in 0..nodes {
            read_node(&mut reader, &mut graph, index)?;
        }
        let channels = read_count(&mut reader, "channels", MAX_CHANNELS, CHANNEL_BYTES)?;
        for index in 0..channels {
            read_channel(&mut reader, &mut graph, index)?;
        }
        match reader.rest().len() {
            0 => Ok(graph),
            bytes => Err(GraphDecodeError::Trailing { bytes }),
        }
    }
}

fn read_node(reader: &mut Reader<'_>, graph: &mut Graph, index: u32) -> Result<(), GraphDecodeError> {
    let node = Node { id: reader.read()?, avoid: reader.read::<u8>()? != 0, timestamp: reader.read()? };
    let is_last = graph.nodes.last().is_none_or(|last| last.id < node.id);
    if !is_last || !matches!(node.id[0], 2 | 3) {
        return Err(GraphDecodeError::Misplaced { what: "node", index });
    }
    graph.node_number(node);
    Ok(())
}

fn read_channel(reader: &mut Reader<'_>, graph: &mut Graph, index: u32) -> Result<(), GraphDecodeError> {
    let short_channel_id = reader.read()?;
    let nodes: [u32; 2] = [reader.read()?, reader.read()?];
    let flags: u8 = reader.read()?;
    let seen_at = reader.read()?;
    let capacity =
        if flags & HAS_CAPACITY != 0 { Some(MilliSatoshi::from_msat(reader.read()?)) } else { None };
    let mut policies = [None, None];
    for (direction, policy) in policies.iter_mut().enumerate() {
        if flags & HAS_POLICY[direction] != 0 {
            *policy = Some(read_policy(reader, flags & DISABLED[direction] != 0)?);
        }
    }
    let is_last = graph.channels.last().is_none_or(|last| last.short_channel_id < short_channel_id);
    if !is_last || nodes[0] >= nodes[1] || nodes[1] >= count(graph.nodes.len()) {
        return Err(GraphDecodeError::Misplaced { what: "channel", index });
    }
    let avoid = flags & AVOID != 0;
    graph.push_channel(Channel { short_channel_id, nodes, capacity, avoid, policies, seen_at });
    Ok(())
}

fn read_policy(reader: &mut Reader<'_>, disabled: bool) -> Result<ForwardingPolicy, DecodeError> {
    Ok(ForwardingPolicy {
        timestamp: reader.read()?,
        disabled,
        fee_base_msat: reader.read()?,
        fee_proportional_millionths: reader.read()?,
        cltv_expiry_delta: CltvExpiryDelta(reader.read()?),
        htlc_minimum: reader.read()?,
        htlc_maximum: reader.read()?,
    })
}

fn write_policy(policy: &ForwardingPolicy, writer: &mut Writer) {
    writer.write(&policy.timestamp);
    writer.write(&policy.fee_base_msat);
    writer.write(&policy.fee_proportional_millionths);
    writer.write(&policy.cltv_expiry_delta.0);
    writer.write(&policy.htlc_minimum);
    writer.write(&policy.htlc_maximum);
}

fn flags(channel: &Channel) -> u8 {
    let mut flags = if channel.avoid { AVOID } else { 0 };
    if channel.capacity.is_some() {
        flags |= HAS_CAPACITY;
    }
    for (direction, policy) in channel.policies.iter().enumerate() {
        if let Some(policy) = policy {
            flags |= HAS_POLICY[direction];
            if policy.disabled {
                flags |= DISABLED[direction];
            }
        }
    }
    flags
}

/// A count that the bytes that follow can hold, so that nothing is made of it before.
fn read_count(
    reader: &mut Reader<'_>,
    what: &'static str,
    max: usize,
    entry_bytes: usize,
) -> Result<u32, GraphDecodeError> {
    let count: u32 = reader.read()?;
    let entries = usize::try_from(count).unwrap_or(usize::MAX);
    if entries > max || entries.saturating_mul(entry_bytes) > reader.clone().rest().len() {
        return Err(GraphDecodeError::Count { what, count });
    }
    Ok(count)
}

/// [`MAX_CHANNELS`] and [`MAX_NODES`] fit in a `u32`.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
