//! Records that open and say nothing that can be read.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;
use crate::crypto::Seed;
use crate::node::{Event, LoadError, Node, NodeConfig};
use crate::store::{Op, RecordKind, RecordName, Shelf, Vault};
use bitcoin::Network;

/// Writes over every record of a kind what nobody can read.
fn spoil(world: &mut World, kind: RecordKind) -> usize {
    let disk = &mut world.sides[0].disk;
    let (mut shelf, records) = Shelf::open(Vault::new(&[9; 32]), disk).unwrap();
    let names: Vec<RecordName> = records.into_keys().filter(|name| name.kind == kind).collect();
    names.iter().for_each(|name| shelf.put(name.clone(), vec![0xff; 9]));
    let batch = shelf.take_batch(|| [7; crate::store::FRESH_LEN]).unwrap();
    disk.fence = batch.fence;
    for op in batch.ops {
        let Op::Put { key, value } = op else { panic!("{op:?}") };
        disk.records.retain(|(other, _)| *other != key);
        disk.records.push((key, value));
    }
    names.len()
}

fn notices(world: &World) -> Vec<&String> {
    fn notice(event: &Event) -> Option<&String> {
        if let Event::ActionRequired { what } = event { Some(what) } else { None }
    }
    world.sides[0].events.iter().filter_map(notice).collect()
}

#[test]
fn events_are_left_out_and_the_owner_is_told_once() {
    let mut world = with_channel();
    world.crash(0);
    let count = spoil(&mut world, RecordKind::Event);
    assert!(count > 2, "{count} events");
    world.sides[0].events.clear();
    world.start(0);
    assert_eq!(world.sides[0].events.len(), 1, "{:?}", world.sides[0].events);
    assert!(notices(&world)[0].starts_with(&count.to_string()), "{:?}", notices(&world));
    world.connect();
    let bill = invoice(&mut world, 1, 5_000_000);
    assert!(pay(&mut world, 0, 1, &bill).is_ok());
    assert!(was_sent(&world, 0, &bill));
    // What could not be read is gone, and its numbers are not used again.
    world.crash(0);
    world.sides[0].events.clear();
    world.start(0);
    assert_eq!(notices(&world).len(), 1, "it comes again until it is handled, and no other");
}

#[test]
fn payments_and_channels_stop_the_start() {
    for (kind, name) in [(RecordKind::Payment, "payment"), (RecordKind::Channel, "channel")] {
        let mut world = with_channel();
        let bill = invoice(&mut world, 1, 5_000_000);
        assert!(pay(&mut world, 0, 1, &bill).is_ok());
        world.crash(0);
        assert!(spoil(&mut world, kind) > 0);
        let (disk, now) = (&world.sides[0].disk, world.now);
        let config = NodeConfig::new(Network::Regtest);
        let loaded = Node::load(&Seed::new([1; 64]), &[9; 32], [3; 32], config, disk, now);
        // Noise may look like a version that is not known yet.
        let (Err(LoadError::Damaged { what, .. }) | Err(LoadError::NewerVersion { what, .. })) = loaded
        else {
            panic!("{name}");
        };
        assert_eq!(what, name);
    }
}
