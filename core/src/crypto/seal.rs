//! Seals bytes that leave for a place we do not trust, with XChaCha20-Poly1305.
//!
//! Sealed bytes are `nonce (24) || ciphertext || tag (16)`.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use std::fmt;
use thiserror::Error;
use zeroize::Zeroize;

/// The length of a nonce, in bytes.
pub const NONCE_LEN: usize = 24;

const TAG_LEN: usize = 16;

/// What sealing adds to the length, in bytes.
pub const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// A key that seals and opens.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Takes over the bytes. Use the key for nothing else.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl Drop for SealKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(secret)")
    }
}

/// Sealed bytes that do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Less than nonce and tag.
    #[error("{length} sealed bytes are too few, {OVERHEAD} are the least")]
    TooShort {
        /// How many there are.
        length: usize,
    },
    /// Altered, sealed with another key, or for another purpose (associated data).
    #[error("the sealed bytes are damaged, of another key or of another place")]
    NotAuthentic,
}

/// Seals. The nonce must be fresh: random, or never used with this key.
///
/// `associated_data` is not contained, but the bytes open only together with it.
pub fn seal(key: &SealKey, nonce: &[u8; NONCE_LEN], associated_data: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut sealed = nonce.to_vec();
    sealed.extend_from_slice(&seal_under(key, nonce, associated_data, plain));
    sealed
}

/// As [`seal`], where the nonce is kept elsewhere: `ciphertext || tag (16)`.
pub fn seal_under(key: &SealKey, nonce: &[u8; NONCE_LEN], associated_data: &[u8], plain: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: plain, aad: associated_data };
    XChaCha20Poly1305::new((&key.0).into())
        .encrypt(XNonce::from_slice(nonce), payload)
        // Fails only from 256 GiB on, more than any store or backup of a wallet.
        .expect("less than 256 GiB")
}

/// Opens what [`seal`] made with the same key and associated data.
///
/// # Errors
/// [`SealError`]; nothing of the content comes out.
pub fn open(key: &SealKey, associated_data: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
    let too_short = SealError::TooShort { length: sealed.len() };
    let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(too_short)?;
    match ciphertext.len() < TAG_LEN {
        true => Err(too_short),
        false => open_under(key, nonce, associated_data, ciphertext),
    }
}

/// Opens what [`seal_under`] made with the same key, nonce and associated data.
///
/// # Errors
/// [`SealError`]; nothing of the content comes out.
pub fn open_under(
    key: &SealKey,
    nonce: &[u8; NONCE_LEN],
    associated_data: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let payload = Payload { msg: ciphertext, aad: associated_data };
    XChaCha20Poly1305::new((&key.0).into())
        .decrypt(XNonce::from_slice(nonce), payload)
        .map_err(|_| SealError::NotAuthentic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_xchacha_draft() {
        // draft-irtf-cfrg-xchacha-03, A.3.1.
        let key: [u8; 32] = std::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = std::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let associated_data = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the \
                      future, sunscreen would be it.";
        let sealed = seal(&SealKey::new(key), &nonce, &associated_data, plain);
        let tag = &sealed[sealed.len() - 16..];
        assert_eq!(sealed[..24], nonce);
        assert_eq!(hex::encode(&sealed[24..40]), "bd6d179d3e83d43b9576579493c0e939");
        assert_eq!(hex::encode(tag), "c0875924c1c7987947deafd8780acf49");
        assert_eq!(open(&SealKey::new(key), &associated_data, &sealed).unwrap(), plain);
    }

    #[test]
    fn every_altered_byte_and_every_cut_is_found() {
        let key = SealKey::new([1; 32]);
        let sealed = seal(&key, &[2; 24], b"place", b"content");
        assert_eq!(sealed.len(), OVERHEAD + 7);
        assert_eq!(open(&key, b"place", &sealed), Ok(b"content".to_vec()));
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open(&key, b"place", &altered), Err(SealError::NotAuthentic));
            let expected =
                if at < OVERHEAD { SealError::TooShort { length: at } } else { SealError::NotAuthentic };
            assert_eq!(open(&key, b"place", &sealed[..at]), Err(expected));
        }
    }

    #[test]
    fn another_key_or_place_does_not_open() {
        let key = SealKey::new([1; 32]);
        let sealed = seal(&key, &[2; 24], b"place", b"");
        assert_eq!(open(&key, b"place", &sealed), Ok(Vec::new()));
        assert_eq!(open(&key, b"other", &sealed), Err(SealError::NotAuthentic));
        assert_eq!(open(&SealKey::new([3; 32]), b"place", &sealed), Err(SealError::NotAuthentic));
        assert_eq!(format!("{key:?}"), "SealKey(secret)");
    }
}
