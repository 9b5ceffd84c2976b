//! How the wallet is doing.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::error::network_name;
use super::{Wallet, WalletError};
use crate::run::Gone;
use kite_api::api;
use kite_core::node::{Answer, Command, CommandError, Node};

/// How the wallet is doing.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The wallet's own node id.
    pub node_id: String,
    /// The network, as in the configuration.
    pub network: String,
    /// The number of the newest block it knows.
    pub height: u32,
    /// When that block was found, in seconds since 1970, by its miner's clock.
    pub tip_time_secs: u64,
    /// That block is hours old, too old to be the newest there is (never on regtest). As long as the chain server shows no
    /// newer one, nothing is paid or received and no channel is opened.
    pub tip_old: bool,
    /// It has caught up with the chain, and the chain server answers. What `chain_error` says may still be missing.
    pub synced: bool,
    /// Why the chain server could not be used when it was asked last, or what could not be read there; unset if all is well.
    pub chain_error: Option<String>,
    /// Connected peers.
    pub peers: u32,
    /// Channels that are not closed.
    pub channels: u32,
    /// Whether the app can be closed now without delaying a payment or a transaction; see [`Wallet::safe_to_close`].
    pub safe_to_close: bool,
    /// The platform promises not to clear the wallet's data on its own. If not, the owner must keep the words safe.
    pub storage_persistent: bool,
    /// The version of the wallet.
    pub version: String,
}

/// Whether the app can be closed now.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeToClose {
    /// Nothing is under way. No money is lost in any case: what is under way goes on at the next start.
    pub safe: bool,
    /// What is under way, in words for the owner; unset when it is safe.
    pub reason: Option<String>,
}

/// The version of this library.
#[api]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[api]
impl Wallet {
    /// How the wallet is doing.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn info(&self) -> Result<Info, WalletError> {
        let status = self.handle.status.get();
        let storage_persistent = self.platform.store.is_persistent().await;
        let (height, tip_time, tip_old) =
            self.ask(|node| (node.tip().0, node.tip_time(), node.is_tip_old())).await?;
        let (peers, channels, busy) = self
            .ask(|node| {
                let peers = node.peers().iter().filter(|peer| peer.is_connected).count();
                let channels = node.channels().iter().filter(|channel| channel.state != "closed").count();
                (peers, channels, node.why_not_close())
            })
            .await?;
        Ok(Info {
            node_id: self.node_id.to_string(),
            network: network_name(self.network),
            height,
            tip_time_secs: tip_time.0,
            tip_old,
            synced: status.synced,
            chain_error: status.chain_error.map(|error| error.to_string()),
            peers: saturating(peers),
            channels: saturating(channels),
            safe_to_close: self.why_not_close(busy).is_none(),
            storage_persistent,
            version: version(),
        })
    }

    /// Whether the app can be closed now without delaying a payment or a transaction.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn safe_to_close(&self) -> Result<SafeToClose, WalletError> {
        let busy = self.ask(Node::why_not_close).await?;
        let reason = self.why_not_close(busy).map(str::to_owned);
        Ok(SafeToClose { safe: reason.is_none(), reason })
    }
}

impl Wallet {
    /// What keeps the node busy, or else the loop: asked after the node, as what the node is done with is with the loop then.
    fn why_not_close(&self, busy: Option<&'static str>) -> Option<&'static str> {
        let publishing = self.handle.status.get().publishing;
        busy.or_else(|| publishing.then_some("a transaction is being published"))
    }
}

/// How the methods of the API talk to the node.
impl Wallet {
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Node) -> T + Send + 'static,
    ) -> Result<T, WalletError> {
        self.handle.ask(question).await.map_err(|gone| self.stopped(gone))
    }

    pub(super) async fn command(&self, command: Command) -> Result<Answer, WalletError> {
        match self.handle.command(command).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(CommandError::Stopped)) => Err(self.stopped(Gone)),
            Ok(Err(error)) => Err(error.into()),
            Err(gone) => Err(self.stopped(gone)),
        }
    }

    pub(super) fn stopped(&self, gone: Gone) -> WalletError {
        self.handle.status.get().halted.map_or(gone.into(), WalletError::from)
    }
}

/// Counts of a wallet fit; a larger one shows as the most there can be.
pub(super) fn saturating(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
