//! The embedded chain: consensus beside Bitcoin Core's engine, and the mempool.

mod coins;
mod consensus;
mod mempool;
mod oracle;
