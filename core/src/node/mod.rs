//! The node: routes inputs, owns every part, and is the only place that emits outputs.
//!
//! A host drives it with one loop: give one [`Input`], poll until [`Output::Idle`], wait for the next thing to happen,
//! repeat. The gate in `outbox` makes sure that nothing leaves before the state it speaks of is durable.

mod attempt;
mod channel_entry;
mod channels;
mod claiming;
mod command;
mod commands;
mod connections;
mod event;
mod facts;
mod invoices;
mod io;
mod load;
mod messages;
mod opening;
mod outbox;
mod past;
mod queries;
mod receiving;
mod record;
mod sending;
mod terms;
#[cfg(test)]
mod tests;
mod waits;

pub use command::{Command, CommandError, CommandId, SendRequest};
pub use event::{Event, EventRecord};
pub use io::{Answer, Input, Output, StoreFailure};
pub use load::{LoadError, NodeConfig, YOUNG};
pub use queries::{Balance, ChannelInfo, CloseInfo, PeerInfo};

use crate::chain::{FeeRates, HeaderChain};
use crate::channel::{Channel, IncomingHtlc};
use crate::coins::Coins;
use crate::crypto::{Entropy, NodeKeys};
use crate::gossip::{GossipSync, Graph};
use crate::invoice::Invoice;
use crate::onion::SharedSecret;
use crate::payment::{PartKey, Parts, PaymentRecord};
use crate::store::{RecordKind, RecordName};
use crate::types::{Instant, Now, PaymentHash, PaymentId, UnixTime};
use bitcoin::Txid;
use channel_entry::ChannelEntry;
use connections::Connections;
use outbox::{Exempt, Gated, Next, Outbox};
use past::PastChannel;
use record::NodeRecord;
use sending::Search;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A Lightning node. See the module for how it is driven.
#[derive(Debug)]
pub struct Node {
    keys: NodeKeys,
    config: NodeConfig,
    now: Now,
    entropy: Entropy,
    outbox: Outbox,
    record: NodeRecord,
    connections: Connections,
    channels: BTreeMap<u32, ChannelEntry>,
    past_channels: BTreeMap<u32, PastChannel>,
    /// Commands to channels that follow from what other parts decided, carried out before the input is done.
    todo: VecDeque<(u32, crate::channel::Command)>,
    /// Channels that took a step and are not put yet.
    unstored: BTreeSet<u32>,
    /// Channels of which something may have to be claimed on-chain.
    claims_due: BTreeSet<u32>,
    /// Channels whose next keys are not derived yet.
    keys_due: BTreeSet<u32>,
    payments: BTreeMap<PaymentId, PaymentRecord>,
    payment_ids: BTreeMap<PaymentHash, PaymentId>,
    /// Outgoing payments without an HTLC, which look for a way or give up.
    pending: BTreeSet<PaymentId>,
    /// The invoices of payments under way, as they were verified when they came.
    invoices: BTreeMap<PaymentId, Invoice>,
    /// What failed already, for as long as a payment is under way.
    searches: BTreeMap<PaymentId, Search>,
    /// Whether payments that wait for a way should look again.
    payments_due: bool,
    /// HTLCs of peers that are irrevocably committed since the input came, each with its channel: they are answered once
    /// all of it is read.
    arrived: Vec<(u32, IncomingHtlc)>,
    parts: Parts,
    /// How to fail a part that waits: what its onion shares with the payer.
    part_secrets: BTreeMap<PartKey, SharedSecret>,
    events: BTreeMap<u64, EventRecord>,
    chain: HeaderChain,
    fee_rates: FeeRates,
    /// When every watched script was asked about last, in this run.
    synced_at: Option<UnixTime>,
    /// How many blocks came since all that is watched was known as of a tip: more than one where looks do not end.
    blocks_unlooked: u32,
    /// Whether the owner knows that the newest block is too old to be the newest.
    told_of_old_tip: bool,
    coins: Coins,
    /// The transactions of on-chain payments, by the id that the app gave each.
    onchain_payments: BTreeMap<PaymentId, Txid>,
    graph: Graph,
    /// Which state of the graph is stored, and since when.
    graph_stored: (u64, Instant),
    gossip: GossipSync,
}

/// The graph only helps to find ways, so it is stored now and then.
const STORE_GRAPH_EVERY_SECS: u64 = 300;

impl Node {
    /// Takes one input. Poll until [`Output::Idle`] afterwards.
    ///
    /// Whatever is wrong with an input is dealt with here: a peer's error closes its connection, a server's lie is
    /// left out, a number that is not known is ignored.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        self.now = Now { mono: now.mono.max(self.now.mono), unix: now.unix };
        if self.outbox.is_halted() {
            if let Input::Command { id, .. } = input {
                self.outbox.last_words(Exempt::Stopped(id));
            }
            return;
        }
        match input {
            Input::Wake => {}
            Input::Entropy(bytes) => self.entropy.reseed(bytes),
            Input::Persisted { seq } => {
                if !self.outbox.persisted(seq) {
                    self.halt(StoreFailure::Failed);
                }
            }
            Input::PersistFailed { failure, .. } => self.halt(failure),
            Input::Connected { conn } => self.connected(conn),
            Input::Accepted { conn } => self.accepted(conn),
            Input::Hurry => self.hurry(),
            Input::Flush => self.outbox.flush(self.now.mono),
            Input::Received { conn, bytes } => self.received(conn, &bytes),
            Input::Disconnected { conn, reason } => self.disconnected(conn, &reason),
            Input::Chain(fact) => self.chain_fact(fact),
            Input::Command { id, command } => self.command(id, *command),
            Input::EventHandled { seq } => self.event_handled(seq),
        }
        if !self.outbox.is_halted() {
            self.settle_down();
        }
    }

    /// The next thing for the host to do. Poll until [`Output::Idle`].
    pub fn poll_output(&mut self) -> Output {
        loop {
            let entropy = &mut self.entropy;
            let output = match self.outbox.poll(self.now.mono, || entropy.bytes()) {
                None => {
                    self.derive_ahead();
                    return Output::Idle { wake_at: self.wake_at() };
                }
                Some(Next::Persist(batch)) => Some(Output::Persist(batch)),
                Some(Next::Exempt(exempt)) => self.release_exempt(exempt),
                Some(Next::Gated(gated)) => self.release(gated),
            };
            if let Some(output) = output {
                return output;
            }
        }
    }

    /// Derives the keys of the next commitments while there is nothing else to do: two thirds of what a payment costs.
    fn derive_ahead(&mut self) {
        for index in std::mem::take(&mut self.keys_due) {
            let Some(entry) = self.channels.get(&index) else { continue };
            let mut channel = entry.channel.clone();
            // What cannot be derived now is derived, or refused, when it is needed.
            if self.with_env(entry, |env| channel.derive_ahead(env)).is_ok()
                && let Some(entry) = self.channels.get_mut(&index)
            {
                entry.channel = channel;
            }
        }
    }

    fn release_exempt(&mut self, exempt: Exempt) -> Option<Output> {
        Some(match exempt {
            Exempt::Connect(conn, node_id, address) => Output::Connect { conn, node_id, address },
            Exempt::Handshake(conn, bytes) => Output::Send { conn, bytes },
            Exempt::Setup(conn, setup) => return self.encrypt(conn, &setup.into_message()),
            Exempt::Drop(conn) => Output::Disconnect { conn },
            Exempt::WatchesChanged => Output::WatchesChanged,
            Exempt::Halted(failure) => Output::Halted(failure),
            Exempt::Stopped(id) => Output::Answer { id, result: Box::new(Err(CommandError::Stopped)) },
        })
    }

    fn release(&mut self, gated: Gated) -> Option<Output> {
        Some(match gated {
            Gated::Send(conn, message) => return self.encrypt(conn, &message),
            Gated::Disconnect(conn) => {
                self.forget_connection(conn, "closed by this wallet");
                Output::Disconnect { conn }
            }
            Gated::Broadcast(package) => Output::Broadcast(package),
            Gated::Answer(id, result) => Output::Answer { id, result: Box::new(result) },
            Gated::Event(event) => Output::Event(event),
        })
    }

    /// What follows from an input, until nothing follows any more.
    fn settle_down(&mut self) {
        self.keep_connections();
        self.end_long_waits();
        self.time_out_parts();
        self.run_channels();
        self.advance_payments();
        self.run_channels();
        self.sign_channels(Channel::owes_signatures_of_adds);
        self.answer_htlcs();
        self.sign_channels(Channel::needs_signing);
        self.note_waits();
        self.claim_onchain();
        self.store_channels();
        self.store_coins();
        self.store_graph();
    }

    fn wake_at(&self) -> Option<Instant> {
        if self.outbox.is_halted() {
            return None;
        }
        let payments = self.next_payment_deadline();
        [
            self.outbox.deadline(),
            self.connections.deadline(),
            self.parts.deadline(),
            self.gossip.deadline(),
            self.next_wait_end(),
            payments,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Contract P4: nothing leaves any more, and nothing is forced.
    fn halt(&mut self, failure: StoreFailure) {
        self.outbox.halt();
        self.outbox.last_words(Exempt::Halted(failure));
        for conn in self.connections.links.keys().copied().collect::<Vec<_>>() {
            self.outbox.drop_connection(conn);
        }
        self.connections.links.clear();
    }

    fn answer(&mut self, id: CommandId, result: Result<Answer, CommandError>) {
        self.outbox.gated(Gated::Answer(id, result));
    }

    fn emit(&mut self, event: Event) {
        let record = EventRecord { seq: self.record.next_event, time: self.now.unix, event };
        self.record.next_event += 1;
        self.outbox.put(event_name(record.seq), record.to_bytes());
        self.events.insert(record.seq, record.clone());
        self.outbox.gated(Gated::Event(record));
    }

    fn event_handled(&mut self, seq: u64) {
        let later = self.events.split_off(&(seq.saturating_add(1)));
        // As long as an event is stored, it tells the next number.
        self.store_record();
        for seq in std::mem::replace(&mut self.events, later).into_keys() {
            self.outbox.delete(&event_name(seq));
        }
    }

    fn store_graph(&mut self) {
        let (changes, since) = self.graph_stored;
        if self.graph.changes() != changes && since.plus_secs(STORE_GRAPH_EVERY_SECS) <= self.now.mono {
            self.graph.prune(self.now.unix);
            self.graph_stored = (self.graph.changes(), self.now.mono);
            self.outbox.put(RecordName::only(RecordKind::Graph), self.graph.to_bytes());
        }
    }

    fn store_record(&mut self) {
        self.outbox.put(RecordName::only(RecordKind::Node), self.record.to_bytes());
    }
}

fn event_name(seq: u64) -> RecordName {
    RecordName::numbered(RecordKind::Event, seq)
}
