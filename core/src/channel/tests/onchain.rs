//! Closing alone, seen from both sides (BOLT 5).

use super::harness::{HEIGHT, Who, World, hash};
use super::skyline::Skyline;
use crate::channel::{Channel, ChannelEvent, CloseReason, Closer, Command, Removal, RowName, State, Watch};
use crate::onchain::Way;
use crate::types::{HtlcId, PaymentId, PaymentPreimage};
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Transaction, TxIn, Witness};

/// When the HTLCs of the harness expire.
const EXPIRY: u32 = HEIGHT + 144;
const DELAY: u32 = 144;
/// So many blocks an HTLC may run that a newer copy offered just before the close.
const LAST_RETRY: u32 = 2_016;

fn settled(origin: u8, id: u64) -> ChannelEvent {
    let (origin, preimage) = (PaymentId([origin; 16]), PaymentPreimage([origin; 32]));
    ChannelEvent::HtlcSettled { origin, id: HtlcId(id), preimage }
}

fn timed_out(origin: u8, id: u64) -> ChannelEvent {
    ChannelEvent::HtlcTimedOut { origin: PaymentId([origin; 16]), id: HtlcId(id) }
}

/// Two HTLCs each way, of which Bob can use the preimage of Alice's first (1) and Alice that of Bob's first (3); and a
/// trimmed one of Alice (5).
fn with_htlcs() -> World {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.add(Who::Alice, 40_000_000, 2);
    world.add(Who::Bob, 30_000_000, 3);
    world.add(Who::Bob, 20_000_000, 4);
    world.add(Who::Alice, 100_000, 5);
    world.settle();
    world.disconnect();
    world.fulfil(Who::Bob, HtlcId(0), 1);
    world.fulfil(Who::Alice, HtlcId(0), 3);
    for who in [Who::Alice, Who::Bob] {
        world.side(who).take_events();
    }
    world
}

/// One side's commitment, published.
fn commitment_of(world: &mut World, who: Who) -> Transaction {
    world.tell(who, Command::ForceClose);
    world.side(who).broadcasts.last().unwrap().clone()
}

/// Alice closes alone; each side's events are those of the close only.
fn closed_by(who: Who) -> (Skyline, Transaction) {
    let mut sky = Skyline::new(with_htlcs());
    let tx = commitment_of(&mut sky.world, who);
    sky.mine(std::slice::from_ref(&tx));
    for who in [Who::Alice, Who::Bob] {
        sky.events(who);
    }
    (sky, tx)
}

/// One side's newest commitment, which Alice's copy does not know: an old one has taken its place. In no block yet.
/// Bob can use the preimage of this HTLC of Alice's since, and she has not heard of it.
fn closed_after_an_old_copy_came_back(who: Who, paid: u8) -> (Skyline, Transaction) {
    let mut world = with_htlcs();
    let old = world.alice.rows.clone();
    world.connect();
    world.settle();
    world.add(Who::Alice, 10_000_000, 6);
    world.settle();
    world.disconnect();
    world.fulfil(Who::Bob, HtlcId(u64::from(paid) - 1), paid);
    let mut sky = Skyline::new(world);
    let tx = commitment_of(&mut sky.world, who);
    sky.world.alice.rows = old;
    sky.world.alice.restart();
    sky.world.alice.take_events();
    (sky, tx)
}

fn spends(txs: &[Transaction], outpoint: OutPoint) -> &Transaction {
    txs.iter().find(|tx| tx.input.iter().any(|input| input.previous_output == outpoint)).unwrap()
}

/// Where somebody else is looked for who spends.
fn watched_outputs(sky: &mut Skyline, who: Who) -> impl Iterator<Item = OutPoint> {
    let watches = sky.channel(who).watches().into_iter();
    watches.filter_map(|watch| match watch {
        Watch::OutputSpent { outpoint, .. } => Some(outpoint),
        Watch::FundingConfirmed { .. } | Watch::FundingSpent { .. } => None,
    })
}

fn outpoints(sky: &mut Skyline, who: Who, is: fn(&Way) -> bool) -> Vec<OutPoint> {
    sky.claims(who).iter().filter(|claim| is(&claim.way)).map(|claim| claim.outpoint).collect()
}

#[test]
fn our_commitment_pays_us_after_the_delay_and_htlcs_by_two_stages() {
    let (mut sky, commitment) = closed_by(Who::Alice);
    let closed_at = sky.height;
    // Two of ours by timeout, one of Bob's by preimage; the fourth is Bob's to take back.
    let stages = outpoints(&mut sky, Who::Alice, |way| matches!(way, Way::SecondStage { .. }));
    assert_eq!(stages.len(), 3);

    let first = sky.bid(Who::Alice);
    assert_eq!(first.len(), 1, "HTLC-success alone is due");
    assert_eq!(first[0].output[0].value, Amount::from_sat(30_000));
    sky.mine(&first);
    assert!(sky.bid(Who::Alice).is_empty());

    sky.mine_to(EXPIRY - 1);
    assert!(sky.bid(Who::Alice).is_empty(), "HTLC-timeout is too early, and so are the delayed outputs");
    sky.mine_to(closed_at + DELAY - 1);
    let swept = sky.bid(Who::Alice);
    let to_local = swept.iter().find(|tx| tx.input.len() == 1 && tx.input[0].sequence.0 == DELAY).unwrap();
    assert_eq!(to_local.input[0].previous_output.txid, commitment.compute_txid());
    let timeouts = swept.iter().filter(|tx| tx.lock_time.to_consensus_u32() == EXPIRY).count();
    assert_eq!(timeouts, 2);
    sky.mine(&swept);
    sky.mine_to(sky.height + DELAY - 1);
    let stages = sky.bid(Who::Alice);
    let claimed: usize = stages.iter().map(|tx| tx.input.len()).sum();
    assert_eq!(claimed, 3, "what came by HTLC transactions");
    sky.mine(&stages);
    assert!(sky.claims(Who::Alice).is_empty());

    sky.mine_to(sky.height + 98);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closing");
    sky.mine(&[]);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
    let closed = ChannelEvent::Closed { reason: CloseReason::ForceClosed };
    assert_eq!(sky.events(Who::Alice).last(), Some(&closed));
}

#[test]
fn the_peers_commitment_pays_us_after_a_block_and_htlcs_directly() {
    let (mut sky, _) = closed_by(Who::Bob);
    let first = sky.bid(Who::Alice);
    assert_eq!(first.len(), 2, "to_remote, and Bob's HTLC by its preimage");
    assert!(first.iter().all(|tx| tx.output.len() == 1 && tx.input.len() == 1));
    sky.mine(&first);
    sky.mine_to(EXPIRY - 1);
    assert!(sky.bid(Who::Alice).is_empty());
    sky.mine(&[]);
    let timeouts = sky.bid(Who::Alice);
    assert_eq!(timeouts.len(), 2);
    sky.mine(&timeouts);
    assert!(sky.claims(Who::Alice).is_empty());
    sky.mine_to(sky.height + 99);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
}

#[test]
fn the_next_commitment_of_the_peer_is_claimed_like_the_present_one() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.sign_if_needed(Who::Alice);
    world.deliver(Who::Bob);
    world.deliver(Who::Bob);
    world.to_alice.clear();
    let mut sky = Skyline::new(world);
    let tx = commitment_of(&mut sky.world, Who::Bob);
    sky.mine(&[tx]);
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert_eq!(closing.closer, Closer::RemoteNext);
    sky.mine_to(EXPIRY);
    let claimed = sky.bid(Who::Alice);
    assert_eq!(claimed.len(), 2);
    sky.mine(&claimed);
}

#[test]
fn a_preimage_is_found_wherever_it_stands() {
    for closer in [Who::Alice, Who::Bob] {
        let (mut sky, _) = closed_by(closer);
        let claims = sky.bid(Who::Bob);
        let of_first = outpoints(&mut sky, Who::Bob, |way| {
            matches!(way, Way::Preimage(_) | Way::SecondStage { preimage: Some(_), .. })
        });
        let claim = spends(&claims, of_first[0]).clone();
        // On its way into a block it tells as much.
        sky.world.see(Who::Alice, &claim, None);
        assert_eq!(sky.events(Who::Alice), [settled(1, 0)]);
        // Among others, with its inputs in another order.
        let mut batched = claim.clone();
        batched.input.insert(0, bitcoin::TxIn::default());
        sky.world.see(Who::Alice, &batched, None);
        assert_eq!(sky.events(Who::Alice), [settled(1, 0)]);
        sky.mine(&[claim]);
        sky.events(Who::Alice);
        // What is settled never times out.
        sky.mine_to(EXPIRY + 50);
        let events = sky.events(Who::Alice);
        assert!(!events.contains(&timed_out(1, 0)), "{events:?}");
    }
}

/// No proof covers a witness. Whoever believed that this HTLC came back would pay a second time.
#[test]
fn a_preimage_that_a_server_cuts_out_is_waited_for() {
    for closer in [Who::Alice, Who::Bob] {
        let (mut sky, _) = closed_by(closer);
        let of_first = outpoints(&mut sky, Who::Bob, |way| {
            matches!(way, Way::Preimage(_) | Way::SecondStage { preimage: Some(_), .. })
        });
        let claim = spends(&sky.bid(Who::Bob), of_first[0]).clone();
        let mut cut = claim.clone();
        cut.input.iter_mut().for_each(|input| input.witness.clear());
        sky.mine(std::slice::from_ref(&claim));
        let height = sky.height;
        sky.world.see(Who::Alice, &cut, Some(height));
        sky.events(Who::Alice);
        sky.mine_to(EXPIRY);
        for _ in 0..3 {
            let claims = sky.bid(Who::Alice);
            sky.mine(&claims);
            sky.mine_to(sky.height + DELAY);
        }
        assert!(sky.claims(Who::Alice).is_empty());
        let events = sky.events(Who::Alice);
        assert!(events.contains(&timed_out(2, 1)), "{events:?}");
        assert!(!events.contains(&timed_out(1, 0)), "{events:?}");
        assert_eq!(sky.channel(Who::Alice).state.name(), "closing");

        sky.world.see(Who::Alice, &claim, Some(height));
        sky.mine(&[]);
        let events = sky.events(Who::Alice);
        assert_eq!(events.first(), Some(&settled(1, 0)), "{events:?}");
        assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
    }
}

#[test]
fn a_timeout_is_told_at_depth_and_not_before() {
    for closer in [Who::Alice, Who::Bob] {
        let (mut sky, _) = closed_by(closer);
        sky.mine_to(sky.height + 4);
        assert_eq!(sky.events(Who::Alice), []);
        sky.mine(&[]);
        assert_eq!(sky.events(Who::Alice), [timed_out(5, 2)], "the trimmed one has no output");
        sky.mine_to(EXPIRY);
        let claims = sky.bid(Who::Alice);
        let timeouts: Vec<Transaction> =
            claims.into_iter().filter(|tx| tx.lock_time.to_consensus_u32() == EXPIRY).collect();
        assert_eq!(timeouts.len(), 2);
        sky.mine(&timeouts);
        sky.mine_to(sky.height + 4);
        let events = sky.events(Who::Alice);
        assert!(!events.contains(&timed_out(1, 0)) && !events.contains(&timed_out(2, 1)), "{events:?}");
        let depth_five = sky.height;
        // Undone, it is not decided any more; and claimed again.
        sky.reorg_to(depth_five - 5);
        assert_eq!(sky.events(Who::Alice).iter().filter(|event| **event == timed_out(1, 0)).count(), 0);
        for tx in &timeouts {
            assert_eq!(sky.objection(tx), None);
        }
        sky.mine(&timeouts);
        sky.mine_to(sky.height + 5);
        let events = sky.events(Who::Alice);
        assert!(events.contains(&timed_out(1, 0)) && events.contains(&timed_out(2, 1)), "{events:?}");
    }
}

#[test]
fn an_htlc_settled_after_the_close_is_claimed() {
    let (mut sky, _) = closed_by(Who::Bob);
    let before = sky.claims(Who::Alice).len();
    let fulfil = |preimage| Command::RemoveHtlc {
        id: HtlcId(1),
        removal: Removal::Fulfilled(PaymentPreimage([preimage; 32])),
    };
    assert!(sky.world.try_tell(Who::Alice, fulfil(9)).is_err(), "not its preimage");
    sky.world.tell(Who::Alice, fulfil(4));
    assert_eq!(sky.claims(Who::Alice).len(), before + 1);
    let claims = sky.bid(Who::Alice);
    sky.mine(&claims);
}

/// A peer that has learnt the hash of an invoice sends HTLCs of its own with it, and closes (CVE-2020-26896).
#[test]
fn a_preimage_is_used_for_the_htlc_that_was_settled_and_for_no_other_with_its_hash() {
    for closer in [Who::Alice, Who::Bob] {
        let mut world = World::open();
        let [_, paid, _] = [40_000_000, 30_000_000, 20_000_000].map(|msat| world.add(Who::Bob, msat, 3));
        world.settle();
        world.disconnect();
        world.fulfil(Who::Alice, paid, 3);
        let mut sky = Skyline::new(world);
        let tx = commitment_of(&mut sky.world, closer);
        sky.mine(std::slice::from_ref(&tx));
        let with_preimage = |sky: &mut Skyline| {
            outpoints(sky, Who::Alice, |way| {
                matches!(way, Way::Preimage(_) | Way::SecondStage { preimage: Some(_), .. })
            })
        };
        let claimed = with_preimage(&mut sky);
        assert_eq!(claimed.len(), 1, "{closer:?} closes");
        assert_eq!(sky.output(claimed[0]).value, Amount::from_sat(30_000));
        let shown = sky.bid(Who::Alice);
        let shows =
            |tx: &&Transaction| tx.input.iter().any(|input| input.witness.iter().any(|item| item == [3; 32]));
        assert_eq!(shown.iter().filter(shows).collect::<Vec<_>>(), [spends(&shown, claimed[0])]);
        sky.world.alice.restart();
        assert_eq!(with_preimage(&mut sky), claimed);
    }
}

#[test]
fn a_preimage_that_the_peer_says_after_the_close_settles_the_payment() {
    let (mut sky, _) = closed_by(Who::Alice);
    sky.world.connect();
    let channel_id = sky.channel(Who::Alice).id;
    let message = crate::wire::UpdateFulfillHtlc {
        channel_id,
        id: HtlcId(1),
        payment_preimage: PaymentPreimage([2; 32]),
    };
    sky.world.tell(Who::Alice, Command::Message(message.into()));
    assert_eq!(sky.events(Who::Alice), [settled(2, 1)]);
}

#[test]
fn a_lost_state_claims_its_balance_and_nothing_else() {
    let (mut sky, tx) = closed_after_an_old_copy_came_back(Who::Bob, 2);
    sky.mine(&[tx]);
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert!(matches!(closing.closer, Closer::RemoteUnknown { .. }));
    let claims = sky.bid(Who::Alice);
    assert_eq!((claims.len(), claims[0].input.len()), (1, 1));
    sky.mine(&claims);
    sky.mine_to(sky.height + 98);
    let events = sky.events(Who::Alice);
    let told = |event: &ChannelEvent| {
        matches!(event, ChannelEvent::HtlcTimedOut { .. } | ChannelEvent::HtlcFailed { .. })
    };
    assert!(!events.iter().any(told), "nobody knows what became of them: {events:?}");
    // Nothing of it is ours any more, and the peer can still learn a preimage.
    let closed_at = HEIGHT + 1;
    sky.mine_to(closed_at + LAST_RETRY + 99);
    assert_eq!((sky.channel(Who::Alice).state.name(), sky.events(Who::Alice)), ("closing", vec![]));
    sky.mine(&[]);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
    assert!(sky.events(Who::Alice).contains(&timed_out(1, 0)), "in no block any more, at last");
}

/// Since this copy was made, an HTLC may have failed and its payment been tried again over the same channel, for as long as any
/// HTLC may run.
#[test]
fn what_a_newer_copy_may_have_offered_again_is_waited_for() {
    let (mut sky, tx) = closed_after_an_old_copy_came_back(Who::Bob, 2);
    sky.mine(std::slice::from_ref(&tx));
    let last = sky.height + LAST_RETRY;
    let others: Vec<OutPoint> = watched_outputs(&mut sky, Who::Alice).collect();
    let claims = sky.bid(Who::Alice);
    sky.mine(&claims);
    sky.mine_to(last);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closing");
    assert!(!sky.events(Who::Alice).contains(&timed_out(1, 0)), "it may be paid as late as that");
    let is_left = |outpoint: &&OutPoint| claims[0].input[0].previous_output != **outpoint;
    // Scripts are not looked at.
    let claim = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: *others.iter().find(is_left).unwrap(),
            witness: Witness::from_slice(&[PaymentPreimage([1; 32]).0]),
            ..Default::default()
        }],
        output: Vec::new(),
    };
    sky.world.see(Who::Alice, &claim, Some(last));
    assert_eq!(sky.events(Who::Alice), [settled(1, 0)]);
}

/// Which output is which HTLC this copy does not know. A preimage tells for itself.
#[test]
fn a_preimage_on_a_commitment_that_this_copy_does_not_hold_settles_the_payment() {
    for closer in [Who::Alice, Who::Bob] {
        let (mut sky, tx) = closed_after_an_old_copy_came_back(closer, 2);
        sky.mine(std::slice::from_ref(&tx));
        let watched: Vec<OutPoint> = watched_outputs(&mut sky, Who::Alice).collect();
        assert_eq!(watched.len(), tx.output.len());
        sky.world.alice.restart();
        assert_eq!(watched_outputs(&mut sky, Who::Alice).collect::<Vec<_>>(), watched);
        sky.events(Who::Alice);

        let of_second = outpoints(&mut sky, Who::Bob, |way| {
            matches!(way, Way::Preimage(_) | Way::SecondStage { preimage: Some(_), .. })
        });
        let claim = spends(&sky.bid(Who::Bob), of_second[0]).clone();
        assert!(claim.input.iter().any(|input| watched.contains(&input.previous_output)));
        let claims = sky.claims(Who::Alice).len();
        sky.mine(&[claim]);
        assert_eq!(sky.events(Who::Alice), [settled(2, 1)]);
        assert_eq!(sky.claims(Who::Alice).len(), claims, "nothing more is claimed");
    }
}

/// Whoever has nothing to be told of asks nobody.
#[test]
fn the_outputs_of_an_unknown_commitment_are_looked_at_for_payments_only() {
    let mut world = World::open();
    world.add(Who::Bob, 30_000_000, 3);
    world.settle();
    let old = world.alice.rows.clone();
    world.add(Who::Bob, 20_000_000, 4);
    world.settle();
    let mut sky = Skyline::new(world);
    let tx = commitment_of(&mut sky.world, Who::Bob);
    sky.world.alice.rows = old;
    sky.world.alice.restart();
    sky.mine(&[tx]);
    assert_eq!(watched_outputs(&mut sky, Who::Alice).count(), 1, "to_remote");
    let claims = sky.bid(Who::Alice);
    sky.mine(&claims);
    sky.mine_to(sky.height + 99);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
}

/// No HTLC comes to a close together: this copy has missed how its own ended.
#[test]
fn a_close_together_that_a_lost_state_sees_decides_nothing() {
    let mut world = World::open();
    world.add(Who::Alice, 10_000_000, 1);
    world.settle();
    let old = world.alice.rows.clone();
    world.fulfil(Who::Bob, HtlcId(0), 1);
    world.settle();
    world.tell(Who::Alice, Command::Shutdown { script: None });
    world.settle();
    let mut sky = Skyline::new(world);
    let tx = sky.world.alice.broadcasts.last().unwrap().clone();
    sky.world.alice.rows = old;
    sky.world.alice.restart();
    sky.world.alice.take_events();
    sky.mine(&[tx]);
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert_eq!(closing.closer, Closer::Mutual);
    sky.mine_to(EXPIRY + 99);
    assert!(!sky.events(Who::Alice).contains(&timed_out(1, 0)), "it was paid");
    sky.mine(&[]);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
}

/// An HTLC that is not worth its fee, and that the peer takes all the same. We sleep meanwhile.
#[test]
fn what_was_not_looked_for_is_not_taken_for_unpaid() {
    let mut world = World::open();
    world.add(Who::Alice, 450_000, 1);
    world.settle();
    world.disconnect();
    let mut sky = Skyline::new(world);
    let tx = commitment_of(&mut sky.world, Who::Alice);
    sky.mine(std::slice::from_ref(&tx));
    sky.mine_to(sky.height + DELAY - 1);
    let claims = sky.bid(Who::Alice);
    assert_eq!(claims.len(), 1, "to_local");
    sky.mine(&claims);
    sky.events(Who::Alice);
    assert!(sky.claims(Who::Alice).is_empty());

    let htlc = tx.output.iter().position(|output| output.value == Amount::from_sat(450)).unwrap();
    let claim = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint { txid: tx.compute_txid(), vout: u32::try_from(htlc).unwrap() },
            witness: Witness::from_slice(&[PaymentPreimage([1; 32]).0]),
            ..Default::default()
        }],
        output: Vec::new(),
    };
    let awake_at = sky.height + 200;
    sky.world.alice.height = awake_at;
    sky.world.tell(Who::Alice, Command::NewBlock(awake_at));
    assert_eq!((sky.channel(Who::Alice).state.name(), sky.events(Who::Alice)), ("closing", vec![]));
    sky.world.see(Who::Alice, &claim, Some(awake_at - 150));
    sky.world.look(Who::Alice, awake_at, true);
    let events = sky.events(Who::Alice);
    assert!(events.contains(&settled(1, 0)) && !events.contains(&timed_out(1, 0)), "{events:?}");
}

/// A newer copy of this very wallet closed alone before this one took its place.
#[test]
fn what_a_newer_copy_published_still_pays_us() {
    let (mut sky, tx) = closed_after_an_old_copy_came_back(Who::Alice, 2);
    sky.mine(std::slice::from_ref(&tx));
    let closed_at = sky.height;
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert!(matches!(closing.closer, Closer::LocalUnknown { .. }));
    let to_us = closing.to_us;
    assert_eq!(sky.bid(Who::Alice), [], "it waits for `to_self_delay`");
    sky.mine_to(sky.height + DELAY - 1);
    let claims = sky.bid(Who::Alice);
    assert_eq!((claims.len(), claims[0].input.len()), (1, 1));
    let claimed = claims[0].input[0].previous_output;
    assert_eq!((claimed.txid, tx.output[claimed.vout as usize].value), (tx.compute_txid(), to_us));
    sky.mine(&claims);
    assert!(sky.claims(Who::Alice).is_empty());
    sky.mine_to(closed_at + LAST_RETRY + 100);
    assert_eq!(sky.channel(Who::Alice).state.name(), "closed");
}

/// An old copy may have been made while an HTLC waited for its signature, which it has got since.
#[test]
fn what_a_lost_state_did_not_commit_is_not_taken_for_unpaid() {
    let mut world = World::open();
    world.add(Who::Alice, 10_000_000, 6);
    let old = world.alice.rows.clone();
    world.settle();
    let mut sky = Skyline::new(world);
    let tx = commitment_of(&mut sky.world, Who::Bob);
    sky.world.alice.channel = Some(Channel::from_rows(old.clone()).unwrap());
    sky.world.alice.rows = old;
    sky.world.alice.take_events();
    sky.mine(&[tx]);
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert!(matches!(closing.closer, Closer::RemoteUnknown { .. }));
    let events = sky.events(Who::Alice);
    assert!(!events.iter().any(|it| matches!(it, ChannelEvent::HtlcNeverCommitted { .. })), "{events:?}");
}

#[test]
fn a_reorganisation_may_bring_another_commitment() {
    let (mut sky, alices) = closed_by(Who::Alice);
    let bobs = commitment_of(&mut Skyline::new(with_htlcs()).world, Who::Bob);
    let first = sky.bid(Who::Alice);
    sky.mine(&first);
    let height = sky.height;
    sky.reorg_to(height - 2);
    let State::Closing(closing) = &sky.channel(Who::Alice).state else { panic!() };
    assert_eq!((closing.height, closing.txid), (None, alices.compute_txid()));
    sky.mine(std::slice::from_ref(&bobs));
    for (who, closer) in [(Who::Alice, Closer::RemoteCurrent), (Who::Bob, Closer::Local)] {
        let State::Closing(closing) = &sky.channel(who).state else { panic!() };
        assert_eq!((closing.closer, closing.txid), (closer, bobs.compute_txid()));
    }
    let claims = sky.bid(Who::Alice);
    assert_eq!(claims.len(), 2);
    sky.mine(&claims);
    assert_eq!(hash(1), PaymentPreimage([1; 32]).payment_hash());
}

#[test]
fn damaged_rows_of_a_close_are_errors() {
    let (mut sky, _) = closed_by(Who::Alice);
    let first = sky.bid(Who::Alice);
    sky.mine(&first);
    let rows = sky.world.alice.rows.clone();
    let is_new = |name: &RowName| matches!(name, RowName::Close | RowName::Bids | RowName::Spend(_));
    let new: Vec<_> = rows.iter().filter(|(name, _)| is_new(name)).collect();
    assert_eq!(new.len(), 3);
    for (name, bytes) in new {
        for length in 0..bytes.len() {
            let mut short = rows.clone();
            short.insert(*name, bytes[..length].to_vec());
            assert!(Channel::from_rows(short).is_err(), "{name:?} cut to {length}");
        }
    }
}

/// The first form of the row did not say since when an output is bid for: what it had has missed blocks long enough.
#[test]
fn bids_that_were_stored_without_their_heights_are_read() {
    let (mut sky, _) = closed_by(Who::Alice);
    let [bid] = sky.bid(Who::Alice).try_into().unwrap();
    let claimed = [bid.input[0].previous_output].into();
    let stored = sky.channel(Who::Alice).bids().unwrap().clone();
    assert_eq!(stored.replaced_by(&claimed).since, Some(sky.height));
    let mut rows = sky.world.alice.rows.clone();
    let row = rows.get_mut(&RowName::Bids).unwrap();
    let mut since = crate::wire::Writer::new();
    crate::store::number::write_number(&mut since, u64::from(sky.height));
    let since = since.into_bytes();
    assert!(row[0] == 2 && row.ends_with(&since));
    row.truncate(row.len() - since.len());
    row[0] = 1;
    let read = Channel::from_rows(rows).unwrap();
    let bids = read.bids().unwrap();
    assert_eq!((bids.live(), bids.replaced_by(&claimed).since), (stored.live(), Some(0)));
}
