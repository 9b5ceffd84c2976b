//! How a wallet is set up.

use super::WalletError;
use crate::chain::ChainConfig;
use crate::platform::PlatformConfig;
use bitcoin::Network;
use kite_api::api;
use kite_core::node;

/// How a wallet is set up. Give the same values every time it is opened; the chain server and the proxy may change.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletConfig {
    /// The network: `regtest`, `signet`, `testnet`, `testnet4` or `bitcoin`, which is mainnet.
    pub network: String,
    /// Where the wallet's data is: the path of a folder, or in a browser the name of a database.
    pub data: String,
    /// The address of an Esplora server of the same network, for example `https://example.org/signet/api`.
    pub esplora_url: String,
    /// The websocket proxy through which a browser reaches Lightning nodes. Not used outside of browsers.
    pub proxy_url: Option<String>,
    /// For `bitcoin` only: the owner has read what [`young_on_mainnet`] says, and wants to go on. Unset: mainnet is refused.
    pub accept_young_mainnet: Option<bool>,
}

/// What is young about Kite on mainnet, a sentence each, in words for the owner: to be shown before mainnet is accepted.
#[api]
pub fn young_on_mainnet() -> Vec<String> {
    node::YOUNG.map(str::to_owned).to_vec()
}

impl WalletConfig {
    pub(super) fn network(&self) -> Result<Network, WalletError> {
        match self.network.trim().to_ascii_lowercase().as_str() {
            "regtest" => Ok(Network::Regtest),
            "signet" => Ok(Network::Signet),
            "testnet" | "testnet3" => Ok(Network::Testnet),
            "testnet4" => Ok(Network::Testnet4),
            "bitcoin" | "mainnet" if self.accepts_young_mainnet() => Ok(Network::Bitcoin),
            "bitcoin" | "mainnet" => Err(WalletError::MainnetNotAccepted),
            _ => Err(WalletError::invalid(
                "network",
                "not one of regtest, signet, testnet, testnet4 and bitcoin",
            )),
        }
    }

    pub(super) fn accepts_young_mainnet(&self) -> bool {
        self.accept_young_mainnet == Some(true)
    }

    pub(super) fn platform(&self) -> PlatformConfig {
        PlatformConfig { data: self.data.clone(), proxy_url: self.proxy_url.clone() }
    }

    pub(super) fn chain(&self) -> Result<ChainConfig, WalletError> {
        Ok(ChainConfig::new(&self.esplora_url, self.network()?))
    }
}
