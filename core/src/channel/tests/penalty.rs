//! A peer publishes what it had revoked (BOLT 5, Revoked Transaction Close Handling).

use super::harness::{HEIGHT, Who, World};
use super::skyline::Skyline;
use crate::channel::{ChannelEvent, Closer, Command, State};
use crate::onchain::Way;
use crate::onchain::fees::RISE_BLOCKS;
use crate::types::{HtlcId, PaymentId, PaymentPreimage};
use bitcoin::{Amount, OutPoint, Transaction};
use std::collections::{BTreeMap, BTreeSet};

const EXPIRY: u32 = HEIGHT + 144;
const DELAY: u32 = 144;

/// Bob closes with a state in which two HTLCs each way were pending; since then all of them are gone, and Alice has paid
/// again. Bob is as he was then, so that he can use all he had: he knows the preimage of Alice's first HTLC.
fn cheated() -> (Skyline, Transaction) {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.add(Who::Alice, 40_000_000, 2);
    world.add(Who::Bob, 30_000_000, 3);
    world.add(Who::Bob, 20_000_000, 4);
    world.settle();
    world.disconnect();
    world.fulfil(Who::Bob, HtlcId(0), 1);
    let old = world.bob.rows.clone();
    world.connect();
    world.settle();
    world.fail(Who::Bob, HtlcId(1));
    world.fail(Who::Alice, HtlcId(0));
    world.fail(Who::Alice, HtlcId(1));
    world.settle();
    world.add(Who::Alice, 60_000_000, 7);
    world.settle();
    world.disconnect();
    world.bob.rows = old;
    world.bob.restart();
    world.tell(Who::Bob, Command::ForceClose);
    let tx = world.bob.broadcasts.last().unwrap().clone();
    let mut sky = Skyline::new(world);
    sky.mine(std::slice::from_ref(&tx));
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert!(matches!(closing.closer, Closer::RemoteRevoked { .. }), "{:?}", closing.closer);
    sky.events(Who::Alice);
    (sky, tx)
}

fn paid(txs: &[Transaction]) -> Amount {
    txs.iter().flat_map(|tx| &tx.output).map(|output| output.value).sum()
}

fn claimed(txs: &[Transaction]) -> BTreeSet<OutPoint> {
    txs.iter().flat_map(|tx| &tx.input).map(|input| input.previous_output).collect()
}

/// Whoever undoes that block and holds the transaction back would keep all of the channel, and its HTLCs would run out.
#[test]
fn a_revoked_commitment_whose_block_is_undone_is_brought_back() {
    let (mut sky, commitment) = cheated();
    let height = sky.height;
    sky.reorg_to(height - 1);
    let alice = &sky.world.alice;
    assert_eq!(alice.channel().rebroadcasts(&alice.env()).unwrap(), [vec![commitment.clone()]]);
    sky.mine(&[commitment]);
    assert_eq!(sky.bid(Who::Alice).len(), 2);
}

#[test]
fn all_of_a_revoked_commitment_is_taken_at_once() {
    let (mut sky, commitment) = cheated();
    let penalties = sky.bid(Who::Alice);
    assert_eq!(penalties.len(), 2, "to_remote, and everything else together");
    assert_eq!(claimed(&penalties).len(), 6);
    let anchors = Amount::from_sat(660);
    let there: Amount = commitment.output.iter().map(|output| output.value).sum();
    assert!(paid(&penalties) > there - anchors - Amount::from_sat(3_000), "{}", paid(&penalties));
    sky.mine(&penalties);
    assert!(sky.claims(Who::Alice).is_empty());
    assert!(sky.bid(Who::Bob).is_empty());
    sky.mine_to(sky.height + 3);
    assert_eq!(sky.events(Who::Alice), []);
    sky.mine(&[]);
    let lost = ChannelEvent::HtlcTimedOut { origin: PaymentId([7; 16]), id: HtlcId(2) };
    assert_eq!(sky.events(Who::Alice), [lost], "the payment under way is in no block any more");
    sky.mine_to(sky.height + 94);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closing");
    sky.mine(&[]);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
}

#[test]
fn the_second_stages_of_a_cheater_are_taken_as_well() {
    let (mut sky, _) = cheated();
    let batch = sky.bid(Who::Alice);
    // Bob is faster with the HTLC whose preimage he knows.
    let stage = sky.bid(Who::Bob);
    assert_eq!(stage.len(), 1);
    sky.mine(&stage);
    let preimage = PaymentPreimage([1; 32]);
    let is_told = sky
        .events(Who::Alice)
        .iter()
        .any(|event| matches!(event, ChannelEvent::HtlcSettled { preimage: told, .. } if *told == preimage));
    assert!(!is_told, "that payment was settled long ago");
    assert!(batch.iter().any(|tx| sky.objection(tx).is_some()), "the batch is void");
    let penalties = sky.bid(Who::Alice);
    let of_stage = OutPoint { txid: stage[0].compute_txid(), vout: 0 };
    assert!(claimed(&penalties).contains(&of_stage));
    sky.mine(&penalties);
    let to_remote: Vec<Transaction> = batch.into_iter().filter(|tx| sky.objection(tx).is_none()).collect();
    sky.mine(&to_remote);
    // And with those that have timed out.
    assert!(sky.claims(Who::Alice).is_empty());

    let (mut sky, _) = cheated();
    sky.mine_to(EXPIRY);
    let timeouts: Vec<Transaction> =
        sky.bid(Who::Bob).into_iter().filter(|tx| tx.lock_time.to_consensus_u32() == EXPIRY).collect();
    assert_eq!(timeouts.len(), 2);
    sky.mine(&timeouts);
    let penalties = sky.bid(Who::Alice);
    for stage in &timeouts {
        let outpoint = OutPoint { txid: stage.compute_txid(), vout: 0 };
        assert!(claimed(&penalties).contains(&outpoint));
    }
    sky.mine(&penalties);
    assert!(sky.claims(Who::Alice).is_empty());
}

/// Blocks are told before what is in them, and claims are made once all of it is told.
#[test]
fn a_bid_is_void_as_soon_as_its_output_is_seen_spent() {
    let (mut sky, _) = cheated();
    assert_eq!(sky.bid(Who::Alice).len(), 2);
    let stage = sky.bid(Who::Bob);
    let height = sky.height + 1;
    sky.world.see(Who::Alice, &stage[0], Some(height));
    let live = sky.channel(Who::Alice).bids().unwrap().live();
    assert_eq!(live.len(), 1, "what is void is not to be beaten");
}

#[test]
fn penalties_are_split_before_the_deadline_and_never_pay_less() {
    let (mut sky, _) = cheated();
    let closed_at = sky.height;
    let batch = sky.bid(Who::Alice);
    let together = batch.iter().find(|tx| tx.input.len() == 5).unwrap();
    // Bob can take his HTLCs back a block before he can take his balance.
    sky.mine_to(closed_at + DELAY - 20);
    assert!(sky.bid(Who::Alice).is_empty(), "the batch may stay");
    sky.mine_to(closed_at + DELAY - 18);
    let split = sky.bid(Who::Alice);
    let alone = split.iter().filter(|tx| tx.input.len() == 1).count();
    assert_eq!((split.len(), alone), (5, 5));
    let fee = |sky: &Skyline, tx: &Transaction| {
        let had: Amount = tx.input.iter().map(|input| sky.output(input.previous_output).value).sum();
        had - tx.output.iter().map(|output| output.value).sum::<Amount>()
    };
    let rate = |sky: &Skyline, tx: &Transaction| fee(sky, tx).to_sat() * 1_000 / tx.weight().to_wu();
    // The first takes the place of the batch and must pay more than all of it.
    assert!(fee(&sky, &split[0]) > fee(&sky, together));
    assert!(split.iter().all(|tx| rate(&sky, tx) >= rate(&sky, together)));
    let mut before: BTreeMap<OutPoint, Transaction> =
        split.into_iter().map(|tx| (tx.input[0].previous_output, tx)).collect();
    for left in (1..18).rev() {
        sky.mine(&[]);
        let again = sky.bid(Who::Alice);
        // The one that took the place of the batch has paid ahead for some blocks.
        assert!(again.len() >= 4 || left >= RISE_BLOCKS, "{left} blocks are left");
        for tx in again {
            let earlier = &before[&tx.input[0].previous_output];
            assert!(fee(&sky, &tx) > fee(&sky, earlier));
            before.insert(tx.input[0].previous_output, tx);
        }
    }
    let last: Vec<Transaction> = before.into_values().collect();
    let to_remote: Vec<Transaction> = batch.iter().filter(|tx| tx.input.len() == 1).cloned().collect();
    sky.mine(&[last, to_remote].concat());
    assert!(sky.claims(Who::Alice).is_empty());
}

#[test]
fn what_is_kept_for_a_penalty_survives_the_cheaters_preimage() {
    let (mut sky, _) = cheated();
    let penalties = sky.claims(Who::Alice);
    let htlcs = penalties.iter().filter(|claim| matches!(claim.way, Way::PenaltyHtlc(_))).count();
    assert_eq!(htlcs, 4);
    sky.world.alice.restart();
    assert_eq!(sky.claims(Who::Alice).len(), penalties.len(), "all of it is stored");
}

#[test]
fn a_coop_close_that_is_swapped_for_a_revoked_commitment_is_punished() {
    let mut world = World::open();
    let old = world.bob.rows.clone();
    world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.fulfil(Who::Bob, HtlcId(0), 1);
    world.settle();
    world.tell(Who::Alice, Command::Shutdown { script: None });
    world.settle();
    let coop = world.alice.broadcasts.last().unwrap().clone();
    world.disconnect();
    let mut sky = Skyline::new(world);
    sky.mine(&[coop]);
    sky.mine_to(sky.height + 40);
    let height = sky.height;
    sky.world.bob.rows = old;
    sky.world.bob.restart();
    sky.world.tell(Who::Bob, Command::ForceClose);
    let revoked = sky.world.bob.broadcasts.last().unwrap().clone();
    sky.reorg_to(height - 41);
    sky.mine(&[revoked]);
    let penalties = sky.bid(Who::Alice);
    assert_eq!(claimed(&penalties).len(), 2);
    assert!(paid(&penalties) > Amount::from_sat(990_000));
    sky.mine(&penalties);
}
