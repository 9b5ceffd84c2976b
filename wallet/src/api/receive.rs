//! Being paid.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::channels::unexpected;
use super::{Wallet, WalletError};
use bitcoin::secp256k1::PublicKey;
use kite_api::api;
use kite_core::node::{Answer, Command};
use kite_core::types::MilliSatoshi;

/// An invoice to be made.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRequest {
    /// What is to be paid, in millisatoshi, at least 1; unset: the payer chooses.
    pub amount_msat: Option<u64>,
    /// What it is for. The payer sees it; at most 639 bytes.
    pub description: String,
    /// How long it can be paid, in seconds (1 to 31 536 000); unset: one hour.
    pub expiry_secs: Option<u32>,
}

/// An invoice that can be shown.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// The payment that waits for it, for [`Wallet::get_payment`].
    pub payment_id: String,
    /// The invoice (BOLT 11).
    pub invoice: String,
    /// The same in upper case, for a small QR code.
    pub qr_text: String,
    /// The hash that is paid to.
    pub payment_hash: String,
    /// What is to be paid, in millisatoshi; unset: the payer chooses.
    pub amount_msat: Option<u64>,
    /// Until when it can be paid, in seconds since 1970.
    pub expires_at_secs: u64,
}

const DEFAULT_EXPIRY_SECS: u32 = 3_600;
const MAX_EXPIRY_SECS: u32 = 365 * 24 * 3_600;

#[api]
impl Wallet {
    /// Makes an invoice. It is stored before it is given out, so that no payment for it can get lost.
    ///
    /// # Errors
    /// `InvalidInput`, `Refused`, and what every call can fail with.
    pub async fn make_invoice(&self, request: InvoiceRequest) -> Result<Invoice, WalletError> {
        let amount = request.amount_msat.map(|msat| parse_msat("amount_msat", msat)).transpose()?;
        let expiry_secs = request.expiry_secs.unwrap_or(DEFAULT_EXPIRY_SECS);
        if !(1..=MAX_EXPIRY_SECS).contains(&expiry_secs) {
            return Err(WalletError::invalid("expiry_secs", "must be between 1 second and one year"));
        }
        let command = Command::MakeInvoice { amount, description: request.description, expiry_secs };
        match self.command(command).await? {
            Answer::Invoice { id, payment_hash, invoice } => {
                let expires_at = kite_core::invoice::Invoice::decode(&invoice)?.expires_at();
                Ok(Invoice {
                    payment_id: id.to_string(),
                    qr_text: invoice.to_ascii_uppercase(),
                    invoice,
                    payment_hash: payment_hash.to_string(),
                    amount_msat: request.amount_msat,
                    expires_at_secs: expires_at.0,
                })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// An on-chain address that was never given out before.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn new_address(&self) -> Result<String, WalletError> {
        match self.command(Command::NewAddress).await? {
            Answer::Address(address) => Ok(address.to_string()),
            other => Err(unexpected(&other)),
        }
    }
}

impl Wallet {
    /// The wallet's own node id.
    pub(super) const fn own_node_id(&self) -> PublicKey {
        self.node_id
    }
}

/// An amount of at least one millisatoshi and at most all there can be.
pub(super) fn parse_msat(field: &str, msat: u64) -> Result<MilliSatoshi, WalletError> {
    match MilliSatoshi::try_from_msat(msat) {
        Ok(amount) if msat > 0 => Ok(amount),
        Ok(_) => Err(WalletError::invalid(field, "must be at least 1")),
        Err(error) => Err(WalletError::invalid(field, error)),
    }
}
