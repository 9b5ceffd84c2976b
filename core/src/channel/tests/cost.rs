//! What a payment costs in curve operations, both sides together.

use super::harness::{Who, World};
use crate::crypto::ec::op_counts;

fn open() -> World {
    let mut world = World::open();
    world.alice.reads_back = false;
    world.bob.reads_back = false;
    world
}

#[test]
fn a_payment_takes_six_signatures_and_six_verifications() {
    let mut world = open();
    let before = op_counts();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.fulfil(Who::Bob, id, 1);
    world.settle();
    let counts = op_counts().since(before);
    assert_eq!((counts.sign, counts.verify, counts.ecdh), (6, 6, 0));
    // Two commitments a side, each drafted by both: three multiplications, and two more with HTLCs.
    assert_eq!(counts.mul, 4 * 2 * 3 + 2 * 2 * 2);
    assert_eq!(counts.add, 4 * 2);
}

#[test]
fn nothing_is_derived_twice_when_it_was_derived_ahead() {
    let mut world = open();
    let ahead = |world: &mut World| {
        for who in [Who::Alice, Who::Bob] {
            let side = world.side(who);
            let mut channel = side.channel().clone();
            channel.derive_ahead(&side.env()).unwrap();
            side.channel = Some(channel);
        }
    };
    ahead(&mut world);
    world.add(Who::Alice, 50_000_000, 1);
    let before = op_counts();
    world.sign_if_needed(Who::Alice);
    world.deliver(Who::Bob);
    world.deliver(Who::Bob);
    let counts = op_counts().since(before);
    assert_eq!((counts.sign, counts.verify), (2, 2));
    // All keys are there; what is left is the key that signs the HTLC transaction.
    assert_eq!((counts.mul, counts.add), (0, 0));
}
