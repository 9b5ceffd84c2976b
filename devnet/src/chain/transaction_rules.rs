//! The consensus rules of one transaction, apart from its scripts.

use std::collections::BTreeSet;

use bitcoin::{Amount, OutPoint, Sequence, Transaction, TxOut};

use super::coins::Coin;
use super::scripts::verify_scripts;

/// Blocks that must be on top of a coinbase before its outputs are spent in the next.
pub const COINBASE_MATURITY: u32 = 100;

const LOCKTIME_THRESHOLD: u32 = 500_000_000;

/// Why a transaction can be in no block (or not yet in the next one). Texts are Bitcoin Core's reasons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// Without inputs.
    #[error("bad-txns-vin-empty")]
    NoInputs,
    /// Without outputs.
    #[error("bad-txns-vout-empty")]
    NoOutputs,
    /// More than a block can carry.
    #[error("bad-txns-oversize")]
    Oversize,
    /// An output, or their sum, over 21 million coins.
    #[error("bad-txns-vout-toolarge")]
    AmountOutOfRange,
    /// The same outpoint twice.
    #[error("bad-txns-inputs-duplicate")]
    DuplicateInput,
    /// A coinbase outside its place, or an input that names no output.
    #[error("bad-txns-prevout-null")]
    NullInput,
    /// Its lock time is not over.
    #[error("non-final")]
    NonFinal,
    /// A relative lock time (BIP 68) is not over.
    #[error("non-BIP68-final")]
    NonBip68Final,
    /// An input is unknown or spent.
    #[error("bad-txns-inputs-missingorspent")]
    MissingOrSpent(OutPoint),
    /// A coinbase output younger than 100 blocks.
    #[error("bad-txns-premature-spend-of-coinbase")]
    PrematureCoinbase(OutPoint),
    /// It pays out more than it spends.
    #[error("bad-txns-in-belowout")]
    InBelowOut {
        /// Sum of the spent outputs.
        inputs: Amount,
        /// Sum of the outputs.
        outputs: Amount,
    },
    /// The script of an input fails.
    #[error("mandatory-script-verify-flag-failed (input {0})")]
    Script(usize),
}

/// Where a transaction would be included.
#[derive(Debug)]
pub(crate) struct Inclusion<'a> {
    /// Height of the block.
    pub height: u32,
    /// Block times from the genesis to the block before.
    pub times: &'a [u32],
}

impl Inclusion<'_> {
    /// The median time that lock times of a block at `height` are compared to (BIP 113).
    fn median_time_before(&self, height: u32) -> u32 {
        let end = usize::try_from(height).map_or(self.times.len(), |h| h.min(self.times.len()));
        median_time(&self.times[..end])
    }
}

/// Median of the last eleven of `times`; 0 when there is none.
pub(crate) fn median_time(times: &[u32]) -> u32 {
    let mut last = times[times.len().saturating_sub(11)..].to_vec();
    last.sort_unstable();
    last.get(last.len() / 2).copied().unwrap_or_default()
}

/// The rules that need nothing but the transaction, for one that is no coinbase.
pub(crate) fn check_alone(transaction: &Transaction) -> Result<(), TransactionError> {
    check_shape(transaction)?;
    if transaction.input.iter().any(|input| input.previous_output.is_null()) {
        return Err(TransactionError::NullInput);
    }
    Ok(())
}

/// The part of [`check_alone`] that holds for a coinbase too.
pub(crate) fn check_shape(transaction: &Transaction) -> Result<(), TransactionError> {
    if transaction.input.is_empty() {
        return Err(TransactionError::NoInputs);
    }
    if transaction.output.is_empty() {
        return Err(TransactionError::NoOutputs);
    }
    if transaction.base_size() > 1_000_000 {
        return Err(TransactionError::Oversize);
    }
    total(&transaction.output)?;
    let mut seen = BTreeSet::new();
    if !transaction.input.iter().all(|input| seen.insert(input.previous_output)) {
        return Err(TransactionError::DuplicateInput);
    }
    Ok(())
}

/// The rules that need the spent outputs; gives the fee.
pub(crate) fn check_spends<'c>(
    transaction: &Transaction,
    coin: impl Fn(&OutPoint) -> Option<&'c Coin>,
    inclusion: &Inclusion<'_>,
) -> Result<Amount, TransactionError> {
    if !is_final(transaction, inclusion) {
        return Err(TransactionError::NonFinal);
    }
    let mut spent = Vec::with_capacity(transaction.input.len());
    for input in &transaction.input {
        let outpoint = input.previous_output;
        let coin = coin(&outpoint).ok_or(TransactionError::MissingOrSpent(outpoint))?;
        if coin.coinbase && inclusion.height.saturating_sub(coin.height) < COINBASE_MATURITY {
            return Err(TransactionError::PrematureCoinbase(outpoint));
        }
        // BIP 68 binds transactions of version 2 on; a negative version counts as a large one.
        if transaction.version.0.cast_unsigned() >= 2
            && !relative_lock_is_over(input.sequence, coin.height, inclusion)
        {
            return Err(TransactionError::NonBip68Final);
        }
        spent.push(coin.output.clone());
    }
    let (inputs, outputs) = (total(&spent)?, total(&transaction.output)?);
    let fee = inputs.checked_sub(outputs).ok_or(TransactionError::InBelowOut { inputs, outputs })?;
    verify_scripts(transaction, &spent).map_err(TransactionError::Script)?;
    Ok(fee)
}

fn is_final(transaction: &Transaction, inclusion: &Inclusion<'_>) -> bool {
    let lock_time = transaction.lock_time.to_consensus_u32();
    let now = if lock_time < LOCKTIME_THRESHOLD {
        inclusion.height
    } else {
        inclusion.median_time_before(inclusion.height)
    };
    lock_time == 0 || lock_time < now || transaction.input.iter().all(|i| i.sequence == Sequence::MAX)
}

fn relative_lock_is_over(sequence: Sequence, coin_height: u32, inclusion: &Inclusion<'_>) -> bool {
    let raw = sequence.to_consensus_u32();
    let value = raw & 0xffff;
    if raw & (1 << 31) != 0 {
        true
    } else if raw & (1 << 22) != 0 {
        let start = inclusion.median_time_before(coin_height);
        start.saturating_add(value << 9) <= inclusion.median_time_before(inclusion.height)
    } else {
        coin_height.saturating_add(value) <= inclusion.height
    }
}

fn total(outputs: &[TxOut]) -> Result<Amount, TransactionError> {
    let mut sum = Amount::ZERO;
    for output in outputs {
        sum = sum
            .checked_add(output.value)
            .filter(|sum| *sum <= Amount::MAX_MONEY && output.value <= Amount::MAX_MONEY)
            .ok_or(TransactionError::AmountOutOfRange)?;
    }
    Ok(sum)
}
