//! Fees of commitment and HTLC transactions (BOLT 3, Fees), and what an opener must be able to pay.

use super::weight::{ANCHOR_AMOUNT_SAT, commitment_weight, htlc_tx_weight};
use super::{CommitmentFormat, Direction};
use crate::types::{FeeratePerKw, MilliSatoshi};
use bitcoin::Amount;

/// The base fee of a commitment transaction with so many untrimmed HTLCs.
pub const fn commit_tx_fee(
    feerate_per_kw: FeeratePerKw,
    untrimmed_htlcs: usize,
    format: CommitmentFormat,
) -> Amount {
    feerate_per_kw.fee(commitment_weight(format, untrimmed_htlcs as u64))
}

/// What the opener pays for the anchors, also where one of them is left out.
pub fn anchors_cost(format: CommitmentFormat) -> Amount {
    match format {
        CommitmentFormat::StaticRemotekey => Amount::ZERO,
        CommitmentFormat::AnchorsZeroFeeHtlcTx => Amount::from_sat(2 * ANCHOR_AMOUNT_SAT),
    }
}

/// All that the opener's balance must cover: base fee and anchors.
pub fn opener_cost(
    feerate_per_kw: FeeratePerKw,
    untrimmed_htlcs: usize,
    format: CommitmentFormat,
) -> MilliSatoshi {
    let fee = commit_tx_fee(feerate_per_kw, untrimmed_htlcs, format).to_sat();
    let sat = fee.saturating_add(anchors_cost(format).to_sat());
    MilliSatoshi::from_msat(sat.saturating_mul(1000))
}

/// The fee of an HTLC-timeout (offered) or HTLC-success (received) transaction; nothing with anchors.
pub const fn htlc_tx_fee(
    feerate_per_kw: FeeratePerKw,
    direction: Direction,
    format: CommitmentFormat,
) -> Amount {
    match format {
        CommitmentFormat::StaticRemotekey => feerate_per_kw.fee(htlc_tx_weight(format, direction)),
        CommitmentFormat::AnchorsZeroFeeHtlcTx => Amount::ZERO,
    }
}
