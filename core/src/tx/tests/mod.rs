mod channel;
mod closing;
mod fees;
mod properties;
mod rules;
mod spends;
mod vectors;

use bitcoin::consensus::serialize;
use bitcoin::{Amount, Script, Transaction};

/// Asks Bitcoin Core's own code whether an input spends its output.
fn spend_is_valid(tx: &Transaction, input_index: usize, script_pubkey: &Script, amount: Amount) -> bool {
    let flags = bitcoinconsensus::VERIFY_ALL_PRE_TAPROOT;
    let (spent, tx) = (script_pubkey.as_bytes(), serialize(tx));
    bitcoinconsensus::verify_with_flags(spent, amount.to_sat(), &tx, None, input_index, flags).is_ok()
}
