//! What became of a channel on the chain, read from its blocks alone.

use crate::chain::{Chain, is_commitment};
use bitcoin::hashes::{Hash, ripemd160};
use bitcoin::{Amount, OutPoint, Script, Transaction, TxOut};
use kite_core::types::PaymentHash;

/// What each side's anchor holds (BOLT 3).
const ANCHOR: Amount = Amount::from_sat(330);
/// Less than this may be left where it is: to claim it could cost more than half of it.
pub(super) const LEAST_CLAIMED: Amount = Amount::from_sat(1_000);

/// A commitment that spends a funding output, and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Trace<'a> {
    pub(super) commitment: &'a Transaction,
    /// Its outputs, or what is behind them where an HTLC transaction spent them.
    pub(super) ends: Vec<End<'a>>,
}

/// An output behind which nothing of the channel comes any more.
#[derive(Clone, Debug)]
pub(super) struct End<'a> {
    /// What the output of the commitment is paid to.
    pub(super) script: &'a Script,
    pub(super) amount: Amount,
    /// The transaction that spends it.
    pub(super) spend: Option<&'a Transaction>,
    /// How the HTLC was settled that it comes from, if it is one and was.
    pub(super) settled: Option<Settled>,
    /// The transaction that settled it.
    pub(super) settled_by: Option<&'a Transaction>,
}

/// How an HTLC was settled on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Its preimage is in a witness.
    Preimage,
    /// It was taken back.
    Timeout,
    /// Its commitment was revoked.
    Penalty,
}

impl End<'_> {
    /// Whether it was an HTLC with this hash: BOLT 3 has its RIPEMD-160 in the script.
    pub(super) fn is_of(&self, hash: &PaymentHash) -> bool {
        let hash = ripemd160::Hash::hash(&hash.0).to_byte_array();
        let inputs = self.settled_by.map_or(&[][..], |tx| &tx.input);
        let mut scripts = inputs.iter().filter_map(|input| input.witness.last());
        scripts.any(|script| script.windows(hash.len()).any(|part| part == hash))
    }

    pub(super) fn is_anchor(&self) -> bool {
        self.amount == ANCHOR
    }

    /// Whether it is worth more than it costs to take it.
    pub(super) fn is_worth_it(&self) -> bool {
        self.amount >= LEAST_CLAIMED
    }
}

/// What came of a funding output; unset where no commitment spends it.
pub(super) fn trace(chain: &Chain, funding: OutPoint) -> Option<Trace<'_>> {
    let commitment = chain.spend_of(&funding).filter(|tx| is_commitment(tx))?;
    let ends = outpoints(commitment).map(|(outpoint, output)| {
        let script = output.script_pubkey.as_script();
        let Some((spend, input)) = spend(chain, outpoint) else {
            return End { script, amount: output.value, spend: None, settled: None, settled_by: None };
        };
        let settled = settled(spend, input);
        let settled_by = settled.map(|_| spend);
        // What an HTLC transaction pays stands beside the input that it is for.
        let second_stage = spend.output.get(input).filter(|paid| paid.script_pubkey.is_p2wsh());
        match (settled, second_stage) {
            (Some(Settled::Preimage | Settled::Timeout), Some(paid)) => {
                let vout = u32::try_from(input).unwrap_or(u32::MAX);
                let behind = self::spend(chain, OutPoint { txid: spend.compute_txid(), vout });
                End { script, amount: paid.value, spend: behind.map(|(tx, _)| tx), settled, settled_by }
            }
            _ => End { script, amount: output.value, spend: Some(spend), settled, settled_by },
        }
    });
    Some(Trace { commitment, ends: ends.collect() })
}

fn outpoints(tx: &Transaction) -> impl Iterator<Item = (OutPoint, &TxOut)> {
    let txid = tx.compute_txid();
    (0..).zip(&tx.output).map(move |(vout, output)| (OutPoint { txid, vout }, output))
}

fn spend(chain: &Chain, outpoint: OutPoint) -> Option<(&Transaction, usize)> {
    let tx = chain.spend_of(&outpoint)?;
    Some((tx, tx.input.iter().position(|input| input.previous_output == outpoint)?))
}

/// By the witness of the input that spends an HTLC output (BOLT 3, Offered and Received HTLC Outputs): before the script
/// stands a preimage, nothing, or the key of the penalty.
fn settled(tx: &Transaction, input: usize) -> Option<Settled> {
    let witness = &tx.input[input].witness;
    let (script, decides) = (witness.last()?, witness.second_to_last()?);
    let is_htlc = script.first() == Some(&bitcoin::opcodes::all::OP_DUP.to_u8());
    let settled = match decides.len() {
        0 => Settled::Timeout,
        32 => Settled::Preimage,
        _ => Settled::Penalty,
    };
    is_htlc.then_some(settled)
}
