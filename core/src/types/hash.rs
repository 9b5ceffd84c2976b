//! The three 32-byte values of a payment. The two secret ones compare in constant time and never print.

use bitcoin::hashes::{Hash, sha256};
use std::fmt;

/// The SHA-256 of a [`PaymentPreimage`]; what an invoice asks to be paid to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash(pub [u8; 32]);

/// The proof of payment. Secret until it is sent in `update_fulfill_htlc`.
#[derive(Clone, Copy)]
pub struct PaymentPreimage(pub [u8; 32]);

/// What only the payer and the payee of an invoice know (BOLT 4, payment_data).
#[derive(Clone, Copy)]
pub struct PaymentSecret(pub [u8; 32]);

impl PaymentPreimage {
    /// The hash that this preimage opens.
    pub fn payment_hash(&self) -> PaymentHash {
        PaymentHash(sha256::Hash::hash(&self.0).to_byte_array())
    }
}

impl fmt::Display for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PaymentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! secret_32_bytes {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.iter().zip(&other.0).fold(0, |different, (a, b)| different | (a ^ b)) == 0
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

secret_32_bytes!(PaymentPreimage);
secret_32_bytes!(PaymentSecret);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let shown = format!("{:?} {:?}", PaymentPreimage([0xab; 32]), PaymentSecret([0xab; 32]));
        assert!(!shown.contains("ab, ab") && !shown.contains("171") && !shown.contains("abab"), "{shown}");
    }

    #[test]
    fn equality_sees_every_byte() {
        for i in 0..32 {
            let mut other = [7; 32];
            other[i] ^= 1;
            assert_ne!(PaymentSecret([7; 32]), PaymentSecret(other));
        }
        assert_eq!(PaymentSecret([7; 32]), PaymentSecret([7; 32]));
    }
}
