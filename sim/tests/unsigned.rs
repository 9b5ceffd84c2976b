//! HTLCs that their peer keeps from being signed: it answers pings and acknowledges no `commitment_signed`.

use kite_core::node::Event;
use kite_sim::scenario::{Run, Transition};
use kite_sim::world::GIVES_UP_WITHIN_SECS;

/// `revoke_and_ack`, and the `commitment_signed` that builds on it.
const ACKNOWLEDGES: [u16; 2] = [133, 132];

/// Two payments of host 0: one is signed, and one waits for the answer to that.
fn one_signed_and_one_told() -> Run {
    let mut run = Run::new("unsigned".into());
    for step in [Transition::Open { by: 0, sat: 1_000_000 }, Transition::Settle, Transition::Mine(6)] {
        run.take(step);
    }
    run.world.tapping = Some(|end, message_type| end == 0 || !ACKNOWLEDGES.contains(&message_type));
    run.world.cut();
    run.world.connect();
    // A stream that is opened from now on is not tapped.
    run.world.tapping = None;
    for msat in [20_000_000, 30_000_000] {
        run.take(Transition::Pay { by: 0, msat });
        run.world.settle();
    }
    run
}

fn sent(run: &Run) -> usize {
    run.world.hosts[0].events().filter(|event| matches!(event, Event::PaymentSent { .. })).count()
}

#[test]
fn a_peer_that_acknowledges_nothing_costs_its_connection_and_no_payment() {
    let mut run = one_signed_and_one_told();
    run.world.pass(GIVES_UP_WITHIN_SECS - 2);
    assert_eq!(sent(&run), 0, "{}", run.world.story());
    run.world.pass(GIVES_UP_WITHIN_SECS);
    assert_eq!(sent(&run), 2, "{}", run.world.story());
    run.finish();
}

#[test]
fn what_was_told_and_not_signed_survives_a_lost_connection_and_a_crash() {
    for step in [Transition::Cut, Transition::Restart(0), Transition::Restart(1)] {
        let mut run = one_signed_and_one_told();
        run.take(step);
        run.finish();
        assert_eq!(sent(&run), 3, "{step:?}: {}", run.world.story());
    }
}
