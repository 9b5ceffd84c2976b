//! Channels that are closed by one side alone: two hosts with a channel, and what their owners do to it.

use crate::disk::Disk;
use crate::world::World;
use bitcoin::{Amount, Transaction};
use kite_core::chain::{ChainFact, FeeRates};
use kite_core::node::{Command, Event, Input};
use kite_core::payment::{OutgoingState, PaymentRecord};
use kite_core::types::{FeeratePerKw, PaymentHash};

const EACH: Amount = Amount::from_sat(3_000_000);
/// Both anchors of a commitment stay where they are, and a commitment drops what is less than a satoshi.
const LEFT_BEHIND_MSAT: u64 = 660_000 + 2_000;

/// Two hosts with coins and a channel of a million satoshi, of which each has about half.
#[derive(Debug)]
pub struct Closes {
    /// Where it happens.
    pub world: World,
    /// Who pays whom.
    pub payments: Vec<(usize, PaymentHash)>,
}

impl Default for Closes {
    fn default() -> Self {
        Self::new()
    }
}

impl Closes {
    /// The channel is usable, and nothing is pending. All that comes to the chain is recorded.
    ///
    /// # Panics
    /// The wallets do not get so far; so do the other functions here.
    pub fn new() -> Self {
        let mut world = World::new(2);
        world.chain.record();
        world.give_coins(0, EACH);
        world.give_coins(1, EACH);
        world.connect();
        world.open_channel(0, 1);
        world.mine(6);
        assert!(world.pay(0, 1, 450_000_000), "{}", world.story());
        Self { world, payments: Vec::new() }
    }

    /// Host `by` pays the other; it is on its way when so many pieces are delivered.
    pub fn pay(&mut self, by: usize, msat: u64, pieces: u32) {
        let hash = self.world.ask_to_pay(by, 1 - by, msat);
        self.payments.push((by, hash));
        self.world.deliver(pieces);
    }

    /// The owner of host `by` closes the channel alone; nothing is waited for.
    pub fn force_close(&mut self, by: usize) {
        let channel_id = self.world.node(by).channels()[0].channel_id;
        self.world.ask(by, Command::ForceClose { channel_id });
    }

    /// Blocks come until nothing is left to do; several at a time, as if a wallet slept in between.
    pub fn run_out(&mut self) {
        for _ in 0..200 {
            self.world.chain.mine(7);
            self.world.mine(1);
            // Some is told a moment later (ADR 0008).
            self.world.pass(1);
            if self.world.restart_crashed() {
                self.world.settle();
                continue;
            }
            if (0..2).all(|host| self.world.node(host).channels().is_empty()) {
                return;
            }
        }
        panic!("it never ends: {}", self.world.story());
    }

    /// One outcome a payment, the same on both sides of the channel, and all money is there.
    pub fn check(&self, name: &str) {
        for (payer, hash) in &self.payments {
            let node = self.world.node(*payer);
            let expected = match node.payment_by_hash(hash) {
                Some(PaymentRecord::Outgoing(record)) => match &record.state {
                    OutgoingState::Sent { .. } => (1, 0, 1),
                    OutgoingState::Failed { .. } => (0, 1, 0),
                    other => panic!("{name}: undecided: {other:?}\n{}", self.world.story()),
                },
                _ => panic!("{name}: the payment is unknown\n{}", self.world.story()),
            };
            let count = |host: usize, is: &dyn Fn(&Event) -> bool| {
                self.world.hosts[host].events().filter(|event| is(event)).count()
            };
            let sents = count(
                *payer,
                &|event| matches!(event, Event::PaymentSent { payment_hash, .. } if payment_hash == hash),
            );
            let faileds = count(
                *payer,
                &|event| matches!(event, Event::PaymentFailed { payment_hash, .. } if payment_hash == hash),
            );
            let received = count(
                1 - payer,
                &|event| matches!(event, Event::PaymentReceived { payment_hash, .. } if payment_hash == hash),
            );
            assert_eq!((sents, faileds, received), expected, "{name}\n{}", self.world.story());
        }
        self.check_money(name);
    }

    fn check_money(&self, name: &str) {
        let total: u64 = (0..2).map(|host| self.world.node(host).balance().total.to_msat()).sum();
        let fees: Amount = self.world.chain.wallet_transactions().map(|(_, fee)| fee).sum();
        let given = (EACH + EACH).to_sat() * 1_000;
        let missing = i128::from(given) - i128::from(total) - i128::from(fees.to_sat() * 1_000);
        let range = 0..=i128::from(LEFT_BEHIND_MSAT);
        assert!(range.contains(&missing), "{name}: {missing} msat are gone\n{}", self.world.story());
    }

    /// All that a host has, in satoshi.
    pub fn total_sat(&self, host: usize) -> u64 {
        self.world.node(host).balance().total.to_msat() / 1_000
    }

    /// What a copy of a host publishes, switched on with an old disk and told to close by force.
    pub fn old_commitment(&self, host: usize, disk: &Disk) -> Transaction {
        self.world.hosts[host].old_commitment(self.world.now(), disk)
    }

    /// Both close together after host 0 has paid, five blocks deep; and the commitment of host 0 from before the payment.
    pub fn closed_together_after_a_payment() -> (Self, Transaction) {
        let mut closes = Self::new();
        let disk = closes.world.hosts[0].disk.clone();
        assert!(closes.world.pay(0, 1, 300_000_000));
        let commitment = closes.old_commitment(0, &disk);
        let channel_id = closes.world.node(0).channels()[0].channel_id;
        closes.world.command(0, Command::CloseChannel { channel_id });
        closes.world.mine(5);
        (closes, commitment)
    }

    /// Both hosts hear of one fee rate for everything.
    pub fn feerates(&mut self, sat_per_kw: u32) {
        for host in 0..2 {
            let rate = FeeratePerKw::from_sat_per_kw(sat_per_kw);
            let rates = FeeRates::new(rate, rate, rate);
            self.world.input(host, Input::Chain(ChainFact::FeeRates(rates)));
        }
    }

    /// The state before the last payment, published by `cheater` while the other sleeps so many blocks, and what the
    /// victim had before, in satoshi. An HTLC is pending in that state.
    pub fn cheated(cheater: usize, asleep_blocks: u32) -> (Self, u64) {
        let mut closes = Self::new();
        let victim = 1 - cheater;
        closes.pay(cheater, 40_000_000, 4);
        let disk = closes.world.hosts[cheater].disk.clone();
        closes.world.settle();
        assert!(closes.world.pay(cheater, victim, 300_000_000), "{}", closes.world.story());
        let before = closes.total_sat(victim);
        let commitment = closes.old_commitment(cheater, &disk);
        closes.world.crash(cheater);
        closes.world.settle();
        if asleep_blocks > 0 {
            closes.world.crash(victim);
        }
        closes.world.chain.submit(&commitment).unwrap();
        if asleep_blocks > 0 {
            closes.world.chain.mine(asleep_blocks);
            closes.world.start(victim);
        }
        closes.world.mine(1);
        (closes, before)
    }
}
