//! Preimages in the witnesses of transactions (BOLT 5: MUST extract the payment preimage).
//!
//! Where one stands depends on which commitment was published, on who claims, and on how many HTLCs are claimed at a time
//! and in which order. Its hash alone tells a preimage: every item of every witness is looked at.

use crate::types::{PaymentHash, PaymentPreimage};
use bitcoin::Transaction;

/// The preimages in a transaction of those hashes that are asked for.
pub fn preimages(tx: &Transaction, is_wanted: impl Fn(&PaymentHash) -> bool) -> Vec<PaymentPreimage> {
    let items = tx.input.iter().flat_map(|input| input.witness.iter());
    let candidates = items.filter_map(|item| <[u8; 32]>::try_from(item).ok()).map(PaymentPreimage);
    candidates.filter(|preimage| is_wanted(&preimage.payment_hash())).collect()
}
