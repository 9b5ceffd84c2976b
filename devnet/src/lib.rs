//! One command's regtest world: chain, Esplora API, faucet, websocket proxy and three real Lightning nodes.

pub mod chain;
pub mod esplora;
pub mod http;
pub mod peers;
pub mod source;
pub mod world;

pub use world::{World, WorldError, WorldOptions};
