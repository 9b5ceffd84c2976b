//! Transactions of strangers that fill a small mempool, so that it asks for more than they pay.

use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut};
use kite_sim::chain::Chain;

/// What the node is started with so that a few transactions fill its mempool: one megabyte, the least there is, and
/// nothing in it that a transaction of the crowd would be too large for.
pub(super) const SMALL_MEMPOOL: [&str; 2] = ["-maxmempool=1", "-limitdescendantsize=24"];

/// Outputs of each: somewhat less than the mempool takes in one piece.
const OUTPUTS: usize = 500;

/// Transactions that pay so much, each from a coin that has matured and that nothing on the chain ever spends.
pub(super) fn crowd(chain: &Chain, height: u32, sat_per_kw: u64) -> impl Iterator<Item = Transaction> + '_ {
    let mature = 1..=height.saturating_sub(bitcoin::constants::COINBASE_MATURITY - 1);
    mature.filter_map(move |height| {
        let coinbase = &chain.block(height).txdata[0];
        let coin = OutPoint { txid: coinbase.compute_txid(), vout: 0 };
        let output = &coinbase.output[0];
        chain.spend_of(&coin).is_none().then(|| spend(coin, output, sat_per_kw))
    })
}

/// The faucet's coins are anybody's who knows their script, and go back to it.
fn spend(coin: OutPoint, spent: &TxOut, sat_per_kw: u64) -> Transaction {
    let piece = Amount::from_sat(1_000);
    let mut tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: coin,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Chain::faucet_witness(),
        }],
        output: vec![TxOut { value: piece, script_pubkey: spent.script_pubkey.clone() }; OUTPUTS],
    };
    let fee = Amount::from_sat(tx.weight().to_wu() * sat_per_kw / 1_000);
    tx.output[0].value = spent.value - fee - piece * (OUTPUTS as u64 - 1);
    tx
}
