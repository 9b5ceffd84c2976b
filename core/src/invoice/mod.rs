//! Invoices (BOLT 11).
//!
//! [`Invoice::decode`] reads and verifies a text and says exactly what is wrong with one it refuses;
//! [`Invoice::check_payable`] is the policy of a payer (network, features, expiry). [`InvoiceBuilder`] signs a new one.
//!
//! The crate `lightning-invoice` decodes the values of tagged fields and writes invoices. What BOLT 11 asks of the text,
//! the amount, the lengths of fields and the signature is checked here on the bech32 data itself: the crate still
//! skips fields of a wrong length, encodes an invoice again before it hashes it, and cannot tell which rule was broken.

mod amount;
mod builder;
mod decode;
mod description;
mod error;
mod raw;
mod route_hint;
mod signature;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors_test;

pub use builder::{DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA, InvoiceBuilder};
pub use description::Description;
pub use error::{InvoiceBuildError, InvoiceError};
pub use route_hint::{MAX_ROUTE_HINTS, RouteHint, RouteHintHop};

use crate::types::{
    CltvExpiryDelta, Feature, Features, FeaturesError, MilliSatoshi, PaymentHash, PaymentSecret, UnixTime,
};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Network, ScriptBuf};
use std::fmt;

/// How long an invoice without an `x` field can be paid, in seconds (BOLT 11, Tagged Fields).
pub const DEFAULT_EXPIRY_SECS: u64 = 3600;

/// What the last hop of a payment needs where the invoice has no `c` field (BOLT 11, Tagged Fields).
pub const DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA: CltvExpiryDelta = CltvExpiryDelta(18);

/// The features that a payer of this wallet understands in an invoice.
const KNOWN_FEATURES: [Feature; 4] =
    [Feature::VarOnionOptin, Feature::PaymentSecret, Feature::BasicMpp, Feature::PaymentMetadata];

/// An invoice whose checksum, fields and signature have been verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoice {
    /// The network that its prefix names; `lntb` stands for every testnet.
    pub network: Network,
    /// What is to be paid, or unset where the payer chooses.
    pub amount: Option<MilliSatoshi>,
    /// When it was written.
    pub timestamp: UnixTime,
    /// The hash that the payment goes to.
    pub payment_hash: PaymentHash,
    /// What proves to the payee that the payer has this invoice.
    pub payment_secret: PaymentSecret,
    /// What it is for, as the payee wrote it.
    pub description: Description,
    /// The node that is paid: named in the invoice or recovered from the signature.
    pub payee: PublicKey,
    /// How long after [`Invoice::timestamp`] it can be paid, in seconds.
    pub expiry_secs: u64,
    /// How many blocks the last HTLC needs at least when it arrives.
    pub min_final_cltv_expiry_delta: CltvExpiryDelta,
    /// Ways to a payee without public channels, the preferred first. Unusable ones are already left out.
    pub route_hints: Vec<RouteHint>,
    /// Outputs on the chain that the payee takes as well, the preferred first.
    pub fallbacks: Vec<ScriptBuf>,
    /// The features of the invoice; [`Invoice::check_payable`] checks them.
    pub features: Features,
    /// What must go back to the payee in the onion (`payment_metadata`), if anything.
    pub metadata: Option<Vec<u8>>,
    /// The invoice as text, in lower case.
    pub text: String,
}

impl Invoice {
    /// Reads an invoice and checks that it can be paid on `network` at `now`.
    ///
    /// # Errors
    /// What [`Invoice::decode`] and [`Invoice::check_payable`] find, in this order.
    pub fn parse(text: &str, network: Network, now: UnixTime) -> Result<Self, InvoiceError> {
        let invoice = Self::decode(text)?;
        invoice.check_payable(network, now)?;
        Ok(invoice)
    }

    /// Reads an invoice: any network, any features, expired or not. The text has no `lightning:` before it.
    ///
    /// # Errors
    /// What is wrong with the text, its fields or its signature.
    pub fn decode(text: &str) -> Result<Self, InvoiceError> {
        decode::decode(text)
    }

    /// Whether a payer may try to pay it (BOLT 11, Feature Bits and Payer / Payee Requirements).
    ///
    /// # Errors
    /// [`InvoiceError::WrongNetwork`], [`InvoiceError::UnknownRequiredFeature`], [`InvoiceError::MissingFeature`] or
    /// [`InvoiceError::Expired`].
    pub fn check_payable(&self, network: Network, now: UnixTime) -> Result<(), InvoiceError> {
        if !raw::same_prefix(self.network, network) {
            return Err(InvoiceError::WrongNetwork { invoice: self.network, expected: network });
        }
        // BOLT 9 assumes var_onion_optin of every node: no other feature is wrong without it.
        let assumed = Features::from_bits([Feature::VarOnionOptin.optional()]);
        self.features.union(&assumed).check(&KNOWN_FEATURES).map_err(|error| match error {
            FeaturesError::UnknownRequired { bit } => InvoiceError::UnknownRequiredFeature { bit },
            FeaturesError::MissingDependency { feature, missing } => {
                InvoiceError::MissingFeature { feature, missing }
            }
        })?;
        if self.would_expire(now) {
            return Err(InvoiceError::Expired { at: self.expires_at() });
        }
        Ok(())
    }

    /// The last second at which it can be paid.
    pub const fn expires_at(&self) -> UnixTime {
        UnixTime(self.timestamp.0.saturating_add(self.expiry_secs))
    }

    /// Whether it can no longer be paid at `now`.
    pub const fn would_expire(&self, now: UnixTime) -> bool {
        now.0 > self.expires_at().0
    }

    /// Whether the payee takes the amount in several parts.
    pub fn allows_multi_part(&self) -> bool {
        self.features.supports(Feature::BasicMpp)
    }

    /// The text in upper case, which makes a smaller QR code (BOLT 11, Encoding Overview).
    pub fn to_qr_text(&self) -> String {
        self.text.to_ascii_uppercase()
    }
}

impl fmt::Display for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Without the text, which carries the payment secret.
impl fmt::Debug for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoice")
            .field("network", &self.network)
            .field("amount", &self.amount)
            .field("timestamp", &self.timestamp)
            .field("payment_hash", &self.payment_hash)
            .field("description", &self.description)
            .field("payee", &self.payee)
            .field("expiry_secs", &self.expiry_secs)
            .field("min_final_cltv_expiry_delta", &self.min_final_cltv_expiry_delta)
            .field("route_hints", &self.route_hints)
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}
