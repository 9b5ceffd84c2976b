//! Script verification by Bitcoin Core's own code.

use bitcoin::consensus::serialize;
use bitcoin::{Transaction, TxOut};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT, verify_with_flags};

/// Checks every input of `transaction` against the outputs it spends (one per input, in order).
///
/// # Errors
/// The index of the first input whose script fails.
pub fn verify_scripts(transaction: &Transaction, spent: &[TxOut]) -> Result<(), usize> {
    if spent.len() != transaction.input.len() {
        return Err(spent.len().min(transaction.input.len()));
    }
    let bytes = serialize(transaction);
    let utxos = spent.iter().enumerate().map(|(index, output)| utxo(output).ok_or(index));
    let utxos = utxos.collect::<Result<Vec<_>, _>>()?;
    for (index, output) in spent.iter().enumerate() {
        verify_with_flags(
            output.script_pubkey.as_bytes(),
            output.value.to_sat(),
            &bytes,
            Some(&utxos),
            index,
            VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT,
        )
        .map_err(|_| index)?;
    }
    Ok(())
}

fn utxo(output: &TxOut) -> Option<Utxo> {
    Some(Utxo {
        script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
        script_pubkey_len: u32::try_from(output.script_pubkey.len()).ok()?,
        value: i64::try_from(output.value.to_sat()).ok()?,
    })
}
