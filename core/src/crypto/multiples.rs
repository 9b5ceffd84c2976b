//! Points that are multiplied again and again: from a table of their multiples, a product is a sum of at most 65 of them,
//! at half to two thirds of the cost.
//!
//! **For public points and public scalars only**: which entries are summed up, and so the duration, tells the scalar.

use super::ec::{self, CurveError};
use bitcoin::secp256k1::PublicKey;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Digits are between -8 and 8, in base 16.
const DIGIT_BITS: u32 = 4;
/// Of each power of 16, this many multiples: the negative ones are their reflections.
const ENTRIES: usize = 8;
/// The digits of 256 bits. A carry may add one, which is 1.
const DIGITS: usize = 64;
/// About so many multiplications save as much as a table costs.
const PAYS_AFTER_USES: u32 = 128;

/// A point with the table of its multiples, once it has been multiplied often enough for the table to pay.
pub struct Multiples {
    point: PublicKey,
    uses: AtomicU32,
    table: OnceLock<Vec<PublicKey>>,
}

impl Multiples {
    /// Makes no table yet.
    pub const fn new(point: PublicKey) -> Self {
        Self { point, uses: AtomicU32::new(0), table: OnceLock::new() }
    }

    /// The point.
    pub const fn point(&self) -> &PublicKey {
        &self.point
    }

    /// Makes the table if it would have paid by now. To be called while there is nothing else to do: it takes about
    /// fifty multiplications.
    pub fn prepare(&self) {
        if self.uses.load(Ordering::Relaxed) >= PAYS_AFTER_USES && self.table.get().is_none() {
            // A point of the prime order has all multiples; without them nothing but time is lost.
            if let Ok(table) = table(&self.point) {
                drop(self.table.set(table));
            }
        }
    }

    /// Points whose sum is the product with a public scalar; unset as long as there is no table. None at all are zero.
    pub(super) fn terms(&self, scalar: &[u8; 32]) -> Option<Vec<PublicKey>> {
        let Some(table) = self.table.get() else {
            self.uses.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        // One more for the point that is mostly added.
        let mut terms = Vec::with_capacity(DIGITS + 2);
        let mut carry = 0;
        for row in 0..DIGITS {
            let byte = scalar[31 - row / 2];
            let digit = carry + if row % 2 == 0 { byte & 0xf } else { byte >> DIGIT_BITS };
            carry = u8::from(digit > 8);
            match digit {
                0 | 16 => {}
                1..=8 => terms.push(table[row * ENTRIES + usize::from(digit) - 1]),
                _ => terms.push(ec::negate(&table[row * ENTRIES + usize::from(16 - digit) - 1])),
            }
        }
        if carry == 1 {
            terms.push(table[DIGITS * ENTRIES]);
        }
        Some(terms)
    }
}

/// `1..=8` times every power of 16 below 2^256, and 2^256.
fn table(point: &PublicKey) -> Result<Vec<PublicKey>, CurveError> {
    let mut table = Vec::with_capacity(DIGITS * ENTRIES + 1);
    let mut power = *point;
    for _ in 0..DIGITS {
        let mut multiple = power;
        table.push(multiple);
        for _ in 1..ENTRIES {
            multiple = ec::sum(&[multiple, power])?;
            table.push(multiple);
        }
        power = ec::sum(&[multiple, multiple])?;
    }
    table.push(power);
    Ok(table)
}

impl fmt::Debug for Multiples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Multiples").field(&self.point).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::secp256k1::SecretKey;
    use proptest::prelude::{any, proptest};

    fn prepared(point: PublicKey) -> Multiples {
        let multiples = Multiples::new(point);
        for _ in 0..PAYS_AFTER_USES {
            multiples.prepare();
            assert_eq!(multiples.terms(&[1; 32]), None, "a table that does not pay yet");
        }
        multiples.prepare();
        multiples
    }

    fn key(bytes: [u8; 32]) -> SecretKey {
        SecretKey::from_slice(&bytes).unwrap()
    }

    fn number(low: u8) -> [u8; 32] {
        let mut scalar = [0; 32];
        scalar[31] = low;
        scalar
    }

    #[test]
    fn products_are_those_of_the_library() {
        let multiples = prepared(ec::public_key(&key([5; 32])));
        let check = |scalar: [u8; 32]| {
            let expected = ec::multiply_point(multiples.point(), &scalar);
            assert_eq!(ec::sum(&multiples.terms(&scalar).unwrap()), expected, "{scalar:?}");
        };
        (1..=255).for_each(|low| check(number(low)));
        // Every digit at its turning point, a carry through all of them, and the order less one.
        for byte in [0x11, 0x77, 0x78, 0x79, 0x80, 0x87, 0x88, 0x89, 0x98, 0xf0, 0xfe] {
            check([byte; 32]);
        }
        check(key(number(1)).negate().secret_bytes());
        assert_eq!(multiples.terms(&[0; 32]), Some(Vec::new()));
        proptest!(|(scalar in any::<[u8; 32]>())| {
            if SecretKey::from_slice(&scalar).is_ok() {
                check(scalar);
            }
        });
    }
}
