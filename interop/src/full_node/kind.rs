//! What the inputs of transactions of a channel are for, told by what their witnesses show (BOLT 3).

use bitcoin::opcodes::all::{OP_CHECKMULTISIG, OP_DUP, OP_IF, OP_IFDUP};
use bitcoin::{OutPoint, Transaction, TxIn, Witness};
use kite_sim::chain::{Chain, is_commitment};

/// What an input, or a transaction, is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A payment that has nothing to do with a channel.
    Plain,
    /// It pays a funding output, which was spent later.
    Funding,
    /// A funding output is paid out by both together.
    CooperativeClose,
    /// It spends what a closing transaction pays: before that is in a block, to pay for it.
    ClosingChild,
    /// A commitment transaction.
    Commitment,
    /// It spends an anchor, to pay for a commitment.
    AnchorChild,
    /// An HTLC transaction with the preimage.
    HtlcSuccess,
    /// An HTLC transaction after the HTLC's end.
    HtlcTimeout,
    /// An HTLC of the other's commitment is taken with the preimage.
    ClaimWithPreimage,
    /// An HTLC of the other's commitment is taken back after its end.
    ClaimAfterTimeout,
    /// The broadcaster's output of a commitment or an HTLC transaction, after its delay.
    Delayed,
    /// What a commitment pays to its countersignatory.
    ToRemote,
    /// Outputs of a revoked commitment.
    Penalty,
    /// The output of an HTLC transaction of a revoked commitment.
    SecondStagePenalty,
}

impl Kind {
    /// What a transaction of the chain or its mempool is for: an entry for each input that spends from a channel, or one
    /// for all of it.
    pub fn of(chain: &Chain, tx: &Transaction) -> Vec<Self> {
        if is_commitment(tx) {
            return vec![Self::Commitment];
        }
        let parent_of = |input: &TxIn| chain.transaction(&input.previous_output.txid);
        let of_input = |input: &TxIn| of_witness(&input.witness, parent_of(input).is_some_and(is_commitment));
        let kinds: Vec<Self> = tx.input.iter().filter_map(of_input).collect();
        if !kinds.is_empty() {
            return kinds;
        }
        if tx.input.iter().filter_map(parent_of).any(is_cooperative_close) {
            return vec![Self::ClosingChild];
        }
        let txid = tx.compute_txid();
        let mut outpoints = (0..).zip(&tx.output).map(|(vout, _)| OutPoint { txid, vout });
        let spends_funding = |spend| is_commitment(spend) || is_cooperative_close(spend);
        let is_funding = outpoints.any(|outpoint| chain.spend_of(&outpoint).is_some_and(spends_funding));
        vec![if is_funding { Self::Funding } else { Self::Plain }]
    }
}

fn is_cooperative_close(tx: &Transaction) -> bool {
    let mut kinds = tx.input.iter().map(|input| of_witness(&input.witness, false));
    !is_commitment(tx) && kinds.any(|kind| kind == Some(Kind::CooperativeClose))
}

/// What an input that spends from a channel is for; unset: it spends something else.
fn of_witness(witness: &Witness, spends_commitment: bool) -> Option<Kind> {
    let items = witness.to_vec();
    let (script, selectors) = items.split_last()?;
    let opcode = |index: usize| script.get(index).copied();
    let is_htlc = opcode(0) == Some(OP_DUP.to_u8()) && script.len() > 100;
    match selectors {
        [_, _, _] if script.last().copied() == Some(OP_CHECKMULTISIG.to_u8()) => Some(Kind::CooperativeClose),
        [_, _, _, preimage] if is_htlc && preimage.len() == 32 => Some(Kind::HtlcSuccess),
        [_, _, _, _] if is_htlc => Some(Kind::HtlcTimeout),
        [_, selector] if is_htlc => Some(match selector.len() {
            33 => Kind::Penalty,
            32 => Kind::ClaimWithPreimage,
            _ => Kind::ClaimAfterTimeout,
        }),
        [_, selector] if opcode(0) == Some(OP_IF.to_u8()) => Some(match selector.is_empty() {
            true => Kind::Delayed,
            false if spends_commitment => Kind::Penalty,
            false => Kind::SecondStagePenalty,
        }),
        // <key> OP_CHECKSIG OP_IFDUP …
        [_] if script.len() == 40 && opcode(35) == Some(OP_IFDUP.to_u8()) => Some(Kind::AnchorChild),
        // <key> OP_CHECKSIGVERIFY 1 OP_CSV
        [_] if script.len() == 37 => Some(Kind::ToRemote),
        _ => None,
    }
}
