//! A whole HTLC round trip: add, commit, revoke, fulfil, commit, revoke; both nodes together.

use super::{Case, Floor, Row};
use crate::meter::{Meter, Section};
use crate::{kite, ldk};
use kite_core::crypto::ec::op_counts;
use std::collections::VecDeque;

/// Six signatures and as many checks, the onion made and peeled, and five points read; four new points, and their four
/// revocation keys by whoever has the secret; and by whoever has the point a product of it. The rest are sums of table
/// entries: the other halves of eight revocation keys, eight delayed keys, two HTLC keys where there is an HTLC, and four
/// revealed secrets.
const PAYMENT: Floor = Floor {
    sign: 6,
    verify: 6,
    recover: 0,
    ecdh: 2,
    create: 1 + 4 + 4,
    mul: 4,
    table: 8 + 8 + 8 + 4,
    parse: 5,
};
/// What cannot be done before the messages are there: the same without points and keys, but for those of the commitment
/// whose point comes with the `revoke_and_ack` that the payee answers to.
const CRITICAL: Floor =
    Floor { sign: 6, verify: 6, recover: 0, ecdh: 2, create: 1, mul: 1, table: 2 + 4, parse: 5 };
/// Of 40 HTLCs at once each stands in one commitment of either side and is signed and checked for both. The first is signed
/// once more, alone, and the few commitments have keys and signatures of their own: shared by 40, they are left out.
const IN_FLIGHT_EACH: Floor =
    Floor { sign: 2, verify: 2, recover: 0, ecdh: 2, create: 1, mul: 0, table: 0, parse: 1 };

pub(super) const CASE: Case = Case {
    name: "payment",
    about: "10,000 sat over one hop, anchors: one at a time, 40 in flight, and what a reply waits for",
    run,
    rows: &[
        Row { name: "payment", against: None, goal: Some(0.42), floor: Some(PAYMENT) },
        Row {
            name: "payment, until replies are out",
            against: Some("payment"),
            goal: Some(0.18),
            floor: Some(CRITICAL),
        },
        Row { name: "payment, 40 in flight", against: None, goal: Some(0.32), floor: Some(IN_FLIGHT_EACH) },
    ],
};

/// What was paid before is not measured: caches are full, and so is LDK's. The table of a channel's points is made once
/// 83 payments have paid for it.
const WARM_UP: usize = 100;
const IN_FLIGHT: usize = 40;

fn run(meter: &mut Meter) {
    let start = kite::Start::new(1);
    kite_pays(meter, &start);
    ldk_pays(meter);
}

fn kite_pays(meter: &mut Meter, start: &kite::Start) {
    let warm_up = meter.pick(WARM_UP, WARM_UP, 2);
    let mut pair = start.run();
    let pay_one = |pair: &mut kite::Pair| {
        let invoice = pair.invoice();
        pair.pay(vec![invoice]);
    };
    (0..warm_up).for_each(|_| pay_one(&mut pair));

    let rounds = meter.pick(10, 1, 1);
    let each = meter.pick(8, 8, 1);
    pair.reset_store_counts();
    let mut spent = Vec::new();
    for _ in 0..rounds {
        let mut section = Section::default();
        for _ in 0..each {
            let invoice = pair.invoice();
            let before = op_counts();
            meter.part(&mut section, || pair.pay(vec![invoice]));
            spent.push(op_counts().since(before));
        }
        meter.end("payment/kite", each, &section);
    }
    let last = spent.pop().expect("at least one payment");
    let of_store = pair.store_counts();
    meter.note(format!(
        "a payment of Kite, both nodes: {} signatures, {} verifications, {} ECDH, {} points made, {} multiplied, \
         {} added; {} batches and {} bytes for the store, the invoice's own included",
        last.sign,
        last.verify,
        last.ecdh,
        last.create,
        last.mul,
        last.add,
        of_store.0 / (rounds * each),
        of_store.1 / (rounds * each)
    ));

    for _ in 0..meter.pick(5, 2, 1) {
        let count = meter.pick(IN_FLIGHT, IN_FLIGHT, 3);
        let invoices = (0..count).map(|_| pair.invoice()).collect();
        let mut section = Section::default();
        meter.part(&mut section, || pair.pay(invoices));
        meter.end("payment, 40 in flight/kite", count, &section);
    }
    until_out(meter, start, warm_up);
}

/// The same payments twice: the first time to learn after which output a node is idle.
fn until_out(meter: &mut Meter, start: &kite::Start, warm_up: usize) {
    let (rounds, each) = (meter.pick(10, 1, 1), meter.pick(8, 8, 1));
    let warm = || {
        let mut pair = start.run();
        for _ in 0..warm_up {
            let invoice = pair.invoice();
            pair.pay(vec![invoice]);
        }
        pair
    };
    let mut script = VecDeque::new();
    let mut pair = warm();
    for _ in 0..rounds * each {
        let invoice = pair.invoice();
        pair.pay_watched(vec![invoice], &mut kite::Watch::Script(&mut script));
    }
    let mut pair = warm();
    for _ in 0..rounds {
        let mut section = Section::default();
        for _ in 0..each {
            let invoice = pair.invoice();
            let mut watch = kite::Watch::UntilOut(meter, &mut section, &mut script);
            pair.pay_watched(vec![invoice], &mut watch);
        }
        meter.end("payment, until replies are out/kite", each, &section);
    }
    assert!(script.is_empty(), "the script of this very run");
}

fn ldk_pays(meter: &mut Meter) {
    let mut pair = ldk::Pair::new(1);
    for _ in 0..meter.pick(WARM_UP, WARM_UP, 2) {
        let planned = pair.plan(1);
        pair.pay(planned);
    }
    let each = meter.pick(8, 8, 1);
    for _ in 0..meter.pick(10, 1, 1) {
        let mut section = Section::default();
        for _ in 0..each {
            let planned = pair.plan(1);
            meter.part(&mut section, || pair.pay(planned));
        }
        meter.end("payment/ldk", each, &section);
    }
    for _ in 0..meter.pick(5, 2, 1) {
        let count = meter.pick(IN_FLIGHT, IN_FLIGHT, 3);
        let planned = pair.plan(count);
        let mut section = Section::default();
        meter.part(&mut section, || pair.pay(planned));
        meter.end("payment, 40 in flight/ldk", count, &section);
    }
}
