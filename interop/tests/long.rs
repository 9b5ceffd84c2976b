//! Five hundred payments each way over one channel, whose stream breaks again and again. Every seed is another course of
//! events, and the same one each time.

use bitcoin::Amount;
use bitcoin::hashes::{Hash, sha256};
use kite_core::node::{Answer, Command, Event};
use kite_core::payment::PaymentRecord;
use kite_core::types::{MilliSatoshi, PaymentId};
use kite_interop::ldk::{Arriving, PeerEvent};
use kite_interop::meeting::Meeting;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stdout};

const EACH_WAY: usize = 500;
const CAPACITY: Amount = Amount::from_sat(2_000_000);
const PUSHED_MSAT: u64 = 1_000_000_000;

/// Numbers that follow from a seed.
struct Chance(u64, u64);

impl Chance {
    fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.1 += 1;
        let digest = sha256::Hash::hash(&[self.0.to_be_bytes(), self.1.to_be_bytes()].concat());
        let number = u64::from_be_bytes(*digest.as_byte_array().first_chunk().unwrap());
        range.start + number % (range.end - range.start)
    }

    fn amount_msat(&mut self) -> u64 {
        match self.within(0..6) {
            0 => self.within(1..1_000),
            1 => self.within(300_000..400_000),
            _ => self.within(1_000..15_000_000),
        }
    }
}

/// What must have come of everything.
#[derive(Default)]
struct Book {
    sent: BTreeMap<PaymentId, u64>,
    refused: BTreeSet<PaymentId>,
    received_msat: u64,
    received: usize,
    breaks: u32,
    restarts: u32,
}

/// LDK pays what Kite must refuse.
fn ldk_errs(meeting: &mut Meeting, chance: &mut Chance) {
    let amount_msat = chance.amount_msat().max(2);
    let invoice = meeting.kite_invoice(amount_msat);
    match chance.within(0..4) {
        0 => meeting.ldk.pay_other_hash(&invoice),
        1 => meeting.ldk.pay_with(&invoice, |hop| hop.fee_msat -= 1),
        2 => meeting.ldk.pay_with(&invoice, |hop| hop.cltv_expiry_delta = 2),
        _ => {
            // Not longer: LDK's clock is the chain's, which stands still meanwhile.
            let expired = invoice_for_a_minute(meeting, amount_msat);
            meeting.pass(61);
            meeting.connect();
            meeting.ldk.pay(&expired)
        }
    };
}

fn invoice_for_a_minute(meeting: &mut Meeting, amount_msat: u64) -> String {
    let amount = Some(MilliSatoshi::from_msat(amount_msat));
    let command = Command::MakeInvoice { amount, description: "tea".into(), expiry_secs: 60 };
    let answer = meeting.command(command);
    let Ok(Answer::Invoice { invoice, .. }) = answer else { panic!("{answer:?} {}", meeting.story()) };
    invoice
}

fn round(meeting: &mut Meeting, chance: &mut Chance, book: &mut Book) {
    let (ours, theirs) = (chance.amount_msat(), chance.amount_msat());
    let arriving = match chance.within(0..12) {
        0 => Arriving::Fail,
        1 => Arriving::Hold,
        _ => Arriving::Claim,
    };
    meeting.ldk.set_arriving(arriving);
    if chance.within(0..12) == 0 {
        ldk_errs(meeting, chance);
    }
    let invoice = meeting.kite_invoice(theirs);
    let to_pay = meeting.ldk.invoice(Some(ours));
    if chance.within(0..2) == 0 {
        meeting.break_at(u32::try_from(chance.within(1..12)).unwrap());
        book.breaks += 1;
    }
    meeting.ldk.pay(&invoice);
    let id = meeting.kite_pays(&to_pay);
    meeting.settle();
    if let kind @ 0..3 = chance.within(0..20) {
        book.restarts += 1;
        if kind != 1 {
            meeting.restart_kite();
        }
        if kind != 0 {
            meeting.restart_ldk();
        }
    }
    meeting.connect();
    let claims = chance.within(0..2) == 0;
    meeting.ldk.release(claims);
    meeting.settle();
    book.received += 1;
    book.received_msat += theirs;
    if arriving == Arriving::Claim || (arriving == Arriving::Hold && claims) {
        book.sent.insert(id, ours);
    } else {
        book.refused.insert(id);
    }
}

fn check(meeting: &Meeting, book: &Book) {
    let sent_msat: u64 = book.sent.values().sum();
    let local_msat = PUSHED_MSAT + book.received_msat - sent_msat;
    let channel = meeting.channel();
    let unfinished: Vec<_> = meeting
        .node()
        .payments()
        .filter(|record| matches!(record, PaymentRecord::Outgoing(payment) if !payment.is_final()))
        .collect();
    assert_eq!(channel.local_balance.to_msat(), local_msat, "{unfinished:?} {}", meeting.story());
    assert_eq!(channel.in_flight.to_msat(), 0, "{}", meeting.story());
    let theirs = &meeting.ldk.channels()[0];
    assert!(theirs.pending_inbound_htlcs.is_empty() && theirs.pending_outbound_htlcs.is_empty());
}

fn outcomes(meeting: &Meeting, book: &Book) {
    let mut sent = Vec::new();
    let mut failed = Vec::new();
    let mut received = 0;
    for event in meeting.kite.events() {
        match event {
            Event::PaymentSent { id, .. } => sent.push(*id),
            Event::PaymentFailed { id, .. } => failed.push(*id),
            Event::PaymentReceived { .. } => received += 1,
            Event::ChannelClosed { .. } => panic!("{}", meeting.story()),
            _ => {}
        }
    }
    sent.sort();
    failed.sort();
    assert!(sent.iter().eq(book.sent.keys()), "each exactly once");
    assert!(failed.iter().eq(&book.refused), "each exactly once");
    assert_eq!(received, book.received);
}

fn five_hundred_each_way(seed: u64) {
    let mut meeting = Meeting::new();
    meeting.give_coins(Amount::from_sat(5_000_000));
    meeting.connect();
    meeting.ldk_opens(CAPACITY, PUSHED_MSAT);
    assert!(meeting.channel().is_usable, "{}", meeting.story());
    let (mut chance, mut book) = (Chance(seed, 0), Book::default());
    while book.received.min(book.sent.len()) < EACH_WAY {
        round(&mut meeting, &mut chance, &mut book);
        check(&meeting, &book);
        let done = book.received + book.sent.len();
        if done % 50 < 2 {
            let _ = writeln!(
                stdout(),
                "seed {seed}: {done} payments, {} breaks, {} restarts",
                book.breaks,
                book.restarts
            );
        }
    }
    outcomes(&meeting, &book);
    close(&mut meeting, &book);
}

/// LDK opened and pays the fee: Kite gets what it owned, to the satoshi.
fn close(meeting: &mut Meeting, book: &Book) {
    let owned_msat = PUSHED_MSAT + book.received_msat - book.sent.values().sum::<u64>();
    let before = meeting.node().balance().onchain.total();
    meeting.ldk.take_events();
    let channel_id = meeting.channel().channel_id;
    meeting.command(Command::CloseChannel { channel_id }).unwrap();
    meeting.settle();
    assert_eq!(meeting.chain.mempool().len(), 1, "{}", meeting.story());
    meeting.mine(6);
    let gained = meeting.node().balance().onchain.total() - before;
    assert_eq!(gained, Amount::from_sat(owned_msat / 1_000));
    assert!(meeting.ldk.channels().is_empty());
    let events = meeting.ldk.take_events();
    let is_force = |event: &PeerEvent| matches!(event, PeerEvent::ChannelClosed { reason } if !reason.contains("ooperative"));
    assert!(!events.iter().any(is_force), "{events:?}");
}

#[test]
fn five_hundred_payments_each_way_with_seed_1() {
    five_hundred_each_way(1);
}

#[test]
fn five_hundred_payments_each_way_with_seed_2() {
    five_hundred_each_way(2);
}
