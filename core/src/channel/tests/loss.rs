use super::harness::{HEIGHT, Who, World, add};
use crate::channel::{ChannelError, ChannelEvent, Command, FreezeCause, Link, State, Violation};
use crate::types::{CltvExpiry, HtlcId, MilliSatoshi};
use crate::wire::Message;

/// Alice's state is put back to where it was before a number of payments.
fn old_alice(payments: u8) -> World {
    let mut world = World::open();
    world.add(Who::Alice, 1_000_000, 1);
    world.settle();
    let backup = world.alice.rows.clone();
    for i in 0..payments {
        world.add(Who::Alice, 1_000_000, i);
        world.settle();
    }
    world.disconnect();
    world.alice.rows = backup;
    world.alice.restart();
    world.alice.take_events();
    world.bob.take_events();
    world
}

#[test]
fn old_state_never_speaks() {
    for payments in 1..4 {
        let mut world = old_alice(payments);
        world.connect();
        while world.deliver(Who::Alice) {}
        let State::Frozen(frozen) = &world.alice.channel().state else { panic!() };
        assert_eq!(frozen.cause, FreezeCause::FellBehind);
        assert_eq!(world.alice.take_events(), [ChannelEvent::FellBehind]);
        let broadcasts = world.alice.broadcasts.len();

        // Nothing makes it publish.
        assert!(matches!(world.try_tell(Who::Alice, Command::ForceClose), Err(ChannelError::Refused(_))));
        world.alice.fail(&Violation::ForceClosed);
        world.tell(Who::Alice, Command::NewBlock(1_000_000));
        assert!(world.alice.channel().rebroadcasts(&world.alice.env()).unwrap().is_empty());
        assert_eq!(world.alice.broadcasts.len(), broadcasts);

        // Bob waits for the error, then publishes, and Alice finds her money.
        world.deliver(Who::Bob);
        assert_eq!(world.bob.take_events(), [ChannelEvent::PeerFellBehind]);
        assert_eq!(world.bob.channel().link, Link::Syncing);
        let Message::Error(error) = world.intercept(Who::Bob) else { panic!() };
        let failed = world.bob.try_process(Command::Message(error.into())).unwrap_err();
        let ChannelError::FailChannel(violation) = failed else { panic!() };
        world.bob.fail(&violation);
        let tx = world.bob.broadcasts.last().unwrap().clone();
        world.see(Who::Alice, &tx, Some(HEIGHT));
        let State::Closing(closing) = &world.alice.channel().state else { panic!() };
        assert!(matches!(closing.closer, crate::channel::Closer::RemoteUnknown { .. }));
        assert!(closing.to_us.to_sat() > 690_000);
    }
}

#[test]
fn frozen_is_told_again_at_every_connection() {
    let mut world = old_alice(2);
    world.connect();
    while world.deliver(Who::Alice) {}
    world.disconnect();
    world.alice.restart();
    let hello = world.alice.process(Command::Connected);
    assert!(matches!(hello[..], [Message::Error(_)]));
}

#[test]
fn a_bug_freezes_and_publishes_nothing() {
    let mut world = World::open();
    let transition = world.alice.channel().freeze(&crate::channel::Fault::Broken("test"));
    assert!(transition.effects.messages().next().is_none());
    let broadcasts = world.alice.broadcasts.len();
    world.alice.take(transition);
    assert_eq!(world.alice.broadcasts.len(), broadcasts);
    assert!(matches!(world.alice.take_events()[..], [ChannelEvent::Frozen { .. }]));
    world.disconnect();
    world.alice.restart();
    assert!(world.alice.process(Command::Connected).is_empty());
    let State::Frozen(frozen) = &world.alice.channel().state else { panic!() };
    assert!(matches!(&frozen.cause, FreezeCause::Fault { fault } if fault == "test"));
}

/// What a run's first news can be that end a channel.
fn troubles(world: &World) -> [Command; 3] {
    let id = world.alice.channel().id;
    let error = |id| Command::Message(crate::wire::Error::new(id, "internal error").into());
    [error(id), error(crate::types::ChannelId::ALL), Command::NewBlock(1_000_000)]
}

/// Alice starts again from her newest state, with an HTLC of hers under way.
fn loaded_alice() -> World {
    let mut world = World::open();
    world.add(Who::Alice, 1_000_000, 1);
    world.settle();
    world.disconnect();
    world.alice.restart();
    world.alice.take_events();
    world
}

/// As the node does.
fn endure(world: &mut World, command: Command) {
    match world.alice.try_process(command) {
        Ok(messages) => world.send(Who::Alice, messages),
        Err(ChannelError::FailChannel(violation)) => {
            let messages = world.alice.fail(&violation);
            world.send(Who::Alice, messages);
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_loaded_is_not_published_before_the_peer_proves_it() {
    let count = troubles(&loaded_alice()).len();
    for (which, syncs) in (0..count).flat_map(|which| [(which, false), (which, true)]) {
        let mut world = loaded_alice();
        if syncs {
            world.connect();
        }
        for _ in 0..2 {
            let trouble = troubles(&world)[which].clone();
            endure(&mut world, trouble);
            assert_eq!(world.alice.channel().state.name(), "normal");
            assert!(world.alice.broadcasts.len() <= 1, "only the funding transaction");
        }
        assert!(matches!(world.alice.take_events()[..], [ChannelEvent::FailsLater { .. }]), "told once");

        // Once it is proven, what waited is done.
        if !syncs {
            world.connect();
        }
        while world.alice.channel().state.name() == "normal" {
            assert!(world.deliver(Who::Alice));
        }
        assert_eq!(world.alice.channel().state.name(), "failed");
        assert_eq!(world.alice.broadcasts.len(), 2);
    }
}

/// Bob has told preimages, of which the first pays too little to have an output, and starts again. `expiries` are those of
/// the others, in blocks from now.
fn loaded_bob(expiries: &[u32]) -> World {
    let mut world = World::open();
    let mut offer = |number: u8, msat: u64, blocks: u32| {
        let mut htlc = add(msat, number);
        htlc.cltv_expiry = CltvExpiry::new(HEIGHT + blocks).unwrap();
        world.tell(Who::Alice, Command::AddHtlc(htlc));
        world.settle();
    };
    offer(9, 100_000, 50);
    for (number, blocks) in (0..).zip(expiries) {
        offer(number, 50_000_000, *blocks);
    }
    world.disconnect();
    world.fulfil(Who::Bob, HtlcId(0), 9);
    for (number, _) in (0..).zip(expiries) {
        world.fulfil(Who::Bob, HtlcId(u64::from(number) + 1), number);
    }
    world.bob.restart();
    world.bob.take_events();
    world
}

/// What Bob's owner hears up to a height, from its first block or from one that he wakes at.
fn heard(world: &mut World, from: u32, to: u32) -> Vec<(u32, ChannelEvent)> {
    let mut heard = Vec::new();
    for height in HEIGHT + from..=HEIGHT + to {
        if let Err(ChannelError::FailChannel(violation)) = world.bob.try_process(Command::NewBlock(height)) {
            assert!(world.bob.fail(&violation).is_empty());
        }
        heard.extend(world.bob.take_events().into_iter().map(|event| (height - HEIGHT, event)));
        assert_eq!((world.bob.channel().state.name(), world.bob.broadcasts.len()), ("normal", 0));
    }
    heard
}

#[test]
fn whoever_told_a_preimage_and_may_not_close_hears_thrice_what_is_at_stake() {
    let close = |htlcs: u64, blocks: u32| {
        let amount = MilliSatoshi::from_msat(htlcs * 50_000_000);
        ChannelEvent::OwnerMustClose { amount, last_block: HEIGHT + blocks }
    };
    let is_other = |event: &ChannelEvent| matches!(event, ChannelEvent::FailsLater { .. });

    // Nothing but closing alone can save it, and nobody but the owner may.
    let mut world = loaded_bob(&[100]);
    let heard_by = heard(&mut world, 1, 120);
    assert!(
        heard_by[0].0 == 32 && is_other(&heard_by[0].1),
        "of a trimmed one there is nothing to save: {heard_by:?}"
    );
    assert_eq!(heard_by[1..], [82, 88, 94].map(|at| (at, close(1, 100))));

    // Each counts from when it is due, and the first of them to expire is the one to be named.
    let mut world = loaded_bob(&[100, 90]);
    let heard_by = heard(&mut world, 40, 120);
    let expected = [(72, 1), (78, 1), (82, 2), (84, 2), (88, 2), (94, 2)];
    assert_eq!(heard_by[1..], expected.map(|(at, htlcs)| (at, close(htlcs, 90))));

    // Whoever wakes late hears at once, also after another reason to end the channel was heard.
    let mut world = loaded_bob(&[100]);
    world.connect();
    let error = crate::wire::Error::new(world.bob.channel().id, "internal error");
    let Err(ChannelError::FailChannel(violation)) = world.bob.try_process(Command::Message(error.into()))
    else {
        panic!()
    };
    world.bob.fail(&violation);
    assert!(is_other(&world.bob.take_events()[0]));
    assert_eq!(heard(&mut world, 91, 120), [91, 94].map(|at| (at, close(1, 100))));
    // And once more after another start.
    world.disconnect();
    world.bob.restart();
    assert_eq!(heard(&mut world, 92, 99), [92, 94].map(|at| (at, close(1, 100))));

    // The owner's word is carried out.
    world.tell(Who::Bob, Command::ForceClose);
    assert_eq!((world.bob.channel().state.name(), world.bob.broadcasts.len()), ("failed", 1));
}

#[test]
fn what_waits_is_dropped_where_the_peer_proves_the_state_old() {
    for which in 0..3 {
        let mut world = old_alice(2);
        let trouble = troubles(&world)[which].clone();
        if which < 2 {
            endure(&mut world, trouble);
        }
        let broadcasts = world.alice.broadcasts.len();
        for _ in 0..3 {
            world.disconnect();
            world.connect();
            while world.deliver(Who::Alice) {}
            assert_eq!(world.alice.channel().state.name(), "frozen");
            let trouble = troubles(&world)[which].clone();
            endure(&mut world, trouble);
            world.alice.restart();
            world.bob.restart();
        }
        assert_eq!(world.alice.broadcasts.len(), broadcasts);
    }
}

#[test]
fn an_unfitting_reestablish_asks_the_peer_to_close_and_publishes_nothing() {
    let mut world = loaded_alice();
    world.connect();
    let Message::ChannelReestablish(mut theirs) = world.intercept(Who::Alice) else { panic!() };
    // As if we had signed once more than we know.
    theirs.next_commitment_number += 1;
    world.to_bob.clear();
    endure(&mut world, Command::Message(theirs.into()));
    assert_eq!(world.alice.broadcasts.len(), 1, "only the funding transaction");
    assert!(matches!(world.intercept(Who::Bob), Message::Error(_)));
}

#[test]
fn the_owner_may_close_what_is_not_proven() {
    let mut world = loaded_alice();
    world.tell(Who::Alice, Command::ForceClose);
    assert_eq!(world.alice.channel().state.name(), "failed");
    assert_eq!(world.alice.broadcasts.len(), 2);
}
