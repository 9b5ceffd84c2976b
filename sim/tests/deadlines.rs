//! HTLCs that must be claimed before they expire: what only the owner can do in time, and what is not done before the time is
//! known (BOLT 2, `cltv_expiry_delta` Selection).

use bitcoin::Amount;
use kite_core::invoice::DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA;
use kite_core::node::{Command, Event};
use kite_core::payment::{OutgoingState, PaymentRecord};
use kite_core::types::PaymentHash;
use kite_sim::world::World;

const SAT: u64 = 200_000;

/// Host 0 can pay host 1, which does not know the height and therefore answers no HTLC.
fn unaware() -> World {
    let mut world = World::new(2);
    world.give_coins(0, Amount::from_sat(3_000_000));
    world.give_coins(1, Amount::from_sat(100_000));
    world.connect();
    world.open_channel(0, 1);
    world.mine(6);
    world.is_chain_silent = true;
    world.crash(1);
    world.start(1);
    world.connect();
    world
}

/// When the HTLC expires that pays this.
fn expiry(world: &World, hash: &PaymentHash) -> u32 {
    match world.node(0).payment_by_hash(hash) {
        Some(PaymentRecord::Outgoing(payment)) => match &payment.state {
            OutgoingState::InFlight(attempt) => attempt.cltv_expiry.height(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn received(world: &World) -> usize {
    world.hosts[1].events().filter(|event| matches!(event, Event::PaymentReceived { .. })).count()
}

/// Host 1 has told host 0 a preimage and has no answer, for host 0 is gone; and it starts again. When the HTLC expires.
fn told_a_silent_peer() -> (World, u32) {
    let mut world = unaware();
    let hash = world.ask_to_pay(0, 1, SAT * 1_000);
    world.settle();
    let expiry = expiry(&world, &hash);
    world.deafen(0);
    world.is_chain_silent = false;
    world.settle();
    assert_eq!(received(&world), 1, "{}", world.story());
    world.crash(0);
    world.crash(1);
    world.start(1);
    world.settle();
    (world, expiry)
}

/// What the owner of host 1 heard that is about closing alone.
fn warnings(world: &World) -> Vec<String> {
    let is_it = |event: &Event| match event {
        Event::ActionRequired { what } if what.contains("Close this channel alone now") => Some(what.clone()),
        _ => None,
    };
    world.hosts[1].events().filter_map(is_it).collect()
}

/// Nothing is published before the peer has proved the state; its owner can save what the peer would take back.
#[test]
fn the_owner_hears_in_time_of_a_preimage_that_a_silent_peer_was_told_before_a_restart() {
    let heard_at = [18, 12, 6];
    for (number, acts_at) in (1..).zip(heard_at) {
        let (mut world, expiry) = told_a_silent_peer();
        let mut told = Vec::new();
        while world.chain.height() + acts_at < expiry {
            world.mine(1);
            let left = expiry - world.chain.height();
            told.resize(warnings(&world).len(), left);
            assert!(world.chain.mempool().is_empty(), "{}", world.story());
        }
        assert_eq!(told, heard_at[..number], "{}", world.story());
        for what in warnings(&world) {
            assert!(what.contains("200000 sat") && what.contains(&format!("block {expiry}")), "{what}");
        }

        let channel_id = world.node(1).channels()[0].channel_id;
        assert!(matches!(world.command(1, Command::ForceClose { channel_id }), Some(Ok(_))));
        world.mine(3);
        let commitment = world.node(1).channels()[0].closing_txid.unwrap();
        let commitment = world.chain.transaction(&commitment).unwrap();
        let htlc = commitment.output.iter().position(|output| output.value.to_sat() == SAT).unwrap();
        let (txid, vout) = (commitment.compute_txid(), u32::try_from(htlc).unwrap());
        let claim = world.chain.spend_of(&bitcoin::OutPoint { txid, vout }).unwrap();
        let claimed_at = world.chain.confirmed_at(&claim.compute_txid()).unwrap();
        assert!(claimed_at + acts_at < expiry + 3, "{claimed_at}");
        world.mine(150);
        let balance = world.node(1).balance().onchain.spendable.to_sat();
        assert!(balance > SAT + 90_000, "{balance} {}", world.story());
    }
}

/// The words of a peer reach a device that wakes before any block does.
#[test]
fn no_htlc_is_answered_on_waking_before_the_height_is_known() {
    for left in [60, 5] {
        let mut world = unaware();
        let first = world.ask_to_pay(0, 1, SAT * 1_000);
        world.settle();
        world.crash(1);
        world.start(1);
        world.connect();
        // And one more, asked for and signed now.
        let second = world.ask_to_pay(0, 1, SAT * 1_000);
        world.settle();
        // Each expires as many blocks later than it must as its payer liked.
        let expiries = [first, second].map(|hash| expiry(&world, &hash));
        let now = expiries[0].min(expiries[1]) - left;
        world.mine_at_once(now - world.chain.height());
        world.pass(50);
        assert_eq!(received(&world), 0, "{}", world.story());
        let in_flight = world.node(0).balance().in_flight.to_msat();
        assert_eq!(in_flight, 2 * SAT * 1_000, "neither is failed: {}", world.story());

        world.is_chain_silent = false;
        world.settle();
        let wanted = u32::from(DEFAULT_OWN_MIN_FINAL_CLTV_EXPIRY_DELTA.0);
        let in_time = expiries.iter().filter(|expiry| **expiry - now >= wanted).count();
        assert!(in_time == 2 || left < wanted);
        assert_eq!(received(&world), in_time, "{}", world.story());
        assert_eq!(world.node(0).balance().in_flight.to_msat(), 0, "{}", world.story());
        world.mine(80);
        let states = [0, 1].map(|host| world.node(host).channels()[0].state);
        assert_eq!(states, ["normal", "normal"], "{}", world.story());
    }
}
