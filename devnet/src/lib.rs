//! devnet
pub mod chain;
