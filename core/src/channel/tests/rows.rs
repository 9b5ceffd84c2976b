use super::harness::{Who, World, request};
use crate::channel::{Channel, Command, HtlcKey, RowError, RowName};
use crate::types::{CommitmentNumber, HtlcId};

/// What one durable commit writes when it gathers all that `steps` change.
fn commit(world: &mut World, who: Who, steps: impl FnOnce(&mut World)) -> usize {
    let side = world.side(who);
    let (before, revoked) = (side.channel().clone(), side.revoked.len());
    steps(world);
    let side = world.side(who);
    let appended: usize = side.revoked.values().skip(revoked).map(Vec::len).sum();
    let changed = Channel::changed_rows(Some(&before), side.channel()).into_iter();
    appended + changed.filter_map(|(_, bytes)| bytes).map(|bytes| bytes.len()).sum::<usize>()
}

#[test]
fn a_payment_is_three_small_commits_and_leaves_48_bytes() {
    let mut world = World::open();
    // Far enough that numbers have grown and most slots of the secrets are there.
    for i in 0..200 {
        let id = world.add(Who::Alice, 1_000_000, i);
        world.settle();
        world.tell(Who::Bob, Command::OnionRead(id));
        world.fulfil(Who::Bob, id, i);
        world.settle();
    }
    let rest = |side: &super::harness::Side| -> usize {
        side.rows.values().map(Vec::len).sum::<usize>() + side.revoked.values().map(Vec::len).sum::<usize>()
    };
    let before = [rest(&world.alice), rest(&world.bob)];
    let id = HtlcId(200);
    let mut alice = Vec::new();
    let mut bob = Vec::new();
    alice.push(commit(&mut world, Who::Alice, |world| {
        world.add(Who::Alice, 1_000_000, 99);
        world.sign_if_needed(Who::Alice);
    }));
    bob.push(commit(&mut world, Who::Bob, |world| {
        while world.deliver(Who::Bob) {}
        world.sign_if_needed(Who::Bob);
    }));
    alice.push(commit(&mut world, Who::Alice, |world| while world.deliver(Who::Alice) {}));
    bob.push(commit(&mut world, Who::Bob, |world| {
        while world.deliver(Who::Bob) {}
        world.tell(Who::Bob, Command::OnionRead(id));
        world.fulfil(Who::Bob, id, 99);
        world.sign_if_needed(Who::Bob);
    }));
    alice.push(commit(&mut world, Who::Alice, |world| {
        while world.deliver(Who::Alice) {}
        world.sign_if_needed(Who::Alice);
    }));
    bob.push(commit(&mut world, Who::Bob, |world| while world.deliver(Who::Bob) {}));
    // The last `revoke_and_ack` lets nothing leave, so that it can wait for the next commit.
    let last = commit(&mut world, Who::Alice, |world| while world.deliver(Who::Alice) {});
    assert!(world.to_alice.is_empty() && world.to_bob.is_empty());
    world.assert_settled();
    assert_eq!((alice.len(), bob.len()), (3, 3));
    assert!(alice.iter().sum::<usize>() <= 600, "{alice:?}");
    assert!(bob.iter().sum::<usize>() <= 600, "{bob:?}");
    assert!(last <= 150, "{last}");
    let left = [rest(&world.alice) - before[0], rest(&world.bob) - before[1]];
    assert!(left.iter().all(|bytes| *bytes <= 48), "{left:?}");
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
    assert!(rows.len() > 10);
    for (name, bytes) in &rows {
        let mut missing = rows.clone();
        missing.remove(name);
        assert!(Channel::from_rows(missing).is_err(), "{name:?}");
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 80) {
            let mut short = rows.clone();
            short.insert(*name, bytes[..length].to_vec());
            assert!(Channel::from_rows(short).is_err(), "{name:?} cut to {length}");
        }
        let mut long = rows.clone();
        long.insert(*name, [&bytes[..], &[0]].concat());
        assert!(Channel::from_rows(long).is_err(), "{name:?} with a byte more");
        let mut newer = rows.clone();
        newer.insert(*name, [&[3], &bytes[1..]].concat());
        assert_eq!(Channel::from_rows(newer), Err(RowError::NewerVersion { name: *name, version: 3 }));
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
        RowName::RemotePoint(crate::channel::Parity::Even),
        RowName::RemotePoint(crate::channel::Parity::Odd),
        RowName::Htlc(key),
        RowName::Htlc(HtlcKey::outgoing(HtlcId(7))),
        RowName::Secret(12),
        RowName::Revoked(CommitmentNumber(3)),
        RowName::Close,
        RowName::Bids,
        RowName::Spend(bitcoin::hashes::Hash::all_zeros()),
        RowName::WaitsSince,
        RowName::Unanswered,
    ];
    let mut bytes: Vec<_> = names.iter().map(|name| name.to_bytes()).collect();
    for (name, bytes) in names.iter().zip(&bytes) {
        assert_eq!(RowName::from_bytes(bytes), Ok(*name));
    }
    bytes.sort();
    bytes.dedup();
    assert_eq!(bytes.len(), names.len());
    for wrong in [
        &[][..],
        &[11, 0],
        &[13, 1],
        &[14, 0],
        &[15, 0],
        &[16],
        &[0, 0],
        &[9],
        &[9, 0x80, 0],
        &[9, 1, 1],
        &[7, 0x80, 2],
    ] {
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
