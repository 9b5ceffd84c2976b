//! What both tests do before it gets interesting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::{Amount, Transaction};
use kite_devnet::World;
use kite_wallet::api::{OpenChannelRequest, Wallet};

use crate::payments::Ends;

impl Ends {
    /// Waits until the wallet has seen coins in a block.
    pub async fn has_coins(&self, amount: Amount) {
        let look = move |wallet: Arc<Wallet>| async move {
            wallet.refresh().await?;
            Ok((wallet.balance().await?.onchain_sat == amount.to_sat()).then_some(()))
        };
        self.owner.until("coins", look).await;
    }

    /// Opens a channel with the peer, which is reached at `address`, and tells the id of the funding transaction.
    pub async fn start_channel(&self, address: SocketAddr, capacity: Amount) -> String {
        let node_id = self.peer.node_id().to_string();
        let connect = |wallet: Arc<Wallet>| {
            let (node_id, address) = (node_id.clone(), address.to_string());
            async move { wallet.connect_peer(node_id, address).await }
        };
        self.owner.ask(connect).await.unwrap();
        let open = |wallet: Arc<Wallet>| {
            let request = OpenChannelRequest {
                node_id: node_id.clone(),
                amount_sat: capacity.to_sat(),
                feerate_sat_per_vb: Some(2),
            };
            async move { wallet.open_channel(request).await }
        };
        self.owner.ask(open).await.unwrap();
        let funding = self.owner.until("the funding transaction", |wallet| async move {
            Ok(wallet.list_channels().await?.into_iter().find_map(|channel| channel.funding_txid))
        });
        funding.await
    }

    /// Waits until the only channel can be used.
    pub async fn is_usable(&self) {
        let look = |wallet: Arc<Wallet>| async move {
            wallet.refresh().await?;
            Ok(wallet.list_channels().await?[0].usable.then_some(()))
        };
        self.owner.until("a usable channel", look).await;
    }
}

/// Waits for a transaction to be published.
pub async fn in_mempool(world: &World, is_it: impl Fn(&Transaction) -> bool) -> Transaction {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        for txid in world.source().mempool().await.unwrap() {
            match world.source().waiting(txid).await.unwrap() {
                Some(tx) if is_it(&tx) => return tx,
                _ => {}
            }
        }
        assert!(Instant::now() < deadline, "it is not published");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
