//! Kite against others: an LDK node that lives in the test process, without sockets, threads or clock, and a full node
//! whose mempool judges what both publish.

pub mod full_node;
pub mod ldk;
pub mod meeting;
