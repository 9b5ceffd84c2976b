//! The owner's words.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::{Wallet, WalletError};
use crate::keyslot::{self, Unlock};
use crate::platform::aside;
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
#[derive(Clone)]
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
        self.words(Secret::passphrase(passphrase)).await
    }

    /// The same for a wallet that a key of the device opens.
    ///
    /// # Errors
    /// `WrongPassphrase` for another key, `StoreDamaged`, `InvalidInput`.
    pub async fn mnemonic_with_device_key(&self, device_key: String) -> Result<String, WalletError> {
        self.words(Secret::device_key(&device_key)?).await
    }
}

impl Wallet {
    async fn words(&self, secret: Secret) -> Result<String, WalletError> {
        let protected = self.protected.clone();
        aside(&*self.platform.spawn, move || protected.words(&secret.unlock())).await
    }
}

impl Protected {
    fn words(&self, unlock: &Unlock<'_>) -> Result<String, WalletError> {
        let key = keyslot::open(&self.slot, unlock)?;
        Ok(keyslot::open_words(&self.sealed_words, &key, self.fence)?.to_string())
    }
}

/// What its owner opens a wallet with. Forgotten when dropped.
pub(super) enum Secret {
    Passphrase(Zeroizing<String>),
    DeviceKey(Zeroizing<[u8; 32]>),
}

impl Secret {
    pub(super) fn passphrase(passphrase: String) -> Self {
        Self::Passphrase(Zeroizing::new(passphrase))
    }

    pub(super) fn device_key(hex: &str) -> Result<Self, WalletError> {
        let bytes = <[u8; 32]>::from_hex(hex)
            .map_err(|_| WalletError::invalid("device_key", "not 32 bytes in hex"))?;
        Ok(Self::DeviceKey(Zeroizing::new(bytes)))
    }

    pub(super) fn unlock(&self) -> Unlock<'_> {
        match self {
            Self::Passphrase(passphrase) => Unlock::Passphrase(passphrase),
            Self::DeviceKey(key) => Unlock::PlatformKey(key),
        }
    }
}
