//! The world on a real full node in place of the embedded chain: one channel from its opening to its end.

use std::sync::Arc;

use bitcoin::{Address, Amount, Network, Transaction};
use corepc_node::{Conf, Node, P2P};
use kite_devnet::chain::Displaced;
use kite_devnet::peers::{LightningPeer, PeerConfig};
use kite_devnet::{World, WorldOptions};
use kite_wallet::api::Wallet;

use crate::owner::Owner;
use crate::payments::Ends;
use crate::steps::in_mempool;

/// What the devnet's README asks for, and the rules of Bitcoin Core also where the node is a derivative.
const ARGUMENTS: [&str; 5] =
    ["-regtest", "-txindex=1", "-fallbackfee=0.0001", "-corepolicy=1", "-softwareexpiry=0"];

const CAPACITY: Amount = Amount::from_sat(1_000_000);
const GIFT: Amount = Amount::from_sat(2_000_000);

/// A `bitcoind` with a folder and a port of its own, on loopback. It ends with this value.
struct FullNode(Node);

impl FullNode {
    fn start() -> Self {
        let program = std::env::var_os("BITCOIND_EXE").expect(
            "this test needs a bitcoind: `cargo xtask test interop` brings one; to run it by hand, set \
             BITCOIND_EXE to what `cargo xtask bitcoind` prints",
        );
        let mut conf = Conf::default();
        conf.args = ARGUMENTS.to_vec();
        conf.p2p = P2P::No;
        conf.wallet = None;
        Self(Node::with_conf(program, &conf).expect("bitcoind starts"))
    }

    /// As `kite-devnet --bitcoind` takes it.
    fn url(&self) -> String {
        let cookie = self.0.params.get_cookie_values().unwrap().unwrap();
        format!("http://{}:{}@{}", cookie.user, cookie.password, self.0.params.rpc_socket)
    }
}

impl Drop for FullNode {
    fn drop(&mut self) {
        // Its folder can go only after it. What it does not hear, the library kills.
        let _ = self.0.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_opens_pays_and_closes_on_a_real_full_node() {
    let node = FullNode::start();
    let bitcoind = Some(node.url().parse().unwrap());
    let world = World::start(WorldOptions { bitcoind, peers: false, ..WorldOptions::default() }).await;
    let world = world.unwrap();
    let peer =
        PeerConfig { name: "alice".to_owned(), esplora_url: world.esplora_url(), port: 0, salt: Vec::new() };
    let peer = Arc::new(LightningPeer::start(peer).await.unwrap());
    let ends = Ends { owner: Owner::new(world.esplora_url()).await, peer };

    open(&world, &ends).await;
    assert!(ends.wallet_pays(50_000_000, "there").await.is_empty());
    assert_eq!(ends.peer_pays(20_000_000).await, 0);
    world.reorg(2, Displaced::Mined).await.unwrap();
    ends.peer.sync().await.unwrap();
    has_confirmations(&ends, 7).await;
    ends.is_usable().await;
    assert!(ends.wallet_pays(1_000_000, "on another branch").await.is_empty());
    close(&world, &ends).await;

    ends.peer.end().await.unwrap();
    world.stop().await;
}

async fn mine(world: &World, ends: &Ends, blocks: u32) {
    world.mine(blocks).await.unwrap();
    ends.peer.sync().await.unwrap();
}

async fn has_confirmations(ends: &Ends, wanted: u32) {
    let look = move |wallet: Arc<Wallet>| async move {
        wallet.refresh().await?;
        Ok((wallet.list_channels().await?[0].confirmations == wanted).then_some(()))
    };
    ends.owner.until(&format!("{wanted} confirmations"), look).await;
}

/// With a reorganisation on the way, after which the funding transaction waits again.
async fn open(world: &World, ends: &Ends) {
    let ours = ends.owner.ask(|wallet| async move { wallet.new_address().await }).await.unwrap();
    let ours: Address<_> = ours.parse().unwrap();
    world.fund(&ours.require_network(Network::Regtest).unwrap(), GIFT).await.unwrap();
    // A node takes a channel only when it has coins to pay for the fees of a close.
    world.fund(&ends.peer.new_address().await.unwrap(), GIFT).await.unwrap();
    mine(world, ends, 1).await;
    ends.has_coins(GIFT).await;
    let funding = ends.start_channel(ends.peer.address(), CAPACITY).await;
    let is_funding = |tx: &Transaction| tx.compute_txid().to_string() == funding;
    in_mempool(world, is_funding).await;
    mine(world, ends, 2).await;
    has_confirmations(ends, 2).await;

    world.reorg(2, Displaced::Waiting).await.unwrap();
    ends.peer.sync().await.unwrap();
    has_confirmations(ends, 0).await;
    in_mempool(world, is_funding).await;
    mine(world, ends, 6).await;
    ends.is_usable().await;
}

/// Both agree, and each has its output of the one transaction.
async fn close(world: &World, ends: &Ends) {
    let onchain_sat =
        async || ends.owner.ask(|wallet| async move { wallet.balance().await }).await.unwrap().onchain_sat;
    let peer_sat = async || {
        ends.peer.sync().await.unwrap();
        ends.peer.with(|node| Ok(node.list_balances().total_onchain_balance_sats)).await.unwrap()
    };
    let (ours_before, theirs_before) = (onchain_sat().await, peer_sat().await);
    let channels = ends.owner.ask(|wallet| async move { wallet.list_channels().await }).await.unwrap();
    let (id, funding) = (channels[0].id.clone(), channels[0].funding_txid.clone().unwrap());
    let closing = ends.owner.ask(|wallet| {
        let id = id.clone();
        async move { wallet.close_channel(id).await }
    });
    closing.await.unwrap();
    let spends_it =
        |tx: &Transaction| tx.input.iter().any(|input| input.previous_output.txid.to_string() == funding);
    let closing = in_mempool(world, spends_it).await;
    mine(world, ends, 1).await;
    let is_ours = move |wallet: Arc<Wallet>| async move {
        wallet.refresh().await?;
        let balance = wallet.balance().await?;
        Ok((balance.closing_sat == 0 && balance.onchain_sat > ours_before).then_some(()))
    };
    ends.owner.until("the coins of the channel", is_ours).await;
    let mut gained = [onchain_sat().await - ours_before, peer_sat().await - theirs_before];
    let mut paid: Vec<u64> = closing.output.iter().map(|output| output.value.to_sat()).collect();
    gained.sort_unstable();
    paid.sort_unstable();
    assert_eq!(paid, gained, "{closing:?}");
}
