//! What one payment costs: signatures, verifications, durable commits, bytes written.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;
use crate::store::{RecordKind, Shelf, Vault};
use crate::types::PaymentId;

/// What the three batches of a payment write at its payer, without the record of what is paid, which is written once.
const PAYER_BYTES: usize = 594;

/// What the name and the length of a record take in a batch: kind, length and bytes of the id, length of the content.
const NAME_BYTES: usize = 1 + 1 + 16 + 2;

/// What the three batches write at the payee: 480 of it are signatures, revocations, the secret shared with the payer, and
/// what sealing adds (ADR 0008).
const PAYEE_BYTES: usize = 689;

/// What the penalty for a revoked commitment needs, by payment and side.
const LEFT_BEHIND_BYTES: usize = 48;

fn reset(world: &mut World) {
    for side in &mut world.sides {
        side.batches.clear();
    }
}

#[test]
fn three_commits_and_few_bytes_a_node() {
    let mut world = with_channel();
    for round in 0..3 {
        let invoice = invoice(&mut world, 1, 10_000_000);
        assert!((300..400).contains(&invoice.text.len()), "{}", invoice.text.len());
        world.wait_a_second();
        reset(&mut world);
        assert!(pay(&mut world, 0, round, &invoice).is_ok());
        assert!(was_sent(&world, 0, &invoice));
        let terms = world.node(0).payments[&PaymentId([round; 16])].terms_to_bytes().len();
        // Five bits a character.
        assert!(terms < 110 + invoice.text.len() * 5 / 8, "{terms}");
        for (side, most) in world.sides.iter().zip([PAYER_BYTES + terms + NAME_BYTES, PAYEE_BYTES]) {
            assert_eq!(side.batches.len(), 3, "{:?}", side.batches);
            assert!(side.batches.iter().sum::<usize>() <= most, "{:?}, {most}", side.batches);
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

/// One payment after the other, so that each is charged with everything, and all the way to what is left.
#[test]
fn a_settled_payment_leaves_what_a_penalty_needs() {
    const PAYMENTS: usize = 30;
    let mut world = with_channel();
    let channel_bytes = |world: &World, side: usize| -> usize {
        let (_, records) = Shelf::open(Vault::new(&[9; 32]), &world.sides[side].disk).unwrap();
        let rows = records.iter().filter(|(name, _)| name.kind == RecordKind::Channel);
        rows.map(|(name, content)| name.which.len() + content.len()).sum()
    };
    let make = |world: &mut World, id: u8| {
        let invoice = invoice(world, 1, 10_000_000);
        assert!(pay(world, 0, id, &invoice).is_ok());
    };
    // Until numbers have grown, and most slots of the peer's secrets are there.
    (0..70).for_each(|id| make(&mut world, id));
    world.wait_a_second();
    let before = [0, 1].map(|side| channel_bytes(&world, side));
    (70..).take(PAYMENTS).for_each(|id| make(&mut world, id));
    world.wait_a_second();
    for side in [0, 1] {
        let left = channel_bytes(&world, side) - before[side];
        assert!(left <= PAYMENTS * LEFT_BEHIND_BYTES, "{left}");
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
