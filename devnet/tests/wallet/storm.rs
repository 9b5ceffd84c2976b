//! Five hundred payments each way over one channel, while connections break and the wallet is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bitcoin::{Address, Amount, Network, OutPoint, TxOut};
use kite_devnet::{World, WorldOptions};
use kite_wallet::api::{Balance, Channel, ChannelState, Event, PaymentStatus, Wallet};
use ldk_node::payment::{PaymentDirection, PaymentKind, PaymentStatus as PeerStatus};

use crate::chance::Chance;
use crate::judge::judge;
use crate::owner::Owner;
use crate::payments::{Ends, Release, amount_msat};
use crate::relay::Relay;
use crate::steps::in_mempool;

const SEED: u64 = 20;
/// Payments in each direction.
const EACH_WAY: u32 = 500;
/// Payments under way at a time, in each direction.
const AT_ONCE: u64 = 4;
/// Bytes until a connection is cut. A payment takes about 2500.
const LASTS: std::ops::Range<u64> = 10_000..75_000;
/// The wallet is killed after so many payments, again and again.
const KILL_EVERY: u32 = 130;

const CAPACITY: Amount = Amount::from_sat(4_000_000);
const GIFT: Amount = Amount::from_sat(5_000_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_payments_over_one_channel_and_a_network_that_breaks() {
    // On a real bitcoind where there is one: see the README.
    let bitcoind = std::env::var("KITE_BITCOIND").ok().map(|url| url.parse().unwrap());
    let world = World::start(WorldOptions { bitcoind, judge: Some(judge()), ..WorldOptions::default() })
        .await
        .unwrap();
    let peer = world.peer("alice").unwrap();
    let relay = Relay::start(peer.address(), LASTS, SEED).await;
    let owner = Owner::new(world.esplora_url()).await;
    let ends = Ends { owner, peer };

    open_channel(&world, &ends, &relay).await;
    // What can arrive at once is limited to a tenth of the channel.
    for i in 0..10 {
        assert!(ends.wallet_pays(200_000_000, &format!("first {i}")).await.is_empty());
    }

    relay.storm(true);
    let failures = exchange(&ends, &relay).await;
    relay.storm(false);
    let _ = writeln!(stdout(), "{failures} payments failed because the connection did, and were made again");

    let owned = settle(&ends).await;
    compare_books(&ends, owned).await;
    close(&world, &ends).await;
    world.stop().await;
}

async fn open_channel(world: &World, ends: &Ends, relay: &Relay) {
    let address = ends.owner.ask(|wallet| async move { wallet.new_address().await }).await.unwrap();
    let address: Address<_> = address.parse().unwrap();
    world.fund(&address.require_network(Network::Regtest).unwrap(), GIFT).await.unwrap();
    world.mine(1).await.unwrap();
    ends.has_coins(GIFT).await;
    let funding = ends.start_channel(relay.address, CAPACITY).await;
    in_mempool(world, |tx| tx.compute_txid().to_string() == funding).await;
    world.mine(6).await.unwrap();
    ends.is_usable().await;
}

/// All payments, while connections are cut and the wallet is killed. Tells how many tries failed.
async fn exchange(ends: &Ends, relay: &Relay) -> u32 {
    let begun = Instant::now();
    let failures = Arc::new(AtomicU32::new(0));
    let done = tokio::sync::watch::Sender::new(0_u32);
    let left = [EACH_WAY, EACH_WAY].map(|count| Arc::new(AtomicU32::new(count)));
    let mut workers = Vec::new();
    for direction in 0..2 {
        for worker in 0..AT_ONCE {
            let chance = Chance::new(SEED * 1_000 + worker * 2 + direction as u64);
            let (ends, done) = (ends.clone(), done.clone());
            let (left, failures) = (left[direction].clone(), failures.clone());
            workers.push(tokio::spawn(async move {
                let name = format!("{direction} {worker}");
                if direction == 0 {
                    wallet_pays(&ends, &name, chance, &left, &failures, &done).await;
                } else {
                    peer_pays(&ends, chance, &left, &failures, &done).await;
                }
            }));
        }
    }
    let refusals = tokio::spawn({
        let ends = ends.clone();
        async move { ends.nobody_pays_late_or_too_little().await }
    });
    let mut counts = done.subscribe();
    let (mut told, mut kills) = (0, 0);
    while workers.iter().any(|worker| !worker.is_finished()) {
        let changed = tokio::time::timeout(Duration::from_secs(1), counts.changed()).await;
        let count = *counts.borrow_and_update();
        if count >= told + 50 {
            told = count - count % 50;
            let secs = begun.elapsed().as_secs_f64();
            let rate = f64::from(count) / secs;
            let _ = writeln!(
                stdout(),
                "{count:>5} payments, {} cuts, {kills} kills, {secs:5.1} s, {rate:.1}/s",
                relay.cuts()
            );
        }
        if changed.is_ok() && count / KILL_EVERY > kills {
            ends.owner.kill().await;
            kills += 1;
        }
        if workers.iter().any(|worker| worker.is_finished()) {
            // A worker that panicked ends the test at once, with its reason.
            let (over, rest) = workers.into_iter().partition::<Vec<_>, _>(|worker| worker.is_finished());
            for worker in over {
                worker.await.unwrap();
            }
            workers = rest;
        }
    }
    refusals.await.unwrap();
    assert!(relay.cuts() >= 20 && kills >= 5, "{} cuts, {kills} kills", relay.cuts());
    failures.load(Ordering::SeqCst)
}

fn take(left: &AtomicU32) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

async fn wallet_pays(
    ends: &Ends,
    name: &str,
    mut chance: Chance,
    left: &AtomicU32,
    failures: &AtomicU32,
    done: &tokio::sync::watch::Sender<u32>,
) {
    let mut number = 0;
    while take(left) {
        number += 1;
        let (key, amount) = (format!("{name} {number}"), amount_msat(&mut chance));
        match chance.within(0..20) {
            0 => ends.wallet_pays_held(amount, &key, Release::Claim).await,
            1 => {
                ends.wallet_pays_held(amount, &format!("{key} refused"), Release::Fail).await;
                ends.wallet_pays(amount, &key).await;
            }
            _ => {
                let failed = ends.wallet_pays(amount, &key).await;
                failures.fetch_add(u32::try_from(failed.len()).unwrap(), Ordering::SeqCst);
            }
        }
        done.send_modify(|count| *count += 1);
    }
}

async fn peer_pays(
    ends: &Ends,
    mut chance: Chance,
    left: &AtomicU32,
    failures: &AtomicU32,
    done: &tokio::sync::watch::Sender<u32>,
) {
    while take(left) {
        let amount = amount_msat(&mut chance);
        if chance.within(0..20) == 0 {
            ends.peer_pays_unknown_hash(amount).await;
        }
        failures.fetch_add(ends.peer_pays(amount).await, Ordering::SeqCst);
        done.send_modify(|count| *count += 1);
    }
}

/// Waits until nothing is under way, and tells what the wallet owns in the channel, in millisatoshi.
async fn settle(ends: &Ends) -> u64 {
    let look = |wallet: Arc<Wallet>| async move {
        let (channels, balance) = (wallet.list_channels().await?, wallet.balance().await?);
        let is_quiet = wallet.info().await?.safe_to_close && channels[0].usable;
        Ok(is_quiet.then_some((channels[0].clone(), balance)))
    };
    let (channel, balance): (Channel, Balance) = ends.owner.until("a quiet channel", look).await;
    assert_eq!((channel.state, channel.in_flight_msat), (ChannelState::Ready, 0));
    balance.total_msat - balance.onchain_sat * 1_000
}

/// Each payment has one outcome, and both sides tell the same.
async fn compare_books(ends: &Ends, owned_msat: u64) {
    let mut outcomes: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for event in ends.owner.events() {
        match event {
            Event::PaymentSent { id, .. } => outcomes.entry(id).or_default().push("sent"),
            Event::PaymentFailed { id, .. } => outcomes.entry(id).or_default().push("failed"),
            Event::PaymentReceived { id, .. } => outcomes.entry(id).or_default().push("received"),
            Event::ChannelClosed { .. } => panic!("the channel was closed: {event:?}"),
            Event::ActionRequired { what } => panic!("{what}"),
            _ => {}
        }
    }
    let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
    for (id, told) in &outcomes {
        assert_eq!(told.len(), 1, "{id} has more than one outcome: {told:?}");
        let payment = ends
            .owner
            .ask(|wallet| {
                let id = id.clone();
                async move { wallet.get_payment(id).await }
            })
            .await
            .unwrap();
        let book = match (told[0], payment.status) {
            ("failed", PaymentStatus::Failed) => continue,
            ("sent", PaymentStatus::Succeeded) => &mut sent,
            ("received", PaymentStatus::Succeeded) => &mut received,
            other => panic!("{id}: {other:?}"),
        };
        book.insert(payment.payment_hash.unwrap(), payment.amount_msat);
    }
    let theirs = ends.peer.with(|node| Ok(node.list_payments())).await.unwrap();
    let book = |direction| -> BTreeMap<String, u64> {
        theirs
            .iter()
            .filter(|payment| payment.direction == direction && payment.status == PeerStatus::Succeeded)
            .filter_map(|payment| match &payment.kind {
                PaymentKind::Bolt11 { hash, .. } => Some((hash.to_string(), payment.amount_msat?)),
                _ => None,
            })
            .collect()
    };
    assert_eq!(sent, book(PaymentDirection::Inbound));
    assert_eq!(received, book(PaymentDirection::Outbound));
    let sum = |book: &BTreeMap<String, u64>| book.values().sum::<u64>();
    let _ = writeln!(
        stdout(),
        "the wallet sent {} msat in {} and received {} msat in {} payments",
        sum(&sent),
        sent.len(),
        sum(&received),
        received.len()
    );
    assert_eq!((sent.len(), received.len()), (EACH_WAY as usize + 10, EACH_WAY as usize));
    assert_eq!(owned_msat, CAPACITY.to_sat() * 1_000 + sum(&received) - sum(&sent));

    let id = ends.owner.ask(|wallet| async move { wallet.info().await }).await.unwrap().node_id;
    let channels = ends.peer.with(|node| Ok(node.list_channels())).await.unwrap();
    let with_wallet: Vec<_> =
        channels.iter().filter(|channel| channel.counterparty_node_id.to_string() == id).collect();
    assert_eq!(with_wallet.len(), 1);
    let reserve = with_wallet[0].unspendable_punishment_reserve.unwrap() * 1_000;
    assert_eq!(with_wallet[0].outbound_capacity_msat + reserve, CAPACITY.to_sat() * 1_000 - owned_msat);
}

/// Both agree on the end, and each gets what is its own to the satoshi.
async fn close(world: &World, ends: &Ends) {
    let owned_msat = settle(ends).await;
    let before = ends.owner.ask(|wallet| async move { wallet.balance().await }).await.unwrap();
    let peer_before =
        ends.peer.with(|node| Ok(node.list_balances().total_onchain_balance_sats)).await.unwrap();
    let channels = ends.owner.ask(|wallet| async move { wallet.list_channels().await }).await.unwrap();
    let (id, funding) = (channels[0].id.clone(), channels[0].funding_txid.clone().unwrap());
    ends.owner
        .ask(|wallet| {
            let id = id.clone();
            async move { wallet.close_channel(id).await }
        })
        .await
        .unwrap();
    let spends = |input: OutPoint| input.txid.to_string() == funding;
    let closing = in_mempool(world, |tx| tx.input.iter().any(|input| spends(input.previous_output))).await;
    assert_eq!((closing.input.len(), closing.output.len()), (1, 2), "a cooperative close: {closing:?}");
    assert!(closing.output.iter().all(|output| !is_anchor(output)));
    world.mine(1).await.unwrap();

    let peer_owned = (CAPACITY.to_sat() * 1_000 - owned_msat) / 1_000;
    let paid: BTreeSet<u64> = closing.output.iter().map(|output| output.value.to_sat()).collect();
    assert!(paid.contains(&peer_owned), "{paid:?} without {peer_owned}");
    let own = closing.output.iter().map(|output| output.value.to_sat()).sum::<u64>() - peer_owned;
    let fee = owned_msat / 1_000 - own;
    let _ =
        writeln!(stdout(), "closed: {own} sat for the wallet, {peer_owned} sat for the peer, {fee} sat fee");
    assert!((100..5_000).contains(&fee), "{fee}");
    let after = ends
        .owner
        .until("the coins of the channel", |wallet| async move {
            wallet.refresh().await?;
            let balance = wallet.balance().await?;
            Ok((balance.closing_sat == 0 && balance.onchain_sat > before.onchain_sat).then_some(balance))
        })
        .await;
    assert_eq!(after.onchain_sat, before.onchain_sat + own);
    assert_eq!(after.total_msat, after.onchain_sat * 1_000);
    ends.peer.sync().await.unwrap();
    let peer_after =
        ends.peer.with(|node| Ok(node.list_balances().total_onchain_balance_sats)).await.unwrap();
    assert_eq!(peer_after, peer_before + peer_owned);
}

fn is_anchor(output: &TxOut) -> bool {
    output.value == Amount::from_sat(330)
}
