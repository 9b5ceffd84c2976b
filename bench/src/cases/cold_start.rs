//! A wallet that was closed and is opened: its stored bytes become a node, and the node signs.

use super::{Case, row};
use crate::meter::{Meter, Section};
use crate::{kite, ldk};

pub(super) const CASE: Case = Case {
    name: "cold-start",
    about: "one or five channels and 120 payments: the store read, and a first payment answered with signatures",
    run,
    rows: &[
        row("start, 1 channel"),
        row("start, 1 channel, first reply"),
        row("start, 5 channels"),
        row("start, 5 channels, first reply"),
    ],
};

/// Paid before the wallet is closed, so many at once.
const PAYMENTS: [usize; 3] = [40; 3];

fn run(meter: &mut Meter) {
    let rounds = meter.pick(10, 1, 1);
    let channels = [1, meter.pick(5, 5, 2)];
    let payments = &PAYMENTS[..meter.pick(3, 3, 1)];
    for (channels, names) in channels.into_iter().zip(CASE.rows.chunks(2)) {
        let [started, replied] = [names[0].name, names[1].name];
        kite_starts(meter, channels, payments, rounds, [started, replied]);
        ldk_starts(meter, channels, payments, rounds, [started, replied]);
    }
}

fn kite_starts(meter: &mut Meter, channels: usize, payments: &[usize], rounds: usize, names: [&str; 2]) {
    let start = kite::Start::new(channels);
    let mut pair = start.run();
    for count in payments {
        let invoices = (0..*count).map(|_| pair.invoice()).collect();
        pair.pay(invoices);
    }
    let next = pair.invoice();
    let closed = pair.stop(&start);
    for _ in 0..rounds {
        let (mut started, mut replied) = (Section::default(), Section::default());
        let node = meter.part(&mut started, || closed.start_payee());
        meter.end(&format!("{}/kite", names[0]), 1, &started);
        drop(node);
        closed.until_first_reply(meter, &mut replied, next.clone());
        meter.end(&format!("{}/kite", names[1]), 1, &replied);
    }
}

fn ldk_starts(meter: &mut Meter, channels: usize, payments: &[usize], rounds: usize, names: [&str; 2]) {
    let mut pair = ldk::Pair::new(channels);
    for count in payments {
        let planned = pair.plan(*count);
        pair.pay(planned);
    }
    for _ in 0..rounds {
        let (mut started, mut replied) = (Section::default(), Section::default());
        let closed = pair.stop();
        meter.part(&mut started, || pair.start_payee(&closed));
        meter.end(&format!("{}/ldk", names[0]), 1, &started);
        pair.until_first_reply(meter, &mut replied);
        meter.end(&format!("{}/ldk", names[1]), 1, &replied);
    }
}
