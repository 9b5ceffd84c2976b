//! From the fields of the text to an [`Invoice`] (BOLT 11, Tagged Fields, reader).

use super::raw::{RawField, RawInvoice};
use super::signature::payee;
use super::{
    DEFAULT_EXPIRY_SECS, DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA, Description, Invoice, InvoiceError,
    MAX_ROUTE_HINTS, RouteHint,
};
use crate::types::{CltvExpiryDelta, Features, PaymentHash, PaymentSecret};
use bech32::Fe32;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, WitnessProgram};
use lightning_invoice::{Fallback, RawBolt11Invoice, RawTaggedField, TaggedField};

pub(super) fn decode(text: &str) -> Result<Invoice, InvoiceError> {
    let raw = RawInvoice::parse(text)?;
    let mut fields = Fields::default();
    for field in &raw.fields {
        fields.add(field)?;
    }
    let payment_hash = fields.payment_hash.ok_or(InvoiceError::MissingPaymentHash)?;
    let payment_secret = fields.payment_secret.ok_or(InvoiceError::MissingPaymentSecret)?;
    let description = match (fields.description, fields.description_hash) {
        (Some(text), None) => Description::Text(text),
        (None, Some(hash)) => Description::Hash(hash),
        (None, None) => return Err(InvoiceError::MissingDescription),
        (Some(_), Some(_)) => return Err(InvoiceError::DescriptionAndHash),
    };
    let payee = payee(&raw.digest, &raw.signature, fields.payee)?;
    Ok(Invoice {
        network: raw.network,
        amount: raw.amount,
        timestamp: raw.timestamp,
        payment_hash,
        payment_secret,
        description,
        payee,
        expiry_secs: fields.expiry_secs.unwrap_or(DEFAULT_EXPIRY_SECS),
        min_final_cltv_expiry_delta: fields
            .min_final_cltv_expiry_delta
            .unwrap_or(DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA),
        route_hints: fields.route_hints,
        fallbacks: fields.fallbacks,
        features: fields.features.unwrap_or_default(),
        metadata: fields.metadata,
        text: raw.text,
    })
}

/// What the fields say so far. Of a field that may stand once the first counts: writers put the preferred first.
#[derive(Default)]
struct Fields {
    payment_hash: Option<PaymentHash>,
    payment_secret: Option<PaymentSecret>,
    description: Option<String>,
    description_hash: Option<[u8; 32]>,
    payee: Option<PublicKey>,
    expiry_secs: Option<u64>,
    min_final_cltv_expiry_delta: Option<CltvExpiryDelta>,
    features: Option<Features>,
    metadata: Option<Vec<u8>>,
    route_hints: Vec<RouteHint>,
    fallbacks: Vec<ScriptBuf>,
}

impl Fields {
    fn add(&mut self, field: &RawField) -> Result<(), InvoiceError> {
        let invalid = InvoiceError::InvalidField { field: field.tag() };
        match value(field) {
            Ok(Some(value)) => self.add_value(value).ok_or(invalid),
            // A hint or a fallback is an offer: one that makes no sense is not taken. All else must be right.
            Err(()) if matches!(field.tag(), 'r' | 'f') => Ok(()),
            Err(()) => Err(invalid),
            Ok(None) => Ok(()),
        }
    }

    /// Unset where the value is out of range.
    fn add_value(&mut self, value: TaggedField) -> Option<()> {
        match value {
            TaggedField::PaymentHash(hash) => {
                self.payment_hash.get_or_insert(PaymentHash(hash.0.to_byte_array()));
            }
            TaggedField::PaymentSecret(secret) => {
                self.payment_secret.get_or_insert(PaymentSecret(secret.0));
            }
            TaggedField::Description(text) => {
                self.description.get_or_insert(text.into_inner().0);
            }
            TaggedField::DescriptionHash(hash) => {
                self.description_hash.get_or_insert(hash.0.to_byte_array());
            }
            TaggedField::PayeePubKey(key) => {
                self.payee.get_or_insert(key.0);
            }
            TaggedField::ExpiryTime(expiry) => {
                self.expiry_secs.get_or_insert(expiry.as_seconds());
            }
            TaggedField::MinFinalCltvExpiryDelta(delta) => {
                let delta = CltvExpiryDelta(u16::try_from(delta.0).ok()?);
                self.min_final_cltv_expiry_delta.get_or_insert(delta);
            }
            TaggedField::Features(features) => {
                let big_endian: Vec<u8> = features.le_flags().iter().rev().copied().collect();
                self.features.get_or_insert(Features::from_be_bytes(&big_endian));
            }
            TaggedField::PaymentMetadata(metadata) => {
                self.metadata.get_or_insert(metadata);
            }
            TaggedField::PrivateRoute(hint) => {
                let hint = RouteHint::from(&hint.into_inner());
                if hint.is_usable() && self.route_hints.len() < MAX_ROUTE_HINTS {
                    self.route_hints.push(hint);
                }
            }
            TaggedField::Fallback(fallback) => self.fallbacks.extend(script(&fallback)),
        }
        Some(())
    }
}

/// The value of one field, as `lightning-invoice` reads it, or unset where readers skip the field.
///
/// The crate reads whole invoices only, and then one bad field hides all others: it gets a timestamp and this field.
fn value(field: &RawField) -> Result<Option<TaggedField>, ()> {
    let mut data = vec![Fe32::Q; 7];
    data.extend_from_slice(&field.0);
    let raw = RawBolt11Invoice::from_raw("lnbc", &data).map_err(drop)?;
    Ok(raw.data.tagged_fields.into_iter().find_map(|field| match field {
        RawTaggedField::KnownSemantics(value) => Some(value),
        RawTaggedField::UnknownSemantics(_) => None,
    }))
}

fn script(fallback: &Fallback) -> Option<ScriptBuf> {
    Some(match fallback {
        Fallback::SegWitProgram { version, program } => {
            ScriptBuf::new_witness_program(&WitnessProgram::new(*version, program).ok()?)
        }
        Fallback::PubKeyHash(hash) => ScriptBuf::new_p2pkh(hash),
        Fallback::ScriptHash(hash) => ScriptBuf::new_p2sh(hash),
    })
}
