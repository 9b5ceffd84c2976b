//! The tests of the tests at scale: with something broken on purpose, random schedules must fail.

use kite_sim::disk;
use kite_sim::fault::{Fault, Memory, Onchain, Said};
use kite_sim::schedule::{Bases, Schedule, Step};

/// So many schedules are tried at most before a fault counts as unnoticed.
const SEEDS: usize = 400;

/// Which seed notices a fault, and how it is noticed.
fn notices(fault: Fault) -> Option<(u64, &'static str)> {
    notices_among(fault, |_| true)
}

/// The same with these schedules alone.
fn notices_among(fault: Fault, is_tried: impl Fn(&Schedule) -> bool) -> Option<(u64, &'static str)> {
    let bases = Bases::with_fault(fault);
    let schedules = (0..).map(|seed| (seed, Schedule::of_seed(seed)));
    schedules.filter(|(_, schedule)| is_tried(schedule)).take(SEEDS).find_map(|(seed, schedule)| {
        let failure = schedule.run_with(&bases, Some(fault), false).err()?;
        Some((seed, failure.breach.kind()))
    })
}

/// All of them fail with the fault, and the same schedules pass without it.
fn must_bite(faults: &[Fault]) {
    must_bite_as(faults, notices);
}

fn must_bite_as(faults: &[Fault], notices: impl Fn(Fault) -> Option<(u64, &'static str)>) {
    let bases = Bases::new();
    for fault in faults {
        let Some((seed, kind)) = notices(*fault) else { panic!("{fault:?} is not noticed") };
        if let Err(failure) = Schedule::of_seed(seed).run(&bases) {
            panic!("{fault:?} was noticed by a schedule that fails anyway: {failure}");
        }
        assert!(!kind.is_empty());
    }
}

/// Contract P1, P2, P8: what a store promises.
#[test]
fn broken_stores_are_noticed() {
    let faults = [
        disk::Fault::ReleasesEarly,
        disk::Fault::WritesBehind,
        disk::Fault::Tears,
        disk::Fault::Reorders,
        disk::Fault::SkipsFence,
    ];
    must_bite(&faults.map(Fault::Disk));
}

/// Contract P6: what belongs together is in one batch.
#[test]
fn batches_without_a_part_of_them_are_noticed() {
    let faults = [Memory::Progress, Memory::Outgoing, Memory::Invoices, Memory::Events, Memory::Channels];
    must_bite(&faults.map(Fault::Forgets));
}

/// BOLT 2: what is agreed, and what is counted.
#[test]
fn wrong_numbers_are_noticed() {
    let faults =
        [Said::ReserveOffByOne, Said::DustLimit, Said::FundingAmount, Said::HtlcAmount, Said::StaleFee];
    must_bite(&faults.map(Fault::Says));
}

/// BOLT 2, BOLT 4: what is said when.
#[test]
fn wrong_words_are_noticed() {
    let faults = [Said::FeeNotTold, Said::SettlesTwice, Said::Preimage, Said::NoRevocation, Said::Onion];
    must_bite(&faults.map(Fault::Says));
}

/// BOLT 2, Message Retransmission and Closing; contract P7.
#[test]
fn wrong_ends_are_noticed() {
    let faults = [Said::AwaitsTooMuch, Said::AwaitsTooLittle, Said::SecretEarly, Said::ClosingScript];
    must_bite(&faults.map(Fault::Says));
    must_bite(&[Fault::KeepsTransactions]);
}

/// BOLT 5, among schedules that close by one side alone.
fn must_bite_onchain(faults: &[Fault]) {
    must_bite_as(faults, |fault| notices_among(fault, Schedule::may_close_alone));
}

/// BOLT 5: what is ours is claimed, from the commitment and from what HTLC transactions pay; contract P9.
#[test]
fn outputs_that_are_forgotten_are_noticed() {
    let faults = [Onchain::ClaimsKept, Onchain::NoSecondStages].map(Fault::Onchain);
    must_bite_onchain(&faults);
    // Of a state that somebody publishes again after it was revoked, and a victim that has started in between.
    let is_cheated = |schedule: &Schedule| {
        let has = |is: fn(&Step) -> bool| schedule.steps.iter().any(is);
        has(|step| matches!(step, Step::Cheat { .. }))
            && has(|step| matches!(step, Step::Off { .. } | Step::Restart { .. }))
    };
    must_bite_as(&[Fault::Forgets(Memory::Revoked)], |fault| notices_among(fault, is_cheated));
}

/// BIP 125: a bid for an output never falls (ADR 0013).
#[test]
fn a_bid_that_falls_is_noticed() {
    must_bite_onchain(&[Fault::Forgets(Memory::Bids)]);
}

/// BOLT 5: an HTLC may be lost by a close only where it could not be claimed.
#[test]
fn a_small_htlc_that_is_settled_wrongly_is_noticed() {
    must_bite_onchain(&[Fault::Onchain(Onchain::NoSmallPreimages)]);
}

/// BOLT 1: who answers no ping is given up.
#[test]
fn a_connection_to_the_deaf_that_stays_is_noticed() {
    let is_deaf =
        |schedule: &Schedule| schedule.steps.iter().any(|step| matches!(step, Step::Deaf { host: 1 }));
    must_bite_as(&[Fault::NeverWakes], |fault| notices_among(fault, is_deaf));
}

/// BOLT 5: what the chain says of HTLCs is read, in time, and believed when it is deep enough.
#[test]
fn htlcs_that_are_settled_wrongly_are_noticed() {
    must_bite_onchain(&[Onchain::NoPreimages, Onchain::TooDeep, Onchain::TooLate].map(Fault::Onchain));
}
