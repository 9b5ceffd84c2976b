//! A deterministic world for Kite nodes: a clock, a network, disks that fail, and a chain that checks every spend.
//!
//! Same seed, same bytes. Nothing here is part of a wallet.

pub mod chain;
pub mod closes;
pub mod deep;
pub mod disk;
pub mod fault;
pub mod host;
pub mod random;
mod records;
pub mod scenario;
pub mod scenarios;
pub mod schedule;
pub mod tap;
mod wishes;
pub mod world;
