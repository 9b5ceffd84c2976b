//! The wallet as it runs on a phone or desktop (TCP, SQLite) against a real node and a real chain server.

mod between;
mod chance;
mod full_node;
#[path = "../judge/mod.rs"]
mod judge;
mod liar;
mod lies;
mod owner;
mod paging;
mod payments;
mod relay;
mod steps;
mod storm;
