//! What a node does when its store is slow, full, or somebody else's.

use kite_core::node::{Command, CommandError, StoreFailure};
use kite_sim::disk::{Fault, Mode};
use kite_sim::host::{Act, Host};
use kite_sim::scenario::{Run, Transition};

const PAY: Transition = Transition::Pay { by: 0, msat: 20_000_000 };

fn with_channel() -> Run {
    let mut run = Run::new("stores".into());
    for step in [Transition::Open { by: 0, sat: 1_000_000 }, Transition::Settle, Transition::Mine(6)] {
        run.take(step);
    }
    run
}

#[test]
fn nothing_leaves_before_the_store_acknowledges() {
    let mut run = with_channel();
    run.world.hosts[0].disk.mode = Mode::Delayed;
    let before = run.world.hosts[0].transcript();
    let batches = run.world.hosts[0].disk.batches();
    run.take(PAY);
    run.world.settle();
    assert_eq!(run.world.hosts[0].disk.batches(), batches + 1);
    assert_eq!(run.world.hosts[1].running().balance().total.to_msat(), 3_000_000_000);
    assert_ne!(run.world.hosts[0].transcript(), before, "the batch itself is in it");
    let now = run.world.now();
    while run.world.hosts[0].acknowledge(now) {
        run.world.settle();
    }
    run.world.hosts[0].disk.mode = Mode::Prompt;
    run.finish();
}

#[test]
fn a_node_whose_store_fails_stops_and_goes_on_after_a_restart() {
    for failure in [StoreFailure::Full, StoreFailure::Failed] {
        let mut run = with_channel();
        run.world.hosts[0].disk.mode = Mode::Failing(failure);
        run.take(PAY);
        let (sent, hung_up) = count_acts(&run.world.hosts[0]);
        assert_eq!((sent, hung_up), (0, 1), "what waited is dropped, and the connection closed");
        run.world.settle();
        assert_eq!(run.world.hosts[0].halted(), Some(failure));
        // It does nothing any more, whatever happens, and says so.
        let answer = run.world.command(0, Command::NewAddress);
        assert_eq!(answer.map(|answer| answer.err()), Some(Some(CommandError::Stopped)));
        run.world.hosts[0].disk.mode = Mode::Prompt;
        let before = run.world.hosts[0].transcript();
        run.world.mine(1);
        run.world.pass(600);
        assert_eq!(run.world.hosts[0].transcript(), before, "a stopped node went on");
        run.world.crash(0);
        run.settle();
        run.finish();
    }
}

/// How many messages a device is about to send, and how many connections it is about to close.
fn count_acts(host: &Host) -> (usize, usize) {
    let count = |is: fn(&&Act) -> bool| host.acts.iter().filter(is).count();
    (count(|act| matches!(act, Act::Send(..))), count(|act| matches!(act, Act::Disconnect(_))))
}

#[test]
fn an_htlc_that_waited_for_the_chain_is_taken_up_after_a_restart() {
    let mut run = with_channel();
    run.world.is_chain_silent = true;
    run.take(Transition::Restart(1));
    run.settle();
    run.take(PAY);
    // Long enough for what needs no answer to be written.
    run.world.pass(2);
    assert!(run.world.node(0).balance().in_flight.to_msat() > 0, "{}", run.world.story());
    run.take(Transition::Restart(1));
    run.world.is_chain_silent = false;
    run.settle();
    run.finish();
}

#[test]
fn of_two_that_opened_one_store_the_second_wins() {
    let mut run = with_channel();
    let now = run.world.now();
    let mut second = run.world.hosts[0].copy(1_000);
    second.start(now);
    run.world.hosts[0].disk = second.disk.clone();
    run.take(PAY);
    assert_eq!(count_acts(&run.world.hosts[0]).0, 0, "the first one spoke");
    assert_eq!(run.world.hosts[0].halted(), Some(StoreFailure::FenceLost));
    assert_eq!(second.halted(), None);
    assert!(second.try_command(now, Command::NewAddress).is_some_and(|answer| answer.is_ok()));
}

fn lose_the_store_to_another(fault: Option<Fault>) {
    let mut run = with_channel();
    run.world.hosts[0].disk.fault = fault;
    run.world.take_over(0);
    run.take(PAY);
    run.world.settle();
    assert_eq!(run.world.hosts[0].halted(), Some(StoreFailure::FenceLost));
    assert_eq!(run.world.hosts[1].running().balance().total.to_msat(), 3_000_000_000);
    run.world.crash(0);
    run.settle();
    run.finish();
}

#[test]
fn a_node_that_lost_its_store_to_another_says_nothing_more() {
    lose_the_store_to_another(None);
}

#[test]
fn a_store_that_does_not_compare_the_fence_is_noticed() {
    let noticed = std::panic::catch_unwind(|| lose_the_store_to_another(Some(Fault::SkipsFence)));
    assert!(noticed.is_err(), "two wrote to one store");
}
