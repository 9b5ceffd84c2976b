//! Schedules that once failed, as short as they can be.

use kite_core::node::StoreFailure;
use kite_sim::disk::Mode;
use kite_sim::host::Crash;
use kite_sim::schedule::{Base, Bases, Lie, Money, Schedule, Step};

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

/// The wallet had heard of a claim, and the channel had not stored that it did: after a restart both counted.
#[test]
fn a_claim_is_not_counted_twice_after_a_restart() {
    let steps = vec![Step::ForceClose { by: 1 }, Step::Wait { blocks: 3 }, Step::Restart { host: 0 }];
    must_pass(Base::OneSided, steps);
}

/// An HTLC whose claim would have paid out too little to be relayed was waited for for ever.
#[test]
fn what_cannot_be_claimed_keeps_no_channel_open() {
    let steps =
        vec![Step::PayForgotten { by: 0, msat: 354_638 }, Step::Off { host: 0 }, Step::ForceClose { by: 1 }];
    must_pass(Base::OneSided, steps);
}

/// An estimate beyond all measure took all that a small channel held: no output was left, and it was closed alone.
#[test]
fn no_estimate_makes_a_close_together_impossible() {
    let steps = vec![
        Step::Open { by: 1, sat: 20_000 },
        Step::Pass { secs: 90 },
        Step::Close { by: 0 },
        Step::Lie { host: 1, lie: Lie::Fees { are_absurd: true } },
    ];
    must_pass(Base::Coins, steps);
}

/// A coin that was set aside for a funding transaction counted twice when its own block was undone.
#[test]
fn a_coin_that_is_set_aside_counts_once_when_its_block_is_undone() {
    let steps = vec![
        Step::Open { by: 1, sat: 600_000 },
        Step::Store { host: 1, mode: Mode::Delayed },
        Step::Deliver { pieces: 2, order: 0 },
        Step::Reorg { depth: 1 },
    ];
    must_pass(Base::Coins, steps);
}

/// Who was about to close a channel that its opener had never funded was told that it waits for the opener.
#[test]
fn a_close_of_a_channel_that_was_never_funded_ends_it() {
    let steps = vec![
        Step::Crash { host: 1, batch: 4, how: Crash::HalfSent },
        Step::Pay { by: 0, how_much: Money::Msat(1_000_000) },
        Step::Open { by: 1, sat: 20_000 },
        Step::Deliver { pieces: 1, order: 0 },
        Step::Deliver { pieces: 4, order: 0 },
        Step::Close { by: 0 },
        Step::Restart { host: 0 },
    ];
    must_pass(Base::OneSided, steps);
}

/// In the block that confirmed it a claim was named twice: as one that waits, and as one that came.
#[test]
fn a_claim_is_named_once() {
    must_pass(Base::Balanced, vec![Step::ForceClose { by: 1 }, Step::Mine { blocks: 2 }]);
}

/// A claim whose block is undone waits in the wallet, and is not to come from the channel as well.
#[test]
fn a_claim_counts_once_when_its_block_is_undone() {
    let steps = vec![
        Step::ForceClose { by: 0 },
        Step::Mine { blocks: 3 },
        Step::Off { host: 1 },
        Step::Reorg { depth: 2 },
    ];
    must_pass(Base::Balanced, steps);
}

/// A device whose store had failed was taken for one that talks to a deaf peer: the mistake was the model's.
#[test]
fn a_node_that_stopped_talks_to_nobody() {
    let steps = vec![
        Step::Deaf { host: 0 },
        Step::Store { host: 1, mode: Mode::Failing(StoreFailure::Failed) },
        Step::Pay { by: 1, how_much: Money::Msat(1_000_000) },
        Step::Restart { host: 0 },
    ];
    must_pass(Base::Coins, steps);
}

/// A wallet closed alone, and an old copy of it took its place: what it had published was nobody's in its eyes.
#[test]
fn what_a_newer_copy_published_stays_in_the_total() {
    let steps = vec![
        Step::Pay { by: 1, how_much: Money::Msat(1_000_000) },
        Step::Deliver { pieces: 2, order: 0 },
        Step::Deaf { host: 1 },
        Step::ForceClose { by: 0 },
        Step::Cheat { by: 0, looks: 3 },
    ];
    must_pass(Base::Balanced, steps);
}

/// An old copy heard of a claim that its newer self had published before it made the same one: both counted.
#[test]
fn a_claim_of_a_newer_copy_counts_once() {
    let steps = vec![
        Step::ForceClose { by: 1 },
        Step::Mine { blocks: 1 },
        Step::Off { host: 0 },
        Step::Wait { blocks: 1 },
        Step::Settle { order: 0 },
        Step::Cheat { by: 0, looks: 1 },
    ];
    must_pass(Base::OneSided, steps);
}

/// The peer of a wallet that has lost a new channel has nothing in it, and forgets it when it hears that there is none.
#[test]
fn a_new_channel_that_its_opener_has_lost() {
    let steps =
        vec![Step::Open { by: 0, sat: 150_000 }, Step::Mine { blocks: 1 }, Step::Cheat { by: 0, looks: 1 }];
    must_pass(Base::Coins, steps);
}

/// What waits for the store was decided before the blocks were heard that it comes too late for.
#[test]
fn a_commitment_that_waits_for_a_slow_store_while_the_peers_is_mined() {
    let steps = vec![
        Step::ForceClose { by: 0 },
        Step::Store { host: 1, mode: Mode::Delayed },
        Step::ForceClose { by: 1 },
        Step::Wait { blocks: 2 },
    ];
    must_pass(Base::OneSided, steps);
}
