//! The embedded chain: consensus beside Bitcoin Core's engine, and the mempool.

mod coins;
mod consensus;
#[path = "../judge/kernel.rs"]
mod kernel;
mod mempool;
mod oracle;
