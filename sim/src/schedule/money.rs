//! What a wallet must show, to the millisatoshi, and what a close may cost it.

use super::Life;
use super::check::Breach;
use super::ledger::Funded;
use super::trace::{End, Trace, trace};
use bitcoin::Amount;
use kite_core::node::Node;
use kite_core::types::ChannelId;

/// Nobody gets an output that is not relayed.
const DUST_SAT: u64 = 546;
/// Both stay where they are, and the opener paid for them (BOLT 3).
const ANCHORS_SAT: u64 = 660;

/// By how much a balance may be off, in millisatoshi, while a channel is closed.
#[derive(Clone, Copy, Debug, Default)]
struct Slack {
    /// So much less: fees, and what is too small for an output.
    below: u64,
    /// So much more: HTLCs on the chain of which it is not decided whose they are, and what a cheater loses.
    above: u64,
}

impl Life {
    /// What a wallet shows is what it was given and paid, less what it paid and the fees: to the millisatoshi, at any
    /// moment. Only a channel that is closing may have cost its opener the fee, or either what is too small for an output;
    /// and who closes alone pays for what is claimed.
    pub(super) fn check_money(&self) -> Result<(), Breach> {
        for host in (0..2).filter(|host| !self.is_lost[*host]) {
            let Some(node) = self.world.hosts[host].node() else { continue };
            let owned = self.owned(host, node);
            let slack = self.slack(host, node);
            let shown = node.balance().total.to_msat();
            // A server can hide what is in no block, until another one tells of it.
            let is_hidden = self.is_misled[host] && self.was_reorganised && shown < owned;
            if is_hidden {
                continue;
            }
            if shown > owned + slack.above || shown + slack.below < owned {
                return Err(Breach::Money { host, shown, owned });
            }
        }
        Ok(())
    }

    fn owned(&self, host: usize, node: &Node) -> u64 {
        let (received, sent) = self.ledger.payments_of(&self.world, host);
        let fees: Amount = node.onchain_transactions().iter().filter_map(|transaction| transaction.fee).sum();
        let given = self.ledger.given[host];
        (msat(given) + received).saturating_sub(sent + msat(fees))
    }

    fn slack(&self, host: usize, node: &Node) -> Slack {
        let (mut slack, mut is_alone) = (Slack::default(), false);
        for (id, channel) in &self.ledger.channels {
            match trace(&self.world.chain, channel.outpoint) {
                Some(trace) => {
                    is_alone = true;
                    let of_it = self.slack_alone(host, id, channel, &trace);
                    slack.below += of_it.below;
                    slack.above += of_it.above;
                }
                None => slack.below += self.cost_of_close(host, channel),
            }
        }
        let neglected =
            self.ledger.wishes.iter().filter(|it| it.payee == host && self.is_lost_by_neglect(it));
        slack.below += neglected.map(|wish| wish.request.amount.to_msat()).sum::<u64>();
        if is_alone {
            slack.below += msat(self.paid_for_claims(host, node));
        }
        slack
    }

    fn slack_alone(&self, host: usize, id: &ChannelId, channel: &Funded, trace: &Trace<'_>) -> Slack {
        let paid_out: Amount = trace.commitment.output.iter().map(|output| output.value).sum();
        let fee = channel.capacity.checked_sub(paid_out).unwrap_or(Amount::ZERO);
        let left: Amount = trace
            .ends
            .iter()
            .filter(|end| !end.is_anchor() && !end.is_worth_it())
            .map(|end| end.amount)
            .sum();
        // The opener paid for both anchors, and whoever brings the commitment into a block spends its own.
        let is_its_own = |end: &&End<'_>| {
            end.is_anchor() && end.spend.and_then(|tx| self.world.first_to_publish(tx)) == Some(host)
        };
        let anchors: Amount = trace.ends.iter().filter(is_its_own).map(|end| end.amount).sum();
        let htlcs = self.stored[host].channels.get(id).map_or(0, |numbers| numbers.in_htlcs_msat);
        let cheated = if self.punisher(id, trace) == Some(host) { msat(channel.capacity) } else { 0 };
        Slack {
            below: msat(fee + left) + (ANCHORS_SAT + 1) * 1_000 + htlcs,
            above: htlcs + cheated + msat(anchors),
        }
    }

    /// A close together.
    fn cost_of_close(&self, host: usize, channel: &Funded) -> u64 {
        let Some(tx) = self.world.chain.spend_of(&channel.outpoint) else { return 0 };
        let paid_out: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        let fee = channel.capacity.to_sat().saturating_sub(paid_out);
        if channel.opener == host { (fee + 1) * 1_000 } else { (DUST_SAT + 1) * 1_000 }
    }

    /// The fees of a wallet's transactions whose fee it does not show, for what they spend was never its own.
    fn paid_for_claims(&self, host: usize, node: &Node) -> Amount {
        let shown: Vec<_> = node
            .onchain_transactions()
            .iter()
            .filter(|transaction| transaction.fee.is_some())
            .map(|transaction| transaction.txid)
            .collect();
        let published = |tx: &bitcoin::Transaction| self.world.first_to_publish(tx) == Some(host);
        let transactions = self.world.chain.wallet_transactions();
        let claims = transactions.filter(|(tx, _)| published(tx) && !shown.contains(&tx.compute_txid()));
        claims.map(|(_, fee)| fee).sum()
    }
}

fn msat(amount: Amount) -> u64 {
    amount.to_sat() * 1_000
}
