//! What is in no block is published again (contract P9): whoever was to relay it may have lost it.

use super::flows::with_channel;
use super::world::World;
use crate::coins::Fee;
use crate::node::{Answer, Command};
use crate::types::{FeeratePerKw, PaymentId};
use bitcoin::{Amount, ScriptBuf, Transaction, Txid};

/// Each with a transaction of side 0 that is published and in no block.
fn worlds() -> [(&'static str, World, Txid); 3] {
    let mut paid = World::new();
    paid.give_coins(0, 500_000);
    let pay = Command::SendOnchain {
        id: PaymentId([1; 16]),
        script_pubkey: ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::from_byte_array([7; 20])),
        amount: Some(Amount::from_sat(100_000)),
        fee: Fee::Rate(FeeratePerKw::FLOOR),
    };
    let Ok(Answer::Sent(payment)) = paid.command(0, pay) else { panic!("not paid") };

    let mut opened = World::new();
    opened.give_coins(0, 2_000_000);
    opened.connect();
    let node_id = opened.node(1).node_id();
    let amount = Amount::from_sat(1_000_000);
    opened.command(0, Command::OpenChannel { node_id, amount, feerate: FeeratePerKw::FLOOR }).unwrap();
    let funding = *opened.mempool.keys().next().unwrap();

    let mut closed = with_channel();
    let channel_id = closed.node(0).channels()[0].channel_id;
    closed.command(0, Command::ForceClose { channel_id }).unwrap();
    // Beside it stands the child that pays for it.
    let is_commitment = |tx: &&Transaction| tx.lock_time.to_consensus_u32() >> 24 == 0x20;
    let commitment = closed.mempool.values().find(is_commitment).unwrap().compute_txid();
    [("a payment", paid, payment), ("a funding", opened, funding), ("a commitment", closed, commitment)]
}

#[test]
fn what_is_in_no_block_is_published_again_at_a_start_before_any_block_comes() {
    for (what, mut world, txid) in worlds() {
        world.wait_a_second();
        let tip = world.node(0).tip();
        world.crash(0);
        world.mempool.clear();
        assert_eq!(world.load(0).tip(), tip, "no block is news at the start");
        world.start(0);
        assert!(world.mempool.contains_key(&txid), "{what}");
    }
}

#[test]
fn what_is_in_no_block_is_published_again_with_every_block() {
    for (what, mut world, txid) in worlds() {
        for _ in 0..3 {
            world.mempool.clear();
            world.mine(1);
            assert!(world.mempool.contains_key(&txid), "{what}");
        }
    }
}
