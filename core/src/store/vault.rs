//! Seals records where the batch is made, so that no store and no copy of one can read or exchange them.
//!
//! On disk a key is a MAC of the record's name, and a value is `version || fence || fresh (12) || sealed`. What is sealed is
//! name and content; version, fence and key are its associated data, and for an entry of the journal a digest of all entries
//! before it. A record moved to another key, given another fence, cut or altered does not open, nor does an entry behind
//! others than those it was written behind.
//!
//! The nonce of XChaCha20-Poly1305 is the fresh bytes and the fence. The fence rises with every batch, so that the fresh
//! bytes have to tell apart only the records of one batch, and those of copies of the store that went on by themselves.

use super::number::{read_number, write_number};
use super::{RecordKind, RecordName};
use crate::crypto::seal::{NONCE_LEN, SealKey, open_under, seal_under};
use crate::wire::{Reader, Writer};
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use std::fmt;

/// 2: an entry of the journal is bound to those before it, and the fence is a part of the nonce.
const VERSION: u8 = 2;

/// How many fresh bytes a record takes.
pub const FRESH_LEN: usize = 12;

const KEY_LEN: usize = 16;
const JOURNAL_KEY_LEN: usize = 8;

/// The keys of a store, from the one key that the passphrase or the platform's key store protects.
pub struct Vault {
    /// Has taken in its key: half of what the MAC of a short name costs.
    names: HmacEngine<sha256::Hash>,
    records: SealKey,
}

/// Why a stored record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Written by a newer Kite.
    #[error("a record of version {version} was written by a newer Kite: update the app, nothing is lost")]
    NewerVersion {
        /// The version byte.
        version: u8,
    },
    /// Written by a test version of Kite, in a form that was never released.
    #[error("a record of version {version} was written by an early test version of Kite: make a new wallet")]
    OlderVersion {
        /// The version byte.
        version: u8,
    },
    /// The bytes are not what was written, or were sealed with another key.
    #[error("a stored record is damaged (or of another wallet): restore the store from a good copy")]
    Damaged,
    /// The record says that it is newer than the store as a whole.
    #[error(
        "a record was written under fence {record}, after the store's own {store}: this store is a mixture of copies"
    )]
    FromTheFuture {
        /// The fence in the record.
        record: u64,
        /// The fence of the store.
        store: u64,
    },
}

impl Vault {
    /// The vault that this storage key opens.
    pub fn new(storage_key: &[u8; 32]) -> Self {
        let derive = |purpose: &[u8]| mac(HmacEngine::new(storage_key), purpose);
        Self {
            names: HmacEngine::new(&derive(b"kite record names")),
            records: SealKey::new(derive(b"kite record contents")),
        }
    }

    /// The opaque key of a record. The few entries of the journal, written with every step, have short ones.
    pub fn key(&self, name: &RecordName) -> Vec<u8> {
        let length = if name.kind == RecordKind::Journal { JOURNAL_KEY_LEN } else { KEY_LEN };
        mac(self.names.clone(), &name_bytes(name))[..length].to_vec()
    }

    /// Whether this is the key of an entry of the journal.
    pub(super) fn is_of_entry(key: &[u8]) -> bool {
        key.len() == JOURNAL_KEY_LEN
    }

    /// The fence under which a value says that it was written.
    pub(super) fn fence_of(value: &[u8]) -> Result<u64, VaultError> {
        read_header(value).map(|(fence, _)| fence)
    }

    /// Seals a record. The fresh bytes must be unpredictable, and are used once.
    pub fn seal(
        &self,
        name: &RecordName,
        content: &[u8],
        fence: u64,
        fresh: [u8; FRESH_LEN],
    ) -> (Vec<u8>, Vec<u8>) {
        self.seal_after(&[], name, content, fence, fresh)
    }

    /// Seals a record that opens only behind what it was written behind.
    pub(super) fn seal_after(
        &self,
        before: &[u8],
        name: &RecordName,
        content: &[u8],
        fence: u64,
        fresh: [u8; FRESH_LEN],
    ) -> (Vec<u8>, Vec<u8>) {
        let key = self.key(name);
        let mut plain = name_bytes(name);
        plain.insert(0, u8::try_from(plain.len()).unwrap_or(u8::MAX));
        plain.extend_from_slice(content);
        let mut value = header(fence);
        let associated = [&value, &key[..], before].concat();
        value.extend_from_slice(&fresh);
        value.extend_from_slice(&seal_under(&self.records, &nonce(&fresh, fence), &associated, &plain));
        (key, value)
    }

    /// Opens a record found in a store with this fence.
    ///
    /// # Errors
    /// Another version, a damaged record, or one that is newer than the store.
    pub fn open(
        &self,
        key: &[u8],
        value: &[u8],
        store_fence: u64,
    ) -> Result<(RecordName, Vec<u8>), VaultError> {
        self.open_after(&[], key, value, store_fence)
    }

    /// Opens a record that was sealed behind this.
    pub(super) fn open_after(
        &self,
        before: &[u8],
        key: &[u8],
        value: &[u8],
        store_fence: u64,
    ) -> Result<(RecordName, Vec<u8>), VaultError> {
        let (fence, header_len) = read_header(value)?;
        let (header, rest) = value.split_at(header_len);
        let (fresh, sealed) = rest.split_first_chunk().ok_or(VaultError::Damaged)?;
        let associated = [header, key, before].concat();
        let mut plain = open_under(&self.records, &nonce(fresh, fence), &associated, sealed)
            .map_err(|_| VaultError::Damaged)?;
        if fence > store_fence {
            return Err(VaultError::FromTheFuture { record: fence, store: store_fence });
        }
        let name_len = usize::from(*plain.first().ok_or(VaultError::Damaged)?);
        if name_len == 0 || plain.len() <= name_len {
            return Err(VaultError::Damaged);
        }
        let content = plain.split_off(1 + name_len);
        let kind = RecordKind::try_from(plain[1]).map_err(|_| VaultError::Damaged)?;
        let name = RecordName::of(kind, &plain[2..]);
        if self.key(&name) != key {
            return Err(VaultError::Damaged);
        }
        Ok((name, content))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(secret)")
    }
}

fn name_bytes(name: &RecordName) -> Vec<u8> {
    let mut bytes = vec![name.kind as u8];
    bytes.extend_from_slice(&name.which);
    bytes
}

fn nonce(fresh: &[u8; FRESH_LEN], fence: u64) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[..FRESH_LEN].copy_from_slice(fresh);
    nonce[NONCE_LEN - 8..].copy_from_slice(&fence.to_be_bytes());
    nonce
}

/// What stands in front of the fresh bytes.
fn header(fence: u64) -> Vec<u8> {
    let mut header = Writer::new();
    header.write(&VERSION);
    write_number(&mut header, fence);
    header.into_bytes()
}

/// The fence, and the length of the header.
fn read_header(value: &[u8]) -> Result<(u64, usize), VaultError> {
    let mut reader = Reader::new(value);
    let version: u8 = reader.read().map_err(|_| VaultError::Damaged)?;
    match version {
        VERSION => {}
        0 => return Err(VaultError::Damaged),
        1..VERSION => return Err(VaultError::OlderVersion { version }),
        _ => return Err(VaultError::NewerVersion { version }),
    }
    let fence = read_number(&mut reader).map_err(|_| VaultError::Damaged)?;
    Ok((fence, value.len() - reader.remaining()))
}

fn mac(mut keyed: HmacEngine<sha256::Hash>, message: &[u8]) -> [u8; 32] {
    keyed.input(message);
    Hmac::from_engine(keyed).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Vault, RecordName, Vec<u8>, Vec<u8>) {
        let vault = Vault::new(&[1; 32]);
        let name = RecordName::of(RecordKind::Payment, *b"0123456789abcdef");
        let (key, value) = vault.seal(&name, b"secret coffee", 7, [9; FRESH_LEN]);
        (vault, name, key, value)
    }

    #[test]
    fn opens_what_it_sealed() {
        let (vault, name, key, value) = sealed();
        assert_eq!(vault.open(&key, &value, 7), Ok((name, b"secret coffee".to_vec())));
    }

    #[test]
    fn shows_neither_name_nor_content() {
        let (_, _, key, value) = sealed();
        let disk = [key, value].concat();
        for hidden in [&b"coffee"[..], b"0123456789abcdef"] {
            assert!(!disk.windows(hidden.len()).any(|window| window == hidden));
        }
    }

    #[test]
    fn every_altered_byte_is_found() {
        let (vault, _, key, value) = sealed();
        for i in 1..value.len() {
            let mut altered = value.clone();
            altered[i] ^= 1;
            assert_eq!(vault.open(&key, &altered, u64::MAX), Err(VaultError::Damaged), "byte {i}");
            assert!(vault.open(&key, &value[..i], 7).is_err());
        }
        assert_eq!(vault.open(&key, &[], 7), Err(VaultError::Damaged));
    }

    #[test]
    fn another_key_another_place_or_a_later_fence_is_refused() {
        let (vault, _, key, value) = sealed();
        assert_eq!(Vault::new(&[2; 32]).open(&key, &value, 7), Err(VaultError::Damaged));
        let elsewhere = vault.key(&RecordName::only(RecordKind::Node));
        assert_eq!(vault.open(&elsewhere, &value, 7), Err(VaultError::Damaged));
        assert_eq!(vault.open(&key, &value, 6), Err(VaultError::FromTheFuture { record: 7, store: 6 }));
    }

    #[test]
    fn another_version_says_so() {
        let (vault, _, key, mut value) = sealed();
        value[0] = 3;
        assert_eq!(vault.open(&key, &value, 7), Err(VaultError::NewerVersion { version: 3 }));
        value[0] = 1;
        assert_eq!(vault.open(&key, &value, 7), Err(VaultError::OlderVersion { version: 1 }));
        value[0] = 0;
        assert_eq!(vault.open(&key, &value, 7), Err(VaultError::Damaged));
    }

    #[test]
    fn another_fence_is_another_nonce() {
        let (vault, name, _, value) = sealed();
        let (_, later) = vault.seal(&name, b"secret coffee", 8, [9; FRESH_LEN]);
        assert_eq!(value[2..2 + FRESH_LEN], later[2..2 + FRESH_LEN]);
        assert_ne!(value[2 + FRESH_LEN..], later[2 + FRESH_LEN..]);
    }
}
