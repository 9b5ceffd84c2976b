//! The tests of the tests at scale: with something broken on purpose, random schedules must fail.

use kite_sim::disk;
use kite_sim::fault::{Fault, Memory, Said};
use kite_sim::schedule::{Bases, Schedule};

/// So many schedules are tried at most before a fault counts as unnoticed.
const SEEDS: u64 = 400;

/// Which seed notices a fault, and how it is noticed.
fn notices(fault: Fault) -> Option<(u64, &'static str)> {
    let bases = Bases::with_fault(fault);
    (0..SEEDS).find_map(|seed| {
        let schedule = Schedule::of_seed(seed);
        let failure = schedule.run_with(&bases, Some(fault), false).err()?;
        Some((seed, failure.breach.kind()))
    })
}

/// All of them fail with the fault, and the same schedules pass without it.
fn must_bite(faults: &[Fault]) {
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
