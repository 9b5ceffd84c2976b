//! Several Kite nodes, the streams between them, one chain and one clock. Same steps, same bytes.

mod deaf;
mod refusals;
mod streams;

pub use deaf::GIVES_UP_WITHIN_SECS;

use crate::chain::{Chain, Rejected, Source};
use crate::fault::Fault;
use crate::host::{Act, Host};
use crate::random::Random;
use crate::tap::{Passes, Tap};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, BlockHash, Transaction, Txid};
use kite_core::chain::ChainFact;
use kite_core::node::{Answer, Command, CommandError, Input, Node};
use kite_core::types::{BlockHeight, Instant, Now, UnixTime};
use std::collections::BTreeSet;
use streams::Stream;

/// Something that can happen next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Act(usize),
    Acknowledge(usize),
    Deliver(usize, usize),
}

/// What a chain server makes of a fact before it tells it, if it tells it at all.
pub(crate) type Telling = fn(&Chain, &Node, ChainFact) -> Option<ChainFact>;

/// The world.
#[derive(Debug)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// The devices.
    pub hosts: Vec<Host>,
    now: Now,
    streams: Vec<Stream>,
    pub(crate) sources: Vec<Source>,
    next_accepted: u64,
    trace: Vec<String>,
    /// Whether [`World::story`] is to tell what happened.
    pub is_told: bool,
    /// What is broken on purpose.
    fault: Option<Fault>,
    /// Who decides what happens next; unset: the order is always the same.
    pub random: Option<Random>,
    /// Streams that are opened from now on have somebody in the middle, who passes this on.
    pub tapping: Option<Passes>,
    /// Nobody hears of the chain.
    pub is_chain_silent: bool,
    /// What every host published, each transaction once, in the order of the first time.
    pub published: Vec<(usize, Transaction)>,
    /// What the network did not take from whom because it conflicted with something that pays no less.
    pub(crate) outbid: BTreeSet<(usize, Txid, Txid)>,
    /// Refusals that nothing explains are kept here where somebody looks at them; elsewhere they are a panic.
    pub(crate) refused: Option<Vec<(usize, Rejected)>>,
    /// What the server of each host makes of its news; unset: the truth.
    pub(crate) tellings: Vec<Option<Telling>>,
    /// Up to which block each host has heard all, since it started.
    heard: Vec<Option<(BlockHeight, BlockHash)>>,
    /// Who was in the middle of the stream that was closed last.
    pub closed_tap: Option<Tap>,
    delivered: u64,
    cut_at: Option<u64>,
    was_cut: bool,
    /// Who takes all that is sent to it and answers nothing: its network hangs, and its clock with it.
    deaf: Option<usize>,
}

impl World {
    /// So many nodes, running, at the tip of a young chain.
    pub fn new(hosts: u8) -> Self {
        let chain = Chain::new();
        let now = Now { mono: Instant(1_000), unix: chain.now() };
        let hosts: Vec<Host> = (1..=hosts).map(|seed| Host::new(seed, Host::config())).collect();
        let mut world = Self::switched_off(chain, hosts, now);
        world.start_all();
        world.settle();
        world
    }

    fn switched_off(chain: Chain, hosts: Vec<Host>, now: Now) -> Self {
        let heard = vec![None; hosts.len()];
        let tellings = vec![None; hosts.len()];
        Self {
            sources: vec![Source::default(); hosts.len()],
            chain,
            hosts,
            now,
            streams: Vec::new(),
            next_accepted: 0,
            trace: Vec::new(),
            is_told: true,
            fault: None,
            random: None,
            tapping: None,
            is_chain_silent: false,
            published: Vec::new(),
            outbid: BTreeSet::new(),
            refused: None,
            heard,
            tellings,
            closed_tap: None,
            delivered: 0,
            cut_at: None,
            was_cut: false,
            deaf: None,
        }
    }

    fn start_all(&mut self) {
        for host in 0..self.hosts.len() {
            self.start(host);
        }
    }

    /// The same world once more, every device just switched on.
    pub fn again(&self) -> Self {
        self.again_as(|_| ())
    }

    /// The same, with something changed before the devices are switched on.
    pub fn again_as(&self, change: impl FnOnce(&mut Self)) -> Self {
        let hosts = self.hosts.iter().map(Host::again).collect();
        let mut world = Self {
            next_accepted: self.next_accepted,
            random: self.random.clone(),
            tapping: self.tapping,
            ..Self::switched_off(self.chain.clone(), hosts, self.now)
        };
        change(&mut world);
        world.start_all();
        world.connect();
        world
    }

    /// Breaks something on purpose.
    pub fn set_fault(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        for host in &mut self.hosts {
            match fault {
                Some(Fault::Disk(fault)) => host.disk.fault = Some(fault),
                Some(Fault::Forgets(memory)) => host.forgets = Some(memory),
                Some(Fault::Says(_)) => self.tapping = Some(|_, _| true),
                Some(Fault::KeepsTransactions | Fault::NeverWakes | Fault::Onchain(_)) | None => {}
            }
        }
    }

    /// The time.
    pub fn now(&self) -> Now {
        self.now
    }

    /// A node, which must run.
    pub fn node(&self, host: usize) -> &Node {
        self.hosts[host].running()
    }

    /// The node id of a host.
    pub fn node_id(&self, host: usize) -> PublicKey {
        self.hosts[host].node_id()
    }

    /// A hash over everything that every node let out.
    pub fn transcript(&self) -> sha256::Hash {
        let mut engine = sha256::Hash::engine();
        for host in &self.hosts {
            engine.input(host.transcript().as_byte_array());
        }
        sha256::Hash::from_engine(engine)
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.is_told {
            self.trace.push(what());
        }
    }

    /// What happened, for a test that fails.
    pub fn story(&self) -> String {
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .map(|host| {
                let events: Vec<_> = host.events().collect();
                let refusals: Vec<_> = host.refusals().collect();
                format!(
                    "EVENTS {events:?}\nREFUSALS {refusals:?}\nCHANNELS {:?}",
                    host.node().map(Node::channels)
                )
            })
            .collect();
        format!("TRACE\n{}\n{}", self.trace.join("\n"), hosts.join("\n"))
    }

    /// Does everything there is to do until nothing is, or a device crashes. Time stands still.
    ///
    /// # Panics
    /// It never ends.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            if !self.step() {
                return;
            }
        }
        panic!("it never ends: {}", self.story());
    }

    /// At most so many pieces are delivered.
    pub fn deliver(&mut self, pieces: u32) {
        for _ in 0..pieces {
            if let Some(mut random) = self.random.take() {
                self.step_at_random(&mut random);
                self.random = Some(random);
                continue;
            }
            self.carry_out();
            if !self.deliver_one() {
                return;
            }
        }
        if self.random.is_none() {
            self.carry_out();
        }
    }

    fn step(&mut self) -> bool {
        match self.random.take() {
            None => self.carry_out() || self.tell_chain() || self.deliver_one(),
            Some(mut random) => {
                let moved = self.step_at_random(&mut random);
                self.random = Some(random);
                moved
            }
        }
    }

    /// One thing of all that could happen now.
    fn step_at_random(&mut self, random: &mut Random) -> bool {
        let gone: Vec<usize> =
            (0..self.hosts.len()).filter(|host| self.hosts[*host].node().is_none()).collect();
        gone.into_iter().for_each(|host| self.power_is_gone(host));
        let mut possible = Vec::new();
        for (host, this) in self.hosts.iter().enumerate() {
            possible.extend((!this.acts.is_empty()).then_some(Next::Act(host)));
            possible.extend(this.owes_acknowledgement().then_some(Next::Acknowledge(host)));
        }
        for (index, stream) in self.streams.iter().enumerate() {
            let waits = (0..2).filter(|end| !stream.sent[*end].is_empty());
            possible.extend(waits.map(|end| Next::Deliver(index, end)));
        }
        if (possible.is_empty() || random.below(4) == 0) && self.tell_chain() {
            return true;
        }
        if possible.is_empty() {
            return false;
        }
        match possible[random.below(possible.len())] {
            Next::Act(host) => {
                if let Some(act) = self.hosts[host].acts.pop_front() {
                    self.act(host, act);
                }
            }
            Next::Acknowledge(host) => {
                self.hosts[host].acknowledge(self.now);
            }
            Next::Deliver(index, end) => self.deliver_from(index, end),
        }
        true
    }

    /// The outputs that every device owes the world.
    pub(crate) fn carry_out(&mut self) -> bool {
        let mut moved = false;
        for host in 0..self.hosts.len() {
            while let Some(act) = self.hosts[host].acts.pop_front() {
                moved = true;
                self.act(host, act);
            }
            if self.hosts[host].node().is_none() {
                self.power_is_gone(host);
            }
        }
        moved
    }

    fn act(&mut self, host: usize, act: Act) {
        match act {
            Act::Connect(conn, node_id) => self.open_stream(host, conn, node_id),
            Act::Send(conn, bytes) => self.send(host, conn, bytes),
            Act::Disconnect(conn) => self.close_stream(host, conn),
            Act::Broadcast(_) if self.fault == Some(Fault::KeepsTransactions) && host == 0 => {}
            Act::Broadcast(package) => {
                let package = match self.fault {
                    Some(Fault::Onchain(fault)) if host == 0 => {
                        fault.publishes(&self.chain, &self.hosts[0], package)
                    }
                    _ => package,
                };
                let result = self.chain.submit_package(&package);
                let txids: Vec<Txid> = package.iter().map(Transaction::compute_txid).collect();
                self.tell(|| format!("{host} publishes {txids:?}: {result:?}"));
                self.note_published(host, package);
                self.note_refusal(host, result);
            }
            Act::Watch => self.sources[host].look_again(),
        }
    }

    fn note_published(&mut self, host: usize, package: Vec<Transaction>) {
        for tx in package {
            if !self.published.iter().any(|(by, known)| *by == host && *known == tx) {
                self.published.push((host, tx));
            }
        }
    }

    /// Who published a transaction before everybody else.
    pub fn first_to_publish(&self, tx: &Transaction) -> Option<usize> {
        self.published.iter().find(|(_, known)| known == tx).map(|(host, _)| *host)
    }

    fn tell_chain(&mut self) -> bool {
        let mut moved = false;
        if self.is_chain_silent {
            return false;
        }
        for host in 0..self.hosts.len() {
            let Some(node) = self.hosts[host].node() else { continue };
            let facts = match self.fault {
                Some(Fault::Onchain(fault)) if host == 0 => {
                    let Some(seen) = fault.chain(&self.chain, node) else { continue };
                    let facts = self.sources[host].news(&seen, node);
                    facts.into_iter().map(|fact| fault.tells(&seen, fact)).collect()
                }
                _ => self.sources[host].news(&self.chain, node),
            };
            let facts: Vec<ChainFact> = match self.tellings[host] {
                Some(telling) => {
                    facts.into_iter().filter_map(|fact| telling(&self.chain, node, fact)).collect()
                }
                None => facts,
            };
            for fact in facts {
                moved = true;
                self.input(host, Input::Chain(fact));
            }
            // Once nothing is new and nothing waits that it wanted before, it wants what it does knowing all of this.
            let this = &self.hosts[host];
            let waits = !this.acts.is_empty() || this.owes_acknowledgement();
            let knows_all = self.tellings[host].is_none() && !waits;
            if !moved && knows_all {
                self.heard[host] = Some((self.chain.height(), self.chain.tip()));
            }
        }
        moved
    }

    /// Gives one node an input.
    pub fn input(&mut self, host: usize, input: Input) {
        self.hosts[host].input(self.now, input);
    }

    /// Gives a command and settles. Unset: the device crashed over it.
    pub fn command(&mut self, host: usize, command: Command) -> Option<Result<Answer, CommandError>> {
        let id = self.hosts[host].command(self.now, command);
        self.settle();
        self.hosts[host].answer(id).cloned()
    }

    /// Gives a command and waits for nothing.
    pub fn ask(&mut self, host: usize, command: Command) {
        self.hosts[host].command(self.now, command);
    }

    /// Starts the node of a host from its disk.
    pub fn start(&mut self, host: usize) {
        self.sources[host] = Source::default();
        self.heard[host] = None;
        self.tell(|| format!("{host} starts"));
        self.hosts[host].start(self.now);
    }

    /// Ends the node of a host.
    pub fn crash(&mut self, host: usize) {
        self.tell(|| format!("{host} crashes"));
        self.hosts[host].crash();
        self.carry_out();
    }

    /// Starts every node that is gone. Tells whether one was.
    pub fn restart_crashed(&mut self) -> bool {
        let gone: Vec<usize> =
            (0..self.hosts.len()).filter(|host| self.hosts[*host].node().is_none()).collect();
        self.carry_out();
        for host in &gone {
            self.start(*host);
        }
        !gone.is_empty()
    }

    /// Connects every host with the first one, and settles.
    pub fn connect(&mut self) {
        for other in 1..self.hosts.len() {
            let node_id = self.node_id(other);
            let known = self.hosts[0]
                .node()
                .is_some_and(|node| node.peers().iter().any(|peer| peer.node_id == node_id));
            if !known {
                self.ask(0, Command::ConnectPeer { node_id, address: format!("host{other}:9735") });
            }
        }
        self.input(0, Input::Hurry);
        self.settle();
    }

    /// Mines blocks, one at a time, and lets everybody see each.
    pub fn mine(&mut self, count: u32) {
        self.mine_by(count, |chain| chain.mine(1));
    }

    /// The same, with blocks that leave the mempool as it is.
    pub fn mine_nothing(&mut self, count: u32) {
        self.mine_by(count, |chain| chain.mine_nothing(1));
    }

    fn mine_by(&mut self, count: u32, mine: fn(&mut Chain)) {
        for _ in 0..count {
            mine(&mut self.chain);
            self.now.unix = UnixTime(self.now.unix.0.max(self.chain.now().0));
            self.settle();
        }
    }

    /// Mines blocks that everybody sees together.
    pub fn mine_at_once(&mut self, count: u32) {
        self.chain.mine(count);
        self.now.unix = UnixTime(self.now.unix.0.max(self.chain.now().0));
        self.settle();
    }

    /// Lets time pass, waking every node when it wants.
    pub fn pass(&mut self, secs: u64) {
        let end = self.now.mono.plus_secs(secs);
        self.settle();
        while let Some(at) = self.next_wake().filter(|at| *at <= end) {
            self.advance(at.0.saturating_sub(self.now.mono.0).max(1));
            for host in (0..self.hosts.len()).filter(|host| self.wakes(*host)).collect::<Vec<_>>() {
                self.input(host, Input::Wake);
            }
            self.settle();
        }
        self.advance(end.0.saturating_sub(self.now.mono.0));
        self.settle();
    }

    fn next_wake(&self) -> Option<Instant> {
        let hosts = self.hosts.iter().enumerate().filter(|(host, _)| self.wakes(*host));
        hosts.filter_map(|(_, host)| host.wake_at()).min()
    }

    fn wakes(&self, host: usize) -> bool {
        let never = self.fault == Some(Fault::NeverWakes) && host == 0;
        self.deaf != Some(host) && !never
    }

    fn advance(&mut self, millis: u64) {
        self.now = later(self.now, millis);
    }

    /// Puts coins into a wallet, confirmed.
    pub fn give_coins(&mut self, host: usize, amount: Amount) {
        let Some(Ok(Answer::Address(address))) = self.command(host, Command::NewAddress) else {
            panic!("no address: {}", self.story())
        };
        self.chain.pay_to(address.script_pubkey(), amount);
        self.mine(1);
    }

    /// Another process, or a copy of the wallet elsewhere, takes the store of a host over.
    pub fn take_over(&mut self, host: usize) {
        self.hosts[host].disk.take_over();
    }
}

/// Both clocks so many milliseconds later.
pub fn later(now: Now, millis: u64) -> Now {
    let mono = now.mono.plus_millis(millis);
    Now { mono, unix: UnixTime(now.unix.0 + mono.0 / 1_000 - now.mono.0 / 1_000) }
}
