//! The signature of an invoice (BOLT 11, Data Part and the `n` field).

use super::InvoiceError;
use crate::crypto::ec;
use bitcoin::secp256k1::PublicKey;
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};

/// The payee: the key that the invoice names, which must have made the signature, or else the one that did.
pub(super) fn payee(
    digest: &[u8; 32],
    signature: &[u8; 65],
    named: Option<PublicKey>,
) -> Result<PublicKey, InvoiceError> {
    let [compact @ .., recovery_id] = signature;
    let id = RecoveryId::from_i32(i32::from(*recovery_id))
        .map_err(|_| InvoiceError::InvalidRecoveryId { recovery_id: *recovery_id })?;
    let Some(named) = named else {
        // BOLT 11 accepts high-S signatures here.
        let recoverable =
            RecoverableSignature::from_compact(compact, id).map_err(|_| InvoiceError::InvalidSignature)?;
        return ec::recover_ecdsa(digest, &recoverable).map_err(|_| InvoiceError::InvalidSignature);
    };
    let plain = Signature::from_compact(compact).map_err(|_| InvoiceError::InvalidSignature)?;
    let mut low_s = plain;
    low_s.normalize_s();
    if plain != low_s {
        return Err(InvoiceError::HighSSignature);
    }
    ec::verify_ecdsa(digest, &plain, &named).map_err(|_| InvoiceError::InvalidSignature)?;
    Ok(named)
}
