//! Keys, secrets and the signer (BOLT 3).
//!
//! Nothing here prints a secret. Types that own one overwrite it when they are dropped, as well as safe Rust can.

pub mod derive;
pub mod ec;
pub mod hash;
pub mod keys;
pub mod sha_chain;

pub use derive::{
    DeriveError, derive_private_key, derive_public_key, derive_revocation_private_key,
    derive_revocation_public_key,
};
pub use keys::{ChannelBasepoints, ChannelKeys, KeyError, NodeKeys, Seed};
pub use sha_chain::{SecretStore, ShaChainError, per_commitment_secret};

#[cfg(test)]
mod vectors_test;
