//! The consensus rules of a block on regtest, apart from those of its transactions.

use bitcoin::blockdata::script::Builder;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Amount, Block, BlockHash, CompactTarget, Transaction, Weight};

use super::transaction_rules::{TransactionError, check_alone, check_shape, median_time};

/// The one target of regtest.
pub(crate) const REGTEST_BITS: u32 = 0x207f_ffff;

/// Seconds that a block's time may be ahead of the clock.
const MAX_FUTURE_SECS: u32 = 2 * 60 * 60;

/// Most a block's signature checks may cost.
pub(crate) const MAX_SIGOPS_COST: usize = 80_000;

/// Blocks between two halvings of the subsidy on regtest.
const HALVING_INTERVAL: u32 = 150;

/// Why a block doesn't extend the chain. Texts are Bitcoin Core's reasons.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It builds on something else than the tip.
    #[error("prev-blk-not-found ({0})")]
    NotOnTip(BlockHash),
    /// Its target is not regtest's.
    #[error("bad-diffbits")]
    Bits,
    /// Its hash is above the target.
    #[error("high-hash")]
    ProofOfWork,
    /// Not after the median of the eleven blocks before.
    #[error("time-too-old")]
    TimeTooOld,
    /// More than two hours ahead of the clock.
    #[error("time-too-new")]
    TimeTooNew,
    /// A version that signals none of the soft forks.
    #[error("bad-version")]
    Version,
    /// The header doesn't commit to the transactions, or a list of them is repeated in the tree.
    #[error("bad-txnmrklroot")]
    MerkleRoot,
    /// No coinbase in the first place, or one elsewhere.
    #[error("bad-cb-missing-or-multiple")]
    Coinbase,
    /// The coinbase script has not 2 to 100 bytes.
    #[error("bad-cb-length")]
    CoinbaseLength,
    /// The coinbase script doesn't begin with the height (BIP 34).
    #[error("bad-cb-height")]
    CoinbaseHeight,
    /// The coinbase pays more than subsidy and fees.
    #[error("bad-cb-amount")]
    CoinbaseAmount {
        /// What it pays.
        paid: Amount,
        /// What it may pay.
        allowed: Amount,
    },
    /// The witness commitment is missing or wrong.
    #[error("bad-witness-merkle-match")]
    WitnessCommitment,
    /// Over four million weight units.
    #[error("bad-blk-weight")]
    Weight,
    /// Too many signature checks.
    #[error("bad-blk-sigops")]
    Sigops,
    /// A transaction breaks a rule.
    #[error("{error} (transaction {index})")]
    Transaction {
        /// Its place in the block.
        index: usize,
        /// The rule.
        error: TransactionError,
    },
}

/// What a miner may pay itself at `height`, without fees.
pub fn subsidy(height: u32) -> Amount {
    let halvings = height / HALVING_INTERVAL;
    Amount::from_sat(Amount::from_int_btc(50).to_sat().checked_shr(halvings).unwrap_or_default())
}

/// The witness commitment output's script of BIP 141, given the witness root and 32 zero bytes as reserved value.
pub(crate) fn witness_commitment(transactions: &[Transaction]) -> Option<[u8; 32]> {
    let hashes = transactions.iter().enumerate().map(|(index, transaction)| match index {
        0 => sha256d::Hash::all_zeros(),
        _ => transaction.compute_wtxid().to_raw_hash(),
    });
    let root = bitcoin::merkle_tree::calculate_root(hashes)?;
    let reserved = transactions.first()?.input.first()?.witness.nth(0)?;
    Some(sha256d::Hash::hash(&[root.as_byte_array(), reserved].concat()).to_byte_array())
}

/// The rules that need no coins. `times` are those of all blocks before this one.
pub(crate) fn check_block(block: &Block, tip: BlockHash, times: &[u32], now: u32) -> Result<(), BlockError> {
    check_header(block, tip, times, now)?;
    check_merkle_root(block)?;
    let height = u32::try_from(times.len()).map_err(|_| BlockError::CoinbaseHeight)?;
    check_coinbase(block, height)?;
    check_witness_commitment(block)?;
    if block.weight() > Weight::MAX_BLOCK {
        return Err(BlockError::Weight);
    }
    for (index, transaction) in block.txdata.iter().enumerate() {
        let check = if index == 0 { check_shape } else { check_alone };
        check(transaction).map_err(|error| BlockError::Transaction { index, error })?;
    }
    Ok(())
}

fn check_header(block: &Block, tip: BlockHash, times: &[u32], now: u32) -> Result<(), BlockError> {
    let header = &block.header;
    if header.prev_blockhash != tip {
        return Err(BlockError::NotOnTip(header.prev_blockhash));
    }
    if header.bits != CompactTarget::from_consensus(REGTEST_BITS) {
        return Err(BlockError::Bits);
    }
    header.validate_pow(header.target()).map_err(|_| BlockError::ProofOfWork)?;
    if header.time <= median_time(times) {
        return Err(BlockError::TimeTooOld);
    }
    if header.time > now.saturating_add(MAX_FUTURE_SECS) {
        return Err(BlockError::TimeTooNew);
    }
    if header.version.to_consensus() < 4 {
        return Err(BlockError::Version);
    }
    Ok(())
}

fn check_merkle_root(block: &Block) -> Result<(), BlockError> {
    let txids: Vec<_> = block.txdata.iter().map(Transaction::compute_txid).collect();
    // The tree pairs an odd last hash with itself, so a repeated tail gives the same root.
    let mut distinct = txids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() != txids.len() || !block.check_merkle_root() {
        return Err(BlockError::MerkleRoot);
    }
    Ok(())
}

fn check_coinbase(block: &Block, height: u32) -> Result<(), BlockError> {
    let coinbases = block.txdata.iter().map(Transaction::is_coinbase);
    if !coinbases.enumerate().all(|(index, coinbase)| coinbase == (index == 0)) {
        return Err(BlockError::Coinbase);
    }
    let coinbase = block.txdata.first().ok_or(BlockError::Coinbase)?;
    let script = coinbase.input[0].script_sig.as_bytes();
    if !(2..=100).contains(&script.len()) {
        return Err(BlockError::CoinbaseLength);
    }
    let expected = Builder::new().push_int(i64::from(height)).into_script();
    if !script.starts_with(expected.as_bytes()) {
        return Err(BlockError::CoinbaseHeight);
    }
    Ok(())
}

fn check_witness_commitment(block: &Block) -> Result<(), BlockError> {
    let coinbase = block.txdata.first().ok_or(BlockError::Coinbase)?;
    let magic = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];
    let is_commitment = |script: &[u8]| script.len() >= 38 && script.starts_with(&magic);
    let committed = coinbase.output.iter().rfind(|o| is_commitment(o.script_pubkey.as_bytes()));
    let Some(committed) = committed else {
        let witnesses = block.txdata.iter().flat_map(|t| &t.input).any(|i| !i.witness.is_empty());
        return if witnesses { Err(BlockError::WitnessCommitment) } else { Ok(()) };
    };
    let witness = &coinbase.input[0].witness;
    if witness.len() != 1 || witness.nth(0).is_none_or(|reserved| reserved.len() != 32) {
        return Err(BlockError::WitnessCommitment);
    }
    let expected = witness_commitment(&block.txdata).ok_or(BlockError::WitnessCommitment)?;
    if committed.script_pubkey.as_bytes()[6..38] != expected {
        return Err(BlockError::WitnessCommitment);
    }
    Ok(())
}
