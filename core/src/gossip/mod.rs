//! The network graph and what fills it (BOLT 7).
//!
//! The graph serves path finding and nothing else. That a channel was announced is checked by its four signatures, but
//! not against the chain: a peer can invent channels between keys of its own. Such a channel makes an attempt fail; it
//! never puts money at risk. What a peer can make us store and compute is bounded (see [`GossipSync`]).

mod adjacency;
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
