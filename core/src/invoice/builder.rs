//! Writing and signing an invoice (BOLT 11, writer).

use super::description::MAX_DESCRIPTION_BYTES;
use super::{
    DEFAULT_EXPIRY_SECS, DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA, Description, Invoice, InvoiceBuildError,
    RouteHint,
};
use crate::crypto::ec;
use crate::types::{CltvExpiryDelta, MilliSatoshi, PaymentHash, PaymentSecret, UnixTime};
use bitcoin::Network;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::SecretKey;
use lightning_invoice::{Currency, MAX_LENGTH, MAX_TIMESTAMP};
use std::convert::Infallible;
use std::time::Duration;

/// The final delta of an invoice of this wallet: enough for payers that themselves ask for 42 (LDK) or more.
pub const DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA: CltvExpiryDelta = CltvExpiryDelta(42);

/// As many hops as an `r` field holds (639 bytes of 51 each).
const MAX_HOPS: usize = 12;

/// An invoice to be written. It requires `var_onion_optin` and `payment_secret` and offers `basic_mpp`.
#[derive(Debug, Clone)]
pub struct InvoiceBuilder {
    network: Network,
    payment_hash: PaymentHash,
    payment_secret: PaymentSecret,
    description: Description,
    amount: Option<MilliSatoshi>,
    expiry_secs: u64,
    min_final_cltv_expiry_delta: CltvExpiryDelta,
    route_hints: Vec<RouteHint>,
}

impl InvoiceBuilder {
    /// An invoice over any amount, that expires after an hour.
    pub fn new(
        network: Network,
        payment_hash: PaymentHash,
        payment_secret: PaymentSecret,
        description: Description,
    ) -> Self {
        Self {
            network,
            payment_hash,
            payment_secret,
            description,
            amount: None,
            expiry_secs: DEFAULT_EXPIRY_SECS,
            min_final_cltv_expiry_delta: DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA,
            route_hints: Vec::new(),
        }
    }

    /// Asks for this amount.
    #[must_use]
    pub fn amount(mut self, amount: MilliSatoshi) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Can be paid for so many seconds.
    #[must_use]
    pub fn expiry_secs(mut self, expiry_secs: u64) -> Self {
        self.expiry_secs = expiry_secs;
        self
    }

    /// Asks for so many blocks when the last HTLC arrives.
    #[must_use]
    pub fn min_final_cltv_expiry_delta(mut self, delta: CltvExpiryDelta) -> Self {
        self.min_final_cltv_expiry_delta = delta;
        self
    }

    /// Adds a way to this node; the preferred first.
    #[must_use]
    pub fn route_hint(mut self, hint: RouteHint) -> Self {
        self.route_hints.push(hint);
        self
    }

    /// Signs with the secret of the node, and reads the result back as a payer would.
    ///
    /// # Errors
    /// What cannot be written in an invoice.
    pub fn sign(self, node_secret: &SecretKey, now: UnixTime) -> Result<Invoice, InvoiceBuildError> {
        self.check(now)?;
        let builder = lightning_invoice::InvoiceBuilder::new(currency(self.network));
        let builder = match self.description {
            Description::Text(text) => builder.description(text),
            Description::Hash(hash) => builder.description_hash(sha256::Hash::from_byte_array(hash)),
        };
        let mut builder = builder
            .payment_hash(sha256::Hash::from_byte_array(self.payment_hash.0))
            .payment_secret(lightning_invoice::PaymentSecret(self.payment_secret.0))
            .duration_since_epoch(Duration::from_secs(now.0))
            .min_final_cltv_expiry_delta(u64::from(self.min_final_cltv_expiry_delta.0))
            .basic_mpp();
        if let Some(amount) = self.amount {
            builder = builder.amount_milli_satoshis(amount.to_msat());
        }
        if self.expiry_secs != DEFAULT_EXPIRY_SECS {
            builder = builder.expiry_time(Duration::from_secs(self.expiry_secs));
        }
        for hint in &self.route_hints {
            builder = builder.private_route(hint.into());
        }
        // `check` has refused what `build_raw` would: what it still refuses does not fit.
        let raw = builder.build_raw().map_err(|_| InvoiceBuildError::TooLong)?;
        let signed =
            raw.sign(|digest| Ok::<_, Infallible>(ec::sign_ecdsa_recoverable(digest.as_ref(), node_secret)));
        let Ok(signed) = signed;
        let text = signed.to_string();
        if text.len() > MAX_LENGTH {
            return Err(InvoiceBuildError::TooLong);
        }
        Invoice::decode(&text).map_err(InvoiceBuildError::NotReadable)
    }

    fn check(&self, now: UnixTime) -> Result<(), InvoiceBuildError> {
        if let Description::Text(text) = &self.description
            && text.len() > MAX_DESCRIPTION_BYTES
        {
            let (bytes, maximum) = (text.len(), MAX_DESCRIPTION_BYTES);
            return Err(InvoiceBuildError::DescriptionTooLong { bytes, maximum });
        }
        if let Some(amount) = self.amount
            && (amount == MilliSatoshi::ZERO || MilliSatoshi::try_from_msat(amount.to_msat()).is_err())
        {
            return Err(InvoiceBuildError::InvalidAmount { msat: amount.to_msat() });
        }
        if now.0 > MAX_TIMESTAMP {
            return Err(InvoiceBuildError::TimestampOverflow { secs: now.0 });
        }
        if self.min_final_cltv_expiry_delta.0 < DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA.0 {
            return Err(InvoiceBuildError::MinFinalCltvExpiryDeltaTooLow {
                blocks: self.min_final_cltv_expiry_delta.0,
                minimum: DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA.0,
            });
        }
        match self.route_hints.iter().find(|hint| !(1..=MAX_HOPS).contains(&hint.hops.len())) {
            Some(hint) => Err(InvoiceBuildError::InvalidRouteHint { hops: hint.hops.len() }),
            None => Ok(()),
        }
    }
}

fn currency(network: Network) -> Currency {
    match network {
        Network::Bitcoin => Currency::Bitcoin,
        Network::Testnet | Network::Testnet4 => Currency::BitcoinTestnet,
        Network::Signet => Currency::Signet,
        Network::Regtest => Currency::Regtest,
    }
}
