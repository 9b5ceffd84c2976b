//! What must be true after every step, whatever happened.

use super::Life;
use super::ledger::{Wish, is_failed, is_sent};
use kite_core::node::{Event, Node};
use kite_core::payment::OutgoingState;
use std::any::Any;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// The world has seen what a loss of power would undo.
    #[error("the world is ahead of the disk of {host}: {what}")]
    AheadOfDisk {
        /// Whose.
        host: usize,
        /// What would be lost.
        what: String,
    },
    /// A disk that a node could not start from.
    #[error("the disk of {host} cannot be read: {what}")]
    Unreadable {
        /// Whose.
        host: usize,
        /// Why.
        what: String,
    },
    /// A wallet has more or less than it must.
    #[error("{host} shows {shown} msat and has {owned}")]
    Money {
        /// Whose.
        host: usize,
        /// What its balance says.
        shown: u64,
        /// What it must be by the reference model.
        owned: u64,
    },
    /// A payment with two outcomes, or none.
    #[error("payment {number} of {payer}: {what}")]
    Payment {
        /// Which one, counted from 0.
        number: usize,
        /// Who pays.
        payer: usize,
        /// What is wrong.
        what: String,
    },
    /// A channel ended, or stands, as the protocol does not ask for.
    #[error("a channel of {host}: {what}")]
    Channel {
        /// Whose.
        host: usize,
        /// What is wrong.
        what: String,
    },
    /// The two do not agree although nothing is on its way.
    #[error("the two do not agree: {what}")]
    Views {
        /// About what.
        what: String,
    },
    /// Something was asked of a node, or made by it, and nothing came of it.
    #[error("{host} left something undone: {what}")]
    Undone {
        /// Whose.
        host: usize,
        /// What.
        what: String,
    },
    /// Something of the wallets or of the world around them panicked.
    #[error("panic: {what}")]
    Panic {
        /// Its message.
        what: String,
    },
}

impl Breach {
    pub(super) fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let what = text.unwrap_or_default();
        Self::Panic { what: what.lines().next().unwrap_or_default().to_owned() }
    }

    /// Its kind, by which two breaches are the same.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AheadOfDisk { .. } => "ahead of the disk",
            Self::Unreadable { .. } => "unreadable",
            Self::Money { .. } => "money",
            Self::Payment { .. } => "payment",
            Self::Channel { .. } => "channel",
            Self::Views { .. } => "views",
            Self::Undone { .. } => "undone",
            Self::Panic { .. } => "panic",
        }
    }
}

impl Life {
    pub(super) fn check(&mut self) -> Result<(), Breach> {
        self.ledger.forget_refused(&self.world);
        for host in 0..2 {
            let channels = self.world.hosts[host].node().map(Node::channels).unwrap_or_default();
            self.ledger.note_channels(&self.world, host, &channels);
            self.stored[host].refresh(&self.world.hosts[host]);
            self.is_misled[host] &= !self.world.sources[host].has_told();
        }
        if self.old.is_none() {
            self.check_disks()?;
            self.check_channels()?;
            self.check_money()?;
        }
        self.check_payments()
    }

    /// Nothing that the world has seen is ahead of what is durable (contract P2, P7).
    fn check_disks(&self) -> Result<(), Breach> {
        for host in 0..2 {
            let (ours, theirs) = (&self.stored[host], &self.stored[1 - host]);
            if let Some(what) = ours.damage.clone() {
                return Err(Breach::Unreadable { host, what });
            }
            let ahead = |what: String| Err(Breach::AheadOfDisk { host, what });
            for (id, numbers) in &ours.channels {
                let Some(peers) = theirs.channels.get(id).filter(|peers| !peers.is_over && !numbers.is_over)
                else {
                    continue;
                };
                if let Some(what) = numbers.lacks(peers) {
                    return ahead(format!("{what} ({numbers:?}, the peer {peers:?})"));
                }
            }
            for (payee, id) in &self.ledger.invoices {
                if *payee == host && !ours.incoming.contains_key(id) {
                    return ahead("an invoice that was shown".into());
                }
            }
            for event in self.world.hosts[host].events() {
                let is_kept = match event {
                    Event::PaymentSent { id, .. } => ours.outgoing.get(id) == Some(&true),
                    Event::PaymentReceived { id, .. } => ours.incoming.get(id) == Some(&true),
                    _ => true,
                };
                if !is_kept {
                    return ahead(format!("an event that was told: {event:?}"));
                }
            }
        }
        Ok(())
    }

    /// No channel ends but by its owners' wish, or before it was funded.
    fn check_channels(&self) -> Result<(), Breach> {
        for (host, this) in self.world.hosts.iter().enumerate() {
            let alone = this.events().find(|event| self.is_close_by_one(host, event));
            if let Some(event) = alone {
                return Err(Breach::Channel { host, what: format!("{event:?}") });
            }
            let channels = this.node().map(Node::channels).unwrap_or_default();
            for channel in channels {
                let is_dead = matches!(channel.state, "failed" | "frozen");
                if is_dead && self.ledger.channels.contains_key(&channel.channel_id) {
                    let what = format!("{}: {:?}", channel.state, channel.close_reason);
                    return Err(Breach::Channel { host, what });
                }
            }
            if let Some(Event::ActionRequired { what }) =
                this.events().find(|event| matches!(event, Event::ActionRequired { .. }))
            {
                return Err(Breach::Channel { host, what: what.clone() });
            }
        }
        Ok(())
    }

    fn is_close_by_one(&self, host: usize, event: &Event) -> bool {
        let Event::ChannelClosed { channel_id, reason, .. } = event else { return false };
        if reason.contains("together") {
            return false;
        }
        let funding = self.world.hosts[host].events().find_map(|event| match event {
            Event::ChannelPending { channel_id: pending, funding_txid, .. } if pending == channel_id => {
                Some(funding_txid)
            }
            _ => None,
        });
        // One whose funding transaction was never published was never more than a plan.
        funding.is_none_or(|txid| self.world.chain.transaction(txid).is_some())
    }

    /// What a wallet shows is what it was given and paid, less what it paid and the fees: to the millisatoshi, at any
    /// moment. Only a channel that is closing may have cost its opener the fee, or either what is too small for an output.
    fn check_money(&self) -> Result<(), Breach> {
        for host in 0..2 {
            let Some(node) = self.world.hosts[host].node() else { continue };
            let (owned, slack) = self.owned(host, node);
            let shown = node.balance().total.to_msat();
            // A server can hide what is in no block, until another one tells of it.
            let is_hidden = self.is_misled[host] && self.was_reorganised && shown < owned;
            if is_hidden {
                continue;
            }
            if shown > owned || shown + slack < owned {
                return Err(Breach::Money { host, shown, owned });
            }
        }
        Ok(())
    }

    fn owned(&self, host: usize, node: &Node) -> (u64, u64) {
        let (received, sent) = self.ledger.payments_of(&self.world, host);
        let fees: u64 = node
            .onchain_transactions()
            .iter()
            .filter_map(|transaction| transaction.fee)
            .map(|fee| fee.to_sat() * 1_000)
            .sum();
        let slack = self.ledger.channels.values().map(|channel| self.cost_of_close(host, channel)).sum();
        let given = self.ledger.given[host].to_sat() * 1_000;
        ((given + received).saturating_sub(sent + fees), slack)
    }

    fn cost_of_close(&self, host: usize, channel: &super::ledger::Funded) -> u64 {
        let Some(tx) = self.world.chain.spend_of(&channel.outpoint) else { return 0 };
        let paid_out: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        let fee = channel.capacity.to_sat().saturating_sub(paid_out);
        // Nobody gets an output that is not relayed.
        let dust = 546;
        if channel.opener == host { (fee + 1) * 1_000 } else { (dust + 1) * 1_000 }
    }

    /// One outcome a payment; what was told stays true; payer and payee agree.
    fn check_payments(&self) -> Result<(), Breach> {
        for (number, wish) in self.ledger.wishes.iter().enumerate() {
            let broken = |what: String| Err(Breach::Payment { number, payer: wish.payer, what });
            if self.old.is_some_and(|old| old == wish.payer || old == wish.payee) {
                continue;
            }
            let (sent, failed, received) = wish.told(&self.world);
            if sent + failed > 1 || received > 1 {
                return broken(format!("told sent, failed, received {:?} times", (sent, failed, received)));
            }
            let state = wish.state(&self.world);
            if sent == 1 && state.is_some_and(|state| !is_sent(state)) {
                return broken(format!("told that it was sent: {state:?}"));
            }
            if failed == 1 && state.is_some_and(|state| !is_failed(state)) {
                return broken(format!("told that it failed: {state:?}"));
            }
            self.check_both_ends(wish, state).or_else(broken)?;
        }
        Ok(())
    }

    fn check_both_ends(&self, wish: &Wish, state: Option<&OutgoingState>) -> Result<(), String> {
        let Some(state) = state else { return Ok(()) };
        if wish.must_fail && is_sent(state) {
            return Err("an invoice was paid that nobody has".into());
        }
        if self.world.hosts[wish.payee].node().is_none() {
            return Ok(());
        }
        let received = wish.received(&self.world);
        if is_sent(state) && received.is_none() {
            return Err("sent and not received".into());
        }
        // Of several payments to one invoice, one arrives.
        let is_only = self.ledger.wishes.iter().filter(|other| other.hash() == wish.hash()).count() == 1;
        if is_failed(state) && received.is_some() && is_only {
            return Err("failed and received".into());
        }
        if received.is_some_and(|msat| msat != wish.request.amount.to_msat()) {
            return Err(format!("{received:?} msat received of {}", wish.request.amount));
        }
        Ok(())
    }
}
