use bitcoin::TxOut;
use std::cmp::Ordering;

/// BOLT 3, Transaction Output Ordering: value, script, then the expiry of HTLCs (which tells outputs apart that look
/// the same).
pub(super) fn output_order((a, a_expiry): (&TxOut, u32), (b, b_expiry): (&TxOut, u32)) -> Ordering {
    a.value
        .cmp(&b.value)
        .then_with(|| a.script_pubkey.as_bytes().cmp(b.script_pubkey.as_bytes()))
        .then_with(|| a_expiry.cmp(&b_expiry))
}
