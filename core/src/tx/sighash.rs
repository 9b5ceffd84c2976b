//! The digests that are signed (BIP 143).

use super::SighashError;
use bitcoin::hashes::Hash;
use bitcoin::sighash::SighashCache;
use bitcoin::{Amount, EcdsaSighashType, Script, Transaction};

/// The digest of an input that spends a pay-to-witness-script-hash output.
///
/// # Errors
/// The transaction has no such input.
pub fn p2wsh_sighash(
    tx: &Transaction,
    input_index: usize,
    witness_script: &Script,
    amount: Amount,
    sighash_type: EcdsaSighashType,
) -> Result<[u8; 32], SighashError> {
    SighashCache::new(tx)
        .p2wsh_signature_hash(input_index, witness_script, amount, sighash_type)
        .map(|digest| digest.to_byte_array())
        .map_err(|_| SighashError { input_index })
}
