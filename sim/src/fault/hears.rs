//! What is wrong between the first host and the chain: what it publishes is kept back, what it hears is not all, not now,
//! or too much. To the rest of the world it looks as if a rule of BOLT 5 were not in the node.

use super::bids::lowered;
use crate::chain::{Chain, is_commitment};
use crate::host::Host;
use bitcoin::{Amount, OutPoint, Transaction, Witness};
use kite_core::chain::{ChainFact, Seen};
use kite_core::channel::Closer;
use kite_core::node::{ChannelInfo, Node};

/// What is wrong between the first host and the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onchain {
    /// A replacement pays less than what it replaces.
    LowerBids,
    /// What claims an output of a commitment is never published.
    ClaimsKept,
    /// Preimages in witnesses are other ones.
    NoPreimages,
    /// The same where less than a thousand satoshi are claimed with them.
    NoSmallPreimages,
    /// Nothing is told of what spends the output of an HTLC transaction.
    NoSecondStages,
    /// Once a commitment is in the chain, six empty blocks are on top of the last one: what is in it counts as deep.
    TooDeep,
    /// As long as the peer's HTLC is in a channel, blocks are heard of sixty blocks later: every deadline is missed.
    TooLate,
}

/// As deep as BOLT 5 calls reasonable.
const AHEAD: u32 = 6;
/// What a model could take for too small to be claimed.
const SMALL: Amount = Amount::from_sat(1_000);
/// Longer than any HTLC lives.
const LATE: u32 = 60;

impl Onchain {
    /// What is published of a package.
    pub(crate) fn publishes(self, chain: &Chain, host: &Host, package: Vec<Transaction>) -> Vec<Transaction> {
        let pays_for_parent = package.len() > 1;
        match self {
            Self::ClaimsKept => {
                package.into_iter().filter(|tx| pays_for_parent || !claims(chain, tx)).collect()
            }
            Self::LowerBids => lowered(chain, host, package),
            _ => package,
        }
    }

    /// The chain as its server has it; unset where that is silent.
    pub(crate) fn chain(self, chain: &Chain, node: &Node) -> Option<Chain> {
        let mut seen = chain.clone();
        match self {
            Self::TooDeep if node.channels().iter().any(is_closed_alone) => seen.mine_nothing(AHEAD),
            Self::TooLate if holds_htlc(node) && chain.height() < node.tip().0 + LATE => return None,
            _ => {}
        }
        Some(seen)
    }

    /// A fact as it is told.
    pub(crate) fn tells(self, chain: &Chain, fact: ChainFact) -> ChainFact {
        let ChainFact::History(mut history) = fact else { return fact };
        match self {
            Self::NoPreimages => {
                history.transactions.iter_mut().for_each(|seen| forge_preimages(seen, |_| true))
            }
            Self::NoSmallPreimages => {
                let is_small =
                    |outpoint: &OutPoint| chain.output(outpoint).is_some_and(|output| output.value < SMALL);
                history.transactions.iter_mut().for_each(|seen| forge_preimages(seen, is_small));
            }
            Self::NoSecondStages if history.script_pubkey.is_p2wsh() => {
                history.transactions.retain(|seen| !spends_second_stage(chain, &seen.tx));
            }
            _ => {}
        }
        ChainFact::History(history)
    }
}

fn is_closed_alone(channel: &ChannelInfo) -> bool {
    channel.close.as_ref().is_some_and(|close| close.closer != Closer::Mutual && close.confirmations > 0)
}

/// Whether a channel has an HTLC, and no payment of ours is undecided: then it is the peer's.
fn holds_htlc(node: &Node) -> bool {
    node.why_not_close() == Some("a channel has payments in flight")
}

/// Whether a transaction spends an output of a commitment, or of what did.
fn claims(chain: &Chain, tx: &Transaction) -> bool {
    tx.input.iter().any(|input| {
        let parent = chain.transaction(&input.previous_output.txid);
        parent.is_some_and(|parent| is_commitment(parent) || is_htlc_output(chain, input.previous_output))
    })
}

fn spends_second_stage(chain: &Chain, tx: &Transaction) -> bool {
    tx.input.iter().any(|input| is_htlc_output(chain, input.previous_output))
}

/// Whether an output is that of an HTLC transaction.
fn is_htlc_output(chain: &Chain, outpoint: OutPoint) -> bool {
    let Some(tx) = chain.transaction(&outpoint.txid) else { return false };
    let paid = usize::try_from(outpoint.vout).ok().and_then(|vout| tx.output.get(vout));
    let is_spend = |outpoint: OutPoint| chain.transaction(&outpoint.txid).is_some_and(is_commitment);
    paid.is_some_and(|paid| paid.script_pubkey.is_p2wsh())
        && tx.input.iter().any(|input| is_spend(input.previous_output))
}

fn forge_preimages(seen: &mut Seen, is_forged: impl Fn(&OutPoint) -> bool) {
    for input in seen.tx.input.iter_mut().filter(|input| is_forged(&input.previous_output)) {
        let items: Vec<Vec<u8>> = input.witness.to_vec();
        let forged = items.into_iter().map(|item| if item.len() == 32 { vec![7; 32] } else { item });
        input.witness = Witness::from_slice(&forged.collect::<Vec<_>>());
    }
}
