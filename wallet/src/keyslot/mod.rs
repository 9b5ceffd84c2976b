//! What opens a wallet's store: one random storage key, wrapped by the owner's passphrase or by a key of the platform.
//!
//! The slot is a record of its own under the plain key [`SLOT_KEY`], since it must be readable before anything can be
//! opened:
//!
//! ```text
//! version (1) | kind (1) | memory KiB (4) | passes (4) | lanes (4) | salt (16)
//!   | check (16) | nonce (24) | wrapped storage key (48) | digest of all before (8)
//! ```
//!
//! The digest tells damage from a wrong passphrase, and `check` tells a wrong passphrase before anything is unwrapped.

mod derive;
mod words;

pub use derive::KdfCost;
pub use words::{MnemonicError, check_words, new_words, open_words, seal_words, seed_of, take_words};

use crate::platform::{Entropy, EntropyError};
use bitcoin::hashes::{Hash, sha256};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use derive::Derived;
use std::fmt;
use zeroize::Zeroizing;

/// The key of the slot's record in the store.
pub const SLOT_KEY: &[u8] = b"keyslot";

const VERSION: u8 = 1;
const HEADER_LEN: usize = 2 + 12 + 16;
const CHECK_LEN: usize = 16;
const NONCE_LEN: usize = 24;
const WRAPPED_LEN: usize = 32 + 16;
const DIGEST_LEN: usize = 8;
const SLOT_LEN: usize = HEADER_LEN + CHECK_LEN + NONCE_LEN + WRAPPED_LEN + DIGEST_LEN;

/// What opens a slot.
pub enum Unlock<'a> {
    /// The owner's passphrase, stretched by Argon2id.
    Passphrase(&'a str),
    /// A key that the platform keeps (a keychain, a secure enclave), with full entropy.
    PlatformKey(&'a [u8; 32]),
}

/// The key of a store. Forgotten when dropped.
pub struct StorageKey(Zeroizing<[u8; 32]>);

/// Why a slot does not open. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The passphrase, or the platform's key, is not the one that made the slot.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The record is not what was written.
    #[error("the record that protects this wallet is damaged: restore it from its words")]
    Damaged,
    /// Written by a newer Kite.
    #[error("this wallet (version {version}) was written by a newer Kite: update the app, nothing is lost")]
    NewerVersion {
        /// The version byte.
        version: u8,
    },
    /// A slot for a passphrase met a platform key, or the other way round.
    #[error("this wallet is opened by {expected}")]
    OtherKind {
        /// What opens it.
        expected: &'static str,
    },
    /// Argon2id refused its settings.
    #[error("the passphrase could not be stretched: {detail}")]
    Stretching {
        /// Why.
        detail: String,
    },
    /// There is no randomness to make a slot with.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl StorageKey {
    /// The bytes, for [`kite_core::store::Vault`]. Never show or store them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Makes a storage key and the slot that wraps it.
///
/// # Errors
/// No randomness, or settings that Argon2id refuses.
pub fn create(
    unlock: &Unlock<'_>,
    cost: KdfCost,
    entropy: &dyn Entropy,
) -> Result<(StorageKey, Vec<u8>), SlotError> {
    let storage_key = StorageKey(Zeroizing::new(entropy.bytes()?));
    let [salt, nonce] = [entropy.bytes()?, entropy.bytes()?];
    let mut slot = Vec::with_capacity(SLOT_LEN);
    slot.extend_from_slice(&[VERSION, unlock.kind()]);
    slot.extend_from_slice(&cost.to_bytes());
    slot.extend_from_slice(&salt[..16]);
    let derived = Derived::new(unlock, cost, &slot[HEADER_LEN - 16..])?;
    slot.extend_from_slice(&derived.check());
    slot.extend_from_slice(&nonce[..NONCE_LEN]);
    let payload = Payload { msg: storage_key.0.as_slice(), aad: &slot[..HEADER_LEN] };
    // Encryption fails only above 256 GiB.
    let wrapped =
        cipher(&derived).encrypt(XNonce::from_slice(&nonce[..NONCE_LEN]), payload).expect("32 bytes");
    slot.extend_from_slice(&wrapped);
    let digest = digest(&slot);
    slot.extend_from_slice(&digest);
    Ok((storage_key, slot))
}

/// Opens a slot.
///
/// # Errors
/// A wrong passphrase or a damaged record, told apart.
pub fn open(slot: &[u8], unlock: &Unlock<'_>) -> Result<StorageKey, SlotError> {
    let version = *slot.first().ok_or(SlotError::Damaged)?;
    if version > VERSION {
        return Err(SlotError::NewerVersion { version });
    }
    if slot.len() != SLOT_LEN || version != VERSION {
        return Err(SlotError::Damaged);
    }
    let (body, stored_digest) = slot.split_at(SLOT_LEN - DIGEST_LEN);
    if digest(body) != stored_digest {
        return Err(SlotError::Damaged);
    }
    let (header, rest) = body.split_at(HEADER_LEN);
    let (check, rest) = rest.split_at(CHECK_LEN);
    let (nonce, wrapped) = rest.split_at(NONCE_LEN);
    if header[1] != unlock.kind() {
        let expected = match unlock {
            Unlock::Passphrase(_) => "a key of this device",
            Unlock::PlatformKey(_) => "a passphrase",
        };
        return Err(SlotError::OtherKind { expected });
    }
    let cost = KdfCost::from_bytes(&header[2..14]).ok_or(SlotError::Damaged)?;
    let derived = Derived::new(unlock, cost, &header[14..])?;
    if !derived.matches(check) {
        return Err(SlotError::WrongPassphrase);
    }
    let payload = Payload { msg: wrapped, aad: header };
    let plain = Zeroizing::new(
        cipher(&derived).decrypt(XNonce::from_slice(nonce), payload).map_err(|_| SlotError::Damaged)?,
    );
    let key: [u8; 32] = plain.as_slice().try_into().map_err(|_| SlotError::Damaged)?;
    Ok(StorageKey(Zeroizing::new(key)))
}

impl Unlock<'_> {
    fn kind(&self) -> u8 {
        match self {
            Self::Passphrase(_) => 1,
            Self::PlatformKey(_) => 2,
        }
    }
}

impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlock(secret)")
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey(secret)")
    }
}

fn cipher(derived: &Derived) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(derived.wrapping_key().into())
}

fn digest(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    // A SHA-256 has 32 bytes.
    *sha256::Hash::hash(bytes).as_byte_array().first_chunk().expect("8 of 32 bytes")
}

#[cfg(test)]
mod tests;
