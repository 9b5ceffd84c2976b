//! Unpredictable bytes from a seed that comes in from outside.
//!
//! ChaCha20 with fast key erasure: every request replaces the key with the beginning of the key stream, so that bytes
//! given out earlier cannot be computed from what is in memory later. Same seed and requests, same bytes.

use super::hash::hmac_sha256;
use bitcoin::secp256k1::SecretKey;
use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit, StreamCipher},
};
use std::fmt;
use zeroize::Zeroize;

/// A deterministic generator. Its seed must be unpredictable and used once: two generators with one seed give the same
/// bytes.
pub struct Entropy {
    key: [u8; 32],
}

impl Entropy {
    /// Starts from 32 bytes of the host's cryptographic randomness.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { key: seed }
    }

    /// Mixes fresh randomness in. What was there is kept: a bad seed does no harm.
    pub fn reseed(&mut self, mut seed: [u8; 32]) {
        let key = hmac_sha256(&self.key, &[b"kite reseed", &seed]);
        self.key.zeroize();
        seed.zeroize();
        self.key = key;
    }

    /// Overwrites all of `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        let mut stream = ChaCha20::new(&self.key.into(), &[0; 12].into());
        self.key.zeroize();
        // On zeros, the key stream itself. It ends after 256 GiB, more than fits a slice here.
        stream.apply_keystream(&mut self.key);
        bytes.fill(0);
        stream.apply_keystream(bytes);
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// The next 32 bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        self.bytes()
    }

    /// A fresh secret key.
    pub fn secret_key(&mut self) -> SecretKey {
        loop {
            let mut bytes = self.bytes32();
            let key = SecretKey::from_slice(&bytes);
            bytes.zeroize();
            // Fails once in 2^128.
            if let Ok(key) = key {
                return key;
            }
        }
    }
}

impl Drop for Entropy {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_follow_the_next_key_in_the_key_stream() {
        // RFC 8439, A.1, test vector 1: ChaCha20 with key, nonce and counter zero.
        let stream = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7\
                      da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586";
        let mut entropy = Entropy::new([0; 32]);
        let given = entropy.bytes32();
        assert_eq!(hex::encode([entropy.key, given].concat()), stream);
    }

    #[test]
    fn same_seed_same_bytes_and_nothing_repeats() {
        let draw = |entropy: &mut Entropy| (0..100).map(|_| entropy.bytes32()).collect::<Vec<_>>();
        let (mut a, mut b) = (Entropy::new([1; 32]), Entropy::new([1; 32]));
        let drawn = draw(&mut a);
        assert_eq!(drawn, draw(&mut b));
        let different: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert_eq!(different.len(), 100);
        assert_ne!(draw(&mut Entropy::new([2; 32])), drawn);
    }

    #[test]
    fn fill_overwrites_what_was_there() {
        let (mut a, mut b) = (Entropy::new([1; 32]), Entropy::new([1; 32]));
        let (mut ones, mut zeros) = ([0xff; 70], [0; 70]);
        a.fill(&mut ones);
        b.fill(&mut zeros);
        assert_eq!(ones, zeros);
        a.fill(&mut []);
        assert_ne!(a.bytes32(), b.bytes32(), "an empty request also moves on");
    }

    #[test]
    fn reseeding_changes_what_follows_and_keeps_what_was() {
        let reseeded = |first: u8, second: u8| {
            let mut entropy = Entropy::new([first; 32]);
            entropy.reseed([second; 32]);
            entropy.bytes32()
        };
        assert_eq!(reseeded(1, 2), reseeded(1, 2));
        assert_ne!(reseeded(1, 2), reseeded(1, 3));
        assert_ne!(reseeded(1, 0), reseeded(2, 0));
        assert_ne!(reseeded(1, 0), Entropy::new([1; 32]).bytes32());
    }

    #[test]
    fn keys_are_fresh_and_nothing_is_printed() {
        let mut entropy = Entropy::new([7; 32]);
        assert_ne!(entropy.secret_key(), entropy.secret_key());
        assert_eq!(format!("{entropy:?}"), "Entropy(secret)");
    }
}
