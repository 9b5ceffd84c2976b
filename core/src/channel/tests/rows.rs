use super::harness::{Who, World, request};
use crate::channel::{Channel, Command, HtlcKey, RowError, RowName};
use crate::types::{CommitmentNumber, HtlcId};

#[test]
fn a_payment_writes_little() {
    let mut world = World::open();
    // Far enough that a new slot of the secrets is not the reason.
    for i in 0..40 {
        let id = world.add(Who::Alice, 1_000_000, i);
        world.settle();
        world.tell(Who::Bob, Command::OnionRead(id));
        world.fulfil(Who::Bob, id, i);
        world.settle();
    }
    world.alice.written.clear();
    world.bob.written.clear();
    let id = world.add(Who::Alice, 1_000_000, 99);
    world.settle();
    world.tell(Who::Bob, Command::OnionRead(id));
    world.fulfil(Who::Bob, id, 99);
    world.settle();
    for side in [&world.alice, &world.bob] {
        let total: usize = side.written.iter().sum();
        assert!(total <= 1, "{total} in {:?}", side.written);
    }
}

#[test]
fn damaged_rows_are_errors_and_never_panics() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.add(Who::Bob, 40_000_000, 2);
    world.settle();
    world.add(Who::Bob, 3_000_000, 3);
    world.fulfil(Who::Bob, id, 1);
    world.sign_if_needed(Who::Bob);
    let rows = world.bob.rows.clone();
    assert!(rows.len() > 12);
    for (name, bytes) in &rows {
        let mut missing = rows.clone();
        missing.remove(name);
        let optional = matches!(name, RowName::Onion(_) | RowName::Secret(_) | RowName::Removal(_));
        assert!(Channel::from_rows(missing).is_err() || optional, "{name:?}");
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 80) {
            let mut short = rows.clone();
            short.insert(*name, bytes[..length].to_vec());
            assert!(Channel::from_rows(short).is_err(), "{name:?} cut to {length}");
        }
        let mut long = rows.clone();
        long.insert(*name, [&bytes[..], &[0]].concat());
        assert!(Channel::from_rows(long).is_err(), "{name:?} with a byte more");
        let mut newer = rows.clone();
        newer.insert(*name, [&[2], &bytes[1..]].concat());
        assert_eq!(Channel::from_rows(newer), Err(RowError::NewerVersion { name: *name, version: 2 }));
        for position in 1..bytes.len().min(80) {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0xff;
            let mut wrong = rows.clone();
            wrong.insert(*name, flipped);
            let _ = Channel::from_rows(wrong);
        }
    }
}

#[test]
fn names_are_distinct() {
    let key = HtlcKey::incoming(HtlcId(7));
    let names = [
        RowName::Params,
        RowName::Funding,
        RowName::State,
        RowName::Live,
        RowName::Local,
        RowName::Remote(crate::channel::Parity::Even),
        RowName::Remote(crate::channel::Parity::Odd),
        RowName::RemotePoint(crate::channel::Parity::Even),
        RowName::RemotePoint(crate::channel::Parity::Odd),
        RowName::Htlc(key),
        RowName::Htlc(HtlcKey::outgoing(HtlcId(7))),
        RowName::Onion(key),
        RowName::Removal(key),
        RowName::Secret(12),
        RowName::Revoked(CommitmentNumber(3)),
    ];
    let mut bytes: Vec<_> = names.iter().map(|name| name.to_bytes()).collect();
    for (name, bytes) in names.iter().zip(&bytes) {
        assert_eq!(RowName::from_bytes(bytes), Ok(*name));
    }
    bytes.sort();
    bytes.dedup();
    assert_eq!(bytes.len(), names.len());
    for wrong in [&[][..], &[14], &[0, 0], &[9, 2, 0, 0, 0, 0, 0, 0, 0, 1]] {
        assert_eq!(RowName::from_bytes(wrong), Err(RowError::Name));
    }
}

#[test]
fn nothing_is_stored_before_there_is_anything_to_lose() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.deliver(Who::Alice);
    assert!(!world.alice.channel().is_stored());
    let tx = world.make_funding_tx();
    world.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
    assert!(world.alice.rows.is_empty() && world.bob.rows.is_empty());
}
