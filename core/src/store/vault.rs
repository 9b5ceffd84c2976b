//! Seals records where the batch is made, so that no store and no copy of one can read or exchange them.
//!
//! On disk a key is a MAC of the record's name, and a value is `version || fence || sealed`. What is sealed is name and
//! content; version, fence and key are its associated data, and for an entry of the journal a digest of all entries before
//! it. A record moved to another key, given another fence, cut or altered does not open, nor does an entry behind others
//! than those it was written behind.

use super::number::{read_number, write_number};
use super::{RecordKind, RecordName};
use crate::crypto::seal::{NONCE_LEN, SealKey, open, seal};
use crate::wire::{Reader, Writer};
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use std::fmt;

/// 2: an entry of the journal is bound to those before it.
const VERSION: u8 = 2;
const KEY_LEN: usize = 16;
const JOURNAL_KEY_LEN: usize = 8;

/// The keys of a store, from the one key that the passphrase or the platform's key store protects.
pub struct Vault {
    names: [u8; 32],
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
        let derive = |purpose: &[u8]| mac(storage_key, purpose);
        Self { names: derive(b"kite record names"), records: SealKey::new(derive(b"kite record contents")) }
    }

    /// The opaque key of a record. The few entries of the journal, written with every step, have short ones.
    pub fn key(&self, name: &RecordName) -> Vec<u8> {
        let length = if name.kind == RecordKind::Journal { JOURNAL_KEY_LEN } else { KEY_LEN };
        mac(&self.names, &name_bytes(name))[..length].to_vec()
    }

    /// Whether this is the key of an entry of the journal.
    pub(super) fn is_of_entry(key: &[u8]) -> bool {
        key.len() == JOURNAL_KEY_LEN
    }

    /// The fence under which a value says that it was written.
    pub(super) fn fence_of(value: &[u8]) -> Result<u64, VaultError> {
        read_header(value).map(|(fence, _)| fence)
    }

    /// Seals a record. The nonce must be fresh.
    pub fn seal(
        &self,
        name: &RecordName,
        content: &[u8],
        fence: u64,
        nonce: [u8; NONCE_LEN],
    ) -> (Vec<u8>, Vec<u8>) {
        self.seal_after(&[], name, content, fence, nonce)
    }

    /// Seals a record that opens only behind what it was written behind.
    pub(super) fn seal_after(
        &self,
        before: &[u8],
        name: &RecordName,
        content: &[u8],
        fence: u64,
        nonce: [u8; NONCE_LEN],
    ) -> (Vec<u8>, Vec<u8>) {
        let key = self.key(name);
        let mut plain = name_bytes(name);
        plain.insert(0, u8::try_from(plain.len()).unwrap_or(u8::MAX));
        plain.extend_from_slice(content);
        let mut value = header(fence);
        let sealed = seal(&self.records, &nonce, &[&value, &key[..], before].concat(), &plain);
        value.extend_from_slice(&sealed);
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
        let (header, sealed) = value.split_at(header_len);
        let mut plain =
            open(&self.records, &[header, key, before].concat(), sealed).map_err(|_| VaultError::Damaged)?;
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

/// What stands in front of the sealed bytes.
fn header(fence: u64) -> Vec<u8> {
    let mut header = Writer::new();
    header.write(&VERSION);
    write_number(&mut header, fence);
    header.into_bytes()
}

/// The fence, and the length of what stands in front of the sealed bytes.
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

fn mac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    engine.input(message);
    Hmac::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Vault, RecordName, Vec<u8>, Vec<u8>) {
        let vault = Vault::new(&[1; 32]);
        let name = RecordName::of(RecordKind::Payment, *b"0123456789abcdef");
        let (key, value) = vault.seal(&name, b"secret coffee", 7, [9; 24]);
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
    }
}
