//! An address that was paid so often that its history has several pages.

use bitcoin::{Address, Amount, Network};
use kite_devnet::{World, WorldOptions};
use kite_wallet::api::PaymentFilter;

use crate::judge::judge;
use crate::owner::Owner;

/// A page of Esplora has 25 confirmed transactions. The faucet has a few coins, and the change of each in the next block.
const BLOCKS: [u64; 13] = [6; 13];
const WAITING: u64 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_a_long_history_is_read() {
    let world = World::start(WorldOptions { peers: false, judge: Some(judge()), ..WorldOptions::default() })
        .await
        .unwrap();
    let owner = Owner::new(world.esplora_url()).await;
    let address = owner.ask(|wallet| async move { wallet.new_address().await }).await.unwrap();
    let address: Address<_> = address.parse().unwrap();
    let address = address.require_network(Network::Regtest).unwrap();
    let mut amount_sat = 10_000;
    let mut pay = async || {
        amount_sat += 1;
        world.fund(&address, Amount::from_sat(amount_sat)).await.unwrap();
        amount_sat
    };
    let (mut confirmed_sat, mut waiting_sat) = (0, 0);
    for count in BLOCKS {
        for _ in 0..count {
            confirmed_sat += pay().await;
        }
        world.mine(1).await.unwrap();
    }
    for _ in 0..WAITING {
        waiting_sat += pay().await;
    }
    let has_all = || {
        owner.until("every payment", |wallet| async move {
            wallet.refresh().await?;
            let balance = wallet.balance().await?;
            let seen = (balance.onchain_sat, balance.onchain_pending_sat);
            Ok((seen == (confirmed_sat, waiting_sat)).then_some(()))
        })
    };
    has_all().await;
    owner.kill().await;
    has_all().await;
    let all = PaymentFilter { direction: None, limit: 1_000, before_secs: None };
    let list = owner.ask(|wallet| {
        let all = all.clone();
        async move { wallet.list_payments(all).await }
    });
    assert_eq!(list.await.unwrap().len() as u64, BLOCKS.iter().sum::<u64>() + WAITING);
    world.stop().await;
}
