//! Points that are multiplied again and again: from a table of their multiples, a product is a sum of a few dozen of them,
//! at less than half of the cost.
//!
//! **For public points and public scalars only**: which entries are summed up, and so the duration, tells the scalar.

use super::ec::{self, CurveError};
use bitcoin::secp256k1::PublicKey;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// How a scalar is cut into digits: in base 2^bits, each between minus and plus half of the base.
#[derive(Clone, Copy)]
struct Digits {
    bits: u32,
}

/// For the points of one channel: 832 entries.
const OF_A_CHANNEL: Digits = Digits { bits: 5 };

/// For a point that all channels multiply: 7,424 entries, half a megabyte.
const OF_ALL_CHANNELS: Digits = Digits { bits: 9 };

/// So many entries of a table cost about as much as one product from it saves.
const ENTRIES_PAID_BY_A_USE: u32 = 5;

impl Digits {
    /// The last digit is never full, so that it can take the carry.
    const fn count(self) -> u32 {
        256 / self.bits + 1
    }

    /// Of each power of the base, so many multiples: the negative ones are their reflections.
    const fn multiples(self) -> u32 {
        1 << (self.bits - 1)
    }

    const fn pays_after_uses(self) -> u32 {
        self.count() * self.multiples() / ENTRIES_PAID_BY_A_USE
    }

    /// The digits of a number, the lowest first.
    fn of(self, number: &[u8; 32]) -> impl Iterator<Item = i32> {
        let mut carry = 0;
        let number = words(number);
        (0..self.count()).map(move |index| {
            let digit = bits(&number, index * self.bits, self.bits) + carry;
            carry = u32::from(digit > self.multiples());
            // At most 2^bits, and that is at most 2^9.
            digit as i32 - ((carry as i32) << self.bits)
        })
    }
}

/// A number in words of 32 bits, the lowest first, and zeros above it.
fn words(number: &[u8; 32]) -> [u32; 9] {
    let mut words = [0; 9];
    let (of_number, _) = number.as_chunks::<4>();
    for (word, bytes) in words.iter_mut().zip(of_number.iter().rev()) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

/// So many bits of a number from the given one on, the lowest being 0: at most 32, from at most the
/// 255th on.
fn bits(number: &[u32; 9], from: u32, count: u32) -> u32 {
    let (at, shift) = ((from / 32) as usize, from % 32);
    let pair = u64::from(number[at]) | u64::from(number[at + 1]) << 32;
    // `count` bits and not more.
    ((pair >> shift) & ((1 << count) - 1)) as u32
}

/// A point with the table of its multiples, once it has been multiplied often enough for the table to pay.
pub struct Multiples {
    point: PublicKey,
    digits: Digits,
    uses: AtomicU32,
    table: OnceLock<Vec<PublicKey>>,
}

impl Multiples {
    /// A point of one channel. Makes no table yet.
    pub const fn new(point: PublicKey) -> Self {
        Self::in_digits(point, OF_A_CHANNEL)
    }

    /// A point that all channels multiply. Makes no table yet.
    pub const fn shared(point: PublicKey) -> Self {
        Self::in_digits(point, OF_ALL_CHANNELS)
    }

    const fn in_digits(point: PublicKey, digits: Digits) -> Self {
        Self { point, digits, uses: AtomicU32::new(0), table: OnceLock::new() }
    }

    /// The point.
    pub const fn point(&self) -> &PublicKey {
        &self.point
    }

    /// Makes the table if it would have paid by now. To be called while there is nothing else to do: it takes as long as
    /// one or a few hundred products.
    pub fn prepare(&self) {
        if self.uses.load(Ordering::Relaxed) >= self.digits.pays_after_uses() && self.table.get().is_none() {
            // A point of the prime order has all multiples; without them nothing but time is lost.
            if let Ok(table) = table(&self.point, self.digits) {
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
        let rows = table.chunks_exact(self.digits.multiples() as usize);
        // One more for the point that is mostly added.
        let mut terms = Vec::with_capacity(rows.len() + 1);
        for (row, digit) in rows.zip(self.digits.of(scalar)) {
            let multiple = digit.unsigned_abs() as usize;
            match digit.signum() {
                0 => {}
                1 => terms.push(row[multiple - 1]),
                _ => terms.push(ec::negate(&row[multiple - 1])),
            }
        }
        Some(terms)
    }
}

/// A row of multiples for every power of the base.
fn table(point: &PublicKey, digits: Digits) -> Result<Vec<PublicKey>, CurveError> {
    let mut table = Vec::with_capacity((digits.count() * digits.multiples()) as usize);
    let mut power = *point;
    for _ in 0..digits.count() {
        let mut multiple = power;
        table.push(multiple);
        for _ in 1..digits.multiples() {
            multiple = ec::sum(&[multiple, power])?;
            table.push(multiple);
        }
        power = ec::sum(&[multiple, multiple])?;
    }
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

    fn prepared(multiples: Multiples) -> Multiples {
        for _ in 0..multiples.digits.pays_after_uses() {
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

    fn check_products(multiples: &Multiples) {
        let check = |scalar: [u8; 32]| {
            let expected = ec::multiply_point(multiples.point(), &scalar);
            assert_eq!(ec::sum(&multiples.terms(&scalar).unwrap()), expected, "{scalar:?}");
        };
        (1..=255).for_each(|low| check(number(low)));
        // Every digit at its turning point, a carry through all of them, and the order less one.
        for digit in 0..=u32::from(u8::MAX) {
            let bits = multiples.digits.bits;
            let mut scalar = [0; 32];
            for bit in (0..250).filter(|bit| digit >> (bit % bits) & 1 == 1) {
                scalar[31 - bit as usize / 8] |= 1 << (bit % 8);
            }
            if scalar != [0; 32] {
                check(scalar);
            }
        }
        check([0xfe; 32]);
        check(key(number(1)).negate().secret_bytes());
        assert_eq!(multiples.terms(&[0; 32]), Some(Vec::new()));
        proptest!(|(scalar in any::<[u8; 32]>())| {
            if SecretKey::from_slice(&scalar).is_ok() {
                check(scalar);
            }
        });
    }

    #[test]
    fn products_are_those_of_the_library() {
        let point = ec::public_key(&key([5; 32]));
        check_products(&prepared(Multiples::new(point)));
        check_products(&prepared(Multiples::shared(point)));
    }

    /// What [`Digits::of`] and the table count on: no carry is left, and no digit has no entry.
    #[test]
    fn the_digits_of_every_number_are_in_the_table() {
        for digits in [OF_A_CHANNEL, OF_ALL_CHANNELS] {
            let of_last = 256 % digits.bits;
            assert!((1 << of_last) <= digits.multiples());
            let most = digits.multiples() as i32;
            proptest!(|(scalar in any::<[u8; 32]>())| {
                assert!(digits.of(&scalar).all(|digit| (1 - most..=most).contains(&digit)));
            });
            assert_eq!(digits.of(&[0xff; 32]).last(), Some(1 << of_last));
        }
    }
}
