//! The owner's words (BIP 39), and how the store keeps them.

use super::StorageKey;
use crate::platform::{Entropy, EntropyError, nfkd};
use bip39::{Language, Mnemonic};
use kite_core::crypto::Seed;
use kite_core::store::{FRESH_LEN, RecordKind, RecordName, Vault, VaultError};
use zeroize::Zeroizing;

/// Why words make no wallet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// Not 12, 15, 18, 21 or 24 words.
    #[error("{count} words: a wallet has 12, 15, 18, 21 or 24")]
    Count {
        /// How many there are.
        count: usize,
    },
    /// A word that is not on the list.
    #[error("word {position} is not one of the words a wallet is made of")]
    UnknownWord {
        /// Which one, counted from 1.
        position: usize,
    },
    /// Every word is on the list, but they do not belong together.
    #[error("these words do not belong together: one of them is wrong, or their order is")]
    Checksum,
}

/// Reads words as people write them: any case, any spaces between them.
///
/// # Errors
/// What is wrong with them. No word is repeated in an error.
pub fn check_words(text: &str) -> Result<Mnemonic, MnemonicError> {
    let words = Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    Mnemonic::parse_in_normalized(Language::English, &nfkd(&words)).map_err(|error| match error {
        bip39::Error::BadWordCount(count) => MnemonicError::Count { count },
        bip39::Error::UnknownWord(index) => MnemonicError::UnknownWord { position: index + 1 },
        _ => MnemonicError::Checksum,
    })
}

/// Twelve new words.
///
/// # Errors
/// No randomness.
pub fn new_words(entropy: &dyn Entropy) -> Result<Mnemonic, EntropyError> {
    let bytes = Zeroizing::new(entropy.bytes()?);
    // 16 bytes are a length that BIP 39 has.
    Ok(Mnemonic::from_entropy_in(Language::English, &bytes[..16]).expect("16 bytes"))
}

/// The seed that the words stand for, without a BIP 39 passphrase.
pub fn seed_of(words: &Mnemonic) -> Seed {
    Seed::new(words.to_seed_normalized(""))
}

/// The words as a record of the store: its key and its sealed value. The fresh bytes are used once.
pub fn seal_words(
    words: &Mnemonic,
    key: &StorageKey,
    fence: u64,
    fresh: [u8; FRESH_LEN],
) -> (Vec<u8>, Vec<u8>) {
    let (entropy, length) = words.to_entropy_array();
    let entropy = Zeroizing::new(entropy);
    Vault::new(key.as_bytes()).seal(&name(), &entropy[..length], fence, fresh)
}

/// Takes the record of the words out of a store's records, still sealed: the node must not see it.
///
/// # Errors
/// It is missing.
pub fn take_words(
    records: &mut Vec<(Vec<u8>, Vec<u8>)>,
    key: &StorageKey,
) -> Result<(Vec<u8>, Vec<u8>), VaultError> {
    let record_key = Vault::new(key.as_bytes()).key(&name());
    let at = records.iter().position(|(key, _)| *key == record_key).ok_or(VaultError::Damaged)?;
    Ok(records.swap_remove(at))
}

/// Opens the record of the words.
///
/// # Errors
/// It does not open.
pub fn open_words(sealed: &(Vec<u8>, Vec<u8>), key: &StorageKey, fence: u64) -> Result<Mnemonic, VaultError> {
    let (_, entropy) = Vault::new(key.as_bytes()).open(&sealed.0, &sealed.1, fence)?;
    Mnemonic::from_entropy_in(Language::English, &Zeroizing::new(entropy)).map_err(|_| VaultError::Damaged)
}

fn name() -> RecordName {
    RecordName::only(RecordKind::Seed)
}
