//! What a device does for a node: carries out its outputs, writes its batches, and crashes where a test wants it to.

use crate::disk::{Disk, Fault, Mode};
use crate::fault::Memory;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Network, Transaction};
use kite_core::crypto::{NodeKeys, Seed};
use kite_core::node::{
    Answer, Command, CommandError, CommandId, Event, EventRecord, Input, Node, NodeConfig, Output,
    StoreFailure,
};
use kite_core::payment::PaymentRecord;
use kite_core::store::{Batch, FRESH_LEN, RecordKind, RecordName, Records, Shelf, Vault, VaultError};
use kite_core::types::{ConnId, Instant, Now};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Something the node wants from the world outside the device.
#[derive(Clone, Debug)]
pub enum Act {
    /// Open a byte stream.
    Connect(ConnId, PublicKey),
    /// Write to one.
    Send(ConnId, Vec<u8>),
    /// Close one.
    Disconnect(ConnId),
    /// Publish transactions.
    Broadcast(Vec<Transaction>),
    /// Look at the watched scripts.
    Watch,
}

/// What is left behind when a device loses power around a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The batch is not on the disk.
    Lost,
    /// It is, and the node never heard so.
    Unacknowledged,
    /// The node heard so, and nothing of what it let out left the device.
    NothingSent,
    /// Half of it left.
    HalfSent,
}

/// All of them.
pub const CRASHES: [Crash; 4] = [Crash::Lost, Crash::Unacknowledged, Crash::NothingSent, Crash::HalfSent];

/// A node with its disk.
#[derive(Debug)]
pub struct Host {
    seed: u8,
    node_id: PublicKey,
    starts: u32,
    config: NodeConfig,
    node: Option<Node>,
    /// What survives.
    pub disk: Disk,
    /// What is to be done, in order.
    pub acts: VecDeque<Act>,
    /// What the app was told, each event once.
    events: BTreeMap<u64, EventRecord>,
    answers: BTreeMap<u64, Result<Answer, CommandError>>,
    next_command: u64,
    /// The first one that this run of the node was asked.
    first_command: u64,
    wake_at: Option<Instant>,
    halted: Option<StoreFailure>,
    unacknowledged: Option<u64>,
    crash_at: Option<(u64, Crash)>,
    checks_disk: bool,
    /// What the store forgets when the device starts, if anything.
    pub forgets: Option<Memory>,
    /// What was stored before the last batch, where something of it may be put back.
    earlier: Option<Records>,
    transcript: sha256::Hash,
}

impl Host {
    /// A device without a running node. The same seed gives the same node.
    ///
    /// # Panics
    /// A seed without keys, which no test uses.
    pub fn new(seed: u8, config: NodeConfig) -> Self {
        let keys = NodeKeys::from_seed(&Seed::new([seed; 64]), config.network).expect("a seed with keys");
        Self::switched_off(seed, keys.node_id(), config)
    }

    fn switched_off(seed: u8, node_id: PublicKey, config: NodeConfig) -> Self {
        Self {
            seed,
            node_id,
            starts: 0,
            config,
            node: None,
            disk: Disk::default(),
            acts: VecDeque::new(),
            events: BTreeMap::new(),
            answers: BTreeMap::new(),
            next_command: 1,
            first_command: 1,
            wake_at: None,
            halted: None,
            unacknowledged: None,
            crash_at: None,
            checks_disk: false,
            forgets: None,
            earlier: None,
            transcript: sha256::Hash::hash(&[seed]),
        }
    }

    /// The same device once more, switched off, with the same disk.
    pub fn again(&self) -> Self {
        Self {
            starts: self.starts,
            disk: self.disk.clone(),
            events: self.events.clone(),
            answers: self.answers.clone(),
            next_command: self.next_command,
            transcript: self.transcript,
            ..Self::switched_off(self.seed, self.node_id, self.config.clone())
        }
    }

    /// A copy whose next start has other randomness than the device itself will have.
    pub fn copy(&self, starts_ahead: u32) -> Self {
        Self { starts: self.starts + starts_ahead, ..self.again() }
    }

    /// An old copy of the disk takes its place, and the app has forgotten what came after it.
    pub fn restore(&mut self, disk: Disk) {
        self.crash();
        self.disk = disk;
        self.events.clear();
    }

    /// What a copy of it publishes, switched on with an old disk and told to close its channel by force.
    ///
    /// # Panics
    /// The copy has no channel, or publishes nothing.
    pub fn old_commitment(&self, now: Now, disk: &Disk) -> Transaction {
        let mut copy = self.copy(1_000);
        copy.restore(disk.clone());
        copy.start(now);
        let channel_id = copy.running().channels()[0].channel_id;
        copy.command(now, Command::ForceClose { channel_id });
        let mut published = copy.acts.iter().rev().filter_map(|act| match act {
            Act::Broadcast(package) => package.first().cloned(),
            _ => None,
        });
        published.next().expect("a copy closes when its owner says so")
    }

    /// Its node id, also while it is switched off.
    pub fn node_id(&self) -> PublicKey {
        self.node_id
    }

    /// Its keys.
    ///
    /// # Panics
    /// A seed without keys, which no test uses.
    pub fn keys(&self) -> NodeKeys {
        NodeKeys::from_seed(&Seed::new([self.seed; 64]), self.config.network).expect("a seed with keys")
    }

    /// Regtest, with channels that are ready after a few blocks.
    pub fn config() -> NodeConfig {
        let mut config = NodeConfig::new(Network::Regtest);
        config.channel.minimum_depth = 3;
        config
    }

    /// Starts the node from the disk, with randomness that no earlier start had.
    ///
    /// # Panics
    /// The disk does not load: a bug.
    pub fn start(&mut self, now: Now) {
        self.starts += 1;
        self.first_command = self.next_command;
        let mut entropy = [self.seed; 32];
        entropy[..4].copy_from_slice(&self.starts.to_be_bytes());
        (self.halted, self.unacknowledged) = (None, None);
        if let Some(memory) = self.forgets.filter(|_| self.starts > 1) {
            self.forget(memory);
        }
        self.node = Some(self.load(entropy, now));
        self.drain(now);
    }

    fn load(&self, entropy: [u8; 32], now: Now) -> Node {
        let (seed, storage_key) = (Seed::new([self.seed; 64]), [self.seed; 32]);
        Node::load(&seed, &storage_key, entropy, self.config.clone(), &self.disk.stored(), now)
            .unwrap_or_else(|error| panic!("what was stored does not load: {error}"))
    }

    /// What a node would read from the disk now.
    ///
    /// # Errors
    /// A record that does not open.
    pub fn stored_records(&self) -> Result<Records, VaultError> {
        Shelf::records(&Vault::new(&[self.seed; 32]), &self.disk.stored())
    }

    /// What [`Memory`] says is not as it was written any more.
    fn forget(&mut self, memory: Memory) {
        let vault = Vault::new(&[self.seed; 32]);
        let Ok((mut shelf, records)) = Shelf::open(vault, &self.disk.stored()) else { return };
        let before = self.earlier.take().unwrap_or_default();
        let is_incoming = |name: &RecordName| {
            let named = |kind| records.get(&RecordName::of(kind, name.which.clone()));
            let (terms, progress) = (named(RecordKind::Payment), named(RecordKind::PaymentProgress));
            let read =
                terms.zip(progress).map(|(terms, progress)| PaymentRecord::from_bytes(terms, progress));
            matches!(read, Some(Ok(PaymentRecord::Incoming(_))))
        };
        let names: BTreeSet<&RecordName> = records.keys().chain(before.keys()).collect();
        for name in names {
            match memory.loses(name, is_incoming(name)) {
                Some(true) if before.contains_key(name) => shelf.put(name.clone(), before[name].clone()),
                Some(_) => shelf.delete(name),
                None => {}
            }
        }
        let mut fresh = [0xfe; FRESH_LEN];
        fresh[..4].copy_from_slice(&self.starts.to_be_bytes());
        if let Some(batch) = shelf.take_batch(|| {
            fresh[FRESH_LEN - 1] = fresh[FRESH_LEN - 1].wrapping_add(1);
            fresh
        }) {
            // A store that cannot be written to forgets nothing.
            let _ = self.disk.apply(&batch);
        }
    }

    /// The node is gone, with all that was not durable. What it had let out before is out.
    pub fn crash(&mut self) {
        self.node = None;
        self.wake_at = None;
        self.unacknowledged = None;
        self.disk.lose_power();
    }

    /// Crashes around the n-th batch that the device is asked to write.
    pub fn crash_at(&mut self, batch: u64, crash: Crash) {
        self.crash_at = Some((batch, crash));
    }

    /// Takes [`Host::crash_at`] back.
    pub fn never_crash(&mut self) {
        self.crash_at = None;
    }

    /// Loads what is durable after every batch, to see that it can be loaded.
    pub fn check_disk(&mut self) {
        self.checks_disk = true;
    }

    /// The node, while it runs.
    pub fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// The node, which must run.
    ///
    /// # Panics
    /// It does not.
    pub fn running(&self) -> &Node {
        self.node.as_ref().expect("the node runs")
    }

    /// Whether the store stopped the node.
    pub fn halted(&self) -> Option<StoreFailure> {
        self.halted
    }

    /// When the node wants to be woken.
    pub fn wake_at(&self) -> Option<Instant> {
        self.wake_at
    }

    /// What the app was told so far, over all starts.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.values().map(|record| &record.event)
    }

    /// A hash over everything the node let out so far.
    pub fn transcript(&self) -> sha256::Hash {
        self.transcript
    }

    /// Gives the node an input, and takes what comes of it.
    pub fn input(&mut self, now: Now, input: Input) {
        if let Some(node) = &mut self.node {
            node.handle_input(now, input);
            self.drain(now);
        }
    }

    /// The app wants something. The answer may come later: [`Host::answer`].
    pub fn command(&mut self, now: Now, command: Command) -> CommandId {
        let id = CommandId(self.next_command);
        self.next_command += 1;
        self.input(now, Input::Command { id, command: Box::new(command) });
        id
    }

    /// Gives a command whose answer needs nobody else. Unset: the device crashed over it.
    pub fn try_command(&mut self, now: Now, command: Command) -> Option<Result<Answer, CommandError>> {
        let id = self.command(now, command);
        self.answer(id).cloned()
    }

    /// What came of a command; unset as long as nothing did.
    pub fn answer(&self, id: CommandId) -> Option<&Result<Answer, CommandError>> {
        self.answers.get(&id.0)
    }

    /// What was asked since the node started and has no answer.
    pub fn unanswered(&self) -> impl Iterator<Item = CommandId> {
        let asked = (self.first_command..self.next_command).map(CommandId);
        asked.filter(|id| !self.answers.contains_key(&id.0))
    }

    /// Every answer so far that was a refusal.
    pub fn refusals(&self) -> impl Iterator<Item = &CommandError> {
        self.answers.values().filter_map(|answer| answer.as_ref().err())
    }

    /// The store acknowledges what it wrote ([`Mode::Delayed`]). Tells whether there was anything.
    pub fn acknowledge(&mut self, now: Now) -> bool {
        let seq = self.unacknowledged.take();
        if let Some(seq) = seq {
            self.input(now, Input::Persisted { seq });
        }
        seq.is_some()
    }

    /// Whether [`Host::acknowledge`] would do something.
    pub fn owes_acknowledgement(&self) -> bool {
        self.node.is_some() && self.unacknowledged.is_some()
    }

    fn drain(&mut self, now: Now) {
        while let Some(node) = &mut self.node {
            match node.poll_output() {
                Output::Idle { wake_at } => {
                    self.wake_at = wake_at;
                    return;
                }
                Output::Persist(batch) => self.persist(now, &batch),
                other => self.take(other),
            }
        }
    }

    fn persist(&mut self, now: Now, batch: &Batch) {
        let number = self.disk.count_batch();
        self.note(&number.to_be_bytes());
        let crash = self.crash_at.filter(|(at, _)| *at == number).map(|(_, crash)| crash);
        if crash == Some(Crash::Lost) {
            self.disk.lose(batch);
            return match self.disk.fault {
                Some(Fault::ReleasesEarly) => self.crash_after(now, batch.seq, |count| count),
                _ => self.crash(),
            };
        }
        if self.forgets.is_some() {
            self.earlier = self.stored_records().ok();
        }
        if let Err(failure) = self.disk.apply(batch) {
            return self.input(now, Input::PersistFailed { seq: batch.seq, failure });
        }
        if self.checks_disk {
            drop(self.load([0; 32], now));
        }
        match crash {
            Some(Crash::Lost) => {}
            Some(Crash::Unacknowledged) => self.crash(),
            Some(Crash::NothingSent) => self.crash_after(now, batch.seq, |_| 0),
            Some(Crash::HalfSent) => self.crash_after(now, batch.seq, |count| count.div_ceil(2)),
            None if self.disk.mode == Mode::Delayed => self.unacknowledged = Some(batch.seq),
            None => {
                if let Some(node) = &mut self.node {
                    node.handle_input(now, Input::Persisted { seq: batch.seq });
                }
            }
        }
    }

    /// The node hears that its batch is durable; so many of its outputs leave before it is gone.
    fn crash_after(&mut self, now: Now, seq: u64, leave: fn(usize) -> usize) {
        let Some(node) = &mut self.node else { return };
        node.handle_input(now, Input::Persisted { seq });
        let mut outputs = Vec::new();
        loop {
            match node.poll_output() {
                Output::Idle { .. } | Output::Persist(_) => break,
                other => outputs.push(other),
            }
        }
        let count = leave(outputs.len());
        for output in outputs.into_iter().take(count) {
            self.take(output);
        }
        self.crash();
    }

    fn take(&mut self, output: Output) {
        match output {
            Output::Connect { conn, node_id, .. } => self.acts.push_back(Act::Connect(conn, node_id)),
            Output::Send { conn, bytes } => {
                self.note(&bytes);
                self.acts.push_back(Act::Send(conn, bytes));
            }
            Output::Disconnect { conn } => self.acts.push_back(Act::Disconnect(conn)),
            Output::Broadcast(package) => {
                for tx in &package {
                    self.note(tx.compute_txid().as_byte_array());
                }
                self.acts.push_back(Act::Broadcast(package));
            }
            Output::Answer { id, result } => drop(self.answers.insert(id.0, *result)),
            Output::Event(record) => {
                let known = self.events.insert(record.seq, record.clone());
                assert!(known.is_none_or(|known| known == record), "an event changed");
            }
            Output::WatchesChanged => self.acts.push_back(Act::Watch),
            Output::Halted(failure) => self.halted = Some(failure),
            Output::Persist(_) | Output::Idle { .. } => {}
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        let mut engine = sha256::Hash::engine();
        engine.input(self.transcript.as_byte_array());
        engine.input(bytes);
        self.transcript = sha256::Hash::from_engine(engine);
    }
}
