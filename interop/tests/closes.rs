//! Kite and LDK close on each other, alone: in every state of a payment, whoever closes, and as cheater and victim. All
//! that both publish must be taken by the mempool of a full node.

use bitcoin::Amount;
use kite_core::node::{Command, Event};
use kite_core::types::{Instant, Now};
use kite_interop::full_node::{FullNode, Kind, Taken};
use kite_interop::ldk::{Arriving, PeerEvent};
use kite_interop::meeting::Meeting;

const CAPACITY: Amount = Amount::from_sat(1_000_000);

/// A channel of a million satoshi that Kite opened; each has about half.
fn open() -> Meeting {
    let mut meeting = Meeting::new();
    meeting.give_coins(Amount::from_sat(5_000_000));
    meeting.give_coins(Amount::from_sat(100_000));
    meeting.connect();
    meeting.kite_opens(CAPACITY);
    pay(&mut meeting, 5);
    meeting.ldk.take_events();
    meeting
}

/// Kite pays 90,000 sat so many times: LDK takes no more than a tenth of the channel at once.
fn pay(meeting: &mut Meeting, times: usize) {
    let before = meeting.count(is_sent);
    for _ in 0..times {
        let invoice = meeting.ldk.invoice(Some(90_000_000));
        meeting.kite_pays(&invoice);
        meeting.settle();
    }
    assert_eq!(meeting.count(is_sent), before + times, "{}", meeting.story());
}

fn is_sent(event: &Event) -> bool {
    matches!(event, Event::PaymentSent { .. })
}

fn is_failed(event: &Event) -> bool {
    matches!(event, Event::PaymentFailed { .. })
}

fn is_received(event: &Event) -> bool {
    matches!(event, Event::PaymentReceived { .. })
}

fn close(meeting: &mut Meeting, by_kite: bool) {
    if by_kite {
        let channel_id = meeting.channel().channel_id;
        meeting.command(Command::ForceClose { channel_id }).unwrap();
    } else {
        let node_id = meeting.node().node_id();
        meeting.ldk.force_close_channels(&node_id);
        meeting.settle();
    }
}

/// Blocks come until nothing is left for Kite to do. A full node takes all that was published.
fn run_out(meeting: &mut Meeting) -> Taken {
    for _ in 0..200 {
        meeting.chain.mine(4);
        meeting.mine(1);
        if meeting.node().channels().is_empty() {
            return FullNode::start().follow(&meeting.chain);
        }
    }
    panic!("it never ends: {}", meeting.story());
}

/// What Kite has, in satoshi.
fn total(meeting: &Meeting) -> i64 {
    i64::try_from(meeting.node().balance().total.to_msat() / 1_000).unwrap()
}

/// What closing alone may cost, in satoshi: fees, and the anchors.
const COST: i64 = 8_000;

#[test]
fn in_every_state_of_a_payment_to_ldk() {
    let mut outcomes = [0, 0];
    for by_kite in [true, false] {
        for piece in 1..10 {
            let mut meeting = open();
            let before = total(&meeting);
            let invoice = meeting.ldk.invoice(Some(50_000_000));
            meeting.break_at(piece);
            meeting.set_offline(true);
            meeting.kite_pays(&invoice);
            meeting.settle();
            close(&mut meeting, by_kite);
            run_out(&mut meeting);
            let name = format!("by kite: {by_kite}, piece {piece}");
            let counts = (meeting.count(is_sent) - 5, meeting.count(is_failed));
            let events = meeting.ldk.take_events();
            let received = events.iter().any(|event| matches!(event, PeerEvent::Received { .. }));
            let gone = before - total(&meeting);
            match counts {
                (1, 0) => assert!((50_000..50_000 + COST).contains(&gone), "{name}: {gone}"),
                // LDK may believe that it got it, and must not have it.
                (0, 1) => assert!((0..COST).contains(&gone), "{name}: {gone} (received: {received})"),
                other => panic!("{name}: {other:?} {}", meeting.story()),
            }
            outcomes[counts.0] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn in_every_state_of_a_payment_to_kite() {
    let mut outcomes = [0, 0];
    for by_kite in [true, false] {
        for piece in 1..10 {
            let mut meeting = open();
            let before = total(&meeting);
            let invoice = meeting.kite_invoice(50_000_000);
            meeting.break_at(piece);
            meeting.set_offline(true);
            meeting.ldk.pay(&invoice);
            meeting.settle();
            close(&mut meeting, by_kite);
            run_out(&mut meeting);
            let name = format!("by kite: {by_kite}, piece {piece}");
            let received = meeting.count(is_received);
            let gained = total(&meeting) - before;
            match received {
                1 => assert!(
                    (50_000 - COST..=50_000).contains(&gained),
                    "{name}: {gained} {}",
                    meeting.story()
                ),
                _ => assert!((-COST..=0).contains(&gained), "{name}: {gained} {}", meeting.story()),
            }
            let events = meeting.ldk.take_events();
            let sent = events.iter().any(|event| matches!(event, PeerEvent::Sent { .. }));
            assert_eq!(sent, received == 1, "{name}: {events:?} {}", meeting.story());
            outcomes[received] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn a_payment_that_ldk_holds_is_settled_by_whoever_is_first_on_the_chain() {
    for by_kite in [true, false] {
        for released in [true, false] {
            let mut meeting = open();
            let before = total(&meeting);
            meeting.ldk.set_arriving(Arriving::Hold);
            let invoice = meeting.ldk.invoice(Some(80_000_000));
            meeting.kite_pays(&invoice);
            meeting.settle();
            meeting.set_offline(true);
            meeting.disconnect();
            if released && by_kite {
                meeting.ldk.release(true);
            }
            close(&mut meeting, by_kite);
            run_out(&mut meeting);
            let gone = before - total(&meeting);
            let counts = (meeting.count(is_sent) - 5, meeting.count(is_failed));
            let name = format!("by kite: {by_kite}, released {released}");
            if released && by_kite {
                assert_eq!(counts, (1, 0), "{name} {}", meeting.story());
                assert!((80_000..80_000 + COST).contains(&gone), "{name}: {gone}");
            } else {
                assert_eq!(counts, (0, 1), "{name} {}", meeting.story());
                assert!((0..COST).contains(&gone), "{name}: {gone}");
            }
        }
    }
}

/// LDK publishes the state it had before Kite was paid back, with an HTLC each way pending in it.
#[test]
fn ldk_cheats_and_loses_everything() {
    let mut meeting = open();
    meeting.ldk.set_arriving(Arriving::Hold);
    let invoice = meeting.ldk.invoice(Some(30_000_000));
    meeting.kite_pays(&invoice);
    meeting.settle();
    let old = meeting.ldk.written();
    meeting.ldk.release(false);
    meeting.settle();
    let invoice = meeting.kite_invoice(300_000_000);
    meeting.ldk.pay(&invoice);
    meeting.settle();
    assert_eq!(meeting.count(is_received), 1, "{}", meeting.story());
    let before = total(&meeting);
    meeting.set_offline(true);
    meeting.disconnect();
    meeting.ldk.start_from(&old);
    meeting.settle();
    close(&mut meeting, false);
    meeting.mine(1);
    let cheated =
        |event: &Event| matches!(event, Event::ActionRequired { what } if what.contains("old state"));
    assert_eq!(meeting.count(cheated), 1, "{}", meeting.story());
    meeting.mine(2);
    // All that was LDK's is Kite's.
    let gained = total(&meeting) - before;
    assert!((150_000 - COST..=150_000).contains(&gained), "{gained} {}", meeting.story());
    run_out(&mut meeting);
    assert_eq!(total(&meeting) - before, gained);
}

/// LDK publishes an old state with an HTLC each way, and settles both by HTLC transactions of its own. Kite sleeps until all
/// of that is in blocks.
#[test]
fn ldk_cheats_with_its_second_stages_and_loses_them_as_well() {
    let mut meeting = open();
    meeting.ldk.set_arriving(Arriving::Hold);
    let invoice = meeting.ldk.invoice(Some(30_000_000));
    meeting.kite_pays(&invoice);
    meeting.settle();
    // LDK's commitment has its own HTLC as well when the stream breaks; Kite has not said the preimage.
    let invoice = meeting.kite_invoice(40_000_000);
    meeting.break_at(4);
    meeting.set_offline(true);
    meeting.ldk.pay(&invoice);
    meeting.settle();
    assert_eq!(meeting.count(is_received), 0, "{}", meeting.story());
    let old = meeting.ldk.written();
    meeting.mend();
    meeting.set_offline(false);
    meeting.connect();
    assert_eq!(meeting.count(is_received), 1, "{}", meeting.story());
    meeting.ldk.release(false);
    meeting.settle();
    assert_eq!(meeting.count(is_failed), 1, "{}", meeting.story());
    let (before, node_id) = (total(&meeting), meeting.node().node_id());
    let of_ldk =
        CAPACITY.to_sat().cast_signed() - meeting.channel().local_balance.to_msat().cast_signed() / 1_000;
    meeting.set_offline(true);
    meeting.disconnect();
    meeting.kite.crash();
    meeting.ldk.start_from(&old);
    meeting.settle();
    meeting.ldk.force_close_channels(&node_id);
    meeting.ldk.release(true);
    meeting.mine(100);
    meeting.restart_kite();
    meeting.mine(3);
    // All that was LDK's is Kite's.
    let gained = total(&meeting) - before;
    assert!((of_ldk - COST..=of_ldk).contains(&gained), "{gained} of {of_ldk} {}", meeting.story());
    let taken = run_out(&mut meeting);
    assert_eq!(total(&meeting) - before, gained);
    let htlcs = [Kind::HtlcSuccess, Kind::HtlcTimeout].map(|kind| taken.kinds.get(&kind).copied());
    assert_eq!(htlcs, [Some(1), Some(1)], "{taken:?}");
    let penalties = [Kind::Penalty, Kind::SecondStagePenalty].map(|kind| taken.kinds.get(&kind).copied());
    assert_eq!(penalties, [Some(1), Some(2)], "to_local, and both second stages: {taken:?}");
}

#[test]
fn kite_cheats_and_ldk_takes_everything() {
    let mut meeting = open();
    let disk = meeting.kite.disk.clone();
    pay(&mut meeting, 2);
    let now = Now { mono: Instant(9), unix: meeting.chain.now() };
    let revoked = meeting.kite.old_commitment(now, &disk);
    meeting.set_offline(true);
    meeting.disconnect();
    meeting.chain.submit(&revoked).unwrap();
    for _ in 0..3 {
        meeting.mine(1);
    }
    // Kite's balance of that state is spent, by LDK, before Kite could take it.
    let outputs = (0..).zip(&revoked.output).filter(|(_, output)| output.value.to_sat() > 330);
    for (vout, _) in outputs {
        let outpoint = bitcoin::OutPoint { txid: revoked.compute_txid(), vout };
        let is_to_remote = meeting.chain.spend_of(&outpoint).is_none();
        let amount = revoked.output[vout as usize].value.to_sat();
        assert!(!is_to_remote || amount < 460_000, "{amount} of Kite's was not taken: {}", meeting.story());
    }
    FullNode::start().follow(&meeting.chain);
}
