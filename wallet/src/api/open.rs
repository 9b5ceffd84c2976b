//! Making, opening, starting and stopping a wallet.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::words::{Protected, Secret};
use super::{Wallet, WalletConfig, WalletError};
use crate::chain::{ChainSource, Publisher};
use crate::keyslot::{self, KdfCost, SLOT_KEY, StorageKey, Unlock};
use crate::platform::{Held, MaybeSend, Platform, aside, here};
use crate::run::{self, Start};
use bip39::Mnemonic;
use kite_api::api;
use kite_core::chain::Checkpoint;
use kite_core::node::{Node, NodeConfig};
use kite_core::store::{Op, Stored};
use std::sync::Arc;

/// Whether there is a wallet where this configuration says. Nothing is changed.
///
/// # Errors
/// `StoreUnavailable`.
#[api]
pub async fn wallet_exists(config: WalletConfig) -> Result<bool, WalletError> {
    Wallet::exists_on(&here(&config.platform())).await
}

#[api]
impl Wallet {
    /// Makes a new wallet, or restores one from its words, and opens it. It is stored before this returns.
    ///
    /// The passphrase protects what is on this device; it is not part of the words. Unset `mnemonic`: twelve new words, which
    /// [`Wallet::mnemonic`] shows. Words bring back the keys and the on-chain coins, not open channels and not the history. On
    /// mainnet coins are found from block 941,472 (March 2026) on, before which there was no Kite.
    ///
    /// # Errors
    /// `AlreadyExists`, `AlreadyOpen`, `InvalidInput`, `MainnetNotAccepted`, `StoreFull`, `StoreUnavailable`.
    pub async fn create(
        config: WalletConfig,
        passphrase: String,
        mnemonic: Option<String>,
    ) -> Result<Arc<Self>, WalletError> {
        Self::create_on(here(&config.platform()), &config, &passphrase, mnemonic, KdfCost::WALLET).await
    }

    /// Opens the wallet that is there. It is not online until [`Wallet::start`].
    ///
    /// # Errors
    /// `NoWallet`, `WrongPassphrase`, `AlreadyOpen`, `StoreDamaged`, `StoreNewer`, `StoreFull`, `StoreUnavailable`,
    /// `MainnetNotAccepted`, `InvalidInput` for the configuration of another network.
    pub async fn open(config: WalletConfig, passphrase: String) -> Result<Arc<Self>, WalletError> {
        Self::open_on(here(&config.platform()), &config, &passphrase).await
    }

    /// What [`Wallet::create`] does, for a wallet that a key of the device opens instead of a passphrase: 32 random bytes in
    /// hex that the app keeps in the platform's key store (Keychain, Keystore) and nowhere else.
    ///
    /// # Errors
    /// `AlreadyExists`, `AlreadyOpen`, `InvalidInput`, `MainnetNotAccepted`, `StoreFull`, `StoreUnavailable`.
    pub async fn create_with_device_key(
        config: WalletConfig,
        device_key: String,
        mnemonic: Option<String>,
    ) -> Result<Arc<Self>, WalletError> {
        let secret = Secret::device_key(&device_key)?;
        let platform = here(&config.platform());
        Self::create_unlocked_by(platform, &config, secret, mnemonic, KdfCost::WALLET).await
    }

    /// What [`Wallet::open`] does, for a wallet that [`Wallet::create_with_device_key`] made.
    ///
    /// # Errors
    /// Those of [`Wallet::open`]; `WrongPassphrase` for another key.
    pub async fn open_with_device_key(
        config: WalletConfig,
        device_key: String,
    ) -> Result<Arc<Self>, WalletError> {
        let secret = Secret::device_key(&device_key)?;
        Self::open_unlocked_by(here(&config.platform()), &config, secret).await
    }

    /// Connects to peers and to the chain from now on. Calling it again does nothing.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn start(&self) -> Result<(), WalletError> {
        self.handle.go_online().await.map_err(|gone| self.stopped(gone))
    }

    /// Stops the wallet once what is being written is safe, closes its connections and its store, and lets another tab or
    /// process open it. Every other call fails with `Stopped` from then on; open the wallet again to go on.
    pub async fn stop(&self) {
        self.handle.stop().await;
    }

    /// Tells the wallet that the app came to the front or the network came back, so that it connects and looks at the chain
    /// without delay.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn refresh(&self) -> Result<(), WalletError> {
        self.handle.hurry().await.map_err(|gone| self.stopped(gone))
    }
}

impl Wallet {
    /// What [`Wallet::create`] does, on a given device and with a given cost of guessing the passphrase.
    ///
    /// # Errors
    /// See [`Wallet::create`].
    pub async fn create_on(
        platform: Platform,
        config: &WalletConfig,
        passphrase: &str,
        mnemonic: Option<String>,
        cost: KdfCost,
    ) -> Result<Arc<Self>, WalletError> {
        let secret = Secret::passphrase(passphrase.to_owned());
        Self::create_unlocked_by(platform, config, secret, mnemonic, cost).await
    }

    async fn create_unlocked_by(
        platform: Platform,
        config: &WalletConfig,
        secret: Secret,
        mnemonic: Option<String>,
        cost: KdfCost,
    ) -> Result<Arc<Self>, WalletError> {
        let network = config.network()?;
        let (words, checkpoint) = match mnemonic {
            Some(text) => (keyslot::check_words(&text)?, Checkpoint::oldest(network)),
            None => (keyslot::new_words(platform.entropy.as_ref())?, Checkpoint::newest(network)),
        };
        let opened = Opened::new(platform, config, network).await?;
        opened.close_on_error(move |opened| opened.make(&words, checkpoint, &secret.unlock(), cost)).await
    }

    /// What [`Wallet::open`] does, on a given device.
    ///
    /// # Errors
    /// See [`Wallet::open`].
    pub async fn open_on(
        platform: Platform,
        config: &WalletConfig,
        passphrase: &str,
    ) -> Result<Arc<Self>, WalletError> {
        Self::open_unlocked_by(platform, config, Secret::passphrase(passphrase.to_owned())).await
    }

    async fn open_unlocked_by(
        platform: Platform,
        config: &WalletConfig,
        secret: Secret,
    ) -> Result<Arc<Self>, WalletError> {
        let opened = Opened::new(platform, config, config.network()?).await?;
        opened.close_on_error(move |opened| opened.load(&secret.unlock())).await
    }

    /// What [`wallet_exists`] does, on a given device.
    ///
    /// # Errors
    /// See [`wallet_exists`].
    pub async fn exists_on(platform: &Platform) -> Result<bool, WalletError> {
        let stored = platform.store.open().await;
        platform.store.close().await;
        Ok(stored?.records.iter().any(|(key, _)| key == SLOT_KEY))
    }
}

/// A store that is open and locked, and what the loop needs besides the node.
struct Opened {
    platform: Platform,
    network: bitcoin::Network,
    accept_young_mainnet: bool,
    chain: (ChainSource, Publisher),
    lock: Option<Box<dyn Held>>,
    stored: Stored,
}

/// A node that is about to run.
struct Ready {
    node: Node,
    protected: Protected,
    with_first_batch: Vec<Op>,
}

impl Opened {
    async fn new(
        platform: Platform,
        config: &WalletConfig,
        network: bitcoin::Network,
    ) -> Result<Self, WalletError> {
        let chain_config = config.chain()?;
        let chain = (
            ChainSource::new(chain_config.clone(), platform.http.clone(), platform.clock.clone())?,
            Publisher::new(&chain_config, platform.http.clone(), platform.clock.clone())?,
        );
        let lock = Some(platform.lock.acquire().await?);
        let stored = match platform.store.open().await {
            Ok(stored) => stored,
            Err(error) => {
                platform.store.close().await;
                return Err(error.into());
            }
        };
        let accept_young_mainnet = config.accepts_young_mainnet();
        Ok(Self { platform, network, accept_young_mainnet, chain, lock, stored })
    }

    /// Starts the node that `prepare` makes and waits until it has taken the store's fence.
    async fn close_on_error(
        mut self,
        prepare: impl FnOnce(&mut Self) -> Result<Ready, WalletError> + MaybeSend + 'static,
    ) -> Result<Arc<Wallet>, WalletError> {
        let spawn = self.platform.spawn.clone();
        // A passphrase takes long, and so do many records.
        let (mut opened, ready) = aside(&*spawn, move || {
            let ready = prepare(&mut self);
            (self, ready)
        })
        .await;
        let (ready, lock) = match (ready, opened.lock.take()) {
            (Ok(ready), Some(lock)) => (ready, lock),
            (Ok(_), None) => return Err(WalletError::AlreadyOpen),
            (Err(error), lock) => {
                opened.platform.store.close().await;
                drop(lock);
                return Err(error);
            }
        };
        let node_id = ready.node.node_id();
        let handle = run::start(Start {
            machine: ready.node,
            platform: opened.platform.clone(),
            chain: opened.chain,
            lock,
            with_first_batch: ready.with_first_batch,
        });
        let wallet = Wallet {
            network: opened.network,
            node_id,
            handle,
            platform: opened.platform,
            protected: ready.protected,
            listener: None.into(),
        };
        match wallet.handle.durable().await {
            Ok(()) => Ok(Arc::new(wallet)),
            Err(gone) => {
                let error = wallet.stopped(gone);
                wallet.stop().await;
                Err(error)
            }
        }
    }

    fn make(
        &mut self,
        words: &Mnemonic,
        checkpoint: Checkpoint,
        unlock: &Unlock<'_>,
        cost: KdfCost,
    ) -> Result<Ready, WalletError> {
        if !self.stored.records.is_empty() {
            return Err(WalletError::AlreadyExists);
        }
        let entropy = self.platform.entropy.clone();
        let (key, slot) = keyslot::create(unlock, cost, entropy.as_ref())?;
        // The first batch of the node takes this fence, and the words go with it.
        let fence = self.stored.fence.saturating_add(1);
        // 12 of 32 bytes.
        let fresh = *entropy.bytes()?.first_chunk().expect("12 of 32 bytes");
        let sealed_words = keyslot::seal_words(words, &key, fence, fresh);
        let put = |(key, value): (Vec<u8>, Vec<u8>)| Op::Put { key, value };
        let with_first_batch = vec![put((SLOT_KEY.to_vec(), slot.clone())), put(sealed_words.clone())];
        let node = self.node(words, &key, NodeConfig { checkpoint, ..self.node_config() })?;
        Ok(Ready { node, protected: Protected { slot, sealed_words, fence }, with_first_batch })
    }

    fn load(&mut self, unlock: &Unlock<'_>) -> Result<Ready, WalletError> {
        let records = &mut self.stored.records;
        let Some(at) = records.iter().position(|(key, _)| key == SLOT_KEY) else {
            return Err(match records.is_empty() {
                true => WalletError::NoWallet,
                false => {
                    WalletError::StoreDamaged { reason: "the record that protects it is missing".into() }
                }
            });
        };
        let (_, slot) = records.swap_remove(at);
        let key = keyslot::open(&slot, unlock)?;
        let sealed_words = keyslot::take_words(records, &key)?;
        let fence = self.stored.fence;
        let words = keyslot::open_words(&sealed_words, &key, fence)?;
        if self.stored.records.is_empty() {
            return Err(WalletError::StoreDamaged { reason: "the records of the node are missing".into() });
        }
        let node = self.node(&words, &key, self.node_config())?;
        Ok(Ready { node, protected: Protected { slot, sealed_words, fence }, with_first_batch: Vec::new() })
    }

    fn node_config(&self) -> NodeConfig {
        NodeConfig { accept_young_mainnet: self.accept_young_mainnet, ..NodeConfig::new(self.network) }
    }

    fn node(&self, words: &Mnemonic, key: &StorageKey, config: NodeConfig) -> Result<Node, WalletError> {
        let seed = keyslot::seed_of(words);
        let (entropy, now) = (self.platform.entropy.bytes()?, self.platform.clock.now());
        Ok(Node::load(&seed, key.as_bytes(), entropy, config, &self.stored, now)?)
    }
}
