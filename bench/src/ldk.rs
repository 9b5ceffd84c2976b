//! Two LDK nodes: messages go from one to the other as values. No encryption, no storage, no log: what LDK itself costs.

use crate::kite::{AMOUNT_MSAT, CAPACITY};
use crate::meter::{Meter, Section};
use kite_interop::ldk::{LdkPeer, PeerEvent, PlannedPayment, Written};
use kite_sim::chain::Chain;

/// Two running nodes.
#[derive(Debug)]
pub struct Pair {
    chain: Chain,
    a: LdkPeer,
    b: LdkPeer,
}

impl Pair {
    /// Two nodes with so many channels, all opened by the first.
    pub fn new(channels: usize) -> Self {
        let chain = Chain::new();
        let (a, b) = (LdkPeer::new(1, &chain), LdkPeer::new(2, &chain));
        a.be_silent();
        b.be_silent();
        let mut pair = Self { chain, a, b };
        let stream = (pair.a.connect(pair.b.node_id()), pair.b.accept());
        pair.settle_over(stream);
        for _ in 0..channels {
            pair.a.open_channel(pair.b.node_id(), CAPACITY, 0);
            pair.settle_over(stream);
            pair.chain.mine(6);
            pair.settle_over(stream);
        }
        assert_eq!(pair.a.channels().iter().filter(|channel| channel.is_usable).count(), channels);
        pair.a.take_events();
        pair.b.take_events();
        pair
    }

    /// Over a real byte stream, for the opening.
    fn settle_over(&mut self, (a, b): (u64, u64)) {
        loop {
            let mut moved = self.a.settle(&mut self.chain) | self.b.settle(&mut self.chain);
            let (from_a, from_b) = (self.a.take_outgoing(a), self.b.take_outgoing(b));
            moved |= !from_a.is_empty() || !from_b.is_empty();
            self.b.receive(b, &from_a);
            self.a.receive(a, &from_b);
            if !moved {
                return;
            }
        }
    }

    /// Payments to the second node, of which all is known but that they are made.
    pub fn plan(&mut self, count: usize) -> Vec<PlannedPayment> {
        (0..count)
            .map(|_| {
                let invoice = self.b.invoice(Some(AMOUNT_MSAT));
                self.a.plan(&invoice, |_| {})
            })
            .collect()
    }

    /// The first node pays the second, all at once.
    pub fn pay(&mut self, payments: Vec<PlannedPayment>) {
        let count = payments.len();
        payments.into_iter().for_each(|payment| self.a.offer(payment));
        self.settle();
        let sent = |event: &PeerEvent| matches!(event, PeerEvent::Sent { .. });
        assert_eq!(self.a.take_events().iter().filter(|event| sent(event)).count(), count, "paid");
        self.b.take_events();
    }

    /// What the second node would find on its disk now.
    pub fn stop(&mut self) -> Written {
        self.b.written()
    }

    /// The second node from its store. The two do not know each other any more.
    pub fn start_payee(&mut self, written: &Written) {
        self.b.start_from(written);
    }

    /// The two meet, the first offers an HTLC, and the second signs the first one's commitment. Only what the second
    /// node does is taken, its start included. Then the payment goes on.
    pub fn until_first_reply(&mut self, meter: &Meter, section: &mut Section) {
        let written = self.stop();
        let planned = self.plan(1);
        self.a.part_from(&self.b);
        meter.part(section, || {
            self.b.start_from(&written);
            self.b.meet(&self.a);
        });
        self.a.meet(&self.b);
        loop {
            let there = hand_over(&self.a, &self.b, |work| meter.part(section, work));
            let back = meter.part(section, || self.b.take_messages());
            if !there && back.is_empty() {
                break;
            }
            back.into_iter().for_each(|message| self.a.hand(self.b.node_id(), message));
        }
        planned.into_iter().for_each(|payment| self.a.offer(payment));
        assert!(hand_over(&self.a, &self.b, |work| meter.part(section, work)));
        let reply = meter.part(section, || self.b.take_messages());
        assert!(!reply.is_empty(), "the payee does not answer");
        reply.into_iter().for_each(|message| self.a.hand(self.b.node_id(), message));
        self.settle();
        self.a.take_events();
        self.b.take_events();
    }

    fn settle(&mut self) {
        loop {
            while hand_over(&self.a, &self.b, |work| work()) | hand_over(&self.b, &self.a, |work| work()) {}
            if !(self.a.work(&mut self.chain) | self.b.work(&mut self.chain)) {
                return;
            }
        }
    }
}

/// The receiver's part of the work goes through `receive`. Tells whether there was anything.
fn hand_over(from: &LdkPeer, to: &LdkPeer, mut receive: impl FnMut(&mut dyn FnMut())) -> bool {
    let messages = from.take_messages();
    let any = !messages.is_empty();
    for message in messages {
        let mut message = Some(message);
        receive(&mut || {
            if let Some(message) = message.take() {
                to.hand(from.node_id(), message);
            }
        });
    }
    any
}
