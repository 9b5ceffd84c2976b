//! What each step does to the world.

use super::base::ask_open;
use super::check::Breach;
use super::demands::Demand;
use super::stored::StoredState;
use super::{Life, Money, Step, ledger};
use crate::disk::{Disk, Mode};
use crate::random::Random;
use crate::world::GIVES_UP_WITHIN_SECS;
use kite_core::chain::{ChainFact, FeeRates};
use kite_core::node::{Command, Input, Node};
use kite_core::types::{ChannelId, FeeratePerKw};

/// How often everything is tried again for a crash that comes while it settles.
const TRIES: usize = 6;

impl Life {
    pub(super) fn carry_out(&mut self, step: Step) {
        match step {
            Step::Pay { by, how_much } => self.pay(by, how_much),
            Step::PayForgotten { by, msat } => self.ledger.pay(&mut self.world, by, msat, false),
            Step::PayAgain { by } => self.ledger.pay_again(&mut self.world, by),
            Step::Repeat { by } => self.ledger.repeat(&mut self.world, by),
            Step::Open { by, sat } => ask_open(&mut self.world, by, sat),
            Step::Close { by } => self.ask_close(by),
            Step::ForceClose { by } => self.force_close(by),
            Step::Cheat { by, looks } => self.cheat(by, looks),
            Step::FeeRate { host, sat_per_kw } => self.tell_feerate(host, sat_per_kw),
            Step::Deliver { pieces, order } => self.in_order(order, |life| life.world.deliver(pieces)),
            Step::Settle { order } => self.in_order(order, Self::settle),
            Step::Cut => self.world.cut(),
            Step::CutAt { delivery } => self.world.cut_at(delivery),
            Step::Crash { host, batch, how } => {
                let at = self.world.hosts[host].disk.batches() + batch;
                self.world.hosts[host].crash_at(at, how);
            }
            Step::Restart { host } => {
                self.world.crash(host);
                self.world.start(host);
            }
            Step::Off { host } => self.world.crash(host),
            Step::Neglect { host, blocks } => self.neglect(host, blocks),
            Step::Deaf { host } => self.world.deafen(host),
            Step::Store { host, mode } => self.set_store(host, mode),
            Step::Mine { blocks } | Step::Wait { blocks } => self.mine(blocks, |world| world.mine(1)),
            Step::Crowd { blocks } => self.mine(blocks, |world| world.mine_nothing(1)),
            Step::Swap { depth } => self.swap(depth),
            Step::Reorg { depth } => {
                self.world.chain.reorg(depth);
                self.was_reorganised = true;
                self.world.settle();
            }
            Step::Pass { secs } => self.world.pass(secs),
            Step::Silence { is_silent } => self.world.is_chain_silent = is_silent,
            Step::Lie { host, lie } => self.lie(host, lie),
            Step::Mislead { host, lie, steps } => self.mislead(host, lie, steps),
            Step::SecondInstance { host } => self.second_instance(host),
            Step::Copy { host } => self.copies[host] = Some(self.world.hosts[host].disk.clone()),
            Step::Restore { host } => {
                if let Some(disk) = self.copies[host].take() {
                    self.restore(host, disk);
                }
            }
        }
    }

    fn pay(&mut self, by: usize, how_much: Money) {
        let spendable = || self.world.hosts[by].node().map_or(0, largest_payment);
        let msat = match how_much {
            Money::Msat(msat) => msat,
            Money::All => spendable(),
            Money::TooMuch => spendable() + 1,
        };
        self.ledger.pay(&mut self.world, by, msat, true);
    }

    pub(super) fn ask_close(&mut self, by: usize) {
        let channels = self.world.hosts[by].node().map(Node::channels).unwrap_or_default();
        for channel in channels {
            self.world.ask(by, Command::CloseChannel { channel_id: channel.channel_id });
        }
    }

    pub(super) fn tell_feerate(&mut self, host: usize, sat_per_kw: u32) {
        let rate = FeeratePerKw::from_sat_per_kw(sat_per_kw);
        let rates = FeeRates::new(rate, rate, rate);
        self.world.input(host, Input::Chain(ChainFact::FeeRates(rates)));
    }

    fn in_order(&mut self, order: u32, act: impl FnOnce(&mut Self)) {
        self.world.random = (order > 0).then(|| Random::new(u64::from(order)));
        act(self);
        self.world.random = None;
    }

    pub(super) fn set_store(&mut self, host: usize, mode: Mode) {
        self.world.hosts[host].disk.mode = mode;
        let now = self.world.now();
        while mode == Mode::Prompt && self.world.hosts[host].acknowledge(now) {}
    }

    /// Everything that can happen happens. A device that is gone, or whose store failed, is started again; owners look,
    /// and ask again.
    pub(super) fn settle(&mut self) {
        self.wait_for_the_deaf();
        for _ in 0..TRIES {
            self.settle_stores();
            let stopped: Vec<usize> =
                (0..2).filter(|host| self.world.hosts[*host].halted().is_some()).collect();
            for host in stopped {
                if let Mode::Failing(_) = self.world.hosts[host].disk.mode {
                    self.set_store(host, Mode::Prompt);
                }
                self.world.crash(host);
            }
            let was_gone = self.world.restart_crashed();
            let was_cut = !self.world.is_connected(0, 1);
            if !was_gone && !was_cut {
                return;
            }
            self.world.connect();
            self.ledger.wish_again(&mut self.world);
        }
        self.settle_stores();
    }

    /// A peer that answers nothing costs its connection and no more: who is connected to it gives it up, and it hears again.
    fn wait_for_the_deaf(&mut self) {
        let Some(deaf) = self.world.deaf() else { return };
        self.world.pass(GIVES_UP_WITHIN_SECS + 1);
        // A node that stopped has no connections, whatever is opened to it.
        if self.world.talks_to_the_deaf() && self.world.hosts[1 - deaf].halted().is_none() {
            let what = "it is still connected to a peer that has not answered for a minute".into();
            self.breach.get_or_insert(Breach::Undone { host: 1 - deaf, what });
        }
        self.world.hear_again();
    }

    /// A slow store acknowledges when nothing else happens any more.
    fn settle_stores(&mut self) {
        loop {
            self.world.settle();
            let now = self.world.now();
            let acknowledged: u32 =
                self.world.hosts.iter_mut().map(|host| u32::from(host.acknowledge(now))).sum();
            if acknowledged == 0 {
                return;
            }
        }
    }

    /// Another process takes the store, shows an invoice, and ends; the device's own node has not heard of it.
    fn second_instance(&mut self, host: usize) {
        if let Mode::Failing(_) = self.world.hosts[host].disk.mode {
            return;
        }
        let (now, ahead) = (self.world.now(), 10_000 + self.world.hosts[host].disk.batches());
        let mut second = self.world.hosts[host].copy(u32::try_from(ahead).unwrap_or(0));
        second.start(now);
        while second.acknowledge(now) {}
        if let Some(id) = ledger::show_invoice(&mut second, now, 1_000_000).map(|(id, _)| id) {
            self.ledger.invoices.push((host, id));
        }
        second.crash();
        self.world.hosts[host].disk = second.disk;
    }

    /// An old copy of the store takes its place. If the peer has seen more than it holds, its owner has lost state.
    pub(super) fn restore(&mut self, host: usize, disk: Disk) {
        let peer = 1 - host;
        self.set_store(peer, Mode::Prompt);
        self.world.input(peer, Input::Flush);
        self.stored[host].refresh(&self.world.hosts[host]);
        let before = self.stored[host].clone();
        self.world.hosts[host].restore(disk);
        self.restored_at[host] = Some(self.world.published.len());
        self.world.carry_out();
        self.set_store(host, Mode::Prompt);
        for host in 0..2 {
            self.stored[host].read_again(&self.world.hosts[host]);
        }
        self.ledger.invoices.retain(|(payee, _)| *payee != host);
        self.world.start(host);
        let (ours, theirs) = (&self.stored[host], &self.stored[peer]);
        let is_old = theirs.channels.iter().any(|(id, peers)| match ours.channels.get(id) {
            Some(numbers) => numbers.state != peers.state || numbers.lacks(peers).is_some(),
            None => true,
        });
        if is_old || self.forgets_what_it_published(host, &before) {
            self.is_lost[host] = true;
            let all: Vec<ChannelId> =
                self.stored.iter().flat_map(|stored| stored.channels.keys()).copied().collect();
            all.into_iter().for_each(|id| self.ledger.demand(id, Demand::Loss(host)));
        }
    }

    /// Whether a copy lacks the commitment that its channel may have ended with, and with it what became of its HTLCs. The
    /// peer may have heard of nothing.
    fn forgets_what_it_published(&self, host: usize, before: &StoredState) -> bool {
        before.channels.iter().any(|(id, before)| {
            let copy = self.stored[host].channels.get(id);
            let is_older = copy.is_some_and(|copy| copy.local < before.local && copy.in_htlcs_msat > 0);
            is_older && !self.ledger.demands_of(id).is_empty()
        })
    }
}

/// The most that one payment can carry now.
fn largest_payment(node: &Node) -> u64 {
    node.channels().iter().map(|channel| channel.spendable.to_msat()).max().unwrap_or(0)
}
