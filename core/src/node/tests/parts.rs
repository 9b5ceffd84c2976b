//! Parts of one payment over two channels, after a start that the peer of one of them says nothing to.

use super::flows::{invoice, with_channel};
use super::world::World;
use crate::channel::{AddHtlc, Channel, Command as ChannelCommand, Fault};
use crate::invoice::Invoice;
use crate::node::{Command, Event, Input};
use crate::onion::{HopPayload, build_packet};
use crate::types::{CltvExpiry, FeeratePerKw, MilliSatoshi, PaymentId};
use bitcoin::Amount;
use bitcoin::secp256k1::SecretKey;
use std::sync::Arc;

const TOTAL_MSAT: u64 = 100_000_000;
/// What is missing when the first part is there.
const REST_MSAT: u64 = 1_000;

fn with_two_channels() -> (World, [u32; 2]) {
    let mut world = with_channel();
    world.give_coins(0, 2_000_000);
    let (node_id, amount) = (world.node(1).node_id(), Amount::from_sat(1_000_000));
    let open = Command::OpenChannel { node_id, amount, feerate: FeeratePerKw::FLOOR };
    assert!(world.command(0, open).is_ok());
    world.mine(3);
    assert!(world.node(1).channels().iter().all(|channel| channel.is_usable));
    let indexes: Vec<u32> = world.node(0).channels.keys().copied().collect();
    (world, indexes.try_into().unwrap())
}

/// Host 0 offers a part of the whole to host 1, which no wallet of this kind does of its own accord.
fn offer_part(world: &mut World, channel: u32, invoice: &Invoice, msat: u64) {
    let amount = MilliSatoshi::from_msat(msat);
    let height = world.node(0).tip().0 + u32::from(invoice.min_final_cltv_expiry_delta.0) + 10;
    let cltv_expiry = CltvExpiry::new(height).unwrap();
    let payload = HopPayload::Final {
        amt_to_forward: amount,
        outgoing_cltv_value: cltv_expiry,
        payment_secret: Some(invoice.payment_secret),
        total_msat: invoice.amount.unwrap(),
        payment_metadata: invoice.metadata.clone(),
    };
    let session_key = SecretKey::from_slice(&[5; 32]).unwrap();
    let hops = [(world.node(1).node_id(), payload.encode())];
    let add = AddHtlc {
        origin: PaymentId([77; 16]),
        amount,
        payment_hash: invoice.payment_hash,
        cltv_expiry,
        onion: Arc::from(build_packet(&session_key, &hops, &invoice.payment_hash).unwrap().0),
    };
    world.sides[0].node.as_mut().unwrap().step(channel, ChannelCommand::AddHtlc(add)).unwrap();
    world.input(0, Input::Wake);
}

fn received(world: &World) -> usize {
    let is_received = |event: &&Event| matches!(event, Event::PaymentReceived { .. });
    world.sides[1].events.iter().filter(is_received).count()
}

fn waiting(world: &World) -> u64 {
    world.node(1).parts.waiting().to_msat()
}

/// Puts another state in the place of one that host 0 has.
fn replace(world: &mut World, index: u32, by: impl FnOnce(&Channel) -> Channel) -> Channel {
    let entry = world.sides[0].node.as_mut().unwrap().channels.get_mut(&index).unwrap();
    let other = by(&entry.channel);
    std::mem::replace(&mut entry.channel, other)
}

/// Where nothing may be published, what is fulfilled is not enforced: the peer that keeps silent would get the preimage
/// for the smallest of the parts.
#[test]
fn a_part_on_a_loaded_channel_counts_once_its_peer_has_proved_the_state() {
    let (mut world, [silent, other]) = with_two_channels();
    let asked = invoice(&mut world, 1, TOTAL_MSAT);
    offer_part(&mut world, silent, &asked, TOTAL_MSAT - REST_MSAT);
    assert_eq!(waiting(&world), TOTAL_MSAT - REST_MSAT);
    // Then the disk knows that the part is irrevocable.
    world.wait_a_second();
    world.crash(1);
    // A channel that stopped never says anything.
    let spoken = replace(&mut world, silent, |channel| channel.freeze(&Fault::Broken("test")).next);
    world.start(1);
    // At once: a minute later the parts would be failed.
    world.input(0, Input::Hurry);
    assert_eq!(waiting(&world), 0);
    offer_part(&mut world, other, &asked, REST_MSAT);
    assert_eq!((waiting(&world), received(&world)), (REST_MSAT, 0), "{:?}", world.sides[1].events);

    replace(&mut world, silent, |_| spoken);
    world.cut();
    world.input(0, Input::Hurry);
    assert_eq!((waiting(&world), received(&world)), (0, 1), "{:?}", world.sides[1].events);
    assert_eq!(world.node(1).balance().total.to_msat(), TOTAL_MSAT);
    assert!(world.node(0).channels.values().all(|it| it.channel.commitments().unwrap().htlcs.is_empty()));
}

#[test]
fn a_part_that_was_loaded_is_failed_when_its_minute_is_over() {
    let (mut world, [first, _]) = with_two_channels();
    let asked = invoice(&mut world, 1, TOTAL_MSAT);
    let before = world.node(0).balance();
    offer_part(&mut world, first, &asked, TOTAL_MSAT - REST_MSAT);
    world.crash(1);
    world.start(1);
    world.connect();
    assert_eq!(waiting(&world), TOTAL_MSAT - REST_MSAT);
    world.now.mono = world.now.mono.plus_secs(60);
    world.input(1, Input::Wake);
    assert_eq!((waiting(&world), received(&world)), (0, 0));
    assert_eq!(world.node(0).balance(), before);
}
