//! A little world: whatever a node asks for is done at once.

use crate::chain::headers::tests::mine_one;
use crate::chain::proof::tests::branch;
use crate::chain::{ChainFact, ConfirmationProof, History, Seen};
use crate::crypto::Seed;
use crate::node::{Answer, Command, CommandError, CommandId, Event, Input, Node, NodeConfig, Output};
use crate::store::{Batch, Op, Stored};
use crate::types::{ConnId, Instant, MilliSatoshi, Now, UnixTime};
use bitcoin::absolute::LockTime;
use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Txid};
use std::collections::BTreeMap;

/// As many as a wallet asks for.
const HEADERS_AT_ONCE: usize = 1_000;

const PASSIVE: ConnId = ConnId(1 << 63);

pub(super) struct Side {
    pub(super) node: Option<Node>,
    seed: u8,
    starts: u8,
    pub(super) disk: Stored,
    conn: Option<ConnId>,
    written: Vec<u8>,
    /// The size of every batch since it was cleared.
    pub(super) batches: Vec<usize>,
    pub(super) events: Vec<Event>,
    /// What the wallet held when each of them was told.
    pub(super) totals: Vec<MilliSatoshi>,
    pub(super) answers: BTreeMap<u64, Result<Answer, CommandError>>,
}

pub(super) struct World {
    pub(super) sides: [Side; 2],
    pub(super) now: Now,
    headers: Vec<Header>,
    confirmed: BTreeMap<Txid, (Transaction, ConfirmationProof)>,
    pub(super) mempool: BTreeMap<Txid, Transaction>,
    /// How often one side had to wait for the other.
    pub(super) flights: usize,
    next_command: u64,
    /// For nodes that start from now on.
    pub(super) max_tip_age_secs: Option<u64>,
}

impl World {
    pub(super) fn new() -> Self {
        let side = |seed| Side {
            node: None,
            seed,
            starts: 0,
            disk: Stored::default(),
            conn: None,
            written: vec![],
            batches: vec![],
            events: vec![],
            totals: vec![],
            answers: BTreeMap::new(),
        };
        let mut world = Self {
            sides: [side(1), side(2)],
            now: Now { mono: Instant(1_000), unix: UnixTime(1_800_000_000) },
            headers: vec![bitcoin::blockdata::constants::genesis_block(Network::Regtest).header],
            confirmed: BTreeMap::new(),
            mempool: BTreeMap::new(),
            flights: 0,
            next_command: 1,
            max_tip_age_secs: None,
        };
        world.start(0);
        world.start(1);
        world.mine(1);
        world
    }

    pub(super) fn node(&self, side: usize) -> &Node {
        self.sides[side].node.as_ref().unwrap()
    }

    pub(super) fn start(&mut self, side: usize) {
        self.sides[side].starts += 1;
        self.sides[side].node = Some(self.load(side));
        self.drain(side);
        self.sync();
    }

    /// The node as its disk has it, before it does anything.
    pub(super) fn load(&self, side: usize) -> Node {
        let this = &self.sides[side];
        let mut config = NodeConfig::new(Network::Regtest);
        config.channel.minimum_depth = 1;
        config.max_tip_age_secs = self.max_tip_age_secs;
        let entropy = [this.seed.wrapping_mul(31).wrapping_add(this.starts); 32];
        let seed = Seed::new([this.seed; 64]);
        Node::load(&seed, &[9; 32], entropy, config, &this.disk, self.now).unwrap()
    }

    /// The host gives the node time to write what nothing waits for.
    pub(super) fn wait_a_second(&mut self) {
        self.now.mono = self.now.mono.plus_secs(1);
        for side in 0..2 {
            self.input(side, Input::Wake);
        }
    }

    /// The node is gone, with everything that was not durable.
    pub(super) fn crash(&mut self, side: usize) {
        self.sides[side].node = None;
        self.cut();
    }

    /// The node is gone just when the batch of this command is durable, and nothing that waited for it has left.
    pub(super) fn crash_once_durable(&mut self, side: usize, command: Command) -> Node {
        let now = self.now;
        let this = &mut self.sides[side];
        let mut node = this.node.take().unwrap();
        node.handle_input(now, Input::Command { id: CommandId(0), command: Box::new(command) });
        let batch = loop {
            match node.poll_output() {
                Output::Persist(batch) => break batch,
                Output::WatchesChanged => {}
                other => panic!("{other:?} before anything was stored"),
            }
        };
        apply(&mut this.disk, batch);
        self.cut();
        node
    }

    pub(super) fn cut(&mut self) {
        for side in 0..2 {
            self.sides[side].written.clear();
            if let Some(conn) = self.sides[side].conn.take()
                && self.sides[side].node.is_some()
            {
                self.input(side, Input::Disconnected { conn, reason: "cut".into() });
            }
        }
    }

    pub(super) fn command(&mut self, side: usize, command: Command) -> Result<Answer, CommandError> {
        let id = self.next_command;
        self.next_command += 1;
        self.input(side, Input::Command { id: CommandId(id), command: Box::new(command) });
        self.sides[side].answers.get(&id).cloned().unwrap_or_else(|| panic!("no answer"))
    }

    pub(super) fn input(&mut self, side: usize, input: Input) {
        let now = self.now;
        self.sides[side].node.as_mut().unwrap().handle_input(now, input);
        self.drain(side);
    }

    pub(super) fn connect(&mut self) {
        let node_id = self.node(1).node_id();
        self.now.mono = self.now.mono.plus_secs(300);
        self.now.unix.0 += 300;
        let answer = self.command(0, Command::ConnectPeer { node_id, address: "b:1".into() });
        assert!(matches!(answer, Ok(Answer::Done)), "{answer:?}");
    }

    fn drain(&mut self, side: usize) {
        loop {
            let Some(node) = self.sides[side].node.as_mut() else { return };
            match node.poll_output() {
                Output::Idle { .. } => match std::mem::take(&mut self.sides[side].written) {
                    bytes if bytes.is_empty() => return,
                    // What was written at once arrives at once.
                    bytes => {
                        self.flights += 1;
                        if let (Some(conn), true) =
                            (self.sides[1 - side].conn, self.sides[1 - side].node.is_some())
                        {
                            self.input(1 - side, Input::Received { conn, bytes });
                        }
                    }
                },
                Output::Persist(batch) => {
                    let seq = batch.seq;
                    self.sides[side].batches.push(batch.size());
                    apply(&mut self.sides[side].disk, batch);
                    let now = self.now;
                    let Some(node) = self.sides[side].node.as_mut() else { return };
                    node.handle_input(now, Input::Persisted { seq });
                }
                Output::Connect { conn, .. } => {
                    self.sides[side].conn = Some(conn);
                    self.sides[1 - side].conn = Some(PASSIVE);
                    if self.sides[1 - side].node.is_none() {
                        self.input(side, Input::Disconnected { conn, reason: "nobody there".into() });
                        continue;
                    }
                    self.input(1 - side, Input::Accepted { conn: PASSIVE });
                    self.input(side, Input::Connected { conn });
                }
                Output::Send { bytes, .. } => self.sides[side].written.extend(bytes),
                Output::Disconnect { .. } => self.cut(),
                Output::Broadcast(package) => {
                    for tx in package {
                        if !self.confirmed.contains_key(&tx.compute_txid()) {
                            self.mempool.insert(tx.compute_txid(), tx);
                        }
                    }
                }
                Output::Answer { id, result } => {
                    self.sides[side].answers.insert(id.0, *result);
                }
                Output::Event(event) => {
                    let total = node.balance().total;
                    self.sides[side].events.push(event.event);
                    self.sides[side].totals.push(total);
                }
                Output::WatchesChanged => {}
                Output::Halted(failure) => panic!("halted: {failure:?}"),
            }
        }
    }

    pub(super) fn give_coins(&mut self, side: usize, sat: u64) {
        let Ok(Answer::Address(address)) = self.command(side, Command::NewAddress) else { panic!() };
        let salt = u8::try_from(self.next_command).unwrap();
        let tx = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint { txid: Txid::from_byte_array([salt; 32]), vout: 0 },
                ..Default::default()
            }],
            output: vec![TxOut { value: Amount::from_sat(sat), script_pubkey: address.script_pubkey() }],
        };
        self.mempool.insert(tx.compute_txid(), tx);
        self.mine(1);
    }

    pub(super) fn mine(&mut self, count: u32) {
        for _ in 0..count {
            let height = u32::try_from(self.headers.len()).unwrap();
            let coinbase = Transaction {
                version: Version::TWO,
                lock_time: LockTime::ZERO,
                input: vec![TxIn {
                    previous_output: OutPoint::null(),
                    script_sig: ScriptBuf::from([height.to_le_bytes(), [0; 4]].concat()),
                    ..Default::default()
                }],
                output: vec![TxOut { value: Amount::from_sat(1), script_pubkey: ScriptBuf::new() }],
            };
            let mut txs = vec![coinbase];
            txs.extend(std::mem::take(&mut self.mempool).into_values());
            let mut header = mine_one(self.headers.last().unwrap(), branch(&leaves(&txs), 0).1);
            header.time = self.headers.last().unwrap().time + 1;
            while header.validate_pow(header.target()).is_err() {
                header.nonce += 1;
            }
            self.confirm(header, txs);
        }
        self.sync();
    }

    /// The first of the transactions is the coinbase.
    fn confirm(&mut self, header: Header, txs: Vec<Transaction>) {
        let (leaves, coinbase) = (leaves(&txs), txs[0].clone());
        for (index, tx) in txs.into_iter().enumerate() {
            let proof = ConfirmationProof {
                block_hash: header.block_hash(),
                tx_index: u32::try_from(index).unwrap(),
                siblings: branch(&leaves, index).0,
                coinbase: coinbase.clone(),
                coinbase_siblings: branch(&leaves, 0).0,
            };
            self.confirmed.insert(tx.compute_txid(), (tx, proof));
        }
        self.headers.push(header);
    }

    /// Both sides stop, with this instead of what was mined: of each block its header, the coinbase and what else it has.
    pub(super) fn take_chain<'a>(&mut self, blocks: impl Iterator<Item = &'a str>, unix: u64) {
        (0..2).for_each(|side| self.crash(side));
        self.now.unix = UnixTime(unix);
        self.headers.truncate(1);
        self.confirmed.clear();
        for block in blocks {
            let (header, txs) = block.split_once(' ').unwrap();
            let header: Header = bitcoin::consensus::encode::deserialize_hex(header).unwrap();
            let txs: Vec<Transaction> =
                txs.split(' ').map(|tx| bitcoin::consensus::encode::deserialize_hex(tx).unwrap()).collect();
            self.confirm(header, txs);
        }
    }

    /// Takes the last blocks off the chain, and what was in them is in no block any more and nowhere else. Nobody hears of it
    /// before as many blocks and more are mined again.
    pub(super) fn undo(&mut self, count: usize) {
        self.headers.truncate(self.headers.len() - count);
        let stands = |hash| self.headers.iter().any(|header| header.block_hash() == hash);
        self.confirmed.retain(|_, (_, proof)| stands(proof.block_hash));
    }

    /// What a chain source does.
    pub(super) fn sync(&mut self) {
        for side in (0..2).filter(|side| self.sides[*side].node.is_some()).collect::<Vec<_>>() {
            self.tell(side, |fact| fact);
        }
    }

    /// The same for one side, by a server that says something else.
    pub(super) fn tell(&mut self, side: usize, alter: impl Fn(ChainFact) -> ChainFact) {
        for headers in self.headers_for(side) {
            self.input(side, Input::Chain(headers));
        }
        for script_pubkey in self.node(side).watches() {
            let transactions = self.history(&script_pubkey);
            if transactions.is_empty() {
                continue;
            }
            let history = ChainFact::History(History { script_pubkey, transactions });
            self.input(side, Input::Chain(alter(history)));
        }
        let (tip, at) = (self.headers.last().unwrap().block_hash(), self.now.unix);
        self.input(side, Input::Chain(ChainFact::Synced { tip, at }));
    }

    /// What one side lacks.
    pub(super) fn headers_for(&self, side: usize) -> Vec<ChainFact> {
        let node = self.node(side);
        let is_known =
            |(height, header): &(u32, &Header)| node.block_hash(*height) == Some(header.block_hash());
        let known = (0..).zip(&self.headers).take_while(is_known).count();
        let facts = self.headers[known..].chunks(HEADERS_AT_ONCE);
        facts.map(|headers| ChainFact::Headers(headers.to_vec())).collect()
    }

    /// The states of one side's channels.
    pub(super) fn states(&self, side: usize) -> Vec<&'static str> {
        self.node(side).channels().iter().map(|channel| channel.state).collect()
    }

    fn history(&self, script: &ScriptBuf) -> Vec<Seen> {
        let all: BTreeMap<Txid, (&Transaction, Option<&ConfirmationProof>)> = self
            .mempool
            .iter()
            .map(|(txid, tx)| (*txid, (tx, None)))
            .chain(self.confirmed.iter().map(|(txid, (tx, proof))| (*txid, (tx, Some(proof)))))
            .collect();
        let pays = |tx: &Transaction| tx.output.iter().any(|output| output.script_pubkey == *script);
        let spends = |tx: &Transaction| {
            tx.input.iter().any(|input| {
                let spent = all.get(&input.previous_output.txid);
                let vout = usize::try_from(input.previous_output.vout).unwrap();
                spent
                    .and_then(|(tx, _)| tx.output.get(vout))
                    .is_some_and(|output| output.script_pubkey == *script)
            })
        };
        all.values()
            .filter(|(tx, _)| pays(tx) || spends(tx))
            .map(|(tx, proof)| Seen { tx: (*tx).clone(), proof: proof.cloned() })
            .collect()
    }
}

fn leaves(txs: &[Transaction]) -> Vec<TxMerkleNode> {
    txs.iter().map(|tx| TxMerkleNode::from_byte_array(tx.compute_txid().to_byte_array())).collect()
}

pub(super) fn apply(disk: &mut Stored, batch: Batch) {
    assert_eq!(disk.fence, batch.expect_fence);
    disk.fence = batch.fence;
    for op in batch.ops {
        let (Op::Put { key, .. } | Op::Delete { key }) = &op;
        disk.records.retain(|(other, _)| other != key);
        if let Op::Put { key, value } = op {
            disk.records.push((key, value));
        }
    }
}
