use crate::crypto::DeriveError;
use crate::types::{CommitmentNumber, MilliSatoshi};
use bitcoin::{Amount, ScriptBuf};

/// Why a commitment transaction cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// The opener's balance does not cover base fee and anchors.
    #[error("the opener has {balance} and must pay a fee of {fee} and {anchors} for anchors")]
    OpenerCannotPay {
        /// The opener's balance on this commitment.
        balance: MilliSatoshi,
        /// The base fee.
        fee: Amount,
        /// The cost of the anchors.
        anchors: Amount,
    },
    /// Balances and HTLCs are not together what the channel holds.
    #[error("balances and HTLCs sum to {total:?}, the funding output holds {funding}")]
    Unbalanced {
        /// The sum, unset where it overflows.
        total: Option<MilliSatoshi>,
        /// The funding amount.
        funding: Amount,
    },
    /// More HTLCs than two parties can offer each other.
    #[error("{count} HTLCs are more than BOLT 2 allows")]
    TooManyHtlcs {
        /// How many there are.
        count: usize,
    },
    /// The number does not fit the 48 bits that carry it.
    #[error("commitment number {} does not fit into 48 bits", .number.0)]
    NumberOutOfRange {
        /// The number.
        number: CommitmentNumber,
    },
    /// Every output would be below the dust limit.
    #[error("every output is below the dust limit of {dust_limit}")]
    NoOutputs {
        /// The broadcaster's dust limit.
        dust_limit: Amount,
    },
    /// The HTLC keys cannot be derived from this per-commitment point.
    #[error(transparent)]
    Keys(#[from] DeriveError),
    /// The digest to sign cannot be computed.
    #[error(transparent)]
    Sighash(#[from] SighashError),
}

/// Why a closing transaction cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClosingError {
    /// The opener's balance does not cover the fee.
    #[error("the opener has {balance} and must pay a fee of {fee}")]
    OpenerCannotPay {
        /// The opener's balance.
        balance: MilliSatoshi,
        /// The proposed fee.
        fee: Amount,
    },
    /// The balances are not together what the channel holds.
    #[error("the balances sum to {total:?}, the funding output holds {funding}")]
    Unbalanced {
        /// The sum, unset where it overflows.
        total: Option<MilliSatoshi>,
        /// The funding amount.
        funding: Amount,
    },
    /// Neither output is left.
    #[error("no output is left above the dust limit of {dust_limit}")]
    NoOutputs {
        /// The dust limit that was applied.
        dust_limit: Amount,
    },
    /// An output that Bitcoin nodes do not relay (BOLT 3, Dust Limits).
    #[error("an output of {amount} to {script} is below its script's dust limit of {limit}")]
    Dust {
        /// The amount of the output.
        amount: Amount,
        /// Where it pays to.
        script: ScriptBuf,
        /// The least amount of an output with this script.
        limit: Amount,
    },
    /// The digest to sign cannot be computed.
    #[error(transparent)]
    Sighash(#[from] SighashError),
}

/// A digest was asked of an input that the transaction does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the transaction has no input {input_index} to sign")]
pub struct SighashError {
    /// The input that was asked for.
    pub input_index: usize,
}
