//! What the wallet holds.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::{Wallet, WalletError};
use kite_api::api;
use kite_core::node::Node;

/// What the wallet holds, and what of it can be used for what.
#[api(record)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Everything that is the owner's, in millisatoshi.
    pub total_msat: u64,
    /// What can be sent over Lightning now, fees on the way not counted, in millisatoshi.
    pub spendable_msat: u64,
    /// What can be received over Lightning now, in millisatoshi.
    pub receivable_msat: u64,
    /// What is on its way out and not decided, in millisatoshi.
    pub in_flight_msat: u64,
    /// What comes back on-chain from channels that are closing, in satoshi.
    pub closing_sat: u64,
    /// On-chain coins that can be spent, in satoshi.
    pub onchain_sat: u64,
    /// On-chain coins that wait for their block, in satoshi.
    pub onchain_pending_sat: u64,
    /// On-chain coins that are kept to pay for closing channels, in satoshi. Part of `onchain_sat`.
    pub reserved_sat: u64,
}

#[api]
impl Wallet {
    /// What the wallet holds.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn balance(&self) -> Result<Balance, WalletError> {
        let balance = self.ask(Node::balance).await?;
        let onchain = balance.onchain;
        Ok(Balance {
            total_msat: balance.total.to_msat(),
            spendable_msat: balance.spendable.to_msat(),
            receivable_msat: balance.receivable.to_msat(),
            in_flight_msat: balance.in_flight.to_msat(),
            closing_sat: balance.closing.to_sat(),
            onchain_sat: onchain.spendable.to_sat(),
            onchain_pending_sat: onchain.incoming.to_sat().saturating_add(onchain.immature.to_sat()),
            reserved_sat: balance.reserved.to_sat(),
        })
    }
}
