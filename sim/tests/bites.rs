//! The tests of the tests at scale: with something broken on purpose, random schedules must fail, and in the way that the
//! fault asks for.

use kite_sim::disk;
use kite_sim::fault::{Fault, Memory, Onchain, Said};
use kite_sim::host::Crash;
use kite_sim::schedule::{Base, Bases, Failure, Money, Schedule, Step};

/// So many schedules are tried at most before a fault counts as unnoticed.
const SEEDS: usize = 400;

/// The first seed that notices a fault by this kind of breach.
fn notices(fault: Fault, kind: &str) -> Option<u64> {
    notices_among(fault, |_| true, |failure| failure.breach.kind() == kind)
}

/// The same with these schedules alone.
fn notices_among(
    fault: Fault,
    is_tried: impl Fn(&Schedule) -> bool,
    is_it: impl Fn(&Failure) -> bool,
) -> Option<u64> {
    let bases = Bases::with_fault(fault);
    let schedules = (0..).map(|seed| (seed, Schedule::of_seed(seed)));
    let mut tried = schedules.filter(|(_, schedule)| is_tried(schedule)).take(SEEDS);
    let found = tried.find(|(_, schedule)| {
        schedule.run_with(&bases, Some(fault), false).is_err_and(|failure| is_it(&failure))
    });
    found.map(|(seed, _)| seed)
}

/// All of them are noticed by their kind of breach, and the same schedules pass without the fault.
fn must_bite(faults: &[(Fault, &str)]) {
    must_bite_as(faults, notices);
}

fn must_bite_as(faults: &[(Fault, &str)], notices: impl Fn(Fault, &str) -> Option<u64>) {
    let bases = Bases::new();
    for (fault, kind) in faults {
        let Some(seed) = notices(*fault, kind) else { panic!("{fault:?} is not noticed as {kind:?}") };
        if let Err(failure) = Schedule::of_seed(seed).run(&bases) {
            panic!("{fault:?} was noticed by a schedule that fails anyway: {failure}");
        }
    }
}

/// Contract P1, P2, P8: what a store promises.
#[test]
fn broken_stores_are_noticed() {
    let faults = [
        (disk::Fault::ReleasesEarly, "ahead of the disk"),
        (disk::Fault::WritesBehind, "ahead of the disk"),
        (disk::Fault::Tears, "unreadable"),
        (disk::Fault::Reorders, "unreadable"),
        (disk::Fault::SkipsFence, "unreadable"),
    ];
    must_bite(&faults.map(|(fault, kind)| (Fault::Disk(fault), kind)));
}

/// Contract P6: what belongs together is in one batch.
#[test]
fn batches_without_a_part_of_them_are_noticed() {
    let faults = [
        // A node does not start from terms of a payment without its progress, and tells no event under another's number.
        (Memory::Progress, "panic"),
        (Memory::Events, "panic"),
        (Memory::Outgoing, "ahead of the disk"),
        (Memory::Invoices, "ahead of the disk"),
        (Memory::Channels, "money"),
    ];
    must_bite(&faults.map(|(fault, kind)| (Fault::Forgets(fault), kind)));
}

/// BOLT 2: what is agreed, and what is counted.
#[test]
fn wrong_numbers_are_noticed() {
    let faults = [
        // The two hang up on each other for ever.
        (Said::ReserveOffByOne, "views"),
        (Said::DustLimit, "views"),
        (Said::StaleFee, "views"),
        (Said::FundingAmount, "money"),
        (Said::HtlcAmount, "money"),
    ];
    must_bite(&faults.map(|(fault, kind)| (Fault::Says(fault), kind)));
}

/// BOLT 2, BOLT 4: what is said when.
#[test]
fn wrong_words_are_noticed() {
    let faults = [
        (Said::FeeNotTold, "views"),
        (Said::SettlesTwice, "views"),
        (Said::Preimage, "payment"),
        (Said::NoRevocation, "undone"),
        (Said::Onion, "payment"),
    ];
    must_bite(&faults.map(|(fault, kind)| (Fault::Says(fault), kind)));
}

/// BOLT 2, Message Retransmission and Closing; contract P7.
#[test]
fn wrong_ends_are_noticed() {
    let faults = [
        (Said::AwaitsTooMuch, "channel"),
        (Said::AwaitsTooLittle, "channel"),
        (Said::SecretEarly, "ahead of the disk"),
        (Said::ClosingScript, "channel"),
    ];
    must_bite(&faults.map(|(fault, kind)| (Fault::Says(fault), kind)));
    must_bite(&[(Fault::KeepsTransactions, "undone")]);
}

/// BOLT 5, among schedules that close by one side alone.
fn must_bite_onchain(faults: &[(Fault, &str)]) {
    must_bite_as(faults, |fault, kind| {
        notices_among(fault, Schedule::may_close_alone, |failure| failure.breach.kind() == kind)
    });
}

fn has(schedule: &Schedule, is: fn(&Step) -> bool) -> bool {
    schedule.steps.iter().any(is)
}

/// BOLT 5: what is ours is claimed, from the commitment and from what HTLC transactions pay; contract P9.
#[test]
fn outputs_that_are_forgotten_are_noticed() {
    let faults = [Onchain::ClaimsKept, Onchain::NoSecondStages].map(Fault::Onchain);
    must_bite_onchain(&faults.map(|fault| (fault, "undone")));
    // Of a state that somebody publishes again after it was revoked, and a victim that has started in between.
    let is_cheated = |schedule: &Schedule| {
        has(schedule, |step| matches!(step, Step::Cheat { .. }))
            && has(schedule, |step| matches!(step, Step::Off { .. } | Step::Restart { .. }))
    };
    must_bite_as(&[(Fault::Forgets(Memory::Revoked), "output")], |fault, kind| {
        notices_among(fault, is_cheated, |failure| failure.breach.kind() == kind)
    });
}

/// Who has lost nothing is watched on while the other cheats: what it keeps, and what it takes of the chain.
#[test]
fn faults_of_the_honest_are_noticed_beside_a_cheater() {
    let pay = Step::Pay { by: 1, how_much: Money::Msat(20_000_000) };
    let crash = Step::Crash { host: 0, batch: 1, how: Crash::Lost };
    let steps = vec![pay, Step::Settle { order: 0 }, Step::Cheat { by: 1, looks: 1 }, crash, pay];
    let schedule = Schedule { base: Base::Balanced, steps };
    schedule.run(&Bases::new()).unwrap_or_else(|failure| panic!("{failure}"));
    let faults = [
        (Fault::Disk(disk::Fault::ReleasesEarly), "ahead of the disk"),
        (Fault::Onchain(Onchain::ClaimsKept), "money"),
    ];
    for (fault, kind) in faults {
        let failure = schedule.run_with(&Bases::new(), Some(fault), false).expect_err("it is noticed");
        assert_eq!((failure.is_after_loss, failure.breach.kind()), (true, kind), "{fault:?}: {failure}");
    }
}

/// An HTLC is taken back on the chain while the payee runs an old copy: the payer hears of it at depth and not before.
#[test]
fn what_is_told_too_early_is_noticed_beside_an_old_copy() {
    let steps = vec![
        Step::Copy { host: 1 },
        Step::Pay { by: 0, how_much: Money::Msat(50_000_000) },
        Step::Deliver { pieces: 4, order: 0 },
        Step::Restore { host: 1 },
        Step::ForceClose { by: 0 },
        Step::Wait { blocks: 120 },
    ];
    let schedule = Schedule { base: Base::Balanced, steps };
    schedule.run(&Bases::new()).unwrap_or_else(|failure| panic!("{failure}"));
    let fault = Some(Fault::Onchain(Onchain::TooDeep));
    let failure = schedule.run_with(&Bases::new(), fault, false).expect_err("it is told too early");
    assert!(failure.is_after_loss && failure.breach.to_string().contains("blocks deep"), "{failure}");
}

/// BIP 125: a bid for an output never falls (ADR 0013), whether an earlier one was forgotten or the fee is lowered.
#[test]
fn a_bid_that_falls_is_noticed() {
    must_bite_onchain(&[
        (Fault::Forgets(Memory::Bids), "undone"),
        (Fault::Onchain(Onchain::LowerBids), "undone"),
    ]);
}

/// BOLT 5: an HTLC may be lost by a close only where it could not be claimed.
#[test]
fn a_small_htlc_that_is_settled_wrongly_is_noticed() {
    let is_small = |step: &Step| matches!(step, Step::Pay { how_much: Money::Msat(400_000..1_000_000), .. });
    let stops = |step: &Step| matches!(step, Step::Cut | Step::Off { .. } | Step::Deaf { .. });
    let is_tried = |schedule: &Schedule| {
        let mut pairs = schedule.steps.windows(3);
        schedule.may_close_alone() && pairs.any(|steps| is_small(&steps[0]) && stops(&steps[2]))
    };
    must_bite_as(&[(Fault::Onchain(Onchain::NoSmallPreimages), "undone")], |fault, kind| {
        notices_among(fault, is_tried, |failure| failure.breach.kind() == kind)
    });
}

/// BOLT 1: who answers no ping is given up.
#[test]
fn a_connection_to_the_deaf_that_stays_is_noticed() {
    let is_deaf = |schedule: &Schedule| has(schedule, |step| matches!(step, Step::Deaf { host: 1 }));
    must_bite_as(&[(Fault::NeverWakes, "undone")], |fault, kind| {
        notices_among(fault, is_deaf, |failure| failure.breach.kind() == kind)
    });
}

/// BOLT 5: what the chain says of HTLCs is read, in time, and believed when it is deep enough. Without its preimage an HTLC that
/// somebody took is waited for (security list, C3).
#[test]
fn htlcs_that_are_settled_wrongly_are_noticed() {
    let faults =
        [(Onchain::NoPreimages, "undone"), (Onchain::TooDeep, "payment"), (Onchain::TooLate, "payment")];
    must_bite_onchain(&faults.map(|(fault, kind)| (Fault::Onchain(fault), kind)));
}
