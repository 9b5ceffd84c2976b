//! The owner's words.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::{Wallet, WalletError};
use crate::keyslot::{self, Unlock};
use kite_api::api;

/// Checks words before a wallet is restored from them: their number, each word, and whether they belong together.
///
/// Upper case, line breaks and extra spaces do no harm.
///
/// # Errors
/// `InvalidInput` with what is wrong. No word is repeated in it.
#[api]
pub fn check_mnemonic(words: String) -> Result<(), WalletError> {
    keyslot::check_words(&words)?;
    Ok(())
}

/// What is needed to show the words again.
pub(super) struct Protected {
    pub(super) slot: Vec<u8>,
    pub(super) sealed_words: (Vec<u8>, Vec<u8>),
    pub(super) fence: u64,
}

#[api]
impl Wallet {
    /// The words that this wallet can be restored from. Whoever has them has the money.
    ///
    /// # Errors
    /// `WrongPassphrase`, `StoreDamaged`.
    pub async fn mnemonic(&self, passphrase: String) -> Result<String, WalletError> {
        let key = keyslot::open(&self.protected.slot, &Unlock::Passphrase(&passphrase))?;
        Ok(keyslot::open_words(&self.protected.sealed_words, &key, self.protected.fence)?.to_string())
    }
}
