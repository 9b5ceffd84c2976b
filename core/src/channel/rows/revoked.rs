//! What the penalty for a revoked commitment needs and nothing else tells: its HTLCs (BOLT 5, Revoked Transaction Close
//! Handling). The per-commitment secret comes from the stored chain, the amounts from the published transaction.

use super::fields::{FieldError, new_row, open_bytes, read_flag, read_u32, write_flag, write_number};
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
    for key in &commitments.remote.spec.htlcs {
        let htlc = commitments.htlcs.get(key)?;
        if htlc.amount.to_amount_floor() < dust_limit {
            continue;
        }
        write_flag(&mut row, key.offered_by == Party::Remote);
        row.write(&htlc.payment_hash);
        write_number(&mut row, u64::from(htlc.cltv_expiry.height()));
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
            htlcs.push(RevokedHtlc {
                offered_by: if read_flag(row)? { Party::Remote } else { Party::Local },
                payment_hash: row.read()?,
                cltv_expiry: CltvExpiry::new(read_u32(row)?)
                    .ok_or(FieldError::Value("an expiry that is no height"))?,
            });
        }
        Ok(htlcs)
    })
}
