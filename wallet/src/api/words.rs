//! The owner's words.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::{Wallet, WalletError};
use crate::keyslot::{self, Unlock};
use bitcoin::hex::FromHex as _;
use kite_api::api;
use zeroize::Zeroizing;

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
        self.protected.words(&Unlock::Passphrase(&passphrase))
    }

    /// The same for a wallet that a key of the device opens.
    ///
    /// # Errors
    /// `WrongPassphrase` for another key, `StoreDamaged`, `InvalidInput`.
    pub async fn mnemonic_with_device_key(&self, device_key: String) -> Result<String, WalletError> {
        self.protected.words(&DeviceKey::from_hex(&device_key)?.unlock())
    }
}

impl Protected {
    fn words(&self, unlock: &Unlock<'_>) -> Result<String, WalletError> {
        let key = keyslot::open(&self.slot, unlock)?;
        Ok(keyslot::open_words(&self.sealed_words, &key, self.fence)?.to_string())
    }
}

/// A key that the platform keeps for us. Forgotten when dropped.
pub(super) struct DeviceKey(Zeroizing<[u8; 32]>);

impl DeviceKey {
    pub(super) fn from_hex(text: &str) -> Result<Self, WalletError> {
        let bytes = <[u8; 32]>::from_hex(text)
            .map_err(|_| WalletError::invalid("device_key", "not 32 bytes in hex"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    pub(super) fn unlock(&self) -> Unlock<'_> {
        Unlock::PlatformKey(&self.0)
    }
}
