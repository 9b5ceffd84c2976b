//! Expected weights (BOLT 3, Fee Calculation and Appendix A): signatures count 73 bytes.

use super::{CommitmentFormat, Direction};
use bitcoin::{Amount, Script};

/// What every HTLC output adds to a commitment transaction.
pub const HTLC_OUTPUT_WEIGHT: u64 = 172;

/// The most HTLCs one party may offer (BOLT 2, `max_accepted_htlcs`); a commitment carries at most twice as many.
pub const MAX_ACCEPTED_HTLCS: u16 = 483;

/// The amount of an anchor output (BOLT 3, `to_local_anchor` and `to_remote_anchor` Output).
pub const ANCHOR_AMOUNT: Amount = Amount::from_sat(ANCHOR_AMOUNT_SAT);

/// The same in satoshi.
pub const ANCHOR_AMOUNT_SAT: u64 = 330;

/// The witness of the input that spends a funding output: header, count, empty item, two signatures, witness script.
pub const FUNDING_WITNESS_WEIGHT: u64 = 2 + 1 + 1 + 2 * (1 + 73) + 1 + 71;

/// Version, lock time, both counts, and one input with an empty script.
const ONE_INPUT_BASE_WEIGHT: u64 = 4 * (4 + 4 + 1 + 1 + 41);

/// The weight of a commitment transaction without HTLC outputs.
pub const fn commitment_base_weight(format: CommitmentFormat) -> u64 {
    match format {
        CommitmentFormat::StaticRemotekey => 724,
        CommitmentFormat::AnchorsZeroFeeHtlcTx => 1124,
    }
}

/// The weight of a commitment transaction with so many HTLC outputs.
pub const fn commitment_weight(format: CommitmentFormat, untrimmed_htlcs: u64) -> u64 {
    commitment_base_weight(format).saturating_add(HTLC_OUTPUT_WEIGHT.saturating_mul(untrimmed_htlcs))
}

/// The weight of the HTLC-timeout (offered) or HTLC-success (received) transaction.
pub const fn htlc_tx_weight(format: CommitmentFormat, direction: Direction) -> u64 {
    match (format, direction) {
        (CommitmentFormat::StaticRemotekey, Direction::Offered) => 663,
        (CommitmentFormat::StaticRemotekey, Direction::Received) => 703,
        (CommitmentFormat::AnchorsZeroFeeHtlcTx, Direction::Offered) => 666,
        (CommitmentFormat::AnchorsZeroFeeHtlcTx, Direction::Received) => 706,
    }
}

/// The weight of one output with this script.
pub fn output_weight(script: &Script) -> u64 {
    let length = script.len() as u64;
    4 * (8 + bitcoin::VarInt(length).size() as u64 + length)
}

/// The weight of a closing transaction that pays to these scripts, signed.
pub fn closing_weight<'a>(outputs: impl IntoIterator<Item = &'a Script>) -> u64 {
    let outputs: u64 = outputs.into_iter().map(output_weight).sum();
    ONE_INPUT_BASE_WEIGHT + FUNDING_WITNESS_WEIGHT + outputs
}
