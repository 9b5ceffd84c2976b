//! Channels that are closed by one side alone (BOLT 5): by either, in every stage of the dance, by a cheater, across
//! crashes and reorganisations, and after a long sleep. Every transaction passes Bitcoin Core's code (`sim/src/chain`).

use bitcoin::{Amount, OutPoint, Transaction};
use kite_core::channel::Closer;
use kite_core::node::{Command, Event};
use kite_sim::closes::Closes;
use kite_sim::fault::Fault;
use kite_sim::host::{CRASHES, Crash};
use kite_sim::world::World;
use std::collections::BTreeSet;

/// In every stage of the dance of a payment, each way, and by each side.
fn every_stage(payer: usize) {
    let mut both_outcomes = [0, 0];
    for pieces in 0..=12 {
        for closer in 0..2 {
            let mut closes = Closes::new();
            closes.pay(payer, 50_000_000, pieces);
            closes.world.cut();
            closes.force_close(closer);
            closes.run_out();
            closes.check(&format!("{payer} pays, {closer} closes after {pieces} pieces"));
            let sent = closes.world.hosts[payer].events().any(|event| {
                matches!(event, Event::PaymentSent { payment_hash, .. } if *payment_hash == closes.payments[0].1)
            });
            both_outcomes[usize::from(sent)] += 1;
        }
    }
    assert!(both_outcomes.iter().all(|count| *count > 0), "{both_outcomes:?}");
}

#[test]
fn in_every_stage_of_a_payment_of_the_opener() {
    every_stage(0);
}

#[test]
fn in_every_stage_of_a_payment_of_the_other() {
    every_stage(1);
}

#[test]
fn with_payments_both_ways_and_dust() {
    for closer in 0..2 {
        let mut closes = Closes::new();
        for (by, msat) in [(0, 50_000_000), (1, 60_000_000), (0, 100_000), (1, 7_000_000)] {
            closes.pay(by, msat, 2);
        }
        closes.force_close(closer);
        closes.world.settle();
        closes.run_out();
        closes.check(&format!("{closer} closes with payments both ways"));
    }
}

#[test]
fn an_htlc_that_the_peer_keeps_makes_us_close_and_comes_back() {
    let mut closes = Closes::new();
    closes.pay(0, 50_000_000, 4);
    closes.world.crash(1);
    closes.world.cut();
    let hash = closes.payments[0].1;
    let before = closes.world.node(0).channels()[0].state;
    assert_eq!(before, "normal");
    for _ in 0..120 {
        closes.world.chain.mine(7);
        closes.world.mine(1);
    }
    let failed =
        |event: &Event| matches!(event, Event::PaymentFailed { payment_hash, .. } if *payment_hash == hash);
    assert!(closes.world.hosts[0].events().any(failed), "{}", closes.world.story());
    closes.world.start(1);
    closes.world.settle();
    closes.run_out();
    closes.check("the payee is away");
}

#[test]
fn a_preimage_that_the_payer_never_hears_is_claimed_before_the_deadline_and_heard_from_the_chain() {
    let mut closes = Closes::new();
    // update_fulfill_htlc and what follows never reach the payer.
    closes.world.cut();
    closes.world.tapping = Some(|end, message_type| end == 0 || message_type != 130);
    closes.world.connect();
    closes.pay(0, 50_000_000, 0);
    closes.world.settle();
    closes.run_out();
    let hash = closes.payments[0].1;
    let sent =
        |event: &Event| matches!(event, Event::PaymentSent { payment_hash, .. } if *payment_hash == hash);
    assert!(closes.world.hosts[0].events().any(sent), "{}", closes.world.story());
    closes.check("the payer is deaf");
}

#[test]
fn a_child_pays_for_our_commitment_when_fees_have_risen() {
    let mut closes = Closes::new();
    closes.world.cut();
    closes.feerates(5_000);
    closes.force_close(0);
    closes.world.settle();
    let packages =
        closes.world.published.iter().filter(|(host, tx)| *host == 0 && tx.input.len() == 2).count();
    assert_eq!(packages, 1, "the child spends the anchor and a coin: {}", closes.world.story());
    assert_eq!(closes.world.chain.mempool().len(), 2);
    let balance = closes.world.node(0).balance();
    assert!(balance.onchain.set_aside > Amount::ZERO, "its coin is not to be spent again");
    // Fees rise again: the child is replaced, and no more than one is there.
    closes.feerates(9_000);
    closes.world.chain.mine(0);
    closes.world.settle();
    closes.run_out();
    closes.check("a child");
}

/// Fees have risen since both agreed on one. For a while that is waited for; then what the transaction pays us pays for it,
/// and more when fees rise further.
#[test]
fn a_closing_transaction_that_no_miner_takes_is_paid_for_by_what_it_pays() {
    let mut closes = Closes::new();
    let before = closes.total_sat(0);
    let channel_id = closes.world.node(0).channels()[0].channel_id;
    closes.world.command(0, Command::CloseChannel { channel_id });
    closes.feerates(5_000);
    closes.world.mine_nothing(12);
    assert_eq!(closes.world.chain.mempool().len(), 1, "it is waited for: {}", closes.world.story());
    closes.world.mine_nothing(1);
    assert_eq!(closes.world.chain.mempool().len(), 3, "each has a child: {}", closes.world.story());
    let rate = |closes: &Closes| {
        let txids = closes.world.chain.mempool().iter().map(Transaction::compute_txid);
        let txids: Vec<_> = txids.collect();
        let all =
            closes.world.chain.wallet_transactions().filter(|(tx, _)| txids.contains(&tx.compute_txid()));
        let (fees, weight) =
            all.fold((0, 0), |(fees, weight), (tx, fee)| (fees + fee.to_sat(), weight + tx.weight().to_wu()));
        fees * 1_000 / weight
    };
    assert!(rate(&closes) >= 5_000, "{}", rate(&closes));
    let balance = closes.world.node(0).balance();
    assert!(balance.onchain.set_aside > Amount::ZERO, "what its child spends is not to be spent again");
    closes.feerates(9_000);
    closes.world.mine_nothing(1);
    assert_eq!(closes.world.chain.mempool().len(), 3);
    assert!(rate(&closes) >= 9_000, "{}", rate(&closes));
    assert!(!closes.world.story().contains("Err("), "refused: {}", closes.world.story());
    closes.world.mine(1);
    assert_eq!(closes.world.chain.mempool().len(), 0);
    assert!(before - closes.total_sat(0) < 12_000, "{before} {}", closes.total_sat(0));
    closes.run_out();
    closes.check("a close together that waited");
    assert_eq!(closes.world.node(0).balance().onchain.set_aside, Amount::ZERO);
}

/// No mempool takes the transaction alone, the peer is gone, and the wallet is switched off and on while it waits.
#[test]
fn a_closing_transaction_below_what_mempools_ask_for_comes_with_its_child() {
    let mut closes = Closes::new();
    closes.world.chain.ask_for(2_000);
    let channel_id = closes.world.node(0).channels()[0].channel_id;
    closes.world.command(0, Command::CloseChannel { channel_id });
    let state = |closes: &Closes| closes.world.node(0).channels()[0].state;
    assert_eq!((state(&closes), closes.world.chain.mempool().len()), ("negotiating", 0));
    closes.world.crash(1);
    closes.world.settle();
    closes.world.mine_nothing(6);
    closes.world.crash(0);
    closes.world.start(0);
    closes.world.settle();
    closes.feerates(5_000);
    closes.world.mine_nothing(6);
    assert_eq!((state(&closes), closes.world.chain.mempool().len()), ("negotiating", 0));
    closes.world.mine_nothing(1);
    assert_eq!(closes.world.chain.mempool().len(), 2, "{}", closes.world.story());
    assert_eq!(state(&closes), "closing");
    closes.world.crash(0);
    closes.world.start(0);
    closes.world.mine(1);
    let close = closes.world.node(0).channels()[0].close.clone().unwrap();
    assert_eq!((close.closer, close.confirmations), (Closer::Mutual, 1));
    closes.world.start(1);
    closes.world.chain.ask_for(250);
    closes.run_out();
    closes.check("a close together that no mempool took alone");
}

#[test]
fn the_owner_sees_how_a_channel_comes_back() {
    let mut closes = Closes::new();
    let before = closes.total_sat(0);
    closes.force_close(0);
    closes.world.settle();
    closes.world.mine(1);
    let height = closes.world.node(0).tip().0;
    let close = |closes: &Closes, host: usize| closes.world.node(host).channels()[0].close.clone().unwrap();
    let ours = close(&closes, 0);
    assert_eq!((ours.closer, ours.confirmations), (Closer::Local, 1));
    assert_eq!(ours.expected_height, Some(height + 144));
    assert!(ours.claim_txids.is_empty());
    let balance = closes.world.node(0).balance();
    assert_eq!(balance.closing, ours.amount);
    assert!(before - closes.total_sat(0) < 2_000, "what comes back stays in the total");
    for (host, least) in [(0, ours.amount), (1, close(&closes, 1).amount)] {
        let told: Vec<Amount> = closes.world.hosts[host]
            .events()
            .filter_map(|event| match event {
                Event::ChannelClosed { amount, .. } => Some(*amount),
                _ => None,
            })
            .collect();
        assert!(matches!(told.as_slice(), [amount] if *amount >= least), "{told:?} and {least}");
    }
    let theirs = close(&closes, 1);
    assert_eq!((theirs.closer, theirs.expected_height), (Closer::RemoteCurrent, Some(height + 1)));
    assert_eq!(theirs.claim_txids.len(), 1);
    closes.world.mine(1);
    let theirs = close(&closes, 1);
    assert_eq!((theirs.amount, theirs.expected_height), (Amount::ZERO, None));
    closes.world.mine(142);
    assert_eq!(close(&closes, 0).claim_txids.len(), 1, "published for block {}", height + 144);
    closes.world.mine(1);
    assert_eq!(close(&closes, 0).amount, Amount::ZERO);
    assert!(before - closes.total_sat(0) < 2_500);
    let twice = Command::ForceClose { channel_id: closes.world.node(0).channels()[0].channel_id };
    assert!(closes.world.command(0, twice).unwrap().is_err());
    closes.run_out();
    closes.check("an owner looks");

    assert!(closes.world.node(0).channels().is_empty());
    let past = closes.world.node(0).past_channels();
    let [kept] = past.as_slice() else { panic!("one channel is over: {past:?}") };
    let how = kept.close.as_ref().unwrap();
    assert_eq!((kept.state, how.closer, how.claim_txids.len()), ("closed", Closer::Local, 1));
    assert!(how.confirmations > 100 && kept.close_reason.is_some() && kept.closing_txid.is_some());
    closes.world.pass(1);
    closes.world.crash(0);
    closes.world.start(0);
    assert_eq!(closes.world.node(0).past_channels(), past);
}

#[test]
fn a_cheater_loses_all_of_the_channel() {
    for cheater in 0..2 {
        for asleep_blocks in [0, 100, 120] {
            let (mut closes, before) = Closes::cheated(cheater, asleep_blocks);
            let victim = 1 - cheater;
            let alarmed =
                |event: &Event| matches!(event, Event::ActionRequired { what } if what.contains("old state"));
            assert!(closes.world.hosts[victim].events().any(alarmed), "{}", closes.world.story());
            closes.world.chain.mine(2);
            closes.world.mine(1);
            let balance = closes.world.node(victim).balance();
            assert_eq!(balance.closing, Amount::ZERO, "{}", closes.world.story());
            let gained = balance.total.to_msat() / 1_000 - before;
            assert!(gained > 100_000, "{cheater} cheated, {asleep_blocks}: {gained}");
            closes.world.mine(100);
            assert!(closes.world.node(victim).channels().is_empty(), "{}", closes.world.story());
        }
    }
}

/// Miners leave the claims out. Each is bid for ever higher, and the network takes every replacement.
#[test]
fn a_claim_that_no_miner_takes_is_bid_for_ever_higher() {
    let (mut closes, before) = Closes::cheated(0, 0);
    let first = closes.world.chain.mempool().to_vec();
    assert_eq!(first.len(), 2, "to_remote, and the penalties together");
    let published = closes.world.published.len();
    closes.world.mine_nothing(140);
    let last = closes.world.chain.mempool().to_vec();
    let replacements: std::collections::BTreeSet<_> =
        closes.world.published[published..].iter().map(|(_, tx)| tx.compute_txid()).collect();
    assert!(replacements.len() > 12, "{} {}", replacements.len(), closes.world.story());
    assert!(!closes.world.story().contains("Err("), "refused: {}", closes.world.story());
    let paid = |txs: &[Transaction]| -> Amount {
        txs.iter().flat_map(|tx| &tx.output).map(|output| output.value).sum()
    };
    assert!(paid(&last) < paid(&first) * 9 / 10, "near the deadline a large part is bid");
    assert!(last.iter().all(|tx| tx.input.len() == 1), "and everything alone");
    closes.world.mine(1);
    let balance = closes.world.node(1).balance();
    assert_eq!(balance.closing, Amount::ZERO, "{}", closes.world.story());
    // What was the cheater's, and a part of what it wanted to take, went to miners; the rest was never in danger.
    assert!(balance.total.to_msat() / 1_000 > before - 300_000, "{}", closes.world.story());
}

#[test]
fn after_a_week_asleep_nothing_is_lost() {
    for pieces in [2, 4, 6, 8] {
        let mut closes = Closes::new();
        closes.pay(0, 50_000_000, pieces);
        closes.world.cut();
        closes.world.crash(0);
        closes.world.crash(1);
        closes.world.chain.mine(1_008);
        closes.world.start(0);
        closes.world.start(1);
        closes.world.connect();
        closes.world.mine(3);
        closes.world.connect();
        if !closes.world.node(0).channels().iter().any(|channel| channel.state == "normal") {
            closes.run_out();
        }
        closes.world.pass(700);
        closes.check(&format!("asleep after {pieces} pieces"));
    }
}

/// The channel is funded three blocks after the accepter was switched off, which is longer than an accepter waits.
#[test]
fn after_three_weeks_asleep_a_channel_that_was_funded_meanwhile_is_usable() {
    for was_funded in [true, false] {
        let mut world = World::new(2);
        world.give_coins(0, Amount::from_sat(3_000_000));
        if !was_funded {
            world.set_fault(Some(Fault::KeepsTransactions));
        }
        world.connect();
        world.open_channel(0, 1);
        world.crash(1);
        world.mine_at_once(3_000);
        world.start(1);
        world.settle();
        let states: Vec<_> = world.node(1).channels().iter().map(|channel| channel.state).collect();
        if was_funded {
            world.connect();
            assert!(world.pay(0, 1, 400_000_000), "{states:?} {}", world.story());
            assert!(world.pay(1, 0, 100_000_000), "{}", world.story());
        } else {
            assert!(states.is_empty(), "it never came, and that was looked for: {states:?}");
        }
    }
}

/// Crashes while claims are under way: in the blocks after the commitment is in the chain.
#[test]
fn no_crash_harms_a_claim() {
    let closed = || {
        let mut closes = Closes::new();
        closes.pay(0, 50_000_000, 6);
        closes.pay(1, 40_000_000, 3);
        closes.world.cut();
        closes.force_close(0);
        closes.world.mine(1);
        closes
    };
    let batches = |closes: &Closes| [0, 1].map(|host| closes.world.hosts[host].disk.batches());
    let (before, after) = {
        let mut closes = closed();
        let before = batches(&closes);
        closes.run_out();
        (before, batches(&closes))
    };
    let mut runs = 0;
    for host in 0..2 {
        for batch in before[host] + 1..=after[host] {
            let mut closes = closed();
            let crash = CRASHES[runs % CRASHES.len()];
            closes.world.hosts[host].crash_at(batch, crash);
            closes.run_out();
            closes.check(&format!("{host} crashes ({crash:?}) at batch {batch}"));
            runs += 1;
        }
    }
    assert!(runs > 8, "{runs}");
}

/// What a crash cut off is claimed at the next start, and not with the next block, which may be long in coming.
#[test]
fn a_claim_that_a_crash_cut_off_is_made_at_the_next_start() {
    let published = || {
        let mut closes = Closes::new();
        closes.pay(0, 50_000_000, 6);
        closes.world.cut();
        closes.force_close(0);
        closes.world.settle();
        closes
    };
    let claimed = |closes: &Closes| -> BTreeSet<OutPoint> {
        let inputs = closes.world.chain.mempool().iter().flat_map(|tx| &tx.input);
        inputs.map(|input| input.previous_output).collect()
    };
    let batches = |closes: &Closes| [0, 1].map(|host| closes.world.hosts[host].disk.batches());
    let mut closes = published();
    let before = batches(&closes);
    closes.world.mine(1);
    let (expected, after) = (claimed(&closes), batches(&closes));
    assert!(!expected.is_empty(), "{}", closes.world.story());
    let mut runs = 0;
    for host in 0..2 {
        for batch in before[host] + 1..=after[host] {
            for crash in CRASHES {
                let mut closes = published();
                closes.world.hosts[host].crash_at(batch, crash);
                closes.world.mine(1);
                assert!(closes.world.restart_crashed(), "{host} crashes at batch {batch}");
                closes.world.settle();
                let name = format!("{host} crashes ({crash:?}) at batch {batch}");
                assert!(expected.is_subset(&claimed(&closes)), "{name}: {}", closes.world.story());
                runs += 1;
            }
        }
    }
    assert!(runs >= 8, "{runs}");
}

#[test]
fn a_reorganisation_that_swaps_a_coop_close_for_a_revoked_commitment_is_punished() {
    let (mut closes, commitment) = Closes::closed_together_after_a_payment();
    let honest = closes.total_sat(1);
    closes.world.crash(0);
    closes.world.chain.reorg_for(5, &commitment);
    closes.world.mine(3);
    let balance = closes.world.node(1).balance();
    assert!(balance.total.to_msat() / 1_000 > honest + 100_000, "{}", closes.world.story());
}

#[test]
fn no_crash_around_a_close_costs_anything() {
    for closer in 0..2 {
        let mut batches = [0, 0];
        {
            let mut closes = around_a_close(closer, None);
            for (host, count) in batches.iter_mut().enumerate() {
                *count = closes.world.hosts[host].disk.batches();
            }
            closes.run_out();
        }
        let before = about_to_pay().world.hosts.iter().map(|host| host.disk.batches()).collect::<Vec<_>>();
        for host in 0..2 {
            for batch in before[host] + 1..=batches[host] {
                for crash in CRASHES {
                    let mut closes = around_a_close(closer, Some((host, batch, crash)));
                    closes.run_out();
                    closes.check(&format!("{closer} closes, {host} crashes ({crash:?}) at batch {batch}"));
                }
            }
        }
    }
}

fn about_to_pay() -> Closes {
    let mut closes = Closes::new();
    closes.pay(0, 50_000_000, 0);
    closes
}

/// A payment under way, a close, and the first blocks after it.
fn around_a_close(closer: usize, crash: Option<(usize, u64, Crash)>) -> Closes {
    let mut closes = about_to_pay();
    if let Some((host, batch, crash)) = crash {
        closes.world.hosts[host].crash_at(batch, crash);
    }
    closes.world.deliver(5);
    closes.world.cut();
    if closes.world.restart_crashed() {
        closes.world.settle();
    }
    if closes.world.hosts[closer].node().is_some_and(|node| !node.channels().is_empty()) {
        closes.force_close(closer);
    }
    for _ in 0..4 {
        if closes.world.restart_crashed() {
            closes.world.settle();
            if closes.world.node(closer).channels().iter().any(|channel| channel.state == "normal") {
                closes.force_close(closer);
            }
        }
        closes.world.mine(1);
    }
    closes
}
