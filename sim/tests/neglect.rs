//! An owner whose wallet waits for a peer (ADR 0010), or is off: who looks in time has all that was received; who does not
//! loses the HTLC that nobody settled, and nothing else.

use kite_sim::host::Crash;
use kite_sim::schedule::{Base, Bases, Closes, Money, Schedule, Step};

/// Host 1 receives, and its device is off after so many pieces: the payer may have heard of it or not.
fn received_and_off(bases: &Bases, pieces: u32, looks: bool) -> Closes {
    let mut steps = vec![
        Step::Pay { by: 0, how_much: Money::Msat(50_000_000) },
        Step::Deliver { pieces, order: 0 },
        Step::Crash { host: 1, batch: 1, how: Crash::NothingSent },
        Step::Deliver { pieces: 6 - pieces, order: 0 },
        Step::Off { host: 1 },
    ];
    if !looks {
        steps.push(Step::Neglect { host: 1, blocks: 200 });
    }
    steps.push(Step::Wait { blocks: 130 });
    let schedule = Schedule { base: Base::Balanced, steps };
    schedule.run(bases).unwrap_or_else(|failure| panic!("{failure}\n{schedule}")).closes
}

#[test]
fn who_does_not_look_loses_the_htlc_and_no_more() {
    let bases = Bases::new();
    let mut lost = 0;
    for pieces in 1..=5 {
        let [in_time, late] = [true, false].map(|looks| received_and_off(&bases, pieces, looks));
        assert!(in_time.timeouts <= late.timeouts, "{in_time:?} {late:?}");
        lost += usize::from(in_time.preimages == 1 && late.timeouts == 1);
    }
    assert!(lost > 0, "the same HTLC is claimed by who looks, and taken back from who does not");
}
