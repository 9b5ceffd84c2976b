//! Tests of the graph and of gossip.
