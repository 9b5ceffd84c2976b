//! Seals records where the batch is made, so that no store and no copy of one can read or exchange them.
//!
//! On disk the key of a record is a MAC of its name, and its value is `version || fence || fresh (12) || sealed`. What is
//! sealed is name and content; version, fence and key are its associated data. An entry of the journal has no name, for each
//! batch writes at most one: its key is the fence, its value `version || fresh (12) || sealed`, and its associated data are
//! version, key and a digest of all entries before it. A record moved to another key, given another fence, cut or altered does
//! not open, nor does an entry behind others than those it was written behind.
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

/// 3: the key of an entry of the journal is its fence. Records stay at 2, where entries had names like theirs.
const ENTRY_VERSION: u8 = 3;

/// How many fresh bytes a record takes.
pub const FRESH_LEN: usize = 12;

/// Keys of entries are shorter: up to ten bytes of a number, and eight in version 2.
const KEY_LEN: usize = 16;
const NAMED_ENTRY_KEY_LEN: usize = 8;

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

    /// The opaque key of a record.
    pub fn key(&self, name: &RecordName) -> Vec<u8> {
        let length = if name.kind == RecordKind::Journal { NAMED_ENTRY_KEY_LEN } else { KEY_LEN };
        mac(self.names.clone(), &name_bytes(name))[..length].to_vec()
    }

    /// The key of the entry of the journal that the batch with this fence writes. It says no more than the value of any
    /// other record of that batch.
    pub(super) fn entry_key(fence: u64) -> Vec<u8> {
        let mut key = Writer::new();
        write_number(&mut key, fence);
        key.into_bytes()
    }

    /// Whether this is the key of an entry of the journal.
    pub(super) const fn is_of_entry(key: &[u8]) -> bool {
        key.len() < KEY_LEN
    }

    /// The fence under which an entry says that it was written.
    pub(super) fn fence_of_entry(key: &[u8], value: &[u8]) -> Result<u64, VaultError> {
        if value.first() != Some(&ENTRY_VERSION) {
            return read_header(value).map(|(fence, _)| fence);
        }
        let mut key = Reader::new(key);
        let fence = read_number(&mut key).map_err(|_| VaultError::Damaged)?;
        if key.is_empty() { Ok(fence) } else { Err(VaultError::Damaged) }
    }

    /// Seals a record. The fresh bytes must be unpredictable, and are used once.
    pub fn seal(
        &self,
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
        let associated = [&value, &key[..]].concat();
        value.extend_from_slice(&fresh);
        value.extend_from_slice(&seal_under(&self.records, &nonce(&fresh, fence), &associated, &plain));
        (key, value)
    }

    /// Seals an entry of the journal, which opens only behind those that have this digest. The fresh bytes must be
    /// unpredictable, and are used once; so is the fence.
    pub(super) fn seal_entry(
        &self,
        before: &[u8; 32],
        content: &[u8],
        fence: u64,
        fresh: [u8; FRESH_LEN],
    ) -> (Vec<u8>, Vec<u8>) {
        let key = Self::entry_key(fence);
        let associated = [&[ENTRY_VERSION], &key[..], before].concat();
        let sealed = seal_under(&self.records, &nonce(&fresh, fence), &associated, content);
        let value = [&[ENTRY_VERSION], &fresh[..], &sealed].concat();
        (key, value)
    }

    /// Opens an entry of the journal of a store with this fence.
    ///
    /// # Errors
    /// Those of [`Vault::open`]; damaged also where other entries were before it.
    pub(super) fn open_entry(
        &self,
        before: &[u8; 32],
        key: &[u8],
        value: &[u8],
        store_fence: u64,
    ) -> Result<Vec<u8>, VaultError> {
        let Some((&ENTRY_VERSION, rest)) = value.split_first() else {
            let (name, content) = self.open_after(before, key, value, store_fence)?;
            return if name.kind == RecordKind::Journal { Ok(content) } else { Err(VaultError::Damaged) };
        };
        let fence = Self::fence_of_entry(key, value)?;
        let (fresh, sealed) = rest.split_first_chunk().ok_or(VaultError::Damaged)?;
        let associated = [&[ENTRY_VERSION], key, before].concat();
        let content = open_under(&self.records, &nonce(fresh, fence), &associated, sealed)
            .map_err(|_| VaultError::Damaged)?;
        not_after(store_fence, fence)?;
        Ok(content)
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

    fn open_after(
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
        not_after(store_fence, fence)?;
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

fn not_after(store: u64, record: u64) -> Result<(), VaultError> {
    if record > store { Err(VaultError::FromTheFuture { record, store }) } else { Ok(()) }
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
        let entry_key = Vault::entry_key(7);
        value[0] = 4;
        let opened = vault.open_entry(&[0; 32], &entry_key, &value, 7);
        assert_eq!(opened, Err(VaultError::NewerVersion { version: 4 }));
        value[0] = 1;
        assert_eq!(vault.open(&key, &value, 7), Err(VaultError::OlderVersion { version: 1 }));
        value[0] = 0;
        assert_eq!(vault.open(&key, &value, 7), Err(VaultError::Damaged));
    }

    #[test]
    fn an_entry_opens_where_it_was_written_and_nowhere_else() {
        let vault = Vault::new(&[1; 32]);
        let (key, value) = vault.seal_entry(&[5; 32], b"secret coffee", 300, [9; FRESH_LEN]);
        let open = |before, key: &[u8], value: &[u8]| vault.open_entry(&[before; 32], key, value, 300);
        assert_eq!((key.len(), value.len()), (2, 1 + FRESH_LEN + 13 + 16));
        assert!(Vault::is_of_entry(&key) && Vault::is_of_entry(&Vault::entry_key(u64::MAX)));
        assert_eq!(Vault::fence_of_entry(&key, &value), Ok(300));
        assert_eq!(open(5, &key, &value), Ok(b"secret coffee".to_vec()));
        assert_eq!(open(6, &key, &value), Err(VaultError::Damaged));
        assert_eq!(open(5, &Vault::entry_key(299), &value), Err(VaultError::Damaged));
        assert_eq!(open(5, &[&key[..], &[0]].concat(), &value), Err(VaultError::Damaged));
        for i in 0..value.len() {
            let mut altered = value.clone();
            altered[i] ^= 1;
            assert!(open(5, &key, &altered).is_err(), "byte {i}");
            assert!(open(5, &key, &value[..i]).is_err());
        }
        let future = VaultError::FromTheFuture { record: 300, store: 299 };
        assert_eq!(vault.open_entry(&[5; 32], &key, &value, 299), Err(future));
        // Neither does a record pass for an entry, nor an entry for a record.
        let (_, _, key_of_record, record) = sealed();
        assert_eq!(vault.open_entry(&[0; 32], &key_of_record, &record, 7), Err(VaultError::Damaged));
        assert!(vault.open(&key, &value, 300).is_err());
    }

    #[test]
    fn another_fence_is_another_nonce() {
        let (vault, name, _, value) = sealed();
        let (_, later) = vault.seal(&name, b"secret coffee", 8, [9; FRESH_LEN]);
        assert_eq!(value[2..2 + FRESH_LEN], later[2..2 + FRESH_LEN]);
        assert_ne!(value[2 + FRESH_LEN..], later[2 + FRESH_LEN..]);
    }
}
