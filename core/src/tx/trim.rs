//! Which HTLCs are too small for an output of their own (BOLT 3, Trimmed Outputs).

use super::fees::htlc_tx_fee;
use super::{CommitmentFormat, CommitmentSpec, Direction, Htlc};
use crate::types::{FeeratePerKw, MilliSatoshi};
use bitcoin::Amount;

/// The least whole amount an HTLC must have to get an output on the commitment of a party with this dust limit.
pub fn trim_threshold(
    direction: Direction,
    feerate_per_kw: FeeratePerKw,
    dust_limit: Amount,
    format: CommitmentFormat,
) -> Amount {
    let fee = htlc_tx_fee(feerate_per_kw, direction, format);
    Amount::from_sat(dust_limit.to_sat().saturating_add(fee.to_sat()))
}

/// Whether an HTLC gets no output and adds to the fee instead. The dust limit is the broadcaster's.
pub fn is_trimmed(
    direction: Direction,
    amount: MilliSatoshi,
    feerate_per_kw: FeeratePerKw,
    dust_limit: Amount,
    format: CommitmentFormat,
) -> bool {
    amount.to_amount_floor() < trim_threshold(direction, feerate_per_kw, dust_limit, format)
}

/// The HTLCs that get an output.
pub fn untrimmed(
    spec: &CommitmentSpec,
    dust_limit: Amount,
    format: CommitmentFormat,
) -> impl Iterator<Item = &(Direction, Htlc)> {
    spec.htlcs.iter().filter(move |(direction, htlc)| {
        !is_trimmed(*direction, htlc.amount_msat, spec.feerate_per_kw, dust_limit, format)
    })
}

/// How many HTLCs get an output.
pub fn untrimmed_count(spec: &CommitmentSpec, dust_limit: Amount, format: CommitmentFormat) -> usize {
    untrimmed(spec, dust_limit, format).count()
}

/// What the trimmed HTLCs hold together: lost to fees if this commitment is mined (BOLT 2, Bounding exposure to trimmed
/// in-flight HTLCs). Saturates.
pub fn dust_exposure(spec: &CommitmentSpec, dust_limit: Amount, format: CommitmentFormat) -> MilliSatoshi {
    spec.htlcs
        .iter()
        .filter(|(direction, htlc)| {
            is_trimmed(*direction, htlc.amount_msat, spec.feerate_per_kw, dust_limit, format)
        })
        .fold(MilliSatoshi::ZERO, |sum, (_, htlc)| sum.saturating_add(htlc.amount_msat))
}
