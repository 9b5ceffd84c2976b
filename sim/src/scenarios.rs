//! The named scenarios.

use crate::scenario::{Scenario, Transition};
use Transition::{Close, Cut, Deliver, FeeRate, Mine, Open, Pass, Pay, PayForgotten, Reorg, Restart, Settle};

const OPEN: &[Transition] = &[Open { by: 0, sat: 1_000_000 }, Settle, Mine(6)];
/// Both have about half.
const BALANCED: &[Transition] =
    &[Open { by: 0, sat: 1_000_000 }, Settle, Mine(6), Pay { by: 0, msat: 450_000_000 }, Settle];

const fn named(name: &'static str, before: &'static [Transition], steps: &'static [Transition]) -> Scenario {
    Scenario { name, before, steps }
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    named("open as the first", &[], &[Open { by: 0, sat: 1_000_000 }, Settle, Mine(6)]),
    named("open as the second", &[], &[Open { by: 1, sat: 1_000_000 }, Settle, Mine(6)]),
    named("open, cut while it waits", &[], &[Open { by: 0, sat: 500_000 }, Settle, Cut, Mine(6), Settle]),
    named(
        "open, reorganised",
        &[],
        &[Open { by: 0, sat: 500_000 }, Settle, Mine(2), Reorg(2), Settle, Mine(6)],
    ),
    named("pay", OPEN, &[Pay { by: 0, msat: 400_000_000 }, Settle]),
    named("pay dust", OPEN, &[Pay { by: 0, msat: 100_000 }, Settle]),
    named("receive", BALANCED, &[Pay { by: 1, msat: 300_000_000 }, Settle]),
    named(
        "pay twice in a row",
        OPEN,
        &[Pay { by: 0, msat: 20_000_000 }, Settle, Pay { by: 0, msat: 30_000_000 }, Settle],
    ),
    named(
        "pay thrice at once",
        OPEN,
        &[
            Pay { by: 0, msat: 20_000_000 },
            Pay { by: 0, msat: 21_000_000 },
            Pay { by: 0, msat: 150_000 },
            Settle,
        ],
    ),
    named(
        "payments cross",
        BALANCED,
        &[Pay { by: 0, msat: 20_000_000 }, Pay { by: 1, msat: 30_000_000 }, Settle],
    ),
    named(
        "payments cross, two each",
        BALANCED,
        &[
            Pay { by: 0, msat: 20_000_000 },
            Pay { by: 1, msat: 30_000_000 },
            Deliver(1),
            Pay { by: 0, msat: 5_000_000 },
            Pay { by: 1, msat: 6_000_000 },
            Settle,
        ],
    ),
    named("fail", OPEN, &[PayForgotten { by: 0, msat: 40_000_000 }, Settle]),
    named(
        "fail and pay",
        BALANCED,
        &[PayForgotten { by: 1, msat: 40_000_000 }, Pay { by: 1, msat: 3_000_000 }, Settle],
    ),
    named("fee update", BALANCED, &[FeeRate { host: 0, sat_per_kw: 2_000 }, Settle]),
    named(
        "fee update while paying",
        BALANCED,
        &[Pay { by: 1, msat: 10_000_000 }, FeeRate { host: 0, sat_per_kw: 2_000 }, Settle],
    ),
    named(
        "fee updates while payments cross",
        BALANCED,
        &[
            Pay { by: 0, msat: 10_000_000 },
            FeeRate { host: 0, sat_per_kw: 2_000 },
            Pay { by: 1, msat: 10_000_000 },
            Deliver(2),
            FeeRate { host: 0, sat_per_kw: 4_000 },
            Settle,
        ],
    ),
    named("cut while paying", BALANCED, &[Pay { by: 0, msat: 10_000_000 }, Deliver(2), Cut, Settle]),
    named(
        "cut twice while payments cross",
        BALANCED,
        &[
            Pay { by: 0, msat: 10_000_000 },
            Pay { by: 1, msat: 11_000_000 },
            Deliver(3),
            Cut,
            Settle,
            Pay { by: 0, msat: 12_000_000 },
            Deliver(1),
            Cut,
            Settle,
        ],
    ),
    named(
        "restart while paying",
        BALANCED,
        &[Pay { by: 0, msat: 10_000_000 }, Deliver(1), Restart(1), Settle],
    ),
    named(
        "both restart while payments cross",
        BALANCED,
        &[
            Pay { by: 0, msat: 10_000_000 },
            Pay { by: 1, msat: 11_000_000 },
            Deliver(3),
            Restart(0),
            Restart(1),
            Settle,
        ],
    ),
    named("blocks while paying", BALANCED, &[Pay { by: 1, msat: 10_000_000 }, Deliver(2), Mine(2), Settle]),
    named(
        "an hour while paying",
        BALANCED,
        &[Pay { by: 1, msat: 10_000_000 }, Deliver(2), Cut, Pass(300), Settle],
    ),
    named("close by the opener", BALANCED, &[Close { by: 0 }, Settle]),
    named("close by the other", BALANCED, &[Close { by: 1 }, Settle]),
    named("close by both", BALANCED, &[Close { by: 0 }, Close { by: 1 }, Settle]),
    named("close of a channel that one side owns", OPEN, &[Close { by: 0 }, Settle]),
    named(
        "close while paying",
        BALANCED,
        &[Pay { by: 0, msat: 10_000_000 }, Deliver(2), Close { by: 1 }, Settle],
    ),
    named("close, cut", BALANCED, &[Close { by: 0 }, Deliver(1), Cut, Settle]),
];
