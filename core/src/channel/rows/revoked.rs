//! What the penalty for a revoked commitment needs and nothing else tells: its HTLCs (BOLT 5, Revoked Transaction Close
//! Handling). The per-commitment secret comes from the stored chain, the amounts from the published transaction.

use super::fields::{FieldError, new_row, open_bytes, read_number, write_number};
use super::{RowError, RowName};
use crate::channel::commitments::Commitments;
use crate::channel::params::Party;
use crate::types::{CltvExpiry, CommitmentNumber, PaymentHash};

/// An HTLC that had an output on a revoked commitment of the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedHtlc {
    /// Who offered it.
    pub offered_by: Party,
    /// What its preimage hashes to.
    pub payment_hash: PaymentHash,
    /// When it timed out.
    pub cltv_expiry: CltvExpiry,
}

/// The row of the peer's present commitment, which is being revoked; unset where it has no HTLC outputs.
pub(in crate::channel) fn revoked_row(commitments: &Commitments) -> Option<Vec<u8>> {
    let dust_limit = commitments.params.remote.dust_limit;
    let mut row = new_row();
    let empty = row.len();
    for key in commitments.remote.spec.htlcs.iter() {
        let htlc = commitments.htlcs.get(key)?;
        if htlc.amount.to_amount_floor() < dust_limit {
            continue;
        }
        let offered_by = u64::from(key.offered_by == Party::Remote);
        write_number(&mut row, u64::from(htlc.cltv_expiry.height()) << 1 | offered_by);
        row.write(&htlc.payment_hash);
    }
    (row.len() > empty).then(|| row.into_bytes())
}

/// The HTLCs in the row of that revoked commitment.
///
/// # Errors
/// The row is damaged.
pub fn read_revoked_row(number: CommitmentNumber, bytes: &[u8]) -> Result<Vec<RevokedHtlc>, RowError> {
    open_bytes(bytes, RowName::Revoked(number), |row| {
        let mut htlcs = Vec::new();
        while !row.is_empty() {
            let number = read_number(row)?;
            htlcs.push(RevokedHtlc {
                offered_by: if number & 1 == 1 { Party::Remote } else { Party::Local },
                payment_hash: row.read()?,
                cltv_expiry: u32::try_from(number >> 1)
                    .ok()
                    .and_then(CltvExpiry::new)
                    .ok_or(FieldError::Value("an expiry that is no height"))?,
            });
        }
        Ok(htlcs)
    })
}
