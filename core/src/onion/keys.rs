//! What sender and hop derive from their shared secret (BOLT 4, Key Generation and Pseudo Random Byte Stream).

use crate::crypto::hash::sha256;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256::Hash as Sha256};
use bitcoin::secp256k1::PublicKey;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use std::fmt;
use std::sync::OnceLock;
use zeroize::Zeroize;

/// The secret that the sender of an onion shares with one hop. A hop keeps it to answer with a failure.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret([u8; 32]);

/// The purposes of keys.
#[derive(Clone, Copy)]
pub(super) enum KeyType {
    Rho,
    Mu,
    Um,
    Pad,
    Ammag,
}

/// By [`KeyType`].
const NAMES: [&[u8]; 5] = [b"rho", b"mu", b"um", b"pad", b"ammag"];

impl SharedSecret {
    /// From an ECDH, or from the store.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the store only.
    pub const fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    pub(super) fn key(&self, key_type: KeyType) -> [u8; 32] {
        generate_key(key_type, &self.0)
    }

    /// What blinds `point` for the next hop (BOLT 4, Blinding Ephemeral Onion Keys).
    pub(super) fn blinding_factor(&self, point: &PublicKey) -> [u8; 32] {
        sha256(&[&point.serialize(), &self.0])
    }
}

impl Drop for SharedSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(secret)")
    }
}

/// A key from a shared secret, or from the session key for [`KeyType::Pad`].
pub(super) fn generate_key(key_type: KeyType, secret: &[u8; 32]) -> [u8; 32] {
    // The names are always the same: what HMAC makes of them is kept.
    static OF_NAMES: OnceLock<[HmacEngine<Sha256>; 5]> = OnceLock::new();
    let mut engine = OF_NAMES.get_or_init(|| NAMES.map(HmacEngine::new))[key_type as usize].clone();
    engine.input(secret);
    Hmac::from_engine(engine).to_byte_array()
}

/// Applies the pseudo-random stream of a key, from its byte `offset` on. `offset` and `data` stay below 2^38 bytes.
pub(super) fn apply_stream(key: &[u8; 32], offset: u32, data: &mut [u8]) {
    let mut cipher = ChaCha20::new(key.into(), &[0; 12].into());
    cipher.seek(offset);
    cipher.apply_keystream(data);
}
