//! The tests of the tests: where a promise of the contract is broken, the simulator must complain.

use kite_core::wire::Message;
use kite_sim::disk::Fault;
use kite_sim::scenario::{Run, Transition};
use kite_sim::scenarios::SCENARIOS;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Which of these scenarios notice the fault.
fn noticed(fault: Fault) -> Vec<&'static str> {
    let names = ["open as the first", "pay", "receive"];
    let chosen = SCENARIOS.iter().filter(|scenario| names.contains(&scenario.name));
    let by_promise = |complaint: String| !complaint.contains("no invoice");
    chosen
        .filter(|scenario| scenario.notices(fault).is_some_and(by_promise))
        .map(|scenario| scenario.name)
        .collect()
}

#[test]
fn outputs_that_leave_before_the_write_are_noticed() {
    assert!(noticed(Fault::ReleasesEarly).len() >= 2, "{:?}", noticed(Fault::ReleasesEarly));
}

#[test]
fn acknowledgements_before_the_write_are_noticed() {
    assert!(noticed(Fault::WritesBehind).len() >= 2, "{:?}", noticed(Fault::WritesBehind));
}

#[test]
fn a_torn_batch_is_noticed() {
    assert_eq!(noticed(Fault::Tears).len(), 3);
}

#[test]
fn batches_in_another_order_are_noticed() {
    assert!(noticed(Fault::Reorders).len() >= 2, "{:?}", noticed(Fault::Reorders));
}

/// Pays, loses the connection after so many pieces, and connects again. What was said of updates before is then said
/// again, where `repeats`, as if it had been built anew instead of dropped (P3).
fn cut_while_paying(pieces: u32, repeats: bool) {
    let mut run = Run::new(format!("cut after {pieces} pieces, repeats {repeats}"));
    run.world.tapping = Some(|_, _| true);
    for step in [Transition::Open { by: 0, sat: 1_000_000 }, Transition::Settle, Transition::Mine(6)] {
        run.take(step);
    }
    run.world.cut();
    run.settle();
    run.take(Transition::Pay { by: 0, msat: 20_000_000 });
    run.take(Transition::Deliver(pieces));
    let said = [0, 1].map(|from| {
        let (tap, to) = run.world.tap(from, 1 - from).expect("they are connected");
        tap.take_heard(1 - to)
    });
    run.world.cut();
    run.settle();
    let is_update = |message: &Message| (128..136).contains(&message.message_type());
    for (from, messages) in said.iter().enumerate() {
        for message in messages.iter().filter(|message| repeats && is_update(message)) {
            if run.world.is_connected(0, 1) {
                run.world.say_message(from, 1 - from, message);
                run.world.settle();
            }
        }
    }
    assert!(run.world.is_connected(0, 1), "{pieces}: a peer hung up");
    run.finish();
}

#[test]
fn messages_made_again_instead_of_dropped_are_noticed() {
    let mut noticed = 0;
    for pieces in 1..8 {
        cut_while_paying(pieces, false);
        noticed += u32::from(catch_unwind(AssertUnwindSafe(|| cut_while_paying(pieces, true))).is_err());
    }
    assert!(noticed >= 4, "{noticed}");
}
