//! What the mempool relays: a light version of Bitcoin Core's policy.

use bitcoin::{Amount, Script, Transaction, Weight};

/// Least fee rate of a transaction or package, and what a replacement pays for its own relay.
pub const MIN_RELAY_SAT_PER_VB: u64 = 1;

/// Most unconfirmed ancestors or descendants of a transaction, itself included.
pub const MAX_CHAIN: usize = 25;

/// Most transactions that one replacement may evict.
pub const MAX_EVICTED: usize = 100;

/// Why the mempool doesn't take a transaction that a block could carry. Texts are Bitcoin Core's reasons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Another version than 1, 2 or 3.
    #[error("version")]
    Version,
    /// Over 400 000 weight units.
    #[error("tx-size")]
    Oversize,
    /// Under 65 bytes without witness.
    #[error("tx-size-small")]
    Undersize,
    /// An input script that does more than push.
    #[error("scriptsig-not-pushonly")]
    ScriptSig,
    /// An output script of no known kind.
    #[error("scriptpubkey")]
    ScriptPubkey,
    /// An output that costs more to spend than it holds.
    #[error("dust")]
    Dust {
        /// Index of the output.
        vout: usize,
    },
    /// Under the least fee rate.
    #[error("min relay fee not met, {fee} < {needed}")]
    MinRelayFee {
        /// What it pays.
        fee: Amount,
        /// What it must pay.
        needed: Amount,
    },
    /// It replaces others, but doesn't pay enough more than they did.
    #[error("insufficient fee, rejecting replacement: {fee} < {needed}")]
    InsufficientReplacementFee {
        /// What it pays.
        fee: Amount,
        /// What it must pay.
        needed: Amount,
    },
    /// It would evict too many, or spend what it evicts.
    #[error("bad replacement of {0} transactions")]
    Replacement(usize),
    /// Too many unconfirmed transactions hang together.
    #[error("too-long-mempool-chain")]
    LongChain,
}

/// The fee for relaying `vsize` virtual bytes.
pub fn relay_fee(vsize: usize) -> Amount {
    // vsize is bounded by the weight limit, far from overflow.
    Amount::from_sat(u64::try_from(vsize).unwrap_or(u64::MAX).saturating_mul(MIN_RELAY_SAT_PER_VB))
}

/// The rules that need nothing but the transaction.
pub(crate) fn check_standard(transaction: &Transaction) -> Result<(), PolicyError> {
    if !(1..=3).contains(&transaction.version.0) {
        return Err(PolicyError::Version);
    }
    if transaction.weight() > Weight::from_wu(400_000) {
        return Err(PolicyError::Oversize);
    }
    if transaction.base_size() < 65 {
        return Err(PolicyError::Undersize);
    }
    if !transaction.input.iter().all(|input| input.script_sig.is_push_only()) {
        return Err(PolicyError::ScriptSig);
    }
    for (vout, output) in transaction.output.iter().enumerate() {
        let script = &output.script_pubkey;
        if !is_standard(script) {
            return Err(PolicyError::ScriptPubkey);
        }
        if !script.is_op_return() && output.value < script.minimal_non_dust() {
            return Err(PolicyError::Dust { vout });
        }
    }
    Ok(())
}

fn is_standard(script: &Script) -> bool {
    script.is_p2pk()
        || script.is_p2pkh()
        || script.is_p2sh()
        || script.is_witness_program()
        || script.is_op_return()
        || script.is_multisig()
}
