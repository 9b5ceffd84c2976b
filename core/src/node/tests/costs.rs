//! What one payment costs: signatures, verifications, durable commits, bytes written.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;

/// The commits and bytes of both nodes since the counters were reset.
fn reset(world: &mut World) {
    for side in &mut world.sides {
        side.batches.clear();
    }
}

/// What one payment writes, the invoice's own record at both ends included. A bound to be lowered, never raised.
const BYTES_A_NODE: usize = 3_200;

#[test]
fn three_commits_and_few_bytes_a_node() {
    let mut world = with_channel();
    for round in 0..3 {
        let invoice = invoice(&mut world, 1, 10_000_000);
        world.wait_a_second();
        reset(&mut world);
        assert!(pay(&mut world, 0, round, &invoice).is_ok());
        assert!(was_sent(&world, 0, &invoice));
        for side in &world.sides {
            assert_eq!(side.batches.len(), 3, "{:?}", side.batches);
            assert!(side.batches.iter().sum::<usize>() <= BYTES_A_NODE, "{:?}", side.batches);
        }
    }
}

/// BOLT 2, Normal Operation: add and commit; revoke and commit; revoke; fulfil and commit; revoke and commit; revoke.
#[test]
fn six_flights_of_messages() {
    let mut world = with_channel();
    for round in 0..3 {
        let invoice = invoice(&mut world, 1, 10_000_000);
        world.wait_a_second();
        let before = world.flights;
        assert!(pay(&mut world, 0, round, &invoice).is_ok());
        assert!(was_sent(&world, 0, &invoice));
        assert_eq!(world.flights - before, 6);
    }
}

#[cfg(feature = "count-ops")]
#[test]
fn six_signatures_six_verifications_two_shared_secrets() {
    use crate::crypto::ec::op_counts;

    let mut world = with_channel();
    let warm_up = invoice(&mut world, 1, 10_000_000);
    assert!(pay(&mut world, 0, 1, &warm_up).is_ok());
    let invoice = invoice(&mut world, 1, 10_000_000);
    let before = op_counts();
    assert!(pay(&mut world, 0, 2, &invoice).is_ok());
    assert!(was_sent(&world, 0, &invoice));
    let spent = op_counts().since(before);
    assert_eq!((spent.sign, spent.verify, spent.ecdh), (6, 6, 2), "{spent:?}");
}
