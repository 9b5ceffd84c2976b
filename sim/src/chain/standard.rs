//! What full nodes relay of what consensus allows: the rules of Bitcoin Core's `IsStandardTx` and `IsWitnessStandard` that a
//! wallet's transactions could break.

use super::Coin;
use super::check::Rejected;
use bitcoin::{Script, Transaction};

/// More weight than this is not relayed.
const MOST_WEIGHT: u64 = 400_000;
/// Less than this without its witnesses could be taken for a node of a merkle tree.
const LEAST_BYTES: usize = 65;
/// Of a script, of the stack it is given, and of each item there.
const MOST_OF_WITNESS: (usize, usize, usize) = (3_600, 100, 80);

/// Whether a full node would relay it, with its script, locks and fee set aside.
pub(super) fn check(tx: &Transaction, spent: &[Coin]) -> Result<(), Rejected> {
    let broken = |what| Err(Rejected::NotStandard { txid: tx.compute_txid(), what });
    if !(1..=3).contains(&tx.version.0) {
        return broken("its version");
    }
    if tx.weight().to_wu() > MOST_WEIGHT || tx.base_size() < LEAST_BYTES {
        return broken("its size");
    }
    for (vout, output) in (0..).zip(&tx.output) {
        if output.value < output.script_pubkey.minimal_non_dust() {
            return Err(Rejected::Dust { txid: tx.compute_txid(), vout });
        }
        if !is_known(&output.script_pubkey) {
            return broken("what it pays to");
        }
    }
    for (input, coin) in tx.input.iter().zip(spent) {
        let (script, stack, item) = MOST_OF_WITNESS;
        let witness = input.witness.to_vec();
        let Some((last, items)) = witness.split_last() else { continue };
        let is_large = last.len() > script || items.len() > stack || items.iter().any(|it| it.len() > item);
        if coin.output.script_pubkey.is_p2wsh() && is_large {
            return broken("a witness");
        }
    }
    Ok(())
}

fn is_known(script: &Script) -> bool {
    script.is_witness_program() || script.is_p2pkh() || script.is_p2sh() || script.is_op_return()
}
