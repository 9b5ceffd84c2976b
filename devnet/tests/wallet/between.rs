//! One wallet pays another through a node with which both have a channel that nobody else knows of.

use std::sync::Arc;

use bitcoin::{Address, Amount, Network};
use kite_devnet::{World, WorldOptions};
use kite_wallet::api::{Payment, PaymentStatus, Wallet, WalletError};

use crate::judge::judge;
use crate::owner::Owner;
use crate::payments::Ends;
use crate::steps::in_mempool;

/// The node in the middle keeps a hundredth of it.
const CAPACITY: Amount = Amount::from_sat(1_000_000);
const GIFT: Amount = Amount::from_sat(2_000_000);

/// What a node of the devnet takes for forwarding.
const FEE_MSAT: u64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_pays_another_whatever_was_when_the_invoice_was_made() {
    let world = World::start(WorldOptions { judge: Some(judge()), ..WorldOptions::default() }).await.unwrap();
    let (payer, payee) = (with_channel(&world).await, with_channel(&world).await);

    // Made by one who opened its channel and could receive nothing yet.
    let early = payee.wallet_invoice(7_000_000, 3_600).await.invoice;
    let payment = payer.send(&early, "too early", FEE_MSAT).await;
    let failure = payment.failure.expect("it failed");
    assert_eq!(failure.code, "all_routes_failed", "{failure:?}");
    assert!(failure.reason.contains("at hop 1 (code 0x1007)"), "{failure:?}");
    payee.wallet_pays(20_000_000, "makes room").await;
    payee.owner.until("there is room", |wallet| can_receive(wallet, 10_000_000)).await;
    came(&payer.send(&early, "early", FEE_MSAT).await);

    let now = payee.wallet_invoice(1_000_000, 3_600).await.invoice;
    came(&payer.send(&now, "now", FEE_MSAT).await);

    // Made while the node in the middle was away.
    payee.peer.stop().await.unwrap();
    payee.owner.until("the node is away", |wallet| usable(wallet, false)).await;
    let away = payee.wallet_invoice(1_000_000, 3_600).await.invoice;
    payee.peer.restart().await.unwrap();
    payee.is_usable().await;
    payer.is_usable().await;
    came(&payer.send(&away, "away", FEE_MSAT).await);
    world.stop().await;
}

/// It went over one node, at the price that this node has told the payee.
fn came(payment: &Payment) {
    assert_eq!(payment.status, PaymentStatus::Succeeded, "{payment:?}");
    assert_eq!((payment.fee_msat, payment.hops), (Some(FEE_MSAT), Some(2)));
}

/// The payment is over before the last commitment of the channel is.
async fn can_receive(wallet: Arc<Wallet>, msat: u64) -> Result<Option<()>, WalletError> {
    Ok((wallet.balance().await?.receivable_msat == msat).then_some(()))
}

async fn usable(wallet: Arc<Wallet>, wanted: bool) -> Result<Option<()>, WalletError> {
    Ok((wallet.list_channels().await?[0].usable == wanted).then_some(()))
}

/// A new wallet that has opened a channel with alice.
async fn with_channel(world: &World) -> Ends {
    let ends = Ends { owner: Owner::new(world.esplora_url()).await, peer: world.peer("alice").unwrap() };
    let address = ends.owner.ask(|wallet| async move { wallet.new_address().await }).await.unwrap();
    let address: Address<_> = address.parse().unwrap();
    world.fund(&address.require_network(Network::Regtest).unwrap(), GIFT).await.unwrap();
    world.mine(1).await.unwrap();
    ends.has_coins(GIFT).await;
    let funding = ends.start_channel(ends.peer.address(), CAPACITY).await;
    in_mempool(world, |tx| tx.compute_txid().to_string() == funding).await;
    world.mine(6).await.unwrap();
    ends.is_usable().await;
    ends
}
