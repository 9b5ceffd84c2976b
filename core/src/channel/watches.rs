//! What on the chain a channel must know of. Derived from its state, so that nothing is forgotten at a start.

use super::commitments::Commitments;
use super::{Channel, Closing, State};
use crate::onchain::Close;
use crate::onchain::second_stage::second_stages;
use crate::types::BlockHeight;
use bitcoin::{Amount, OutPoint, ScriptBuf};

/// Something on the chain to look out for, with its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The funding transaction in the chain: [`super::Command::FundingConfirmed`] at this depth, and
    /// [`super::Command::FundingReorged`] when it leaves it again.
    FundingConfirmed {
        /// The channel's output.
        outpoint: OutPoint,
        /// Its script.
        script: ScriptBuf,
        /// Its amount.
        amount: Amount,
        /// How many confirmations are wanted; 100 where it is a coinbase transaction.
        depth: u32,
        /// No need to look before this height.
        since: BlockHeight,
    },
    /// A spend of the funding output: [`super::Command::Spent`].
    FundingSpent {
        /// The channel's output.
        outpoint: OutPoint,
        /// Its script.
        script: ScriptBuf,
    },
    /// A spend of an output of a published commitment, or of what came of one: [`super::Command::Spent`].
    OutputSpent {
        /// The output.
        outpoint: OutPoint,
        /// Its script.
        script: ScriptBuf,
    },
}

impl Channel {
    /// All that this channel must be told about the chain.
    pub fn watches(&self) -> Vec<Watch> {
        let Some(commitments) = self.commitments() else { return Vec::new() };
        let mut watches = vec![funding_spent(commitments)];
        match &self.state {
            State::Closing(closing) => watches.extend(closing.watched()),
            _ => watches.push(funding_confirmed(commitments)),
        }
        watches
    }
}

impl Channel {
    /// Whether an earlier state of this channel had the same [`Channel::watches`]: nothing in them but this ever changes.
    pub fn watches_as_before(&self, before: &Self) -> bool {
        let closing = |channel: &Self| match &channel.state {
            State::Closing(closing) => Some((closing.txid, closing.watched().count())),
            _ => None,
        };
        self.commitments().is_some() == before.commitments().is_some() && closing(self) == closing(before)
    }
}

/// Two anchors, two balances, and 483 HTLCs each way.
const MAX_COMMITMENT_OUTPUTS: usize = 2 + 2 + 2 * 483;

impl Closing {
    /// Outputs that are spent stay watched: a block may be undone.
    fn watched(&self) -> impl Iterator<Item = Watch> {
        let stages = self.close.iter().flat_map(|close| {
            let script = close.delayed_script.to_p2wsh();
            second_stages(close, &self.spends).map(move |(_, stage)| (stage.outpoint, script.clone()))
        });
        let outputs = self.close.iter().flat_map(Close::watched);
        let watched = outputs.chain(stages).chain(self.told_only());
        watched.map(|(outpoint, script)| Watch::OutputSpent { outpoint, script })
    }

    /// What nothing is claimed of: the other outputs of a commitment that this copy does not hold. By some of them the peer may
    /// take HTLCs of ours, and tell their preimages. No commitment has more of them (BOLT 2, `max_accepted_htlcs`).
    fn told_only(&self) -> impl Iterator<Item = (OutPoint, ScriptBuf)> {
        let tells = self.closer.is_blind() && self.undecided().next().is_some();
        let outputs = (0..).zip(&self.tx.output).take(if tells { MAX_COMMITMENT_OUTPUTS } else { 0 });
        let is_ours = |vout| self.close.iter().flat_map(|close| &close.outputs).any(|ours| ours.vout == vout);
        let others = outputs.filter(move |(vout, _)| !is_ours(*vout));
        others.map(|(vout, output)| (OutPoint { txid: self.txid, vout }, output.script_pubkey.clone()))
    }
}

fn funding_spent(commitments: &Commitments) -> Watch {
    let params = &commitments.params;
    Watch::FundingSpent { outpoint: params.funding_outpoint, script: params.funding_script().to_p2wsh() }
}

fn funding_confirmed(commitments: &Commitments) -> Watch {
    let params = &commitments.params;
    Watch::FundingConfirmed {
        outpoint: params.funding_outpoint,
        script: params.funding_script().to_p2wsh(),
        amount: params.funding_amount,
        depth: params.minimum_depth,
        since: params.opened_at,
    }
}
