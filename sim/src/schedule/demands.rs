//! Which rule ends a channel by one side alone. Without one of them no channel may.

use super::check::Breach;
use super::{Life, stored::ChannelNumbers};
use kite_core::node::{Event, Input, Node};
use kite_core::types::ChannelId;

/// What asks for the end of a channel, and of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Demand {
    /// Its owner wants it at once.
    Owner(usize),
    /// An HTLC that only the chain can settle any more (BOLT 2, `cltv_expiry_delta` Selection).
    Deadline(usize),
    /// It has lost state: whoever does not may publish a commitment (BOLT 2, Message Retransmission).
    Loss(usize),
}

/// So many blocks after a deadline at the latest, whoever hears of blocks has closed.
const ACTS_WITHIN: u32 = 3;
/// What the owner reads when a deadline came before the peer has shown that this copy is the newest (contract P10).
const FAILS_LATER: &str = "A channel cannot go on";
/// Why a wallet closes alone whose peer does not answer its wish to close together.
const UNANSWERED: &str = "its part of the close";
/// Every alarm that must never be raised asks for this.
const REPORT: &str = "report it";

impl Life {
    /// Notes the deadlines that have come.
    pub(super) fn note_deadlines(&mut self) {
        for host in 0..2 {
            if self.new_deadlines(host).next().is_some() {
                // What was settled may not be stored yet.
                self.world.input(host, Input::Flush);
                self.stored[host].refresh(&self.world.hosts[host]);
            }
            for id in self.new_deadlines(host).collect::<Vec<_>>() {
                self.ledger.demand(id, Demand::Deadline(host));
            }
        }
    }

    fn new_deadlines(&self, host: usize) -> impl Iterator<Item = ChannelId> + '_ {
        let height = self.world.chain.height();
        let channels = self.stored[host].channels.iter();
        let due = channels.filter(move |(_, it)| it.demanded_from.is_some_and(|from| from <= height));
        due.map(|(id, _)| *id).filter(move |id| !self.ledger.demands_of(id).contains(&Demand::Deadline(host)))
    }

    /// No channel ends but by a rule that asks for it, or before it was funded; and where one asks, it does.
    pub(super) fn check_channels(&self) -> Result<(), Breach> {
        for host in (0..2).filter(|host| !self.is_lost[*host]) {
            let broken = |what: String| Err(Breach::Channel { host, what });
            let this = &self.world.hosts[host];
            for event in this.events() {
                match event {
                    Event::ChannelClosed { channel_id, reason, .. }
                        if !reason.contains("together") && self.was_funded(host, channel_id) =>
                    {
                        self.check_demand(host, channel_id, reason).or_else(broken)?;
                    }
                    Event::ActionRequired { what }
                        if self.ledger.has_no_demand() || what.contains(REPORT) =>
                    {
                        return broken(what.clone());
                    }
                    _ => {}
                }
            }
            // What is not stored has not happened: neither the HTLC nor the end that it asks for.
            let is_stored = this.halted().is_none() && !this.owes_acknowledgement();
            for channel in this.node().map(Node::channels).unwrap_or_default() {
                let is_undemanded = is_stored && self.ledger.demands_of(&channel.channel_id).is_empty();
                let is_dead = channel.state == "frozen" || (channel.state == "failed" && is_undemanded);
                if is_dead && self.ledger.channels.contains_key(&channel.channel_id) {
                    return broken(format!("{}: {:?}", channel.state, channel.close_reason));
                }
            }
            if let Some(what) = self.misses_deadline(host) {
                return Err(Breach::Undone { host, what });
            }
        }
        Ok(())
    }

    fn check_demand(&self, host: usize, id: &ChannelId, reason: &str) -> Result<(), String> {
        let demands = self.ledger.demands_of(id);
        let is_demanded = match reason {
            "closed by the owner alone" => demands.contains(&Demand::Owner(host)),
            reason if reason.starts_with("HtlcKey") => demands.contains(&Demand::Deadline(host)),
            // Each is there and answers, or is not there (BOLT 2, Legacy Closing Negotiation).
            reason if reason.contains(UNANSWERED) => false,
            // The peer's affair, or its word, which must be heard (BOLT 1, The `error` Message).
            _ => !demands.is_empty(),
        };
        if is_demanded { Ok(()) } else { Err(format!("{reason:?}, and there was only {demands:?}")) }
    }

    /// One whose funding transaction was never published was never more than a plan.
    fn was_funded(&self, host: usize, id: &ChannelId) -> bool {
        let funding = self.world.hosts[host].events().find_map(|event| match event {
            Event::ChannelPending { channel_id, funding_txid, .. } if channel_id == id => Some(funding_txid),
            _ => None,
        });
        funding.is_none_or(|txid| self.world.chain.transaction(txid).is_some())
    }

    /// What a wallet that runs and hears of blocks has let pass.
    fn misses_deadline(&self, host: usize) -> Option<String> {
        let this = &self.world.hosts[host];
        let is_awake = this.halted().is_none() && !this.owes_acknowledgement();
        let (height, tip) = this.node().filter(|_| is_awake)?.tip();
        if tip != self.world.chain.tip() || self.was_told_to_wait(host) {
            return None;
        }
        let is_missed = |numbers: &&ChannelNumbers| {
            !numbers.is_over && numbers.demanded_from.is_some_and(|from| from + ACTS_WITHIN <= height)
        };
        let missed = self.stored[host].channels.values().find(is_missed)?;
        Some(format!("a deadline at {:?} is not looked at: {missed:?}", missed.demanded_from))
    }

    /// Whether an owner was told that a channel waits for its peer.
    pub(super) fn was_told_to_wait(&self, host: usize) -> bool {
        let is_it =
            |event: &Event| matches!(event, Event::ActionRequired { what } if what.starts_with(FAILS_LATER));
        self.world.hosts[host].events().any(is_it)
    }
}
