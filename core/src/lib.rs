//! The Lightning node inside a Kite wallet.
//!
//! It is *sans-IO*: no clock, no randomness of its own, no thread, no socket, nothing asynchronous. Time, entropy,
//! bytes from peers, chain facts and acknowledgements of the store come in; messages, batches and events come out.
//! `docs/contract.md` says what it promises.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod chain;
pub mod channel;
pub mod coins;
pub mod crypto;
pub mod gossip;
pub mod invoice;
pub mod node;
pub mod onchain;
pub mod onion;
pub mod payment;
pub mod peer;
pub mod route;
pub mod store;
pub mod transport;
pub mod tx;
pub mod types;
pub mod wire;
