//! Schedules that once failed, as short as they can be.

use kite_sim::host::Crash;
use kite_sim::schedule::{Base, Bases, Lie, Schedule, Step};

fn must_pass(base: Base, steps: Vec<Step>) {
    let schedule = Schedule { base, steps };
    schedule.run(&Bases::new()).unwrap_or_else(|failure| panic!("{failure}\n{schedule}"));
}

/// The balance of a channel was gone from the total as long as a server hid the closing transaction.
#[test]
fn a_close_that_a_server_hides_stays_in_the_total() {
    let close = |lie| vec![Step::Close { by: 0 }, Step::Pass { secs: 1 }, Step::Lie { host: 0, lie }];
    must_pass(Base::OneSided, close(Lie::EarlyConfirmation));
    must_pass(Base::OneSided, close(Lie::NothingHappened));
}

/// The coins of a close were stored half a second before the channel was: after a crash in between both counted.
#[test]
fn a_close_is_not_counted_twice_after_a_restart() {
    let steps = vec![Step::Close { by: 0 }, Step::Settle { order: 0 }, Step::Restart { host: 1 }];
    must_pass(Base::Balanced, steps);
    // Here the chain tells of the close before the peer does.
    let steps = vec![Step::Close { by: 1 }, Step::Settle { order: 0 }, Step::Restart { host: 0 }];
    must_pass(Base::OneSided, steps);
}

/// What one server hid and another told in the same second stayed hidden.
#[test]
fn what_was_hidden_counts_once_it_is_told() {
    let lie = Lie::EarlyConfirmation;
    let steps = vec![Step::Reorg { depth: 1 }, Step::Lie { host: 1, lie }, Step::Settle { order: 0 }];
    must_pass(Base::Coins, steps);
}

/// A channel that could not be funded gave back the coins of another that waited for `funding_signed`.
#[test]
fn two_channels_are_never_funded_by_one_coin() {
    let open = |sat| Step::Open { by: 0, sat };
    must_pass(Base::Coins, vec![open(20_000), open(1_000_000), open(1_000_000)]);
}

/// Who had not heard of the close together was told of it by an error, and was about to close alone.
#[test]
fn a_close_that_one_has_not_heard_of_is_no_failure() {
    let steps = vec![
        Step::Close { by: 1 },
        Step::Crash { host: 0, batch: 2, how: Crash::Lost },
        Step::Deliver { pieces: 1, order: 0 },
        Step::Deliver { pieces: 5, order: 40_386 },
        Step::Silence { is_silent: true },
        Step::Settle { order: 0 },
    ];
    must_pass(Base::OneSided, steps);
}
