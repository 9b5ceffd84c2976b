//! A peer that answers pings, and leaves our `commitment_signed` without `revoke_and_ack`.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;
use crate::node::{Event, Input};
use crate::payment::{FailureReason, OutgoingState, PaymentRecord};
use crate::types::{ConnId, PaymentId};
use crate::wire::{Message, Pong};

fn state(world: &World, payment: u8) -> OutgoingState {
    match world.node(0).payment(&PaymentId([payment; 16])) {
        Some(PaymentRecord::Outgoing(payment)) => payment.state.clone(),
        other => panic!("{other:?}"),
    }
}

/// So many seconds later a pong comes, and the device wakes.
fn pass(world: &mut World, secs: u64) {
    world.now.mono = world.now.mono.plus_secs(secs);
    let now = world.now.mono;
    for link in world.sides[0].node.as_mut().unwrap().connections.links.values_mut() {
        link.peer.on_message(now, Message::Pong(Pong { byteslen: 16 })).unwrap();
    }
    world.input(0, Input::Wake);
}

fn is_connected(world: &World) -> bool {
    !world.node(0).connections.links.is_empty()
}

/// It would be in flight for ever, and signed whenever the peer likes.
#[test]
fn an_htlc_that_the_peer_keeps_from_being_signed_is_taken_back_after_a_minute() {
    for gives_up in [false, true] {
        let mut world = with_channel();
        let [first, second] = [1, 1].map(|side| invoice(&mut world, side, 5_000_000));
        // What it is sent is lost.
        let silent = world.sides[1].node.take();
        assert!(pay(&mut world, 0, 1, &first).is_ok());
        assert!(pay(&mut world, 0, 2, &second).is_ok());
        [20, 20, 19].into_iter().for_each(|secs| pass(&mut world, secs));
        assert!(is_connected(&world));
        assert_eq!(world.node(0).wake_at(), Some(world.now.mono.plus_secs(1)));
        assert!(matches!(state(&world, 2), OutgoingState::InFlight(_)));
        if gives_up {
            world.now.unix.0 += 60;
        }
        pass(&mut world, 1);
        assert!(!is_connected(&world));
        assert!(matches!(state(&world, 1), OutgoingState::InFlight(_)), "it is signed");
        let timed_out = |event: &Event| matches!(event, Event::PaymentFailed { reason, .. } if *reason == FailureReason::TimedOut);
        assert_eq!(world.sides[0].events.iter().any(timed_out), gives_up);
        assert_eq!(matches!(state(&world, 2), OutgoingState::Pending), !gives_up);

        world.sides[1].node = silent;
        world.input(1, Input::Disconnected { conn: ConnId(1 << 63), reason: "closed".into() });
        world.input(0, Input::Hurry);
        assert!(was_sent(&world, 0, &first), "{:?}", world.sides[0].events);
        assert_eq!(was_sent(&world, 0, &second), !gives_up, "{:?}", world.sides[0].events);
        assert_eq!(world.node(1).balance().total.to_msat(), if gives_up { 5_000_000 } else { 10_000_000 });
    }
}

/// A device that slept does not know how much time is over on the chain.
#[test]
fn what_waited_longer_than_a_minute_is_not_signed_when_the_answer_comes() {
    let mut world = with_channel();
    let [first, second] = [1, 1].map(|side| invoice(&mut world, side, 5_000_000));
    let silent = world.sides[1].node.take();
    assert!(pay(&mut world, 0, 1, &first).is_ok());
    assert!(pay(&mut world, 0, 2, &second).is_ok());
    world.now.mono = world.now.mono.plus_secs(3_600);
    world.now.unix.0 += 3_600;
    // Whatever it is that wakes it.
    let conn = *world.node(0).connections.links.keys().next().unwrap();
    world.input(0, Input::Received { conn, bytes: vec![] });
    assert!(matches!(state(&world, 2), OutgoingState::Failed { .. }));
    drop(silent);
}
