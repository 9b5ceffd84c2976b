//! One command's regtest world: chain, Esplora API, faucet, websocket proxy and three real Lightning nodes.

pub mod chain;
pub mod esplora;
pub mod http;
pub mod source;
