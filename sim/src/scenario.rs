//! What owners do, step by step, and what must be true when the dust has settled, whatever crashed on the way.

use crate::disk::{Fault, Mode};
use crate::host::{CRASHES, Crash, Host};
use crate::random::Random;
use crate::wishes::request;
use crate::world::World;
use bitcoin::Amount;
use bitcoin::hashes::sha256;
use kite_core::chain::{ChainFact, FeeRates};
use kite_core::invoice::Invoice;
use kite_core::node::{Answer, Command, Event, Input, SendRequest};
use kite_core::payment::{OutgoingState, PaymentRecord};
use kite_core::types::{FeeratePerKw, MilliSatoshi, PaymentHash, PaymentId};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Opens a channel with the other host.
    Open {
        /// Who.
        by: usize,
        /// Capacity.
        sat: u64,
    },
    /// Pays the other host. It is on its way when the step ends, no more.
    Pay {
        /// Who.
        by: usize,
        /// How much.
        msat: u64,
    },
    /// Pays an invoice that the payee has forgotten.
    PayForgotten {
        /// Who.
        by: usize,
        /// How much.
        msat: u64,
    },
    /// Closes every channel.
    Close {
        /// Who.
        by: usize,
    },
    /// The fee rates that a host hears of.
    FeeRate {
        /// Who.
        host: usize,
        /// The same for every urgency.
        sat_per_kw: u32,
    },
    /// Delivers at most so many pieces.
    Deliver(u32),
    /// Breaks the streams; the next settling connects again.
    Cut,
    /// A device is switched off and on.
    Restart(usize),
    /// Mines blocks.
    Mine(u32),
    /// Replaces so many blocks by more.
    Reorg(u32),
    /// Time passes.
    Pass(u64),
    /// Everything that can happen happens.
    Settle,
}

/// Steps with a name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What was before; nothing crashes here.
    pub before: &'static [Transition],
    /// What is done.
    pub steps: &'static [Transition],
}

/// How often one wish is repeated after crashes before it counts as lost.
const TRIES: usize = 4;

/// What a payment is expected to become.
#[derive(Clone, Debug)]
struct Expected {
    payer: usize,
    payee: usize,
    id: PaymentId,
    hash: PaymentHash,
    request: SendRequest,
    arrives: bool,
}

/// A scenario under way.
#[derive(Debug)]
pub struct Run {
    /// Where it happens.
    pub world: World,
    payments: Vec<Expected>,
    next_payment: u64,
    opens: Vec<(usize, u64)>,
    is_closed: bool,
    given: Amount,
    name: String,
}

impl Scenario {
    /// Everything that was before, done.
    pub fn prepare(&self) -> Run {
        let mut run = Run::new(self.name.into());
        run.take_all(self.before);
        run.settle();
        run
    }

    /// Runs without a crash and checks. Tells how many batches each host asked for in the steps, and the transcript.
    pub fn run(&self) -> ([u64; 2], sha256::Hash) {
        let prepared = self.prepare();
        let mut run = prepared.again("no crash".into());
        for host in &mut run.world.hosts {
            host.check_disk();
        }
        let before = run.batches();
        run.take_all(self.steps);
        run.finish();
        let after = run.batches();
        ([after[0] - before[0], after[1] - before[1]], run.world.transcript())
    }

    /// Crashes each host around each batch in each way, and checks each time. Tells how many runs that were.
    pub fn crash_everywhere(&self) -> usize {
        let (batches, _) = self.run();
        let prepared = self.prepare();
        let mut runs = 0;
        for (host, count) in batches.into_iter().enumerate() {
            for batch in 1..=count {
                for crash in CRASHES {
                    self.crash_once(&prepared, host, batch, crash);
                    runs += 1;
                }
            }
        }
        runs
    }

    /// Breaks all streams instead of each delivery, and checks each time. Tells how many runs that were.
    pub fn cut_everywhere(&self) -> u64 {
        let prepared = self.prepare();
        let mut run = prepared.again("to count".into());
        let before = run.world.delivered();
        run.take_all(self.steps);
        let deliveries = run.world.delivered() - before;
        for delivery in 1..=deliveries {
            let mut run = prepared.again(format!("cut at delivery {delivery}"));
            run.world.cut_at(delivery);
            run.take_all(self.steps);
            run.finish();
        }
        deliveries
    }

    /// Lets chance decide in which order bytes arrive, stores acknowledge and blocks are heard of. Gives the transcript.
    pub fn run_at_random(&self, prepared: &Run, seed: u64) -> sha256::Hash {
        let mut run = prepared.again(format!("random order {seed}"));
        run.world.random = Some(Random::new(seed));
        for host in &mut run.world.hosts {
            host.disk.mode = Mode::Delayed;
        }
        run.take_all(self.steps);
        run.finish();
        run.world.transcript()
    }

    /// The first crash after which a broken promise is noticed, and how.
    pub fn notices(&self, fault: Fault) -> Option<String> {
        let (batches, _) = self.run();
        let prepared = self.prepare();
        for (host, count) in batches.into_iter().enumerate() {
            for (batch, crash) in (1..=count).flat_map(|batch| CRASHES.map(|crash| (batch, crash))) {
                let mut faulty = prepared.again(format!("{fault:?}"));
                faulty.world.hosts.iter_mut().for_each(|host| host.disk.fault = Some(fault));
                let run = || self.crash_once(&faulty, host, batch, crash);
                if let Err(complaint) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
                    let text = complaint.downcast_ref::<String>().cloned().unwrap_or_default();
                    return Some(text);
                }
            }
        }
        None
    }

    fn crash_once(&self, prepared: &Run, host: usize, batch: u64, crash: Crash) {
        let mut run = prepared.again(format!("host {host} crashes ({crash:?}) at batch {batch}"));
        let at = run.batches()[host] + batch;
        run.world.hosts[host].crash_at(at, crash);
        run.take_all(self.steps);
        run.finish();
    }
}

impl Run {
    /// Two hosts with coins, connected.
    pub fn new(name: String) -> Self {
        let mut world = World::new(2);
        let each = Amount::from_sat(3_000_000);
        world.give_coins(0, each);
        world.give_coins(1, each);
        world.connect();
        Self {
            world,
            payments: Vec::new(),
            next_payment: 0,
            opens: Vec::new(),
            is_closed: false,
            given: each + each,
            name,
        }
    }

    fn again(&self, what: String) -> Self {
        Self {
            world: self.world.again(),
            payments: self.payments.clone(),
            next_payment: self.next_payment,
            opens: self.opens.clone(),
            is_closed: self.is_closed,
            given: self.given,
            name: format!("{}: {what}", self.name),
        }
    }

    fn batches(&self) -> [u64; 2] {
        [0, 1].map(|host| self.world.hosts[host].disk.batches())
    }

    fn take_all(&mut self, steps: &[Transition]) {
        for step in steps {
            self.take(*step);
        }
    }

    /// Takes one step.
    pub fn take(&mut self, step: Transition) {
        match step {
            Transition::Open { by, sat } => self.open(by, sat),
            Transition::Pay { by, msat } => self.pay(by, msat, true),
            Transition::PayForgotten { by, msat } => self.pay(by, msat, false),
            Transition::Close { by } => self.close(by),
            Transition::FeeRate { host, sat_per_kw } => {
                let rate = FeeratePerKw::from_sat_per_kw(sat_per_kw);
                let rates = FeeRates::new(rate, rate, rate);
                self.world.input(host, Input::Chain(ChainFact::FeeRates(rates)));
            }
            Transition::Deliver(pieces) => self.world.deliver(pieces),
            Transition::Cut => self.world.cut(),
            Transition::Restart(host) => {
                self.revive_crashed();
                self.world.crash(host);
                self.world.start(host);
            }
            Transition::Mine(count) => {
                self.revive();
                for _ in 0..count {
                    self.world.mine(1);
                    self.revive();
                }
            }
            Transition::Reorg(depth) => {
                self.world.chain.reorg(depth);
                self.world.settle();
            }
            Transition::Pass(secs) => self.world.pass(secs),
            Transition::Settle => self.settle(),
        }
    }

    /// Everything that can happen happens; who crashed starts again and wishes again.
    pub fn settle(&mut self) {
        self.world.connect();
        for _ in 0..TRIES {
            if !self.revive() {
                return;
            }
        }
    }

    fn revive(&mut self) -> bool {
        self.world.settle();
        let was_cut = self.world.take_was_cut();
        if was_cut {
            self.world.connect();
            self.wish_again();
            self.world.settle();
        }
        self.revive_crashed() || was_cut
    }

    fn revive_crashed(&mut self) -> bool {
        if !self.world.restart_crashed() {
            return false;
        }
        self.world.connect();
        self.wish_again();
        self.world.settle();
        true
    }

    /// An owner whose app crashed looks, and asks again for what is not there.
    fn wish_again(&mut self) {
        for payment in self.payments.clone() {
            let known = self.world.hosts[payment.payer]
                .node()
                .is_some_and(|node| node.payment(&payment.id).is_some());
            if !known {
                self.world.ask(payment.payer, Command::Send(Box::new(payment.request)));
            }
        }
        for (by, sat) in self.opens.clone() {
            let has = self.world.hosts[by].node().is_some_and(|node| !node.channels().is_empty());
            if !has && !self.is_closed {
                self.ask_open(by, sat);
            }
        }
        if self.is_closed {
            self.ask_close(0);
        }
    }

    fn open(&mut self, by: usize, sat: u64) {
        self.opens.push((by, sat));
        self.ask_open(by, sat);
    }

    fn ask_open(&mut self, by: usize, sat: u64) {
        let feerate = FeeratePerKw::from_sat_per_kw(500);
        let node_id = self.world.node_id(1 - by);
        self.world.ask(by, Command::OpenChannel { node_id, amount: Amount::from_sat(sat), feerate });
    }

    fn close(&mut self, by: usize) {
        self.is_closed = true;
        self.ask_close(by);
    }

    fn ask_close(&mut self, by: usize) {
        let channels = self.world.hosts[by].node().map(kite_core::node::Node::channels).unwrap_or_default();
        for channel in channels {
            self.world.ask(by, Command::CloseChannel { channel_id: channel.channel_id });
        }
    }

    fn pay(&mut self, by: usize, msat: u64, arrives: bool) {
        let payee = 1 - by;
        let invoice = match arrives {
            true => self.invoice(payee, msat),
            false => self.forgotten_invoice(payee, msat),
        };
        self.next_payment += 1;
        let request = request(self.next_payment, invoice, msat);
        let hash = request.invoice.payment_hash;
        self.payments.push(Expected {
            payer: by,
            payee,
            id: request.id,
            hash,
            request: request.clone(),
            arrives,
        });
        self.world.ask(by, Command::Send(Box::new(request)));
    }

    fn invoice(&mut self, payee: usize, msat: u64) -> Invoice {
        for _ in 0..TRIES {
            let now = self.world.now();
            let host = &mut self.world.hosts[payee];
            let id = host.command(now, make_invoice(msat));
            while host.answer(id).is_none() && host.acknowledge(now) {}
            match host.answer(id).cloned() {
                Some(Ok(Answer::Invoice { invoice, .. })) => {
                    return Invoice::decode(&invoice).expect("our own invoices are valid");
                }
                Some(other) => panic!("{}: {other:?}", self.name),
                None => self.settle(),
            }
        }
        panic!("{}: no invoice: {}", self.name, self.world.story())
    }

    /// The payee's own copy makes it, and the payee never hears of it.
    fn forgotten_invoice(&self, payee: usize, msat: u64) -> Invoice {
        let mut copy = self.world.hosts[payee].copy(1_000 + u32::try_from(self.next_payment).unwrap_or(0));
        copy.disk.mode = Mode::Prompt;
        copy.start(self.world.now());
        let Some(Ok(Answer::Invoice { invoice, .. })) =
            copy.try_command(self.world.now(), make_invoice(msat))
        else {
            panic!("{}: no invoice", self.name)
        };
        Invoice::decode(&invoice).expect("our own invoices are valid")
    }

    /// Settles for good and checks everything.
    pub fn finish(&mut self) {
        self.settle();
        self.world.pass(5);
        self.settle();
        self.check_payments();
        if self.is_closed {
            self.check_closed();
        } else if !self.opens.is_empty() {
            if self.world.node(0).channels().iter().any(|channel| !channel.is_usable) {
                self.world.mine(6);
                self.settle();
            }
            self.check_open();
            for by in [0, 1] {
                self.pay_if_possible(by);
            }
            self.settle();
            self.check_payments();
            self.check_open();
        }
        self.check_money();
    }

    /// Liveness: whoever has something to send can send it.
    fn pay_if_possible(&mut self, by: usize) {
        if self.world.node(by).balance().spendable.to_msat() > 5_000_000 {
            self.pay(by, 2_000_000, true);
            self.settle();
        }
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{}: {what}\n{}", self.name, self.world.story())
    }

    /// Each payment has one outcome, the same on both sides.
    fn check_payments(&self) {
        for payment in &self.payments {
            let sent = match self.world.node(payment.payer).payment(&payment.id) {
                Some(PaymentRecord::Outgoing(record)) => match &record.state {
                    OutgoingState::Sent { .. } => true,
                    OutgoingState::Failed { .. } => false,
                    other => self.fail(&format!("payment {:?} is undecided: {other:?}", payment.id)),
                },
                other => self.fail(&format!("payment {:?} is unknown: {other:?}", payment.id)),
            };
            // What was lost in a crash and wished again may come too late for the channel.
            let is_too_late = self.is_closed && !sent;
            if sent != payment.arrives && !is_too_late {
                self.fail(&format!("payment {:?} of {}: sent {sent}", payment.id, payment.payer));
            }
            let events = |host: usize, is: fn(&Event) -> Option<PaymentHash>| {
                self.world.hosts[host].events().filter(|event| is(event) == Some(payment.hash)).count()
            };
            let counts = (
                events(payment.payer, is_sent),
                events(payment.payer, is_failed),
                events(payment.payee, is_received),
            );
            let expected = if sent { (1, 0, 1) } else { (0, 1, 0) };
            if counts != expected {
                self.fail(&format!("sent, failed, received events of {:?}: {counts:?}", payment.id));
            }
        }
    }

    /// One channel, usable, about which both sides think the same.
    fn check_open(&self) {
        let [ours, theirs] = [0, 1].map(|host| self.world.node(host).channels());
        let ([ours], [theirs]) = (&ours[..], &theirs[..]) else { self.fail("not one channel on each side") };
        if !ours.is_usable || !theirs.is_usable {
            self.fail("the channel is not usable");
        }
        let sum = ours.local_balance.saturating_add(theirs.local_balance);
        if sum != MilliSatoshi::from_amount(ours.capacity)
            || ours.in_flight.to_msat() + theirs.in_flight.to_msat() != 0
        {
            self.fail("the balances are not the capacity");
        }
        for host in &self.world.hosts {
            if host.events().any(|event| self.is_loss(host, event)) {
                self.fail("a channel was closed");
            }
        }
    }

    /// A channel ended whose funding transaction was published. An opener that crashes before that forgets it.
    fn is_loss(&self, host: &Host, event: &Event) -> bool {
        let Event::ChannelClosed { channel_id: closed, .. } = event else { return false };
        let funding = host.events().find_map(|event| match event {
            Event::ChannelPending { channel_id, funding_txid, .. } if channel_id == closed => {
                Some(funding_txid)
            }
            _ => None,
        });
        funding.is_none_or(|txid| self.world.chain.transaction(txid).is_some())
    }

    /// Both got their money, by one transaction that both signed.
    fn check_closed(&mut self) {
        self.world.mine(1);
        self.settle();
        for host in 0..2 {
            let channels = self.world.node(host).channels();
            if channels.iter().any(|channel| channel.state != "closing") {
                self.fail("a channel is not closing");
            }
            let alone = |event: &Event| matches!(event, Event::ChannelClosed { reason, .. } if !reason.contains("together"));
            if self.world.hosts[host].events().any(alone) {
                self.fail("a channel was closed by one alone");
            }
        }
    }

    /// What both have and what was paid in fees is what was given.
    fn check_money(&self) {
        let total: u64 = [0, 1].iter().map(|host| self.world.node(*host).balance().total.to_msat()).sum();
        let fees: Amount = self.world.chain.wallet_transactions().map(|(_, fee)| fee).sum();
        let missing = self.given.to_sat() * 1_000 - fees.to_sat() * 1_000 - total;
        // A close drops what is less than a satoshi.
        if missing > 2_000 {
            self.fail(&format!("{missing} msat are gone (fees {fees})"));
        }
    }
}

fn make_invoice(msat: u64) -> Command {
    let amount = Some(MilliSatoshi::from_msat(msat));
    Command::MakeInvoice { amount, description: "sim".into(), expiry_secs: 360_000 }
}

fn is_sent(event: &Event) -> Option<PaymentHash> {
    match event {
        Event::PaymentSent { payment_hash, .. } => Some(*payment_hash),
        _ => None,
    }
}

fn is_failed(event: &Event) -> Option<PaymentHash> {
    match event {
        Event::PaymentFailed { payment_hash, .. } => Some(*payment_hash),
        _ => None,
    }
}

fn is_received(event: &Event) -> Option<PaymentHash> {
    match event {
        Event::PaymentReceived { payment_hash, .. } => Some(*payment_hash),
        _ => None,
    }
}
