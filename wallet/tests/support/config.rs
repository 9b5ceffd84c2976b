//! How the wallets of the tests are set up.

use kite_wallet::api::WalletConfig;

/// Nothing answers here.
pub const NOWHERE: &str = "http://127.0.0.1:9";

/// On regtest, with this chain server and no proxy.
pub fn config(url: &str) -> WalletConfig {
    WalletConfig {
        network: "regtest".into(),
        data: "wallet".into(),
        esplora_url: url.into(),
        proxy_url: None,
        accept_young_mainnet: None,
    }
}
