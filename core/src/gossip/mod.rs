//! The network graph and what fills it (BOLT 7).
//!
//! The graph serves path finding and nothing else. That a channel was announced is checked by its four signatures, but
//! not against the chain: a peer can invent channels between keys of its own, and say of a real one that it is between
//! them. Such a channel makes an attempt fail; it never puts money at risk. A channel that two announcements give to
//! different nodes is used by neither for a while (ADR 0034). What a peer can make us store and compute is bounded (see
//! [`GossipSync`]).

mod adjacency;
mod disputed;
mod early;
mod graph;
mod peer;
mod stored;
mod sync;
#[cfg(test)]
mod tests;
mod verify;

pub use graph::{Channel, ForwardingPolicy, Graph, MAX_CHANNELS, MAX_NODES, NodeId};
pub use stored::GraphDecodeError;
pub use sync::GossipSync;
pub(crate) use verify::terms_in_failure;
