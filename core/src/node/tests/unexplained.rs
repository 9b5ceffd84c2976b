//! A spend of a funding output that nothing this wallet knows explains.

use super::flows::with_channel;
use super::world::World;
use crate::node::Event;
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, ScriptBuf, Transaction, TxIn, TxOut, WPubkeyHash};

fn alarms(world: &World) -> usize {
    let is_alarm =
        |event: &&Event| matches!(event, Event::ActionRequired { what } if what.contains("cannot explain"));
    world.sides[0].events.iter().filter(is_alarm).count()
}

/// It is no commitment by its numbers, and pays nothing to us, who have nearly all of the channel.
#[test]
fn a_spend_that_no_state_explains_raises_the_alarm_once_it_is_in_a_block() {
    let mut world = with_channel();
    let outpoint = world.node(0).channels.values().next().unwrap().funding_outpoint().unwrap();
    let stranger = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([9; 20]));
    let spend = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn { previous_output: outpoint, ..Default::default() }],
        output: vec![TxOut { value: Amount::from_sat(999_000), script_pubkey: stranger }],
    };
    world.mempool.insert(spend.compute_txid(), spend.clone());
    world.sync();
    assert_eq!(
        (alarms(&world), world.states(0)),
        (0, vec!["normal"]),
        "anybody can invent what is in no block"
    );
    world.mine(1);
    assert_eq!((alarms(&world), world.states(0)), (1, vec!["closing"]), "{:?}", world.sides[0].events);
    let closed = |event: &&Event| {
        matches!(event, Event::ChannelClosed { txid, amount, .. }
            if *txid == Some(spend.compute_txid()) && *amount == Amount::ZERO)
    };
    assert_eq!(world.sides[0].events.iter().filter(closed).count(), 1);
    assert!(world.mempool.is_empty(), "there is nothing to claim");
    world.mine(2);
    assert_eq!(alarms(&world), 1);
}
