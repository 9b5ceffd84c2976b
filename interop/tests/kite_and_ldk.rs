//! Kite and LDK do with each other what wallets do.

use bitcoin::Amount;
use kite_core::node::{Command, Event};
use kite_interop::ldk::{Arriving, PeerEvent};
use kite_interop::meeting::Meeting;

const CAPACITY: Amount = Amount::from_sat(1_000_000);

fn connected() -> Meeting {
    let mut meeting = Meeting::new();
    meeting.give_coins(Amount::from_sat(5_000_000));
    meeting.connect();
    meeting
}

fn kite_opened() -> Meeting {
    let mut meeting = connected();
    meeting.kite_opens(CAPACITY);
    assert!(meeting.channel().is_usable, "{}", meeting.story());
    assert!(meeting.ldk.channels()[0].is_usable, "{}", meeting.story());
    meeting.ldk.take_events();
    meeting
}

fn ldk_opened(push_msat: u64) -> Meeting {
    let mut meeting = connected();
    meeting.ldk_opens(CAPACITY, push_msat);
    assert!(meeting.channel().is_usable, "{}", meeting.story());
    assert!(meeting.ldk.channels()[0].is_usable, "{}", meeting.story());
    meeting.ldk.take_events();
    meeting
}

fn kite_pays(meeting: &mut Meeting, amount_msat: u64) {
    let invoice = meeting.ldk.invoice(Some(amount_msat));
    meeting.kite_pays(&invoice);
    meeting.settle();
}

fn ldk_pays(meeting: &mut Meeting, amount_msat: u64) {
    let invoice = meeting.kite_invoice(amount_msat);
    meeting.ldk.pay(&invoice);
    meeting.settle();
}

fn is_sent(event: &Event) -> bool {
    matches!(event, Event::PaymentSent { .. })
}

fn is_received(event: &Event) -> bool {
    matches!(event, Event::PaymentReceived { .. })
}

fn is_failed(event: &Event) -> bool {
    matches!(event, Event::PaymentFailed { .. })
}

fn assert_no_force_close(meeting: &Meeting) {
    let closed = meeting.count(|event| matches!(event, Event::ChannelClosed { .. }));
    assert_eq!(closed, 0, "{}", meeting.story());
    assert_eq!(meeting.ldk.channels().len(), 1, "{}", meeting.story());
}

fn close(meeting: &mut Meeting, by_kite: bool) {
    if by_kite {
        let channel_id = meeting.channel().channel_id;
        meeting.command(Command::CloseChannel { channel_id }).unwrap();
    } else {
        let node_id = meeting.node().node_id();
        meeting.ldk.close_channels(&node_id);
    }
    meeting.settle();
    assert_eq!(meeting.chain.mempool().len(), 1, "{}", meeting.story());
    meeting.mine(6);
    assert!(meeting.ldk.channels().is_empty(), "{}", meeting.story());
}

#[test]
fn kite_opens_and_both_pay() {
    let mut meeting = kite_opened();
    kite_pays(&mut meeting, 90_000_000);
    assert_eq!(meeting.count(is_sent), 1, "{}", meeting.story());
    assert!(matches!(meeting.ldk.take_events()[..], [PeerEvent::Received { amount_msat: 90_000_000, .. }]));
    ldk_pays(&mut meeting, 50_000_000);
    assert_eq!(meeting.count(is_received), 1, "{}", meeting.story());
    assert!(matches!(meeting.ldk.take_events()[..], [PeerEvent::Sent { .. }]));
    assert_eq!(meeting.channel().local_balance.to_msat(), 960_000_000);
    assert_no_force_close(&meeting);
}

#[test]
fn ldk_opens_and_both_pay() {
    let mut meeting = ldk_opened(0);
    ldk_pays(&mut meeting, 200_000_000);
    assert_eq!(meeting.count(is_received), 1, "{}", meeting.story());
    kite_pays(&mut meeting, 50_000_000);
    assert_eq!(meeting.count(is_sent), 1, "{}", meeting.story());
    assert_eq!(meeting.channel().local_balance.to_msat(), 150_000_000);
    assert_no_force_close(&meeting);
}

#[test]
fn amounts_around_dust_are_paid_both_ways() {
    let mut meeting = kite_opened();
    kite_pays(&mut meeting, 90_000_000);
    let mut expected = 910_000_000;
    for amount_msat in [1_000, 353_999, 354_000, 546_001, 1_234_567] {
        kite_pays(&mut meeting, amount_msat);
        ldk_pays(&mut meeting, amount_msat + 7_000);
        expected += 7_000;
        assert_eq!(meeting.channel().local_balance.to_msat(), expected, "{}", meeting.story());
    }
    assert_eq!((meeting.count(is_sent), meeting.count(is_received)), (6, 5));
    assert_no_force_close(&meeting);
}

#[test]
fn a_refused_payment_fails_and_the_channel_goes_on() {
    let mut meeting = kite_opened();
    meeting.ldk.set_arriving(Arriving::Fail);
    kite_pays(&mut meeting, 10_000_000);
    assert_eq!((meeting.count(is_sent), meeting.count(is_failed)), (0, 1), "{}", meeting.story());
    assert_eq!(meeting.channel().local_balance.to_msat(), 1_000_000_000);
    meeting.ldk.set_arriving(Arriving::Claim);
    kite_pays(&mut meeting, 10_000_000);
    assert_eq!(meeting.count(is_sent), 1, "{}", meeting.story());
    assert_no_force_close(&meeting);
}

#[test]
fn a_payee_that_knows_more_blocks_is_paid() {
    let mut meeting = kite_opened();
    meeting.set_chain_silent(true);
    meeting.mine(36);
    for amount_msat in [10_000_000, 20_000_000, 30_000_000] {
        kite_pays(&mut meeting, amount_msat);
    }
    assert_eq!((meeting.count(is_sent), meeting.count(is_failed)), (3, 0), "{}", meeting.story());
    // Further behind than that, it is not a matter of a few blocks.
    meeting.mine(20);
    kite_pays(&mut meeting, 10_000_000);
    assert_eq!((meeting.count(is_sent), meeting.count(is_failed)), (3, 1), "{}", meeting.story());
    meeting.set_chain_silent(false);
    meeting.settle();
    kite_pays(&mut meeting, 10_000_000);
    assert_eq!(meeting.count(is_sent), 4, "{}", meeting.story());
    assert_no_force_close(&meeting);
}

#[test]
fn kite_refuses_what_is_not_what_it_asked_for() {
    let mut meeting = ldk_opened(0);
    let invoice = meeting.kite_invoice(10_000_000);
    meeting.ldk.pay_with(&invoice, |hop| hop.cltv_expiry_delta = 3);
    meeting.settle();
    assert!(matches!(
        meeting.ldk.take_events()[..],
        [PeerEvent::PathFailed { .. }, PeerEvent::Failed { .. }]
    ));
    meeting.ldk.pay(&invoice);
    meeting.settle();
    assert!(matches!(meeting.ldk.take_events()[..], [PeerEvent::Sent { .. }]));
    meeting.ldk.pay(&invoice);
    meeting.settle();
    let again = meeting.ldk.take_events();
    assert!(
        matches!(again[..], [PeerEvent::PathFailed { is_permanent: true, .. }, PeerEvent::Failed { .. }]),
        "{again:?}"
    );
    assert_eq!((meeting.count(is_received), meeting.channel().local_balance.to_msat()), (1, 10_000_000));
    assert_no_force_close(&meeting);
}

#[test]
fn payments_cross() {
    let mut meeting = ldk_opened(500_000_000);
    let ours = meeting.kite_invoice(30_000_000);
    let theirs: Vec<String> = (1..4u64).map(|i| meeting.ldk.invoice(Some(i * 1_000_000))).collect();
    meeting.ldk.pay(&ours);
    for invoice in &theirs {
        meeting.kite_pays(invoice);
    }
    meeting.settle();
    assert_eq!((meeting.count(is_sent), meeting.count(is_received)), (3, 1), "{}", meeting.story());
    assert_eq!(meeting.channel().local_balance.to_msat(), 524_000_000);
    assert_no_force_close(&meeting);
}

#[test]
fn kite_follows_ldk_to_a_new_fee_rate() {
    let mut meeting = ldk_opened(500_000_000);
    meeting.ldk.set_feerate(3_000);
    meeting.ldk.tick();
    meeting.settle();
    assert_eq!(meeting.ldk.channels()[0].feerate_sat_per_1000_weight, Some(3_000), "{}", meeting.story());
    kite_pays(&mut meeting, 10_000_000);
    assert_eq!(meeting.count(is_sent), 1, "{}", meeting.story());
    assert_no_force_close(&meeting);
}

#[test]
fn kite_closes_what_it_opened() {
    let mut meeting = kite_opened();
    kite_pays(&mut meeting, 90_000_000);
    close(&mut meeting, true);
}

#[test]
fn ldk_closes_what_kite_opened() {
    let mut meeting = kite_opened();
    kite_pays(&mut meeting, 90_000_000);
    close(&mut meeting, false);
}

#[test]
fn kite_closes_what_ldk_opened() {
    let mut meeting = ldk_opened(300_000_000);
    close(&mut meeting, true);
    assert_eq!(meeting.node().balance().onchain.total(), Amount::from_sat(5_300_000));
}

#[test]
fn ldk_closes_what_it_opened() {
    let mut meeting = ldk_opened(300_000_000);
    close(&mut meeting, false);
    assert_eq!(meeting.node().balance().onchain.total(), Amount::from_sat(5_300_000));
}

#[test]
fn a_payment_waits_through_restarts_of_both() {
    let mut meeting = kite_opened();
    meeting.ldk.set_arriving(Arriving::Hold);
    kite_pays(&mut meeting, 20_000_000);
    assert_eq!(meeting.channel().in_flight.to_msat(), 20_000_000, "{}", meeting.story());
    meeting.restart_kite();
    meeting.restart_ldk();
    meeting.connect();
    meeting.ldk.release(true);
    meeting.settle();
    assert_eq!(meeting.count(is_sent), 1, "{}", meeting.story());
    assert_no_force_close(&meeting);
}

/// Runs `act` on a world once per piece of it, the stream breaking there, and after a while compares.
fn break_everywhere(prepare: fn() -> Meeting, act: fn(&mut Meeting), check: fn(&Meeting)) {
    let mut whole = prepare();
    let before = whole.delivered;
    act(&mut whole);
    whole.settle();
    check(&whole);
    let pieces = whole.delivered - before;
    assert!(pieces > 0);
    for piece in 1..=pieces {
        for restart in [false, true] {
            let mut meeting = prepare();
            meeting.break_at(piece);
            act(&mut meeting);
            meeting.settle();
            if restart {
                meeting.restart_kite();
            }
            meeting.connect();
            check(&meeting);
            kite_pays(&mut meeting, 1_000_000);
            ldk_pays(&mut meeting, 1_000_000);
            check(&meeting);
            assert_no_force_close(&meeting);
        }
    }
}

fn balanced() -> Meeting {
    ldk_opened(500_000_000)
}

#[test]
fn a_payment_of_kite_survives_a_break_at_every_message() {
    break_everywhere(
        balanced,
        |meeting| {
            let invoice = meeting.ldk.invoice(Some(20_000_000));
            meeting.kite_pays(&invoice);
        },
        |meeting| assert_eq!(meeting.channel().local_balance.to_msat(), 480_000_000, "{}", meeting.story()),
    );
}

#[test]
fn a_payment_of_ldk_survives_a_break_at_every_message() {
    break_everywhere(
        balanced,
        |meeting| {
            let invoice = meeting.kite_invoice(20_000_000);
            meeting.ldk.pay(&invoice);
        },
        |meeting| assert_eq!(meeting.channel().local_balance.to_msat(), 520_000_000, "{}", meeting.story()),
    );
}

#[test]
fn crossing_payments_survive_a_break_at_every_message() {
    break_everywhere(
        balanced,
        |meeting| {
            let (ours, theirs) = (meeting.kite_invoice(20_000_000), meeting.ldk.invoice(Some(3_000_000)));
            meeting.kite_pays(&theirs);
            meeting.ldk.pay(&ours);
        },
        |meeting| assert_eq!(meeting.channel().local_balance.to_msat(), 517_000_000, "{}", meeting.story()),
    );
}

#[test]
fn a_fee_update_of_ldk_survives_a_break_at_every_message() {
    break_everywhere(
        balanced,
        |meeting| {
            meeting.ldk.set_feerate(2_000);
            meeting.ldk.tick();
        },
        |meeting| assert_eq!(meeting.channel().local_balance.to_msat(), 500_000_000, "{}", meeting.story()),
    );
}
