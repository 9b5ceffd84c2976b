//! From a passphrase, or a platform's key, to the key that wraps the storage key.

use super::{CHECK_LEN, SlotError, Unlock};
use crate::platform::nfkd;
use argon2::{Algorithm, Argon2, Params, Version};
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use zeroize::Zeroizing;

/// What one guess of a passphrase costs (Argon2id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A slot that asks for more than this is damaged: no honest one does, and it must not exhaust the device.
const MOST: KdfCost = KdfCost { memory_kib: 256 * 1024, passes: 16, lanes: 4 };

impl KdfCost {
    /// For wallets: 32 MiB and three passes, about a third of a second in a browser.
    pub const WALLET: Self = Self { memory_kib: 32 * 1024, passes: 3, lanes: 1 };

    /// Protects nothing. For tests, which open many wallets.
    pub const TEST_ONLY: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    pub(super) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        for (place, number) in bytes.chunks_mut(4).zip([self.memory_kib, self.passes, self.lanes]) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// Unset where an honest slot would not ask for so much.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let cost = Self { memory_kib: number(0)?, passes: number(4)?, lanes: number(8)? };
        let fits =
            cost.memory_kib <= MOST.memory_kib && cost.passes <= MOST.passes && cost.lanes <= MOST.lanes;
        fits.then_some(cost)
    }
}

/// 64 derived bytes: a key that wraps, and a key that checks.
pub(super) struct Derived(Zeroizing<[u8; 64]>);

impl Derived {
    pub(super) fn new(unlock: &Unlock<'_>, cost: KdfCost, salt: &[u8]) -> Result<Self, SlotError> {
        let mut derived = Zeroizing::new([0; 64]);
        match unlock {
            Unlock::Passphrase(passphrase) => {
                let stretching = |error: argon2::Error| SlotError::Stretching { detail: error.to_string() };
                let params =
                    Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(64)).map_err(stretching)?;
                // The same passphrase typed on another keyboard is the same passphrase (as in BIP 39).
                let normalized = nfkd(passphrase);
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(normalized.as_bytes(), salt, derived.as_mut_slice())
                    .map_err(stretching)?;
            }
            Unlock::PlatformKey(key) => {
                for (half, purpose) in
                    derived.chunks_mut(32).zip([&b"kite slot wrap"[..], b"kite slot check"])
                {
                    half.copy_from_slice(&mac(key.as_slice(), &[purpose, salt]));
                }
            }
        }
        Ok(Self(derived))
    }

    pub(super) fn wrapping_key(&self) -> &[u8; 32] {
        // The first half of 64 bytes.
        self.0.first_chunk().expect("32 of 64 bytes")
    }

    pub(super) fn check(&self) -> [u8; CHECK_LEN] {
        // A MAC has 32 bytes.
        *mac(&self.0[32..], &[b"kite slot"]).first_chunk().expect("16 of 32 bytes")
    }

    pub(super) fn matches(&self, check: &[u8]) -> bool {
        self.check().iter().zip(check).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    parts.iter().for_each(|part| engine.input(part));
    Hmac::from_engine(engine).to_byte_array()
}
