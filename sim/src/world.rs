//! Several Kite nodes, the streams between them, one chain and one clock. Same steps, same bytes.

use crate::chain::{Chain, Source};
use crate::host::{Act, Host};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Transaction, Txid};
use kite_core::node::{Answer, Command, CommandError, Input, Node};
use kite_core::types::{ConnId, Instant, Now, UnixTime};
use std::collections::VecDeque;

/// One byte stream between two hosts.
#[derive(Debug)]
struct Stream {
    ends: [(usize, ConnId); 2],
    /// What each end sent and the other has not got.
    sent: [VecDeque<Vec<u8>>; 2],
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// The devices.
    pub hosts: Vec<Host>,
    now: Now,
    streams: Vec<Stream>,
    sources: Vec<Source>,
    next_accepted: u64,
    trace: Vec<String>,
}

impl World {
    /// So many nodes, running, at the tip of a young chain.
    pub fn new(hosts: u8) -> Self {
        let chain = Chain::new();
        let now = Now { mono: Instant(1_000), unix: chain.now() };
        let hosts: Vec<Host> = (1..=hosts).map(|seed| Host::new(seed, Host::config())).collect();
        let sources = vec![Source::default(); hosts.len()];
        let mut world =
            Self { chain, hosts, now, streams: Vec::new(), sources, next_accepted: 0, trace: Vec::new() };
        for host in 0..world.hosts.len() {
            world.start(host);
        }
        world.settle();
        world
    }

    /// The same world once more, every device just switched on.
    pub fn again(&self) -> Self {
        let mut world = Self {
            chain: self.chain.clone(),
            hosts: self.hosts.iter().map(Host::again).collect(),
            now: self.now,
            streams: Vec::new(),
            sources: vec![Source::default(); self.hosts.len()],
            next_accepted: self.next_accepted,
            trace: Vec::new(),
        };
        for host in 0..world.hosts.len() {
            world.start(host);
        }
        world.connect();
        world
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
            self.carry_out();
            if !self.deliver_one() {
                return;
            }
        }
        self.carry_out();
    }

    fn step(&mut self) -> bool {
        self.carry_out() || self.tell_chain() || self.deliver_one()
    }

    /// The outputs that every device owes the world.
    fn carry_out(&mut self) -> bool {
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
            Act::Send(conn, bytes) => {
                let ends = self.streams.iter_mut().find_map(|stream| {
                    let end = stream.ends.iter().position(|end| *end == (host, conn))?;
                    Some(&mut stream.sent[end])
                });
                if let Some(sent) = ends {
                    sent.push_back(bytes);
                }
            }
            Act::Disconnect(conn) => self.close_stream(host, conn),
            Act::Broadcast(package) => {
                let result = self.chain.submit_package(&package);
                let txids: Vec<Txid> = package.iter().map(Transaction::compute_txid).collect();
                self.trace.push(format!("{host} publishes {txids:?}: {result:?}"));
            }
            Act::Watch => self.sources[host].look_again(),
        }
    }

    fn open_stream(&mut self, host: usize, conn: ConnId, node_id: PublicKey) {
        let other = (0..self.hosts.len()).find(|other| self.node_id(*other) == node_id);
        let Some(other) = other.filter(|other| self.hosts[*other].node().is_some()) else {
            return self.input(host, Input::Disconnected { conn, reason: "nobody answers".into() });
        };
        let accepted = ConnId(1 << 63 | self.next_accepted);
        self.next_accepted += 1;
        self.streams.push(Stream { ends: [(host, conn), (other, accepted)], sent: Default::default() });
        self.trace.push(format!("{host} connects to {other}"));
        self.input(other, Input::Accepted { conn: accepted });
        self.input(host, Input::Connected { conn });
    }

    /// One end closes: the other gets what was sent before, and then the news.
    fn close_stream(&mut self, host: usize, conn: ConnId) {
        let Some(index) = self.streams.iter().position(|stream| stream.ends.contains(&(host, conn))) else {
            return;
        };
        let mut stream = self.streams.remove(index);
        let end = stream.ends.iter().position(|end| *end == (host, conn)).unwrap_or(0);
        let (other, other_conn) = stream.ends[1 - end];
        self.trace.push(format!("{host} leaves {other}"));
        for bytes in std::mem::take(&mut stream.sent[end]) {
            self.input(other, Input::Received { conn: other_conn, bytes });
        }
        self.input(other, Input::Disconnected { conn: other_conn, reason: "closed by the peer".into() });
    }

    fn power_is_gone(&mut self, host: usize) {
        let conns: Vec<ConnId> = self
            .streams
            .iter()
            .flat_map(|stream| stream.ends)
            .filter_map(|(end, conn)| (end == host).then_some(conn))
            .collect();
        for conn in conns {
            self.close_stream(host, conn);
        }
    }

    fn tell_chain(&mut self) -> bool {
        let mut moved = false;
        for host in 0..self.hosts.len() {
            let Some(node) = self.hosts[host].node() else { continue };
            for fact in self.sources[host].news(&self.chain, node) {
                moved = true;
                self.input(host, Input::Chain(fact));
            }
        }
        moved
    }

    /// The oldest piece of the first stream that has one, alternating ends by how much waits.
    fn deliver_one(&mut self) -> bool {
        for index in 0..self.streams.len() {
            let stream = &mut self.streams[index];
            let end = usize::from(stream.sent[0].len() < stream.sent[1].len());
            if let Some(bytes) = stream.sent[end].pop_front() {
                let (from, (to, conn)) = (stream.ends[end].0, stream.ends[1 - end]);
                self.trace.push(format!("{from} -> {to}: {} bytes", bytes.len()));
                self.input(to, Input::Received { conn, bytes });
                return true;
            }
        }
        false
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
        self.trace.push(format!("{host} starts"));
        self.hosts[host].start(self.now);
    }

    /// Ends the node of a host.
    pub fn crash(&mut self, host: usize) {
        self.trace.push(format!("{host} crashes"));
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

    /// Breaks every stream; what is on its way is lost.
    pub fn cut(&mut self) {
        self.trace.push("all streams break".into());
        for stream in std::mem::take(&mut self.streams) {
            for (host, conn) in stream.ends {
                self.input(host, Input::Disconnected { conn, reason: "cut".into() });
            }
        }
    }

    /// Mines blocks, one at a time, and lets everybody see each.
    pub fn mine(&mut self, count: u32) {
        for _ in 0..count {
            self.chain.mine(1);
            self.now.unix = UnixTime(self.now.unix.0.max(self.chain.now().0));
            self.settle();
        }
    }

    /// Lets time pass, waking every node when it wants.
    pub fn pass(&mut self, secs: u64) {
        let end = self.now.mono.plus_secs(secs);
        self.settle();
        while let Some(at) = self.hosts.iter().filter_map(Host::wake_at).min().filter(|at| *at <= end) {
            self.advance(at.0.saturating_sub(self.now.mono.0).max(1));
            for host in 0..self.hosts.len() {
                self.input(host, Input::Wake);
            }
            self.settle();
        }
        self.advance(end.0.saturating_sub(self.now.mono.0));
        self.settle();
    }

    fn advance(&mut self, millis: u64) {
        let before = self.now.mono.0;
        self.now.mono = self.now.mono.plus_millis(millis);
        self.now.unix.0 += self.now.mono.0 / 1_000 - before / 1_000;
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
