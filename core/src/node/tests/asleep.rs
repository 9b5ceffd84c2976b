//! Devices that sleep for longer than a funding transaction is waited for, and what a server says on waking.

use super::flows::{invoice, pay, was_sent, with_channel};
use super::world::World;
use crate::chain::ChainFact;
use crate::channel::OpenRequest;
use crate::node::{Command, Input};
use crate::types::{FeeratePerKw, MilliSatoshi};
use bitcoin::{Amount, Transaction};

const PUSH: MilliSatoshi = MilliSatoshi::from_msat(300_000_000);
/// So many blocks the accepter waits.
const TIMEOUT: u32 = 2_016;

/// Side 0 opens a channel and gives side 1 a part of it at once. Its funding transaction is on its way.
fn pushed() -> World {
    let mut world = World::new();
    world.give_coins(0, 2_000_000);
    world.connect();
    let node_id = world.node(1).node_id();
    let request = OpenRequest { funding: Amount::from_sat(1_000_000), push: PUSH };
    let opener = world.sides[0].node.as_mut().unwrap();
    opener.start_opening(node_id, request, FeeratePerKw::FLOOR).unwrap();
    world.input(0, Input::Wake);
    assert_eq!((world.states(1), world.mempool.len()), (vec!["wait_for_funding_confirmed"], 1));
    world
}

/// The same, and the opener is gone. Gives the funding transaction, which nobody has published.
fn promised() -> (World, Transaction) {
    let mut world = pushed();
    world.crash(0);
    let (_, funding) = world.mempool.pop_first().unwrap();
    (world, funding)
}

#[test]
fn a_channel_that_was_funded_while_the_device_slept_is_there() {
    let mut world = pushed();
    world.crash(1);
    world.mine(TIMEOUT + 1);
    world.start(1);
    assert_eq!(world.node(1).balance().total, PUSH);
    world.connect();
    assert_eq!(world.states(1), ["normal"]);
    let asked = invoice(&mut world, 0, 100_000_000);
    assert!(pay(&mut world, 1, 1, &asked).is_ok());
    assert!(was_sent(&world, 1, &asked));
}

#[test]
fn a_failed_channel_that_was_funded_while_the_device_slept_is_closed() {
    let mut world = pushed();
    let channel_id = world.node(1).channels()[0].channel_id;
    world.crash(0);
    assert!(world.command(1, Command::ForceClose { channel_id }).is_ok());
    world.crash(1);
    // No mempool takes what spends a transaction that it does not have.
    world.mempool.retain(|_, tx| tx.lock_time.to_consensus_u32() < 500_000_000);
    assert_eq!(world.mempool.len(), 1);
    world.mine(TIMEOUT + 1);
    world.start(1);
    assert_eq!((world.states(1), world.mempool.len()), (vec!["closing"], 1), "now its commitment is taken");
    world.mine(200);
    world.mine(101);
    assert!(world.states(1).is_empty());
    let onchain = world.node(1).balance().onchain.total();
    assert!(onchain > Amount::from_sat(290_000), "{onchain}");
}

#[test]
fn a_funding_transaction_that_never_came_is_looked_for_before_the_channel_is_forgotten() {
    for (blocks, states) in [(TIMEOUT - 1, vec!["wait_for_funding_confirmed"]), (TIMEOUT, vec![])] {
        let (mut world, _) = promised();
        world.crash(1);
        world.mine(blocks);
        world.start(1);
        assert_eq!(world.states(1), states, "{blocks}");
    }
}

/// A server that does not get on with what it was asked, or leaves a proof out, takes nothing away.
#[test]
fn nothing_is_forgotten_before_all_is_told() {
    let (mut world, funding) = promised();
    world.crash(1);
    world.mine(TIMEOUT);
    world.mempool.insert(funding.compute_txid(), funding);
    world.sides[1].node = Some(world.load(1));
    for fact in world.headers_for(1) {
        world.input(1, Input::Chain(fact));
    }
    let waits = ["wait_for_funding_confirmed"];
    assert_eq!((world.states(1), world.node(1).tip().0), (waits.to_vec(), TIMEOUT + 2));
    // It is in no block, or so it is said.
    world.sync();
    assert_eq!(world.states(1), waits);
    // A proof that proves nothing.
    world.mine(1);
    world.crash(1);
    world.sides[1].node = Some(world.load(1));
    world.tell(1, |fact| match fact {
        ChainFact::History(mut history) => {
            let proofs = history.transactions.iter_mut().filter_map(|seen| seen.proof.as_mut());
            proofs.for_each(|proof| proof.siblings.clear());
            ChainFact::History(history)
        }
        fact => fact,
    });
    assert_eq!((world.states(1), world.node(1).channels()[0].confirmations), (waits.to_vec(), 0));
    world.sync();
    assert_eq!(world.node(1).balance().total, PUSH);
}

/// What is asked about in one look was known when the look began.
#[test]
fn what_is_watched_since_a_moment_ago_is_asked_about_first() {
    let mut world = with_channel();
    let channel_id = world.node(0).channels()[0].channel_id;
    world.crash(1);
    assert!(world.command(0, Command::ForceClose { channel_id }).is_ok());
    world.crash(0);
    world.mine(101);
    world.start(1);
    assert_eq!(world.states(1), ["closing"], "it is in its block, a hundred blocks deep");
    world.sync();
    assert!(world.states(1).is_empty());
}
