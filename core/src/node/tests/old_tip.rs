//! A chain whose newest block is hours old: deadlines are not known, so nothing is paid.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;
use crate::node::{Command, CommandError, Event, Input};
use crate::payment::FailureReason;
use crate::types::FeeratePerKw;
use bitcoin::Amount;

/// The tip is just not too old yet for side 0.
fn with_old_tip() -> World {
    let mut world = with_channel();
    world.max_tip_age_secs = Some(world.now.unix.0 - world.node(0).tip_time().0 + 1_000);
    world.crash(0);
    world.start(0);
    world.connect();
    world
}

fn warnings(world: &World) -> usize {
    let is_warning =
        |event: &&Event| matches!(event, Event::ActionRequired { what } if what.contains("newest block"));
    world.sides[0].events.iter().filter(is_warning).count()
}

#[test]
fn nothing_is_paid_or_opened_and_the_owner_is_told_once() {
    let mut world = with_old_tip();
    assert!(!world.node(0).is_tip_old());
    let first = invoice(&mut world, 1, 5_000_000);
    assert!(pay(&mut world, 0, 1, &first).is_ok());
    assert!(was_sent(&world, 0, &first) && warnings(&world) == 0);

    world.now.unix.0 += 2_000;
    world.sync();
    world.sync();
    assert!(world.node(0).is_tip_old());
    assert_eq!(warnings(&world), 1);
    let bill = invoice(&mut world, 1, 5_000_000);
    assert!(pay(&mut world, 0, 2, &bill).is_ok());
    assert_eq!(world.node(0).balance().in_flight.to_msat(), 0, "no HTLC was offered");
    let node_id = world.node(1).node_id();
    let open =
        Command::OpenChannel { node_id, amount: Amount::from_sat(100_000), feerate: FeeratePerKw::FLOOR };
    assert!(matches!(world.command(0, open), Err(CommandError::NotSynced)));

    world.now.unix.0 += 60;
    world.input(0, Input::Wake);
    let failed =
        |event: &Event| matches!(event, Event::PaymentFailed { reason: FailureReason::NoRoute { .. }, .. });
    assert!(world.sides[0].events.iter().any(failed), "{:?}", world.sides[0].events);
}

#[test]
fn what_waited_goes_on_once_the_tip_is_fresh() {
    let mut world = with_old_tip();
    let seed = invoice(&mut world, 1, 100_000_000);
    assert!(pay(&mut world, 0, 1, &seed).is_ok());
    world.now.unix.0 += 2_000;
    let bill = invoice(&mut world, 1, 5_000_000);
    assert!(pay(&mut world, 0, 2, &bill).is_ok());
    // An HTLC for us came while the tip was old: whether there is time to settle it is not known.
    let ours = invoice(&mut world, 0, 7_000_000);
    assert!(pay(&mut world, 1, 3, &ours).is_ok());
    assert!(!was_sent(&world, 0, &bill) && !was_sent(&world, 1, &ours));

    world.now.unix.0 -= 2_000;
    world.sync();
    assert!(was_sent(&world, 0, &bill), "{:?}", world.sides[0].events);
    assert!(was_sent(&world, 1, &ours), "{:?}", world.sides[1].events);
}
