//! What one payment costs: signatures, verifications, durable commits, bytes written.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;
use crate::store::{RecordKind, Shelf, Vault};
use crate::types::PaymentId;

/// What the three batches of a payment write at either side (ADR 0008): all keys and values. At the payer without the record
/// of what is paid, which is written once and as long as the invoice.
const MOST_BYTES: usize = 600;

/// What the payer's last `revoke_and_ack` writes. Nothing waits for it, so it shares the next batch, or has one of its own
/// after half a second.
const LAST_BYTES: usize = 140;

/// What the name and the length of a record take in a batch: kind, length and bytes of the id, length of the content.
const NAME_BYTES: usize = 1 + 1 + 16 + 2;

/// What the journal leaves out of the record of what is paid if nothing was written before it: the second id and the second
/// hash, in the invoice, each but for four bytes.
const SAID_TWICE_BYTES: usize = 16 - 4 + 32 - 4;

/// A batch above this gathers the journal into its records, which one in 128 does. Its payment is not counted, nor is one
/// whose invoice that batch took out of the journal.
const GATHERING_BYTES: usize = 2_000;

/// What the penalty for a revoked commitment needs, by payment and side.
const LEFT_BEHIND_BYTES: usize = 48;

fn reset(world: &mut World) {
    for side in &mut world.sides {
        side.batches.clear();
    }
}

#[test]
fn three_commits_and_at_most_600_bytes_a_node() {
    let mut world = with_channel();
    let mut counted = 0;
    // Until ids and numbers of commitments take two bytes.
    for round in 0..80 {
        reset(&mut world);
        let invoice = invoice(&mut world, 1, 10_000_000);
        assert!((300..400).contains(&invoice.text.len()), "{}", invoice.text.len());
        world.wait_a_second();
        let mut gathers = gathered(&world);
        reset(&mut world);
        assert!(pay(&mut world, 0, round, &invoice).is_ok());
        assert!(was_sent(&world, 0, &invoice));
        let batches = [0, 1].map(|side| world.sides[side].batches.clone());
        gathers |= gathered(&world);
        reset(&mut world);
        world.wait_a_second();
        gathers |= gathered(&world);
        let last = [0, 1].map(|side| world.sides[side].batches.iter().sum::<usize>());
        let terms = world.node(0).payments[&PaymentId([round; 16])].terms_to_bytes().len();
        // Five bits a character.
        assert!(terms < 110 + invoice.text.len() * 5 / 8, "{terms}");
        assert!(batches.iter().all(|batches| batches.len() == 3), "{batches:?}");
        if gathers {
            continue;
        }
        counted += 1;
        let [payer, payee] = batches.each_ref().map(|batches| batches.iter().sum::<usize>());
        let payer = payer - (terms + NAME_BYTES - SAID_TWICE_BYTES);
        assert!(payer <= MOST_BYTES, "payer: {payer} of {batches:?}");
        assert!(payee <= MOST_BYTES, "payee: {payee} of {batches:?}");
        assert!(last[0] <= LAST_BYTES && last[1] == 0, "{last:?}");
    }
    assert!(counted >= 72, "{counted}");
}

fn gathered(world: &World) -> bool {
    world.sides.iter().any(|side| side.batches.iter().any(|size| *size > GATHERING_BYTES))
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
