//! What must be true after every step, whatever happened.

use super::Life;
use super::depth::REASONABLE_DEPTH;
use super::ledger::{Wish, is_failed, is_sent};
use super::trace::{End, LEAST_CLAIMED, Settled, Trace, trace};
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
    /// An output of a channel that nobody spent, or who should not have it did.
    #[error("of a channel on the chain: {what}")]
    Output {
        /// What is wrong.
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
    /// A transaction that no full node takes, and nothing explains it.
    #[error("{host} published what no node takes: {what}")]
    Refused {
        /// Who.
        host: usize,
        /// Why it was not taken.
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
            Self::Output { .. } => "output",
            Self::Undone { .. } => "undone",
            Self::Refused { .. } => "refused",
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
            self.ledger.note_htlcs(&self.stored[host].htlcs);
            // A node that stopped takes nothing in.
            let has_heard = self.world.sources[host].has_told()
                && self.world.tellings[host].is_none()
                && self.world.hosts[host].halted().is_none();
            self.is_misled[host] &= !has_heard;
        }
        self.breach.take().map_or(Ok(()), Err)?;
        if let Some((host, rejected)) = self.world.refused.iter().flatten().next() {
            return Err(Breach::Refused { host: *host, what: rejected.to_string() });
        }
        self.check_depths()?;
        self.note_deadlines();
        self.check_disks()?;
        self.check_channels()?;
        self.check_money()?;
        self.check_closes()?;
        self.check_payments()
    }

    /// Nothing that the world has seen is ahead of what is durable (contract P2, P7). Who has lost state lacks what its peer
    /// has; what it was told and has shown since is on its disk all the same.
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
                if let Some(what) = numbers.lacks(peers).filter(|_| !self.is_lost[host]) {
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

    /// One outcome a payment; what was told stays true; payer and payee agree.
    fn check_payments(&self) -> Result<(), Breach> {
        for (number, wish) in self.ledger.wishes.iter().enumerate() {
            let broken = |what: String| Err(Breach::Payment { number, payer: wish.payer, what });
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
            if !self.is_lost[wish.payer] && !self.is_lost[wish.payee] {
                self.check_both_ends(wish, state).or_else(broken)?;
            }
        }
        Ok(())
    }

    /// Whether the payer may be told that it failed although it was received: a commitment ended the channel, so deep that
    /// it stays, in which an HTLC so small has no output, or none that is worth its fee, and none was claimed. Who has given
    /// away its preimage gets nothing, and nothing tells the payer of it (BOLT 5, Unilateral Close Handling).
    pub(super) fn may_be_left(&self, wish: &Wish) -> bool {
        if self.is_lost_by_neglect(wish) {
            return true;
        }
        let is_small = wish.request.amount.to_amount_floor() < LEAST_CLAIMED;
        let chain = &self.world.chain;
        let is_left = |trace: Trace<'_>| {
            let shows = |end: &End<'_>| end.settled == Some(Settled::Preimage) && end.is_of(&wish.hash());
            let depth = chain.depth(&trace.commitment.compute_txid());
            depth.is_some_and(|depth| depth >= REASONABLE_DEPTH) && !trace.ends.iter().any(shows)
        };
        let mut carriers = self.ledger.carriers(wish.hash());
        is_small && carriers.any(|channel| trace(chain, channel.outpoint).is_some_and(is_left))
    }

    /// Whether it has failed for the payer and arrived for the payee, and must not.
    pub(super) fn is_torn(&self, wish: &Wish) -> bool {
        // Of several payments to one invoice, one arrives.
        let is_only = self.ledger.wishes.iter().filter(|other| other.hash() == wish.hash()).count() == 1;
        let has_failed = wish.state(&self.world).is_some_and(is_failed);
        has_failed && is_only && wish.received(&self.world).is_some() && !self.may_be_left(wish)
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
        if self.is_torn(wish) {
            return Err("failed and received".into());
        }
        if received.is_some_and(|msat| msat != wish.request.amount.to_msat()) {
            return Err(format!("{received:?} msat received of {}", wish.request.amount));
        }
        Ok(())
    }
}
