//! What an owner does, from one end to the other.

use super::world::World;
use crate::invoice::Invoice;
use crate::node::{Answer, Command, CommandError, Event, SendRequest};
use crate::types::{FeeratePerKw, MilliSatoshi, PaymentId};
use bitcoin::Amount;

pub(super) fn with_channel() -> World {
    let mut world = World::new();
    world.give_coins(0, 2_000_000);
    world.connect();
    let node_id = world.node(1).node_id();
    let open =
        Command::OpenChannel { node_id, amount: Amount::from_sat(1_000_000), feerate: FeeratePerKw::FLOOR };
    let answer = world.command(0, open);
    assert!(matches!(answer, Ok(Answer::ChannelOpening { .. })), "{answer:?}");
    assert_eq!(world.mempool.len(), 1, "the funding transaction is published");
    world.mine(3);
    for side in 0..2 {
        let channels = world.node(side).channels();
        assert!(channels.len() == 1 && channels[0].is_usable, "{channels:?}");
        assert!(world.sides[side].events.iter().any(|event| matches!(event, Event::ChannelReady { .. })));
    }
    world
}

pub(super) fn invoice(world: &mut World, side: usize, msat: u64) -> Invoice {
    let amount = Some(MilliSatoshi::from_msat(msat));
    let answer =
        world.command(side, Command::MakeInvoice { amount, description: "tea".into(), expiry_secs: 3_600 });
    let Ok(Answer::Invoice { invoice, .. }) = answer else { panic!("{answer:?}") };
    Invoice::decode(&invoice).unwrap()
}

pub(super) fn pay(world: &mut World, side: usize, id: u8, invoice: &Invoice) -> Result<Answer, CommandError> {
    let request = SendRequest {
        id: PaymentId([id; 16]),
        invoice: invoice.clone(),
        amount: invoice.amount.unwrap(),
        max_fee: MilliSatoshi::from_msat(1_000),
        timeout_secs: 60,
        note: None,
    };
    world.command(side, Command::Send(Box::new(request)))
}

pub(super) fn was_sent(world: &World, side: usize, invoice: &Invoice) -> bool {
    let sent = |event: &Event| matches!(event, Event::PaymentSent { payment_hash, .. } if *payment_hash == invoice.payment_hash);
    world.sides[side].events.iter().filter(|event| sent(event)).count() == 1
}

#[test]
fn opens_pays_both_ways_and_closes() {
    let mut world = with_channel();
    let first = invoice(&mut world, 1, 400_000_000);
    assert!(pay(&mut world, 0, 1, &first).is_ok());
    assert!(was_sent(&world, 0, &first), "{:?}", world.sides[0].events);
    let back = invoice(&mut world, 0, 100_000_000);
    assert!(pay(&mut world, 1, 2, &back).is_ok());
    assert!(was_sent(&world, 1, &back), "{:?}", world.sides[1].events);
    assert_eq!(world.node(1).balance().total.to_msat(), 300_000_000);

    let channel_id = world.node(0).channels()[0].channel_id;
    assert!(matches!(world.command(0, Command::CloseChannel { channel_id }), Ok(Answer::Done)));
    world.mine(1);
    let onchain = world.node(1).balance().onchain.total().to_sat();
    assert_eq!(onchain, 300_000, "{:?} {:?}", world.node(1).channels(), world.sides[1].events);
    world.mine(100);
    assert!(world.node(0).channels().is_empty() && world.node(1).channels().is_empty());
}

#[test]
fn a_payment_that_is_told_is_in_the_balance() {
    let mut world = with_channel();
    let bill = invoice(&mut world, 1, 400_000_000);
    assert!(pay(&mut world, 0, 1, &bill).is_ok());
    assert!(was_sent(&world, 0, &bill));
    for (side, is_the_news) in [
        (0, (|event| matches!(event, Event::PaymentSent { .. })) as fn(&Event) -> bool),
        (1, |event| matches!(event, Event::PaymentReceived { .. })),
    ] {
        let at = world.sides[side].events.iter().position(is_the_news).unwrap();
        assert_eq!(world.sides[side].totals[at], world.node(side).balance().total);
    }
}

#[test]
fn the_same_payment_is_made_once() {
    let mut world = with_channel();
    let invoice = invoice(&mut world, 1, 5_000_000);
    assert!(pay(&mut world, 0, 1, &invoice).is_ok());
    assert!(matches!(pay(&mut world, 0, 1, &invoice), Ok(Answer::Payment(id)) if id == PaymentId([1; 16])));
    assert!(matches!(pay(&mut world, 0, 2, &invoice), Err(CommandError::AlreadyPaid)));
    assert_eq!(world.node(1).balance().total.to_msat(), 5_000_000);
}

#[test]
fn a_restart_forgets_nothing() {
    let mut world = with_channel();
    let before = invoice(&mut world, 1, 50_000_000);
    assert!(pay(&mut world, 0, 1, &before).is_ok());
    let balances = [world.node(0).balance(), world.node(1).balance()];
    for side in [0, 1] {
        world.crash(side);
        world.start(side);
    }
    world.connect();
    assert_eq!(
        [world.node(0).balance(), world.node(1).balance()].map(|b| b.total),
        balances.map(|b| b.total)
    );
    let after = invoice(&mut world, 1, 60_000_000);
    assert!(pay(&mut world, 0, 2, &after).is_ok());
    assert!(was_sent(&world, 0, &after), "{:?}", world.sides[0].events);
}
