//! Chain servers that go on lying: what each makes of the news that it should tell.

use super::{Lie, Life, Step};
use crate::chain::{Chain, Source};
use crate::world::Telling;
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness};
use kite_core::chain::{ChainFact, Seen};
use kite_core::node::Node;

/// As long as a preimage, and as any signature in a witness at least.
const PREIMAGE_LEN: usize = 32;

impl Lie {
    /// What it makes of a fact; unset: it keeps that for itself.
    const fn telling(self) -> Telling {
        match self {
            Self::NothingHappened => nothing_happened,
            Self::CutPreimages => cut_preimages,
            Self::InventedSpends => invented_spends,
            Self::Endless => endless,
            // Found out at once; then it falls silent.
            Self::NoWork
            | Self::ShorterBranch
            | Self::EarlyConfirmation
            | Self::WrongTip
            | Self::Fees { .. } => silent,
        }
    }
}

impl Life {
    /// A server lies from now on, and is believed for so many steps.
    pub(super) fn mislead(&mut self, host: usize, lie: Lie, steps: u32) {
        self.lie(host, lie);
        self.world.tellings[host] = Some(lie.telling());
        self.lies_for[host] = steps;
        self.world.settle();
    }

    /// A step is over: who was lied to for long enough asks another server, which tells everything from the beginning.
    pub(super) fn tire_of_lies(&mut self, step: Step) {
        for host in 0..2 {
            let begins = matches!(step, Step::Mislead { host: misled, .. } if misled == host);
            if self.world.tellings[host].is_some() && !begins {
                self.lies_for[host] = self.lies_for[host].saturating_sub(1);
                if self.lies_for[host] == 0 {
                    self.hear_the_truth(host);
                }
            }
        }
    }

    pub(super) fn hear_the_truth(&mut self, host: usize) {
        if self.world.tellings[host].take().is_some() {
            self.world.sources[host] = Source::default();
        }
    }
}

fn silent(_: &Chain, _: &Node, _: ChainFact) -> Option<ChainFact> {
    None
}

/// Blocks come, and the look at what is in them never ends.
fn endless(_: &Chain, _: &Node, fact: ChainFact) -> Option<ChainFact> {
    matches!(fact, ChainFact::Headers(_)).then_some(fact)
}

fn nothing_happened(_: &Chain, _: &Node, fact: ChainFact) -> Option<ChainFact> {
    Some(match fact {
        ChainFact::History(mut history) => {
            history.transactions.clear();
            ChainFact::History(history)
        }
        fact => fact,
    })
}

/// No proof covers a witness: what opens an HTLC is left out of it.
fn cut_preimages(_: &Chain, _: &Node, fact: ChainFact) -> Option<ChainFact> {
    let ChainFact::History(mut history) = fact else { return Some(fact) };
    for input in history.transactions.iter_mut().flat_map(|seen| &mut seen.tx.input) {
        let items: Vec<Vec<u8>> = input.witness.to_vec();
        let rest: Vec<Vec<u8>> = items.into_iter().filter(|item| item.len() != PREIMAGE_LEN).collect();
        input.witness = Witness::from_slice(&rest);
    }
    Some(ChainFact::History(history))
}

/// Somebody spends each output that a channel watches, and no block has it.
fn invented_spends(chain: &Chain, node: &Node, fact: ChainFact) -> Option<ChainFact> {
    let ChainFact::History(mut history) = fact else { return Some(fact) };
    let watched = node.watched_outputs().into_iter().filter(|(script, _)| *script == history.script_pubkey);
    let unspent = watched.filter(|(_, outpoint)| chain.spend_of(outpoint).is_none());
    history
        .transactions
        .extend(unspent.map(|(_, outpoint)| Seen { tx: invented(chain, outpoint), proof: None }));
    Some(ChainFact::History(history))
}

fn invented(chain: &Chain, previous_output: OutPoint) -> Transaction {
    let value = chain.output(&previous_output).map_or(bitcoin::Amount::ZERO, |output| output.value);
    let witness = Witness::from_slice(&[vec![], vec![0x30; 71], vec![0x30; 71], vec![7; 105]]);
    let input = TxIn { previous_output, script_sig: ScriptBuf::new(), sequence: Sequence::ZERO, witness };
    let output = TxOut { value, script_pubkey: ScriptBuf::new_op_return([7; 8]) };
    Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input], output: vec![output] }
}
