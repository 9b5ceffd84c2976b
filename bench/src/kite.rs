//! Two Kite nodes and nothing else: bytes go from one to the other, batches are acknowledged at once.

use crate::meter::{Meter, Section};
use bitcoin::Amount;
use kite_core::chain::ChainFact;
use kite_core::crypto::Seed;
use kite_core::invoice::Invoice;
use kite_core::node::{Answer, Command, CommandId, Event, Input, Node, NodeConfig, Output, SendRequest};
use kite_core::store::Stored;
use kite_core::types::{ConnId, FeeratePerKw, MilliSatoshi, Now, PaymentId};
use kite_sim::chain::Source;
use kite_sim::disk::Disk;
use kite_sim::host::Host;
use kite_sim::world::World;
use std::collections::VecDeque;

/// What both sides pay, in millisatoshi: no dust.
pub const AMOUNT_MSAT: u64 = 10_000_000;
/// The largest channel without `option_support_large_channel`.
pub const CAPACITY: Amount = Amount::from_sat(16_000_000);
/// The number of the first payment after a start: none before it had one so high.
const FIRST_AFTER_START: u64 = 1 << 32;
/// What LDK takes by default.
const MAX_ACCEPTED_HTLCS: u16 = 50;

/// Two nodes with channels between them, as they are stored: whoever starts from this does the same.
#[derive(Clone, Debug)]
pub struct Start {
    disks: [Disk; 2],
    facts: [Vec<ChainFact>; 2],
    now: Now,
}

/// Two running nodes.
#[derive(Debug)]
pub struct Pair {
    sides: [Side; 2],
    now: Now,
    next_payment: u64,
}

#[derive(Debug)]
struct Side {
    node: Node,
    disk: Disk,
    conn: Option<ConnId>,
    inbox: Vec<u8>,
    outputs: Vec<Output>,
    /// The last event that the app has not dealt with.
    event: Option<u64>,
    sent: usize,
    answers: Vec<Answer>,
    batches: usize,
    bytes: usize,
}

/// What of the nodes' work goes into a section.
#[derive(Debug)]
pub enum Watch<'a> {
    /// None of it here: the caller takes all at once.
    None,
    /// Notes after how many outputs each input left the node idle.
    Script(&'a mut VecDeque<usize>),
    /// What a node does until its last output is out. By the noted script, since it does the same each time; what it
    /// does after that, while it is idle, is left out.
    UntilOut(&'a Meter, &'a mut Section, &'a mut VecDeque<usize>),
    /// Everything that the second node does.
    Payee(&'a Meter, &'a mut Section),
}

fn config() -> NodeConfig {
    let mut config = Host::config();
    config.channel.max_accepted_htlcs = MAX_ACCEPTED_HTLCS;
    config
}

impl Start {
    /// So many channels, all opened by the first node.
    pub fn new(channels: usize) -> Self {
        let mut world = World::new(2);
        for (seed, host) in (1..).zip(0..2) {
            world.hosts[host] = Host::new(seed, config());
            world.start(host);
        }
        world.settle();
        world.give_coins(0, CAPACITY * (channels as u64 + 1));
        world.connect();
        let node_id = world.node_id(1);
        for _ in 0..channels {
            let open = Command::OpenChannel { node_id, amount: CAPACITY, feerate: FeeratePerKw::FLOOR };
            let answer = world.command(0, open);
            assert!(matches!(answer, Some(Ok(Answer::ChannelOpening { .. }))), "{answer:?}");
            world.mine(6);
        }
        assert!(world.node(0).channels().iter().all(|channel| channel.is_usable), "{}", world.story());
        world.pass(1);
        let facts = [0, 1].map(|host| {
            // As far as the node itself has it: it is told the rest.
            let mut node = load(host, &world.hosts[host].disk.stored(), world.now());
            while !matches!(node.poll_output(), Output::Idle { .. }) {}
            Source::default().news(&world.chain, &node)
        });
        Self { disks: [world.hosts[0].disk.clone(), world.hosts[1].disk.clone()], facts, now: world.now() }
    }

    /// Both nodes, started and connected.
    pub fn run(&self) -> Pair {
        let sides = [0, 1].map(|side| self.side(side));
        let mut pair = Pair { sides, now: self.now, next_payment: 1 };
        for side in [0, 1] {
            for fact in self.facts[side].clone() {
                pair.give(side, Input::Chain(fact), &mut Watch::None);
            }
        }
        pair.give(0, Input::Hurry, &mut Watch::None);
        pair.settle(&mut Watch::None);
        assert!(pair.sides[0].node.channels().iter().all(|channel| channel.is_usable));
        pair
    }

    /// Started, until it has nothing more to do.
    fn side(&self, index: usize) -> Side {
        let disk = self.disks[index].clone();
        let mut side = Side::new(load(index, &disk.stored(), self.now), disk);
        while side.poll(self.now) {}
        side
    }

    /// The second node from its store, until it has nothing more to do.
    pub fn start_payee(&self) -> Node {
        let side = self.side(1);
        side.node
    }

    /// The second node starts, is reached by the first and offered an HTLC, and signs the first one's commitment. Only
    /// what the second node does is taken.
    pub fn until_first_reply(&self, meter: &Meter, section: &mut Section, invoice: Invoice) {
        let payer = self.side(0);
        let payee = meter.part(section, || self.side(1));
        let mut pair = Pair { sides: [payer, payee], now: self.now, next_payment: FIRST_AFTER_START };
        for fact in self.facts[0].clone() {
            pair.give(0, Input::Chain(fact), &mut Watch::None);
        }
        // It waits for the channel.
        pair.start_paying(vec![invoice], &mut Watch::None);
        let mut watch = Watch::Payee(meter, section);
        pair.sides[0].node.handle_input(self.now, Input::Hurry);
        pair.give(0, Input::Wake, &mut watch);
        let is_online = |pair: &Pair| pair.sides[0].node.channels().iter().all(|channel| channel.is_usable);
        loop {
            let was_online = is_online(&pair);
            let moved = pair.deliver(&mut watch);
            if was_online && pair.sides[0].inbox.is_empty() && !moved {
                panic!("the payee does not answer");
            }
            // The payer's channels were online when the payee got its bytes: the HTLC was among them.
            if was_online && !pair.sides[0].inbox.is_empty() {
                return;
            }
        }
    }
}

/// Starts a node.
pub fn load(side: usize, stored: &Stored, now: Now) -> Node {
    let seed = if side == 0 { 1 } else { 2 };
    let mut entropy = [seed; 32];
    entropy[0] = 0xff;
    Node::load(&Seed::new([seed; 64]), &[seed; 32], entropy, config(), stored, now)
        .expect("what was stored loads")
}

impl Pair {
    /// An invoice of the second node.
    pub fn invoice(&mut self) -> Invoice {
        let command = Command::MakeInvoice {
            amount: Some(MilliSatoshi::from_msat(AMOUNT_MSAT)),
            description: "tea".into(),
            expiry_secs: 3_600,
        };
        self.command(1, command, &mut Watch::None);
        let Some(Answer::Invoice { invoice, .. }) = self.sides[1].answers.pop() else { panic!("no invoice") };
        Invoice::decode(&invoice).expect("its own invoice")
    }

    /// The first node pays invoices of the second, all at once; until both have written everything.
    pub fn pay(&mut self, invoices: Vec<Invoice>) {
        let count = invoices.len();
        self.start_paying(invoices, &mut Watch::None);
        self.settle(&mut Watch::None);
        self.tidy_up();
        self.assert_paid(count);
    }

    /// As [`Pair::pay`], taking the part between what comes in and what goes out.
    pub fn pay_watched(&mut self, invoices: Vec<Invoice>, watch: &mut Watch<'_>) {
        let count = invoices.len();
        self.start_paying(invoices, watch);
        self.settle(watch);
        self.tidy_up();
        self.assert_paid(count);
    }

    fn start_paying(&mut self, invoices: Vec<Invoice>, watch: &mut Watch<'_>) {
        for invoice in invoices {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&self.next_payment.to_be_bytes());
            self.next_payment += 1;
            let request = SendRequest {
                id: PaymentId(id),
                amount: MilliSatoshi::from_msat(AMOUNT_MSAT),
                invoice,
                max_fee: MilliSatoshi::ZERO,
                timeout_secs: 60,
                note: None,
            };
            self.command(0, Command::Send(Box::new(request)), watch);
        }
    }

    /// The app deals with the events, and a second later the rest is written.
    fn tidy_up(&mut self) {
        self.now.mono = self.now.mono.plus_secs(1);
        self.now.unix.0 += 1;
        for side in [0, 1] {
            if let Some(seq) = self.sides[side].event.take() {
                self.give(side, Input::EventHandled { seq }, &mut Watch::None);
            }
            self.give(side, Input::Wake, &mut Watch::None);
        }
        self.settle(&mut Watch::None);
    }

    fn assert_paid(&mut self, count: usize) {
        assert_eq!(std::mem::take(&mut self.sides[0].sent), count, "paid");
    }

    fn command(&mut self, side: usize, command: Command, watch: &mut Watch<'_>) {
        self.give(side, Input::Command { id: CommandId(1), command: Box::new(command) }, watch);
    }

    /// Delivers until nothing is on its way. What a node wrote at once arrives at once.
    fn settle(&mut self, watch: &mut Watch<'_>) {
        while self.deliver(watch) {}
    }

    /// Delivers everything that is on its way to one side, the payee first. Tells whether there was anything.
    fn deliver(&mut self, watch: &mut Watch<'_>) -> bool {
        let Some(side) = [1, 0].into_iter().find(|side| !self.sides[*side].inbox.is_empty()) else {
            return false;
        };
        let bytes = std::mem::take(&mut self.sides[side].inbox);
        if let Some(conn) = self.sides[side].conn {
            self.give(side, Input::Received { conn, bytes }, watch);
        }
        true
    }

    fn give(&mut self, side: usize, input: Input, watch: &mut Watch<'_>) {
        let now = self.now;
        match *watch {
            Watch::Payee(meter, ref mut section) if side == 1 => {
                meter.part(section, || self.sides[side].give(now, input, &mut Watch::None));
            }
            Watch::Payee(..) => self.sides[side].give(now, input, &mut Watch::None),
            ref mut watch => self.sides[side].give(now, input, watch),
        }
        for output in std::mem::take(&mut self.sides[side].outputs) {
            self.take(side, output, watch);
        }
    }

    fn take(&mut self, side: usize, output: Output, watch: &mut Watch<'_>) {
        let other = 1 - side;
        match output {
            Output::Send { bytes, .. } => self.sides[other].inbox.extend(bytes),
            Output::Connect { conn, .. } => {
                let accepted = ConnId(1 << 63);
                self.sides[side].conn = Some(conn);
                self.sides[other].conn = Some(accepted);
                self.give(other, Input::Accepted { conn: accepted }, watch);
                self.give(side, Input::Connected { conn }, watch);
            }
            Output::Event(record) => {
                self.sides[side].event = Some(record.seq);
                if matches!(record.event, Event::PaymentSent { .. }) {
                    self.sides[side].sent += 1;
                }
            }
            Output::Answer { result, .. } => {
                self.sides[side].answers.push(result.expect("the command is carried out"));
            }
            Output::Halted(_) | Output::Disconnect { .. } => panic!("{output:?}"),
            Output::Persist(_) | Output::Broadcast(_) | Output::WatchesChanged | Output::Idle { .. } => {}
        }
    }

    /// Forgets what was written so far.
    pub fn reset_store_counts(&mut self) {
        for side in &mut self.sides {
            (side.batches, side.bytes) = (0, 0);
        }
    }

    /// Batches and bytes that both nodes wrote together.
    pub fn store_counts(&self) -> (usize, usize) {
        let [a, b] = &self.sides;
        (a.batches + b.batches, a.bytes + b.bytes)
    }

    /// The same two nodes as they are stored now, to be started again.
    pub fn stop(self, facts_of: &Start) -> Start {
        Start { disks: self.sides.map(|side| side.disk), facts: facts_of.facts.clone(), now: self.now }
    }
}

impl Side {
    fn new(node: Node, disk: Disk) -> Self {
        Self {
            node,
            disk,
            conn: None,
            inbox: Vec::new(),
            outputs: Vec::new(),
            event: None,
            sent: 0,
            answers: Vec::new(),
            batches: 0,
            bytes: 0,
        }
    }

    fn give(&mut self, now: Now, input: Input, watch: &mut Watch<'_>) {
        match watch {
            Watch::None | Watch::Payee(..) => {
                self.node.handle_input(now, input);
                while self.poll(now) {}
            }
            Watch::Script(script) => {
                self.node.handle_input(now, input);
                let mut outputs = 0;
                while self.poll(now) {
                    outputs += 1;
                }
                script.push_back(outputs);
            }
            Watch::UntilOut(meter, section, script) => {
                let outputs = script.pop_front().expect("the script of this very run");
                meter.part(section, || {
                    self.node.handle_input(now, input);
                    for _ in 0..outputs {
                        assert!(self.poll(now), "the same inputs give the same outputs");
                    }
                });
                assert!(!self.poll(now), "the same inputs give the same outputs");
            }
        }
    }

    /// Takes one output. Tells whether there was one.
    fn poll(&mut self, now: Now) -> bool {
        match self.node.poll_output() {
            Output::Idle { .. } => return false,
            Output::Persist(batch) => {
                self.batches += 1;
                self.bytes += batch.size();
                self.disk.apply(&batch).expect("a disk that works");
                self.node.handle_input(now, Input::Persisted { seq: batch.seq });
            }
            other => self.outputs.push(other),
        }
        true
    }
}
