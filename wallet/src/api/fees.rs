//! What transactions pay these days.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::{Wallet, WalletError};
use kite_api::api;
use kite_core::chain::Urgency;
use kite_core::node::Node;
use kite_core::types::FeeratePerKw;

/// What on-chain transactions pay these days, in satoshi per virtual byte, rounded up.
#[api(record)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeRates {
    /// To be in a block within a day.
    pub background_sat_per_vb: u32,
    /// To be in a block within an hour or two.
    pub normal_sat_per_vb: u32,
    /// To be in one of the next blocks.
    pub urgent_sat_per_vb: u32,
}

#[api]
impl Wallet {
    /// What on-chain transactions pay these days, as the chain server estimates it; the least that is relayed as long as it
    /// has not said anything.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn fees(&self) -> Result<FeeRates, WalletError> {
        let rates = self.ask(Node::fee_rates).await?;
        let per_vb = |urgency| rates.at(urgency).to_sat_per_kw().div_ceil(250);
        Ok(FeeRates {
            background_sat_per_vb: per_vb(Urgency::Background),
            normal_sat_per_vb: per_vb(Urgency::Normal),
            urgent_sat_per_vb: per_vb(Urgency::Urgent),
        })
    }
}

impl Wallet {
    /// The owner's choice, or what is normal these days.
    pub(super) async fn feerate(&self, sat_per_vb: Option<u32>) -> Result<FeeratePerKw, WalletError> {
        match sat_per_vb {
            Some(1..=1_000) => Ok(FeeratePerKw::from_sat_per_vb(sat_per_vb.unwrap_or(1))),
            Some(_) => Err(WalletError::invalid("feerate_sat_per_vb", "must be between 1 and 1000")),
            None => Ok(self.ask(|node| node.fee_rates().at(Urgency::Normal)).await?),
        }
    }
}
