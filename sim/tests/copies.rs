//! Old state never speaks (contract P10): what a store does that was put back, or only loaded again.

use bitcoin::{Amount, Txid};
use kite_core::channel::Closer;
use kite_core::node::{Command, Event};
use kite_core::types::{ChannelId, PaymentPreimage};
use kite_core::wire;
use kite_sim::closes::Closes;
use kite_sim::disk::Disk;
use kite_sim::scenario::{Run, Transition};

const INIT: u16 = 16;
const CHANNEL_REESTABLISH: u16 = 136;

/// A channel with an HTLC of host 0 half way, and the disk of that moment.
struct HalfWay {
    run: Run,
    disk: Disk,
    channel_id: ChannelId,
    funding_txid: Txid,
}

impl HalfWay {
    fn new() -> Self {
        let mut run = Run::new("copies".into());
        for step in [
            Transition::Open { by: 0, sat: 1_000_000 },
            Transition::Settle,
            Transition::Mine(6),
            Transition::Pay { by: 0, msat: 300_000_000 },
            Transition::Settle,
            Transition::Pay { by: 0, msat: 20_000_000 },
            Transition::Deliver(2),
        ] {
            run.take(step);
        }
        let channel = &run.world.node(0).channels()[0];
        let (channel_id, funding_txid) = (channel.channel_id, channel.funding_txid.expect("it is funded"));
        let disk = run.world.hosts[0].disk.clone();
        Self { run, disk, channel_id, funding_txid }
    }

    /// Host 0 starts again from the disk of then. `payments` more were made since.
    fn put_back(&mut self, payments: u64) {
        for _ in 0..payments {
            self.run.settle();
            self.run.take(Transition::Pay { by: 0, msat: 10_000_000 });
        }
        if payments > 0 {
            self.run.settle();
        }
        self.run.world.hosts[0].restore(self.disk.clone());
        self.run.world.published.clear();
        self.run.world.settle();
        self.run.world.tapping = Some(|_, message_type| message_type == INIT);
        self.run.world.start(0);
    }

    fn state(&self, host: usize) -> &'static str {
        self.run.world.node(host).channels()[0].state
    }

    /// How many transactions a host published that spend the channel.
    fn closes_by(&self, by: usize) -> usize {
        let spends = |tx: &bitcoin::Transaction| {
            tx.input.iter().any(|input| input.previous_output.txid == self.funding_txid)
        };
        self.run.world.published.iter().filter(|(host, tx)| *host == by && spends(tx)).count()
    }

    /// Connects; at first nothing but `init` reaches the other.
    fn reconnect(&mut self) {
        self.run.world.cut();
        self.run.world.connect();
    }

    fn let_them_talk(&mut self) {
        self.run.world.tapping = None;
        self.reconnect();
    }

    /// What would close a channel whose state is known to be the newest: the peer says so, and an HTLC is overdue.
    fn trouble(&mut self) {
        for channel_id in [self.channel_id, ChannelId::ALL] {
            self.run.world.say_message(1, 0, &wire::Error::new(channel_id, "internal error").into());
        }
        self.run.world.mine(400);
    }
}

#[test]
fn an_old_copy_that_the_peer_proves_old_publishes_nothing_at_all() {
    for payments in 1..3 {
        let mut half = HalfWay::new();
        half.put_back(payments);
        half.let_them_talk();
        let told = |event: &Event| matches!(event, Event::ActionRequired { what } if what.contains("old"));
        assert!(half.run.world.hosts[0].events().any(told), "{}", half.run.world.story());
        for _ in 0..3 {
            half.run.take(Transition::Restart(0));
            half.run.world.mine(25);
            half.reconnect();
        }
        assert_eq!(half.closes_by(0), 0, "{}", half.run.world.story());
        assert!(half.closes_by(1) > 0, "the peer was asked to close");
        assert_eq!(half.state(0), "closing");
    }
}

/// What pays for closing is kept back only as long as this wallet may have to close.
#[test]
fn a_channel_that_only_the_peer_can_close_needs_no_reserve() {
    let mut half = HalfWay::new();
    half.put_back(1);
    let reserved = |half: &HalfWay| half.run.world.node(0).balance().reserved;
    assert!(reserved(&half) > Amount::ZERO);
    half.run.world.tapping = Some(|_, message_type| [INIT, CHANNEL_REESTABLISH].contains(&message_type));
    half.reconnect();
    assert_eq!((half.state(0), reserved(&half)), ("frozen", Amount::ZERO));
}

#[test]
fn nothing_makes_an_old_copy_publish_before_the_peer_has_spoken() {
    let mut half = HalfWay::new();
    half.put_back(1);
    for _ in 0..2 {
        half.reconnect();
        half.trouble();
        half.run.take(Transition::Restart(0));
    }
    assert_eq!((half.state(0), half.closes_by(0)), ("normal", 0));
    half.let_them_talk();
    half.run.world.mine(10);
    assert_eq!((half.state(0), half.closes_by(0)), ("closing", 0), "{}", half.run.world.story());
}

#[test]
fn the_newest_copy_does_what_waited_once_the_peer_has_spoken() {
    let mut half = HalfWay::new();
    half.put_back(0);
    half.reconnect();
    half.trouble();
    assert_eq!((half.state(0), half.closes_by(0)), ("normal", 0));
    half.let_them_talk();
    assert!(half.closes_by(0) > 0, "{}", half.run.world.story());
}

/// An old copy of host 0 is put back, in which a payment is under way. Since then its newer self has gone on by so many pieces,
/// and `closer` closes with a commitment that the copy does not hold. The peer can use the preimage. Gives whether it did.
fn claimed_on_an_unknown_commitment(closer: usize, pieces: u32) -> bool {
    let mut closes = Closes::new();
    let requests = [50_000_000, 40_000_000].map(|msat| closes.world.request(1, msat));
    let hash = requests[0].invoice.payment_hash;
    let [first, second] = requests.map(|request| Command::Send(Box::new(request)));
    closes.world.ask(0, first);
    closes.world.deliver(1);
    let disk = closes.world.hosts[0].disk.clone();
    // It comes into the peer's commitment before the peer can answer the first.
    closes.world.ask(0, second);
    closes.world.deliver(pieces);
    closes.world.cut();
    closes.force_close(closer);
    closes.world.deliver(0);
    closes.world.hosts[0].restore(disk);
    closes.world.crash(0);
    // The old copy sleeps while its peer claims what it can.
    closes.world.mine(10);
    closes.world.start(0);
    closes.world.settle();
    let closed_by = closes.world.node(0).channels()[0].close.as_ref().map(|close| close.closer);
    let is_unknown = matches!(closed_by, Some(Closer::RemoteUnknown { .. } | Closer::LocalUnknown { .. }));
    let txs: Vec<_> = closes.world.chain.wallet_transactions().map(|(tx, _)| tx.clone()).collect();
    let shows = |item: &[u8]| {
        <[u8; 32]>::try_from(item).is_ok_and(|item| PaymentPreimage(item).payment_hash() == hash)
    };
    let is_claimed = txs.iter().flat_map(|tx| &tx.input).flat_map(|input| input.witness.iter()).any(shows);
    if !(is_unknown && is_claimed) {
        return false;
    }
    let told = |event: &Event| match event {
        Event::PaymentSent { payment_hash, preimage, .. } if *payment_hash == hash => {
            Some(preimage.payment_hash() == hash)
        }
        Event::PaymentFailed { payment_hash, .. } if *payment_hash == hash => Some(false),
        _ => None,
    };
    // All that is ours comes back and is irrevocable, and the last HTLC that there may have been is long over.
    (0..15).for_each(|_| closes.world.mine_at_once(150));
    closes.world.pass(700);
    let told: Vec<bool> = closes.world.hosts[0].events().filter_map(told).collect();
    assert_eq!(told, [true], "{closer} closes after {pieces} pieces: {}", closes.world.story());
    assert!(closes.world.node(0).channels().is_empty(), "{}", closes.world.story());
    true
}

/// What it does not hold it cannot claim; that it has paid it is told all the same.
#[test]
fn an_old_copy_hears_that_its_payment_was_claimed_on_a_commitment_it_does_not_hold() {
    for closer in 0..2 {
        let count = (2..14).filter(|pieces| claimed_on_an_unknown_commitment(closer, *pieces)).count();
        assert!(count > 0, "{closer}");
    }
}

/// Until then it could not be enforced before its deadline.
#[test]
fn what_waits_on_a_loaded_channel_is_received_once_the_peer_has_spoken() {
    let mut run = Run::new("copies".into());
    for step in [Transition::Open { by: 0, sat: 1_000_000 }, Transition::Settle, Transition::Mine(6)] {
        run.take(step);
    }
    // Without the present height an HTLC is not answered.
    run.world.is_chain_silent = true;
    run.take(Transition::Restart(1));
    run.settle();
    run.take(Transition::Pay { by: 0, msat: 20_000_000 });
    run.world.pass(2);
    run.world.is_chain_silent = false;
    run.world.tapping = Some(|_, message_type| message_type == INIT);
    run.take(Transition::Restart(1));
    run.world.connect();
    run.world.pass(2);
    let received = |run: &Run| {
        run.world.hosts[1].events().filter(|event| matches!(event, Event::PaymentReceived { .. })).count()
    };
    assert_eq!(received(&run), 0, "{}", run.world.story());
    run.world.tapping = None;
    run.world.cut();
    run.settle();
    assert_eq!(received(&run), 1, "{}", run.world.story());
    run.finish();
}
