//! The harness itself: two LDK nodes over our byte streams and our chain.

use bitcoin::Amount;
use kite_interop::ldk::{Arriving, LdkPeer, PeerEvent};
use kite_sim::chain::Chain;

struct Pair {
    chain: Chain,
    a: LdkPeer,
    b: LdkPeer,
    /// The two ends of the stream.
    stream: Option<(u64, u64)>,
    /// How many bytes went over it.
    bytes: usize,
}

impl Pair {
    fn new() -> Self {
        let chain = Chain::new();
        let (a, b) = (LdkPeer::new(1, &chain), LdkPeer::new(2, &chain));
        Self { chain, a, b, stream: None, bytes: 0 }
    }

    fn connect(&mut self) {
        self.stream = Some((self.a.connect(self.b.node_id()), self.b.accept()));
        self.settle();
    }

    fn disconnect(&mut self) {
        if let Some((a, b)) = self.stream.take() {
            self.a.disconnected(a);
            self.b.disconnected(b);
        }
    }

    fn settle(&mut self) {
        loop {
            let mut moved = self.a.settle(&mut self.chain) | self.b.settle(&mut self.chain);
            if let Some((a, b)) = self.stream {
                let (from_a, from_b) = (self.a.take_outgoing(a), self.b.take_outgoing(b));
                self.bytes += from_a.len() + from_b.len();
                moved |= !from_a.is_empty() || !from_b.is_empty();
                self.b.receive(b, &from_a);
                self.a.receive(a, &from_b);
                assert!(!self.a.is_closed(a) && !self.b.is_closed(b), "{:#?}", self.a.log());
            }
            if !moved {
                return;
            }
        }
    }

    fn open() -> Self {
        let mut pair = Self::new();
        pair.connect();
        pair.a.open_channel(pair.b.node_id(), Amount::from_sat(1_000_000), 300_000_000);
        pair.settle();
        pair.chain.mine(6);
        pair.settle();
        for peer in [&pair.a, &pair.b] {
            let channels = peer.channels();
            assert!(channels[0].is_usable);
            assert!(channels[0].channel_type.as_ref().unwrap().supports_anchors_zero_fee_htlc_tx());
        }
        pair.a.take_events();
        pair.b.take_events();
        pair
    }

    fn pay(&mut self, amount_msat: u64) -> Vec<PeerEvent> {
        let invoice = self.b.invoice(Some(amount_msat));
        self.a.pay(&invoice);
        self.settle();
        self.a.take_events()
    }
}

#[test]
fn they_open_pay_and_close() {
    let mut pair = Pair::open();
    assert!(matches!(pair.pay(50_000_000)[..], [PeerEvent::Sent { .. }]));
    assert!(matches!(pair.b.take_events()[..], [PeerEvent::Received { amount_msat: 50_000_000, .. }]));
    pair.b.set_arriving(Arriving::Fail);
    assert!(matches!(pair.pay(1_000_000)[..], [PeerEvent::PathFailed { .. }, PeerEvent::Failed { .. }]));
    pair.a.close_channels(&pair.b.node_id());
    pair.settle();
    assert_eq!(pair.chain.mempool().len(), 1);
    pair.chain.mine(6);
    pair.settle();
    assert!(pair.a.channels().is_empty() && pair.b.channels().is_empty());
}

#[test]
fn they_survive_restarts_in_the_middle_of_a_payment() {
    let mut pair = Pair::open();
    pair.b.set_arriving(Arriving::Hold);
    assert!(pair.pay(50_000_000).is_empty());
    pair.disconnect();
    pair.a.restart();
    pair.b.restart();
    pair.chain.mine(1);
    pair.connect();
    pair.b.release(true);
    pair.settle();
    assert!(matches!(pair.a.take_events()[..], [PeerEvent::Sent { .. }]), "{:#?}", pair.a.log());
}

#[test]
fn a_commitment_that_one_publishes_is_valid() {
    let mut pair = Pair::open();
    pair.a.force_close_channels(&pair.b.node_id());
    pair.stream = None;
    pair.settle();
    assert_eq!(pair.chain.mempool().len(), 1);
    pair.chain.mine(200);
    pair.settle();
    let amount = |events: Vec<PeerEvent>| {
        events.into_iter().find_map(|event| match event {
            PeerEvent::Spendable { amount } => Some(amount),
            _ => None,
        })
    };
    assert_eq!(amount(pair.b.take_events()), Some(Amount::from_sat(300_000)));
    assert!(amount(pair.a.take_events()).is_some());
}

#[test]
fn the_same_seeds_give_the_same_number_of_bytes() {
    let run = || {
        let mut pair = Pair::open();
        pair.pay(50_000_000);
        (pair.bytes, pair.chain.tip())
    };
    assert_eq!(run(), run());
}
