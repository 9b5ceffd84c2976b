//! Paying on-chain.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::channels::{parse_sat, unexpected};
use super::parse::parse_address;
use super::send::{idempotency_key, payment_id};
use super::{Payment, Wallet, WalletError};
use kite_api::api;
use kite_core::coins::Fee;
use kite_core::node::{Answer, Command};

/// An on-chain payment to be made.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnchainRequest {
    /// To where: an address of the wallet's network.
    pub address: String,
    /// What arrives, in satoshi; unset: everything that is not kept for closing channels, less the fee.
    pub amount_sat: Option<u64>,
    /// What the transaction pays, in satoshi per virtual byte (1 to 1000); unset: what is normal these days.
    pub feerate_sat_per_vb: Option<u32>,
    /// A name that the app gives this payment, at most 256 bytes. The same one never pays twice, whichever way it goes.
    /// Unset: this call is a payment of its own.
    pub idempotency_key: Option<String>,
}

#[api]
impl Wallet {
    /// Pays on-chain. The transaction is stored, and published again after every block until it is in one.
    ///
    /// # Errors
    /// `InvalidInput`, `WrongNetwork`, `InsufficientFunds`, `AmountOutOfRange`; `AlreadyPaid` and `InFlight` for a name that
    /// pays over Lightning, or has; and what every call can fail with.
    pub async fn send_onchain(&self, request: OnchainRequest) -> Result<Payment, WalletError> {
        let feerate = self.feerate(request.feerate_sat_per_vb).await?;
        let key = request.idempotency_key.as_deref();
        self.pay_onchain(&request.address, request.amount_sat, Fee::Rate(feerate), key).await
    }
}

impl Wallet {
    /// What [`Wallet::send_onchain`] does, for this fee.
    pub(super) async fn pay_onchain(
        &self,
        address: &str,
        amount_sat: Option<u64>,
        fee: Fee,
        idempotency: Option<&str>,
    ) -> Result<Payment, WalletError> {
        let address = parse_address(address, self.network)?;
        let amount = amount_sat.map(|sat| parse_sat("amount_sat", sat)).transpose()?;
        let key = idempotency_key(idempotency, self.platform.entropy.as_ref())?;
        let id = payment_id(&key);
        let command = Command::SendOnchain { id, script_pubkey: address.script_pubkey(), amount, fee };
        match self.command(command).await {
            Ok(Answer::Sent(txid)) => self.get_payment(txid.to_string()).await,
            Ok(other) => Err(unexpected(&other)),
            // The name was given to a payment over Lightning.
            Err(error) => Err(error.of_payment(&id.to_string())),
        }
    }
}
