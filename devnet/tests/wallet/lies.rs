//! A wallet whose only view of the chain is a server that lies.

use std::io::{Write, stdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::{Address, Amount, Network, TxOut};
use kite_devnet::chain::Displaced;
use kite_devnet::{World, WorldOptions};
use kite_wallet::api::{Balance, Channel, ChannelState, Event, Wallet};

use crate::judge::judge;
use crate::liar::{Liar, Lie};
use crate::owner::Owner;
use crate::payments::Ends;
use crate::steps::in_mempool;

const CAPACITY: Amount = Amount::from_sat(500_000);
const GIFT: Amount = Amount::from_sat(1_000_000);

/// Every lie, and what the owner is told; nothing where a lie cannot be told from a quiet day.
const LIES: &[(Lie, Option<&str>)] = &[
    (Lie::Confirmed, Some("wrong proof")),
    (Lie::Amounts, Some("has another id")),
    (Lie::OtherTransactions, Some("wrong proof")),
    (Lie::Scripts, Some("has another id")),
    (Lie::Proofs, Some("wrong proof")),
    (Lie::NoWork, Some("were refused")),
    (Lie::Stale, None),
    (Lie::StaleBlocks, Some("wrong proof")),
    (Lie::OtherNetwork, Some("is on another network")),
    (Lie::Html, Some("nonsense")),
    (Lie::Oversized, Some("sent more than")),
    (Lie::Slow, Some("did not answer within")),
    (Lie::Hang, Some("did not answer within")),
    (Lie::Reset, Some("cannot be reached")),
    (Lie::Status(500), Some("answered 500")),
    (Lie::Status(429), Some("answered 429")),
];

/// A wallet and the only server it knows.
struct Believer {
    lie: Lie,
    told: Option<&'static str>,
    liar: Liar,
    ends: Ends,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lie_about_the_chain_is_believed_and_the_truth_helps() {
    let world = Arc::new(
        World::start(WorldOptions { judge: Some(judge()), ..WorldOptions::default() }).await.unwrap(),
    );
    let mut believers = Vec::new();
    for (lie, told) in LIES {
        let liar = Liar::start(world.esplora_url()).await;
        let ends = Ends { owner: Owner::new(liar.url.clone()).await, peer: world.peer("alice").unwrap() };
        believers.push(Believer { lie: *lie, told: *told, liar, ends });
    }
    fund(&world, &believers).await;
    for believer in &believers {
        let funding = believer.ends.start_channel(believer.ends.peer.address(), CAPACITY).await;
        in_mempool(&world, |tx| tx.compute_txid().to_string() == funding).await;
        believer.liar.tell(Some(believer.lie));
    }
    // One lie is none any more after the next block; and each has seen the mempool through its server's eyes.
    let begun = Instant::now();
    believers.iter().find(|believer| believer.lie == Lie::Confirmed).unwrap().watch().await;
    world.mine(6).await.unwrap();
    let tasks: Vec<_> = believers
        .into_iter()
        .map(|believer| {
            tokio::spawn(async move {
                if believer.lie != Lie::Confirmed {
                    believer.watch().await;
                }
                believer.recover().await;
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let _ = writeln!(stdout(), "{} lies in {:.1} s", LIES.len(), begun.elapsed().as_secs_f64());
    a_funding_transaction_that_is_gone_comes_again(&world).await;
}

async fn fund(world: &World, believers: &[Believer]) {
    let mut outputs = Vec::new();
    for believer in believers {
        let address = believer.ends.owner.ask(|wallet| async move { wallet.new_address().await }).await;
        let address: Address<_> = address.unwrap().parse().unwrap();
        let script_pubkey = address.require_network(Network::Regtest).unwrap().script_pubkey();
        outputs.push(TxOut { value: GIFT, script_pubkey });
    }
    world.source().fund(outputs).await.unwrap();
    world.mine(1).await.unwrap();
    for believer in believers {
        believer.ends.has_coins(GIFT).await;
    }
}

impl Believer {
    /// Nothing is believed while the server lies.
    async fn watch(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut told = String::new();
        // Some lies show at once, others after a timeout; the wallet is watched for a while in any case.
        let least = Instant::now() + Duration::from_secs(4);
        while Instant::now() < least || !self.told.is_none_or(|expected| told.contains(expected)) {
            assert!(Instant::now() < deadline, "{:?}: the owner was told {told:?}", self.lie);
            let (channel, balance) = self.look().await;
            assert_eq!(channel.state, ChannelState::Pending, "{:?}", self.lie);
            assert!(!channel.usable && channel.confirmations < channel.confirmations_needed);
            let onchain_sat = balance.onchain_sat + balance.onchain_pending_sat;
            assert!(onchain_sat <= (GIFT - CAPACITY).to_sat(), "{:?}: {balance:?}", self.lie);
            assert!(balance.total_msat <= GIFT.to_sat() * 1_000, "{:?}: {balance:?}", self.lie);
            let info = self.ends.owner.ask(|wallet| async move { wallet.info().await }).await.unwrap();
            told = info.chain_error.unwrap_or_default();
            let is_whole = !told.contains("cannot be read");
            assert!(told.is_empty() || !info.synced || !is_whole, "{told}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let is_ready = |event: &Event| matches!(event, Event::ChannelReady { .. });
        assert!(!self.ends.owner.events().iter().any(is_ready), "{:?}", self.lie);
        let _ = writeln!(stdout(), "{:?}: {}", self.lie, if told.is_empty() { "(nothing)" } else { &told });
    }

    /// All is well when the server tells the truth.
    async fn recover(&self) {
        self.liar.tell(None);
        self.ends.is_usable().await;
        assert!(self.ends.wallet_pays(1_000_000, "after the truth").await.is_empty());
    }

    async fn look(&self) -> (Channel, Balance) {
        let look = |wallet: Arc<Wallet>| async move {
            Ok((wallet.list_channels().await?.remove(0), wallet.balance().await?))
        };
        self.ends.owner.ask(look).await.unwrap()
    }
}

/// A reorganisation takes a funding transaction away, and nobody else remembers it.
async fn a_funding_transaction_that_is_gone_comes_again(world: &World) {
    let owner = Owner::new(world.esplora_url()).await;
    let ends = Ends { owner, peer: world.peer("alice").unwrap() };
    let address = ends.owner.ask(|wallet| async move { wallet.new_address().await }).await.unwrap();
    let address: Address<_> = address.parse().unwrap();
    world.fund(&address.require_network(Network::Regtest).unwrap(), GIFT).await.unwrap();
    world.mine(3).await.unwrap();
    ends.has_coins(GIFT).await;
    let funding = ends.start_channel(ends.peer.address(), CAPACITY).await;
    let is_funding = |tx: &bitcoin::Transaction| tx.compute_txid().to_string() == funding;
    in_mempool(world, is_funding).await;
    world.mine(2).await.unwrap();
    let confirmed = |wanted: u32| {
        ends.owner.until("confirmations", move |wallet| async move {
            wallet.refresh().await?;
            Ok((wallet.list_channels().await?[0].confirmations == wanted).then_some(()))
        })
    };
    confirmed(2).await;
    world.reorg(2, Displaced::Forgotten).await.unwrap();
    confirmed(0).await;
    in_mempool(world, is_funding).await;
    world.mine(6).await.unwrap();
    ends.is_usable().await;
    assert!(ends.wallet_pays(1_000_000, "after the reorganisation").await.is_empty());
}
