//! Per-commitment secrets: ours from a seed, the peer's in compact storage (BOLT 3, Per-commitment Secret
//! Requirements, Efficient Per-commitment Secret Storage).
//!
//! Indexes count *down* from 2^48 - 1; see [`index_of`].

use super::hash::{constant_time_eq, sha256};
use crate::types::CommitmentNumber;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;
use zeroize::Zeroize;

/// The first index, of commitment number 0.
pub const FIRST_INDEX: u64 = (1 << 48) - 1;

const MAX_SLOTS: usize = 49;

/// The index of a commitment's secret, unless 2^48 commitments have been used up.
pub const fn index_of(number: CommitmentNumber) -> Option<u64> {
    FIRST_INDEX.checked_sub(number.0)
}

/// The index that a slot of [`SecretStore`] holds once the secrets of so many commitments have come; unset while it is
/// empty.
pub fn index_in_slot(slot: u8, count: u64) -> Option<u64> {
    let newest = FIRST_INDEX.checked_sub(count.checked_sub(1)?)?;
    (usize::from(slot) < MAX_SLOTS).then(|| newest_with_trailing_zeros(newest, u32::from(slot)))?
}

/// The secret with that index. Bits above the 48th are ignored.
pub fn per_commitment_secret(seed: &[u8; 32], index: u64) -> [u8; 32] {
    derive(seed, 48, index)
}

/// `base` belongs to an index that equals `index` but for the lowest `bits` bits, which it has clear.
fn derive(base: &[u8; 32], bits: u32, index: u64) -> [u8; 32] {
    let mut secret = *base;
    for bit in (0..bits).rev().filter(|bit| index >> bit & 1 == 1) {
        // `bit` is below 48, so the byte exists.
        secret[(bit / 8) as usize] ^= 1 << (bit % 8);
        secret = sha256(&[&secret]);
    }
    secret
}

/// Secrets of one seed, one near the other, each of which is asked for three times: for its point, for the keys of its
/// commitment, and when it is revealed.
///
/// Remembers the last few, and the node of the tree above the last one: its neighbours cost 3 hashes on average, where
/// from the seed a secret costs up to 48.
#[derive(Default)]
pub(super) struct NearbySecrets {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    above: Option<Slot>,
    /// The newest last.
    recent: VecDeque<Slot>,
}

/// How many levels the remembered node is above the secrets.
const NEARBY_BITS: u32 = 6;

/// From the commitment that is being revoked to the one whose point is being told.
const RECENT: usize = 4;

impl NearbySecrets {
    /// The same as [`per_commitment_secret`]. The seed must always be the same.
    pub(super) fn secret(&self, seed: &[u8; 32], index: u64) -> [u8; 32] {
        // Slots are replaced as a whole: a panic elsewhere cannot have left half of one.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = known.recent.iter().find(|slot| slot.index == index) {
            return slot.secret;
        }
        let start = index >> NEARBY_BITS << NEARBY_BITS;
        let base = match &known.above {
            Some(slot) if slot.index == start => slot.secret,
            _ => known.above.insert(Slot { index: start, secret: per_commitment_secret(seed, start) }).secret,
        };
        let secret = derive(&base, NEARBY_BITS, index);
        if known.recent.len() == RECENT {
            known.recent.pop_front();
        }
        known.recent.push_back(Slot { index, secret });
        secret
    }
}

/// A secret or a stored slot that cannot be part of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ShaChainError {
    /// Secrets come one after the other.
    #[error("got the secret with index {got}, expected {expected:?}")]
    UnexpectedIndex {
        /// The index that came.
        got: u64,
        /// The index whose turn it is; unset when all 2^48 have come.
        expected: Option<u64>,
    },
    /// The secret does not lead to one that came before: the peer did not make them from one seed.
    #[error("the secret with index {index} does not derive the earlier one with index {earlier}")]
    DoesNotDerive {
        /// The index of the refused secret.
        index: u64,
        /// The index of the earlier secret.
        earlier: u64,
    },
    /// The stored slots are not what any sequence of insertions leaves behind.
    #[error("slot {slot} cannot hold index {index}")]
    BadSlots {
        /// The slot.
        slot: usize,
        /// The index found in it.
        index: u64,
    },
    /// More slots than the scheme has.
    #[error("{count} slots stored, at most 49 can be")]
    TooManySlots {
        /// The number of slots.
        count: usize,
    },
}

/// The secrets a peer has revealed so far, in at most 49 slots. Slot `b` holds the newest index with `b` trailing zeros.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretStore {
    /// Shared by the steps of a channel, of which few bring a secret.
    slots: Arc<Vec<Slot>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Slot {
    index: u64,
    secret: [u8; 32],
}

impl SecretStore {
    /// A store that has seen no secret.
    pub fn new() -> Self {
        Self::default()
    }

    /// The index whose secret comes next; unset when all have come.
    pub fn next_index(&self) -> Option<u64> {
        match self.slots.iter().map(|slot| slot.index).min() {
            Some(newest) => newest.checked_sub(1),
            None => Some(FIRST_INDEX),
        }
    }

    /// Takes the next secret, after checking that it leads to those before. Returns the slot that was written.
    ///
    /// # Errors
    /// [`ShaChainError::UnexpectedIndex`] or [`ShaChainError::DoesNotDerive`]; nothing has changed then.
    pub fn insert(&mut self, index: u64, secret: [u8; 32]) -> Result<usize, ShaChainError> {
        let expected = self.next_index();
        if expected != Some(index) {
            return Err(ShaChainError::UnexpectedIndex { got: index, expected });
        }
        let bits = slot_of(index);
        for slot in self.slots.iter().take(bits as usize) {
            if !constant_time_eq(&derive(&secret, bits, slot.index), &slot.secret) {
                return Err(ShaChainError::DoesNotDerive { index, earlier: slot.index });
            }
        }
        let position = bits as usize;
        let slots = Arc::make_mut(&mut self.slots);
        match slots.get_mut(position) {
            Some(slot) => *slot = Slot { index, secret },
            // Indexes come in descending order from all ones, so the first with `b` zeros follows one with `b - 1`.
            None => slots.push(Slot { index, secret }),
        }
        Ok(position)
    }

    /// The secret with that index, if it has come.
    pub fn get(&self, index: u64) -> Option<[u8; 32]> {
        if index > FIRST_INDEX {
            return None;
        }
        (0..).zip(self.slots.iter()).find_map(|(bits, slot)| {
            (index >> bits << bits == slot.index).then(|| derive(&slot.secret, bits, index))
        })
    }

    /// The secret of that commitment, if it has come.
    pub fn get_number(&self, number: CommitmentNumber) -> Option<[u8; 32]> {
        self.get(index_of(number)?)
    }

    /// What to store: index and secret of slots 0, 1, 2…
    pub fn slots(&self) -> impl ExactSizeIterator<Item = (u64, &[u8; 32])> {
        self.slots.iter().map(|slot| (slot.index, &slot.secret))
    }

    /// From what was stored: index and secret of slots 0, 1, 2…
    ///
    /// # Errors
    /// [`ShaChainError::BadSlots`] or [`ShaChainError::TooManySlots`] unless the indexes are those that some sequence
    /// of insertions leaves. That the secrets derive each other is not checked again: the record is authenticated.
    pub fn from_slots(slots: impl IntoIterator<Item = (u64, [u8; 32])>) -> Result<Self, ShaChainError> {
        let slots: Vec<Slot> =
            slots.into_iter().take(MAX_SLOTS + 1).map(|(index, secret)| Slot { index, secret }).collect();
        if slots.len() > MAX_SLOTS {
            return Err(ShaChainError::TooManySlots { count: slots.len() });
        }
        let store = Self { slots: Arc::new(slots) };
        let Some(newest) = store.slots.iter().map(|slot| slot.index).min() else { return Ok(store) };
        for (bits, slot) in (0..).zip(store.slots.iter()) {
            if newest_with_trailing_zeros(newest, bits) != Some(slot.index) {
                return Err(ShaChainError::BadSlots { slot: bits as usize, index: slot.index });
            }
        }
        let missing = store.slots.len();
        if missing < MAX_SLOTS {
            // At most 48, so no truncation.
            if let Some(index) = newest_with_trailing_zeros(newest, missing as u32) {
                return Err(ShaChainError::BadSlots { slot: missing, index });
            }
        }
        Ok(store)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretStore").field("next_index", &self.next_index()).finish_non_exhaustive()
    }
}

/// The number of trailing zeros among the 48 bits of an index.
const fn slot_of(index: u64) -> u32 {
    if index == 0 { 48 } else { index.trailing_zeros() }
}

/// The lowest index not below `newest` with exactly that many trailing zeros.
fn newest_with_trailing_zeros(newest: u64, bits: u32) -> Option<u64> {
    if bits == 48 {
        return (newest == 0).then_some(0);
    }
    let unit = 1u64 << bits;
    // Odd multiples of the unit.
    let multiple = newest.div_ceil(unit);
    let index = (multiple | 1).checked_mul(unit)?;
    (index <= FIRST_INDEX).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_from_near_and_from_the_seed() {
        let nearby = NearbySecrets::default();
        let far = [0, 1, 63, 64, 65, 1 << 20, FIRST_INDEX - 64, FIRST_INDEX];
        for index in (FIRST_INDEX - 200..=FIRST_INDEX).rev().chain(far) {
            for _ in 0..2 {
                assert_eq!(nearby.secret(&[7; 32], index), per_commitment_secret(&[7; 32], index), "{index}");
            }
        }
    }
}
