//! The gate (contract P2): nothing that reveals state leaves before that state is durable.
//!
//! What must wait is a [`Gated`]; what reveals nothing is an [`Exempt`]. There is no flag to get wrong: a value of one
//! type cannot be queued as the other. Gated outputs wait built and in order (P3), behind the batch that holds
//! everything put up to the end of the input that made them.

use super::{Answer, CommandError, CommandId, Event, EventRecord, StoreFailure};
use crate::store::{Batch, FRESH_LEN, RecordName, Shelf};
use crate::types::{ConnId, Instant};
use crate::wire::Message;
use bitcoin::Transaction;
use std::collections::VecDeque;

/// An output that reveals or depends on state.
#[derive(Debug)]
pub(crate) enum Gated {
    /// A message about a channel or a payment. It is encrypted when it leaves, since BOLT 8 counts messages.
    Send(ConnId, Message),
    /// Closes a connection after what was queued for it has left.
    Disconnect(ConnId),
    /// Transactions to publish, parents first.
    Broadcast(Vec<Transaction>),
    /// The result of a command of the app.
    Answer(CommandId, Result<Answer, CommandError>),
    /// Something the app should know.
    Event(EventRecord),
}

/// An output that reveals nothing about state and needs none.
#[derive(Debug)]
pub(crate) enum Exempt {
    /// Asks for a byte stream to a peer.
    Connect(ConnId, bitcoin::secp256k1::PublicKey, String),
    /// Bytes of the BOLT 8 handshake.
    Handshake(ConnId, Vec<u8>),
    /// `init`, `ping`, `pong`, `warning`, `error` of a connection without state, gossip queries.
    Setup(ConnId, Setup),
    /// Drops a connection at once.
    Drop(ConnId),
    /// The set of watched scripts is another now.
    WatchesChanged,
    /// The node has stopped.
    Halted(StoreFailure),
    /// A command that a stopped node refuses.
    Stopped(CommandId),
}

/// The messages that may pass the gate: BOLT 1 set-up and control, and BOLT 7 queries.
#[derive(Debug)]
pub(crate) struct Setup(Message);

impl Setup {
    /// Takes a message if it is one of the kinds that reveal nothing, else gives it back.
    pub(crate) fn new(message: Message) -> Result<Self, Box<Message>> {
        match message {
            Message::Init(_)
            | Message::Ping(_)
            | Message::Pong(_)
            | Message::Warning(_)
            | Message::QueryShortChannelIds(_)
            | Message::QueryChannelRange(_)
            | Message::GossipTimestampFilter(_) => Ok(Self(message)),
            other => Err(Box::new(other)),
        }
    }

    pub(crate) fn into_message(self) -> Message {
        self.0
    }
}

/// What leaves next.
#[derive(Debug)]
pub(crate) enum Next {
    Persist(Batch),
    Exempt(Exempt),
    Gated(Gated),
}

/// Writes on which nothing waits are written at the latest so long after they were made.
const FLUSH_AFTER_MILLIS: u64 = 500;

/// So long what an `update_fulfill_htlc` tells waits for the `commitment_signed` that a peer says right after it, and that asks
/// for an answer: both are one batch.
const FULFILMENT_AFTER_MILLIS: u64 = 10;

impl Gated {
    /// For so long it may wait for others before its batch is made.
    const fn may_wait_millis(&self) -> u64 {
        match self {
            Self::Event(EventRecord { event: Event::PaymentSent { .. }, .. }) => FULFILMENT_AFTER_MILLIS,
            _ => 0,
        }
    }
}

/// The queue in front of the world.
#[derive(Debug)]
pub(crate) struct Outbox {
    shelf: Shelf,
    /// When writes on which nothing waits must be written.
    flush_at: Option<Instant>,
    durable: u64,
    in_flight: Option<u64>,
    exempt: VecDeque<Exempt>,
    /// Made since the last poll: their batch is not known before the input is done.
    fresh: Vec<Gated>,
    gated: VecDeque<(u64, Gated)>,
    halted: bool,
}

impl Outbox {
    pub(crate) fn new(shelf: Shelf) -> Self {
        Self {
            shelf,
            flush_at: None,
            durable: 0,
            in_flight: None,
            exempt: VecDeque::new(),
            fresh: Vec::new(),
            gated: VecDeque::new(),
            halted: false,
        }
    }

    pub(crate) fn put(&mut self, name: RecordName, content: Vec<u8>) {
        self.shelf.put(name, content);
    }

    pub(crate) fn delete(&mut self, name: &RecordName) {
        self.shelf.delete(name);
    }

    pub(crate) fn replace(
        &mut self,
        prefix: &RecordName,
        rows: impl IntoIterator<Item = (RecordName, Vec<u8>)>,
    ) {
        self.shelf.replace(prefix, rows);
    }

    pub(crate) fn gated(&mut self, output: Gated) {
        if !self.halted {
            self.fresh.push(output);
        }
    }

    pub(crate) fn exempt(&mut self, output: Exempt) {
        if !self.halted {
            self.exempt.push_back(output);
        }
    }

    /// The next output. To be asked only between inputs, when everything an input puts is put.
    ///
    /// A batch is made when an output waits for it, a moment later where it is but a fulfilment, or when its writes are
    /// [`FLUSH_AFTER_MILLIS`] old: what a peer said and what needs no answer is safe with the peer until then, and shares the
    /// batch of the next answer (P5).
    pub(crate) fn poll(&mut self, now: Instant, fresh: impl FnMut() -> [u8; FRESH_LEN]) -> Option<Next> {
        let wait_for = self.shelf.batch_of_everything();
        self.gated.extend(self.fresh.drain(..).map(|output| (wait_for, output)));
        if let Some(output) = self.exempt.pop_front() {
            return Some(Next::Exempt(output));
        }
        if self.halted {
            return None;
        }
        if self.in_flight.is_none() && self.is_batch_due(now) {
            self.flush_at = None;
            if let Some(batch) = self.shelf.take_batch(fresh) {
                self.in_flight = Some(batch.seq);
                return Some(Next::Persist(batch));
            }
        }
        if self.gated.front().is_some_and(|(wait_for, _)| *wait_for <= self.durable) {
            return self.gated.pop_front().map(|(_, output)| Next::Gated(output));
        }
        None
    }

    /// Whether an output waits for what is not in a batch yet, or the writes are old enough.
    fn is_batch_due(&mut self, now: Instant) -> bool {
        if !self.shelf.is_staged() {
            self.flush_at = None;
            return false;
        }
        let issued = self.shelf.issued();
        let waiting = self.gated.iter().rev().take_while(|(wait_for, _)| *wait_for > issued);
        let pause = waiting.map(|(_, output)| output.may_wait_millis()).min().unwrap_or(FLUSH_AFTER_MILLIS);
        let latest = now.plus_millis(pause);
        let flush_at = self.flush_at.map_or(latest, |flush_at| flush_at.min(latest));
        self.flush_at = Some(flush_at);
        self.shelf.takes_fence() || flush_at <= now
    }

    /// Writes what is staged with the next poll, whether something waits for it or not.
    pub(crate) fn flush(&mut self, now: Instant) {
        self.flush_at = Some(now);
    }

    /// When [`Outbox::poll`] has something to do without an input.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.flush_at.filter(|_| self.in_flight.is_none())
    }

    /// The store promised that this batch survives. Anything but the batch in flight is refused.
    pub(crate) fn persisted(&mut self, seq: u64) -> bool {
        if self.in_flight != Some(seq) || self.halted {
            return false;
        }
        self.in_flight = None;
        self.durable = seq;
        true
    }

    /// Nothing leaves any more (contract P4); connections are to be dropped by the caller, which may still say so.
    pub(crate) fn halt(&mut self) {
        self.halted = true;
        self.fresh.clear();
        self.gated.clear();
        self.exempt.clear();
    }

    /// What a halted node may still say.
    pub(crate) fn last_words(&mut self, output: Exempt) {
        self.exempt.push_back(output);
    }

    /// Drops a connection although the node is halted.
    pub(crate) fn drop_connection(&mut self, conn: ConnId) {
        self.connection_lost(conn);
        self.exempt.push_back(Exempt::Drop(conn));
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halted
    }

    /// Whether anything still waits to leave or to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_none() && !self.shelf.is_staged() && self.gated.is_empty() && self.fresh.is_empty()
    }

    /// Messages for this connection are dropped; `channel_reestablish` recovers what they said (contract P3).
    pub(crate) fn connection_lost(&mut self, conn: ConnId) {
        let keep =
            |output: &Gated| !matches!(output, Gated::Send(to, _) | Gated::Disconnect(to) if *to == conn);
        self.gated.retain(|(_, output)| keep(output));
        self.fresh.retain(keep);
        self.exempt.retain(|output| {
            !matches!(output, Exempt::Handshake(to, _) | Exempt::Setup(to, _) | Exempt::Connect(to, ..) if *to == conn)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RecordKind, Stored, Vault};
    use crate::types::{MilliSatoshi, PaymentId, PaymentPreimage, UnixTime};

    fn outbox() -> Outbox {
        let (shelf, _) = Shelf::open(Vault::new(&[1; 32]), &Stored::default()).unwrap();
        let mut outbox = Outbox::new(shelf);
        // The batch that takes the fence.
        assert_eq!(persist(&mut outbox), 1);
        outbox
    }

    fn poll(outbox: &mut Outbox) -> Option<Next> {
        outbox.poll(Instant(0), || [0; FRESH_LEN])
    }

    fn persist(outbox: &mut Outbox) -> u64 {
        let Some(Next::Persist(batch)) = poll(outbox) else { panic!("no batch") };
        assert!(outbox.persisted(batch.seq));
        batch.seq
    }

    fn record(byte: u8) -> (RecordName, Vec<u8>) {
        (RecordName::of(RecordKind::Channel, [byte]), vec![byte])
    }

    fn broadcast() -> Gated {
        Gated::Broadcast(vec![])
    }

    #[test]
    fn a_gated_output_waits_for_what_was_put_before_it() {
        let mut outbox = outbox();
        let (name, content) = record(1);
        outbox.put(name, content);
        outbox.gated(broadcast());
        let Some(Next::Persist(batch)) = poll(&mut outbox) else { panic!() };
        assert!(poll(&mut outbox).is_none(), "left before it was durable");
        assert!(outbox.persisted(batch.seq));
        assert!(matches!(poll(&mut outbox), Some(Next::Gated(Gated::Broadcast(_)))));
    }

    #[test]
    fn it_also_waits_for_what_the_same_input_puts_after_it() {
        let mut outbox = outbox();
        outbox.gated(broadcast());
        let (name, content) = record(1);
        outbox.put(name, content);
        assert!(matches!(poll(&mut outbox), Some(Next::Persist(_))));
        assert!(poll(&mut outbox).is_none(), "left before it was durable");
    }

    #[test]
    fn writes_gather_while_a_batch_is_in_flight_and_outputs_keep_their_order() {
        let mut outbox = outbox();
        let (name, content) = record(1);
        outbox.put(name, content);
        outbox.flush(Instant(0));
        let Some(Next::Persist(first)) = poll(&mut outbox) else { panic!() };
        for byte in 2..5 {
            let (name, content) = record(byte);
            outbox.put(name, content);
            outbox.gated(Gated::Disconnect(ConnId(u64::from(byte))));
            assert!(poll(&mut outbox).is_none(), "two batches in flight");
        }
        assert!(outbox.persisted(first.seq));
        let Some(Next::Persist(second)) = poll(&mut outbox) else { panic!() };
        assert_eq!(second.seq, first.seq + 1, "all three share one batch");
        assert!(poll(&mut outbox).is_none());
        assert!(outbox.persisted(second.seq));
        for byte in 2..5 {
            assert!(
                matches!(poll(&mut outbox), Some(Next::Gated(Gated::Disconnect(ConnId(conn)))) if conn == byte)
            );
        }
    }

    #[test]
    fn writes_on_which_nothing_waits_gather_for_half_a_second() {
        let mut outbox = outbox();
        let (name, content) = record(1);
        outbox.put(name, content);
        assert!(poll(&mut outbox).is_none());
        let due = outbox.deadline().unwrap();
        assert!(outbox.poll(Instant(due.0 - 1), || [0; FRESH_LEN]).is_none());
        assert!(
            matches!(outbox.poll(due, || [0; FRESH_LEN]), Some(Next::Persist(batch)) if batch.ops.len() == 1)
        );
        assert_eq!(outbox.deadline(), None);
    }

    #[test]
    fn what_a_fulfilment_tells_waits_a_moment_for_the_signature_after_it() {
        let event = Event::PaymentSent {
            id: PaymentId([1; 16]),
            payment_hash: PaymentPreimage([2; 32]).payment_hash(),
            preimage: PaymentPreimage([2; 32]),
            fee: MilliSatoshi::ZERO,
        };
        let told = || Gated::Event(EventRecord { seq: 1, time: UnixTime(0), event: event.clone() });
        let ops = |next: Option<Next>| match next {
            Some(Next::Persist(batch)) => batch.ops.len(),
            other => panic!("{other:?}"),
        };
        for is_signed in [true, false] {
            let mut outbox = outbox();
            let (name, content) = record(1);
            outbox.put(name, content);
            outbox.gated(told());
            assert!(poll(&mut outbox).is_none());
            let due = outbox.deadline().unwrap();
            assert!(outbox.poll(Instant(due.0 - 1), || [0; FRESH_LEN]).is_none());
            if is_signed {
                let (name, content) = record(2);
                outbox.put(name, content);
                outbox.gated(broadcast());
                assert_eq!(ops(poll(&mut outbox)), 1, "one entry of the journal for both");
            } else {
                assert_eq!(ops(outbox.poll(due, || [0; FRESH_LEN])), 1);
            }
            assert_eq!(outbox.deadline(), None);
            assert!(outbox.persisted(2));
            assert!(matches!(poll(&mut outbox), Some(Next::Gated(Gated::Event(_)))), "in order");
        }
    }

    #[test]
    fn a_failed_write_stops_everything() {
        let mut outbox = outbox();
        let (name, content) = record(1);
        outbox.put(name, content);
        outbox.gated(broadcast());
        let Some(Next::Persist(batch)) = poll(&mut outbox) else { panic!() };
        outbox.halt();
        assert!(!outbox.persisted(batch.seq), "an acknowledgement after the failure changes nothing");
        outbox.gated(broadcast());
        outbox.exempt(Exempt::WatchesChanged);
        outbox.drop_connection(ConnId(3));
        assert!(matches!(poll(&mut outbox), Some(Next::Exempt(Exempt::Drop(ConnId(3))))));
        assert!(poll(&mut outbox).is_none());
    }

    #[test]
    fn a_wrong_acknowledgement_opens_nothing() {
        let mut outbox = outbox();
        let (name, content) = record(1);
        outbox.put(name, content);
        outbox.gated(broadcast());
        assert!(!outbox.persisted(2), "acknowledged before it was asked for");
        let Some(Next::Persist(batch)) = poll(&mut outbox) else { panic!() };
        assert!(!outbox.persisted(batch.seq + 1));
        assert!(!outbox.persisted(batch.seq - 1));
        assert!(poll(&mut outbox).is_none());
    }

    #[test]
    fn a_lost_connection_takes_its_messages_along_and_no_other() {
        let mut outbox = outbox();
        outbox.gated(Gated::Disconnect(ConnId(1)));
        outbox.gated(Gated::Disconnect(ConnId(2)));
        outbox.exempt(Exempt::Handshake(ConnId(1), vec![1]));
        outbox.connection_lost(ConnId(1));
        assert!(matches!(poll(&mut outbox), Some(Next::Gated(Gated::Disconnect(ConnId(2))))));
        assert!(poll(&mut outbox).is_none());
    }
}
