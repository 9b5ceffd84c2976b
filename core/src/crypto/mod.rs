//! Keys, secrets and the signer (BOLT 3).
//!
//! Nothing here prints a secret. Types that own one overwrite it when they are dropped, as well as safe Rust can.

pub mod derive;
pub mod ec;
pub mod entropy;
pub mod hash;
pub mod keys;
pub mod multiples;
pub mod seal;
pub mod sha_chain;
pub mod signer;

pub use derive::{
    DeriveError, derive_private_key, derive_public_key, derive_revocation_private_key,
    derive_revocation_public_key, derive_revocation_public_key_from, derive_revocation_public_key_with,
};
pub use ec::SignatureError;
pub use entropy::Entropy;
pub use keys::{ChannelBasepoints, ChannelKeys, KeyError, NodeKeys, Seed};
pub use multiples::Multiples;
pub use seal::{SealError, SealKey};
pub use sha_chain::{SecretStore, ShaChainError, per_commitment_secret};
pub use signer::{
    ChannelSigner, ClaimInput, ClaimKey, HtlcToSign, RemoteSigned, RevocationState, SignerError,
};

#[cfg(test)]
mod signer_test;
#[cfg(test)]
mod vectors_test;
