//! ChaCha20-Poly1305 as BOLT 8 uses it, and the rotation of its keys.

use crate::crypto::hash::hkdf_two_keys;
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Tag,
    aead::{AeadInPlace, generic_array::GenericArray},
};
use zeroize::Zeroize;

pub(super) const TAG_LEN: usize = 16;

/// A key serves this many times (BOLT 8, Lightning Message Key Rotation).
const USES_OF_A_KEY: u64 = 1000;

/// The tag does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAuthentic;

/// Appends ciphertext and tag of `plain` to `out`.
pub(super) fn encrypt_with_ad(
    key: &[u8; 32],
    nonce: u64,
    associated_data: &[u8],
    plain: &[u8],
    out: &mut Vec<u8>,
) {
    let start = out.len();
    out.extend_from_slice(plain);
    let tag = ChaCha20Poly1305::new(GenericArray::from_slice(key))
        .encrypt_in_place_detached(&nonce_bytes(nonce).into(), associated_data, &mut out[start..])
        // Fails only for 256 GiB and more; callers pass at most 65535 bytes.
        .expect("a message below 256 GiB");
    out.extend_from_slice(&tag);
}

/// Decrypts ciphertext and tag. The plaintext comes out only if the tag matches.
pub(super) fn decrypt_with_ad(
    key: &[u8; 32],
    nonce: u64,
    associated_data: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, NotAuthentic> {
    let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(NotAuthentic)?;
    let mut plain = ciphertext.to_vec();
    ChaCha20Poly1305::new(GenericArray::from_slice(key))
        .decrypt_in_place_detached(
            &nonce_bytes(nonce).into(),
            associated_data,
            &mut plain,
            &Tag::clone_from_slice(tag),
        )
        .map_err(|_| NotAuthentic)?;
    Ok(plain)
}

/// 32 zero bits, then the number in little-endian (the convention of Noise).
fn nonce_bytes(nonce: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&nonce.to_le_bytes());
    bytes
}

/// One direction of an established session.
pub(super) struct CipherState {
    chaining_key: [u8; 32],
    key: [u8; 32],
    nonce: u64,
}

impl CipherState {
    pub(super) const fn new(chaining_key: [u8; 32], key: [u8; 32]) -> Self {
        Self { chaining_key, key, nonce: 0 }
    }

    pub(super) fn encrypt(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        encrypt_with_ad(&self.key, self.nonce, &[], plain, out);
        self.advance();
    }

    /// On an error nothing has changed.
    pub(super) fn decrypt(&mut self, sealed: &[u8]) -> Result<Vec<u8>, NotAuthentic> {
        let plain = decrypt_with_ad(&self.key, self.nonce, &[], sealed)?;
        self.advance();
        Ok(plain)
    }

    fn advance(&mut self) {
        self.nonce += 1;
        if self.nonce == USES_OF_A_KEY {
            let (chaining_key, key) = hkdf_two_keys(&self.chaining_key, &self.key);
            self.zeroize();
            *self = Self::new(chaining_key, key);
        }
    }

    fn zeroize(&mut self) {
        self.chaining_key.zeroize();
        self.key.zeroize();
    }

    #[cfg(test)]
    pub(super) const fn key(&self) -> &[u8; 32] {
        &self.key
    }
}

impl Drop for CipherState {
    fn drop(&mut self) {
        self.zeroize();
    }
}
