//! Stores that earlier versions wrote, as files: they open, and what was under way goes on.

use super::flows::{invoice, pay};
use super::world::{World, apply};
use crate::node::Event;
use crate::payment::{IncomingState, OutgoingState, PaymentRecord};
use crate::store::{Batch, Op};
use crate::types::PaymentId;

/// The stores of a payer and a payee with a few payments behind them, then the batches that one more payment wrote. From
/// before entries of the journal had their fence as key; channel rows, ends of payments and their events in their first form.
const VERSION_2: &str = include_str!("../../../tests/vectors/stores/version-2.txt");

/// `unix`, `block` and `disk` begin what follows until the next such line; records are a key and a value, or a key alone
/// where one is deleted.
fn world(text: &str, batches: usize) -> World {
    let mut world = World::new();
    let blocks = text.lines().filter_map(|line| line.strip_prefix("block "));
    world.take_chain(
        blocks,
        text.lines().find_map(|line| line.strip_prefix("unix ")).unwrap().parse().unwrap(),
    );
    let sections = text.split("\ndisk ").skip(1).flat_map(|rest| rest.split("\nbatch "));
    for (section, is_disk) in
        sections.zip([true, true].into_iter().chain(std::iter::repeat(false))).take(2 + batches)
    {
        let (head, records) = section.split_once('\n').unwrap();
        let (side, fence) = head.split_once(' ').unwrap();
        let (side, fence): (usize, u64) = (side.parse().unwrap(), fence.parse().unwrap());
        let bytes = |hex: &str| hex::decode(hex).unwrap();
        let ops = records.lines().map(|line| match line.split_once(' ') {
            Some((key, value)) => Op::Put { key: bytes(key), value: bytes(value) },
            None => Op::Delete { key: bytes(line) },
        });
        let disk = &mut world.sides[side].disk;
        let expect_fence = if is_disk { 0 } else { disk.fence };
        if is_disk {
            *disk = crate::store::Stored::default();
        }
        apply(disk, Batch { seq: 1, expect_fence, fence, ops: ops.collect() });
    }
    world
}

#[test]
fn a_payment_of_version_2_is_completed_wherever_it_stood() {
    let count = VERSION_2.matches("\nbatch ").count();
    assert_eq!(count, 6);
    for batches in 0..=count {
        let mut world = world(VERSION_2, batches);
        (0..2).for_each(|side| world.start(side));
        let has_begun = batches > 0;
        // What the file says before anything is done with it.
        let sent = |world: &World| {
            let payments = world.node(0).payments.values();
            payments.filter(|payment| matches!(payment, PaymentRecord::Outgoing(it) if matches!(it.state, OutgoingState::Sent { .. }))).count()
        };
        let received = |world: &World| {
            let payments = world.node(1).payments.values();
            payments.filter(|payment| matches!(payment, PaymentRecord::Incoming(it) if matches!(it.state, IncomingState::Received { .. }))).count()
        };
        assert_eq!(
            (sent(&world), received(&world)),
            (4 + usize::from(batches > 4), 4 + usize::from(batches > 3))
        );
        world.connect();
        assert_eq!(
            (sent(&world), received(&world)),
            (4 + usize::from(has_begun), 4 + usize::from(has_begun))
        );
        assert_eq!(world.node(0).payments.contains_key(&PaymentId([9; 16])), has_begun);
        let told = |side: usize, is: fn(&Event) -> bool| {
            world.sides[side].events.iter().filter(|event| is(event)).count()
        };
        assert_eq!(told(0, |event| matches!(event, Event::PaymentSent { .. })), 4 + usize::from(has_begun));
        assert_eq!(
            told(1, |event| matches!(event, Event::PaymentReceived { .. })),
            4 + usize::from(has_begun)
        );
        let balance = |side: usize| world.node(side).balance().total.to_msat();
        assert_eq!(balance(1), 37_000_000 + 10_000_000 * u64::from(has_begun));

        // New entries stand behind the old ones, and all of it opens again.
        let bill = invoice(&mut world, 1, 10_000_000);
        assert!(pay(&mut world, 0, 50, &bill).is_ok());
        world.wait_a_second();
        for side in 0..2 {
            let payments = world.node(side).payments.clone();
            world.crash(side);
            world.start(side);
            assert_eq!(world.node(side).payments, payments);
        }
        assert_eq!(
            (sent(&world), received(&world)),
            (5 + usize::from(has_begun), 5 + usize::from(has_begun))
        );
    }
}
