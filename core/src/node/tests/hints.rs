//! Whom an invoice says to ask. Without a hint only our peers could pay it, as long as it lives.

use super::flows::{invoice, with_channel};
use super::world::World;
use crate::invoice::Invoice;
use crate::node::{Answer, Command};
use crate::types::{FeeratePerKw, MilliSatoshi, ShortChannelId};
use bitcoin::Amount;

const SMALL_SAT: u64 = 300_000;

/// The channels that it names.
fn named(invoice: &Invoice) -> Vec<ShortChannelId> {
    invoice.route_hints.iter().flat_map(|hint| &hint.hops).map(|hop| hop.short_channel_id).collect()
}

/// By which payers know the channels of the payee, the one with the most room first.
fn channels(world: &World) -> Vec<ShortChannelId> {
    let mut channels: Vec<_> = world.node(1).channels.values().collect();
    channels.sort_by_key(|entry| std::cmp::Reverse(entry.channel.receivable()));
    channels.iter().filter_map(|entry| Some(entry.inbound_policy()?.short_channel_id)).collect()
}

/// A channel of 1 000 000 sat and one of [`SMALL_SAT`], both empty on the side of the payee.
fn with_two_channels() -> World {
    let mut world = with_channel();
    world.give_coins(0, 1_000_000);
    let node_id = world.node(1).node_id();
    let amount = Amount::from_sat(SMALL_SAT);
    let open = Command::OpenChannel { node_id, amount, feerate: FeeratePerKw::FLOOR };
    assert!(matches!(world.command(0, open), Ok(Answer::ChannelOpening { .. })));
    world.mine(3);
    assert_eq!(channels(&world).len(), 2);
    world
}

#[test]
fn an_invoice_names_the_channels_that_have_room_for_it() {
    let mut world = with_two_channels();
    let [large, small] = channels(&world)[..] else { panic!() };
    assert_eq!(named(&invoice(&mut world, 1, 500_000_000)), [large]);
    assert_eq!(named(&invoice(&mut world, 1, 100_000_000)), [large, small]);
}

/// A payer may send it in parts.
#[test]
fn an_amount_that_no_channel_has_room_for_names_all() {
    let mut world = with_two_channels();
    let both = channels(&world);
    let receivable = world.node(1).balance().receivable;
    assert!(receivable > MilliSatoshi::from_msat(1_100_000_000), "{receivable}");
    assert_eq!(named(&invoice(&mut world, 1, 1_100_000_000)), both);
}

/// The opener of a new channel can receive once it has paid something.
#[test]
fn an_invoice_made_before_there_is_room_can_be_paid_when_there_is() {
    let mut world = with_channel();
    assert_eq!(world.node(0).balance().receivable, MilliSatoshi::ZERO);
    let early = invoice(&mut world, 0, 100_000_000);
    assert_eq!(early.route_hints.len(), 1);
    assert_eq!(early.route_hints[0].hops[0].node_id, world.node(1).node_id());
}

#[test]
fn an_invoice_made_while_the_peer_is_away_names_the_channel() {
    let mut world = with_two_channels();
    let all = channels(&world);
    world.cut();
    assert_eq!(world.node(1).balance().receivable, MilliSatoshi::ZERO);
    assert_eq!(named(&invoice(&mut world, 1, 500_000_000)), all[..1]);
    world.crash(1);
    world.start(1);
    assert_eq!(named(&invoice(&mut world, 1, 100_000_000)), all);
}

#[test]
fn a_channel_that_closes_is_not_named() {
    let mut world = with_channel();
    let channel_id = world.node(0).channels()[0].channel_id;
    assert!(matches!(world.command(0, Command::CloseChannel { channel_id }), Ok(Answer::Done)));
    assert!(named(&invoice(&mut world, 1, 100_000_000)).is_empty());
}
