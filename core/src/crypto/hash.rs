//! The three hash constructions the protocols and the wallet's own keys are made of.

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

/// SHA-256 of the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    parts.iter().for_each(|part| engine.input(part));
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// HMAC-SHA-256 of the parts, one after the other.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    parts.iter().for_each(|part| engine.input(part));
    Hmac::from_engine(engine).to_byte_array()
}

/// HKDF-SHA-256 (RFC 5869) with empty `info` and 64 bytes of output, as two keys (BOLT 8, `HKDF(salt, ikm)`).
pub fn hkdf_two_keys(salt: &[u8], input_key: &[u8]) -> ([u8; 32], [u8; 32]) {
    let pseudorandom_key = hmac_sha256(salt, &[input_key]);
    let first = hmac_sha256(&pseudorandom_key, &[&[1]]);
    let second = hmac_sha256(&pseudorandom_key, &[&first, &[2]]);
    (first, second)
}

/// Compares without telling by its duration where the difference is. Slices of unequal length differ.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_of_rfc_5869_case_3_without_salt_and_info() {
        // RFC 5869, A.3: 42 bytes of output, which are the first 42 of our 64.
        let (first, second) = hkdf_two_keys(&[], &[0x0b; 22]);
        let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
        assert_eq!(hex::encode([first, second].concat())[..84], *expected);
    }

    #[test]
    fn constant_time_eq_compares() {
        assert!(constant_time_eq(b"", b"") && constant_time_eq(b"ab", b"ab"));
        assert!(!constant_time_eq(b"ab", b"aa") && !constant_time_eq(b"ab", b"bb"));
        assert!(!constant_time_eq(b"ab", b"a") && !constant_time_eq(b"", b"a"));
    }
}
